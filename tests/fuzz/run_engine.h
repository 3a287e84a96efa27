// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op.h"
#include "tenrec/engine.h"

namespace tenrec::test {

// Runs with these inputs; those that are missing or don't fit the engine (it may be a damaged one)
// are made up. Reads all outputs.
void run_on(const Engine& engine, Context& context, const Data& inputs);

}  // namespace tenrec::test
