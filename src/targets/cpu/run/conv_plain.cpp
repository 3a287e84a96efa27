// SPDX-License-Identifier: Apache-2.0
// A task is some output channels x some pixels of one image and group. Pixels are counted within a
// phase; in bands of `columns` of them, patches are copied to a matrix [chunk][columns], which
// meets all rows of weights while it is in L2.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/conv_plain.cpp"
#include "targets/cpu/run/highway_each.h"

#include "targets/cpu/run/conv_plain_plan.h"
#include "targets/cpu/run/gemm_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

struct PlainTask {
  struct Tap {
    int z, y, x;  // input offsets
  };
  struct Part {  // of one row of a phase: columns [column, column + size) of the band
    int z, y, x, size, column;
  };

  const ConvPlain& p;
  const ConvPlainTactic& t;
  const ConvPlainPlan& plan;
  const ConvPlainBuffers& b;
  Tap* taps;
  Part* parts;
  float *patches, *sums;
  int image, group, worker;
  Share rows, units;  // output channels; rows (z, y) of the first phase, which has most
  int unit_rows;      // y of a unit: unit % unit_rows
  int tap_count = 0, part_count = 0;

  void run();
  void set_taps(const ConvPhase& phase);
  bool takes_frames() const;
  int set_parts(const ConvPhase& phase, int first, int last);
  void band(const ConvPhase& phase, const float* weights, int first, int last);
  void copy_patches(const ConvPhase& phase, int k0, int kn, int columns);
  void copy_frames(int k0, int kn, int columns);
  void scatter(const ConvPhase& phase, int columns);
  void spread_band(const ConvPhase& first_phase, int first, int last);
  void spread(int stride);
  void hook();
  void call_hook(int m, int64_t at, int count, int64_t pixel);
  const float* input() const {
    const Conv& c = p.conv;
    return b.in + (int64_t{image} * c.in_channels + int64_t{group} * plan.inputs) * in_plane();
  }
  int64_t in_plane() const { return int64_t{p.conv.d.in} * p.conv.h.in * p.conv.w.in; }
  int64_t out_plane() const { return int64_t{p.conv.d.out} * p.conv.h.out * p.conv.w.out; }
  int64_t out_start() const {  // of the first channel of the group
    return (int64_t{image} * p.conv.out_channels + int64_t{group} * plan.outputs) * out_plane();
  }
};

void PlainTask::run() {
  const Conv& c = p.conv;
  const float* weights = b.packed + c.out_channels;
  if (plan.spreads) {
    const ConvPhase phase(c, true, 0);
    const int first = units.begin * phase.w.count, last = units.end * phase.w.count;
    const Cuts cuts(last - first, plan.columns);
    for (int i = 0; i < cuts.parts; i++) spread_band(phase, first + cuts[i], first + cuts[i + 1]);
    if (b.epilogue.fn) hook();
    return;
  }
  for (int index = 0; index < plan.phases; index++) {
    const ConvPhase phase(c, p.transposed, index);
    set_taps(phase);
    const int64_t group_size = int64_t{plan.outputs} * plan.inputs * tap_count;
    const int first = units.begin * phase.w.count, last = units.end * phase.w.count;
    const Cuts cuts(last - first, plan.columns);
    for (int i = 0; i < cuts.parts; i++) {
      band(phase, weights + group * group_size, first + cuts[i], first + cuts[i + 1]);
    }
    weights += c.groups * group_size;
  }
  if (b.epilogue.fn && plan.phases > 1) hook();
}

void PlainTask::set_taps(const ConvPhase& phase) {
  tap_count = 0;
  const int width = plan.taps / (p.conv.d.kernel * p.conv.h.kernel);
  for (int z = 0; z < p.conv.d.kernel; z++) {
    for (int y = 0; y < p.conv.h.kernel; y++) {
      for (int x = 0; x < width; x++) {
        if (!phase.d.has(z) || !phase.h.has(y) || !phase.w.has(x)) continue;
        taps[tap_count++] = {phase.d.offset(z), phase.h.offset(y), phase.w.offset(x)};
      }
    }
  }
}

