// SPDX-License-Identifier: Apache-2.0
// The rules of `recognise`, by kind.
#pragma once
#include "passes/match.h"
#include "passes/pass.h"

namespace tenrec {

std::vector<Rule> activation_rules();
std::vector<Rule> normalisation_rules();
std::vector<Rule> lookup_rules();
std::vector<Rule> composition_rules();
std::vector<Rule> scan_rules();

}  // namespace tenrec
