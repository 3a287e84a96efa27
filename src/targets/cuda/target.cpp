// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/target.h"

#include <algorithm>
#include <thread>

#include "base/error.h"
#include "passes/fuse.h"
#include "targets/common/dissolve.h"
#include "targets/common/join_attention.h"
#include "targets/common/layout.h"
#include "targets/cuda/attention_regions.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/nvrtc.h"
#include "targets/cuda/run/cuda_device.h"
#include "targets/cuda/run/dynlib.h"
#include "targets/cuda/run/vendor.h"
#include "targets/cuda/squeeze_regions.h"
#include "targets/cuda/weave_pass.h"
#include "targets/cuda/widen_pass.h"

namespace tenrec::cuda {
namespace {

int compile_threads() {
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 32U));
}

class CudaTarget final : public Target {
 public:
  std::string_view name() const override { return "cuda"; }

  DeviceInfo device_info(const std::string& fingerprint, int) const override {
    DeviceInfo info;
    info.target = "cuda";
    const int capability =
        fingerprint.empty() ? Gpu::open(0)->capability() : capability_of(fingerprint);
    TENREC_CHECK(capability != 0, usage,
                 "unknown CUDA device '{}'; write it like 'cuda sm_80' or 'cuda sm_90a'",
                 fingerprint);
    info.fingerprint = fingerprint_of(capability);
    info.channel_block = 8;
    info.narrow_types = true;
    info.has_tf32 = true;
    info.view_alignment = 128;  // vector loads and tensor maps want aligned addresses
    info.threads = compile_threads();
    info.cache_l1 = 128 << 10;
    info.cache_l2 = capability >= 90 ? 50ULL << 20 : 40ULL << 20;
    info.cache_l3 = info.cache_l2;
    return info;
  }

  std::span<const Kernel* const> kernels() const override { return kernel_list(); }

  void prepare_graph(Graph& graph, const DeviceInfo& device) const override {
    FuseOptions options;
    options.dtypes = {DType::f32, DType::f16, DType::bf16,   DType::f64, DType::i8,
                      DType::i16, DType::i32, DType::i64,    DType::u8,  DType::u16,
                      DType::u32, DType::u64, DType::boolean};
    widen_packed_moves(graph);
    join_attention(graph, attention_kernel(), device);
    join_projections(graph);
    assign_layouts(graph, device,
                   {.layout = {.channels_last = true},
                    .dtypes = {DType::f32, DType::f16, DType::bf16},
                    .few_channels = device.channel_block,
                    .kernels = kernel_list()});
    round_channels(graph, device.channel_block);
    join_squeezes(graph, device);
    fuse(graph, options);
    weave(graph);
    absorb_slices(graph);
    dissolve_unsupported(graph, kernel_list(), device);
  }

  std::vector<plan::KernelImage> compile(std::span<const plan::KernelSource> sources,
                                         const DeviceInfo& device,
                                         std::vector<std::string>* failures,
                                         TimingCache* cache) const override {
    return cuda::compile(sources, capability_of(device.fingerprint), device.threads, failures,
                         cache);
  }

  std::vector<std::string> notes(const DeviceInfo& device) const override {
    std::vector<std::string> missing;
    if (!device.vendor) return missing;
#ifdef TENREC_HAS_CUBLASLT
    if (!cublaslt_library().is_open()) missing.push_back(cublaslt_library().problem());
#else
    missing.emplace_back(
        "cuBLASLt is not in this build, whose machine had no headers of it; Tenrec's own kernels "
        "multiply matrices");
#endif
#ifdef TENREC_HAS_CUDNN
    if (!cudnn_library().is_open()) missing.push_back(cudnn_library().problem());
#else
    missing.emplace_back(
        "cuDNN is not in this build, whose machine had no headers of it; Tenrec's own kernels "
        "convolve");
#endif
    return missing;
  }
};

}  // namespace

const Target& cuda_target() {
  register_cuda_device();
  static const CudaTarget target;
  return target;
}

}  // namespace tenrec::cuda
