// SPDX-License-Identifier: Apache-2.0
// softmax(scale * q k' + mask) v without writing the scores (the "flash" order: keys in blocks, a
// running maximum and sum a row), f16 or bf16 with f32 sums, mma.sync (sm_80 and newer).
// A block: 64 or 128 queries of one head, 16 a warp; keys and values stream through shared memory,
// the next block's copies under way while this one computes. Keys go by 16 from scores to values,
// so that few registers hold a warp's state and several blocks share a multiprocessor.
//
//   extern "C" __global__ __launch_bounds__(C::threads, C::blocks)
//   void kernel(const __grid_constant__ Attention p) { attention::run<C>(p); }
#pragma once
#include "ptx_sm80.cuh"

struct Attention {
  const void* q;
  const void* k;
  const void* v;
  void* out;
  const void* mask;
  long long q_batch, q_head, q_row;  // element strides; head elements are contiguous
  long long k_batch, k_head, k_row;
  long long v_batch, v_head, v_row;
  long long out_batch, out_head, out_row;
  long long mask_batch, mask_head, mask_row, mask_column;
  int queries, keys, heads, heads_per_key;  // heads of q that share one of k and v
  int causal_offset;                        // key j is seen by query i when j <= i + offset
  float scale;                              // times log2(e); positive
};

namespace attention {

// mask: 0 none, 1 added, of the operands' type, 2 added f32, 3 bool (false: not seen).
template <bool bfloat_, int size_, int value_size_, int mask_, bool causal_, int queries_>
struct Config {
  static constexpr bool bfloat = bfloat_;
  static constexpr int size = size_, value_size = value_size_;  // of a head, multiples of 16
  static constexpr int mask = mask_;
  static constexpr bool causal = causal_;
  static constexpr int queries = queries_, keys = 64, threads = queries * 2;
  // A SM holds at least so many: 128 registers a thread, where no spill follows.
  static constexpr int blocks = (size + value_size > 128 ? 256
                                 : mask || causal        ? 384
                                                         : 512) /
                                threads;
  // 16 bytes more: eight rows start in eight different groups of four banks.
  static constexpr int pitch = size * 2 + 16, value_pitch = value_size * 2 + 16;
  static constexpr int stage = keys * (pitch + value_pitch);
  static constexpr int shared = queries * pitch + 2 * stage;
};

static __device__ __forceinline__ void load_matrix_t(unsigned (&r)[4], unsigned from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(from)
               : "memory");
}
template <bool bfloat>
static __device__ __forceinline__ void multiply(float (&d)[4], const unsigned (&a)[4], unsigned b0,
                                                unsigned b1) {
  if constexpr (bfloat)
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  else
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
template <bool bfloat>
static __device__ __forceinline__ unsigned pack(float lo, float hi) {
  unsigned r;
  if constexpr (bfloat) asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(hi), "f"(lo));
  else asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(hi), "f"(lo));
  return r;
}
static __device__ __forceinline__ float power_of_2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
template <class C>
static __device__ __forceinline__ float mask_value(const Attention& p, long long at) {
  if constexpr (C::mask == 2) return ((const float*)p.mask)[at];
  if constexpr (C::mask == 3)
    return ((const unsigned char*)p.mask)[at] ? 0.f : -__int_as_float(0x7f800000);
  const unsigned short v = ((const unsigned short*)p.mask)[at];
  if constexpr (C::bfloat) return __uint_as_float((unsigned)v << 16);
  float f;
  asm("{ .reg .f16 h; mov.b16 h, %1; cvt.f32.f16 %0, h; }" : "=f"(f) : "h"(v));
  return f;
}

// Rows of 2 * size bytes into shared memory, zeros past `rows`.
template <int size, int pitch, int tile, int threads>
static __device__ __forceinline__ void copy_rows(unsigned to, const void* from, long long row_step,
                                                 int rows) {
  constexpr int chunks = size / 8;
  for (int i = threadIdx.x; i < tile * chunks; i += threads) {
    const int row = i / chunks, at = i % chunks;
    const bool valid = row < rows;
    const auto* source = (const unsigned short*)from + (valid ? row * row_step : 0) + at * 8;
    copy_async(to + row * pitch + at * 16, source, valid);
  }
}

