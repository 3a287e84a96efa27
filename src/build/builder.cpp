// SPDX-License-Identifier: Apache-2.0
// The whole build, top to bottom: read -> import -> passes -> per profile: bind -> target -> select
// -> lower -> memory -> engine file.
#include "tenrec/builder.h"

#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/memory_guard.h"
#include "build/bind.h"
#include "build/build_graph.h"
#include "build/lower.h"
#include "build/select.h"
#include "import/import.h"
#include "onnx/reader.h"
#include "passes/pass.h"
#include "passes/precision.h"
#include "plan/engine_file.h"
#include "plan/memory.h"
#include "runtime/device.h"
#include "targets/target.h"
#include "tenrec/version.h"

namespace tenrec {
namespace {

// Stops at a point that the user named; the graph's text is the result.
struct Stopped {
  std::string text;
};

void report(const BuildOptions& options, std::string_view phase, std::string_view detail,
            size_t done, size_t total) {
  if (!options.progress) return;
  if (!options.progress({.phase = phase, .detail = detail, .done = done, .total = total}))
    fail(ErrorCode::cancelled, "the build was cancelled while in phase {}", phase);
}

class Builder {
 public:
  explicit Builder(const BuildOptions& options, TimingCache* cache = nullptr)
      : options_(options),
        target_(find_target(options.target)),
        device_(target_.device_info(options.device, options.threads)),
        cache_(cache != nullptr ? *cache : own_cache_) {
    device_.vendor = device_.vendor && !options.no_vendor;
    device_.tf32 = options.tf32;
    check_stop_point();
    if (!options.timing_cache.empty()) cache_ = TimingCache::load(options.timing_cache);
  }

  // `others`: engines of the same model for other targets, to lie in this one.
  BuildResult run(Graph& graph, std::string_view name, BuildResult result,
                  const std::vector<BuildResult>& others) {
    try {
      plan::EngineParts parts = compile(graph, name, result);
      for (const BuildResult& other : others) parts.others.emplace_back(*other.bytes);
      progress("write", "engine", 0, 1);
      result.bytes = std::make_shared<const std::vector<std::byte>>(plan::serialise(parts));
      if (!options_.timing_cache.empty() && cache_.changed()) cache_.save(options_.timing_cache);
    } catch (Stopped& stopped) {
      result.text = std::move(stopped.text);
    }
    return result;
  }

 private:
  plan::EngineParts compile(Graph& graph, std::string_view model, BuildResult& result) {
    stop_if("import", graph);
    run_phase(graph, symbolic_passes());
    if (options_.precision != DType::f32) narrow(graph, result);
    if (options_.tf32 && !device_.has_tf32)
      result.notes.push_back(
          fmt::format("tf32 is allowed, but target '{}' has no such products: they stay float32",
                      target_.name()));
    stop_if("simplify", graph);

    plan::EngineParts parts;
    parts.meta = {.builder_version = TENREC_VERSION,
                  .target = std::string(target_.name()),
                  .device = device_.fingerprint,
                  .options = describe_options(),
                  .model_name = std::string(model),
                  .notes = result.notes};
    describe_bindings(graph, parts.io);
    SelectOptions select_options{
        .tune = !options_.no_tune && can_time(result),
        .explain = options_.keep_explain,
        .seed = options_.seed,
        .memory_limit = options_.memory_limit,
        .tune_seconds = options_.tune_budget,
        .pinned = options_.tactics,
        .tick = [this] { progress("select", "timing", selected_, to_select_); }};
    Selector selector(target_, device_, std::move(select_options), cache_);
    plan::CodeStore code;
    do {
      code = {};
      compile_profiles(graph, selector, parts, code);
    } while (refuse_failed(selector, parts, code, result));
    result.explain += selector.explanation();
    if (selector.untimed() > 0)
      result.notes.push_back(
          fmt::format("tuning took its {} s: {} nodes have their first tactic, not the fastest; a "
                      "timing cache lets the next build go on from here",
                      options_.tune_budget, selector.untimed()));
    note_host_steps(selector.host_nodes(), result);
    for (std::string& note : target_.notes(device_)) result.notes.push_back(std::move(note));
    parts.meta.notes = result.warnings;
    parts.meta.notes.insert(parts.meta.notes.end(), result.notes.begin(), result.notes.end());
    if (!options_.lean) parts.source.sources = code.sources();
    if (!options_.lean) add_graph(graph, parts);
    return parts;
  }

