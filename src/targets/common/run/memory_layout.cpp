// SPDX-License-Identifier: Apache-2.0
#include "targets/common/run/memory_layout.h"

#include <cstring>

#include "base/error.h"

namespace tenrec {
namespace {

// Calls move(plain, physical) with the element offsets of every logical element.
template <class Move>
void for_each_element(const Dims& dims, const Layout& layout, Move&& move) {
  const auto rank = dims.size();
  const PerAxis strides = dense_strides(physical_dims(dims, layout));
  const int64_t total = static_cast<int64_t>(element_count(dims));
  Dims index(rank, 0);
  for (int64_t plain = 0; plain < total; ++plain) {
    int64_t at = 0;
    for (size_t axis = 0; axis < rank; ++axis) {
      if (layout.channels_last) {
        const size_t place = axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1;
        at += index[axis] * strides[place];
      } else if (static_cast<int>(axis) == layout.block_axis) {
        at += index[axis] / layout.block * strides[axis] + index[axis] % layout.block;
      } else {
        at += index[axis] * strides[axis];
      }
    }
    move(plain, at);
    for (size_t axis = rank; axis-- > 0;) {
      if (++index[axis] < dims[axis]) break;
      index[axis] = 0;
    }
  }
}

}  // namespace

Layout layout_of(const TensorView& view) {
  if (!view.def) return {};
  return {view.def->block_axis, view.def->block, view.def->channels_last};
}

PerAxis physical_dims(std::span<const int64_t> dims, const Layout& layout) {
  PerAxis physical(dims);
  if (layout.channels_last && dims.size() > 2) {
    physical.move_to_back(1);
  } else if (layout.block_axis >= 0) {
    int64_t& channels = physical[static_cast<size_t>(layout.block_axis)];
    channels = (channels + layout.block - 1) / layout.block;
    physical.push_back(layout.block);
  }
  return physical;
}

uint64_t physical_elements(std::span<const int64_t> dims, const Layout& layout) {
  return element_count(physical_dims(dims, layout));
}

PerAxis dense_strides(std::span<const int64_t> dims) {
  PerAxis strides(dims.size(), 0);
  row_major_strides(dims, strides);
  return strides;
}

Tensor tensor_of(const TensorView& view) {
  if (view.datum) return view.datum->tensor;
  if (!view.data) return {};
  const Dims dims = dims_of(view);
  const Layout layout = layout_of(view);
  if (layout.is_plain()) return Tensor(view.dtype, dims, nullptr, view.data);
  TENREC_ASSERT(bit_width(view.dtype) >= 8, "a {} tensor in a blocked layout", name(view.dtype));
  Tensor plain(view.dtype, dims);
  std::byte* to = plain.mutable_data();
  const size_t size = byte_size(view.dtype, 1);
  for_each_element(dims, layout, [&](int64_t flat, int64_t at) {
    std::memcpy(to + static_cast<size_t>(flat) * size, view.data + static_cast<size_t>(at) * size,
                size);
  });
  return plain;
}

void store_tensor(const Tensor& tensor, const TensorView& view) {
  const Dims dims = dims_of(view);
  TENREC_CHECK(tensor.dims() == dims && tensor.dtype() == view.dtype, invalid_engine,
               "computed {} {}, the plan expected {} {}; rebuild the engine", name(tensor.dtype()),
               to_string(tensor.dims()), name(view.dtype), to_string(dims));
  const Layout layout = layout_of(view);
  if (layout.is_plain()) {
    if (tensor.bytes() > 0) std::memcpy(view.data, tensor.data(), tensor.bytes());
    return;
  }
  const size_t size = byte_size(view.dtype, 1);
  std::memset(view.data, 0, physical_elements(dims, layout) * size);
  for_each_element(dims, layout, [&](int64_t flat, int64_t at) {
    std::memcpy(view.data + static_cast<size_t>(at) * size,
                tensor.data() + static_cast<size_t>(flat) * size, size);
  });
}

PerAxis ints_of(const TensorView& view) {
  PerAxis values;
  if (view.data && !view.datum && view.dtype == DType::i64) {
    values.assign({view.as<int64_t>(), static_cast<size_t>(view.elements())});
  } else if (const Tensor tensor = tensor_of(view)) {
    for (const int64_t value : tensor.to_ints()) values.push_back(value);
  }
  return values;
}

}  // namespace tenrec
