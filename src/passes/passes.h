// SPDX-License-Identifier: Apache-2.0
// Every pass, in the order of pipeline.cpp.
#pragma once
#include "passes/pass.h"

namespace tenrec {

void fold_constants(Graph& graph);
void continue_branches(Graph& graph);
void simplify(Graph& graph);
void recognise(Graph& graph);
void transposes(Graph& graph);
void fold_affine(Graph& graph);
void common_subexpressions(Graph& graph);

}  // namespace tenrec
