// SPDX-License-Identifier: Apache-2.0
// Operators that only move elements: one strided nest an input or output. Pads go through a place
// worked out an axis at a time; views are one copy of bytes.
#include <algorithm>
#include <array>

#include "ops/bit_cast.h"
#include "ops/concat.h"
#include "ops/constant_of_shape.h"
#include "ops/depth_space.h"
#include "ops/expand.h"
#include "ops/fused.h"
#include "ops/pad.h"
#include "ops/slice.h"
#include "ops/split.h"
#include "ops/tile.h"
#include "ops/transpose.h"
#include "ops/trilu.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/block_parts.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

// to[...] = from[...] over `loops`, whose walks are the target's and the source's.
struct Move {
  size_t input = 0, output = 0;
  Loops loops;
};

struct Moves {
  Reject reject;
  std::vector<Move> list;
};

Shape ordered(const Shape& shape, const Type& type) {
  Shape result;
  for (const size_t axis : memory_order(type)) result.push_back(shape[axis]);
  return result;
}

// Over all of `out` in its memory's order, reading `in` by strides of the same logical axes.
Move whole(const Type& in, const Type& out, const Shape& from, Dim offset) {
  (void)in;
  Move move;
  move.loops.sizes = ordered(out.shape, out);
  move.loops.walks = {{ordered(memory_strides(out), out), Dim(0)},
                      {ordered(from, out), std::move(offset)}};
  return move;
}

Moves one(Move move) { return {"", {std::move(move)}}; }
Moves no(Reject reject) { return {std::move(reject), {}}; }

Moves transpose(const Transpose& op, const Type& in, const Type& out) {
  const Shape own = memory_strides(in);
  Shape from;
  for (const int64_t axis : op.order(in.rank())) from.push_back(own[static_cast<size_t>(axis)]);
  return one(whole(in, out, from, Dim(0)));
}

Moves concat(const Concat& op, const Node& node) {
  const Type& out = node.output()->type;
  const auto axis = static_cast<size_t>(normalise_axis(op.axis, out.rank()));
  const Shape to = memory_strides(out);
  Moves moves;
  Dim offset = 0;
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    const Type& in = node.input(i)->type;
    Move move;
    move.input = i;
    move.loops.sizes = ordered(in.shape, out);
    move.loops.walks = {{ordered(to, out), offset * to[axis]},
                        {ordered(memory_strides(in), out), Dim(0)}};
    moves.list.push_back(std::move(move));
    offset = offset + in.shape[axis];
  }
  return moves;
}

Moves split(const Split& op, const Node& node) {
  const Type& in = node.input(0)->type;
  const auto axis = static_cast<size_t>(normalise_axis(op.axis, in.rank()));
  const Shape from = memory_strides(in);
  Moves moves;
  Dim offset = 0;
  for (size_t i = 0; i < node.output_count(); ++i) {
    const Type& out = node.output(i)->type;
    if (!has_strides(out)) return no("the rank is not known");
    if (!node.output(i)->uses().empty()) {
      Move move = whole(in, out, from, offset * from[axis]);
      move.output = i;
      moves.list.push_back(std::move(move));
    }
    offset = offset + out.shape[axis];
  }
  return moves;
}

Moves slice(const Node& node) {
  const Type& in = node.input(0)->type;
  const Type& out = node.output()->type;
  const auto* starts = node.input(1)->type.known_ints();
  const auto* ends = node.input(2)->type.known_ints();
  if (!starts || !ends) return no("starts or ends are known only when running");
  std::optional<std::vector<int64_t>> axes, steps;
  if (node.input(3)) {
    axes = node.input(3)->type.constant_ints();
    if (!axes) return no("axes are not constant");
  }
  if (node.input(4)) {
    steps = node.input(4)->type.constant_ints();
    if (!steps) return no("steps are not constant");
  }
  Shape from = memory_strides(in);
  Dim offset = 0;
  for (size_t i = 0; i < starts->size(); ++i) {
    const auto axis = static_cast<size_t>(
        normalise_axis(axes ? axes->at(i) : static_cast<int64_t>(i), in.rank()));
    const int64_t step = steps ? steps->at(i) : 1;
    const auto range = slice_range(in.shape[axis], (*starts)[i], (*ends)[i], step);
    if (!range) return no("a start or end may have either sign");
    offset = offset + range->first * from[axis];
    from[axis] = from[axis] * Dim(step);
  }
  return one(whole(in, out, from, offset));
}

