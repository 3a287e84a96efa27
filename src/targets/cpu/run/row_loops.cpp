// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/row_loops.cpp"
#include "targets/cpu/run/highway_each.h"
#include "targets/cpu/run/math-inl.h"
#include "targets/cpu/run/simd-inl.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "targets/cpu/run/row_loops.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using F = hn::CappedTag<float, 16>;
using VF = hn::Vec<F>;
constexpr F f{};
constexpr int64_t stretch = 2048;  // values summed in vectors before they go to double
constexpr float infinity = std::numeric_limits<float>::infinity();

HWY_INLINE int64_t lanes() { return static_cast<int64_t>(hn::Lanes(f)); }

// The last n < lanes values; the other lanes are `rest`.
HWY_INLINE VF load_end(const float* x, int64_t n, float rest) {
  if constexpr (kMaskedMoves) {
    const auto used = hn::FirstN(f, static_cast<size_t>(n));
    return hn::IfThenElse(used, hn::MaskedLoad(used, f, x), hn::Set(f, rest));
  }
  alignas(64) float end[16];
  for (float& value : end) value = rest;
  for (int64_t i = 0; i < n; ++i) end[i] = x[i];
  return hn::Load(f, end);
}
HWY_INLINE VF load_some(const float* x, int64_t used) {
  return used == lanes() ? hn::LoadU(f, x) : load_end(x, used, 0);
}
HWY_INLINE void store_end(VF value, float* y, int64_t n) {
  if constexpr (kMaskedMoves)
    return hn::BlendedStore(value, hn::FirstN(f, static_cast<size_t>(n)), f, y);
  alignas(64) float end[16];
  hn::Store(value, f, end);
  for (int64_t i = 0; i < n; ++i) y[i] = end[i];
}
HWY_INLINE float total(VF value) { return hn::GetLane(hn::SumOfLanes(f, value)); }

template <RowMap map>
HWY_INLINE VF mapped(VF x) {
  if constexpr (map == RowMap::absolute) return hn::Abs(x);
  if constexpr (map == RowMap::square) return hn::Mul(x, x);
  return x;
}
template <class Map>
HWY_INLINE double sum_of(const float* x, int64_t n, Map&& map) {
  const int64_t step = lanes();
  double sum = 0;
  for (int64_t begin = 0; begin < n; begin += stretch) {
    const int64_t end = std::min(begin + stretch, n);
    VF a = hn::Zero(f), b = a, c = a, d = a;
    int64_t i = begin;
    for (; i + 4 * step <= end; i += 4 * step) {
      a = hn::Add(a, map(hn::LoadU(f, x + i)));
      b = hn::Add(b, map(hn::LoadU(f, x + i + step)));
      c = hn::Add(c, map(hn::LoadU(f, x + i + 2 * step)));
      d = hn::Add(d, map(hn::LoadU(f, x + i + 3 * step)));
    }
    for (; i + step <= end; i += step) a = hn::Add(a, map(hn::LoadU(f, x + i)));
    sum += static_cast<double>(total(hn::Add(hn::Add(a, b), hn::Add(c, d))));
    for (; i < end; ++i) sum += static_cast<double>(hn::GetLane(map(hn::Set(f, x[i]))));
  }
  return sum;
}

double sum(const float* x, int64_t n, RowMap map) {
  switch (map) {
    case RowMap::absolute:
      return sum_of(x, n, [](VF v) HWY_ATTR { return mapped<RowMap::absolute>(v); });
    case RowMap::square:
      return sum_of(x, n, [](VF v) HWY_ATTR { return mapped<RowMap::square>(v); });
    default: return sum_of(x, n, [](VF v) HWY_ATTR { return v; });
  }
}

double squares_around(const float* x, int64_t n, float mean) {
  const VF middle = hn::Set(f, mean);
  return sum_of(x, n, [middle](VF v) HWY_ATTR {
    const VF away = hn::Sub(v, middle);
    return hn::Mul(away, away);
  });
}

