// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <cmath>
#include <functional>

namespace trtexec {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::string part;
  bool quoted = false;
  for (const char c : text) {
    if (c == '\'') quoted = !quoted;
    if (c == separator && !quoted) {
      parts.push_back(std::move(part));
      part.clear();
    } else {
      part += c;
    }
  }
  parts.push_back(std::move(part));
  return parts;
}

std::string unquoted(const std::string& text) {
  if (text.size() >= 2 && text.front() == '\'' && text.back() == '\'')
    return text.substr(1, text.size() - 2);
  return text;
}

template <class Number, class Convert>
Number number(const std::string& text, Convert&& convert) {
  size_t used = 0;
  try {
    const Number value = convert(text, &used);
    if (used == text.size()) return value;
  } catch (const std::exception&) {
  }
  throw UsageError("\"" + text + "\" is no number");
}
int64_t integer(const std::string& text) {
  return number<int64_t>(text, [](const std::string& t, size_t* n) { return std::stoll(t, n); });
}
int small_integer(const std::string& text) {
  return number<int>(text, [](const std::string& t, size_t* n) { return std::stoi(t, n); });
}
double real(const std::string& text) {
  return number<double>(text, [](const std::string& t, size_t* n) { return std::stod(t, n); });
}

// name:value at the last colon outside quotes, since names may hold colons.
std::pair<std::string, std::string> name_and_value(const std::string& text) {
  bool quoted = false;
  size_t colon = text.npos;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') quoted = !quoted;
    if (text[i] == ':' && !quoted) colon = i;
  }
  if (colon == text.npos || colon == 0) throw UsageError("\"" + text + "\" should read name:value");
  return {unquoted(text.substr(0, colon)), text.substr(colon + 1)};
}

Dims dims(const std::string& text) {
  Dims sizes;
  if (text.empty() || text == "scalar") return sizes;
  for (const std::string& part : split(text, 'x')) {
    sizes.push_back(integer(part));
    if (sizes.back() < 0) throw UsageError("\"" + text + "\" has a negative size");
  }
  return sizes;
}

Shapes shapes(const std::string& text) {
  Shapes all;
  for (const std::string& part : split(text, ',')) {
    const auto [name, value] = name_and_value(part);
    all[name] = dims(value);
  }
  return all;
}

// Bytes; without a suffix in units of `unit`.
int64_t size_in_bytes(const std::string& text, double unit) {
  if (text.empty()) throw UsageError("a size is empty");
  static const std::map<char, double> suffixes{
      {'B', 1}, {'K', 1 << 10}, {'M', 1 << 20}, {'G', 1 << 30}};
  const auto suffix = suffixes.find(text.back());
  const double scale = suffix == suffixes.end() ? unit : suffix->second;
  const std::string digits = suffix == suffixes.end() ? text : text.substr(0, text.size() - 1);
  return static_cast<int64_t>(std::llround(real(digits) * scale));
}

void memory_pools(Options& options, const std::string& text) {
  static const std::vector<std::string> known{"workspace", "dlaSRAM", "dlaLocalDRAM",
                                              "dlaGlobalDRAM", "tacticSharedMem"};
  for (const std::string& part : split(text, ',')) {
    const auto [name, value] = name_and_value(part);
    bool found = false;
    for (const std::string& pool : known) found |= pool == name;
    if (!found) throw UsageError("there is no memory pool \"" + name + "\"");
    options.memory_pools[name] = size_in_bytes(value, name == "workspace" ? 1 << 20 : 1);
  }
}

std::string choice(const std::string& value, const std::vector<std::string>& choices) {
  for (const std::string& allowed : choices)
    if (value == allowed) return value;
  std::string text = "\"" + value + "\" is none of";
  for (const std::string& allowed : choices) text += " " + allowed;
  throw UsageError(text);
}

enum class Takes { nothing, value };
struct Flag {
  const char* names;  // separated by blanks; the first is the one to use
  Takes takes;
  const char* group;
  const char* help;
  std::function<void(Options&, const std::string&)> apply;
  bool has_effect = true;  // false: accepted, and one warning line says so
};

