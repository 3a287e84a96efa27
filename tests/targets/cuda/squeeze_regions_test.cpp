// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/squeeze_regions.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "build/select.h"
#include "ops/conv.h"
#include "ops/elementwise.h"
#include "ops/fused.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "targets/cuda/case_values.h"

namespace tenrec::test {
namespace {

size_t squeezes(const plan::Plan& plan) {
  return static_cast<size_t>(std::count_if(
      plan.steps.begin(), plan.steps.end(),
      [](const plan::Step& step) { return step.tactic.starts_with("squeeze_excite"); }));
}

// A block behind a convolution, with the values that tests want to read elsewhere as well.
struct Block {
  Graph graph;
  Value *mean = nullptr, *hidden = nullptr, *gate = nullptr, *result = nullptr;

  Block(int64_t channels, int64_t inner, std::vector<int64_t> axes = {2, 3}) {
    init_ops();
    Value* in = graph.add_input("x", Type::of_constant(f32({1, 3, 9, 7})));
    in->type.known = nullptr;
    Value* x = add(Conv{}, {in, constant(f32({channels, 3, 1, 1}))});
    mean = add(Reduce{.kind = ReduceKind::mean}, {x, constant(ints(std::move(axes)))});
    hidden = add(Relu{}, {add(Conv{}, {mean, constant(f32({inner, channels, 1, 1}))})});
    gate = add(Sigmoid{}, {add(Conv{}, {hidden, constant(f32({channels, inner, 1, 1}))})});
    result = add(Mul{}, {x, gate});
  }

  Value* add(Op op, Values inputs) {
    return graph.insert(nullptr, std::move(op), std::move(inputs))->output();
  }
  Value* constant(Tensor tensor) { return graph.constant(nullptr, std::move(tensor)); }

  // Operators of the regions that the target makes of the graph, but for constants.
  std::vector<size_t> regions(std::initializer_list<Value*> outputs, int capability = 90) {
    for (Value* output : outputs) graph.add_output(output);
    find_target("cuda").prepare_graph(graph, cuda_info(capability));
    std::vector<size_t> sizes;
    for (const auto& node : graph.nodes()) {
      const auto* fused = node->as<Fused>();
      if (!fused || fused->anchor != cuda::squeeze_anchor) continue;
      const auto& inner = node->body(0).nodes();
      sizes.push_back(static_cast<size_t>(std::count_if(
          inner.begin(), inner.end(), [](const auto& each) { return !each->inputs().empty(); })));
    }
    return sizes;
  }
};

using Counts = std::vector<size_t>;

// A convolution and a matrix product without anything behind them.
struct SqueezeWeights {
  Graph graph;

  SqueezeWeights(const Tensor& conv, const Tensor& matmul) {
    init_ops();
    const int64_t inner = conv.dims()[0], channels = conv.dims()[1];
    const auto add = [&](Op op, Values inputs) {
      return graph.insert(nullptr, std::move(op), std::move(inputs))->output();
    };
    const auto constant = [&](Tensor tensor) { return graph.constant(nullptr, std::move(tensor)); };
    Value* in = graph.add_input("x", Type::of_constant(f32({1, 3, 9, 7})));
    in->type.known = nullptr;
    Value* x = add(Conv{}, {in, constant(f32({channels, 3, 1, 1}))});
    Value* mean = add(Reduce{.kind = ReduceKind::mean}, {x, constant(ints({2, 3}))});
    Value* hidden = add(Conv{}, {mean, constant(conv.reshaped({inner, channels, 1, 1}))});
    Value* line = add(Reshape{}, {hidden, constant(ints({1, inner}))});
    Value* gate = add(MatMul{}, {line, constant(matmul)});
    graph.add_output(add(Mul{}, {x, add(Reshape{}, {gate, constant(ints({1, channels, 1, 1}))})}));
  }

