// SPDX-License-Identifier: Apache-2.0
// What every convolution kernel shares: the problem, strides of the layouts, epilogue.
//
// Layouts, all float:
//   plain    [image][channel][depth][height][width]
//   blocked  [image][channel / B][height][width][B], B = block_of(isa): nChw8c or nChw16c. Channels
//            are padded to a multiple of B. Kernels write 0 into the pad lanes, always, and need
//            the pad lanes of what they read to be finite only (their weights are 0).
#pragma once

#include <cstddef>
#include <cstdint>

namespace tenrec::cpu {

// One spatial dim: out = (in + pad + pad_after - dilation * (kernel - 1) - 1) / stride + 1. Only
// the leading pad is needed; what lies beyond `in` at the end reads as 0 too.
struct Axis {
  int in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad = 0;
};

// Convolution (cross-correlation) as in ONNX. Weights come as [out_channels][in_channels / groups]
// [d][h][w]. 2-D leaves d alone, 1-D leaves d and h.
struct Conv {
  int images = 1, groups = 1;
  int in_channels = 1, out_channels = 1;  // totals over all groups
  Axis d = {}, h = {}, w = {};
};

constexpr double flops(const Conv& c) {
  return 2.0 * c.images * c.out_channels * (c.in_channels / c.groups) * c.d.kernel * c.h.kernel *
         c.w.kernel * c.d.out * c.h.out * c.w.out;
}

constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }
constexpr int round_up(int a, int b) { return ceil_div(a, b) * b; }
constexpr int64_t round_up(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

// Strides of a blocked tensor, in floats; a pixel is B floats. Wider strides than dense make views:
// a slice of channels in a concatenation, a picture inside a zero border.
struct View {
  int64_t row = 0, plane = 0, image = 0;  // plane: from one channel block to the next
};
constexpr View dense_view(int channels, int height, int width, int block) {
  const int64_t row = int64_t{width} * block, plane = row * height;
  return {row, plane, plane * ceil_div(channels, block)};
}
constexpr int64_t blocked_size(int images, int channels, int height, int width, int block) {
  return dense_view(channels, height, width, block).image * images;
}

// What ends a sum while it is in registers. NaN passes through.
struct Activation {
  enum class Kind : uint8_t {
    none,
    relu,
    clip,  // to [low, high]
    gate,  // x * clip(slope * x + offset, low, high) + shift: HardSwish, also scaled and shifted
  };
  Kind kind = Kind::none;
  float low = 0, high = 0, slope = 0, offset = 0, shift = 0;

  constexpr bool lifts_zero() const {  // maps 0 to something else
    return (kind == Kind::clip && (low > 0 || high < 0)) || (kind == Kind::gate && shift != 0);
  }
};

// A finished, contiguous piece of the output, just written and still in L1. Blocked outputs give
// pieces of whole pixels of one channel block (count = pixels * B); row-major ones pieces of a row.
struct Piece {
  float* data;
  int64_t offset;  // of data from the output's start, in floats: finds operands of the same layout
  int count;       // floats
  int image;       // gemm: index in the batch
  int channel;     // of data[0]; blocked: the first of its block. gemm: the column
  int pixel;       // y * width + x of data[0]. gemm: the row
  int worker;      // calling worker, for per-worker scratch
};

// The general hook for what the built-in epilogue lacks (fused tile programs): may rewrite `data`
// in place. Called from several threads at once, each element exactly once.
struct Epilogue {
  void (*fn)(void* state, const Piece& piece) = nullptr;
  void* state = nullptr;
};

}  // namespace tenrec::cpu
