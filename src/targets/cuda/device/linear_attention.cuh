// SPDX-License-Identifier: Apache-2.0
// Attention with a recurrent state: a warp a value column of a head, whose key elements its lanes
// share, over all of the steps. Columns do not depend on each other.
#pragma once

template <class T>
__device__ __forceinline__ T lanes_sum(T x) {
#pragma unroll
  for (int by = 16; by > 0; by /= 2) x += __shfl_xor_sync(~0U, x, by);
  return x;
}

// Config gives the computing type T, the elements a lane keeps in registers (0: they lie in
// `memory`, a key's worth a warp), whether the state decays and whether it corrects itself. The
// rest reads and writes: start(i), query(step, g, i), key(step, i), value(step), log_decay(step,
// i), rate(step), answer(step, g, y), finish(i, y).
template <class Config, class Start, class Query, class Key, class Value, class Decay, class Rate,
          class Answer, class Finish>
__device__ __forceinline__ void linear_attention(idx steps, idx key_size, int group,
                                                 typename Config::T scale,
                                                 typename Config::T* memory, Start start,
                                                 Query query, Key key, Value value, Decay log_decay,
                                                 Rate rate, Answer answer, Finish finish) {
  typedef typename Config::T T;
  constexpr int kept = Config::kept;
  T registers[kept > 0 ? kept : 1];
  T* const state = kept > 0 ? registers : memory;
  const int lane = threadIdx.x % 32;
  const auto each = [&](auto f) {
    if constexpr (kept > 0) {
#pragma unroll
      for (int e = 0; e < kept; ++e)
        if (lane + e * 32 < key_size) f((idx)(lane + e * 32), state[e]);
    } else {
      for (idx i = lane; i < key_size; i += 32) f(i, state[i]);
    }
  };
  each([&](idx i, T& s) { s = start(i); });
  for (idx t = 0; t < steps; ++t) {
    if constexpr (Config::decays) each([&](idx i, T& s) { s *= fn_exp<T>(log_decay(t, i)); });
    T news = value(t);
    if constexpr (Config::corrects) {
      T said = 0;
      each([&](idx i, T& s) { said += key(t, i) * s; });
      news = (news - lanes_sum(said)) * rate(t);
    }
    each([&](idx i, T& s) { s += key(t, i) * news; });
    for (int g = 0; g < group; ++g) {
      T sum = 0;
      each([&](idx i, T& s) { sum += query(t, g, i) * s; });
      sum = lanes_sum(sum);
      if (lane == 0) answer(t, g, sum * scale);
    }
  }
  each([&](idx i, T& s) { finish(i, s); });
}
