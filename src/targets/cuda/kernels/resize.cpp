// SPDX-License-Identifier: Apache-2.0
// Resize of every mode: a thread works out the few input elements that an output element is made of
// along each resized axis (device/resize.cuh). That costs more than the sum itself, so a weighted
// sum is repeated for what shares the place: neighbouring channels, or a number of planes.
#include "ops/resize.h"

#include <algorithm>

#include "base/error.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

struct AxisText {
  size_t axis = 0;
  std::string scale, resized;  // float expressions
  float roi_start = 0, roi_end = 1;
};

struct Plan {
  Reject reject;
  std::vector<AxisText> axes;
};

bool given(const Value* value) {
  return value && !(value->type.ranked && value->type.shape == Shape{Dim(0)});
}

std::string float_text(float value) { return literal(DType::f32, static_cast<double>(value), 0); }

std::vector<size_t> chosen_axes(const Resize& op, int64_t rank) {
  std::vector<size_t> axes;
  for (const int64_t axis : op.axes)
    axes.push_back(static_cast<size_t>(normalise_axis(axis, rank)));
  for (int64_t i = 0; op.axes.empty() && i < rank; ++i) axes.push_back(static_cast<size_t>(i));
  return axes;
}

// `kernel` is null when only the reason why not is wanted.
Plan plan_of(const Node& node, const Resize& op, KernelText* kernel) {
  Plan plan;
  const auto no = [&](Reject reject) {
    plan.reject = std::move(reject);
    return plan;
  };
  const Type& in = node.input(0)->type;
  const Type& out = node.output()->type;
  const std::vector<size_t> chosen = chosen_axes(op, in.rank());
  std::vector<float> roi;
  const bool crops = op.coordinate == ResizeCoordinate::tf_crop_and_resize;
  if (crops && given(node.input(1))) {
    const Tensor* constant = node.input(1)->constant();
    if (!constant) return no("the region is known only when running");
    for (const double value : constant->to_doubles()) roi.push_back(static_cast<float>(value));
  }
  const bool by_sizes = given(node.input(3));
  const std::vector<Scale>* scales = nullptr;
  if (!by_sizes) {
    scales = node.input(2)->type.known_floats();
    if (!scales || scales->size() != chosen.size()) return no("scales are known only when running");
  } else if (op.keep_aspect_ratio_policy != ResizeAspect::stretch) {
    return no("keeps the aspect ratio");
  }
  for (size_t i = 0; i < chosen.size(); ++i) {
    AxisText axis{.axis = chosen[i], .scale = {}, .resized = {}};
    const Dim& from = in.shape[axis.axis];
    const Dim& to = out.shape[axis.axis];
    if (!roi.empty()) {
      axis.roi_start = roi[i];
      axis.roi_end = roi[chosen.size() + i];
    }
    const bool one = by_sizes ? from == to : !(*scales)[i].symbol && (*scales)[i].value == 1;
    if (one && from == to && !crops) continue;
    if (kernel) {
      const std::string from_text = fmt::format("(float){}", kernel->dim(from));
      const std::string to_text = fmt::format("(float){}", kernel->dim(to));
      if (by_sizes) {
        axis.scale = fmt::format("__fdiv_rn({}, {})", to_text, from_text);
        axis.resized = to_text;
      } else {
        const Scale& scale = (*scales)[i];
        axis.scale = scale.symbol ? fmt::format("__int_as_float((int){})",
                                                kernel->dim(Dim::symbol(scale.symbol)))
                                  : float_text(scale.value);
        axis.resized = fmt::format("__fmul_rn({}, {})", axis.scale, from_text);
      }
    }
    plan.axes.push_back(std::move(axis));
  }
  return plan;
}

