// SPDX-License-Identifier: Apache-2.0
// ONNX's Attention: softmax(scale * q k' + mask) v with grouped heads and a key/value cache.
// Inputs: q, k, v ([N, heads, length, size], or [N, length, heads * size]), and optionally mask,
// past key, past value, number of valid keys of each sample.
#pragma once
#include <optional>

#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

struct Attention {
  bool is_causal = false;
  int64_t kv_num_heads = 0;  // 0: the tensors have an axis of heads
  int64_t q_num_heads = 0;
  int64_t qk_matmul_output_mode = 0;  // what the fourth output is: 0 the product, 1 after softcap,
                                      // 2 after the mask, 3 after softmax
  std::optional<float> scale = {};    // none: 1 / sqrt(head size)
  float softcap = 0;                  // 0: none
  DType softmax_precision = DType::undefined;
  int64_t left_window = -1;   // how many keys before a query's own it sees; -1: all
  int64_t right_window = -1;  // and behind
  int64_t outputs = 1;        // 1: y; 3: also present key and value; 4: also the scores
  static auto fields(auto& s) {
    return std::tuple{field(1, "is_causal", s.is_causal),
                      field(2, "kv_num_heads", s.kv_num_heads),
                      field(3, "q_num_heads", s.q_num_heads),
                      field(4, "qk_matmul_output_mode", s.qk_matmul_output_mode),
                      field(5, "scale", s.scale),
                      field(6, "softcap", s.softcap),
                      field(7, "softmax_precision", s.softmax_precision),
                      field(8, "outputs", s.outputs),
                      field(9, "left_window", s.left_window),
                      field(10, "right_window", s.right_window)};
  }
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Attention, "attention")

}  // namespace tenrec
