// SPDX-License-Identifier: Apache-2.0
// If, Loop and Scan: inference through their bodies, and what they compute.
#include "ops/bodies.h"

#include <gtest/gtest.h>

#include "ir/constant.h"
#include "ops/concat.h"
#include "ops/elementwise.h"
#include "ops/evaluate.h"
#include "ops/identity.h"
#include "ops/if.h"
#include "ops/loop.h"
#include "ops/scan.h"
#include "ops/squeeze.h"

namespace tenrec {
namespace {

using Ints = std::vector<int64_t>;
using Bodies = std::vector<std::unique_ptr<Graph>>;

Tensor tensor(const Dims& dims, const Ints& values) {
  return Tensor::from_ints(DType::f32, dims, values);
}
Type floats(Shape shape) { return Type::tensor(DType::f32, std::move(shape)); }
Type flag() { return Type::tensor(DType::boolean, {}); }

// f32[?] -> the same by `op` with itself.
std::unique_ptr<Graph> twice(Op op, const Type& type) {
  auto body = std::make_unique<Graph>();
  Value* x = body->add_input("x", type);
  body->add_output(body->insert(nullptr, std::move(op), {x, x})->output());
  return body;
}

TEST(If, MergesWhatTheBranchesAgreeOn) {
  const Dim n = Dim::fresh("n", 1);
  Graph graph;
  Value* condition = graph.add_input("c", flag());
  Value* x = graph.add_input("x", floats({n, 2}));
  Bodies bodies;
  bodies.push_back(twice(Add{}, x->type));
  bodies.push_back(twice(Concat{0}, x->type));
  Node* node = graph.insert(nullptr, If{}, {condition, x}, std::move(bodies));
  graph.add_output(node->output());
  ASSERT_TRUE(node->output()->type.ranked);
  EXPECT_FALSE(node->output()->type.shape[0] == n);
  EXPECT_EQ(node->output()->type.shape[1], Dim(2));
  const Tensor data = tensor({1, 2}, {3, 4});
  EXPECT_EQ(evaluate(graph, {Datum(Tensor::scalar(true)), Datum(data)})[0].tensor.to_ints(),
            (Ints{6, 8}));
  EXPECT_EQ(evaluate(graph, {Datum(Tensor::scalar(false)), Datum(data)})[0].tensor.to_ints(),
            (Ints{3, 4, 3, 4}));
}

TEST(If, TakesTheBranchOfAKnownCondition) {
  const Dim n = Dim::fresh("n", 1);
  Graph graph;
  Value* condition = graph.constant(nullptr, Tensor::scalar(false));
  Value* x = graph.add_input("x", floats({n}));
  Bodies bodies;
  bodies.push_back(twice(Add{}, x->type));
  bodies.push_back(twice(Concat{0}, x->type));
  EXPECT_EQ(graph.insert(nullptr, If{}, {condition, x}, std::move(bodies))->output()->type.shape,
            (Shape{n * 2}));
}

TEST(If, ReinfersABodyWhoseInputChanged) {
  Graph graph;
  Value* condition = graph.add_input("c", flag());
  Value* x = graph.add_input("x", floats({Dim::fresh("n")}));
  Bodies bodies;
  bodies.push_back(twice(Add{}, x->type));
  bodies.push_back(twice(Mul{}, x->type));
  Node* node = graph.insert(nullptr, If{}, {condition, x}, std::move(bodies));
  x->type = floats({7});
  graph.reinfer();
  EXPECT_EQ(node->output()->type.shape, (Shape{7}));
}

// Body: (i, condition, total) -> (condition, concat(total, total), i).
std::unique_ptr<Graph> growing_body(const Type& total) {
  auto body = std::make_unique<Graph>();
  Value* i = body->add_input("i", Type::tensor(DType::i64, {}));
  Value* condition = body->add_input("c", flag());
  Value* x = body->add_input("x", total);
  body->add_output(body->insert(nullptr, Identity{}, {condition})->output());
  body->add_output(body->insert(nullptr, Concat{0}, {x, x})->output());
  body->add_output(i);
  return body;
}

TEST(Loop, WidensWhatGrows) {
  Graph graph;
  const Dim m = Dim::fresh("m");
  Value* trips = graph.add_input("m", Type::tensor(DType::i64, {}).with_known_ints({m}));
  Value* x = graph.add_input("x", floats({1}));
  Bodies bodies;
  bodies.push_back(growing_body(x->type));
  Loop loop;
  loop.carried = 1;
  loop.collected = {EmptyOutput{DType::i64, {}}};
  Node* node = graph.insert(nullptr, loop, {trips, nullptr, x}, std::move(bodies));
  ASSERT_EQ(node->output(0)->type.rank(), 1);
  EXPECT_FALSE(node->output(0)->type.shape[0].is_const());
  // Nothing stops it early: as many collected entries as trips.
  EXPECT_EQ(node->output(1)->type.shape, (Shape{m}));
  graph.add_output(node->output(0));
  graph.add_output(node->output(1));
  const auto run = [&](int64_t count) {
    return evaluate(graph, {Datum(Tensor::scalar(count)), Datum(tensor({1}, {5}))});
  };
  EXPECT_EQ(run(2)[0].tensor.to_ints(), (Ints{5, 5, 5, 5}));
  EXPECT_EQ(run(3)[1].tensor.to_ints(), (Ints{0, 1, 2}));
  EXPECT_EQ(run(0)[0].tensor.to_ints(), (Ints{5}));
  EXPECT_EQ(run(0)[1].tensor.dims(), (Dims{0}));
}

TEST(Loop, KeepsWhatDoesNotChange) {
  const Dim n = Dim::fresh("n");
  auto body = std::make_unique<Graph>();
  body->add_input("i", Type::tensor(DType::i64, {}));
  Value* condition = body->add_input("c", flag());
  Value* x = body->add_input("x", floats({n, 3}));
  body->add_output(condition);
  body->add_output(body->insert(nullptr, Add{}, {x, x})->output());
  Graph graph;
  Value* trips = graph.constant(nullptr, Tensor::scalar(int64_t{4}));
  Value* start = graph.add_input("x", floats({n, 3}));
  Bodies bodies;
  bodies.push_back(std::move(body));
  Node* node = graph.insert(nullptr, Loop{1, {}}, {trips, nullptr, start}, std::move(bodies));
  EXPECT_EQ(node->output()->type.shape, (Shape{n, 3}));
  graph.add_output(node->output());
  EXPECT_EQ(evaluate(graph, {Datum(tensor({1, 3}, {1, 2, 3}))})[0].tensor.to_ints(),
            (Ints{16, 32, 48}));
}

// ONNX's own example: running sums of the rows of [[1, 2], [3, 4], [5, 6]].
TEST(Scan, RunningSums) {
  auto body = std::make_unique<Graph>();
  Value* sum = body->add_input("sum", floats({2}));
  Value* row = body->add_input("row", floats({2}));
  Value* next = body->insert(nullptr, Add{}, {sum, row})->output();
  body->add_output(next);
  body->add_output(body->insert(nullptr, Identity{}, {next})->output());
  const Dim n = Dim::fresh("n");
  Graph graph;
  Value* start = graph.add_input("start", floats({2}));
  Value* rows = graph.add_input("rows", floats({n, 2}));
  Scan scan;
  scan.states = 1;
  scan.scanned = 1;
  scan.collected = {EmptyOutput{DType::f32, {2}}};
  Bodies bodies;
  bodies.push_back(std::move(body));
  Node* node = graph.insert(nullptr, scan, {start, rows}, std::move(bodies));
  EXPECT_EQ(node->output(1)->type.shape, (Shape{n, 2}));
  graph.add_output(node->output(0));
  graph.add_output(node->output(1));
  const Data out =
      evaluate(graph, {Datum(tensor({2}, {0, 0})), Datum(tensor({3, 2}, {1, 2, 3, 4, 5, 6}))});
  EXPECT_EQ(out[0].tensor.to_ints(), (Ints{9, 12}));
  EXPECT_EQ(out[1].tensor.to_ints(), (Ints{1, 2, 4, 6, 9, 12}));
}

TEST(Bodies, SymbolsOfABodyDoNotLeak) {
  const Dim n = Dim::fresh("n");
  const Dim inner = Dim::fresh("inner", 2, 9);
  const SymbolSet visible = symbols_of({floats({n})});
  const Type out = exported(floats({n * 2, inner + 1}), visible);
  EXPECT_EQ(out.shape[0], n * 2);
  EXPECT_FALSE(out.shape[1] == inner + 1);
  EXPECT_EQ(out.shape[1].lower(), 3);
  EXPECT_EQ(out.shape[1].upper(), 10);
}

TEST(Bodies, MergingRefusesDifferentTypes) {
  EXPECT_THROW(merged(floats({1}), Type::tensor(DType::i64, {1}), "x"), Error);
  EXPECT_FALSE(merged(floats({1}), floats({1, 1}), "x").ranked);
}

}  // namespace
}  // namespace tenrec
