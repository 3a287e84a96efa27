// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/widen_pass.h"

#include "ops/constant_of_shape.h"
#include "ops/elementwise.h"
#include "ops/pad.h"
#include "ops/transpose.h"

namespace tenrec::cuda {
namespace {

// Holds every element of the packed type, and comes back unchanged.
DType wide_type(DType dtype) {
  if (is_float(dtype)) return DType::f16;
  return is_signed(dtype) ? DType::i8 : DType::u8;
}

Tensor widened(const Tensor& tensor) { return tensor.converted(wide_type(tensor.dtype())); }

void widen(Graph& graph, Node& node) {
  const DType dtype = node.output()->type.dtype;
  const auto cast = [&](Value* value, DType to) {
    return graph.insert(&node, Cast{.to = to}, {value}, {}, node.origins())->output();
  };
  Values inputs = node.inputs();
  for (Value*& input : inputs)
    if (input && is_sub_byte(input->type.dtype)) input = cast(input, wide_type(dtype));
  Op op = node.op();
  if (const auto* filled = node.as<ConstantOfShape>())
    op = ConstantOfShape{.value = widened(filled->value)};
  Value* wide = graph.insert(&node, op, inputs, {}, node.origins())->output();
  graph.replace_uses(node.output(), cast(wide, dtype));
}

}  // namespace

void widen_packed_moves(Graph& graph) {
  std::vector<Node*> moves;
  for (const auto& node : graph.nodes()) {
    for (size_t i = 0; i < node->body_count(); ++i) widen_packed_moves(node->body(i));
    const bool moves_elements =
        node->as<Transpose>() || node->as<Pad>() || node->as<ConstantOfShape>();
    if (moves_elements && is_sub_byte(node->output()->type.dtype)) moves.push_back(node.get());
  }
  for (Node* node : moves) {
    widen(graph, *node);
    graph.erase(node);
  }
}

}  // namespace tenrec::cuda
