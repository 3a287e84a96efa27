// SPDX-License-Identifier: Apache-2.0
// Decision trees: for each sample the weights of the leaves it ends in, combined by target.
#pragma once
#include "ir/op_decl.h"
#include "ops/ml/scores.h"

namespace tenrec {

// Numbers are permanent (engine files hold them) and ONNX's.
enum class TreeMode : uint8_t { leq = 0, lt = 1, gte = 2, gt = 3, eq = 4, neq = 5 };
enum class TreeAggregate : uint8_t { average = 0, sum = 1, min = 2, max = 3 };

// Nodes and leaves of all trees. A child or root that is negative is leaf number -1 - child.
struct Trees {
  std::vector<int64_t> roots;
  std::vector<int64_t> features;
  std::vector<TreeMode> modes;
  Tensor splits;  // f64
  std::vector<int64_t> if_true, if_false;
  std::vector<int64_t> missing_is_true;
  std::vector<int64_t> first;  // of a leaf in the following two; one more than there are leaves
  std::vector<int64_t> targets;
  Tensor weights;  // f64
  static auto fields(auto& s) {
    return std::tuple{field(1, "roots", s.roots),
                      field(2, "features", s.features),
                      field(3, "modes", s.modes),
                      field(4, "splits", s.splits),
                      field(5, "if_true", s.if_true),
                      field(6, "if_false", s.if_false),
                      field(7, "missing_is_true", s.missing_is_true),
                      field(8, "first", s.first),
                      field(9, "targets", s.targets),
                      field(10, "weights", s.weights)};
  }
  bool operator==(const Trees&) const = default;
  // Indices in range, every child behind its parent or a leaf, so that descending ends.
  void check(int64_t target_count) const;
};

// x [N, F] -> raw scores [N, targets] of type `dtype`.
struct TreeEnsemble {
  Trees trees;
  int64_t target_count = 1;
  TreeAggregate aggregate = TreeAggregate::sum;
  Tensor base;  // f64, added at the end: none, one, or one a target
  DType dtype = DType::f32;
  static auto fields(auto& s) {
    return std::tuple{field(1, "trees", s.trees), field(2, "target_count", s.target_count),
                      field(3, "aggregate", s.aggregate), field(4, "base", s.base),
                      field(5, "dtype", s.dtype)};
  }
  static constexpr std::string_view onnx_name = "ai.onnx.ml::TreeEnsemble";
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(TreeEnsemble, "tree_ensemble")

// Raw scores -> class numbers [N] and final scores [N, E], as a tree classifier chooses them. With
// `binary` only one of two classes has scores.
struct TreeClasses {
  PostTransform transform = PostTransform::none;
  bool binary = false;
  bool positive = false;  // all weights are
  static auto fields(auto& s) {
    return std::tuple{field(1, "transform", s.transform), field(2, "binary", s.binary),
                      field(3, "positive", s.positive)};
  }
  static constexpr std::string_view onnx_name = "";
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(TreeClasses, "tree_classes")

Values tree_ensemble_regressor(const OnnxNode& node, OnnxContext& context);
Values tree_ensemble_classifier(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("ai.onnx.ml::TreeEnsembleRegressor", tree_ensemble_regressor)
TENREC_ONNX("ai.onnx.ml::TreeEnsembleClassifier", tree_ensemble_classifier)

}  // namespace tenrec
