// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ir/op_decl.h"
#include "ops/bodies.h"

namespace tenrec {

// Inputs: `states` initial states, `scanned` sequences, captures. The body takes states, one slice
// of each sequence, captures; it gives states and one slice of each collected output. With
// `batched` (opset 8) input 0 holds the batch entries' lengths (may be omitted) and every other
// input but the captures has a leading batch axis.
struct Scan {
  int64_t states = 0;
  int64_t scanned = 0;
  std::vector<int64_t> input_axes;        // empty: all 0
  std::vector<int64_t> input_directions;  // 1: from the end; empty: all forward
  std::vector<int64_t> output_axes;
  std::vector<int64_t> output_directions;
  bool batched = false;
  std::vector<EmptyOutput> collected;
  static auto fields(auto& s) {
    return std::tuple{
        field(1, "states", s.states),           field(2, "scanned", s.scanned),
        field(3, "input_axes", s.input_axes),   field(4, "input_directions", s.input_directions),
        field(5, "output_axes", s.output_axes), field(6, "output_directions", s.output_directions),
        field(7, "batched", s.batched),         field(8, "collected", s.collected)};
  }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in, const std::vector<const Graph*>& bodies) const;
  Data eval_bodies(const Data& in, const BodyRunner& run) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);

 private:
  struct Formal {  // of the body, before captures
    Types states;
    Types slices;
    std::optional<Dim> length;  // null: no input of known rank says it
    std::optional<Dim> batch;
  };
  Formal formal(const Types& in) const;
  Data run_one(const Data& states_and_scanned, const Data& captures, int64_t length,
               const BodyRunner& run) const;
};
TENREC_OP(Scan, "scan")

}  // namespace tenrec
