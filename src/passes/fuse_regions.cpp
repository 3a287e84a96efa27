// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_regions.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "ir/constant.h"

namespace tenrec {
namespace {

bool contains(const std::vector<DType>& dtypes, DType dtype) {
  return std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end();
}

bool is_scalar(const Value& value) {
  const Tensor* constant = value.constant();
  return constant && constant->elements() == 1;
}

// One size and memory order.
bool same_place(const Type& a, const Type& b) { return a.shape == b.shape && a.layout == b.layout; }

class RegionFinder {
 public:
  RegionFinder(const Graph& graph, const FuseOptions& options) : options_(options) {
    for (const auto& node : graph.nodes()) {
      position_[node.get()] = nodes_.size();
      nodes_.push_back(node.get());
    }
    group_of_.assign(nodes_.size(), none);
    visited_.assign(nodes_.size(), 0);
    for (const Node* node : nodes_) {
      std::vector<Position>& producers = producers_.emplace_back();
      for (const Value* value : node->inputs()) {
        if (value && value->producer()) producers.push_back(position_.at(value->producer()));
      }
    }
  }

  std::vector<Region> run() {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (is_anchor(*nodes_[i])) grow_anchored(i);
    }
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (group_of_[i] == none && is_pointwise(*nodes_[i])) join_producers(i);
    }
    return result();
  }

 private:
  using Position = size_t;
  static constexpr size_t none = SIZE_MAX;

  struct Group {
    std::string anchor;
    std::vector<Position> members;  // ascending; empty: merged into another
  };

  // --- what may be fused -------------------------------------------------------------------------

  // Sizes computed as data belong to the host.
  bool is_pointwise(const Node& node) const {
    if (!node.op().info().pointwise || node.output_count() != 1) return false;
    for (const Value* value : node.inputs()) {
      if (!value || !fits(value->type)) return false;
    }
    const Type& out = node.output()->type;
    return fits(out) && !out.known_ints();
  }

  bool fits(const Type& type) const {
    return type.kind == Type::Kind::tensor && type.ranked && contains(options_.dtypes, type.dtype);
  }

  bool is_anchor(const Node& node) const {
    const std::string_view name = node.op().name();
    if (std::find(options_.anchors.begin(), options_.anchors.end(), name) == options_.anchors.end())
      return false;
    if (node.output_count() != 1) return false;
    for (const Value* value : node.inputs()) {
      if (value && (!fits(value->type) || !is_float(value->type.dtype))) return false;
    }
    if (name != "matmul") return true;
    return node.input(0)->type.rank() >= 2 && node.input(1)->type.rank() >= 2;
  }

  // --- anchored regions
  // ---------------------------------------------------------------------------

  // The size of a constant varies along the anchor's channels alone.
  static bool by_channel(const Tensor& constant, const Type& out, size_t axis) {
    const Dims& dims = constant.dims();
    if (dims.size() > out.shape.size()) return false;
    const size_t shift = out.shape.size() - dims.size();
    for (size_t i = 0; i < dims.size(); ++i) {
      if (dims[i] != 1 && !(i + shift == axis && out.shape[axis] == Dim(dims[i]))) return false;
    }
    return true;
  }

  bool epilogue_operand(const Node& anchor, const Value& value) const {
    if (is_scalar(value)) return true;
    const Type& out = anchor.output()->type;
    if (!is_float(value.type.dtype)) return false;
    const size_t axis = anchor.op().name() == "matmul" ? out.shape.size() - 1 : 1;
    if (const Tensor* constant = value.constant(); constant && by_channel(*constant, out, axis))
      return true;
    return same_place(value.type, out);
  }

  bool can_follow(const Node& anchor, const Node& node,
                  const std::unordered_set<const Value*>& inside) const {
    const Type& out = anchor.output()->type;
    if (!is_pointwise(node) || !same_place(node.output()->type, out)) return false;
    return std::all_of(node.inputs().begin(), node.inputs().end(), [&](const Value* value) {
      return inside.count(value) || epilogue_operand(anchor, *value);
    });
  }

  // Values of the region read outside it.
  size_t live_count(const std::vector<Position>& members) const {
    size_t live = 0;
    for (const Position member : members) {
      const std::vector<Use>& uses = nodes_[member]->output()->uses();
      live += std::any_of(uses.begin(), uses.end(), [&](const Use& use) {
        return !use.node ||
               !std::binary_search(members.begin(), members.end(), position_.at(use.node));
      });
    }
    return live;
  }

