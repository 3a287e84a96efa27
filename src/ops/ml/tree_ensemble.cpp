// SPDX-License-Identifier: Apache-2.0
#include "ops/ml/tree_ensemble.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "ops/support.h"

namespace tenrec {
namespace {

bool holds(TreeMode mode, double x, double split) {
  switch (mode) {
    case TreeMode::leq: return x <= split;
    case TreeMode::lt: return x < split;
    case TreeMode::gte: return x >= split;
    case TreeMode::gt: return x > split;
    case TreeMode::eq: return x == split;
    case TreeMode::neq: return x != split;
  }
  return false;
}

// One target's total over the trees.
struct Total {
  double value = 0;
  bool any = false;

  void add(double weight, TreeAggregate aggregate) {
    if (aggregate == TreeAggregate::min && any) value = std::min(value, weight);
    else if (aggregate == TreeAggregate::max && any) value = std::max(value, weight);
    else value += weight;
    any = true;
  }
};

}  // namespace

void Trees::check(int64_t target_count) const {
  const auto nodes = static_cast<int64_t>(features.size());
  const auto leaves = static_cast<int64_t>(first.size()) - 1;
  const auto entries = static_cast<int64_t>(targets.size());
  const auto count = [&](size_t have, std::string_view what) {
    TENREC_CHECK(static_cast<int64_t>(have) == nodes, invalid_model, "{} {} for {} tree nodes",
                 have, what, nodes);
  };
  count(modes.size(), "modes");
  count(splits ? splits.elements() : 0, "splits");
  count(if_true.size(), "true branches");
  count(if_false.size(), "false branches");
  count(missing_is_true.size(), "missing value flags");
  TENREC_CHECK(leaves >= 0 && first.front() == 0 && first.back() == entries &&
                   std::is_sorted(first.begin(), first.end()) &&
                   static_cast<int64_t>(weights.elements()) == entries,
               invalid_model, "the leaves of the trees do not fit their weights");
  const auto points_behind = [&](int64_t child, int64_t parent) {
    return child < 0 ? -1 - child < leaves : child > parent && child < nodes;
  };
  for (const int64_t root : roots)
    TENREC_CHECK(points_behind(root, -1), invalid_model, "there is no tree node {}", root);
  for (int64_t i = 0; i < nodes; ++i) {
    const auto at = static_cast<size_t>(i);
    TENREC_CHECK(points_behind(if_true[at], i) && points_behind(if_false[at], i), invalid_model,
                 "tree node {} branches to {} and {}", i, if_true[at], if_false[at]);
    TENREC_CHECK(modes[at] <= TreeMode::neq && features[at] >= 0, invalid_model,
                 "tree node {} tests feature {} with mode {}", i, features[at],
                 static_cast<int>(modes[at]));
  }
  for (const int64_t target : targets)
    TENREC_CHECK(target >= 0 && target < target_count, invalid_model,
                 "a leaf speaks of target {} of {}", target, target_count);
}

Types TreeEnsemble::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the input");
  TENREC_CHECK(!x.ranked || x.rank() == 2, invalid_model,
               "the input is {}, expected samples x features", x.str());
  trees.check(target_count);
  const uint64_t bases = base ? base.elements() : 0;
  TENREC_CHECK(bases <= 1 || bases == static_cast<uint64_t>(target_count), invalid_model,
               "{} base values for {} targets", bases, target_count);
  TENREC_CHECK(aggregate <= TreeAggregate::max, invalid_model, "aggregate function {}",
               static_cast<int>(aggregate));
  return {Type::tensor(dtype, {x.ranked ? x.shape[0] : Dim::fresh("batch"), Dim(target_count)})};
}

Tensors TreeEnsemble::eval(const Tensors& in) const {
  const std::vector<double> x = in[0].to_doubles();
  const std::vector<double> splits = trees.splits.to_doubles(),
                            weights = trees.weights.to_doubles();
  const std::vector<double> bases = base ? base.to_doubles() : std::vector<double>{};
  const int64_t rows = in[0].dims()[0], width = in[0].dims()[1];
  for (const int64_t feature : trees.features)
    TENREC_CHECK(feature < width, invalid_input, "the trees test feature {}, the input has {}",
                 feature, width);
  std::vector<double> out;
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<Total> totals(static_cast<size_t>(target_count));
    for (const int64_t root : trees.roots) {
      int64_t at = root;
      while (at >= 0) {
        const auto node = static_cast<size_t>(at);
        const double value = x[static_cast<size_t>(row * width + trees.features[node])];
        const bool yes = holds(trees.modes[node], value, splits[node]) ||
                         (trees.missing_is_true[node] != 0 && std::isnan(value));
        at = yes ? trees.if_true[node] : trees.if_false[node];
      }
      const auto leaf = static_cast<size_t>(-1 - at);
      for (auto i = static_cast<size_t>(trees.first[leaf]);
           i < static_cast<size_t>(trees.first[leaf + 1]); ++i) {
        totals[static_cast<size_t>(trees.targets[i])].add(weights[i], aggregate);
      }
    }
    for (size_t target = 0; target < totals.size(); ++target) {
      double value = totals[target].value;
      if (aggregate == TreeAggregate::average && !trees.roots.empty())
        value /= static_cast<double>(trees.roots.size());
      if (!bases.empty()) value += bases[bases.size() == 1 ? 0 : target];
      out.push_back(value);
    }
  }
  return {Tensor::from_doubles(dtype, {rows, target_count}, out)};
}

Types TreeClasses::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the scores");
  TENREC_CHECK(x.rank() == 2, invalid_model, "the scores are {}", x.str());
  if (binary) check_same_size(x.shape[1], Dim(2), "scores of a sample and classes");
  return {Type::tensor(DType::i64, {x.shape[0]}), Type::tensor(x.dtype, x.shape)};
}

Tensors TreeClasses::eval(const Tensors& in) const {
  const std::vector<double> x = in[0].to_doubles();
  const auto width = static_cast<size_t>(in[0].dims()[1]);
  std::vector<int64_t> classes;
  std::vector<double> out;
  for (size_t row = 0; width > 0 && row < x.size(); row += width) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(row);
    std::vector<double> scores(first, first + static_cast<std::ptrdiff_t>(width));
    if (width == 1) {
      classes.push_back(scores[0] > 0 ? 1 : 0);
    } else if (binary) {
      classes.push_back(scores[0] > (positive ? 0.5 : 0) ? 1 : 0);
      scores = binary_scores(scores[0], transform, positive);
    } else {
      classes.push_back(std::max_element(scores.begin(), scores.end()) - scores.begin());
      transform_scores(scores, transform);
    }
    out.insert(out.end(), scores.begin(), scores.end());
  }
  return {Tensor::of({in[0].dims()[0]}, classes),
          Tensor::from_doubles(in[0].dtype(), in[0].dims(), out)};
}

}  // namespace tenrec
