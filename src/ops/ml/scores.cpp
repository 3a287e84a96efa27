// SPDX-License-Identifier: Apache-2.0
#include "ops/ml/scores.h"

#include <algorithm>
#include <cmath>

#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/label_encoder.h"
#include "ops/movement.h"
#include "ops/squeeze.h"
#include "ops/support.h"

namespace tenrec {
namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// The approximation (Winitzki's, a = 0.147) that onnxruntime and ONNX's reference both use.
double inverse_erf(double x) {
  const double rest = (1 - x) * (1 + x);
  if (rest == 0) return 0;
  constexpr double a = 0.147;
  const double log = std::log(rest);
  const double half = 2 / (3.14159265358979323846 * a) + 0.5 * log;
  return std::copysign(std::sqrt(-half + std::sqrt(half * half - log / a)), x);
}

double probit(double x) { return 1.41421356 * inverse_erf(2 * x - 1); }

// With `keep_zeros`, scores of (about) zero take part only through what is left of them.
void softmax(std::vector<double>& scores, bool keep_zeros) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) {
    const bool is_zero = keep_zeros && std::abs(score) <= 1e-7;
    score = is_zero ? score * std::exp(-largest) : std::exp(score - largest);
    sum += score;
  }
  for (double& score : scores) score = sum == 0 ? 0.5 : score / sum;
}

}  // namespace

PostTransform parse_post_transform(std::string_view text) {
  if (text == "NONE") return PostTransform::none;
  if (text == "SOFTMAX") return PostTransform::softmax;
  if (text == "LOGISTIC") return PostTransform::logistic;
  if (text == "SOFTMAX_ZERO") return PostTransform::softmax_zero;
  TENREC_CHECK(text == "PROBIT", invalid_model,
               "post_transform is \"{}\", expected NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT",
               text);
  return PostTransform::probit;
}

PostTransform post_transform_of(const OnnxNode& node) {
  return parse_post_transform(node.text("post_transform", "NONE"));
}

void transform_scores(std::vector<double>& scores, PostTransform transform) {
  if (scores.empty()) return;
  switch (transform) {
    case PostTransform::none: return;
    case PostTransform::softmax: return softmax(scores, false);
    case PostTransform::softmax_zero: return softmax(scores, true);
    case PostTransform::logistic:
      std::transform(scores.begin(), scores.end(), scores.begin(), logistic);
      return;
    case PostTransform::probit:
      std::transform(scores.begin(), scores.end(), scores.begin(), probit);
      return;
  }
}

std::vector<double> binary_scores(double score, PostTransform transform, bool is_probability) {
  const bool complement =
      transform == PostTransform::probit || (transform == PostTransform::none && is_probability);
  std::vector<double> scores{complement ? 1 - score : -score, score};
  transform_scores(scores, transform);
  return scores;
}

Types TransformScores::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the scores");
  return {x.ranked ? Type::tensor(x.dtype, x.shape) : Type::unranked(x.dtype)};
}

Tensors TransformScores::eval(const Tensors& in) const {
  std::vector<double> x = in[0].to_doubles();
  const Dims& dims = in[0].dims();
  const size_t width = dims.empty() ? 1 : static_cast<size_t>(dims.back());
  for (size_t row = 0; width > 0 && row < x.size(); row += width) {
    std::vector<double> scores(x.begin() + static_cast<std::ptrdiff_t>(row),
                               x.begin() + static_cast<std::ptrdiff_t>(row + width));
    transform_scores(scores, transform);
    std::copy(scores.begin(), scores.end(), x.begin() + static_cast<std::ptrdiff_t>(row));
  }
  return {Tensor::from_doubles(in[0].dtype(), dims, x)};
}

Types BinaryScores::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the scores");
  TENREC_CHECK(x.rank() == 2, invalid_model, "the scores are {}", x.str());
  check_same_size(x.shape[1], Dim(1), "scores of a sample and lone scores");
  return {Type::tensor(x.dtype, {x.shape[0], Dim(2)})};
}

Tensors BinaryScores::eval(const Tensors& in) const {
  std::vector<double> out;
  for (const double score : in[0].to_doubles()) {
    const std::vector<double> both = binary_scores(score, transform, is_probability);
    out.insert(out.end(), both.begin(), both.end());
  }
  return {Tensor::from_doubles(in[0].dtype(), {in[0].dims().at(0), 2}, out)};
}

Tensor class_labels(const OnnxNode& node) {
  if (node.has("classlabels_strings")) {
    std::vector<std::string> labels = node.texts("classlabels_strings");
    const auto count = static_cast<int64_t>(labels.size());
    return Tensor::of_strings({count}, std::move(labels));
  }
  const std::vector<int64_t> labels =
      node.integers(node.has("classlabels_ints") ? "classlabels_ints" : "classlabels_int64s");
  TENREC_CHECK(!labels.empty(), invalid_model, "there are no class labels");
  return Tensor::of({static_cast<int64_t>(labels.size())}, labels);
}

Value* chosen_labels(OnnxContext& context, const Tensor& labels, Value* classes) {
  if (labels.dtype() != DType::string)
    return context.one(Gather{0}, {context.constant(labels), classes});
  // Strings are kept as an operator's field: engines hold no constants of them.
  const auto count = static_cast<int64_t>(labels.elements());
  LabelEncoder op;
  op.keys = Tensor::of({count}, even_offsets(count, 1));
  op.values = labels;
  op.fallback = Tensor::of_strings({1}, {""});
  return context.one(op, {classes});
}

Value* feature_matrix(OnnxContext& context, Value* x) {
  TENREC_CHECK(x, invalid_model, "the input is missing");
  if (!is_float(x->type.dtype)) x = context.one(Cast{.to = DType::f32}, {x});
  if (x->type.rank() == 1) {
    Value* axis = context.constant(Tensor::of<int64_t>({1}, {0}));
    x = context.one(Unsqueeze{}, {x, axis});
  }
  TENREC_CHECK(x->type.rank() == 2, invalid_model, "the input is {}, expected samples x features",
               x->type.str());
  return x;
}

}  // namespace tenrec
