// SPDX-License-Identifier: Apache-2.0
// Matrix product, row-major, one or a batch:
//
//   out[b] = activation(alpha * A[b] · B[b] + bias + beta * residual[b]), then the epilogue hook
//
// A is m x k, B is k x n, out is m x n; trans_a / trans_b say that the operand is stored k x m /
// n x k. Strides are in floats; a batch stride of 0 broadcasts. A batch whose B is shared should be
// folded into m by the caller.
//
// Constant B: pack once (mode prepacked). B of run time: `packs` copies a block of B at a time into
// panel order, `direct` reads rows of B where they lie (not transposed), `dot` multiplies rows of A
// with rows of transposed B (few rows of A, or few columns).
#pragma once

#include <vector>

#include "targets/cpu/run/conv.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

enum class Bias : uint8_t { none, per_column, per_row };

struct Gemm {
  int m = 1, n = 1, k = 1, batch = 1;
  bool trans_a = false, trans_b = false;
  int64_t lda = 0, ldb = 0, ldc = 0;              // from one stored row to the next
  int64_t batch_a = 0, batch_b = 0, batch_c = 0;  // from one matrix of the batch to the next
  float alpha = 1, beta = 1;
  Bias bias = Bias::none;  // n or m floats, the same for the whole batch
  bool has_residual = false;
  int64_t ld_residual = 0, batch_residual = 0;  // ld 0: one row for all. May be `out` itself
  Activation activation = {};
  bool constant_b = false;  // B is known at build time
};
// Dense strides for the sizes and flags already set.
Gemm with_dense_strides(Gemm);

struct GemmTactic {
  enum class Mode : uint8_t { prepacked, packs, direct, dot };
  Mode mode = Mode::prepacked;
  int vectors = 2;      // columns of the register tile, in vectors: 1, 2 or 3
  int rows = 128;       // block of A that stays in L2
  int columns = 256;    // block of the output that stays near while parts of k pass
  int chunk = 768;      // part of k summed before the next block: at most this, parts are even
  bool by_row = false;  // threads share rows instead of columns (a batch is shared first)
  auto operator<=>(const GemmTactic&) const = default;
};

struct GemmBuffers {
  const float* a = nullptr;
  const float* b = nullptr;  // the packed form with mode prepacked, else as described by Gemm
  const float* bias = nullptr;
  const float* residual = nullptr;
  float* out = nullptr;
  void* scratch = nullptr;  // gemm_scratch_size() bytes, 64-byte aligned, any content
  Epilogue epilogue = {};   // pieces: image = batch index, pixel = row, channel = column
};

// Best guess first, few. Sums are never split by threads, and columns of tiles do not matter to
// them: the result of one tactic is the same bits for any thread count.
std::vector<GemmTactic> gemm_tactics(const Gemm&, Isa, int threads);

// Floats, 0 unless the mode is prepacked: [batch, or 1 if batch_b is 0][panel][k][vectors * B].
size_t gemm_packed_size(const Gemm&, const GemmTactic&, Isa);
void gemm_pack(const Gemm&, const GemmTactic&, Isa, const float* b, float* packed);

// Bytes.
size_t gemm_scratch_size(const Gemm&, const GemmTactic&, Isa, int threads);

using GemmRun = void (*)(const Gemm&, const GemmTactic&, const GemmBuffers&, const Threads&);
GemmRun gemm(Isa);

}  // namespace tenrec::cpu
