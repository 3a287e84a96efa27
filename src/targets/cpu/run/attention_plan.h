// SPDX-License-Identifier: Apache-2.0
// Internal to attention: sizes that planning and running agree on.
#pragma once

#include <algorithm>

#include "targets/cpu/run/attention.h"
#include "targets/cpu/run/conv_plan.h"

namespace tenrec::cpu {

struct AttentionPlan {
  AttentionPlan(const HeadAttention& p, int block)
      : key_width(key_vectors * block),
        value_width(value_vectors * block),
        keys(ceil_div(p.keys, key_width) * key_width),
        values(ceil_div(p.value_size, block) * block),
        rows(std::clamp(near_floats / std::max(keys, 1), row_step, most_rows) / row_step *
             row_step),
        few(p.queries < least_packed) {
    ScratchLayout worker;
    const auto floats = [&](int64_t count) {
      return worker.add(static_cast<size_t>(count) * sizeof(float));
    };
    packed_k = floats(few ? 0 : int64_t{keys} * p.size);
    packed_v = floats(int64_t{p.keys} * (few ? value_width : values));
    scores = floats(int64_t{rows} * keys);
    sums = floats(int64_t{rows} * values);
    worker_size = worker.bytes;
  }

  static constexpr int key_vectors = 3, value_vectors = 2;
  static constexpr int row_step = 12;  // whole tiles of both products
  static constexpr int most_rows = 48, near_floats = 16 << 10;
  static constexpr int least_packed = 8;  // queries for which packing keys and values pays

  int key_width, value_width;  // columns of a panel
  int keys, values;            // rounded up to whole panels, to whole vectors
  int rows;                    // of scores at a time
  bool few;                    // keys and values are read where they lie
  size_t packed_k, packed_v, scores, sums, worker_size;  // bytes
};

}  // namespace tenrec::cpu
