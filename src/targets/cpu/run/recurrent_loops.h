// SPDX-License-Identifier: Apache-2.0
// The loops of recurrent networks over packed weights (recurrent_plan.h). Every sum has one
// accumulator that runs through k in order, so neither tiles nor threads change a result.
#pragma once
#include <array>

#include "ops/recurrent.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/recurrent_plan.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

enum class Cell : uint8_t { lstm, gru, rnn };

// One direction.
struct RecurrentLayer {
  RecurrentShape shape;
  Cell cell = Cell::rnn;
  std::array<ActivationSpec, 3> functions;
  float clip = 0;
  bool input_forget = false, has_peepholes = false;
  bool backwards = false;
  const float* packed = nullptr;
};

// One step of it. Rows of states are shape.width() floats apart.
struct RecurrentStep {
  int64_t time = 1, t = 0, batch = 1;
  const int32_t* lengths = nullptr;  // of each sequence; null: all `time`
  const float* in = nullptr;         // [time][batch][columns()], from recurrent_inputs
  const float* h = nullptr;
  float *next = nullptr, *c = nullptr;            // c: LSTM
  float *update = nullptr, *candidate = nullptr;  // of split GRUs
  float* y = nullptr;                             // null: not wanted. Of sequence 0, time 0
  int64_t y_time = 0;                             // floats from one time to the next
};

struct RecurrentLoops {
  // out = x * W + bias for `rows` of x, [row][features] -> [row][columns()], the blocks given.
  void (*inputs)(const RecurrentLayer&, const float* x, Share rows, Share blocks, float* out);
  // The sequences and blocks given. Split GRUs want all blocks.
  void (*step)(const RecurrentLayer&, const RecurrentStep&, Share sequences, Share blocks);
};
RecurrentLoops recurrent_loops(Isa isa);

}  // namespace tenrec::cpu
