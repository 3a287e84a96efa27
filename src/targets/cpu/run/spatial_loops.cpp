// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/spatial_loops.cpp"
#include "hwy/cache_control.h"
#include "targets/cpu/run/highway_each.h"
#include "targets/cpu/run/simd-inl.h"

#include <algorithm>
#include <limits>

#include "targets/cpu/run/spatial_loops.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {
namespace {

constexpr float lowest = -std::numeric_limits<float>::infinity();

// What a window has so far with one value more; a maximum leaves NaN out.
template <bool is_max>
HWY_INLINE V join(V x, V so_far) {
  return is_max ? at_least(x, so_far) : so_far + x;
}

// One pixel's B lanes (or the last few) over all its taps; kHeight x kWidth of them in one plane,
// or 0 x 0: as many as the row says.
template <bool is_max, bool whole, int kHeight, int kWidth>
HWY_INLINE V pooled(const PoolRow& row, const float* from, int64_t taps, int lanes) {
  V best = is_max ? all(lowest) : zero();
  const int64_t depth = kHeight ? 1 : row.depth, height = kHeight ? kHeight : row.height;
  const int64_t width = kWidth ? kWidth : taps;
  for (int64_t d = 0; d < depth; ++d) {
    TENREC_UNROLL for (int64_t h = 0; h < height; ++h) {
      const float* at = from + d * row.depth_step + h * row.height_step;
      TENREC_UNROLL for (int64_t w = 0; w < width; ++w, at += row.width_step) {
        const V x = whole ? load(at) : load_first(at, lanes);
        best = join<is_max>(x, best);
      }
    }
  }
  return best;
}

// All lanes of pixel o, which goes to `to`.
template <bool is_max, int kHeight, int kWidth>
HWY_INLINE void pool_pixel(const PoolRow& row, int64_t o, float* to) {
  const Taps& column = row.columns[o];
  const float* from = row.from + column.first * row.lanes;
  const V factor = all(is_max ? 1 : row.factor * row.factors[o]);
  int64_t c = 0;
  for (; c + B <= row.lanes; c += B) {
    const V value = pooled<is_max, true, kHeight, kWidth>(row, from + c, column.taps, B);
    store(to + c, is_max ? value : value * factor);
  }
  if (c == row.lanes) return;
  const auto left = static_cast<int>(row.lanes - c);
  const V value = pooled<is_max, false, kHeight, kWidth>(row, from + c, column.taps, left);
  store_first(to + c, is_max ? value : value * factor, left);
}

template <bool is_max, int kHeight, int kWidth>
void pool_lanes_of(const PoolRow& row, float* to) {
  for (int64_t o = 0; o < row.width; ++o, to += row.lanes) {
    if (row.columns[o].taps == kWidth) pool_pixel<is_max, kHeight, kWidth>(row, o, to);
    else pool_pixel<is_max, 0, 0>(row, o, to);
  }
}

// B lanes of windows [first, last) of 3 x 3, 1 or 2 apart: each column of three is loaded once.
template <bool is_max, int kStride>
void pool_threes(const PoolRow& row, int64_t first, int64_t last, int64_t lane, float* to) {
  const float* from = row.from + row.columns[first].first * row.lanes + lane;
  const auto next = [&]() HWY_ATTR {
    const V column = pooled<is_max, true, 3, 1>(row, from, 1, B);
    from += row.lanes;
    return column;
  };
  V a = next(), b = kStride == 1 ? next() : zero();
  for (int64_t o = first; o < last; ++o) {
    if constexpr (kStride == 2) b = next();
    const V c = next();
    const V value = join<is_max>(c, join<is_max>(b, a));
    const V factor = all(is_max ? 1 : row.factor * row.factors[o]);
    store(to + o * row.lanes + lane, is_max ? value : value * factor);
    a = kStride == 1 ? b : c;
    b = c;
  }
}

template <bool is_max>
void pool_lanes_of_threes(const PoolRow& row, float* to) {
  const auto whole = [&](int64_t o) { return row.columns[o].taps == 3; };
  int64_t first = 0, last = row.width;
  const auto edge = [&](int64_t o)
                        HWY_ATTR { pool_pixel<is_max, 0, 0>(row, o, to + o * row.lanes); };
  while (first < last && !whole(first)) edge(first++);
  while (last > first && !whole(last - 1)) edge(--last);
  if (first == last) return;
  for (int64_t lane = 0; lane < row.lanes; lane += B) {
    if (row.stride == 1) pool_threes<is_max, 1>(row, first, last, lane, to);
    else pool_threes<is_max, 2>(row, first, last, lane, to);
  }
}

// The usual windows with as many taps as they have known: the loops around two or three loads cost
// more than those.
template <bool is_max>
void pool_lanes(const PoolRow& row, float* to) {
  // Threads that read the output of the run before have its lines: they come back all at once
  // instead of one by one. (Past the end there may be nothing to prefetch, which does no harm.)
  for (int64_t i = 0, floats = row.width * row.lanes; i < floats; i += 16)
    __builtin_prefetch(to + floats + i, 1);
  const bool flat = row.depth == 1;
  if (flat && row.height == 2 && row.kernel == 2) return pool_lanes_of<is_max, 2, 2>(row, to);
  if (flat && row.height == 3 && row.kernel == 3) {
    const bool near = row.stride <= 2 && row.dilation == 1 && row.lanes % B == 0;
    return near ? pool_lanes_of_threes<is_max>(row, to) : pool_lanes_of<is_max, 3, 3>(row, to);
  }
  for (int64_t o = 0; o < row.width; ++o, to += row.lanes) pool_pixel<is_max, 0, 0>(row, o, to);
}

// Plain rows: the rows of a window are joined to one line with the padding on both sides, then its
// columns. Every kStride-th of the floats from `at` on:
template <int kStride>
HWY_INLINE V every(const float* at) {
  if constexpr (kStride == 1) return load(at);
  V r;
  TENREC_EACH_PART {
    const float* pair = at + 2 * i * kLanes;
    r.part[i] = hn::ConcatEven(Tag(), hn::LoadU(Tag(), pair + kLanes), hn::LoadU(Tag(), pair));
  }
  return r;
}

constexpr int kTogether = 4;  // vectors, so that loops over taps cost little

// A row is read to its end before the next, and the next window's prefetched into the second-level
// cache: memory follows one stream more easily than several.
template <bool is_max>
void join_rows(const PoolRow& row) {
  const float nothing = is_max ? lowest : 0.0F;
  std::fill(row.line, row.line + row.line_size, nothing);
  float* to = row.line + row.pad;
  const int64_t used = std::max<int64_t>(std::min(row.in_width, row.line_size - row.pad), 0);
  for (int64_t d = 0; d < row.depth; ++d) {
    for (int64_t h = 0; h < row.height; ++h) {
      const float* from = row.from + d * row.depth_step + h * row.height_step;
      int64_t i = 0;
      for (; i + B <= used; i += B) {
        __builtin_prefetch(from + i + row.ahead, 0, 2);
        store(to + i, join<is_max>(load(from + i), load(to + i)));
      }
      if (i == used) continue;
      const auto left = static_cast<int>(used - i);
      const V value = join<is_max>(load_first(from + i, left), load_first(to + i, left));
      store_first(to + i, value, left);
    }
  }
}

// kVectors of windows whose columns begin at `at`, or the last `used` of one.
template <bool is_max, int kStride, int kVectors>
HWY_INLINE void join_columns_at(const PoolRow& row, int64_t o, int used, float* to) {
  V value[kVectors];
  TENREC_UNROLL for (int v = 0; v < kVectors; ++v) value[v] = all(is_max ? lowest : 0.0F);
  const float* at = row.line + o * kStride;
  for (int64_t k = 0; k < row.kernel; ++k, at += row.dilation) {
    TENREC_UNROLL for (int v = 0; v < kVectors; ++v) {
      value[v] = join<is_max>(every<kStride>(at + v * B * kStride), value[v]);
    }
  }
  TENREC_UNROLL for (int v = 0; v < kVectors; ++v) {
    const float* factors = row.factors + o + v * B;
    if constexpr (!is_max)
      value[v] =
          value[v] * (kVectors > 1 ? load(factors) : load_first(factors, used)) * all(row.factor);
    if (kVectors > 1) store(to + o + v * B, value[v]);
    else store_first(to + o, value[v], used);
  }
}

template <bool is_max, int kStride>
void join_columns(const PoolRow& row, float* to) {
  int64_t o = 0;
  for (; o + kTogether * B <= row.width; o += kTogether * B)
    join_columns_at<is_max, kStride, kTogether>(row, o, B, to);
  for (; o < row.width; o += B) {
    const auto left = static_cast<int>(std::min<int64_t>(B, row.width - o));
    join_columns_at<is_max, kStride, 1>(row, o, left, to);
  }
}

template <bool is_max>
void join_distant_columns(const PoolRow& row, float* to) {
  for (int64_t o = 0; o < row.width; ++o) {
    float value = is_max ? lowest : 0.0F;
    for (int64_t k = 0; k < row.kernel; ++k) {
      const float x = row.line[o * row.stride + k * row.dilation];
      if constexpr (is_max) value = x > value ? x : value;
      else value += x;
    }
    to[o] = is_max ? value : value * row.factor * row.factors[o];
  }
}

template <bool is_max>
void pool_plain(const PoolRow& row, float* to) {
  join_rows<is_max>(row);
  switch (row.stride) {
    case 1: return join_columns<is_max, 1>(row, to);
    case 2: return join_columns<is_max, 2>(row, to);
    default: return join_distant_columns<is_max>(row, to);
  }
}

void pool(const PoolRow& row, float* to) {
  if (row.lanes == 1) return row.is_max ? pool_plain<true>(row, to) : pool_plain<false>(row, to);
  row.is_max ? pool_lanes<true>(row, to) : pool_lanes<false>(row, to);
}

// Shuffled out of kWindow vectors of inputs: a pixel's own loads would take a register each.
template <int kWindow>
void columns_of_windows(const ResizeColumns& columns, const float* from, float* to) {
  const hn::Rebind<int32_t, Tag> index;
  const int32_t* places = columns.window_places;
  const float* weights = columns.window_weights;
  for (int64_t o = 0; o < columns.width; o += kLanes) {
    hn::Vec<Tag> window[kWindow];
    const float* begin = from + columns.windows[o / kLanes];
    TENREC_UNROLL for (int i = 0; i < kWindow; ++i) {
      window[i] = hn::LoadU(Tag(), begin + i * kLanes);
      if constexpr (kWindow > 1) __builtin_prefetch(begin + i * kLanes + columns.ahead, 0, 2);
    }
    auto sum = hn::Zero(Tag());
    for (int64_t k = 0; k < columns.taps; ++k, places += kLanes, weights += kLanes) {
      const auto place = hn::LoadU(index, places);
      const auto lane = hn::IndicesFromVec(
          Tag(), kWindow == 1 ? place : hn::And(place, hn::Set(index, kLanes - 1)));
      auto value = hn::TableLookupLanes(window[0], lane);
      TENREC_UNROLL for (int i = 1; i < kWindow; ++i) {
        const auto later = hn::RebindMask(Tag(), hn::Gt(place, hn::Set(index, i * kLanes - 1)));
        value = hn::IfThenElse(later, hn::TableLookupLanes(window[i], lane), value);
      }
      sum = hn::MulAdd(value, hn::LoadU(Tag(), weights), sum);
    }
    hn::StoreU(sum, Tag(), to + o);
  }
}

void columns_one_by_one(const ResizeColumns& columns, const float* from, float* to) {
  const int64_t* places = columns.places;
  const float* weights = columns.weights;
  if (columns.taps == 2) {
    for (int64_t o = 0; o < columns.width; ++o, places += 2, weights += 2) {
      __builtin_prefetch(from + places[0] + 256);
      to[o] = from[places[0]] * weights[0] + from[places[1]] * weights[1];
    }
    return;
  }
  for (int64_t o = 0; o < columns.width; ++o) {
    float sum = 0;
    for (int64_t k = 0; k < columns.taps; ++k) sum += from[*places++] * *weights++;
    to[o] = sum;
  }
}

void columns_of_lanes(const ResizeColumns& columns, const float* from, float* to) {
  const int64_t taps = columns.taps, lanes = columns.lanes;
  const int64_t* places = columns.places;
  const float* weights = columns.weights;
  for (int64_t o = 0; o < columns.width; ++o, to += lanes, places += taps, weights += taps) {
    for (int64_t c = 0; c < lanes; c += B) {
      const auto used = static_cast<int>(std::min<int64_t>(B, lanes - c));
      V sum = zero();
      for (int64_t k = 0; k < taps; ++k) {
        const float* at = from + places[k] * lanes + c;
        sum = fma(used == B ? load(at) : load_first(at, used), all(weights[k]), sum);
      }
      store_first(to + c, sum, used);
    }
  }
}

void resize_columns(const ResizeColumns& columns, const float* from, float* to) {
  if (columns.windows) {
    switch (columns.window_vectors) {
      case 1: return columns_of_windows<1>(columns, from, to);
      case 2: return columns_of_windows<2>(columns, from, to);
      default: return columns_of_windows<4>(columns, from, to);
    }
  }
  if (columns.lanes == 1) return columns_one_by_one(columns, from, to);
  columns_of_lanes(columns, from, to);
}

bool is_aligned(const float* to) {
  return reinterpret_cast<uintptr_t>(to) % (B * sizeof(float)) == 0;
}

// Two rows: what bilinear resizing mixes. (Pointers and weights in registers: the compiler has to
// expect that the output overlaps the arrays.)
template <bool kPast>
void mix_two_rows(const float* const* rows, const float* weights, int64_t n, float* to) {
  const float *a = rows[0], *b = rows[1];
  const V of_a = all(weights[0]), of_b = all(weights[1]);
  int64_t i = 0;
  for (; i + 4 * B <= n; i += 4 * B) {
    TENREC_UNROLL for (int64_t k = i; k < i + 4 * B; k += B) {
      const V value = fma(load(b + k), of_b, load(a + k) * of_a);
      if constexpr (kPast) stream(to + k, value);
      else store(to + k, value);
    }
  }
  for (; i < n; i += B) {
    store_first(to + i, fma(load(b + i), of_b, load(a + i) * of_a),
                static_cast<int>(std::min<int64_t>(B, n - i)));
  }
}

void mix_rows(const float* const* rows, const float* weights, int64_t count, int64_t n, bool past,
              float* to) {
  if (count == 2) {
    return past && is_aligned(to) ? mix_two_rows<true>(rows, weights, n, to)
                                  : mix_two_rows<false>(rows, weights, n, to);
  }
  for (int64_t i = 0; i < n; i += B) {
    V sum = load(rows[0] + i) * all(weights[0]);
    for (int64_t k = 1; k < count; ++k) sum = fma(load(rows[k] + i), all(weights[k]), sum);
    store_first(to + i, sum, static_cast<int>(std::min<int64_t>(B, n - i)));
  }
}

// Columns are mixed once and stay in registers for all outputs between them.
template <int kRows, bool kPast>
void blocks_of_rows(const ResizeBlocks& blocks, float* to) {
  V of_upper[kRows], of_lower[kRows], of_left[kRows], of_right[kRows];
  TENREC_UNROLL for (int r = 0; r < kRows; ++r) {
    of_upper[r] = all(blocks.weights[2 * r]);
    of_lower[r] = all(blocks.weights[2 * r + 1]);
  }
  const float *upper = blocks.upper, *lower = blocks.lower;
  const auto mix = [&](int64_t place, V* column) HWY_ATTR {
    const V a = load(upper + place * B), b = load(lower + place * B);
    TENREC_UNROLL for (int r = 0; r < kRows; ++r) column[r] = fma(b, of_lower[r], a * of_upper[r]);
  };
  const int64_t* places = blocks.columns->places;
  const float* weights = blocks.columns->weights;
  const int64_t width = blocks.columns->width, row_step = blocks.row_step;
  int64_t left = -1, right = -1;
  for (int64_t o = 0; o < width; ++o, places += 2, weights += 2, to += B) {
    if (places[0] != left) {
      left = places[0];
      if (left == right) {
        TENREC_UNROLL for (int r = 0; r < kRows; ++r) of_left[r] = of_right[r];
      } else {
        mix(left, of_left);
      }
    }
    if (places[1] != right) {
      right = places[1];
      mix(right, of_right);
    }
    const V first = all(weights[0]), second = all(weights[1]);
    TENREC_UNROLL for (int r = 0; r < kRows; ++r) {
      const V value = fma(of_right[r], second, of_left[r] * first);
      if constexpr (kPast) stream(to + r * row_step, value);
      else store(to + r * row_step, value);
    }
  }
}

void resize_blocks(const ResizeBlocks& blocks, float* to) {
  const bool past = blocks.past && is_aligned(to);
  if (blocks.rows == 2)
    return past ? blocks_of_rows<2, true>(blocks, to) : blocks_of_rows<2, false>(blocks, to);
  past ? blocks_of_rows<1, true>(blocks, to) : blocks_of_rows<1, false>(blocks, to);
}

constexpr SpatialLoops loops{pool,          resize_columns,   mix_rows,
                             resize_blocks, hwy::FlushStream, kLanes};

}  // namespace

const SpatialLoops& pick_spatial_loops();
const SpatialLoops& pick_spatial_loops() { return loops; }

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {

const SpatialLoops& spatial_loops(Isa isa) { return TENREC_CPU_PICK(isa, pick_spatial_loops)(); }

}  // namespace tenrec::cpu
#endif
