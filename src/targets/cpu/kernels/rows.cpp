// SPDX-License-Identifier: Apache-2.0
// Reductions, softmax and the normalisations.
#include "ops/normalization.h"
#include "ops/reduce.h"
#include "ops/softmax.h"
#include "targets/cpu/kernels/list.h"

namespace tenrec::cpu {
namespace {

bool is_row_float(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16;
}

Reject ranked_tensors(const Node& node) {
  for (const Value* value : node.inputs()) {
    if (value && (value->type.kind != Type::Kind::tensor || !value->type.ranked))
      return "the rank is not known";
  }
  return node.output()->type.ranked ? "" : "the rank is not known";
}

class ReduceKernel : public Kernel {
 public:
  std::string_view name() const override { return "reduce"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* op = node.as<Reduce>();
    if (!op) return "no reduction";
    if (Reject reject = ranked_tensors(node); !reject.empty()) return reject;
    const Type& in = node.input(0)->type;
    const bool whole = in.dtype == DType::i32 || in.dtype == DType::i64;
    if (!whole && in.dtype != DType::f32 && in.dtype != DType::f64)
      return fmt::format("{} elements", tenrec::name(in.dtype));
    if (whole && op->kind != ReduceKind::sum && op->kind != ReduceKind::max &&
        op->kind != ReduceKind::min && op->kind != ReduceKind::prod &&
        op->kind != ReduceKind::sum_square && op->kind != ReduceKind::l1) {
      return "an integer reduction that is not whole";
    }
    return check_layout(node, *op);
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    return draft_of(node, name(), tactic);
  }

 private:
  static Reject check_layout(const Node& node, const Reduce& op) {
    const Type& in = node.input(0)->type;
    const Layout& layout = in.layout;
    if (!(layout == node.output()->type.layout)) return "layouts differ";
    if (layout.is_plain()) return "";
    if (!op.keepdims || in.dtype != DType::f32) return "a layout that the output cannot have";
    if (layout.channels_last) return "";
    if (op.kind == ReduceKind::prod || op.kind == ReduceKind::log_sum ||
        op.kind == ReduceKind::log_sum_exp) {
      return "pad lanes would not stay zero";
    }
    const Value* axes = node.input(1);
    const auto known = axes ? axes->type.constant_ints() : std::nullopt;
    if (axes && !known) return "axes are not constant";
    const auto reduced = op.reduced_axes(in.rank(), known.value_or(Dims{}));
    return reduced[static_cast<size_t>(layout.block_axis)] ? "reduces channel blocks" : "";
  }
};

class NormaliseKernel : public Kernel {
 public:
  std::string_view name() const override { return "normalise"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const std::string_view op = node.op().name();
    const bool softmax = op == "softmax" || op == "log_softmax";
    const bool layer = op == "layer_normalization" || op == "rms_normalization";
    const bool group = op == "instance_normalization" || op == "group_normalization";
    if (!softmax && !layer && !group) return "no softmax or normalisation";
    if (Reject reject = ranked_tensors(node); !reject.empty()) return reject;
    for (const Value* value : node.inputs()) {
      if (!value) continue;
      if (!is_row_float(value->type.dtype))
        return fmt::format("{} elements", tenrec::name(value->type.dtype));
      if (!value->type.layout.is_plain()) return "a blocked layout";
    }
    if (!node.output()->type.layout.is_plain()) return "a blocked layout";
    return layer ? check_layer(node) : softmax ? check_softmax(node) : "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    draft.in_place = 0;
    return draft;
  }

 private:
  static Reject check_softmax(const Node& node) {
    const Type& in = node.input(0)->type;
    const auto* soft = node.as<Softmax>();
    const int64_t axis = soft ? soft->axis : node.as<LogSoftmax>()->axis;
    const bool last = in.rank() == 0 || normalise_axis(axis, in.rank()) == in.rank() - 1;
    return last || in.dtype == DType::f32 ? "" : "a softmax across rows of short floats";
  }

  // Parameters must cover the normalised axes exactly.
  static Reject check_layer(const Node& node) {
    const Type& in = node.input(0)->type;
    const auto* norm = node.as<LayerNormalization>();
    const int64_t axis =
        normalise_axis(norm ? norm->axis : node.as<RMSNormalization>()->axis, in.rank());
    const Dim size = product(Shape(in.shape.begin() + axis, in.shape.end()));
    for (size_t i = 1; i < node.inputs().size(); ++i) {
      if (node.input(i) && !(product(node.input(i)->type.shape) == size))
        return "a parameter is broadcast";
    }
    for (size_t i = 1; i < node.output_count(); ++i) {
      if (node.output(i)->type.dtype != DType::f32) return "statistics are not f32";
    }
    return "";
  }
};

}  // namespace

const Kernel& reduce_kernel() {
  static const ReduceKernel kernel;
  return kernel;
}

const Kernel& normalise_kernel() {
  static const NormaliseKernel kernel;
  return kernel;
}

}  // namespace tenrec::cpu