// What a warp keeps of its 16 queries.
template <class C>
struct Rows {
  unsigned query[C::size / 16][4];
  float out[C::value_size / 8][4];
  float top[2], sum[2];
};

// One block of keys, the `at`-th on; `left` of them are there, all if `whole`. Without branches the
// products of different keys overlap.
template <class C, bool whole>
static __device__ __forceinline__ void step(const Attention& p, Rows<C>& rows, unsigned keys,
                                            unsigned values, int at, int left, int first) {
  constexpr int depth = C::size / 16, width = C::value_size / 8, pieces = C::keys / 8;
  const float infinity = __int_as_float(0x7f800000);
  const float factor = C::mask ? 1.f : p.scale;  // still to be multiplied with the scores
  const int lane = threadIdx.x % 32, head = blockIdx.y, batch = blockIdx.z;
  float score[pieces][4] = {};
#pragma unroll
  for (int i = 0; i < depth; ++i)
#pragma unroll
    for (int j = 0; j < pieces / 2; ++j) {
      if (!whole && j * 16 >= left) continue;
      unsigned fk[4];
      load_matrix(
          fk, keys + (j * 16 + lane % 8 + lane / 16 * 8) * C::pitch + lane / 8 % 2 * 16 + i * 32);
      multiply<C::bfloat>(score[j * 2], rows.query[i], fk[0], fk[1]);
      multiply<C::bfloat>(score[j * 2 + 1], rows.query[i], fk[2], fk[3]);
    }
  // Element e of a piece: row lane / 4 + e / 2 * 8, column lane % 4 * 2 + e % 2.
  const int seen = C::causal ? first + p.causal_offset - at : C::keys;  // by the first query
  if (C::mask || !whole || seen < C::keys - 1) {
#pragma unroll
    for (int j = 0; j < pieces; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int key = at + j * 8 + lane % 4 * 2 + e % 2;
        const int query = first + lane / 4 + e / 2 * 8;
        float s = score[j][e];
        if (C::mask) s *= p.scale;
        if (C::mask && key < p.keys && query < p.queries)
          s += 1.4426950408889634f * mask_value<C>(p, batch * p.mask_batch + head * p.mask_head +
                                                          query * p.mask_row + key * p.mask_column);
        if (key >= p.keys || (C::causal && key > query + p.causal_offset)) s = -infinity;
        score[j][e] = s;
      }
  }
  float base[2];
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    float next = rows.top[h];
#pragma unroll
    for (int j = 0; j < pieces; ++j)
      next = fmaxf(next, fmaxf(score[j][h * 2], score[j][h * 2 + 1]));
    next = fmaxf(next, __shfl_xor_sync(~0u, next, 1));
    next = fmaxf(next, __shfl_xor_sync(~0u, next, 2));
    base[h] = next == -infinity ? 0 : next * factor;  // nothing seen so far
    const float shrink = power_of_2(fmaf(rows.top[h], factor, -base[h]));
    rows.top[h] = next;
    rows.sum[h] *= shrink;
#pragma unroll
    for (int j = 0; j < width; ++j) rows.out[j][h * 2] *= shrink, rows.out[j][h * 2 + 1] *= shrink;
  }
#pragma unroll
  for (int i = 0; i < pieces / 2; ++i) {
    if (!whole && i * 16 >= left) continue;
    unsigned fp[4];
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const int h = k % 2;
      const float* s = score[i * 2 + k / 2] + h * 2;
      const float a = power_of_2(fmaf(s[0], factor, -base[h]));
      const float b = power_of_2(fmaf(s[1], factor, -base[h]));
      rows.sum[h] += a + b;
      fp[k] = pack<C::bfloat>(a, b);
    }