std::string coordinate_name(ResizeCoordinate coordinate) {
  switch (coordinate) {
    case ResizeCoordinate::half_pixel: return "half_pixel";
    case ResizeCoordinate::pytorch_half_pixel: return "pytorch_half_pixel";
    case ResizeCoordinate::align_corners: return "align_corners";
    case ResizeCoordinate::asymmetric: return "asymmetric";
    case ResizeCoordinate::tf_crop_and_resize: return "crop";
    case ResizeCoordinate::half_pixel_symmetric: return "half_pixel_symmetric";
    case ResizeCoordinate::tf_half_pixel_for_nn: return "tf_half_pixel_for_nn";
  }
  return "half_pixel";
}

std::string nearest_name(ResizeNearest nearest) {
  switch (nearest) {
    case ResizeNearest::round_prefer_floor: return "round_prefer_floor";
    case ResizeNearest::round_prefer_ceil: return "round_prefer_ceil";
    case ResizeNearest::floor: return "floor";
    case ResizeNearest::ceil: return "ceil";
    case ResizeNearest::legacy: return "legacy";
  }
  return "floor";
}

// What one thread computes: `lanes` neighbours in memory, or `planes` steps along an axis, neither
// of which is resized.
struct Share {
  size_t axis = 0;
  int64_t lanes = 1, planes = 1;
};

bool repeats(const Resize& op, const Type& in) {
  return op.mode != ResizeMode::nearest && !op.antialias && in.dtype != DType::f64 &&
         op.coordinate != ResizeCoordinate::tf_crop_and_resize;
}

// Neighbours that a 16-byte load brings, where the innermost axis is not resized; 1 else.
int64_t lanes_of(const Node& node, const Resize& op, const Plan& plan) {
  const Type& in = node.input(0)->type;
  const size_t inner = memory_order(in).back();
  const auto is_inner = [&](const AxisText& axis) { return axis.axis == inner; };
  if (!repeats(op, in) || std::any_of(plan.axes.begin(), plan.axes.end(), is_inner)) return 1;
  int64_t lanes = 128 / bit_width(in.dtype);
  while (lanes > 1 && !is_multiple(in.shape[inner], lanes)) lanes /= 2;
  return lanes;
}

// The innermost axis that is not resized, where the innermost of all is; the rank else.
size_t plane_axis(const Node& node, const Resize& op, const Plan& plan) {
  const Type& in = node.input(0)->type;
  const std::vector<size_t> order = memory_order(in);
  if (!repeats(op, in) || plan.axes.empty()) return order.size();
  for (size_t i = order.size(); i-- > 0;) {
    const auto is_it = [&](const AxisText& axis) { return axis.axis == order[i]; };
    if (std::none_of(plan.axes.begin(), plan.axes.end(), is_it))
      return i + 1 == order.size() || in.shape[order[i]] == Dim(1) ? order.size() : order[i];
  }
  return order.size();
}

class Writer {
 public:
  Writer(const Node& node, const Resize& op, Share share, StepWriter& step)
      : node_(node),
        op_(op),
        share_(share),
        step_(step),
        kernel_(step, "resize"),
        in_(node.input(0)->type),
        out_(node.output()->type) {
    kernel_.reach_all();
    kernel_.functions = "#include \"resize.cuh\"\n";
  }

  void write() {
    const Plan plan = plan_of(node_, op_, &kernel_);
    Type grid = out_;
    const Dim along = grid.shape[share_.axis];
    const Dim part = share_.lanes * share_.planes;
    grid.shape[share_.axis] = ceildiv(along, part);
    const Dim count = product(grid.shape);
    std::vector<std::string> from = numbered("x", out_.shape.size()), places = from;
    std::string& body = kernel_.body;
    body =
        fmt::format("  const idx i = (idx)blockIdx.x * {} + threadIdx.x;\n  if (i >= {}) return;\n",
                    block_threads, kernel_.dim(count));
    if (!(part == Dim(1))) places[share_.axis] = "part";
    body += element_index(kernel_, grid, "i", places);
    if (share_.lanes > 1)
      body += fmt::format("  const idx x{} = part * {};\n", share_.axis, share_.lanes);
    if (op_.coordinate == ResizeCoordinate::tf_crop_and_resize) body += "  bool outside = false;\n";
    for (const AxisText& axis : plan.axes) {
      body += coordinate(axis);
      from[axis.axis] = fmt::format("p{}", axis.axis);
    }
    const std::string read = fmt::format("{}[{}]", kernel_.input(0),
                                         kernel_.offset({memory_strides(in_), Dim(0)}, from));
    body += op_.mode == ResizeMode::nearest ? nearest(plan, read) : weighted(plan, read);
    step_.launch(kernel_, ceildiv(count, Dim(block_threads)), block_threads);
  }

