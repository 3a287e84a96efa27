// SPDX-License-Identifier: Apache-2.0
// Starting our own kernels, and CUDA graphs as recordings of them.
#pragma once
#include <memory>
#include <vector>

#include "runtime/device.h"
#include "targets/cuda/run/driver.h"

namespace tenrec::cuda {

struct KernelLaunch {
  CUfunction function = nullptr;
  unsigned grid[3] = {1, 1, 1};
  int threads = 128, shared_bytes = 0, cluster = 1;
  // The kernel waits for what it reads by itself (griddepcontrol.wait) and may start early.
  bool overlap = false;
};

// A graph of a stream's work.
class GraphRecording : public Recording {
 public:
  // Takes the graph. `kernels`: what was launched into it, in order; where these are all its nodes
  // and follow one another, later launches can be written over them.
  GraphRecording(std::shared_ptr<Gpu> gpu, CUstream stream, CUgraph graph,
                 std::vector<CUfunction> kernels);
  GraphRecording(const GraphRecording&) = delete;
  GraphRecording& operator=(const GraphRecording&) = delete;
  ~GraphRecording() override;
  void replay() override;
  double replay_timed() override;

  size_t writable() const { return nodes_.size(); }  // launches; 0: it takes none
  // False where node `i` has another kernel. Some nodes are new then, others old.
  bool write(size_t i, const KernelLaunch& launch, void** arguments);
  // What another graph of `kernels` is, which must have the same nodes; false: it is as it was.
  bool become(CUgraph graph, const std::vector<CUfunction>& kernels);

 private:
  bool find_nodes();
  std::shared_ptr<Gpu> gpu_;
  CUstream stream_;
  CUgraph graph_;  // whose nodes name those of `instance_`
  CUgraphExec instance_ = nullptr;
  std::vector<CUfunction> kernels_;
  std::vector<CUgraphNode> nodes_;
};

// Where launches go: into the stream (and what it records), or over those of a graph.
class Launcher {
 public:
  Launcher(std::shared_ptr<Gpu> gpu, const Stream& stream)
      : gpu_(std::move(gpu)), stream_(stream) {}
  // `arguments`: a pointer to each.
  void launch(const KernelLaunch& launch, void** arguments);
  // The graph of what `steps` puts into the stream, as Device::record says.
  std::unique_ptr<Recording> record(const std::function<void()>& steps,
                                    std::unique_ptr<Recording> old);
  bool is_recording() const { return is_recording_ || over_; }

 private:
  bool write_over(GraphRecording& graph, const std::function<void()>& steps);
  CUgraph capture(const std::function<void()>& steps);
  std::shared_ptr<Gpu> gpu_;
  const Stream& stream_;
  GraphRecording* over_ = nullptr;
  size_t written_ = 0;
  bool fits_ = false, is_recording_ = false;
  std::vector<CUfunction> kernels_;  // launched since the recording began
};

}  // namespace tenrec::cuda
