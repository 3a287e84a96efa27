// SPDX-License-Identifier: Apache-2.0
#include "ops/tile.h"

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

IndexMap tile_map(const Dims& dims, const std::vector<int64_t>& repeats) {
  TENREC_CHECK(repeats.size() == dims.size(), invalid_input, "Tile of {} axes with {} repeats",
               dims.size(), repeats.size());
  AxisOffsets offsets = identity_offsets(dims);
  for (size_t i = 0; i < dims.size(); ++i) {
    TENREC_CHECK(repeats[i] >= 0, invalid_input, "Tile with {} repeats", repeats[i]);
    const std::vector<int64_t> once = offsets[i];
    offsets[i].clear();
    for (int64_t k = 0; k < repeats[i]; ++k)
      offsets[i].insert(offsets[i].end(), once.begin(), once.end());
  }
  return index_map(offsets);
}

}  // namespace

Types Tile::infer(const Types& in) const {
  check_input_count(in, 2, 2, "Tile");
  const Type& x = tensor_input(in, 0, "Tile");
  const Type& repeats = integer_input(in, 1, "Tile");
  const std::vector<Dim>* known = repeats.known_ints();
  if (!x.ranked) {
    const std::optional<int64_t> rank = constant_length(repeats);
    return {rank ? fresh_tensor(x.dtype, *rank, "tile") : Type::unranked(x.dtype)};
  }
  if (!known) return {fresh_tensor(x.dtype, x.rank(), "tile")};
  TENREC_CHECK(known->size() == x.shape.size(), invalid_model, "Tile of {} with {} repeats",
               x.str(), known->size());
  Shape shape;
  for (size_t i = 0; i < known->size(); ++i) shape.push_back(x.shape[i] * (*known)[i]);
  Type out = Type::tensor(x.dtype, std::move(shape));
  const std::optional<std::vector<int64_t>> constant = repeats.constant_ints();
  if (!constant || !movable_known(x, out.shape)) return {out};
  return {with_moved_known(out, x, tile_map(static_dims(x.shape), *constant))};
}

Tensors Tile::eval(const Tensors& in) const {
  return {moved(in[0], tile_map(in[0].dims(), in[1].to_ints()))};
}

Values Tile::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Values inputs = context.inputs();
  if (node.opset() >= 6 || inputs.size() < 3) return context.add(Tile{}, std::move(inputs));
  // Opset 1: one count and one axis.
  const Tensor* count = context.constant_of(inputs[1]);
  const Tensor* axis = context.constant_of(inputs[2]);
  TENREC_CHECK(
      count && axis && count->elements() == 1 && axis->elements() == 1, unsupported,
      "Tile of opset 1 with counts computed at run time; convert the model to opset 6 or newer");
  const int64_t rank = inputs[0]->type.rank();
  std::vector<int64_t> repeats(static_cast<size_t>(rank), 1);
  repeats[static_cast<size_t>(normalise_axis(axis->to_ints()[0], rank))] = count->to_ints()[0];
  return context.add(Tile{}, {inputs[0], context.constant(Tensor::of({rank}, repeats))});
}

}  // namespace tenrec
