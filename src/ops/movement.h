// SPDX-License-Identifier: Apache-2.0
// What operators that only move elements share: element access for every type (sub-byte and strings
// included), maps that say where each output element comes from, and the same maps applied to known
// values during inference.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "ir/tensor.h"
#include "ir/type.h"

namespace tenrec {

// Elements of a tensor by number, whatever their type. Sub-byte elements are widened to a byte
// each.
class ElementReader {
 public:
  explicit ElementReader(const Tensor& tensor);

 private:
  friend class ElementWriter;
  Tensor tensor_;
  std::vector<std::byte> widened_;
  const std::byte* data_ = nullptr;
  size_t width_ = 0;  // bytes an element; 0: strings
};

class ElementWriter {
 public:
  ElementWriter(DType dtype, Dims dims);          // zeros, empty strings
  explicit ElementWriter(const Tensor& initial);  // a copy that may be changed
  void copy(int64_t to, const ElementReader& source, int64_t from, int64_t count = 1);
  Tensor finish() &&;

 private:
  DType dtype_;
  Dims dims_;
  Tensor tensor_;                   // whole-byte elements
  std::vector<std::byte> widened_;  // sub-byte elements
  std::vector<std::string> strings_;
  std::byte* data_ = nullptr;
  size_t width_ = 0;
};

// Where the elements of an output come from, in row-major order and in blocks of neighbours.
struct IndexMap {
  Dims dims;                  // of the output
  std::vector<int64_t> from;  // first source element of each block; -1: fill
  int64_t block = 1;          // elements
};

// For each output axis the source offset, in elements, of each of its indices (-1: fill). The
// source of an element is the sum over its axes; one -1 makes it fill.
using AxisOffsets = std::vector<std::vector<int64_t>>;
IndexMap index_map(const AxisOffsets& axes);
std::vector<int64_t> even_offsets(int64_t count, int64_t stride, int64_t first = 0);
AxisOffsets identity_offsets(const Dims& dims);

// `fill` has one element of the source's type; without it, fill is zero.
Tensor moved(const Tensor& source, const IndexMap& map, const Tensor& fill = {});

// Inputs joined along `axis`; they agree on the other axes.
Tensor joined(const Tensors& parts, int64_t axis);

// `out` with the known value that moving `source`'s gives, if it is known.
Type with_moved_known(Type out, const Type& source, const IndexMap& map,
                      const std::optional<Dim>& fill = Dim(0));
// `out` with the same elements as `source`.
Type with_same_known(Type out, const Type& source);
// Whether `with_moved_known` could say anything: worth building a map for.
bool movable_known(const Type& source, const Shape& out);

// Helpers of shape inference.
void check_input_count(const Types& in, size_t least, size_t most, std::string_view op);
const Type& tensor_input(const Types& in, size_t index, std::string_view op);
// The same for indices, sizes and axes.
const Type& integer_input(const Types& in, size_t index, std::string_view op);
// Refuse what cannot be a list of numbers, or one number.
void check_list(const Type& type, std::string_view what);
void check_single(const Type& type, std::string_view what);
bool has_input(const Types& in, size_t index);
bool has_input(const Tensors& in, size_t index);
// The number of elements of a 1-D input, if it is constant.
std::optional<int64_t> constant_length(const Type& vector);
// The one size that both must have: an Error if they cannot agree, the more telling one otherwise.
Dim agreed(const Dim& a, const Dim& b, std::string_view what);
// A tensor of a known rank and unknown sizes.
Type fresh_tensor(DType dtype, int64_t rank, std::string_view name);
// min and max with what can be proved left out.
Dim tight_min(const Dim& a, const Dim& b);
Dim tight_max(const Dim& a, const Dim& b);
// `index` counted from the end when negative; an invalid_input Error when out of range.
int64_t checked_index(int64_t index, int64_t size, std::string_view what);

}  // namespace tenrec
