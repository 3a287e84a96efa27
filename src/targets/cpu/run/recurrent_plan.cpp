// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/recurrent_plan.h"

#include <algorithm>

namespace tenrec::cpu {
namespace {

// Rows [first, first + gates) * hidden of a matrix with `k` columns, as [block][k][gate][B].
float* pack_matrix(const RecurrentShape& shape, const float* from, int64_t first, int64_t gates,
                   int64_t k, float* to) {
  for (int64_t b = 0; b < shape.blocks(); ++b) {
    for (int64_t i = 0; i < k; ++i) {
      for (int64_t gate = first; gate < first + gates; ++gate) {
        for (int64_t lane = 0; lane < shape.block; ++lane) {
          const int64_t unit = b * shape.block + lane;
          *to++ = unit < shape.hidden ? from[(gate * shape.hidden + unit) * k + i] : 0.0F;
        }
      }
    }
  }
  return to;
}

// `value(gate, unit)` as [block][gate][B].
template <class F>
float* pack_row(const RecurrentShape& shape, int64_t gates, float* to, F&& value) {
  for (int64_t b = 0; b < shape.blocks(); ++b) {
    for (int64_t gate = 0; gate < gates; ++gate) {
      for (int64_t lane = 0; lane < shape.block; ++lane) {
        const int64_t unit = b * shape.block + lane;
        *to++ = unit < shape.hidden ? value(gate, unit) : 0.0F;
      }
    }
  }
  return to;
}

}  // namespace

void pack_recurrent(const RecurrentShape& shape, const float* w, const float* r, const float* bias,
                    const float* peepholes, float* to) {
  const int64_t rows = shape.gates * shape.hidden;
  for (int64_t d = 0; d < shape.directions; ++d) {
    to = pack_matrix(shape, w + d * rows * shape.features, 0, shape.gates, shape.features, to);
    const float* states = r + d * rows * shape.hidden;
    to = pack_matrix(shape, states, 0, shape.split ? 2 : shape.gates, shape.hidden, to);
    if (shape.split) to = pack_matrix(shape, states, 2, 1, shape.hidden, to);
    const float* first = bias ? bias + d * 2 * rows : nullptr;
    const auto apart = [&](int64_t gate) { return shape.reset_after && gate == 2; };
    to = pack_row(shape, shape.gates, to, [&](int64_t gate, int64_t unit) {
      if (!first) return 0.0F;
      const int64_t at = gate * shape.hidden + unit;
      return apart(gate) ? first[at] : first[at] + first[rows + at];
    });
    to = pack_row(shape, shape.gates, to, [&](int64_t gate, int64_t unit) {
      return first && apart(gate) ? first[rows + gate * shape.hidden + unit] : 0.0F;
    });
    to = pack_row(shape, 3, to, [&](int64_t gate, int64_t unit) {
      return peepholes ? peepholes[(d * 3 + gate) * shape.hidden + unit] : 0.0F;
    });
  }
}

}  // namespace tenrec::cpu
