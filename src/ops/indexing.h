// SPDX-License-Identifier: Apache-2.0
// Where index tensors point: shared by the gather and scatter operators.
#pragma once
#include <string>
#include <vector>

#include "ops/movement.h"

namespace tenrec {

// The flat place in a tensor of `dims` of each element of `index_dims`, its coordinate on `axis`
// replaced by its index.
std::vector<int64_t> places_along(const Dims& dims, const Dims& index_dims,
                                  const std::vector<int64_t>& indices, int64_t axis);

// The blocks of a tensor of `dims` that coordinates along the last axis of `index_dims` name,
// behind `batch_dims` shared axes.
struct BlockPlaces {
  std::vector<int64_t> first;
  int64_t block = 1;
};
BlockPlaces block_places(const Dims& dims, const Dims& index_dims,
                         const std::vector<int64_t>& indices, int64_t batch_dims);

// `data` with updates[i] written to, or combined with (add, mul, min, max), the element places[i].
Tensor scattered(const Tensor& data, const std::vector<int64_t>& places, const Tensor& updates,
                 const std::string& reduction);
// The type of that, with its value where data, places and updates are known and nothing is
// combined.
Type scattered_type(const Type& data, const std::vector<int64_t>& places, const Type& updates,
                    const std::string& reduction);

}  // namespace tenrec
