// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/gemm_node.h"

#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/wire.h"
#include "ops/conv.h"
#include "ops/matmul.h"
#include "targets/cuda/run/cuda_device.h"

namespace tenrec::cuda {
namespace {

const std::vector<DType> element_types{DType::f32, DType::f16, DType::bf16};

bool is_element(DType dtype) {
  return std::find(element_types.begin(), element_types.end(), dtype) != element_types.end();
}

// Builds the whole epilogue: bias first, then what follows the anchor, operands sorted into those
// by channel (constant, one table) and those of the output's shape.
class EpilogueBuilder {
 public:
  explicit EpilogueBuilder(GemmNode& gemm) : gemm_(gemm), type_(gemm.anchor.result.dtype) {}

  Reject build(const Tensor* bias) {
    for (size_t i = 0; i < gemm_.anchor.operands.size(); ++i) {
      const Reject reject = classify(i);
      if (!reject.empty()) return reject;
    }
    if (bias) rows_.push_back(bias->to_doubles());
    bias_row_ = bias ? static_cast<int32_t>(rows_.size()) : 0;
    record();
    fill_table();
    return "";
  }

 private:
  struct Operand {
    bool is_full = false;
    int32_t index = 0;  // among its kind
  };

  Reject classify(size_t i) {
    const StepArg& arg = gemm_.anchor.operands[i];
    const Tensor* constant = arg.weight ? &arg.weight : arg.value ? arg.value->constant() : nullptr;
    const Shape& out = gemm_.anchor.result.shape;
    if (arg.value && arg.value->type.shape == out && !(constant && is_row(*constant))) {
      operands_.push_back({true, static_cast<int32_t>(gemm_.full.size())});
      gemm_.full.push_back(arg);
      gemm_.full_types.push_back(arg.value->type.dtype);
      return gemm_.full.size() > 4 ? "more than four operands of the output's shape" : "";
    }
    if (!constant) return "an operand by channel is not constant";
    if (!is_row(*constant)) return "a constant operand of the output's shape";
    operands_.push_back({false, static_cast<int32_t>(rows_.size())});
    rows_.push_back(constant->to_doubles());
    return "";
  }

  // anchored() has made sure that nothing but the channel axis varies.
  bool is_row(const Tensor& constant) const { return constant.elements() == columns(); }
  uint64_t columns() const { return static_cast<uint64_t>(gemm_.params.out_channels); }

  int32_t input(int32_t index, DType dtype) {
    ExprNode node;
    node.fn = Fn::input;
    node.dtype = dtype;
    node.input = index;
    return program_.add(node);
  }

  void record() {
    const auto channels = static_cast<int32_t>(rows_.size());
    program_.inputs = 1 + channels + static_cast<int32_t>(gemm_.full.size());
    int32_t result = input(0, type_);
    if (bias_row_ > 0) {
      ExprNode add;
      add.fn = Fn::add;
      add.dtype = type_;
      add.a = result;
      add.b = input(bias_row_, type_);
      result = program_.add(add);
    }
    const ExprProgram& rest = gemm_.anchor.epilogue;
    std::vector<int32_t> moved;
    for (ExprNode node : rest.nodes) {
      if (node.fn == Fn::input) {
        moved.push_back(node.input == 0 ? result : operand(node));
        continue;
      }
      for (int32_t* argument : {&node.a, &node.b, &node.c})
        if (*argument >= 0) *argument = moved[static_cast<size_t>(*argument)];
      moved.push_back(program_.add(node));
    }
    program_.outputs = {rest.nodes.empty() ? result : moved[static_cast<size_t>(rest.outputs[0])]};
    gemm_.params.channel_operands = channels;
    gemm_.params.full_operands = static_cast<int64_t>(gemm_.full.size());
    // A product without anything behind it needs no program.
    if (program_.nodes.size() > 1) gemm_.params.epilogue = std::move(program_);
  }

  int32_t operand(const ExprNode& node) {
    const Operand& operand = operands_[static_cast<size_t>(node.input - 1)];
    const auto channels = static_cast<int32_t>(rows_.size());
    return input(1 + (operand.is_full ? channels : 0) + operand.index, node.dtype);
  }

  void fill_table() {
    if (rows_.empty()) return;
    std::vector<double> all;
    for (const std::vector<double>& row : rows_) all.insert(all.end(), row.begin(), row.end());
    gemm_.table = Tensor::from_doubles(
        DType::f32, {static_cast<int64_t>(rows_.size()), gemm_.params.out_channels}, all);
  }

