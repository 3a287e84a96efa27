// SPDX-License-Identifier: Apache-2.0
// What rules ask about values and nodes.
#pragma once
#include <optional>
#include <unordered_set>
#include <vector>

#include "ir/graph.h"

namespace tenrec {

// Both ranked tensors of one element type, shape and layout.
bool same_type(const Value& a, const Value& b);
// The node that computes `value` if it is a T.
template <class T>
const Node* producer_of(const Value* value) {
  const Node* node = value ? value->producer() : nullptr;
  return node && node->as<T>() ? node : nullptr;
}
// Read exactly once, by a node.
bool used_once(const Value* value);

// The one number that all elements of a float or integer constant are.
std::optional<double> uniform_value(const Value* value);
bool is_uniform(const Value* value, double wanted);
// The elements of a constant of integers, empty if it is none.
std::optional<std::vector<int64_t>> constant_ints(const Value* value);
// Of a commutative node of two inputs: the constant operand and the other one.
struct ConstantOperand {
  const Tensor* constant = nullptr;  // null: no operand is constant
  Value* constant_value = nullptr;
  Value* other = nullptr;
};
ConstantOperand constant_operand(const Node& node);

// A tensor of the dtype of `like` with these values.
Value* constant_like(Rewriter& rw, const Node& at, const Value& like, const Dims& dims,
                     const std::vector<double>& values);

// Sizes that may be written into the graph as data. A symbol that a node defines when it runs would
// be lost with that node, and a body reads its sizes from its inputs alone: so constants, and in
// the top graph what the symbols of its inputs say.
class InputSymbols {
 public:
  explicit InputSymbols(const Graph& top);
  bool can_say(const Graph& graph, const std::vector<Dim>& sizes) const;

 private:
  const Graph* top_;
  std::unordered_set<const Symbol*> symbols_;
};

}  // namespace tenrec
