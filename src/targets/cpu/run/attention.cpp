// SPDX-License-Identifier: Apache-2.0
// A task is some rows of queries of one head: keys and values of the head are packed into panels
// first, then blocks of rows go through scores, softmax and the product with the values.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/attention.cpp"
#include "targets/cpu/run/highway_each.h"

#include <cmath>
#include <limits>

#include "targets/cpu/run/attention_plan.h"
#include "targets/cpu/run/gemm-inl.h"
#include "targets/cpu/run/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

HWY_INLINE V larger(V a, V b) {
  V r;
  TENREC_EACH_PART r.part[i] = larger_or_second(a.part[i], b.part[i]);
  return r;
}
HWY_INLINE V exp_below_zero(V x) {
  V r;
  TENREC_EACH_PART r.part[i] = exp_below_zero(Tag(), x.part[i]);
  return r;
}
inline float largest(V v) {
  alignas(64) float lanes[B];
  store(lanes, v);
  float best = lanes[0];
  for (int i = 1; i < B; i++) best = lanes[i] > best || std::isnan(lanes[i]) ? lanes[i] : best;
  return best;
}

struct HeadTask {
  const HeadAttention& p;
  const AttentionPlan& plan;
  const float *q, *k, *v, *mask;  // of this head
  float* y;
  float *packed_k, *packed_v, *scores, *sums;  // scratch

  void run(Share rows);
  void pack_keys();
  void pack_values();
  void score(int row, int count, int keys);
  void score_few(int row, int count);
  float weigh(float* line, int row, int keys);
  void gather(int row, int count, int keys, const float* shares);
  void put(int row, const float* line, float share);
  const float* value_panel(int column, int width, int keys, int64_t& step);

  int seen(int last_row) const { return p.causal ? std::min(p.keys, last_row) : p.keys; }
};

void HeadTask::run(Share all_rows) {
  if (!plan.few) {
    pack_keys();
    pack_values();
  }
  float shares[AttentionPlan::most_rows];
  const Cuts cuts(all_rows.size(), plan.rows);
  for (int i = 0; i < cuts.parts; i++) {
    const int row = all_rows.begin + cuts[i], count = cuts.size(i);
    const int keys = seen(row + count);
    if (plan.few) {
      score_few(row, count);
    } else {
      score(row, count, keys);
    }
    for (int r = 0; r < count; r++) {
      shares[r] = weigh(scores + int64_t{r} * plan.keys, row + r, keys);
    }
    gather(row, count, keys, shares);
  }
}

// [panel][size][key_width]; keys past the end are zeros.
void HeadTask::pack_keys() {
  const int width = plan.key_width;
  float* to = packed_k;
  for (int first = 0; first < plan.keys; first += width, to += int64_t{width} * p.size) {
    const int used = std::min(width, p.keys - first);
    for (int n = 0; n < width; n++) {
      const float* from = k + (first + n) * p.k.row;
      for (int i = 0; i < p.size; i++) to[int64_t{i} * width + n] = n < used ? from[i] : 0.0f;
    }
  }
}

// [panel][key][value_width]; the last panel may be narrower.
void HeadTask::pack_values() {
  float* to = packed_v;
  for (int first = 0; first < plan.values; first += plan.value_width) {
    const int width = std::min(plan.value_width, plan.values - first);
    for (int key = 0; key < p.keys; key++, to += width) {
      const float* from = v + key * p.v.row + first;
      for (int n = 0; n < width; n += B) {
        store(to + n, load_first(from + n, std::min(B, p.value_size - first - n)));
      }
    }
  }
}

void HeadTask::score(int row, int count, int keys) {
  const Cuts cuts(count, max_pixels(AttentionPlan::key_vectors));
  GemmTile tile{};
  tile.lda = p.q.row;
  tile.b_step = plan.key_width;
  tile.k = p.size;
  tile.ldc = plan.keys;
  tile.alpha = p.scale;
  for (int first = 0; first < keys; first += plan.key_width) {
    tile.b = tile.soon = packed_k + int64_t{first} * p.size;
    for (int i = 0; i < cuts.parts; i++) {
      tile.a = q + (row + cuts[i]) * p.q.row;
      tile.c = scores + int64_t{cuts[i]} * plan.keys + first;
      kGemmTiles[AttentionPlan::key_vectors][static_cast<size_t>(cuts.size(i))](tile);
    }
  }
}

// Keys where they lie, four at a time.
void HeadTask::score_few(int row, int count) {
  for (int r = 0; r < count; r++) {
    const float* query = q + (row + r) * p.q.row;
    float* line = scores + int64_t{r} * plan.keys;
    for (int first = 0; first < p.keys; first += 4) {
      const int used = std::min(4, p.keys - first);
      V acc[4];
      TENREC_UNROLL for (int n = 0; n < 4; n++) acc[n] = zero();
      for (int i = 0; i < p.size; i += B) {
        const int lanes = std::min(B, p.size - i);
        const V x = load_first(query + i, lanes);
        TENREC_UNROLL for (int n = 0; n < 4; n++) {
          const float* key = k + (first + (n < used ? n : 0)) * p.k.row + i;
          acc[n] = fma(x, lanes == B ? load(key) : load_first(key, lanes), acc[n]);
        }
      }
      TENREC_UNROLL for (int n = 0; n < 4; n++) {
        if (n < used) line[first + n] = p.scale * sum(acc[n]);
      }
    }
  }
}

