// SPDX-License-Identifier: Apache-2.0
#include "api/layers.h"

#include <map>

#include "api/convert.h"
#include "api/layer_types.h"
#include "ir/constant.h"
#include "ops/arg_reduce.h"
#include "ops/concat.h"
#include "ops/conv.h"
#include "ops/conv_transpose.h"
#include "ops/cum_sum.h"
#include "ops/einsum.h"
#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/gather_elements.h"
#include "ops/grid_sample.h"
#include "ops/normalization.h"
#include "ops/one_hot.h"
#include "ops/pool.h"
#include "ops/reduce.h"
#include "ops/resize.h"
#include "ops/scatter.h"
#include "ops/softmax.h"
#include "ops/topk.h"
#include "ops/transpose.h"

namespace tenrec::trt {
namespace {

using nv::ActivationType;
using nv::ElementWiseOperation;
using nv::UnaryOperation;

const std::map<std::string_view, UnaryOperation> unary_operations{
    {"exp", UnaryOperation::kEXP},      {"log", UnaryOperation::kLOG},
    {"sqrt", UnaryOperation::kSQRT},    {"reciprocal", UnaryOperation::kRECIP},
    {"abs", UnaryOperation::kABS},      {"neg", UnaryOperation::kNEG},
    {"sin", UnaryOperation::kSIN},      {"cos", UnaryOperation::kCOS},
    {"tan", UnaryOperation::kTAN},      {"sinh", UnaryOperation::kSINH},
    {"cosh", UnaryOperation::kCOSH},    {"asin", UnaryOperation::kASIN},
    {"acos", UnaryOperation::kACOS},    {"atan", UnaryOperation::kATAN},
    {"asinh", UnaryOperation::kASINH},  {"acosh", UnaryOperation::kACOSH},
    {"atanh", UnaryOperation::kATANH},  {"ceil", UnaryOperation::kCEIL},
    {"floor", UnaryOperation::kFLOOR},  {"erf", UnaryOperation::kERF},
    {"not", UnaryOperation::kNOT},      {"sign", UnaryOperation::kSIGN},
    {"round", UnaryOperation::kROUND},  {"is_inf", UnaryOperation::kISINF},
    {"is_nan", UnaryOperation::kISNAN},
};

const std::map<std::string_view, ElementWiseOperation> elementwise_operations{
    {"add", ElementWiseOperation::kSUM},     {"mul", ElementWiseOperation::kPROD},
    {"max", ElementWiseOperation::kMAX},     {"min", ElementWiseOperation::kMIN},
    {"sub", ElementWiseOperation::kSUB},     {"div", ElementWiseOperation::kDIV},
    {"pow", ElementWiseOperation::kPOW},     {"and", ElementWiseOperation::kAND},
    {"or", ElementWiseOperation::kOR},       {"xor", ElementWiseOperation::kXOR},
    {"equal", ElementWiseOperation::kEQUAL}, {"greater", ElementWiseOperation::kGREATER},
    {"less", ElementWiseOperation::kLESS},
};

struct Activation {
  ActivationType type;
  float alpha = 0, beta = 0;
};

std::optional<Activation> activation_of(const Node& node) {
  const std::string_view name = node.op().name();
  if (name == "relu") return Activation{ActivationType::kRELU};
  if (name == "sigmoid") return Activation{ActivationType::kSIGMOID};
  if (name == "tanh") return Activation{ActivationType::kTANH};
  if (name == "softsign") return Activation{ActivationType::kSOFTSIGN};
  if (name == "softplus") return Activation{ActivationType::kSOFTPLUS, 1, 1};
  if (const auto* op = node.as<LeakyRelu>())
    return Activation{ActivationType::kLEAKY_RELU, op->alpha};
  if (const auto* op = node.as<Elu>()) return Activation{ActivationType::kELU, op->alpha};
  if (const auto* op = node.as<Selu>())
    return Activation{ActivationType::kSELU, op->alpha, op->gamma};
  if (const auto* op = node.as<ThresholdedRelu>())
    return Activation{ActivationType::kTHRESHOLDED_RELU, op->alpha};
  if (const auto* op = node.as<HardSigmoid>())
    return Activation{ActivationType::kHARD_SIGMOID, op->alpha, op->beta};
  if (const auto* op = node.as<Gelu>())
    return Activation{op->approximate == "tanh" ? ActivationType::kGELU_TANH
                                                : ActivationType::kGELU_ERF};
  if (const auto* op = node.as<Clip>())
    return Activation{ActivationType::kCLIP, static_cast<float>(op->min),
                      static_cast<float>(op->max)};
  return std::nullopt;
}

nv::Weights weights_of(const Value* value) {
  if (value == nullptr) return {nv::DataType::kFLOAT, nullptr, 0};
  const nv::DataType type = to_trt(value->type.dtype).value_or(nv::DataType::kFLOAT);
  const Tensor* tensor = value->constant();
  if (tensor == nullptr) return {type, nullptr, 0};
  return {type, tensor->data(), static_cast<int64_t>(tensor->elements())};
}

// Sizes of `value` from `axis` on, -1 where they are not known.
nv::Dims dims_of(const Value* value, size_t axis = 0) {
  std::vector<int64_t> sizes;
  if (value == nullptr || !value->type.ranked) return unknown_dims();
  for (size_t i = axis; i < value->type.shape.size(); ++i)
    sizes.push_back(value->type.shape[i].constant().value_or(-1));
  return to_trt(sizes);
}

nv::Dims filled(const std::vector<int64_t>& values, int32_t count, int64_t fallback) {
  if (!values.empty()) return to_trt(values);
  nv::Dims dims{std::max(count, 0), {}};
  for (int32_t i = 0; i < dims.nbDims && i < nv::Dims::MAX_DIMS; ++i) dims.d[i] = fallback;
  return dims;
}

struct Padding {
  nv::Dims before, after;
  nv::PaddingMode mode = nv::PaddingMode::kEXPLICIT_ROUND_DOWN;
};
Padding padding_of(const Window& window, int32_t spatial) {
  const auto half = static_cast<std::ptrdiff_t>(window.pads.size() / 2);
  Padding padding{filled({window.pads.begin(), window.pads.begin() + half}, spatial, 0),
                  filled({window.pads.begin() + half, window.pads.end()}, spatial, 0),
                  window.ceil_mode ? nv::PaddingMode::kEXPLICIT_ROUND_UP
                                   : nv::PaddingMode::kEXPLICIT_ROUND_DOWN};
  if (window.auto_pad == AutoPad::same_upper) padding.mode = nv::PaddingMode::kSAME_UPPER;
  if (window.auto_pad == AutoPad::same_lower) padding.mode = nv::PaddingMode::kSAME_LOWER;
  return padding;
}

int32_t spatial_rank(const Value* value) {
  return value != nullptr && value->type.ranked && value->type.shape.size() >= 2
             ? static_cast<int32_t>(value->type.shape.size()) - 2
             : 0;
}

uint32_t axis_bit(int64_t axis, const Value* value) {
  const int64_t rank =
      value != nullptr && value->type.ranked ? static_cast<int64_t>(value->type.shape.size()) : 0;
  const int64_t at = axis < 0 ? axis + rank : axis;
  return at >= 0 && at < 32 ? 1U << at : 0;
}

template <class Layer, class Op>
std::unique_ptr<nv::ILayer> convolution(Network& network, Node& node, const Op& op,
                                        int32_t maps_axis) {
  auto layer = std::make_unique<Layer>(network, node);
  const int32_t spatial = spatial_rank(node.input(0));
  const nv::Dims kernel = dims_of(node.input(1));
  Window window{op.auto_pad, op.strides, op.dilations, op.pads, false};
  const Padding padding = padding_of(window, spatial);
  layer->groups = op.group;
  layer->maps = kernel.nbDims > maps_axis ? kernel.d[maps_axis] : -1;
  if (maps_axis == 1) layer->maps *= op.group;
  layer->kernel = weights_of(node.input(1));
  layer->bias = weights_of(node.input(2));
  layer->kernel_size = dims_of(node.input(1), 2);
  layer->before = layer->padding = padding.before;
  layer->after = padding.after;
  layer->mode = padding.mode;
  layer->stride = filled(op.strides, spatial, 1);
  layer->dilation = filled(op.dilations, spatial, 1);
  return layer;
}

template <class Op>
std::unique_ptr<nv::ILayer> pooling(Network& network, Node& node, const Op& op,
                                    nv::PoolingType type, bool exclusive) {
  auto layer = std::make_unique<PoolingLayer>(network, node);
  const int32_t spatial = spatial_rank(node.input(0));
  const Padding padding = padding_of(op.window(), spatial);
  layer->type = type;
  layer->exclusive = exclusive;
  layer->window = to_trt(op.kernel_shape);
  layer->before = layer->padding = padding.before;
  layer->after = padding.after;
  layer->mode = padding.mode;
  layer->stride = filled(op.strides, spatial, 1);
  return layer;
}

std::unique_ptr<nv::ILayer> shuffle(Network& network, Node& node, const Transpose* transpose) {
  auto layer = std::make_unique<ShuffleLayer>(network, node);
  for (int32_t i = 0; i < nv::Dims::MAX_DIMS; ++i)
    layer->first.order[i] = layer->second.order[i] = i;
  if (transpose != nullptr && node.input(0)->type.ranked &&
      node.input(0)->type.rank() <= nv::Dims::MAX_DIMS) {
    const std::vector<int64_t> order = transpose->order(node.input(0)->type.rank());
    for (size_t i = 0; i < order.size(); ++i)
      layer->first.order[i] = static_cast<int32_t>(order[i]);
  }
  layer->reshape = dims_of(node.output(0));
  return layer;
}

std::unique_ptr<nv::ILayer> reduce(Network& network, Node& node, const Reduce& op) {
  std::optional<nv::ReduceOperation> operation;
  switch (op.kind) {
    case ReduceKind::sum: operation = nv::ReduceOperation::kSUM; break;
    case ReduceKind::mean: operation = nv::ReduceOperation::kAVG; break;
    case ReduceKind::max: operation = nv::ReduceOperation::kMAX; break;
    case ReduceKind::min: operation = nv::ReduceOperation::kMIN; break;
    case ReduceKind::prod: operation = nv::ReduceOperation::kPROD; break;
    default: return std::make_unique<PlainLayer>(network, node);
  }
  auto layer = std::make_unique<ReduceLayer>(network, node);
  layer->operation = *operation;
  layer->keep = op.keepdims;
  if (node.input(0)->type.ranked) {
    std::optional<std::vector<int64_t>> axes;
    if (node.input(1) != nullptr) axes = node.input(1)->type.constant_ints();
    const auto reduced = op.reduced_axes(node.input(0)->type.rank(), axes.value_or(tenrec::Dims{}));
    for (size_t i = 0; i < reduced.size() && i < 32; ++i)
      if (reduced[i]) layer->axes |= 1U << i;
  }
  return layer;
}

std::unique_ptr<nv::ILayer> resize(Network& network, Node& node, const Resize& op) {
  auto layer = std::make_unique<ResizeLayer>(network, node);
  layer->mode = op.mode == ResizeMode::nearest  ? nv::InterpolationMode::kNEAREST
                : op.mode == ResizeMode::linear ? nv::InterpolationMode::kLINEAR
                                                : nv::InterpolationMode::kCUBIC;
  layer->coordinate = op.coordinate == ResizeCoordinate::align_corners
                          ? nv::ResizeCoordinateTransformation::kALIGN_CORNERS
                      : op.coordinate == ResizeCoordinate::asymmetric
                          ? nv::ResizeCoordinateTransformation::kASYMMETRIC
                          : nv::ResizeCoordinateTransformation::kHALF_PIXEL;
  layer->rounding = op.nearest == ResizeNearest::floor  ? nv::ResizeRoundMode::kFLOOR
                    : op.nearest == ResizeNearest::ceil ? nv::ResizeRoundMode::kCEIL
                    : op.nearest == ResizeNearest::round_prefer_floor
                        ? nv::ResizeRoundMode::kHALF_DOWN
                        : nv::ResizeRoundMode::kHALF_UP;
  layer->cubic = op.cubic_coeff_a;
  layer->exclude_outside = op.exclude_outside;
  layer->output = dims_of(node.output(0));
  return layer;
}

// Sets the fields of a layer made for `node`.
template <class Layer, class Fill>
std::unique_ptr<nv::ILayer> made(Network& network, Node& node, Fill&& fill) {
  auto layer = std::make_unique<Layer>(network, node);
  fill(*layer);
  return layer;
}

std::unique_ptr<nv::ILayer> pointwise(Network& network, Node& node) {
  const std::string_view name = node.op().name();
  if (const auto found = unary_operations.find(name); found != unary_operations.end())
    return made<UnaryLayer>(network, node, [&](auto& l) { l.operation = found->second; });
  const auto binary = elementwise_operations.find(name);
  if (binary != elementwise_operations.end() && node.inputs().size() == 2)
    return made<ElementWiseLayer>(network, node, [&](auto& l) { l.operation = binary->second; });
  if (const auto activation = activation_of(node))
    return made<ActivationLayer>(network, node, [&](auto& l) {
      l.type = activation->type;
      l.alpha = activation->alpha;
      l.beta = activation->beta;
    });
  if (const auto* op = node.as<Cast>())
    return made<CastLayer>(network, node,
                           [&](auto& l) { l.to = to_trt(op->to).value_or(nv::DataType::kFLOAT); });
  if (name == "where") return std::make_unique<SelectLayer>(network, node);
  if (name == "prelu") return std::make_unique<ParametricReLULayer>(network, node);
  return nullptr;
}

std::unique_ptr<nv::ILayer> movement(Network& network, Node& node) {
  const std::string_view name = node.op().name();
  if (name == "constant")
    return made<ConstantLayer>(network, node, [&](auto& l) {
      l.weights = weights_of(node.output(0));
      l.dims = dims_of(node.output(0));
    });
  if (const auto* op = node.as<Transpose>()) return shuffle(network, node, op);
  if (name == "reshape" || name == "flatten") return shuffle(network, node, nullptr);
  if (name == "squeeze") return std::make_unique<SqueezeLayer>(network, node);
  if (name == "unsqueeze") return std::make_unique<UnsqueezeLayer>(network, node);
  if (name == "shape") return std::make_unique<ShapeLayer>(network, node);
  if (name == "identity") return std::make_unique<IdentityLayer>(network, node);
  if (name == "slice")
    return made<SliceLayer>(network, node, [&](auto& l) { l.size = dims_of(node.output(0)); });
  if (const auto* op = node.as<Concat>())
    return made<ConcatenationLayer>(network, node,
                                    [&](auto& l) { l.axis = static_cast<int32_t>(op->axis); });
  if (const auto* op = node.as<Gather>())
    return made<GatherLayer>(network, node,
                             [&](auto& l) { l.axis = static_cast<int32_t>(op->axis); });
  if (const auto* op = node.as<GatherElements>())
    return made<GatherLayer>(network, node, [&](auto& l) {
      l.axis = static_cast<int32_t>(op->axis);
      l.mode = nv::GatherMode::kELEMENT;
    });
  if (name == "gather_nd")
    return made<GatherLayer>(network, node, [&](auto& l) { l.mode = nv::GatherMode::kND; });
  if (const auto* op = node.as<ScatterElements>(); op != nullptr && op->reduction == "none")
    return made<ScatterLayer>(network, node,
                              [&](auto& l) { l.axis = static_cast<int32_t>(op->axis); });
  if (const auto* op = node.as<ScatterND>(); op != nullptr && op->reduction == "none")
    return made<ScatterLayer>(network, node, [&](auto& l) { l.mode = nv::ScatterMode::kND; });
  if (name == "non_zero") return std::make_unique<NonZeroLayer>(network, node);
  return nullptr;
}

std::unique_ptr<nv::ILayer> dense(Network& network, Node& node) {
  if (const auto* op = node.as<Conv>()) return convolution<ConvolutionLayer>(network, node, *op, 0);
  if (const auto* op = node.as<ConvTranspose>())
    return convolution<DeconvolutionLayer>(network, node, *op, 1);
  if (const auto* op = node.as<MaxPool>(); op != nullptr && !op->indices)
    return pooling(network, node, *op, nv::PoolingType::kMAX, true);
  if (const auto* op = node.as<AveragePool>())
    return pooling(network, node, *op, nv::PoolingType::kAVERAGE, !op->count_include_pad);
  if (node.op().name() == "matmul") return std::make_unique<MatrixMultiplyLayer>(network, node);
  if (const auto* op = node.as<Einsum>())
    return made<EinsumLayer>(network, node, [&](auto& l) { l.equation = op->equation; });
  if (const auto* op = node.as<Resize>()) return resize(network, node, *op);
  if (const auto* op = node.as<Reduce>()) return reduce(network, node, *op);
  if (const auto* op = node.as<Softmax>())
    return made<SoftMaxLayer>(network, node,
                              [&](auto& l) { l.axes = axis_bit(op->axis, node.input(0)); });
  if (const auto* op = node.as<TopK>())
    return made<TopKLayer>(network, node, [&](auto& l) {
      l.operation = op->largest ? nv::TopKOperation::kMAX : nv::TopKOperation::kMIN;
      l.axes = axis_bit(op->axis, node.input(0));
      const auto k = node.input(1)->type.constant_ints();
      if (k && k->size() == 1) l.k = static_cast<int32_t>(k->front());
    });
  if (const auto* op = node.as<LRN>())
    return made<LRNLayer>(network, node, [&](auto& l) {
      l.window = op->size;
      l.alpha = op->alpha;
      l.beta = op->beta;
      l.k = op->bias;
    });
  if (const auto* op = node.as<GridSample>())
    return made<GridSampleLayer>(network, node,
                                 [&](auto& l) { l.align_corners = op->align_corners; });
  if (const auto* op = node.as<OneHot>())
    return made<OneHotLayer>(network, node,
                             [&](auto& l) { l.axis = static_cast<int32_t>(op->axis); });
  if (const auto* op = node.as<CumSum>())
    return made<CumulativeLayer>(network, node, [&](auto& l) {
      l.exclusive = op->exclusive;
      l.reverse = op->reverse;
    });
  return nullptr;
}

}  // namespace

std::unique_ptr<nv::ILayer> make_layer(Network& network, Node& node) {
  for (const auto family : {dense, pointwise, movement})
    if (std::unique_ptr<nv::ILayer> layer = family(network, node)) return layer;
  return std::make_unique<PlainLayer>(network, node);
}

}  // namespace tenrec::trt
