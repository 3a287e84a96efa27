// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include "onnx/model.h"

namespace tenrec {

// Names a node reads: its inputs and whatever its subgraphs read from outside themselves.
std::vector<std::string_view> names_read(const onnx::Node& node);
// Names a graph reads but does not define, each once, in order of first use.
std::vector<std::string_view> names_read_outside(const onnx::Graph& graph);

// The nodes' order with every producer before its consumers, as close to the file's as can be (ONNX
// asks for sorted nodes, not every exporter keeps to it). A cycle is an Error that names its nodes.
std::vector<size_t> topological_order(const std::vector<onnx::Node>& nodes);

}  // namespace tenrec
