// SPDX-License-Identifier: Apache-2.0
#include "ops/window.h"

#include <algorithm>

namespace tenrec {

void Window::check(size_t spatial_rank) const {
  const auto check_list = [&](const std::vector<int64_t>& list, size_t expected, const char* what,
                              int64_t least) {
    if (list.empty()) return;
    TENREC_CHECK(list.size() == expected, invalid_model,
                 "{} has {} entries, expected {} for {} spatial axes", what, list.size(), expected,
                 spatial_rank);
    for (const int64_t entry : list) {
      TENREC_CHECK(entry >= least && entry <= INT32_MAX, invalid_model,
                   "{} holds {}, expected a number of at least {}", what, entry, least);
    }
  };
  check_list(strides, spatial_rank, "strides", 1);
  check_list(dilations, spatial_rank, "dilations", 1);
  check_list(pads, 2 * spatial_rank, "pads", 0);
}

Dim Window::output(size_t axis, const Dim& in, const Dim& kernel) const {
  const Dim step = stride(axis);
  if (auto_pad == AutoPad::same_upper || auto_pad == AutoPad::same_lower) return ceildiv(in, step);
  const size_t rank = pads.size() / 2;
  const Dim begin = pads.empty() ? 0 : pads[axis];
  const Dim end = pads.empty() ? 0 : pads[rank + axis];
  const Dim extent = (kernel - 1) * dilation(axis) + 1;
  const Dim slack = in + begin + end - extent;
  // A window that is less than a stride too long fits nowhere: ONNX's formula gives 0 places.
  const Dim room = slack + step;
  TENREC_CHECK(
      !room.is_const() || room.value() >= 0 || in == Dim(0), invalid_model,
      "spatial axis {}: a window of {} does not fit into {} elements with padding {} and {}", axis,
      extent.str(), in.str(), begin.str(), end.str());
  if (!ceil_mode) return floordiv(slack, step) + 1;
  const Dim rounded_up = ceildiv(slack, step) + 1;
  // A window may not start behind the input and its front padding.
  if (provably_ge(extent - end, step)) return rounded_up;
  return min(rounded_up, ceildiv(in + begin, step));
}

std::pair<int64_t, int64_t> axis_padding(AutoPad auto_pad, int64_t in, int64_t kernel,
                                         int64_t stride, int64_t dilation,
                                         std::pair<int64_t, int64_t> given) {
  if (auto_pad == AutoPad::notset || auto_pad == AutoPad::valid) return given;
  const int64_t out = (in + stride - 1) / stride;
  const int64_t extent = (kernel - 1) * dilation + 1;
  const int64_t total = std::max<int64_t>((out - 1) * stride + extent - in, 0);
  const int64_t half = total / 2;
  return auto_pad == AutoPad::same_upper ? std::pair{half, total - half}
                                         : std::pair{total - half, half};
}

std::pair<int64_t, int64_t> Window::padding(size_t axis, int64_t in, int64_t kernel) const {
  const auto given = pads.empty() ? std::pair<int64_t, int64_t>{0, 0}
                                  : std::pair{pads[axis], pads[pads.size() / 2 + axis]};
  return axis_padding(auto_pad, in, kernel, stride(axis), dilation(axis), given);
}

WindowAxis resolve(const Window& window, size_t axis, int64_t in, int64_t kernel) {
  const auto [begin, end] = window.padding(axis, in, kernel);
  return {.in = in,
          .out = std::max<int64_t>(window.output(axis, in, kernel).value(), 0),
          .kernel = kernel,
          .stride = window.stride(axis),
          .dilation = window.dilation(axis),
          .pad_begin = begin,
          .pad_end = end};
}

std::vector<WindowAxis> resolve(const Window& window, const Dims& in, const Dims& kernel) {
  std::vector<WindowAxis> axes;
  for (size_t i = 0; i < in.size(); ++i) axes.push_back(resolve(window, i, in[i], kernel[i]));
  return axes;
}

AutoPad parse_auto_pad(std::string_view text) {
  if (text == "NOTSET" || text.empty()) return AutoPad::notset;
  if (text == "SAME_UPPER") return AutoPad::same_upper;
  if (text == "SAME_LOWER") return AutoPad::same_lower;
  if (text == "VALID") return AutoPad::valid;
  fail(ErrorCode::invalid_model,
       "auto_pad is \"{}\", expected NOTSET, SAME_UPPER, SAME_LOWER or VALID", text);
}

void check_kernel_shape(const OnnxNode& node, const Value* weight) {
  const std::vector<int64_t> kernel = node.integers("kernel_shape");
  if (kernel.empty() || !weight || !weight->type.ranked) return;
  const Shape& shape = weight->type.shape;
  TENREC_CHECK(kernel.size() + 2 == shape.size(), invalid_model,
               "kernel_shape has {} entries, the weight {} has {} kernel axes", kernel.size(),
               weight->type.str(), static_cast<int64_t>(shape.size()) - 2);
  for (size_t i = 0; i < kernel.size(); ++i) {
    check_same_size(kernel[i], shape[i + 2], "kernel_shape and weight");
  }
}

std::optional<size_t> spatial_rank_of(const Value* value) {
  if (!value || value->type.kind != Type::Kind::tensor || !value->type.ranked) return std::nullopt;
  if (value->type.shape.size() < 3) return std::nullopt;
  return value->type.shape.size() - 2;
}

}  // namespace tenrec
