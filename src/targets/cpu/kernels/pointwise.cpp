// SPDX-License-Identifier: Apache-2.0
// Pointwise operators and fused pointwise regions as tile programs.
#include "targets/cpu/run/pointwise.h"

#include "base/wire.h"
#include "targets/common/pointwise_program.h"
#include "targets/cpu/kernels/list.h"
#include "targets/cpu/run/tile_program.h"

namespace tenrec::cpu {
namespace {

Reject check_types(const PointwiseProgram& recorded) {
  if (recorded.outputs.empty()) return "no output is used";
  const Type& first = recorded.outputs[0]->type;
  for (const Value* output : recorded.outputs) {
    const Type& type = output->type;
    if (type.kind != Type::Kind::tensor || !type.ranked) return "the rank is not known";
    if (type.shape != first.shape || !(type.layout == first.layout))
      return "outputs differ in shape or layout";
  }
  for (const StepArg& arg : recorded.inputs) {
    if (!arg.value) continue;
    const Type& type = arg.value->type;
    if (type.kind != Type::Kind::tensor || !type.ranked) return "the rank is not known";
    if (type.rank() > first.rank()) return "an input has more axes than the output";
    if (type.layout.block_axis < 0) continue;
    const auto shift = static_cast<int>(first.rank() - type.rank());
    if (type.layout.block != first.layout.block ||
        type.layout.block_axis + shift != first.layout.block_axis) {
      return "layouts differ";
    }
  }
  return "";
}

class Pointwise : public Kernel {
 public:
  std::string_view name() const override { return "pointwise"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const PointwiseProgram recorded = pointwise_program(node);
    if (!recorded.reject.empty()) return recorded.reject;
    Reject reject = check_types(recorded);
    return reject.empty() ? TileProgram::unsupported(recorded.program) : reject;
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    PointwiseProgram recorded = pointwise_program(node);
    StepDraft draft = draft_of(node, name(), tactic);
    draft.inputs = recorded.inputs;
    draft.outputs = recorded.outputs;
    draft.params = encode(PointwiseParams{std::move(recorded.program)});
    if (draft.outputs.size() != 1) return draft;
    const Type& out = draft.outputs[0]->type;
    for (size_t i = 0; i < draft.inputs.size() && draft.in_place < 0; ++i) {
      const Value* input = draft.inputs[i].value;
      if (input && !input->constant() && input->type == out) draft.in_place = static_cast<int>(i);
    }
    return draft;
  }
};

}  // namespace

const Kernel& pointwise_kernel() {
  static const Pointwise kernel;
  return kernel;
}

}  // namespace tenrec::cpu
