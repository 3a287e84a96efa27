// SPDX-License-Identifier: Apache-2.0
// The family "gemm": matmul with an epilogue. Step inputs: a, b (packed when constant), operands.
#pragma once
#include <string>
#include <tuple>

#include "ir/expr.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/gemm.h"

namespace tenrec::cpu {

struct GemmParams {
  bool packed = false;        // b is the packed form of a constant of `dims`
  std::vector<int64_t> dims;  // of the constant b
  ExprProgram epilogue;       // no nodes: none; input 0 is the product
  static auto fields(auto& s) {
    return std::tuple{field(1, "packed", s.packed), field(2, "dims", s.dims),
                      field(3, "epilogue", s.epilogue)};
  }
};

constexpr size_t gemm_operands = 2;  // step inputs before the epilogue's

// What every family of matrix products refuses, by an invalid_engine Error: wrong counts, a wrong
// epilogue; at the sizes of a run, dtypes, layouts and dims that do not fit together.
void check_gemm_step(const plan::Step& step, const GemmParams& params);
void check_gemm_views(const StepArgs& args, std::span<const int64_t> a, std::span<const int64_t> b,
                      std::span<const int64_t> c);

std::string to_text(const GemmTactic& tactic);
GemmTactic parse_gemm_tactic(const std::string& text);  // invalid_engine Error

// numpy's matmul of row-major operands of rank 2 and more, as products that gemm() takes: the last
// batch axis is gemm's batch, `outer` are the ones before it. A constant or shared b folds batches
// into m.
struct GemmNest {
  Gemm gemm;
  PerAxis outer;                   // sizes
  PerAxis a_step, b_step, c_step;  // floats from one to the next of each outer axis
};
GemmNest nest_of(std::span<const int64_t> a, std::span<const int64_t> b, bool constant_b);

}  // namespace tenrec::cpu
