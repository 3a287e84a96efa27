// SPDX-License-Identifier: Apache-2.0
#include "ops/label_encoder.h"

#include <cmath>
#include <limits>
#include <map>

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

// NaN, of whatever bits, is a key like any other.
struct NanLast {
  bool operator()(double a, double b) const { return a < b || (std::isnan(b) && !std::isnan(a)); }
};

template <class Key, class Less>
std::vector<int64_t> positions(const std::vector<Key>& keys, const std::vector<Key>& wanted) {
  std::map<Key, int64_t, Less> index;
  for (size_t i = 0; i < keys.size(); ++i) index[keys[i]] = static_cast<int64_t>(i);
  std::vector<int64_t> found;
  for (const Key& key : wanted) {
    const auto it = index.find(key);
    found.push_back(it == index.end() ? -1 : it->second);
  }
  return found;
}

// The list in attribute "<prefix>_strings", "_int64s", "_floats" or "_tensor".
Tensor list(const OnnxNode& node, const std::string& prefix) {
  if (node.has(prefix + "_tensor")) return node.tensor(prefix + "_tensor");
  if (node.has(prefix + "_strings")) {
    std::vector<std::string> values = node.texts(prefix + "_strings");
    const Dims dims{static_cast<int64_t>(values.size())};
    return Tensor::of_strings(dims, std::move(values));
  }
  if (node.has(prefix + "_int64s")) {
    const std::vector<int64_t> values = node.integers(prefix + "_int64s");
    return Tensor::of({static_cast<int64_t>(values.size())}, values);
  }
  TENREC_CHECK(node.has(prefix + "_floats"), invalid_model, "LabelEncoder has no {}", prefix);
  const std::vector<float> values = node.numbers(prefix + "_floats");
  return Tensor::of({static_cast<int64_t>(values.size())}, values);
}

Tensor default_value(const OnnxNode& node, DType dtype) {
  node.without_effect({"default_string", "default_float", "default_int64"});  // all but one
  if (node.has("default_tensor")) return node.tensor("default_tensor");
  if (dtype == DType::string)
    return Tensor::of_strings({1}, {node.text("default_string", "_Unused")});
  if (is_float(dtype)) {
    const double value = static_cast<double>(node.number("default_float", -0.0F));
    return Tensor::from_doubles(dtype, {1}, {{value}});
  }
  return Tensor::from_ints(dtype, {1}, {{node.integer("default_int64", -1)}});
}

}  // namespace

Types LabelEncoder::infer(const Types& in) const {
  const Type& x = tensor_input(in, 0, "LabelEncoder");
  TENREC_CHECK(x.dtype == keys.dtype() && keys.elements() == values.elements(), invalid_model,
               "LabelEncoder of {} with {} keys of {} and {} values", name(x.dtype),
               keys.elements(), name(keys.dtype()), values.elements());
  TENREC_CHECK(fallback.dtype() == values.dtype() && fallback.elements() == 1, invalid_model,
               "LabelEncoder's default must be one {}", name(values.dtype()));
  return {x.ranked ? Type::tensor(values.dtype(), x.shape) : Type::unranked(values.dtype())};
}

Tensors LabelEncoder::eval(const Tensors& in) const {
  std::vector<int64_t> from;
  if (keys.dtype() == DType::string) {
    from = positions<std::string, std::less<>>(keys.strings(), in[0].strings());
  } else if (is_float(keys.dtype())) {
    from = positions<double, NanLast>(keys.to_doubles(), in[0].to_doubles());
  } else {
    from = positions<int64_t, std::less<>>(keys.to_ints(), in[0].to_ints());
  }
  return {moved(values, {in[0].dims(), std::move(from), 1}, fallback)};
}

Values LabelEncoder::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Value* input = context.input(0);
  TENREC_CHECK(input, invalid_model, "LabelEncoder needs an input");
  LabelEncoder op;
  if (node.has("classes_strings")) {
    // Version 1: the class's number for a name, the name for a number.
    const Tensor names = list(node, "classes");
    const Tensor numbers = Tensor::of(names.dims(), even_offsets(names.dims()[0], 1));
    const bool to_number = input->type.dtype == DType::string;
    op.keys = to_number ? names : numbers;
    op.values = to_number ? numbers : names;
  } else {
    op.keys = list(node, "keys");
    op.values = list(node, "values");
  }
  op.fallback = default_value(node, op.values.dtype());
  return context.add(op, {input});
}

}  // namespace tenrec
