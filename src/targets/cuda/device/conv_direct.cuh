// SPDX-License-Identifier: Apache-2.0
// Convolutions in plain f32 (no tensor cores): channels last, in groups of four channels.
// A block computes a rectangle of pixels by some output channels. Slices of the input's channels,
// with the rectangle's border, and of the weights come to shared memory through a ring; a thread
// keeps a column of `rows` pixels by `columns` channels in registers, and reads each input once for
// all rows of taps. Groups of warps may share the sum: each takes its part of a slice's channels.
//
// Shared memory of a stage: the input as [four channels][pixel][4], the weights as
// [tap][channel][output channel].
//
// The emitter puts in front: the Epilogue functor; behind: the instantiation
//   extern "C" __global__ __launch_bounds__(Tile::threads)
//   void kernel(const __grid_constant__ direct::Problem p) { direct::convolve<Tile, Epilogue>(p); }
#pragma once
#include "elements.cuh"
#include "ptx_sm80.cuh"

namespace direct {

struct Problem {
  const float* x;
  const float* w;  // [tap][padded_channels][out_channels]
  float* y;
  const float* channel;                                 // Epilogue::channels rows of out_channels
  const void* full[4];                                  // operands of the output's shape
  int in_h, in_w, in_pixels, out_h, out_w, out_pixels;  // of an image
  int pad_h, pad_w, in_channels, padded_channels, out_channels;
  int tiles_w, tiles;  // blocks along a row, of an image
};

template <int taps_h_, int taps_w_, int stride_, int dilation_, int rows_, int columns_,
          int lanes_x_, int warps_y_, int warps_n_, int split_, int depth_, int stages_>
struct Tile {
  static constexpr int taps_h = taps_h_, taps_w = taps_w_, taps = taps_h * taps_w;
  static constexpr int stride = stride_, dilation = dilation_;
  static constexpr int rows = rows_, columns = columns_;  // of a thread
  static constexpr int lanes_x = lanes_x_, lanes_n = 32 / lanes_x;
  static constexpr int warps_y = warps_y_, warps_n = warps_n_;
  static constexpr int split = split_, depth = depth_, stages = stages_;
  static constexpr int width = lanes_x, height = rows * warps_y;
  static constexpr int channels = columns * lanes_n * warps_n;
  static constexpr int group_threads = 32 * warps_y * warps_n, threads = group_threads * split;
  // A single tap needs none of the pixels that a stride leaves out.
  static constexpr int skip = taps == 1 ? stride : 1, pitch = stride / skip;
  static constexpr int patch_w = (width - 1) * pitch + (taps_w - 1) * dilation + 1;
  static constexpr int patch_h = (height - 1) * pitch + (taps_h - 1) * dilation + 1;
  static constexpr int own_patch_h = (rows - 1) * pitch + (taps_h - 1) * dilation + 1;
  static constexpr int patch = patch_w * patch_h;
  static constexpr int quads = depth / 4, own_quads = quads / split;
  // Neighbouring quads lie in other banks, whichever way the copies fall.
  static constexpr int plane = (patch * 4 + 31) / 32 * 32 + 32 / quads;
  static constexpr int weights = quads * plane;  // where they begin in a stage
  static constexpr int stage = weights + taps * depth * channels;
  static_assert(quads % split == 0 && quads <= 8 && columns % 4 == 0, "whole vectors of channels");
  static_assert(threads % (channels / 4) == 0, "a thread copies the same channels of all rows");
};

// The image of a block, its first pixel and its first output channel.
struct Place {
  int image, y, x, n;
};
template <class T>
static __device__ __forceinline__ Place place_of(const Problem& p) {
  const int image = blockIdx.x / p.tiles, tile = blockIdx.x % p.tiles;
  return {image, tile / p.tiles_w * T::height, tile % p.tiles_w * T::width,
          (int)blockIdx.y * T::channels};
}

static __device__ __forceinline__ void copy_quad(float* to, const float* from, bool valid) {
  copy_async(shared_address(to), from, valid);
}

// A thread's share of filling a stage.
template <class T>
struct Copies {
  static constexpr int x_step = T::threads / T::quads;  // pixels
  static constexpr int x_count = (T::patch + x_step - 1) / x_step;
  static constexpr int w_step = T::threads / (T::channels / 4);  // rows of channels
  static constexpr int w_count = (T::taps * T::depth + w_step - 1) / w_step;

