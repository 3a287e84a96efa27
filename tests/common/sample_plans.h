// SPDX-License-Identifier: Apache-2.0
// Small plans written by hand, for tests of plan/ and runtime/. Their families are those of
// test_device.h.
#pragma once
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plan/dims.h"
#include "plan/engine_file.h"
#include "plan/memory.h"
#include "plan/plan.h"

namespace tenrec::plan {

// Symbols first, then everything else.
class PlanMaker {
 public:
  int32_t symbol(SymbolDef def) {
    plan.symbols.push_back(std::move(def));
    return static_cast<int32_t>(plan.symbols.size() - 1);
  }
  int32_t input_dim(std::string name, int32_t input, int32_t axis, int64_t upper) {
    return symbol({std::move(name), SymbolSource::input_dim, input, axis, 1, upper});
  }
  int32_t constant(int64_t value) { return add({DimOp::constant, none, none, value}); }
  int32_t op(DimOp op, int32_t a, int32_t b) { return add({op, a, b, 0}); }
  int32_t bytes(DType dtype, const std::vector<int32_t>& dims) {
    int32_t result = constant(static_cast<int64_t>(byte_size(dtype, 1)));
    for (const int32_t dim : dims) result = op(DimOp::mul, result, dim);
    return result;
  }
  // A value of the arena; `upper` as ValueDef::upper_bytes.
  int32_t value(DType dtype, std::vector<int32_t> dims, int64_t upper = unbounded) {
    ValueDef value;
    value.name = "v" + std::to_string(plan.values.size());
    value.dtype = dtype;
    value.bytes = bytes(dtype, dims);
    value.dims = std::move(dims);
    value.upper_bytes = upper;
    plan.values.push_back(std::move(value));
    return static_cast<int32_t>(plan.values.size() - 1);
  }
  int32_t input(DType dtype, std::vector<int32_t> dims, Range range, Range values = {}) {
    const int32_t id = value(dtype, std::move(dims));
    plan.values.back().storage = Storage::input;
    plan.values.back().index = static_cast<int32_t>(plan.inputs.size());
    plan.inputs.push_back(id);
    plan.ranges.push_back(std::move(range));
    plan.value_ranges.push_back(std::move(values));
    return id;
  }
  int32_t output(DType dtype, std::vector<int32_t> dims) {
    const int32_t id = value(dtype, std::move(dims));
    plan.values.back().storage = Storage::output;
    plan.values.back().index = static_cast<int32_t>(plan.outputs.size());
    plan.outputs.push_back(id);
    return id;
  }
  int32_t weight(const std::vector<Weight>& weights, int32_t index) {
    std::vector<int32_t> dims;
    for (const int64_t dim : weights[static_cast<size_t>(index)].dims)
      dims.push_back(constant(dim));
    const int32_t id = value(weights[static_cast<size_t>(index)].dtype, dims);
    plan.values.back().storage = Storage::weight;
    plan.values.back().index = index;
    return id;
  }
  int32_t alias(int32_t base, DType dtype, std::vector<int32_t> dims, int32_t offset = none) {
    const int32_t id = value(dtype, std::move(dims));
    plan.values.back().storage = Storage::alias;
    plan.values.back().index = base;
    plan.values.back().offset = offset;
    return id;
  }
  Step& step(std::string family, std::vector<int32_t> inputs, std::vector<int32_t> outputs) {
    Step step;
    step.origins = {family + "_" + std::to_string(plan.steps.size())};
    step.family = std::move(family);
    step.inputs = std::move(inputs);
    step.outputs = std::move(outputs);
    plan.steps.push_back(std::move(step));
    return plan.steps.back();
  }

  Plan plan;

