// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_params.h"

#include <algorithm>

#include "base/wire.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t max_size = 1 << 24;  // of an axis or channel count; products stay inside int64

int checked(int64_t value, const char* what) {
  TENREC_CHECK(value >= 0 && value <= max_size, unsupported, "a convolution with {} {}", what,
               value);
  return static_cast<int>(value);
}

bool folds(const ConvParams& params) {
  return params.dilations.back() == 1 && std::all_of(params.kernel.begin(), params.kernel.end() - 1,
                                                     [](int64_t size) { return size == 1; });
}

}  // namespace

ConvParams decode_conv_params(std::string_view bytes) {
  ConvParams params = decode<ConvParams>(bytes);
  const size_t rank = params.kernel.size();
  TENREC_CHECK(
      rank >= 1 && rank <= 3 && params.strides.size() == rank && params.dilations.size() == rank &&
          (params.pads.size() == 2 * rank || params.auto_pad != AutoPad::notset),
      invalid_engine, "convolution parameters of rank {} with {} strides, {} dilations, {} pads",
      rank, params.strides.size(), params.dilations.size(), params.pads.size());
  for (size_t i = 0; i < rank; ++i) {
    for (const int64_t value : {params.kernel[i], params.strides[i], params.dilations[i]}) {
      TENREC_CHECK(value >= 1 && value <= max_size, invalid_engine, "a convolution parameter of {}",
                   value);
    }
  }
  TENREC_CHECK(params.output_padding.empty() || params.output_padding.size() == rank,
               invalid_engine, "{} output paddings for {} axes", params.output_padding.size(),
               rank);
  for (const int64_t value : params.output_padding) {
    TENREC_CHECK(value >= 0 && value <= max_size, invalid_engine, "an output padding of {}", value);
  }
  TENREC_CHECK(!params.transposed || params.auto_pad == AutoPad::notset, invalid_engine,
               "a transposed convolution needs explicit pads");
  for (const int64_t value : {params.groups, params.in_channels, params.out_channels}) {
    TENREC_CHECK(value >= 1 && value <= max_size, invalid_engine, "a convolution parameter of {}",
                 value);
  }
  TENREC_CHECK(params.in_channels % params.groups == 0 && params.out_channels % params.groups == 0,
               invalid_engine, "channels are no multiple of the groups");
  TENREC_CHECK(params.fold == Fold::none || (!params.transposed && folds(params)), invalid_engine,
               "a convolution that cannot be folded");
  if (!params.epilogue.nodes.empty()) {
    validate(params.epilogue);
    TENREC_CHECK(params.epilogue.inputs >= 1 && params.epilogue.outputs.size() == 1, invalid_engine,
                 "an epilogue needs an input and one output");
  }
  return params;
}

Conv conv_problem(const ConvParams& params, std::span<const int64_t> x,
                  std::span<const int64_t> y) {
  const size_t rank = params.kernel.size();
  TENREC_CHECK(x.size() == rank + 2 && y.size() == rank + 2 && x[0] == y[0] &&
                   x[1] == params.in_channels && y[1] == params.out_channels,
               invalid_engine, "a convolution of {} -> {} channels on shapes [{}] and [{}]",
               params.in_channels, params.out_channels, fmt::join(x, ", "), fmt::join(y, ", "));
  Conv conv;
  conv.images = checked(x[0], "batch");
  conv.groups = checked(params.groups, "groups");
  conv.in_channels = checked(params.in_channels, "channels");
  conv.out_channels = checked(params.out_channels, "channels");
  Axis* const axes[] = {&conv.d, &conv.h, &conv.w};
  for (size_t i = 0; i < rank; ++i) {
    Axis& axis = *axes[3 - rank + i];
    const auto given = params.pads.empty() ? std::pair<int64_t, int64_t>{0, 0}
                                           : std::pair{params.pads[i], params.pads[rank + i]};
    const auto [before, after] = axis_padding(params.auto_pad, x[i + 2], params.kernel[i],
                                              params.strides[i], params.dilations[i], given);
    axis.in = checked(x[i + 2], "size");
    axis.out = checked(y[i + 2], "size");
    axis.kernel = checked(params.kernel[i], "kernel");
    axis.stride = checked(params.strides[i], "stride");
    axis.dilation = checked(params.dilations[i], "dilation");
    axis.pad = static_cast<int>(before);
    const int64_t span = (params.kernel[i] - 1) * params.dilations[i] + 1;
    // A transposed convolution is the convolution from y to x.
    const int64_t big = params.transposed ? y[i + 2] : x[i + 2];
    const int64_t small = params.transposed ? x[i + 2] : y[i + 2];
    const int64_t extra = params.output_padding.empty() ? 0 : params.output_padding[i];
    // A kernel that does not fit into the input even once gives no output.
    const int64_t room = big + before + after - span;
    const bool follows = params.transposed ? room == (small - 1) * params.strides[i] + extra
                                           : small == (room < 0 ? 0 : room / params.strides[i] + 1);
    TENREC_CHECK(before > -max_size && before < max_size && follows, invalid_engine,
                 "a convolution from size {} to {} does not follow from its parameters", x[i + 2],
                 y[i + 2]);
  }
  return conv;
}

}  // namespace tenrec::cpu
