// SPDX-License-Identifier: Apache-2.0
#include "targets/common/layout.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "ir/constant.h"
#include "ops/conv.h"
#include "ops/fused.h"
#include "ops/roi.h"
#include "ops/slice.h"
#include "ops/split.h"
#include "ops/transpose.h"

namespace tenrec {
namespace {

class Assignment {
 public:
  Assignment(Graph& graph, const DeviceInfo& device, const LayoutRules& rules)
      : graph_(graph), device_(device), rules_(rules) {}

  void run() {
    for (Node* node = graph_.front(); node; node = node->next()) {
      for (size_t i = 0; i < node->body_count(); ++i)
        assign_layouts(node->body(i), device_, rules_);
      if (node->as<Reformat>() || node->as<Constant>()) continue;
      if (!try_island(*node)) make_plain(*node);
      placed_.insert(node);
    }
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      graph_.set_output(i, plain_form(graph_.outputs()[i], nullptr));
    }
  }

 private:
  // Channels on axis 1 of at least three axes; a layout says nothing for anything else.
  bool can_join(const Type& type) const {
    return type.kind == Type::Kind::tensor && type.ranked && type.rank() == 4 &&
           std::find(rules_.dtypes.begin(), rules_.dtypes.end(), type.dtype) != rules_.dtypes.end();
  }

