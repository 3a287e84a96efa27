// SPDX-License-Identifier: Apache-2.0
#include "passes/permute_axes.h"

#include <algorithm>

#include "ops/concat.h"
#include "ops/pad.h"
#include "ops/reduce.h"
#include "ops/resize.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/split.h"
#include "ops/transpose.h"
#include "passes/match.h"

namespace tenrec {
namespace {

using Perm = std::vector<int64_t>;

// The inner axis of an outer one.
int64_t inner_axis(const Perm& perm, int64_t axis) {
  return perm[static_cast<size_t>(normalise_axis(axis, static_cast<int64_t>(perm.size())))];
}

Tensor inner_axes(const Perm& perm, const std::vector<int64_t>& axes) {
  std::vector<int64_t> inner;
  for (const int64_t axis : axes) inner.push_back(inner_axis(perm, axis));
  return Tensor::of({static_cast<int64_t>(inner.size())}, inner);
}

// A constant operand in the inner order; it is as it was where broadcasting does not see the order.
std::optional<Tensor> inner_constant(const Perm& perm, const Tensor& constant) {
  if (constant.elements() == 1 && constant.dims().size() <= perm.size()) return Tensor();
  if (constant.dims().size() > perm.size()) return std::nullopt;
  Dims dims(perm.size() - constant.dims().size(), 1);
  dims.insert(dims.end(), constant.dims().begin(), constant.dims().end());
  Perm inverse(perm.size());
  for (size_t i = 0; i < perm.size(); ++i)
    inverse[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return Transpose{inverse}.eval({constant.reshaped(dims)})[0];
}

bool is_single(const Type& type, size_t rank) {
  return type.kind == Type::Kind::tensor && type.ranked && type.shape.size() <= rank &&
         std::all_of(type.shape.begin(), type.shape.end(),
                     [](const Dim& dim) { return dim == Dim(1); });
}

class Permuter {
 public:
  Permuter(const Node& node, const Perm& perm, const std::function<bool(const Value*)>& is_permuted)
      : node_(node), perm_(perm), is_permuted_(is_permuted) {}

  std::optional<Permuted> run() {
    if (node_.op().info().pointwise || node_.as<Concat>()) return operands();
    if (!node_.input(0) || !is_permuted_(node_.input(0)) || !is_full(node_.input(0)))
      return std::nullopt;
    if (const auto* op = node_.as<Split>()) return split(*op);
    if (const auto* op = node_.as<Softmax>())
      return along(Softmax{.axis = inner_axis(perm_, op->axis)});
    if (const auto* op = node_.as<LogSoftmax>())
      return along(LogSoftmax{.axis = inner_axis(perm_, op->axis)});
    if (const auto* op = node_.as<Reduce>()) return reduce(*op);
    if (node_.as<Pad>()) return pad();
    if (node_.as<Slice>()) return slice();
    if (const auto* op = node_.as<Resize>()) return resize(*op);
    return std::nullopt;
  }

 private:
  bool is_full(const Value* value) const {
    return value->type.ranked && value->type.shape.size() == perm_.size();
  }

  std::optional<Permuted> along(Op op) const { return Permuted{std::move(op), {}}; }

  // Pointwise operators and Concat: every input is permuted, a constant, or sees no order.
  std::optional<Permuted> operands() const {
    const Type& out = node_.output()->type;
    if (node_.output_count() != 1 || !out.ranked || out.shape.size() != perm_.size())
      return std::nullopt;
    Permuted result{node_.op(), std::vector<Tensor>(node_.inputs().size())};
    bool any = false;
    const auto* concat = node_.as<Concat>();
    for (size_t i = 0; i < node_.inputs().size(); ++i) {
      const Value* input = node_.input(i);
      if (!input) return std::nullopt;
      if (is_permuted_(input) && is_full(input)) {
        any = true;
        continue;
      }
      if (!concat && is_single(input->type, perm_.size())) continue;
      const Tensor* constant = input->constant();
      if (!constant || (concat && !is_full(input))) return std::nullopt;
      const auto inner = inner_constant(perm_, *constant);
      if (!inner) return std::nullopt;
      result.replaced[i] = *inner;
    }
    if (concat) result.op = Concat{.axis = inner_axis(perm_, concat->axis)};
    return any ? std::optional(result) : std::nullopt;
  }

  std::optional<Permuted> split(Split op) const {
    op.axis = inner_axis(perm_, op.axis);
    return Permuted{op, {}};
  }

  std::optional<Permuted> reduce(const Reduce& op) const {
    if (!op.keepdims) return std::nullopt;
    if (!node_.input(1)) return Permuted{op, {}};
    const auto axes = constant_ints(node_.input(1));
    if (!axes) return std::nullopt;
    return axes->empty() ? Permuted{op, {}} : Permuted{op, {Tensor(), inner_axes(perm_, *axes)}};
  }

  std::optional<Permuted> pad() const {
    const auto pads = constant_ints(node_.input(1));
    if (!pads) return std::nullopt;
    if (node_.input(3)) {
      const auto axes = constant_ints(node_.input(3));
      if (!axes) return std::nullopt;
      return Permuted{node_.op(), {Tensor(), Tensor(), Tensor(), inner_axes(perm_, *axes)}};
    }
    if (pads->size() != 2 * perm_.size()) return std::nullopt;
    std::vector<int64_t> inner(pads->size());
    for (size_t i = 0; i < perm_.size(); ++i) {
      const auto at = static_cast<size_t>(perm_[i]);
      inner[at] = (*pads)[i];
      inner[at + perm_.size()] = (*pads)[i + perm_.size()];
    }
    return Permuted{node_.op(),
                    {Tensor(), Tensor::of({static_cast<int64_t>(inner.size())}, inner)}};
  }

  std::optional<Permuted> slice() const {
    const auto starts = constant_ints(node_.input(1));
    if (!starts || !constant_ints(node_.input(2)) ||
        (node_.input(4) && !constant_ints(node_.input(4)))) {
      return std::nullopt;
    }
    std::vector<int64_t> axes;
    if (node_.input(3)) {
      const auto given = constant_ints(node_.input(3));
      if (!given) return std::nullopt;
      axes = *given;
    } else {
      for (size_t i = 0; i < starts->size(); ++i) axes.push_back(static_cast<int64_t>(i));
    }
    return Permuted{node_.op(), {Tensor(), Tensor(), Tensor(), inner_axes(perm_, axes)}};
  }

  // One number an axis: scales or sizes.
  std::optional<Permuted> resize(Resize op) const {
    if (node_.input(1) &&
        !(node_.input(1)->type.ranked && node_.input(1)->type.shape == Shape{Dim(0)})) {
      return std::nullopt;
    }
    if (!op.axes.empty()) {
      for (int64_t& axis : op.axes) axis = inner_axis(perm_, axis);
      return Permuted{op, {}};
    }
    Permuted result{op, std::vector<Tensor>(4)};
    for (const size_t i : {size_t{2}, size_t{3}}) {
      const Tensor* constant = node_.input(i) ? node_.input(i)->constant() : nullptr;
      if (!node_.input(i) || node_.input(i)->type.shape == Shape{Dim(0)}) continue;
      if (!constant || constant->elements() != perm_.size()) return std::nullopt;
      const std::vector<double> outer = constant->to_doubles();
      std::vector<double> inner(outer.size());
      for (size_t axis = 0; axis < outer.size(); ++axis)
        inner[static_cast<size_t>(perm_[axis])] = outer[axis];
      result.replaced[i] = Tensor::from_doubles(constant->dtype(), constant->dims(), inner);
    }
    return result;
  }

  const Node& node_;
  const Perm& perm_;
  const std::function<bool(const Value*)>& is_permuted_;
};

}  // namespace

std::optional<Permuted> permute_axes(const Node& node, const std::vector<int64_t>& perm,
                                     const std::function<bool(const Value*)>& is_permuted) {
  if (node.body_count() != 0) return std::nullopt;
  return Permuter(node, perm, is_permuted).run();
}

}  // namespace tenrec
