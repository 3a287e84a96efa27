// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ops/concat.h"
#include "ops/elementwise.h"
#include "ops/expand.h"
#include "ops/gather.h"
#include "ops/gather_elements.h"
#include "ops/identity.h"
#include "ops/pad.h"
#include "ops/reshape.h"
#include "ops/scatter.h"
#include "ops/slice.h"
#include "ops/split.h"
#include "ops/tile.h"
#include "ops/transpose.h"
#include "passes/simplify_rules.h"

namespace tenrec {
namespace {

bool keep_input(Rewriter& rw, const Node& node, bool nothing_done) {
  if (!nothing_done) return false;
  rw.replace(node, {node.input(0)});
  return true;
}

bool all_are(const std::optional<std::vector<int64_t>>& values, int64_t wanted) {
  return values &&
         std::all_of(values->begin(), values->end(), [&](int64_t x) { return x == wanted; });
}

bool drop_identity(Rewriter& rw, const Node& node, const Identity&) {
  return keep_input(rw, node, true);
}

bool drop_cast(Rewriter& rw, const Node& node, const Cast& cast) {
  return keep_input(rw, node, node.input(0)->type.dtype == cast.to);
}

// Every value of `from` is a value of `to`.
bool widens(DType from, DType to) {
  if (from == to || from == DType::boolean) return true;
  const bool exact_integer = is_integer(from) && is_float(to) && to != DType::f16 &&
                             to != DType::bf16 &&
                             bit_width(from) <= (to == DType::f64   ? 32
                                                 : to == DType::f32 ? 16
                                                                    : 0);
  const bool wider_float = is_float(from) && is_float(to) && bit_width(from) >= 16 &&
                           (to == DType::f64 || (to == DType::f32 && from != DType::f64));
  const bool signed_integer =
      is_integer(from) && is_integer(to) && from != DType::u64 && to == DType::i64;
  return exact_integer || wider_float || signed_integer;
}

bool fold_cast(Rewriter& rw, const Node& node, const Cast& cast) {
  const Node* before = producer_of<Cast>(node.input(0));
  if (!before || !widens(before->input(0)->type.dtype, before->as<Cast>()->to)) return false;
  rw.replace(node, cast, {before->input(0)});
  return true;
}

bool drop_transpose(Rewriter& rw, const Node& node, const Transpose& op) {
  if (!node.output()->type.ranked) return false;
  const std::vector<int64_t> order = op.order(node.output()->type.rank());
  return keep_input(rw, node, std::is_sorted(order.begin(), order.end()));
}

bool fold_transpose(Rewriter& rw, const Node& node, const Transpose& op) {
  const Node* before = producer_of<Transpose>(node.input(0));
  if (!before || !node.output()->type.ranked) return false;
  const int64_t rank = node.output()->type.rank();
  const std::vector<int64_t> first = before->as<Transpose>()->order(rank);
  std::vector<int64_t> order;
  for (const int64_t axis : op.order(rank)) order.push_back(first[static_cast<size_t>(axis)]);
  rw.replace(node, Transpose{order}, {before->input(0)});
  return true;
}

bool drop_slice(Rewriter& rw, const Node& node, const Slice&) {
  const bool forward = !node.input(4) || all_are(constant_ints(node.input(4)), 1);
  return keep_input(rw, node, forward && same_type(*node.input(0), *node.output()));
}

bool drop_pad(Rewriter& rw, const Node& node, const Pad&) {
  return keep_input(rw, node, all_are(constant_ints(node.input(1)), 0));
}

bool drop_expand(Rewriter& rw, const Node& node, const Expand&) {
  return keep_input(rw, node, same_type(*node.input(0), *node.output()));
}

bool drop_tile(Rewriter& rw, const Node& node, const Tile&) {
  return keep_input(rw, node, all_are(constant_ints(node.input(1)), 1));
}

bool drop_concat(Rewriter& rw, const Node& node, const Concat&) {
  return keep_input(rw, node, node.inputs().size() == 1);
}

bool drop_split(Rewriter& rw, const Node& node, const Split&) {
  return keep_input(rw, node,
                    node.output_count() == 1 && same_type(*node.input(0), *node.output()));
}

// All parts of a Split, joined again.
bool join_parts(Rewriter& rw, const Node& node, const Concat& op) {
  const Node* split = producer_of<Split>(node.input(0));
  if (!split || split->output_count() != node.inputs().size()) return false;
  for (size_t i = 0; i < node.inputs().size(); ++i)
    if (node.input(i) != split->output(i)) return false;
  const Value* whole = split->input(0);
  if (!same_type(*whole, *node.output())) return false;
  const int64_t rank = whole->type.rank();
  if (normalise_axis(op.axis, rank) != normalise_axis(split->as<Split>()->axis, rank)) return false;
  rw.replace(node, {split->input(0)});
  return true;
}

// What was joined, taken apart again.
bool part_joined(Rewriter& rw, const Node& node, const Split& op) {
  const Node* concat = producer_of<Concat>(node.input(0));
  if (!concat || concat->inputs().size() != node.output_count() || !concat->output()->type.ranked)
    return false;
  const int64_t rank = concat->output()->type.rank();
  if (normalise_axis(op.axis, rank) != normalise_axis(concat->as<Concat>()->axis, rank))
    return false;
  for (size_t i = 0; i < node.output_count(); ++i)
    if (!same_type(*concat->input(i), *node.output(i))) return false;
  rw.replace(node, concat->inputs());
  return true;
}

bool replace_if_same_type(Rewriter& rw, const Node& node, const Op& op, const Values& inputs) {
  Types types;
  for (const Value* input : inputs) types.push_back(input ? input->type : Type{});
  if (!(op.infer(types)[0] == node.output()->type)) return false;
  rw.replace(node, op, inputs);
  return true;
}

// Pointwise operators broadcast by themselves.
bool read_through_expand(Rewriter& rw, const Node& node) {
  if (!node.op().info().pointwise || !node.output()->type.ranked) return false;
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    const Node* expand = producer_of<Expand>(node.input(i));
    if (!expand || !expand->input(0)->type.ranked) continue;
    Values inputs = node.inputs();
    inputs[i] = expand->input(0);
    if (replace_if_same_type(rw, node, node.op(), inputs)) return true;
  }
  return false;
}

// The positions along `axis` that an operator by elements takes for all of `data`'s other axes
// alike: exporters stretch a list of them. Null: they differ.
Value* positions_along(const Value& data, const Value* indices, int64_t axis) {
  const Node* expand = producer_of<Expand>(indices);
  if (!expand || !data.type.ranked || !indices->type.ranked) return nullptr;
  Value* list = expand->input(0);
  const Shape& from = list->type.shape;
  const Shape& to = indices->type.shape;
  if (!list->type.ranked || from.size() != to.size() || to.size() != data.type.shape.size())
    return nullptr;
  const auto along = static_cast<size_t>(normalise_axis(axis, data.type.rank()));
  for (size_t i = 0; i < to.size(); ++i) {
    const bool fits =
        i == along ? from[i] == to[i] : from[i] == Dim(1) && to[i] == data.type.shape[i];
    if (!fits) return nullptr;
  }
  return list;
}

// Elements whose positions are stretched along the other axes are rows.
bool scatter_rows(Rewriter& rw, const Node& node, const ScatterElements& op) {
  if (op.reduction != "none" || !node.input(0)->type.ranked ||
      normalise_axis(op.axis, node.input(0)->type.rank()) != 0)
    return false;
  Value* list = positions_along(*node.input(0), node.input(1), op.axis);
  if (!list) return false;
  Value* rows =
      rw.insert(node, Reshape{}, {list, rw.constant(node, Tensor::of<int64_t>({2}, {-1, 1}))});
  return replace_if_same_type(rw, node, ScatterND{}, {node.input(0), rows, node.input(2)});
}

// The coordinates without the last one, where that only counts through the last axis of the points,
// beside others that stay as they are, and that axis is all of `data`'s: whole rows are written, in
// the same order. Nullopt: something else.
std::optional<Tensor> coordinates_of_rows(const Type& data, const Tensor& coordinates) {
  Dims dims = coordinates.dims();
  if (dims.size() < 2 || dims.back() < 2 || !data.ranked || coordinates.dtype() != DType::i64)
    return std::nullopt;
  const int64_t depth = dims.back(), points = dims[dims.size() - 2];
  if (depth > data.rank() || data.shape[static_cast<size_t>(depth - 1)] != Dim(points))
    return std::nullopt;
  const std::span<const int64_t> all = coordinates.as<int64_t>();
  std::vector<int64_t> kept;
  for (size_t at = 0; at < all.size(); at += static_cast<size_t>(depth)) {
    const int64_t point = static_cast<int64_t>(at) / depth % points;
    const auto others = all.subspan(at, static_cast<size_t>(depth - 1));
    if (point == 0) kept.insert(kept.end(), others.begin(), others.end());
    if (all[at + static_cast<size_t>(depth) - 1] != point ||
        !std::equal(others.begin(), others.end(), kept.end() - (depth - 1)))
      return std::nullopt;
  }
  dims.pop_back();
  dims.back() = depth - 1;
  return Tensor::of<int64_t>(dims, kept);
}

// How PyTorch writes x[:, 2:5] = u: the coordinates of every element.
bool scatter_whole_rows(Rewriter& rw, const Node& node, const ScatterND& op) {
  const Tensor* coordinates = node.input(1)->constant();
  if (!coordinates) return false;
  const std::optional<Tensor> rows = coordinates_of_rows(node.input(0)->type, *coordinates);
  if (!rows) return false;
  return replace_if_same_type(rw, node, op,
                              {node.input(0), rw.constant(node, *rows), node.input(2)});
}

bool gather_rows(Rewriter& rw, const Node& node, const GatherElements& op) {
  Value* list = positions_along(*node.input(0), node.input(1), op.axis);
  if (!list) return false;
  Value* positions =
      rw.insert(node, Reshape{}, {list, rw.constant(node, Tensor::of<int64_t>({1}, {-1}))});
  return replace_if_same_type(rw, node, Gather{op.axis}, {node.input(0), positions});
}

}  // namespace

std::vector<Rule> movement_rules() {
  return {rule<Identity>("drop_identity", drop_identity),
          rule<Cast>("drop_cast", drop_cast),
          rule<Cast>("fold_cast", fold_cast),
          rule<Transpose>("drop_transpose", drop_transpose),
          rule<Transpose>("fold_transpose", fold_transpose),
          rule<Slice>("drop_slice", drop_slice),
          rule<Pad>("drop_pad", drop_pad),
          rule<Expand>("drop_expand", drop_expand),
          rule<Tile>("drop_tile", drop_tile),
          rule<Concat>("drop_concat", drop_concat),
          rule<Split>("drop_split", drop_split),
          rule<Concat>("join_parts", join_parts),
          rule<Split>("part_joined", part_joined),
          rule<ScatterElements>("scatter_rows", scatter_rows),
          rule<ScatterND>("scatter_whole_rows", scatter_whole_rows),
          rule<GatherElements>("gather_rows", gather_rows),
          {"read_through_expand", read_through_expand}};
}

}  // namespace tenrec
