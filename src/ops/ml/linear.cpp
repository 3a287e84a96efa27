// SPDX-License-Identifier: Apache-2.0
#include "ops/ml/linear.h"

#include <algorithm>
#include <cmath>

#include "ops/composite/helpers.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/support.h"
#include "ops/transpose.h"

namespace tenrec {
namespace {

Value* f32_features(OnnxContext& context) {
  Value* x = feature_matrix(context, context.input(0));
  return x->type.dtype == DType::f32 ? x : context.one(Cast{.to = DType::f32}, {x});
}

// x times `rows` rows of coefficients, one result a row, plus the intercepts.
Value* linear_scores(OnnxContext& context, Value* x, const std::vector<float>& coefficients,
                     int64_t rows, const std::vector<float>& intercepts) {
  const auto count = static_cast<int64_t>(coefficients.size());
  TENREC_CHECK(rows > 0 && count > 0 && count % rows == 0, invalid_model,
               "{} coefficients for {} results", count, rows);
  Value* matrix = context.constant(Tensor::of({rows, count / rows}, coefficients));
  Value* scores = context.one(MatMul{}, {x, context.one(Transpose{.perm = {1, 0}}, {matrix})});
  if (intercepts.empty()) return scores;
  const auto length = static_cast<int64_t>(intercepts.size());
  return context.one(Add{}, {scores, context.constant(Tensor::of({length}, intercepts))});
}

SvmKernel read_kernel(const OnnxNode& node) {
  const std::string name = node.text("kernel_type", "LINEAR");
  const std::vector<float> params = node.numbers("kernel_params");
  SvmKernel op;
  if (name == "POLY") op.kind = SvmKernelKind::poly;
  else if (name == "RBF") op.kind = SvmKernelKind::rbf;
  else if (name == "SIGMOID") op.kind = SvmKernelKind::sigmoid;
  else
    TENREC_CHECK(name == "LINEAR", invalid_model,
                 "kernel_type is \"{}\", expected LINEAR, POLY, RBF or SIGMOID", name);
  TENREC_CHECK(params.empty() || params.size() >= 3, invalid_model,
               "kernel_params has {} entries, expected gamma, coef0 and degree", params.size());
  if (params.empty()) return op;
  op.gamma = static_cast<double>(params[0]);
  op.coef0 = static_cast<double>(params[1]);
  op.degree = static_cast<double>(params[2]);
  return op;
}

Value* kernel_values(const OnnxNode& node, OnnxContext& context, Value* x, int64_t vectors) {
  const std::vector<float> support = node.numbers("support_vectors");
  const auto count = static_cast<int64_t>(support.size());
  TENREC_CHECK(vectors > 0 && count % vectors == 0, invalid_model,
               "{} numbers do not make {} support vectors", count, vectors);
  Value* matrix = context.constant(Tensor::of({vectors, count / vectors}, support));
  return context.one(read_kernel(node), {x, matrix});
}

// Each row of an [N, E] matrix through `body`, which gives one result row.
template <class Body>
std::vector<double> by_row(const Tensor& x, const Body& body) {
  const std::vector<double> values = x.to_doubles();
  const int64_t rows = x.dims()[0], width = x.dims()[1];
  std::vector<double> out;
  for (int64_t row = 0; row < rows; ++row) {
    const auto first = values.begin() + row * width;
    const std::vector<double> result = body(std::vector<double>(first, first + width));
    out.insert(out.end(), result.begin(), result.end());
  }
  return out;
}

// Class probabilities from those of every pair (r[i][j]: of i against j), by the second method of
// Wu, Lin and Weng, "Probability estimates for multi-class classification by pairwise coupling".
std::vector<double> coupled(const std::vector<std::vector<double>>& r) {
  const size_t k = r.size();
  std::vector<std::vector<double>> q(k, std::vector<double>(k, 0.0));
  for (size_t t = 0; t < k; ++t) {
    for (size_t j = 0; j < k; ++j) {
      if (j == t) continue;
      q[t][t] += r[j][t] * r[j][t];
      q[t][j] = -r[j][t] * r[t][j];
    }
  }
  std::vector<double> p(k, 1 / static_cast<double>(k)), qp(k);
  const size_t rounds = std::max<size_t>(100, k);
  for (size_t round = 0; round < rounds; ++round) {
    double pqp = 0, error = 0;
    for (size_t t = 0; t < k; ++t) {
      qp[t] = 0;
      for (size_t j = 0; j < k; ++j) qp[t] += q[t][j] * p[j];
      pqp += p[t] * qp[t];
    }
    for (size_t t = 0; t < k; ++t) error = std::max(error, std::abs(qp[t] - pqp));
    if (error < 0.005 / static_cast<double>(k)) break;
    for (size_t t = 0; t < k; ++t) {
      const double step = (pqp - qp[t]) / q[t][t];
      p[t] += step;
      pqp = (pqp + step * (step * q[t][t] + 2 * qp[t])) / ((1 + step) * (1 + step));
      for (size_t j = 0; j < k; ++j) {
        qp[j] = (qp[j] + step * q[t][j]) / (1 + step);
        p[j] /= 1 + step;
      }
    }
  }
  return p;
}

}  // namespace

Values linear_regressor(const OnnxNode& node, OnnxContext& context) {
  Value* scores = linear_scores(context, f32_features(context), node.numbers("coefficients"),
                                node.integer("targets", 1), node.numbers("intercepts"));
  return context.add(TransformScores{post_transform_of(node)}, {scores});
}

Values linear_classifier(const OnnxNode& node, OnnxContext& context) {
  const Tensor labels = class_labels(node);
  node.without_effect({"multi_class"});  // how it was trained
  const std::vector<float> intercepts = node.numbers("intercepts");
  const auto count = static_cast<int64_t>(labels.elements());
  const int64_t rows = intercepts.empty() ? count : static_cast<int64_t>(intercepts.size());
  Value* scores =
      linear_scores(context, f32_features(context), node.numbers("coefficients"), rows, intercepts);
  TENREC_CHECK(rows == count || (rows == 1 && count == 2), invalid_model, "{} scores for {} labels",
               rows, count);
  const PostTransform transform = post_transform_of(node);
  Value* classes = context.one(LinearClasses{}, {scores});
  if (rows != 1 || count == 1) {
    const Tensor names = count == 1 && labels.dtype() == DType::i64
                             ? Tensor::of<int64_t>({2}, {0, labels.to_ints()[0]})
                             : labels;
    TENREC_CHECK(count != 1 || names.elements() == 2, unsupported,
                 "a linear classifier with one class whose label is a string");
    return {chosen_labels(context, names, classes),
            context.one(TransformScores{transform}, {scores})};
  }
  return {chosen_labels(context, labels, classes),
          context.one(BinaryScores{transform, true}, {scores})};
}

Values svm_regressor(const OnnxNode& node, OnnxContext& context) {
  const std::vector<float> coefficients = node.numbers("coefficients");
  const std::vector<float> rho = node.numbers("rho");
  TENREC_CHECK(!rho.empty(), invalid_model, "rho is empty");
  Value* x = f32_features(context);
  const int64_t vectors = node.integer("n_supports", 0);
  node.without_effect({"kernel_type", "kernel_params"});  // where there are no vectors
  if (vectors > 0) x = kernel_values(node, context, x, vectors);
  Value* y = linear_scores(context, x, coefficients, 1, {rho[0]});
  if (node.integer("one_class", 0) != 0) {
    Value* inside = context.one(Greater{}, {y, number(context, 0, DType::f32)});
    y = context.one(Where{},
                    {inside, number(context, 1, DType::f32), number(context, -1, DType::f32)});
  }
  return context.add(TransformScores{post_transform_of(node)}, {y});
}

Values svm_classifier(const OnnxNode& node, OnnxContext& context) {
  const Tensor labels = class_labels(node);
  const auto count = static_cast<int64_t>(labels.elements());
  Value* x = f32_features(context);
  const std::vector<int64_t> per_class = node.integers("vectors_per_class");
  int64_t vectors = 0;
  for (const int64_t some : per_class) vectors += some;
  const std::vector<float> coefficients = node.numbers("coefficients"), rho = node.numbers("rho");
  TENREC_CHECK(!rho.empty(), invalid_model, "rho is empty");
  if (vectors == 0) {
    node.without_effect({"kernel_type", "kernel_params", "prob_a", "prob_b"});
    Value* scores = linear_scores(context, x, coefficients, count, {rho[0]});
    return {chosen_labels(context, labels, context.one(LinearClasses{}, {scores})),
            context.one(TransformScores{post_transform_of(node)}, {scores})};
  }
  TENREC_CHECK(static_cast<int64_t>(per_class.size()) == count, invalid_model,
               "vectors_per_class has {} entries for {} labels", per_class.size(), count);
  SvmVotes op;
  op.vectors_per_class = per_class;
  op.coefficients = coefficients;
  op.rho = rho;
  op.prob_a = node.numbers("prob_a");
  op.prob_b = node.numbers("prob_b");
  op.transform = post_transform_of(node);
  const Values out = context.add(op, {kernel_values(node, context, x, vectors)});
  return {chosen_labels(context, labels, out[0]), out[1]};
}

Types SvmKernel::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the input");
  const Type& vectors = required_float(in, 1, "the support vectors");
  TENREC_CHECK(x.rank() == 2 && vectors.rank() == 2, invalid_model, "{} against {}", x.str(),
               vectors.str());
  check_same_size(x.shape[1], vectors.shape[1], "features of input and support vectors");
  return {Type::tensor(x.dtype, {x.shape[0], vectors.shape[0]})};
}

