// SPDX-License-Identifier: Apache-2.0
#include "ops/ml/maps.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "ops/composite/helpers.h"
#include "ops/convert.h"
#include "ops/movement.h"

namespace tenrec {
namespace {

template <class Key>
std::map<Key, int64_t> positions(const std::vector<Key>& keys) {
  std::map<Key, int64_t> found;
  for (size_t i = 0; i < keys.size(); ++i) found[keys[i]] = static_cast<int64_t>(i);
  return found;
}

// For each of `wanted` its place in `keys`, or -1.
template <class Key>
std::vector<int64_t> places(const std::vector<Key>& wanted, const std::vector<Key>& keys) {
  const std::map<Key, int64_t> position = positions(keys);
  std::vector<int64_t> found;
  for (const Key& key : wanted) {
    const auto it = position.find(key);
    found.push_back(it == position.end() ? -1 : it->second);
  }
  return found;
}

std::vector<int64_t> places(const Tensor& wanted, const Tensor& keys) {
  if (wanted.dtype() == DType::string) return places(wanted.strings(), keys.strings());
  return places(wanted.to_ints(), keys.to_ints());
}

// Places of `keys` in ascending order of the keys; of equal ones the last.
std::vector<int64_t> ascending(const Tensor& keys) {
  std::vector<int64_t> order;
  const auto add = [&](const auto& position) {
    for (const auto& [key, place] : position) order.push_back(place);
  };
  if (keys.dtype() == DType::string) add(positions(keys.strings()));
  else add(positions(keys.to_ints()));
  return order;
}

Tensor picked(const Tensor& from, const std::vector<int64_t>& places) {
  return moved(from, {{static_cast<int64_t>(places.size())}, places, 1});
}

// The list in one of two attributes, of which a node must have exactly one.
Tensor keys_of(const OnnxNode& node, std::string_view texts, std::string_view numbers) {
  std::vector<std::string> names = node.texts(texts);
  const std::vector<int64_t> codes = node.integers(numbers);
  TENREC_CHECK(names.empty() != codes.empty(), invalid_model,
               "one of '{}' and '{}' must have keys; they have {} and {}", texts, numbers,
               names.size(), codes.size());
  if (names.empty()) return Tensor::of({static_cast<int64_t>(codes.size())}, codes);
  const Dims dims{static_cast<int64_t>(names.size())};
  return Tensor::of_strings(dims, std::move(names));
}

Tensor converted(const Tensor& values, DType to) {
  if (values.dtype() == DType::string || to == DType::string) {
    Convert op;
    op.to = to;
    return op.eval({values})[0];
  }
  return values.converted(to);
}

const Type& map_input(const Types& in, std::string_view op) {
  check_input_count(in, 1, 1, op);
  const bool is_map = in[0].kind == Type::Kind::map && in[0].element->kind == Type::Kind::tensor;
  TENREC_CHECK(is_map && (in[0].dtype == DType::i64 || in[0].dtype == DType::string), invalid_model,
               "the input of {} must be a map from i64 or string to scalars, got {}", op,
               in[0].str());
  return in[0];
}

}  // namespace

Types MapsOfRows::infer(const Types& in) const {
  const Type& x = tensor_input(in, 0, "ZipMap");
  TENREC_CHECK(x.dtype == DType::f32, invalid_model, "the input of ZipMap must be f32, got {}",
               x.str());
  TENREC_CHECK(keys.elements() == columns.size(), invalid_model, "{} keys of {} columns",
               keys.elements(), columns.size());
  TENREC_CHECK(!x.ranked || x.rank() == 1 || x.rank() == 2, invalid_model,
               "the input of ZipMap must have one or two axes, got {}", x.str());
  for (const int64_t column : columns) {
    const bool inside =
        column >= 0 && (!x.ranked || !x.shape.back().is_const() || column < x.shape.back().value());
    TENREC_CHECK(inside, invalid_model, "ZipMap has a key for column {}, its input is {}", column,
                 x.str());
  }
  return {Type::sequence_of(Type::map_of(keys.dtype(), Type::tensor(DType::f32, {})))};
}

Data MapsOfRows::eval_data(const Data& in) const {
  const Tensor& x = in.at(0).tensor;
  const bool is_sound = x.dtype() == DType::f32 && (x.rank() == 1 || x.rank() == 2);
  TENREC_CHECK(is_sound && keys.elements() == columns.size(), invalid_input,
               "ZipMap of {}{} with {} keys", name(x.dtype()), to_string(x.dims()),
               keys.elements());
  const int64_t width = x.dims().back(), rows = x.rank() == 2 ? x.dims()[0] : 1;
  for (const int64_t column : columns) (void)checked_index(column, width, "a row of ZipMap");
  Data maps;
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<int64_t> from = columns;
    for (int64_t& column : from) column += row * width;
    maps.push_back(Datum::map_of(keys, picked(x, from)));
  }
  return {Datum::sequence(std::move(maps))};
}

