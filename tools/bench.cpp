// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <future>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <thread>

#include "base/error.h"
#include "compare.h"
#include "inputs.h"
#include "ort.h"
#include "reuse.h"
#include "runtime/device.h"
#include "targets/cpu/run/threads.h"
#include "tool.h"

namespace tenrec {
namespace {

using nlohmann::json;

struct BenchCommand {
  BuildFlags flags;
  InputFlags inputs;
  std::string path, layers, vs, library;
  double warmup = 0.2, duration = 3;
  int iterations = 0;
  int rounds = 7;
  bool json = false;
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// `sorted` is ascending and not empty.
double quantile(const std::vector<double>& sorted, double part) {
  const double at = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - static_cast<double>(below));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return quantile(values, 0.5);
}

// Latencies in milliseconds, and the medians of the rounds they were taken in.
struct Timings {
  std::vector<double> runs, rounds;

  // The median of the rounds' medians: a disturbed round does not move it.
  double typical() const { return median(rounds); }

  json to_json() const {
    std::vector<double> sorted = runs;
    std::sort(sorted.begin(), sorted.end());
    return {{"min", sorted.front()},
            {"mean", mean()},
            {"median", typical()},
            {"p90", quantile(sorted, 0.9)},
            {"p95", quantile(sorted, 0.95)},
            {"p99", quantile(sorted, 0.99)},
            {"runs", runs.size()}};
  }
  double mean() const {
    return std::accumulate(runs.begin(), runs.end(), 0.0) / static_cast<double>(runs.size());
  }

  void print(const std::string& who) const {
    std::vector<double> sorted = runs;
    std::sort(sorted.begin(), sorted.end());
    fmt::print(
        "{}: {:.2f} runs/s ({} runs)\n  latency ms: min {:.3f}  mean {:.3f}  median {:.3f}  p90 "
        "{:.3f}  "
        "p95 {:.3f}  p99 {:.3f}\n",
        who, 1000 / mean(), runs.size(), sorted.front(), mean(), typical(), quantile(sorted, 0.9),
        quantile(sorted, 0.95), quantile(sorted, 0.99));
  }
};

// One round: `iterations` runs, or (0) as many as fit into `seconds`, at least one.
template <class Run>
void time_round(Run&& run, double seconds, int iterations, Timings& timings) {
  std::vector<double> round;
  const double end = seconds_now() + seconds;
  do {
    const double start = seconds_now();
    run();
    round.push_back((seconds_now() - start) * 1000);
  } while (iterations > 0 ? std::cmp_less(round.size(), iterations) : seconds_now() < end);
  timings.rounds.push_back(median(round));
  timings.runs.insert(timings.runs.end(), round.begin(), round.end());
}

template <class Run>
void warm_up(Run&& run, double seconds) {
  const double end = seconds_now() + seconds;
  do run();
  while (seconds_now() < end);
}

// Inputs where the engine computes, so that copies from the host are not timed. Inputs whose values
// decide shapes stay on the host.
class BoundInputs {
 public:
  BoundInputs(const Engine& engine, int device, const NamedTensors& inputs, Context& context) {
    device_ = open_device(engine.target(), {.index = device});
    for (const auto& [name, tensor] : inputs) {
      const TensorInfo& info = info_of(engine.inputs(), name, "input");
      if (device_->host_memory() || info.is_shape_input || info.is_host || tensor.data.empty()) {
        context.set_input(name, tensor);
        continue;
      }
      memory_.push_back(device_->allocate(tensor.data.size(), "inputs"));
      device_->copy_from_host(memory_.back()->data, tensor.data.data(), tensor.data.size());
      context.set_input(name, TensorRef{.dtype = tensor.dtype,
                                        .dims = tensor.dims,
                                        .data = memory_.back()->data,
                                        .bytes = tensor.data.size(),
                                        .on_device = true});
    }
    device_->synchronise();
  }

