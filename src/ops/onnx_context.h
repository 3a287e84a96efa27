// SPDX-License-Identifier: Apache-2.0
// What an operator's from_onnx may see and do; src/import implements it.
#pragma once
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "onnx/model.h"

namespace tenrec {

// Read-only view of one ONNX node with typed attribute access; a wrong attribute type is an Error.
// It remembers what was asked for: an attribute that nobody asks for has no effect, and the
// importer says so. Ask for whatever the schema of the node's opset knows.
class OnnxNode {
 public:
  OnnxNode(const onnx::Node& node, int64_t opset, const onnx::Model& model)
      : node_(node), opset_(opset), model_(model) {}
  std::string_view op_type() const;
  std::string_view domain() const;
  int64_t opset() const { return opset_; }  // version of the node's domain that the model imports
  size_t input_count() const;               // as written, trailing omitted inputs included
  size_t output_count() const;
  bool has_output(size_t i) const;  // written and named
  bool has(std::string_view attribute) const;
  int64_t integer(std::string_view name, int64_t fallback) const;
  int64_t integer(std::string_view name) const;  // required
  DType dtype(std::string_view name) const;      // required; a number of TensorProto.DataType
  DType dtype(std::string_view name, DType fallback) const;
  float number(std::string_view name, float fallback) const;
  std::string text(std::string_view name, std::string_view fallback) const;
  std::vector<int64_t> integers(std::string_view name, std::vector<int64_t> fallback = {}) const;
  std::optional<std::vector<int64_t>> maybe_integers(std::string_view name) const;
  std::vector<float> numbers(std::string_view name, std::vector<float> fallback = {}) const;
  std::vector<std::string> texts(std::string_view name) const;
  Tensor tensor(std::string_view name) const;                // required; sparse ones come dense
  const onnx::TypeProto* type(std::string_view name) const;  // null when not there
  std::shared_ptr<const onnx::Graph> graph(std::string_view name) const;  // required
  // Attributes that the schema knows and that change nothing here, whatever they say.
  void without_effect(std::initializer_list<std::string_view> names) const;
  std::vector<const onnx::Attribute*> unread() const;

 private:
  const onnx::Attribute* find(std::string_view name) const;
  const onnx::Attribute* find(std::string_view name, onnx::AttributeType type) const;
  const onnx::Node& node_;
  int64_t opset_;
  const onnx::Model& model_;
  mutable std::vector<bool> read_;  // by the position of the attribute; shorter: not asked for
};

// A tensor of the model as one of ours: a view into the mapped file where the encoding allows.
Tensor to_ir_tensor(const onnx::TensorProto& proto, const onnx::Model& model);
Tensor to_ir_tensor(const onnx::SparseTensor& proto, const onnx::Model& model);
// A declared type. `fresh_dims`: unknown sizes become symbols named after their label or `name`.
Type to_ir_type(const onnx::TypeProto& proto, std::string_view name);

class OnnxContext {
 public:
  virtual ~OnnxContext() = default;
  virtual Value* input(size_t i) = 0;  // null when omitted or not there
  virtual Values inputs() = 0;         // all, nulls kept, trailing nulls dropped
  // Adds a node at the end of the graph being built (origin: the ONNX node) and gives its outputs.
  virtual Values add(Op op, Values inputs) = 0;
  virtual Values add(Op op, Values inputs, std::vector<std::unique_ptr<Graph>> bodies) = 0;
  Value* one(Op op, Values inputs) { return add(std::move(op), std::move(inputs)).at(0); }
  virtual Value* constant(Tensor tensor) = 0;
  // The constant value of an input, if it is one (initialiser, Constant node or folded).
  virtual const Tensor* constant_of(Value* value) = 0;
  // Imports a graph attribute as a closed body. `captures` gets the outer values appended to the
  // node's inputs; the body's inputs are its formal inputs followed by the captures. All bodies
  // given together share one capture list.
  virtual std::vector<std::unique_ptr<Graph>> bodies(const std::vector<std::string>& attributes,
                                                     const std::vector<Types>& formal_inputs,
                                                     Values& captures) = 0;
  // Imports a graph attribute in place: its nodes join the graph being built, `inputs` are its
  // formal inputs. Gives its outputs.
  virtual Values inlined(const std::string& attribute, const Values& inputs) = 0;
};

}  // namespace tenrec
