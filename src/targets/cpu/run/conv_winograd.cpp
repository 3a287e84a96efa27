// SPDX-License-Identifier: Apache-2.0
// A band of tiles: input transform, then per panel of output channels the products of every point
// (with the convolutions' register tile) and the output transform. Split by pixels a thread does
// all of it for its tiles; split by channels the threads first share the input transform.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/conv_winograd.cpp"
#include "targets/cpu/run/highway_each.h"

#include "targets/cpu/run/conv_winograd_plan.h"
#include "targets/cpu/run/blocked-inl.h"
#include "targets/cpu/run/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

// B^T d and A^T m of one row or column, in place; elements lie `s` vectors apart.
template <int M>
struct Matrices;

template <>
struct Matrices<2> {
  static HWY_INLINE void input(V* d, int s) {
    const V a = d[0], b = d[s], c = d[2 * s], e = d[3 * s];
    d[0] = a - c;
    d[s] = b + c;
    d[2 * s] = c - b;
    d[3 * s] = b - e;
  }
  static HWY_INLINE void output(V* m, int s) {
    const V a = m[0], b = m[s], c = m[2 * s], e = m[3 * s];
    m[0] = a + b + c;
    m[s] = b - c - e;
  }
};

template <>
struct Matrices<4> {
  static HWY_INLINE void input(V* d, int s) {
    const V d0 = d[0], d1 = d[s], d2 = d[2 * s], d3 = d[3 * s], d4 = d[4 * s], d5 = d[5 * s];
    const V two = all(2), four = all(4), minus4 = all(-4), minus5 = all(-5);
    const V p = fma(minus4, d2, d4), q = fma(minus4, d1, d3), r = d4 - d2, u = two * (d3 - d1);
    d[0] = fma(four, d0, fma(minus5, d2, d4));
    d[s] = p + q;
    d[2 * s] = p - q;
    d[3 * s] = r + u;
    d[4 * s] = r - u;
    d[5 * s] = fma(four, d1, fma(minus5, d3, d5));
  }
  static HWY_INLINE void output(V* m, int s) {
    const V m0 = m[0], m5 = m[5 * s];
    const V a = m[s] + m[2 * s], b = m[s] - m[2 * s];
    const V c = m[3 * s] + m[4 * s], d = m[3 * s] - m[4 * s];
    m[0] = m0 + a + c;
    m[s] = fma(all(2), d, b);
    m[2 * s] = fma(all(4), c, a);
    m[3 * s] = fma(all(8), d, b) + m5;
  }
};

struct WinogradTask {
  const ConvWinograd& p;
  const ConvWinogradTactic& t;
  const ConvWinogradPlan& plan;
  const ConvWinogradBuffers& b;
  const int *taps, *tile_at;
  const float* zeros;
  float *input, *products;
  Finish finish;
  int image, worker;

  // Tiles [first, last) of the band that starts at tile `band`, channel blocks [blocks).
  template <int M>
  void transform_input(int band, int first, int last, Share blocks) const;
  template <int M>
  void multiply(int band, int count, Share panels) const;
  template <int M>
  void transform_output(int band, int count, int panel) const;
  void call_finish(int band, int count, int panel) const;
};

template <int M>
void WinogradTask::transform_input(int band, int first, int last, Share blocks) const {
  constexpr int A = M + 2;
  const Axis &h = p.conv.h, &w = p.conv.w;
  const int64_t point = int64_t{plan.in_blocks} * plan.band * B;
  for (int k = blocks.begin; k < blocks.end; k++) {
    const float* plane = b.in + image * p.in.image + k * p.in.plane;
    for (int i = first; i < last; i++) {
      const int y = (band + i) / plan.tiles_x * M - h.pad,
                x = (band + i) % plan.tiles_x * M - w.pad;
      V m[A * A];
      if (y >= 0 && x >= 0 && y + A <= h.in && x + A <= w.in) {
        const float* from = plane + y * p.in.row + x * B;
        TENREC_UNROLL for (int r = 0; r < A; r++) {
          TENREC_UNROLL for (int c = 0; c < A; c++) m[r * A + c] =
              load(from + r * p.in.row + c * B);
        }
      } else {
        for (int r = 0; r < A; r++) {
          for (int c = 0; c < A; c++) {
            const bool inside = y + r >= 0 && y + r < h.in && x + c >= 0 && x + c < w.in;
            m[r * A + c] = inside ? load(plane + (y + r) * p.in.row + (x + c) * B) : zero();
          }
        }
      }
      TENREC_UNROLL for (int c = 0; c < A; c++) Matrices<M>::input(m + c, A);
      float* to = input + (int64_t{k} * plan.band + i) * B;
      TENREC_UNROLL for (int r = 0; r < A; r++) {
        Matrices<M>::input(m + r * A, 1);
        TENREC_UNROLL for (int c = 0; c < A; c++) store(to + (r * A + c) * point, m[r * A + c]);
      }
    }
  }
}

