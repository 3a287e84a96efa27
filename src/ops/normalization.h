// SPDX-License-Identifier: Apache-2.0
// Normalisations by statistics of the input itself.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// x, scale [C], bias [C]: each channel of each sample by its own mean and variance.
struct InstanceNormalization {
  float epsilon = 1e-5F;
  static auto fields(auto& s) { return std::tuple{field(1, "epsilon", s.epsilon)}; }
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(InstanceNormalization, "instance_normalization")

// x, scale [C], bias [C]: channels in groups share a mean and variance.
struct GroupNormalization {
  float epsilon = 1e-5F;
  int64_t num_groups = 1;
  static auto fields(auto& s) {
    return std::tuple{field(1, "epsilon", s.epsilon), field(2, "num_groups", s.num_groups)};
  }
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(GroupNormalization, "group_normalization")

// x, scale, optional bias (both broadcast to the axes from `axis` on).
struct LayerNormalization {
  int64_t axis = -1;
  float epsilon = 1e-5F;
  bool statistics = false;  // also give mean and 1 / deviation, in stash_type
  DType stash_type = DType::f32;
  static auto fields(auto& s) {
    return std::tuple{field(1, "axis", s.axis), field(2, "epsilon", s.epsilon),
                      field(3, "statistics", s.statistics), field(4, "stash_type", s.stash_type)};
  }
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(LayerNormalization, "layer_normalization")

// x, scale: divided by the root of the mean square over the axes from `axis` on.
struct RMSNormalization {
  int64_t axis = -1;
  float epsilon = 1e-5F;
  static auto fields(auto& s) {
    return std::tuple{field(1, "axis", s.axis), field(2, "epsilon", s.epsilon)};
  }
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(RMSNormalization, "rms_normalization")

// Local response: x / (bias + alpha / size * sum of squares of `size` channels around)^beta.
struct LRN {
  float alpha = 1e-4F;
  float beta = 0.75F;
  float bias = 1;
  int64_t size = 1;
  static auto fields(auto& s) {
    return std::tuple{field(1, "alpha", s.alpha), field(2, "beta", s.beta),
                      field(3, "bias", s.bias), field(4, "size", s.size)};
  }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(LRN, "lrn")

}  // namespace tenrec
