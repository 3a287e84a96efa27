// SPDX-License-Identifier: Apache-2.0
// How passes are tested: a graph as text, what the pass makes of it as text, and the same numbers
// before and after.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "ir/graph.h"
#include "ops/evaluate.h"

namespace tenrec {

using GraphPass = std::function<void(Graph&)>;

inline Tensor random_tensor(const Type& type, uint32_t seed, int64_t symbol_size = 3) {
  Dims dims;
  for (const Dim& dim : type.shape) dims.push_back(dim.is_const() ? dim.value() : symbol_size);
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> uniform(-2, 2);
  std::vector<double> values(element_count(dims));
  for (double& value : values) value = uniform(generator);
  return Tensor::from_doubles(type.dtype, dims, values);
}

inline Data random_inputs(const Graph& graph, int64_t symbol_size = 3) {
  Data inputs;
  for (const auto& input : graph.inputs()) {
    inputs.emplace_back(
        random_tensor(input->type, static_cast<uint32_t>(input->index() + 1), symbol_size));
  }
  return inputs;
}

inline void expect_close(const Data& before, const Data& after, double tolerance) {
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    const Tensor& a = before[i].tensor;
    const Tensor& b = after[i].tensor;
    ASSERT_EQ(a.dtype(), b.dtype()) << "output " << i;
    ASSERT_EQ(a.dims(), b.dims()) << "output " << i;
    if (!is_float(a.dtype())) {
      EXPECT_EQ(a, b) << "output " << i;
      continue;
    }
    const std::vector<double> x = a.to_doubles();
    const std::vector<double> y = b.to_doubles();
    double scale = 1e-3;
    for (const double value : x) scale = std::max(scale, std::abs(value));
    double worst = 0;
    for (size_t k = 0; k < x.size(); ++k) {
      if (std::isnan(x[k]) && std::isnan(y[k])) continue;
      worst = std::max(worst, x[k] == y[k] ? 0 : std::abs(x[k] - y[k]) / scale);
    }
    EXPECT_LE(worst, tolerance) << "output " << i;
  }
}

inline std::string nodes_text(const Graph& graph) {
  std::string text = print(graph);
  const size_t begin = text.find("{\n");
  return text.substr(begin + 2, text.rfind("  return") - begin - 2);
}

// Runs the pass twice: the numbers stay, the second run changes nothing. Gives the text of the
// nodes.
inline std::string run_checked(const std::string& text, const GraphPass& pass,
                               double tolerance = 1e-6) {
  init_ops();
  const std::unique_ptr<Graph> graph = parse_graph(text);
  const Data inputs = random_inputs(*graph);
  const Data before = evaluate(*graph, inputs);
  pass(*graph);
  graph->remove_dead();
  verify(*graph);
  expect_close(before, evaluate(*graph, inputs), tolerance);
  const std::string once = print(*graph);
  pass(*graph);
  graph->remove_dead();
  EXPECT_EQ(once, print(*graph)) << "not idempotent";
  const std::unique_ptr<Graph> bound = graph->clone();
  bound->reinfer();
  verify(*bound);
  return nodes_text(*graph);
}

// Operator names in graph order, constants left out: "conv relu".
inline std::string op_names(const std::string& nodes) {
  std::string names;
  size_t at = 0;
  while ((at = nodes.find(" = ", at)) != std::string::npos) {
    at += 3;
    const size_t end = nodes.find('(', at);
    const std::string name = nodes.substr(at, end - at);
    if (name != "constant") names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

}  // namespace tenrec
