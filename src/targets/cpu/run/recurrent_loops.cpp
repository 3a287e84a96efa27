// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/recurrent_loops.cpp"
#include "targets/cpu/run/highway_each.h"
#include "targets/cpu/run/math-inl.h"

#include <algorithm>

#include "targets/cpu/run/recurrent_loops.h"
#include "targets/cpu/run/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {
namespace {

constexpr int kMostRows = 3;
// Panels beside each other: about twelve sums in flight hide the latency of the multiply-adds.
constexpr int panels_for(int rows, int gates) { return std::max(1, 8 / (rows * gates)); }
constexpr int kMostSums = 12;

struct PanelTile {
  const float* a;  // rows of k floats, `a_step` apart
  int64_t a_step;
  const float* b;  // panels [k][gates][B]
  int k;
  const float* init;  // [panel][gate][B], the same for all rows
  float* out;         // [row][panel][gate][B]
  int64_t out_step;
};

// Panels come from L2: their lines are asked for this many floats ahead.
constexpr int kAhead = 512;

// In a register from here on: GCC would read it anew for each multiply-add, and loads are what
// limits a tile of few rows.
HWY_INLINE V held(V x) {
#if HWY_ARCH_X86
  TENREC_EACH_PART asm("" : "+v"(x.part[i].raw));
#endif
  return x;
}

// The first G of `gates` gates of each panel.
template <int R, int G, int P, int gates = G>
HWY_NOINLINE void panel_tile(const PanelTile& t) {
  V acc[R][P][G];
  TENREC_UNROLL for (int p = 0; p < P; p++) {
    TENREC_UNROLL for (int g = 0; g < G; g++) {
      TENREC_UNROLL for (int r = 0; r < R; r++) acc[r][p][g] = load(t.init + (p * G + g) * B);
    }
  }
  const float* b[P];
  TENREC_UNROLL for (int p = 0; p < P; p++) b[p] = t.b + int64_t{p} * t.k * gates * B;
  const float* a[R];
  TENREC_UNROLL for (int r = 0; r < R; r++) a[r] = t.a + r * t.a_step;
  for (int k = 0; k < t.k; k++) {
    TENREC_UNROLL for (int p = 0; p < P; p++) {
      TENREC_UNROLL for (int g = 0; g < G; g += 16 / B) __builtin_prefetch(b[p] + kAhead + g * B);
    }
    if constexpr (R > P * G) {  // the fewer of both wait in registers
      V w[P][G];
      TENREC_UNROLL for (int p = 0; p < P; p++) {
        TENREC_UNROLL for (int g = 0; g < G; g++) w[p][g] = held(load(b[p] + g * B));
      }
      TENREC_UNROLL for (int r = 0; r < R; r++) {
        const V x = held(all(a[r][k]));
        TENREC_UNROLL for (int p = 0; p < P; p++) {
          TENREC_UNROLL for (int g = 0; g < G; g++) acc[r][p][g] = fma(x, w[p][g], acc[r][p][g]);
        }
      }
    } else {
      V x[R];
      TENREC_UNROLL for (int r = 0; r < R; r++) x[r] = all(a[r][k]);
      TENREC_UNROLL for (int p = 0; p < P; p++) {
        TENREC_UNROLL for (int g = 0; g < G; g++) {
          const V w = held(load(b[p] + g * B));
          TENREC_UNROLL for (int r = 0; r < R; r++) acc[r][p][g] = fma(x[r], w, acc[r][p][g]);
        }
      }
    }
    TENREC_UNROLL for (int p = 0; p < P; p++) b[p] += gates * B;
  }
  TENREC_UNROLL for (int r = 0; r < R; r++) {
    TENREC_UNROLL for (int p = 0; p < P; p++) {
      TENREC_UNROLL for (int g = 0; g < G; g++) {
        store(t.out + r * t.out_step + (p * G + g) * B, acc[r][p][g]);
      }
    }
  }
}

// The product of some rows with some blocks, tile by tile: `prepare(tile, row, block, panels)`
// gives the tile its addresses, `done(row, rows, block, panels)` follows it.
template <int R, int G, int P, class Prepare, class Done>
HWY_INLINE int tile_run(int row, int block, int end, PanelTile& tile, Prepare& prepare,
                        Done& done) {
  for (; block + P <= end; block += P) {
    prepare(tile, row, block, P);
    panel_tile<R, G, P>(tile);
    done(row, R, block, P);
  }
  return block;
}
template <int R, int G, class Prepare, class Done>
HWY_INLINE void tile_row(int row, Share blocks, PanelTile& tile, Prepare& prepare, Done& done) {
  constexpr int P = panels_for(R, G);
  const int rest = tile_run<R, G, P>(row, blocks.begin, blocks.end, tile, prepare, done);
  if constexpr (P > 1) tile_run<R, G, 1>(row, rest, blocks.end, tile, prepare, done);
}
template <int G, class Prepare, class Done>
HWY_INLINE void each_tile(Share rows, Share blocks, PanelTile tile, Prepare&& prepare,
                          Done&& done) {
  int row = rows.begin;
  for (; row + kMostRows <= rows.end; row += kMostRows) {
    tile_row<kMostRows, G>(row, blocks, tile, prepare, done);
  }
  if (rows.end - row == 2) tile_row<2, G>(row, blocks, tile, prepare, done);
  if (rows.end - row == 1) tile_row<1, G>(row, blocks, tile, prepare, done);
}

template <int G>
void inputs_of(const RecurrentLayer& layer, const float* x, Share rows, Share blocks, float* out) {
  const RecurrentShape& s = layer.shape;
  const float* bias = layer.packed + s.input_floats() + s.state_floats();
  PanelTile tile{};
  tile.a_step = s.features;
  tile.k = static_cast<int>(s.features);
  tile.out_step = s.columns();
  const int64_t panel = s.features * G * B;
  // Many rows meet two gates at a time: half as many weights to read for each multiplication.
  constexpr int R = 2 * kMostRows;
  for (; G == 4 && kParts == 1 && rows.size() >= R; rows.begin += R) {
    for (int block = blocks.begin; block < blocks.end; ++block) {
      for (int gate = 0; gate < 4; gate += 2) {
        tile.a = x + rows.begin * s.features;
        tile.b = layer.packed + block * panel + gate * B;
        tile.init = bias + (int64_t{block} * 4 + gate) * B;
        tile.out = out + rows.begin * s.columns() + (int64_t{block} * 4 + gate) * B;
        panel_tile<R, 2, 1, 4>(tile);
      }
    }
  }
  each_tile<G>(
      rows, blocks, tile,
      [&](PanelTile& t, int row, int block, int) {
        t.a = x + row * s.features;
        t.b = layer.packed + block * panel;
        t.init = bias + int64_t{block} * G * B;
        t.out = out + row * s.columns() + int64_t{block} * G * B;
      },
      [](int, int, int, int) {});
}

void run_inputs(const RecurrentLayer& layer, const float* x, Share rows, Share blocks, float* out) {
  switch (layer.shape.gates) {
    case 4: return inputs_of<4>(layer, x, rows, blocks, out);
    case 3: return inputs_of<3>(layer, x, rows, blocks, out);
    default: return inputs_of<1>(layer, x, rows, blocks, out);
  }
}

HWY_INLINE V sigmoid(V x) {
  TENREC_EACH_PART x.part[i] = sigmoid_of(Tag(), x.part[i]);
  return x;
}
HWY_INLINE V tanh(V x) {
  TENREC_EACH_PART x.part[i] = tanh_of(Tag(), x.part[i]);
  return x;
}

HWY_NOINLINE V apply(const ActivationSpec& spec, V x) {
  switch (spec.kind) {
    case RecurrentActivation::sigmoid: return sigmoid(x);
    case RecurrentActivation::tanh: return tanh(x);
    default: break;
  }
  float values[B];
  store(values, x);
  for (float& value : values) value = static_cast<float>(spec(static_cast<double>(value)));
  return load(values);
}

bool usual_functions(const RecurrentLayer& layer) {
  if (layer.clip > 0 || layer.cell == Cell::rnn) return false;
  const auto is = [&](size_t i, RecurrentActivation kind) {
    return layer.functions[i].kind == kind;
  };
  return is(0, RecurrentActivation::sigmoid) && is(1, RecurrentActivation::tanh) &&
         (layer.cell == Cell::gru || is(2, RecurrentActivation::tanh));
}

struct StepLoop {
  const RecurrentLayer& layer;
  const RecurrentStep& step;
  bool usual = usual_functions(layer);
  // Sizes that take a division, once for all.
  int64_t wide = layer.shape.width(), columns = layer.shape.columns();
  const float* peepholes = layer.packed + layer.shape.floats() - 3 * wide;
  // The time that sequence n reads and writes at this step; -1: it has ended.
  int64_t time_of(int64_t n) const {
    const int64_t length = step.lengths ? step.lengths[n] : step.time;
    if (step.t >= length) return -1;
    return layer.backwards ? length - 1 - step.t : step.t;
  }
  const float* input_of(int64_t n, int64_t at, int64_t block) const {
    const RecurrentShape& s = layer.shape;
    return step.in + (at * step.batch + n) * columns + block * s.gates * B;
  }
  HWY_NOINLINE V activate(size_t function, V x) const {
    if (layer.clip > 0) x = at_most(all(layer.clip), at_least(all(-layer.clip), x));
    return apply(layer.functions[function], x);
  }
  // What gates and new states go through: `usual` functions in place, so that those of several
  // gates overlap.
  HWY_INLINE V gated(V x) const { return usual ? sigmoid(x) : activate(0, x); }
  HWY_INLINE V fresh(V x) const { return usual ? tanh(x) : activate(1, x); }
  HWY_INLINE V shown(V x) const { return usual ? tanh(x) : apply(layer.functions[2], x); }
  void keep(int64_t n, int64_t at, int64_t block, V h) const {
    store(step.next + n * wide + block * B, h);
    if (step.y == nullptr) return;
    const int64_t left = layer.shape.hidden - block * B;
    float* y = step.y + at * step.y_time + n * layer.shape.hidden + block * B;
    if (left >= B) return store(y, h);
    store_first(y, h, static_cast<int>(left));
  }

