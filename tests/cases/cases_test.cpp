// SPDX-License-Identifier: Apache-2.0
// The operator cases (tests/cases/*.txt, written down in common/graph_cases.h) through the whole
// chain: build, write, read, validate, run, compare with the interpreter. One case by itself:
// TENREC_TEST_ONLY=softmax_rows build/release/bin/cases_test
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <set>

#include "base/error.h"
#include "build/bind.h"
#include "build/build_graph.h"
#include "build/lower.h"
#include "build/select.h"
#include "common/graph_cases.h"
#include "common/guarded_device.h"
#include "ops/evaluate.h"
#include "passes/pass.h"
#include "plan/engine_file.h"
#include "plan/memory.h"
#include "targets/target.h"

namespace tenrec::test {
namespace {

constexpr std::array points{Point::max, Point::min, Point::opt};

std::vector<GraphCase> wanted_cases() {
  std::vector<GraphCase> cases = graph_cases();
  if (const char* only = std::getenv("TENREC_TEST_ONLY"))
    std::erase_if(cases, [&](const GraphCase& c) { return c.name != only; });
  // Where a library is missing (scripts/check_arm64.sh): names that begin so.
  if (const char* without = std::getenv("TENREC_TEST_WITHOUT"))
    std::erase_if(cases, [&](const GraphCase& c) { return c.name.starts_with(without); });
  return cases;
}

// Errors become failures that say how to run just this case.
void each_case(const std::function<void(const GraphCase&)>& body) {
  register_guarded_device();
  for (const GraphCase& c : wanted_cases()) {
    SCOPED_TRACE("TENREC_TEST_ONLY=" + c.name);
    try {
      body(c);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

BuildOptions options_for(const ProfileOptions& profile) {
  BuildOptions options;
  options.no_tune = true;
  options.threads = 2;
  options.profiles = {profile};
  return options;
}

plan::EngineParts build_parts(const GraphCase& c, const ProfileOptions& profile) {
  const auto graph = graph_of(c);
  const BuildResult result = build_graph(*graph, c.name, options_for(profile));
  plan::EngineParts parts = plan::EngineFile::read(*result.bytes, result.bytes).parts();
  EXPECT_EQ(plan::serialise(parts), *result.bytes) << "reading and writing changes the engine";
  return parts;
}

double tolerance_for(const GraphCase& c) {
  if (c.tolerance > 0) return c.tolerance;
  const auto graph = graph_of(c);
  return tolerance_of(*bind(*graph, fixed_profile(c, *graph, Point::max)).graph);
}

// On guarded memory, once as planned and once with every buffer by itself.
void check_engine(const GraphCase& c, const plan::EngineParts& parts, std::span<const Point> at) {
  const auto graph = graph_of(c);
  const double tolerance = tolerance_for(c);
  for (const bool spread : {false, true}) {
    const plan::EngineParts own = guarded(parts, spread);
    const int before = guard_violations();
    {
      const Engine engine = Engine::from_bytes(plan::serialise(own), {.threads = 2});
      Context context = engine.create_context();
      for (const Point point : at) {
        SCOPED_TRACE(static_cast<int>(point));
        const Data inputs = random_inputs(c, *graph, point);
        EXPECT_EQ(difference(run_twice(engine, context, *graph, inputs), evaluate(*graph, inputs),
                             tolerance),
                  "");
        EXPECT_TRUE(!spread || gaps_are_whole(own.plans[0])) << "wrote between buffers";
      }
    }
    EXPECT_EQ(guard_violations(), before) << "wrote outside a buffer";
  }
}

TEST(Cases, text_comes_back) {
  each_case([](const GraphCase& c) {
    const auto graph = graph_of(c);
    const std::string text = print(*graph);
    EXPECT_EQ(print(*parse_graph(text, printed_weights(*graph))), text);
  });
}

TEST(Cases, fixed_sizes) {
  each_case([](const GraphCase& c) {
    const auto graph = graph_of(c);
    check_engine(c, build_parts(c, fixed_profile(c, *graph, Point::opt)), std::array{Point::opt});
  });
}

TEST(Cases, sizes_of_a_profile) {
  each_case([](const GraphCase& c) {
    const auto graph = graph_of(c);
    check_engine(c, build_parts(c, free_profile(c, *graph)), points);
  });
}

TEST(Cases, open_sizes) {
  each_case([](const GraphCase& c) { check_engine(c, build_parts(c, {}), points); });
}

// ------------------------------------------------------------------------------- every kernel

struct Candidate {
  size_t node = 0;  // in the order of selection
  const Kernel* kernel = nullptr;
  std::string tactic;
};

struct Answers {  // kernels that took or refused a node of any case
  std::set<std::string_view> accepted, rejected;
};

const Target& cpu_target() { return find_target("cpu"); }

plan::Plan lower_with(const GraphCase& c, const ProfileOptions& profile,
                      const std::function<StepDraft(const Node&, const BoundGraph&)>& select,
                      plan::WeightStore& weights) {
  const auto graph = graph_of(c);
  const DeviceInfo info = cpu_target().device_info("", 2);
  run_passes(*graph, symbolic_passes());
  const BoundGraph bound = bind(*graph, profile);
  run_passes(*bound.graph, bound_passes());
  cpu_target().prepare_graph(*bound.graph, info);
  plan::CodeStore code;
  plan::Plan plan = lower(
      bound, [&](const Node& node) { return select(node, bound); }, weights, code,
      info.view_alignment);
  plan::plan_memory(plan);
  return plan;
}

Sizes sizes_at_opt(const Node& node, const BoundGraph& bound) {
  const auto dims_of = [&](const Value* value) {
    Dims dims;
    if (value)
      for (const Dim& dim : value->type.shape) dims.push_back(opt_value(dim, bound.opt));
    return dims;
  };
  Sizes sizes;
  for (const Value* input : node.inputs()) sizes.inputs.push_back(dims_of(input));
  for (const Value* output : node.outputs()) sizes.outputs.push_back(dims_of(output));
  return sizes;
}

std::vector<Candidate> candidates_of(const GraphCase& c, const ProfileOptions& profile,
                                     Answers& answers) {
  const DeviceInfo info = cpu_target().device_info("", 2);
  TimingCache cache;
  SelectOptions no_tuning;
  no_tuning.tune = false;
  Selector selector(cpu_target(), info, no_tuning, cache);
  std::vector<Candidate> candidates;
  size_t index = 0;
  plan::WeightStore weights;
  lower_with(
      c, profile,
      [&](const Node& node, const BoundGraph& bound) {
        for (const Kernel* kernel : cpu_target().kernels()) {
          const bool takes = kernel->check(node, info).empty();
          (takes ? answers.accepted : answers.rejected).insert(kernel->name());
          if (!takes) continue;
          for (std::string& tactic : kernel->tactics(node, info, sizes_at_opt(node, bound)))
            candidates.push_back({index, kernel, std::move(tactic)});
        }
        ++index;
        return selector.select(node, bound.opt);
      },
      weights);
  return candidates;
}

plan::EngineParts parts_with(const GraphCase& c, const ProfileOptions& profile,
                             plan::EngineParts parts, const Candidate& wanted) {
  const DeviceInfo info = cpu_target().device_info("", 2);
  TimingCache cache;
  SelectOptions no_tuning;
  no_tuning.tune = false;
  Selector selector(cpu_target(), info, no_tuning, cache);
  size_t index = 0;
  parts.weights = {};
  parts.graph = {};
  parts.plans = {lower_with(
      c, profile,
      [&](const Node& node, const BoundGraph& bound) {
        if (index++ != wanted.node) return selector.select(node, bound.opt);
        return wanted.kernel->compile(node, wanted.tactic, info);
      },
      parts.weights)};
  return parts;
}

TEST(Cases, every_kernel_and_tactic) {
  Answers answers;
  size_t tried = 0;
  each_case([&](const GraphCase& c) {
    const auto graph = graph_of(c);
    for (const ProfileOptions& profile :
         {fixed_profile(c, *graph, Point::opt), free_profile(c, *graph)}) {
      const plan::EngineParts parts = build_parts(c, profile);
      for (const Candidate& candidate : candidates_of(c, profile, answers)) {
        SCOPED_TRACE(fmt::format("node {} by {} \"{}\"", candidate.node, candidate.kernel->name(),
                                 candidate.tactic));
        check_engine(c, parts_with(c, profile, parts, candidate), std::array{Point::opt});
        ++tried;
      }
    }
  });
  std::cout << tried << " candidates\n";
  if (std::getenv("TENREC_TEST_ONLY")) return;
  for (const Kernel* kernel : cpu_target().kernels()) {
    EXPECT_TRUE(answers.accepted.count(kernel->name())) << kernel->name() << " takes no case";
    if (kernel->name() == "generic") continue;  // there so that everything runs
    EXPECT_TRUE(answers.rejected.count(kernel->name())) << kernel->name() << " refuses no case";
  }
}

// ------------------------------------------------------------------------------ every operator

void collect(const Graph& graph, std::set<std::string_view>& names) {
  for (const auto& node : graph.nodes()) {
    names.insert(node->op().name());
    for (const Graph* body : node->bodies()) collect(*body, names);
  }
}

TEST(Cases, every_operator_has_one) {
  std::set<std::string_view> names;
  for (const GraphCase& c : graph_cases()) {
    const auto graph = graph_of(c);
    collect(*graph, names);
    run_passes(*graph, symbolic_passes());
    const BoundGraph bound = bind(*graph, free_profile(c, *graph));
    run_passes(*bound.graph, bound_passes());
    cpu_target().prepare_graph(*bound.graph, cpu_target().device_info("", 2));
    collect(*bound.graph, names);
  }
  for (const OpInfo* op : all_ops())
    EXPECT_TRUE(names.count(op->name))
        << "no case in tests/cases/*.txt has the operator " << op->name;
}

}  // namespace
}  // namespace tenrec::test