  void compile_profiles(const Graph& graph, Selector& selector, plan::EngineParts& parts,
                        plan::CodeStore& code) {
    parts.plans.clear();
    parts.weights = {};
    const std::vector<ProfileOptions> profiles =
        options_.profiles.empty() ? std::vector<ProfileOptions>(1) : options_.profiles;
    for (const ProfileOptions& profile : profiles)
      parts.plans.push_back(compile_profile(graph, profile, selector, parts.weights, code));
    check_host_steps(selector.host_nodes());
  }

  // Compiles the device code. True if some of it does not compile: its tactics are refused, and
  // everything has to be selected again.
  bool refuse_failed(Selector& selector, plan::EngineParts& parts, const plan::CodeStore& code,
                     BuildResult& result) {
    progress("compile", "device code", 0, code.sources().size());
    std::vector<std::string> failures;
    parts.code.images = target_.compile(code.sources(), device_, &failures,
                                        options_.no_compilation_cache ? nullptr : &cache_);
    bool failed = false;
    for (size_t i = 0; i < failures.size(); ++i) {
      if (failures[i].empty()) continue;
      failed = true;
      selector.refuse(code.sources()[i]);
      result.notes.push_back(fmt::format("{}: another kernel is taken instead; please report this",
                                         failures[i].substr(0, failures[i].find('\n'))));
    }
    return failed;
  }

  plan::Plan compile_profile(const Graph& graph, const ProfileOptions& profile, Selector& selector,
                             plan::WeightStore& weights, plan::CodeStore& code) {
    BoundGraph bound = bind(graph, profile);
    stop_if("bind", *bound.graph);
    run_phase(*bound.graph, bound_passes());
    target_.prepare_graph(*bound.graph, device_);
    verify(*bound.graph);
    stop_if("fuse", *bound.graph);
    selected_ = 0;
    to_select_ = bound.graph->nodes().size();
    progress("compile", "device code to be timed", 0, to_select_);
    selector.prepare(*bound.graph, bound.opt);
    plan::Plan plan = lower(
        bound,
        [&](const Node& node) {
          progress("select", node.describe(), selected_++, to_select_);
          return selector.select(node, bound.opt);
        },
        weights, code, device_.view_alignment);
    stop_if("select", *bound.graph);
    plan::plan_memory(plan);
    return plan;
  }

  // A narrow precision is permission, not an order: a target without kernels for it does better in
  // float32, and where one stays wide the user shall know.
  void narrow(Graph& graph, BuildResult& result) {
    const DType to = options_.precision;
    TENREC_CHECK(to == DType::f16 || to == DType::bf16, usage,
                 "precision {}: there are f32, f16 and bf16", name(to));
    if (!device_.narrow_types) {
      result.notes.push_back(
          fmt::format("{} is allowed, but target '{}' is faster in float32: every layer stays wide",
                      name(to), target_.name()));
      return;
    }
    const std::vector<std::string> wide = narrow_precision(graph, to);
    if (!wide.empty())
      result.notes.push_back(fmt::format("{}: {} layers stay float32: {}", name(to), wide.size(),
                                         fmt::join(wide, ", ")));
    run_phase(graph, symbolic_passes());
  }

  // A device that is named may be elsewhere.
  bool can_time(BuildResult& result) const {
    if (options_.device.empty()) return true;
    try {
      open_device(target_.name(), {.threads = 1, .fingerprint = device_.fingerprint});
      return true;
    } catch (const Error& error) {
      result.notes.push_back(fmt::format(
          "nothing is timed, every node has its first tactic: {}; build there for all the speed",
          error.what()));
      return false;
    }
  }

  static std::string host_steps_text(const std::vector<std::string>& nodes) {
    return fmt::format(
        "{} of the model's nodes run on the host, and what they read and write is copied there and "
        "back: {}",
        nodes.size(), fmt::join(nodes, ", "));
  }

  void check_host_steps(const std::vector<std::string>& nodes) const {
    TENREC_CHECK(nodes.empty() || !options_.no_fallback, unsupported,
                 "{}; target '{}' has no kernel for them, and no_fallback is set",
                 host_steps_text(nodes), target_.name());
  }

