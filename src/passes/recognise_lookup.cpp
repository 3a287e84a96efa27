// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/matmul.h"
#include "ops/squeeze.h"
#include "passes/recognise.h"

namespace tenrec {
namespace {

// 0, 1, ... along the last axis, which is the only one: [1, 1, n].
bool counts_up(const Value* value) {
  const std::optional<std::vector<int64_t>> numbers = constant_ints(value);
  if (!numbers || numbers->empty()) return false;
  for (size_t i = 0; i < numbers->size(); ++i) {
    if ((*numbers)[i] != static_cast<int64_t>(i)) return false;
  }
  const Shape& shape = value->type.shape;
  return !shape.empty() && shape.back() == Dim(static_cast<int64_t>(numbers->size()));
}

// x of equal(x, 0 1 2 ...) where x has one element for each row of the result.
Value* looked_up(const Node& equal, const Shape& result) {
  for (size_t i = 0; i < 2; ++i) {
    Value* x = equal.input(i);
    if (!counts_up(equal.input(1 - i)) || !x->type.ranked) continue;
    const DType dtype = x->type.dtype;
    if (dtype != DType::i32 && dtype != DType::i64) continue;
    Shape wanted = result;
    wanted.back() = Dim(1);
    if (x->type.shape == wanted) return x;
  }
  return nullptr;
}

bool all_finite(const Tensor& table) {
  const auto values = table.as<float>();
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

// The table with a row of zeros behind: what no row stands for.
Tensor with_zero_row(const Tensor& table) {
  Dims dims = table.dims();
  ++dims[0];
  Tensor out(DType::f32, dims);
  const auto from = table.as<float>();
  const auto to = out.as_mutable<float>();
  std::fill(std::copy(from.begin(), from.end(), to.begin()), to.end(), 0.0F);
  return out;
}

// One-hot rows times a table are rows of the table: cast(equal(x, 0 1 2 ...)) * table.
bool recognise_lookup(Rewriter& rw, const Node& node, const MatMul&) {
  const Tensor* table = node.input(1)->constant();
  const Node* cast = producer_of<Cast>(node.input(0));
  const Node* equal = cast ? producer_of<Equal>(cast->input(0)) : nullptr;
  if (!table || !equal || table->dtype() != DType::f32 || table->rank() != 2 ||
      !equal->output()->type.ranked || equal->output()->type.shape.size() < 2) {
    return false;
  }
  Value* x = looked_up(*equal, equal->output()->type.shape);
  if (!x || !all_finite(*table)) return false;
  // Numbers outside the table meet the row of zeros, from the front or from the back.
  Value* axis = rw.constant(node, Tensor::of({1}, std::vector<int64_t>{-1}));
  Value* index = rw.insert(node, Squeeze{}, {x, axis});
  Value* low = constant_like(rw, node, *x, {}, {-1});
  Value* high = constant_like(rw, node, *x, {}, {static_cast<double>(table->dims()[0])});
  index = rw.insert(node, Max{}, {index, low});
  index = rw.insert(node, Min{}, {index, high});
  Value* rows = rw.constant(node, with_zero_row(*table));
  Value* out = rw.insert(node, Gather{.axis = 0}, {rows, index});
  if (!same_type(*out, *node.output())) return false;
  rw.replace(node, {out});
  return true;
}

}  // namespace

std::vector<Rule> lookup_rules() { return {rule<MatMul>("recognise_lookup", recognise_lookup)}; }

}  // namespace tenrec