auto set(bool Options::* member, bool value = true) {
  return [member, value](Options& options, const std::string&) { options.*member = value; };
}
auto set(std::string Options::* member) {
  return [member](Options& options, const std::string& text) { options.*member = text; };
}
auto set(int Options::* member) {
  return [member](Options& options, const std::string& text) {
    options.*member = small_integer(text);
  };
}
auto precision(const char* name) {
  return [name](Options& options, const std::string&) { options.precisions.emplace_back(name); };
}
auto profile_shapes(Dims ShapeRange::* member) {
  return [member](Options& options, const std::string& text) {
    for (auto& [name, sizes] : shapes(text)) options.profiles.back()[name].*member = sizes;
  };
}
void nothing(Options&, const std::string&) {}

std::vector<Flag> make_model_and_build_flags() {
  using O = Options;
  const auto off = [](const char* names, Takes takes, const char* group, const char* help) {
    return Flag{names, takes, group, help, nothing, false};
  };
  constexpr auto build = "Build";
  return {
      {"onnx", Takes::value, "Model", "the ONNX model", set(&O::onnx)},
      {"minShapes", Takes::value, build, "smallest sizes: name:1x3x8x8,name2:...",
       profile_shapes(&ShapeRange::min)},
      {"optShapes", Takes::value, build, "sizes to tune for", profile_shapes(&ShapeRange::opt)},
      {"maxShapes", Takes::value, build, "largest sizes", profile_shapes(&ShapeRange::max)},
      {"profile", Takes::value, build, "the shapes that follow belong to profile N",
       [](O& options, const std::string& text) {
         const int64_t index = integer(text);
         const auto count = static_cast<int64_t>(options.profiles.size());
         if (index < 0 || index > count) throw UsageError("profiles count up from 0");
         if (index == count) options.profiles.emplace_back();
       }},
      {"memPoolSize", Takes::value, build, "workspace:64,... (MiB, or with a suffix B K M G)",
       memory_pools},
      {"workspace", Takes::value, build, "as --memPoolSize=workspace:N",
       [](O& options, const std::string& text) {
         options.warnings.emplace_back("--workspace is an old flag; use --memPoolSize=workspace:" +
                                       text);
         options.memory_pools["workspace"] = size_in_bytes(text, 1 << 20);
       }},
      {"fp16", Takes::nothing, build, "allow half precision", precision("FP16")},
      {"int8", Takes::nothing, build, "allow 8-bit integers", precision("INT8")},
      {"fp8", Takes::nothing, build, "allow 8-bit floats", precision("FP8")},
      {"bf16", Takes::nothing, build, "allow bfloat16", precision("BF16")},
      {"int4", Takes::nothing, build, "allow 4-bit integers", precision("INT4")},
      {"best", Takes::nothing, build, "allow every precision",
       [](O& options, const std::string&) {
         for (const char* name : {"FP16", "INT8", "BF16"}) options.precisions.emplace_back(name);
       }},
      {"stronglyTyped", Takes::nothing, build, "types are those of the model",
       set(&O::strongly_typed)},
      {"noTF32", Takes::nothing, build, "32-bit floats are never rounded", set(&O::no_tf32)},
      {"avgTiming", Takes::value, build, "timings a tactic", set(&O::avg_timing)},
      {"profilingVerbosity nvtxMode", Takes::value, build, "layer_names_only, detailed or none",
       [](O& options, const std::string& text) {
         options.profiling_verbosity =
             choice(text, {"layer_names_only", "detailed", "none", "default", "verbose"});
       }},
      {"saveEngine", Takes::value, build, "write the engine", set(&O::save_engine)},
      {"loadEngine", Takes::value, build, "run this engine", set(&O::load_engine)},
      {"asyncFileReader", Takes::nothing, build, "load through a stream", set(&O::async_reader)},
      {"getPlanVersionOnly", Takes::nothing, build, "print the version of --loadEngine",
       set(&O::plan_version_only)},
      {"skipInference buildOnly", Takes::nothing, build, "stop after the build",
       set(&O::skip_inference)},
      {"timingCacheFile", Takes::value, build, "read and updated", set(&O::timing_cache)},
      {"noBuilderCache", Takes::nothing, build, "no timing cache", set(&O::no_builder_cache)},
      {"noCompilationCache", Takes::nothing, build, "no device code in the timing cache",
       set(&O::no_compilation_cache)},
      {"builderOptimizationLevel", Takes::value, build, "0 to 5", set(&O::optimization_level)},
      {"maxTactics", Takes::value, build, "tactics timed at most", set(&O::max_tactics)},
      {"maxAuxStreams", Takes::value, build, "auxiliary streams", set(&O::max_aux_streams)},
      {"inputIOFormats", Takes::value, build, "only fp32:chw and the model's types, row-major",
       set(&O::input_formats)},
      {"outputIOFormats", Takes::value, build, "as --inputIOFormats", set(&O::output_formats)},
      {"refit", Takes::nothing, build, "refittable engine", set(&O::refit)},
      off("maxBatch batch", Takes::value, build, "batches are part of the shapes"),
      off("explicitBatch explicitPrecision", Takes::nothing, build, "always so"),
      off("minTiming", Takes::value, build, ""),
      off("minShapesCalib optShapesCalib maxShapesCalib calib calibProfile", Takes::value, build,
          "there is no calibration"),
      off("stripWeights stripAllWeights weightless", Takes::nothing, build,
          "engines keep their weights"),
      off("refitFromOnnx", Takes::value, build, "engines keep their weights"),
      off("versionCompatible vc excludeLeanRuntime", Takes::nothing, build,
          "engines of older versions load anyway"),
      off("leanDLLPath useRuntime", Takes::value, build, ""),
      off("pluginInstanceNorm pi uint8AsymmetricQuantizationDLA reportCapabilityDLA adjustForDLA "
          "enablePluginOverride",
          Takes::nothing, build, "parser flags"),
      off("sparsity precisionConstraints layerPrecisions layerOutputTypes layerDeviceTypes "
          "decomposableAttentions",
          Takes::value, build, "layers keep their types"),
      off("directIO safe consistency restricted dumpKernelText cpuOnly monitorMemory "
          "buildDLAStandalone allowGPUFallback heuristic errorOnTimingCacheMiss "
          "allowWeightStreaming markUnfusedTensorsAsDebugTensors "
          "distributiveIndependence",
          Takes::nothing, build, ""),
      off("remoteAutoTuningConfig tacticSources preview hardwareCompatibilityLevel "
          "runtimePlatform tempdir tempfileControls markDebug tilingOptimizationLevel "
          "l2LimitForTiling tuneBuildRoutes tuneBuildRouteFile tuningSearch tuningCacheFile "
          "tuningTimeOut setBuildRoute",
          Takes::value, build, ""),
      off("saveAllEngines dryRun continue", Takes::nothing, build, ""),
  };
}

