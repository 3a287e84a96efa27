// SPDX-License-Identifier: Apache-2.0
// Random tensors. With a seed every run gives the same numbers; without one every run gives others.
// The i-th draw is a function of the seed and i (SplitMix64), so that threads need not wait for
// each other's; device/random.cuh draws the same.
#pragma once
#include <optional>

#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// Of the shape that the input holds, evenly from [low, high).
struct RandomUniform {
  DType dtype = DType::f32;
  float low = 0;
  float high = 1;
  std::optional<float> seed = {};
  static auto fields(auto& s) {
    return std::tuple{field(1, "dtype", s.dtype), field(2, "low", s.low), field(3, "high", s.high),
                      field(4, "seed", s.seed)};
  }
  static constexpr Accuracy accuracy = random_output();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(RandomUniform, "random_uniform")

struct RandomNormal {
  DType dtype = DType::f32;
  float mean = 0;
  float scale = 1;
  std::optional<float> seed = {};
  static auto fields(auto& s) {
    return std::tuple{field(1, "dtype", s.dtype), field(2, "mean", s.mean),
                      field(3, "scale", s.scale), field(4, "seed", s.seed)};
  }
  static constexpr Accuracy accuracy = random_output();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(RandomNormal, "random_normal")

// `sample_size` draws from each row of logarithms of (not normalised) probabilities.
struct Multinomial {
  DType dtype = DType::i32;
  int64_t sample_size = 1;
  std::optional<float> seed = {};
  static auto fields(auto& s) {
    return std::tuple{field(1, "dtype", s.dtype), field(2, "sample_size", s.sample_size),
                      field(3, "seed", s.seed)};
  }
  static constexpr Accuracy accuracy = random_output();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(Multinomial, "multinomial")

std::optional<float> random_seed(const OnnxNode& node);

}  // namespace tenrec
