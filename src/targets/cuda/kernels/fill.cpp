// SPDX-License-Identifier: Apache-2.0
// Elements that come from a place or are a constant: Pad, CenterCropPad, Trilu, ConstantOfShape,
// EyeLike, Range, OneHot.
#include "ops/center_crop_pad.h"
#include "ops/constant_of_shape.h"
#include "ops/eye_like.h"
#include "ops/one_hot.h"
#include "ops/pad.h"
#include "ops/range.h"
#include "ops/trilu.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

struct Pads {
  Reject reject = {};
  std::vector<Dim> begin = {}, end = {};  // of each axis, where they are known
  bool late = false;                      // they are read from the tensor
  bool late_axes = false;                 // and so is which axis an entry is of
  std::vector<size_t> entries = {};       // of each axis in the tensor; many: none
};
constexpr size_t no_entry = SIZE_MAX;

Pads pads_of(const Node& node) {
  const Type& in = node.input(0)->type;
  const Type& given = node.input(1)->type;
  const std::vector<Dim> zeros(in.shape.size(), Dim(0));
  std::optional<std::vector<int64_t>> axes = even_offsets(in.rank(), 1);
  if (node.input(3)) axes = node.input(3)->type.constant_ints();
  Pads result{.begin = zeros, .end = zeros, .late = !axes || !given.known_ints()};
  if (result.late && given.dtype != DType::i64) return {.reject = "pads are not i64"};
  result.late_axes = !axes;
  if (!axes) return result;
  result.entries.assign(in.shape.size(), no_entry);
  for (size_t i = 0; i < axes->size(); ++i) {
    const auto axis = static_cast<size_t>(normalise_axis((*axes)[i], in.rank()));
    result.entries[axis] = i;
    if (result.late) continue;
    result.begin[axis] = (*given.known_ints())[i];
    result.end[axis] = (*given.known_ints())[i + axes->size()];
  }
  return result;
}

// Of an odd difference the smaller half is in front, when cutting and when padding.
Pads centred_pads(const Type& in, const Type& out) {
  Pads pads;
  for (size_t axis = 0; axis < in.shape.size(); ++axis) {
    const Dim more = out.shape[axis] - in.shape[axis];
    const auto half = [](const Dim& size) { return floordiv(max(size, Dim(0)), Dim(2)); };
    pads.begin.push_back(half(more) - half(Dim(0) - more));
    pads.end.push_back(more - pads.begin.back());
  }
  return pads;
}

class Writer {
 public:
  Writer(const Node& node, StepWriter& step)
      : node_(node),
        step_(step),
        kernel_(step, std::string(node.op().name())),
        out_(node.output()->type),
        variables_(numbered("x", out_.shape.size())) {
    kernel_.reach_all();
    count_ = product(out_.shape);
    kernel_.body = kernel_.flat_index(count_);
    kernel_.body += element_index(kernel_, out_, "i", variables_);
  }

  void pad(const Pads& pads, const std::string& mode, const std::string& fill) {
    const Type& in = node_.input(0)->type;
    kernel_.functions = "#include \"index.cuh\"\n#include \"pad.cuh\"\n";
    std::string& body = kernel_.body;
    std::vector<std::string> from;
    body += "  bool inside = true;\n";
    for (size_t axis = 0; axis < in.shape.size(); ++axis) {
      from.push_back(fmt::format("p{}", axis));
      if (pads.late_axes || (pads.late && pads.entries[axis] != no_entry)) {
        body += late_pad(pads, mode, axis);
        continue;
      }
      // Negative pads crop: what is kept lies at [low, low + size).
      const Dim low = max(Dim(0) - pads.begin[axis], Dim(0));
      const Dim size = in.shape[axis] + min(pads.end[axis], Dim(0)) - low;
      body += fmt::format(
          "  const idx q{0} = pad_{1}(x{0} - {2}, {3}), p{0} = q{0} + {4};\n"
          "  inside &= q{0} >= 0;\n",
          axis, mode, kernel_.dim(pads.begin[axis] + low), kernel_.dim(size), kernel_.dim(low));
    }
    body += fmt::format("  {}[i] = inside ? {}[{}] : {};\n", kernel_.output(0), kernel_.input(0),
                        kernel_.offset({memory_strides(in), Dim(0)}, from), fill);
    finish();
  }
  std::string pad_value() { return node_.input(2) ? kernel_.input(2) + "[0]" : "0"; }

  void eye(const EyeLike& op) {
    kernel_.body +=
        fmt::format("  {}[i] = {};\n", kernel_.output(0),
                    store_text(out_.dtype, fmt::format("({})((long long)x1 - x0 == {}LL)",
                                                       compute_type(out_.dtype), op.k)));
    finish();
  }

  void trilu(const Trilu& op) {
    const size_t rank = out_.shape.size();
    const std::string shift =
        node_.input(1) ? fmt::format("(long long){}[0]", kernel_.input(1)) : "0";
    kernel_.body += fmt::format(
        "  const long long above = (long long)x{} - x{} - {};\n  {}[i] = above {} 0 ? 0 : "
        "{}[{}];\n",
        rank - 1, rank - 2, shift, kernel_.output(0), op.upper ? "<" : ">", kernel_.input(0),
        kernel_.offset({memory_strides(node_.input(0)->type), Dim(0)}, variables_));
    finish();
  }

  void constant(const Tensor& value) {
    const DType dtype = out_.dtype;
    const std::string text = is_float(dtype) ? literal(dtype, value.to_doubles()[0], 0)
                                             : literal(dtype, 0, value.to_ints()[0]);
    kernel_.body += fmt::format("  {}[i] = {};\n", kernel_.output(0), store_text(dtype, text));
    finish();
  }