std::vector<Flag> make_run_flags() {
  using O = Options;
  const auto off = [](const char* names, Takes takes, const char* group, const char* help) {
    return Flag{names, takes, group, help, nothing, false};
  };
  constexpr auto inference = "Inference", reporting = "Reporting", system = "System";
  return {
      {"shapes", Takes::value, inference, "sizes to run with",
       [](O& options, const std::string& text) { options.shapes = shapes(text); }},
      {"loadInputs", Takes::value, inference, "name:file,... (raw elements)",
       [](O& options, const std::string& text) {
         for (const std::string& part : split(text, ',')) {
           const auto [name, file] = name_and_value(part);
           options.inputs[name] = file;
         }
       }},
      {"iterations", Takes::value, inference, "runs at least (10)", set(&O::iterations)},
      {"warmUp", Takes::value, inference, "milliseconds (200)",
       [](O& options, const std::string& text) { options.warm_up_ms = real(text); }},
      {"duration", Takes::value, inference, "seconds at least (3)",
       [](O& options, const std::string& text) { options.duration_s = real(text); }},
      {"sleepTime", Takes::value, inference, "milliseconds before each run", set(&O::sleep_ms)},
      {"idleTime", Takes::value, inference, "milliseconds between runs", set(&O::idle_ms)},
      {"infStreams streams", Takes::value, inference, "contexts in parallel (1)", set(&O::streams)},
      {"exposeDMA", Takes::nothing, inference, "copies do not overlap", set(&O::expose_dma)},
      {"noDataTransfers", Takes::nothing, inference, "no copies of inputs and outputs",
       set(&O::transfers, false)},
      {"includeDataTransfers", Takes::nothing, inference, "copies count (as always)",
       set(&O::transfers)},
      {"useManagedMemory", Takes::nothing, inference, "", set(&O::managed_memory)},
      {"useSpinWait", Takes::nothing, inference, "spin while waiting", set(&O::spin)},
      {"noSpinWait", Takes::nothing, inference, "", set(&O::spin, false)},
      {"threads", Takes::nothing, inference, "one thread a stream", set(&O::threads)},
      {"useCudaGraph", Takes::nothing, inference, "launch a captured graph", set(&O::cuda_graph)},
      {"noCudaGraph", Takes::nothing, inference, "", set(&O::cuda_graph, false)},
      {"separateProfileRun", Takes::nothing, inference, "profile in a second run",
       set(&O::separate_profile)},
      {"timeDeserialize", Takes::nothing, inference, "time loading the engine and exit",
       set(&O::time_deserialize)},
      {"timeRefit", Takes::nothing, inference, "", set(&O::time_refit)},
      {"useProfile", Takes::value, inference, "profile to run with (0)", set(&O::use_profile)},
      off("persistentCacheRatio allocationStrategy saveDebugTensors weightStreamingBudget "
          "saveAllDebugTensors loadRefOutputs refPair accuracyAlgorithm atol rtol "
          "accuracyThreshold",
          Takes::value, inference, ""),
      {"verbose", Takes::nothing, reporting, "say more", set(&O::verbose)},
      {"avgRuns", Takes::value, reporting, "runs an average (10)", set(&O::averages)},
      {"percentile", Takes::value, reporting, "90,95,99",
       [](O& options, const std::string& text) {
         options.percentiles.clear();
         for (const std::string& part : split(text, ',')) {
           options.percentiles.push_back(real(part));
           if (options.percentiles.back() < 0 || options.percentiles.back() > 100)
             throw UsageError("percentiles lie in 0..100");
         }
       }},
      {"dumpRefit", Takes::nothing, reporting, "", set(&O::dump_refit)},
      {"dumpOutput", Takes::nothing, reporting, "print the outputs", set(&O::dump_output)},
      {"dumpRawBindingsToFile", Takes::nothing, reporting, "write inputs and outputs",
       set(&O::dump_raw)},
      {"dumpProfile", Takes::nothing, reporting, "time of each layer", set(&O::dump_profile)},
      {"dumpLayerInfo", Takes::nothing, reporting, "what each layer does", set(&O::dump_layers)},
      {"dumpOptimizationProfile", Takes::nothing, reporting, "sizes of each profile",
       set(&O::dump_profiles)},
      {"exportTimes", Takes::value, reporting, "JSON file of every run", set(&O::export_times)},
      {"exportOutput", Takes::value, reporting, "JSON file of outputs", set(&O::export_output)},
      {"exportProfile", Takes::value, reporting, "JSON file of layer times",
       set(&O::export_profile)},
      {"exportLayerInfo", Takes::value, reporting, "JSON file of layers", set(&O::export_layers)},
      {"device", Takes::value, system, "number of the device (0)", set(&O::device)},
      {"useDLACore", Takes::value, system, "there is no DLA", set(&O::dla_core)},
      {"staticPlugins plugins dynamicPlugins safetyPlugins", Takes::value, system,
       "plugin libraries",
       [](O& options, const std::string& text) { options.plugins.push_back(text); }},
      off("setPluginsToSerialize", Takes::value, system, ""),
      off("ignoreParsedPluginLibs", Takes::nothing, system, ""),
      {"help h", Takes::nothing, "Help", "this text", set(&O::help)},
  };
}