Moves tile(const Type& in, const Type& out) {
  const Shape from = memory_strides(in), to = memory_strides(out);
  Move move;
  move.loops.walks.resize(2);
  for (const size_t axis : memory_order(out)) {
    const Dim& size = in.shape[axis];
    if (size.lower() < 1) return no("a size may be 0");
    move.loops.sizes.push_back(floordiv(out.shape[axis], size));
    move.loops.walks[0].strides.push_back(size * to[axis]);
    move.loops.walks[1].strides.emplace_back(0);
    move.loops.sizes.push_back(size);
    move.loops.walks[0].strides.push_back(to[axis]);
    move.loops.walks[1].strides.push_back(from[axis]);
  }
  return one(std::move(move));
}

Moves depth_to_space(const DepthToSpace& op, const Type& in, const Type& out) {
  const Shape from = memory_strides(in), to = memory_strides(out);
  const Dim b = op.blocksize, plane = from[1], depth = out.shape[1];
  const Dim channel = op.column_row_depth ? b * b * plane : plane;
  const Dim row = op.column_row_depth ? b * plane : b * depth * plane;
  const Dim column = op.column_row_depth ? plane : depth * plane;
  Move move;
  move.loops.sizes = {in.shape[0], depth, in.shape[2], b, in.shape[3], b};
  move.loops.walks = {{{to[0], to[1], b * to[2], to[2], b * to[3], to[3]}, Dim(0)},
                      {{from[0], channel, from[2], row, from[3], column}, Dim(0)}};
  return one(std::move(move));
}

Moves space_to_depth(const SpaceToDepth& op, const Type& in, const Type& out) {
  const Shape from = memory_strides(in), to = memory_strides(out);
  const Dim b = op.blocksize, plane = to[1], depth = in.shape[1];
  const Dim channel = op.column_row_depth ? b * b * plane : plane;
  const Dim row = op.column_row_depth ? b * plane : b * depth * plane;
  const Dim column = op.column_row_depth ? plane : depth * plane;
  Move move;
  move.loops.sizes = {in.shape[0], b, b, depth, out.shape[2], out.shape[3]};
  move.loops.walks = {{{to[0], row, column, channel, to[2], to[3]}, Dim(0)},
                      {{from[0], from[2], from[3], from[1], b * from[2], b * from[3]}, Dim(0)}};
  return one(std::move(move));
}

Moves moves_of(const Node& node) {
  const Type& in = node.input(0)->type;
  const Type& out = node.output()->type;
  if (const auto* op = node.as<Transpose>()) return transpose(*op, in, out);
  if (const auto* op = node.as<Concat>()) return concat(*op, node);
  if (const auto* op = node.as<Split>()) return split(*op, node);
  if (node.as<Slice>()) return slice(node);
  if (node.as<Expand>()) return one(whole(in, out, broadcast_strides(in, out.shape), Dim(0)));
  if (node.as<Tile>()) return tile(in, out);
  if (const auto* op = node.as<DepthToSpace>()) return depth_to_space(*op, in, out);
  if (const auto* op = node.as<SpaceToDepth>()) return space_to_depth(*op, in, out);
  if (node.as<Reformat>()) return one(whole(in, out, memory_strides(in), Dim(0)));
  return no("does more than move elements");
}

Reject check_tensors(const Node& node) {
  for (const Value* value : node.inputs()) {
    if (!value) continue;
    if (!has_strides(value->type)) return "the rank is not known, or a blocked layout";
    if (bit_width(value->type.dtype) < 8)
      return fmt::format("{} elements", name(value->type.dtype));
  }
  for (const Value* value : node.outputs())
    if (!has_strides(value->type)) return "the rank is not known, or a blocked layout";
  return "";
}

// Elements move as bits.
std::string bits_type(DType dtype) {
  switch (bit_width(dtype)) {
    case 8: return "unsigned char";
    case 16: return "unsigned short";
    case 32: return "unsigned";
    case 64: return "unsigned long long";
    default: return "ulonglong2";
  }
}

