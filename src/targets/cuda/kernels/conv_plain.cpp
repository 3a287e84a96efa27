// SPDX-License-Identifier: Apache-2.0
// Any convolution, one thread an output element, or a few that share its sum where there are too
// few elements to fill the device: what runs where nothing faster does (odd groups, three spatial
// axes, run-time weights, small tensors); and ConvInteger.
#include <algorithm>

#include "ops/conv.h"
#include "ops/conv_integer.h"
#include "ops/conv_transpose.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/epilogue_text.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

Reject check_anchor(const Anchored& conv) {
  if (!conv.reject.empty()) return conv.reject;
  for (size_t i = 0; i < conv.inputs.size(); ++i) {
    const Type& type = conv.types[i];
    if (!type.present()) continue;
    if (!has_strides(type)) return "the rank is not known, or a blocked layout";
    if (!is_supported(type.dtype) || is_float(type.dtype) != is_float(conv.result.dtype))
      return fmt::format("{} elements", name(type.dtype));
  }
  return has_strides(conv.output->type) ? "" : "a blocked layout";
}

bool is_present(const Anchored& conv, size_t i) {
  return conv.inputs.size() > i && conv.types[i].present();
}

bool has_bias(const Anchored& conv) { return is_float(conv.result.dtype) && is_present(conv, 2); }

std::optional<Conv> forward_of(const Op& op) {
  if (const auto* conv = op.as<Conv>()) return *conv;
  if (const auto* conv = op.as<ConvInteger>()) return conv->conv();
  return std::nullopt;
}

Shape spatial(const Shape& shape) { return {shape.begin() + 2, shape.end()}; }

// Loops over the window's elements; inside them k0, k1, ... stand for the place in the window.
std::string open_loops(KernelText& kernel, const Shape& sizes) {
  std::string text;
  for (size_t i = 0; i < sizes.size(); ++i)
    text += fmt::format("  for (idx k{0} = 0; k{0} < {1}; ++k{0}) {{\n", i, kernel.dim(sizes[i]));
  return text;
}

std::vector<std::string> weight_variables(std::string first, std::string second, size_t rank) {
  std::vector<std::string> variables{std::move(first), std::move(second)};
  for (size_t i = 2; i < rank; ++i) variables.push_back(fmt::format("k{}", i - 2));
  return variables;
}

// Everything but where the window reads.
class Writer {
 public:
  Writer(const Anchored& conv, int lanes, StepWriter& step, const std::string& entry)
      : conv_(conv),
        lanes_(lanes),
        step_(step),
        kernel_(step, entry),
        x_(conv.types[0]),
        w_(conv.types[1]) {
    kernel_.reach_all();
    kernel_.functions = epilogue_function(conv);
    variables_ = element_variables(conv.output->type.shape.size());
    read_.assign({"n", "ic"});
  }

  void forward(const Conv& op) {
    const auto axes = window_dims(op.window(), x_.shape, conv_.result.shape, spatial(w_.shape));
    const Dim group_out = floordiv(w_.shape[0], Dim(op.group));
    begin();
    const Dim group_in = w_.shape[1];
    kernel_.body += fmt::format(
        "  const idx first = {};\n",
        op.group == 1 ? "0"
                      : fmt::format("c / {} * {}", kernel_.dim(group_out), kernel_.dim(group_in)));
    if (lanes_ > 1) kernel_.body += open_shared_loop(group_in);
    else kernel_.body += open_loops(kernel_, spatial(w_.shape));
    for (size_t i = 0; i < axes.size(); ++i) {
      kernel_.body += fmt::format("  const idx p{0} = x{0} * {1} + k{0} * {2} - {3};\n", i,
                                  axes[i].stride, axes[i].dilation, kernel_.dim(axes[i].pad_begin));
      kernel_.body +=
          fmt::format("  if (p{0} < 0 || p{0} >= {1}) continue;\n", i, kernel_.dim(axes[i].in));
      read_.push_back(fmt::format("p{}", i));
    }
    if (lanes_ == 1)
      kernel_.body += fmt::format("  for (idx j = 0; j < {}; ++j) {{\n", kernel_.dim(group_in));
    kernel_.body += "  const idx ic = first + j;\n";
    finish(weight_variables("c", "j", w_.shape.size()), lanes_ > 1 ? 0 : axes.size());
  }

