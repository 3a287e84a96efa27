// SPDX-License-Identifier: Apache-2.0
// Bodies become part of the graph around them.
#pragma once
#include <functional>

#include "ir/graph.h"

namespace tenrec {

// Replaces a node by one of its bodies, whose inputs are the node's from `first_input` on.
void inline_body(Graph& graph, Node* node, size_t body, size_t first_input);

// A copy of a node, of any graph, with these inputs.
Node* copy_node(Graph& graph, Node* before, const Node& node, Values inputs);

// Replaces every If whose condition is a constant by the branch it takes, at every depth. Types
// that become more precise with it reach the bodies of other Ifs. True if any was replaced.
bool inline_branches(Graph& graph);

// Lets `infer` give each branch of an If its types. A branch that cannot work with them (a Reshape
// at a profile's sizes, say) becomes an error that is raised if it runs; an Error if none works.
void infer_branches(const Node& node, const std::function<void(Graph& branch)>& infer);

// Re-infers all types, those of branches too.
void refine_types(Graph& graph);

// A branch with the inputs and outputs of another that raises `message` when it runs; an Error
// where an output has no rank.
std::unique_ptr<Graph> failing_branch(const Graph& other, const std::string& message);

}  // namespace tenrec
