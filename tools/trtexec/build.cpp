// SPDX-License-Identifier: Apache-2.0
#include "build.h"

#include <NvOnnxParser.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>

#include "log.h"
#include "report.h"

namespace trtexec {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double mebibytes(size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

std::string expanded(const std::string& path) {
  const char* home = std::getenv("HOME");
  return path.compare(0, 2, "~/") == 0 && home != nullptr ? home + path.substr(1) : path;
}

std::vector<char> read_file(const std::string& path) {
  std::ifstream file(expanded(path), std::ios::binary);
  if (!file) throw std::runtime_error("cannot read \"" + path + "\"");
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class Object>
std::unique_ptr<Object> made(Object* object, const char* what) {
  if (object == nullptr) throw std::runtime_error(std::string(what) + " failed");
  return std::unique_ptr<Object>(object);
}

bool is_dynamic(const nvinfer1::Dims& dims) {
  return std::any_of(dims.d, dims.d + std::max(dims.nbDims, 0),
                     [](int64_t size) { return size < 0; });
}

nvinfer1::Dims to_dims(const Dims& sizes) {
  if (sizes.size() > nvinfer1::Dims::MAX_DIMS)
    throw std::runtime_error("more than 8 dims: " + text_of(sizes));
  nvinfer1::Dims dims{static_cast<int32_t>(sizes.size()), {}};
  std::copy(sizes.begin(), sizes.end(), dims.d);
  return dims;
}

// Every name the user gave must be that of an input.
void check_names(const nvinfer1::INetworkDefinition& network, const Options& options) {
  for (const ProfileShapes& profile : options.profiles) {
    for (const auto& [pattern, range] : profile) {
      bool is_used = false;
      for (int32_t i = 0; i < network.getNbInputs(); ++i)
        is_used |= matches(pattern, network.getInput(i)->getName());
      if (!is_used) throw std::runtime_error("there is no input \"" + pattern + "\"");
    }
  }
}

void add_range(nvinfer1::IOptimizationProfile& profile, const nvinfer1::ITensor& input,
               const ShapeRange& range) {
  using Select = nvinfer1::OptProfileSelector;
  const std::pair<Select, const Dims&> bounds[] = {
      {Select::kMIN, range.min}, {Select::kOPT, range.opt}, {Select::kMAX, range.max}};
  for (const auto& [select, sizes] : bounds) {
    const bool is_set = input.isShapeTensor()
                            ? profile.setShapeValuesV2(input.getName(), select, sizes.data(),
                                                       static_cast<int32_t>(sizes.size()))
                            : profile.setDimensions(input.getName(), select, to_dims(sizes));
    if (!is_set)
      throw std::runtime_error(std::string("the shapes of input \"") + input.getName() +
                               "\" contradict each other");
  }
}

// Inputs that nobody gave sizes for stay open: the builder needs no range.
void add_profiles(nvinfer1::IBuilder& builder, nvinfer1::IBuilderConfig& config,
                  const nvinfer1::INetworkDefinition& network, const Options& options) {
  check_names(network, options);
  for (const ProfileShapes& shapes : options.profiles) {
    nvinfer1::IOptimizationProfile* profile = builder.createOptimizationProfile();
    bool has_any = false;
    for (int32_t i = 0; i < network.getNbInputs(); ++i) {
      const nvinfer1::ITensor& input = *network.getInput(i);
      const ShapeRange* range = find_for(shapes, input.getName());
      const bool dynamic = is_dynamic(input.getDimensions()) || input.isShapeTensor();
      if (range == nullptr && dynamic)
        warn("Dynamic dimensions required for input: ", input.getName(),
             ", but no shapes were provided. Any size will run.");
      if (range == nullptr || !dynamic) continue;
      add_range(*profile, input, *range);
      has_any = true;
    }
    if ((has_any || options.profiles.size() > 1) && config.addOptimizationProfile(profile) < 0)
      throw std::runtime_error("an optimization profile is not valid");
  }
}

void check_formats(const std::string& formats, const char* flag) {
  if (formats.empty()) return;
  for (size_t begin = 0; begin <= formats.size();) {
    const size_t end = std::min(formats.find(',', begin), formats.size());
    const std::string entry = formats.substr(begin, end - begin);
    const size_t colon = entry.find(':');
    const std::string format = colon == entry.npos ? entry : entry.substr(colon + 1);
    if (format != "chw" && format != "CHW")
      throw std::runtime_error(std::string(flag) + "=" + formats +
                               ": inputs and outputs are row-major here; use chw");
    begin = end + 1;
  }
}

void configure(nvinfer1::IBuilderConfig& config, const Options& options) {
  using Flag = nvinfer1::BuilderFlag;
  static const std::map<std::string, Flag> flags{{"FP16", Flag::kFP16},
                                                 {"INT8", Flag::kINT8},
                                                 {"FP8", Flag::kFP8},
                                                 {"BF16", Flag::kBF16},
                                                 {"INT4", Flag::kINT4}};
  for (const std::string& precision : options.precisions) config.setFlag(flags.at(precision));
  if (options.no_tf32) config.clearFlag(Flag::kTF32);
  if (options.refit) config.setFlag(Flag::kREFIT);
  if (options.no_builder_cache) config.setFlag(Flag::kDISABLE_TIMING_CACHE);
  if (options.no_compilation_cache) config.setFlag(Flag::kDISABLE_COMPILATION_CACHE);
  const auto workspace = options.memory_pools.find("workspace");
  if (workspace != options.memory_pools.end())
    config.setMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE,
                              static_cast<size_t>(workspace->second));
  config.setAvgTimingIterations(options.avg_timing);
  if (options.optimization_level >= 0)
    config.setBuilderOptimizationLevel(options.optimization_level);
  if (options.max_aux_streams >= 0) config.setMaxAuxStreams(options.max_aux_streams);
  if (options.max_tactics >= 0) config.setMaxNbTactics(options.max_tactics);
  if (options.profiling_verbosity == "detailed" || options.profiling_verbosity == "verbose")
    config.setProfilingVerbosity(nvinfer1::ProfilingVerbosity::kDETAILED);
  check_formats(options.input_formats, "--inputIOFormats");
  check_formats(options.output_formats, "--outputIOFormats");
}

class TimingCacheFile {
 public:
  TimingCacheFile(nvinfer1::IBuilderConfig& config, const std::string& path) : path_(path) {
    if (path.empty()) return;
    std::vector<char> bytes;
    if (std::ifstream(expanded(path))) bytes = read_file(path);
    cache_ = made(config.createTimingCache(bytes.data(), bytes.size()), "reading the timing cache");
    config.setTimingCache(*cache_, false);
  }
  void save() const {
    if (!cache_) return;
    const auto bytes = made(cache_->serialize(), "writing the timing cache");
    write_text(expanded(path_), {static_cast<const char*>(bytes->data()), bytes->size()});
  }

 private:
  std::string path_;
  std::unique_ptr<nvinfer1::ITimingCache> cache_;
};

std::vector<char> build(const Options& options) {
  const auto start = Clock::now();
  const auto builder = made(nvinfer1::createInferBuilder(logger()), "createInferBuilder");
  const auto network = made(builder->createNetworkV2(0), "createNetworkV2");
  const auto parser = made(nvonnxparser::createParser(*network, logger()), "createParser");
  info("Start parsing network model.");
  if (!parser->parseFromFile(expanded(options.onnx).c_str(), 2)) {
    for (int i = 0; i < parser->getNbErrors(); ++i)
      complain("While parsing node number ", parser->getError(i)->node(), ": ",
               parser->getError(i)->desc());
    throw std::runtime_error("Failed to parse onnx file");
  }
  info("Finished parsing network model. Parse time: ", seconds_since(start));
  const auto config = made(builder->createBuilderConfig(), "createBuilderConfig");
  configure(*config, options);
  add_profiles(*builder, *config, *network, options);
  const TimingCacheFile cache(*config, options.timing_cache);
  const auto bytes = made(builder->buildSerializedNetwork(*network, *config), "Engine build");
  cache.save();
  info("Created engine with size: ", mebibytes(bytes->size()), " MiB");
  info("Engine built in ", seconds_since(start), " sec.");
  const auto* begin = static_cast<const char*>(bytes->data());
  return {begin, begin + bytes->size()};
}

}  // namespace

std::vector<char> engine_bytes(const Options& options) {
  if (options.load_engine.empty()) {
    std::vector<char> bytes = build(options);
    if (!options.save_engine.empty())
      write_text(expanded(options.save_engine), {bytes.begin(), bytes.end()});
    return bytes;
  }
  const auto start = Clock::now();
  std::vector<char> bytes = read_file(options.load_engine);
  info("Engine loaded in ", seconds_since(start), " sec.");
  info("Loaded engine with size: ", mebibytes(bytes.size()), " MiB");
  return bytes;
}

Loaded load(const std::vector<char>& bytes) {
  const auto start = Clock::now();
  Loaded loaded;
  loaded.runtime = made(nvinfer1::createInferRuntime(logger()), "createInferRuntime");
  loaded.engine = made(loaded.runtime->deserializeCudaEngine(bytes.data(), bytes.size()),
                       "Engine deserialization");
  info("Engine deserialized in ", seconds_since(start), " sec.");
  return loaded;
}

bool time_deserialization(const std::vector<char>& bytes) {
  const auto once = [&] {
    const auto start = Clock::now();
    const auto runtime = made(nvinfer1::createInferRuntime(logger()), "createInferRuntime");
    made(runtime->deserializeCudaEngine(bytes.data(), bytes.size()), "Engine deserialization");
    return seconds_since(start);
  };
  constexpr int warm_ups = 2, rounds = 20;
  for (int i = 0; i < warm_ups; ++i) once();
  const double first = once();
  double total = first;
  for (int i = 1; i < rounds; ++i) total += once();
  const double average = total / rounds;
  info("Total deserialization time = ", total * 1000, " milliseconds in ", rounds,
       " iterations, average time = ", average * 1000, " milliseconds, first time = ", first * 1000,
       " milliseconds.");
  info("Deserialization Bandwidth = ", static_cast<double>(bytes.size()) / average / 1e9, " GB/s");
  if (first > 2 * average) {
    complain("The first deserialization took more than twice the average");
    return false;
  }
  return true;
}

}  // namespace trtexec