  // One filter a channel: a thread computes neighbouring channels. Weights lie [window, channel].
  void depthwise(const Conv& op, int64_t width) {
    const auto axes = window_dims(op.window(), x_.shape, conv_.result.shape, spatial(w_.shape));
    Type grid = conv_.output->type;
    grid.shape[1] = floordiv(grid.shape[1], Dim(width));
    std::vector<std::string> parts = variables_;
    parts[1] = "part";
    const bool biased = has_bias(conv_);
    std::string& body = kernel_.body;
    body = kernel_.flat_index(memory_elements(grid));
    body += element_index(kernel_, grid, "i", parts);
    body += fmt::format(
        "  const idx first = part * {0};\n  float sum[{0}];\n"
        "  for (int v = 0; v < {0}; ++v) sum[v] = {1};\n",
        width, biased ? load_text(conv_.types[2].dtype, kernel_.input(2) + "[first + v]") : "0");
    std::string tap = "0";
    for (size_t i = 0; i < axes.size(); ++i) {
      body += fmt::format(
          "#pragma unroll\n  for (int k{0} = 0; k{0} < {1}; ++k{0}) {{\n"
          "  const idx p{0} = x{0} * {2} + k{0} * {3} - {4};\n"
          "  if (p{0} < 0 || p{0} >= {5}) continue;\n",
          i, kernel_.dim(axes[i].kernel), axes[i].stride, axes[i].dilation,
          kernel_.dim(axes[i].pad_begin), kernel_.dim(axes[i].in));
      read_.push_back(fmt::format("p{}", i));
      tap = fmt::format("({} * {} + k{})", tap, kernel_.dim(axes[i].kernel), i);
    }
    read_[1] = "first";
    body += fmt::format(
        "  const Pack<{0}, {2}> a = *(const Pack<{0}, {2}>*)({3} + {4});\n"
        "  const Pack<{1}, {2}> b = *(const Pack<{1}, {2}>*)({5} + {6} * {7} + first);\n"
        "  for (int v = 0; v < {2}; ++v) sum[v] += {8} * {9};\n",
        storage_type(x_.dtype), storage_type(w_.dtype), width, kernel_.input(0),
        kernel_.offset({memory_strides(x_), Dim(0)}, read_), kernel_.input(1), tap,
        kernel_.dim(x_.shape[1]), load_text(x_.dtype, "a.at[v]"), load_text(w_.dtype, "b.at[v]"));
    for (size_t i = 0; i < axes.size(); ++i) body += "  }\n";
    const std::string out = storage_type(conv_.output->type.dtype);
    body += fmt::format(
        "  Pack<{0}, {1}> packed;\n#pragma unroll\n  for (int v = 0; v < {1}; ++v) {{\n"
        "  const idx c = first + v;\n{2}  }}\n",
        out, width, store_result(kernel_, conv_, "sum[v]", variables_, "  ", "packed.at[v]"));
    parts[1] = "first";
    body +=
        fmt::format("  *(Pack<{0}, {1}>*)({2} + {3}) = packed;\n", out, width, kernel_.output(0),
                    kernel_.offset({memory_strides(conv_.output->type), Dim(0)}, parts));
    step_.launch_flat(kernel_, memory_elements(grid));
  }

  void transposed(const ConvTranspose& op) {
    const Dim group_out = w_.shape[1];
    const Dim group_in = floordiv(w_.shape[0], Dim(op.group));
    const std::vector<Dim> begins = pads(op);
    begin();
    kernel_.body += fmt::format("  const idx oc = c % {0}, first = c / {0} * {1};\n",
                                kernel_.dim(group_out), kernel_.dim(group_in));
    kernel_.body += open_loops(kernel_, spatial(w_.shape));
    for (size_t i = 0; i + 2 < x_.shape.size(); ++i) {
      const int64_t stride = op.strides.empty() ? 1 : op.strides[i];
      const int64_t dilation = op.dilations.empty() ? 1 : op.dilations[i];
      kernel_.body +=
          fmt::format("  const idx t{0} = x{0} + {1} - k{0} * {2}, p{0} = t{0} / {3};\n", i,
                      kernel_.dim(begins[i]), dilation, stride);
      kernel_.body +=
          fmt::format("  if (t{0} < 0 || p{0} * {1} != t{0} || p{0} >= {2}) continue;\n", i, stride,
                      kernel_.dim(x_.shape[i + 2]));
      read_.push_back(fmt::format("p{}", i));
    }
    kernel_.body += fmt::format("  for (idx j = 0; j < {}; ++j) {{\n  const idx ic = first + j;\n",
                                kernel_.dim(group_in));
    finish(weight_variables("ic", "oc", w_.shape.size()), x_.shape.size() - 2);
  }