  // Where data goes to the host and back, the user shall know.
  static void note_host_steps(const std::vector<std::string>& nodes, BuildResult& result) {
    if (!nodes.empty()) result.notes.push_back(host_steps_text(nodes));
  }

  void run_phase(Graph& graph, const std::vector<Pass>& passes) {
    PassOptions options{.skip = skipped_of(passes), .stop_after = {}, .after = {}};
    size_t done = 0;
    options.after = [&](std::string_view pass, const Graph& after) {
      progress("passes", pass, ++done, passes.size());
      stop_if(pass, after);
    };
    run_passes(graph, passes, options);
  }

  // A name that is in no list at all is an error; one of another phase is not for this one.
  std::vector<std::string> skipped_of(const std::vector<Pass>&) const {
    for (const std::string& name : options_.skip_passes) {
      bool known = false;
      std::string names;
      for (const auto* list : {&symbolic_passes(), &bound_passes()}) {
        for (const Pass& pass : *list) {
          known |= pass.name == name;
          names += (names.empty() ? "" : ", ") + std::string(pass.name);
        }
      }
      TENREC_CHECK(known, usage, "there is no pass '{}' to skip; passes are {}", name, names);
    }
    return options_.skip_passes;
  }

  void check_stop_point() const {
    if (options_.stop_after.empty()) return;
    std::string names;
    const auto is_it = [&](std::string_view name) {
      names += (names.empty() ? "" : ", ") + std::string(name);
      return name == options_.stop_after;
    };
    bool known = false;
    for (const char* point : {"import", "simplify", "bind", "fuse", "select"})
      known |= is_it(point);
    for (const auto* list : {&symbolic_passes(), &bound_passes()}) {
      for (const Pass& pass : *list) known |= is_it(pass.name);
    }
    TENREC_CHECK(known, usage, "there is no point '{}' to stop after; there are {}",
                 options_.stop_after, names);
  }

  void stop_if(std::string_view point, const Graph& graph) const {
    if (point == options_.stop_after) throw Stopped{print(graph)};
  }

  void progress(std::string_view phase, std::string_view detail, size_t done, size_t total) const {
    report(options_, phase, detail, done, total);
  }

  // What the engine's bytes depend on beside model, device and timings.
  std::string describe_options() const {
    return fmt::format("precision={} tf32={} vendor={} lean={} profiles={}",
                       name(options_.precision), options_.tf32, !options_.no_vendor, options_.lean,
                       std::max<size_t>(options_.profiles.size(), 1));
  }

  static plan::Binding binding_of(const std::string& name, const Type& type) {
    plan::Binding binding;
    binding.name = name;
    binding.dtype = type.dtype;
    binding.ranked = type.ranked;
    binding.is_host = type.kind != Type::Kind::tensor || type.dtype == DType::string;
    for (const Dim& dim : type.shape) binding.dims.push_back(dim.str());
    return binding;
  }

  static void describe_bindings(const Graph& graph, plan::Io& io) {
    for (const auto& input : graph.inputs()) {
      io.inputs.push_back(binding_of(input->name, input->type));
      io.inputs.back().is_shape_input = decides_shapes(*input, graph);
    }
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      io.outputs.push_back(binding_of(graph.output_names()[i], graph.outputs()[i]->type));
    }
  }

  static void add_graph(const Graph& graph, plan::EngineParts& parts) {
    parts.graph.text = print(graph);
    for (const auto& [name, tensor] : printed_weights(graph)) {
      if (tensor.dtype() == DType::string) {
        parts.graph.originals.push_back({.name = name,
                                         .weight = plan::none,
                                         .dims = tensor.dims(),
                                         .strings = tensor.strings()});
        continue;
      }
      const std::span bytes(tensor.data(), static_cast<size_t>(tensor.bytes()));
      const int32_t weight =
          parts.weights.add(tensor.dtype(), tensor.dims(), bytes, std::make_shared<Tensor>(tensor));
      parts.graph.originals.push_back({.name = name, .weight = weight, .dims = {}, .strings = {}});
    }
  }

