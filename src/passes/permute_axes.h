// SPDX-License-Identifier: Apache-2.0
// How a node computes the same on inputs whose axes are in another order.
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace tenrec {

struct Permuted {
  Op op;
  std::vector<Tensor> replaced;  // by input: the constant to take instead, or none
};

// `perm` leads from the inner to the outer order: outer axis i is inner axis perm[i]. The node
// works in the outer order; the result works in the inner one on the inputs for which `is_permuted`
// holds (at least one), constants changed to fit. Empty if the node cannot do that.
std::optional<Permuted> permute_axes(const Node& node, const std::vector<int64_t>& perm,
                                     const std::function<bool(const Value*)>& is_permuted);

}  // namespace tenrec
