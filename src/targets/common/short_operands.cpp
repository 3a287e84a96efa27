// SPDX-License-Identifier: Apache-2.0
#include "targets/common/short_operands.h"

#include "ops/concat.h"
#include "ops/fused.h"
#include "ops/pad.h"
#include "passes/match.h"

namespace tenrec {
namespace {

// x of Concat(x, zeros) along the channels; null for other values.
Value* before_zero_channels(const Value* value) {
  const Node* node = producer_of<Concat>(value);
  if (!node || node->as<Concat>()->axis != 1 || node->inputs().size() != 2) return nullptr;
  const Node* reformat = producer_of<Reformat>(node->input(1));
  return is_uniform(reformat ? reformat->input(0) : node->input(1), 0) ? node->input(0) : nullptr;
}

// Input `index` of the body becomes `type`, of fewer channels.
void pad_inside(Graph& body, size_t index, const Type& type) {
  Value* input = body.inputs()[index].get();
  const Type wide = input->type;
  const size_t rank = wide.shape.size();
  Dims pads(2 * rank, 0);
  pads[rank + 1] = (wide.shape[1] - type.shape[1]).value();
  Node* first = body.front();
  Value* amounts = body.constant(first, Tensor::of({static_cast<int64_t>(2 * rank)}, pads));
  Node* pad = body.insert(first, Pad{}, {input, amounts});
  pad->output()->type = wide;
  body.replace_uses(input, pad->output());
  body.set_input(pad, 0, input);
  input->type = type;
}

// The region reading `operand` as its input `index`, if a kernel runs that; null otherwise.
Node* reading(Graph& graph, Node& region, size_t index, Value* operand,
              std::span<const Kernel* const> kernels, const DeviceInfo& device) {
  std::vector<std::unique_ptr<Graph>> bodies;
  bodies.push_back(region.body(0).clone());
  pad_inside(*bodies[0], index, operand->type);
  Values inputs = region.inputs();
  inputs[index] = operand;
  Node* shorter = graph.insert(&region, region.op(), inputs, std::move(bodies), region.origins());
  for (size_t i = 0; i < region.output_count(); ++i) {
    shorter->output(i)->type = region.output(i)->type;
    shorter->output(i)->name = region.output(i)->name;
  }
  if (has_real_kernel(*shorter, kernels, device)) return shorter;
  graph.erase(shorter);
  return nullptr;
}

}  // namespace

void shorten_operands(Graph& graph, std::span<const Kernel* const> kernels,
                      const DeviceInfo& device) {
  for (Node* node = graph.front(); node;) {
    Node* const next = node->next();
    for (size_t i = 0; node->as<Fused>() && i < node->inputs().size(); ++i) {
      Value* operand = before_zero_channels(node->input(i));
      Node* shorter = operand ? reading(graph, *node, i, operand, kernels, device) : nullptr;
      if (!shorter) continue;
      for (size_t k = 0; k < node->output_count(); ++k)
        graph.replace_uses(node->output(k), shorter->output(k));
      graph.erase(node);
      node = shorter;
    }
    node = next;
  }
  graph.remove_dead();
}

}  // namespace tenrec
