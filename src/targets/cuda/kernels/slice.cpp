// SPDX-License-Identifier: Apache-2.0
// Slice where the starts are known only when running, or may have either sign: each thread works
// out where the part begins. (Others are plain moves: copy.cpp.)
#include "ops/slice.h"

#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

class LateSlice : public Kernel {
 public:
  std::string_view name() const override { return "slice"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<Slice>()) return "no Slice";
    for (const Value* value : {node.input(0), node.output()})
      if (!has_strides(value->type)) return "the rank is not known, or a blocked layout";
    if (!is_supported(node.output()->type.dtype))
      return fmt::format("{} elements", tenrec::name(node.output()->type.dtype));
    const Value* starts = node.input(1);
    if (!starts->type.ranked || starts->type.rank() != 1 || !starts->type.shape[0].is_const())
      return "the number of axes is not known";
    if (node.input(3) && !node.input(3)->type.constant_ints()) return "axes are not constant";
    return "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepWriter step(draft_of(node, name(), tactic));
    const Type &in = node.input(0)->type, &out = node.output()->type;
    KernelText kernel(step, "slice");
    kernel.reach_all();
    kernel.functions = "#include \"slice.cuh\"\n";
    const std::vector<std::string> variables = element_variables(out.shape.size());
    kernel.body =
        fmt::format("  const idx i = (idx)blockIdx.x * {} + threadIdx.x;\n  if (i >= {}) return;\n",
                    block_threads, kernel.dim(memory_elements(out)));
    kernel.body += element_index(kernel, out, "i", variables);
    std::vector<std::string> read = variables;
    const auto axes = node.input(3) ? node.input(3)->type.constant_ints() : std::nullopt;
    for (int64_t k = 0; k < node.input(1)->type.shape[0].value(); ++k) {
      const auto axis = static_cast<size_t>(
          normalise_axis(axes ? axes->at(static_cast<size_t>(k)) : k, in.rank()));
      const std::string stride = node.input(4) ? fmt::format("{}[{}]", kernel.input(4), k) : "1";
      kernel.body +=
          fmt::format("  const idx s{0} = slice_place({1}[{2}], {3}, {4}, {5});\n", axis,
                      kernel.input(1), k, stride, kernel.dim(in.shape[axis]), variables[axis]);
      read[axis] = fmt::format("s{}", axis);
    }
    kernel.body += fmt::format("  {}[{}] = {}[{}];\n", kernel.output(0),
                               kernel.offset({memory_strides(out), Dim(0)}, variables),
                               kernel.input(0), kernel.offset({memory_strides(in), Dim(0)}, read));
    step.launch(kernel, ceildiv(memory_elements(out), Dim(block_threads)), block_threads);
    return step.finish();
  }
};

}  // namespace

const Kernel& late_slice_kernel() {
  static const LateSlice kernel;
  return kernel;
}

}  // namespace tenrec::cuda
