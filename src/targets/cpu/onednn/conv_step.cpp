// SPDX-License-Identifier: Apache-2.0
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/onednn/call.h"
#include "targets/cpu/onednn/convolution.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

class OnednnConvRunner final : public StepRunner {
 public:
  OnednnConvRunner(const plan::Step& step, RunEnvironment& environment)
      : params_(decode_conv_params(step.params)), environment_(environment) {
    TENREC_CHECK(step.inputs.size() >= conv_operands && step.outputs.size() == 1 &&
                     params_.kernel.size() == 2 && !params_.transposed &&
                     weights_tag(params_.weights_format) != dnnl::memory::format_tag::undef,
                 invalid_engine, "a oneDNN convolution with {} inputs and weight format '{}'",
                 step.inputs.size(), params_.weights_format);
  }

  void reshape(const StepArgs& args) override {
    const TensorView& x = args.inputs[0];
    const TensorView& y = args.outputs[0];
    const bool has_bias = args.inputs[2].data != nullptr;
    const auto made =
        onednn_convolution(params_, x.dims, y.dims, block_of_view(x), block_of_view(y), has_bias);
    TENREC_CHECK(made, unsupported, "oneDNN has no convolution for shapes [{}] -> [{}]",
                 fmt::join(x.dims, ", "), fmt::join(y.dims, ", "));
    const auto& description = made->description;
    TENREC_CHECK(
        args.inputs[1].dtype == DType::f32 && (!has_bias || args.inputs[2].dtype == DType::f32),
        invalid_engine, "packed weights of {}", tenrec::name(args.inputs[1].dtype));
    TENREC_CHECK(description.weights_desc().get_size() ==
                         static_cast<size_t>(args.inputs[1].elements()) * 4 &&
                     (!has_bias || args.inputs[2].elements() == params_.out_channels),
                 invalid_engine, "packed weights of {} floats, oneDNN needs {} bytes",
                 args.inputs[1].elements(), description.weights_desc().get_size());
    const std::span<const TensorView> operands = args.inputs.subspan(conv_operands);
    epilogue_.reset();
    const auto wanted = params_.epilogue.nodes.empty() ? 0 : params_.epilogue.inputs - 1;
    TENREC_CHECK(operands.size() == static_cast<size_t>(wanted), invalid_engine,
                 "a convolution has {} epilogue operands, {} are needed", operands.size(), wanted);
    if (made->fused) {
      for (const TensorView& operand : operands) {
        TENREC_CHECK(operand.dtype == DType::f32 && dims_of(operand) == dims_of(y) &&
                         layout_of(operand) == layout_of(y),
                     invalid_engine, "a residual differs from the output in shape or layout");
      }
    } else if (!params_.epilogue.nodes.empty()) {
      epilogue_.emplace(params_.epilogue, environment_.isa, environment_.threads.count());
      epilogue_->reshape(y, operands, false);
    }
    fused_ = made->fused;
    make_parts(args, has_bias, fused_ && !operands.empty());
  }

  uint64_t workspace_bytes() const override { return call_.workspace_bytes(environment_.threads); }

  void run(const StepArgs& args) override {
    const std::span<const TensorView> operands = args.inputs.subspan(conv_operands);
    call_.run(args, environment_.threads, [&](OnednnPart& part) {
      if (args.inputs[2].data) part.set(DNNL_ARG_BIAS, args.inputs[2].as<float>() + part.channels);
      if (fused_ && !operands.empty())
        part.set(residual_argument, operands[0].as<float>() + part.target);
    });
    if (epilogue_) epilogue_->apply(args.outputs[0], operands, environment_.threads);
  }

 private:
  static constexpr int residual_argument = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;

  // In every format used here output channels (or groups) come first in the weights and next to
  // the image in the output: a part of them is one piece of memory. Many even parts, each of
  // several blocks, which a register tile of oneDNN covers together. Threads do not matter, so
  // results do not depend on them.
  int64_t channel_parts(int64_t x_block, int64_t y_block) const {
    const bool grouped = params_.groups > 1;
    const int64_t size = grouped ? params_.groups : params_.out_channels;
    const int64_t block = std::max({grouped ? x_block : 0, y_block, int64_t{8}});
    for (const int64_t blocks : {4, 2, 1}) {
      for (const int64_t parts : {8, 6, 4, 2}) {
        if (size % (parts * blocks * block) == 0) return parts;
      }
    }
    return size % (3 * block) == 0 ? 3 : 1;
  }

  void make_parts(const StepArgs& args, bool has_bias, bool has_residual) {
    const TensorView &x = args.inputs[0], &y = args.outputs[0];
    const int64_t x_block = block_of_view(x), y_block = block_of_view(y);
    const int64_t parts = channel_parts(x_block, y_block), images = y.dims[0];
    ConvParams part = params_;
    part.out_channels /= parts;
    std::vector<int64_t> x_dims(x.dims.begin(), x.dims.end()), y_dims(y.dims.begin(), y.dims.end());
    x_dims[0] = y_dims[0] = 1;
    y_dims[1] = part.out_channels;
    const int64_t x_parts = params_.groups > 1 ? parts : 1;
    if (params_.groups > 1) part.groups /= parts;
    x_dims[1] = part.in_channels = params_.in_channels / x_parts;
    const auto made = onednn_convolution(part, x_dims, y_dims, x_block, y_block, has_bias);
    TENREC_CHECK(made, unsupported, "oneDNN has no convolution for shapes [{}] -> [{}]",
                 fmt::join(x_dims, ", "), fmt::join(y_dims, ", "));
    const auto& description = made->description;
    const auto floats = [](const dnnl::memory::desc& desc) {
      return static_cast<int64_t>(desc.get_size() / sizeof(float));
    };
    call_.clear();
    for (int64_t i = 0; i < images * parts; ++i) {
      const OneThread one_thread;
      auto piece = OnednnPart::make<dnnl::convolution_forward>(description);
      const int64_t index = i % parts, image = i / parts;
      piece.source = (image * x_parts + (x_parts > 1 ? index : 0)) * floats(description.src_desc());
      piece.weights = index * floats(description.weights_desc());
      piece.channels = index * part.out_channels;
      piece.target = i * floats(description.dst_desc());
      if (has_bias) piece.add(DNNL_ARG_BIAS, description.bias_desc());
      if (has_residual) piece.add(residual_argument, description.dst_desc());
      call_.add(std::move(piece));
    }
  }

  static int64_t block_of_view(const TensorView& view) {
    const Layout layout = layout_of(view);
    TENREC_CHECK(view.dtype == DType::f32 && !layout.channels_last &&
                     (layout.block_axis < 0 ||
                      (layout.block_axis == 1 && (layout.block == 8 || layout.block == 16))),
                 invalid_engine, "a oneDNN convolution on an unknown layout");
    return layout.block_axis < 0 ? 0 : layout.block;
  }

  ConvParams params_;
  RunEnvironment& environment_;
  OnednnCall call_;
  std::optional<EpilogueRunner> epilogue_;
  bool fused_ = false;
};

}  // namespace

Runner prepare_onednn_conv(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<OnednnConvRunner>(step, environment);
}

}  // namespace tenrec::cpu
