// SPDX-License-Identifier: Apache-2.0
// Computes what is known at build time: nodes whose inputs are all constants become constants;
// values that inference knows as sizes become `dims` nodes, and with them whole Shape -> Gather ->
// Concat chains disappear; an If whose condition is known gives way to the branch it takes.
#include <algorithm>

#include "base/error.h"
#include "ir/constant.h"
#include "ops/dims.h"
#include "ops/evaluate.h"
#include "passes/inline_body.h"
#include "passes/match.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

// Folding must not blow up an engine: bigger results (an Expand of a scalar, say) are computed when
// run.
constexpr uint64_t max_growth_bytes = 1 << 20;

bool all_inputs_constant(const Node& node) {
  for (const Value* input : node.inputs()) {
    if (input && !input->constant()) return false;
  }
  return true;
}

uint64_t constant_bytes(const Node& node) {
  uint64_t bytes = 0;
  for (const Value* input : node.inputs()) {
    if (input && input->constant()->dtype() != DType::string) bytes += input->constant()->bytes();
  }
  return bytes;
}

// Does a node's output of unknown size read this value, which may decide it?
bool may_decide_sizes(const Value& value) {
  if (value.type.constant_ints()) return false;
  const auto is_open = [](const Use& use) {
    if (!use.node) return false;
    const Values outputs = use.node->outputs();
    return !std::all_of(outputs.begin(), outputs.end(),
                        [](const Value* output) { return output->type.is_static(); });
  };
  return std::any_of(value.uses().begin(), value.uses().end(), is_open);
}

// `sizes_known` is set where a constant may tell sizes that inference had left open.
bool fold_node(Rewriter& rw, const Node& node, bool& sizes_known) {
  const OpInfo& info = node.op().info();
  if (node.as<Constant>() || node.as<DimsValue>() || info.side_effect ||
      info.accuracy.kind == Accuracy::Kind::random || !all_inputs_constant(node)) {
    return false;
  }
  uint64_t result_bytes = 0;
  for (const Value* output : node.outputs()) {
    if (output->type.kind != Type::Kind::tensor) return false;
    if (!info.data_dependent && output->type.is_static() && output->type.dtype != DType::string) {
      result_bytes += byte_size(output->type.dtype, element_count(static_dims(output->type.shape)));
    }
  }
  if (result_bytes > constant_bytes(node) + max_growth_bytes) return false;
  Data inputs;
  for (const Value* input : node.inputs())
    inputs.push_back(input ? Datum(*input->constant()) : Datum());
  const BodyRunner run_body = [&](size_t i, const Data& data) {
    return evaluate(node.body(i), data);
  };
  const Data outputs = node.op().eval(inputs, run_body);
  Values values;
  for (size_t i = 0; i < node.output_count(); ++i) {
    sizes_known |= may_decide_sizes(*node.output(i));
    // Outputs that nobody reads may not even be computed.
    values.push_back(outputs[i].tensor ? rw.constant(node, outputs[i].tensor) : nullptr);
  }
  rw.replace(node, values);
  return true;
}

bool materialise_known(Rewriter& rw, const Node& node, const InputSymbols& symbols) {
  if (node.as<Constant>() || node.output_count() != 1) return false;
  const Type& type = node.output()->type;
  if (type.kind != Type::Kind::tensor || !type.known_ints() || !type.is_static() ||
      is_float(type.dtype)) {
    return false;
  }
  const Dims shape = static_dims(type.shape);
  if (const auto numbers = type.constant_ints()) {
    rw.replace(node, {rw.constant(node, Tensor::from_ints(type.dtype, shape, *numbers))});
    return true;
  }
  if (node.as<DimsValue>() || (type.dtype != DType::i64 && type.dtype != DType::i32)) return false;
  if (!symbols.can_say(rw.graph(), *type.known_ints())) return false;
  rw.replace(node, DimsValue{*type.known_ints(), shape, type.dtype}, {});
  return true;
}

}  // namespace

void fold_constants(Graph& graph) {
  const InputSymbols symbols(graph);
  const auto known = [&](Rewriter& rw, const Node& node) {
    return materialise_known(rw, node, symbols);
  };
  bool sizes_known = false;
  const auto fold = [&](Rewriter& rw, const Node& node) {
    return fold_node(rw, node, sizes_known);
  };
  // A branch taken or a size computed makes more sizes known, which may decide further branches.
  do {
    sizes_known = false;
    apply_rules(graph, {{"fold_node", fold}, {"materialise_known", known}});
    if (sizes_known) refine_types(graph);
  } while (inline_branches(graph) || sizes_known);
}

}  // namespace tenrec