  const BuildOptions& options_;
  const Target& target_;
  DeviceInfo device_;
  TimingCache own_cache_;
  TimingCache& cache_;
  size_t selected_ = 0, to_select_ = 0;
};

// The options for each target of "cuda:sm_90,cpu": the first as given, the others without what the
// first brings for all.
std::vector<BuildOptions> by_target(const BuildOptions& options) {
  std::vector<BuildOptions> each;
  std::istringstream targets(options.target);
  for (std::string text; std::getline(targets, text, ',');) {
    BuildOptions& one = each.emplace_back(options);
    const size_t colon = text.find(':');
    one.target = text.substr(0, colon);
    if (colon != text.npos) {
      TENREC_CHECK(options.device.empty(), usage,
                   "target '{}' names a device, and so does the device '{}'", text, options.device);
      one.device = one.target + " " + text.substr(colon + 1);
    }
    if (each.size() > 1) one.lean = true;
  }
  TENREC_CHECK(!each.empty(), usage, "no target is named; there are cpu and cuda, see `doctor`");
  TENREC_CHECK(each.size() == 1 || options.device.empty(), usage,
               "which of the targets {} is device '{}' for? write it as target:device",
               options.target, options.device);
  return each;
}

// The engine for the first target, with the others' inside.
BuildResult build_targets(Graph& graph, std::string_view name, const BuildOptions& options,
                          TimingCache* cache, BuildResult result) {
  const std::vector<BuildOptions> each = by_target(options);
  std::vector<BuildResult> others;
  for (size_t i = 1; i < each.size() && options.stop_after.empty(); ++i) {
    const std::unique_ptr<Graph> copy = graph.clone();
    const BuildResult& other =
        others.emplace_back(Builder(each[i], cache).run(*copy, name, {}, {}));
    for (const std::string& note : other.notes)
      result.notes.push_back(fmt::format("{}: {}", each[i].target, note));
    result.explain += other.explain;
  }
  return Builder(each[0], cache).run(graph, name, std::move(result), others);
}

BuildResult build_model(const onnx::Model& model, const BuildOptions& options) {
  report(options, "import", model.graph.name, 0, 1);
  ImportedModel imported = import_model(model);
  BuildResult result;
  result.notes = std::move(imported.notes);
  result.warnings = std::move(imported.warnings);
  return build_targets(*imported.graph, model.graph.name, options, nullptr, std::move(result));
}

}  // namespace

bool decides_shapes(const Value& input, const Graph& graph) {
  if (!input.type.known) return false;
  std::vector<SymbolRef> own;
  for (const Dim& dim : input.type.known->ints) dim.collect_symbols(own);
  for (const Scale& scale : input.type.known->floats) own.push_back(scale.symbol);
  std::vector<SymbolRef> used;
  for (const auto& node : graph.nodes()) {
    for (const Value* output : node->outputs()) {
      for (const Dim& dim : output->type.shape) dim.collect_symbols(used);
    }
  }
  for (const SymbolRef& symbol : own) {
    if (std::find(used.begin(), used.end(), symbol) != used.end()) return true;
  }
  return false;
}

BuildResult build(const std::string& model_path, const BuildOptions& options) {
  return memory_guarded([&] {
    init_ops();
    return with_context([&] { return fmt::format("building \"{}\"", model_path); },
                        [&] { return build_model(onnx::read_model(model_path), options); });
  });
}

BuildResult build(std::span<const std::byte> model, const BuildOptions& options,
                  const std::string& folder) {
  return memory_guarded([&] {
    init_ops();
    return with_context(
        [] { return "building a model in memory"; },
        [&] { return build_model(onnx::read_model(model, nullptr, folder), options); });
  });
}

BuildResult build_graph(Graph& graph, std::string_view name, const BuildOptions& options) {
  return with_context([&] { return fmt::format("building graph \"{}\"", name); },
                      [&] { return build_targets(graph, name, options, nullptr, {}); });
}

BuildResult build_graph(Graph& graph, std::string_view name, const BuildOptions& options,
                        TimingCache& cache) {
  return with_context([&] { return fmt::format("building graph \"{}\"", name); },
                      [&] { return build_targets(graph, name, options, &cache, {}); });
}

void BuildResult::save(const std::string& path) const {
  TENREC_CHECK(bytes, usage, "there is no engine to save: the build stopped early");
  memory_guarded([&] { write_file_atomic(path, *bytes); });
}

Engine BuildResult::load(const LoadOptions& options) const {
  TENREC_CHECK(bytes, usage, "there is no engine to load: the build stopped early");
  return Engine::from_bytes(bytes, options);
}

}  // namespace tenrec
