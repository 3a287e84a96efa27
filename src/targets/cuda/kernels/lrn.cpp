// SPDX-License-Identifier: Apache-2.0
// LRN: a thread an element sums the squares of the channels around.
#include "ops/normalization.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

class LrnKernel : public Kernel {
 public:
  std::string_view name() const override { return "lrn"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<LRN>()) return "no LRN";
    const Type &in = node.input(0)->type, &out = node.output()->type;
    if (!has_strides(in)) return "the rank is not known, or a blocked layout";
    if (!(in.layout == out.layout)) return "layouts differ";
    return is_supported(in.dtype) ? "" : fmt::format("{} elements", tenrec::name(in.dtype));
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const auto& op = *node.as<LRN>();
    StepWriter step(draft_of(node, name(), tactic));
    const Type& in = node.input(0)->type;
    KernelText kernel(step, "lrn");
    kernel.reach_all();
    const std::string type = compute_type(in.dtype), stride = kernel.dim(memory_strides(in)[1]);
    const DType wide = in.dtype == DType::f64 ? DType::f64 : DType::f32;
    const auto number = [&](double value) { return literal(wide, value, 0); };
    const auto load = [&](const std::string& at) {
      return load_text(in.dtype, fmt::format("{}[{}]", kernel.input(0), at));
    };
    kernel.body = kernel.flat_index(memory_elements(in));
    kernel.body += element_index(kernel, in, "i", element_variables(in.shape.size()));
    kernel.body += fmt::format(
        "  const idx from = c < {0} ? -c : -{0}, left = {1} - 1 - c;\n"
        "  const idx to = left < {2} ? left : {2};\n"
        "  {3} square = 0;\n  for (idx k = from; k <= to; ++k) {{\n"
        "    const {3} x = {4};\n    square += x * x;\n  }}\n"
        "  const {3} base = {5} + {6} / {7} * square;\n  {8}[i] = {9};\n",
        (op.size - 1) / 2, kernel.dim(in.shape[1]), op.size / 2, type,
        load(fmt::format("i + k * {}", stride)), number(static_cast<double>(op.bias)),
        number(static_cast<double>(op.alpha)), number(static_cast<double>(op.size)),
        kernel.output(0),
        store_text(in.dtype, fmt::format("{} / fn_pow<{}>(base, {})", load("i"), type,
                                         number(static_cast<double>(op.beta)))));
    step.launch_flat(kernel, memory_elements(in));
    return step.finish();
  }
};

}  // namespace

const Kernel& lrn_kernel() {
  static const LrnKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