struct Larger {
  static constexpr float start = -infinity;
  static HWY_INLINE VF of(VF best, VF x) {
    return hn::IfThenElse(hn::IsNaN(best), best, larger_or_second(best, x));
  }
  static HWY_INLINE float of(float a, float b) { return std::isnan(a) || a > b ? a : b; }
};
struct Smaller {
  static constexpr float start = infinity;
  static HWY_INLINE VF of(VF best, VF x) {
    return hn::IfThenElse(hn::IsNaN(best), best, smaller_or_second(best, x));
  }
  static HWY_INLINE float of(float a, float b) { return std::isnan(a) || a < b ? a : b; }
};

template <class Best>
float best_of(const float* x, int64_t n) {
  const int64_t step = lanes();
  VF a = hn::Set(f, Best::start), b = a;
  int64_t i = 0;
  for (; i + 2 * step <= n; i += 2 * step) {
    a = Best::of(a, hn::LoadU(f, x + i));
    b = Best::of(b, hn::LoadU(f, x + i + step));
  }
  for (; i + step <= n; i += step) a = Best::of(a, hn::LoadU(f, x + i));
  if (i < n) b = Best::of(b, load_end(x + i, n - i, Best::start));
  alignas(64) float all[16];
  hn::Store(Best::of(a, b), f, all);
  float best = all[0];
  for (int64_t k = 1; k < step; ++k) best = Best::of(best, all[k]);
  return best;
}

// Sum of one vector's columns, or its first `used`, with four rows in flight.
template <RowMap map, bool whole>
HWY_INLINE VF column_of(const float* x, int64_t rows, int64_t stride, int64_t used) {
  const auto row = [&](int64_t r) HWY_ATTR {
    return mapped<map>(whole ? hn::LoadU(f, x + r * stride) : load_end(x + r * stride, used, 0));
  };
  VF a = hn::Zero(f), b = a, c = a, d = a;
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    a = hn::Add(a, row(r));
    b = hn::Add(b, row(r + 1));
    c = hn::Add(c, row(r + 2));
    d = hn::Add(d, row(r + 3));
  }
  for (; r < rows; ++r) a = hn::Add(a, row(r));
  return hn::Add(hn::Add(a, b), hn::Add(c, d));
}

template <RowMap map>
void column_sum_of(const float* x, int64_t rows, int64_t stride, int64_t width, double* into) {
  const int64_t step = lanes();
  alignas(64) float part[16];
  for (int64_t begin = 0; begin < rows; begin += few_rows) {
    const int64_t end = std::min(begin + few_rows, rows);
    int64_t c = 0;
    // Four vectors side by side use whole cache lines; a single one keeps four rows in flight.
    for (; c + 4 * step <= width; c += 4 * step) {
      VF s0 = hn::Zero(f), s1 = s0, s2 = s0, s3 = s0;
      for (int64_t r = begin; r < end; ++r) {
        const float* row = x + r * stride + c;
        s0 = hn::Add(s0, mapped<map>(hn::LoadU(f, row)));
        s1 = hn::Add(s1, mapped<map>(hn::LoadU(f, row + step)));
        s2 = hn::Add(s2, mapped<map>(hn::LoadU(f, row + 2 * step)));
        s3 = hn::Add(s3, mapped<map>(hn::LoadU(f, row + 3 * step)));
      }
      const VF sums[4] = {s0, s1, s2, s3};
      for (int64_t k = 0; k < 4; ++k) {
        hn::Store(sums[k], f, part);
        for (int64_t l = 0; l < step; ++l) into[c + k * step + l] += static_cast<double>(part[l]);
      }
    }
    for (; c < width; c += step) {
      const int64_t used = std::min(step, width - c);
      const float* from = x + begin * stride + c;
      const VF sum = used == step ? column_of<map, true>(from, end - begin, stride, used)
                                  : column_of<map, false>(from, end - begin, stride, used);
      hn::Store(sum, f, part);
      for (int64_t l = 0; l < used; ++l) into[c + l] += static_cast<double>(part[l]);
    }
  }
}