#pragma unroll
    for (int j = 0; j < width / 2; ++j) {
      unsigned fv[4];
      load_matrix_t(fv, values + (i * 16 + lane % 16) * C::value_pitch + j * 32 + lane / 16 * 16);
      multiply<C::bfloat>(rows.out[j * 2], fp, fv[0], fv[1]);
      multiply<C::bfloat>(rows.out[j * 2 + 1], fp, fv[2], fv[3]);
    }
  }
}

template <class C>
static __device__ __forceinline__ void run(const Attention& p) {
  extern __shared__ __align__(128) unsigned char smem[];
  const unsigned q_at = shared_address(smem), ring = q_at + C::queries * C::pitch;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int head = blockIdx.y, batch = blockIdx.z, first = blockIdx.x * C::queries;
  const int key_head = head / p.heads_per_key;
  const auto* q =
      (const unsigned short*)p.q + batch * p.q_batch + head * p.q_head + first * p.q_row;
  const auto* k = (const unsigned short*)p.k + batch * p.k_batch + key_head * p.k_head;
  const auto* v = (const unsigned short*)p.v + batch * p.v_batch + key_head * p.v_head;
  int blocks = (p.keys + C::keys - 1) / C::keys;
  if (C::causal) {
    const int last = min(first + C::queries, p.queries) - 1 + p.causal_offset;  // last key seen
    blocks = max(0, min(blocks, last / C::keys + (last >= 0)));
  }
  const auto fetch = [&](int block) {
    if (block < blocks) {
      const unsigned to = ring + block % 2 * C::stage;
      const int rows = p.keys - block * C::keys;
      copy_rows<C::size, C::pitch, C::keys, C::threads>(to, k + block * C::keys * p.k_row, p.k_row,
                                                        rows);
      copy_rows<C::value_size, C::value_pitch, C::keys, C::threads>(
          to + C::keys * C::pitch, v + block * C::keys * p.v_row, p.v_row, rows);
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
  };
  copy_rows<C::size, C::pitch, C::queries, C::threads>(q_at, q, p.q_row, p.queries - first);
  fetch(0);

  constexpr int depth = C::size / 16, width = C::value_size / 8;
  const float infinity = __int_as_float(0x7f800000);
  const int own = first + warp * 16;  // the warp's first query
  Rows<C> rows = {{}, {}, {-infinity, -infinity}, {}};
  for (int block = 0; block < blocks; ++block) {
    fetch(block + 1);
    asm volatile("cp.async.wait_group 1;" ::: "memory");
    __syncthreads();
    if (own < p.queries) {
      if (block == 0) {
#pragma unroll
        for (int i = 0; i < depth; ++i)
          load_matrix(rows.query[i],
                      q_at + (warp * 16 + lane % 16) * C::pitch + lane / 16 * 16 + i * 32);
      }
      const unsigned keys = ring + block % 2 * C::stage, values = keys + C::keys * C::pitch;
      const int at = block * C::keys, left = p.keys - at;
      if (left >= C::keys) step<C, true>(p, rows, keys, values, at, left, own);
      else step<C, false>(p, rows, keys, values, at, left, own);
    }
    __syncthreads();  // the next fetch but one writes here
  }
  auto* to = (unsigned short*)p.out + batch * p.out_batch + head * p.out_head;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    rows.sum[h] += __shfl_xor_sync(~0u, rows.sum[h], 1);
    rows.sum[h] += __shfl_xor_sync(~0u, rows.sum[h], 2);
    const float inverse =
        rows.sum[h] > 0 ? 1.f / rows.sum[h] : 0;  // a query that sees nothing gives 0
    const int query = first + warp * 16 + lane / 4 + h * 8;
    if (query >= p.queries) continue;
#pragma unroll
    for (int j = 0; j < width; ++j)
      *(unsigned*)(to + query * p.out_row + j * 8 + lane % 4 * 2) =
          pack<C::bfloat>(rows.out[j][h * 2] * inverse, rows.out[j][h * 2 + 1] * inverse);
  }
}

}  // namespace attention