 private:
  std::shared_ptr<Device> device_;
  std::vector<std::unique_ptr<DeviceMemory>> memory_;
};

// ---- layers ----

struct Layer {
  size_t order = 0;
  std::string op, family, tactic, nodes;
  double flops = 0, bytes = 0;  // what it cannot do without
  double microseconds = 0;      // a run
  double least = 0;             // microseconds of the fastest run: neighbours disturb it least
  double byte_cost = 0;  // seconds that one of its bytes takes at least, where they come from
  double share = 0;      // of the run
  double limit = 0;      // microseconds that nothing falls below on this device
};

// Operations a second of the type that the engine's products are computed in.
double peak_of(const Engine& engine, const DeviceLimits& limits, bool tf32) {
  for (const StepInfo& step : engine.steps()) {
    for (const StepValue& input : step.inputs) {
      if (input.dtype == DType::f16 || input.dtype == DType::bf16) return limits.f16;
    }
  }
  return tf32 ? limits.tf32 : limits.f32;
}

// Steps of bodies are listed too, and are part of the time of their If, Loop or Scan.
std::vector<Layer> profile_layers(Context& context, const DeviceLimits& limits, double seconds) {
  const auto cost = [&](double distance) { return limits.seconds_of_byte(distance); };
  MemoryReuse reuse;
  std::map<const char*, Layer> layers;  // by the plan's own text: one a step, bodies included
  context.set_profiler([&](const StepTiming& timing) {
    const auto [found, is_new] = layers.try_emplace(timing.tactic.data());
    Layer& layer = found->second;
    if (is_new) {
      layer = {layers.size() - 1,
               std::string(timing.op),
               std::string(timing.family),
               std::string(timing.tactic),
               fmt::format("{}", fmt::join(timing.origins, " + ")),
               timing.flops,
               timing.bytes};
    }
    layer.least = is_new ? timing.microseconds : std::min(layer.least, timing.microseconds);
    layer.microseconds += timing.microseconds;
    layer.byte_cost = reuse.step(timing.memory, cost);  // what counts is that of the last run
  });
  Timings timings;
  time_round([&] { context.run(); }, seconds, 0, timings);
  context.set_profiler({});
  std::vector<Layer> result;
  for (auto& [key, layer] : layers) {
    layer.microseconds /= static_cast<double>(timings.runs.size());
    layer.share = layer.microseconds / (10 * timings.mean());  // percent of milliseconds
    result.push_back(std::move(layer));
  }
  std::sort(result.begin(), result.end(),
            [](const Layer& a, const Layer& b) { return a.order < b.order; });
  return result;
}

json to_json(const std::vector<Layer>& layers) {
  json list = json::array();
  for (const Layer& layer : layers) {
    list.push_back({{"op", layer.op},
                    {"family", layer.family},
                    {"tactic", layer.tactic},
                    {"nodes", layer.nodes},
                    {"flops", layer.flops},
                    {"bytes", layer.bytes},
                    {"limit_us", layer.limit},
                    {"us", layer.microseconds},
                    {"least_us", layer.least},
                    {"percent", layer.share}});
  }
  return list;
}

// "limits (measured with 2 threads): f32 203 GFLOP/s; 64 KiB 520 GB/s, 1 MiB 240 GB/s, memory ..."
std::string to_text(const DeviceLimits& limits) {
  std::string text = fmt::format("limits ({}): ", limits.source);
  if (limits.f32 > 0) text += fmt::format("f32 {:.0f} GFLOP/s, ", limits.f32 / 1e9);
  if (limits.f16 > limits.f32)
    text += fmt::format("tf32 {:.0f}, f16 {:.0f}, ", limits.tf32 / 1e9, limits.f16 / 1e9);
  for (const DeviceLimits::Level& level : limits.memory) {
    if (&level != &limits.memory.back()) text += fmt::format("{} KiB ", level.size >> 10);
    else text += "memory ";
    text += fmt::format("{:.0f} GB/s, ", level.rate / 1e9);
  }
  return text.substr(0, text.size() - 2);
}

void print(const std::vector<Layer>& layers, const DeviceLimits& limits) {
  fmt::print("\n{}", to_text(limits));
  fmt::print("\n{:>5} {:>11} {:>6} {:>10}  {:<18} {:<18} {:<24} {}\n", "step", "mean us", "%",
             "limit us", "op", "family", "tactic", "nodes");
  for (const Layer& layer : layers) {
    fmt::print("{:>5} {:>11.1f} {:>6.2f} {:>10.1f}  {:<18} {:<18} {:<24} {}\n", layer.order,
               layer.microseconds, layer.share, layer.limit, layer.op, layer.family, layer.tactic,
               layer.nodes);
  }
}

// ---- the other side ----

std::filesystem::path ort_library(const BenchCommand& command) {
  if (!command.library.empty()) return command.library;
  std::error_code ignored;
  const std::filesystem::path binary = std::filesystem::read_symlink("/proc/self/exe", ignored);
  std::vector<std::filesystem::path> folders{std::filesystem::current_path(ignored)};
  for (auto folder = binary.parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    folders.push_back(folder);
  }
  for (const auto& folder : folders) {
    for (const char* environment : {"venv", "build/venv"}) {
      const auto found = find_onnxruntime(folder / environment);
      if (!found.empty()) return found;
    }
  }
  fail(ErrorCode::usage,
       "no onnxruntime found in build/venv; make it with scripts/python_env.sh or give --ort-lib "
       "FILE");
}

// onnxruntime's own errors are no bugs of ours.
template <class Body>
auto with_ort(Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Error&) {
    throw;
  } catch (const std::runtime_error& error) {
    fail(ErrorCode::device, "onnxruntime: {}", error.what());
  }
}

OrtSession open_ort(const BenchCommand& command, const NamedTensors& inputs, int threads) {
  TENREC_CHECK(is_onnx(command.path), usage,
               "--vs onnxruntime needs the .onnx model, \"{}\" is an engine", command.path);
  OrtSession session(ort_library(command), command.path, threads);
  const auto& names = session.input_names();
  for (const auto& [name, tensor] : inputs) {
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    session.set_input(name, static_cast<int32_t>(tensor.dtype), tensor.dims, tensor.data.data(),
                      tensor.data.size());
  }
  return session;
}

struct Agreement {
  std::string output;
  double relative = 0;  // infinite: shapes or types differ
  std::string text = "no outputs compared";
};

Agreement compare_outputs(const Engine& engine, const Context& context, const OrtSession& session) {
  Agreement worst;
  for (const TensorInfo& info : engine.outputs()) {
    if (info.is_host) continue;
    const HostTensor ours = context.output_tensor(info.name);
    const OrtTensor theirs = session.output(info.name);
    const Tensor want(static_cast<DType>(theirs.dtype), theirs.dims, nullptr, theirs.data.data());
    const Difference difference = compare(as_tensor(ours), want);
    const double relative = !difference.reason.empty() ? std::numeric_limits<double>::infinity()
                            : difference.exact         ? static_cast<double>(difference.different)
                                                       : difference.relative();
    if (worst.output.empty() || relative > worst.relative)
      worst = {info.name, relative, difference.str()};
  }
  return worst;
}

// ---- the command ----

// The same engine on several devices at once, each with a thread that keeps it busy.
void run_on_all(const BenchCommand& command, const BuildOptions& options,
                const std::vector<int>& devices) {
  TENREC_CHECK(command.vs.empty() && command.layers.empty(), usage,
               "--device {}: --vs and --layers are for one device", command.flags.device);
  const std::vector<Engine> engines = load_or_build(command.path, options, devices);
  const NamedTensors inputs = command.inputs.read_or_random(engines.front(), options.seed);
  std::vector<Context> contexts;
  std::vector<std::unique_ptr<BoundInputs>> bound;
  for (size_t i = 0; i < engines.size(); ++i) {
    contexts.push_back(engines[i].create_context());
    bound.push_back(std::make_unique<BoundInputs>(engines[i], devices[i], inputs, contexts.back()));
    warm_up([&] { contexts[i].run(); }, command.warmup);
  }
  std::vector<Timings> timings(engines.size());
  std::vector<std::future<void>> busy;
  for (size_t i = 0; i < engines.size(); ++i) {
    busy.push_back(std::async(std::launch::async, [&, i] {
      time_round([&] { contexts[i].run(); }, command.duration, command.iterations, timings[i]);
    }));
  }
  for (std::future<void>& each : busy) each.get();
  double total = 0;
  json all = json::array();
  for (size_t i = 0; i < engines.size(); ++i) {
    total += 1000 / timings[i].mean();
    all.push_back({{"device", devices[i]}, {"tenrec_ms", timings[i].to_json()}});
    if (!command.json) timings[i].print(fmt::format("device {}", devices[i]));
  }
  if (!command.json) return fmt::print("all {}: {:.2f} runs/s\n", engines.size(), total);
  fmt::print("{}\n", json{{"model", command.path}, {"throughput", total}, {"devices", all}}.dump());
}

struct Results {
  Timings tenrec, onnxruntime;
  std::string onnxruntime_version;  // empty: it was not asked
  Agreement agreement;
  std::vector<Layer> layers;
  DeviceLimits limits;  // medians of those measured around the rounds
  double flops = 0;     // of a run
  double peak = 0;      // floating-point operations a second; 0: not known

