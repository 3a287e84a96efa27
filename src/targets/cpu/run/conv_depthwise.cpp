// SPDX-License-Identifier: Apache-2.0
// A vector is one pixel of B channels; several pixels at a time, so that a weight is loaded once
// for all of them and their sums hide the latency of the multiply-adds.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/conv_depthwise.cpp"
#include "targets/cpu/run/highway_each.h"

#include "targets/cpu/run/conv_depthwise_plan.h"
#include "targets/cpu/run/blocked-inl.h"
#include "targets/cpu/run/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

struct DepthwiseTap {       // the taps of a tile: rows x cols of them, all inside the input
  const float* in;          // first tap of the first pixel
  int64_t pixel, row, col;  // from one pixel, tap row, tap column to the next
  int rows, cols;
  const float* weights;  // of the first tap
  int64_t weight_row;
};
struct DepthwiseOut {
  V bias;
  const float* residual;  // may be null
  float* out;
  Activation activation;
};

// A row of kCols neighbouring taps: every input is loaded once for all outputs that it goes into,
// so that multiply-adds and not loads set the pace. The sums are those of single taps in order.
template <int P, int kStep, int kCols>
HWY_INLINE void depthwise_row(V (&acc)[P], const float* in, const float* w) {
  V wv[kCols];
  TENREC_UNROLL for (int c = 0; c < kCols; c++) wv[c] = load(w + c * B);
  TENREC_UNROLL for (int i = 0; i < (P - 1) * kStep + kCols; i++) {
    const V x = load(in + i * B);
    TENREC_UNROLL for (int p = 0; p < P; p++) {
      const int c = i - p * kStep;
      if (c >= 0 && c < kCols) acc[p] = fma(wv[c], x, acc[p]);
    }
  }
}

// kStep: pixels that outputs lie apart in the input, kCols: taps of a row that lie side by side; 0
// = only known at run time.
template <int P, int kStep, int kCols>
HWY_INLINE void depthwise_tile(const DepthwiseTap& t, const DepthwiseOut& o) {
  const int64_t step = kStep ? kStep * B : t.pixel;
  V acc[P];
  TENREC_UNROLL for (int p = 0; p < P; p++) acc[p] = o.bias;
  if (o.residual) {
    TENREC_UNROLL for (int p = 0; p < P; p++) acc[p] = acc[p] + load(o.residual + p * B);
  }
  const float *row = t.in, *weights = t.weights;
  for (int y = 0; y < t.rows; y++, row += t.row, weights += t.weight_row) {
    if constexpr (kCols > 0) {
      depthwise_row<P, kStep, kCols>(acc, row, weights);
      continue;
    }
    const float *in = row, *w = weights;
    for (int x = 0; x < t.cols; x++, in += t.col, w += B) {
      const V wv = load(w);
      TENREC_UNROLL for (int p = 0; p < P; p++) acc[p] = fma(wv, load(in + p * step), acc[p]);
    }
  }
  TENREC_UNROLL for (int p = 0; p < P; p++) {
    store(o.out + p * B, activate(acc[p], o.activation));
  }
}

// `count` neighbouring outputs in equal parts of at most `most` <= 8.
template <int kStep, int kCols>
void depthwise_run(DepthwiseTap t, DepthwiseOut o, int count, int most) {
  const Cuts cuts(count, most);
  for (int i = 0; i < cuts.parts; i++) {
    const int n = cuts.size(i);
    switch (n) {
      case 1: depthwise_tile<1, kStep, kCols>(t, o); break;
      case 2: depthwise_tile<2, kStep, kCols>(t, o); break;
      case 3: depthwise_tile<3, kStep, kCols>(t, o); break;
      case 4: depthwise_tile<4, kStep, kCols>(t, o); break;
      case 5: depthwise_tile<5, kStep, kCols>(t, o); break;
      case 6: depthwise_tile<6, kStep, kCols>(t, o); break;
      case 7: depthwise_tile<7, kStep, kCols>(t, o); break;
      default: depthwise_tile<8, kStep, kCols>(t, o); break;
    }
    t.in += n * t.pixel;
    o.out += n * B;
    if (o.residual) o.residual += n * B;
  }
}

struct DepthwiseTask {
  const ConvDepthwise& p;
  const ConvDepthwiseTactic& t;
  const ConvDepthwisePlan& plan;
  const ConvDepthwiseBuffers& b;
  float* copy;
  Finish finish;
  int worker;

  void rows(int image, int block, int y0, int y1) const;
  void one_row(DepthwiseTap tap, DepthwiseOut out, int y, bool padded) const;
  void pixels(const DepthwiseTap& tap, const DepthwiseOut& out, int count) const {
    const int most = std::clamp(t.pixels, 1, 8);
    const int cols = tap.col == B ? tap.cols : 0;
    switch (p.conv.w.stride) {
      case 1:
        if (cols == 3) return depthwise_run<1, 3>(tap, out, count, most);
        if (cols == 5) return depthwise_run<1, 5>(tap, out, count, most);
        return depthwise_run<1, 0>(tap, out, count, most);
      case 2:
        if (cols == 3) return depthwise_run<2, 3>(tap, out, count, most);
        if (cols == 5) return depthwise_run<2, 5>(tap, out, count, most);
        return depthwise_run<2, 0>(tap, out, count, most);
      default: return depthwise_run<0, 0>(tap, out, count, most);
    }
  }
};

