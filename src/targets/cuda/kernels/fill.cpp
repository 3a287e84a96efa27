// SPDX-License-Identifier: Apache-2.0
// Elements that come from a place or are a constant: Pad, Trilu, ConstantOfShape, Range, OneHot.
#include "ops/constant_of_shape.h"
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
  Reject reject;
  std::vector<Dim> begin, end;  // of each axis, where they are known
  bool late = false;            // they are read from the tensor
  std::vector<size_t> entries;  // of each axis in the tensor; its size: none
};

Pads pads_of(const Node& node) {
  const Type& in = node.input(0)->type;
  const Type& given = node.input(1)->type;
  const std::vector<Dim> zeros(in.shape.size(), Dim(0));
  Pads result{"", zeros, zeros, given.known_ints() == nullptr, {}};
  if (result.late && given.dtype != DType::i64) return {"pads are not i64", {}, {}, true, {}};
  std::vector<int64_t> axes;
  if (node.input(3)) {
    const auto constant = node.input(3)->type.constant_ints();
    if (!constant) return {"axes are not constant", {}, {}, true, {}};
    axes = *constant;
  } else {
    for (size_t i = 0; i < in.shape.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  }
  result.entries.assign(in.shape.size(), axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(normalise_axis(axes[i], in.rank()));
    result.entries[axis] = i;
    if (result.late) continue;
    result.begin[axis] = (*given.known_ints())[i];
    result.end[axis] = (*given.known_ints())[i + axes.size()];
  }
  return result;
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
    kernel_.body =
        fmt::format("  const idx i = (idx)blockIdx.x * {} + threadIdx.x;\n  if (i >= {}) return;\n",
                    block_threads, kernel_.dim(count_));
    kernel_.body += element_index(kernel_, out_, "i", variables_);
  }

  void pad(const Pad& op) {
    const Type& in = node_.input(0)->type;
    const Pads pads = pads_of(node_);
    const size_t pads_count =
        node_.input(3) ? node_.input(3)->type.constant_ints()->size() : in.shape.size();
    kernel_.functions = "#include \"pad.cuh\"\n";
    std::string& body = kernel_.body;
    std::vector<std::string> from;
    body += "  bool inside = true;\n";
    for (size_t axis = 0; axis < in.shape.size(); ++axis) {
      from.push_back(fmt::format("p{}", axis));
      if (pads.late && pads.entries[axis] < pads_count) {
        body += late_pad(op, in, axis, pads.entries[axis], pads_count);
        continue;
      }
      // Negative pads crop: what is kept lies at [low, low + size).
      const Dim low = max(Dim(0) - pads.begin[axis], Dim(0));
      const Dim size = in.shape[axis] + min(pads.end[axis], Dim(0)) - low;
      body += fmt::format(
          "  const idx q{0} = pad_{1}(x{0} - {2}, {3}), p{0} = q{0} + {4};\n"
          "  inside &= q{0} >= 0;\n",
          axis, op.mode, kernel_.dim(pads.begin[axis] + low), kernel_.dim(size), kernel_.dim(low));
    }
    const std::string fill = node_.input(2) ? kernel_.input(2) + "[0]" : "0";
    body += fmt::format("  {}[i] = inside ? {}[{}] : {};\n", kernel_.output(0), kernel_.input(0),
                        kernel_.offset({memory_strides(in), Dim(0)}, from), fill);
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
  void finish() { step_.launch(kernel_, ceildiv(count_, Dim(block_threads)), block_threads); }

  const Node& node_;
  StepWriter& step_;
  KernelText kernel_;
  const Type& out_;
  // The same with pads that only running tells.
  std::string late_pad(const Pad& op, const Type& in, size_t axis, size_t entry, size_t count) {
    return fmt::format(
        "  const idx b{0} = {1}[{2}], e{0} = {1}[{3}];\n"
        "  const idx l{0} = b{0} < 0 ? -b{0} : 0, s{0} = {4} + (e{0} < 0 ? e{0} : 0) - l{0};\n"
        "  const idx q{0} = pad_{5}(x{0} - b{0} - l{0}, s{0}), p{0} = q{0} + l{0};\n"
        "  inside &= q{0} >= 0;\n",
        axis, kernel_.input(1), entry, entry + count, kernel_.dim(in.shape[axis]), op.mode);
  }

  std::vector<std::string> variables_;
  Dim count_;
};

class Fill : public Kernel {
 public:
  std::string_view name() const override { return "fill"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const bool known = node.as<Pad>() || node.as<Trilu>() || node.as<ConstantOfShape>() ||
                       node.as<Range>() || node.as<OneHot>();
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
    if (node.as<Pad>()) {
      if (!(node.input(0)->type.layout == node.output()->type.layout)) return "layouts differ";
      return pads_of(node).reject;
    }
    return "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    // Shapes given as values are sizes of the step.
    if (node.as<ConstantOfShape>()) draft.inputs.clear();
    if (node.as<Pad>()) {
      draft.inputs.resize(std::min<size_t>(draft.inputs.size(), 3));
      if (!pads_of(node).late) draft.inputs[1] = {};
    }
    if (node.as<OneHot>()) draft.inputs[1] = {};
    StepWriter step(std::move(draft));
    Writer writer(node, step);
    if (const auto* op = node.as<Pad>()) writer.pad(*op);
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