 private:
  std::string coordinate(const AxisText& axis) {
    const std::string length = kernel_.dim(in_.shape[axis.axis]);
    std::string text = fmt::format(
        "  const float s{0} = {1};\n"
        "  const float u{0} = coordinate_{2}(x{0}, {3}, {4}, s{0}, {5}, {6}, {7});\n",
        axis.axis, axis.scale, coordinate_name(op_.coordinate), length,
        kernel_.dim(out_.shape[axis.axis]), axis.resized, float_text(axis.roi_start),
        float_text(axis.roi_end));
    if (op_.coordinate == ResizeCoordinate::tf_crop_and_resize)
      text += fmt::format("  outside |= u{0} < 0 || u{0} > (float)({1} - 1);\n", axis.axis, length);
    return text;
  }

  std::string store(const std::string& value) {
    std::string result = store_text(out_.dtype, value);
    if (op_.coordinate == ResizeCoordinate::tf_crop_and_resize) {
      const DType dtype = out_.dtype;
      const auto extra = static_cast<double>(op_.extrapolation_value);
      result = fmt::format("outside ? {} : {}",
                           store_text(dtype, literal(dtype, extra, static_cast<int64_t>(extra))),
                           result);
    }
    return fmt::format("  {}[{}] = {};\n", kernel_.output(0), place(), result);
  }

  std::string place() {
    return kernel_.offset({memory_strides(out_), Dim(0)}, numbered("x", out_.shape.size()));
  }

  std::string nearest(const Plan& plan, const std::string& read) {
    std::string text;
    for (const AxisText& axis : plan.axes)
      text += fmt::format("  const idx p{0} = clamp_place(nearest_{1}(u{0}, s{0} < 1), {2});\n",
                          axis.axis, nearest_name(op_.nearest), kernel_.dim(in_.shape[axis.axis]));
    return text + store(load_text(in_.dtype, read));
  }

