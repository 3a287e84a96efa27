// SPDX-License-Identifier: Apache-2.0
// RoiAlign, MaxRoiPool, GridSample and AffineGrid: a thread an element of the output.
#include "ops/grid_sample.h"
#include "ops/roi.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

std::string_view text(bool value) { return value ? "true" : "false"; }

std::string_view text(SampleMode mode) {
  return mode == SampleMode::nearest ? "nearest" : mode == SampleMode::linear ? "linear" : "cubic";
}

std::string_view text(SamplePadding padding) {
  return padding == SamplePadding::zeros    ? "zeros"
         : padding == SamplePadding::border ? "border"
                                            : "reflection";
}

class Writer {
 public:
  Writer(const Node& node, StepWriter& step)
      : step_(step),
        kernel_(step, std::string(node.op().name())),
        x_(node.input(0)->type),
        other_(node.input(1)->type),
        y_(node.output()->type),
        out_(element_variables(y_.shape.size())) {
    kernel_.reach_all();
    kernel_.functions = "#include \"sample.cuh\"\n";
    kernel_.body = kernel_.flat_index(memory_elements(y_));
    kernel_.body += element_index(kernel_, y_, "i", out_);
  }

  void align(const RoiAlign& op) {
    const std::string type = compute_type(x_.dtype);
    const std::string batch = kernel_.input(2), regions = kernel_.input(1);
    kernel_.body += fmt::format("  const long long b = {}[{}];\n", batch, out_[0]);
    kernel_.body += fmt::format("  {} result = nan32();\n  if (b >= 0 && b < {}) {{\n", type,
                                kernel_.dim(x_.shape[0]));
    kernel_.body += "  const idx image = (idx)b;\n";
    kernel_.body += load_function({"image", out_[1], "h", "w"});
    std::string corners;
    for (int k = 0; k < 4; ++k)
      corners += fmt::format(
          "{}, ", load_text(other_.dtype, fmt::format("{}[{} * 4 + {}]", regions, out_[0], k)));
    kernel_.body += fmt::format(
        "  result = roi_cell<{}, {}, {}, {}, {}, {}>({}{}, {}, {}, {}, {}, load);\n  }}\n",
        text(op.half_pixel), text(op.maximum), op.output_height, op.output_width, op.sampling_ratio,
        type, corners, literal(DType::f64, static_cast<double>(op.spatial_scale), 0), out_[2],
        out_[3], kernel_.dim(x_.shape[2]), kernel_.dim(x_.shape[3]));
    finish("result");
  }

  void pool(const MaxRoiPool& op) {
    const auto corner = [&](int k) {
      return load_text(other_.dtype, fmt::format("{}[{} * 5 + {}]", kernel_.input(1), out_[0], k));
    };
    kernel_.body += fmt::format(
        "  const long long b = (long long){};\n  {} result = nan32();\n"
        "  if (b >= 0 && b < {}) {{\n  const idx image = (idx)b;\n",
        corner(0), compute_type(x_.dtype), kernel_.dim(x_.shape[0]));
    kernel_.body += load_function({"image", out_[1], "h", "w"});
    const auto pixels = [&](int from, int to, size_t axis) {
      return fmt::format("roi_pixels({}, {}, {}, {}, {}, {})", corner(from), corner(to),
                         literal(DType::f64, static_cast<double>(op.spatial_scale), 0), out_[axis],
                         op.pooled_shape[axis - 2], kernel_.dim(x_.shape[axis]));
    };
    kernel_.body += fmt::format("  result = roi_max<{}>({}, {}, load);\n  }}\n",
                                compute_type(x_.dtype), pixels(2, 4, 2), pixels(1, 3, 3));
    finish("result");
  }

  // Coordinates run last spatial axis first.
  void grid(const AffineGrid& op) {
    const size_t axes = y_.shape.size() - 2;
    const auto theta = [&](size_t column) {
      return fmt::format(
          "(double){}",
          load_text(x_.dtype, fmt::format("{}[({} * {} + {}) * {} + {}]", kernel_.input(0), out_[0],
                                          axes, out_.back(), axes + 1, column)));
    };
    kernel_.body += fmt::format("  double sum = {};\n", theta(axes));
    for (size_t i = 0; i < axes; ++i)
      kernel_.body +=
          fmt::format("  sum += {} * grid_coordinate<{}>({}, {});\n", theta(i),
                      text(op.align_corners), out_[axes - i], kernel_.dim(y_.shape[axes - i]));
    finish(fmt::format("({})sum", compute_type(y_.dtype)));
  }