// Outputs [y0, y1) of one channel block.
void DepthwiseTask::rows(int image, int block, int y0, int y1) const {
  const Axis &h = p.conv.h, &w = p.conv.w;
  const float* in = b.in + image * p.in.image + block * p.in.plane;
  float* out = b.out + image * p.out.image + block * p.out.plane;
  const float* weights =
      b.packed + int64_t{plan.blocks} * B + int64_t{block} * h.kernel * w.kernel * B;
  DepthwiseOut o{load(b.packed + block * B), nullptr, nullptr, p.activation};
  int64_t in_row = p.in.row;
  const Span ys = reads(h, y0, y1 - 1), xs = reads(w, 0, w.out - 1);
  if (plan.copies) {
    in_row = int64_t{plan.copy_cols} * B;
    copy_padded(in, p.in.row, h.in, w.in, ys, xs, copy, in_row);
  }
  for (int y = y0; y < y1; y++) {
    const DepthwiseTap tap{
        .in = plan.copies ? copy + (y - y0) * h.stride * in_row
                          : in + (int64_t{y} * h.stride - h.pad) * in_row - int64_t{w.pad} * B,
        .pixel = int64_t{w.stride} * B,
        .row = h.dilation * in_row,
        .col = int64_t{w.dilation} * B,
        .rows = h.kernel,
        .cols = w.kernel,
        .weights = weights,
        .weight_row = int64_t{w.kernel} * B};
    o.out = out + y * p.out.row;
    if (p.has_residual) {
      o.residual =
          b.residual + image * p.residual.image + block * p.residual.plane + y * p.residual.row;
    }
    one_row(tap, o, y, plan.copies);
  }
  if (finish.needed(block)) {
    finish.span(out, p.out.row, w.out, y0 * w.out, y1 * w.out, image, block, worker);
  }
}

// Taps of an axis that lie inside the input for output `at`: kernel positions [begin, end).
HWY_INLINE Span taps_inside(const Axis& a, int at) {
  const int first = at * a.stride - a.pad;
  const int begin = first >= 0 ? 0 : (-first + a.dilation - 1) / a.dilation;
  const int end = first >= a.in ? 0 : (a.in - 1 - first) / a.dilation + 1;
  return {std::min(begin, a.kernel), std::clamp(end, std::min(begin, a.kernel), a.kernel)};
}

// Rows of taps outside the input are left out for the whole row, columns of taps for the pixels at
// both ends of it, one by one; what lies between needs no check.
void DepthwiseTask::one_row(DepthwiseTap tap, DepthwiseOut out, int y, bool padded) const {
  const Axis& w = p.conv.w;
  if (padded) return pixels(tap, out, w.out);
  const Span ky = taps_inside(p.conv.h, y);
  tap.in += ky.begin * tap.row;
  tap.weights += ky.begin * tap.weight_row;
  tap.rows = ky.size();
  const int left = std::min(w.out, ceil_div(w.pad, w.stride));
  const int reach = w.in + w.pad - (w.kernel - 1) * w.dilation;  // first pixel position too far
  const int right = std::clamp(reach > 0 ? ceil_div(reach, w.stride) : 0, left, w.out);
  const auto one = [&](int x) {
    const Span kx = taps_inside(w, x);
    DepthwiseTap t1 = tap;
    DepthwiseOut o1 = out;
    t1.in += x * tap.pixel + kx.begin * tap.col;
    t1.weights += kx.begin * B;
    t1.cols = kx.size();
    o1.out += x * B;
    if (o1.residual) o1.residual += x * B;
    pixels(t1, o1, 1);
  };
  for (int x = 0; x < left; x++) one(x);
  if (right > left) {
    DepthwiseTap t1 = tap;
    DepthwiseOut o1 = out;
    t1.in += left * tap.pixel;
    o1.out += left * B;
    if (o1.residual) o1.residual += left * B;
    pixels(t1, o1, right - left);
  }
  for (int x = right; x < w.out; x++) one(x);
}

void run_conv_depthwise(const ConvDepthwise& p, const ConvDepthwiseTactic& t,
                        const ConvDepthwiseBuffers& b, const Threads& threads) {
  const Conv& c = p.conv;
  if (c.images == 0 || c.h.out * c.w.out == 0) return;
  const ConvDepthwisePlan plan(p, t, B);
  const Finish finish{b.epilogue, b.out, c.out_channels, p.activation.lifts_zero()};
  const int total = c.images * plan.blocks * c.h.out;
  // Split as split_work does, for loops that wait for memory.
  const double work = flops(c) / 2;
  const int finer = std::clamp(static_cast<int>(work / 5e5) / threads.count(), 1, 4);
  const int parts = work < 1e5 ? 1 : std::min(threads.count() * finer, total);
  threads.parallel(parts, [&](int part, int worker) {
    const DepthwiseTask task{
        .p = p,
        .t = t,
        .plan = plan,
        .b = b,
        .copy = reinterpret_cast<float*>(static_cast<char*>(b.scratch) +
                                         plan.worker_size() * static_cast<size_t>(worker)),
        .finish = finish,
        .worker = worker};
    const Share mine = share(total, part, parts);
    for (int at = mine.begin; at < mine.end;) {
      const int plane = at / c.h.out, y = at - plane * c.h.out;
      const int count = std::min({plan.rows, c.h.out - y, mine.end - at});
      task.rows(plane / plan.blocks, plane % plan.blocks, y, y + count);
      at += count;
    }
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {
ConvDepthwiseRun conv_depthwise(Isa isa) { return TENREC_CPU_PICK(isa, run_conv_depthwise); }
}  // namespace tenrec::cpu
#endif
