// SPDX-License-Identifier: Apache-2.0
#include "base/wire.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/onednn/call.h"
#include "targets/cpu/run/epilogue.h"
#include "targets/cpu/run/gemm_step.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

class OnednnMatMulRunner final : public StepRunner {
 public:
  OnednnMatMulRunner(const plan::Step& step, RunEnvironment& environment)
      : params_(decode<GemmParams>(step.params)), environment_(environment) {
    check_gemm_step(step, params_);
    TENREC_CHECK(!params_.packed && step.tactic.empty(), invalid_engine,
                 "onednn_matmul has no packed weights and no tactic '{}'", step.tactic);
    if (params_.epilogue.nodes.empty()) return;
    epilogue_.emplace(params_.epilogue, environment.isa, environment.threads.count());
  }

  void reshape(const StepArgs& args) override {
    Dims a = dims_of(args.inputs[0]), b = dims_of(args.inputs[1]), c = dims_of(args.outputs[0]);
    check_gemm_views(args, a, b, c);
    const std::span<const TensorView> operands = args.inputs.subspan(gemm_operands);
    TENREC_CHECK(epilogue_ || operands.empty(), invalid_engine,
                 "a matrix product has operands but no epilogue");
    if (epilogue_) epilogue_->reshape(args.outputs[0], operands, true);
    empty_ = element_count(c) == 0;
    no_terms_ = a.back() == 0;
    if (!empty_ && !no_terms_) make(a, b, c);
  }

  uint64_t workspace_bytes() const override {
    return empty_ || no_terms_ ? 0 : call_.workspace_bytes();
  }

  void run(const StepArgs& args) override {
    if (empty_) return;
    if (no_terms_) {
      std::fill_n(args.outputs[0].as<float>(), args.outputs[0].elements(), 0.0F);
    } else {
      call_.run(args, environment_.threads);
    }
    if (epilogue_)
      epilogue_->apply(args.outputs[0], args.inputs.subspan(gemm_operands), environment_.threads);
  }

 private:
  // One b for the whole batch is one product of many rows.
  static void fold_batch(Dims& a, Dims& b, Dims& c) {
    if (element_count(Dims(b.begin(), b.end() - 2)) != 1) return;
    if (element_count(a) / static_cast<uint64_t>(a.back()) !=
        element_count(c) / static_cast<uint64_t>(c.back()))
      return;
    const auto rows = static_cast<int64_t>(element_count(c)) / c.back();
    a = {rows, a.back()};
    b = {b[b.size() - 2], b.back()};
    c = {rows, c.back()};
  }

  static dnnl::memory::desc dense(Dims dims, size_t rank) {
    dims.insert(dims.begin(), rank - dims.size(), 1);
    return {dims, dnnl::memory::data_type::f32, row_major_strides(dims)};
  }

  void make(Dims a, Dims b, Dims c) {
    fold_batch(a, b, c);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    dnnl::matmul::primitive_desc description;
    try {
      description = {dnnl::matmul::desc(dense(a, c.size()), dense(b, c.size()), dense(c, c.size())),
                     attributes, onednn_engine()};
    } catch (const dnnl::error& error) {
      fail(ErrorCode::unsupported, "oneDNN has no matrix product for shapes {} and {}: {}",
           tenrec::to_string(a), tenrec::to_string(b), error.what());
    }
    call_.make<dnnl::matmul>(description);
  }

  GemmParams params_;
  RunEnvironment& environment_;
  OnednnCall call_;
  std::optional<EpilogueRunner> epilogue_;
  bool empty_ = false;
  bool no_terms_ = false;
};

}  // namespace

Runner prepare_onednn_matmul(const plan::Plan&, const plan::Step& step,
                             RunEnvironment& environment) {
  return std::make_unique<OnednnMatMulRunner>(step, environment);
}

}  // namespace tenrec::cpu