Tensors SvmKernel::eval(const Tensors& in) const {
  const std::vector<double> x = in[0].to_doubles(), v = in[1].to_doubles();
  const int64_t rows = in[0].dims()[0], width = in[0].dims()[1], vectors = in[1].dims()[0];
  std::vector<double> out;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t vector = 0; vector < vectors; ++vector) {
      double dot = 0, distance = 0;
      for (int64_t i = 0; i < width; ++i) {
        const double a = x[static_cast<size_t>(row * width + i)];
        const double b = v[static_cast<size_t>(vector * width + i)];
        dot += a * b;
        distance += (a - b) * (a - b);
      }
      const double affine = gamma * dot + coef0;
      switch (kind) {
        case SvmKernelKind::linear: out.push_back(dot); break;
        case SvmKernelKind::poly: out.push_back(std::pow(affine, degree)); break;
        case SvmKernelKind::rbf: out.push_back(std::exp(-gamma * distance)); break;
        case SvmKernelKind::sigmoid: out.push_back(std::tanh(affine)); break;
      }
    }
  }
  return {Tensor::from_doubles(in[0].dtype(), {rows, vectors}, out)};
}

int64_t SvmVotes::score_count() const {
  if (!prob_a.empty() || classes() == 2) return classes();
  return classes() * (classes() - 1) / 2;
}