template <int M>
void WinogradTask::multiply(int band, int count, Share panels) const {
  constexpr int E = (M + 2) * (M + 2);
  const int inputs = plan.in_blocks * B;
  const Cuts cuts(count, max_pixels(t.vectors));
  for (int panel = panels.begin; panel < panels.end; panel++) {
    const int block = panel * t.vectors, vectors = std::min(t.vectors, plan.out_blocks - block);
    const bool half = ends_in_half(p.conv.out_channels, block + vectors - 1);
    const TileRow& row = (half ? kHalfTiles : kTiles)[static_cast<size_t>(vectors)];
    const int line = vectors * B, lines_per_tap = std::max(1, kTapChannels * line / 16);
    TileArgs a{};
    a.taps = taps;
    a.tap_count = plan.taps;
    a.bias = zeros;
    a.out_plane = int64_t{plan.band} * B;
    a.weights = b.packed + int64_t{plan.out_blocks} * B + int64_t{block} * B * E * inputs;
    for (int e = 0; e < E; e++, a.weights += int64_t{inputs} * line) {
      a.in = input + e * int64_t{plan.in_blocks} * plan.band * B;
      a.out = products + e * int64_t{t.vectors} * plan.band * B;
      a.next_out = a.out;
      // The next point's weights; those of the last lead on to the next panel.
      const float* ahead =
          e + 1 < E || panel + 1 < plan.panels ? a.weights + int64_t{inputs} * line : a.weights;
      for (int i = 0; i < cuts.parts; i++) {
        a.ahead = ahead + int64_t{std::min(i, lines_per_tap - 1)} * plan.taps * 16;
        row[static_cast<size_t>(cuts.size(i))](a, tile_at + cuts[i], tile_at + cuts[i],
                                               tile_at + cuts[i]);
      }
    }
    transform_output<M>(band, count, panel);
    call_finish(band, count, panel);
  }
}

template <int M>
void WinogradTask::transform_output(int band, int count, int panel) const {
  constexpr int A = M + 2;
  const Axis &h = p.conv.h, &w = p.conv.w;
  const int block0 = panel * t.vectors, blocks = std::min(t.vectors, plan.out_blocks - block0);
  const int64_t point = int64_t{t.vectors} * plan.band * B;
  for (int v = 0; v < blocks; v++) {
    const V bias = load(b.packed + (block0 + v) * B);
    float* out = b.out + image * p.out.image + (block0 + v) * p.out.plane;
    const float* residual =
        block0 + v < residual_blocks(p, B)
            ? b.residual + image * p.residual.image + (block0 + v) * p.residual.plane
            : nullptr;
    for (int i = 0; i < count; i++) {
      const float* from = products + (int64_t{v} * plan.band + i) * B;
      V m[A * A];
      TENREC_UNROLL for (int e = 0; e < A * A; e++) m[e] = load(from + e * point);
      TENREC_UNROLL for (int c = 0; c < A; c++) Matrices<M>::output(m + c, A);
      TENREC_UNROLL for (int r = 0; r < M; r++) Matrices<M>::output(m + r * A, 1);
      const int y = (band + i) / plan.tiles_x * M, x = (band + i) % plan.tiles_x * M;
      const int rows = std::min(M, h.out - y), cols = std::min(M, w.out - x);
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
          V z = m[r * A + c] + bias;
          if (residual) z = z + load(residual + (y + r) * p.residual.row + (x + c) * B);
          store(out + (y + r) * p.out.row + (x + c) * B, activate(z, p.activation));
        }
      }
    }
  }
}

// The outputs of the band, one row of pixels after the other.
void WinogradTask::call_finish(int band, int count, int panel) const {
  const Axis &h = p.conv.h, &w = p.conv.w;
  const int block0 = panel * t.vectors, blocks = std::min(t.vectors, plan.out_blocks - block0);
  for (int o = block0; o < block0 + blocks; o++) {
    if (!finish.needed(o)) continue;
    float* plane = b.out + image * p.out.image + o * p.out.plane;
    for (int i = band; i < band + count;) {
      const int tile_y = i / plan.tiles_x, tile_x = i - tile_y * plan.tiles_x;
      const int n = std::min(plan.tiles_x - tile_x, band + count - i);
      const int x0 = tile_x * t.outputs, x1 = std::min((tile_x + n) * t.outputs, w.out);
      const int y0 = tile_y * t.outputs, y1 = std::min(y0 + t.outputs, h.out);
      for (int y = y0; y < y1; y++) {
        finish.span(plane, p.out.row, w.out, y * w.out + x0, y * w.out + x1, image, o, worker);
      }
      i += n;
    }
  }
}

