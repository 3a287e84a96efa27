// SPDX-License-Identifier: Apache-2.0
// A task is some panels of output channels x some pixels of one image and group. Its pixels go in
// bands; per band a chunk of input channels meets all panels before the next chunk, so the input
// chunk and the weights of one panel stay in L1/L2.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/conv_direct.cpp"
#include "targets/cpu/run/highway_each.h"

#include "targets/cpu/run/conv_direct_plan.h"
#include "targets/cpu/run/blocked-inl.h"
#include "targets/cpu/run/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

struct DirectTask {
  const ConvDirect& p;
  const ConvDirectTactic& t;
  const ConvDirectPlan& plan;
  const ConvDirectBuffers& b;
  const int* taps;
  int *in_at, *residual_at, *out_at;  // offsets of the band's pixels
  float* copy;
  Finish finish;
  int image, group, worker;
  Share panels;
  int64_t shift = 0;  // of the band's pixels, where their offsets count from its first
  int known = 0;      // so many offsets are in place already

  void run(Share pixels);
  bool in_one_line() const;
  void band(int first, int last);
  void panel(int index, int block0, int pixels, const float* in, int64_t weight_step);
  void set_pixels(int first, int last, Span ys, Span xs);
};

void DirectTask::run(Share range) {
  const int width = p.conv.w.out;
  if (!plan.copies) {
    const Cuts cuts(range.size(), plan.pixels);
    for (int i = 0; i < cuts.parts; i++) band(range.begin + cuts[i], range.begin + cuts[i + 1]);
    return;
  }
  for (int at = range.begin; at < range.end;) {
    const int y = at / width;
    const int end = std::min(range.end, (y + plan.rows) * width);
    const Cuts cuts(end - at, plan.pixels);
    for (int i = 0; i < cuts.parts; i++) band(at + cuts[i], at + cuts[i + 1]);
    at = end;
  }
}

// A 1x1 convolution of whole planes: pixel i is at i * B, in and out, wherever rows end.
bool DirectTask::in_one_line() const {
  const Axis &h = p.conv.h, &w = p.conv.w;
  const int64_t row = int64_t{w.out} * B;
  return !plan.copies && h.kernel * w.kernel == 1 && h.stride * w.stride == 1 && h.pad == 0 &&
         w.pad == 0 && w.in == w.out && p.in.row == row && p.out.row == row &&
         (!p.has_residual || p.residual.row == row);
}

// ys, xs: the part of the input that was copied; unused without a copy.
void DirectTask::set_pixels(int first, int last, Span ys, Span xs) {
  const Axis &h = p.conv.h, &w = p.conv.w;
  if (in_one_line()) {
    shift = int64_t{first} * B;
    for (; known < last - first; known++)
      in_at[known] = out_at[known] = residual_at[known] = known * B;
    return;
  }
  const int64_t row = plan.copies ? plan.copy_row : p.in.row;
  int y = first / w.out, x = first - y * w.out;
  for (int i = 0; i < last - first; i++) {
    const int iy = y * h.stride - h.pad - ys.begin, ix = x * w.stride - w.pad - xs.begin;
    in_at[i] = static_cast<int>(iy * row + ix * B);
    out_at[i] = static_cast<int>(y * p.out.row + x * B);
    residual_at[i] = static_cast<int>(y * p.residual.row + x * B);
    if (++x == w.out) {
      x = 0;
      y++;
    }
  }
}

void DirectTask::band(int first, int last) {
  const Axis &h = p.conv.h, &w = p.conv.w;
  const int y0 = first / w.out, y1 = (last - 1) / w.out;
  const bool one_row = y0 == y1;
  Span ys{0, 0}, xs{0, 0};
  if (plan.copies) {
    ys = reads(h, y0, y1);
    xs = reads(w, one_row ? first - y0 * w.out : 0, one_row ? last - 1 - y0 * w.out : w.out - 1);
  }
  set_pixels(first, last, ys, xs);
  const float* in = b.in + image * p.in.image + group * plan.in_blocks * p.in.plane + shift;
  for (int block = 0; block < plan.in_blocks; block += plan.chunk) {
    const float* base = in + block * p.in.plane;
    const int blocks = std::min(plan.chunk, plan.in_blocks - block);
    if (plan.copies) {
      for (int i = 0; i < blocks; i++) {
        copy_padded(base + i * p.in.plane, p.in.row, h.in, w.in, ys, xs, copy + i * plan.copy_plane,
                    plan.copy_row);
      }
      base = copy;
    }
    for (int index = panels.begin; index < panels.end; index++) {
      panel(index, block, last - first, base, int64_t{plan.in_blocks} * plan.kernel * B);
      if (block + blocks < plan.in_blocks || !finish.epilogue.fn) {
        if (block + blocks < plan.in_blocks || !finish.may_lift_zero) continue;
      }
      const int o0 = index * t.vectors, o1 = std::min(o0 + t.vectors, plan.out_blocks);
      for (int o = o0; o < o1; o++) {
        const int out_block = group * plan.out_blocks + o;
        if (!finish.needed(out_block)) continue;
        finish.span(b.out + image * p.out.image + out_block * p.out.plane, p.out.row, w.out, first,
                    last, image, out_block, worker);
      }
    }
  }
}

