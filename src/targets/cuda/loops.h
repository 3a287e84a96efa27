// SPDX-License-Identifier: Apache-2.0
// Symbolic loop nests over tensors: sizes, strides and offsets are Dims, so one text serves every
// shape of a profile; what is constant becomes part of the text.
#pragma once
#include <string>
#include <vector>

#include "ir/graph.h"

namespace tenrec::cuda {

// How one tensor is walked: an element stride a loop.
struct Walk {
  Shape strides;
  Dim offset = 0;
};

struct Loops {
  Shape sizes;  // outermost first
  std::vector<Walk> walks;

  Dim count() const { return product(sizes); }
  // Drops loops of size 1 and merges neighbours that every walk runs through evenly. Never empty.
  void collapse();
};

// Element strides of the logical axes in the tensor's memory (row-major or channels-last).
Shape memory_strides(const Type& type);
// Logical axes as they lie in memory, outermost first.
std::vector<size_t> memory_order(const Type& type);
// Strides of `type` broadcast to the logical axes of an output of `out` shape: 0 along axes that it
// repeats. A size that may or may not be 1 gives a stride that is worked out at run time.
Shape broadcast_strides(const Type& type, const Shape& out);
// The loops over the whole of `out` in its memory's order, with a walk for it and for each of
// `inputs`, broadcast.
Loops broadcast_loops(const Type& out, const std::vector<Type>& inputs);

// A tensor as lines along one axis: element j of line `row` lies at row / inner * size * inner +
// row % inner + j * inner.
struct Lines {
  Dim outer, size, inner;
  Dim count() const { return outer * inner; }
};
Lines lines_of(const Type& type, int64_t axis);

bool is_multiple(const Dim& dim, int64_t of);  // proved
// Layouts that generated kernels address by strides.
bool has_strides(const Type& type);
// Why a kernel cannot read the elements of a tensor in row-major order, or "".
std::string plain_problem(const Type& type);
// The same, and of elements that kernels do not have; for the first of several values that has a
// problem, null where one is not given.
std::string elements_problem(const Type& type);
std::string elements_problem(const Values& values);
// Elements of a tensor in memory.
Dim memory_elements(const Type& type);

}  // namespace tenrec::cuda
