// SPDX-License-Identifier: Apache-2.0
#include "targets/common/lift_convolutions.h"

#include "ir/constant.h"
#include "ops/conv.h"
#include "ops/squeeze.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

// The same for an axis before, where nothing happens.
std::vector<int64_t> lifted(const std::vector<int64_t>& values, int64_t neutral) {
  if (values.size() == 1) return {neutral, values[0]};
  if (values.size() == 2) return {neutral, values[0], neutral, values[1]};
  return values;  // none given
}

bool lift(Rewriter& rw, const Node& node, int64_t fewest) {
  const auto* conv = node.as<Conv>();
  const Type& x = node.input(0)->type;
  const Tensor* weights = node.input(1)->constant();
  if (!conv || !weights || !x.ranked || x.rank() != 3 || x.shape[1].lower() < fewest) return false;
  Conv op = *conv;
  op.strides = lifted(conv->strides, 1);
  op.dilations = lifted(conv->dilations, 1);
  op.pads = lifted(conv->pads, 0);
  Dims dims = weights->dims();
  dims.insert(dims.begin() + 2, 1);
  Value* axis = rw.constant(node, Tensor::of({1}, std::vector<int64_t>{2}));
  Values inputs = node.inputs();
  inputs[0] = rw.insert(node, Unsqueeze{}, {node.input(0), axis});
  inputs[1] = rw.constant(node, weights->reshaped(dims));
  Value* out = rw.insert(node, std::move(op), std::move(inputs));
  rw.replace(node, {rw.insert(node, Squeeze{}, {out, axis})});
  return true;
}

bool lift_all(Graph& graph, int64_t fewest) {
  Rewriter rw(graph);
  bool any = false;
  for (Node* node = graph.front(); node;) {
    Node* const next = node->next();
    for (size_t i = 0; i < node->body_count(); ++i) any |= lift_all(node->body(i), fewest);
    any |= node->as<Conv>() && lift(rw, *node, fewest);
    node = next;
  }
  graph.remove_dead();
  return any;
}

}  // namespace

void lift_convolutions(Graph& graph, int64_t fewest) {
  if (lift_all(graph, fewest)) simplify(graph);
}

}  // namespace tenrec
