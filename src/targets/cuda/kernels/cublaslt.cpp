// SPDX-License-Identifier: Apache-2.0
// Products (and 1x1 convolutions, which are products) by cuBLASLt.
#include "targets/cuda/run/vendor.h"
#ifdef TENREC_HAS_CUBLASLT
#include "targets/cuda/run/cublaslt.h"

#include "base/wire.h"
#include "targets/cuda/kernels/gemm_epilogue.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

constexpr size_t most_tactics = 8;

class CublasLtKernel final : public Kernel {
 public:
  std::string_view name() const override { return "cublaslt"; }
  bool vendor() const override { return true; }
  // Describing and launching a product takes 6, on a busy machine 10. More is what it does to the
  // steps around it: a segment with it is captured, where launches of our own are written over the
  // graph before. In sum 13 to 30.
  double new_size_us() const override { return 25; }

  Reject check(const Node& node, const DeviceInfo& device) const override {
    if (!cublaslt_library().is_open()) return cublaslt_library().problem();
    const GemmNode gemm = gemm_node(node, device);
    if (!gemm.reject.empty()) return gemm.reject;
    const GemmParams& params = gemm.params;
    if (params.convolution) {
      if (!params.channels_last || walks(params) || params.groups > 1)
        return "the convolution is no matrix product";
    }
    if (params.out_type != params.type && params.out_type != DType::f32)
      return "the result has another type";
    if (!simple_epilogue(params)) return "cuBLASLt has no such epilogue";
    if (!gemm.full_types.empty() && gemm.full_types[0] != params.out_type)
      return "the residual has another type";
    if (params.constant_b && params.in_channels == 0) return "the sum is empty";
    return "";
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    GemmNode gemm = gemm_node(node, device);
    const GemmSizes sizes = gemm.sizes(node, opt);
    std::vector<std::string> texts;
    for (const CublasLtTactic& tactic : cublaslt_tactics(params_of(gemm), sizes, most_tactics))
      texts.push_back(to_text(tactic));
    if (texts.empty()) texts.push_back("auto");
    return texts;
  }

  StepDraft compile(const Node& node, const std::string& text,
                    const DeviceInfo& device) const override {
    GemmNode gemm = gemm_node(node, device);
    Tensor packed;
    if (gemm.params.constant_b) packed = pack_weights(gemm, padding(gemm), false);
    const CublasLtParams params = params_of(gemm);
    StepDraft draft = gemm_draft(node, gemm, name(), text, std::move(packed));
    draft.params = encode(params);
    draft.scratch = Dim(cublaslt_scratch(parse_cublaslt_tactic(text)));
    if (params.bias && gemm.params.out_type != DType::f32)
      draft.inputs[2] = {nullptr, gemm.table.converted(gemm.params.out_type)};
    return draft;
  }

 private:
  static int64_t padding(const GemmNode& gemm) { return 128 / bit_width(gemm.params.type); }

  static CublasLtParams params_of(GemmNode& gemm) {
    CublasLtParams params{gemm.params};
    GemmParams& inner = params.gemm;
    if (inner.constant_b && inner.padded_channels == 0)
      inner.padded_channels =
          (inner.in_channels + padding(gemm) - 1) / padding(gemm) * padding(gemm);
    const SimpleEpilogue epilogue = *simple_epilogue(inner);
    params.bias = epilogue.bias;
    params.residual = epilogue.residual;
    params.relu = epilogue.relu;
    inner.table_type = inner.out_type;
    return params;
  }
};

}  // namespace

const Kernel& cublaslt_kernel() {
  static const CublasLtKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda

#endif  // TENREC_HAS_CUBLASLT
