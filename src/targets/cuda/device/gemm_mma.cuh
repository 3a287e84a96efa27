// SPDX-License-Identifier: Apache-2.0
// Matrix products and implicit-GEMM convolutions for every GPU from sm_80 on: any strides, any
// sizes, f32 (plain FMA), tf32, f16 and bf16 (mma.sync) with f32 accumulation. The kernel that
// makes everything run; gemm_sm90.cuh and conv_sm90.cuh are faster where they fit.
//
//   C[row][column] = epilogue(sum_k A[row][k] * B[column][k])
//
// Rows are pixels (convolution) or matrix rows, columns are output channels. Memory is described by
// strides, so NCHW and NHWC, transposed operands and groups are the same kernel.
//
// The emitter puts in front: the Epilogue functor; behind: the instantiation
//   extern "C" __global__ __launch_bounds__(Config::threads)
//   void kernel(const __grid_constant__ GemmProblem p) { gemm_mma<Config, Epilogue>(p); }
#pragma once
#include "elements.cuh"
#include "ptx_sm80.cuh"

struct GemmProblem {
  const void* a;
  const void* b;
  void* c;
  const float* channel;  // Epilogue::channels rows of `channel_row` values
  const void* full[4];   // operands of the output's shape and strides
  int m, n, k;           // of one product of the batch
  int channel_row;
  int out_w, out_hw;  // convolution: row -> image, y, x
  int in_h, in_w;
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
  long long a_image, a_h, a_w, a_c;  // element strides; products of matrices: a_h by row, a_c by k
  long long b_n, b_k;
  long long c_image, c_row, c_column;
  int batch[3];  // sizes of the batch axes, innermost last; blockIdx.z counts through them
  long long a_batch[3], b_batch[3], c_batch[3];
  int channel_batch;  // columns that one step of the innermost batch axis moves `channel` (groups)
};

namespace mma {

enum class Type { f32, tf32, f16, bf16 };

// rows/columns: of a block's tile; warp_*: of a warp's. vector_*: 16-byte loads along k are allowed
// (k contiguous, sizes and strides multiples of 16 bytes). a_rows: A's rows, not k, are contiguous;
// b_rows likewise.
template <Type type_, int rows_, int columns_, int warp_rows_, int warp_columns_, bool conv_,
          int channels_, int taps_w_, bool vector_a_, bool vector_b_, bool a_rows_, bool b_rows_,
          int out_type_>
struct Config {
  static constexpr Type type = type_;
  static constexpr int rows = rows_, columns = columns_;
  static constexpr int warp_rows = warp_rows_, warp_columns = warp_columns_;
  static constexpr bool conv = conv_;
  static constexpr int channels = channels_, taps_w = taps_w_;  // k -> tap and input channel
  static constexpr bool vector_a = vector_a_, vector_b = vector_b_;
  static constexpr bool a_rows = a_rows_, b_rows = b_rows_;
  static constexpr int out_type = out_type_;
  static constexpr int size = type == Type::f32 || type == Type::tf32 ? 4 : 2;
  static constexpr int chunk = 16 / size;  // elements of 16 bytes
  static constexpr int depth = 64 / size;  // of the k block
  // Rows lie 80 bytes apart: eight of them start in eight different groups of four banks, for
  // ldmatrix as for the 16-byte loads of the FMA version.
  static constexpr int pitch = 80;
  static constexpr int stages = 3;
  static constexpr int threads =
      type == Type::f32 ? 256 : rows / warp_rows * (columns / warp_columns) * 32;
  static constexpr int stage_bytes = (rows + columns) * pitch;
};

// ---- loads: a thread's share of one operand ---------------------------------------------------
struct Row {  // where a row of A starts
  long long base;
  int h, w;  // first input position; h of rows past the end lies outside every input
};

template <class C>
static __device__ __forceinline__ Row row_of(const GemmProblem& p, int m) {
  Row row = {0, 0, 0};
  if constexpr (!C::conv) {
    row.base = m * p.a_h;
    row.h = m < p.m ? 0 : -1;
    return row;
  }
  const int image = m / p.out_hw, pixel = m - image * p.out_hw;
  const int y = pixel / p.out_w, x = pixel - y * p.out_w;
  row.base = image * p.a_image;
  row.h = m < p.m ? y * p.stride_h - p.pad_h : -(1 << 28);
  row.w = x * p.stride_w - p.pad_w;
  return row;
}

// Element (row, k) of A: its offset, or -1 where padding or the end of A makes it zero.
template <class C>
static __device__ __forceinline__ long long a_offset(const GemmProblem& p, const Row& row, int k) {
  if constexpr (!C::conv) return row.h < 0 || k >= p.k ? -1 : row.base + k * p.a_c;
  const int tap = C::channels ? k / C::channels : 0, c = C::channels ? k % C::channels : k;
  const int h = row.h + tap / C::taps_w * p.dilation_h;
  const int w = row.w + tap % C::taps_w * p.dilation_w;
  if (k >= p.k || (unsigned)h >= (unsigned)p.in_h || (unsigned)w >= (unsigned)p.in_w) return -1;
  return row.base + h * p.a_h + w * p.a_w + c * p.a_c;
}

static __device__ __forceinline__ void store_shared(unsigned to, const unsigned (&v)[4]) {
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(v[0]), "r"(v[1]),
               "r"(v[2]), "r"(v[3])
               : "memory");
}