// Returns the number of columns: pixels [first, last) of the phase less the rows that it lacks.
int PlainTask::set_parts(const ConvPhase& phase, int first, int last) {
  part_count = 0;
  int columns = 0;
  for (int at = first; at < last;) {
    const int unit = at / phase.w.count, x = at - unit * phase.w.count;
    const int size = std::min(phase.w.count - x, last - at);
    const int z = unit / unit_rows, y = unit % unit_rows;
    at += size;
    if (z >= phase.d.count || y >= phase.h.count) continue;
    parts[part_count++] = {z, y, x, size, columns};
    columns += size;
  }
  return columns;
}

// One row of patches: outputs [x, x + size) of one row read input x * step + offset.
HWY_INLINE void copy_row(float* to, const float* row, int x, int size, int step, int offset,
                         int width) {
  const int at = x * step + offset;  // of the first output
  // Outputs [low, high) of this piece read inside the row.
  const int low = std::clamp(at >= 0 ? 0 : (-at + step - 1) / step, 0, size);
  const int high = std::clamp(at >= width ? 0 : (width - 1 - at) / step + 1, low, size);
  for (int i = 0; i < low; i++) to[i] = 0;
  const float* from = row + at;
  if (step == 1) {
    int i = low;
    for (; i + B <= high; i += B) store(to + i, load(from + i));
    for (; i < high; i++) to[i] = from[i];
  } else {
    for (int i = low; i < high; i++) to[i] = from[int64_t{i} * step];
  }
  for (int i = high; i < size; i++) to[i] = 0;
}

void PlainTask::copy_patches(const ConvPhase& phase, int k0, int kn, int columns) {
  if (takes_frames()) return copy_frames(k0, kn, columns);
  const Conv& c = p.conv;
  const int stride = round_up(columns, B);
  for (int k = 0; k < kn; k++) {
    const int channel = (k0 + k) / tap_count;
    const Tap tap = taps[(k0 + k) % tap_count];
    const float* plane = input() + channel * in_plane();
    float* to = patches + int64_t{k} * stride;
    for (int i = 0; i < part_count; i++) {
      const Part& s = parts[i];
      const int z = s.z * phase.d.in_step + tap.z, y = s.y * phase.h.in_step + tap.y;
      const bool inside = z >= 0 && z < c.d.in && y >= 0 && y < c.h.in;
      const float* row = plane + (int64_t{z} * c.h.in + y) * c.w.in;
      copy_row(to + s.column, inside ? row : plane, s.x, s.size, phase.w.in_step, tap.x,
               inside ? c.w.in : 0);
    }
    for (int i = columns; i < stride; i++) to[i] = 0;
  }
}

// Long rows of taps that outputs do not share with their neighbours are read tap by tap, in
// vectors, and transposed; other patches a tap at a time.
bool PlainTask::takes_frames() const {
  const Conv& c = p.conv;
  return p.fold != Fold::none || (!p.transposed && c.w.stride > 1 && c.w.dilation == 1 &&
                                  c.w.kernel >= 2 * B && c.d.kernel * c.h.kernel == 1);
}

HWY_INLINE V reversed(V x) {
  V r;
  TENREC_EACH_PART r.part[i] = hn::Reverse(Tag(), x.part[kParts - 1 - i]);
  return r;
}

// Floats `at` to at + B of a row, 0 outside it.
HWY_INLINE V load_inside(const float* row, int at, int width) {
  if (at >= 0 && at + B <= width) return load(row + at);
  float values[B];
  for (int i = 0; i < B; i++) values[i] = at + i >= 0 && at + i < width ? row[at + i] : 0.0f;
  return load(values);
}

