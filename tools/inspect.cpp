// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>

#include "base/dtype.h"
#include "base/error.h"
#include "ir/tensor.h"
#include "onnx/reader.h"
#include "plan/engine_file.h"
#include "tool.h"

namespace tenrec {
namespace {

using nlohmann::json;

struct InspectCommand {
  std::string path;
  bool graph = false;
  bool json = false;
};

double mebibytes(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

// ---- engines ----

// A slot as people write it: a number, a symbol, or a short expression; "?" where it would be long.
std::string slot_text(const plan::Plan& plan, int32_t slot, int depth = 0) {
  const auto index = static_cast<size_t>(slot);
  if (index < plan.symbols.size()) return plan.symbols[index].name;
  const plan::DimInstruction& step = plan.program[index - plan.symbols.size()];
  if (step.op == plan::DimOp::constant) return std::to_string(step.constant);
  if (depth == 3) return "?";
  const std::string a = slot_text(plan, step.a, depth + 1);
  const std::string b = slot_text(plan, step.b, depth + 1);
  switch (step.op) {
    case plan::DimOp::add: return fmt::format("({} + {})", a, b);
    case plan::DimOp::sub: return fmt::format("({} - {})", a, b);
    case plan::DimOp::mul: return fmt::format("{}*{}", a, b);
    case plan::DimOp::floordiv: return fmt::format("floordiv({}, {})", a, b);
    case plan::DimOp::mod: return fmt::format("mod({}, {})", a, b);
    case plan::DimOp::min: return fmt::format("min({}, {})", a, b);
    case plan::DimOp::max: return fmt::format("max({}, {})", a, b);
    case plan::DimOp::scaled: return fmt::format("scaled({}, {})", a, b);
    case plan::DimOp::broadcast: return fmt::format("broadcast({}, {})", a, b);
    case plan::DimOp::constant: break;
  }
  TENREC_ASSERT(false, "dim operator {}", static_cast<int>(step.op));
}

std::string value_text(const plan::Plan& plan, int32_t index) {
  if (index == plan::none) return "-";
  const plan::ValueDef& value = plan.values[static_cast<size_t>(index)];
  std::vector<std::string> dims;
  for (const int32_t slot : value.dims) dims.push_back(slot_text(plan, slot));
  std::string text = value.ranked ? fmt::format("{}[{}]", name(value.dtype), fmt::join(dims, ", "))
                                  : std::string(name(value.dtype)) + "[...]";
  if (value.block_axis >= 0) text += fmt::format("/{}c", value.block);
  if (value.channels_last) text += "/nhwc";
  return text;
}

std::string outputs_text(const plan::Plan& plan, const plan::Step& step) {
  std::vector<std::string> texts;
  for (const int32_t output : step.outputs) texts.push_back(value_text(plan, output));
  return fmt::format("{}", fmt::join(texts, " "));
}

uint64_t scratch_of(const plan::Plan& plan) {
  int64_t largest = 0;
  for (const plan::Step& step : plan.steps) {
    if (step.scratch != plan::none && step.scratch_upper != plan::unbounded)
      largest = std::max(largest, step.scratch_upper);
  }
  return static_cast<uint64_t>(largest);
}

json steps_json(const plan::Plan& plan) {
  json steps = json::array();
  for (const plan::Step& step : plan.steps) {
    json outputs = json::array();
    for (const int32_t output : step.outputs) outputs.push_back(value_text(plan, output));
    json entry{{"op", step.op},
               {"family", step.family},
               {"tactic", step.tactic},
               {"outputs", outputs},
               {"origins", step.origins}};
    json bodies = json::array();
    for (const int32_t body : step.bodies)
      bodies.push_back(steps_json(plan.bodies[static_cast<size_t>(body)]));
    if (!bodies.empty()) entry["bodies"] = bodies;
    steps.push_back(std::move(entry));
  }
  return steps;
}

void print_steps(const plan::Plan& plan, const std::string& indent) {
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const plan::Step& step = plan.steps[i];
    fmt::print("{}{:>5}  {:<18} {:<18} {:<24} {:<32} {}\n", indent, i, step.op, step.family,
               step.tactic, outputs_text(plan, step), fmt::join(step.origins, " + "));
    for (const int32_t body : step.bodies)
      print_steps(plan.bodies[static_cast<size_t>(body)], indent + "    ");
  }
}

// "1x3x64x64 .. 1x3x720x1280 .. *x3x*x*": min, opt, max of one input.
std::string range_text(const plan::Range& range, const char* separator, bool is_float) {
  const auto list = [&](const std::vector<int64_t>& numbers) {
    std::vector<std::string> texts;
    for (const int64_t number : numbers) {
      if (number == plan::unbounded) texts.push_back("*");
      else if (is_float)
        texts.push_back(fmt::format("{}", std::bit_cast<float>(static_cast<int32_t>(number))));
      else texts.push_back(std::to_string(number));
    }
    return numbers.empty() ? std::string("scalar") : fmt::format("{}", fmt::join(texts, separator));
  };
  if (range.min == range.max) return list(range.min);
  return fmt::format("{} .. {} .. {}", list(range.min), list(range.opt), list(range.max));
}

// Dims and, of a shape input, its values.
std::string profile_text(const plan::EngineFile& engine, const plan::Plan& plan, size_t input) {
  std::string text = range_text(plan.ranges[input], "x", false);
  if (const plan::Range& values = plan.value_ranges[input]; !values.opt.empty()) {
    text += " = " + range_text(values, ",", engine.io.inputs[input].dtype == DType::f32);
  }
  return text;
}

json bindings_json(const std::vector<plan::Binding>& bindings) {
  json list = json::array();
  for (const plan::Binding& binding : bindings) {
    list.push_back({{"name", binding.name},
                    {"dtype", name(binding.dtype)},
                    {"ranked", binding.ranked},
                    {"dims", binding.dims},
                    {"shape_input", binding.is_shape_input},
                    {"host", binding.is_host}});
  }
  return list;
}

void print_bindings(const char* title, const std::vector<plan::Binding>& bindings) {
  fmt::print("{}:\n", title);
  for (const plan::Binding& binding : bindings) {
    fmt::print("  {}: {}[{}]{}{}\n", binding.name, name(binding.dtype),
               binding.ranked ? fmt::format("{}", fmt::join(binding.dims, ", ")) : "...",
               binding.is_shape_input ? "  (its value decides shapes)" : "",
               binding.is_host ? "  (host value)" : "");
  }
}

void print_engine_json(const plan::EngineFile& engine) {
  json profiles = json::array();
  for (const plan::Plan& plan : engine.plans) {
    json ranges = json::object();
    for (size_t i = 0; i < plan.ranges.size() && i < engine.io.inputs.size(); ++i) {
      ranges[engine.io.inputs[i].name] = profile_text(engine, plan, i);
    }
    profiles.push_back({{"ranges", ranges},
                        {"arena_bytes", plan.arena_bytes},
                        {"scratch_bytes", scratch_of(plan)},
                        {"steps", steps_json(plan)}});
  }
  json others = json::array();
  for (size_t i = 0; i < engine.others.size(); ++i) {
    const plan::EngineFile other = engine.other(i);
    others.push_back({{"target", other.meta.target}, {"device", other.meta.device}});
  }
  const json result{{"builder_version", engine.meta.builder_version},
                    {"target", engine.meta.target},
                    {"device", engine.meta.device},
                    {"others", others},
                    {"options", engine.meta.options},
                    {"model_name", engine.meta.model_name},
                    {"notes", engine.meta.notes},
                    {"inputs", bindings_json(engine.io.inputs)},
                    {"outputs", bindings_json(engine.io.outputs)},
                    {"weight_bytes", engine.weight_bytes.size()},
                    {"file_bytes", engine.image.size()},
                    {"profiles", profiles}};
  fmt::print("{}\n", result.dump(-1, ' ', false, json::error_handler_t::replace));
}

void print_engine(const plan::EngineFile& engine) {
  fmt::print("engine of model \"{}\" for {} ({}), built by Tenrec {}\noptions: {}\n",
             engine.meta.model_name, engine.meta.target, engine.meta.device,
             engine.meta.builder_version, engine.meta.options);
  for (const std::string& note : engine.meta.notes) fmt::print("note: {}\n", note);
  print_bindings("inputs", engine.io.inputs);
  print_bindings("outputs", engine.io.outputs);
  fmt::print("memory: weights {:.2f} MiB, file {:.2f} MiB{}\n",
             mebibytes(engine.weight_bytes.size()), mebibytes(engine.image.size()),
             engine.graph.text.empty() ? "" : ", the graph is stored (--graph)");
  for (size_t i = 0; i < engine.others.size(); ++i) {
    const plan::EngineFile other = engine.other(i);
    fmt::print("also for {} ({}), {:.2f} MiB of the file\n", other.meta.target, other.meta.device,
               mebibytes(other.image.size()));
  }
  for (size_t p = 0; p < engine.plans.size(); ++p) {
    const plan::Plan& plan = engine.plans[p];
    fmt::print("\nprofile {}: {} steps, {}, scratch {:.2f} MiB\n", p, plan.steps.size(),
               plan.arena_bytes < 0
                   ? "activations open (sized when running)"
                   : fmt::format("activations {:.2f} MiB",
                                 mebibytes(static_cast<uint64_t>(plan.arena_bytes))),
               mebibytes(scratch_of(plan)));
    for (size_t i = 0; i < plan.ranges.size() && i < engine.io.inputs.size(); ++i) {
      fmt::print("  {}: {}\n", engine.io.inputs[i].name, profile_text(engine, plan, i));
    }
    fmt::print("{:>5}  {:<18} {:<18} {:<24} {:<32} {}\n", "step", "op", "family", "tactic",
               "outputs", "nodes");
    print_steps(plan, "");
  }
}

// ---- models ----

struct ModelSummary {
  std::map<std::string, size_t> operators;  // of subgraphs and functions too
  uint64_t tensors = 0, parameters = 0;

