// SPDX-License-Identifier: Apache-2.0
// A libcuda for machines without a GPU: memory is the host's, kernels do nothing, and the
// environment says what goes wrong.
//   FAKE_CUDA_CAPABILITY  90 unless given
//   FAKE_CUDA_MEMORY      bytes of the GPU
//   FAKE_CUDA_VERSION     of the driver, 13000 unless given
// Copies from pinned memory happen as late as a GPU may do them. Graphs are the functions launched
// into them; fake_cuda_graphs() says what was done with them.
// With FAKE_CUDA_TOO_OLD defined it lacks what came with CUDA 12.
#include <cuda.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace {

long long setting(const char* name, long long otherwise) {
  const char* text = std::getenv(name);
  return text ? std::atoll(text) : otherwise;
}

std::mutex mutex;
std::map<CUdeviceptr, size_t> blocks;
std::map<const char*, size_t> pinned;
size_t used = 0;
int handle = 0;  // what every handle points to

size_t memory_bytes() { return static_cast<size_t>(setting("FAKE_CUDA_MEMORY", 8LL << 30)); }

struct Copy {
  void* to;
  const void* from;
  size_t bytes;
};
std::vector<Copy> late;

void catch_up() {
  for (const Copy& copy : late) std::memcpy(copy.to, copy.from, copy.bytes);
  late.clear();
}

bool is_pinned(const void* data) {
  const auto after = pinned.upper_bound(static_cast<const char*>(data));
  if (after == pinned.begin()) return false;
  const auto& [begin, bytes] = *std::prev(after);
  return data < begin + bytes;
}

struct Node {
  CUfunction function;  // null: no kernel
  Node* before;
};
struct Graph {
  std::vector<std::unique_ptr<Node>> nodes;
};
struct GraphInstance {
  std::vector<CUfunction> functions;
};
std::unique_ptr<Graph> captured;  // null: the stream runs what it gets
int instances = 0, updates = 0, writes = 0;

void capture(CUfunction function) {
  if (!captured) return;
  Node* const before = captured->nodes.empty() ? nullptr : captured->nodes.back().get();
  captured->nodes.push_back(std::make_unique<Node>(Node{function, before}));
}

std::vector<CUfunction> functions_of(CUgraph graph) {
  std::vector<CUfunction> functions;
  for (const auto& node : reinterpret_cast<Graph*>(graph)->nodes)
    functions.push_back(node->function);
  return functions;
}

