// SPDX-License-Identifier: Apache-2.0
// Bands of the picture are copied to scratch with zeros around (a few per cent of the work), then
// one register tile with offset tables does all.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/conv_stem.cpp"
#include "targets/cpu/run/highway_each.h"

#include "targets/cpu/run/conv_stem_plan.h"
#include "targets/cpu/run/blocked-inl.h"
#include "targets/cpu/run/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

struct StemTile {
  const float* in;
  const int* taps;  // offsets; a tap is `values` neighbouring floats
  int tap_count, values;
  const float* weights;  // [tap][value][vectors * B]
  const float* bias;
  float* out;
  int64_t out_plane;
  Activation activation;
};

// S: floats from one pixel's inputs to the next one's, in one row; 0: wherever in_at says. Known
// steps are part of the instruction: a pointer a pixel would need more registers than there are.
template <int P, int NV, int S, bool kHalf>
HWY_NOINLINE void stem_tile(const StemTile& a, const int* in_at, const int* out_at) {
  constexpr int kWhole = kHalf ? NV - 1 : NV;
  V acc[P][NV];
  TENREC_UNROLL for (int p = 0; p < P; p++) {
    TENREC_UNROLL for (int n = 0; n < NV; n++) acc[p][n] = load(a.bias + n * B);
  }
  H half[P];
  if constexpr (kHalf)
    TENREC_UNROLL for (int p = 0; p < P; p++) half[p] = first_half(acc[p][kWhole]);
  const float* in[S == 0 ? P : 1];
  TENREC_UNROLL for (int p = 0; p < (S == 0 ? P : 1); p++) in[p] = a.in + in_at[p];
  const float* w = a.weights;
  for (int t = 0; t < a.tap_count; t++) {
    for (ptrdiff_t i = a.taps[t], end = i + a.values; i < end; i++, w += NV * B) {
      V wv[NV];
      TENREC_UNROLL for (int n = 0; n < kWhole; n++) wv[n] = load(w + n * B);
      H last;
      if constexpr (kHalf) last = load_half(w + kWhole * B);
      // Opaque, or GCC keeps inputs in registers for later rounds and spills sums for them.
      const float* row = in[0] + i;
      asm("" : "+r"(row));
      TENREC_UNROLL for (int p = 0; p < P; p++) {
        const float x = S == 0 ? in[p][i] : row[p * S];
        TENREC_UNROLL for (int n = 0; n < kWhole; n++) acc[p][n] = fma(all(x), wv[n], acc[p][n]);
        if constexpr (kHalf) half[p] = fma(half_of(x), last, half[p]);
      }
    }
  }
  if constexpr (kHalf)
    TENREC_UNROLL for (int p = 0; p < P; p++) acc[p][kWhole] = with_zeros(half[p]);
  store_tile(acc, a.out, out_at, a.out_plane, a.activation);
}

// As max_pixels, but with known steps the pixels need no pointers.
constexpr int stem_pixels(int vectors, int step) {
  return step == 0 ? max_pixels(vectors) : (kRegisters - 1) / vectors - 1;
}

using StemTileFn = void (*)(const StemTile&, const int*, const int*);
using StemTileRow = std::array<StemTileFn, static_cast<size_t>(stem_pixels(1, 1) + 1)>;
using StemTiles = std::array<StemTileRow, kMaxVectors + 1>;
template <int S, bool kHalf, int NV, int P = 1>
constexpr void fill_stem_tiles(StemTileRow& row) {
  if constexpr (P <= stem_pixels(NV, S)) {
    row[P] = &stem_tile<P, NV, S, kHalf>;
    fill_stem_tiles<S, kHalf, NV, P + 1>(row);
  }
}
template <int S, bool kHalf>
constexpr StemTiles make_stem_tiles() {
  StemTiles t{};
  fill_stem_tiles<S, kHalf, 1>(t[1]);
  fill_stem_tiles<S, kHalf, 2>(t[2]);
  fill_stem_tiles<S, kHalf, 3>(t[3]);
  return t;
}
// Which known steps there are tiles for; 128-bit sets make do with the general ones.
constexpr int kStemSteps = kParts == 1 ? 3 : 1;
template <int steps, bool kHalf>
constexpr std::array<StemTiles, steps> make_all_stem_tiles() {
  if constexpr (steps == 1) return {make_stem_tiles<0, kHalf>()};
  else
    return {make_stem_tiles<0, kHalf>(), make_stem_tiles<1, kHalf>(), make_stem_tiles<2, kHalf>()};
}
constexpr std::array<StemTiles, kStemSteps> kStemTiles = make_all_stem_tiles<kStemSteps, false>();
constexpr auto kHalfStemTiles = make_all_stem_tiles<kStemSteps, kHalves>();

