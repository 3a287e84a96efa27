// SPDX-License-Identifier: Apache-2.0
// Attention in f32: softmax(scale * q k' + mask) v for every head, operands wherever they lie.
//
// A few rows of scores at a time stay in the second-level cache, whole: no score is written to
// memory, and the softmax is the plain one. Rows are independent and sums are never split, so
// results do not depend on threads.
#pragma once

#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

// Floats from one batch, head and row to the next; the numbers of a row lie side by side.
struct HeadSteps {
  int64_t batch = 0, head = 0, row = 0;
};

struct HeadAttention {
  int64_t batch = 1;
  int heads = 1, key_heads = 1;  // key_heads divides heads
  int queries = 1, keys = 1;
  int size = 1, value_size = 1;  // of a query or key, of a value
  float scale = 1;
  bool causal = false;  // query i sees keys [0, i]
  HeadSteps q, k, v, y;
  bool has_mask = false;
  HeadSteps mask;         // steps of 0 broadcast
  int64_t mask_step = 1;  // from key to key: 0 or 1
};

struct HeadBuffers {
  const float *q = nullptr, *k = nullptr, *v = nullptr, *mask = nullptr;
  float* y = nullptr;
  void* scratch = nullptr;  // attention_scratch_size() bytes, 64-byte aligned, any content
};

size_t attention_scratch_size(const HeadAttention&, Isa, int threads);  // bytes

using AttentionRun = void (*)(const HeadAttention&, const HeadBuffers&, const Threads&);
AttentionRun attention(Isa);

}  // namespace tenrec::cpu