  const float *x, *w;
  int x_at[x_count];  // from the first row on; -1: outside
  int quad, pixel, row, column;
  bool has_column;

  __device__ __forceinline__ Copies(const Problem& p, const Place& block) {
    quad = threadIdx.x % T::quads, pixel = threadIdx.x / T::quads;
    column = threadIdx.x % (T::channels / 4) * 4, row = threadIdx.x / (T::channels / 4);
    has_column = block.n + column < p.out_channels;
    const int h0 = block.y * T::stride - p.pad_h, w0 = block.x * T::stride - p.pad_w;
    x = p.x + ((long long)block.image * p.in_pixels + (long long)h0 * p.in_w) * p.in_channels +
        quad * 4;
    w = p.w + (has_column ? block.n + column : 0);
#pragma unroll
    for (int i = 0; i < x_count; ++i) {
      const int at = pixel + i * x_step;
      const int h = at / T::patch_w * T::skip, v = w0 + at % T::patch_w * T::skip;
      const bool inside = (unsigned)(h0 + h) < (unsigned)p.in_h && (unsigned)v < (unsigned)p.in_w &&
                          (h0 + h) * p.in_w + v < p.in_pixels;
      x_at[i] = inside ? (h * p.in_w + v) * p.in_channels : -1;
    }
  }

  __device__ __forceinline__ void fill(const Problem& p, float* stage, int first) const {
    const bool has_quad = first + quad * 4 < p.in_channels;
    float* to = stage + quad * T::plane + pixel * 4;
#pragma unroll
    for (int i = 0; i < x_count; ++i) {
      if ((i + 1) * x_step > T::patch && pixel + i * x_step >= T::patch) continue;
      const bool valid = has_quad && x_at[i] >= 0;
      copy_quad(to + i * x_step * 4, valid ? x + x_at[i] + first : p.x, valid);
    }
    to = stage + T::weights + row * T::channels + column;
#pragma unroll
    for (int i = 0; i < w_count; ++i) {
      const int at = row + i * w_step;
      if ((i + 1) * w_step > T::taps * T::depth && at >= T::taps * T::depth) continue;
      const int from = at / T::depth * p.padded_channels + first + at % T::depth;
      copy_quad(to + i * w_step * T::channels, w + from * p.out_channels, has_column);
    }
  }
};

static __device__ __forceinline__ void load(float (&v)[4], const float* from) {
  const float4 all = *(const float4*)from;
  v[0] = all.x, v[1] = all.y, v[2] = all.z, v[3] = all.w;
}

// Four channels by all taps. `patch`, `weights`: at the thread's first pixel and output channel.
template <class T>
static __device__ __forceinline__ void multiply(float (&sum)[T::rows][T::columns],
                                                const float* patch, const float* weights) {
#pragma unroll
  for (int kx = 0; kx < T::taps_w; ++kx) {
    float x[T::own_patch_h][4];  // what no tap reads is not loaded
#pragma unroll
    for (int r = 0; r < T::own_patch_h; ++r)
      load(x[r], patch + (r * T::patch_w + kx * T::dilation) * 4);
#pragma unroll
    for (int ky = 0; ky < T::taps_h; ++ky)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        float w[T::columns / 4][4];
#pragma unroll
        for (int j = 0; j < T::columns / 4; ++j)
          load(w[j], weights + ((ky * T::taps_w + kx) * T::depth + e) * T::channels + j * 4);
#pragma unroll
        for (int r = 0; r < T::rows; ++r)
#pragma unroll
          for (int j = 0; j < T::columns; ++j)
            sum[r][j] =
                __fmaf_rn(x[r * T::pitch + ky * T::dilation][e], w[j / 4][j % 4], sum[r][j]);
      }
  }
}

