// SPDX-License-Identifier: Apache-2.0
#include "ir/type.h"

#include <algorithm>

namespace tenrec {
namespace {

// Elements that fit an int64 exactly, so that a Dim can hold them.
bool holds_sizes(DType dtype) { return is_integer(dtype) || dtype == DType::boolean; }

bool fits_int64(const Tensor& tensor) {
  if (tensor.dtype() != DType::u64) return true;
  const auto values = tensor.as<uint64_t>();
  return std::all_of(values.begin(), values.end(),
                     [](uint64_t value) { return value <= INT64_MAX; });
}

bool same_element(const std::shared_ptr<const Type>& a, const std::shared_ptr<const Type>& b) {
  return a == b || (a && b && *a == *b);
}

std::string layout_text(const Layout& layout) {
  std::string text = layout.channels_last ? ":nhwc" : "";
  if (layout.block_axis >= 0) text += fmt::format(":b{}x{}", layout.block_axis, layout.block);
  return text;
}

// Into `out`, which is as long as the longer of the two.
template <class Size, class Combine>
void broadcast_lists(std::span<const Size> a, std::span<const Size> b, std::span<Size> out,
                     Combine&& combine) {
  const size_t longest = std::max(a.size(), b.size()), both = std::min(a.size(), b.size());
  const std::span<const Size> longer = a.size() >= b.size() ? a : b;
  for (size_t i = 0; i < longest - both; ++i) out[i] = longer[i];
  for (size_t i = 0; i < both; ++i)
    out[longest - both + i] = combine(a[a.size() - both + i], b[b.size() - both + i]);
}

template <class List>
[[noreturn]] void fail_broadcast(const List& a, const List& b) {
  fail(ErrorCode::invalid_model,
       "shapes {} and {} do not broadcast: aligned at the right, sizes must be equal or one of "
       "them 1",
       to_string(a), to_string(b));
}

}  // namespace

Type Type::tensor(DType dtype, Shape shape) {
  Type type;
  type.kind = Kind::tensor;
  type.dtype = dtype;
  type.shape = std::move(shape);
  return type;
}

Type Type::unranked(DType dtype) {
  Type type = tensor(dtype, {});
  type.ranked = false;
  return type;
}

Type Type::sequence_of(Type element) {
  Type type;
  type.kind = Kind::sequence;
  type.element = std::make_shared<const Type>(std::move(element));
  return type;
}

Type Type::optional_of(Type element) {
  Type type = sequence_of(std::move(element));
  type.kind = Kind::optional;
  return type;
}

Type Type::map_of(DType keys, Type value) {
  Type type = sequence_of(std::move(value));
  type.kind = Kind::map;
  type.dtype = keys;
  return type;
}

Type Type::of_constant(const Tensor& tensor) {
  Type type = Type::tensor(tensor.dtype(), Shape(tensor.dims().begin(), tensor.dims().end()));
  if (tensor.elements() > max_known_elements) return type;
  if (holds_sizes(tensor.dtype()) && fits_int64(tensor)) {
    const std::vector<int64_t> values = tensor.to_ints();
    return type.with_known_ints({values.begin(), values.end()});
  }
  if (tensor.dtype() == DType::f32) {
    std::vector<Scale> values;
    for (const float value : tensor.as<float>()) values.push_back({value, nullptr});
    return type.with_known_floats(std::move(values));
  }
  return type;
}

int64_t Type::rank() const {
  TENREC_CHECK(kind == Kind::tensor && ranked, unsupported,
               "a tensor of known rank is needed here, the value is {}", str());
  return static_cast<int64_t>(shape.size());
}

const std::vector<Dim>* Type::known_ints() const {
  return kind == Kind::tensor && known && holds_sizes(dtype) ? &known->ints : nullptr;
}

std::optional<std::vector<int64_t>> Type::constant_ints() const {
  const std::vector<Dim>* dims = known_ints();
  if (!dims || !tenrec::is_static(*dims)) return std::nullopt;
  return static_dims(*dims);
}

const std::vector<Scale>* Type::known_floats() const {
  return kind == Kind::tensor && known && is_float(dtype) ? &known->floats : nullptr;
}

Type Type::with_known_ints(std::vector<Dim> values) const {
  Type type = *this;
  type.known = std::make_shared<const Known>(Known{.ints = std::move(values), .floats = {}});
  return type;
}

Type Type::with_known_floats(std::vector<Scale> values) const {
  Type type = *this;
  type.known = std::make_shared<const Known>(Known{.ints = {}, .floats = std::move(values)});
  return type;
}

std::string Type::str() const {
  switch (kind) {
    case Kind::none: return "none";
    case Kind::sequence: return fmt::format("seq({})", element ? element->str() : "?");
    case Kind::optional: return fmt::format("optional({})", element ? element->str() : "?");
    case Kind::map: return fmt::format("map({}, {})", name(dtype), element ? element->str() : "?");
    case Kind::tensor: break;
  }
  return fmt::format("{}{}{}", name(dtype), ranked ? to_string(shape) : "[?]", layout_text(layout));
}

bool Type::operator==(const Type& other) const {
  return kind == other.kind && dtype == other.dtype && ranked == other.ranked &&
         shape == other.shape && layout == other.layout && same_element(element, other.element);
}

int64_t normalise_axis(int64_t axis, int64_t rank) {
  TENREC_CHECK(axis >= -rank && axis < rank, invalid_model,
               "axis {} is out of range for a tensor of rank {}: expected {} to {}", axis, rank,
               -rank, rank - 1);
  return axis < 0 ? axis + rank : axis;
}

Shape broadcast_shapes(const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()));
  broadcast_lists<Dim>(a, b, out, [&](const Dim& x, const Dim& y) {
    const bool both_constant = x.is_const() && y.is_const();
    if (both_constant && !(x == y) && x.value() != 1 && y.value() != 1) fail_broadcast(a, b);
    return broadcast(x, y);
  });
  return out;
}

void broadcast_dims(std::span<const int64_t> a, std::span<const int64_t> b,
                    std::span<int64_t> into) {
  broadcast_lists<int64_t>(a, b, into, [&](int64_t x, int64_t y) {
    if (x != y && x != 1 && y != 1) fail_broadcast(a, b);
    return x == 1 ? y : x;
  });
}

Dims broadcast_dims(const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()));
  broadcast_dims(a, b, out);
  return out;
}

}  // namespace tenrec
