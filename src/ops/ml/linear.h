// SPDX-License-Identifier: Apache-2.0
// Linear models and support vector machines of ai.onnx.ml.
#pragma once
#include "ir/op_decl.h"
#include "ops/ml/scores.h"

namespace tenrec {

Values linear_regressor(const OnnxNode& node, OnnxContext& context);
Values linear_classifier(const OnnxNode& node, OnnxContext& context);
Values svm_regressor(const OnnxNode& node, OnnxContext& context);
Values svm_classifier(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("ai.onnx.ml::LinearRegressor", linear_regressor)
TENREC_ONNX("ai.onnx.ml::LinearClassifier", linear_classifier)
TENREC_ONNX("ai.onnx.ml::SVMRegressor", svm_regressor)
TENREC_ONNX("ai.onnx.ml::SVMClassifier", svm_classifier)

// Numbers are permanent (engine files hold them).
enum class SvmKernelKind : uint8_t { linear = 0, poly = 1, rbf = 2, sigmoid = 3 };

// x [N, F], vectors [V, F] -> the kernel's value for each pair, [N, V].
struct SvmKernel {
  SvmKernelKind kind = SvmKernelKind::linear;
  double gamma = 0, coef0 = 0, degree = 0;
  static auto fields(auto& s) {
    return std::tuple{field(1, "kind", s.kind), field(2, "gamma", s.gamma),
                      field(3, "coef0", s.coef0), field(4, "degree", s.degree)};
  }
  static constexpr std::string_view onnx_name = "";
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(SvmKernel, "svm_kernel")

// Kernel values [N, V] -> class numbers [N] and scores: one against one, by votes.
struct SvmVotes {
  std::vector<int64_t> vectors_per_class;
  std::vector<float> coefficients;  // [classes - 1, V]
  std::vector<float> rho, prob_a, prob_b;
  PostTransform transform = PostTransform::none;
  static auto fields(auto& s) {
    return std::tuple{field(1, "vectors_per_class", s.vectors_per_class),
                      field(2, "coefficients", s.coefficients),
                      field(3, "rho", s.rho),
                      field(4, "prob_a", s.prob_a),
                      field(5, "prob_b", s.prob_b),
                      field(6, "transform", s.transform)};
  }
  static constexpr std::string_view onnx_name = "";
  int64_t classes() const { return static_cast<int64_t>(vectors_per_class.size()); }
  int64_t score_count() const;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(SvmVotes, "svm_votes")

// Scores [N, E] -> class numbers: the largest, or with one score whether it is positive.
struct LinearClasses {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr std::string_view onnx_name = "";
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(LinearClasses, "linear_classes")

}  // namespace tenrec
