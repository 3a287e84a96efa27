// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace trtexec {
namespace {

using nlohmann::ordered_json;

std::string enabled(bool value) { return value ? "Enabled" : "Disabled"; }

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", value);
  return text;
}

struct Statistics {
  float min = 0, max = 0, mean = 0, median = 0, variation = 0;
  std::vector<float> percentiles;
};

// Percentile p is the element max(n - 1 - floor((1 - p / 100) * n), 0) of the ordered list.
float percentile_of(const std::vector<float>& ordered, double percentile) {
  const auto count = static_cast<int64_t>(ordered.size());
  const auto excluded = static_cast<int64_t>((1 - percentile / 100) * static_cast<double>(count));
  return ordered[static_cast<size_t>(std::max<int64_t>(count - 1 - excluded, 0))];
}

float median_of(const std::vector<float>& ordered) {
  const size_t half = ordered.size() / 2;
  return ordered.size() % 2 == 1 ? ordered[half] : (ordered[half - 1] + ordered[half]) / 2;
}

template <class Metric>
Statistics measure(const std::vector<Trace>& traces, const std::vector<double>& percentiles,
                   Metric&& metric) {
  std::vector<float> values;
  for (const Trace& trace : traces) values.push_back(metric(trace));
  std::sort(values.begin(), values.end());
  Statistics result;
  result.min = values.front();
  result.max = values.back();
  double sum = 0, squares = 0;
  for (const float value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const float value : values) squares += (value - mean) * (value - mean);
  result.mean = static_cast<float>(mean);
  result.median = median_of(values);
  if (mean > 0)
    result.variation =
        static_cast<float>(std::sqrt(squares / static_cast<double>(values.size())) / mean * 100);
  for (const double percentile : percentiles)
    result.percentiles.push_back(percentile_of(values, percentile));
  return result;
}

std::string text_of(const Statistics& s, const std::vector<double>& percentiles) {
  std::string text = "min = " + number(s.min) + " ms, max = " + number(s.max) +
                     " ms, mean = " + number(s.mean) + " ms, median = " + number(s.median) + " ms";
  for (size_t i = 0; i < percentiles.size(); ++i)
    text += ", percentile(" + number(percentiles[i]) + "%) = " + number(s.percentiles[i]) + " ms";
  return text;
}

std::string shapes_text(const Options& options) {
  if (options.profiles[0].empty()) return "model";
  std::string text;
  for (const auto& [name, range] : options.profiles[0])
    text += (text.empty() ? "" : ", ") + name + "=" + trtexec::text_of(range.min) + "+" +
            trtexec::text_of(range.opt) + "+" + trtexec::text_of(range.max);
  return text;
}

std::string pool_text(const Options& options, const char* name, bool mebibytes) {
  const auto found = options.memory_pools.find(name);
  if (found == options.memory_pools.end()) return std::string(name) + ": default";
  if (!mebibytes) return std::string(name) + ": " + std::to_string(found->second) + " B";
  return std::string(name) + ": " + number(static_cast<double>(found->second) / (1 << 20)) + " MiB";
}

void print_build_options(const Options& options) {
  info("=== Build Options ===");
  info("Memory Pools: ", pool_text(options, "workspace", true), ", ",
       pool_text(options, "dlaSRAM", false), ", ", pool_text(options, "dlaLocalDRAM", false), ", ",
       pool_text(options, "dlaGlobalDRAM", false), ", ",
       pool_text(options, "tacticSharedMem", false));
  info("avgTiming: ", options.avg_timing);
  std::string precisions = "FP32";
  for (const std::string& each : options.precisions) precisions += "+" + each;
  info("Precision: ", options.strongly_typed ? "Strongly Typed" : precisions);
  info("Refit: ", enabled(options.refit));
  info("TensorRT runtime: full");
  info("Skip inference: ", enabled(options.skip_inference));
  info("Save engine: ", options.save_engine);
  info("Load engine: ", options.load_engine);
  info("Profiling verbosity: ", options.profiling_verbosity == "detailed" ? 2 : 0);
  info("timingCacheMode: ", options.no_builder_cache       ? "disable"
                            : options.timing_cache.empty() ? "local"
                                                           : "global");
  info("timingCacheFile: ", options.timing_cache);
  info("MaxAuxStreams: ", options.max_aux_streams);
  info("BuilderOptimizationLevel: ", options.optimization_level);
  info("MaxTactics: ", options.max_tactics);
  info("Input(s)s format: ", options.input_formats.empty() ? "fp32:CHW" : options.input_formats);
  info("Output(s)s format: ", options.output_formats.empty() ? "fp32:CHW" : options.output_formats);
  info("Input build shapes: ", shapes_text(options));
}

