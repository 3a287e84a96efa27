// SPDX-License-Identifier: Apache-2.0
// Images read between their pixels: RoiAlign's and MaxRoiPool's cells, GridSample's points and
// AffineGrid's. Coordinates are doubles, as the interpreter's, so that the same pixels are taken.
#pragma once

// ---- RoiAlign ---------------------------------------------------------------------------------

struct AxisSample {
  idx low, high;
  double fraction;
  __device__ __forceinline__ AxisSample(double at, idx length) {
    at = at > 0 ? at : 0;
    low = (idx)at;
    high = low + 1;
    fraction = at - (double)low;
    if (low >= length - 1) {
      low = high = length - 1;
      fraction = 0;
    }
  }
};

// One bilinear sample; of `maximum` the greatest weighted pixel, which is what ONNX asks for.
template <bool maximum, class T, class Load>
__device__ __forceinline__ T roi_sample(double y, double x, idx height, idx width,
                                        const Load& load) {
  if (!(y >= -1 && y <= (double)height && x >= -1 && x <= (double)width)) return 0;
  const AxisSample row(y, height), column(x, width);
  const T down = (T)row.fraction, right = (T)column.fraction, up = 1 - down, left = 1 - right;
  const T a = up * left * load(row.low, column.low), b = up * right * load(row.low, column.high);
  const T c = down * left * load(row.high, column.low),
          d = down * right * load(row.high, column.high);
  if constexpr (maximum) return fn_max<T>(fn_max<T>(a, b), fn_max<T>(c, d));
  else return a + b + c + d;
}

// The cell (cell_row, cell_column) of a region whose corners are scaled to pixels.
template <bool half_pixel, bool maximum, int rows_, int columns_, int ratio, class T, class Load>
__device__ __forceinline__ T roi_cell(double x1, double y1, double x2, double y2, double scale,
                                      idx cell_row, idx cell_column, idx height, idx width,
                                      const Load& load) {
  const double offset = half_pixel ? 0.5 : 0.0;
  const double left = x1 * scale - offset, top = y1 * scale - offset;
  double w = x2 * scale - offset - left, h = y2 * scale - offset - top;
  if (!half_pixel) {
    w = w < 1 ? 1 : w;
    h = h < 1 ? 1 : h;
  }
  const double cell_h = h / rows_, cell_w = w / columns_;
  const auto grid = [](double cell) {
    const double whole = ceil(cell);
    return ratio > 0 ? ratio : (int)(whole < 0 ? 0 : whole > 65536 ? 65536 : whole);
  };
  const int rows = grid(cell_h), columns = grid(cell_w);
  T result = maximum ? -(T)inf32() : 0;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      const T sample = roi_sample<maximum, T>(
          top + ((double)cell_row + (i + 0.5) / rows) * cell_h,
          left + ((double)cell_column + (j + 0.5) / columns) * cell_w, height, width, load);
      if constexpr (maximum) result = fn_max<T>(result, sample);
      else result += sample;
    }
  if (rows == 0 || columns == 0) return 0;
  return maximum ? result : result / (T)(rows * columns);
}

// ---- MaxRoiPool --------------------------------------------------------------------------------

struct Pixels {
  idx first, last;
};

// Cell i of `cells` between two corners, along one axis.
__device__ __forceinline__ Pixels roi_pixels(double from, double to, double scale, idx i, int cells,
                                             idx length) {
  const auto pixel = [&](double at) { return (long long)fmin(fmax(round(at * scale), -1e9), 1e9); };
  const auto inside = [&](double at) { return (idx)fmin(fmax(at, 0.0), (double)length); };
  const long long start = pixel(from), size = pixel(to) - start + 1;
  const double cell = (double)(size < 1 ? 1 : size) / cells;
  return {inside(floor((double)i * cell) + (double)start),
          inside(ceil((double)(i + 1) * cell) + (double)start)};
}

template <class T, class Load>
__device__ __forceinline__ T roi_max(const Pixels& rows, const Pixels& columns, const Load& load) {
  if (rows.first >= rows.last || columns.first >= columns.last) return 0;
  T best = -(T)inf32();
  for (idx row = rows.first; row < rows.last; ++row)
    for (idx column = columns.first; column < columns.last; ++column) {
      const T value = load(row, column);
      best = best < value ? value : best;
    }
  return best;
}

// ---- AffineGrid --------------------------------------------------------------------------------

template <bool align_corners>
__device__ __forceinline__ double grid_coordinate(idx k, idx size) {
  if (align_corners) return size == 1 ? 0.0 : -1 + 2 * (double)k / ((double)size - 1);
  return -1 + (2 * (double)k + 1) / (double)size;
}

// ---- GridSample -------------------------------------------------------------------------------

enum class Mode { nearest, linear, cubic };
enum class Padding { zeros, border, reflection };

// Mirrors x at the ends of [low, high] until it is inside.
__device__ __forceinline__ double reflected(double x, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  if (x >= low && x <= high) return x;
  const double distance = x < low ? low - x : x - high;
  const double turns = floor(distance / range), rest = distance - turns * range;
  const bool from_near_end = fmod(turns, 2.0) == 0;
  return (x < low) == from_near_end ? low + rest : high - rest;
}

// The elements of one axis that a point reads; index -1 reads zero.
template <Mode mode, Padding padding, bool align_corners>
struct Taps {
  static constexpr int count = mode == Mode::nearest ? 1 : mode == Mode::linear ? 2 : 4;
  idx index[count];
  double weight[count];

  __device__ __forceinline__ Taps(double coordinate, idx length) {
    const double size = (double)length;
    const double low = align_corners ? 0 : -0.5, high = align_corners ? size - 1 : size - 0.5;
    double x =
        align_corners ? (coordinate + 1) / 2 * (size - 1) : ((coordinate + 1) * size - 1) / 2;
    x = x != x || x < -1e9 ? -1e9 : x > 1e9 ? 1e9 : x;
    if (mode == Mode::nearest) x = rint(x);
    // Cubic kernels bend their own support at the border, not the point.
    if (mode != Mode::cubic && (x < low || x > high)) {
      if (padding == Padding::border) x = x < 0 ? 0 : x > size - 1 ? size - 1 : x;
      if (padding == Padding::reflection) x = reflected(x, low, high);
    }
    const double base = floor(x), t = x - base;
    double first = base;
    if constexpr (mode == Mode::nearest) {
      first = rint(x);
      weight[0] = 1;
    } else if constexpr (mode == Mode::linear) {
      weight[0] = 1 - t;
      weight[1] = t;
    } else {
      first = base - 1;
      weight[0] = outer(t + 1);
      weight[1] = inner(t);
      weight[2] = inner(1 - t);
      weight[3] = outer(2 - t);
    }
    for (int i = 0; i < count; ++i) index[i] = padded(first + i, length, low, high);
  }

 private:
  static constexpr double a = -0.75;
  static __device__ __forceinline__ double outer(double d) {
    return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  }
  static __device__ __forceinline__ double inner(double d) {
    return ((a + 2) * d - (a + 3)) * d * d + 1;
  }
  static __device__ __forceinline__ idx padded(double at, idx length, double low, double high) {
    const double last = (double)length - 1;
    if (at >= 0 && at <= last) return (idx)at;
    if (padding == Padding::zeros) return -1;
    if (padding == Padding::reflection) at = trunc(reflected(at, low, high));
    return (idx)(at < 0 ? 0 : at > last ? last : at);
  }
};
