// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear and DequantizeLinear that are no pointwise work: scales that running tells, scales
// by block, elements of less than a byte and fp8.
#include "ops/quantize.h"

#include "targets/common/pointwise_program.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/packed_text.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

enum Input : size_t { numbers, scale, zero };

// How elements find their parameters.
struct Blocks {
  int64_t axis = 1;
  int64_t size = 0;
  bool saturate = true;
};

Blocks blocks_of(const Node& node) {
  if (const auto* op = node.as<QuantizeLinear>()) return {op->axis, op->block_size, op->saturate};
  const auto* op = node.as<DequantizeLinear>();
  return {op->axis, op->block_size, true};
}

bool is_small_float(DType dtype) { return is_float(dtype) && bit_width(dtype) <= 8; }

class Writer {
 public:
  Writer(const Node& node, StepWriter& step)
      : node_(node),
        step_(step),
        kernel_(step, std::string(node.op().name())),
        x_(node.input(numbers)->type),
        to_(node.output()->type.dtype),
        blocks_(blocks_of(node)),
        variables_(element_variables(x_.shape.size())) {
    kernel_.reach_all();
    single_ = parameters_are_single();
  }

  void write() {
    const bool quantizes = node_.as<QuantizeLinear>() != nullptr;
    std::string text = single_ ? "" : element_index(kernel_, x_, "i", variables_);
    const std::string at = single_ ? "0" : parameter_place();
    text += fmt::format("    const auto x = {};\n    const auto s = {};\n", read(numbers, "i"),
                        read(scale, at));
    const bool has_zero = node_.input(zero) != nullptr;
    if (has_zero) text += fmt::format("    const auto z = {};\n", read(zero, at));
    text += quantizes ? quantized(has_zero) : real(has_zero);
    launch_by_eights(step_, kernel_, memory_elements(node_.output()->type), to_, text,
                     element_text(DType::f32, to_, "y", blocks_.saturate));
  }

 private:
  bool parameters_are_single() const {
    const Shape& shape = node_.input(scale)->type.shape;
    return blocks_.size == 0 && (shape.empty() || shape[0] == Dim(1));
  }

  // Of both parameters, which have one shape.
  std::string parameter_place() {
    const auto axis = static_cast<size_t>(normalise_axis(blocks_.axis, x_.rank()));
    const Type& type = node_.input(scale)->type;
    if (blocks_.size == 0) {
      // One parameter may serve an axis of unknown length.
      const Dim stride = type.shape[0].lower() >= 2 || type.shape[0] == x_.shape[axis]
                             ? Dim(1)
                             : min(type.shape[0] - Dim(1), Dim(1));
      return kernel_.offset({{stride}, Dim(0)}, {variables_[axis]});
    }
    std::vector<std::string> place = variables_;
    place[axis] = fmt::format("({} / {})", variables_[axis], blocks_.size);
    return kernel_.offset({memory_strides(type), Dim(0)}, place);
  }

  std::string read(size_t i, const std::string& at) {
    return read_element(node_.input(i)->type.dtype, kernel_.input(i), at);
  }

  // The quotient rounds to float32; fp8 rounds once more, after the zero point.
  std::string quantized(bool has_zero) const {
    if (is_small_float(to_))
      return fmt::format("    const float y = (float)((double)x / (double)s{});\n",
                         has_zero ? " + (double)z" : "");
    const int bits = bit_width(to_) - (is_signed(to_) ? 1 : 0);
    const int high = (1 << bits) - 1, low = is_signed(to_) ? -high - 1 : 0;
    return fmt::format(
        "    const float y = fn_min<float>(fn_max<float>(rintf((float)x / (float)s){}, {}.0f), "
        "{}.0f);\n",
        has_zero ? " + (float)z" : "", low, high);
  }

  // Numbers of 32 bits are exact in double only.
  std::string real(bool has_zero) const {
    const bool wide = bit_width(x_.dtype) > 16 || to_ == DType::f64;
    return fmt::format("    const {0} y = (({0})x{1}) * ({0})s;\n", wide ? "double" : "float",
                       has_zero ? fmt::format(" - ({})z", wide ? "double" : "float") : "");
  }

  const Node& node_;
  StepWriter& step_;
  KernelText kernel_;
  const Type& x_;
  const DType to_;
  const Blocks blocks_;
  std::vector<std::string> variables_;
  bool single_ = false;
};

class Quantize final : public Kernel {
 public:
  std::string_view name() const override { return "quantize"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<QuantizeLinear>() && !node.as<DequantizeLinear>()) return "quantises nothing";
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Value* input = node.input(i);
      if (!input) continue;
      if (!has_strides(input->type)) return "the rank is not known, or a blocked layout";
      if (i > 0 && !input->type.layout.is_plain()) return "parameters in another layout";
      if (!is_packable(input->type.dtype))
        return fmt::format("{} elements", tenrec::name(input->type.dtype));
    }
    const Type &in = node.input(0)->type, &out = node.output()->type;
    if (!has_strides(out) || !(in.layout == out.layout)) return "another layout";
    if (!is_packable(out.dtype)) return fmt::format("{} elements", tenrec::name(out.dtype));
    if (bit_width(out.dtype) > 16 && !is_float(out.dtype)) return "quantises to 32 bits";
    const PointwiseProgram program = pointwise_program(node);
    if (program.reject.empty() && unsupported(program.program).empty()) return "pointwise work";
    return "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepWriter step(draft_of(node, name(), tactic));
    Writer(node, step).write();
    return step.finish();
  }
};

}  // namespace

const Kernel& quantize_kernel() {
  static const Quantize kernel;
  return kernel;
}

}  // namespace tenrec::cuda