  V lstm(const float* in, const float* sums, int64_t n, int64_t block) const;
  V gru(const float* in, const float* sums, int64_t n, int64_t block) const;
  // Calls finish(n, at, block, sums) for every sequence that goes on; h of others stays.
  template <int G, class Finish>
  void product(Share sequences, Share blocks, const float* a, const float* panels,
               Finish&& finish) const;
  template <int G>
  void states(Share sequences, Share blocks) const;
  void split(Share sequences, Share blocks) const;
};

HWY_INLINE V gate(const float* in, const float* sums, int i) {
  return load(in + i * B) + load(sums + i * B);
}

HWY_INLINE V StepLoop::lstm(const float* in, const float* sums, int64_t n, int64_t block) const {
  float* memory = step.c + n * wide + block * B;
  const auto peep = [&](int which, V x, V c) HWY_ATTR {
    return layer.has_peepholes ? fma(load(peepholes + (block * 3 + which) * B), c, x) : x;
  };
  const V c = load(memory);
  const V input = gated(peep(0, gate(in, sums, 0), c));
  const V forget = layer.input_forget ? all(1) - input : gated(peep(2, gate(in, sums, 2), c));
  const V candidate = fresh(gate(in, sums, 3));
  const V next = fma(forget, c, input * candidate);
  store(memory, next);
  const V output = gated(peep(1, gate(in, sums, 1), next));
  return output * shown(next);
}

HWY_INLINE V StepLoop::gru(const float* in, const float* sums, int64_t n, int64_t block) const {
  const V h = load(step.h + n * wide + block * B);
  const V update = gated(gate(in, sums, 0));
  const V reset = gated(gate(in, sums, 1));
  const V candidate = fresh(fma(reset, load(sums + 2 * B), load(in + 2 * B)));
  return fma(update, h - candidate, candidate);
}

template <int G, class Finish>
HWY_INLINE void StepLoop::product(Share sequences, Share blocks, const float* a,
                                  const float* panels, Finish&& finish) const {
  const RecurrentShape& s = layer.shape;
  alignas(64) float sums[kMostSums * B];
  PanelTile tile{};
  tile.a_step = wide;
  tile.k = static_cast<int>(s.hidden);
  tile.out = sums;
  const float* bias = layer.packed + s.input_floats() + s.state_floats() + columns;
  each_tile<G>(
      sequences, blocks, tile,
      [&](PanelTile& t, int row, int block, int count) HWY_ATTR {
        t.a = a + row * wide;
        t.b = panels + int64_t{block} * s.hidden * G * B;
        t.init = bias + int64_t{block} * G * B;
        t.out_step = int64_t{count} * G * B;
      },
      [&](int row, int rows, int block, int count) HWY_ATTR {
        for (int i = 0; i < rows * count; i++) {
          const int64_t n = row + i / count, b = block + i % count, at = time_of(n);
          const int64_t own = n * wide + b * B;
          if (at < 0) store(step.next + own, load(step.h + own));
          else finish(n, at, b, sums + i * G * B);
        }
      });
}

template <int G>
void StepLoop::states(Share sequences, Share blocks) const {
  const float* r = layer.packed + layer.shape.input_floats();
  const auto finish = [&](int64_t n, int64_t at, int64_t block, const float* sums) HWY_ATTR {
    const float* in = input_of(n, at, block);
    if constexpr (G == 4) keep(n, at, block, lstm(in, sums, n, block));
    if constexpr (G == 3) keep(n, at, block, gru(in, sums, n, block));
    if constexpr (G == 1) keep(n, at, block, activate(0, gate(in, sums, 0)));
  };
  product<G>(sequences, blocks, step.h, r, finish);
}

// Update and reset of all units first: the candidate takes all of the reset state.
void StepLoop::split(Share sequences, Share blocks) const {
  const RecurrentShape& s = layer.shape;
  const float* r = layer.packed + s.input_floats();
  for (int64_t i = sequences.begin * wide; i < sequences.end * wide; i += B) {
    store(step.candidate + i, zero());  // of sequences that have ended
  }
  const auto gates = [&](int64_t n, int64_t at, int64_t block, const float* sums) HWY_ATTR {
    const float* in = input_of(n, at, block);
    const int64_t own = n * wide + block * B;
    store(step.update + own, gated(gate(in, sums, 0)));
    store(step.candidate + own, gated(gate(in, sums, 1)) * load(step.h + own));
  };
  product<2>(sequences, blocks, step.h, r, gates);
  const auto finish = [&](int64_t n, int64_t at, int64_t block, const float* sums) HWY_ATTR {
    const int64_t own = n * wide + block * B;
    const V candidate = fresh(load(input_of(n, at, block) + 2 * B) + load(sums));
    const V h = load(step.h + own);
    keep(n, at, block, fma(load(step.update + own), h - candidate, candidate));
  };
  product<1>(sequences, blocks, step.candidate, r + s.hidden * 2 * wide, finish);
}

void run_step(const RecurrentLayer& layer, const RecurrentStep& step, Share sequences,
              Share blocks) {
  const StepLoop loop{layer, step};
  if (layer.shape.split) return loop.split(sequences, blocks);
  switch (layer.shape.gates) {
    case 4: return loop.states<4>(sequences, blocks);
    case 3: return loop.states<3>(sequences, blocks);
    default: return loop.states<1>(sequences, blocks);
  }
}

}  // namespace

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {
RecurrentLoops recurrent_loops(Isa isa) {
  return {TENREC_CPU_PICK(isa, run_inputs), TENREC_CPU_PICK(isa, run_step)};
}
}  // namespace tenrec::cpu
#endif