  // Takes readers in graph order while they fit, and keeps the longest region that one value
  // leaves: all readers of the others are inside, so no input can depend on the region.
  void grow_anchored(Position anchor) {
    std::vector<Position> members{anchor};
    std::unordered_set<const Value*> inside{nodes_[anchor]->output()};
    size_t best = 1;
    while (members.size() < options_.max_nodes) {
      Position next = none;
      for (const Position member : members) {
        for (const Use& use : nodes_[member]->output()->uses()) {
          if (use.node && position_.at(use.node) > members.back())
            next = std::min(next, position_.at(use.node));
        }
      }
      if (next == none || group_of_[next] != none ||
          !can_follow(*nodes_[anchor], *nodes_[next], inside))
        break;
      members.push_back(next);
      inside.insert(nodes_[next]->output());
      if (input_count(members) > options_.max_inputs) break;
      if (is_float(nodes_[next]->output()->type.dtype) && live_count(members) == 1)
        best = members.size();
    }
    members.resize(best);
    if (best == 1) return;
    for (const Position member : members) group_of_[member] = groups_.size();
    groups_.push_back({std::string(nodes_[anchor]->op().name()), std::move(members)});
  }

  // --- pointwise regions
  // --------------------------------------------------------------------------

  size_t input_count(const std::vector<Position>& members) const {
    std::unordered_set<const Value*> inputs;
    for (const Position member : members) {
      for (const Value* value : nodes_[member]->inputs()) {
        if (!value || is_scalar(*value)) continue;
        const Node* producer = value->producer();
        const bool inner =
            producer && std::binary_search(members.begin(), members.end(), position_.at(producer));
        if (!inner) inputs.insert(value);
      }
    }
    return inputs.size();
  }

  // A node starts alone and merges with the regions that it reads, where they have its size.
  void join_producers(Position at) {
    const Node& node = *nodes_[at];
    const size_t own = groups_.size();
    group_of_[at] = own;
    groups_.push_back({"pointwise", {at}});
    for (const Value* value : node.inputs()) {
      const Node* producer = value->producer();
      if (!producer || !same_place(value->type, node.output()->type)) continue;
      const size_t other = group_of_[position_.at(producer)];
      if (other != none && other != own && groups_[other].anchor == "pointwise")
        try_merge(own, other);
    }
  }

  void try_merge(size_t into, size_t from) {
    std::vector<Position> members;
    std::merge(groups_[into].members.begin(), groups_[into].members.end(),
               groups_[from].members.begin(), groups_[from].members.end(),
               std::back_inserter(members));
    if (members.size() > options_.max_nodes || input_count(members) > options_.max_inputs) return;
    if (makes_cycle(members, into, from)) return;
    for (const Position member : groups_[from].members) group_of_[member] = into;
    groups_[into].members = std::move(members);
    groups_[from].members.clear();
  }

  // Does anything outside that the members read depend on a member? Regions count as one node each.
  bool makes_cycle(const std::vector<Position>& members, size_t a, size_t b) {
    const auto is_member = [&](Position at) { return group_of_[at] == a || group_of_[at] == b; };
    ++visit_;
    std::vector<Position> stack;
    for (const Position member : members) {
      for (const Position producer : producers_[member]) {
        if (!is_member(producer)) stack.push_back(producer);
      }
    }
    while (!stack.empty()) {
      const Position at = stack.back();
      stack.pop_back();
      if (is_member(at)) return true;
      if (visited_[at] == visit_) continue;
      const size_t group = group_of_[at];
      const std::vector<Position> alone{at};
      for (const Position inner : group == none ? alone : groups_[group].members) {
        visited_[inner] = visit_;
        stack.insert(stack.end(), producers_[inner].begin(), producers_[inner].end());
      }
    }
    return false;
  }

  std::vector<Region> result() const {
    std::vector<const Group*> found;
    for (const Group& group : groups_) {
      if (group.members.size() > 1) found.push_back(&group);
    }
    std::sort(found.begin(), found.end(),
              [](const Group* a, const Group* b) { return a->members.back() < b->members.back(); });
    std::vector<Region> regions;
    for (const Group* group : found) {
      Region region{group->anchor, {}};
      for (const Position member : group->members) region.nodes.push_back(nodes_[member]);
      regions.push_back(std::move(region));
    }
    return regions;
  }

  const FuseOptions& options_;
  std::vector<Node*> nodes_;
  std::unordered_map<const Node*, Position> position_;
  std::vector<std::vector<Position>> producers_;  // of each node's inputs
  std::vector<size_t> group_of_;
  std::vector<size_t> visited_;  // by which search
  size_t visit_ = 0;
  std::vector<Group> groups_;
};

}  // namespace

std::vector<Region> find_regions(const Graph& graph, const FuseOptions& options) {
  return RegionFinder(graph, options).run();
}

}  // namespace tenrec