void column_sum(const float* x, int64_t rows, int64_t stride, int64_t width, RowMap map,
                double* into) {
  switch (map) {
    case RowMap::absolute: return column_sum_of<RowMap::absolute>(x, rows, stride, width, into);
    case RowMap::square: return column_sum_of<RowMap::square>(x, rows, stride, width, into);
    default: return column_sum_of<RowMap::identity>(x, rows, stride, width, into);
  }
}

template <RowMap map>
void short_columns_of(const float* x, int64_t rows, int64_t stride, int64_t width, float divisor,
                      float* y) {
  const int64_t step = lanes();
  const VF by = hn::Set(f, divisor);
  constexpr int many = 4;
  int64_t c = 0;
  for (; c + many * step <= width; c += many * step) {
    VF sums[many];
    for (int k = 0; k < many; ++k) sums[k] = mapped<map>(hn::LoadU(f, x + c + k * step));
    for (int64_t r = 1; r < rows; ++r) {
      const float* row = x + r * stride + c;
      for (int k = 0; k < many; ++k)
        sums[k] = hn::Add(sums[k], mapped<map>(hn::LoadU(f, row + k * step)));
    }
    for (int k = 0; k < many; ++k) hn::StoreU(hn::Div(sums[k], by), f, y + c + k * step);
  }
  for (; c < width; c += step) {
    const int64_t used = std::min(step, width - c);
    const VF sum = used == step ? column_of<map, true>(x + c, rows, stride, used)
                                : column_of<map, false>(x + c, rows, stride, used);
    if (used == step) hn::StoreU(hn::Div(sum, by), f, y + c);
    else store_end(hn::Div(sum, by), y + c, used);
  }
}

void short_columns(const float* x, int64_t rows, int64_t stride, int64_t width, RowMap map,
                   float divisor, float* y) {
  switch (map) {
    case RowMap::absolute:
      return short_columns_of<RowMap::absolute>(x, rows, stride, width, divisor, y);
    case RowMap::square:
      return short_columns_of<RowMap::square>(x, rows, stride, width, divisor, y);
    default: return short_columns_of<RowMap::identity>(x, rows, stride, width, divisor, y);
  }
}

template <class Best>
void column_best(const float* x, int64_t rows, int64_t stride, int64_t width, float* into) {
  const int64_t step = lanes();
  for (int64_t c = 0; c < width; c += step) {
    const int64_t used = std::min(step, width - c);
    const bool whole = used == step;
    VF best = whole ? hn::LoadU(f, into + c) : load_end(into + c, used, Best::start);
    for (int64_t r = 0; r < rows; ++r) {
      const float* at = x + r * stride + c;
      best = Best::of(best, whole ? hn::LoadU(f, at) : load_end(at, used, Best::start));
    }
    if (whole) hn::StoreU(best, f, into + c);
    else store_end(best, into + c, used);
  }
}

// Sum of exp(x - top), which goes to y if that is given; y may be x.
HWY_INLINE double exp_sum(const float* x, int64_t n, float top, float* y) {
  const int64_t step = lanes();
  const VF shift = hn::Set(f, top);
  double sum = 0;
  for (int64_t begin = 0; begin < n; begin += stretch) {
    const int64_t end = std::min(begin + stretch, n);
    VF part = hn::Zero(f);
    int64_t i = begin;
    for (; i + step <= end; i += step) {
      const VF value = exp_below_zero(f, hn::Sub(hn::LoadU(f, x + i), shift));
      part = hn::Add(part, value);
      if (y) hn::StoreU(value, f, y + i);
    }
    if (i < end) {
      const VF value = exp_below_zero(f, hn::Sub(load_end(x + i, end - i, -infinity), shift));
      part = hn::Add(part, value);
      if (y) store_end(value, y + i, end - i);
    }
    sum += static_cast<double>(total(part));
  }
  return sum;
}

