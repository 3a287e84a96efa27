// SPDX-License-Identifier: Apache-2.0
#include "ops/pad.h"

#include <algorithm>
#include <cstdlib>

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

// Begin and end of every axis, in order, from the pads of the axes named.
template <class T>
std::vector<std::pair<T, T>> pads_by_axis(size_t rank, const std::vector<T>& pads,
                                          const std::optional<std::vector<int64_t>>& axes) {
  const size_t count = axes ? axes->size() : rank;
  TENREC_CHECK(pads.size() == 2 * count, invalid_model, "Pad of {} axes with {} pads", count,
               pads.size());
  std::vector<std::pair<T, T>> by_axis(rank, {T(0), T(0)});
  for (size_t i = 0; i < count; ++i) {
    const int64_t axis =
        axes ? normalise_axis((*axes)[i], static_cast<int64_t>(rank)) : static_cast<int64_t>(i);
    by_axis[static_cast<size_t>(axis)] = {pads[i], pads[i + count]};
  }
  return by_axis;
}

int64_t positive_mod(int64_t a, int64_t b) {
  const int64_t rest = a % b;
  return rest < 0 ? rest + b : rest;
}

// Where index `i` of the padded axis (0 is the first original element) reads; -1: the constant.
int64_t source_index(const std::string& mode, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  if (mode == "constant") return -1;
  TENREC_CHECK(size > 0, invalid_input, "Pad mode {} of an empty axis", mode);
  if (mode == "edge") return std::clamp<int64_t>(i, 0, size - 1);
  if (mode == "wrap") return positive_mod(i, size);
  if (size == 1) return 0;
  const int64_t period = 2 * (size - 1);
  const int64_t folded = positive_mod(i, period);
  return folded < size ? folded : period - folded;
}

IndexMap pad_map(const std::string& mode, const Dims& dims,
                 const std::vector<std::pair<int64_t, int64_t>>& pads) {
  const Dims strides = row_major_strides(dims);
  AxisOffsets offsets(dims.size());
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    const auto& [begin, end] = pads[axis];
    TENREC_CHECK(dims[axis] + begin + end >= 0, invalid_input,
                 "Pad by ({}, {}) of an axis of size {} leaves less than nothing", begin, end,
                 dims[axis]);
    // The other modes continue what a crop on the same axis has left.
    const int64_t low = std::max<int64_t>(-begin, 0);
    const int64_t high = dims[axis] + std::min<int64_t>(end, 0);
    for (int64_t i = -begin; i < dims[axis] + end; ++i) {
      const int64_t source = source_index(mode, i - low, high - low);
      offsets[axis].push_back(source < 0 ? -1 : (source + low) * strides[axis]);
    }
  }
  return index_map(offsets);
}

}  // namespace

Types Pad::infer(const Types& in) const {
  check_input_count(in, 2, 4, "Pad");
  TENREC_CHECK(mode == "constant" || mode == "reflect" || mode == "edge" || mode == "wrap",
               invalid_model, "Pad mode '{}'; there are constant, reflect, edge and wrap", mode);
  const Type& x = tensor_input(in, 0, "Pad");
  const std::vector<Dim>* known = integer_input(in, 1, "Pad").known_ints();
  if (!x.ranked) return {x};
  std::optional<std::vector<int64_t>> axes;
  if (has_input(in, 3)) axes = in[3].constant_ints();
  if (!known || (has_input(in, 3) && !axes)) return {fresh_tensor(x.dtype, x.rank(), "pad")};
  Shape shape = x.shape;
  const auto pads = pads_by_axis(shape.size(), *known, axes);
  for (size_t i = 0; i < shape.size(); ++i) {
    const Dim size = shape[i] + pads[i].first + pads[i].second;
    TENREC_CHECK(size.upper() >= 0, invalid_model, "Pad of {} by {} leaves less than nothing",
                 x.str(), to_string(*known));
    shape[i] = tight_max(size, Dim(0));
  }
  Type out = Type::tensor(x.dtype, std::move(shape));
  const std::optional<std::vector<int64_t>> constant = in[1].constant_ints();
  if (!constant || !movable_known(x, out.shape)) return {out};
  std::optional<Dim> fill = Dim(0);
  if (has_input(in, 2)) {
    const std::vector<Dim>* value = in[2].known_ints();
    fill = value && !value->empty() ? std::optional((*value)[0]) : std::nullopt;
  }
  const Dims dims = static_dims(x.shape);
  return {with_moved_known(out, x, pad_map(mode, dims, pads_by_axis(dims.size(), *constant, axes)),
                           fill)};
}

Tensors Pad::eval(const Tensors& in) const {
  std::optional<std::vector<int64_t>> axes;
  if (has_input(in, 3)) axes = in[3].to_ints();
  const auto pads = pads_by_axis(in[0].dims().size(), in[1].to_ints(), axes);
  const Tensor fill = has_input(in, 2) ? in[2] : Tensor{};
  TENREC_CHECK(!fill || (fill.dtype() == in[0].dtype() && fill.elements() == 1), invalid_input,
               "Pad's constant must be one {}", name(in[0].dtype()));
  return {moved(in[0], pad_map(mode, in[0].dims(), pads), fill)};
}

Values Pad::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Pad op;
  op.mode = node.text("mode", "constant");
  if (node.opset() >= 11) return context.add(op, context.inputs());
  const std::vector<int64_t> pads = node.integers(node.has("pads") ? "pads" : "paddings");
  Value* data = context.input(0);
  TENREC_CHECK(data != nullptr, invalid_model, "Pad needs an input");
  const double value = static_cast<double>(node.number("value", 0));
  return context.add(op,
                     {data, context.constant(Tensor::of({static_cast<int64_t>(pads.size())}, pads)),
                      context.constant(Tensor::from_doubles(data->type.dtype, {}, {{value}}))});
}

}  // namespace tenrec
