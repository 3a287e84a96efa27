// SPDX-License-Identifier: Apache-2.0
// A vector is one pixel of B channels; several pixels at a time, so that a weight is loaded once
// for all of them and their sums hide the latency of the multiply-adds.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/conv_depthwise.cpp"
#include "targets/cpu/run/highway_each.h"

#include "targets/cpu/run/conv_depthwise_plan.h"
#include "targets/cpu/run/row_split.h"
#include "targets/cpu/run/blocked-inl.h"
#include "targets/cpu/run/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

struct DepthwiseTap {       // the taps of some pixels
  const float* in;          // first tap of the first pixel
  int64_t pixel, row, col;  // from one pixel, tap row, tap column to the next
  int rows, cols;           // of taps inside the input
  const float* weights;     // of the first tap
  int64_t weight_row;
};
struct DepthwiseOut {
  V bias;
  const float* residual;  // may be null
  float* out;
  Activation activation;
};

constexpr int kMaxPixels = 8;
template <int kApart>  // pixels from one to the next
constexpr int kPixelAt[kMaxPixels] = {0,
                                      kApart* B,
                                      kApart * 2 * B,
                                      kApart * 3 * B,
                                      kApart * 4 * B,
                                      kApart * 5 * B,
                                      kApart * 6 * B,
                                      kApart * 7 * B};

template <int P, int kApart>
HWY_INLINE void start_pixels(V (&acc)[P][1], V bias, const float* residual) {
  TENREC_UNROLL for (int p = 0; p < P; p++) acc[p][0] = bias;
  if (!residual) return;
  TENREC_UNROLL for (int p = 0; p < P; p++) acc[p][0] =
      acc[p][0] + load(residual + kPixelAt<kApart>[p]);
}

struct DepthwiseRun;
using DepthwiseTiles = void (*)(const DepthwiseTap&, const DepthwiseOut&, const DepthwiseRun&);
struct DepthwiseRun {  // tiles alike, side by side in every row
  DepthwiseTiles tiles;
  int count;
  int64_t in, out;  // floats from the row's first tap, first output to the first tile's
  int left, right;  // pixels [left, right) from its first tap on lie in the input
};

// Tiles of P neighbouring outputs; outputs lie kStep apart in the input, under kCols taps a row
// side by side. With dilation a row is every kApart-th pixel. Every input of a row is loaded once
// for all outputs that it goes into, so that multiply-adds and not loads set the pace; the sums are
// those of single taps in order. Pixels outside are left out at the edges, which costs a comparison
// where copying the map with zeros around it costs a load and a store for every pixel.
template <int P, int kStep, int kCols, int kApart, bool kEdge>
void depthwise_tiles(const DepthwiseTap& t, const DepthwiseOut& o, const DepthwiseRun& run) {
  constexpr int kPixel = kApart * B;
  const float *first = t.in + run.in, *weights = t.weights;
  const float* residual = o.residual ? o.residual + run.out : nullptr;
  float* out = o.out + run.out;
  const int left = run.left, right = run.right, rows = t.rows;
  const int64_t row = t.row;
  for (int count = run.count; count > 0; count--, first += P * kStep * kPixel, out += P * kPixel) {
    V acc[P][1];
    start_pixels<P, kApart>(acc, o.bias, residual);
    if (residual) residual += P * kPixel;
    const float *in = first, *at = weights;
    for (int y = 0; y < rows; y++, in += row, at += kCols * B) {
      V w[kCols];
      TENREC_UNROLL for (int c = 0; c < kCols; c++) w[c] = load(at + c * B);
      TENREC_UNROLL for (int i = 0; i < (P - 1) * kStep + kCols; i++) {
        if (kEdge && i < kCols && i < left) continue;
        if (kEdge && i >= (P - 1) * kStep && i >= right) continue;
        const V x = in_register(load(in + i * kPixel));
        TENREC_UNROLL for (int p = 0; p < P; p++) {
          const int c = i - p * kStep;
          if (c >= 0 && c < kCols) acc[p][0] = fma(w[c], x, acc[p][0]);
        }
      }
    }
    store_tile<P, 1>(acc, out, kPixelAt<kApart>, 0, o.activation);
  }
}

