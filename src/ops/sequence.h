// SPDX-License-Identifier: Apache-2.0
// Sequences of tensors: host values that nodes build, index and join.
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// A sequence of the inputs.
struct SequenceConstruct {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const { return {Datum::sequence(in)}; }
};
TENREC_OP(SequenceConstruct, "sequence_construct")

// A sequence without elements.
struct SequenceEmpty {
  DType dtype = DType::f32;
  static auto fields(auto& s) { return std::tuple{field(1, "dtype", s.dtype)}; }
  static constexpr Accuracy accuracy = exact();
  // An element type of kind none: there is no element yet whose shape could be said.
  Types infer(const Types&) const {
    Type nothing;
    nothing.dtype = dtype;
    return {Type::sequence_of(nothing)};
  }
  Data eval_data(const Data&) const { return {Datum::sequence({})}; }
};
TENREC_OP(SequenceEmpty, "sequence_empty")

// Element number input 1, counted from the end when negative.
struct SequenceAt {
  static auto fields(auto&) { return std::tuple{}; }
  // Elements differ in size: the one that is taken says its own.
  static constexpr bool data_dependent = true;
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const;
};
TENREC_OP(SequenceAt, "sequence_at")

// Input 1 put before element number input 2, or at the end without it.
struct SequenceInsert {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const;
};
TENREC_OP(SequenceInsert, "sequence_insert")

// Without element number input 1, or the last one.
struct SequenceErase {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const;
};
TENREC_OP(SequenceErase, "sequence_erase")

struct SequenceLength {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const;
};
TENREC_OP(SequenceLength, "sequence_length")

// Pieces of a tensor along `axis`: of the sizes in input 1 (one number: all of that size, the last
// smaller), or single entries, which lose the axis unless `keepdims`.
struct SplitToSequence {
  int64_t axis = 0;
  bool keepdims = true;
  static auto fields(auto& s) {
    return std::tuple{field(1, "axis", s.axis), field(2, "keepdims", s.keepdims)};
  }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const;
};
TENREC_OP(SplitToSequence, "split_to_sequence")

// The elements joined along `axis`, or stacked along a new one.
struct ConcatFromSequence {
  int64_t axis = 0;
  bool new_axis = false;
  static auto fields(auto& s) {
    return std::tuple{field(1, "axis", s.axis), field(2, "new_axis", s.new_axis)};
  }
  static constexpr Accuracy accuracy = exact();
  static constexpr bool data_dependent = true;
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const;
};
TENREC_OP(ConcatFromSequence, "concat_from_sequence")

// Runs the body once for each element of the first input; of the next `mapped - 1` inputs,
// sequences give their element of that number and tensors themselves. The rest are captures.
struct SequenceMap {
  int64_t mapped = 1;
  int64_t outputs = 1;
  static auto fields(auto& s) {
    return std::tuple{field(1, "mapped", s.mapped), field(2, "outputs", s.outputs)};
  }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in, const std::vector<const Graph*>& bodies) const;
  Data eval_bodies(const Data& in, const BodyRunner& run) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(SequenceMap, "sequence_map")

}  // namespace tenrec