void PlainTask::copy_frames(int k0, int kn, int columns) {
  const Axis &d = p.conv.d, &h = p.conv.h, &w = p.conv.w;
  const int stride = round_up(columns, B);
  for (int k = k0, n = 0; k < k0 + kn; k += n) {
    const int channel = k / tap_count, tap = k % tap_count;
    n = std::min({B, tap_count - tap, k0 + kn - k});
    const float* plane = input() + channel * in_plane();
    float* to = patches + int64_t{k - k0} * stride;
    for (int i = 0; i < part_count; i++) {
      const Part& s = parts[i];
      const int z = s.z * d.stride - d.pad, y = s.y * h.stride - h.pad;
      const bool inside = z >= 0 && z < d.in && y >= 0 && y < h.in;
      const float* row = inside ? plane + (int64_t{z} * h.in + y) * w.in : plane;
      const int width = inside ? w.in : 0;
      for (int x = 0; x < s.size; x++) {
        const int start = (s.x + x) * w.stride - w.pad;
        V v = load_inside(row, start + tap, width);
        if (p.fold != Fold::none) {
          const V other = reversed(load_inside(row, start + w.kernel - tap - B, width));
          v = p.fold == Fold::same ? v + other : v - other;
        }
        alignas(64) float values[B];
        store(values, v);
        for (int j = 0; j < n; j++) to[int64_t{j} * stride + s.column + x] = values[j];
      }
    }
    for (int j = 0; j < n; j++) std::fill(to + j * stride + columns, to + (j + 1) * stride, 0.0f);
  }
}

void PlainTask::band(const ConvPhase& phase, const float* weights, int first, int last) {
  const int columns = set_parts(phase, first, last), stride = round_up(columns, B);
  const int depth = plan.inputs * tap_count;
  if (columns == 0) return;
  // With one phase the pixels of the band are neighbours in the output; else sums go to scratch.
  const bool in_place = plan.phases == 1;
  Gemm g;
  g.m = plan.outputs;
  g.n = columns;
  g.k = depth;
  g.ldc = in_place ? out_plane() : stride;
  g.bias = Bias::per_row;
  g.has_residual = in_place && p.has_residual;
  g.ld_residual = g.ldc;
  g.activation = in_place ? p.activation : Activation{};
  GemmRows out{.p = g,
               .bias = b.packed + group * plan.outputs,
               .residual = g.has_residual ? b.residual + out_start() + first : nullptr,
               .out = in_place ? b.out + out_start() + first : sums,
               .most_rows = max_pixels(t.vectors)};
  // A 1x1 kernel reads its pixels where they lie, if whole vectors do not read past the end.
  const Conv& c = p.conv;
  const bool same = in_place && c.d.kernel * c.h.kernel * c.w.kernel == 1 &&
                    c.d.stride * c.h.stride * c.w.stride == 1 && c.d.in == c.d.out &&
                    c.h.in == c.h.out && c.w.in == c.w.out && c.d.pad + c.h.pad + c.w.pad == 0 &&
                    columns == stride;
  const int chunk = std::min(plan.chunk, std::max(depth, 1));
  for (int k0 = 0; k0 == 0 || k0 < depth; k0 += chunk) {
    const int kn = std::min(chunk, depth - k0);
    if (!same) copy_patches(phase, k0, kn, columns);
    const float* matrix = same ? input() + k0 * in_plane() + first : patches;
    const int64_t step = same ? in_plane() : stride;
    // Blocks of rows, so that their weights of this chunk stay in L2 beside the patches.
    const Cuts cuts(rows.size(), 96);
    for (int i = 0; i < cuts.parts; i++) {
      const int m0 = rows.begin + cuts[i], m1 = rows.begin + cuts[i + 1];
      const float* a = weights + int64_t{m0} * depth + k0;
      for (int column = 0; column < stride; column += plan.width) {
        const int line = std::min(plan.width, stride - column);
        out.most_rows = max_pixels(line / B);
        out.run(column, line, matrix + column, step, a, depth, k0, kn, m0, m1);
      }
    }
  }
  if (!in_place) scatter(phase, columns);
  if (!b.epilogue.fn || !in_place) return;
  for (int m = rows.begin; m < rows.end; m++) {
    call_hook(m, out_start() + m * out_plane() + first, columns, first);
  }
}