const std::vector<Flag>& flags() {
  static const std::vector<Flag> all = [] {
    std::vector<Flag> joined = make_model_and_build_flags();
    for (Flag& flag : make_run_flags()) joined.push_back(std::move(flag));
    return joined;
  }();
  return all;
}

const Flag* find(const std::string& name) {
  for (const Flag& flag : flags())
    for (const std::string& each : split(flag.names, ' '))
      if (each == name) return &flag;
  return nullptr;
}

// Missing ends of a range are taken from those that are there.
void complete(Options& options) {
  for (ProfileShapes& profile : options.profiles) {
    for (auto& [name, range] : profile) {
      const Dims any = !range.opt.empty() ? range.opt : !range.max.empty() ? range.max : range.min;
      if (range.opt.empty()) range.opt = any;
      if (range.min.empty()) range.min = range.opt;
      if (range.max.empty()) range.max = range.opt;
    }
  }
  for (const auto& [name, sizes] : options.shapes)
    if (options.profiles[0].find(name) == options.profiles[0].end())
      options.profiles[0][name] = {sizes, sizes, sizes};
}

void check(const Options& options) {
  if (options.help) return;
  if (options.onnx.empty() == options.load_engine.empty())
    throw UsageError(options.onnx.empty() ? "give a model (--onnx) or an engine (--loadEngine)"
                                          : "--onnx and --loadEngine exclude each other");
  if (!options.save_engine.empty() && !options.load_engine.empty())
    throw UsageError("--saveEngine and --loadEngine exclude each other");
  if (options.streams < 1) throw UsageError("--infStreams must be at least 1");
  if (options.averages < 1) throw UsageError("--avgRuns must be at least 1");
  if (options.optimization_level < -1 || options.optimization_level > 5)
    throw UsageError("--builderOptimizationLevel lies in 0..5");
}

}  // namespace

