// SPDX-License-Identifier: Apache-2.0
#include "ops/fused.h"

#include <algorithm>

namespace tenrec {
namespace {

bool is_one(const Dim& dim) { return dim == Dim(1); }

// Blocks that lie as rows do: whole, with nothing after their axis.
bool has_no_inner_blocks(const Type& type) {
  const Layout& layout = type.layout;
  if (layout.block_axis < 0) return true;
  const auto axis = type.shape.begin() + layout.block_axis;
  return axis->is_const() && axis->value() % layout.block == 0 &&
         std::all_of(axis + 1, type.shape.end(), is_one);
}

// The axes as memory goes through them, without those of size 1.
std::vector<size_t> axes_in_memory(const Type& type) {
  std::vector<size_t> axes;
  for (size_t axis = 0; axis < type.shape.size(); ++axis)
    if (!is_one(type.shape[axis])) axes.push_back(axis);
  const auto channels = std::ranges::find(axes, 1U);
  if (type.layout.channels_last && channels != axes.end())
    std::rotate(channels, channels + 1, axes.end());
  return axes;
}

}  // namespace

bool Reformat::moves_nothing(const Type& in) const {
  if (in.kind != Type::Kind::tensor || !in.ranked) return false;
  const Type out = infer({in}).at(0);
  return has_no_inner_blocks(in) && has_no_inner_blocks(out) &&
         axes_in_memory(in) == axes_in_memory(out);
}

Types Fused::infer(const Types& in, const std::vector<const Graph*>& bodies) const {
  TENREC_ASSERT(bodies.size() == 1 && bodies[0]->inputs().size() == in.size());
  // The body is owned by the node and read-only here: infer on a copy with the outer types.
  const std::unique_ptr<Graph> body = bodies[0]->clone();
  for (size_t i = 0; i < in.size(); ++i) body->inputs()[i]->type = in[i];
  body->reinfer();
  Types out;
  for (const Value* value : body->outputs()) out.push_back(value->type);
  return out;
}

}  // namespace tenrec
