// SPDX-License-Identifier: Apache-2.0
#include "ops/concat.h"

#include <algorithm>

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

template <class T>
std::vector<T> joined_values(const std::vector<const std::vector<T>*>& parts, int64_t outer) {
  std::vector<T> out;
  for (int64_t i = 0; i < outer; ++i) {
    for (const std::vector<T>* part : parts) {
      const auto run = static_cast<std::ptrdiff_t>(part->size()) / outer;
      out.insert(out.end(), part->begin() + i * run, part->begin() + (i + 1) * run);
    }
  }
  return out;
}

Type with_joined_known(Type out, const Types& in, int64_t axis) {
  if (!out.is_static() || element_count(static_dims(out.shape)) > max_known_elements) return out;
  std::vector<const std::vector<Dim>*> ints;
  std::vector<const std::vector<Scale>*> floats;
  for (const Type& type : in) {
    if (!type.is_static()) return out;
    if (product(type.shape) == Dim(0)) continue;
    if (const auto* known = type.known_ints()) ints.push_back(known);
    else if (const auto* scales = type.known_floats()) floats.push_back(scales);
    else return out;
  }
  const int64_t outer = product(Shape(out.shape.begin(), out.shape.begin() + axis)).value();
  if (floats.empty()) {
    return is_float(out.dtype)
               ? out
               : out.with_known_ints(joined_values(ints, std::max<int64_t>(outer, 1)));
  }
  return ints.empty() ? out.with_known_floats(joined_values(floats, outer)) : out;
}

}  // namespace

Types Concat::infer(const Types& in) const {
  TENREC_CHECK(!in.empty(), invalid_model, "Concat needs at least one input");
  const Type* first = nullptr;
  bool all_ranked = true;
  for (size_t i = 0; i < in.size(); ++i) {
    const Type& type = tensor_input(in, i, "Concat");
    TENREC_CHECK(type.dtype == in[0].dtype, invalid_model, "Concat of {} and {}", name(in[0].dtype),
                 name(type.dtype));
    all_ranked &= type.ranked;
    if (type.ranked && !first) first = &type;
  }
  if (!first) return {Type::unranked(in[0].dtype)};
  const auto at = static_cast<size_t>(normalise_axis(axis, first->rank()));
  Shape shape = first->shape;
  Dim total(0);
  for (const Type& type : in) {
    if (!type.ranked) continue;
    TENREC_CHECK(type.rank() == first->rank(), invalid_model, "Concat of {} and {}", first->str(),
                 type.str());
    for (size_t i = 0; i < shape.size(); ++i) {
      if (i != at) shape[i] = agreed(shape[i], type.shape[i], fmt::format("Concat axis {}", i));
    }
    total = total + type.shape[at];
  }
  shape[at] = all_ranked ? total : Dim::fresh("concat", total.lower());
  return {with_joined_known(Type::tensor(first->dtype, shape), in, static_cast<int64_t>(at))};
}

Tensors Concat::eval(const Tensors& in) const {
  return {joined(in, normalise_axis(axis, in[0].rank()))};
}

Values Concat::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Concat op;
  op.axis = node.opset() < 4 ? node.integer("axis", 1) : node.integer("axis");
  return context.add(op, context.inputs());
}

}  // namespace tenrec