  std::string weighted(const Plan& plan, const std::string& read) {
    const bool cubic = op_.mode == ResizeMode::cubic;
    const std::string sum_type = in_.dtype == DType::f64 ? "double" : "float";
    std::string text, weight = "1";
    for (const AxisText& axis : plan.axes) {
      const std::string length = kernel_.dim(in_.shape[axis.axis]);
      text += fmt::format("  const Filter<{0}, {1}, {2}, {6}> f{3}({4}, s{3}, {5}, {7});\n",
                          cubic ? "true" : "false", op_.antialias ? "true" : "false",
                          op_.exclude_outside ? "true" : "false", axis.axis,
                          !cubic && !op_.antialias
                              ? fmt::format("clamp_coordinate(u{}, {})", axis.axis, length)
                              : fmt::format("u{}", axis.axis),
                          length, sum_type, float_text(op_.cubic_coeff_a));
    }
    const bool wide = share_.lanes > 1;
    if (share_.planes > 1) {
      text += fmt::format(
          "  const idx stop{0} = (part + 1) * {1} < {2} ? (part + 1) * {1} : {2};\n"
          "#pragma unroll 4\n  for (idx x{0} = part * {1}; x{0} < stop{0}; ++x{0}) {{\n",
          share_.axis, share_.planes, kernel_.dim(out_.shape[share_.axis]));
    }
    text += wide ? fmt::format("  float sum[{}] = {{}};\n", share_.lanes)
                 : fmt::format("  {} sum = 0;\n", sum_type);
    for (const AxisText& axis : plan.axes) {
      text += fmt::format(
          "#pragma unroll\n  for (int a{0} = 0; a{0} < f{0}.count(); ++a{0}) {{\n"
          "  const {1} w{0} = f{0}.weight(a{0});\n  const idx p{0} = f{0}.place(a{0});\n",
          axis.axis, sum_type);
      weight += fmt::format(" * w{}", axis.axis);
    }
    if (wide) {
      text += fmt::format(
          "  const Pack<{0}, {1}> pack = *(const Pack<{0}, {1}>*)&{2};\n"
          "  for (int v = 0; v < {1}; ++v) sum[v] += ({3}) * {4};\n",
          storage_type(in_.dtype), share_.lanes, read, weight, load_text(in_.dtype, "pack.at[v]"));
    } else {
      text += fmt::format("  sum += ({}) * {};\n", weight, load_text(in_.dtype, read));
    }
    for (size_t i = 0; i < plan.axes.size(); ++i) text += "  }\n";
    if (wide) {
      return text + fmt::format(
                        "  Pack<{0}, {1}> result;\n"
                        "  for (int v = 0; v < {1}; ++v) result.at[v] = {2};\n"
                        "  *(Pack<{0}, {1}>*)&{3}[{4}] = result;\n",
                        storage_type(out_.dtype), share_.lanes, store_text(out_.dtype, "sum[v]"),
                        kernel_.output(0), place());
    }
    if (share_.planes > 1) return text + store("sum") + "  }\n";
    return text + store("sum");
  }

  const Node& node_;
  const Resize& op_;
  const Share share_;
  StepWriter& step_;
  KernelText kernel_;
  const Type& in_;
  const Type& out_;
};

class ResizeKernel : public Kernel {
 public:
  std::string_view name() const override { return "resize"; }
  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* op = node.as<Resize>();
    if (!op) return "no resize";
    const Type& in = node.input(0)->type;
    if (!has_strides(in) || !has_strides(node.output()->type))
      return "the rank is not known, or a blocked layout";
    if (!is_supported(in.dtype) || (op->mode != ResizeMode::nearest && !is_float(in.dtype)))
      return fmt::format("weighted {} elements", tenrec::name(in.dtype));
    return plan_of(node, *op, nullptr).reject;
  }
  std::vector<std::string> tactics(const Node& node, const DeviceInfo&,
                                   const Sizes&) const override {
    const Plan plan = plan_of(node, *node.as<Resize>(), nullptr);
    if (plane_axis(node, *node.as<Resize>(), plan) == node.output()->type.shape.size()) return {""};
    return {"planes=4", "planes=1", "planes=16"};
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const auto& op = *node.as<Resize>();
    const Plan plan = plan_of(node, op, nullptr);
    const size_t axis = plane_axis(node, op, plan);
    Share share;
    if (axis < node.output()->type.shape.size()) {
      share = {axis, 1, 0};
      for (const int planes : {1, 4, 16})
        if (tactic == fmt::format("planes={}", planes)) share.planes = planes;
      TENREC_CHECK(share.planes > 0, invalid_engine, "unknown tactic '{}' of a resize", tactic);
    } else if (!node.output()->type.shape.empty()) {
      share = {memory_order(node.input(0)->type).back(), lanes_of(node, op, plan), 1};
    }
    StepDraft draft = draft_of(node, name(), tactic);
    draft.inputs.resize(1);
    StepWriter step(std::move(draft));
    Writer(node, op, share, step).write();
    return step.finish();
  }
};

}  // namespace

const Kernel& resize_kernel() {
  static const ResizeKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
