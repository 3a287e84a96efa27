// SPDX-License-Identifier: Apache-2.0
// Squeeze and excitation: the channels' means over an image, two products of them with constant
// weights, and the image times what comes out. `blocks` thread blocks work on an image, as a
// cluster where they are several: each adds up its pixels and computes its share of the products,
// and writes what it has into the memory of all. Sums are float32, always in the same order;
// channels lie last.
#pragma once
#include "ptx_sm90.cuh"

namespace excite {

__device__ constexpr int round_up(int x, int to) { return (x + to - 1) / to * to; }
__device__ constexpr int larger(int a, int b) { return a > b ? a : b; }

// A barrier of `blocks` blocks in two halves.
template <int blocks>
__device__ __forceinline__ void arrive() {
  if constexpr (blocks > 1) sm90::cluster_arrive();
}
template <int blocks>
__device__ __forceinline__ void wait() {
  if constexpr (blocks > 1) sm90::cluster_wait();
  else __syncthreads();
}
template <int blocks>
__device__ __forceinline__ void give(float* to, float value, int block) {
  if constexpr (blocks > 1) sm90::store_remote(to, value, block);
  else *to = value;
}
template <int blocks>
__device__ __forceinline__ void give_all(float* to, float value) {
#pragma unroll
  for (int b = 0; b < blocks; ++b) give<blocks>(to, value, b);
}

// The sums of a block: `groups` of threads take a pixel each, a thread `lanes` channels of it.
template <int threads, int channels, int lanes>
struct Sums {
  static constexpr int vectors = channels / lanes, groups = threads / vectors;
  // From one group's sums to the next: an odd number of 16 bytes, so that banks differ.
  static constexpr int row = round_up(channels, 4), stride = row + (row / 4 % 2 == 0 ? 4 : 0);
  static constexpr int floats = groups * stride;

  static __device__ constexpr int lanes_a_channel() {
    int n = 1;
    while (n < 32 && n * 2 <= groups && n * 2 * channels <= threads) n *= 2;
    return n;
  }

  template <class X, class Load>
  static __device__ __forceinline__ void add(const X* x, idx first, idx end, float* at, Load load) {
    const int vector = threadIdx.x % vectors, group = threadIdx.x / vectors;
    if (group >= groups) return;
    __align__(16) float sums[lanes] = {};
#pragma unroll 4
    for (idx p = first + group; p < end; p += groups) {
      const auto pack = *(const Pack<X, lanes>*)(x + p * channels + vector * lanes);
#pragma unroll
      for (int v = 0; v < lanes; ++v) sums[v] += load(pack.at[v]);
    }
    constexpr int width = lanes < 4 ? lanes : 4;
#pragma unroll
    for (int v = 0; v < lanes; v += width)
      *(Pack<float, width>*)(at + group * stride + vector * lanes + v) =
          *(const Pack<float, width>*)(sums + v);
  }

  // take(channel, lane, lanes, sum): every lane of a channel has its sum over `count` pixels.
  template <class Take>
  static __device__ __forceinline__ void finish(const float* at, idx count, Take take) {
    constexpr int share = lanes_a_channel();
    const int active = count < groups ? (int)count : groups;
    for (int base = 0; base < channels * share; base += threads) {
      const int c = (base + (int)threadIdx.x) / share, lane = threadIdx.x % share;
      float sum = 0;
      if (c < channels) {
#pragma unroll 4
        for (int g = lane; g < active; g += share) sum += at[g * stride + c];
      }
#pragma unroll
      for (int step = 1; step < share; step *= 2) sum += __shfl_xor_sync(~0U, sum, step);
      if (c < channels) take(c, lane, share, sum);
    }
  }
};

// A block's share of the rows of a product. A thread takes 16 bytes of several rows, a warp a slice
// of them; rows are `padded` elements long.
template <class T, int threads, int blocks, int rows, int inputs>
struct Dense {
  static constexpr int lanes = 16 / sizeof(T), vectors = (inputs + lanes - 1) / lanes;
  static constexpr int padded = vectors * lanes;
  static constexpr int slices = (vectors + 31) / 32, groups = threads / 32 / slices;
  static constexpr int share = (rows + blocks - 1) / blocks;
  static constexpr int mine = (share + groups - 1) / groups, batch = mine < 4 ? mine : 4;
  static constexpr int floats = slices * share;
  Pack<T, lanes> kept[batch];

  static __device__ __forceinline__ int slice() { return threadIdx.x / 32 % slices; }
  static __device__ __forceinline__ int vector() { return slice() * 32 + threadIdx.x % 32; }
  // In the block's share; beyond it where there is none.
  static __device__ __forceinline__ int row(int i) {
    const int group = threadIdx.x / 32 / slices;
    return group < groups ? i * groups + group : share;
  }

  // The weights of `batch` rows from the thread's number `i` on.
  __device__ __forceinline__ void fetch(const T* weights, int block, int i) {
#pragma unroll
    for (int j = 0; j < batch; ++j) {
      const int local = row(i + j), r = block * share + local;
      kept[j] = {};
      if (local < share && r < rows && vector() < vectors)
        kept[j] = ((const Pack<T, lanes>*)(weights + (idx)r * padded))[vector()];
    }
  }

