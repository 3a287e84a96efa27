// SPDX-License-Identifier: Apache-2.0
// numpy's matmul: 1-D operands are promoted and the added axis dropped, leading axes broadcast.
#pragma once
#include "ir/op_decl.h"
#include "ops/support.h"

namespace tenrec {

struct MatMul {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const;
};
TENREC_OP(MatMul, "matmul")

Shape matmul_shape(const Type& a, const Type& b);

// Calls body(a matrix, b matrix, c matrix) with the matrix numbers of every product of the batch.
struct MatMulPlan {
  int64_t m = 1, n = 1, k = 1;
  std::vector<std::pair<int64_t, int64_t>> products;  // matrix of a, matrix of b
};
MatMulPlan plan_matmul(Dims a, Dims b);

}  // namespace tenrec