// Scores of a row to weights that are not yet divided by their sum; returns what to multiply by.
float HeadTask::weigh(float* line, int row, int keys) {
  const int own = p.causal ? std::min(keys, row + 1) : keys;
  const int end = (keys + B - 1) / B * B;
  for (int i = own; i < end; i++) line[i] = -kInfinity;
  const float* added = mask ? mask + row * p.mask.row : nullptr;
  V top = all(-kInfinity);
  for (int i = 0; i < own; i += B) {
    V x = load(line + i);
    if (added) {
      const int lanes = std::min(B, own - i);
      x = x + (p.mask_step == 0 ? all(*added) : load_first(added + i, lanes));
      store(line + i, x);
    }
    top = larger(top, x);
  }
  const float most = largest(top);
  if (most == -kInfinity) {  // every key masked: weights of 0
    std::fill_n(line, end, 0.0f);
    return 0;
  }
  const V minus = all(-most);
  V total = zero(), other = zero();
  int i = 0;
  for (; i + 2 * B <= end; i += 2 * B) {
    const V x = exp_below_zero(load(line + i) + minus);
    const V z = exp_below_zero(load(line + i + B) + minus);
    store(line + i, x);
    store(line + i + B, z);
    total = total + x;
    other = other + z;
  }
  if (i < end) {
    const V x = exp_below_zero(load(line + i) + minus);
    store(line + i, x);
    total = total + x;
  }
  return 1 / sum(total + other);
}

const float* HeadTask::value_panel(int column, int width, int keys, int64_t& step) {
  if (!plan.few) {
    step = width;
    return packed_v + int64_t{column} * p.keys;
  }
  if (column + width <= p.value_size) {
    step = p.v.row;
    return v + column;
  }
  step = width;  // whole vectors would read past the end
  for (int key = 0; key < keys; key++) {
    for (int n = 0; n < width; n += B) {
      store(packed_v + int64_t{key} * width + n,
            load_first(v + key * p.v.row + column + n, std::min(B, p.value_size - column - n)));
    }
  }
  return packed_v;
}

void HeadTask::gather(int row, int count, int keys, const float* shares) {
  GemmTile tile{};
  tile.lda = plan.keys;
  tile.k = keys;
  tile.ldc = plan.values;
  tile.alpha = 1;
  for (int first = 0; first < plan.values; first += plan.value_width) {
    const int width = std::min(plan.value_width, plan.values - first);
    const auto vectors = static_cast<size_t>(width / B);
    const Cuts cuts(count, max_pixels(width / B));
    tile.b = tile.soon = value_panel(first, width, keys, tile.b_step);
    for (int i = 0; i < cuts.parts; i++) {
      const auto rows = static_cast<size_t>(cuts.size(i));
      tile.a = scores + int64_t{cuts[i]} * plan.keys;
      tile.c = sums + int64_t{cuts[i]} * plan.values + first;
      (p.queries <= 2 ? kFewRows[rows][vectors] : kGemmTiles[vectors][rows])(tile);
    }
  }
  for (int r = 0; r < count; r++) put(row + r, sums + int64_t{r} * plan.values, shares[r]);
}

void HeadTask::put(int row, const float* line, float share) {
  float* to = y + row * p.y.row;
  const V factor = all(share);
  int i = 0;
  for (; i + B <= p.value_size; i += B) store(to + i, load(line + i) * factor);
  if (i < p.value_size) store_first(to + i, load(line + i) * factor, p.value_size - i);
}

void run_attention(const HeadAttention& p, const HeadBuffers& buffers, const Threads& threads) {
  const AttentionPlan plan(p, B);
  const int heads = static_cast<int>(p.batch) * p.heads;
  if (heads == 0 || p.queries == 0) return;
  // Rows are cut only where heads alone would leave threads idle: each part packs for itself.
  const int wanted = threads.count() == 1 || heads % threads.count() == 0 ? 1 : threads.count();
  const int parts = heads >= 4 * threads.count()
                        ? 1
                        : std::clamp(p.queries / AttentionPlan::most_rows, 1, wanted);
  const int group = p.heads / p.key_heads;
  threads.parallel(heads * parts, [&](int index, int worker) {
    const int64_t batch = index / parts / p.heads;
    const int head = index / parts % p.heads, shared = head / group;
    char* own =
        static_cast<char*>(buffers.scratch) + plan.worker_size * static_cast<size_t>(worker);
    const auto at = [&](size_t offset) { return reinterpret_cast<float*>(own + offset); };
    HeadTask task{
        .p = p,
        .plan = plan,
        .q = buffers.q + batch * p.q.batch + head * p.q.head,
        .k = buffers.k + batch * p.k.batch + shared * p.k.head,
        .v = buffers.v + batch * p.v.batch + shared * p.v.head,
        .mask = p.has_mask ? buffers.mask + batch * p.mask.batch + head * p.mask.head : nullptr,
        .y = buffers.y + batch * p.y.batch + head * p.y.head,
        .packed_k = at(plan.packed_k),
        .packed_v = at(plan.packed_v),
        .scores = at(plan.scores),
        .sums = at(plan.sums)};
    task.run(share(p.queries, index % parts, parts));
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {
size_t attention_scratch_size(const HeadAttention& p, Isa isa, int threads) {
  return AttentionPlan(p, block_of(isa)).worker_size * static_cast<size_t>(threads);
}
AttentionRun attention(Isa isa) { return TENREC_CPU_PICK(isa, run_attention); }
}  // namespace tenrec::cpu
#endif
