// SPDX-License-Identifier: Apache-2.0
#include "import/order.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"

namespace tenrec {
namespace {

void add_once(std::vector<std::string_view>& names, std::unordered_set<std::string_view>& seen,
              std::string_view name) {
  if (!name.empty() && seen.insert(name).second) names.push_back(name);
}

}  // namespace

std::vector<std::string_view> names_read(const onnx::Node& node) {
  std::vector<std::string_view> names;
  std::unordered_set<std::string_view> seen;
  for (const std::string_view input : node.inputs) add_once(names, seen, input);
  for (const onnx::Attribute& attribute : node.attributes) {
    if (attribute.g) {
      for (const std::string_view name : names_read_outside(*attribute.g))
        add_once(names, seen, name);
    }
    for (const auto& graph : attribute.graphs) {
      for (const std::string_view name : names_read_outside(*graph)) add_once(names, seen, name);
    }
  }
  return names;
}

std::vector<std::string_view> names_read_outside(const onnx::Graph& graph) {
  std::unordered_set<std::string_view> defined;
  for (const onnx::ValueInfo& input : graph.inputs) defined.insert(input.name);
  for (const onnx::TensorProto& tensor : graph.initializers) defined.insert(tensor.name);
  for (const onnx::SparseTensor& tensor : graph.sparse_initializers)
    defined.insert(tensor.values.name);
  for (const onnx::Node& node : graph.nodes)
    defined.insert(node.outputs.begin(), node.outputs.end());
  std::vector<std::string_view> names;
  std::unordered_set<std::string_view> seen;
  for (const onnx::Node& node : graph.nodes) {
    for (const std::string_view name : names_read(node)) {
      if (!defined.count(name)) add_once(names, seen, name);
    }
  }
  for (const onnx::ValueInfo& output : graph.outputs) {
    if (!defined.count(output.name)) add_once(names, seen, output.name);
  }
  return names;
}

std::vector<size_t> topological_order(const std::vector<onnx::Node>& nodes) {
  std::unordered_map<std::string_view, size_t> producer;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string_view output : nodes[i].outputs) {
      if (!output.empty()) producer.emplace(output, i);
    }
  }
  std::vector<size_t> missing(nodes.size(), 0);
  std::vector<std::vector<size_t>> consumers(nodes.size());
  std::set<size_t> ready;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string_view name : names_read(nodes[i])) {
      const auto found = producer.find(name);
      if (found == producer.end()) continue;
      consumers[found->second].push_back(i);
      ++missing[i];
    }
    if (missing[i] == 0) ready.insert(i);
  }
  std::vector<size_t> order;
  while (!ready.empty()) {
    const size_t next = *ready.begin();
    ready.erase(ready.begin());
    order.push_back(next);
    for (const size_t consumer : consumers[next]) {
      if (--missing[consumer] == 0) ready.insert(consumer);
    }
  }
  if (order.size() == nodes.size()) return order;
  std::string names;
  int shown = 0;
  for (size_t i = 0; i < nodes.size() && shown < 4; ++i) {
    if (missing[i] == 0) continue;
    names +=
        fmt::format("{}\"{}\" ({})", names.empty() ? "" : ", ", nodes[i].name, nodes[i].op_type);
    ++shown;
  }
  fail(ErrorCode::invalid_model,
       "the graph has a cycle through nodes {}; ONNX graphs must be acyclic", names);
}

}  // namespace tenrec