// Of neighbouring pixels of an output row.
constexpr auto pixel_offsets() {
  std::array<int, static_cast<size_t>(stem_pixels(1, 1))> offsets{};
  for (size_t i = 0; i < offsets.size(); i++) offsets[i] = static_cast<int>(i) * B;
  return offsets;
}

struct StemTask {
  const ConvStem& p;
  const ConvStemTactic& t;
  const ConvStemPlan& plan;
  const ConvStemBuffers& b;
  int *taps, *in_at, *out_at;
  float* copy;
  Finish finish;
  int image, worker;
  Share panels;

  void set_taps() const;
  void run(Share pixels) const;
  void band(int first, int last) const;
  void panel(int index, int first, int last, Span ys, Span xs) const;
  void set_pixels(int first, int last, Span ys, Span xs) const;
  // Where output (y, x) starts to read in the copy, whose first float is input (ys, xs).
  int copied_at(int y, int x, Span ys, Span xs) const {
    const Axis &h = p.conv.h, &w = p.conv.w;
    return (y * h.stride - h.pad - ys.begin) * plan.copy_cols + x * w.stride - w.pad - xs.begin;
  }
  // Tiles within rows, unless rows are too short to fill them: the tile's known step, or 0.
  int step_of(int vectors) const {
    const Axis& w = p.conv.w;
    const bool by_row = w.stride < kStemSteps && 2 * w.out >= stem_pixels(vectors, w.stride);
    return by_row ? w.stride : 0;
  }
};

void StemTask::set_taps() const {
  int* tap = taps;
  for (int i = 0; i < p.conv.in_channels; i++) {
    for (int y = 0; y < p.conv.h.kernel; y++) {
      const int row = (i * plan.copy_rows + y * p.conv.h.dilation) * plan.copy_cols;
      for (int x = 0; x < p.conv.w.kernel; x += plan.values) *tap++ = row + x * p.conv.w.dilation;
    }
  }
}

void StemTask::run(Share range) const {
  const int width = p.conv.w.out;
  for (int at = range.begin; at < range.end;) {
    const int end = std::min(range.end, (at / width + plan.rows) * width);
    const Cuts cuts(end - at, plan.pixels);
    for (int i = 0; i < cuts.parts; i++) band(at + cuts[i], at + cuts[i + 1]);
    at = end;
  }
}

void StemTask::band(int first, int last) const {
  const Axis &h = p.conv.h, &w = p.conv.w;
  const int y0 = first / w.out, y1 = (last - 1) / w.out;
  const bool one_row = y0 == y1;
  const Span ys = reads(h, y0, y1);
  const Span xs =
      reads(w, one_row ? first - y0 * w.out : 0, one_row ? last - 1 - y0 * w.out : w.out - 1);
  const int left = std::clamp(-xs.begin, 0, xs.size());
  const int right = std::clamp(w.in - xs.begin, left, xs.size());
  for (int i = 0; i < p.conv.in_channels; i++) {
    const float* plane = b.in + (int64_t{image} * p.conv.in_channels + i) * h.in * w.in;
    for (int y = ys.begin; y < ys.end; y++) {
      float* to = copy + (int64_t{i} * plan.copy_rows + y - ys.begin) * plan.copy_cols;
      if (y < 0 || y >= h.in) {
        std::fill_n(to, xs.size(), 0.0f);
        continue;
      }
      std::fill_n(to, left, 0.0f);
      std::copy_n(plane + int64_t{y} * w.in + xs.begin + left, right - left, to + left);
      std::fill_n(to + right, xs.size() - right, 0.0f);
    }
  }
  for (int index = panels.begin; index < panels.end; index++) panel(index, first, last, ys, xs);
}

