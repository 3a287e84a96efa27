// SPDX-License-Identifier: Apache-2.0
// trtexec's command line: the flags of TensorRT 8, 10 and 11 in one table (options.cpp).
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace trtexec {

// What the user wrote cannot be meant. main prints it and the help.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Dims = std::vector<int64_t>;
using Shapes = std::map<std::string, Dims>;  // input name (or one pattern with '*') -> sizes
struct ShapeRange {
  Dims min, opt, max;
};
using ProfileShapes = std::map<std::string, ShapeRange>;

struct Options {
  // model
  std::string onnx;
  // build
  std::vector<ProfileShapes> profiles{1};
  std::map<std::string, int64_t> memory_pools;  // bytes
  std::vector<std::string> precisions;          // "fp16", "int8", ...
  std::string profiling_verbosity = "layer_names_only";
  std::string save_engine, load_engine, timing_cache, input_formats, output_formats;
  bool skip_inference = false, no_builder_cache = false, no_compilation_cache = false,
       refit = false, no_tf32 = false;
  bool strongly_typed = false, plan_version_only = false, async_reader = false;
  int optimization_level = -1, avg_timing = 8, max_aux_streams = -1, max_tactics = -1;
  // system
  int device = 0, dla_core = -1;
  std::vector<std::string> plugins;
  // inference
  Shapes shapes;
  std::map<std::string, std::string> inputs;  // name -> file
  int iterations = 10, streams = 1, use_profile = 0, sleep_ms = 0, idle_ms = 0;
  double warm_up_ms = 200, duration_s = 3;
  bool expose_dma = false, transfers = true, managed_memory = false, spin = false;
  bool threads = false, cuda_graph = false, separate_profile = false;
  bool time_deserialize = false, time_refit = false;
  // reporting
  bool verbose = false, dump_refit = false, dump_output = false, dump_raw = false;
  bool dump_profile = false, dump_layers = false, dump_profiles = false, help = false;
  int averages = 10;
  std::vector<double> percentiles{90, 95, 99};
  std::string export_times, export_output, export_profile, export_layers;

  std::vector<std::string> warnings;  // flags that have no effect here, one line each
};

Options parse_options(const std::vector<std::string>& arguments);  // throws UsageError
std::string help_text();

std::string text_of(const Dims& dims);  // "1x3x224x224"; "scalar" for none
// The entry for `name`: an exact one, else one whose pattern with '*' fits. Null: there is none.
template <class Map>
const typename Map::mapped_type* find_for(const Map& map, const std::string& name);
bool matches(const std::string& pattern, const std::string& name);

template <class Map>
const typename Map::mapped_type* find_for(const Map& map, const std::string& name) {
  const auto exact = map.find(name);
  if (exact != map.end()) return &exact->second;
  for (const auto& [pattern, value] : map)
    if (matches(pattern, name)) return &value;
  return nullptr;
}

}  // namespace trtexec