  StepDraft compile() {
    const Target& target = find_target("cuda");
    const DeviceInfo device = cuda_info(90);
    target.prepare_graph(graph, device);
    for (const auto& node : graph.nodes())
      for (const Kernel* kernel : target.kernels())
        if (kernel->name() == "squeeze_excite" && kernel->check(*node, device).empty())
          return kernel->compile(*node, "threads=512", device);
    return {};
  }
};

// Everything from the mean to the scaled image, or to the gates, is one step.
TEST(SqueezeRegions, EveryCaseBecomesOne) {
  size_t cases = 0;
  for (const CudaCase& c : cuda_cases()) {
    if (!c.name.starts_with("squeeze_excite")) continue;
    ++cases;
    for (const auto& variant : variants(c, cuda_info(90)))
      EXPECT_EQ(squeezes(variant->plan), 1U) << variant->text;
  }
  EXPECT_GT(cases, 0U);
}

TEST(SqueezeRegions, EndWithTheGatesWhereOthersReadThem) {
  Block whole(16, 8), gates(16, 8);
  EXPECT_EQ(whole.regions({whole.result}), Counts{6});
  EXPECT_EQ(gates.regions({gates.result, gates.gate}), Counts{5});
}

TEST(SqueezeRegions, HoldNoValueThatOthersRead) {
  Block mean(16, 8), hidden(16, 8);
  EXPECT_EQ(mean.regions({mean.result, mean.mean}), Counts{});
  EXPECT_EQ(hidden.regions({hidden.result, hidden.hidden}), Counts{});
}

TEST(SqueezeRegions, BeginWithTheMeanOfAnImage) {
  Block block(16, 8, {2});
  EXPECT_EQ(block.regions({block.mean}), Counts{});
}

// Rows of what is multiplied, filled up to 16 bytes; those of matrix products are turned.
TEST(SqueezeRegions, WeightsLieInRows) {
  const Tensor first = f32({5, 17}, 3), second = f32({5, 17}, 4);
  SqueezeWeights block(first, second);
  const StepDraft draft = block.compile();
  ASSERT_EQ(draft.inputs.size(), 3U);
  const Tensor &hidden = draft.inputs[1].weight, &gate = draft.inputs[2].weight;
  ASSERT_EQ(hidden.dims(), (Dims{5, 20}));
  ASSERT_EQ(gate.dims(), (Dims{17, 8}));
  const auto at = [](const Tensor& tensor, int64_t row, int64_t column) {
    return tensor.to_doubles()[static_cast<size_t>(row * tensor.dims()[1] + column)];
  };
  for (int64_t r = 0; r < 5; ++r) {
    for (int64_t c = 0; c < 17; ++c) {
      EXPECT_EQ(at(hidden, r, c), at(first, r, c));
      EXPECT_EQ(at(gate, c, r), at(second, r, c));
    }
    for (int64_t c = 17; c < 20; ++c) EXPECT_EQ(at(hidden, r, c), 0);
  }
  for (int64_t c = 0; c < 17; ++c)
    for (int64_t r = 5; r < 8; ++r) EXPECT_EQ(at(gate, c, r), 0);
}

// Many weights want many threads: blocks that differ in these alone are selected apart.
TEST(SqueezeRegions, AreSelectedByTheirWeights) {
  const DeviceInfo device = cuda_info(90);
  TimingCache cache;
  SelectOptions options;
  options.tune = false;
  Selector selector(find_target("cuda"), device, options, cache);
  Block small(512, 16), large(512, 256);
  std::vector<std::string> tactics;
  for (Block* block : {&small, &large}) {
    block->regions({block->result});
    for (const auto& node : block->graph.nodes())
      if (const auto* fused = node->as<Fused>(); fused && fused->anchor == cuda::squeeze_anchor)
        tactics.push_back(selector.select(*node, {}).tactic);
  }
  EXPECT_EQ(tactics, (std::vector<std::string>{"squeeze_excite threads=512",
                                               "squeeze_excite threads=1024"}));
}

// Without clusters one block reads all weights, which takes too long where they are many.
TEST(SqueezeRegions, OlderGpusTakeSmallOnes) {
  Block small(64, 16), large(512, 128);
  EXPECT_EQ(small.regions({small.result}, 80), Counts{6});
  EXPECT_EQ(large.regions({large.result}, 80), Counts{});
}

}  // namespace
}  // namespace tenrec::test
