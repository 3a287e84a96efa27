// SPDX-License-Identifier: Apache-2.0
// An onnx::Model becomes a Graph: names resolved, functions inlined, subgraphs closed, initialisers
// as constants that stay views into the mapped file, every node's types inferred.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "onnx/model.h"

namespace tenrec {

struct ImportOptions {
  // Not null: problems are collected here, all of them, and nodes that depend on a broken one are
  // passed over; import then gives no graph. Null: the first problem is thrown.
  std::vector<std::string>* problems = nullptr;
};

struct ImportedModel {
  std::unique_ptr<Graph> graph;    // null when there were problems
  std::vector<std::string> notes;  // odd but allowed: overridable initialisers, unused opsets, ...
};

ImportedModel import_model(const onnx::Model& model, const ImportOptions& options = {});

}  // namespace tenrec
