// SPDX-License-Identifier: Apache-2.0
// Casts to and from elements of less than a byte, and those to fp8 that do not saturate.
#include "ops/convert.h"
#include "ops/elementwise.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/packed_text.h"

namespace tenrec::cuda {
namespace {

std::string converted(DType from, DType to, const Convert* convert) {
  if (!convert || to != DType::f8e8m0)
    return element_text(from, to, "x", !convert || convert->saturate);
  const int round = convert->round_mode == "up" ? 0 : convert->round_mode == "down" ? 1 : 2;
  return fmt::format("round_f8e8m0<{}>((float)x, {})", round, convert->saturate);
}

class Packed final : public Kernel {
 public:
  std::string_view name() const override { return "packed"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* convert = node.as<Convert>();
    if (!node.as<Cast>() && !convert) return "no cast";
    const Type &in = node.input(0)->type, &out = node.output()->type;
    if (!has_strides(in) || !has_strides(out) || !(in.layout == out.layout))
      return "the rank is not known, or another layout";
    if (!is_packable(in.dtype) || !is_packable(out.dtype)) return "elements of another kind";
    if (!convert && !is_sub_byte(in.dtype) && !is_sub_byte(out.dtype)) return "a plain cast";
    if (in.dtype == DType::f64 && out.dtype == DType::f8e8m0) return "rounds twice";
    return "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const DType from = node.input(0)->type.dtype, to = node.output()->type.dtype;
    StepWriter step(draft_of(node, name(), tactic));
    KernelText kernel(step, "packed_cast");
    kernel.reach_all();
    launch_by_eights(step, kernel, memory_elements(node.output()->type), to,
                     fmt::format("    const {} x = {};\n", value_type(from),
                                 read_element(from, kernel.input(0), "i")),
                     converted(from, to, node.as<Convert>()));
    return step.finish();
  }
};

}  // namespace

const Kernel& packed_kernel() {
  static const Packed kernel;
  return kernel;
}

}  // namespace tenrec::cuda
