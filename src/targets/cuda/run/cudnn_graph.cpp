// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/vendor.h"
#ifdef TENREC_HAS_CUDNN
#include <optional>

#include "targets/cuda/run/cudnn.h"
#include "targets/cuda/run/cudnn_graph.h"

namespace tenrec::cuda {
namespace cudnn {
namespace {

cudnnDataType_t type_of(DType type) {
  return type == DType::f32   ? CUDNN_DATA_FLOAT
         : type == DType::f16 ? CUDNN_DATA_HALF
                              : CUDNN_DATA_BFLOAT16;
}

std::optional<cudnnPointwiseMode_t> mode_of(Fn fn) {
  switch (fn) {
    case Fn::add: return CUDNN_POINTWISE_ADD;
    case Fn::sub: return CUDNN_POINTWISE_SUB;
    case Fn::mul: return CUDNN_POINTWISE_MUL;
    case Fn::div: return CUDNN_POINTWISE_DIV;
    case Fn::max: return CUDNN_POINTWISE_MAX;
    case Fn::min: return CUDNN_POINTWISE_MIN;
    case Fn::sigmoid: return CUDNN_POINTWISE_SIGMOID_FWD;
    case Fn::tanh: return CUDNN_POINTWISE_TANH_FWD;
    case Fn::erf: return CUDNN_POINTWISE_ERF;
    case Fn::exp: return CUDNN_POINTWISE_EXP;
    case Fn::neg: return CUDNN_POINTWISE_NEG;
    case Fn::abs: return CUDNN_POINTWISE_ABS;
    default: return std::nullopt;
  }
}

constexpr size_t no_tensor = SIZE_MAX;

}  // namespace

const Api& api() {
  static const Api table = Api::of(cudnn_library());
  return table;
}

void check(cudnnStatus_t status, std::string_view what) {
  TENREC_CHECK(status == CUDNN_STATUS_SUCCESS, device, "{}: cuDNN says {}", what,
               api().cudnnGetErrorString(status));
}

OperationGraph::OperationGraph(cudnnHandle_t handle, const GemmParams& params, const GemmSizes& s,
                               const std::vector<DType>& full_types)
    : params_(params), full_types_(full_types) {
  const int64_t in = params.in_channels, out = params.out_channels, g = params.groups;
  out_dims_ = {s.images, out, s.out_h, s.out_w};
  const size_t x = tensor({s.images, in, s.in_h, s.in_w}, params.type, unique_x);
  const size_t w = tensor({out, in / g, s.kernel_h, s.kernel_w}, params.type, unique_w);
  const bool plain = params.epilogue.nodes.empty();
  const size_t result = plain ? tensor(out_dims_, params.out_type, unique_y) : virtual_tensor();
  convolution(x, w, result, s);
  if (!plain) epilogue(result);
  std::vector<cudnnBackendDescriptor_t> operations;
  for (const Descriptor& operation : operations_) operations.push_back(operation.get());
  graph_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations);
  graph_.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, std::vector{handle});
  check(graph_.finalize(), "describing a convolution");
}

size_t OperationGraph::tensor(const Dims& dims, DType type, int64_t unique, bool is_virtual,
                              bool by_value) {
  Descriptor& made = tensors_.emplace_back(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  // Row-major, or channels innermost; weights are packed with channels innermost in any case.
  const bool last = params_.channels_last || unique == unique_w;
  const Dims steps = last ? Dims{dims[1] * dims[2] * dims[3], 1, dims[1] * dims[3], dims[1]}
                          : Dims{dims[1] * dims[2] * dims[3], dims[2] * dims[3], dims[3], 1};
  made.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, std::vector{type_of(type)});
  made.set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims);
  made.set(CUDNN_ATTR_TENSOR_STRIDES, steps);
  made.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, std::vector<int64_t>{unique});
  made.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::vector<int64_t>{by_value ? 4 : 16});
  // vector<bool> has no data().
  const bool flags[] = {true};
  if (is_virtual)
    check(api().cudnnBackendSetAttribute(made.get(), CUDNN_ATTR_TENSOR_IS_VIRTUAL,
                                         CUDNN_TYPE_BOOLEAN, 1, flags),
          "a virtual tensor");
  if (by_value)
    check(api().cudnnBackendSetAttribute(made.get(), CUDNN_ATTR_TENSOR_IS_BY_VALUE,
                                         CUDNN_TYPE_BOOLEAN, 1, flags),
          "a scalar");
  check(made.finalize(), "describing a tensor");
  return tensors_.size() - 1;
}

