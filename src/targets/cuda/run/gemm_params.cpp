// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/gemm_params.h"

#include <algorithm>

#include "base/error.h"
#include "base/wire.h"

namespace tenrec::cuda {
namespace {

constexpr int64_t max_size = 1 << 30;

int64_t checked(int64_t value, const char* what) {
  TENREC_CHECK(value >= 0 && value <= max_size, unsupported, "a product with a size of {} ({})",
               value, what);
  return value;
}

bool same(std::span<const int64_t> a, std::span<const int64_t> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// Sizes of the batch: numpy's broadcasting of the axes before the last two, at most three of them
// left after neighbours that every operand walks evenly are merged.
void set_batch(GemmSizes& sizes, std::span<const int64_t> a, std::span<const int64_t> b,
               std::span<const int64_t> c) {
  struct Axis {
    int64_t size, a, b, c;
  };
  std::vector<Axis> axes;  // innermost first
  int64_t a_step = sizes.m * sizes.k, b_step = sizes.k * sizes.n, c_step = sizes.m * sizes.n;
  const auto size_at = [](std::span<const int64_t> dims, size_t from_end) {
    return from_end < dims.size() ? dims[dims.size() - 1 - from_end] : int64_t{1};
  };
  for (size_t i = 2; i < c.size(); ++i) {
    const int64_t size = c[c.size() - 1 - i], in_a = size_at(a, i), in_b = size_at(b, i);
    TENREC_CHECK((in_a == size || in_a == 1) && (in_b == size || in_b == 1), invalid_engine,
                 "batch sizes {} and {} of a matrix product do not give {}", in_a, in_b, size);
    Axis axis{size, in_a == 1 ? 0 : a_step, in_b == 1 ? 0 : b_step, c_step};
    a_step *= in_a;
    b_step *= in_b;
    c_step *= size;
    if (size == 1) continue;
    if (!axes.empty()) {
      Axis& last = axes.back();
      if (axis.a == last.a * last.size && axis.b == last.b * last.size &&
          axis.c == last.c * last.size) {
        last.size *= size;
        continue;
      }
    }
    axes.push_back(axis);
  }
  TENREC_CHECK(axes.size() <= 3, unsupported, "a matrix product with {} uneven batch axes",
               axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    sizes.batch[2 - i] = checked(axes[i].size, "batch");
    sizes.a_step[2 - i] = axes[i].a;
    sizes.b_step[2 - i] = axes[i].b;
    sizes.c_step[2 - i] = axes[i].c;
  }
}

GemmSizes product_sizes(const GemmParams& params, const StepArgs& args) {
  const std::span<const int64_t> a = args.inputs[0].dims, c = args.outputs[0].dims;
  TENREC_CHECK(a.size() >= 2 && c.size() >= 2, invalid_engine,
               "a matrix product of ranks {} and {}", a.size(), c.size());
  GemmSizes sizes;
  sizes.k = checked(a.back(), "k");
  sizes.n = checked(c.back(), "n");
  if (params.constant_b) {
    int64_t rows = 1;
    for (size_t i = 0; i + 1 < a.size(); ++i) rows *= a[i];
    TENREC_CHECK(a.size() == c.size() && same(a.first(a.size() - 1), c.first(c.size() - 1)) &&
                     sizes.k == params.in_channels && sizes.n == params.out_channels,
                 invalid_engine, "a product with weights [{}, {}] on shapes [{}] -> [{}]",
                 params.in_channels, params.out_channels, fmt::join(a, ", "), fmt::join(c, ", "));
    sizes.m = checked(rows, "rows");
    return sizes;
  }
  const std::span<const int64_t> b = args.inputs[1].dims;
  sizes.m = checked(a[a.size() - 2], "rows");
  TENREC_CHECK(b.size() >= 2 && b[b.size() - 2] == sizes.k && b.back() == sizes.n &&
                   c[c.size() - 2] == sizes.m && c.size() == std::max(a.size(), b.size()),
               invalid_engine, "a matrix product of shapes [{}] and [{}] does not give [{}]",
               fmt::join(a, ", "), fmt::join(b, ", "), fmt::join(c, ", "));
  set_batch(sizes, a, b, c);
  return sizes;
}

}  // namespace

GemmSizes convolution_sizes(const GemmParams& params, std::span<const int64_t> x,
                            std::span<const int64_t> y) {
  TENREC_CHECK(x.size() == params.kernel.size() + 2 && y.size() == x.size() && x[0] == y[0] &&
                   x[1] == params.in_channels && y[1] == params.out_channels,
               invalid_engine, "a convolution of {} -> {} channels on shapes [{}] and [{}]",
               params.in_channels, params.out_channels, fmt::join(x, ", "), fmt::join(y, ", "));
  GemmSizes sizes;
  const size_t rank = params.kernel.size();
  int64_t* const in[] = {&sizes.in_h, &sizes.in_w};
  int64_t* const out[] = {&sizes.out_h, &sizes.out_w};
  int64_t* const kernel[] = {&sizes.kernel_h, &sizes.kernel_w};
  int64_t* const stride[] = {&sizes.stride_h, &sizes.stride_w};
  int64_t* const dilation[] = {&sizes.dilation_h, &sizes.dilation_w};
  int64_t* const pad[] = {&sizes.pad_h, &sizes.pad_w};
  int64_t* const pad_end[] = {&sizes.pad_h_end, &sizes.pad_w_end};
  for (size_t i = 0; i < rank; ++i) {
    const size_t axis = 2 - rank + i;
    *in[axis] = checked(x[i + 2], "height or width");
    *out[axis] = checked(y[i + 2], "height or width");
    *kernel[axis] = params.kernel[i];
    *stride[axis] = params.strides[i];
    *dilation[axis] = params.dilations[i];
    *pad[axis] = params.pads[i];
    *pad_end[axis] = params.pads[i + rank];
    const int64_t room = x[i + 2] + params.pads[i] + params.pads[i + rank] -
                         (params.kernel[i] - 1) * params.dilations[i] - 1;
    TENREC_CHECK(y[i + 2] == (room < 0 ? 0 : room / params.strides[i] + 1), invalid_engine,
                 "a convolution from size {} to {} does not follow from its parameters", x[i + 2],
                 y[i + 2]);
  }
  sizes.images = checked(x[0], "batch");
  sizes.m = checked(sizes.images * sizes.out_h * sizes.out_w, "pixels");
  sizes.n = params.out_channels / params.groups;
  sizes.k = params.in_channels / params.groups * sizes.kernel_h * sizes.kernel_w;
  sizes.batch[2] = params.groups;
  return sizes;
}

void check_gemm_step(const GemmParams& params, const plan::Step& step) {
  const auto sane = [](int64_t value) { return value >= 0 && value <= 1 << 24; };
  TENREC_CHECK(
      step.outputs.size() == 1 && step.outputs[0] != plan::none && sane(params.full_operands) &&
          sane(params.channel_operands) &&
          step.inputs.size() == gemm_operands + static_cast<size_t>(params.full_operands) &&
          params.full_operands <= 4 && params.channel_operands <= 16,
      invalid_engine, "a product with {} inputs and {} outputs, {} by channel and {} full",
      step.inputs.size(), step.outputs.size(), params.channel_operands, params.full_operands);
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const bool optional = i == 2 && params.channel_operands == 0;
    TENREC_CHECK((step.inputs[i] == plan::none) == optional, invalid_engine,
                 "input {} of a product is {}", i, optional ? "not wanted" : "missing");
  }
  TENREC_CHECK(sane(params.in_channels) && sane(params.out_channels) && sane(params.groups) &&
                   sane(params.padded_channels),
               invalid_engine, "a product of {} -> {} channels in {} groups", params.in_channels,
               params.out_channels, params.groups);
  if (!params.epilogue.nodes.empty()) {
    validate(params.epilogue);
    TENREC_CHECK(params.epilogue.outputs.size() == 1 &&
                     params.epilogue.inputs == 1 + params.channel_operands + params.full_operands,
                 invalid_engine, "an epilogue of {} inputs", params.epilogue.inputs);
  }
  if (!params.convolution) return;
  const size_t rank = params.kernel.size();
  TENREC_CHECK(
      rank >= 1 && rank <= 2 && params.strides.size() == rank && params.dilations.size() == rank &&
          params.pads.size() == 2 * rank && params.groups >= 1 && params.in_channels >= 1 &&
          params.out_channels >= 1 && params.in_channels % params.groups == 0 &&
          params.out_channels % params.groups == 0 && params.constant_b,
      invalid_engine, "convolution parameters of rank {} with {} groups", rank, params.groups);
  for (const auto* list : {&params.kernel, &params.strides, &params.dilations})
    for (const int64_t value : *list)
      TENREC_CHECK(value >= 1 && sane(value), invalid_engine, "a convolution parameter of {}",
                   value);
  for (const int64_t pad : params.pads)
    TENREC_CHECK(pad > -(1 << 24) && pad < 1 << 24, invalid_engine, "a padding of {}", pad);
}

GemmParams decode_gemm_params(const plan::Step& step) {
  GemmParams params = decode<GemmParams>(step.params);
  check_gemm_step(params, step);
  return params;
}

bool walks(const GemmParams& params) {
  const auto all = [](const std::vector<int64_t>& list, int64_t value) {
    return std::all_of(list.begin(), list.end(), [&](int64_t each) { return each == value; });
  };
  return params.convolution &&
         !(all(params.kernel, 1) && all(params.strides, 1) && all(params.pads, 0));
}

GemmSizes gemm_sizes(const GemmParams& params, const StepArgs& args) {
  const TensorView& out = args.outputs[0];
  TENREC_CHECK(args.inputs[0].dtype == params.type && out.dtype == params.out_type, invalid_engine,
               "a product of {} to {} got {} and {}", name(params.type), name(params.out_type),
               name(args.inputs[0].dtype), name(out.dtype));
  const auto layout_fits = [&](const TensorView& view) {
    return view.def->block_axis < 0 && view.def->channels_last == params.channels_last;
  };
  TENREC_CHECK(layout_fits(args.inputs[0]) && layout_fits(out), invalid_engine,
               "a product on an unknown layout");
  const GemmSizes sizes = params.convolution
                              ? convolution_sizes(params, args.inputs[0].dims, out.dims)
                              : product_sizes(params, args);
  if (params.constant_b) {
    const int64_t channels =
        params.padded_channels ? params.padded_channels : params.in_channels / params.groups;
    const int64_t wanted = params.out_channels * sizes.kernel_h * sizes.kernel_w * channels;
    TENREC_CHECK(args.inputs[1].dtype == params.type && args.inputs[1].elements() == wanted,
                 invalid_engine, "packed weights of {} elements, {} are needed",
                 args.inputs[1].elements(), wanted);
  } else {
    TENREC_CHECK(args.inputs[1].dtype == params.type, invalid_engine, "operands of two types");
  }
  if (params.channel_operands > 0)
    TENREC_CHECK(
        args.inputs[2].dtype == params.table_type &&
            args.inputs[2].elements() ==
                params.channel_operands * out.dims[params.convolution ? 1 : out.dims.size() - 1],
        invalid_engine, "a table of {} numbers by channel", args.inputs[2].elements());
  for (size_t i = gemm_operands; i < args.inputs.size(); ++i) {
    const TensorView& full = args.inputs[i];
    TENREC_CHECK(same(full.dims, out.dims) && layout_fits(full), invalid_engine,
                 "an operand of an epilogue differs from the output in shape or layout");
  }
  return sizes;
}

}  // namespace tenrec::cuda