 private:
  int32_t add(DimInstruction instruction) {
    plan.program.push_back(instruction);
    return static_cast<int32_t>(plan.symbols.size() + plan.program.size() - 1);
  }
};

inline Binding binding(std::string name, DType dtype, std::vector<std::string> dims) {
  Binding result;
  result.name = std::move(name);
  result.dtype = dtype;
  result.dims = std::move(dims);
  return result;
}

// z = (x + y) + (x + y) + w, all f32[N, 3] but w, which is f32[3]; N up to `upper` or open.
inline EngineParts add_engine(int64_t upper) {
  EngineParts parts;
  parts.meta.target = "test";
  parts.meta.builder_version = "test";
  parts.io.inputs = {binding("x", DType::f32, {"N", "3"}), binding("y", DType::f32, {"N", "3"})};
  parts.io.outputs = {binding("z", DType::f32, {"N", "3"})};
  auto data = std::make_shared<std::vector<float>>(std::vector<float>{10, 20, 30});
  const int32_t weight =
      parts.weights.add(DType::f32, {3}, std::as_bytes(std::span<const float>(*data)), data);

  PlanMaker maker;
  const int32_t n = maker.input_dim("N", 0, 0, upper);
  const int32_t m = maker.input_dim("M", 1, 0, upper);
  const int32_t three = maker.constant(3);
  const int64_t bytes = upper == unbounded ? unbounded : upper * 12;
  const Range range{{1, 3}, {upper == unbounded ? 4 : upper, 3}, {upper, 3}};
  const int32_t x = maker.input(DType::f32, {n, three}, range);
  const int32_t y = maker.input(DType::f32, {m, three}, range);
  const int32_t w = maker.weight(parts.weights.weights(), weight);
  const int32_t sum = maker.value(DType::f32, {n, three}, bytes);
  const int32_t twice = maker.value(DType::f32, {n, three}, bytes);
  const int32_t z = maker.output(DType::f32, {n, three});
  maker.plan.checks.push_back({Relation::equal, n, m, "\"add\": x and y must have as many rows"});
  maker.step("add", {x, y}, {sum});
  maker.step("add", {sum, sum}, {twice}).scratch = maker.constant(100);
  maker.plan.steps.back().scratch_upper = 100;
  maker.step("add", {twice, w}, {z});
  plan_memory(maker.plan);
  parts.plans.push_back(std::move(maker.plan));
  return parts;
}

// indices = nonzero(x) (i64[K]); copied = copy(indices); last = copy(copied)   of x f32[N]
inline EngineParts nonzero_engine() {
  EngineParts parts;
  parts.meta.target = "test";
  parts.io.inputs = {binding("x", DType::f32, {"N"})};
  parts.io.outputs = {binding("indices", DType::i64, {"K"}), binding("last", DType::i64, {"K"})};
  PlanMaker maker;
  const int32_t n = maker.input_dim("N", 0, 0, unbounded);
  const int32_t k = maker.symbol({"K", SymbolSource::step, 0, 0, 0, unbounded});
  const int32_t x = maker.input(DType::f32, {n}, {{1}, {8}, {unbounded}});
  const int32_t found = maker.value(DType::i64, {k});
  const int32_t copied = maker.value(DType::i64, {k});
  const int32_t indices = maker.output(DType::i64, {k});
  const int32_t last = maker.output(DType::i64, {k});
  maker.step("nonzero", {x}, {found}).defines = {{k, 0, 0}};
  maker.step("copy", {found}, {indices});
  maker.step("copy", {found}, {copied});
  maker.step("copy", {copied}, {last});
  parts.plans.push_back(std::move(maker.plan));
  return parts;
}

// z = body(x, y) where body(a, b) = a + b, with a symbol of the enclosing plan; x, y: f32[N]
inline EngineParts body_engine() {
  EngineParts parts;
  parts.meta.target = "test";
  parts.io.inputs = {binding("x", DType::f32, {"N"}), binding("y", DType::f32, {"N"})};
  parts.io.outputs = {binding("z", DType::f32, {"N"})};
  PlanMaker body;
  const int32_t a_dim = body.input_dim("A", 0, 0, unbounded);
  const int32_t b_dim = body.input_dim("B", 1, 0, unbounded);
  body.symbol({"N", SymbolSource::outer, 0, 0, 0, unbounded});
  const int32_t a = body.input(DType::f32, {a_dim}, {{1}, {1}, {unbounded}});
  const int32_t b = body.input(DType::f32, {b_dim}, {{1}, {1}, {unbounded}});
  const int32_t sum = body.output(DType::f32, {a_dim});
  body.step("add", {a, b}, {sum});

  PlanMaker maker;
  const int32_t n = maker.input_dim("N", 0, 0, unbounded);
  const int32_t m = maker.input_dim("M", 1, 0, unbounded);
  const Range range{{1}, {8}, {unbounded}};
  const int32_t x = maker.input(DType::f32, {n}, range);
  const int32_t y = maker.input(DType::f32, {m}, range);
  const int32_t z = maker.output(DType::f32, {n});
  maker.step("call", {x, y}, {z}).bodies = {0};
  maker.plan.bodies.push_back(std::move(body.plan));
  parts.plans.push_back(std::move(maker.plan));
  return parts;
}

// both = x and y written behind each other through views; sizes = [2 * N] as data; spread = f32[S]
// whose dims are read from sizes and decided by the step; z = spread + both.  x, y: f32[N]
inline EngineParts view_engine() {
  EngineParts parts;
  parts.meta.target = "test";
  parts.io.inputs = {binding("x", DType::f32, {"N"}), binding("y", DType::f32, {"N"})};
  parts.io.outputs = {binding("z", DType::f32, {"S"}), binding("both", DType::f32, {"2*N"})};
  PlanMaker maker;
  const int32_t n = maker.input_dim("N", 0, 0, 64);
  const int32_t m = maker.input_dim("M", 1, 0, 64);
  const int32_t size = maker.symbol({"S", SymbolSource::step, 2, 0, 0, 128});
  maker.plan.checks.push_back({Relation::equal, n, m, "x and y must be as long"});
  const Range range{{1}, {8}, {64}};
  const int32_t x = maker.input(DType::f32, {n}, range);
  const int32_t y = maker.input(DType::f32, {m}, range);
  const int32_t twice = maker.op(DimOp::mul, n, maker.constant(2));
  const int32_t half = maker.bytes(DType::f32, {n});
  const int32_t both = maker.value(DType::f32, {twice}, 512);
  const int32_t first = maker.alias(both, DType::f32, {n});
  const int32_t second = maker.alias(both, DType::f32, {n}, half);
  const int32_t sizes = maker.value(DType::i64, {maker.constant(1)});
  maker.plan.values.back().storage = Storage::dims;
  maker.plan.values.back().elements = {twice};
  const int32_t ones = maker.value(DType::f32, {size}, 512);
  const int32_t late = maker.value(DType::f32, {size});
  const int32_t z = maker.output(DType::f32, {size});
  maker.plan.outputs.push_back(both);
  maker.step("copy", {x}, {first});
  maker.step("copy", {y}, {second});
  maker.step("spread", {sizes}, {ones}).defines = {{size, 0, 0}};
  maker.step("add", {ones, both}, {late});
  maker.step("copy", {late}, {z});
  plan_memory(maker.plan);
  parts.plans.push_back(std::move(maker.plan));
  return parts;
}

}  // namespace tenrec::plan
