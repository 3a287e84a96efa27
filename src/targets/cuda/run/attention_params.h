// SPDX-License-Identifier: Apache-2.0
// Parameters of family "attention_mma". Step inputs: q, k, v, mask or none; each [N, heads, length,
// size], or, packed, [N, length, heads * size]. Output: one, like q.
#pragma once
#include <vector>

#include "base/dtype.h"
#include "base/fields.h"

namespace tenrec::cuda {

struct AttentionParams {
  DType type = DType::f16;
  int64_t heads = 1, key_heads = 1;  // of q; of k and v
  int64_t size = 64, value_size = 64;
  bool packed = false;
  bool causal = false;
  float scale = 1;
  DType mask = DType::undefined;  // f16 or bf16 as `type`, f32: added; bool: false is not seen
  // Of q, k and v where they are parts of longer lines: how long, and where they begin. Else empty.
  std::vector<int64_t> lines, starts;
  int64_t queries = 64;  // a block: 64 or 128
  static auto fields(auto& s) {
    return std::tuple{field(1, "type", s.type),
                      field(2, "heads", s.heads),
                      field(3, "key_heads", s.key_heads),
                      field(4, "size", s.size),
                      field(5, "value_size", s.value_size),
                      field(6, "packed", s.packed),
                      field(7, "causal", s.causal),
                      field(8, "scale", s.scale),
                      field(9, "mask", s.mask),
                      field(10, "lines", s.lines),
                      field(11, "starts", s.starts),
                      field(12, "queries", s.queries)};
  }
  int shared_bytes() const {
    const int64_t row = size * 2 + 16, value_row = value_size * 2 + 16;
    return static_cast<int>(queries * row + 2 * 64 * (row + value_row));
  }
};

}  // namespace tenrec::cuda
