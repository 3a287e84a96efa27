// SPDX-License-Identifier: Apache-2.0
// The Hopper product for few pixels (batch 1 and the like), where time is latency: one tile a
// cluster, k split over the cluster's CTAs, partial sums added through distributed shared memory in
// a fixed order (no workspace, no atomics, the same result every run). Operands as in
// conv_sm90.cuh; results are written with plain stores, so any channel count and output type goes.
//
//   extern "C" __global__ __launch_bounds__(160)
//   void kernel(const __grid_constant__ sm90::Split p) { sm90::split<T, Epilogue, im2col>(p); }
#pragma once
#include "ptx_sm90.cuh"

namespace sm90 {

struct Split {
  TensorMap w, x;
  const float* channel;  // Epilogue::channels rows of `channels` values
  const void* full;      // as y
  void* y;               // [pixels][channels]
  int channels, pixels;
  int tiles_c;
  int cblocks, taps, taps_w;
  int q, pq;
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
  // No constant of the text: one serves every depth of the ring, and compiling texts is most of a
  // build. Partial sums lie where the ring was, and have to fit.
  int stages;
};

template <Type type_, int channels_, int pixels_, int split_, int out_type_>
struct SplitTile {
  static constexpr Type type = type_;
  static constexpr int channels = channels_, pixels = pixels_, split = split_;
  static constexpr int out_type = out_type_;  // 0 f32, 1 f16, 2 bf16
  static constexpr int depth = type == Type::tf32 ? 32 : 64;
  static constexpr int blocks = channels / 64;
  static constexpr int w_bytes = channels * 128, stage = w_bytes + pixels * 128;
  // Four more floats: the lanes of an accumulator store meet 32 different banks.
  static constexpr int pitch = (channels + 4) * 4;
  static_assert(pixels % split == 0 && channels % 64 == 0 && pixels % 8 == 0, "tile");
};

TENREC_DEVICE void load_remote(float (&v)[8], u32 addr, u32 cta) {
  asm volatile(
      "{ .reg .b32 r; mapa.shared::cluster.u32 r, %8, %9;\n"
      "ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [r];\n"
      "ld.shared::cluster.v4.f32 {%4, %5, %6, %7}, [r + 16]; }"
      : "=f"(v[0]), "=f"(v[1]), "=f"(v[2]), "=f"(v[3]), "=f"(v[4]), "=f"(v[5]), "=f"(v[6]),
        "=f"(v[7])
      : "r"(addr), "r"(cta)
      : "memory");
}

template <int type>
TENREC_DEVICE float element_at(const void* p, long long at) {
  if constexpr (type == 0) return ((const float*)p)[at];
  else if constexpr (type == 1) return low_part<Type::f16>(((const u16*)p)[at]);
  else return low_part<Type::bf16>(((const u16*)p)[at]);
}
template <int type>
TENREC_DEVICE void set_element(void* p, long long at, float v) {
  if constexpr (type == 0) ((float*)p)[at] = v;
  else if constexpr (type == 1) ((u16*)p)[at] = (u16)pack<Type::f16>(v, 0);
  else ((u16*)p)[at] = (u16)pack<Type::bf16>(v, 0);
}
// Eight neighbours; `whole`: all exist and lie on 16 bytes.
template <int type>
TENREC_DEVICE void get_eight(float (&v)[8], const void* p, long long at, bool whole, int count) {
  if (!whole) {
#pragma unroll
    for (int i = 0; i < 8; ++i) v[i] = i < count ? element_at<type>(p, at + i) : 0;
    return;
  }
  if constexpr (type == 0) {
    const float4 a = ((const float4*)((const float*)p + at))[0];
    const float4 b = ((const float4*)((const float*)p + at))[1];
    v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w, v[4] = b.x, v[5] = b.y, v[6] = b.z, v[7] = b.w;
  } else {
    constexpr Type t = type == 1 ? Type::f16 : Type::bf16;
    const uint4 a = *(const uint4*)((const u16*)p + at);
    const u32 words[4] = {a.x, a.y, a.z, a.w};
#pragma unroll
    for (int i = 0; i < 4; ++i)
      v[i * 2] = low_part<t>(words[i]), v[i * 2 + 1] = high_part<t>(words[i]);
  }
}
template <int type>
TENREC_DEVICE void put_eight(const float (&v)[8], void* p, long long at, bool whole, int count) {
  if (!whole) {
#pragma unroll
    for (int i = 0; i < 8; ++i)
      if (i < count) set_element<type>(p, at + i, v[i]);
    return;
  }
  if constexpr (type == 0) {
    ((float4*)((float*)p + at))[0] = make_float4(v[0], v[1], v[2], v[3]);
    ((float4*)((float*)p + at))[1] = make_float4(v[4], v[5], v[6], v[7]);
  } else {
    constexpr Type t = type == 1 ? Type::f16 : Type::bf16;
    *(uint4*)((u16*)p + at) = make_uint4(pack<t>(v[0], v[1]), pack<t>(v[2], v[3]),
                                         pack<t>(v[4], v[5]), pack<t>(v[6], v[7]));
  }
}

// Where a CTA and its threads stand: shared memory, its tile, its part of k.
template <class T>
struct SplitPlace {
  int stages;
  u32 ring, full, empty;
  int warp, lane, rank;
  int channel, pixel;  // the tile's first
  int begin, end;      // k blocks

