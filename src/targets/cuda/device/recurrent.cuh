// SPDX-License-Identifier: Apache-2.0
// One direction of one sample over time. A warp a row of the weights. Config gives the elements'
// type T, the computing type R and conversions, gates (4: LSTM, 3: GRU, 1: RNN), hidden,
// activations and switches. `memory`, which belongs to the block: 2 * gates * hidden + 3 * hidden
// numbers.
#pragma once

template <class T>
struct RecurrentData {
  const T *x, *w, *r, *bias;
  const int* lengths;
  const T *h0, *c0, *peepholes;  // any of the optional ones may be null
  T *y, *last_h, *last_c;
  idx time, batch, features, directions;
};

// `b(i)` reads the second vector.
template <class Config, class B>
__device__ __forceinline__ typename Config::R warp_dot(const typename Config::T* a, idx size, B b) {
  typename Config::R sum = 0;
  for (idx i = threadIdx.x % 32; i < size; i += 32) sum += Config::load(a[i]) * b(i);
#pragma unroll
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0U, sum, step);
  return sum;
}

template <class Config>
__device__ __forceinline__ void recurrent(const RecurrentData<typename Config::T>& data,
                                          typename Config::R* memory, idx d, idx n,
                                          bool backwards) {
  typedef typename Config::T T;
  typedef typename Config::R R;
  constexpr int H = Config::hidden, rows = Config::gates * H;
  constexpr bool lstm = Config::gates == 4, gru = Config::gates == 3;
  // With the reset before the product, the candidate's rows wait for the reset state.
  constexpr int early_rows = gru && !Config::linear_before_reset ? 2 * H : rows;
  R *const sums = memory, *const past = sums + rows, *const h = past + rows, *const c = h + H,
           *const reset = c + H;
  const int thread = threadIdx.x, warp = thread / 32, warps = blockDim.x / 32;
  const T* const w = data.w + d * rows * data.features;
  const T* const r = data.r + d * rows * H;
  const T* const bias = data.bias ? data.bias + d * 2 * rows : nullptr;
  const idx state = (Config::batch_first ? n * data.directions + d : d * data.batch + n) * H;
  for (int i = thread; i < H; i += blockDim.x) {
    h[i] = data.h0 ? Config::load(data.h0[state + i]) : 0;
    c[i] = data.c0 ? Config::load(data.c0[state + i]) : 0;
  }
  const idx given = data.lengths ? (idx)data.lengths[n] : data.time;
  const idx length = given < 0 ? 0 : given > data.time ? data.time : given;
  const auto y_at = [&](idx t) {
    return (Config::batch_first ? (n * data.time + t) * data.directions + d
                                : (t * data.directions + d) * data.batch + n) *
           H;
  };
  const auto x_at = [&](idx t) {
    return (Config::batch_first ? n * data.time + t : t * data.batch + n) * data.features;
  };
  const auto bias_at = [&](int row) { return bias ? Config::load(bias[row]) : R(0); };
  __syncthreads();
  for (idx t = 0; t < length; ++t) {
    const idx at = backwards ? length - 1 - t : t;
    const T* const x = data.x + x_at(at);
    const auto now_at = [&](idx i) { return Config::load(x[i]); };
    const auto state_at = [&](idx i) { return h[i]; };
    for (int row = warp; row < rows; row += warps) {
      const R now = warp_dot<Config>(w + row * data.features, data.features, now_at);
      const R then = row < early_rows ? warp_dot<Config>(r + row * H, H, state_at) : 0;
      if (thread % 32 == 0) {
        sums[row] = now + bias_at(row);
        past[row] = then + bias_at(rows + row);
      }
    }
    __syncthreads();
    if constexpr (gru) {
      for (int i = thread; i < H; i += blockDim.x) {
        const R open = Config::template f<0>(d, Config::clip(sums[H + i] + past[H + i]));
        reset[i] = Config::linear_before_reset ? open : open * h[i];
      }
      __syncthreads();
      for (int row = early_rows + warp; row < rows; row += warps) {
        const R then = warp_dot<Config>(r + row * H, H, [&](idx i) { return reset[i]; });
        if (thread % 32 == 0) past[row] += then;
      }
      __syncthreads();
    }
    for (int i = thread; i < H; i += blockDim.x) {
      const auto gate = [&](int which) { return sums[which * H + i] + past[which * H + i]; };
      if constexpr (lstm) {
        const T* const p = data.peepholes ? data.peepholes + d * 3 * H : nullptr;
        const auto peek = [&](int which) {
          return p ? Config::load(p[which * H + i]) * c[i] : R(0);
        };
        const R input = Config::template f<0>(d, Config::clip(gate(0) + peek(0)));
        const R forget = Config::input_forget
                             ? 1 - input
                             : Config::template f<0>(d, Config::clip(gate(2) + peek(2)));
        c[i] = forget * c[i] + input * Config::template f<1>(d, Config::clip(gate(3)));
        const R output = Config::template f<0>(d, Config::clip(gate(1) + peek(1)));
        h[i] = output * Config::template f<2>(d, c[i]);
      } else if constexpr (gru) {
        const R update = Config::template f<0>(d, Config::clip(gate(0)));
        const R fresh =
            Config::linear_before_reset ? sums[2 * H + i] + reset[i] * past[2 * H + i] : gate(2);
        const R candidate = Config::template f<1>(d, Config::clip(fresh));
        h[i] = (1 - update) * candidate + update * h[i];
      } else {
        h[i] = Config::template f<0>(d, Config::clip(gate(0)));
      }
      if (data.y) data.y[y_at(at) + i] = Config::store(h[i]);
    }
    __syncthreads();
  }
  for (int i = thread; i < H; i += blockDim.x) {
    for (idx t = length; t < data.time && data.y; ++t) data.y[y_at(t) + i] = Config::store(0);
    if (data.last_h) data.last_h[state + i] = Config::store(h[i]);
    if (data.last_c) data.last_c[state + i] = Config::store(c[i]);
  }
}
