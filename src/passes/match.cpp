// SPDX-License-Identifier: Apache-2.0
#include "passes/match.h"

#include <algorithm>

namespace tenrec {

bool same_type(const Value& a, const Value& b) {
  return a.type.kind == Type::Kind::tensor && a.type.ranked && a.type == b.type;
}

bool used_once(const Value* value) { return value->uses().size() == 1 && value->uses()[0].node; }

std::optional<double> uniform_value(const Value* value) {
  constexpr uint64_t most = 1 << 16;
  const Tensor* constant = value ? value->constant() : nullptr;
  if (!constant) return std::nullopt;
  const DType dtype = constant->dtype();
  if (!is_float(dtype) && !is_integer(dtype) && dtype != DType::boolean) return std::nullopt;
  const uint64_t count = constant->elements();
  if (count == 0 || count > most) return std::nullopt;
  const std::vector<double> values = constant->to_doubles();
  const bool uniform =
      std::all_of(values.begin(), values.end(), [&](double x) { return x == values[0]; });
  return uniform ? std::optional(values[0]) : std::nullopt;
}

bool is_uniform(const Value* value, double wanted) {
  const std::optional<double> number = uniform_value(value);
  return number && *number == wanted;
}

std::optional<std::vector<int64_t>> constant_ints(const Value* value) {
  return value ? value->type.constant_ints() : std::nullopt;
}

ConstantOperand constant_operand(const Node& node) {
  for (const size_t i : {size_t{1}, size_t{0}}) {
    if (const Tensor* constant = node.input(i)->constant()) {
      return {constant, node.input(i), node.input(1 - i)};
    }
  }
  return {};
}

Value* constant_like(Rewriter& rw, const Node& at, const Value& like, const Dims& dims,
                     const std::vector<double>& values) {
  return rw.constant(at, Tensor::from_doubles(like.type.dtype, dims, values));
}

InputSymbols::InputSymbols(const Graph& top) : top_(&top) {
  std::vector<SymbolRef> symbols;
  for (const auto& input : top.inputs()) {
    for (const Dim& dim : input->type.shape) dim.collect_symbols(symbols);
    if (!input->type.known) continue;
    for (const Dim& dim : input->type.known->ints) dim.collect_symbols(symbols);
    for (const Scale& scale : input->type.known->floats) {
      if (scale.symbol) symbols.push_back(scale.symbol);
    }
  }
  for (const SymbolRef& symbol : symbols) symbols_.insert(symbol.get());
}

bool InputSymbols::can_say(const Graph& graph, const std::vector<Dim>& sizes) const {
  std::vector<SymbolRef> used;
  for (const Dim& size : sizes) size.collect_symbols(used);
  if (used.empty()) return true;
  if (&graph != top_) return false;
  return std::all_of(used.begin(), used.end(),
                     [&](const SymbolRef& symbol) { return symbols_.count(symbol.get()) != 0; });
}

}  // namespace tenrec
