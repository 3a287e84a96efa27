// SPDX-License-Identifier: Apache-2.0
// Small graphs with ranges for their sizes, as text in tests/cases/*.txt. One table serves the case
// runner, the engine mutations and whoever needs an engine of every kind.
//
// HOW TO ADD A CASE: a section in the file of its kind,
//
//   == softmax_rows                      a name of its own
//   sizes N=1:3:8 C=2:5:40               min:opt:max of every symbol
//   input x -1 1                         range of an input's elements (default -2 2, integers 0 2)
//   weight w f32[32, 8]                  a seeded random tensor, `constant() (value=@w)`
//   for relu tanh                        the case once a word, which stands for $op
//   tolerance 1e-3                       only where arithmetic says more than the operators do
//   graph(%x: f32[N, C] "x") {
//     %y = softmax(%x) (axis=1)
//     return %y "y"
//   }
#pragma once
#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "tenrec/builder.h"
#include "tenrec/engine.h"

namespace tenrec::test {

struct GraphCase {
  std::string name;
  std::string text;
  std::map<std::string, std::array<int64_t, 3>> sizes;
  std::map<std::string, std::array<double, 2>> ranges;
  std::map<std::string, Tensor> weights;
  double tolerance = 0;  // 0: from the operators
};
enum class Point { min, opt, max };

std::vector<GraphCase> graph_cases();  // ordered by file, then as they stand there
std::unique_ptr<Graph> graph_of(const GraphCase& c);

// All sizes fixed to one point, or free between min and max.
ProfileOptions fixed_profile(const GraphCase& c, const Graph& graph, Point point);
ProfileOptions free_profile(const GraphCase& c, const Graph& graph);
Data random_inputs(const GraphCase& c, const Graph& graph, Point point, uint64_t seed = 1);

// How far a correct implementation of all these nodes may be off, relative to the largest value:
// the roundings that each operator promises, times the length of its sums.
double tolerance_of(const Graph& graph);
// "" or where they differ.
std::string difference(const Data& got, const Data& expected, double tolerance);

HostValue host_value(const Datum& datum);
Datum datum_of(const HostValue& value);
// Runs twice, which must give the same, and returns the outputs.
Data run_twice(const Engine& engine, Context& context, const Graph& graph, const Data& inputs);

}  // namespace tenrec::test