Values MapsOfRows::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Value* x = needed_input(context, 0, "the scores");
  const Tensor labels = keys_of(node, "classlabels_strings", "classlabels_int64s");
  if (x->type.ranked && x->type.rank() > 0 && x->type.shape.back().is_const()) {
    TENREC_CHECK(x->type.shape.back().value() == static_cast<int64_t>(labels.elements()),
                 invalid_model, "{} labels for {}", labels.elements(), x->type.str());
  }
  MapsOfRows op;
  op.columns = ascending(labels);
  op.keys = picked(labels, op.columns);
  return context.add(op, {x});
}

Types MapValues::infer(const Types& in) const {
  const Type& map = map_input(in, "map_values");
  TENREC_CHECK(all || keys.dtype() == map.dtype, invalid_model, "keys of {} looked up in {}",
               name(keys.dtype()), map.str());
  const auto count = static_cast<int64_t>(keys.elements());
  return {Type::tensor(to, {Dim(1), all ? Dim::fresh("values") : Dim(count)})};
}

Data MapValues::eval_data(const Data& in) const {
  TENREC_CHECK(in.at(0).kind == Datum::Kind::map, invalid_input, "map_values needs a map");
  const Tensor& own = in[0].elements[0].tensor;
  TENREC_CHECK(all || own.dtype() == keys.dtype(), invalid_input,
               "keys of {} looked up in a map of {}", name(keys.dtype()), name(own.dtype()));
  const Tensor values = converted(in[0].elements[1].tensor, to);
  const Tensor found = picked(values, all ? ascending(own) : places(keys, own));
  return {found.reshaped({1, found.dims()[0]})};
}

Values cast_map(const OnnxNode& node, OnnxContext& context) {
  Value* map = needed_input(context, 0, "the map");
  const std::string to = node.text("cast_to", "TO_FLOAT"), form = node.text("map_form", "DENSE");
  static const std::map<std::string, DType> targets{
      {"TO_FLOAT", DType::f32}, {"TO_INT64", DType::i64}, {"TO_STRING", DType::string}};
  TENREC_CHECK(targets.contains(to), invalid_model,
               "cast_to is '{}', TO_FLOAT, TO_INT64 or TO_STRING is needed", to);
  TENREC_CHECK(form == "DENSE" || form == "SPARSE", invalid_model,
               "map_form is '{}', DENSE or SPARSE is needed", form);
  const int64_t length = form == "SPARSE" ? node.integer("max_map", 1) : 0;
  TENREC_CHECK(length >= (form == "SPARSE" ? 1 : 0), invalid_model,
               "max_map is {}, a sparse map needs a length of at least 1", length);
  MapValues op;
  op.all = form == "DENSE";
  op.keys = Tensor::of({length}, even_offsets(length, 1));
  op.to = targets.at(to);
  return context.add(op, {map});
}

Values dict_vectorizer(const OnnxNode& node, OnnxContext& context) {
  Value* map = needed_input(context, 0, "the map");
  TENREC_CHECK(map->type.kind == Type::Kind::map && map->type.element, invalid_model,
               "the input of DictVectorizer must be a map, got {}", map->type.str());
  MapValues op;
  op.keys = keys_of(node, "string_vocabulary", "int64_vocabulary");
  op.to = map->type.element->dtype;
  return context.add(op, {map});
}

}  // namespace tenrec
