// SPDX-License-Identifier: Apache-2.0
#include "ops/deform_conv.h"

#include <cmath>

#include "ops/conv.h"

namespace tenrec {
namespace {

Conv plain_conv(const DeformConv& op) {
  Conv conv;
  conv.dilations = op.dilations;
  conv.group = op.group;
  conv.pads = op.pads;
  conv.strides = op.strides;
  return conv;
}

// One channel read between its elements.
double sample(const double* x, const std::vector<WindowAxis>& axes, const double* at) {
  const size_t rank = axes.size();
  double sum = 0;
  for (size_t corner = 0; corner < size_t{1} << rank; ++corner) {
    double weight = 1;
    int64_t offset = 0;
    for (size_t i = 0; i < rank && weight != 0; ++i) {
      const double low = std::floor(at[i]);
      const bool upper = (corner >> i & 1) != 0;
      const double place = low + (upper ? 1 : 0);
      weight *= upper ? at[i] - low : 1 - (at[i] - low);
      const bool inside = place >= 0 && place < static_cast<double>(axes[i].in);
      if (!inside) weight = 0;
      offset = offset * axes[i].in + (inside ? static_cast<int64_t>(place) : 0);
    }
    if (weight != 0) sum += weight * x[offset];
  }
  return sum;
}

// The geometry of one call, and where things lie in its tensors.
struct Geometry {
  Convolution conv;
  Dims out, kernel;
  int64_t offset_group = 1, plane_in = 1, plane_out = 1, taps = 1;

  // Adds input channel `c` of sample `n`, read as output position `at` (number `position`) and
  // tap `k` (number `tap`) want it; false outside.
  double read(const double* x, const double* offset, const double* mask, int64_t n, int64_t c,
              const Dims& at, int64_t position, const Dims& k, int64_t tap) const {
    const size_t rank = conv.axes.size();
    const int64_t set = c / (conv.in_channels / offset_group);
    const int64_t row = (n * offset_group + set) * taps + tap;
    double place[8] = {};
    for (size_t i = 0; i < rank; ++i) {
      const WindowAxis& axis = conv.axes[i];
      const int64_t entry = row * static_cast<int64_t>(rank) + static_cast<int64_t>(i);
      place[i] = static_cast<double>(at[i] * axis.stride - axis.pad_begin + k[i] * axis.dilation) +
                 offset[entry * plane_out + position];
    }
    const double value = sample(x + (n * conv.in_channels + c) * plane_in, conv.axes, place);
    return mask ? value * mask[row * plane_out + position] : value;
  }
};

}  // namespace

Types DeformConv::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the input");
  const Type& weight = required_float(in, 1, "the weight");
  const Type& offset = required_float(in, 2, "the offset");
  TENREC_CHECK(offset_group > 0, invalid_model, "offset_group is {}", offset_group);
  if (!x.ranked || !weight.ranked) return {Type::unranked(x.dtype)};
  TENREC_CHECK(x.rank() <= 2 + 8, unsupported, "the input has {} axes; at most 10 are supported",
               x.rank());
  Shape shape = conv_output_shape(plain_conv(*this), x, weight);
  if (offset.ranked && offset.rank() == x.rank()) {
    for (size_t i = 2; i < shape.size(); ++i)
      check_same_size(offset.shape[i], shape[i], "the sizes of offset and output");
  }
  return {Type::tensor(x.dtype, std::move(shape))};
}

Tensors DeformConv::eval(const Tensors& in) const {
  Geometry g;
  g.out = dims_of(actual_outputs(*this, in)[0]);
  g.conv = conv_geometry(plain_conv(*this), in[0].dims(), in[1].dims());
  g.offset_group = offset_group;
  g.kernel.assign(in[1].dims().begin() + 2, in[1].dims().end());
  g.plane_in = elements_between(in[0].dims(), 2, in[0].dims().size());
  g.plane_out = elements_between(g.out, 2, g.out.size());
  g.taps = static_cast<int64_t>(element_count(g.kernel));
  const auto rank = static_cast<int64_t>(g.kernel.size());
  TENREC_CHECK(g.conv.in_channels % offset_group == 0, invalid_input,
               "{} channels are no multiple of offset_group {}", g.conv.in_channels, offset_group);
  const auto entries = static_cast<uint64_t>(g.out[0] * offset_group * g.taps * g.plane_out);
  TENREC_CHECK(in[2].elements() == entries * static_cast<uint64_t>(rank), invalid_input,
               "the offset is {}, which does not fit output {}", to_string(in[2].dims()),
               to_string(g.out));
  TENREC_CHECK(!present(in, 4) || in[4].elements() == entries, invalid_input,
               "the mask is {}, which does not fit output {}", to_string(in[4].dims()),
               to_string(g.out));
  const std::vector<double> x = in[0].to_doubles(), w = in[1].to_doubles();
  const std::vector<double> offset = in[2].to_doubles();
  const std::vector<double> bias = present(in, 3) ? in[3].to_doubles() : std::vector<double>{};
  const std::vector<double> mask = present(in, 4) ? in[4].to_doubles() : std::vector<double>{};
  std::vector<double> y(element_count(g.out), 0.0);
  if (y.empty()) return {Tensor::from_doubles(in[0].dtype(), g.out, y)};

  const int64_t in_group = g.conv.in_channels / group, out_group = g.conv.out_channels / group;
  const Dims positions(g.out.begin() + 2, g.out.end());
  for (int64_t n = 0; n < g.out[0]; ++n) {
    Dims at(positions.size(), 0);
    int64_t position = 0;
    do {
      for (int64_t c = 0; c < g.conv.in_channels; ++c) {
        Dims k(g.kernel.size(), 0);
        int64_t tap = 0;
        do {
          const double value = g.read(x.data(), offset.data(), mask.empty() ? nullptr : mask.data(),
                                      n, c, at, position, k, tap);
          for (int64_t o = 0; o < out_group; ++o) {
            const int64_t channel = c / in_group * out_group + o;
            y[static_cast<size_t>((n * g.out[1] + channel) * g.plane_out + position)] +=
                value * w[static_cast<size_t>((channel * in_group + c % in_group) * g.taps + tap)];
          }
          ++tap;
        } while (next_index(k, g.kernel));
      }
      ++position;
    } while (next_index(at, positions));
  }
  for (size_t i = 0; !bias.empty() && i < y.size(); ++i)
    y[i] += bias[i / static_cast<size_t>(g.plane_out) % bias.size()];
  return {Tensor::from_doubles(in[0].dtype(), g.out, y)};
}

Values DeformConv::from_onnx(const OnnxNode& node, OnnxContext& context) {
  check_kernel_shape(node, context.input(1));
  return context.add(DeformConv{.dilations = node.integers("dilations"),
                                .group = node.integer("group", 1),
                                .offset_group = node.integer("offset_group", 1),
                                .pads = node.integers("pads"),
                                .strides = node.integers("strides")},
                     context.inputs());
}

double DeformConv::flops(const Types& in, const Types& out) const { return Conv{}.flops(in, out); }

}  // namespace tenrec
