// SPDX-License-Identifier: Apache-2.0
#include "ops/ml/features.h"

#include <cmath>
#include <limits>

#include "ops/composite/helpers.h"
#include "ops/concat.h"
#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/label_encoder.h"
#include "ops/ml/scores.h"
#include "ops/movement.h"
#include "ops/pad.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/squeeze.h"

namespace tenrec {
namespace {

Value* as_f32(OnnxContext& context, Value* x) {
  return x->type.dtype == DType::f32 ? x : context.one(Cast{.to = DType::f32}, {x});
}

Value* vector_of(OnnxContext& context, const std::vector<float>& values) {
  return context.constant(Tensor::of({static_cast<int64_t>(values.size())}, values));
}

// The position of each element in `keys`, or how many keys there are.
Value* position_in(OnnxContext& context, const Tensor& keys, Value* x) {
  const auto count = static_cast<int64_t>(keys.elements());
  LabelEncoder op;
  op.keys = keys;
  op.values = Tensor::of({count}, even_offsets(count, 1));
  op.fallback = Tensor::of<int64_t>({1}, {count});
  return context.one(op, {x});
}

}  // namespace

Values scaler(const OnnxNode& node, OnnxContext& context) {
  Value* x = as_f32(context, needed_input(context, 0, "the input"));
  if (node.has("offset")) x = context.one(Sub{}, {x, vector_of(context, node.numbers("offset"))});
  if (node.has("scale")) x = context.one(Mul{}, {x, vector_of(context, node.numbers("scale"))});
  return {x};
}

Values imputer(const OnnxNode& node, OnnxContext& context) {
  Value* x = needed_input(context, 0, "the input");
  const DType dtype = x->type.dtype;
  // Those for the other type have no effect.
  node.without_effect({"replaced_value_int64", "imputed_value_int64s", "replaced_value_float",
                       "imputed_value_floats"});
  if (is_float(dtype)) {
    const float replaced = node.number("replaced_value_float", 0);
    Value* found =
        std::isnan(replaced)
            ? context.one(IsNaN{}, {x})
            : context.one(Equal{}, {x, number(context, static_cast<double>(replaced), dtype)});
    const std::vector<float> values = node.numbers("imputed_value_floats");
    const std::vector<double> wide(values.begin(), values.end());
    Value* imputed =
        context.constant(Tensor::from_doubles(dtype, {static_cast<int64_t>(wide.size())}, wide));
    return context.add(Where{}, {found, imputed, x});
  }
  const int64_t replaced = node.integer("replaced_value_int64", 0);
  const std::vector<int64_t> values = node.integers("imputed_value_int64s");
  Value* wanted = context.constant(Tensor::from_ints(dtype, {}, {{replaced}}));
  Value* imputed =
      context.constant(Tensor::from_ints(dtype, {static_cast<int64_t>(values.size())}, values));
  return context.add(Where{}, {context.one(Equal{}, {x, wanted}), imputed, x});
}

Values normalizer(const OnnxNode& node, OnnxContext& context) {
  Value* x = as_f32(context, needed_input(context, 0, "the input"));
  const std::string norm = node.text("norm", "MAX");
  TENREC_CHECK(norm == "MAX" || norm == "L1" || norm == "L2", invalid_model,
               "norm is \"{}\", expected MAX, L1 or L2", norm);
  const ReduceKind kind = norm == "MAX"  ? ReduceKind::max
                          : norm == "L1" ? ReduceKind::l1
                                         : ReduceKind::l2;
  Value* size = add_reduce(context, kind, x, {-1});
  Value* is_zero = context.one(Equal{}, {size, number(context, 0, DType::f32)});
  Value* divisor = context.one(Where{}, {is_zero, number(context, 1, DType::f32), size});
  return context.add(Div{}, {x, divisor});
}

Values feature_vectorizer(const OnnxNode& node, OnnxContext& context) {
  const std::vector<int64_t> sizes = node.integers("inputdimensions");
  const Values inputs = context.inputs();
  TENREC_CHECK(sizes.empty() || sizes.size() == inputs.size(), invalid_model,
               "{} inputdimensions for {} inputs", sizes.size(), inputs.size());
  Values parts;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Value* x = as_f32(context, feature_matrix(context, inputs[i]));
    if (!sizes.empty() && x->type.shape[1] != Dim(sizes[i])) {
      TENREC_CHECK(x->type.shape[1].is_const(), unsupported,
                   "input {} is {}; its number of features must be known", i, x->type.str());
      const int64_t have = x->type.shape[1].value();
      x = sizes[i] < have
              ? context.one(Slice{},
                            {x, index_vector(context, {0}), index_vector(context, {sizes[i]}),
                             index_vector(context, {1})})
              : context.one(Pad{}, {x, index_vector(context, {0, 0, 0, sizes[i] - have})});
    }
    parts.push_back(x);
  }
  TENREC_CHECK(!parts.empty(), invalid_model, "there is no input");
  return context.add(Concat{1}, parts);
}

