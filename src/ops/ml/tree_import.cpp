// SPDX-License-Identifier: Apache-2.0
// The three ONNX forms of tree ensembles, read into one.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "ops/composite/helpers.h"
#include "ops/elementwise.h"
#include "ops/ml/tree_ensemble.h"

namespace tenrec {
namespace {

// A node or leaf as the ONNX attributes number them.
struct Source {
  int64_t index = 0;
  bool is_leaf = false;
};
struct SourceNode {
  int64_t feature = 0;
  TreeMode mode = TreeMode::leq;
  std::vector<double> splits;  // several: the value is one of them
  bool missing_is_true = false;
  Source if_true, if_false;
};
struct Weight {
  int64_t target;
  double value;
};
struct SourceTrees {
  std::vector<Source> roots;
  size_t nodes = 0;
  std::function<SourceNode(int64_t)> node;
  std::function<std::vector<Weight>(int64_t)> leaf;
};

Tensor doubles(const std::vector<double>& values) {
  return Tensor::from_doubles(DType::f64, {static_cast<int64_t>(values.size())}, values);
}

// Numbers the nodes from the roots down, so that children come behind their parents.
class TreeWriter {
 public:
  explicit TreeWriter(const SourceTrees& source) : source_(source) {}

  Trees run() {
    for (const Source& root : source_.roots) {
      const size_t tree = trees_.roots.size();
      trees_.roots.push_back(0);
      pending_.push_back({root, {{Link::root, tree}}});
      while (!pending_.empty()) {
        Pending next = std::move(pending_.back());
        pending_.pop_back();
        const int64_t number = next.source.is_leaf ? add_leaf(next.source) : add_node(next.source);
        for (const auto& [link, at] : next.links) list(link)[at] = number;
      }
    }
    trees_.splits = doubles(splits_);
    trees_.weights = doubles(weights_);
    trees_.first.push_back(static_cast<int64_t>(trees_.targets.size()));
    return std::move(trees_);
  }

 private:
  enum class Link { root, if_true, if_false };
  using Links = std::vector<std::pair<Link, size_t>>;
  struct Pending {
    Source source;
    Links links;  // that shall hold its number
  };

  std::vector<int64_t>& list(Link link) {
    if (link == Link::root) return trees_.roots;
    return link == Link::if_true ? trees_.if_true : trees_.if_false;
  }

  int64_t add_leaf(const Source& source) {
    trees_.first.push_back(static_cast<int64_t>(trees_.targets.size()));
    for (const Weight& weight : source_.leaf(source.index)) {
      trees_.targets.push_back(weight.target);
      weights_.push_back(weight.value);
    }
    return -static_cast<int64_t>(trees_.first.size());
  }

  // A set of values becomes one comparison after the other.
  int64_t add_node(const Source& source) {
    TENREC_CHECK(++added_ <= source_.nodes, invalid_model,
                 "tree node {} has two parents or is its own", source.index);
    const SourceNode node = source_.node(source.index);
    const auto number = static_cast<int64_t>(trees_.features.size());
    Links yes, no;
    for (size_t i = 0; i < node.splits.size(); ++i) {
      const size_t at = trees_.features.size();
      trees_.features.push_back(node.feature);
      trees_.modes.push_back(node.mode);
      splits_.push_back(node.splits[i]);
      trees_.missing_is_true.push_back(node.missing_is_true ? 1 : 0);
      trees_.if_true.push_back(0);
      trees_.if_false.push_back(static_cast<int64_t>(at) + 1);
      yes.emplace_back(Link::if_true, at);
      if (i + 1 == node.splits.size()) no.emplace_back(Link::if_false, at);
    }
    pending_.push_back({node.if_false, std::move(no)});
    pending_.push_back({node.if_true, std::move(yes)});
    return number;
  }

