// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/epilogue_text.h"

#include "targets/cuda/emit.h"

namespace tenrec::cuda {
namespace {

Type operand_type(const StepArg& arg) {
  return arg.value ? arg.value->type : Type::of_constant(arg.weight);
}

}  // namespace

AnchorRules anchor_rules(bool columns) {
  return {.columns = columns,
          .dtypes = {DType::f32, DType::f16, DType::bf16, DType::f64},
          .unsupported = unsupported};
}

StepDraft anchored_step(const Node& node, const Anchored& anchor, std::string_view kernel,
                        std::string tactic) {
  StepDraft draft = anchored_draft(node, anchor, kernel, std::move(tactic));
  draft.inputs = anchor.inputs;
  draft.inputs.insert(draft.inputs.end(), anchor.operands.begin(), anchor.operands.end());
  return draft;
}

size_t first_operand(const Anchored& anchor) { return anchor.inputs.size(); }

std::string epilogue_function(const Anchored& anchor) {
  return anchor.epilogue.nodes.empty() ? "" : emit_function(anchor.epilogue, "epilogue");
}

std::string store_result(KernelText& kernel, const Anchored& anchor, const std::string& value,
                         const std::vector<std::string>& variables, const std::string& indent,
                         const std::string& to) {
  const Type& out = anchor.output->type;
  const std::string place =
      !to.empty() ? to
                  : fmt::format("{}[{}]", kernel.output(0),
                                kernel.offset({memory_strides(out), Dim(0)}, variables));
  if (anchor.epilogue.nodes.empty())
    return fmt::format("{}{} = {};\n", indent, place, store_text(out.dtype, value));
  std::string arguments = value;
  for (size_t i = 0; i < anchor.operands.size(); ++i) {
    const Type type = operand_type(anchor.operands[i]);
    const std::string from = kernel.offset({broadcast_strides(type, out.shape), Dim(0)}, variables);
    arguments +=
        ", " +
        load_text(type.dtype, fmt::format("{}[{}]", kernel.input(first_operand(anchor) + i), from));
  }
  return fmt::format("{0}{1} result;\n{0}epilogue({2}, result);\n{0}{3} = {4};\n", indent,
                     compute_type(out.dtype), arguments, place, store_text(out.dtype, "result"));
}

std::string accumulator_type(DType dtype) {
  if (!is_float(dtype)) return compute_type(dtype);
  return dtype == DType::f64 ? "double" : "float";
}

}  // namespace tenrec::cuda