void print_inference_options(const Options& options) {
  info("=== Inference Options ===");
  info("Batch: Explicit");
  if (options.shapes.empty()) info("Input inference shapes: model");
  for (const auto& [name, sizes] : options.shapes)
    info("Input inference shape : ", name, "=", trtexec::text_of(sizes));
  info("Iterations: ", options.iterations);
  info("Duration: ", options.duration_s, "s (+ ", options.warm_up_ms, "ms warm up)");
  info("Sleep time: ", options.sleep_ms, "ms");
  info("Idle time: ", options.idle_ms, "ms");
  info("Inference Streams: ", options.streams);
  info("ExposeDMA: ", enabled(options.expose_dma));
  info("Data transfers: ", enabled(options.transfers));
  info("Spin-wait: ", enabled(options.spin));
  info("Multithreading: ", enabled(options.threads));
  info("CUDA Graph: ", enabled(options.cuda_graph));
  info("Separate profiling: ", enabled(options.separate_profile));
  info("Time Deserialize: ", enabled(options.time_deserialize));
  info("Time Refit: ", enabled(options.time_refit));
  info("Optimization Profile Index: ", options.use_profile);
  info("Inputs:");
  for (const auto& [name, file] : options.inputs) info(name, "<-", file);
}

void print_reporting_options(const Options& options) {
  info("=== Reporting Options ===");
  info("Verbose: ", enabled(options.verbose));
  info("Averages: ", options.averages, " inferences");
  std::string percentiles;
  for (const double each : options.percentiles)
    percentiles += (percentiles.empty() ? "" : ",") + number(each);
  info("Percentiles: ", percentiles);
  info("Dump refittable layers:", enabled(options.dump_refit));
  info("Dump output: ", enabled(options.dump_output));
  info("Profile: ", enabled(options.dump_profile));
  info("Export timing to JSON file: ", options.export_times);
  info("Export output to JSON file: ", options.export_output);
  info("Export profile to JSON file: ", options.export_profile);
  info("");
}

void print_averages(const std::vector<Trace>& traces, const Options& options) {
  const auto size = static_cast<size_t>(options.averages);
  const size_t groups = traces.size() / size;
  constexpr size_t at_ends = 200;  // only so many at each end of a long list
  info("=== Trace details ===");
  info("Trace averages of ", options.averages, " runs:");
  for (size_t g = 0; g < groups; ++g) {
    if (groups > 2 * at_ends && g >= at_ends && g < groups - at_ends) continue;
    double compute = 0, latency = 0, enqueue = 0;
    for (size_t i = g * size; i < (g + 1) * size; ++i) {
      compute += traces[i].compute();
      latency += traces[i].latency();
      enqueue += traces[i].enqueue();
    }
    const double count = options.averages;
    info("Average on ", options.averages, " runs - GPU latency: ", number(compute / count),
         " ms - Host latency: ", number(latency / count), " ms (enqueue ", number(enqueue / count),
         " ms)");
  }
  info("");
}

void warn_of_timing(const Options& options, const Statistics& enqueue, const Statistics& compute,
                    const Statistics& h2d, const Statistics& d2h) {
  cudaDeviceProp properties{};
  cudaGetDeviceProperties(&properties, options.device);
  const bool has_gpu = properties.major > 0;  // on a host, enqueueing is computing
  if (has_gpu && enqueue.median > 0.8F * compute.median)
    warn(
        "* Throughput may be bound by Enqueue Time rather than GPU Compute and the GPU may be "
        "under-utilized.");
  if (options.transfers && h2d.median >= compute.median)
    warn("* Throughput may be bound by host-to-device transfers for the inputs.");
  if (options.transfers && d2h.median >= compute.median)
    warn("* Throughput may be bound by device-to-host transfers for the outputs.");
  if (compute.variation > 2.5F)
    warn("* GPU compute time is unstable, with coefficient of variance = ",
         number(compute.variation), "%.");
  if (options.streams > 1)
    warn("* Multiple inference streams are used: latencies of a query include waiting for others.");
}

}  // namespace

