// SPDX-License-Identifier: Apache-2.0
// Every operator by its reference code, so that every model runs.
#include "base/wire.h"
#include "targets/common/pointwise_program.h"
#include "targets/cpu/kernels/list.h"

namespace tenrec::cpu {
namespace {

class Generic : public Kernel {
 public:
  std::string_view name() const override { return "generic"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (node.op().name() != "fused") return "";
    return pointwise_program(node).reject;
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    if (node.op().name() == "fused") {
      PointwiseProgram recorded = pointwise_program(node);
      draft.inputs = std::move(recorded.inputs);
      draft.outputs = std::move(recorded.outputs);
      draft.params = encode(recorded.program);
    }
    return draft;
  }
};

}  // namespace

const Kernel& generic_kernel() {
  static const Generic kernel;
  return kernel;
}

}  // namespace tenrec::cpu
