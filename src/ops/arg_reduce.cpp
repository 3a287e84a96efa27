// SPDX-License-Identifier: Apache-2.0
#include "ops/arg_reduce.h"

#include "ops/support.h"

namespace tenrec {
namespace {

template <class T>
std::vector<int64_t> find(const ArgReduce& op, const std::vector<T>& x, const Dims& dims,
                          size_t axis) {
  const int64_t outer = elements_between(dims, 0, axis);
  const int64_t inner = elements_between(dims, axis + 1, dims.size());
  std::vector<int64_t> result;
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      const T* line = x.data() + o * dims[axis] * inner + i;
      int64_t best = 0;
      for (int64_t k = 1; k < dims[axis]; ++k) {
        const T value = line[k * inner];
        const T champion = line[best * inner];
        const bool better = op.largest ? value > champion : value < champion;
        if (better || (op.select_last_index && value == champion)) best = k;
      }
      result.push_back(best);
    }
  }
  return result;
}

Values import_arg(bool largest, const OnnxNode& node, OnnxContext& context) {
  return context.add(ArgReduce{.largest = largest,
                               .axis = node.integer("axis", 0),
                               .keepdims = node.integer("keepdims", 1) != 0,
                               .select_last_index = node.integer("select_last_index", 0) != 0},
                     {context.input(0)});
}

}  // namespace

Types ArgReduce::infer(const Types& in) const {
  const Type& x = required(in, 0, "the input");
  if (!x.ranked) return {Type::unranked(DType::i64)};
  const auto at = normalise_axis(axis, x.rank());
  TENREC_CHECK(x.shape[static_cast<size_t>(at)] != Dim(0), invalid_model,
               "axis {} of {} is empty: it has no extreme element", axis, x.str());
  Shape shape = x.shape;
  if (keepdims) shape[static_cast<size_t>(at)] = 1;
  else shape.erase(shape.begin() + at);
  return {Type::tensor(DType::i64, std::move(shape))};
}

Tensors ArgReduce::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const auto at = static_cast<size_t>(normalise_axis(axis, in[0].rank()));
  const std::vector<int64_t> where = is_float(in[0].dtype())
                                         ? find(*this, in[0].to_doubles(), in[0].dims(), at)
                                         : find(*this, in[0].to_ints(), in[0].dims(), at);
  return {Tensor::from_ints(DType::i64, out, where)};
}

Values arg_max(const OnnxNode& node, OnnxContext& context) {
  return import_arg(true, node, context);
}
Values arg_min(const OnnxNode& node, OnnxContext& context) {
  return import_arg(false, node, context);
}

}  // namespace tenrec