template <class T>
CUresult give(T* out) {
  *out = reinterpret_cast<T>(&handle);
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

CUresult cuInit(unsigned) { return CUDA_SUCCESS; }
CUresult cuDriverGetVersion(int* version) {
  *version = static_cast<int>(setting("FAKE_CUDA_VERSION", 13000));
  return CUDA_SUCCESS;
}
CUresult cuGetErrorName(CUresult, const char** text) {
  *text = "FAKE_ERROR";
  return CUDA_SUCCESS;
}
CUresult cuGetErrorString(CUresult, const char** text) {
  *text = "an error of the fake driver";
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetCount(int* count) {
  *count = 1;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGet(CUdevice* device, int) {
  *device = 0;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetName(char* name, int size, CUdevice) {
  std::strncpy(name, "Fake GPU", static_cast<size_t>(size));
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice) {
  const auto capability = static_cast<int>(setting("FAKE_CUDA_CAPABILITY", 90));
  switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = capability / 10; break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = capability % 10; break;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = 132; break;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: *value = 227 << 10; break;
    default: *value = 1 << 20;
  }
  return CUDA_SUCCESS;
}
CUresult cuDeviceTotalMem(size_t* bytes, CUdevice) {
  *bytes = memory_bytes();
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice) { return give(context); }
CUresult cuDevicePrimaryCtxRelease(CUdevice) { return CUDA_SUCCESS; }
CUresult cuCtxSetCurrent(CUcontext) { return CUDA_SUCCESS; }
CUresult cuCtxGetCurrent(CUcontext* context) { return give(context); }
CUresult cuMemGetInfo(size_t* free_bytes, size_t* total) {
  const std::lock_guard lock(mutex);
  *total = memory_bytes();
  *free_bytes = *total - used;
  return CUDA_SUCCESS;
}
CUresult cuMemAlloc(CUdeviceptr* data, size_t bytes) {
  const std::lock_guard lock(mutex);
  if (bytes > memory_bytes() - used) return CUDA_ERROR_OUT_OF_MEMORY;
  void* block = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!block) return CUDA_ERROR_OUT_OF_MEMORY;
  std::memset(block, 0, bytes);
  *data = reinterpret_cast<CUdeviceptr>(block);
  blocks[*data] = bytes;
  used += bytes;
  return CUDA_SUCCESS;
}
CUresult cuMemFree(CUdeviceptr data) {
  const std::lock_guard lock(mutex);
  catch_up();
  used -= blocks[data];
  blocks.erase(data);
  std::free(reinterpret_cast<void*>(data));
  return CUDA_SUCCESS;
}
CUresult cuMemHostAlloc(void** data, size_t bytes, unsigned) {
  const std::lock_guard lock(mutex);
  *data = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!*data) return CUDA_ERROR_OUT_OF_MEMORY;
  pinned[static_cast<const char*>(*data)] = bytes;
  return CUDA_SUCCESS;
}
CUresult cuMemFreeHost(void* data) {
  const std::lock_guard lock(mutex);
  catch_up();
  pinned.erase(static_cast<const char*>(data));
  std::free(data);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void* from, size_t bytes, CUstream) {
  const std::lock_guard lock(mutex);
  if (is_pinned(from)) late.push_back({reinterpret_cast<void*>(to), from, bytes});
  else std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyDtoHAsync(void* to, CUdeviceptr from, size_t bytes, CUstream) {
  const std::lock_guard lock(mutex);
  catch_up();
  std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream) {
  const std::lock_guard lock(mutex);
  catch_up();
  capture(nullptr);
  std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, CUstream) {
  const std::lock_guard lock(mutex);
  catch_up();
  capture(nullptr);
  std::memset(reinterpret_cast<void*>(to), value, bytes);
  return CUDA_SUCCESS;
}
CUresult cuStreamCreate(CUstream* stream, unsigned) { return give(stream); }
CUresult cuStreamDestroy(CUstream) { return CUDA_SUCCESS; }
CUresult cuStreamSynchronize(CUstream) {
  const std::lock_guard lock(mutex);
  catch_up();
  return CUDA_SUCCESS;
}
CUresult cuStreamWaitEvent(CUstream, CUevent, unsigned) { return CUDA_SUCCESS; }
CUresult cuStreamBeginCapture(CUstream, CUstreamCaptureMode) {
  captured = std::make_unique<Graph>();
  return CUDA_SUCCESS;
}
CUresult cuStreamEndCapture(CUstream, CUgraph* graph) {
  *graph = reinterpret_cast<CUgraph>(captured.release());
  return CUDA_SUCCESS;
}
CUresult cuGraphInstantiate(CUgraphExec* instance, CUgraph graph, unsigned long long) {
  ++instances;
  *instance = reinterpret_cast<CUgraphExec>(new GraphInstance{functions_of(graph)});
  return CUDA_SUCCESS;
}
CUresult cuGraphExecUpdate(CUgraphExec instance, CUgraph graph, CUgraphExecUpdateResultInfo*) {
  std::vector<CUfunction>& functions = reinterpret_cast<GraphInstance*>(instance)->functions;
  std::vector<CUfunction> others = functions_of(graph);
  if (functions.size() != others.size()) return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
  ++updates;
  functions = std::move(others);
  return CUDA_SUCCESS;
}
CUresult cuGraphGetNodes(CUgraph graph, CUgraphNode* nodes, size_t* count) {
  const auto& own = reinterpret_cast<Graph*>(graph)->nodes;
  for (size_t i = 0; nodes && i < own.size(); ++i)
    nodes[i] = reinterpret_cast<CUgraphNode>(own[i].get());
  *count = own.size();
  return CUDA_SUCCESS;
}
CUresult cuGraphNodeGetDependencies_v2(CUgraphNode node, CUgraphNode* before, CUgraphEdgeData*,
                                       size_t* count) {
  Node* const one = reinterpret_cast<Node*>(node)->before;
  if (one) before[0] = reinterpret_cast<CUgraphNode>(one);
  *count = one ? 1 : 0;
  return CUDA_SUCCESS;
}
CUresult cuGraphExecKernelNodeSetParams(CUgraphExec, CUgraphNode node,
                                        const CUDA_KERNEL_NODE_PARAMS* params) {
  if (reinterpret_cast<Node*>(node)->function != params->func) return CUDA_ERROR_INVALID_VALUE;
  ++writes;
  return CUDA_SUCCESS;
}
CUresult cuGraphLaunch(CUgraphExec, CUstream) { return CUDA_SUCCESS; }
CUresult cuGraphDestroy(CUgraph graph) {
  delete reinterpret_cast<Graph*>(graph);
  return CUDA_SUCCESS;
}
CUresult cuGraphExecDestroy(CUgraphExec instance) {
  delete reinterpret_cast<GraphInstance*>(instance);
  return CUDA_SUCCESS;
}
// Graphs made, updated, and launches written over others, since the program started.
void fake_cuda_graphs(int counts[3]) {
  counts[0] = instances;
  counts[1] = updates;
  counts[2] = writes;
}
CUresult cuEventCreate(CUevent* event, unsigned) { return give(event); }
CUresult cuEventDestroy(CUevent) { return CUDA_SUCCESS; }
CUresult cuEventRecord(CUevent, CUstream) { return CUDA_SUCCESS; }
CUresult cuModuleLoadData(CUmodule* module, const void*) { return give(module); }
CUresult cuModuleUnload(CUmodule) { return CUDA_SUCCESS; }
CUresult cuModuleGetFunction(CUfunction* function, CUmodule, const char* name) {
  static std::set<std::string> names;
  const std::lock_guard lock(mutex);
  *function = reinterpret_cast<CUfunction>(const_cast<char*>(names.insert(name).first->c_str()));
  return CUDA_SUCCESS;
}
CUresult cuFuncGetAttribute(int* value, CUfunction_attribute, CUfunction) {
  *value = 0;
  return CUDA_SUCCESS;
}
CUresult cuFuncSetAttribute(CUfunction, CUfunction_attribute, int) { return CUDA_SUCCESS; }
CUresult cuLaunchKernelEx(const CUlaunchConfig*, CUfunction function, void**, void**) {
  capture(function);
  return CUDA_SUCCESS;
}
#ifndef FAKE_CUDA_TOO_OLD
CUresult cuTensorMapEncodeTiled(CUtensorMap*, CUtensorMapDataType, cuuint32_t, void*,
                                const cuuint64_t*, const cuuint64_t*, const cuuint32_t*,
                                const cuuint32_t*, CUtensorMapInterleave, CUtensorMapSwizzle,
                                CUtensorMapL2promotion, CUtensorMapFloatOOBfill) {
  return CUDA_SUCCESS;
}
CUresult cuTensorMapEncodeIm2col(CUtensorMap*, CUtensorMapDataType, cuuint32_t, void*,
                                 const cuuint64_t*, const cuuint64_t*, const int*, const int*,
                                 cuuint32_t, cuuint32_t, const cuuint32_t*, CUtensorMapInterleave,
                                 CUtensorMapSwizzle, CUtensorMapL2promotion,
                                 CUtensorMapFloatOOBfill) {
  return CUDA_SUCCESS;
}
#endif

}  // extern "C"
