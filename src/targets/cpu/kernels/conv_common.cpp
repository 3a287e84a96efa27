// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/kernels/conv_common.h"

#include <algorithm>

#include "base/error.h"
#include "targets/cpu/run/cpu_device.h"

namespace tenrec::cpu {

Anchored read_conv_node(const Node& node) {
  Anchored conv = anchored(node, "conv", false);
  if (!conv.reject.empty()) return conv;
  const Type& x = conv.types[0];
  if (x.dtype != DType::f32) conv.reject = fmt::format("input is {}", name(x.dtype));
  else if (!x.ranked || x.rank() < 3 || x.rank() > 5) conv.reject = "not 1 to 3 spatial axes";
  else if (!conv.constant(1)) conv.reject = "the weight is not constant";
  else if (conv.types.size() > 2 && conv.types[2].present() && !conv.constant(2))
    conv.reject = "the bias is not constant";
  return conv;
}

ConvParams conv_params(const Anchored& conv) {
  const tenrec::Conv op = *conv.op.as<tenrec::Conv>();
  const Dims& weight = conv.constant(1)->dims();
  ConvParams params;
  params.auto_pad = op.auto_pad;
  params.kernel.assign(weight.begin() + 2, weight.end());
  const size_t rank = params.kernel.size();
  params.strides = op.strides.empty() ? std::vector<int64_t>(rank, 1) : op.strides;
  params.dilations = op.dilations.empty() ? std::vector<int64_t>(rank, 1) : op.dilations;
  params.pads = op.pads.empty() ? std::vector<int64_t>(2 * rank, 0) : op.pads;
  params.groups = op.group;
  params.in_channels = weight[1] * op.group;
  params.out_channels = weight[0];
  params.epilogue = conv.epilogue;
  return params;
}

Isa isa_of(const DeviceInfo& device) {
  for (const Isa isa : {Isa::avx512, Isa::avx2}) {
    if (device.fingerprint == fingerprint_of(isa)) return isa;
  }
  return Isa::baseline;
}

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

}  // namespace tenrec::cpu