template <class Map>
HWY_INLINE void map_row(int64_t n, float* y, Map&& map) {
  const int64_t step = lanes();
  int64_t i = 0;
  for (; i + step <= n; i += step) hn::StoreU(map(i, step), f, y + i);
  if (i < n) store_end(map(i, n - i), y + i, n - i);
}

void shift_scale(const float* x, int64_t n, float shift, float factor, float* y) {
  const VF middle = hn::Set(f, shift), by = hn::Set(f, factor);
  map_row(n, y, [&](int64_t i, int64_t used) HWY_ATTR {
    return hn::Mul(hn::Sub(load_some(x + i, used), middle), by);
  });
}

void normalise(const float* x, int64_t n, float shift, float factor, const float* scale,
               const float* bias, float* y) {
  const VF middle = hn::Set(f, shift), by = hn::Set(f, factor);
  map_row(n, y, [&](int64_t i, int64_t used) HWY_ATTR {
    VF value = hn::Mul(hn::Sub(load_some(x + i, used), middle), by);
    if (scale) value = hn::Mul(value, load_some(scale + i, used));
    return bias ? hn::Add(value, load_some(bias + i, used)) : value;
  });
}

// The largest of a row that has no NaN.
HWY_INLINE float top_of(const float* x, int64_t n) {
  const int64_t step = lanes();
  VF a = hn::Set(f, -infinity), b = a;
  int64_t i = 0;
  for (; i + 2 * step <= n; i += 2 * step) {
    a = hn::Max(a, hn::LoadU(f, x + i));
    b = hn::Max(b, hn::LoadU(f, x + i + step));
  }
  if (i + step <= n) {
    a = hn::Max(a, hn::LoadU(f, x + i));
    i += step;
  }
  if (i < n) b = hn::Max(b, load_end(x + i, n - i, -infinity));
  return hn::GetLane(hn::MaxOfLanes(f, hn::Max(a, b)));
}

// Some rows at a time, pass by pass: what a row's largest and sum wait for is hidden behind the
// next row. A NaN makes its row's sum NaN, and with it the row, whatever the largest is.
void softmax(const float* x, int64_t rows, int64_t n, bool logarithm, float* y) {
  constexpr int64_t most = 8, first_level = 4096;  // rows, and values of them
  const int64_t together = std::clamp<int64_t>(first_level / n, 1, most);
  for (int64_t row = 0; row < rows; row += together) {
    const int64_t count = std::min(together, rows - row);
    const float* from = x + row * n;
    float* to = y + row * n;
    float tops[most];
    double sums[most];
    for (int64_t r = 0; r < count; ++r) tops[r] = top_of(from + r * n, n);
    for (int64_t r = 0; r < count; ++r)
      sums[r] = exp_sum(from + r * n, n, tops[r], logarithm ? nullptr : to + r * n);
    for (int64_t r = 0; r < count; ++r) {
      if (logarithm) {
        const double base = static_cast<double>(tops[r]) + std::log(sums[r]);
        shift_scale(from + r * n, n, static_cast<float>(base), 1, to + r * n);
      } else {
        shift_scale(to + r * n, n, 0, static_cast<float>(1 / sums[r]), to + r * n);
      }
    }
  }
}

void column_softmax(const float* x, int64_t n, int64_t stride, int64_t width, bool logarithm,
                    float* y) {
  const int64_t step = lanes();
  for (int64_t c = 0; c < width; c += step) {
    const int64_t used = std::min(step, width - c);
    VF best = hn::Set(f, -infinity);
    for (int64_t r = 0; r < n; ++r) best = Larger::of(best, load_some(x + r * stride + c, used));
    VF sum = hn::Zero(f);
    for (int64_t r = 0; r < n; ++r) {
      const VF value = exp_below_zero(f, hn::Sub(load_some(x + r * stride + c, used), best));
      sum = hn::Add(sum, value);
      if (logarithm) continue;
      if (used == step) hn::StoreU(value, f, y + r * stride + c);
      else store_end(value, y + r * stride + c, used);
    }
    const VF base = logarithm ? hn::Add(best, log_of(f, sum)) : hn::Div(hn::Set(f, 1.0F), sum);
    for (int64_t r = 0; r < n; ++r) {
      const VF value = logarithm ? hn::Sub(load_some(x + r * stride + c, used), base)
                                 : hn::Mul(load_some(y + r * stride + c, used), base);
      if (used == step) hn::StoreU(value, f, y + r * stride + c);
      else store_end(value, y + r * stride + c, used);
    }
  }
}

