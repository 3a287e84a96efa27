// SPDX-License-Identifier: Apache-2.0
#include "ops/dense.h"

namespace tenrec {
namespace {

struct Sizes {
  int64_t in = 1, out = 1, kernel = 1;  // elements of one channel
};

Sizes sizes_of(const std::vector<WindowAxis>& axes) {
  Sizes sizes;
  for (const WindowAxis& axis : axes) {
    sizes.in *= axis.in;
    sizes.out *= axis.out;
    sizes.kernel *= axis.kernel;
  }
  return sizes;
}

// For `count` output positions from `first`: the offset inside the input's channel that each kernel
// element reads, -1 in the padding. Layout [kernel][dense_tile].
void tile_offsets(const std::vector<WindowAxis>& axes, int64_t kernel, int64_t first, int64_t count,
                  std::vector<int64_t>& offsets) {
  for (int64_t k = 0; k < kernel; ++k) {
    for (int64_t t = 0; t < count; ++t) {
      int64_t position = first + t;
      int64_t element = k;
      int64_t offset = 0;
      int64_t scale = 1;
      bool inside = true;
      for (size_t i = axes.size(); i-- > 0;) {
        const WindowAxis& axis = axes[i];
        const int64_t at = (position % axis.out) * axis.stride - axis.pad_begin +
                           (element % axis.kernel) * axis.dilation;
        inside = inside && at >= 0 && at < axis.in;
        offset += at * scale;
        scale *= axis.in;
        position /= axis.out;
        element /= axis.kernel;
      }
      offsets[static_cast<size_t>(k * dense_tile + t)] = inside ? offset : -1;
    }
  }
}

}  // namespace

void convolve(const Convolution& shape, const double* x, const double* w, double* y) {
  const Sizes sizes = sizes_of(shape.axes);
  const int64_t group_in = shape.in_channels / shape.group;
  const int64_t group_out = shape.out_channels / shape.group;
  const int64_t depth = group_in * sizes.kernel;
  std::vector<int64_t> offsets(static_cast<size_t>(sizes.kernel * dense_tile));
  std::vector<double> columns(static_cast<size_t>(depth * dense_tile));
  for (int64_t first = 0; first < sizes.out; first += dense_tile) {
    const int64_t count = std::min(dense_tile, sizes.out - first);
    tile_offsets(shape.axes, sizes.kernel, first, count, offsets);
    for (int64_t n = 0; n < shape.batch; ++n) {
      for (int64_t g = 0; g < shape.group; ++g) {
        const double* from = x + (n * shape.in_channels + g * group_in) * sizes.in;
        for (int64_t row = 0; row < depth; ++row) {
          const double* channel = from + row / sizes.kernel * sizes.in;
          const int64_t* at = offsets.data() + row % sizes.kernel * dense_tile;
          double* to = columns.data() + row * dense_tile;
          for (int64_t t = 0; t < count; ++t) to[t] = at[t] < 0 ? 0.0 : channel[at[t]];
        }
        multiply_add(group_out, count, depth, w + g * group_out * depth, depth, columns.data(),
                     dense_tile, y + (n * shape.out_channels + g * group_out) * sizes.out + first,
                     sizes.out);
      }
    }
  }
}

void convolve_transposed(const Convolution& shape, const double* x, const double* w, double* y) {
  // `axes` run from y (their `in`) to x (their `out`): the scatter reads the same offsets.
  const Sizes sizes = sizes_of(shape.axes);
  const int64_t group_in = shape.in_channels / shape.group;
  const int64_t group_out = shape.out_channels / shape.group;
  const int64_t width = group_out * sizes.kernel;
  std::vector<double> turned(static_cast<size_t>(shape.group * width * group_in));
  for (int64_t g = 0; g < shape.group; ++g) {
    for (int64_t c = 0; c < group_in; ++c) {
      for (int64_t o = 0; o < width; ++o) {
        turned[static_cast<size_t>((g * width + o) * group_in + c)] =
            w[(g * group_in + c) * width + o];
      }
    }
  }
  std::vector<int64_t> offsets(static_cast<size_t>(sizes.kernel * dense_tile));
  std::vector<double> columns;
  for (int64_t first = 0; first < sizes.out; first += dense_tile) {
    const int64_t count = std::min(dense_tile, sizes.out - first);
    tile_offsets(shape.axes, sizes.kernel, first, count, offsets);
    for (int64_t n = 0; n < shape.batch; ++n) {
      for (int64_t g = 0; g < shape.group; ++g) {
        columns.assign(static_cast<size_t>(width * dense_tile), 0.0);
        multiply_add(width, count, group_in, turned.data() + g * width * group_in, group_in,
                     x + (n * shape.in_channels + g * group_in) * sizes.out + first, sizes.out,
                     columns.data(), dense_tile);
        double* to = y + (n * shape.out_channels + g * group_out) * sizes.in;
        for (int64_t row = 0; row < width; ++row) {
          double* channel = to + row / sizes.kernel * sizes.in;
          const int64_t* at = offsets.data() + row % sizes.kernel * dense_tile;
          for (int64_t t = 0; t < count; ++t) {
            if (at[t] >= 0) channel[at[t]] += columns[static_cast<size_t>(row * dense_tile + t)];
          }
        }
      }
    }
  }
}

}  // namespace tenrec
