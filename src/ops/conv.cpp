// SPDX-License-Identifier: Apache-2.0
#include "ops/conv.h"

#include "ops/dense.h"
#include "ops/flops.h"

namespace tenrec {

Shape conv_output_shape(const Conv& op, const Type& x, const Type& weight) {
  TENREC_CHECK(x.rank() >= 3, invalid_model,
               "the input is {}, expected batch, channels and at least one spatial axis", x.str());
  TENREC_CHECK(weight.rank() == x.rank(), invalid_model,
               "the weight has {} dims, the input {}: they must have the same number",
               weight.rank(), x.rank());
  TENREC_CHECK(op.group >= 1, invalid_model, "group is {}, expected at least 1", op.group);
  const size_t spatial = x.shape.size() - 2;
  const Window window = op.window();
  window.check(spatial);
  const Dim channels = weight.shape[1] * op.group;
  TENREC_CHECK(!channels.is_const() || !x.shape[1].is_const() || channels == x.shape[1],
               invalid_model, "the weight {} with group {} takes {} channels, the input {} has {}",
               weight.str(), op.group, channels.str(), x.str(), x.shape[1].str());
  TENREC_CHECK(!weight.shape[0].is_const() || weight.shape[0].value() % op.group == 0,
               invalid_model, "{} output channels cannot be split into {} groups",
               weight.shape[0].str(), op.group);
  Shape shape{x.shape[0], weight.shape[0]};
  for (size_t i = 0; i < spatial; ++i) {
    const Dim& in = x.shape[i + 2];
    const Dim out = window.output(i, in, weight.shape[i + 2]);
    // ONNX's formula gives 0 for a kernel that is a little too large: always a mistake.
    TENREC_CHECK(!out.is_const() || out.value() > 0 || in == Dim(0), invalid_model,
                 "spatial axis {}: a kernel of {} does not fit into {} elements and their padding",
                 i, weight.shape[i + 2].str(), in.str());
    shape.push_back(out);
  }
  return shape;
}

Convolution conv_geometry(const Conv& op, const Dims& x, const Dims& weight) {
  return {.batch = x[0],
          .group = op.group,
          .in_channels = x[1],
          .out_channels = weight[0],
          .axes = resolve(op.window(), Dims(x.begin() + 2, x.end()),
                          Dims(weight.begin() + 2, weight.end()))};
}

Types Conv::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the input");
  const Type& weight = required_float(in, 1, "the weight");
  if (!x.ranked || !weight.ranked) return {Type::unranked(x.dtype)};
  Shape shape = conv_output_shape(*this, x, weight);
  if (present(in, 2)) {
    const Type& bias = required_float(in, 2, "the bias");
    TENREC_CHECK(!bias.ranked || bias.rank() == 1, invalid_model, "the bias is {}, expected 1-D",
                 bias.str());
    if (bias.ranked) check_same_size(bias.shape[0], shape[1], "bias length and output channels");
  }
  return {Type::tensor(x.dtype, std::move(shape))};
}

Tensors Conv::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const Convolution geometry = conv_geometry(*this, in[0].dims(), in[1].dims());
  std::vector<double> y(element_count(out), 0.0);
  if (present(in, 2)) {
    const std::vector<double> bias = in[2].to_doubles();
    const size_t plane = static_cast<size_t>(elements_between(out, 2, out.size()));
    for (size_t i = 0; i < y.size(); ++i) y[i] = bias[i / plane % bias.size()];
  }
  convolve(geometry, in[0].to_doubles().data(), in[1].to_doubles().data(), y.data());
  return {Tensor::from_doubles(in[0].dtype(), out, y)};
}

double Conv::flops(const Types& in, const Types& out) const {
  return 2 * factors(out[0].shape) * factors(std::span(in[1].shape).subspan(1));
}

Conv read_conv(const OnnxNode& node, OnnxContext&, const Value* x, const Value* weight) {
  const std::optional<size_t> rank =
      spatial_rank_of(x) ? spatial_rank_of(x) : spatial_rank_of(weight);
  Conv conv;
  read_window(node, conv, rank);
  conv.group = node.integer("group", 1);
  check_kernel_shape(node, weight);
  return conv;
}

Values Conv::from_onnx(const OnnxNode& node, OnnxContext& context) {
  return context.add(read_conv(node, context, context.input(0), context.input(1)),
                     context.inputs());
}

}  // namespace tenrec