template <int M>
void run_winograd(const WinogradTask& shape, const ConvWinogradPlan::Scratch& scratch,
                  const Threads& threads) {
  const ConvWinogradPlan& plan = shape.plan;
  char* base = static_cast<char*>(shape.b.scratch);
  const int images = shape.p.conv.images, tiles = plan.tiles_x * plan.tiles_y;
  const auto task_of = [&](int image, int worker) {
    WinogradTask task = shape;
    const size_t own = shape.t.by_channel ? 0 : static_cast<size_t>(worker) * scratch.input_size;
    task.input = reinterpret_cast<float*>(base + scratch.input + own);
    task.products = reinterpret_cast<float*>(base + scratch.products +
                                             static_cast<size_t>(worker) * scratch.products_size);
    task.image = image;
    task.worker = worker;
    return task;
  };
  if (shape.t.by_channel) {
    const int workers = threads.count();
    const Cuts cuts(tiles, plan.band);
    for (int image = 0; image < images; image++) {
      for (int i = 0; i < cuts.parts; i++) {
        const int band = cuts[i], count = cuts.size(i);
        threads.parallel(workers, [&](int part, int worker) {
          const auto task = task_of(image, worker);
          if (plan.in_blocks >= workers) {
            task.template transform_input<M>(band, 0, count, share(plan.in_blocks, part, workers));
          } else {
            const Share mine = share(count, part, workers);
            task.template transform_input<M>(band, mine.begin, mine.end, {0, plan.in_blocks});
          }
        });
        threads.parallel(workers, [&](int part, int worker) {
          task_of(image, worker)
              .template multiply<M>(band, count, share(plan.panels, part, workers));
        });
      }
    }
    return;
  }
  const int parts =
      split_work(images, plan.panels, false, threads.count(), tiles, flops(shape.p.conv) / 2)
          .pixel_parts;
  threads.parallel(images * parts, [&](int index, int worker) {
    const auto task = task_of(index / parts, worker);
    const Share mine = share(tiles, index % parts, parts);
    const Cuts cuts(mine.size(), plan.band);
    for (int i = 0; i < cuts.parts; i++) {
      const int band = mine.begin + cuts[i], count = cuts.size(i);
      task.template transform_input<M>(band, 0, count, {0, plan.in_blocks});
      task.template multiply<M>(band, count, {0, plan.panels});
    }
  });
}

void run_conv_winograd(const ConvWinograd& p, const ConvWinogradTactic& t,
                       const ConvWinogradBuffers& b, const Threads& threads) {
  const Conv& c = p.conv;
  if (c.images == 0 || c.h.out * c.w.out == 0) return;
  const ConvWinogradPlan plan(p, t, B);
  const auto scratch = plan.scratch(t, B, threads.count());
  char* base = static_cast<char*>(b.scratch);
  int* taps = reinterpret_cast<int*>(base + scratch.taps);
  int* tile_at = reinterpret_cast<int*>(base + scratch.tile_at);
  float* zeros = reinterpret_cast<float*>(base + scratch.zeros);
  for (int i = 0; i < plan.taps; i++) {
    const int channel = i * kTapChannels;
    taps[i] = channel / B * plan.band * B + channel % B;
  }
  for (int i = 0; i < plan.band; i++) tile_at[i] = i * B;
  std::fill_n(zeros, t.vectors * B, 0.0f);
  const WinogradTask shape{.p = p,
                           .t = t,
                           .plan = plan,
                           .b = b,
                           .taps = taps,
                           .tile_at = tile_at,
                           .zeros = zeros,
                           .input = nullptr,
                           .products = nullptr,
                           .finish = {b.epilogue, b.out, c.out_channels, p.activation.lifts_zero()},
                           .image = 0,
                           .worker = 0};
  if (t.outputs == 2) {
    run_winograd<2>(shape, scratch, threads);
  } else {
    run_winograd<4>(shape, scratch, threads);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {
ConvWinogradRun conv_winograd(Isa isa) { return TENREC_CPU_PICK(isa, run_conv_winograd); }
}  // namespace tenrec::cpu
#endif
