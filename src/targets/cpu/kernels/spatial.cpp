// SPDX-License-Identifier: Apache-2.0
// Pools and resizes.
#include "ops/pool.h"
#include "ops/resize.h"
#include "targets/cpu/kernels/list.h"

namespace tenrec::cpu {
namespace {

// Blocks only of channels, and then of the size the loops are built for.
Reject check_layout(const Node& node, const DeviceInfo& device) {
  const Layout& in = node.input(0)->type.layout;
  if (!(in == node.output()->type.layout)) return "layouts differ";
  if (in.block_axis >= 0 && (in.block_axis != 1 || in.block % device.channel_block != 0))
    return "another channel block";
  return "";
}

class PoolKernel : public Kernel {
 public:
  std::string_view name() const override { return "pool"; }
  Reject check(const Node& node, const DeviceInfo& device) const override {
    const auto* max = node.as<MaxPool>();
    const auto* mean = node.as<AveragePool>();
    if (!max && !mean) return "no max or average pool";
    const Type& in = node.input(0)->type;
    if (!in.ranked) return "the rank is not known";
    if (in.dtype != DType::f32) return fmt::format("{} elements", tenrec::name(in.dtype));
    if (max && max->indices) return "gives indices too";
    if (in.rank() < 3 || in.rank() > 5) return "not one to three spatial axes";
    return check_layout(node, device);
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    return draft_of(node, name(), tactic);
  }
};

class ResizeKernel : public Kernel {
 public:
  std::string_view name() const override { return "resize"; }
  Reject check(const Node& node, const DeviceInfo& device) const override {
    const auto* op = node.as<Resize>();
    if (!op) return "no resize";
    const Type& in = node.input(0)->type;
    if (!in.ranked) return "the rank is not known";
    const bool moves = op->mode == ResizeMode::nearest && bit_width(in.dtype) >= 8;
    if (!moves && in.dtype != DType::f32)
      return fmt::format("weighted {} elements", tenrec::name(in.dtype));
    return check_layout(node, device);
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    return draft_of(node, name(), tactic);
  }
};

}  // namespace

const Kernel& pool_kernel() {
  static const PoolKernel kernel;
  return kernel;
}

const Kernel& resize_kernel() {
  static const ResizeKernel kernel;
  return kernel;
}

}  // namespace tenrec::cpu
