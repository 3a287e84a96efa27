// SPDX-License-Identifier: Apache-2.0
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/conv_families.h"
#include "targets/cpu/run/epilogue.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

template <class Family>
class ConvRunner final : public StepRunner {
  using Problem = typename Family::Problem;
  static constexpr bool takes_residual = requires(Problem p) { p.has_residual; };

 public:
  ConvRunner(const plan::Step& step, RunEnvironment& environment)
      : params_(decode_conv_params(step.params)),
        tactic_(parse_tactic<Family>(step.tactic)),
        environment_(environment) {
    TENREC_CHECK(step.inputs.size() >= conv_operands && step.outputs.size() == 1, invalid_engine,
                 "a convolution with {} inputs and {} outputs", step.inputs.size(),
                 step.outputs.size());
    TENREC_CHECK(!params_.transposed || runs_transposed<Family>, invalid_engine,
                 "{} runs no transposed convolution", Family::name);
    if (params_.epilogue.nodes.empty()) return;
    simple_ = simple_epilogue(params_.epilogue);
    if (simple_ && !built_in(*simple_)) simple_.reset();
    if (!simple_) {
      epilogue_.emplace(params_.epilogue, environment.isa, environment.threads.count());
    }
  }

  void reshape(const StepArgs& args) override {
    const TensorView& x = args.inputs[0];
    const TensorView& y = args.outputs[0];
    check_layout(x, Family::blocked_in);
    check_layout(y, Family::blocked_out);
    problem_ = conv_family_problem<Family>(params_, conv_problem(params_, x.dims, y.dims), isa());
    if (const char* reason = Family::unsupported(problem_, isa())) {
      fail(ErrorCode::invalid_engine, "{}: {}", Family::name, reason);
    }
    const auto packed = static_cast<int64_t>(Family::packed_size(problem_, tactic_, isa()));
    TENREC_CHECK(args.inputs[1].dtype == DType::f32 && args.inputs[1].elements() == packed,
                 invalid_engine, "packed weights of {} floats, {} are needed",
                 args.inputs[1].elements(), packed);
    set_epilogue(y, args.inputs.subspan(conv_operands));
    empty_ = x.elements() == 0 || y.elements() == 0;
    workspace_ =
        empty_ ? 0 : Family::scratch_size(problem_, tactic_, isa(), environment_.threads.count());
  }

  uint64_t workspace_bytes() const override { return workspace_; }

  void run(const StepArgs& args) override {
    if (empty_) return;
    const std::span<const TensorView> operands = args.inputs.subspan(conv_operands);
    typename Family::Buffers buffers;
    buffers.in = args.inputs[0].as<float>();
    buffers.packed = args.inputs[1].as<float>();
    buffers.out = args.outputs[0].as<float>();
    buffers.scratch = args.scratch.data();
    if constexpr (takes_residual) {
      if (problem_.has_residual) buffers.residual = operands[0].as<float>();
    }
    if (epilogue_) buffers.epilogue = epilogue_->bind(operands);
    Family::loops(isa())(problem_, tactic_, buffers, environment_.threads);
  }

 private:
  Isa isa() const { return environment_.isa; }

  // Can the loops do it themselves? A residual must be the only operand.
  bool built_in(const SimpleEpilogue& simple) const {
    const bool residual = simple.residual >= 0;
    return params_.epilogue.inputs - 1 == (residual ? 1 : 0) && (takes_residual || !residual);
  }

  void check_layout(const TensorView& view, bool blocked) const {
    const Layout layout = layout_of(view);
    const int block = block_of(isa());
    const bool fits = blocked ? layout.block_axis == 1 && layout.block == block : layout.is_plain();
    TENREC_CHECK(view.dtype == DType::f32 && fits, invalid_engine, "{} needs f32, {}", Family::name,
                 blocked ? fmt::format("in blocks of {} channels", block) : "row-major");
  }

  void set_epilogue(const TensorView& y, std::span<const TensorView> operands) {
    if (epilogue_) {
      epilogue_->reshape(y, operands, false);
      return;
    }
    const bool residual = simple_ && simple_->residual >= 0;
    TENREC_CHECK(operands.size() == (residual ? 1U : 0U), invalid_engine,
                 "a convolution has {} epilogue operands", operands.size());
    if (!simple_) return;
    problem_.activation = simple_->activation;
    if (residual) set_residual(y, operands[0]);
  }

  void set_residual(const TensorView& y, const TensorView& residual) {
    bool fits = residual.dtype == DType::f32 && layout_of(residual) == layout_of(y);
    if constexpr (requires { problem_.residual_lacks; }) {
      fits = fits && residual.dims.size() == 4 && residual.dims[1] <= y.dims[1];
      for (const size_t i : {0U, 2U, 3U}) fits = fits && residual.dims[i] == y.dims[i];
      const auto channels = static_cast<int>(fits ? residual.dims[1] : 0);
      problem_.residual_lacks = problem_.conv.out_channels - channels;
      problem_.residual =
          dense_view(channels, problem_.conv.h.out, problem_.conv.w.out, block_of(isa()));
    } else {
      fits = fits && same_dims(residual.dims, y.dims);
    }
    if constexpr (takes_residual) problem_.has_residual = true;
    TENREC_CHECK(fits, invalid_engine, "a residual differs from the output in shape or layout");
  }

  ConvParams params_;
  typename Family::Tactic tactic_;
  RunEnvironment& environment_;
  Problem problem_{};
  std::optional<SimpleEpilogue> simple_;
  std::optional<EpilogueRunner> epilogue_;
  uint64_t workspace_ = 0;
  bool empty_ = false;
};

}  // namespace

Runner prepare_conv_direct(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<ConvRunner<DirectFamily>>(step, environment);
}
Runner prepare_conv_winograd(const plan::Plan&, const plan::Step& step,
                             RunEnvironment& environment) {
  return std::make_unique<ConvRunner<WinogradFamily>>(step, environment);
}
Runner prepare_conv_depthwise(const plan::Plan&, const plan::Step& step,
                              RunEnvironment& environment) {
  return std::make_unique<ConvRunner<DepthwiseFamily>>(step, environment);
}
Runner prepare_conv_rows(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<ConvRunner<RowsFamily>>(step, environment);
}
Runner prepare_conv_stem(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<ConvRunner<StemFamily>>(step, environment);
}
Runner prepare_conv_plain(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<ConvRunner<PlainFamily>>(step, environment);
}

}  // namespace tenrec::cpu