Values array_feature_extractor(const OnnxNode&, OnnxContext& context) {
  Value* x = needed_input(context, 0, "the input");
  Value* indices = needed_input(context, 1, "the indices");
  if (x->type.rank() == 1) x = context.one(Unsqueeze{}, {x, index_vector(context, {0})});
  Value* flat = context.one(Reshape{}, {indices, index_vector(context, {-1})});
  return context.add(Gather{-1}, {x, flat});
}

Values one_hot_encoder(const OnnxNode& node, OnnxContext& context) {
  Value* x = needed_input(context, 0, "the input");
  Tensor keys;
  if (node.has("cats_strings")) {
    std::vector<std::string> names = node.texts("cats_strings");
    const auto count = static_cast<int64_t>(names.size());
    keys = Tensor::of_strings({count}, std::move(names));
  } else {
    const std::vector<int64_t> numbers = node.integers("cats_int64s");
    TENREC_CHECK(!numbers.empty(), invalid_model, "there are no categories");
    keys = Tensor::of({static_cast<int64_t>(numbers.size())}, numbers);
  }
  if (keys.dtype() == DType::i64 && x->type.dtype != DType::i64)
    x = context.one(Cast{.to = DType::i64}, {x});
  // Rows of an identity matrix; a row of zeros behind them, or nothing, which is an error.
  const auto count = static_cast<int64_t>(keys.elements());
  const int64_t rows = count + (node.integer("zeros", 1) != 0 ? 1 : 0);
  std::vector<float> identity(static_cast<size_t>(rows * count), 0.0F);
  for (int64_t i = 0; i < count; ++i) identity[static_cast<size_t>(i * count + i)] = 1;
  Value* table = context.constant(Tensor::of({rows, count}, identity));
  return context.add(Gather{0}, {table, position_in(context, keys, x)});
}

Values binarizer(const OnnxNode& node, OnnxContext& context) {
  Value* x = needed_input(context, 0, "the input");
  const DType dtype = x->type.dtype;
  // Integers are compared as floats too: the threshold is one.
  const DType wide = dtype == DType::f32 ? DType::f32 : DType::f64;
  Value* compared = dtype == wide ? x : context.one(Cast{.to = wide}, {x});
  Value* threshold = number(context, static_cast<double>(node.number("threshold", 0)), wide);
  return context.add(Cast{.to = dtype}, {context.one(Greater{}, {compared, threshold})});
}

Values category_mapper(const OnnxNode& node, OnnxContext& context) {
  Value* x = needed_input(context, 0, "the input");
  std::vector<std::string> texts = node.texts("cats_strings");
  const std::vector<int64_t> numbers = node.integers("cats_int64s");
  const Dims dims{static_cast<int64_t>(numbers.size())};
  TENREC_CHECK(texts.size() == numbers.size() && !texts.empty(), invalid_model,
               "{} strings and {} integers to map", texts.size(), numbers.size());
  const Tensor names = Tensor::of_strings(dims, std::move(texts));
  const Tensor codes = Tensor::of(dims, numbers);
  const bool to_number = x->type.dtype == DType::string;
  LabelEncoder op;
  op.keys = to_number ? names : codes;
  op.values = to_number ? codes : names;
  node.without_effect({"default_int64", "default_string"});  // one of them
  op.fallback = to_number ? Tensor::of<int64_t>({1}, {node.integer("default_int64", -1)})
                          : Tensor::of_strings({1}, {node.text("default_string", "_Unused")});
  return context.add(op, {x});
}

}  // namespace tenrec