  const SourceTrees& source_;
  Trees trees_;
  std::vector<double> splits_, weights_;
  std::vector<Pending> pending_;
  size_t added_ = 0;
};

template <class T>
const T& entry(const std::vector<T>& values, int64_t index, std::string_view what) {
  TENREC_CHECK(index >= 0 && index < static_cast<int64_t>(values.size()), invalid_model,
               "{} has {} entries, number {} is needed", what, values.size(), index);
  return values[static_cast<size_t>(index)];
}

bool flag(const std::vector<int64_t>& values, int64_t index) {
  return index < static_cast<int64_t>(values.size()) && values[static_cast<size_t>(index)] != 0;
}

// ---- TreeEnsemble (ai.onnx.ml 5) ----

// The members of each set node, NaN behind each set.
std::map<int64_t, std::vector<double>> member_sets(const OnnxNode& node,
                                                   const std::vector<int64_t>& modes) {
  constexpr int64_t member = 6;
  std::map<int64_t, std::vector<double>> sets;
  const std::vector<double> values = node.has("membership_values")
                                         ? node.tensor("membership_values").to_doubles()
                                         : std::vector<double>{};
  size_t next = 0;
  for (size_t i = 0; i < modes.size(); ++i) {
    if (modes[i] != member) continue;
    std::vector<double>& set = sets[static_cast<int64_t>(i)];
    while (next < values.size() && !std::isnan(values[next])) set.push_back(values[next++]);
    TENREC_CHECK(next++ < values.size(), invalid_model,
                 "membership_values ends before the set of tree node {}", i);
    // An empty set holds nothing.
    if (set.empty()) set.push_back(std::numeric_limits<double>::quiet_NaN());
  }
  return sets;
}

// ---- TreeEnsembleClassifier and -Regressor ----

std::vector<double> numbers_of(const OnnxNode& node, const std::string& name) {
  if (node.has(name + "_as_tensor")) return node.tensor(name + "_as_tensor").to_doubles();
  const std::vector<float> values = node.numbers(name);
  return {values.begin(), values.end()};
}

TreeMode parse_mode(const std::string& text) {
  static const std::map<std::string, TreeMode> modes{
      {"BRANCH_LEQ", TreeMode::leq}, {"BRANCH_LT", TreeMode::lt}, {"BRANCH_GTE", TreeMode::gte},
      {"BRANCH_GT", TreeMode::gt},   {"BRANCH_EQ", TreeMode::eq}, {"BRANCH_NEQ", TreeMode::neq}};
  const auto found = modes.find(text);
  TENREC_CHECK(found != modes.end(), invalid_model, "tree node mode \"{}\"", text);
  return found->second;
}

// `prefix`: "class" or "target", whose weights the leaves have.
Trees read_trees(const OnnxNode& node, const std::string& prefix) {
  node.without_effect({"nodes_hitrates", "nodes_hitrates_as_tensor"});  // for reordering
  const std::vector<std::string> modes = node.texts("nodes_modes");
  const std::vector<int64_t> tree_ids = node.integers("nodes_treeids");
  const std::vector<int64_t> node_ids = node.integers("nodes_nodeids");
  const std::vector<int64_t> features = node.integers("nodes_featureids");
  const std::vector<int64_t> yes = node.integers("nodes_truenodeids");
  const std::vector<int64_t> no = node.integers("nodes_falsenodeids");
  const std::vector<int64_t> missing = node.integers("nodes_missing_value_tracks_true");
  const std::vector<double> splits = numbers_of(node, "nodes_values");
  using Key = std::pair<int64_t, int64_t>;
  std::map<Key, int64_t> index;
  const auto count = static_cast<int64_t>(modes.size());
  for (int64_t i = 0; i < count; ++i) {
    index[{entry(tree_ids, i, "nodes_treeids"), entry(node_ids, i, "nodes_nodeids")}] = i;
  }
  const auto child = [&](int64_t i, const std::vector<int64_t>& ids) -> Source {
    const Key key{tree_ids[static_cast<size_t>(i)], entry(ids, i, "nodes_truenodeids")};
    const auto found = index.find(key);
    TENREC_CHECK(found != index.end(), invalid_model, "tree {} has no node {}", key.first,
                 key.second);
    return {found->second, modes[static_cast<size_t>(found->second)] == "LEAF"};
  };

  std::map<Key, std::vector<Weight>> weights;
  const std::vector<int64_t> ids = node.integers(prefix + "_ids");
  const std::vector<int64_t> leaf_trees = node.integers(prefix + "_treeids");
  const std::vector<int64_t> leaf_nodes = node.integers(prefix + "_nodeids");
  const std::vector<double> values = numbers_of(node, prefix + "_weights");
  for (int64_t i = 0; i < static_cast<int64_t>(ids.size()); ++i) {
    weights[{entry(leaf_trees, i, "the leaves' tree ids"), entry(leaf_nodes, i, "the leaves' ids")}]
        .push_back({ids[static_cast<size_t>(i)], entry(values, i, "the leaves' weights")});
  }

  SourceTrees source;
  source.nodes = modes.size();
  source.node = [&](int64_t i) -> SourceNode {
    return {entry(features, i, "nodes_featureids"),
            parse_mode(modes[static_cast<size_t>(i)]),
            {entry(splits, i, "nodes_values")},
            flag(missing, i),
            child(i, yes),
            child(i, no)};
  };
  source.leaf = [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    const auto found = weights.find({tree_ids[at], node_ids[at]});
    return found == weights.end() ? std::vector<Weight>{} : found->second;
  };
  // The first node of a tree is its root.
  std::set<int64_t> seen;
  for (int64_t i = 0; i < count; ++i) {
    if (seen.insert(tree_ids[static_cast<size_t>(i)]).second)
      source.roots.push_back({i, modes[static_cast<size_t>(i)] == "LEAF"});
  }
  return TreeWriter(source).run();
}

TreeAggregate parse_aggregate(const std::string& text) {
  static const std::map<std::string, TreeAggregate> names{{"AVERAGE", TreeAggregate::average},
                                                          {"SUM", TreeAggregate::sum},
                                                          {"MIN", TreeAggregate::min},
                                                          {"MAX", TreeAggregate::max}};
  const auto found = names.find(text);
  TENREC_CHECK(found != names.end(), invalid_model,
               "aggregate_function is \"{}\", expected AVERAGE, SUM, MIN or MAX", text);
  return found->second;
}

}  // namespace

Values TreeEnsemble::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Value* x = feature_matrix(context, context.input(0));
  node.without_effect({"nodes_hitrates"});
  const std::vector<int64_t> modes = node.tensor("nodes_modes").to_ints();
  const std::vector<int64_t> features = node.integers("nodes_featureids");
  const std::vector<int64_t> yes = node.integers("nodes_truenodeids");
  const std::vector<int64_t> no = node.integers("nodes_falsenodeids");
  const std::vector<int64_t> yes_leaf = node.integers("nodes_trueleafs");
  const std::vector<int64_t> no_leaf = node.integers("nodes_falseleafs");
  const std::vector<int64_t> missing = node.integers("nodes_missing_value_tracks_true");
  const std::vector<int64_t> leaf_targets = node.integers("leaf_targetids");
  const std::vector<double> splits = node.tensor("nodes_splits").to_doubles();
  const std::vector<double> leaf_weights = node.tensor("leaf_weights").to_doubles();
  const auto sets = member_sets(node, modes);

