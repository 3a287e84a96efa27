// SPDX-License-Identifier: Apache-2.0
#include "ops/conv_integer.h"

namespace tenrec {

Types ConvInteger::infer(const Types& in) const {
  const Type& x = required(in, 0, "the input");
  const Type& weight = required(in, 1, "the weight");
  if (!x.ranked || !weight.ranked) return {Type::unranked(DType::i32)};
  Shape shape = conv_output_shape(conv(), x, weight);
  if (present(in, 3) && in[3].ranked && in[3].rank() == 1 && in[3].shape[0] != Dim(1)) {
    check_same_size(in[3].shape[0], shape[1], "weight zero points and output channels");
  }
  return {Type::tensor(DType::i32, std::move(shape))};
}

Tensors ConvInteger::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  std::vector<double> x = in[0].to_doubles();
  std::vector<double> weight = in[1].to_doubles();
  if (present(in, 2)) {
    const double zero = in[2].to_doubles().at(0);
    for (double& value : x) value -= zero;
  }
  if (present(in, 3) && !weight.empty()) {
    const std::vector<double> zeros = in[3].to_doubles();
    const size_t each = weight.size() / static_cast<size_t>(in[1].dims()[0]);
    for (size_t i = 0; i < weight.size(); ++i) {
      weight[i] -= zeros[zeros.size() == 1 ? 0 : i / each];
    }
  }
  // Sums of 16-bit products are exact in double.
  std::vector<double> y(element_count(out), 0.0);
  convolve(conv_geometry(conv(), in[0].dims(), in[1].dims()), x.data(), weight.data(), y.data());
  return {Tensor::from_doubles(DType::i32, out, y)};
}

Values ConvInteger::from_onnx(const OnnxNode& node, OnnxContext& context) {
  const Conv conv = read_conv(node, context, context.input(0), context.input(1));
  return context.add(
      ConvInteger{conv.auto_pad, conv.dilations, conv.group, conv.pads, conv.strides},
      context.inputs());
}

}  // namespace tenrec
