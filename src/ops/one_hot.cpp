// SPDX-License-Identifier: Apache-2.0
#include "ops/one_hot.h"

#include "ops/movement.h"

namespace tenrec {
namespace {

// The depth may come as a float.
Dim depth_of(const Type& type) {
  if (const std::vector<Dim>* ints = type.known_ints(); ints && ints->size() == 1) {
    return (*ints)[0];
  }
  const std::vector<Scale>* floats = type.known_floats();
  if (floats && floats->size() == 1 && !(*floats)[0].symbol) {
    return Dim(static_cast<int64_t>((*floats)[0].value));
  }
  return Dim::fresh("depth");
}

}  // namespace

Types OneHot::infer(const Types& in) const {
  check_input_count(in, 3, 3, "OneHot");
  const Type& indices = tensor_input(in, 0, "OneHot");
  const Type& values = tensor_input(in, 2, "OneHot");
  check_single(tensor_input(in, 1, "OneHot"), "the depth of OneHot");
  check_list(values, "the values of OneHot");
  if (values.ranked) agreed(values.shape[0], 2, "the two values of OneHot");
  if (!indices.ranked) return {Type::unranked(values.dtype)};
  const int64_t at = normalise_axis(axis, indices.rank() + 1);
  Shape shape = indices.shape;
  shape.insert(shape.begin() + at, depth_of(in[1]));
  return {Type::tensor(values.dtype, std::move(shape))};
}

Tensors OneHot::eval(const Tensors& in) const {
  TENREC_CHECK(in[1].elements() == 1 && in[2].elements() == 2, invalid_input,
               "OneHot takes one depth and two values, got {} and {}", in[1].elements(),
               in[2].elements());
  const int64_t depth = in[1].to_ints()[0];
  TENREC_CHECK(depth >= 0, invalid_input, "OneHot of depth {}", depth);
  const int64_t at = normalise_axis(axis, in[0].rank() + 1);
  Dims dims = in[0].dims();
  const auto inner = static_cast<int64_t>(element_count(Dims(dims.begin() + at, dims.end())));
  dims.insert(dims.begin() + at, depth);
  IndexMap map{dims, std::vector<int64_t>(static_cast<size_t>(element_count(dims)), 0), 1};
  const std::vector<int64_t> indices = in[0].to_ints();
  for (size_t i = 0; i < indices.size(); ++i) {
    const int64_t index = indices[i] < 0 ? indices[i] + depth : indices[i];
    if (index < 0 || index >= depth) continue;  // ONNX: such a row is all `off`
    const auto flat = static_cast<int64_t>(i);
    map.from[static_cast<size_t>((flat / inner * depth + index) * inner + flat % inner)] = 1;
  }
  return {moved(in[2], map)};
}

}  // namespace tenrec