  SourceTrees source;
  source.nodes = modes.size();
  source.node = [&](int64_t i) {
    SourceNode result;
    result.feature = entry(features, i, "nodes_featureids");
    const auto set = sets.find(i);
    const int64_t mode = entry(modes, i, "nodes_modes");
    TENREC_CHECK(set != sets.end() || (mode >= 0 && mode <= 5), invalid_model,
                 "tree node {} has mode {}", i, mode);
    result.mode = set != sets.end() ? TreeMode::eq : static_cast<TreeMode>(mode);
    result.splits =
        set != sets.end() ? set->second : std::vector<double>{entry(splits, i, "nodes_splits")};
    result.missing_is_true = flag(missing, i);
    result.if_true = {entry(yes, i, "nodes_truenodeids"), flag(yes_leaf, i)};
    result.if_false = {entry(no, i, "nodes_falsenodeids"), flag(no_leaf, i)};
    return result;
  };
  source.leaf = [&](int64_t i) -> std::vector<Weight> {
    return {{entry(leaf_targets, i, "leaf_targetids"), entry(leaf_weights, i, "leaf_weights")}};
  };
  for (const int64_t root : node.integers("tree_roots")) source.roots.push_back({root, false});

  TreeEnsemble op;
  op.trees = TreeWriter(source).run();
  op.target_count = node.integer("n_targets", 1);
  op.aggregate = static_cast<TreeAggregate>(node.integer("aggregate_function", 1));
  op.base = Tensor(DType::f64, {0});
  op.dtype = x->type.dtype;
  const int64_t transform = node.integer("post_transform", 0);
  TENREC_CHECK(transform >= 0 && transform <= 4, invalid_model, "post_transform is {}", transform);
  Value* scores = context.one(op, {x});
  if (transform == 0) return {scores};
  return context.add(TransformScores{static_cast<PostTransform>(transform)}, {scores});
}

Values tree_ensemble_regressor(const OnnxNode& node, OnnxContext& context) {
  TreeEnsemble op;
  op.trees = read_trees(node, "target");
  op.target_count = node.integer("n_targets", 1);
  op.aggregate = parse_aggregate(node.text("aggregate_function", "SUM"));
  op.base = doubles(numbers_of(node, "base_values"));
  Value* scores = context.one(op, {feature_matrix(context, context.input(0))});
  return context.add(TransformScores{post_transform_of(node)}, {scores});
}

Values tree_ensemble_classifier(const OnnxNode& node, OnnxContext& context) {
  Tensor labels = class_labels(node);
  const std::vector<int64_t> ids = node.integers("class_ids");
  const std::vector<double> weights = numbers_of(node, "class_weights");
  TreeEnsemble op;
  op.trees = read_trees(node, "class");
  op.target_count = static_cast<int64_t>(labels.elements());
  op.base = doubles(numbers_of(node, "base_values"));
  TreeClasses head;
  head.transform = post_transform_of(node);
  head.binary = op.target_count == 2 &&
                std::all_of(ids.begin(), ids.end(), [](int64_t id) { return id == 0; });
  head.positive = std::all_of(weights.begin(), weights.end(), [](double w) { return w >= 0; });
  Value* scores = context.one(op, {feature_matrix(context, context.input(0))});
  const Values out = context.add(head, {scores});
  if (op.target_count == 1) {
    // The one class, or none.
    TENREC_CHECK(labels.dtype() == DType::i64, unsupported,
                 "a tree classifier with one class whose label is a string");
    labels = Tensor::of<int64_t>({2}, {0, labels.to_ints()[0]});
  }
  return {chosen_labels(context, labels, out[0]), out[1]};
}

}  // namespace tenrec
