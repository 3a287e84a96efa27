// SPDX-License-Identifier: Apache-2.0
// How the elements of a view lie in memory, and views as host tensors.
#pragma once
#include "base/small_vector.h"
#include "ir/tensor.h"
#include "ir/type.h"
#include "runtime/device.h"

namespace tenrec {

// PerAxis or strides, an axis each. What depends on shapes is worked out again at every new one,
// without memory from the heap.
using PerAxis = SmallVector<int64_t, 10>;

Layout layout_of(const TensorView& view);

// The memory of a tensor as loops from outermost to innermost: axis sizes of the physical array.
// Plain: the dims. Blocked over axis c: dims with c cut to blocks, then the lane axis.
PerAxis physical_dims(std::span<const int64_t> dims, const Layout& layout);
uint64_t physical_elements(std::span<const int64_t> dims, const Layout& layout);
inline uint64_t physical_elements(const TensorView& view) {
  return physical_elements(view.dims, layout_of(view));
}
PerAxis dense_strides(std::span<const int64_t> dims);  // row-major, in elements
inline Dims dims_of(const TensorView& view) { return {view.dims.begin(), view.dims.end()}; }
inline bool same_dims(std::span<const int64_t> a, std::span<const int64_t> b) {
  return std::ranges::equal(a, b);
}

// A tensor over the view's memory, without a copy when its layout is plain; otherwise a plain copy.
Tensor tensor_of(const TensorView& view);
// Copies a plain tensor of the view's dims into its memory, whatever its layout; pad lanes become
// 0.
void store_tensor(const Tensor& tensor, const TensorView& view);
// The value of a small integer input (axes, pads, starts, k); empty when it is omitted.
PerAxis ints_of(const TensorView& view);
inline bool given(std::span<const TensorView> views, size_t i) {
  return i < views.size() && (views[i].data != nullptr || views[i].datum != nullptr);
}

}  // namespace tenrec
