// SPDX-License-Identifier: Apache-2.0
// What trtexec prints and writes to files.
#pragma once
#include <cuda_runtime_api.h>

#include <map>
#include <string>
#include <vector>

#include "log.h"
#include "options.h"

namespace trtexec {

// One query, in milliseconds since the start of the measurement.
struct Trace {
  int stream = 0;
  float enqueue_start = 0, enqueue_end = 0;
  float h2d_start = 0, h2d_end = 0, compute_start = 0, compute_end = 0;
  float d2h_start = 0, d2h_end = 0;
  float h2d() const { return h2d_end - h2d_start; }
  float compute() const { return compute_end - compute_start; }
  float d2h() const { return d2h_end - d2h_start; }
  float latency() const { return h2d() + compute() + d2h(); }
  float enqueue() const { return enqueue_end - enqueue_start; }
};

// Times of layers over many runs, in the order in which they first ran.
class LayerProfiler : public nvinfer1::IProfiler {
 public:
  void reportLayerTime(const char* name, float milliseconds) noexcept override;
  bool empty() const { return layers_.empty(); }
  void print() const;
  void write(const std::string& path) const;

 private:
  struct Layer {
    std::string name;
    std::vector<float> times;
  };
  std::vector<Layer> layers_;
  std::map<std::string, size_t> index_;
};

struct OutputValues {
  std::string name;
  Dims dims;
  std::vector<double> values;
};

void print_options(const Options& options);
void print_device(int device);
// `traces` are those after the warm-up, ordered by time.
void print_performance(const std::vector<Trace>& traces, const Options& options, int warm_up_count,
                       float warm_up_ms);
void write_times(const std::vector<Trace>& traces, const std::string& path);
void write_outputs(const std::vector<OutputValues>& outputs, const std::string& path);
void write_text(const std::string& path, const std::string& text);  // throws when it fails

}  // namespace trtexec