// Column k of as many rows of n values as there are lanes.
HWY_INLINE void load_columns(const float* x, int64_t n, VF* columns) {
  if (n == 2) return hn::LoadInterleaved2(f, x, columns[0], columns[1]);
  if (n == 3) return hn::LoadInterleaved3(f, x, columns[0], columns[1], columns[2]);
  if (n == 4) return hn::LoadInterleaved4(f, x, columns[0], columns[1], columns[2], columns[3]);
  const hn::RebindToSigned<decltype(f)> index;
  const auto places = hn::Mul(hn::Iota(index, 0), hn::Set(index, static_cast<int32_t>(n)));
  for (int64_t k = 0; k < n; ++k) columns[k] = hn::GatherIndex(f, x + k, places);
}
HWY_INLINE void store_columns(const VF* columns, int64_t n, float* y) {
  if (n == 2) return hn::StoreInterleaved2(columns[0], columns[1], f, y);
  if (n == 3) return hn::StoreInterleaved3(columns[0], columns[1], columns[2], f, y);
  if (n == 4) return hn::StoreInterleaved4(columns[0], columns[1], columns[2], columns[3], f, y);
  const hn::RebindToSigned<decltype(f)> index;
  const auto places = hn::Mul(hn::Iota(index, 0), hn::Set(index, static_cast<int32_t>(n)));
  for (int64_t k = 0; k < n; ++k) hn::ScatterIndex(columns[k], f, y + k, places);
}

// As many rows as there are lanes, side by side.
HWY_INLINE void softmax_of_rows(const float* x, int64_t n, bool logarithm, float* y) {
  VF columns[short_row], powers[short_row];
  load_columns(x, n, columns);
  VF best = columns[0];
  for (int64_t k = 1; k < n; ++k) best = Larger::of(best, columns[k]);
  VF sum = hn::Zero(f);
  for (int64_t k = 0; k < n; ++k) {
    powers[k] = exp_below_zero(f, hn::Sub(columns[k], best));
    sum = hn::Add(sum, powers[k]);
  }
  const VF base = logarithm ? hn::Add(best, log_of(f, sum)) : hn::Div(hn::Set(f, 1.0F), sum);
  for (int64_t k = 0; k < n; ++k)
    powers[k] = logarithm ? hn::Sub(columns[k], base) : hn::Mul(powers[k], base);
  store_columns(powers, n, y);
}

void short_softmax(const float* x, int64_t rows, int64_t n, bool logarithm, float* y) {
  const int64_t step = lanes();
  int64_t row = 0;
  for (; row + step <= rows; row += step) softmax_of_rows(x + row * n, n, logarithm, y + row * n);
  if (row == rows) return;
  alignas(64) float end[16 * short_row] = {};
  std::copy(x + row * n, x + rows * n, end);
  softmax_of_rows(end, n, logarithm, end);
  std::copy_n(end, (rows - row) * n, y + row * n);
}

constexpr RowLoops loops{
    sum,           best_of<Larger>,     best_of<Smaller>,     squares_around, column_sum,
    short_columns, column_best<Larger>, column_best<Smaller>, shift_scale,    normalise,
    softmax,       column_softmax,      short_softmax};

}  // namespace

const RowLoops& pick_row_loops();
const RowLoops& pick_row_loops() { return loops; }

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {

const RowLoops& row_loops(Isa isa) { return TENREC_CPU_PICK(isa, pick_row_loops)(); }

}  // namespace tenrec::cpu
#endif
