// SPDX-License-Identifier: Apache-2.0
#include "targets/target.h"

#include <algorithm>

#include "base/error.h"
#include "targets/cpu/target.h"
#ifdef TENREC_CUDA
#include "targets/cuda/target.h"
#endif

namespace tenrec {
namespace {

// One line a target.
const std::vector<const Target*>& targets() {
  static const std::vector<const Target*> all{
      &cpu::cpu_target(),
#ifdef TENREC_CUDA
      &cuda::cuda_target(),
#endif
  };
  return all;
}

}  // namespace

const Target& find_target(std::string_view name) {
  std::string names;
  for (const Target* target : targets()) {
    if (target->name() == name) return *target;
    names += (names.empty() ? "" : ", ") + std::string(target->name());
  }
  fail(ErrorCode::usage, "unknown target '{}'; this build has: {}", name, names);
}

std::vector<plan::KernelImage> Target::compile(std::span<const plan::KernelSource> sources,
                                               const DeviceInfo&, std::vector<std::string>*,
                                               TimingCache*) const {
  TENREC_ASSERT(sources.empty(), "target '{}' compiles no device code", name());
  return {};
}

bool has_real_kernel(const Node& node, std::span<const Kernel* const> kernels,
                     const DeviceInfo& device) {
  return std::any_of(kernels.begin(), kernels.end(), [&](const Kernel* kernel) {
    return !kernel->is_reference() && (device.vendor || !kernel->vendor()) &&
           kernel->check(node, device).empty();
  });
}

plan::Step step_of(const StepDraft& draft) {
  plan::Step step;
  step.family = draft.family;
  step.tactic = draft.tactic;
  step.op = draft.op;
  step.op_fields = draft.op_fields;
  step.params = draft.params;
  return step;
}

StepDraft draft_of(const Node& node, std::string_view family, std::string tactic) {
  StepDraft draft;
  draft.family = family;
  draft.tactic = std::move(tactic);
  draft.op = node.op().name();
  draft.op_fields = node.op().encode();
  for (Value* input : node.inputs()) draft.inputs.push_back({input, {}});
  draft.outputs = node.outputs();
  for (Value*& output : draft.outputs) {
    if (output->uses().empty()) output = nullptr;
  }
  return draft;
}

}  // namespace tenrec
