// SPDX-License-Identifier: Apache-2.0
// The rules of `simplify`, by kind. All of them keep every output's type.
#pragma once
#include "passes/match.h"
#include "passes/pass.h"

namespace tenrec {

// Reshape, Flatten, Squeeze and Unsqueeze become one form of Reshape; chains fold.
std::vector<Rule> view_rules(const InputSymbols& symbols);
// Operators that move nothing go; chains of Transposes and Casts fold.
std::vector<Rule> movement_rules();
// Neutral operands, constants to the right, subtraction and exact division as addition and product.
std::vector<Rule> algebra_rules();

}  // namespace tenrec
