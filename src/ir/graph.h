// SPDX-License-Identifier: Apache-2.0
// Graphs of nodes in topological order. Bodies (If, Loop, Scan, Fused) are closed: a body reads
// only its own inputs; what ONNX lets it capture from outside is passed as extra inputs of the
// node.
#pragma once
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "ir/op.h"

namespace tenrec {

class Node;

struct Use {
  Node* node = nullptr;  // null: a graph output
  size_t index = 0;      // input index of the node, or output index of the graph
  bool operator==(const Use&) const = default;
};

class Value {
 public:
  Type type;
  std::string name;  // from the model, or empty; unique only if it came so

  Node* producer() const { return producer_; }  // null: a graph input
  size_t index() const { return index_; }       // output index of the producer / graph input index
  const std::vector<Use>& uses() const { return uses_; }
  const Tensor* constant() const;  // the tensor if produced by a Constant

 private:
  friend class Node;
  friend class Graph;
  Node* producer_ = nullptr;
  size_t index_ = 0;
  std::vector<Use> uses_;
};

class Node {
 public:
  const Op& op() const { return op_; }
  template <class T>
  const T* as() const {
    return op_.as<T>();
  }
  const Values& inputs() const { return inputs_; }
  Value* input(size_t i) const { return i < inputs_.size() ? inputs_[i] : nullptr; }
  size_t output_count() const { return outputs_.size(); }
  Value* output(size_t i = 0) const { return outputs_[i].get(); }
  Values outputs() const;
  size_t body_count() const { return bodies_.size(); }
  Graph& body(size_t i) const { return *bodies_[i]; }
  std::vector<const Graph*> bodies() const;
  Types input_types() const;
  Graph* graph() const { return graph_; }
  // Names of the ONNX nodes this came from, for messages and profiling.
  const std::vector<std::string>& origins() const { return origins_; }
  std::string describe() const;  // `"conv_12" (conv)`
  Node* next() const;            // in graph order, null at the end

 private:
  friend class Graph;
  Op op_;
  Values inputs_;
  std::vector<std::unique_ptr<Value>> outputs_;
  std::vector<std::unique_ptr<Graph>> bodies_;
  std::vector<std::string> origins_;
  Graph* graph_ = nullptr;
  std::list<std::unique_ptr<Node>>::iterator position_;
};

class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  const std::list<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  Node* front() const { return nodes_.empty() ? nullptr : nodes_.front().get(); }
  const std::vector<std::unique_ptr<Value>>& inputs() const { return inputs_; }
  const Values& outputs() const { return outputs_; }
  const std::vector<std::string>& output_names() const { return output_names_; }

  Value* add_input(std::string name, Type type);
  void add_output(Value* value, std::string name = {});
  void set_output(size_t index, Value* value);
  void remove_output(size_t index);
  void remove_input(size_t index);  // must have no uses

  // Adds a node before `before` (null: at the end) and infers its types. Errors name the node.
  Node* insert(Node* before, Op op, Values inputs, std::vector<std::unique_ptr<Graph>> bodies = {},
               std::vector<std::string> origins = {});
  Value* constant(Node* before, Tensor tensor);
  void replace_uses(Value* old_value, Value* new_value);
  void set_input(Node* node, size_t index, Value* value);
  void move(Node* node, Node* before);  // in the order (null: to the end)
  void set_op(Node* node, Op op);       // same inputs and outputs; types are stale until reinfer
  void erase(Node* node);               // its outputs must have no uses
  bool remove_dead();                   // nodes without uses or side effects; true if any
  // Re-infers every type from the inputs' (after a dim substitution or changed input types).
  void reinfer();
  std::unique_ptr<Graph> clone() const;

 private:
  std::list<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Value>> inputs_;
  Values outputs_;
  std::vector<std::string> output_names_;
};

void verify(const Graph& graph);        // an internal Error names the broken rule and node
std::string print(const Graph& graph);  // the text form
// Reads what print writes. Constants above 64 elements are printed as `@name` and found in
// `weights`.
std::unique_ptr<Graph> parse_graph(std::string_view text,
                                   const std::map<std::string, Tensor>& weights = {});
std::map<std::string, Tensor> printed_weights(const Graph& graph);  // what the `@name`s stand for

// What passes use to change a graph: insert/replace relative to a node, origins carried along.
class Rewriter {
 public:
  explicit Rewriter(Graph& graph) : graph_(graph) {}
  Graph& graph() { return graph_; }
  // New nodes go right before `at` and inherit its origins.
  Value* insert(const Node& at, Op op, Values inputs);
  Node* insert_node(const Node& at, Op op, Values inputs,
                    std::vector<std::unique_ptr<Graph>> bodies = {});
  Value* constant(const Node& at, Tensor tensor);
  void replace(const Node& node, Op op, Values inputs);  // all outputs, one node for another
  void replace(const Node& node, const Values& values);  // outputs taken over by values
  int64_t rewrites() const { return rewrites_; }

 private:
  Graph& graph_;
  int64_t rewrites_ = 0;
};

}  // namespace tenrec
