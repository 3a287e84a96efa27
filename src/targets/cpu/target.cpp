// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/target.h"

#include "base/error.h"
#include "passes/fuse.h"
#include "targets/common/dissolve.h"
#include "targets/common/frame_convolutions.h"
#include "targets/common/join_attention.h"
#include "targets/common/layout.h"
#include "targets/common/lift_convolutions.h"
#include "targets/common/part_pointwise.h"
#include "targets/common/short_operands.h"
#include "targets/common/sink_views.h"
#include "targets/cpu/kernels/list.h"
#include "targets/cpu/run/caches.h"
#include "targets/cpu/run/cpu_device.h"

namespace tenrec::cpu {
namespace {

Isa isa_named(const std::string& fingerprint) {
  const std::optional<Isa> isa = isa_of(fingerprint);
  TENREC_CHECK(isa, usage, "unknown CPU device '{}'; there are: {}, {}, {}", fingerprint,
               fingerprint_of(Isa::baseline), fingerprint_of(Isa::avx2),
               fingerprint_of(Isa::avx512));
  return *isa;
}

class CpuTarget final : public Target {
 public:
  std::string_view name() const override { return "cpu"; }

  DeviceInfo device_info(const std::string& fingerprint, int threads) const override {
    const Isa isa = fingerprint.empty() ? best_isa() : isa_named(fingerprint);
    DeviceInfo info;
    info.target = "cpu";
    info.fingerprint = fingerprint_of(isa);
    info.channel_block = block_of(isa);
    // oneDNN packs for the machine it runs on.
    info.vendor = isa == best_isa();
    info.vector_floats = isa == Isa::baseline ? 4 : block_of(isa);
    info.threads = threads > 0 ? threads : available_threads();
    info.cache_l1 = cache_bytes(1, info.cache_l1);
    info.cache_l2 = cache_bytes(2, info.cache_l2);
    info.cache_l3 = cache_bytes(3, info.cache_l3);
    return info;
  }

  std::span<const Kernel* const> kernels() const override { return kernel_list(); }

  void prepare_graph(Graph& graph, const DeviceInfo& device) const override {
    join_attention(graph, attention_kernel(), device);
    frame_convolutions(graph, device.channel_block / 2);
    lift_convolutions(graph, device.channel_block);
    sink_views(graph);
    part_pointwise(graph);
    assign_layouts(graph, device,
                   {.layout = {.block_axis = 1, .block = device.channel_block},
                    .dtypes = {DType::f32},
                    .few_channels = device.channel_block,
                    .kernels = kernel_list()});
    fuse(graph);
    shorten_operands(graph, kernel_list(), device);
    dissolve_unsupported(graph, kernel_list(), device);
  }
};

}  // namespace

const Target& cpu_target() {
  register_cpu_device();
  static const CpuTarget target;
  return target;
}

}  // namespace tenrec::cpu
