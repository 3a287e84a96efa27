// SPDX-License-Identifier: Apache-2.0
// Slice where starts, steps or axes are known only when running, or starts may have either sign:
// each thread works out where the part begins. (Others are plain moves: copy.cpp.)
#include "ops/slice.h"

#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

// Axes that may be sliced, and which entry of starts and steps says how: a number, or an expression
// that is negative where none does.
std::map<size_t, std::string> entries_of(const Node& node, KernelText& kernel) {
  const auto rank = static_cast<size_t>(node.input(0)->type.rank());
  const Dim& count = node.input(1)->type.shape[0];
  std::map<size_t, std::string> entries;
  const auto axes = node.input(3) ? node.input(3)->type.constant_ints() : std::nullopt;
  if (axes) {
    for (size_t k = 0; k < axes->size(); ++k) {
      const int64_t axis = normalise_axis((*axes)[k], static_cast<int64_t>(rank));
      entries[static_cast<size_t>(axis)] = fmt::format("{}", k);
    }
    return entries;
  }
  for (size_t axis = 0; axis < rank; ++axis) {
    if (!node.input(3) && count.is_const()) {
      if (static_cast<int64_t>(axis) < count.value()) entries[axis] = fmt::format("{}", axis);
      continue;
    }
    kernel.body +=
        fmt::format("  const idx e{} = {};\n", axis,
                    node.input(3) ? fmt::format("entry_of({}, {}, {}, {})", kernel.input(3),
                                                kernel.dim(count), axis, rank)
                                  : fmt::format("{0} < {1} ? {0} : -1", axis, kernel.dim(count)));
    entries[axis] = fmt::format("e{}", axis);
  }
  return entries;
}

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
    return starts->type.ranked && starts->type.rank() == 1 ? "" : "starts are no list";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepWriter step(draft_of(node, name(), tactic));
    const Type &in = node.input(0)->type, &out = node.output()->type;
    KernelText kernel(step, "slice");
    kernel.reach_all();
    kernel.functions = "#include \"index.cuh\"\n#include \"slice.cuh\"\n";
    const std::vector<std::string> variables = element_variables(out.shape.size());
    kernel.body = kernel.flat_index(memory_elements(out));
    kernel.body += element_index(kernel, out, "i", variables);
    std::vector<std::string> read = variables;
    for (const auto& [axis, entry] : entries_of(node, kernel)) {
      const std::string stride =
          node.input(4) ? fmt::format("{}[{}]", kernel.input(4), entry) : "1";
      kernel.body += fmt::format(
          "  const idx s{0} = {1} < 0 ? {2} : slice_place({3}[{1}], {4}, {5}, {2});\n", axis, entry,
          variables[axis], kernel.input(1), stride, kernel.dim(in.shape[axis]));
      read[axis] = fmt::format("s{}", axis);
    }
    kernel.body += fmt::format("  {}[{}] = {}[{}];\n", kernel.output(0),
                               kernel.offset({memory_strides(out), Dim(0)}, variables),
                               kernel.input(0), kernel.offset({memory_strides(in), Dim(0)}, read));
    step.launch_flat(kernel, memory_elements(out));
    return step.finish();
  }
};

}  // namespace

const Kernel& late_slice_kernel() {
  static const LateSlice kernel;
  return kernel;
}

}  // namespace tenrec::cuda