  // Part of the peak that the median run reaches: neighbours move both, so both are of the same
  // rounds. Convolutions count as if done directly, so Winograd's may pass 1.
  double part_of_peak() const { return flops / peak / (tenrec.typical() / 1e3); }
};

// Each field the median of the samples'.
DeviceLimits median(const std::vector<DeviceLimits>& samples) {
  DeviceLimits result = samples.front();
  const auto typical = [&](const auto& field) {
    std::vector<double> values;
    for (const DeviceLimits& sample : samples) values.push_back(field(sample));
    return median(std::move(values));
  };
  result.f32 = typical([](const DeviceLimits& sample) { return sample.f32; });
  result.tf32 = typical([](const DeviceLimits& sample) { return sample.tf32; });
  result.f16 = typical([](const DeviceLimits& sample) { return sample.f16; });
  for (size_t i = 0; i < result.memory.size(); ++i)
    result.memory[i].rate = typical([i](const DeviceLimits& s) { return s.memory[i].rate; });
  return result;
}

// Sides take turns, and turns in going first, so that a slow moment of the machine hits both. With
// a device its limits are measured before, between and after the rounds.
void take_turns(const BenchCommand& command, Context& context, OrtSession* session, Device* device,
                Results& results) {
  const auto ours = [&] { context.run(); };
  const auto theirs = [&] { with_ort([&] { session->run(); }); };
  const int rounds = session || device ? command.rounds : 1;
  const double seconds = command.duration / (session ? 2 * rounds : rounds);
  const int iterations = (command.iterations + rounds - 1) / rounds;
  // Both sides' threads spin for a while after a run: the other side must not pay for that.
  const auto turn = [&](const auto& run, Timings& timings) {
    if (session) {
      std::this_thread::sleep_for(std::chrono::milliseconds(60));
      run();
    }
    time_round(run, seconds, iterations, timings);
  };
  warm_up(ours, command.warmup);
  if (session) warm_up(theirs, command.warmup);
  std::vector<DeviceLimits> limits;
  const auto measure = [&] {
    if (device) limits.push_back(device->limits());
  };
  for (int round = 0; round < rounds; ++round) {
    measure();
    if (session && round % 2 == 1) turn(theirs, results.onnxruntime);
    turn(ours, results.tenrec);
    if (session && round % 2 == 0) turn(theirs, results.onnxruntime);
  }
  measure();
  if (device) results.limits = median(limits);
}

void add_layers(const Engine& engine, Context& context, bool tf32, double seconds,
                Results& results) {
  results.layers = profile_layers(context, results.limits, std::min(seconds, 1.0));
  results.peak = peak_of(engine, results.limits, tf32);
  for (Layer& layer : results.layers) {
    const double computing = results.peak > 0 ? layer.flops / results.peak : 0;
    layer.limit = 1e6 * std::max(computing, layer.bytes * layer.byte_cost);
    results.flops += layer.flops;
  }
}

json to_json(const Results& results, const std::string& path, int threads) {
  // "latency_ms" is what scripts/bench_models.py reads.
  json all{{"model", path},
           {"threads", threads},
           {"throughput", 1000 / results.tenrec.mean()},
           {"tenrec_ms", results.tenrec.to_json()},
           {"latency_ms", results.tenrec.to_json()},
           {"layers", to_json(results.layers)}};
  if (results.peak > 0) {
    all["limits"] = to_text(results.limits);
    all["flops"] = results.flops;
    all["peak"] = results.peak;
    all["part_of_peak"] = results.part_of_peak();
  }
  if (results.onnxruntime_version.empty()) return all;
  all["onnxruntime_ms"] = results.onnxruntime.to_json();
  all["onnxruntime_version"] = results.onnxruntime_version;
  all["ratio"] = results.tenrec.typical() / results.onnxruntime.typical();
  all["worst_difference"] = {{"output", results.agreement.output},
                             {"relative", results.agreement.relative},
                             {"text", results.agreement.text}};
  return all;
}

void print(Results results, const std::string& path, int threads, bool slowest_first) {
  fmt::print("{}, {} threads\n", path, threads);
  results.tenrec.print("tenrec");
  if (!results.onnxruntime_version.empty()) {
    results.onnxruntime.print("onnxruntime " + results.onnxruntime_version);
    fmt::print("ratio tenrec/onnxruntime: {:.3f}\nworst output \"{}\": {}\n",
               results.tenrec.typical() / results.onnxruntime.typical(), results.agreement.output,
               results.agreement.text);
  }
  if (results.layers.empty()) return;
  if (slowest_first) {
    std::sort(results.layers.begin(), results.layers.end(),
              [](const Layer& a, const Layer& b) { return a.microseconds > b.microseconds; });
  }
  if (results.peak > 0) {
    fmt::print("{:.3f} GFLOP a run: {:.1f} of {:.1f} GFLOP/s, {:.1f} % of peak\n",
               results.flops / 1e9, results.flops / results.tenrec.typical() / 1e6,
               results.peak / 1e9, 100 * results.part_of_peak());
  }
  print(results.layers, results.limits);
}

void run_bench(const BenchCommand& command) {
  BuildOptions options = command.flags.finish();
  if (options.threads <= 0) options.threads = cpu::available_threads();
  command.inputs.build_for(options);
  const std::vector<int> devices = command.flags.devices();
  if (devices.size() > 1) return run_on_all(command, options, devices);
  const Engine engine = load_or_build(command.path, options, command.flags);
  const NamedTensors inputs = command.inputs.read_or_random(engine, options.seed);
  Context context = engine.create_context();
  const BoundInputs bound(engine, devices.front(), inputs, context);
  std::optional<OrtSession> session;
  if (!command.vs.empty())
    session = with_ort([&] { return open_ort(command, inputs, options.threads); });
  std::shared_ptr<Device> device;  // whose limits are wanted
  if (!command.layers.empty()) {
    device = open_device(engine.target(), {.threads = options.threads, .index = devices.front()});
  }
  Results results;
  take_turns(command, context, session ? &*session : nullptr, device.get(), results);
  if (session) {
    results.onnxruntime_version = session->version();
    results.agreement = with_ort([&] { return compare_outputs(engine, context, *session); });
  }
  if (device) add_layers(engine, context, options.tf32, command.duration, results);
  if (command.json) fmt::print("{}\n", to_json(results, command.path, options.threads).dump());
  else print(std::move(results), command.path, options.threads, command.layers == "time");
}

}  // namespace