  GemmNode& gemm_;
  DType type_;
  std::vector<Operand> operands_;
  std::vector<std::vector<double>> rows_;
  int32_t bias_row_ = 0;  // program input; 0: none
  ExprProgram program_;
};

Reject read_convolution(GemmNode& gemm, bool any_order) {
  const Anchored& anchor = gemm.anchor;
  const auto* conv = anchor.op.as<Conv>();
  const Type& x = anchor.types[0];
  const Tensor* weights = anchor.constant(1);
  if (!weights) return "weights are not constant";
  if (!x.ranked || (x.rank() != 3 && x.rank() != 4)) return "the kernel is not 1-D or 2-D";
  if (x.layout.block_axis >= 0) return "an unknown layout";
  if (!any_order && x.layout.channels_last != anchor.result.layout.channels_last)
    return "input and output differ in layout";
  const auto rank = static_cast<size_t>(x.rank()) - 2;
  const Window window = conv->window();
  GemmParams& params = gemm.params;
  params.convolution = true;
  params.constant_b = true;
  params.channels_last = x.layout.channels_last;
  params.groups = conv->group;
  params.out_channels = weights->dims()[0];
  params.in_channels = weights->dims()[1] * conv->group;
  params.pads.resize(2 * rank);
  for (size_t i = 0; i < rank; ++i) {
    params.kernel.push_back(weights->dims()[i + 2]);
    params.strides.push_back(window.stride(i));
    params.dilations.push_back(window.dilation(i));
    const Dim& size = x.shape[i + 2];
    if (conv->auto_pad != AutoPad::notset && !size.is_const())
      return "the padding depends on the size";
    const auto [before, after] =
        window.padding(i, size.is_const() ? size.value() : 0, weights->dims()[i + 2]);
    params.pads[i] = before;
    params.pads[i + rank] = after;
  }
  if (anchor.inputs.size() > 2 && anchor.types[2].present() && !anchor.constant(2))
    return "the bias is not constant";
  return "";
}

Reject read_product(GemmNode& gemm) {
  const Anchored& anchor = gemm.anchor;
  for (size_t i = 0; i < 2; ++i) {
    if (!anchor.types[i].ranked || anchor.types[i].rank() < 2)
      return "an operand has fewer than 2 axes";
    if (!anchor.types[i].layout.is_plain()) return "an operand is not row-major";
  }
  const Tensor* b = anchor.constant(1);
  GemmParams& params = gemm.params;
  params.constant_b = b && b->dims().size() <= static_cast<size_t>(anchor.types[0].rank());
  for (size_t i = 0; b && i + 2 < b->dims().size(); ++i) params.constant_b &= b->dims()[i] == 1;
  const Dim& n = anchor.result.shape.back();
  if (params.constant_b) {
    params.in_channels = b->dims()[b->dims().size() - 2];
    params.out_channels = b->dims().back();
  } else if (n.is_const()) {
    params.out_channels = n.value();
  }
  return "";
}

// Sizes of anchor input i, found among the node's inputs.
Dims sizes_of(const GemmNode& gemm, size_t i, const Node& node, const Sizes& at) {
  if (const Tensor* constant = gemm.anchor.constant(i)) return constant->dims();
  for (size_t k = 0; k < node.inputs().size(); ++k) {
    if (node.input(k) == gemm.anchor.inputs[i].value) return at.inputs[k];
  }
  TENREC_ASSERT(false, "an operand of a region is no input of it");
}

template <class T>
void pack(const Tensor& weights, const GemmParams& params, Tensor& packed) {
  const auto* from = reinterpret_cast<const T*>(weights.data());
  auto* to = reinterpret_cast<T*>(packed.mutable_data());
  const auto padded = params.padded_channels;
  if (!params.convolution) {  // [k][n] -> [n][k]
    for (int64_t k = 0; k < params.in_channels; ++k)
      for (int64_t n = 0; n < params.out_channels; ++n)
        to[n * padded + k] = from[k * params.out_channels + n];
    return;
  }
  const int64_t channels = params.in_channels / params.groups;
  int64_t taps = 1;
  for (const int64_t size : params.kernel) taps *= size;
  for (int64_t n = 0; n < params.out_channels; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t tap = 0; tap < taps; ++tap)
        to[(n * taps + tap) * padded + c] = from[(n * channels + c) * taps + tap];
}

}  // namespace

GemmNode gemm_node(const Node& node, const DeviceInfo& device, bool any_order) {
  GemmNode gemm;
  const AnchorRules by_axis{.columns = false, .dtypes = element_types};
  const AnchorRules by_column{.columns = true, .dtypes = element_types};
  gemm.anchor = anchored(node, "conv", by_axis);
  const bool is_conv = gemm.anchor.reject.empty();
  if (!is_conv) {
    const Anchored product = anchored(node, "matmul", by_column);
    // Which of the two it is decides whose reason is told.
    if (product.reject.empty() || product.op) gemm.anchor = product;
  }
  gemm.reject = gemm.anchor.reject;
  if (!gemm.reject.empty()) return gemm;
  gemm.params.type = gemm.anchor.types[0].dtype;
  gemm.params.tf32 = device.tf32 && gemm.params.type == DType::f32;
  gemm.params.out_type = gemm.anchor.output->type.dtype;
  if (!is_element(gemm.params.type) || gemm.anchor.types[1].dtype != gemm.params.type)
    gemm.reject = fmt::format("operands are {} and {}", name(gemm.params.type),
                              name(gemm.anchor.types[1].dtype));
  else if (!is_element(gemm.params.out_type))
    gemm.reject = fmt::format("the result is {}", name(gemm.params.out_type));
  else gemm.reject = is_conv ? read_convolution(gemm, any_order) : read_product(gemm);
  if (!gemm.reject.empty()) return gemm;
  const Tensor* bias = is_conv ? gemm.anchor.constant(2) : nullptr;
  gemm.reject = EpilogueBuilder(gemm).build(bias);
  return gemm;
}

int capability(const DeviceInfo& device) { return capability_of(device.fingerprint); }

int multiprocessors(const DeviceInfo& device) {
  const int kind = capability(device);
  return kind == 90 ? 132 : kind >= 100 ? 148 : 108;
}

namespace {

// Sizes that only running tells are guesses and may contradict the weights or each other: all but
// the input's batch, height and width follow.
GemmSizes guessed_convolution(const GemmParams& params, Dims x) {
  x[1] = params.in_channels;
  Dims y = {x[0], params.out_channels};
  for (size_t i = 0; i < params.kernel.size(); ++i) {
    const int64_t room = x[i + 2] + params.pads[i] + params.pads[i + params.kernel.size()] -
                         (params.kernel[i] - 1) * params.dilations[i] - 1;
    y.push_back(room < 0 ? 0 : room / params.strides[i] + 1);
  }
  return convolution_sizes(params, x, y);
}

}  // namespace

GemmSizes GemmNode::sizes(const Node& node, const Sizes& at) const {
  const Dims a = sizes_of(*this, 0, node, at);
  const Dims& c = at.outputs.at(0);
  GemmSizes sizes;
  if (params.convolution) return guessed_convolution(params, a);
  sizes.k = a.back();
  sizes.n = c.back();
  sizes.m = c[c.size() - 2];
  int64_t batch = 1;
  for (size_t i = 0; i + 2 < c.size(); ++i) batch *= c[i];
  if (params.constant_b) sizes.m *= batch;
  else sizes.batch[2] = batch;
  return sizes;
}

// wgmma cuts off the low 13 bits of the other operand, on average half of 2^-10 times a number's
// power of two. Of sums of numbers whose mantissas m spread evenly over the scales that is 2^-11
// over the mean of m, 1 / ln 2. Weights that are larger by as much keep sums, and what many layers
// make of them, from shrinking.
constexpr float cut_off = 0.69F * 0x1p-11F;

void round_to_tf32(Tensor& tensor) {
  std::byte* at = tensor.mutable_data();
  for (uint64_t i = 0; i < tensor.elements(); ++i, at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, at, sizeof value);
    auto bits = std::bit_cast<uint32_t>(value * (1 + cut_off));
    const bool finite = (bits & 0x7f800000U) != 0x7f800000U;
    if (finite) bits = (bits + 0x1000U) & ~0x1fffU;
    std::memcpy(at, &bits, sizeof bits);
  }
}

