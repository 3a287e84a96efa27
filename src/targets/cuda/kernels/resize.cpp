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

std::string float_text(float value) { return literal(DType::f32, static_cast<double>(value), 0); }

struct AxisText {
  size_t axis = 0;
  // float expressions
  std::string scale, resized, roi_start = float_text(0), roi_end = float_text(1);
  bool may_stay = false;  // running tells whether it is resized at all
};

struct Plan {
  Reject reject;
  std::vector<AxisText> axes;
  bool late[4] = {};  // inputs that kernels read
};

bool given(const Value* value) {
  return value && !(value->type.ranked && value->type.shape == Shape{Dim(0)});
}

std::vector<size_t> chosen_axes(const Resize& op, int64_t rank) {
  std::vector<size_t> axes;
  for (const int64_t axis : op.axes)
    axes.push_back(static_cast<size_t>(normalise_axis(axis, rank)));
  for (int64_t i = 0; op.axes.empty() && i < rank; ++i) axes.push_back(static_cast<size_t>(i));
  return axes;
}

// `kernel` is null when only the reason why not, and which axes, are wanted.
class Planner {
 public:
  Planner(const Node& node, const Resize& op, KernelText* kernel)
      : node_(node),
        op_(op),
        kernel_(kernel),
        in_(node.input(0)->type),
        out_(node.output()->type),
        chosen_(chosen_axes(op, in_.rank())),
        crops_(op.coordinate == ResizeCoordinate::tf_crop_and_resize),
        by_sizes_(given(node.input(3))),
        keeps_aspect_(by_sizes_ && op.keep_aspect_ratio_policy != ResizeAspect::stretch) {}

  Plan run() {
    Plan plan;
    if (crops_ && given(node_.input(1))) read_region(plan);
    const std::vector<Scale>* scales = by_sizes_ ? nullptr : node_.input(2)->type.known_floats();
    plan.late[2] = !by_sizes_ && !scales;
    // Where the aspect is kept, sizes say more than the output's do.
    plan.late[3] = keeps_aspect_ && !node_.input(3)->type.known_ints();
    for (size_t i = 1; i < 4; ++i)
      if (plan.late[i] && !has_strides(node_.input(i)->type)) plan.reject = "the rank is not known";
    if (scales && scales->size() != chosen_.size()) plan.reject = "scales are of another number";
    if (!plan.reject.empty()) return plan;
    const std::string common = keeps_aspect_ && kernel_ ? common_scale() : "";
    for (size_t i = 0; i < chosen_.size(); ++i) add_axis(plan, i, scales, common);
    return plan;
  }

 private:
  std::string element(size_t input, size_t i) {
    const std::string text = fmt::format("{}[{}]", kernel_->input(input), i);
    return "(float)" + load_text(node_.input(input)->type.dtype, text);
  }
  std::string size_text(const Dim& dim) { return fmt::format("(float){}", kernel_->dim(dim)); }

  void read_region(Plan& plan) {
    const Tensor* constant = node_.input(1)->constant();
    plan.late[1] = !constant;
    if (!constant) return;
    for (const double value : constant->to_doubles()) region_.push_back(static_cast<float>(value));
  }

  // The one scale of all axes: that of the axis which shrinks or grows most.
  std::string common_scale() {
    const std::vector<Dim>* sizes = node_.input(3)->type.known_ints();
    std::string text;
    for (size_t i = 0; i < chosen_.size(); ++i) {
      const std::string scale =
          fmt::format("__fdiv_rn({}, {})", sizes ? size_text((*sizes)[i]) : element(3, i),
                      size_text(in_.shape[chosen_[i]]));
      const bool smaller = op_.keep_aspect_ratio_policy == ResizeAspect::not_larger;
      text = i == 0 ? scale : fmt::format("{}({}, {})", smaller ? "fminf" : "fmaxf", text, scale);
    }
    return text;
  }

