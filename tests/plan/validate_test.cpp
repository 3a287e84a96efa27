// SPDX-License-Identifier: Apache-2.0
#include "plan/validate.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "common/sample_plans.h"

namespace tenrec::plan {
namespace {

std::string error_of(const Plan& plan, const std::vector<Weight>& weights) {
  try {
    validate_plan(plan, weights, "plan 0");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_engine);
    return error.what();
  }
  return "";
}

void expect_refused(const EngineParts& parts, const std::string& message,
                    const std::function<void(Plan&)>& change) {
  Plan plan = parts.plans[0];
  EXPECT_EQ(error_of(plan, parts.weights.weights()), "");
  change(plan);
  const std::string got = error_of(plan, parts.weights.weights());
  EXPECT_NE(got.find(message), std::string::npos) << "wanted: " << message << "\ngot: " << got;
}

TEST(Validate, SamplesAreValid) {
  for (const EngineParts& parts :
       {add_engine(16), add_engine(unbounded), nonzero_engine(), body_engine(), view_engine()})
    EXPECT_EQ(error_of(parts.plans[0], parts.weights.weights()), "");
}

TEST(Validate, Indices) {
  const EngineParts parts = add_engine(16);
  expect_refused(parts, "plan 0: symbol 0: index: the plan has no input 9",
                 [](Plan& p) { p.symbols[0].index = 9; });
  expect_refused(parts, "symbol 1: element: input 1 has no dim 2",
                 [](Plan& p) { p.symbols[1].element = 2; });
  expect_refused(parts, "symbol 0: lower 5 is above upper 4", [](Plan& p) {
    p.symbols[0].lower = 5;
    p.symbols[0].upper = 4;
  });
  expect_refused(parts, "dim instruction 2: a: slot 99", [](Plan& p) { p.program[2].a = 99; });
  expect_refused(parts, "dim instruction 2: b: slot 4", [](Plan& p) { p.program[2].b = 4; });
  expect_refused(parts, "dim instruction 0: op: 77", [](Plan& p) { p.program[0].op = DimOp{77}; });
  expect_refused(parts, "check 0: b: slot -1", [](Plan& p) { p.checks[0].b = none; });
  expect_refused(parts, "value 2: index: the engine has no weight 5",
                 [](Plan& p) { p.values[2].index = 5; });
  expect_refused(parts, "value 0: index: it is not input 1",
                 [](Plan& p) { p.values[0].index = 1; });
  expect_refused(parts, "value 3: dims: slot 1000", [](Plan& p) { p.values[3].dims[0] = 1000; });
  expect_refused(parts, "value 3: dtype: 99", [](Plan& p) { p.values[3].dtype = DType{99}; });
  expect_refused(parts, "step 1: inputs: value 77", [](Plan& p) { p.steps[1].inputs[0] = 77; });
  expect_refused(parts, "step 1: bodies: the plan has no body 0",
                 [](Plan& p) { p.steps[1].bodies = {0}; });
  expect_refused(parts, "inputs: one value is two inputs", [](Plan& p) {
    p.inputs[1] = p.inputs[0];
    p.values[1].storage = Storage::arena;
    p.values[0].storage = Storage::host;
  });
  expect_refused(parts, "ranges: there must be one", [](Plan& p) { p.ranges.pop_back(); });
}

TEST(Validate, OrderOfReadsAndWrites) {
  const EngineParts parts = add_engine(16);
  expect_refused(parts, "step 0: reads value 4 (\"v4\"), which nothing has written yet",
                 [](Plan& p) { p.steps[0].inputs[0] = 4; });
  expect_refused(parts, "step 2: writes value 3, as step 0 does",
                 [](Plan& p) { p.steps[2].outputs[0] = 3; });
  expect_refused(parts, "step 2: writes value 2 (\"v2\"), which is read-only",
                 [](Plan& p) { p.steps[2].outputs[0] = 2; });
  expect_refused(parts, "step 2: writes value 0 (\"v0\"), which is read-only",
                 [](Plan& p) { p.steps[2].outputs[0] = 0; });
  expect_refused(parts, "which nothing has written yet", [](Plan& p) { p.steps.pop_back(); });
  expect_refused(nonzero_engine(), "whose size is not known yet", [](Plan& p) {
    p.steps[0].scratch = 1;  // K, which step 0 itself decides
    p.steps[0].inputs[0] = 0;
    std::swap(p.steps[0], p.steps[1]);
    p.symbols[1].index = 1;
    p.steps[0].inputs[0] = 0;
  });
}

TEST(Validate, SizesAndPlacement) {
  const EngineParts parts = add_engine(16);
  expect_refused(parts, "value 3: arena_offset: 192 bytes at 448 do not lie inside the arena",
                 [](Plan& p) { p.values[3].arena_offset = 448; });
  expect_refused(parts, "value 3: arena_offset: 192 bytes at 3",
                 [](Plan& p) { p.values[3].arena_offset = 3; });
  expect_refused(parts, "are alive at once and share memory", [](Plan& p) {
    p.values[3].arena_offset = 0;
    p.values[4].arena_offset = 64;
  });
  expect_refused(parts, "arena_bytes: -2", [](Plan& p) { p.arena_bytes = -2; });
  expect_refused(parts, "fit into weight 0 of 12 bytes", [](Plan& p) {
    for (DimInstruction& in : p.program)
      if (in.op == DimOp::constant && in.constant == 3) in.constant = 4;
  });
  expect_refused(parts, "does not fit into 64 bits", [](Plan& p) {
    p.program.push_back({DimOp::constant, none, none, INT64_MAX});
    const auto slot = static_cast<int32_t>(p.symbols.size() + p.program.size() - 1);
    p.program.push_back({DimOp::mul, slot, slot, 0});
  });
  expect_refused(view_engine(), "index: the chain of aliases has no end", [](Plan& p) {
    for (ValueDef& value : p.values)
      if (value.storage == Storage::alias)
        value.index = static_cast<int32_t>(&value - p.values.data());
  });
  expect_refused(view_engine(), "do not fill the dims", [](Plan& p) {
    for (ValueDef& value : p.values)
      if (value.storage == Storage::dims) value.elements.push_back(0);
  });
}

TEST(Validate, StringConstants) {
  EngineParts parts = add_engine(16);
  Plan& plan = parts.plans[0];
  ValueDef text;
  text.dtype = DType::string;
  text.storage = Storage::host;
  plan.values.push_back(text);
  const auto value = static_cast<int32_t>(plan.values.size() - 1);
  plan.strings.push_back({value, {2}, {"a", "b"}});
  expect_refused(parts, "string constant 0: value: value 99",
                 [](Plan& p) { p.strings[0].value = 99; });
  expect_refused(parts, "string constant 0: value: 0 holds no strings",
                 [](Plan& p) { p.strings[0].value = 0; });
  for (const std::vector<int64_t>& dims : {std::vector<int64_t>{3}, {-1, -2}, {INT64_MAX, 4, 2}})
    expect_refused(parts, "is not the shape of 2 strings",
                   [&](Plan& p) { p.strings[0].dims = dims; });
  expect_refused(parts, fmt::format("value {} is an input or has two contents", value),
                 [](Plan& p) { p.strings.push_back(p.strings[0]); });
  expect_refused(parts, fmt::format("writes value {}, which is an input or a constant", value),
                 [&](Plan& p) { p.steps[0].outputs.push_back(value); });
}

TEST(Validate, DefinesAndBodies) {
  expect_refused(nonzero_engine(), "symbol 1: step 1 has no define 0",
                 [](Plan& p) { p.symbols[1].index = 1; });
  expect_refused(nonzero_engine(), "step 0: defines[0].axis: output 0 has no dim 1",
                 [](Plan& p) { p.steps[0].defines[0].axis = 1; });
  expect_refused(body_engine(), "body 0: symbol 2: index: slot 500",
                 [](Plan& p) { p.bodies[0].symbols[2].index = 500; });
  expect_refused(body_engine(), "only bodies read slots",
                 [](Plan& p) { p.symbols[0].source = SymbolSource::outer; });
  expect_refused(body_engine(), "bodies are nested more than", [](Plan& p) {
    const Plan inner = p.bodies[0];
    for (int depth = 0; depth < max_body_depth + 2; ++depth) {
      Plan* at = &p;
      while (!at->bodies.empty()) at = &at->bodies[0];
      at->bodies.push_back(inner);
    }
  });
}

}  // namespace
}  // namespace tenrec::plan