void PlainTask::call_hook(int m, int64_t at, int count, int64_t pixel) {
  b.epilogue.fn(b.epilogue.state, Piece{.data = b.out + at,
                                        .offset = at,
                                        .count = count,
                                        .image = image,
                                        .channel = group * plan.outputs + m,
                                        .pixel = static_cast<int>(pixel),
                                        .worker = worker});
}

// Comparisons are false for NaN, which so stays.
float activate_one(float x, const Activation& a) {
  using Kind = Activation::Kind;
  const auto clip = [&](float v) { return v < a.low ? a.low : v > a.high ? a.high : v; };
  if (a.kind == Kind::relu) return x < 0 ? 0 : x;
  if (a.kind == Kind::clip) return clip(x);
  if (a.kind == Kind::gate) return x * clip(a.slope * x + a.offset) + a.shift;
  return x;
}

void PlainTask::scatter(const ConvPhase& phase, int columns) {
  const int stride = round_up(columns, B);
  for (int m = rows.begin; m < rows.end; m++) {
    const float* from = sums + int64_t{m} * stride;
    for (int i = 0; i < part_count; i++) {
      const Part& s = parts[i];
      const int z = phase.d.first + s.z * phase.d.step, y = phase.h.first + s.y * phase.h.step;
      const int64_t at = out_start() + m * out_plane() +
                         (int64_t{z} * p.conv.h.out + y) * p.conv.w.out + phase.w.first +
                         int64_t{s.x} * phase.w.step;
      for (int x = 0; x < s.size; x++) {
        const int64_t to = at + int64_t{x} * phase.w.step;
        float v = from[s.column + x];
        if (p.has_residual) v += b.residual[to];
        b.out[to] = activate_one(v, p.activation);
      }
    }
  }
}

// Kernels as large as their strides: the weights of all phases are rows of one product with the
// pixels where they lie, whose results only have to be put beside each other.
void PlainTask::spread_band(const ConvPhase& first_phase, int first, int last) {
  const int columns = set_parts(first_phase, first, last), stride = round_up(columns, B);
  Gemm g;
  g.m = plan.outputs * plan.phases;
  g.n = columns;
  g.k = plan.inputs;
  g.ldc = stride;
  GemmRows out{.p = g,
               .bias = nullptr,
               .residual = nullptr,
               .out = sums,
               .most_rows = max_pixels(t.vectors)};
  const float* weights = b.packed + p.conv.out_channels;
  for (int k0 = 0; k0 < plan.inputs; k0 += plan.chunk) {
    const int kn = std::min(plan.chunk, plan.inputs - k0);
    const float* matrix = input() + k0 * in_plane() + first;
    int64_t step = in_plane();
    if (columns != stride) {  // whole vectors would read past the end
      for (int k = 0; k < kn; k++) {
        float* to = patches + int64_t{k} * stride;
        std::copy_n(matrix + k * step, columns, to);
        std::fill(to + columns, to + stride, 0.0f);
      }
      matrix = patches;
      step = stride;
    }
    const Cuts cuts(g.m, 96);
    for (int i = 0; i < cuts.parts; i++) {
      const int m0 = cuts[i], m1 = cuts[i + 1];
      for (int column = 0; column < stride; column += plan.width) {
        const int line = std::min(plan.width, stride - column);
        out.most_rows = max_pixels(line / B);
        out.run(column, line, matrix + column, step, weights + int64_t{m0} * g.k + k0, g.k, k0, kn,
                m0, m1);
      }
    }
  }
  spread(stride);
}

// Takes turns among `count` rows that lie `from_row` apart.
HWY_INLINE void interleave(const float* from, int64_t from_row, int count, int size, float* to) {
  int i = 0;
  if constexpr (kParts == 1) {
    for (; count == 2 && i + B <= size; i += B) {
      hn::StoreInterleaved2(hn::LoadU(Tag(), from + i), hn::LoadU(Tag(), from + from_row + i),
                            Tag(), to + 2 * i);
    }
  }
  for (; i < size; i++) {
    for (int k = 0; k < count; k++) to[int64_t{i} * count + k] = from[k * from_row + i];
  }
}