// Offsets of the band's pixels; within a row they are the same everywhere.
void StemTask::set_pixels(int first, int last, Span ys, Span xs) const {
  const int width = p.conv.w.out;
  for (int i = 0, y = first / width, x = first % width; i < last - first; i++) {
    in_at[i] = copied_at(y, x, ys, xs);
    out_at[i] = static_cast<int>(y * p.out.row + x * B);
    if (++x == width) {
      x = 0;
      y++;
    }
  }
}

void StemTask::panel(int index, int first, int last, Span ys, Span xs) const {
  const int block = index * t.vectors, vectors = std::min(t.vectors, plan.out_blocks - block);
  const int terms = plan.taps * plan.values;
  float* out = b.out + image * p.out.image + block * p.out.plane;
  StemTile a{.in = copy,
             .taps = taps,
             .tap_count = plan.taps,
             .values = plan.values,
             .weights = b.packed + int64_t{plan.out_blocks} * B + int64_t{block} * B * terms,
             .bias = b.packed + block * B,
             .out = out,
             .out_plane = p.out.plane,
             .activation = p.activation};
  const int width = p.conv.w.out, step = step_of(vectors), most = stem_pixels(vectors, step);
  const auto& set =
      ends_in_half(p.conv.out_channels, block + vectors - 1) ? kHalfStemTiles : kStemTiles;
  const StemTileRow& tiles = set[static_cast<size_t>(step)][static_cast<size_t>(vectors)];
  if (step == 0) {
    set_pixels(first, last, ys, xs);
    const Cuts cuts(last - first, most);
    for (int i = 0; i < cuts.parts; i++)
      tiles[static_cast<size_t>(cuts.size(i))](a, in_at + cuts[i], out_at + cuts[i]);
  } else {
    constexpr auto offsets = pixel_offsets();
    for (int at = first, end; at < last; at = end) {
      const int y = at / width, x = at - y * width;
      end = std::min(last, at + width - x);
      const int row_at = copied_at(y, x, ys, xs);
      const Cuts cuts(end - at, most);
      for (int i = 0; i < cuts.parts; i++) {
        const int from = row_at + cuts[i] * step;
        a.out = out + y * p.out.row + (x + cuts[i]) * B;
        tiles[static_cast<size_t>(cuts.size(i))](a, &from, offsets.data());
      }
    }
  }
  for (int o = block; o < block + vectors; o++) {
    if (!finish.needed(o)) continue;
    finish.span(b.out + image * p.out.image + o * p.out.plane, p.out.row, p.conv.w.out, first, last,
                image, o, worker);
  }
}

void run_conv_stem(const ConvStem& p, const ConvStemTactic& t, const ConvStemBuffers& b,
                   const Threads& threads) {
  const Conv& c = p.conv;
  const int pixels = c.h.out * c.w.out;
  if (c.images == 0 || pixels == 0) return;
  const ConvStemPlan plan(p, t, B);
  const auto scratch = plan.scratch(p, threads.count());
  const Split split = split_work(c.images, plan.panels, t.by_channel, threads.count(),
                                 c.h.out * c.w.out, flops(c) / 2);
  const bool rows = c.h.out >= 4 * split.pixel_parts;
  const Finish finish{b.epilogue, b.out, c.out_channels, p.activation.lifts_zero()};
  threads.parallel(c.images * split.parts(), [&](int task, int worker) {
    const int part = task % split.parts();
    char* own = static_cast<char*>(b.scratch) + scratch.worker_size * static_cast<size_t>(worker);
    const StemTask work{
        .p = p,
        .t = t,
        .plan = plan,
        .b = b,
        .taps = reinterpret_cast<int*>(own + scratch.taps),
        .in_at = reinterpret_cast<int*>(own + scratch.in_at),
        .out_at = reinterpret_cast<int*>(own + scratch.out_at),
        .copy = reinterpret_cast<float*>(own + scratch.copy),
        .finish = finish,
        .image = task / split.parts(),
        .worker = worker,
        .panels = share(plan.panels, part % split.channel_parts, split.channel_parts)};
    work.set_taps();
    const int pixel_part = part / split.channel_parts;
    const Share r = rows ? share(c.h.out, pixel_part, split.pixel_parts)
                         : share(pixels, pixel_part, split.pixel_parts);
    work.run(rows ? Share{r.begin * c.w.out, r.end * c.w.out} : r);
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {
ConvStemRun conv_stem(Isa isa) { return TENREC_CPU_PICK(isa, run_conv_stem); }
}  // namespace tenrec::cpu
#endif