void add_bench(CLI::App& app) {
  auto command = std::make_shared<BenchCommand>();
  CLI::App* sub =
      app.add_subcommand("bench", "Time an engine or a model, also against onnxruntime");
  sub->add_option("path", command->path, "ONNX model or engine file")->required();
  sub->add_option("--warmup", command->warmup, "Seconds to run before timing (at least one run)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  sub->add_option("--duration", command->duration, "Seconds to time, both sides together")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  sub->add_option("--iterations", command->iterations, "Runs to time instead (of each side)")
      ->check(CLI::PositiveNumber);
  sub->add_flag("--layers{step}", command->layers,
                "Time of each step, in order; --layers=time: slowest first")
      ->check(CLI::IsMember({"step", "time"}));
  sub->add_option("--vs", command->vs, "Compare with: onnxruntime")
      ->check(CLI::IsMember({"onnxruntime"}));
  sub->add_option("--ort-lib,--ort-library", command->library,
                  "libonnxruntime.so (else searched in build/venv)");
  sub->add_option("--rounds", command->rounds,
                  "Rounds in which both sides, or a run and what the device can do, take turns")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  sub->add_flag("--json", command->json, "Machine-readable result");
  command->inputs.add_to(*sub);
  command->flags.add_to(*sub);
  sub->footer("Example: tenrec bench model.onnx --threads 2 --vs onnxruntime --layers=time");
  sub->callback([command] { run_bench(*command); });
}

}  // namespace tenrec