  // take(row, sum), by one thread a row. `sums`: room for `floats` that nobody else uses.
  template <class Load, class Take>
  __device__ __forceinline__ void run(const T* weights, const float* x, float* sums, int block,
                                      Load load, Take take) {
    __align__(16) float values[lanes] = {};
    if (vector() < vectors) {
#pragma unroll
      for (int v = 0; v < lanes; v += 4)
        *(Pack<float, 4>*)(values + v) = *(const Pack<float, 4>*)(x + vector() * lanes + v);
    }
    for (int i = 0; i < mine; i += batch) {
      if (i > 0) fetch(weights, block, i);
#pragma unroll
      for (int j = 0; j < batch; ++j) {
        float sum = 0;
#pragma unroll
        for (int v = 0; v < lanes; ++v) sum += load(kept[j].at[v]) * values[v];
#pragma unroll
        for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0U, sum, step);
        const int local = row(i + j);
        if (local < share && threadIdx.x % 32 == 0) sums[slice() * share + local] = sum;
      }
    }
    __syncthreads();
    for (int local = threadIdx.x; local < share; local += threads) {
      const int r = block * share + local;
      float sum = 0;
#pragma unroll
      for (int s = 0; s < slices; ++s) sum += sums[s * share + local];
      if (r < rows) take(r, sum);
    }
  }
};

// T: of the weights. `lanes`: channels of an image that a thread reads at once.
template <class T, int thread_count, int cluster, int channel_count, int hidden_count, int lanes>
struct Config {
  using Weight = T;
  static constexpr int threads = thread_count, blocks = cluster, channels = channel_count;
  static constexpr int hidden = hidden_count;
  using Adder = Sums<threads, channels, lanes>;
  using First = Dense<T, threads, blocks, hidden, channels>;
  using Second = Dense<T, threads, blocks, channels, hidden>;
  // In shared memory, by floats: a block's own sums, those of all blocks, means, hidden, gates.
  static constexpr int row = round_up(channels, 8);
  static constexpr int parts_at =
      round_up(larger(Adder::floats, larger(First::floats, Second::floats)), 4);
  static constexpr int means_at = parts_at + blocks * row, hidden_at = means_at + row;
  static constexpr int gates_at = hidden_at + round_up(hidden, 8);
};

// The pixels that a block adds up, and scales later.
struct Range {
  idx first, end;
};
template <int blocks>
__device__ __forceinline__ Range share_of(idx pixels, int block) {
  const idx each = (pixels + blocks - 1) / blocks, first = each * block;
  return {first, first + each < pixels ? first + each : pixels};
}

// take(channel, gate), by one thread a channel. `count`: what the sums are divided by.
template <class C, class X, class Load, class Weigh, class Hidden, class Gate, class Take>
__device__ __forceinline__ void squeeze(const X* x, Range range, idx count,
                                        const typename C::Weight* first_weights,
                                        const typename C::Weight* second_weights, float* memory,
                                        int block, Load load, Weigh weigh, Hidden hidden, Gate gate,
                                        Take take) {
  constexpr int blocks = C::blocks, channels = C::channels, threads = C::threads, row = C::row;
  float *parts = memory + C::parts_at, *means = memory + C::means_at,
        *values = memory + C::hidden_at;
  arrive<blocks>();  // the others may write to this block's memory
  C::Adder::add(x, range.first, range.end, memory, load);
  // Weights come while blocks wait for each other.
  typename C::First first;
  typename C::Second second;
  first.fetch(first_weights, block, 0);
  second.fetch(second_weights, block, 0);
  for (int i = C::hidden + threadIdx.x; i < round_up(C::hidden, 8); i += threads) values[i] = 0;
  __syncthreads();
  wait<blocks>();
  C::Adder::finish(memory, range.end - range.first, [&](int c, int lane, int lanes, float sum) {
    for (int b = lane; b < blocks; b += lanes) give<blocks>(parts + block * row + c, sum, b);
  });
  arrive<blocks>();
  wait<blocks>();
  for (int c = threadIdx.x; c < row; c += threads) {
    float sum = 0;
#pragma unroll
    for (int b = 0; b < blocks; ++b) sum += c < channels ? parts[b * row + c] : 0;
    means[c] = sum / (float)count;
  }
  __syncthreads();
  first.run(first_weights, means, memory, block, weigh,
            [&](int r, float sum) { give_all<blocks>(values + r, hidden(sum, r)); });
  arrive<blocks>();
  wait<blocks>();
  second.run(second_weights, values, memory, block, weigh,
             [&](int c, float sum) { take(c, gate(sum, c)); });
}

// The pixels of a block: out = scale(x, gate), elements as they lie in memory.
template <int threads, int channels, int lanes, class X, class Scale>
__device__ __forceinline__ void scale_pixels(const X* x, X* out, Range range, const float* gates,
                                             Scale scale) {
  using S = Sums<threads, channels, lanes>;
  const int vector = threadIdx.x % S::vectors, group = threadIdx.x / S::vectors;
  if (group >= S::groups) return;
  float gate[lanes];
#pragma unroll
  for (int v = 0; v < lanes; ++v) gate[v] = gates[vector * lanes + v];
#pragma unroll 4
  for (idx p = range.first + group; p < range.end; p += S::groups) {
    const idx at = p * channels + vector * lanes;
    Pack<X, lanes> pack = *(const Pack<X, lanes>*)(x + at);
#pragma unroll
    for (int v = 0; v < lanes; ++v) pack.at[v] = scale(pack.at[v], gate[v]);
    *(Pack<X, lanes>*)(out + at) = pack;
  }
}

// `number`: of the pack in all of x.
template <int lanes, class X, class Scale>
__device__ __forceinline__ void scale_pack(const X* x, X* out, idx number, const float* gates,
                                           Scale scale) {
  Pack<X, lanes> pack = ((const Pack<X, lanes>*)x)[number];
#pragma unroll
  for (int v = 0; v < lanes; ++v) pack.at[v] = scale(pack.at[v], gates[v]);
  ((Pack<X, lanes>*)out)[number] = pack;
}

}  // namespace excite