  void add_nodes(const std::vector<onnx::Node>& nodes) {
    for (const onnx::Node& node : nodes) {
      ++operators[node.domain.empty() ? std::string(node.op_type)
                                      : fmt::format("{}::{}", node.domain, node.op_type)];
      for (const onnx::Attribute& attribute : node.attributes) {
        if (attribute.g) add_graph(*attribute.g);
        for (const auto& graph : attribute.graphs) add_graph(*graph);
      }
    }
  }
  void add_graph(const onnx::Graph& graph) {
    for (const onnx::TensorProto& tensor : graph.initializers) add_tensor(tensor.dims);
    for (const onnx::SparseTensor& tensor : graph.sparse_initializers)
      add_tensor(tensor.values.dims);
    add_nodes(graph.nodes);
  }
  void add_tensor(const std::vector<int64_t>& dims) {
    ++tensors;
    const bool sound = std::none_of(dims.begin(), dims.end(), [](int64_t dim) { return dim < 0; });
    if (sound) parameters += element_count(dims);  // `tenrec check` tells of those that are not
  }
};

std::string dtype_text(int32_t type) {
  const bool known = type > 0 && type < 256 && is_valid(static_cast<DType>(type));
  return known ? std::string(name(static_cast<DType>(type))) : fmt::format("type{}", type);
}

std::string type_text(const onnx::TypeProto& type) {
  using Kind = onnx::TypeProto::Kind;
  switch (type.kind) {
    case Kind::none: return "untyped";
    case Kind::map:
      return fmt::format("map({}, {})", dtype_text(type.key_type),
                         type.element ? type_text(*type.element) : "?");
    case Kind::opaque: return "opaque";
    case Kind::sequence:
      return fmt::format("seq({})", type.element ? type_text(*type.element) : "?");
    case Kind::optional:
      return fmt::format("optional({})", type.element ? type_text(*type.element) : "?");
    case Kind::tensor:
    case Kind::sparse_tensor: break;
  }
  const std::string dtype = dtype_text(type.elem_type);
  if (!type.shape) return dtype + "[...]";
  std::vector<std::string> dims;
  for (const onnx::Dimension& dim : *type.shape) {
    dims.push_back(dim.value           ? std::to_string(*dim.value)
                   : dim.param.empty() ? "?"
                                       : std::string(dim.param));
  }
  return fmt::format("{}[{}]", dtype, fmt::join(dims, ", "));
}

json values_json(const std::vector<onnx::ValueInfo>& values) {
  json list = json::array();
  for (const onnx::ValueInfo& value : values)
    list.push_back({{"name", value.name}, {"type", type_text(value.type)}});
  return list;
}

void inspect_model(const InspectCommand& command) {
  TENREC_CHECK(!command.graph, usage,
               "--graph is for engines; of a model use `tenrec build --stop-after import`");
  const onnx::Model model = onnx::read_model(command.path);
  ModelSummary summary;
  summary.add_graph(model.graph);
  for (const onnx::Function& function : model.functions) summary.add_nodes(function.nodes);
  if (command.json) {
    json opsets = json::object();
    for (const auto& import : model.opset_imports)
      opsets[std::string(import.domain)] = import.version;
    const json result{{"name", model.graph.name},
                      {"producer", model.producer_name},
                      {"ir_version", model.ir_version},
                      {"opsets", opsets},
                      {"inputs", values_json(model.graph.inputs)},
                      {"outputs", values_json(model.graph.outputs)},
                      {"operators", summary.operators},
                      {"parameter_tensors", summary.tensors},
                      {"parameters", summary.parameters}};
    fmt::print("{}\n", result.dump(-1, ' ', false, json::error_handler_t::replace));
    return;
  }
  fmt::print("model \"{}\" by {} {}, IR version {}\n", model.graph.name,
             model.producer_name.empty() ? "unknown producer" : model.producer_name,
             model.producer_version, model.ir_version);
  for (const auto& import : model.opset_imports) {
    fmt::print("opset {} of {}\n", import.version,
               import.domain.empty() ? "ai.onnx" : import.domain);
  }
  fmt::print("inputs:\n");
  for (const auto& value : model.graph.inputs)
    fmt::print("  {}: {}\n", value.name, type_text(value.type));
  fmt::print("outputs:\n");
  for (const auto& value : model.graph.outputs)
    fmt::print("  {}: {}\n", value.name, type_text(value.type));
  fmt::print("parameters: {} in {} tensors\noperators:\n", summary.parameters, summary.tensors);
  for (const auto& [op, count] : summary.operators) fmt::print("{:>7}  {}\n", count, op);
}

void run_inspect(const InspectCommand& command) {
  if (is_onnx(command.path)) return inspect_model(command);
  const auto engine = plan::EngineFile::open(command.path);
  if (command.graph) {
    TENREC_CHECK(!engine.graph.text.empty(), unsupported,
                 "\"{}\" was built with --lean and holds no graph; build it without", command.path);
    fmt::print("{}", engine.graph.text);
    return;
  }
  command.json ? print_engine_json(engine) : print_engine(engine);
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto command = std::make_shared<InspectCommand>();
  CLI::App* sub = app.add_subcommand("inspect", "Show what is in an engine file or an ONNX model");
  sub->add_option("file", command->path, "Engine file, or an .onnx model")->required();
  sub->add_flag("--graph", command->graph, "Print the graph that the engine was built from");
  sub->add_flag("--json", command->json, "Machine-readable");
  sub->footer("Example: tenrec inspect model.engine");
  sub->callback([command] { run_inspect(*command); });
}

}  // namespace tenrec
