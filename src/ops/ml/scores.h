// SPDX-License-Identifier: Apache-2.0
// What the classifiers and regressors of ai.onnx.ml do to scores at the end.
#pragma once
#include <string_view>
#include <vector>

#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// Numbers are permanent (engine files hold them) and TreeEnsemble's.
enum class PostTransform : uint8_t {
  none = 0,
  softmax = 1,
  logistic = 2,
  softmax_zero = 3,
  probit = 4,
};
PostTransform parse_post_transform(std::string_view text);
PostTransform post_transform_of(const OnnxNode& node);

// The scores of one sample.
void transform_scores(std::vector<double>& scores, PostTransform transform);

// Both scores of a two-class model that has one, s: without a transform [1 - s, s] where `s` is a
// probability and [-s, s] else, as onnxruntime has it.
std::vector<double> binary_scores(double score, PostTransform transform, bool is_probability);

// Each row of a matrix of scores by itself.
struct TransformScores {
  PostTransform transform = PostTransform::none;
  static auto fields(auto& s) { return std::tuple{field(1, "transform", s.transform)}; }
  static constexpr std::string_view onnx_name = "";
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(TransformScores, "transform_scores")

// Lone scores [N, 1] -> both [N, 2], by `binary_scores`.
struct BinaryScores {
  PostTransform transform = PostTransform::none;
  bool is_probability = false;
  static auto fields(auto& s) {
    return std::tuple{field(1, "transform", s.transform),
                      field(2, "is_probability", s.is_probability)};
  }
  static constexpr std::string_view onnx_name = "";
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(BinaryScores, "binary_scores")

// The labels of a classifier: "classlabels_ints"/"classlabels_int64s" or "classlabels_strings".
Tensor class_labels(const OnnxNode& node);
Value* chosen_labels(OnnxContext& context, const Tensor& labels, Value* classes);
// The input as a float matrix [N, F]; a vector is one sample.
Value* feature_matrix(OnnxContext& context, Value* x);

}  // namespace tenrec
