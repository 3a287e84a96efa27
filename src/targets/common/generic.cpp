// SPDX-License-Identifier: Apache-2.0
#include "targets/common/generic.h"

#include "base/wire.h"
#include "targets/common/pointwise_program.h"

namespace tenrec {
namespace {

class Generic final : public Kernel {
 public:
  explicit Generic(bool on_host) : on_host_(on_host) {}
  std::string_view name() const override { return "generic"; }
  bool is_reference() const override { return true; }
  bool on_host() const override { return on_host_; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    return node.op().name() == "fused" ? pointwise_program(node).reject : "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    if (node.op().name() != "fused") return draft;
    PointwiseProgram recorded = pointwise_program(node);
    draft.inputs = std::move(recorded.inputs);
    draft.outputs = std::move(recorded.outputs);
    draft.params = encode(recorded.program);
    return draft;
  }

 private:
  bool on_host_;
};

}  // namespace

const Kernel& generic_kernel(bool on_host) {
  static const Generic in_place(false), between_copies(true);
  return on_host ? between_copies : in_place;
}

}  // namespace tenrec
