// SPDX-License-Identifier: Apache-2.0
// What packed weights of recurrent networks look like, and how they are made.
//
// Columns come in blocks of B hidden units, all gates of a block side by side ([block][gate][B]):
// one panel of weights gives every gate of its units, so a step ends where its product ends, and
// threads that share blocks need not meet in between.
#pragma once
#include <cstdint>
#include <tuple>
#include <vector>

#include "base/fields.h"

namespace tenrec::cpu {

struct RecurrentShape {
  int64_t gates = 1, features = 0, hidden = 0, directions = 1;
  bool split = false;        // GRU whose candidate takes the reset state: a product of its own
  bool reset_after = false;  // GRU that resets the candidate's product: its bias is reset too
  int64_t block = 8;

  int64_t blocks() const { return (hidden + block - 1) / block; }
  int64_t width() const { return blocks() * block; }  // hidden units with pads
  int64_t columns() const { return width() * gates; }
  // Parts of one direction's packed floats, in this order.
  int64_t input_floats() const { return features * columns(); }
  int64_t state_floats() const { return hidden * columns(); }
  // bias of inputs, bias of states, peepholes (three a unit)
  int64_t floats() const { return input_floats() + state_floats() + 2 * columns() + 3 * width(); }
};

struct RecurrentParams {
  bool packed = false;  // input 1 stands for inputs 1, 2, 3 and 7
  int64_t features = 0, hidden = 0, directions = 0;
  bool no_peepholes = false;  // those packed are 0
  static auto fields(auto& s) {
    return std::tuple{field(1, "packed", s.packed), field(2, "features", s.features),
                      field(3, "hidden", s.hidden), field(4, "directions", s.directions),
                      field(5, "no_peepholes", s.no_peepholes)};
  }
};

// ONNX's W, R, B and P (B and P may be null) of all directions, into directions * floats() floats.
void pack_recurrent(const RecurrentShape& shape, const float* w, const float* r, const float* bias,
                    const float* peepholes, float* to);

}  // namespace tenrec::cpu
