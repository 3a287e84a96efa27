// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/launcher.h"

#include <utility>

#include "base/error.h"

namespace tenrec::cuda {
namespace {

// The fields that a launch and a node of a graph share.
template <class Params>
void set_shape(Params& params, const KernelLaunch& launch) {
  params.gridDimX = launch.grid[0];
  params.gridDimY = launch.grid[1];
  params.gridDimZ = launch.grid[2];
  params.blockDimX = static_cast<unsigned>(launch.threads);
  params.blockDimY = params.blockDimZ = 1;
  params.sharedMemBytes = static_cast<unsigned>(launch.shared_bytes);
}

}  // namespace

GraphRecording::GraphRecording(std::shared_ptr<Gpu> gpu, CUstream stream, CUgraph graph,
                               std::vector<CUfunction> kernels)
    : gpu_(std::move(gpu)), stream_(stream), graph_(graph), kernels_(std::move(kernels)) {
  const CUresult result = gpu_->api().cuGraphInstantiate(&instance_, graph_, 0);
  if (result != CUDA_SUCCESS) gpu_->api().cuGraphDestroy(graph_);
  check(result, "making a CUDA graph");
  if (!find_nodes()) nodes_.clear();
}

GraphRecording::~GraphRecording() {
  gpu_->api().cuGraphExecDestroy(instance_);
  gpu_->api().cuGraphDestroy(graph_);
}

// Work that is not ours (a library's, a copy) is a node without a launch of ours. The order of the
// nodes is that of the launches if each waits for the one before alone.
bool GraphRecording::find_nodes() {
  const DriverApi& api = gpu_->api();
  if (!api.cuGraphNodeGetDependencies_v2 || kernels_.empty()) return false;
  size_t count = 0;
  if (api.cuGraphGetNodes(graph_, nullptr, &count) != CUDA_SUCCESS || count != kernels_.size())
    return false;
  nodes_.resize(count);
  if (api.cuGraphGetNodes(graph_, nodes_.data(), &count) != CUDA_SUCCESS) return false;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    CUgraphNode before[2] = {};
    CUgraphEdgeData edges[2] = {};
    size_t found = std::size(before);
    if (api.cuGraphNodeGetDependencies_v2(nodes_[i], before, edges, &found) != CUDA_SUCCESS ||
        found != (i == 0 ? 0U : 1U) || (i > 0 && before[0] != nodes_[i - 1]))
      return false;
  }
  return true;
}

void GraphRecording::replay() {
  gpu_->enter();
  check(gpu_->api().cuGraphLaunch(instance_, stream_), "launching a CUDA graph");
}

double GraphRecording::replay_timed() {
  const bool can_tell = gpu_->api().cuEventElapsedTime != nullptr;
  Event start(gpu_, true), end(gpu_, true);
  start.record(stream_);
  replay();
  end.record(stream_);
  check(gpu_->api().cuStreamSynchronize(stream_), "waiting for the GPU");
  return can_tell ? end.since(start) : 0;
}

bool GraphRecording::write(size_t i, const KernelLaunch& launch, void** arguments) {
  if (i >= nodes_.size() || kernels_[i] != launch.function) return false;
  CUDA_KERNEL_NODE_PARAMS params = {};
  set_shape(params, launch);
  params.func = launch.function;
  params.kernelParams = arguments;
  return gpu_->api().cuGraphExecKernelNodeSetParams(instance_, nodes_[i], &params) == CUDA_SUCCESS;
}

bool GraphRecording::become(CUgraph graph, const std::vector<CUfunction>& kernels) {
  CUgraphExecUpdateResultInfo info = {};
  if (gpu_->api().cuGraphExecUpdate(instance_, graph, &info) != CUDA_SUCCESS) return false;
  if (kernels != kernels_) nodes_.clear();
  return true;
}

void Launcher::launch(const KernelLaunch& launch, void** arguments) {
  if (over_) {
    fits_ = fits_ && over_->write(written_++, launch, arguments);
    return;
  }
  CUlaunchConfig config = {};
  set_shape(config, launch);
  config.hStream = stream_.get();
  CUlaunchAttribute attributes[2] = {};
  config.attrs = attributes;
  if (launch.cluster > 1) {
    CUlaunchAttribute& cluster = attributes[config.numAttrs++];
    cluster.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    cluster.value.clusterDim.x = static_cast<unsigned>(launch.cluster);
    cluster.value.clusterDim.y = cluster.value.clusterDim.z = 1;
  }
  if (launch.overlap) {
    CUlaunchAttribute& early = attributes[config.numAttrs++];
    early.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    early.value.programmaticStreamSerializationAllowed = 1;
  }
  check(gpu_->api().cuLaunchKernelEx(&config, launch.function, arguments, nullptr),
        "launching a kernel");
  if (is_recording_) kernels_.push_back(launch.function);
}

std::unique_ptr<Recording> Launcher::record(const std::function<void()>& steps,
                                            std::unique_ptr<Recording> old) {
  gpu_->enter();
  auto* const graph = static_cast<GraphRecording*>(old.get());
  if (graph && graph->writable() > 0 && write_over(*graph, steps)) return old;
  const CUgraph captured = capture(steps);
  if (graph && graph->become(captured, kernels_)) {
    gpu_->api().cuGraphDestroy(captured);
    return old;
  }
  return std::make_unique<GraphRecording>(gpu_, stream_.get(), captured, kernels_);
}

// Costs the host half of what capture and update do. False: they are not the graph's launches.
bool Launcher::write_over(GraphRecording& graph, const std::function<void()>& steps) {
  over_ = &graph;
  written_ = 0;
  fits_ = true;
  try {
    steps();
  } catch (...) {
    over_ = nullptr;
    throw;
  }
  over_ = nullptr;
  return fits_ && written_ == graph.writable();
}

CUgraph Launcher::capture(const std::function<void()>& steps) {
  const DriverApi& api = gpu_->api();
  // Relaxed: other threads may allocate meanwhile, which cannot disturb this stream.
  check(api.cuStreamBeginCapture(stream_.get(), CU_STREAM_CAPTURE_MODE_RELAXED),
        "recording a CUDA graph");
  is_recording_ = true;
  kernels_.clear();
  CUgraph graph = nullptr;
  try {
    steps();
  } catch (...) {
    is_recording_ = false;
    if (api.cuStreamEndCapture(stream_.get(), &graph) == CUDA_SUCCESS) api.cuGraphDestroy(graph);
    throw;
  }
  is_recording_ = false;
  check(api.cuStreamEndCapture(stream_.get(), &graph), "ending a CUDA graph");
  return graph;
}

}  // namespace tenrec::cuda
