// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "build/build_graph.h"
#include "compare.h"
#include "import/import.h"
#include "inputs.h"
#include "onnx/reader.h"
#include "ops/evaluate.h"
#include "runtime/engine_impl.h"
#include "targets/target.h"
#include "tool.h"

namespace tenrec {
namespace {

struct VerifyCommand {
  BuildFlags flags;
  InputFlags inputs;
  std::string model;
  bool json = false;
};

struct Verdict {
  std::string name;
  Difference difference;
};

using Named = std::map<std::string, Tensor>;

// Bodies may draw random numbers too.
bool draws_random(const Graph& graph) {
  for (const auto& node : graph.nodes()) {
    if (node->op().info().accuracy.kind == Accuracy::Kind::random) return true;
    for (const Graph* body : node->bodies()) {
      if (draws_random(*body)) return true;
    }
  }
  return false;
}

bool is_plain(const Value& value) {
  return value.type.kind == Type::Kind::tensor && value.type.dtype != DType::string;
}

Data inputs_of(const Graph& graph, const NamedTensors& tensors) {
  Data data;
  for (const auto& input : graph.inputs()) data.push_back(as_tensor(tensors.at(input->name)));
  return data;
}

// What the interpreter gives for every output of `graph` that is a plain tensor.
Named interpret(const Graph& graph, const NamedTensors& inputs) {
  const Data results = evaluate(graph, inputs_of(graph, inputs));
  Named named;
  for (size_t i = 0; i < results.size(); ++i) {
    if (is_plain(*graph.outputs()[i])) named[graph.output_names()[i]] = results[i].tensor;
  }
  return named;
}

// Compares, in the order of the engine's outputs.
std::vector<Verdict> judge(const Engine& engine, const NamedTensors& inputs, const Named& wanted) {
  Context context = engine.create_context();
  for (const auto& [name, tensor] : inputs) context.set_input(name, tensor);
  context.run();
  std::vector<Verdict> verdicts;
  for (const TensorInfo& info : engine.outputs()) {
    const auto want = wanted.find(info.name);
    if (want == wanted.end()) continue;
    const HostTensor got = context.output_tensor(info.name);
    verdicts.push_back({info.name, compare(as_tensor(got), want->second)});
  }
  return verdicts;
}

const Verdict* first_bad(const std::vector<Verdict>& verdicts) {
  for (const Verdict& verdict : verdicts) {
    if (!verdict.difference.tolerable()) return &verdict;
  }
  return nullptr;
}

// ---- which node it is ----

struct Culprit {
  std::string node;    // its description; empty: not found
  std::string tactic;  // "node=kernel tactic" as --tactic takes it; empty: the kernel is not known
  std::string text;    // the difference, or why no node was found
};

// What the step that computes the node was chosen to be.
std::string tactic_of(const Engine& engine, const std::string& origin) {
  const auto kernels = find_target(engine.target()).kernels();
  for (const plan::Step& step : engine.impl()->file.plans.at(0).steps) {
    if (std::find(step.origins.begin(), step.origins.end(), origin) == step.origins.end()) continue;
    const bool is_kernel = std::any_of(kernels.begin(), kernels.end(), [&](const Kernel* kernel) {
      return kernel->name() == step.family;
    });
    if (!is_kernel) continue;
    return fmt::format("{}={}{}{}", origin, step.family, step.tactic.empty() ? "" : " ",
                       step.tactic);
  }
  return "";
}

// Builds the model again with every intermediate tensor as an output; the first that differs, in
// the graph's order, is computed wrongly from right inputs.
Culprit find_culprit(const onnx::Model& model, const BuildOptions& options, int threads,
                     const NamedTensors& inputs) {
  const std::unique_ptr<Graph> graph = import_model(model).graph;
  while (!graph->outputs().empty()) graph->remove_output(graph->outputs().size() - 1);
  std::map<std::string, std::pair<std::string, std::string>>
      nodes;  // output -> description, origin
  size_t index = 0;
  for (const auto& node : graph->nodes()) {
    ++index;
    for (Value* value : node->outputs()) {
      if (value->constant() || !is_plain(*value)) continue;
      const std::string name = fmt::format("{:08}_{}", index, value->index());
      graph->add_output(value, name);
      nodes[name] = {node->describe(),
                     node->origins().empty() ? std::string() : node->origins()[0]};
    }
  }
  const Named wanted = interpret(*graph, inputs);
  const Engine engine = build_graph(*graph, model.graph.name, options)
                            .load({.threads = threads, .device = 0, .memory_limit = 0});
  const std::vector<Verdict> verdicts = judge(engine, inputs, wanted);
  const Verdict* bad = first_bad(verdicts);
  if (!bad)
    return {
        "", "",
        "no node is wrong when all intermediate values are kept: look at fusions (--skip-pass)"};
  const auto& [description, origin] = nodes.at(bad->name);
  return {description, tactic_of(engine, origin), bad->difference.str()};
}

// The search may fail where the model itself builds (a pinned kernel, memory): that is worth a line
// only.
Culprit search(const onnx::Model& model, const BuildOptions& options, const NamedTensors& inputs) {
  try {
    return find_culprit(model, options, options.threads, inputs);
  } catch (const Error& error) {
    return {"", "", fmt::format("the search for the wrong node failed: {}", error.what())};
  }
}

// ---- the command ----

std::string shell_word(const std::string& word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,+@";
  if (!word.empty() && word.find_first_not_of(plain) == word.npos) return word;
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// The command line as it was given: inputs come from its seed or files. `tactic` pins what tuning
// chose.
std::string reproducer(const std::string& tactic) {
  std::ifstream file("/proc/self/cmdline");
  std::string line;
  for (std::string word; std::getline(file, word, '\0');)
    line += (line.empty() ? "" : " ") + shell_word(word);
  return tactic.empty() ? line : fmt::format("{} --tactic {}", line, shell_word(tactic));
}

void report(const VerifyCommand& command, const std::vector<Verdict>& verdicts,
            const std::optional<Culprit>& culprit, const std::string& repeat) {
  if (command.json) {
    nlohmann::json outputs = nlohmann::json::array();
    for (const auto& [name, difference] : verdicts) {
      outputs.push_back(
          {{"name", name}, {"ok", difference.tolerable()}, {"difference", difference.str()}});
    }
    nlohmann::json json{{"model", command.model}, {"outputs", outputs}};
    if (culprit)
      json["first_bad_node"] = {
          {"node", culprit->node}, {"tactic", culprit->tactic}, {"difference", culprit->text}};
    if (!repeat.empty()) json["reproduce"] = repeat;
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  for (const auto& [name, difference] : verdicts) {
    fmt::print("{} {}: {}\n", difference.tolerable() ? "ok  " : "BAD ", name, difference.str());
  }
  if (!culprit) return;
  if (culprit->node.empty()) fmt::print("{}\n", culprit->text);
  else fmt::print("first bad node: {}: {}\n", culprit->node, culprit->text);
  fmt::print("reproduce: {}\n", repeat);
}

void run_verify(const VerifyCommand& command) {
  TENREC_CHECK(is_onnx(command.model), usage, "\"{}\": verify needs the .onnx model",
               command.model);
  const BuildOptions options = command.flags.finish();
  const Engine engine = load_or_build(command.model, options, command.flags);
  const NamedTensors inputs = command.inputs.read_or_random(engine, options.seed);
  const onnx::Model model = onnx::read_model(command.model);
  const std::unique_ptr<Graph> graph = import_model(model).graph;
  TENREC_CHECK(!draws_random(*graph), unsupported,
               "\"{}\" draws random numbers: two runs of it cannot be compared", command.model);
  const std::vector<Verdict> verdicts = judge(engine, inputs, interpret(*graph, inputs));
  TENREC_CHECK(!verdicts.empty(), unsupported, "\"{}\" has no output that is a plain tensor",
               command.model);
  const Verdict* bad = first_bad(verdicts);
  if (!bad) return report(command, verdicts, std::nullopt, "");
  const Culprit culprit = search(model, options, inputs);
  report(command, verdicts, culprit, reproducer(culprit.tactic));
  fail(ErrorCode::mismatch, "output \"{}\" differs from the interpreter's: {}", bad->name,
       bad->difference.str());
}

}  // namespace

void add_verify(CLI::App& app) {
  auto command = std::make_shared<VerifyCommand>();
  CLI::App* sub = app.add_subcommand("verify", "Compare the built engine with the interpreter");
  sub->add_option("model", command->model, "ONNX model")->required();
  sub->add_flag("--json", command->json, "Machine-readable result");
  command->inputs.add_to(*sub);
  command->flags.add_to(*sub);
  sub->footer(
      "Inputs not given are random, from --seed. Floats may differ by 2e-4 * max|b| + 1e-6, the "
      "rest not at all.\n"
      "On a difference it names the first node whose result is wrong; the exit code is 10.\n"
      "Example: tenrec verify model.onnx --no-vendor --seed 7");
  sub->callback([command] { run_verify(*command); });
}

}  // namespace tenrec