void write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write \"" + path + "\"");
}

void LayerProfiler::reportLayerTime(const char* name, float milliseconds) noexcept {
  try {
    const auto [found, is_new] = index_.try_emplace(name, layers_.size());
    if (is_new) layers_.push_back({name, {}});
    layers_[found->second].times.push_back(milliseconds);
  } catch (const std::exception& error) {
    complain("a layer's time is lost: ", error.what());
  }
}

namespace {
struct LayerSummary {
  double total = 0, average = 0, median = 0;
};
LayerSummary summarise(std::vector<float> times) {
  std::sort(times.begin(), times.end());
  LayerSummary summary;
  for (const float time : times) summary.total += time;
  summary.average = summary.total / static_cast<double>(times.size());
  summary.median = median_of(times);
  return summary;
}
}  // namespace

void LayerProfiler::print() const {
  size_t count = 0;
  double total = 0;
  for (const Layer& layer : layers_) {
    count = std::max(count, layer.times.size());
    total += summarise(layer.times).total;
  }
  info("");
  info("=== Profile (", count, " iterations ) ===");
  info("   Time(ms)     Avg.(ms)   Median(ms)   Time(%)   Layer");
  const auto row = [](const LayerSummary& summary, double percentage, const std::string& name) {
    char text[96];
    std::snprintf(text, sizeof(text), "%11.2f  %11.4f  %11.4f  %8.1f   ", summary.total,
                  summary.average, summary.median, percentage);
    info(text, name);
  };
  LayerSummary all{total, 0, 0};
  for (const Layer& layer : layers_) {
    const LayerSummary summary = summarise(layer.times);
    all.average += summary.average;
    all.median += summary.median;
    row(summary, total > 0 ? summary.total / total * 100 : 0, layer.name);
  }
  row(all, 100, "Total");
  info("");
}

