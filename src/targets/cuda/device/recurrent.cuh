// SPDX-License-Identifier: Apache-2.0
// One direction of one sample over time. A warp a row of the weights; states stay in shared memory.
// Config gives gates (4: LSTM, 3: GRU, 1: RNN), hidden, activations and switches. Shared memory:
// 2 * gates * hidden + 3 * hidden floats.
#pragma once

struct RecurrentData {
  const float *x, *w, *r, *bias;
  const int* lengths;
  const float *h0, *c0, *peepholes;  // any of the optional ones may be null
  float *y, *last_h, *last_c;
  idx time, batch, features, directions;
};

__device__ __forceinline__ float warp_dot(const float* a, const float* b, idx size) {
  float sum = 0;
  for (idx i = threadIdx.x % 32; i < size; i += 32) sum += a[i] * b[i];
#pragma unroll
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0U, sum, step);
  return sum;
}

template <class Config>
__device__ __forceinline__ void recurrent(const RecurrentData& data, idx d, idx n, bool backwards) {
  constexpr int H = Config::hidden, rows = Config::gates * H;
  constexpr bool lstm = Config::gates == 4, gru = Config::gates == 3;
  // With the reset before the product, the candidate's rows wait for the reset state.
  constexpr int early_rows = gru && !Config::linear_before_reset ? 2 * H : rows;
  extern __shared__ float memory[];
  float *const sums = memory, *const past = sums + rows, *const h = past + rows, *const c = h + H,
               *const reset = c + H;
  const int thread = threadIdx.x, warp = thread / 32, warps = blockDim.x / 32;
  const float* const w = data.w + d * rows * data.features;
  const float* const r = data.r + d * rows * H;
  const float* const bias = data.bias ? data.bias + d * 2 * rows : nullptr;
  const idx state = (d * data.batch + n) * H;
  for (int i = thread; i < H; i += blockDim.x) {
    h[i] = data.h0 ? data.h0[state + i] : 0;
    c[i] = data.c0 ? data.c0[state + i] : 0;
  }
  const idx given = data.lengths ? (idx)data.lengths[n] : data.time;
  const idx length = given < 0 ? 0 : given > data.time ? data.time : given;
  const auto y_at = [&](idx t) { return ((t * data.directions + d) * data.batch + n) * H; };
  __syncthreads();
  for (idx t = 0; t < length; ++t) {
    const idx at = backwards ? length - 1 - t : t;
    const float* const x = data.x + (at * data.batch + n) * data.features;
    for (int row = warp; row < rows; row += warps) {
      const float now = warp_dot(w + row * data.features, x, data.features);
      const float then = row < early_rows ? warp_dot(r + row * H, h, H) : 0;
      if (thread % 32 == 0) {
        sums[row] = now + (bias ? bias[row] : 0);
        past[row] = then + (bias ? bias[rows + row] : 0);
      }
    }
    __syncthreads();
    if constexpr (gru) {
      for (int i = thread; i < H; i += blockDim.x) {
        const float open = Config::template f<0>(d, Config::clip(sums[H + i] + past[H + i]));
        reset[i] = Config::linear_before_reset ? open : open * h[i];
      }
      __syncthreads();
      for (int row = early_rows + warp; row < rows; row += warps) {
        const float then = warp_dot(r + row * H, reset, H);
        if (thread % 32 == 0) past[row] += then;
      }
      __syncthreads();
    }
    for (int i = thread; i < H; i += blockDim.x) {
      const auto gate = [&](int which) { return sums[which * H + i] + past[which * H + i]; };
      if constexpr (lstm) {
        const float* const p = data.peepholes ? data.peepholes + d * 3 * H : nullptr;
        const auto peek = [&](int which) { return p ? p[which * H + i] * c[i] : 0.0f; };
        const float input = Config::template f<0>(d, Config::clip(gate(0) + peek(0)));
        const float forget = Config::input_forget
                                 ? 1 - input
                                 : Config::template f<0>(d, Config::clip(gate(2) + peek(2)));
        c[i] = forget * c[i] + input * Config::template f<1>(d, Config::clip(gate(3)));
        const float output = Config::template f<0>(d, Config::clip(gate(1) + peek(1)));
        h[i] = output * Config::template f<2>(d, c[i]);
      } else if constexpr (gru) {
        const float update = Config::template f<0>(d, Config::clip(gate(0)));
        const float fresh =
            Config::linear_before_reset ? sums[2 * H + i] + reset[i] * past[2 * H + i] : gate(2);
        const float candidate = Config::template f<1>(d, Config::clip(fresh));
        h[i] = (1 - update) * candidate + update * h[i];
      } else {
        h[i] = Config::template f<0>(d, Config::clip(gate(0)));
      }
      if (data.y) data.y[y_at(at) + i] = h[i];
    }
    __syncthreads();
  }
  for (int i = thread; i < H; i += blockDim.x) {
    for (idx t = length; t < data.time && data.y; ++t) data.y[y_at(t) + i] = 0;
    if (data.last_h) data.last_h[state + i] = h[i];
    if (data.last_c) data.last_c[state + i] = c[i];
  }
}
