// SPDX-License-Identifier: Apache-2.0
#include "targets/common/anchored.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "ir/constant.h"
#include "ops/fused.h"
#include "ops/pad.h"
#include "targets/common/pointwise_program.h"

namespace tenrec {
namespace {

StepArg argument_of(Value* value) {
  if (!value) return {};
  return {value, {}};
}

// Records the nodes of a fused body behind its anchor.
class Region {
 public:
  Region(const Node& node, Anchored& out, const AnchorRules& rules)
      : node_(node), out_(out), rules_(rules) {}

  Reject read(std::string_view name) {
    const Graph& body = node_.body(0);
    if (body.outputs().size() != 1) return "the region has several outputs";
    for (const auto& inner : body.nodes()) {
      if (inner->as<Constant>()) continue;
      const Reject reject = inner->op().name() == name ? read_anchor(*inner)
                            : inner->as<Pad>()         ? read_pad(*inner)
                                                       : read_pointwise(*inner);
      if (!reject.empty()) return reject;
    }
    const auto result = values_.find(body.outputs()[0]);
    if (!anchor_ || result == values_.end()) return fmt::format("the region holds no {}", name);
    out_.epilogue.outputs = {result->second};
    if (out_.epilogue.nodes.size() == 1) out_.epilogue = {};
    return "";
  }

 private:
  // The outer value or constant behind a value of the body.
  StepArg source(Value* value) const {
    if (!value) return {};
    if (const Tensor* constant = value->constant()) return {nullptr, *constant};
    if (!value->producer()) return argument_of(node_.input(value->index()));
    return {};
  }

  Reject read_anchor(const Node& anchor) {
    if (anchor_) return "the region has two anchors";
    anchor_ = &anchor;
    out_.op = anchor.op();
    out_.types = anchor.input_types();
    out_.result = anchor.output()->type;
    for (size_t i = 0; i < anchor.inputs().size(); ++i) {
      out_.inputs.push_back(source(anchor.input(i)));
      if (anchor.input(i) && !out_.inputs.back().value && !out_.inputs.back().weight) {
        return "something is computed before the anchor";
      }
    }
    if (!allowed(out_.result.dtype))
      return fmt::format("the anchor gives {}", name(out_.result.dtype));
    values_[anchor.output()] = append_input(out_.epilogue, out_.result.dtype);
    return "";
  }

  // An operand without its last channels, as shorten_operands writes it.
  Reject read_pad(const Node& pad) {
    const Type &from = pad.input(0)->type, &to = pad.output()->type;
    const std::vector<Dim>* pads = pad.input(1)->type.known_ints();
    if (!rules_.short_operands || pad.as<Pad>()->mode != "constant" || pad.input(2) ||
        pad.input(3) || !pads || !(from.layout == to.layout))
      return "an operand is padded";
    for (size_t i = 0; i < pads->size(); ++i) {
      if (i != from.shape.size() + 1 && !((*pads)[i] == Dim(0))) return "an operand is padded";
    }
    padded_[pad.output()] = pad.input(0);
    return "";
  }

  Reject read_pointwise(const Node& inner) {
    if (!anchor_) return "something is computed before the anchor";
    if (!inner.op().info().pointwise) return fmt::format("{} is not pointwise", inner.op().name());
    std::vector<int32_t> arguments;
    for (Value* value : inner.inputs()) {
      const auto known = values_.find(value);
      if (known != values_.end()) {
        arguments.push_back(known->second);
        continue;
      }
      Reject reject;
      arguments.push_back(operand(value, reject));
      if (!reject.empty()) return reject;
    }
    values_[inner.output()] = append_op(out_.epilogue, inner.op(), arguments);
    return "";
  }

  int32_t operand(Value* value, Reject& reject) {
    const auto padded = padded_.find(value);
    out_.short_operand |= padded != padded_.end();
    StepArg arg = source(padded == padded_.end() ? value : padded->second);
    const DType dtype = value->type.dtype;
    if (arg.weight && arg.weight.elements() == 1)
      return values_[value] = append_constant(out_.epilogue, arg.weight);
    if (!arg.value && !arg.weight)
      reject = "an operand is computed inside the region, apart from the anchor";
    else if (!allowed(dtype)) reject = fmt::format("an operand is {}", name(dtype));
    else if (!fits(value->type)) reject = "an operand does not broadcast by channel";
    out_.operands.push_back(std::move(arg));
    return values_[value] = append_input(out_.epilogue, dtype);
  }

  bool allowed(DType dtype) const {
    return std::find(rules_.dtypes.begin(), rules_.dtypes.end(), dtype) != rules_.dtypes.end();
  }

  // Sizes may be symbols: equal shapes, one element, or one value a channel.
  bool fits(const Type& type) const {
    const Shape& out = out_.result.shape;
    if (!type.ranked || type.shape.size() > out.size()) return false;
    if (type.shape == out) return type.layout == out_.result.layout;
    const size_t axis = rules_.columns ? out.size() - 1 : 1;
    const size_t shift = out.size() - type.shape.size();
    if (!type.layout.is_plain()) return false;
    bool one = true, channel = shift <= axis;
    for (size_t i = 0; i < type.shape.size(); ++i) {
      one &= type.shape[i] == Dim(1);
      channel &= type.shape[i] == (i + shift == axis ? out[axis] : Dim(1));
    }
    return one || channel;
  }

  const Node& node_;
  Anchored& out_;
  const AnchorRules& rules_;
  const Node* anchor_ = nullptr;
  std::map<const Value*, int32_t> values_;
  std::map<const Value*, Value*> padded_;
};

}  // namespace

const Tensor* Anchored::constant(size_t i) const {
  if (i >= inputs.size()) return nullptr;
  if (inputs[i].weight) return &inputs[i].weight;
  return inputs[i].value ? inputs[i].value->constant() : nullptr;
}

Anchored anchored(const Node& node, std::string_view name, const AnchorRules& rules) {
  Anchored out;
  if (node.output_count() > 0) out.output = node.output();
  if (node.op().name() == name) {
    out.op = node.op();
    out.types = node.input_types();
    out.result = node.output()->type;
    for (Value* value : node.inputs()) out.inputs.push_back(argument_of(value));
  } else if (const auto* fused = node.as<Fused>(); fused && fused->anchor == name) {
    out.reject = Region(node, out, rules).read(name);
    if (out.reject.empty() && !out.epilogue.nodes.empty() && rules.unsupported) {
      out.reject = rules.unsupported(out.epilogue);
    }
    if (out.reject.empty() && (out.output->type.shape != out.result.shape ||
                               !(out.output->type.layout == out.result.layout))) {
      out.reject = "the region's output has another shape than its anchor's";
    }
  } else {
    out.reject = fmt::format("is no {}", name);
  }
  return out;
}

StepDraft anchored_draft(const Node& node, const Anchored& anchored, std::string_view family,
                         std::string tactic) {
  StepDraft draft;
  draft.family = family;
  draft.tactic = std::move(tactic);
  draft.op = node.op().name();
  draft.outputs = {anchored.output};
  return draft;
}

}  // namespace tenrec
