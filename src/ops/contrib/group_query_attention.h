// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// com.microsoft's causal attention with a key/value cache and rotary embeddings, for decoders.
// Inputs: query [N, S, heads * size], key and value [N, S, kv heads * size] (or all in the query),
// past key and value [N, kv heads, P, size], last valid position of each sample [N], total length,
// cosines and sines [positions, turned / 2], positions [N, S], bias of the scores, sinks [heads].
// Outputs: [N, S, heads * size], present key and value, long enough for the total length.
struct GroupQueryAttention {
  int64_t num_heads = 0;
  int64_t kv_num_heads = 0;
  bool do_rotary = false;
  bool rotary_interleaved = false;
  int64_t local_window_size = -1;  // how many steps are seen, the own one included; -1: all
  float scale = 0;                 // 0: 1 / sqrt(size)
  bool smooth_softmax = false;     // one more score, 0, that no value belongs to
  float softcap = 0;
  static auto fields(auto& s) {
    return std::tuple{field(1, "num_heads", s.num_heads),
                      field(2, "kv_num_heads", s.kv_num_heads),
                      field(3, "do_rotary", s.do_rotary),
                      field(4, "rotary_interleaved", s.rotary_interleaved),
                      field(5, "local_window_size", s.local_window_size),
                      field(6, "scale", s.scale),
                      field(7, "smooth_softmax", s.smooth_softmax),
                      field(8, "softcap", s.softcap)};
  }
  static constexpr std::string_view onnx_name = "com.microsoft::GroupQueryAttention";
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(GroupQueryAttention, "group_query_attention")

}  // namespace tenrec