  __device__ __forceinline__ SplitPlace(const Split& p, const void* shared) {
    stages = p.stages;
    ring = shared_address(shared), full = ring + stages * T::stage;
    empty = full + 8 * stages;
    warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int tile = blockIdx.x / T::split, kblocks = p.taps * p.cblocks;
    rank = blockIdx.x % T::split;
    channel = tile % p.tiles_c * T::channels, pixel = tile / p.tiles_c * T::pixels;
    begin = kblocks * rank / T::split, end = kblocks * (rank + 1) / T::split;
  }
};

// One thread fills the ring.
template <class T, bool im2col>
TENREC_DEVICE void load_split(const SplitPlace<T>& at, const Split& p) {
  Ring stage{at.stages};
  const int image = at.pixel / p.pq, row = at.pixel % p.pq / p.q, col = at.pixel % p.q;
  const int h = row * p.stride_h - p.pad_h, v = col * p.stride_w - p.pad_w;
  const auto load_weights = [&](int k, int slot) {
    bar_expect(at.full + 8 * slot, T::stage);
    load_2d(at.ring + slot * T::stage, p.w, at.full + 8 * slot, k * T::depth, at.channel);
  };
  // Weights do not depend on the kernel before this one: the first ones come early.
  const int early = at.end - at.begin < at.stages ? at.end - at.begin : at.stages;
  for (int i = 0; i < early; ++i) load_weights(at.begin + i, i);
  wait_for_inputs();
  for (int k = at.begin; k < at.end; ++k, stage.advance()) {
    const u32 x = at.ring + stage.slot * T::stage + T::w_bytes, bar = at.full + 8 * stage.slot;
    if (k - at.begin >= early) {
      bar_wait(at.empty + 8 * stage.slot, stage.phase ^ 1);
      load_weights(k, stage.slot);
    }
    const int tap = k / p.cblocks, c = k % p.cblocks * T::depth;
    if (im2col)
      load_im2col<false>(x, p.x, bar,
                         {c, v, h, image, (u16)(tap % p.taps_w * p.dilation_w),
                          (u16)(tap / p.taps_w * p.dilation_h)},
                         0);
    else load_2d(x, p.x, bar, c, at.pixel);
  }
}

// Four warps: this CTA's part of the sums, left in shared memory, where the ring was.
template <class T>
TENREC_DEVICE void multiply_split(const SplitPlace<T>& at) {
  float acc[T::blocks][T::pixels / 2];
#pragma unroll
  for (int m = 0; m < T::blocks; ++m)
#pragma unroll
    for (int i = 0; i < T::pixels / 2; ++i) acc[m][i] = 0;
  Ring stage{at.stages};
  int previous = 0;
  for (int k = at.begin; k < at.end; ++k) {
    const u64 a = descriptor(at.ring + stage.slot * T::stage);
    const u64 b = descriptor(at.ring + stage.slot * T::stage + T::w_bytes);
    bar_wait(at.full + 8 * stage.slot, stage.phase);
    mma_fence();
#pragma unroll
    for (int kk = 0; kk < 4; ++kk)
#pragma unroll
      for (int m = 0; m < T::blocks; ++m)
        Mma<T::type, T::pixels>::go(acc[m], a + m * (8192 >> 4) + kk * 2, b + kk * 2, 1);
    mma_commit();
    mma_wait<1>();
    if (k > at.begin && at.lane == 0) bar_arrive(at.empty + 8 * previous);
    previous = stage.slot;
    stage.advance();
  }
  mma_wait<0>();
  wait_for_inputs();  // the epilogue reads and writes global memory
  named_barrier(1);   // nobody reads the ring any more: partial sums go there
#pragma unroll
  for (int m = 0; m < T::blocks; ++m)
#pragma unroll
    for (int j = 0; j < T::pixels / 8; ++j)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        store_shared(at.ring + (j * 8 + at.lane % 4 * 2 + i % 2) * T::pitch +
                         (m * 64 + at.warp * 16 + i / 2 * 8 + at.lane / 4) * 4,
                     acc[m][j * 4 + i]);
}

// Adds the cluster's partial sums of this CTA's share of the pixels and writes them out.
template <class T, class E>
TENREC_DEVICE void finish_share(const SplitPlace<T>& at, const Split& p) {
  constexpr int share = T::pixels / T::split, chunks = T::channels / 8;
  const bool aligned = p.channels % 8 == 0;
  for (int i = threadIdx.x; i < share * chunks; i += 160) {
    const int row = at.rank * share + i / chunks, c = i % chunks * 8;
    const int count = p.channels - at.channel - c;
    if (at.pixel + row >= p.pixels || count <= 0) continue;
    float sum[8] = {};
#pragma unroll
    for (int peer = 0; peer < T::split; ++peer) {
      float v[8];
      load_remote(v, at.ring + row * T::pitch + c * 4, T::split > 1 ? peer : cluster_rank());
#pragma unroll
      for (int e = 0; e < 8; ++e) sum[e] += v[e];
    }
    const long long to = (long long)(at.pixel + row) * p.channels + at.channel + c;
    float residual[8] = {};
    if constexpr (E::full > 0) get_eight<E::full_type>(residual, p.full, to, aligned, count);
#pragma unroll
    for (int e = 0; e < 8; ++e) {
      float operand[E::channels + 1];
#pragma unroll
      for (int o = 0; o < E::channels; ++o)
        operand[o] = e < count ? p.channel[o * p.channels + at.channel + c + e] : 0;
      const float other[2] = {residual[e], 0};
      sum[e] = E::apply(sum[e], operand, other);
    }
    put_eight<T::out_type>(sum, p.y, to, aligned, count);
  }
}

template <class T, class E, bool im2col>
TENREC_DEVICE void split(const Split& p) {
  extern __shared__ __align__(1024) unsigned char smem[];
  const SplitPlace<T> at(p, smem);
  if (threadIdx.x < at.stages) {
    bar_init(at.full + 8 * threadIdx.x, 1), bar_init(at.empty + 8 * threadIdx.x, 4);
    bar_init_done();
  }
  if (threadIdx.x == 128) prefetch(p.w), prefetch(p.x);
  __syncthreads();
  launch_dependents();
  if (at.warp == 4) {
    if (at.lane == 0) load_split<T, im2col>(at, p);
    __syncwarp();
    wait_for_inputs();
  } else {
    multiply_split(at);
  }
  if (T::split > 1) cluster_sync();
  else __syncthreads();
  finish_share<T, E>(at, p);
  if (T::split > 1) cluster_sync();  // neighbours may still be reading our partial sums
}

}  // namespace sm90
