// SPDX-License-Identifier: Apache-2.0
#include "ops/conv_transpose.h"

#include "ops/flops.h"

namespace tenrec {
namespace {

int64_t entry(const std::vector<int64_t>& list, size_t i, int64_t fallback) {
  return list.empty() ? fallback : list[i];
}

}  // namespace

Dim ConvTranspose::output_size(size_t axis, const Dim& in, const Dim& kernel) const {
  if (!output_shape.empty()) return output_shape[axis];
  const Dim stride = entry(strides, axis, 1);
  if (auto_pad == AutoPad::same_upper || auto_pad == AutoPad::same_lower) return in * stride;
  const Dim extent = (kernel - 1) * entry(dilations, axis, 1) + 1;
  const int64_t both = entry(pads, axis, 0) + entry(pads, axis + pads.size() / 2, 0);
  const Dim size = (in - 1) * stride + entry(output_padding, axis, 0) + extent - both;
  TENREC_CHECK(!size.is_const() || size.value() >= 0 || in == Dim(0), invalid_model,
               "spatial axis {}: pads of {} leave nothing of the output", axis, both);
  return size;
}

std::vector<WindowAxis> ConvTranspose::axes(const Dims& in_spatial, const Dims& kernel) const {
  std::vector<WindowAxis> axes(in_spatial.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    WindowAxis& axis = axes[i];
    axis = {.in = std::max<int64_t>(output_size(i, in_spatial[i], kernel[i]).value(), 0),
            .out = in_spatial[i],
            .kernel = kernel[i],
            .stride = entry(strides, i, 1),
            .dilation = entry(dilations, i, 1),
            .pad_begin = entry(pads, i, 0),
            .pad_end = entry(pads, i + pads.size() / 2, 0)};
    if (output_shape.empty() && auto_pad == AutoPad::notset) continue;
    const int64_t natural = (axis.out - 1) * axis.stride + entry(output_padding, i, 0) +
                            (axis.kernel - 1) * axis.dilation + 1;
    const int64_t total = std::max<int64_t>(natural - axis.in, 0);
    axis.pad_begin = auto_pad == AutoPad::same_upper ? total / 2 : total - total / 2;
    axis.pad_end = total - axis.pad_begin;
  }
  return axes;
}

Types ConvTranspose::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the input");
  const Type& weight = required_float(in, 1, "the weight");
  if (!x.ranked || !weight.ranked) return {Type::unranked(x.dtype)};
  TENREC_CHECK(x.rank() >= 3 && weight.rank() == x.rank(), invalid_model,
               "input {} and weight {} must both have batch, channels and the same spatial axes",
               x.str(), weight.str());
  TENREC_CHECK(group >= 1, invalid_model, "group is {}, expected at least 1", group);
  const size_t spatial = x.shape.size() - 2;
  Window{auto_pad, strides, dilations, pads, false}.check(spatial);
  TENREC_CHECK(output_padding.empty() || output_padding.size() == spatial, invalid_model,
               "output_padding has {} entries, expected {}", output_padding.size(), spatial);
  TENREC_CHECK(output_shape.empty() || output_shape.size() == spatial, invalid_model,
               "output_shape has {} entries, expected {} spatial sizes", output_shape.size(),
               spatial);
  check_same_size(weight.shape[0], x.shape[1], "weight's first size and input channels");
  Shape shape{x.shape[0], weight.shape[1] * group};
  for (size_t i = 0; i < spatial; ++i) {
    shape.push_back(output_size(i, x.shape[i + 2], weight.shape[i + 2]));
  }
  if (present(in, 2) && in[2].ranked) {
    TENREC_CHECK(in[2].rank() == 1, invalid_model, "the bias is {}, expected 1-D", in[2].str());
    check_same_size(in[2].shape[0], shape[1], "bias length and output channels");
  }
  return {Type::tensor(x.dtype, std::move(shape))};
}

Tensors ConvTranspose::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const Dims& x = in[0].dims();
  const Dims& weight = in[1].dims();
  const Convolution geometry{
      .batch = x[0],
      .group = group,
      .in_channels = x[1],
      .out_channels = out[1],
      .axes = axes(Dims(x.begin() + 2, x.end()), Dims(weight.begin() + 2, weight.end()))};
  std::vector<double> y(element_count(out), 0.0);
  if (present(in, 2)) {
    const std::vector<double> bias = in[2].to_doubles();
    const size_t plane = static_cast<size_t>(elements_between(out, 2, out.size()));
    for (size_t i = 0; i < y.size(); ++i) y[i] = bias[i / plane % bias.size()];
  }
  convolve_transposed(geometry, in[0].to_doubles().data(), in[1].to_doubles().data(), y.data());
  return {Tensor::from_doubles(in[0].dtype(), out, y)};
}

double ConvTranspose::flops(const Types& in, const Types&) const {
  return 2 * factors(in[0].shape) * factors(std::span(in[1].shape).subspan(1));
}

Values ConvTranspose::from_onnx(const OnnxNode& node, OnnxContext& context) {
  const std::optional<size_t> rank = spatial_rank_of(context.input(0));
  ConvTranspose op;
  read_window(node, op, rank);
  check_kernel_shape(node, context.input(1));
  op.group = node.integer("group", 1);
  op.output_padding = node.integers("output_padding");
  op.output_shape = node.integers("output_shape");
  // Old exporters wrote batch and channels too.
  if (rank && op.output_shape.size() == *rank + 2) {
    op.output_shape.erase(op.output_shape.begin(), op.output_shape.begin() + 2);
  }
  return context.add(op, context.inputs());
}

}  // namespace tenrec
