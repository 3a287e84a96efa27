// SPDX-License-Identifier: Apache-2.0
// What is known about a value before it exists: kind, element type, symbolic shape, layout and, for
// small integer tensors and float scales, the value itself as Dims.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "ir/dim.h"
#include "ir/tensor.h"

namespace tenrec {

// Memory order of a tensor. Default: row-major. Blocked: `block_axis` is split, its inner part of
// `block` elements is stored last (nChw8c: block_axis 1, block 8); the axis is padded to a
// multiple.
// `channels_last`: NHWC order.
struct Layout {
  int block_axis = -1;
  int64_t block = 0;
  bool channels_last = false;
  bool is_plain() const { return block_axis < 0 && !channels_last; }
  bool operator==(const Layout&) const = default;
};

// The value of a small tensor, elements in row-major order. Integers are Dims; floats are either a
// number or a float symbol (never both kinds in one value).
struct Scale {
  float value = 0;
  SymbolRef symbol;  // set: the value is this float symbol
  bool operator==(const Scale&) const = default;
};
struct Known {
  std::vector<Dim> ints;
  std::vector<Scale> floats;
  bool operator==(const Known&) const = default;
};
constexpr uint64_t max_known_elements = 1024;  // larger tensors are never followed by value

struct Type {
  enum class Kind { none, tensor, sequence, optional, map };  // none: an omitted optional input
  Kind kind = Kind::none;
  DType dtype = DType::undefined;  // of a tensor's elements, of a map's keys
  bool ranked = true;              // false: not even the rank is known (branches that differ)
  Shape shape;
  Layout layout;
  std::shared_ptr<const Known> known;   // null: value not known
  std::shared_ptr<const Type> element;  // of a sequence or optional; a map's values

  static Type tensor(DType dtype, Shape shape);
  static Type unranked(DType dtype);
  static Type sequence_of(Type element);
  static Type optional_of(Type element);
  static Type map_of(DType keys, Type value);
  static Type of_constant(const Tensor& tensor);  // static shape, `known` when small

  bool present() const { return kind != Kind::none; }
  int64_t rank() const;  // an Error when unranked
  bool is_static() const { return kind == Kind::tensor && ranked && tenrec::is_static(shape); }
  // Value as integers, when every element is known: symbolic, or all constant.
  const std::vector<Dim>* known_ints() const;
  std::optional<std::vector<int64_t>> constant_ints() const;
  const std::vector<Scale>* known_floats() const;
  Type with_known_ints(std::vector<Dim> values) const;
  Type with_known_floats(std::vector<Scale> values) const;

  std::string str() const;  // "f32[N, 3, 224, 224]", "seq(f32[?])", "map(i64, f32[])", "none"
  bool operator==(const Type& other) const;  // all but `known`
};
using Types = std::vector<Type>;

// Axis in [-rank, rank) made non-negative; an invalid_model Error names it otherwise.
int64_t normalise_axis(int64_t axis, int64_t rank);
// ONNX (numpy) broadcasting. Sizes that cannot be decided give `broadcast(a, b)`.
Shape broadcast_shapes(const Shape& a, const Shape& b);
Dims broadcast_dims(const Dims& a, const Dims& b);
// The same into as many numbers as the longer list has.
void broadcast_dims(std::span<const int64_t> a, std::span<const int64_t> b,
                    std::span<int64_t> into);

}  // namespace tenrec
