// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_direct_step.h"

#include <cstdio>
#include <cstdlib>

#include "targets/cpu/run/epilogue.h"
#include "targets/cpu/run/memory_layout.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

class ConvDirectRunner final : public StepRunner {
 public:
  ConvDirectRunner(const plan::Step& step, RunEnvironment& environment)
      : params_(decode_conv_params(step.params)),
        tactic_(parse_conv_direct_tactic(step.tactic)),
        environment_(environment) {
    TENREC_CHECK(step.inputs.size() >= conv_operands && step.outputs.size() == 1, invalid_engine,
                 "a convolution with {} inputs and {} outputs", step.inputs.size(),
                 step.outputs.size());
    if (params_.epilogue.nodes.empty()) return;
    simple_ = simple_epilogue(params_.epilogue);
    if (!simple_ || !only_residual()) {
      simple_.reset();
      epilogue_.emplace(params_.epilogue, environment.isa, environment.threads.count());
    }
  }

  void reshape(const StepArgs& args) override {
    const TensorView& x = args.inputs[0];
    const TensorView& y = args.outputs[0];
    const Isa isa = environment_.isa;
    const int block = block_of(isa);
    for (const TensorView* view : {&x, &y}) {
      const Layout layout = layout_of(*view);
      TENREC_CHECK(view->dtype == DType::f32 && layout.block_axis == 1 && layout.block == block,
                   invalid_engine, "a direct convolution needs f32 in blocks of {} channels",
                   block);
    }
    problem_ = {.conv = conv_problem(params_, x.dims, y.dims)};
    const Conv& conv = problem_.conv;
    problem_.in = dense_view(conv.in_channels, conv.h.in, conv.w.in, block);
    problem_.out = dense_view(conv.out_channels, conv.h.out, conv.w.out, block);
    problem_.residual = problem_.out;
    if (const char* reason = conv_direct_unsupported(problem_, isa)) {
      fail(ErrorCode::invalid_engine, "a direct convolution: {}", reason);
    }
    const auto packed = static_cast<uint64_t>(conv_direct_packed_size(problem_, tactic_, isa));
    TENREC_CHECK(args.inputs[1].dtype == DType::f32 &&
                     static_cast<uint64_t>(args.inputs[1].elements()) == packed,
                 invalid_engine, "packed weights of {} floats, {} are needed",
                 args.inputs[1].elements(), packed);
    const std::span<const TensorView> operands = args.inputs.subspan(conv_operands);
    if (simple_) {
      problem_.activation = simple_->activation;
      problem_.low = simple_->low;
      problem_.high = simple_->high;
      problem_.has_residual = simple_->residual >= 0;
      TENREC_CHECK(operands.size() == (problem_.has_residual ? 1U : 0U), invalid_engine,
                   "a convolution has {} epilogue operands", operands.size());
      if (problem_.has_residual) {
        TENREC_CHECK(dims_of(operands[0]) == dims_of(y) && layout_of(operands[0]) == layout_of(y) &&
                         operands[0].dtype == DType::f32,
                     invalid_engine, "a residual differs from the output in shape or layout");
      }
    } else if (epilogue_) {
      epilogue_->reshape(y, operands, false);
    } else {
      TENREC_CHECK(operands.empty(), invalid_engine, "a convolution without epilogue has operands");
    }
    const size_t bytes =
        conv_direct_scratch_size(problem_, tactic_, isa, environment_.threads.count());
    if (bytes > scratch_bytes_) {
      scratch_.reset(static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)));
      TENREC_CHECK(scratch_, out_of_memory,
                   "allocating {} bytes of scratch for a convolution failed", bytes);
      scratch_bytes_ = bytes;
    }
  }

  void run(const StepArgs& args) override {
    const std::span<const TensorView> operands = args.inputs.subspan(conv_operands);
    ConvDirectBuffers buffers;
    buffers.in = args.inputs[0].as<float>();
    buffers.packed = args.inputs[1].as<float>();
    buffers.out = args.outputs[0].as<float>();
    buffers.scratch = scratch_.get();
    if (problem_.has_residual) buffers.residual = operands[0].as<float>();
    if (epilogue_) buffers.epilogue = epilogue_->bind(operands);
    conv_direct(environment_.isa)(problem_, tactic_, buffers, environment_.threads);
  }

 private:
  bool only_residual() const {
    return params_.epilogue.inputs - 1 == (simple_->residual >= 0 ? 1 : 0);
  }

  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  ConvParams params_;
  ConvDirectTactic tactic_;
  RunEnvironment& environment_;
  ConvDirect problem_;
  std::optional<SimpleEpilogue> simple_;
  std::optional<EpilogueRunner> epilogue_;
  std::unique_ptr<std::byte, Free> scratch_;
  size_t scratch_bytes_ = 0;
};

}  // namespace

std::string to_text(const ConvDirectTactic& tactic) {
  return fmt::format("vectors={} band={} chunk={} by_channel={}", tactic.vectors, tactic.band,
                     tactic.chunk, static_cast<int>(tactic.by_channel));
}

ConvDirectTactic parse_conv_direct_tactic(const std::string& text) {
  ConvDirectTactic tactic;
  int by_channel = 0;
  const int read = std::sscanf(text.c_str(), "vectors=%d band=%d chunk=%d by_channel=%d",
                               &tactic.vectors, &tactic.band, &tactic.chunk, &by_channel);
  tactic.by_channel = by_channel != 0;
  TENREC_CHECK(read == 4 && tactic.vectors >= 1 && tactic.vectors <= 3 && tactic.band >= 1 &&
                   tactic.band <= 1 << 20 && tactic.chunk >= 1 && tactic.chunk <= 1 << 20,
               invalid_engine, "'{}' is no tactic of conv_direct", text);
  return tactic;
}

Conv packing_problem(const ConvParams& params) {
  Conv conv;
  conv.groups = static_cast<int>(params.groups);
  conv.in_channels = static_cast<int>(params.in_channels);
  conv.out_channels = static_cast<int>(params.out_channels);
  Axis* const axes[] = {&conv.d, &conv.h, &conv.w};
  for (size_t i = 0; i < params.kernel.size(); ++i) {
    axes[3 - params.kernel.size() + i]->kernel = static_cast<int>(params.kernel[i]);
  }
  return conv;
}

Runner prepare_conv_direct(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<ConvDirectRunner>(step, environment);
}

}  // namespace tenrec::cpu