// Four neighbouring channels of a pixel leave.
template <class E>
static __device__ __forceinline__ void store(const Problem& p, const Place& to,
                                             const float (&sum)[4]) {
  const int pixel = to.y * p.out_w + to.x, n = to.n;
  if (to.y >= p.out_h || to.x >= p.out_w || pixel >= p.out_pixels || n >= p.out_channels) return;
  const long long at = ((long long)to.image * p.out_pixels + pixel) * p.out_channels + n;
  float channel[E::channels + 1][4], result[4];
#pragma unroll
  for (int i = 0; i < E::channels; ++i) load(channel[i], p.channel + i * p.out_channels + n);
#pragma unroll
  for (int e = 0; e < 4; ++e) {
    float c[E::channels + 1], f[E::full + 1];
#pragma unroll
    for (int i = 0; i < E::channels; ++i) c[i] = channel[i][e];
    E::load(p.full, at + e, f);
    result[e] = E::apply(sum[e], c, f);
  }
  *(float4*)(p.y + at) = make_float4(result[0], result[1], result[2], result[3]);
}

// The groups' sums, put together in their order; each group finishes some of the vectors.
template <class T, class E>
static __device__ __forceinline__ void combine(const Problem& p, float* memory, int group,
                                               const Place& first,
                                               const float (&sum)[T::rows][T::columns]) {
  constexpr int vectors = T::rows * T::columns / 4, across = T::columns / 4;
  const int thread = threadIdx.x % T::group_threads;
  asm volatile("cp.async.wait_all;" ::: "memory");
  __syncthreads();
#pragma unroll
  for (int i = 0; i < vectors; ++i) {
    const float* s = sum[i / across] + i % across * 4;
    *(float4*)(memory + ((group * vectors + i) * T::group_threads + thread) * 4) =
        make_float4(s[0], s[1], s[2], s[3]);
  }
  __syncthreads();
  for (int i = group; i < vectors; i += T::split) {
    float total[4] = {};
#pragma unroll
    for (int g = 0; g < T::split; ++g) {
      float part[4];
      load(part, memory + ((g * vectors + i) * T::group_threads + thread) * 4);
#pragma unroll
      for (int e = 0; e < 4; ++e) total[e] += part[e];
    }
    store<E>(p, {first.image, first.y + i / across, first.x, first.n + i % across * 4}, total);
  }
}

template <class T, class E>
static __device__ __forceinline__ void convolve(const Problem& p) {
  extern __shared__ __align__(16) float memory[];  // stages, or the groups' sums
  const Place block = place_of<T>(p);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int group = warp / (T::warps_y * T::warps_n), part = warp % (T::warps_y * T::warps_n);
  const int y = part / T::warps_n * T::rows, x = lane % T::lanes_x;
  const int n = (part % T::warps_n * T::lanes_n + lane / T::lanes_x) * T::columns;
  const Copies<T> copies(p, block);
  const int steps = p.padded_channels / T::depth;
  const auto fill = [&](int step) {
    if (step < steps) copies.fill(p, memory + step % T::stages * T::stage, step * T::depth);
    asm volatile("cp.async.commit_group;" ::: "memory");
  };
#pragma unroll
  for (int step = 0; step + 1 < T::stages; ++step) fill(step);
  float sum[T::rows][T::columns] = {};
  for (int step = 0; step < steps; ++step) {
    asm volatile("cp.async.wait_group %0;" ::"n"(T::stages - 2) : "memory");
    __syncthreads();  // this step has arrived, and everybody is done with the one before it
    fill(step + T::stages - 1);
    const float* stage = memory + step % T::stages * T::stage;
    const float* patch =
        stage + group * T::own_quads * T::plane + (y * T::patch_w + x) * T::pitch * 4;
    const float* weights = stage + T::weights + group * T::own_quads * 4 * T::channels + n;
#pragma unroll(T::taps == 1 ? T::own_quads : 1)
    for (int q = 0; q < T::own_quads; ++q)
      multiply<T>(sum, patch + q * T::plane, weights + q * 4 * T::channels);
  }
  const Place first = {block.image, block.y + y, block.x + x, block.n + n};
  if constexpr (T::split > 1) {
    combine<T, E>(p, memory, group, first, sum);
  } else {
#pragma unroll
    for (int r = 0; r < T::rows; ++r)
#pragma unroll
      for (int j = 0; j < T::columns; j += 4) {
        const float part_of[4] = {sum[r][j], sum[r][j + 1], sum[r][j + 2], sum[r][j + 3]};
        store<E>(p, {first.image, first.y + r, first.x, first.n + j}, part_of);
      }
  }
}

}  // namespace direct
