// SPDX-License-Identifier: Apache-2.0
#include "ops/squeeze.h"

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

std::vector<bool> marked(const std::vector<int64_t>& axes, size_t rank, std::string_view op) {
  std::vector<bool> marks(rank, false);
  for (const int64_t axis : axes) {
    auto mark = marks[static_cast<size_t>(normalise_axis(axis, static_cast<int64_t>(rank)))];
    TENREC_CHECK(!mark, invalid_model, "{} names axis {} twice", op, axis);
    mark = true;
  }
  return marks;
}

Shape squeezed(const Shape& shape, const std::vector<int64_t>& axes) {
  const std::vector<bool> gone = marked(axes, shape.size(), "Squeeze");
  Shape out;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!gone[i]) {
      out.push_back(shape[i]);
      continue;
    }
    TENREC_CHECK(shape[i].lower() <= 1 && shape[i].upper() >= 1, invalid_model,
                 "Squeeze axis {} has size {}, only size 1 can go (shape {})", i, shape[i].str(),
                 to_string(shape));
  }
  return out;
}

Shape unsqueezed(const Shape& shape, const std::vector<int64_t>& axes) {
  const std::vector<bool> added = marked(axes, shape.size() + axes.size(), "Unsqueeze");
  Shape out;
  size_t next = 0;
  for (const bool is_new : added) out.push_back(is_new ? Dim(1) : shape[next++]);
  return out;
}

// The type when only the number of axes is known, or not even that.
Type of_rank_change(const Type& x, const Type& axes, int64_t sign) {
  const std::optional<int64_t> count = constant_length(axes);
  if (!x.ranked || !count) return Type::unranked(x.dtype);
  TENREC_CHECK(x.rank() + sign * *count >= 0, invalid_model, "removes {} axes of {}", *count,
               x.str());
  return fresh_tensor(x.dtype, x.rank() + sign * *count, "squeeze");
}

Values add_with_axes(Op op, const OnnxNode& node, OnnxContext& context) {
  if (node.opset() >= 13) return context.add(std::move(op), context.inputs());
  Values inputs{context.input(0)};
  if (const auto axes = node.maybe_integers("axes")) {
    inputs.push_back(context.constant(Tensor::of({static_cast<int64_t>(axes->size())}, *axes)));
  }
  return context.add(std::move(op), std::move(inputs));
}

}  // namespace

Types Squeeze::infer(const Types& in) const {
  check_input_count(in, 1, 2, "Squeeze");
  const Type& x = tensor_input(in, 0, "Squeeze");
  if (has_input(in, 1)) {
    const std::optional<std::vector<int64_t>> axes = in[1].constant_ints();
    if (!axes || !x.ranked) return {of_rank_change(x, in[1], -1)};
    return {with_same_known(Type::tensor(x.dtype, squeezed(x.shape, *axes)), x)};
  }
  if (!x.ranked) return {x};
  Shape out;
  for (const Dim& dim : x.shape) {
    if (dim == Dim(1)) continue;
    // A size that may be 1 or not leaves even the rank open.
    if (dim.lower() <= 1 && dim.upper() >= 1) return {Type::unranked(x.dtype)};
    out.push_back(dim);
  }
  return {with_same_known(Type::tensor(x.dtype, std::move(out)), x)};
}

Tensors Squeeze::eval(const Tensors& in) const {
  const Shape shape(in[0].dims().begin(), in[0].dims().end());
  std::vector<int64_t> axes;
  if (has_input(in, 1)) {
    axes = in[1].to_ints();
  } else {
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == Dim(1)) axes.push_back(static_cast<int64_t>(i));
    }
  }
  return {in[0].reshaped(static_dims(squeezed(shape, axes)))};
}

Values Squeeze::from_onnx(const OnnxNode& node, OnnxContext& context) {
  return add_with_axes(Squeeze{}, node, context);
}

Types Unsqueeze::infer(const Types& in) const {
  check_input_count(in, 2, 2, "Unsqueeze");
  const Type& x = tensor_input(in, 0, "Unsqueeze");
  const std::optional<std::vector<int64_t>> axes =
      integer_input(in, 1, "Unsqueeze").constant_ints();
  if (!axes || !x.ranked) return {of_rank_change(x, in[1], 1)};
  return {with_same_known(Type::tensor(x.dtype, unsqueezed(x.shape, *axes)), x)};
}

Tensors Unsqueeze::eval(const Tensors& in) const {
  const Shape shape(in[0].dims().begin(), in[0].dims().end());
  return {in[0].reshaped(static_dims(unsqueezed(shape, in[1].to_ints())))};
}

Values Unsqueeze::from_onnx(const OnnxNode& node, OnnxContext& context) {
  return add_with_axes(Unsqueeze{}, node, context);
}

}  // namespace tenrec
