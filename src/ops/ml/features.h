// SPDX-License-Identifier: Apache-2.0
// What ai.onnx.ml does to features before a model sees them, built from other operators.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

Values scaler(const OnnxNode& node, OnnxContext& context);
Values imputer(const OnnxNode& node, OnnxContext& context);
Values normalizer(const OnnxNode& node, OnnxContext& context);
Values feature_vectorizer(const OnnxNode& node, OnnxContext& context);
Values array_feature_extractor(const OnnxNode& node, OnnxContext& context);
Values one_hot_encoder(const OnnxNode& node, OnnxContext& context);
Values binarizer(const OnnxNode& node, OnnxContext& context);
Values category_mapper(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("ai.onnx.ml::Scaler", scaler)
TENREC_ONNX("ai.onnx.ml::Imputer", imputer)
TENREC_ONNX("ai.onnx.ml::Normalizer", normalizer)
TENREC_ONNX("ai.onnx.ml::FeatureVectorizer", feature_vectorizer)
TENREC_ONNX("ai.onnx.ml::ArrayFeatureExtractor", array_feature_extractor)
TENREC_ONNX("ai.onnx.ml::OneHotEncoder", one_hot_encoder)
TENREC_ONNX("ai.onnx.ml::Binarizer", binarizer)
TENREC_ONNX("ai.onnx.ml::CategoryMapper", category_mapper)

}  // namespace tenrec
