// SPDX-License-Identifier: Apache-2.0
// Greedy suppression of overlapping boxes by one block. float32 step by step, as onnxruntime does:
// whether two boxes overlap enough depends on it.
#pragma once

struct Box {
  float top, left, bottom, right;
};

template <bool centred>
__device__ __forceinline__ Box box_at(const float* b) {
  if (centred) return {b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2};
  return {fminf(b[0], b[2]), fminf(b[1], b[3]), fmaxf(b[0], b[2]), fmaxf(b[1], b[3])};
}

__device__ __forceinline__ bool overlaps(const Box& a, const Box& b, float threshold) {
  const float height = fminf(a.bottom, b.bottom) - fmaxf(a.top, b.top);
  const float width = fminf(a.right, b.right) - fmaxf(a.left, b.left);
  if (height <= 0 || width <= 0) return false;
  const float shared = __fmul_rn(height, width);
  const float area_a = __fmul_rn(a.bottom - a.top, a.right - a.left);
  const float area_b = __fmul_rn(b.bottom - b.top, b.right - b.left);
  const float all = __fadd_rn(__fadd_rn(area_a, area_b), -shared);
  if (area_a <= 0 || area_b <= 0 || all <= 0) return false;
  return __fdiv_rn(shared, all) > threshold;
}

template <bool centred>
__device__ __forceinline__ void pick_boxes(const float* boxes, const float* scores, idx size,
                                           long long most, float overlap, bool has_limit,
                                           float least, int* picked, unsigned char* dropped,
                                           long long* count) {
  __shared__ float best_score[256];
  __shared__ int best_at[256];
  const int thread = threadIdx.x;
  for (idx i = thread; i < size; i += 256) dropped[i] = has_limit && !(scores[i] > least);
  long long taken = 0;
  for (; taken < most; ++taken) {
    // Equal scores: the first.
    float score = 0;
    int at = -1;
    for (idx i = thread; i < size; i += 256)
      if (!dropped[i] && (at < 0 || scores[i] > score)) {
        score = scores[i];
        at = (int)i;
      }
    best_score[thread] = score;
    best_at[thread] = at;
    __syncthreads();
    for (int step = 128; step > 0; step /= 2) {
      if (thread < step && best_at[thread + step] >= 0) {
        const float other = best_score[thread + step];
        const bool wins = best_at[thread] < 0 || other > best_score[thread] ||
                          (other == best_score[thread] && best_at[thread + step] < best_at[thread]);
        if (wins) {
          best_score[thread] = other;
          best_at[thread] = best_at[thread + step];
        }
      }
      __syncthreads();
    }
    const int chosen = best_at[0];
    __syncthreads();
    if (chosen < 0) break;
    if (thread == 0) picked[taken] = chosen;
    const Box box = box_at<centred>(boxes + (long long)chosen * 4);
    for (idx i = thread; i < size; i += 256)
      if (!dropped[i] && (i == chosen || overlaps(box_at<centred>(boxes + i * 4), box, overlap)))
        dropped[i] = 1;
    __syncthreads();
  }
  if (thread == 0) *count = taken;
}