  void range() {
    const std::string type = compute_type(out_.dtype);
    const std::string start = load_text(out_.dtype, kernel_.input(0) + "[0]");
    const std::string step = load_text(out_.dtype, kernel_.input(2) + "[0]");
    const std::string value =
        is_float(out_.dtype)
            ? fmt::format("(({0})({1} + (double)i * {2}))", type, start, step)
            : fmt::format("(({0})((u64){1} + (u64)i * (u64){2}))", type, start, step);
    kernel_.body +=
        fmt::format("  {}[i] = {};\n", kernel_.output(0), store_text(out_.dtype, value));
    finish();
  }

  void one_hot(const OneHot& op) {
    const auto axis = static_cast<size_t>(normalise_axis(op.axis, out_.rank()));
    std::vector<std::string> from = variables_;
    from.erase(from.begin() + static_cast<std::ptrdiff_t>(axis));
    const Type& indices = node_.input(0)->type;
    const std::string depth = kernel_.dim(out_.shape[axis]);
    const std::string index = load_text(
        indices.dtype, fmt::format("{}[{}]", kernel_.input(0),
                                   kernel_.offset({memory_strides(indices), Dim(0)}, from)));
    kernel_.body += fmt::format(
        "  const long long k = {0}, depth = {1};\n"
        "  const bool hot = k < depth && k >= -depth && (k < 0 ? k + depth : k) == {2};\n"
        "  {3}[i] = {4}[hot ? 1 : 0];\n",
        is_float(indices.dtype) ? fmt::format("to_integer<long long>({})", index)
                                : fmt::format("(long long){}", index),
        depth, variables_[axis], kernel_.output(0), kernel_.input(2));
    finish();
  }

 private:
  // Of one axis whose pads only running tells.
  std::string late_pad(const Pads& pads, const std::string& mode, size_t axis) {
    const Type& in = node_.input(0)->type;
    const Dim count = floordiv(node_.input(1)->type.shape[0], Dim(2));
    const std::string entry = pads.late_axes
                                  ? fmt::format("entry_of({}, {}, {}, {})", kernel_.input(3),
                                                kernel_.dim(count), axis, in.rank())
                                  : fmt::format("{}", pads.entries[axis]);
    return fmt::format(
        "  const idx k{0} = {1};\n"
        "  const idx b{0} = k{0} < 0 ? 0 : {2}[k{0}], e{0} = k{0} < 0 ? 0 : {2}[k{0} + {3}];\n"
        "  const idx l{0} = b{0} < 0 ? -b{0} : 0, s{0} = {4} + (e{0} < 0 ? e{0} : 0) - l{0};\n"
        "  const idx q{0} = pad_{5}(x{0} - b{0} - l{0}, s{0}), p{0} = q{0} + l{0};\n"
        "  inside &= q{0} >= 0;\n",
        axis, entry, kernel_.input(1), kernel_.dim(count), kernel_.dim(in.shape[axis]), mode);
  }

  void finish() { step_.launch_flat(kernel_, count_); }

  const Node& node_;
  StepWriter& step_;
  KernelText kernel_;
  const Type& out_;
  std::vector<std::string> variables_;
  Dim count_;
};

class Fill : public Kernel {
 public:
  std::string_view name() const override { return "fill"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const bool pads = node.as<Pad>() || node.as<CenterCropPad>();
    const bool known = pads || node.as<Trilu>() || node.as<ConstantOfShape>() ||
                       node.as<EyeLike>() || node.as<Range>() || node.as<OneHot>();
    if (!known) return "fills nothing";
    if (!has_strides(node.output()->type)) return "the rank is not known, or a blocked layout";
    if (!is_supported(node.output()->type.dtype))
      return fmt::format("{} elements", tenrec::name(node.output()->type.dtype));
    for (const Value* value : node.inputs()) {
      if (!value) continue;
      if (!has_strides(value->type)) return "the rank is not known, or a blocked layout";
      if (!is_supported(value->type.dtype))
        return fmt::format("{} elements", tenrec::name(value->type.dtype));
    }
    if (pads && !(node.input(0)->type.layout == node.output()->type.layout))
      return "layouts differ";
    return node.as<Pad>() ? pads_of(node).reject : "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    // Shapes given as values, or as tensors of no interest, are sizes of the step.
    if (node.as<ConstantOfShape>() || node.as<EyeLike>()) draft.inputs.clear();
    if (node.as<CenterCropPad>()) draft.inputs.resize(1);
    if (node.as<Pad>()) {
      const Pads pads = pads_of(node);
      if (!pads.late) draft.inputs[1] = {};
      if (!pads.late_axes) draft.inputs.resize(std::min<size_t>(draft.inputs.size(), 3));
    }
    if (node.as<OneHot>()) draft.inputs[1] = {};
    StepWriter step(std::move(draft));
    Writer writer(node, step);
    if (const auto* op = node.as<Pad>()) writer.pad(pads_of(node), op->mode, writer.pad_value());
    if (node.as<CenterCropPad>())
      writer.pad(centred_pads(node.input(0)->type, node.output()->type), "constant", "0");
    if (const auto* op = node.as<EyeLike>()) writer.eye(*op);
    if (const auto* op = node.as<Trilu>()) writer.trilu(*op);
    if (const auto* op = node.as<ConstantOfShape>()) writer.constant(op->value);
    if (node.as<Range>()) writer.range();
    if (const auto* op = node.as<OneHot>()) writer.one_hot(*op);
    return step.finish();
  }
};

}  // namespace

const Kernel& fill_kernel() {
  static const Fill kernel;
  return kernel;
}

}  // namespace tenrec::cuda
