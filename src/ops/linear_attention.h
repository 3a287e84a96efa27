// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// Attention with a recurrent state S [key size, value size] a head instead of keys and values of
// all steps: S decays, learns from the step's key and value, and answers the step's query.
// Inputs: query, key, value [N, T, heads * size], optional state [N, heads, key size, value size],
// decay [N, T, heads] or [N, T, heads * key size], beta [N, T, heads or 1].
// Outputs: answers [N, T, query heads * value size], the state after the last step.
struct LinearAttention {
  int64_t kv_num_heads = 0;
  int64_t q_num_heads = 0;
  float scale = 0;  // 0: 1 / sqrt(key size)
  std::string update_rule = "gated_delta";
  static auto fields(auto& s) {
    return std::tuple{field(1, "kv_num_heads", s.kv_num_heads),
                      field(2, "q_num_heads", s.q_num_heads), field(3, "scale", s.scale),
                      field(4, "update_rule", s.update_rule)};
  }
  static constexpr auto without_effect = "chunk_size";  // a hint
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;

 private:
  bool decays() const { return update_rule == "gated" || update_rule == "gated_delta"; }
  bool corrects() const { return update_rule == "delta" || update_rule == "gated_delta"; }
  void check_inputs(const Types& in) const;
};
TENREC_OP(LinearAttention, "linear_attention")

}  // namespace tenrec
