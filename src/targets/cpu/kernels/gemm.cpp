// SPDX-License-Identifier: Apache-2.0
// matmul, alone or with a pointwise epilogue, on our matrix product.
#include "targets/cpu/run/gemm.h"

#include "base/error.h"
#include "base/wire.h"
#include "ops/matmul.h"
#include "targets/common/anchored.h"
#include "targets/cpu/kernels/conv_common.h"
#include "targets/cpu/kernels/list.h"
#include "targets/cpu/run/gemm_step.h"

namespace tenrec::cpu {
namespace {

class GemmKernel final : public Kernel {
 public:
  std::string_view name() const override { return "gemm"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const Anchored product = anchored(node, "matmul", cpu_anchor_rules(true));
    return product.reject.empty() ? gemm_operand_problem(product) : product.reject;
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    const Anchored product = anchored(node, "matmul", cpu_anchor_rules(true));
    const Tensor* constant = shared_constant(product);
    const GemmNest nest =
        nest_of(sizes_of(product, 0, node, opt),
                constant ? constant->dims() : sizes_of(product, 1, node, opt), constant != nullptr);
    std::vector<std::string> texts;
    for (const GemmTactic& tactic : gemm_tactics(nest.gemm, isa_of(device), device.threads)) {
      const bool packed = tactic.mode == GemmTactic::Mode::prepacked;
      if (packed == (constant != nullptr)) texts.push_back(to_text(tactic));
    }
    TENREC_ASSERT(!texts.empty());
    return texts;
  }

  StepDraft compile(const Node& node, const std::string& text,
                    const DeviceInfo& device) const override {
    const Anchored product = anchored(node, "matmul", cpu_anchor_rules(true));
    StepDraft draft = anchored_draft(node, product, name(), text);
    GemmParams params;
    params.epilogue = product.epilogue;
    draft.inputs = product.inputs;
    if (const Tensor* constant = shared_constant(product)) {
      const GemmTactic tactic = parse_gemm_tactic(text);
      const Isa isa = isa_of(device);
      params.packed = true;
      params.dims = constant->dims();
      Gemm gemm;
      gemm.k = static_cast<int>(constant->dims()[constant->dims().size() - 2]);
      gemm.n = static_cast<int>(constant->dims().back());
      gemm.constant_b = true;
      gemm = with_dense_strides(gemm);
      Tensor packed(DType::f32, {static_cast<int64_t>(gemm_packed_size(gemm, tactic, isa))});
      gemm_pack(gemm, tactic, isa, constant->as<float>().data(), packed.as_mutable<float>().data());
      draft.inputs[1] = {nullptr, std::move(packed)};
    }
    draft.params = encode(params);
    draft.inputs.insert(draft.inputs.end(), product.operands.begin(), product.operands.end());
    return draft;
  }

 private:
  // A constant b that is one matrix; batches of constants are read as they lie.
  static const Tensor* shared_constant(const Anchored& product) {
    const Tensor* constant = product.constant(1);
    if (!constant) return nullptr;
    const Dims& dims = constant->dims();
    return element_count(Dims(dims.begin(), dims.end() - 2)) == 1 && constant->elements() > 0
               ? constant
               : nullptr;
  }

  // Sizes of anchor input i, found among the node's inputs.
  static Dims sizes_of(const Anchored& product, size_t i, const Node& node, const Sizes& opt) {
    if (const Tensor* constant = product.constant(i)) return constant->dims();
    for (size_t k = 0; k < node.inputs().size(); ++k) {
      if (node.input(k) == product.inputs[i].value) return opt.inputs[k];
    }
    TENREC_ASSERT(false, "an operand of a region is no input of it");
  }
};

}  // namespace

Reject gemm_operand_problem(const Anchored& product) {
  for (size_t i = 0; i < 2; ++i) {
    const Type& type = product.types[i];
    if (type.dtype != DType::f32) return fmt::format("operand is {}", tenrec::name(type.dtype));
    if (!type.ranked || type.rank() < 2) return "an operand has fewer than 2 axes";
    if (!type.layout.is_plain()) return "an operand is not row-major";
  }
  if (!product.result.layout.is_plain()) return "the result is not row-major";
  return "";
}

const Kernel& gemm_kernel() {
  static const GemmKernel kernel;
  return kernel;
}

}  // namespace tenrec::cpu