// One thread's part of moving a tile of A or B into a stage: 16-byte chunks along k, or, where rows
// are contiguous in memory, the same number of elements along the rows.
template <class C, bool is_a>
struct Loader {
  static constexpr int tile = is_a ? C::rows : C::columns;
  static constexpr bool by_rows = is_a ? C::a_rows : C::b_rows;
  static constexpr bool vector = is_a ? C::vector_a : C::vector_b;
  static constexpr int count = tile * C::depth / C::chunk / C::threads;
  static_assert(count * C::threads * C::chunk == tile * C::depth, "chunks a thread");
  static_assert(!by_rows || C::threads % (tile / C::chunk) == 0, "a thread keeps its rows");
  static_assert(!(by_rows && vector), "16-byte loads run along k");

  const char* data;
  Row rows[by_rows ? C::chunk : count];
  unsigned held[vector ? 1 : count][C::chunk];  // elements on their way to shared memory

  __device__ __forceinline__ Loader(const GemmProblem& p, const void* base, int first) {
    data = (const char*)base;
#pragma unroll
    for (int i = 0; i < (by_rows ? C::chunk : count); ++i) rows[i] = row(p, first + row_at(i));
  }
  static __device__ __forceinline__ int row_at(int i) {
    if (by_rows) return threadIdx.x % (tile / C::chunk) * C::chunk + i;
    return (threadIdx.x + i * C::threads) / (C::depth / C::chunk);
  }
  static __device__ __forceinline__ int k_at(int i) {
    if (by_rows) return (threadIdx.x + i * C::threads) / (tile / C::chunk);
    return (threadIdx.x + i * C::threads) % (C::depth / C::chunk) * C::chunk;
  }
  static __device__ __forceinline__ Row row(const GemmProblem& p, int index) {
    if constexpr (is_a) return row_of<C>(p, index);
    return {index * p.b_n, index < p.n ? 0 : -1, 0};
  }
  static __device__ __forceinline__ long long offset(const GemmProblem& p, const Row& r, int k) {
    if constexpr (is_a) return a_offset<C>(p, r, k);
    return r.h < 0 || k >= p.k ? -1 : r.base + k * p.b_k;
  }
  __device__ __forceinline__ unsigned element(long long at) const {
    if (at < 0) return 0;
    if constexpr (C::size == 4) return ((const unsigned*)data)[at];
    return ((const unsigned short*)data)[at];
  }

  // Global memory to the stage at once (vector), or to registers.
  __device__ __forceinline__ void fetch(const GemmProblem& p, unsigned stage, int k) {
#pragma unroll
    for (int i = 0; i < count; ++i) {
      if constexpr (vector) {
        const long long at = offset(p, rows[i], k + k_at(i));
        copy_async(stage + row_at(i) * C::pitch + k_at(i) * C::size,
                   data + (at < 0 ? 0 : at) * C::size, at >= 0);
      } else {
#pragma unroll
        for (int j = 0; j < C::chunk; ++j)
          held[i][j] = by_rows ? element(offset(p, rows[j], k + k_at(i)))
                               : element(offset(p, rows[i], k + k_at(i) + j));
      }
    }
  }
  // Registers to the stage.
  __device__ __forceinline__ void commit(unsigned stage) const {
    if constexpr (vector) return;
#pragma unroll
    for (int i = 0; i < count; ++i) {
      if constexpr (by_rows) {
#pragma unroll
        for (int j = 0; j < C::chunk; ++j) {
          const unsigned to = stage + row_at(j) * C::pitch + k_at(i) * C::size;
          if constexpr (C::size == 4)
            asm volatile("st.shared.b32 [%0], %1;" ::"r"(to), "r"(held[i][j]) : "memory");
          else
            asm volatile("st.shared.b16 [%0], %1;" ::"r"(to), "h"((unsigned short)held[i][j])
                         : "memory");
        }
      } else {
        unsigned words[4];
#pragma unroll
        for (int j = 0; j < 4; ++j)
          words[j] = C::size == 4
                         ? held[i][j]
                         : held[i][j * 2 % C::chunk] | held[i][(j * 2 + 1) % C::chunk] << 16;
        store_shared(stage + row_at(i) * C::pitch + k_at(i) * C::size, words);
      }
    }
  }
};