  void sample(const GridSample& op) {
    const size_t axes = x_.shape.size() - 2;
    const std::string type = compute_type(x_.dtype), grid = kernel_.input(1);
    std::vector<std::string> point{out_[0]};
    point.insert(point.end(), out_.begin() + 2, out_.end());
    point.emplace_back("0");
    kernel_.body += fmt::format("  const idx at = {};\n",
                                kernel_.offset({memory_strides(other_), Dim(0)}, point));
    std::vector<std::string> read{out_[0], out_[1]};
    for (size_t a = 0; a < axes; ++a) {
      kernel_.body +=
          fmt::format("  const Taps<Mode::{}, Padding::{}, {}> taps{}({}, {});\n", text(op.mode),
                      text(op.padding), text(op.align_corners), a,
                      load_text(other_.dtype, fmt::format("{}[at + {}]", grid, axes - 1 - a)),
                      kernel_.dim(x_.shape[a + 2]));
      read.push_back(fmt::format("taps{0}.index[k{0}]", a));
    }
    kernel_.body += "  double sum = 0;\n";
    std::string weight = "1.0";
    for (size_t a = 0; a < axes; ++a) {
      kernel_.body += fmt::format(
          "  for (int k{0} = 0; k{0} < taps{0}.count; ++k{0}) {{\n"
          "  if (taps{0}.index[k{0}] < 0) continue;\n"
          "  const double w{0} = {1} * taps{0}.weight[k{0}];\n",
          a, weight);
      weight = fmt::format("w{}", a);
    }
    kernel_.body += fmt::format(
        "  if ({0} != 0) sum += {0} * (double){1};\n", weight,
        load_text(x_.dtype, fmt::format("{}[{}]", kernel_.input(0),
                                        kernel_.offset({memory_strides(x_), Dim(0)}, read))));
    for (size_t a = 0; a < axes; ++a) kernel_.body += "  }\n";
    finish(fmt::format("({})sum", type));
  }

 private:
  // `load(h, w)`: an element of the input.
  std::string load_function(const std::vector<std::string>& at) {
    return fmt::format(
        "  const auto load = [&](idx h, idx w) -> {} {{ return {}; }};\n", compute_type(x_.dtype),
        load_text(x_.dtype, fmt::format("{}[{}]", kernel_.input(0),
                                        kernel_.offset({memory_strides(x_), Dim(0)}, at))));
  }

  void finish(const std::string& value) {
    kernel_.body += fmt::format("  {}[{}] = {};\n", kernel_.output(0),
                                kernel_.offset({memory_strides(y_), Dim(0)}, out_),
                                store_text(y_.dtype, value));
    step_.launch_flat(kernel_, memory_elements(y_));
  }

  StepWriter& step_;
  KernelText kernel_;
  const Type& x_;
  const Type& other_;  // regions or grid
  const Type& y_;
  std::vector<std::string> out_;
};

class Sampler : public Kernel {
 public:
  std::string_view name() const override { return "sample"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<RoiAlign>() && !node.as<MaxRoiPool>() && !node.as<GridSample>() &&
        !node.as<AffineGrid>())
      return "reads no image between its pixels";
    for (const Value* value : {node.input(0), node.input(1), node.output()})
      if (!has_strides(value->type)) return "the rank is not known, or a blocked layout";
    if (!node.input(1)->type.layout.is_plain()) return "regions or points in another layout";
    if (node.as<RoiAlign>() && node.input(2)->type.dtype != DType::i64)
      return "batch indices are not int64";
    const DType dtype = node.input(0)->type.dtype;
    return is_float(dtype) && is_supported(dtype) ? ""
                                                  : fmt::format("{} elements", tenrec::name(dtype));
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    if (node.as<AffineGrid>()) draft.inputs.resize(1);  // the image's sizes are the output's
    StepWriter step(std::move(draft));
    Writer writer(node, step);
    if (const auto* op = node.as<RoiAlign>()) writer.align(*op);
    if (const auto* op = node.as<MaxRoiPool>()) writer.pool(*op);
    if (const auto* op = node.as<GridSample>()) writer.sample(*op);
    if (const auto* op = node.as<AffineGrid>()) writer.grid(*op);
    return step.finish();
  }
};

}  // namespace

const Kernel& sample_kernel() {
  static const Sampler kernel;
  return kernel;
}

}  // namespace tenrec::cuda