void PlainTask::spread(int stride) {
  const Conv& c = p.conv;
  for (int m = 0; m < plan.outputs; m++) {
    const V bias = all(b.packed[m]);
    for (int phase = 0; phase < plan.phases; phase++) {
      float* row = sums + (int64_t{phase} * plan.outputs + m) * stride;
      for (int i = 0; i < stride; i += B)
        store(row + i, activate(load(row + i) + bias, p.activation));
    }
    for (int phase = 0; phase < plan.phases; phase += c.w.stride) {
      const int over_w = phase / c.w.stride;
      const float* from = sums + (int64_t{phase} * plan.outputs + m) * stride;
      for (int i = 0; i < part_count; i++) {
        const Part& s = parts[i];
        const int64_t z = int64_t{s.z} * c.d.stride + over_w / c.h.stride;
        const int64_t y = int64_t{s.y} * c.h.stride + over_w % c.h.stride;
        float* to = b.out + out_start() + m * out_plane() + (z * c.h.out + y) * c.w.out +
                    int64_t{s.x} * c.w.stride;
        interleave(from + s.column, int64_t{plan.outputs} * stride, c.w.stride, s.size, to);
      }
    }
  }
}

// The rows of all phases that this task has written: pieces are whole rows.
void PlainTask::hook() {
  const Conv& c = p.conv;
  const ConvPhase first(c, p.transposed, 0);
  for (int m = rows.begin; m < rows.end; m++) {
    for (int unit = units.begin; unit < units.end; unit++) {
      for (int z = unit / unit_rows * first.d.step, z1 = std::min(z + first.d.step, c.d.out);
           z < z1; z++) {
        const int y0 = unit % unit_rows * first.h.step;
        const int count = std::min(first.h.step, c.h.out - y0) * c.w.out;
        const int64_t pixel = (int64_t{z} * c.h.out + y0) * c.w.out;
        call_hook(m, out_start() + m * out_plane() + pixel, count, pixel);
      }
    }
  }
}

void run_conv_plain(const ConvPlain& p, const ConvPlainTactic& t, const ConvPlainBuffers& b,
                    const Threads& threads) {
  const Conv& c = p.conv;
  if (size_t(c.images) * size_t(c.d.out) * size_t(c.h.out) * size_t(c.w.out) == 0) return;
  const ConvPlainPlan plan(p, t, B);
  const auto scratch = plan.scratch(threads.count());
  const ConvPhase first(c, p.transposed, 0);
  const int units = first.d.count * first.h.count, outer = c.images * c.groups;
  Split split = split_work(outer, ceil_div(plan.outputs, max_pixels(t.vectors)), t.by_channel,
                           threads.count(), c.h.out * c.w.out, flops(c) / 2);
  if (plan.spreads) split = {split.parts(), 1};
  if (split.pixel_parts > units && !plan.spreads && plan.outputs >= threads.count())
    split = {1, threads.count()};
  threads.parallel(outer * split.parts(), [&](int task, int worker) {
    const int part = task % split.parts(), index = task / split.parts();
    char* own = static_cast<char*>(b.scratch) + scratch.worker_size * static_cast<size_t>(worker);
    PlainTask work{.p = p,
                   .t = t,
                   .plan = plan,
                   .b = b,
                   .taps = reinterpret_cast<PlainTask::Tap*>(own + scratch.taps),
                   .parts = reinterpret_cast<PlainTask::Part*>(own + scratch.pieces),
                   .patches = reinterpret_cast<float*>(own + scratch.patches),
                   .sums = reinterpret_cast<float*>(own + scratch.sums),
                   .image = index / c.groups,
                   .group = index % c.groups,
                   .worker = worker,
                   .rows = share(plan.outputs, part % split.channel_parts, split.channel_parts),
                   .units = share(units, part / split.channel_parts, split.pixel_parts),
                   .unit_rows = first.h.count};
    if (work.rows.size() > 0 && work.units.size() > 0) work.run();
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {
ConvPlainRun conv_plain(Isa isa) { return TENREC_CPU_PICK(isa, run_conv_plain); }
}  // namespace tenrec::cpu
#endif