  bool try_island(Node& node) {
    if (node.body_count() != 0 || node.inputs().empty()) return false;
    for (const Value* output : node.outputs()) {
      if (!can_join(output->type)) return false;
    }
    const Values before = node.inputs();
    const bool is_conv = node.as<Conv>() != nullptr;
    // What leaves the graph is row-major: a node that makes it larger on the way out (an
    // upsampling) does so behind the reformat.
    bool leaves = !is_conv && before[0] && grows(before[0]->type, node.output()->type);
    for (const Value* output : node.outputs()) {
      for (const Use& use : output->uses()) leaves &= use.node == nullptr;
    }
    if (leaves) return false;
    // Few channels last make short runs in memory, and parts of them are no views.
    if (rules_.layout.channels_last && is_few(node.output()->type) &&
        (!is_conv || is_few(before[0]->type)))
      return false;
    bool touches = is_conv;
    for (const Value* input : before) touches |= input && !input->type.layout.is_plain();
    if (!touches) return false;
    const bool may_leave =
        cuts_channels(node) || !lies_in_blocks(node) || is_read_by_rows(node.input(0), node);
    if ((!is_conv || goes_by_rows(node)) && may_leave && is_mostly_padding(node)) return false;
    for (Value* output : node.outputs()) output->type.layout = rules_.layout;
    // A stem reads its few channels as they come; padding them to a block would waste most of the
    // work.
    const bool few_channels = is_conv && before[0]->type.layout.is_plain() &&
                              before[0]->type.shape[1].upper() < rules_.few_channels;
    if (few_channels && accepted(node)) return true;
    for (size_t i = 0; i < before.size(); ++i) {
      Value* input = before[i];
      if (!input) continue;
      const bool wanted = is_conv ? i == 0 : is_full(input->type, node.output()->type);
      graph_.set_input(&node, i, wanted ? joined_form(input, &node) : plain_form(input, &node));
    }
    if (accepted(node)) return true;
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i] != node.input(i)) graph_.set_input(&node, i, before[i]);
    }
    for (Value* output : node.outputs()) output->type.layout = {};
    return false;
  }

  static bool grows(const Type& from, const Type& to) {
    const Dim before = product(from.shape), after = product(to.shape);
    return before.is_const() && after.is_const() ? before.value() < after.value()
                                                 : !(before == after);
  }

  bool is_few(const Type& type) const {
    return can_join(type) && !(type.shape[1] == Dim(1)) &&
           type.shape[1].upper() < rules_.few_channels;
  }

  // An output in blocks of which at most half are channels takes twice the memory or more.
  bool is_mostly_padding(const Node& node) const {
    const Values& outputs = node.outputs();
    return rules_.layout.block_axis == 1 &&
           std::any_of(outputs.begin(), outputs.end(), [&](const Value* output) {
             return 2 * output->type.shape[1].upper() <= rules_.layout.block;
           });
  }

  // Parts of the channels: outside blocks they are views of the whole.
  static bool cuts_channels(const Node& node) {
    return (node.as<Split>() || node.as<Slice>()) &&
           !(node.input(0)->type.shape[1] == node.output()->type.shape[1]);
  }

  // A convolution of each channel for itself, whose neighbouring outputs read neighbouring inputs:
  // as good on rows as in blocks.
  static bool goes_by_rows(const Node& node) {
    const Conv& conv = *node.as<Conv>();
    const Dim channels(conv.group);
    return node.input(0)->type.shape[1] == channels && node.output()->type.shape[1] == channels &&
           (conv.strides.empty() || conv.strides.back() == 1);
  }

  // All that a node reads is in blocks already, and it makes no more of it: to leave the island
  // here would only add a reformat.
  bool lies_in_blocks(const Node& node) const {
    const Type& output = node.output()->type;
    for (const Value* input : node.inputs()) {
      if (input && is_full(input->type, output) && input->type.layout.is_plain()) return false;
    }
    return node.input(0) && !grows(node.input(0)->type, output);
  }

  // Something beside `node` needs the value row by row: it stands with what is row-major already.
  bool is_read_by_rows(const Value* value, const Node& node) const {
    const auto is_made_plain = [&](const Value* other) {
      return other && other != value && other->type.layout.is_plain() &&
             is_full(other->type, value->type) &&
             (!other->producer() || placed_.contains(other->producer()));
    };
    return std::any_of(value->uses().begin(), value->uses().end(), [&](const Use& use) {
      return use.node && use.node != &node && !use.node->as<Conv>() &&
             std::any_of(use.node->inputs().begin(), use.node->inputs().end(), is_made_plain);
    });
  }

  // An operand with channels of its own, unlike one that broadcasts along them.
  bool is_full(const Type& type, const Type& output) const {
    return can_join(type) && type.rank() == output.rank() && !(type.shape[1] == Dim(1)) &&
           !(type.shape[2] == Dim(1) && type.shape[3] == Dim(1) && type.layout.is_plain() &&
             !(output.shape[2] == Dim(1)));
  }

  bool accepted(const Node& node) const { return has_real_kernel(node, rules_.kernels, device_); }

  void make_plain(Node& node) {
    // A transposition out of an island can be the change of layout as well, and regions of an
    // island's tensor are read where they lie.
    if ((node.as<Transpose>() || node.as<RoiAlign>()) && accepted(node)) return;
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      if (Value* input = node.input(i)) graph_.set_input(&node, i, plain_form(input, &node));
    }
  }

  Value* joined_form(Value* value, Node* before) {
    return value->type.layout.is_plain() ? other_form(value, before, rules_.layout, joined_)
                                         : value;
  }
  Value* plain_form(Value* value, Node* before) {
    return value->type.layout.is_plain() ? value : other_form(value, before, Layout{}, plain_);
  }

  Value* other_form(Value* value, Node* before, const Layout& layout,
                    std::map<Value*, Value*>& made) {
    // A reformat undone is the value it came from.
    if (const auto* reformat = value->producer() ? value->producer()->as<Reformat>() : nullptr) {
      Value* source = value->producer()->input(0);
      if (reformat && source->type.layout == layout) return source;
    }
    Value*& form = made[value];
    if (form) return form;
    Reformat op;
    op.block_axis = layout.block_axis;
    op.block = layout.block;
    op.channels_last = layout.channels_last;
    const std::vector<std::string> origins =
        value->producer() ? value->producer()->origins() : std::vector<std::string>{};
    return form = graph_.insert(before, op, {value}, {}, origins)->output();
  }

  Graph& graph_;
  const DeviceInfo& device_;
  const LayoutRules& rules_;
  std::map<Value*, Value*> joined_, plain_;
  std::unordered_set<const Node*> placed_;
};

}  // namespace

void assign_layouts(Graph& graph, const DeviceInfo& device, const LayoutRules& rules) {
  Assignment(graph, device, rules).run();
  graph.remove_dead();
}

}  // namespace tenrec
