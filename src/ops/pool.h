// SPDX-License-Identifier: Apache-2.0
// Pooling over sliding windows: [N, C, spatial...] -> [N, C, spatial...].
#pragma once
#include "ir/op_decl.h"
#include "ops/window.h"

namespace tenrec {

struct MaxPool {
  AutoPad auto_pad = AutoPad::notset;
  bool ceil_mode = false;
  std::vector<int64_t> dilations = {};
  std::vector<int64_t> kernel_shape = {};
  std::vector<int64_t> pads = {};
  bool column_major = false;  // of the indices (ONNX's storage_order)
  std::vector<int64_t> strides = {};
  bool indices = false;  // a second output: where each maximum was, in the flattened input
  static auto fields(auto& s) {
    return std::tuple{field(1, "auto_pad", s.auto_pad),   field(2, "ceil_mode", s.ceil_mode),
                      field(3, "dilations", s.dilations), field(4, "kernel_shape", s.kernel_shape),
                      field(5, "pads", s.pads),           field(6, "column_major", s.column_major),
                      field(7, "strides", s.strides),     field(8, "indices", s.indices)};
  }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = all_inputs;
  Window window() const { return {auto_pad, strides, dilations, pads, ceil_mode}; }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(MaxPool, "max_pool")

struct AveragePool {
  AutoPad auto_pad = AutoPad::notset;
  bool ceil_mode = false;
  bool count_include_pad = false;
  std::vector<int64_t> dilations = {};
  std::vector<int64_t> kernel_shape = {};
  std::vector<int64_t> pads = {};
  std::vector<int64_t> strides = {};
  static auto fields(auto& s) {
    return std::tuple{field(1, "auto_pad", s.auto_pad),
                      field(2, "ceil_mode", s.ceil_mode),
                      field(3, "count_include_pad", s.count_include_pad),
                      field(4, "dilations", s.dilations),
                      field(5, "kernel_shape", s.kernel_shape),
                      field(6, "pads", s.pads),
                      field(7, "strides", s.strides)};
  }
  static constexpr uint32_t narrowable = all_inputs;
  Window window() const { return {auto_pad, strides, dilations, pads, ceil_mode}; }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(AveragePool, "average_pool")

struct LpPool {
  AutoPad auto_pad = AutoPad::notset;
  bool ceil_mode = false;
  std::vector<int64_t> dilations = {};
  std::vector<int64_t> kernel_shape = {};
  int64_t p = 2;
  std::vector<int64_t> pads = {};
  std::vector<int64_t> strides = {};
  static auto fields(auto& s) {
    return std::tuple{field(1, "auto_pad", s.auto_pad),
                      field(2, "ceil_mode", s.ceil_mode),
                      field(3, "dilations", s.dilations),
                      field(4, "kernel_shape", s.kernel_shape),
                      field(5, "p", s.p),
                      field(6, "pads", s.pads),
                      field(7, "strides", s.strides)};
  }
  Window window() const { return {auto_pad, strides, dilations, pads, ceil_mode}; }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(LpPool, "lp_pool")

}  // namespace tenrec
