// SPDX-License-Identifier: Apache-2.0
#include "measure.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "bindings.h"

namespace trtexec {
namespace {

using Clock = std::chrono::steady_clock;

void pause(int milliseconds) {
  if (milliseconds > 0) std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// Queries of one stream until enough of them, and enough time, lie behind the warm-up.
std::vector<Trace> measure(Session& session, const Options& options, int stream) {
  std::vector<Trace> traces;
  cudaEvent_t start = nullptr;
  if (cudaEventCreate(&start) != cudaSuccess) throw std::runtime_error("cudaEventCreate failed");
  cudaEventRecord(start, nullptr);
  const auto host_start = Clock::now();
  const auto now = [&] {
    return std::chrono::duration<float, std::milli>(Clock::now() - host_start).count();
  };
  const double enough_ms = options.duration_s * 1000 + options.warm_up_ms;
  int measured = 0;
  while (options.duration_s < 0 || measured < options.iterations || now() < enough_ms) {
    pause(options.sleep_ms);
    Trace trace = session.run(start, now());
    trace.stream = stream;
    if (trace.compute_start >= options.warm_up_ms) ++measured;
    traces.push_back(trace);
    pause(options.idle_ms);
  }
  cudaEventDestroy(start);
  return traces;
}

// All streams at once, each with a thread of its own when there are several.
std::vector<Trace> measure_all(std::vector<std::unique_ptr<Session>>& sessions,
                               const Options& options) {
  if (sessions.size() == 1) return measure(*sessions[0], options, 0);
  std::vector<std::vector<Trace>> parts(sessions.size());
  std::vector<std::exception_ptr> failures(sessions.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < sessions.size(); ++i)
    threads.emplace_back([&, i] {
      try {
        parts[i] = measure(*sessions[i], options, static_cast<int>(i));
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  std::vector<Trace> all;
  for (size_t i = 0; i < sessions.size(); ++i) {
    if (failures[i]) std::rethrow_exception(failures[i]);
    all.insert(all.end(), parts[i].begin(), parts[i].end());
  }
  std::sort(all.begin(), all.end(),
            [](const Trace& a, const Trace& b) { return a.h2d_start < b.h2d_start; });
  return all;
}

Dims sizes_of(const nvinfer1::Dims& dims) { return {dims.d, dims.d + std::max(dims.nbDims, 0)}; }

void report_outputs(Session& session, const Options& options) {
  session.fetch_outputs();
  std::vector<OutputValues> outputs;
  for (const auto& binding : session.bindings()) {
    if (binding->is_input) continue;
    outputs.push_back({binding->name, sizes_of(binding->dims), binding->values()});
  }
  if (options.dump_output) {
    info("Output Tensors:");
    for (const OutputValues& output : outputs) {
      std::ostringstream text;
      for (const double value : output.values) text << " " << value;
      info(output.name, ": (", text_of(output.dims), ")", text.str());
    }
  }
  if (!options.export_output.empty()) write_outputs(outputs, options.export_output);
}

// NAME.input.1.3.8.8.FP32.raw
void write_raw(Session& session) {
  session.fetch_outputs();
  for (const auto& binding : session.bindings()) {
    std::string file;
    for (const char c : binding->name)
      file += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    file += binding->is_input ? ".input" : ".output";
    for (const int64_t size : sizes_of(binding->dims)) file += "." + std::to_string(size);
    file += std::string(".") + name_of(binding->type) + ".raw";
    const std::vector<char>& host = binding->buffer.host();
    write_text(file, {host.begin(), host.end()});
    info("Wrote ", file);
  }
}

void report_layers(nvinfer1::ICudaEngine& engine, Session& session, const Options& options) {
  if (!options.dump_layers && options.export_layers.empty()) return;
  const std::unique_ptr<nvinfer1::IEngineInspector> inspector(engine.createEngineInspector());
  if (!inspector) throw std::runtime_error("createEngineInspector failed");
  inspector->setExecutionContext(&session.context());
  if (options.dump_layers) {
    info("Layer Information:");
    info(inspector->getEngineInformation(nvinfer1::LayerInformationFormat::kONELINE));
  }
  if (!options.export_layers.empty())
    write_text(options.export_layers,
               inspector->getEngineInformation(nvinfer1::LayerInformationFormat::kJSON));
}

void print_profiles(nvinfer1::ICudaEngine& engine) {
  using Select = nvinfer1::OptProfileSelector;
  for (int32_t profile = 0; profile < engine.getNbOptimizationProfiles(); ++profile) {
    for (int32_t i = 0; i < engine.getNbIOTensors(); ++i) {
      const char* name = engine.getIOTensorName(i);
      if (engine.getTensorIOMode(name) != nvinfer1::TensorIOMode::kINPUT) continue;
      const auto bound = [&](Select select) {
        return text_of(sizes_of(engine.getProfileShape(name, profile, select)));
      };
      info("Model input ", name, " (profile ", profile, "): min=", bound(Select::kMIN),
           ", opt=", bound(Select::kOPT), ", max=", bound(Select::kMAX));
    }
  }
}

}  // namespace

void run_inference(nvinfer1::ICudaEngine& engine, const Options& options) {
  if (options.dump_profiles) print_profiles(engine);
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < options.streams; ++i)
    sessions.push_back(std::make_unique<Session>(engine, options));
  report_layers(engine, *sessions[0], options);
  const bool profiling = options.dump_profile || !options.export_profile.empty();
  LayerProfiler profiler;
  if (options.cuda_graph) warn("CUDA graph capture is not supported here; running without a graph");
  if (profiling && !options.separate_profile) sessions[0]->context().setProfiler(&profiler);
  info("Starting inference");
  const std::vector<Trace> all = measure_all(sessions, options);
  if (profiling && options.separate_profile) {
    sessions[0]->context().setProfiler(&profiler);
    measure(*sessions[0], options, 0);
  }
  sessions[0]->context().setProfiler(nullptr);
  std::vector<Trace> measured;
  for (const Trace& trace : all)
    if (trace.compute_start >= options.warm_up_ms) measured.push_back(trace);
  const auto warm_ups = static_cast<int>(all.size() - measured.size());
  if (profiling && !options.separate_profile)
    info(
        "The performance summary is left out because the profiler was on; use "
        "--separateProfileRun to have both.");
  else print_performance(measured, options, warm_ups, static_cast<float>(options.warm_up_ms));
  if (!options.export_times.empty()) write_times(measured, options.export_times);
  if (options.dump_output || !options.export_output.empty()) report_outputs(*sessions[0], options);
  if (options.dump_raw) write_raw(*sessions[0]);
  if (options.dump_profile) profiler.print();
  if (!options.export_profile.empty()) profiler.write(options.export_profile);
}

}  // namespace trtexec