void OperationGraph::convolution(size_t x, size_t w, size_t y, const GemmSizes& s) {
  Descriptor conv(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  conv.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, std::vector{CUDNN_DATA_FLOAT});
  conv.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
           std::vector{CUDNN_CROSS_CORRELATION});
  conv.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2});
  conv.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {s.pad_h, s.pad_w});
  conv.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {s.pad_h_end, s.pad_w_end});
  conv.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {s.dilation_h, s.dilation_w});
  conv.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {s.stride_h, s.stride_w});
  check(conv.finalize(), "describing a convolution");
  Descriptor& made =
      operations_.emplace_back(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, conv);
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, tensors_[x]);
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, tensors_[w]);
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, tensors_[y]);
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, std::vector<float>{1});
  made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, std::vector<float>{0});
  check(made.finalize(), "describing a convolution");
  parts_.push_back(std::move(conv));
}

void OperationGraph::epilogue(size_t result) {
  const ExprProgram& program = params_.epilogue;
  const int32_t last = program.outputs[0];
  std::vector<size_t> values;
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    const ExprNode& node = program.nodes[i];
    if (node.fn == Fn::input) values.push_back(input(node.input, result));
    else if (node.fn == Fn::constant) values.push_back(no_tensor);  // made where it is read
    else if (node.fn == Fn::cast && static_cast<int32_t>(i) != last)
      values.push_back(values[static_cast<size_t>(node.a)]);
    else {
      const bool final = static_cast<int32_t>(i) == last;
      const size_t y = final ? tensor(out_dims_, params_.out_type, unique_y) : virtual_tensor();
      pointwise(node, values, y);
      values.push_back(y);
    }
  }
}

size_t OperationGraph::input(int32_t index, size_t result) {
  if (index == 0) return result;
  const int64_t at = index - 1;
  if (at < params_.channel_operands)
    return tensor({1, params_.out_channels, 1, 1}, params_.table_type, unique_channel(at));
  const int64_t full = at - params_.channel_operands;
  return tensor(out_dims_, full_types_[static_cast<size_t>(full)], unique_full(full));
}

// The tensor of an argument.
size_t OperationGraph::operand(int32_t argument, std::vector<size_t>& values) {
  size_t& value = values[static_cast<size_t>(argument)];
  if (value == no_tensor) value = constant(params_.epilogue.nodes[static_cast<size_t>(argument)]);
  return value;
}

size_t OperationGraph::constant(const ExprNode& node) {
  constants_.emplace_back(next_, static_cast<float>(node.value));
  return tensor({1, 1, 1, 1}, DType::f32, next_++, false, true);
}

void OperationGraph::pointwise(const ExprNode& node, std::vector<size_t>& values, size_t y) {
  Descriptor math(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  const bool identity = node.fn == Fn::cast;
  cudnnPointwiseMode_t mode = identity ? CUDNN_POINTWISE_IDENTITY : *mode_of(node.fn);
  const auto zero = [&](int32_t i) {
    const ExprNode& each = params_.epilogue.nodes[static_cast<size_t>(i)];
    return each.fn == Fn::constant && each.value == 0;
  };
  int32_t a = node.a, b = node.b;
  if (node.fn == Fn::max && (zero(a) || zero(b))) {
    mode = CUDNN_POINTWISE_RELU_FWD;
    a = zero(a) ? b : a;
    b = -1;
  }
  math.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, std::vector{mode});
  math.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, std::vector{CUDNN_DATA_FLOAT});
  check(math.finalize(), "describing a pointwise operation");
  Descriptor& made = operations_.emplace_back(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  made.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, math);
  made.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, tensors_[operand(a, values)]);
  if (b >= 0) made.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, tensors_[operand(b, values)]);
  made.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, tensors_[y]);
  check(made.finalize(), "describing a pointwise operation");
  parts_.push_back(std::move(math));
}

}  // namespace cudnn

std::string cudnn_unsupported(const ExprProgram& epilogue) {
  for (const ExprNode& node : epilogue.nodes) {
    if (node.fn == Fn::input || node.fn == Fn::constant) continue;
    const bool casts = node.fn == Fn::cast && is_float(node.dtype);
    if (!casts && !cudnn::mode_of(node.fn)) return fmt::format("cuDNN fuses no {}", name(node.fn));
  }
  return "";
}

}  // namespace tenrec::cuda

#endif  // TENREC_HAS_CUDNN
