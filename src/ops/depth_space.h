// SPDX-License-Identifier: Apache-2.0
// DepthToSpace and SpaceToDepth: blocks of pixels move into channels and back.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

struct DepthToSpace {
  int64_t blocksize = 1;
  bool column_row_depth = false;  // channel = (depth, row, column) instead of (row, column, depth)
  static auto fields(auto& s) {
    return std::tuple{field(1, "blocksize", s.blocksize),
                      field(2, "column_row_depth", s.column_row_depth)};
  }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(DepthToSpace, "depth_to_space")

struct SpaceToDepth {
  int64_t blocksize = 1;
  bool column_row_depth = false;  // as above
  static auto fields(auto& s) {
    return std::tuple{field(1, "blocksize", s.blocksize),
                      field(2, "column_row_depth", s.column_row_depth)};
  }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(SpaceToDepth, "space_to_depth")

}  // namespace tenrec
