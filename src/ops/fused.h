// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"
#include "ir/op_decl.h"

namespace tenrec {

// A region that one kernel may run: body 0 computes it. `anchor` names the operator in the body
// that is not pointwise ("conv", "matmul", ...) or is "pointwise". Its meaning is evaluating the
// body.
struct Fused {
  std::string anchor = "pointwise";
  static auto fields(auto& s) { return std::tuple{field(1, "anchor", s.anchor)}; }
  static constexpr std::string_view onnx_name = "";
  static constexpr bool body_is_region = true;
  Types infer(const Types& in, const std::vector<const Graph*>& bodies) const;
  Data eval_bodies(const Data& in, const BodyRunner& run_body) const { return run_body(0, in); }
};
TENREC_OP(Fused, "fused")

// Changes nothing but the layout of the memory: between row-major and a target's layout.
struct Reformat {
  int64_t block_axis = -1;  // of the output's layout
  int64_t block = 0;
  bool channels_last = false;
  static auto fields(auto& s) {
    return std::tuple{field(1, "block_axis", s.block_axis), field(2, "block", s.block),
                      field(3, "channels_last", s.channels_last)};
  }
  static constexpr std::string_view onnx_name = "";
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const {
    Type out = in.at(0);
    out.known = nullptr;
    out.layout = Layout{static_cast<int>(block_axis), block, channels_last};
    return {out};
  }
  Tensors eval(const Tensors& in) const { return {in.at(0)}; }  // the oracle knows no layouts
  // Both layouts put the same bytes in the same order: where maps have one pixel, or one channel.
  bool moves_nothing(const Type& in) const;
};
TENREC_OP(Reformat, "reformat")

}  // namespace tenrec