 private:
  // Padding at the front, for sizes that follow from pads, output_shape or auto_pad.
  std::vector<Dim> pads(const ConvTranspose& op) const {
    std::vector<Dim> begins;
    const size_t rank = x_.shape.size() - 2;
    for (size_t i = 0; i < rank; ++i) {
      if (op.output_shape.empty() && op.auto_pad == AutoPad::notset) {
        begins.emplace_back(op.pads.empty() ? 0 : op.pads[i]);
        continue;
      }
      const int64_t stride = op.strides.empty() ? 1 : op.strides[i];
      const int64_t dilation = op.dilations.empty() ? 1 : op.dilations[i];
      const int64_t extra = op.output_padding.empty() ? 0 : op.output_padding[i];
      const Dim total = max((x_.shape[i + 2] - 1) * stride + extra +
                                (w_.shape[i + 2] - 1) * dilation + 1 - conv_.result.shape[i + 2],
                            Dim(0));
      const Dim half = floordiv(total, Dim(2));
      begins.push_back(op.auto_pad == AutoPad::same_upper ? half : total - half);
    }
    return begins;
  }

  // Channels and window as one loop, in the order of the input's memory, dealt to the lanes.
  std::string open_shared_loop(const Dim& group_in) {
    Shape sizes = spatial(w_.shape);
    std::vector<std::string> variables = numbered("k", sizes.size());
    const bool last = x_.layout.channels_last;
    sizes.insert(last ? sizes.end() : sizes.begin(), group_in);
    variables.insert(last ? variables.end() : variables.begin(), "j");
    return fmt::format("  for (idx q = lane; q < {}; q += {}) {{\n{}", kernel_.dim(product(sizes)),
                       lanes_, kernel_.unflatten("q", sizes, variables));
  }

  void begin() {
    kernel_.body = fmt::format(
        "  const idx i = (idx)blockIdx.x * {0} + threadIdx.x / {1};\n  if (i >= {2}) return;\n",
        block_threads / lanes_, lanes_, kernel_.dim(count()));
    if (lanes_ > 1) kernel_.body += fmt::format("  const int lane = threadIdx.x % {};\n", lanes_);
    kernel_.body += element_index(kernel_, conv_.output->type, "i", variables_);
    const std::string type = accumulator_type(conv_.result.dtype);
    const bool biased = has_bias(conv_);
    std::string start = biased ? load_text(conv_.types[2].dtype, kernel_.input(2) + "[c]") : "0";
    if (lanes_ > 1) start = fmt::format("lane == 0 ? {} : 0", start);
    kernel_.body += fmt::format("  {} sum = {};\n", type, start);
  }

  void finish(const std::vector<std::string>& weight, size_t loops) {
    const std::string x = fmt::format("{}[{}]", kernel_.input(0),
                                      kernel_.offset({memory_strides(x_), Dim(0)}, read_));
    const std::string w = fmt::format("{}[{}]", kernel_.input(1),
                                      kernel_.offset({memory_strides(w_), Dim(0)}, weight));
    kernel_.body += fmt::format("  sum += {} * {};\n  }}\n", number(0, x), number(1, w));
    for (size_t i = 0; i < loops; ++i) kernel_.body += "  }\n";
    if (lanes_ > 1) {
      kernel_.body += fmt::format(
          "  const unsigned group = (unsigned)((1ULL << {0}) - 1) << threadIdx.x % 32 / {0} * "
          "{0};\n"
          "  for (int by = {0} / 2; by > 0; by /= 2) sum += __shfl_xor_sync(group, sum, by);\n"
          "  if (lane != 0) return;\n",
          lanes_);
    }
    kernel_.body += store_result(kernel_, conv_, "sum", variables_, "  ");
    step_.launch(kernel_, ceildiv(count(), Dim(block_threads / lanes_)), block_threads);
  }