bool matches(const std::string& pattern, const std::string& name) {
  const size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == name;
  const std::string head = pattern.substr(0, star), tail = pattern.substr(star + 1);
  return name.size() >= head.size() + tail.size() && name.compare(0, head.size(), head) == 0 &&
         name.compare(name.size() - tail.size(), tail.size(), tail) == 0;
}

std::string text_of(const Dims& dims) {
  std::string text;
  for (const int64_t size : dims) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text.empty() ? "scalar" : text;
}

Options parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (const std::string& argument : arguments) {
    const size_t dashes = argument.compare(0, 2, "--") == 0         ? 2
                          : !argument.empty() && argument[0] == '-' ? 1
                                                                    : 0;
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(dashes, equals - dashes);
    const Flag* flag = dashes == 0 ? nullptr : find(name);
    if (flag == nullptr) throw UsageError("Unknown option: " + argument);
    const bool has_value = equals != argument.npos;
    if ((flag->takes == Takes::value) != has_value)
      throw UsageError("--" + name +
                       (has_value ? " takes no value" : " needs a value: --" + name + "=..."));
    const std::string value = has_value ? argument.substr(equals + 1) : "";
    try {
      flag->apply(options, value);
    } catch (const UsageError& error) {
      throw UsageError(argument + ": " + error.what());
    }
    if (!flag->has_effect) options.warnings.push_back("--" + name + " has no effect here");
  }
  if (!options.shapes.empty() || !options.profiles.empty()) complete(options);
  check(options);
  return options;
}

std::string help_text() {
  std::string text;
  std::string group;
  for (const Flag& flag : flags()) {
    if (group != flag.group) text += "\n=== " + std::string(flag.group) + " Options ===\n";
    group = flag.group;
    for (const std::string& name : split(flag.names, ' ')) {
      std::string line = "  --" + name + (flag.takes == Takes::value ? "=<...>" : "");
      line.resize(std::max<size_t>(line.size() + 1, 34), ' ');
      text += line + (flag.has_effect ? "" : "accepted, no effect. ") + flag.help + "\n";
    }
  }
  return text;
}

}  // namespace trtexec
