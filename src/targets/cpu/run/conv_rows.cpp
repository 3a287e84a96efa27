// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/conv_rows.cpp"
#include "targets/cpu/run/highway_each.h"

#include "targets/cpu/run/conv_rows.h"
#include "targets/cpu/run/row_split.h"
#include "targets/cpu/run/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

struct RowTaps {  // of a row of outputs
  const Axis& w;
  const float* in;       // the row of the first tap, at the input's column 0
  int64_t row;           // from one tap row to the next
  int rows;              // of taps inside the input
  const float* weights;  // of the first tap
};
struct RowOut {
  V bias;
  const float* residual;  // may be null
  float* out;
  Activation activation;
};

// Tap after tap of output x: `each(weight, row, column)` adds one to all sums.
template <class Each>
HWY_INLINE void each_tap(const RowTaps& t, int x, Each&& each) {
  const float *row = t.in, *weights = t.weights;
  for (int y = 0; y < t.rows; y++, row += t.row, weights += t.w.kernel) {
    for (int k = 0, column = x - t.w.pad; k < t.w.kernel; k++, column += t.w.dilation)
      each(all(weights[k]), row, column);
  }
}

constexpr int kVectorAt[8] = {0, B, 2 * B, 3 * B, 4 * B, 5 * B, 6 * B, 7 * B};

// P vectors from output x on, all of whose taps lie inside.
template <int P>
HWY_INLINE void row_tile(const RowTaps& t, const RowOut& o, int x) {
  V acc[P][1];
  TENREC_UNROLL for (int p = 0; p < P; p++) {
    acc[p][0] = o.residual ? o.bias + load(o.residual + x + p * B) : o.bias;
  }
  each_tap(t, x, [&](V weight, const float* row, int column) HWY_ATTR {
    const float* in = row + column;
    TENREC_UNROLL for (int p = 0; p < P; p++) acc[p][0] = fma(weight, load(in + p * B), acc[p][0]);
  });
  store_tile<P, 1>(acc, o.out + x, kVectorAt, 0, o.activation);
}

// At most a vector, at an end of the row.
HWY_INLINE void row_end(const RowTaps& t, const RowOut& o, int x, int count) {
  V acc = o.residual ? o.bias + load_first(o.residual + x, count) : o.bias;
  each_tap(t, x, [&](V weight, const float* row, int column) HWY_ATTR {
    const int first = std::clamp(-column, 0, count);
    const int last = std::clamp(t.w.in - column, first, count);
    acc = fma(weight, load_between(row + column, first, last), acc);
  });
  store_first(o.out + x, activate(acc, o.activation), count);
}

template <int P>
void conv_row(const RowTaps& t, const RowOut& o) {
  const Axis& w = t.w;
  const int right = w.in + w.pad - (w.kernel - 1) * w.dilation;  // the first output too far
  int x = 0;
  for (; x < std::min(w.pad, w.out); x += B) row_end(t, o, x, std::min(B, w.out - x));
  const int inside = std::min(right, w.out);
  for (; x + P * B <= inside; x += P * B) row_tile<P>(t, o, x);
  for (; x + B <= inside; x += B) row_tile<1>(t, o, x);
  for (; x < w.out; x += B) row_end(t, o, x, std::min(B, w.out - x));
}

// Output rows [y0, y1) of a channel of an image.
template <int P>
void conv_rows_of(const ConvRows& p, const ConvRowsBuffers& b, int plane, int y0, int y1,
                  int worker) {
  const Conv& c = p.conv;
  const int image = plane / c.out_channels, channel = plane % c.out_channels;
  const float* in = b.in + int64_t{plane} * c.h.in * c.w.in;
  const float* weights = b.packed + c.out_channels + int64_t{channel} * c.h.kernel * c.w.kernel;
  const int64_t first = (int64_t{plane} * c.h.out + y0) * c.w.out;
  RowOut out{all(b.packed[channel]), p.has_residual ? b.residual + first : nullptr, b.out + first,
             p.activation};
  for (int y = y0; y < y1; y++) {
    const Span ky = taps_inside(c.h, y);
    const int64_t from = int64_t{y} * c.h.stride - c.h.pad + int64_t{ky.begin} * c.h.dilation;
    conv_row<P>({.w = c.w,
                 .in = in + from * c.w.in,
                 .row = int64_t{c.h.dilation} * c.w.in,
                 .rows = ky.size(),
                 .weights = weights + int64_t{ky.begin} * c.w.kernel},
                out);
    out.out += c.w.out;
    if (out.residual) out.residual += c.w.out;
  }
  if (!b.epilogue.fn) return;
  b.epilogue.fn(b.epilogue.state, Piece{.data = b.out + first,
                                        .offset = first,
                                        .count = (y1 - y0) * c.w.out,
                                        .image = image,
                                        .channel = channel,
                                        .pixel = y0 * c.w.out,
                                        .worker = worker});
}

void run_conv_rows(const ConvRows& p, const ConvRowsTactic& t, const ConvRowsBuffers& b,
                   const Threads& threads) {
  const Conv& c = p.conv;
  const int total = c.images * c.out_channels * c.h.out;
  if (total == 0 || c.w.out == 0) return;
  // What the hook reads again is still in L1.
  constexpr int piece = 2048;
  const int rows = std::max(1, piece / c.w.out);
  const int parts = depthwise_parts(c, total, threads.count());
  const RowSplit split{c.images * c.out_channels, c.h.out, parts};
  threads.parallel(parts, [&](int part, int worker) {
    split.each_part(part, [&](int64_t plane, int64_t first, int64_t last) {
      const auto at = static_cast<int>(plane), end = static_cast<int>(last);
      for (int y = static_cast<int>(first); y < end; y += rows)
        (t.vectors == 8 ? conv_rows_of<8> : conv_rows_of<4>)(p, b, at, y, std::min(y + rows, end),
                                                             worker);
    });
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {
ConvRowsRun conv_rows(Isa isa) { return TENREC_CPU_PICK(isa, run_conv_rows); }
}  // namespace tenrec::cpu
#endif