// Neighbours that a thread moves at once.
int64_t lanes_of(const Loops& loops, DType dtype) {
  int64_t lanes = std::max<int64_t>(128 / std::max(bit_width(dtype), 8), 1);
  const auto fits = [&](int64_t by) {
    if (!is_multiple(loops.sizes.back(), by)) return false;
    for (const Walk& walk : loops.walks) {
      if (!(walk.strides.back() == Dim(1)) || !is_multiple(walk.offset, by)) return false;
      for (size_t i = 0; i + 1 < walk.strides.size(); ++i)
        if (!is_multiple(walk.strides[i], by)) return false;
    }
    return true;
  };
  while (lanes > 1 && !fits(lanes)) lanes /= 2;
  return lanes;
}

// One move as text.
BlockPart move_text(Move move, DType dtype, KernelText& kernel) {
  move.loops.collapse();
  const std::string element = bits_type(dtype);
  if (const auto along = transposed_loop(move.loops, move.loops.walks[0], move.loops.walks[1])) {
    const auto load = [&](const std::string& offset) {
      return fmt::format("return ((const {}*){})[{}];", element, kernel.input(move.input), offset);
    };
    const std::string target = fmt::format("(({}*){})", element, kernel.output(move.output));
    return transpose_part(move.loops, *along, element, load, target, kernel);
  }
  const int64_t lanes = lanes_of(move.loops, dtype);
  Shape grid = move.loops.sizes;
  grid.back() = floordiv(grid.back(), Dim(lanes));
  std::vector<std::string> variables = numbered("i", grid.size());
  std::string text =
      fmt::format("  const idx i = block * {} + threadIdx.x;\n  if (i >= {}) return;\n",
                  block_threads, kernel.dim(product(grid)));
  text += kernel.unflatten("i", grid, variables);
  if (lanes > 1) {
    text += fmt::format("  const idx at = {} * {};\n", variables.back(), lanes);
    variables.back() = "at";
  }
  const std::string type = fmt::format("Pack<{}, {}>", element, lanes);
  text += fmt::format("  *({0}*)(({1}*){2} + {3}) = *(const {0}*)((const {1}*){4} + {5});\n", type,
                      element, kernel.output(move.output),
                      kernel.offset(move.loops.walks[0], variables), kernel.input(move.input),
                      kernel.offset(move.loops.walks[1], variables));
  return {text, ceildiv(product(grid), Dim(block_threads))};
}

// A launch takes a limited number of arguments, and a move of open sizes has several.
constexpr size_t most_moves = 16;

void write_moves(std::vector<Move> moves, StepWriter& step) {
  for (size_t first = 0; first < moves.size(); first += most_moves) {
    KernelText kernel(step, "move");
    kernel.reach_all();
    std::vector<BlockPart> parts;
    for (size_t i = first; i < std::min(first + most_moves, moves.size()); ++i) {
      const DType dtype = step.draft().outputs[moves[i].output]->type.dtype;
      parts.push_back(move_text(std::move(moves[i]), dtype, kernel));
    }
    launch_in_turn(parts, kernel, step);
  }
}

// Bools are 0 or 1, whatever bytes they are read from.
bool keeps_bytes(const Node& node) {
  const auto* op = node.as<BitCast>();
  return node.op().info().is_view || (op && op->to != DType::boolean);
}

class Copy : public Kernel {
 public:
  std::string_view name() const override { return "copy"; }
  Reject check(const Node& node, const DeviceInfo&) const override {
    if (node.inputs().empty() || !node.input(0)) return "moves nothing";
    if (keeps_bytes(node)) {
      for (const Value* value : {node.input(0), node.output()}) {
        if (value->type.kind != Type::Kind::tensor || value->type.dtype == DType::string)
          return "no tensor of numbers";
        if (!value->type.ranked) return "the rank is not known";
        if (!value->type.layout.is_plain()) return "a view of another layout";
      }
      return "";
    }
    if (Reject reject = check_tensors(node); !reject.empty()) return reject;
    return moves_of(node).reject;
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    if (keeps_bytes(node)) {
      StepDraft draft = draft_of(node, name(), tactic);
      draft.inputs.resize(1);
      return draft;
    }
    StepWriter step(draft_of(node, name(), tactic));
    write_moves(moves_of(node).list, step);
    return step.finish();
  }
};

}  // namespace

const Kernel& copy_kernel() {
  static const Copy kernel;
  return kernel;
}

}  // namespace tenrec::cuda
