// SPDX-License-Identifier: Apache-2.0
// Pointwise operators and fused pointwise regions of one shape.
#include "targets/common/pointwise_program.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/pointwise_text.h"

namespace tenrec::cuda {
namespace {

Type type_of(const StepArg& arg) {
  return arg.value ? arg.value->type : Type::of_constant(arg.weight);
}

Reject check_types(const PointwiseProgram& recorded) {
  if (recorded.outputs.empty()) return "no output is used";
  const Type& first = recorded.outputs[0]->type;
  for (const Value* output : recorded.outputs) {
    const Type& type = output->type;
    if (!has_strides(type)) return "the rank is not known, or a blocked layout";
    if (type.shape != first.shape || !(type.layout == first.layout))
      return "outputs differ in shape or layout";
  }
  for (const StepArg& arg : recorded.inputs) {
    const Type type = type_of(arg);
    if (!has_strides(type)) return "the rank is not known, or a blocked layout";
    if (type.rank() > first.rank()) return "an input has more axes than the output";
  }
  return unsupported(recorded.program);
}

class Pointwise : public Kernel {
 public:
  std::string_view name() const override { return "pointwise"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const PointwiseProgram recorded = pointwise_program(node);
    return recorded.reject.empty() ? check_types(recorded) : recorded.reject;
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const PointwiseProgram recorded = pointwise_program(node);
    StepDraft draft = draft_of(node, name(), tactic);
    draft.inputs = recorded.inputs;
    draft.outputs = recorded.outputs;
    if (draft.outputs.size() == 1) {
      const Type& out = draft.outputs[0]->type;
      for (size_t i = 0; i < draft.inputs.size() && draft.in_place < 0; ++i) {
        const Value* input = draft.inputs[i].value;
        if (input && !input->constant() && input->type == out) draft.in_place = static_cast<int>(i);
      }
    }
    StepWriter step(std::move(draft));
    PointwisePart part{recorded.program, {}, {}, {}};
    std::vector<Type> inputs;
    for (const StepArg& arg : recorded.inputs) {
      part.inputs.push_back(inputs.size());
      inputs.push_back(type_of(arg));
    }
    for (size_t i = 0; i < recorded.outputs.size(); ++i) part.outputs.push_back(i);
    part.loops = broadcast_loops(recorded.outputs[0]->type, inputs);
    std::vector<PointwisePart> parts;
    parts.push_back(std::move(part));
    launch_parts(std::move(parts), "pointwise", step);
    return step.finish();
  }
};

}  // namespace

const Kernel& pointwise_kernel() {
  static const Pointwise kernel;
  return kernel;
}

}  // namespace tenrec::cuda