  void add_axis(Plan& plan, size_t i, const std::vector<Scale>* scales, const std::string& common) {
    AxisText axis{.axis = chosen_[i], .scale = {}, .resized = {}};
    const Dim &from = in_.shape[axis.axis], &to = out_.shape[axis.axis];
    if (!region_.empty()) {
      axis.roi_start = float_text(region_[i]);
      axis.roi_end = float_text(region_[chosen_.size() + i]);
    } else if (plan.late[1] && kernel_) {
      axis.roi_start = element(1, i);
      axis.roi_end = element(1, chosen_.size() + i);
    }
    axis.may_stay = !crops_ && (keeps_aspect_ || plan.late[2]);
    const bool one =
        by_sizes_ ? from == to : scales && !(*scales)[i].symbol && (*scales)[i].value == 1;
    if (one && from == to && !crops_ && !keeps_aspect_) return;
    if (kernel_) {
      if (keeps_aspect_) axis.scale = common;
      else if (by_sizes_)
        axis.scale = fmt::format("__fdiv_rn({}, {})", size_text(to), size_text(from));
      else if (!scales) axis.scale = element(2, i);
      else
        axis.scale = (*scales)[i].symbol
                         ? fmt::format("__int_as_float((int){})",
                                       kernel_->dim(Dim::symbol((*scales)[i].symbol)))
                         : float_text((*scales)[i].value);
      axis.resized =
          by_sizes_ ? size_text(to) : fmt::format("__fmul_rn({}, {})", axis.scale, size_text(from));
    }
    plan.axes.push_back(std::move(axis));
  }

  const Node& node_;
  const Resize& op_;
  KernelText* kernel_;
  const Type& in_;
  const Type& out_;
  const std::vector<size_t> chosen_;
  const bool crops_, by_sizes_, keeps_aspect_;
  std::vector<float> region_;
};

Plan plan_of(const Node& node, const Resize& op, KernelText* kernel) {
  return Planner(node, op, kernel).run();
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

bool sums_wide(DType dtype) { return dtype == DType::f64 || !is_float(dtype); }

bool repeats(const Resize& op, const Type& in) {
  return op.mode != ResizeMode::nearest && !op.antialias && !sums_wide(in.dtype) &&
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
    body = kernel_.flat_index(count);
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
    step_.launch_flat(kernel_, count);
  }

 private:
  std::string coordinate(const AxisText& axis) {
    const std::string length = kernel_.dim(in_.shape[axis.axis]);
    std::string text = fmt::format(
        "  const float s{0} = {1};\n"
        "  const float u{0} = {8}coordinate_{2}(x{0}, {3}, {4}, s{0}, {5}, {6}, {7});\n",
        axis.axis, axis.scale, coordinate_name(op_.coordinate), length,
        kernel_.dim(out_.shape[axis.axis]), axis.resized, axis.roi_start, axis.roi_end,
        axis.may_stay ? fmt::format("s{0} == 1 && {1} == {2} ? (float)x{0} : ", axis.axis, length,
                                    kernel_.dim(out_.shape[axis.axis]))
                      : "");
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
    const std::string sum_type = sums_wide(in_.dtype) ? "double" : "float";
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
    if (!is_float(in_.dtype)) return text + whole_sum(plan, read);
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

  // Integers are cut off: the sum is made axis by axis and rounded step by step, as the
  // interpreter's, so that both fall on the same side.
  std::string whole_sum(const Plan& plan, const std::string& read) {
    std::string text;
    for (size_t i = plan.axes.size(); i-- > 0;)
      text += fmt::format(
          "  double sum{0} = 0;\n  for (int a{0} = 0; a{0} < f{0}.count(); ++a{0}) {{\n"
          "  const idx p{0} = f{0}.place(a{0});\n",
          plan.axes[i].axis);
    std::string inner = "(double)" + load_text(in_.dtype, read);
    for (const AxisText& axis : plan.axes) {
      text +=
          fmt::format("  sum{0} = __dadd_rn(sum{0}, __dmul_rn(f{0}.weight(a{0}), {1}));\n  }}\n",
                      axis.axis, inner);
      inner = fmt::format("sum{}", axis.axis);
    }
    return text + store(fmt::format("to_integer<{}>({})", compute_type(in_.dtype), inner));
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
    if (!is_supported(in.dtype) || (op->mode != ResizeMode::nearest && in.dtype == DType::boolean))
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
    for (size_t i = 1; i < draft.inputs.size(); ++i)
      if (!plan.late[i]) draft.inputs[i] = {};
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
