// SPDX-License-Identifier: Apache-2.0
// DeformConv: a thread reads each place of the input that its position wants once, for a number of
// output channels. Places are doubles, as the interpreter's.
#include "ops/deform_conv.h"

#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

constexpr int64_t channels_at_once = 16;

class Writer {
 public:
  Writer(const Node& node, const DeformConv& op, StepWriter& step)
      : node_(node),
        op_(op),
        step_(step),
        kernel_(step, "deform_conv"),
        x_(node.input(0)->type),
        w_(node.input(1)->type),
        y_(node.output()->type),
        rank_(y_.shape.size() - 2),
        out_group_(floordiv(w_.shape[0], Dim(op.group))) {
    const Shape kernel(w_.shape.begin() + 2, w_.shape.end());
    const Window window{AutoPad::notset, op.strides, op.dilations, op.pads, false};
    axes_ = window_dims(window, x_.shape, y_.shape, kernel);
    taps_ = product(kernel);
    positions_ = product(Shape(y_.shape.begin() + 2, y_.shape.end()));
  }

  void write() {
    kernel_.reach_all();
    const Dim shares = ceildiv(out_group_, Dim(channels_at_once));
    Shape grid{y_.shape[0], Dim(op_.group), shares, positions_};
    const Dim count = product(grid);
    std::string& body = kernel_.body;
    body = kernel_.flat_index(count);
    body += kernel_.unflatten("i", grid, {"n", "g", "share", "position"});
    body += kernel_.unflatten("position", Shape(y_.shape.begin() + 2, y_.shape.end()),
                              numbered("x", rank_));
    body += fmt::format(
        "  const idx first = g * {0} + share * {1}, left = (g + 1) * {0} - first;\n"
        "  {2} sum[{1}] = {{}};\n  for (idx c = 0; c < {3}; ++c) {{\n"
        "  const idx channel = g * {3} + c;\n"
        "  idx entry = (n * {4} + channel / {5}) * {6};\n"
        "  idx weight = (first * {3} + c) * {6};\n",
        kernel_.dim(out_group_), channels_at_once, compute_type(x_.dtype), kernel_.dim(w_.shape[1]),
        op_.offset_group, kernel_.dim(floordiv(x_.shape[1], Dim(op_.offset_group))),
        kernel_.dim(taps_));
    for (size_t axis = 0; axis < rank_; ++axis)
      body += fmt::format("  for (idx k{0} = 0; k{0} < {1}; ++k{0}) {{\n", axis,
                          kernel_.dim(axes_[axis].kernel));
    body += sample() + add_products();
    body += "  ++entry;\n  ++weight;\n";
    for (size_t axis = 0; axis <= rank_; ++axis) body += "  }\n";
    body += store();
    step_.launch_flat(kernel_, count);
  }

 private:
  std::string load(size_t input, const std::string& at) {
    return load_text(node_.input(input)->type.dtype,
                     fmt::format("{}[{}]", kernel_.input(input), at));
  }

  // `value`: the input where this tap reads it, 0 outside.
  std::string sample() {
    const std::string positions = kernel_.dim(positions_), type = compute_type(x_.dtype);
    std::string text, weight, offset = fmt::format("(n * {} + channel)", kernel_.dim(x_.shape[1]));
    for (size_t axis = 0; axis < rank_; ++axis) {
      const WindowDims& window = axes_[axis];
      text += fmt::format(
          "  const double at{0} = (double)(x{0} * {1} - {2} + k{0} * {3}) + (double){4};\n"
          "  const double low{0} = floor(at{0}), part{0} = at{0} - low{0};\n",
          axis, window.stride, kernel_.dim(window.pad_begin), window.dilation,
          load(2, fmt::format("(entry * {} + {}) * {} + position", rank_, axis, positions)));
    }
    text += fmt::format("  {} value = 0;\n", type);
    for (size_t axis = 0; axis < rank_; ++axis) {
      text += fmt::format(
          "#pragma unroll\n  for (int a{0} = 0; a{0} < 2; ++a{0}) {{\n"
          "  const double p{0} = low{0} + a{0}, f{0} = a{0} ? part{0} : 1 - part{0};\n"
          "  if (!(p{0} >= 0 && p{0} < {1}) || f{0} == 0) continue;\n",
          axis, kernel_.dim(axes_[axis].in));
      weight += fmt::format("{}f{}", axis == 0 ? "" : " * ", axis);
      offset = fmt::format("({} * {} + (idx)p{})", offset, kernel_.dim(axes_[axis].in), axis);
    }
    text += fmt::format("  value += ({})({}) * {};\n", type, weight, load(0, offset));
    for (size_t axis = 0; axis < rank_; ++axis) text += "  }\n";
    if (node_.input(4))
      text +=
          fmt::format("  value *= {};\n", load(4, fmt::format("entry * {} + position", positions)));
    return text;
  }

  std::string add_products() {
    return fmt::format(
        "#pragma unroll\n  for (int o = 0; o < {}; ++o)\n"
        "    if (o < left) sum[o] += value * {};\n",
        channels_at_once,
        load(1, fmt::format("weight + o * {}", kernel_.dim(w_.shape[1] * taps_))));
  }

  std::string store() {
    const std::string bias = node_.input(3) ? " + " + load(3, "first + o") : "";
    return fmt::format(
        "  for (int o = 0; o < {} && o < left; ++o)\n"
        "    {}[(n * {} + first + o) * {} + position] = {};\n",
        channels_at_once, kernel_.output(0), kernel_.dim(y_.shape[1]), kernel_.dim(positions_),
        store_text(y_.dtype, "sum[o]" + bias));
  }

  const Node& node_;
  const DeformConv& op_;
  StepWriter& step_;
  KernelText kernel_;
  const Type& x_;
  const Type& w_;
  const Type& y_;
  size_t rank_;
  Dim out_group_, taps_, positions_;
  std::vector<WindowDims> axes_;
};

class DeformConvKernel : public Kernel {
 public:
  std::string_view name() const override { return "deform_conv"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<DeformConv>()) return "no DeformConv";
    return elements_problem({node.input(0), node.input(1), node.input(2), node.output()});
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepWriter step(draft_of(node, name(), tactic));
    Writer(node, *node.as<DeformConv>(), step).write();
    return step.finish();
  }
};

}  // namespace

const Kernel& deform_conv_kernel() {
  static const DeformConvKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
