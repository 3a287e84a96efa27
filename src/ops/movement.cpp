// SPDX-License-Identifier: Apache-2.0
#include "ops/movement.h"

#include <algorithm>
#include <cstring>

namespace tenrec {
namespace {

size_t element_width(DType dtype) {
  if (dtype == DType::string) return 0;
  return is_sub_byte(dtype) ? 1 : static_cast<size_t>(bit_width(dtype)) / 8;
}

std::vector<std::byte> widen(const Tensor& tensor) {
  const auto bits = static_cast<size_t>(bit_width(tensor.dtype()));
  const size_t per_byte = 8 / bits;
  const unsigned mask = (1U << bits) - 1;
  std::vector<std::byte> wide(static_cast<size_t>(tensor.elements()));
  for (size_t i = 0; i < wide.size(); ++i) {
    const auto packed = static_cast<unsigned>(tensor.data()[i / per_byte]);
    wide[i] = static_cast<std::byte>((packed >> (bits * (i % per_byte))) & mask);
  }
  return wide;
}

Tensor narrow(DType dtype, const Dims& dims, const std::vector<std::byte>& wide) {
  Tensor tensor(dtype, dims);
  const auto bits = static_cast<size_t>(bit_width(dtype));
  const size_t per_byte = 8 / bits;
  std::byte* data = tensor.mutable_data();
  for (size_t i = 0; i < wide.size(); ++i) data[i / per_byte] |= wide[i] << (bits * (i % per_byte));
  return tensor;
}

template <class T>
std::vector<T> moved_values(const std::vector<T>& source, const IndexMap& map, const T& fill) {
  std::vector<T> out;
  for (const int64_t from : map.from) {
    for (int64_t i = 0; i < map.block; ++i) {
      out.push_back(from < 0 ? fill : source[static_cast<size_t>(from + i)]);
    }
  }
  return out;
}

}  // namespace

ElementReader::ElementReader(const Tensor& tensor)
    : tensor_(tensor), data_(tensor.data()), width_(element_width(tensor.dtype())) {
  if (tensor.dtype() == DType::string || !is_sub_byte(tensor.dtype())) return;
  widened_ = widen(tensor);
  data_ = widened_.data();
}

ElementWriter::ElementWriter(DType dtype, Dims dims)
    : dtype_(dtype), dims_(std::move(dims)), width_(element_width(dtype)) {
  const auto count = static_cast<size_t>(element_count(dims_));
  if (dtype == DType::string) {
    strings_.resize(count);
  } else if (is_sub_byte(dtype)) {
    widened_.resize(count);
    data_ = widened_.data();
  } else {
    tensor_ = Tensor(dtype, dims_);
    data_ = tensor_.mutable_data();
  }
}

ElementWriter::ElementWriter(const Tensor& initial)
    : ElementWriter(initial.dtype(), initial.dims()) {
  copy(0, ElementReader(initial), 0, static_cast<int64_t>(initial.elements()));
}

void ElementWriter::copy(int64_t to, const ElementReader& source, int64_t from, int64_t count) {
  TENREC_ASSERT(source.width_ == width_);
  if (count == 0) return;
  if (width_ == 0) {
    const auto first = source.tensor_.strings().begin() + from;
    std::copy(first, first + count, strings_.begin() + to);
    return;
  }
  std::memcpy(data_ + static_cast<size_t>(to) * width_,
              source.data_ + static_cast<size_t>(from) * width_,
              static_cast<size_t>(count) * width_);
}

Tensor ElementWriter::finish() && {
  if (dtype_ == DType::string) return Tensor::of_strings(std::move(dims_), std::move(strings_));
  if (is_sub_byte(dtype_)) return narrow(dtype_, dims_, widened_);
  return std::move(tensor_);
}

std::vector<int64_t> even_offsets(int64_t count, int64_t stride, int64_t first) {
  std::vector<int64_t> offsets(static_cast<size_t>(std::max<int64_t>(count, 0)));
  for (size_t i = 0; i < offsets.size(); ++i) offsets[i] = first + static_cast<int64_t>(i) * stride;
  return offsets;
}

AxisOffsets identity_offsets(const Dims& dims) {
  const Dims strides = row_major_strides(dims);
  AxisOffsets axes;
  for (size_t i = 0; i < dims.size(); ++i) axes.push_back(even_offsets(dims[i], strides[i]));
  return axes;
}

IndexMap index_map(const AxisOffsets& axes) {
  IndexMap map;
  for (const auto& offsets : axes) map.dims.push_back(static_cast<int64_t>(offsets.size()));
  if (element_count(map.dims) == 0) return map;
  // Trailing axes that step through the source without a gap make one block.
  size_t outer = axes.size();
  int64_t first = 0;
  while (outer > 0) {
    const std::vector<int64_t>& offsets = axes[outer - 1];
    bool contiguous = offsets[0] >= 0;
    for (size_t i = 0; i < offsets.size() && contiguous; ++i) {
      contiguous = offsets[i] == offsets[0] + static_cast<int64_t>(i) * map.block;
    }
    if (!contiguous) break;
    first += offsets[0];
    map.block *= static_cast<int64_t>(offsets.size());
    --outer;
  }
  // Each further axis, from the outermost, refines the list built so far.
  map.from = {first};
  for (size_t axis = 0; axis < outer; ++axis) {
    std::vector<int64_t> refined;
    refined.reserve(map.from.size() * axes[axis].size());
    for (const int64_t base : map.from) {
      for (const int64_t offset : axes[axis]) {
        refined.push_back(base < 0 || offset < 0 ? -1 : base + offset);
      }
    }
    map.from = std::move(refined);
  }
  return map;
}

Tensor moved(const Tensor& source, const IndexMap& map, const Tensor& fill) {
  const ElementReader reader(source);
  std::optional<ElementReader> fill_reader;
  if (fill) fill_reader.emplace(fill);
  ElementWriter writer(source.dtype(), map.dims);
  int64_t to = 0;
  for (const int64_t from : map.from) {
    if (from >= 0) {
      writer.copy(to, reader, from, map.block);
    } else if (fill_reader) {
      for (int64_t i = 0; i < map.block; ++i) writer.copy(to + i, *fill_reader, 0);
    }
    to += map.block;
  }
  return std::move(writer).finish();
}

Tensor joined(const Tensors& parts, int64_t axis) {
  Dims dims = parts.at(0).dims();
  const auto at = static_cast<size_t>(axis);
  dims[at] = 0;
  for (const Tensor& part : parts) {
    TENREC_CHECK(part.dtype() == parts[0].dtype(), invalid_input, "joins {} with {}",
                 name(parts[0].dtype()), name(part.dtype()));
    TENREC_CHECK(part.dims().size() == dims.size(), invalid_input, "joins shapes {} and {}",
                 to_string(parts[0].dims()), to_string(part.dims()));
    for (size_t i = 0; i < dims.size(); ++i) {
      TENREC_CHECK(i == at || part.dims()[i] == dims[i], invalid_input,
                   "joins shapes {} and {} along axis {}; their other sizes must be equal",
                   to_string(parts[0].dims()), to_string(part.dims()), axis);
    }
    dims[at] += part.dims()[at];
  }
  const int64_t outer =
      static_cast<int64_t>(element_count(Dims(dims.begin(), dims.begin() + axis)));
  const int64_t inner =
      static_cast<int64_t>(element_count(Dims(dims.begin() + axis + 1, dims.end())));
  ElementWriter writer(parts[0].dtype(), dims);
  int64_t first = 0;
  for (const Tensor& part : parts) {
    const ElementReader reader(part);
    const int64_t run = part.dims()[at] * inner;
    for (int64_t i = 0; i < outer; ++i)
      writer.copy(i * dims[at] * inner + first, reader, i * run, run);
    first += run;
  }
  return std::move(writer).finish();
}

bool movable_known(const Type& source, const Shape& out) {
  if (!source.known || !source.is_static() || !is_static(out)) return false;
  return element_count(static_dims(out)) <= max_known_elements;
}

Type with_moved_known(Type out, const Type& source, const IndexMap& map,
                      const std::optional<Dim>& fill) {
  if (!out.is_static() || element_count(map.dims) > max_known_elements) return out;
  const bool fills = std::any_of(map.from.begin(), map.from.end(), [](int64_t f) { return f < 0; });
  if (fills && !fill) return out;
  if (const std::vector<Dim>* ints = source.known_ints()) {
    return out.with_known_ints(moved_values(*ints, map, fill.value_or(Dim(0))));
  }
  if (const std::vector<Scale>* floats = source.known_floats(); floats && !fills) {
    return out.with_known_floats(moved_values(*floats, map, Scale{}));
  }
  return out;
}

Type with_same_known(Type out, const Type& source) {
  if (!out.is_static() || out.dtype != source.dtype) return out;
  if (const std::vector<Dim>* ints = source.known_ints()) return out.with_known_ints(*ints);
  if (const std::vector<Scale>* floats = source.known_floats())
    return out.with_known_floats(*floats);
  return out;
}

void check_input_count(const Types& in, size_t least, size_t most, std::string_view op) {
  TENREC_CHECK(in.size() >= least && in.size() <= most, invalid_model,
               "{} takes {} to {} inputs, got {}", op, least, most, in.size());
}

const Type& tensor_input(const Types& in, size_t index, std::string_view op) {
  TENREC_CHECK(index < in.size() && in[index].kind == Type::Kind::tensor, invalid_model,
               "input {} of {} must be a tensor, got {}", index, op,
               index < in.size() ? in[index].str() : "nothing");
  return in[index];
}

const Type& integer_input(const Types& in, size_t index, std::string_view op) {
  const Type& type = tensor_input(in, index, op);
  TENREC_CHECK(is_integer(type.dtype), invalid_model,
               "input {} of {} is {}, integers are needed; insert a Cast to int64", index, op,
               type.str());
  return type;
}

void check_list(const Type& type, std::string_view what) {
  TENREC_CHECK(!type.ranked || type.rank() == 1, invalid_model, "{}: {}, expected a list", what,
               type.str());
}

void check_single(const Type& type, std::string_view what) {
  const Dim count = type.ranked ? product(type.shape) : Dim(1);
  TENREC_CHECK(!count.is_const() || count == Dim(1), invalid_model, "{}: {}, expected one number",
               what, type.str());
}

bool has_input(const Types& in, size_t index) { return index < in.size() && in[index].present(); }

bool has_input(const Tensors& in, size_t index) {
  return index < in.size() && static_cast<bool>(in[index]);
}

std::optional<int64_t> constant_length(const Type& vector) {
  if (!vector.ranked || vector.shape.size() != 1) return std::nullopt;
  return vector.shape[0].constant();
}

Dim agreed(const Dim& a, const Dim& b, std::string_view what) {
  if (a == b) return a;
  TENREC_CHECK(!a.is_const() || !b.is_const(), invalid_model, "{}: sizes {} and {} must be equal",
               what, a.str(), b.str());
  return b.is_const() ? b : a;
}

Type fresh_tensor(DType dtype, int64_t rank, std::string_view name) {
  Shape shape;
  for (int64_t i = 0; i < rank; ++i) shape.push_back(Dim::fresh(fmt::format("{}{}", name, i)));
  return Type::tensor(dtype, std::move(shape));
}

Dim tight_min(const Dim& a, const Dim& b) {
  if (provably_ge(b, a)) return a;
  if (provably_ge(a, b)) return b;
  return min(a, b);
}

Dim tight_max(const Dim& a, const Dim& b) {
  if (provably_ge(a, b)) return a;
  if (provably_ge(b, a)) return b;
  return max(a, b);
}

int64_t checked_index(int64_t index, int64_t size, std::string_view what) {
  TENREC_CHECK(index >= -size && index < size, invalid_input, "{} index {} is outside a size of {}",
               what, index, size);
  return index < 0 ? index + size : index;
}

}  // namespace tenrec
