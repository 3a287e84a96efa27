// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

struct Softmax {
  int64_t axis = -1;
  static auto fields(auto& s) { return std::tuple{field(1, "axis", s.axis)}; }
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Softmax, "softmax")

struct LogSoftmax {
  int64_t axis = -1;
  static auto fields(auto& s) { return std::tuple{field(1, "axis", s.axis)}; }
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(LogSoftmax, "log_softmax")

// 1 at the first greatest element along the axis, 0 elsewhere.
struct Hardmax {
  int64_t axis = -1;
  static auto fields(auto& s) { return std::tuple{field(1, "axis", s.axis)}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Hardmax, "hardmax")

}  // namespace tenrec
