// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "onnx/model.h"

namespace tenrec::onnx {

// A file is untrusted: it must not make us recurse or allocate without bound.
struct ReadLimits {
  int depth = 200;                     // nested messages; a graph in a node takes three
  uint64_t items = uint64_t{1} << 24;  // nodes, attributes, tensors, names, dims... in all
  uint64_t name_bytes = uint64_t{1} << 16;
};

// Maps the file and reads it in place; external data is looked for in its folder. Anything wrong is
// an Error naming the file, the field ("graph.node[3].attribute[0].t") and the byte offset.
Model read_model(const std::filesystem::path& path, const ReadLimits& limits = {});

// The same from memory that `owner` keeps alive. An empty folder: external data is an Error.
Model read_model(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                 const std::filesystem::path& folder = {}, const ReadLimits& limits = {});

// A value by itself, as test data keeps them: a TensorProto, SequenceProto, OptionalProto or
// MapProto.
struct ValueProto {
  TypeProto::Kind kind = TypeProto::Kind::none;
  TensorProto tensor;                // kind tensor
  std::vector<ValueProto> elements;  // sequence: all; optional: zero or one; map: of each key
  std::vector<int64_t> keys;         // map: one of the two
  std::vector<std::string_view> string_keys;
};

// The file does not say what it holds, `type` does. Views into `bytes`.
ValueProto read_value(std::span<const std::byte> bytes, const TypeProto& type,
                      const ReadLimits& limits = {});

}  // namespace tenrec::onnx
