// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/kernels/conv_common.h"

#include <algorithm>

#include "base/error.h"
#include "ops/conv_transpose.h"
#include "targets/cpu/run/cpu_device.h"
#include "targets/cpu/run/tile_program.h"

namespace tenrec::cpu {

namespace {

Anchored read_anchor(const Node& node, std::string_view anchor, bool short_operands) {
  AnchorRules rules = cpu_anchor_rules(false);
  rules.short_operands = short_operands;
  Anchored conv = anchored(node, anchor, rules);
  if (!conv.reject.empty()) return conv;
  const Type& x = conv.types[0];
  if (x.dtype != DType::f32) {
    conv.reject = fmt::format("input is {}", name(x.dtype));
  } else if (!x.ranked || x.rank() < 3 || x.rank() > 5) {
    conv.reject = "not 1 to 3 spatial axes";
  } else if (!conv.constant(1)) {
    conv.reject = "the weight is not constant";
  } else if (conv.constant(1)->elements() == 0) {
    conv.reject = "the weight is empty";
  } else if (conv.types.size() > 2 && conv.types[2].present() && !conv.constant(2)) {
    conv.reject = "the bias is not constant";
  }
  return conv;
}

// Fields that both operators have.
template <class T>
void copy_fields(const T& op, const Dims& weight, ConvParams& params) {
  const size_t rank = weight.size() - 2;
  params.auto_pad = op.auto_pad;
  params.kernel.assign(weight.begin() + 2, weight.end());
  params.strides = op.strides.empty() ? std::vector<int64_t>(rank, 1) : op.strides;
  params.dilations = op.dilations.empty() ? std::vector<int64_t>(rank, 1) : op.dilations;
  params.pads = op.pads.empty() ? std::vector<int64_t>(2 * rank, 0) : op.pads;
  params.groups = op.group;
}

}  // namespace

Anchored read_conv_node(const Node& node, bool short_operands) {
  return read_anchor(node, "conv", short_operands);
}

Anchored read_conv_transpose_node(const Node& node) {
  Anchored conv = read_anchor(node, "conv_transpose", false);
  if (!conv.reject.empty()) return conv;
  const ConvTranspose& op = *conv.op.as<ConvTranspose>();
  if (op.auto_pad != AutoPad::notset || !op.output_shape.empty()) {
    conv.reject = "the pads follow from the output's size";
  }
  return conv;
}

ConvParams conv_params(const Anchored& conv) {
  const Dims& weight = conv.constant(1)->dims();
  ConvParams params;
  if (const auto* op = conv.op.as<ConvTranspose>()) {
    copy_fields(*op, weight, params);
    params.transposed = true;
    params.output_padding = op->output_padding;
    params.in_channels = weight[0];
    params.out_channels = weight[1] * op->group;
  } else {
    copy_fields(*conv.op.as<tenrec::Conv>(), weight, params);
    params.in_channels = weight[1] * params.groups;
    params.out_channels = weight[0];
  }
  params.epilogue = conv.epilogue;
  return params;
}

Conv packing_problem(const ConvParams& params) {
  Conv conv;
  conv.groups = static_cast<int>(params.groups);
  conv.in_channels = static_cast<int>(params.in_channels);
  conv.out_channels = static_cast<int>(params.out_channels);
  Axis* const axes[] = {&conv.d, &conv.h, &conv.w};
  const size_t rank = params.kernel.size();
  for (size_t i = 0; i < rank; ++i) {
    Axis& axis = *axes[3 - rank + i];
    axis.kernel = static_cast<int>(params.kernel[i]);
    axis.stride = static_cast<int>(params.strides[i]);
    axis.dilation = static_cast<int>(params.dilations[i]);
    // A transposed convolution is packed phase by phase of its stride, as the pads lay them.
    if (params.transposed) axis.pad = static_cast<int>(params.pads[i]);
  }
  return conv;
}

Isa isa_of(const DeviceInfo& device) { return isa_of(device.fingerprint).value_or(Isa::baseline); }

Conv conv_at(const Anchored& conv, const Sizes& sizes) {
  const ConvParams params = conv_params(conv);
  Dims x = sizes.inputs.at(0);
  x[1] = params.in_channels;
  for (size_t i = 0; i < params.kernel.size(); ++i) {
    x[i + 2] = std::max(x[i + 2], (params.kernel[i] - 1) * params.dilations[i] + 1);
  }
  const Types types{Type::tensor(DType::f32, Shape(x.begin(), x.end())),
                    Type::of_constant(*conv.constant(1))};
  return conv_problem(params, x, static_dims(conv.op.infer(types)[0].shape));
}

bool is_blocked(const Type& type, const DeviceInfo& device) {
  return type.layout.block_axis == 1 && type.layout.block == device.channel_block;
}

AnchorRules cpu_anchor_rules(bool columns) {
  return {.columns = columns, .dtypes = {DType::f32}, .unsupported = TileProgram::unsupported};
}

}  // namespace tenrec::cpu