void LayerProfiler::write(const std::string& path) const {
  size_t count = 0;
  double total = 0;
  for (const Layer& layer : layers_) {
    count = std::max(count, layer.times.size());
    total += summarise(layer.times).total;
  }
  ordered_json json = ordered_json::array({{{"count", count}}});
  for (const Layer& layer : layers_) {
    const LayerSummary summary = summarise(layer.times);
    json.push_back({{"name", layer.name},
                    {"timeMs", summary.total},
                    {"averageMs", summary.average},
                    {"medianMs", summary.median},
                    {"percentage", total > 0 ? summary.total / total * 100 : 0}});
  }
  write_text(path, json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

void print_options(const Options& options) {
  info("=== Model Options ===");
  info("Format: ", options.onnx.empty() ? "*" : "ONNX");
  info("Model: ", options.onnx);
  info("Output:");
  if (options.load_engine.empty()) print_build_options(options);
  info("=== System Options ===");
  info("Device: ", options.device);
  info("DLACore: ", options.dla_core < 0 ? "" : std::to_string(options.dla_core));
  info("Plugins:");
  for (const std::string& plugin : options.plugins) info(" ", plugin);
  print_inference_options(options);
  print_reporting_options(options);
}

void print_device(int device) {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || device < 0 || device >= count)
    throw std::runtime_error("there is no device " + std::to_string(device) + "; there are " +
                             std::to_string(count));
  cudaSetDevice(device);
  cudaDeviceProp properties{};
  cudaGetDeviceProperties(&properties, device);
  int clock = 0, memory_clock = 0, bus = 0;
  cudaDeviceGetAttribute(&clock, cudaDevAttrClockRate, device);
  cudaDeviceGetAttribute(&memory_clock, cudaDevAttrMemoryClockRate, device);
  cudaDeviceGetAttribute(&bus, cudaDevAttrGlobalMemoryBusWidth, device);
  info("=== Device Information ===");
  info("Available Devices: ");
  info("  Device ", device, ": \"", properties.name, "\"");
  info("Selected Device: ", properties.name);
  info("Selected Device ID: ", device);
  info("Compute Capability: ", properties.major, ".", properties.minor);
  info("SMs: ", properties.multiProcessorCount);
  info("Device Global Memory: ", properties.totalGlobalMem >> 20, " MiB");
  info("Shared Memory per SM: ", properties.sharedMemPerBlock >> 10, " KiB");
  info("Memory Bus Width: ", bus, " bits (ECC disabled)");
  info("Application Compute Clock Rate: ", static_cast<double>(clock) / 1e6, " GHz");
  info("Application Memory Clock Rate: ", static_cast<double>(memory_clock) / 1e6, " GHz");
  info("");
}

void print_performance(const std::vector<Trace>& traces, const Options& options, int warm_up_count,
                       float warm_up_ms) {
  if (traces.empty()) throw std::runtime_error("no run was measured");
  const float wall = (traces.back().d2h_end - traces.front().h2d_start) / 1000;
  info("Warmup completed ", warm_up_count, " queries over ", number(warm_up_ms), " ms");
  info("Timing trace has ", traces.size(), " queries over ", number(wall), " s");
  info("");
  print_averages(traces, options);
  const auto statistics = [&](auto metric) { return measure(traces, options.percentiles, metric); };
  const Statistics latency = statistics([](const Trace& t) { return t.latency(); });
  const Statistics enqueue = statistics([](const Trace& t) { return t.enqueue(); });
  const Statistics h2d = statistics([](const Trace& t) { return t.h2d(); });
  const Statistics compute = statistics([](const Trace& t) { return t.compute(); });
  const Statistics d2h = statistics([](const Trace& t) { return t.d2h(); });
  info("=== Performance summary ===");
  info("Throughput: ", number(static_cast<double>(traces.size()) / wall), " qps");
  info("Latency: ", text_of(latency, options.percentiles));
  info("Enqueue Time: ", text_of(enqueue, options.percentiles));
  info("H2D Latency: ", text_of(h2d, options.percentiles));
  info("GPU Compute Time: ", text_of(compute, options.percentiles));
  info("D2H Latency: ", text_of(d2h, options.percentiles));
  info("Total Host Walltime: ", number(wall), " s");
  info("Total GPU Compute Time: ", number(compute.mean * static_cast<float>(traces.size()) / 1000),
       " s");
  warn_of_timing(options, enqueue, compute, h2d, d2h);
  info("Explanations of the performance metrics are printed in the verbose logs.");
  info("");
}

void write_times(const std::vector<Trace>& traces, const std::string& path) {
  ordered_json json = ordered_json::array();
  for (const Trace& t : traces)
    json.push_back({{"startEnqMs", t.enqueue_start},
                    {"endEnqMs", t.enqueue_end},
                    {"startH2dMs", t.h2d_start},
                    {"endH2dMs", t.h2d_end},
                    {"startComputeMs", t.compute_start},
                    {"endComputeMs", t.compute_end},
                    {"startD2hMs", t.d2h_start},
                    {"endD2hMs", t.d2h_end},
                    {"h2dMs", t.h2d()},
                    {"computeMs", t.compute()},
                    {"d2hMs", t.d2h()},
                    {"latencyMs", t.latency()}});
  write_text(path, json.dump(2) + "\n");
}

void write_outputs(const std::vector<OutputValues>& outputs, const std::string& path) {
  std::ostringstream text;
  text << "[\n";
  for (size_t i = 0; i < outputs.size(); ++i) {
    const OutputValues& output = outputs[i];
    text << (i == 0 ? "" : ",\n") << "  {\"name\": " << ordered_json(output.name).dump()
         << ", \"dimensions\": \"" << trtexec::text_of(output.dims) << "\", \"values\": [";
    for (size_t k = 0; k < output.values.size(); ++k) {
      const double value = output.values[k];
      text << (k == 0 ? "" : ", ");
      if (std::isfinite(value)) text << value;
      else text << "null";  // JSON has no word for it
    }
    text << "]}";
  }
  text << "\n]\n";
  write_text(path, text.str());
}

}  // namespace trtexec
