// SPDX-License-Identifier: Apache-2.0
#include "ops/tensor_scatter.h"

#include "ops/movement.h"

namespace tenrec {

Types TensorScatter::infer(const Types& in) const {
  check_input_count(in, 2, 3, "TensorScatter");
  TENREC_CHECK(mode == "linear" || mode == "circular", invalid_model,
               "TensorScatter mode '{}'; there are linear and circular", mode);
  const Type& cache = tensor_input(in, 0, "TensorScatter");
  const Type& update = tensor_input(in, 1, "TensorScatter");
  if (has_input(in, 2)) {
    check_list(in[2], "the places of TensorScatter");
    if (cache.ranked && cache.rank() > 0 && in[2].ranked)
      agreed(in[2].shape[0], cache.shape[0], "the places of TensorScatter and its batch");
  }
  if (!cache.ranked || !update.ranked) return {cache};
  TENREC_CHECK(cache.rank() == update.rank() && cache.rank() >= 2, invalid_model,
               "TensorScatter of {} into {}", update.str(), cache.str());
  const auto at = static_cast<size_t>(normalise_axis(axis, cache.rank()));
  TENREC_CHECK(at > 0, invalid_model, "TensorScatter along the batch axis");
  Shape shape = cache.shape;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i != at) shape[i] = agreed(shape[i], update.shape[i], "TensorScatter");
  }
  return {Type::tensor(cache.dtype, std::move(shape))};
}

Tensors TensorScatter::eval(const Tensors& in) const {
  const Dims& dims = in[0].dims();
  const Dims& update = in[1].dims();
  const auto at = static_cast<size_t>(normalise_axis(axis, in[0].rank()));
  std::vector<int64_t> first(static_cast<size_t>(dims[0]), 0);
  if (has_input(in, 2)) first = in[2].to_ints();
  TENREC_CHECK(static_cast<int64_t>(first.size()) == dims[0], invalid_input,
               "TensorScatter of {} batch entries with {} indices", dims[0], first.size());
  const int64_t inner = row_major_strides(dims)[at];
  const auto outer = static_cast<int64_t>(
      element_count(Dims(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(at))));
  const ElementReader reader(in[1]);
  ElementWriter writer(in[0]);
  for (int64_t i = 0; i < outer; ++i) {
    const int64_t batch = i / (outer / dims[0]);
    for (int64_t k = 0; k < update[at]; ++k) {
      int64_t row = first[static_cast<size_t>(batch)] + k;
      if (mode == "circular") row %= dims[at];
      TENREC_CHECK(row >= 0 && row < dims[at], invalid_input,
                   "TensorScatter at {} of a cache of {}", row, dims[at]);
      writer.copy((i * dims[at] + row) * inner, reader, (i * update[at] + k) * inner, inner);
    }
  }
  return {std::move(writer).finish()};
}

}  // namespace tenrec