// ---- arithmetic on a stage --------------------------------------------------------------------
template <Type type>
static __device__ __forceinline__ void multiply(float (&d)[4], const unsigned (&a)[4], unsigned b0,
                                                unsigned b1) {
#define TENREC_MMA(shape)                                        \
  asm volatile("mma.sync.aligned." shape                         \
               " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, " \
               "{%0, %1, %2, %3};"                               \
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])  \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1))
  if constexpr (type == Type::f16) TENREC_MMA("m16n8k16.row.col.f32.f16.f16.f32");
  else if constexpr (type == Type::bf16) TENREC_MMA("m16n8k16.row.col.f32.bf16.bf16.f32");
  else TENREC_MMA("m16n8k8.row.col.f32.tf32.tf32.f32");
#undef TENREC_MMA
}
template <Type type>
static __device__ __forceinline__ void round_operand(unsigned (&r)[4]) {
  if constexpr (type == Type::tf32) {
#pragma unroll
    for (int i = 0; i < 4; ++i) asm("cvt.rna.tf32.f32 %0, %0;" : "+r"(r[i]));
  }
}

// Tensor cores: a thread holds rows lane / 4 (+8) and columns lane % 4 * 2 (+1) of each 16x8 piece.
template <class C>
struct TensorTile {
  static constexpr int m_count = C::warp_rows / 16, n_count = C::warp_columns / 8;
  float acc[m_count][n_count][4] = {};
  int row0, column0;
  __device__ __forceinline__ TensorTile() {
    const int warp = threadIdx.x / 32;
    row0 = warp / (C::columns / C::warp_columns) * C::warp_rows;
    column0 = warp % (C::columns / C::warp_columns) * C::warp_columns;
  }
  __device__ __forceinline__ void step(unsigned stage) {
    const int lane = threadIdx.x % 32;
    const unsigned a = stage + (row0 + lane % 16) * C::pitch + lane / 16 * 16;
    const unsigned b =
        stage + (C::rows + column0 + lane % 8 + lane / 16 * 8) * C::pitch + lane / 8 % 2 * 16;
#pragma unroll
    for (int k = 0; k < 64; k += 32) {
      unsigned fa[m_count][4], fb[n_count / 2][4];
#pragma unroll
      for (int i = 0; i < m_count; ++i)
        load_matrix(fa[i], a + i * 16 * C::pitch + k), round_operand<C::type>(fa[i]);
#pragma unroll
      for (int j = 0; j < n_count / 2; ++j)
        load_matrix(fb[j], b + j * 16 * C::pitch + k), round_operand<C::type>(fb[j]);
#pragma unroll
      for (int i = 0; i < m_count; ++i)
#pragma unroll
        for (int j = 0; j < n_count; ++j)
          multiply<C::type>(acc[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
    }
  }
  template <class F>
  __device__ __forceinline__ void each(F&& f) const {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int i = 0; i < m_count; ++i)
#pragma unroll
      for (int h = 0; h < 2; ++h)
#pragma unroll
        for (int j = 0; j < n_count; ++j)
#pragma unroll
          for (int e = 0; e < 2; ++e)
            f(row0 + i * 16 + h * 8 + lane / 4, column0 + j * 8 + lane % 4 * 2 + e,
              acc[i][j][h * 2 + e]);
  }
};

// Plain f32: 16 x 16 threads, each rows / 16 by columns / 16 results; four k at once from 16-byte
// loads, of which a warp needs 4 different ones of A and 8 of B (the rest is broadcast).
template <class C>
struct PlainTile {
  static constexpr int m_count = C::rows / 16, n_count = C::columns / 16;
  float acc[m_count][n_count] = {};
  int y, x;
  __device__ __forceinline__ PlainTile() {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    y = warp / 2 * 4 + lane / 8, x = warp % 2 * 8 + lane % 8;
  }
  static __device__ __forceinline__ void load(float (&v)[4], unsigned from) {
    asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(v[0]), "=f"(v[1]), "=f"(v[2]), "=f"(v[3])
                 : "r"(from)
                 : "memory");
  }
  __device__ __forceinline__ void step(unsigned stage) {
#pragma unroll
    for (int k = 0; k < 64; k += 16) {
      float a[m_count][4], b[n_count][4];
#pragma unroll
      for (int i = 0; i < m_count; ++i) load(a[i], stage + (y + i * 16) * C::pitch + k);
#pragma unroll
      for (int j = 0; j < n_count; ++j) load(b[j], stage + (C::rows + x + j * 16) * C::pitch + k);
#pragma unroll
      for (int e = 0; e < 4; ++e)
#pragma unroll
        for (int i = 0; i < m_count; ++i)
#pragma unroll
          for (int j = 0; j < n_count; ++j) acc[i][j] = __fmaf_rn(a[i][e], b[j][e], acc[i][j]);
    }
  }
  template <class F>
  __device__ __forceinline__ void each(F&& f) const {
#pragma unroll
    for (int i = 0; i < m_count; ++i)
#pragma unroll
      for (int j = 0; j < n_count; ++j) f(y + i * 16, x + j * 16, acc[i][j]);
  }
};
template <class C, bool plain>
struct TileOf {
  using type = TensorTile<C>;
};
template <class C>
struct TileOf<C, true> {
  using type = PlainTile<C>;
};