// One panel of output channels x the pixels of the band, for the input blocks from block0 on.
void DirectTask::panel(int index, int block0, int pixels, const float* in, int64_t weight_step) {
  const int vectors = std::min(t.vectors, plan.out_blocks - index * t.vectors);
  const int blocks = std::min(plan.chunk, plan.in_blocks - block0);
  const bool first = block0 == 0, last = block0 + blocks == plan.in_blocks;
  const int out_block = group * plan.out_blocks + index * t.vectors;
  const int line = vectors * B;
  const int64_t group_weights = plan.out_blocks * B * weight_step;
  const float* weights = b.packed + int64_t{p.conv.groups} * plan.out_blocks * B +
                         group * group_weights + int64_t{index} * t.vectors * B * weight_step +
                         int64_t{block0} * plan.kernel * B * line;
  TileArgs a{};
  a.in = in;
  a.taps = taps;
  a.tap_count = plan.taps(block0, block0 + blocks);
  a.weights = weights;
  a.bias = first ? b.packed + out_block * B : nullptr;
  a.out = b.out + image * p.out.image + out_block * p.out.plane + shift;
  a.out_plane = p.out.plane;
  a.residual_vectors = first ? std::clamp(residual_blocks(p, B) - out_block, 0, vectors) : 0;
  if (a.residual_vectors > 0)
    a.residual = b.residual + image * p.residual.image + out_block * p.residual.plane + shift;
  a.residual_plane = p.residual.plane;
  a.activation = last ? p.activation : Activation{};
  // The next panel's weights of this chunk; the last panel has its own again, which costs nothing.
  const float* ahead = index + 1 < panels.end ? weights + t.vectors * B * weight_step : weights;
  const int lines_per_tap = std::max(1, kTapChannels * line / 16);

  const int most = max_pixels(vectors);  // the last panel may have fewer
  const Cuts cuts(pixels, most);
  const int low = cuts.n / cuts.parts;
  // Channels of several groups fill their blocks.
  const bool half = ends_in_half(p.conv.out_channels, out_block + vectors - 1);
  const TileRow& row = (half ? kHalfTiles : kTiles)[static_cast<size_t>(vectors)];
  const TileFn fn[2] = {row[static_cast<size_t>(low)],
                        low < most ? row[static_cast<size_t>(low) + 1] : nullptr};
  for (int i = 0; i < cuts.parts; i++) {
    const int at = cuts[i], next = i + 1 < cuts.parts ? cuts[i + 1] : at;
    a.ahead = ahead + int64_t{std::min(i, lines_per_tap - 1)} * a.tap_count * 16;
    a.next_out = a.out + out_at[next];
    if (a.residual) a.next_residual = a.residual + residual_at[next];
    fn[cuts.size(i) - low](a, in_at + at, residual_at + at, out_at + at);
  }
}

void fill_taps(const ConvDirect& p, const ConvDirectPlan& plan, int* taps) {
  const int64_t row = plan.copies ? plan.copy_row : p.in.row;
  const int64_t plane = plan.copies ? plan.copy_plane : p.in.plane;
  for (int c = 0; c < plan.chunk * B; c += kTapChannels) {
    for (int y = 0; y < p.conv.h.kernel; y++) {
      for (int x = 0; x < p.conv.w.kernel; x++) {
        *taps++ = static_cast<int>(c / B * plane + c % B + y * p.conv.h.dilation * row +
                                   x * p.conv.w.dilation * B);
      }
    }
  }
}

void run_conv_direct(const ConvDirect& p, const ConvDirectTactic& t, const ConvDirectBuffers& b,
                     const Threads& threads) {
  const Conv& c = p.conv;
  const int pixels = c.h.out * c.w.out;
  if (c.images == 0 || pixels == 0) return;
  const ConvDirectPlan plan(p, t, B);
  const auto scratch = plan.scratch(threads.count());
  char* base = static_cast<char*>(b.scratch);
  int* taps = reinterpret_cast<int*>(base + scratch.taps);
  fill_taps(p, plan, taps);

  const int outer = c.images * c.groups;
  const Split split = split_work(outer, plan.panels, t.by_channel, threads.count(),
                                 c.h.out * c.w.out, flops(c) / 2);
  // Parts of whole rows when there are many: a band then never starts with a rest of one.
  const bool rows = c.h.out >= 4 * split.pixel_parts;
  const Finish finish{b.epilogue, b.out, c.out_channels, p.activation.lifts_zero()};
  threads.parallel(outer * split.parts(), [&](int task, int worker) {
    const int part = task % split.parts(), index = task / split.parts();
    char* own = base + scratch.workers + scratch.worker_size * static_cast<size_t>(worker);
    DirectTask work{.p = p,
                    .t = t,
                    .plan = plan,
                    .b = b,
                    .taps = taps,
                    .in_at = reinterpret_cast<int*>(own + scratch.in_at),
                    .residual_at = reinterpret_cast<int*>(own + scratch.residual_at),
                    .out_at = reinterpret_cast<int*>(own + scratch.out_at),
                    .copy = reinterpret_cast<float*>(own + scratch.copy),
                    .finish = finish,
                    .image = index / c.groups,
                    .group = index % c.groups,
                    .worker = worker,
                    .panels = share(plan.panels, part % split.channel_parts, split.channel_parts)};
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
ConvDirectRun conv_direct(Isa isa) { return TENREC_CPU_PICK(isa, run_conv_direct); }
}  // namespace tenrec::cpu
#endif