  // An element of x or w, without the zero point of an integer.
  std::string number(size_t i, const std::string& element) {
    const DType dtype = conv_.types[i].dtype;
    if (is_float(dtype)) return load_text(dtype, element);
    if (!is_present(conv_, i + 2)) return "(int)" + element;
    const bool single = i == 0 || product(conv_.types[3].shape) == Dim(1);
    return fmt::format("((int){} - (int){}[{}])", element, kernel_.input(i + 2),
                       single ? "0" : "c");
  }

  Dim count() const { return memory_elements(conv_.output->type); }

  const Anchored& conv_;
  const int lanes_;
  StepWriter& step_;
  KernelText kernel_;
  const Type& x_;
  const Type& w_;
  std::vector<std::string> variables_, read_;
};

Anchored read(const Node& node) {
  Anchored conv = anchored(node, "conv", anchor_rules(false));
  if (conv.reject.empty()) return conv;
  AnchorRules integers = anchor_rules(false);
  integers.dtypes = {DType::i32};
  for (Anchored other : {anchored(node, "conv_transpose", anchor_rules(false)),
                         anchored(node, "conv_integer", integers)})
    if (other.reject.empty()) return other;
  return conv;
}

// Channels that a thread of the depthwise form computes; 0: the convolution is none.
int64_t depthwise_width(const Anchored& conv) {
  const auto* op = conv.op.as<Conv>();
  const Type &x = conv.types[0], &w = conv.types[1], &out = conv.output->type;
  if (!op || !conv.constant(1) || x.rank() != 4 || x.dtype == DType::f64 ||
      !x.layout.channels_last || !out.layout.channels_last)
    return 0;
  if (!(w.shape[1] == Dim(1)) || !(w.shape[0] == Dim(op->group)) || !(x.shape[1] == w.shape[0]))
    return 0;
  int64_t width = 128 / std::max(bit_width(x.dtype), bit_width(out.dtype));
  while (width > 1 && op->group % width != 0) width /= 2;
  return width > 1 ? width : 0;
}

// [channel, 1, window] as [window, channel].
Tensor by_tap(const Tensor& weights) {
  const Dims dims = weights.dims();
  const auto channels = static_cast<size_t>(dims[0]), taps = static_cast<size_t>(dims[2] * dims[3]);
  const std::vector<double> from = weights.to_doubles();
  std::vector<double> to(from.size());
  for (size_t c = 0; c < channels; ++c)
    for (size_t k = 0; k < taps; ++k) to[k * channels + c] = from[c * taps + k];
  return Tensor::from_doubles(weights.dtype(), {dims[2], dims[3], dims[0]}, to);
}

class ConvPlain : public Kernel {
 public:
  std::string_view name() const override { return "conv_plain"; }
  Reject check(const Node& node, const DeviceInfo&) const override {
    return check_anchor(read(node));
  }
  // More threads an element where elements alone would leave most of the device idle.
  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    if (has_special_kernel(node, device, opt)) return {};
    const Anchored conv = read(node);
    const Type& weights = conv.types[1];
    if (depthwise_width(conv) > 0) return {"channels", ""};
    if (!forward_of(conv.op) || !weights.is_static()) return {""};
    const Dims dims = static_dims(weights.shape);
    const uint64_t sum = element_count(Dims(dims.begin() + 1, dims.end()));
    const uint64_t results = element_count(opt.outputs.at(0));
    if (sum < 64 || results > 1 << 16) return {""};
    return {"lanes=32", "lanes=8", ""};
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const Anchored conv = read(node);
    const int lanes = tactic == "lanes=32" ? 32 : tactic == "lanes=8" ? 8 : 1;
    StepDraft draft = anchored_step(node, conv, name(), tactic);
    const bool by_channels = tactic == "channels" && depthwise_width(conv) > 0;
    if (by_channels) draft.inputs[1] = {nullptr, by_tap(*conv.constant(1))};
    StepWriter step(std::move(draft));
    Writer writer(conv, lanes, step, std::string(conv.op.name()));
    const std::optional<Conv> forward = forward_of(conv.op);
    if (by_channels) writer.depthwise(*forward, depthwise_width(conv));
    else if (forward) writer.forward(*forward);
    else writer.transposed(*conv.op.as<ConvTranspose>());
    return step.finish();
  }
};

}  // namespace

const Kernel& conv_plain_kernel() {
  static const ConvPlain kernel;
  return kernel;
}

}  // namespace tenrec::cuda
