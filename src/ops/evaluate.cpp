// SPDX-License-Identifier: Apache-2.0
#include "ops/evaluate.h"

#include <bit>
#include <unordered_map>

#include "base/error.h"
#include "ops/dims.h"

namespace tenrec {
namespace {

using Environment = std::unordered_map<const Symbol*, int64_t>;

// Learns symbols from the dims and known elements of a value that now exists.
void learn(const Type& type, const Datum& datum, Environment& symbols) {
  if (type.kind != Type::Kind::tensor || datum.kind != Datum::Kind::tensor || !type.ranked) return;
  const Dims& dims = datum.tensor.dims();
  for (size_t i = 0; i < std::min(dims.size(), type.shape.size()); ++i) {
    if (const SymbolRef symbol = type.shape[i].as_symbol()) symbols.emplace(symbol.get(), dims[i]);
  }
  if (!type.known) return;
  for (size_t i = 0; i < type.known->ints.size() && i < datum.tensor.elements(); ++i) {
    if (const SymbolRef symbol = type.known->ints[i].as_symbol()) {
      symbols.emplace(symbol.get(), datum.tensor.to_ints()[i]);
    }
  }
  for (size_t i = 0; i < type.known->floats.size() && i < datum.tensor.elements(); ++i) {
    if (const SymbolRef& symbol = type.known->floats[i].symbol) {
      symbols.emplace(symbol.get(), std::bit_cast<int32_t>(datum.tensor.as<float>()[i]));
    }
  }
}

Data evaluate_dims(const DimsValue& op, const Environment& symbols) {
  DimsValue numbers = op;
  for (Dim& dim : numbers.values) {
    dim = dim.evaluate([&](const Symbol& symbol) {
      const auto found = symbols.find(&symbol);
      TENREC_ASSERT(found != symbols.end(), "size '{}' is not known yet", symbol.name);
      return found->second;
    });
  }
  return {Datum(numbers.eval({})[0])};
}

// Inference lets a size below 0 through where it is of no elements: [0, -1].
void check_sizes(const Node& node, const Datum& output) {
  if (output.kind != Datum::Kind::tensor) return;
  for (const int64_t dim : output.tensor.dims())
    TENREC_CHECK(dim >= 0, invalid_input,
                 "evaluating {}: the output would be {}; sizes cannot be "
                 "negative",
                 node.describe(), to_string(output.tensor.dims()));
}

Data evaluate(const Graph& graph, const Data& inputs, const Observer& observer,
              Environment symbols) {
  TENREC_CHECK(inputs.size() == graph.inputs().size(), invalid_input,
               "the graph takes {} inputs, got {}", graph.inputs().size(), inputs.size());
  std::unordered_map<const Value*, Datum> values;
  for (size_t i = 0; i < inputs.size(); ++i) {
    learn(graph.inputs()[i]->type, inputs[i], symbols);
    values[graph.inputs()[i].get()] = inputs[i];
  }
  std::unordered_map<const Value*, size_t> remaining;
  for (const auto& node : graph.nodes()) {
    Data arguments;
    for (const Value* input : node->inputs())
      arguments.push_back(input ? values.at(input) : Datum());
    const BodyRunner run_body = [&](size_t index, const Data& body_inputs) {
      return evaluate(node->body(index), body_inputs, observer, symbols);
    };
    Data outputs = with_context([&] { return "evaluating " + node->describe(); },
                                [&] {
                                  if (const auto* dims = node->as<DimsValue>())
                                    return evaluate_dims(*dims, symbols);
                                  return node->op().eval(arguments, run_body);
                                });
    for (const Datum& output : outputs) check_sizes(*node, output);
    if (observer) observer(*node, outputs);
    for (size_t i = 0; i < node->output_count() && i < outputs.size(); ++i) {
      learn(node->output(i)->type, outputs[i], symbols);
      remaining[node->output(i)] = node->output(i)->uses().size();
      values[node->output(i)] = std::move(outputs[i]);
    }
    // Values die after their last use, so a big model's peak stays near its live set.
    for (const Value* input : node->inputs()) {
      const auto left = input ? remaining.find(input) : remaining.end();
      if (left != remaining.end() && --left->second == 0) values.erase(input);
    }
  }
  Data outputs;
  for (const Value* output : graph.outputs()) outputs.push_back(values.at(output));
  return outputs;
}

}  // namespace

Data evaluate(const Graph& graph, const Data& inputs, const Observer& observer) {
  return evaluate(graph, inputs, observer, Environment{});
}

}  // namespace tenrec
