// SPDX-License-Identifier: Apache-2.0
// The Reduce family: data, optional axes (integers) -> data with those axes reduced.
#pragma once
#include "base/small_vector.h"
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// Numbers are permanent (engine files hold them).
enum class ReduceKind : uint8_t {
  sum = 0,
  mean = 1,
  max = 2,
  min = 3,
  prod = 4,
  l1 = 5,
  l2 = 6,
  log_sum = 7,
  log_sum_exp = 8,
  sum_square = 9,
};

struct Reduce {
  ReduceKind kind = ReduceKind::sum;
  bool keepdims = true;
  bool noop_with_empty_axes = false;  // no axes: every element by itself instead of all together
  static auto fields(auto& s) {
    return std::tuple{field(1, "kind", s.kind), field(2, "keepdims", s.keepdims),
                      field(3, "noop_with_empty_axes", s.noop_with_empty_axes)};
  }
  static constexpr uint32_t narrowable = input_bit(0);
  static constexpr std::string_view onnx_name = "";
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;

  // Of each axis of a tensor of `rank`: 1 if it is reduced. `axes` as given, empty: not given.
  using ByAxis = SmallVector<uint8_t, 10>;
  ByAxis reduced_axes(int64_t rank, std::span<const int64_t> axes) const;
};
TENREC_OP(Reduce, "reduce")

Values reduce_from_onnx(ReduceKind kind, const OnnxNode& node, OnnxContext& context);
// Adds a reduction over constant axes.
Value* add_reduce(OnnxContext& context, ReduceKind kind, Value* value, std::vector<int64_t> axes,
                  bool keepdims = true);

#define TENREC_REDUCE(function, kind)                                  \
  inline Values function(const OnnxNode& node, OnnxContext& context) { \
    return reduce_from_onnx(ReduceKind::kind, node, context);          \
  }
TENREC_REDUCE(reduce_sum, sum)
TENREC_REDUCE(reduce_mean, mean)
TENREC_REDUCE(reduce_max, max)
TENREC_REDUCE(reduce_min, min)
TENREC_REDUCE(reduce_prod, prod)
TENREC_REDUCE(reduce_l1, l1)
TENREC_REDUCE(reduce_l2, l2)
TENREC_REDUCE(reduce_log_sum, log_sum)
TENREC_REDUCE(reduce_log_sum_exp, log_sum_exp)
TENREC_REDUCE(reduce_sum_square, sum_square)
#undef TENREC_REDUCE

TENREC_ONNX("ReduceSum", reduce_sum)
TENREC_ONNX("ReduceMean", reduce_mean)
TENREC_ONNX("ReduceMax", reduce_max)
TENREC_ONNX("ReduceMin", reduce_min)
TENREC_ONNX("ReduceProd", reduce_prod)
TENREC_ONNX("ReduceL1", reduce_l1)
TENREC_ONNX("ReduceL2", reduce_l2)
TENREC_ONNX("ReduceLogSum", reduce_log_sum)
TENREC_ONNX("ReduceLogSumExp", reduce_log_sum_exp)
TENREC_ONNX("ReduceSumSquare", reduce_sum_square)

}  // namespace tenrec
