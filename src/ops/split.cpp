// SPDX-License-Identifier: Apache-2.0
#include "ops/split.h"

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

// The map of the piece [first, first + count) of one axis.
IndexMap piece(const Dims& dims, size_t axis, int64_t first, int64_t count) {
  AxisOffsets offsets = identity_offsets(dims);
  const int64_t stride = row_major_strides(dims)[axis];
  offsets[axis] = even_offsets(count, stride, first * stride);
  return index_map(offsets);
}

}  // namespace

std::vector<Dim> Split::equal_sizes(const Dim& size) const {
  const Dim chunk = even ? floordiv(size, num_outputs) : ceildiv(size, num_outputs);
  TENREC_CHECK(!even || !size.is_const() || size == chunk * num_outputs, invalid_model,
               "Split of size {} into {} equal pieces does not divide", size.str(), num_outputs);
  std::vector<Dim> sizes(static_cast<size_t>(num_outputs), chunk);
  if (!even) {
    // Only the last piece differs, unless there are more pieces than elements to go round.
    sizes.back() = tight_max(size - chunk * (num_outputs - 1), Dim(0));
    if (size.is_const()) {
      for (int64_t i = 0; i < num_outputs; ++i) {
        sizes[static_cast<size_t>(i)] = max(min(chunk, size - chunk * i), Dim(0));
      }
    }
  }
  return sizes;
}

Types Split::infer(const Types& in) const {
  check_input_count(in, 1, 2, "Split");
  TENREC_CHECK(num_outputs >= 1, invalid_model, "Split needs an output");
  const Type& x = tensor_input(in, 0, "Split");
  if (!x.ranked) return Types(static_cast<size_t>(num_outputs), Type::unranked(x.dtype));
  const auto at = static_cast<size_t>(normalise_axis(axis, x.rank()));
  std::vector<Dim> sizes;
  if (!has_input(in, 1)) {
    sizes = equal_sizes(x.shape[at]);
  } else if (const std::vector<Dim>* known = in[1].known_ints()) {
    sizes = *known;
    TENREC_CHECK(static_cast<int64_t>(sizes.size()) == num_outputs, invalid_model,
                 "Split has {} outputs and {} sizes", num_outputs, sizes.size());
    Dim total(0);
    for (const Dim& size : sizes) total = total + size;
    agreed(total, x.shape[at], "Split: the sizes' sum and the axis");
  } else {
    for (int64_t i = 0; i < num_outputs; ++i) {
      sizes.push_back(Dim::fresh(fmt::format("split{}", i), 0, x.shape[at].upper()));
    }
  }
  Types out;
  Dim first(0);
  for (const Dim& size : sizes) {
    Shape shape = x.shape;
    shape[at] = size;
    Type type = Type::tensor(x.dtype, std::move(shape));
    if (first.is_const() && movable_known(x, type.shape)) {
      type =
          with_moved_known(type, x, piece(static_dims(x.shape), at, first.value(), size.value()));
    }
    first = first + size;
    out.push_back(std::move(type));
  }
  return out;
}

Tensors Split::eval(const Tensors& in) const {
  const auto at = static_cast<size_t>(normalise_axis(axis, in[0].rank()));
  std::vector<int64_t> sizes;
  if (has_input(in, 1)) {
    sizes = in[1].to_ints();
  } else {
    for (const Dim& size : equal_sizes(in[0].dims()[at])) sizes.push_back(size.value());
  }
  Tensors out;
  int64_t first = 0;
  for (const int64_t size : sizes) {
    TENREC_CHECK(size >= 0 && first + size <= in[0].dims()[at], invalid_input,
                 "Split sizes {} of an axis of size {}", to_string(sizes), in[0].dims()[at]);
    out.push_back(moved(in[0], piece(in[0].dims(), at, first, size)));
    first += size;
  }
  TENREC_CHECK(first == in[0].dims()[at] && static_cast<int64_t>(out.size()) == num_outputs,
               invalid_input, "Split into {} pieces by sizes {} of an axis of size {}", num_outputs,
               to_string(sizes), in[0].dims()[at]);
  return out;
}

Values Split::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Split op;
  op.axis = node.integer("axis", 0);
  op.num_outputs = static_cast<int64_t>(node.output_count());
  op.even = node.opset() < 18;
  Values inputs = context.inputs();
  if (const auto sizes = node.maybe_integers("split"); sizes && inputs.size() == 1) {
    inputs.push_back(context.constant(Tensor::of({static_cast<int64_t>(sizes->size())}, *sizes)));
  }
  if (node.opset() >= 18 && inputs.size() < 2) {
    TENREC_CHECK(node.integer("num_outputs", op.num_outputs) == op.num_outputs, invalid_model,
                 "num_outputs is {}, the node has {} outputs", node.integer("num_outputs", 0),
                 op.num_outputs);
  }
  return context.add(op, std::move(inputs));
}

}  // namespace tenrec