struct DepthwiseTileSet {  // [pixels]
  DepthwiseTiles inner[kMaxPixels + 1] = {}, edge[kMaxPixels + 1] = {};
};
template <int kStep, int kCols, int kApart, int P = 1>
constexpr void fill_tiles(DepthwiseTileSet& set) {
  if constexpr (P <= kMaxPixels) {
    set.inner[P] = &depthwise_tiles<P, kStep, kCols, kApart, false>;
    set.edge[P] = &depthwise_tiles<P, kStep, kCols, kApart, true>;
    fill_tiles<kStep, kCols, kApart, P + 1>(set);
  }
}
template <int kStep, int kCols, int kApart = 1>
constexpr DepthwiseTileSet tile_set() {
  DepthwiseTileSet set;
  fill_tiles<kStep, kCols, kApart>(set);
  return set;
}
constinit const DepthwiseTileSet kStep1Cols3 = tile_set<1, 3>(), kStep1Cols5 = tile_set<1, 5>(),
                                 kStep2Cols3 = tile_set<2, 3>(), kStep2Cols5 = tile_set<2, 5>(),
                                 kApart2Cols3 = tile_set<1, 3, 2>(),
                                 kApart2Cols5 = tile_set<1, 5, 2>();

const DepthwiseTileSet& tiles_of(const Axis& w) {
  if (w.dilation == 2) return w.kernel == 3 ? kApart2Cols3 : kApart2Cols5;
  if (w.stride == 1) return w.kernel == 3 ? kStep1Cols3 : kStep1Cols5;
  return w.kernel == 3 ? kStep2Cols3 : kStep2Cols5;
}

// A row in tiles, phase after phase of its dilation.
struct DepthwiseRuns {
  DepthwiseRuns(const Axis& w, const ConvDepthwisePlan& plan) {
    if (!plan.tiled) return;
    const DepthwiseTileSet& tiles = tiles_of(w);
    for (int phase = 0; phase < w.dilation; phase++) {
      const DepthwiseCuts& cuts = plan.cuts[phase];
      const Axis& row = plan.phases[phase];
      for (int i = 0; i < cuts.parts;) {
        const bool inner = i >= cuts.inner.begin && i < cuts.inner.end;
        const int next = inner ? cuts.alike(i) : i + 1, x = cuts.at(i), first = x * w.stride;
        list[count++] = {.tiles = (inner ? tiles.inner : tiles.edge)[cuts.size(i)],
                         .count = next - i,
                         .in = (int64_t{first} * w.dilation + phase) * B,
                         .out = (int64_t{x} * w.dilation + phase) * B,
                         .left = row.pad - first,
                         .right = row.pad + row.in - first};
        i = next;
      }
    }
  }
  // In each phase 4 + 2 + 4 at most: at an end no more than 4 outputs read pixels outside
  // (is_tiled), and the tiles between are of two kinds.
  std::array<DepthwiseRun, 20> list;
  int count = 0;
};

// Any taps, one after the other. kStep: as above; 0 = only known at run time.
template <int P, int kStep>
HWY_INLINE void depthwise_tile(const DepthwiseTap& t, const DepthwiseOut& o) {
  const int64_t step = kStep ? kStep * B : t.pixel;
  V acc[P][1];
  start_pixels<P, 1>(acc, o.bias, o.residual);
  const float *row = t.in, *weights = t.weights;
  for (int y = 0; y < t.rows; y++, row += t.row, weights += t.weight_row) {
    const float *in = row, *w = weights;
    for (int x = 0; x < t.cols; x++, in += t.col, w += B) {
      const V wv = load(w);
      TENREC_UNROLL for (int p = 0; p < P; p++) {
        acc[p][0] = fma(wv, load(in + p * step), acc[p][0]);
      }
    }
  }
  store_tile<P, 1>(acc, o.out, kPixelAt<1>, 0, o.activation);
}

// `count` neighbouring outputs in equal parts of at most `most`.
template <int kStep>
void depthwise_run(DepthwiseTap t, DepthwiseOut o, int count, int most) {
  const Cuts cuts(count, most);
  for (int i = 0; i < cuts.parts; i++) {
    const int n = cuts.size(i);
    switch (n) {
      case 1: depthwise_tile<1, kStep>(t, o); break;
      case 2: depthwise_tile<2, kStep>(t, o); break;
      case 3: depthwise_tile<3, kStep>(t, o); break;
      case 4: depthwise_tile<4, kStep>(t, o); break;
      case 5: depthwise_tile<5, kStep>(t, o); break;
      case 6: depthwise_tile<6, kStep>(t, o); break;
      case 7: depthwise_tile<7, kStep>(t, o); break;
      default: depthwise_tile<8, kStep>(t, o); break;
    }
    t.in += n * t.pixel;
    o.out += n * B;
    if (o.residual) o.residual += n * B;
  }
}

