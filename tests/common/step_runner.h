// SPDX-License-Identifier: Apache-2.0
// Runs one node through one kernel of the CPU target and compares it with the interpreter.
//
//   StepCase c{.op = Softmax{}, .inputs = {random_tensor(DType::f32, {2, 5})}};
//   check_step(c, "softmax");
//
// check_step ends inputs at an unreadable page, surrounds outputs with guard bytes, fills them with
// NaN, runs twice and with 1 and 3 threads, wants the same bits each time, unchanged inputs, zero
// pad lanes, and values near the oracle's.
#pragma once
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "ir/graph.h"
#include "targets/target.h"

namespace tenrec::test {

struct StepCase {
  Op op;
  Tensors inputs;                // undefined: omitted
  std::set<size_t> constants{};  // inputs that are constants of the graph
  Layout layout{};  // of every input in `blocked` and every output in `blocked_outputs`
  std::set<size_t> blocked{};
  bool blocked_output = false;
  std::vector<std::unique_ptr<Graph>> (*bodies)(const Types& inputs) = nullptr;
  double tolerance = -1;  // relative to the largest output; -1: from the operator's accuracy
  std::string tactic{};
  std::string device{};  // fingerprint of an instruction set; empty: the best there is
};

struct StepResult {
  Tensors outputs;
  std::string problem;  // guard bytes touched, inputs changed, ...; empty: none
  std::string reject;   // the kernel's, if it does not take the node
};

// Outputs as plain tensors. `in_place` lets output 0 share the input's memory where the draft
// offers it.
StepResult run_step(const StepCase& c, std::string_view kernel, int threads = 1,
                    bool in_place = false);
Tensors oracle(const StepCase& c);
// "" or the reason why not.
std::string reject_of(const StepCase& c, std::string_view kernel);

// What the kernel offers for the case's own sizes.
std::vector<std::string> tactics_of(const StepCase& c, std::string_view kernel);

void check_step(const StepCase& c, std::string_view kernel);
void check_every_tactic(StepCase c, std::string_view kernel);

// Seeded values: floats from [low, high), integers too.
Tensor random_tensor(DType dtype, Dims dims, double low = -2, double high = 2, uint64_t seed = 1);
Tensor ints(std::vector<int64_t> values);  // a 1-D i64 tensor

}  // namespace tenrec::test
