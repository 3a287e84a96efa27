// SPDX-License-Identifier: Apache-2.0
// Det: a block a matrix, copied to doubles first.
#include "ops/col2im.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

class DetKernel : public Kernel {
 public:
  std::string_view name() const override { return "det"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<Det>()) return "no Det";
    return elements_problem(node.input(0)->type);
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepWriter step(draft_of(node, name(), tactic));
    const Type& in = node.input(0)->type;
    const Dim& n = in.shape.back();
    const Dim matrices = product(node.output()->type.shape);
    const Dim copies = step.add_scratch(max(product(in.shape), Dim(1)) * 8);
    KernelText kernel(step, "det");
    kernel.reach_all();
    kernel.functions = "#include \"order.cuh\"\n#include \"det.cuh\"\n";
    kernel.body = fmt::format(
        "  const idx size = {0} * {0}, start = blockIdx.x * size;\n"
        "  double* a = {1} + start;\n"
        "  for (idx i = threadIdx.x; i < size; i += {2}) a[i] = {3};\n  __syncthreads();\n"
        "  const double result = determinant(a, {0});\n"
        "  if (threadIdx.x == 0) {4}[blockIdx.x] = {5};\n",
        kernel.dim(n), kernel.scratch(copies, "double"), block_threads,
        load_text(in.dtype, fmt::format("{}[start + i]", kernel.input(0))), kernel.output(0),
        store_text(in.dtype, fmt::format("({})result", compute_type(in.dtype))));
    step.launch(kernel, matrices, block_threads);
    return step.finish();
  }
};

}  // namespace

const Kernel& det_kernel() {
  static const DetKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
