// SPDX-License-Identifier: Apache-2.0
// Maps from integers or strings to scalars: what scikit-learn's classifiers give, and its
// vectorisers take.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// A sequence of maps, one a row of f32[N, C] (one in all of f32[C]): in each, column `columns[i]`
// belongs to keys[i]. Keys are ascending.
struct MapsOfRows {
  Tensor keys;
  std::vector<int64_t> columns;
  static auto fields(auto& s) {
    return std::tuple{field(1, "keys", s.keys), field(2, "columns", s.columns)};
  }
  static constexpr std::string_view onnx_name = "ai.onnx.ml::ZipMap";
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(MapsOfRows, "maps_of_rows")

// The values of a map as [1, C]: those of `keys` (zero or an empty string where the map has no such
// key), or all of them in the order of their keys.
struct MapValues {
  bool all = false;
  Tensor keys;
  DType to = DType::f32;  // values are converted
  static auto fields(auto& s) {
    return std::tuple{field(1, "all", s.all), field(2, "keys", s.keys), field(3, "to", s.to)};
  }
  static constexpr std::string_view onnx_name = "";
  static constexpr bool data_dependent = true;
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const;
};
TENREC_OP(MapValues, "map_values")

Values cast_map(const OnnxNode& node, OnnxContext& context);
Values dict_vectorizer(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("ai.onnx.ml::CastMap", cast_map)
TENREC_ONNX("ai.onnx.ml::DictVectorizer", dict_vectorizer)

}  // namespace tenrec
