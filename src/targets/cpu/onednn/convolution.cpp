// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/onednn/convolution.h"

#include <cmath>

#include <array>
#include <cstring>

namespace tenrec::cpu {
namespace {

using Tag = dnnl::memory::format_tag;

struct NamedTag {
  const char* name;
  Tag tag;
  bool grouped;
};
// What oneDNN's kernels for AVX2 and AVX-512 read, best first; the stem's and depthwise ones
// included.
constexpr std::array weight_tags{
    NamedTag{"OIhw16i16o", Tag::OIhw16i16o, false},
    NamedTag{"OIhw8i8o", Tag::OIhw8i8o, false},
    NamedTag{"Ohwi16o", Tag::Ohwi16o, false},
    NamedTag{"Ohwi8o", Tag::Ohwi8o, false},
    NamedTag{"oihw", Tag::oihw, false},
    NamedTag{"gOIhw16i16o", Tag::gOIhw16i16o, true},
    NamedTag{"gOIhw8i8o", Tag::gOIhw8i8o, true},
    NamedTag{"Goihw16g", Tag::Goihw16g, true},
    NamedTag{"Goihw8g", Tag::Goihw8g, true},
    NamedTag{"goihw", Tag::goihw, true},
};

// False: oneDNN has no such activation.
bool append_activation(const Activation& activation, dnnl::post_ops& post) {
  using Kind = Activation::Kind;
  const float low = activation.low, high = activation.high;
  switch (activation.kind) {
    case Kind::none: break;
    case Kind::relu: post.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0); break;
    case Kind::clip: post.append_eltwise(1, dnnl::algorithm::eltwise_clip, low, high); break;
    case Kind::gate:  // HardSwish times `high`
      if (low != 0 || std::abs(activation.slope * 6 - high) > 1e-6f * high ||
          std::abs(activation.offset * 2 - high) > 1e-6f * high)
        return false;
      post.append_eltwise(1, dnnl::algorithm::eltwise_hardswish, 0, 0);
      if (high != 1 || activation.shift != 0)
        post.append_eltwise(1, dnnl::algorithm::eltwise_linear, high, activation.shift);
  }
  return true;
}

}  // namespace

dnnl::memory::desc activation_desc(std::span<const int64_t> dims, int64_t block) {
  const Tag tag = block == 0 ? Tag::nchw : block == 16 ? Tag::nChw16c : Tag::nChw8c;
  return {dnnl::memory::dims(dims.begin(), dims.end()), dnnl::memory::data_type::f32, tag};
}

Tag weights_tag(const std::string& name) {
  for (const NamedTag& entry : weight_tags) {
    if (name == entry.name) return entry.tag;
  }
  return Tag::undef;
}

dnnl::memory::desc weights_desc(const ConvParams& params, Tag tag) {
  dnnl::memory::dims dims{params.out_channels / params.groups, params.in_channels / params.groups,
                          params.kernel[0], params.kernel[1]};
  if (params.groups > 1) dims.insert(dims.begin(), params.groups);
  return {dims, dnnl::memory::data_type::f32, tag};
}

std::optional<OnednnConvolution> onednn_convolution(const ConvParams& params,
                                                    std::span<const int64_t> x,
                                                    std::span<const int64_t> y, int64_t x_block,
                                                    int64_t y_block, bool has_bias) {
  const Conv conv = conv_problem(params, x, y);
  const auto after = [](const Axis& axis) {
    const int span = (axis.kernel - 1) * axis.dilation + 1;
    return int64_t{(axis.out - 1) * axis.stride + span - axis.in - axis.pad};
  };
  const dnnl::memory::dims strides{params.strides[0], params.strides[1]};
  const dnnl::memory::dims dilations{params.dilations[0] - 1, params.dilations[1] - 1};
  const dnnl::memory::dims pad_before{conv.h.pad, conv.w.pad};
  const dnnl::memory::dims pad_after{after(conv.h), after(conv.w)};
  const dnnl::memory::desc source = activation_desc(x, x_block),
                           target = activation_desc(y, y_block);
  const dnnl::memory::desc weights = weights_desc(params, weights_tag(params.weights_format));
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  OnednnConvolution result;
  if (!params.epilogue.nodes.empty()) {
    const std::optional<SimpleEpilogue> simple = simple_epilogue(params.epilogue);
    dnnl::post_ops post;
    result.fused = simple && params.epilogue.inputs - 1 == (simple->residual >= 0 ? 1 : 0);
    if (result.fused && simple->residual >= 0)
      post.append_binary(dnnl::algorithm::binary_add, target);
    result.fused = result.fused && append_activation(simple->activation, post);
    if (result.fused) attributes.set_post_ops(post);
  }
  const OneThread one_thread;
  try {
    const dnnl::memory::desc bias(dnnl::memory::dims{params.out_channels},
                                  dnnl::memory::data_type::f32, Tag::x);
    const auto kind = dnnl::prop_kind::forward_inference;
    const auto algorithm = dnnl::algorithm::convolution_direct;
    const dnnl::convolution_forward::desc desc =
        has_bias ? dnnl::convolution_forward::desc(kind, algorithm, source, weights, bias, target,
                                                   strides, dilations, pad_before, pad_after)
                 : dnnl::convolution_forward::desc(kind, algorithm, source, weights, target,
                                                   strides, dilations, pad_before, pad_after);
    result.description =
        dnnl::convolution_forward::primitive_desc(desc, attributes, onednn_engine());
  } catch (const dnnl::error&) {
    return std::nullopt;
  }
  return result;
}

std::string choose_weights_format(ConvParams params, std::span<const int64_t> x,
                                  std::span<const int64_t> y, int64_t x_block, int64_t y_block,
                                  bool has_bias) {
  for (const NamedTag& entry : weight_tags) {
    if (entry.grouped != (params.groups > 1)) continue;
    params.weights_format = entry.name;
    const auto convolution = onednn_convolution(params, x, y, x_block, y_block, has_bias);
    // "ref" is oneDNN's unoptimised fall-back.
    if (convolution && std::strstr(convolution->description.impl_info_str(), "ref") == nullptr)
      return entry.name;
  }
  return "";
}

}  // namespace tenrec::cpu
