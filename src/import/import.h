// SPDX-License-Identifier: Apache-2.0
// An onnx::Model becomes a Graph: names resolved, functions inlined, subgraphs closed, initialisers
// as constants that stay views into the mapped file, every node's types inferred.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "onnx/model.h"
#include "tenrec/error.h"

namespace tenrec {

// A reason why a model cannot be imported.
struct ImportProblem {
  ErrorCode code = ErrorCode::internal;
  std::string text;  // what a thrown Error would say
  // Of the node it is about, where it is about one:
  std::string node, op;  // as messages name them
  int64_t opset = 0;     // 0: its domain is not imported
  std::string inputs;    // "x: f32[2, 3], w: f32[4, 5]"
  std::string reason;    // `text` without the node
  int main_node = -1;    // the node of the main graph that it is or lies in, by its position
};

struct ImportOptions {
  // Not null: problems are collected here, all of them, and nodes that depend on a broken one are
  // passed over; import then gives no graph. Null: the first problem is thrown.
  std::vector<ImportProblem>* problems = nullptr;
};

struct ImportedModel {
  std::unique_ptr<Graph> graph;       // null when there were problems
  std::vector<std::string> notes;     // odd but allowed: overridable initialisers
  std::vector<std::string> warnings;  // said by the model, not heeded: attributes nobody reads
};

ImportedModel import_model(const onnx::Model& model, const ImportOptions& options = {});

}  // namespace tenrec