template <class C, class E>
static __device__ __forceinline__ void gemm_mma(const GemmProblem& p) {
  extern __shared__ __align__(1024) unsigned char memory[];  // stages * stage_bytes
  const unsigned ring = shared_address(memory);
  const int first_row = blockIdx.x * C::rows, first_column = blockIdx.y * C::columns;
  long long a_base = 0, b_base = 0, c_base = 0;
  int rest = blockIdx.z, inner = 0;
#pragma unroll
  for (int i = 2; i >= 0; --i) {
    const int at = rest % p.batch[i];
    rest /= p.batch[i];
    a_base += at * p.a_batch[i], b_base += at * p.b_batch[i], c_base += at * p.c_batch[i];
    if (i == 2) inner = at;
  }
  Loader<C, true> a(p, (const char*)p.a + a_base * C::size, first_row);
  Loader<C, false> b(p, (const char*)p.b + b_base * C::size, first_column);
  typename TileOf<C, C::type == Type::f32>::type tile;
  constexpr unsigned b_part = C::rows * C::pitch;
  const int steps = (p.k + C::depth - 1) / C::depth;
  const auto stage = [&](int step) { return ring + step % C::stages * C::stage_bytes; };
  const auto fetch = [&](int step) {
    if (step < steps)
      a.fetch(p, stage(step), step * C::depth), b.fetch(p, stage(step) + b_part, step * C::depth);
    asm volatile("cp.async.commit_group;" ::: "memory");
  };
  const auto commit = [&](int step) {
    if (step < steps) a.commit(stage(step)), b.commit(stage(step) + b_part);
  };
  fetch(0), commit(0);
  fetch(1), commit(1);
  for (int step = 0; step < steps; ++step) {
    asm volatile("cp.async.wait_group 1;" ::: "memory");
    __syncthreads();  // this step has arrived, and everybody is done with the one before it
    fetch(step + 2);
    tile.step(stage(step));
    commit(step + 2);
  }
  const int channel_base = inner * p.channel_batch;
  tile.each([&](int r, int column, float v) {
    const int m = first_row + r, n = first_column + column;
    if (m >= p.m || n >= p.n) return;
    const int image = C::conv ? m / p.out_hw : 0, pixel = C::conv ? m - image * p.out_hw : m;
    const long long at = c_base + image * p.c_image + pixel * p.c_row + n * p.c_column;
    float channel[E::channels + 1], full[E::full + 1];
#pragma unroll
    for (int i = 0; i < E::channels; ++i)
      channel[i] = p.channel[(long long)i * p.channel_row + channel_base + n];
    E::load(p.full, at, full);
    element::store<C::out_type>(p.c, at, E::apply(v, channel, full));
  });
}

}  // namespace mma