Types SvmVotes::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the kernel values");
  const auto pairs = static_cast<size_t>(classes() * (classes() - 1) / 2);
  int64_t vectors = 0;
  for (const int64_t some : vectors_per_class) {
    TENREC_CHECK(some >= 0 && some <= static_cast<int64_t>(coefficients.size()), invalid_model,
                 "a class has {} support vectors", some);
    vectors += some;
  }
  TENREC_CHECK(classes() >= 2 && rho.size() == pairs, invalid_model,
               "rho has {} entries for {} classes", rho.size(), classes());
  TENREC_CHECK(static_cast<int64_t>(coefficients.size()) == vectors * (classes() - 1),
               invalid_model, "{} coefficients for {} vectors and {} classes", coefficients.size(),
               vectors, classes());
  TENREC_CHECK(prob_a.size() == prob_b.size() && (prob_a.empty() || prob_a.size() == pairs),
               invalid_model, "prob_a and prob_b have {} and {} entries", prob_a.size(),
               prob_b.size());
  TENREC_CHECK(x.rank() == 2, invalid_model, "the kernel values are {}", x.str());
  check_same_size(x.shape[1], Dim(vectors), "kernel values and support vectors");
  return {Type::tensor(DType::i64, {x.shape[0]}),
          Type::tensor(x.dtype, {x.shape[0], Dim(score_count())})};
}

Tensors SvmVotes::eval(const Tensors& in) const {
  const auto k = static_cast<size_t>(classes());
  const auto vectors = static_cast<size_t>(in[0].dims()[1]);
  std::vector<size_t> first{0};
  for (const int64_t some : vectors_per_class)
    first.push_back(first.back() + static_cast<size_t>(some));
  std::vector<int64_t> chosen;
  const std::vector<double> out = by_row(in[0], [&](const std::vector<double>& kernel) {
    const auto part = [&](size_t row, size_t of_class) {
      double sum = 0;
      for (size_t v = first[of_class]; v < first[of_class + 1]; ++v)
        sum += static_cast<double>(coefficients[row * vectors + v]) * kernel[v];
      return sum;
    };
    std::vector<double> scores, votes(k, 0.0);
    std::vector<std::vector<double>> pairwise(k, std::vector<double>(k, 0.0));
    for (size_t i = 0; i < k; ++i) {
      for (size_t j = i + 1; j < k; ++j) {
        const size_t pair = scores.size();
        const double score = static_cast<double>(rho[pair]) + part(j - 1, i) + part(i, j);
        scores.push_back(score);
        votes[score > 0 ? i : j] += 1;
        if (prob_a.empty()) continue;
        const double odds =
            score * static_cast<double>(prob_a[pair]) + static_cast<double>(prob_b[pair]);
        pairwise[i][j] = std::clamp(1 / (1 + std::exp(odds)), 1e-7, 1 - 1e-7);
        pairwise[j][i] = 1 - pairwise[i][j];
      }
    }
    chosen.push_back(std::max_element(votes.begin(), votes.end()) - votes.begin());
    if (!prob_a.empty()) scores = coupled(pairwise);
    if (scores.size() == 1) return binary_scores(scores[0], transform, false);
    transform_scores(scores, transform);
    return scores;
  });
  return {Tensor::of({in[0].dims()[0]}, chosen),
          Tensor::from_doubles(in[0].dtype(), {in[0].dims()[0], score_count()}, out)};
}

Types LinearClasses::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the scores");
  TENREC_CHECK(x.rank() == 2, invalid_model, "the scores are {}", x.str());
  return {Type::tensor(DType::i64, {x.shape[0]})};
}

Tensors LinearClasses::eval(const Tensors& in) const {
  std::vector<int64_t> chosen;
  by_row(in[0], [&](const std::vector<double>& scores) {
    chosen.push_back(scores.size() == 1
                         ? static_cast<int64_t>(scores[0] > 0)
                         : std::max_element(scores.begin(), scores.end()) - scores.begin());
    return std::vector<double>{};
  });
  return {Tensor::of({in[0].dims()[0]}, chosen)};
}

}  // namespace tenrec
