// SPDX-License-Identifier: Apache-2.0
// GroupQueryAttention: first the caches, new keys turned by their positions; then a block of 256
// threads a query. Config gives the element type and its conversions, sizes and switches. Indices
// from tensors are kept inside.
#pragma once
#include "group.cuh"

template <class T>
struct GroupQueryData {
  const T *query, *key, *value, *past_key, *past_value;
  const int* last;
  const T *cosines, *sines;
  const long long* positions;
  const T *bias, *sinks;  // any but query, key, value and last may be null
  T *y, *keys, *values;
  float* scores;
  idx batch, steps, past, length, total, table, bias_batch, bias_heads, bias_length;

  // How many steps of sample n are in the cache.
  __device__ __forceinline__ idx before(idx n) const {
    const idx at = steps == total ? 0 : (idx)last[n] + 1 - steps;
    return at < 0 || length < steps ? 0 : at > length - steps ? length - steps : at;
  }
};

// Feature x of a head after its turn at step s of sample n.
template <class Config, class T>
__device__ __forceinline__ float turned(const GroupQueryData<T>& d, const T* head, idx n, idx s,
                                        int x) {
  constexpr int half = Config::half;
  if (x >= 2 * half) return Config::load(head[x]);
  const long long asked = d.positions ? d.positions[n * d.steps + s] : d.before(n) + s;
  const long long most = d.table - 1, kept = asked > most ? most : asked;
  const int pair = Config::interleaved ? x / 2 : x < half ? x : x - half;
  const bool second = Config::interleaved ? x % 2 == 1 : x >= half;
  const idx at = (idx)(kept < 0 ? 0 : kept) * half + pair;
  const float c = Config::load(d.cosines[at]), sine = Config::load(d.sines[at]);
  const float a = Config::load(head[Config::interleaved ? 2 * pair : pair]);
  const float b = Config::load(head[Config::interleaved ? 2 * pair + 1 : pair + half]);
  return second ? a * sine + b * c : a * c - b * sine;
}

// Element i of the caches, [batch, kv heads, length, size].
template <class Config, class T>
__device__ __forceinline__ void remember(const GroupQueryData<T>& d, idx i) {
  const int x = i % Config::size;
  const idx j = i / Config::size % d.length, row = i / Config::size / d.length;
  const idx h = row % Config::kv_heads, n = row / Config::kv_heads, s = j - d.before(n);
  T key = Config::store(0), value = key;
  if (s >= 0 && s < d.steps) {
    const idx at = ((n * d.steps + s) * Config::kv_heads + h) * Config::size;
    key = Config::store(turned<Config>(d, d.key + at, n, s, x));
    value = d.value[at + x];
  } else if (j < d.past) {
    const idx at = (row * d.past + j) * Config::size + x;
    key = d.past_key[at];
    value = d.past_value[at];
  }
  d.keys[i] = key;
  d.values[i] = value;
}

template <class Config, class T>
__device__ __forceinline__ float bias_of(const GroupQueryData<T>& d, idx n, idx h, idx s, idx j) {
  if (!d.bias) return 0;
  const idx sample = d.bias_batch == 1 ? 0 : n, head = d.bias_heads == 1 ? 0 : h;
  const idx line = (sample * d.bias_heads + head) * d.steps + s;
  return Config::load(d.bias[line * d.bias_length + (j < d.bias_length ? j : d.bias_length - 1)]);
}

template <class Config, class T>
__device__ __forceinline__ void attend(const GroupQueryData<T>& d, idx line) {
  constexpr int size = Config::size, each = (size + 31) / 32, warps = 8;
  __shared__ float query[size], parts[warps][size];
  const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
  const idx h = line % Config::heads, s = line / Config::heads % d.steps;
  const idx n = line / Config::heads / d.steps;
  const idx end = d.before(n) + s + 1;
  const idx first = Config::window >= 0 && end > Config::window ? end - Config::window : 0;
  const idx cache = (n * Config::kv_heads + h / (Config::heads / Config::kv_heads)) * d.length;
  float* const scores = d.scores + line * d.length;
  for (int x = thread; x < size; x += blockDim.x)
    query[x] = turned<Config>(d, d.query + line * size, n, s, x);
  __syncthreads();
  const bool has_sink = Config::smooth || d.sinks;
  const float sink = d.sinks ? Config::load(d.sinks[h]) : 0;
  float top = has_sink ? sink : -inf32();
  for (idx j = first + warp; j < end; j += warps) {
    const T* const key = d.keys + (cache + j) * size;
    float score = 0;
    for (int x = lane; x < size; x += 32) score += query[x] * Config::load(key[x]);
    score = group_sum<32>(score) * Config::scale();
    score = Config::cap(score) + bias_of<Config>(d, n, h, s, j);
    if (lane == 0) scores[j] = score;
    top = fn_max<float>(top, score);
  }
  top = group_max<256>(top);
  float sum = 0, answer[each] = {};
  for (idx j = first + warp; j < end; j += warps) {
    const float weight = expf(scores[j] - top);
    const T* const value = d.values + (cache + j) * size;
    sum += weight;
#pragma unroll
    for (int e = 0; e < each; ++e)
      if (lane + e * 32 < size) answer[e] += weight * Config::load(value[lane + e * 32]);
  }
#pragma unroll
  for (int e = 0; e < each; ++e)
    if (lane + e * 32 < size) parts[warp][lane + e * 32] = answer[e];
  // Each warp's sum is all its lanes'.
  sum = group_sum<256>(lane == 0 ? sum : 0);
  if (has_sink) sum += expf(sink - top);
  __syncthreads();
  for (int x = thread; x < size; x += blockDim.x) {
    float y = 0;
    for (int w = 0; w < warps; ++w) y += parts[w][x];
    d.y[line * size + x] = Config::store(y / sum);
  }
}
