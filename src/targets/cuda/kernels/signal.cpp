// SPDX-License-Identifier: Apache-2.0
// What goes around a Fourier transform: window functions and mel weights.
#include "ops/signal_window.h"
#include "ops/spectrum.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

struct Cosines {
  bool periodic;
  double a0, a1, a2;
};

std::optional<Cosines> window_of(const Node& node) {
  if (const auto* op = node.as<HannWindow>()) return Cosines{op->periodic, 0.5, 0.5, 0};
  if (const auto* op = node.as<HammingWindow>())
    return Cosines{op->periodic, 25.0 / 46, 21.0 / 46, 0};
  if (const auto* op = node.as<BlackmanWindow>()) return Cosines{op->periodic, 0.42, 0.5, 0.08};
  return std::nullopt;
}

class Signal final : public Kernel {
 public:
  std::string_view name() const override { return "signal"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!window_of(node) && !node.as<MelWeightMatrix>()) return "no window and no weights";
    for (const Value* input : node.inputs())
      if (!is_supported(input->type.dtype))
        return fmt::format("{} elements", tenrec::name(input->type.dtype));
    const Type& out = node.output()->type;
    return is_supported(out.dtype) ? "" : fmt::format("{} elements", tenrec::name(out.dtype));
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const Type& out = node.output()->type;
    const std::optional<Cosines> window = window_of(node);
    StepDraft draft = draft_of(node, name(), tactic);
    // The length of a window is a size of the step.
    if (window) draft.inputs.clear();
    StepWriter step(std::move(draft));
    KernelText kernel(step, std::string(node.op().name()));
    kernel.reach_all();
    kernel.functions = "#include \"signal.cuh\"\n";
    const Dim count = product(out.shape);
    kernel.body = kernel.flat_index(count);
    kernel.body +=
        fmt::format("  const double y = {};\n", window ? window_text(kernel, *window, count)
                                                       : weight_text(kernel, node, out.shape));
    const std::string value = is_float(out.dtype)
                                  ? fmt::format("({})y", compute_type(out.dtype))
                                  : fmt::format("to_integer<{}>(y)", compute_type(out.dtype));
    kernel.body += fmt::format("  {}[i] = {};\n", kernel.output(0), store_text(out.dtype, value));
    step.launch_flat(kernel, count);
    return step.finish();
  }

 private:
  static std::string number(double value) { return literal(DType::f64, value, 0); }

  static std::string window_text(KernelText& kernel, const Cosines& window, const Dim& size) {
    return fmt::format("cosine_window(i, {}, {}, {}, {}, {})", kernel.dim(size), window.periodic,
                       number(window.a0), number(window.a1), number(window.a2));
  }

  static std::string weight_text(KernelText& kernel, const Node& node, const Shape& shape) {
    const auto scalar = [&](size_t i) {
      return load_text(node.input(i)->type.dtype, kernel.input(i) + "[0]");
    };
    return fmt::format("mel_weight(i / {0}, i % {0}, {0}, (idx){1}, (double){2}, {3}, {4})",
                       kernel.dim(shape[1]), scalar(1), scalar(2), scalar(3), scalar(4));
  }
};

}  // namespace

const Kernel& signal_kernel() {
  static const Signal kernel;
  return kernel;
}

}  // namespace tenrec::cuda