Tensor pack_weights(GemmNode& gemm, int64_t multiple, bool for_tf32) {
  GemmParams& params = gemm.params;
  const Tensor& weights = *gemm.anchor.constant(1);
  const int64_t channels = params.in_channels / params.groups;
  params.padded_channels = (channels + multiple - 1) / multiple * multiple;
  int64_t taps = 1;
  for (const int64_t size : params.kernel) taps *= size;
  Tensor packed(weights.dtype(), {params.out_channels, taps * params.padded_channels});
  std::memset(packed.mutable_data(), 0, static_cast<size_t>(packed.bytes()));
  if (bit_width(weights.dtype()) == 32) pack<uint32_t>(weights, params, packed);
  else pack<uint16_t>(weights, params, packed);
  if (for_tf32 && weights.dtype() == DType::f32) round_to_tf32(packed);
  return packed;
}

StepDraft gemm_draft(const Node& node, const GemmNode& gemm, std::string_view family,
                     const std::string& tactic, Tensor packed) {
  StepDraft draft = anchored_draft(node, gemm.anchor, family, tactic);
  draft.params = encode(gemm.params);
  draft.inputs = {gemm.anchor.inputs[0], gemm.anchor.inputs[1], {}};
  if (packed) draft.inputs[1] = {nullptr, std::move(packed)};
  if (gemm.table) draft.inputs[2] = {nullptr, gemm.table};
  draft.inputs.insert(draft.inputs.end(), gemm.full.begin(), gemm.full.end());
  return draft;
}

}  // namespace tenrec::cuda