struct DepthwiseTask {
  const ConvDepthwise& p;
  const ConvDepthwisePlan& plan;
  const DepthwiseRuns& runs;
  const ConvDepthwiseBuffers& b;
  float* copy;
  Finish finish;
  int worker;

  void rows(int image, int block, int y0, int y1) const;
  void apart_row(const DepthwiseTap& tap, const DepthwiseOut& out) const;
  void pixels(const DepthwiseTap& tap, const DepthwiseOut& out, int count) const {
    switch (p.conv.w.stride) {
      case 1: return depthwise_run<1>(tap, out, count, plan.most);
      case 2: return depthwise_run<2>(tap, out, count, plan.most);
      default: return depthwise_run<0>(tap, out, count, plan.most);
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
  DepthwiseTap tap{.in = nullptr,
                   .pixel = int64_t{w.stride} * B,
                   .row = h.dilation * in_row,
                   .col = int64_t{w.dilation} * B,
                   .rows = h.kernel,
                   .cols = w.kernel,
                   .weights = weights,
                   .weight_row = int64_t{w.kernel} * B};
  TapSteps taps(h, y0);
  for (int y = y0; y < y1; y++, taps.next()) {
    o.out = out + y * p.out.row;
    if (p.has_residual) {
      o.residual =
          b.residual + image * p.residual.image + block * p.residual.plane + y * p.residual.row;
    }
    if (plan.copies) {
      tap.in = copy + (y - y0) * h.stride * in_row;
      pixels(tap, o, w.out);
      continue;
    }
    // Rows of taps outside the input are left out for the whole row.
    tap.in = in + taps.first * in_row - int64_t{w.pad} * B;
    tap.weights = weights + taps.begin * tap.weight_row;
    tap.rows = taps.end - taps.begin;
    if (!plan.tiled) apart_row(tap, o);
    for (int i = 0; i < runs.count; i++) runs.list[i].tiles(tap, o, runs.list[i]);
  }
  if (finish.needed(block)) {
    finish.span(out, p.out.row, w.out, y0 * w.out, y1 * w.out, image, block, worker);
  }
}

// Columns of taps outside the input are left out for the pixels at both ends of a row, one by one;
// what lies between needs no check.
void DepthwiseTask::apart_row(const DepthwiseTap& tap, const DepthwiseOut& out) const {
  const Axis& w = p.conv.w;
  const int left = std::min(w.out, ceil_div(w.pad, w.stride));
  const int reach = w.in + w.pad - (w.kernel - 1) * w.dilation;  // first pixel position too far
  const int right = std::clamp(reach > 0 ? ceil_div(reach, w.stride) : 0, left, w.out);
  const auto part = [&](int x, int count, Span kx) {
    DepthwiseTap t1 = tap;
    DepthwiseOut o1 = out;
    t1.in += x * tap.pixel + kx.begin * tap.col;
    t1.weights += kx.begin * B;
    t1.cols = kx.size();
    o1.out += x * B;
    if (o1.residual) o1.residual += x * B;
    pixels(t1, o1, count);
  };
  for (int x = 0; x < left; x++) part(x, 1, taps_inside(w, x));
  if (right > left) part(left, right - left, {0, w.kernel});
  for (int x = right; x < w.out; x++) part(x, 1, taps_inside(w, x));
}

void run_conv_depthwise(const ConvDepthwise& p, const ConvDepthwiseTactic& t,
                        const ConvDepthwiseBuffers& b, const Threads& threads) {
  const Conv& c = p.conv;
  if (c.images == 0 || c.h.out * c.w.out == 0) return;
  const ConvDepthwisePlan plan(p, t, B);
  const DepthwiseRuns runs(c.w, plan);
  const Finish finish{b.epilogue, b.out, c.out_channels, p.activation.lifts_zero()};
  const int total = c.images * plan.blocks * c.h.out;
  const int parts = depthwise_parts(c, total, threads.count());
  const RowSplit split{c.images * plan.blocks, c.h.out, parts};
  threads.parallel(parts, [&](int part, int worker) {
    const DepthwiseTask task{
        .p = p,
        .plan = plan,
        .runs = runs,
        .b = b,
        .copy = reinterpret_cast<float*>(static_cast<char*>(b.scratch) +
                                         plan.worker_size() * static_cast<size_t>(worker)),
        .finish = finish,
        .worker = worker};
    split.each_part(part, [&](int64_t plane, int64_t first, int64_t last) {
      const auto at = static_cast<int>(plane), end = static_cast<int>(last);
      for (int y = static_cast<int>(first); y < end; y += plan.rows)
        task.rows(at / plan.blocks, at % plan.blocks, y, std::min(y + plan.rows, end));
    });
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
