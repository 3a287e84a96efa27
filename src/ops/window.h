// SPDX-License-Identifier: Apache-2.0
// Sliding windows: what convolutions and pools share. Sizes stay symbolic in infer; SAME padding
// depends on them, so `auto_pad` stays an attribute and is resolved when sizes are numbers.
#pragma once
#include <utility>
#include <vector>

#include "ops/onnx_context.h"
#include "ops/support.h"

namespace tenrec {

// Numbers are permanent (engine files hold them). VALID is turned into zero pads by the importer.
enum class AutoPad : uint8_t { notset = 0, same_upper = 1, same_lower = 2, valid = 3 };

// Padding before and behind of one axis, for actual sizes; `given` where auto_pad does not decide.
std::pair<int64_t, int64_t> axis_padding(AutoPad auto_pad, int64_t in, int64_t kernel,
                                         int64_t stride, int64_t dilation,
                                         std::pair<int64_t, int64_t> given);

struct Window {
  AutoPad auto_pad = AutoPad::notset;
  std::vector<int64_t> strides;    // empty: all 1
  std::vector<int64_t> dilations;  // empty: all 1
  std::vector<int64_t> pads;       // begins, then ends; empty: all 0
  bool ceil_mode = false;

  int64_t stride(size_t axis) const { return strides.empty() ? 1 : strides[axis]; }
  int64_t dilation(size_t axis) const { return dilations.empty() ? 1 : dilations[axis]; }
  void check(size_t spatial_rank) const;  // lengths and signs
  // Output size of one spatial axis.
  Dim output(size_t axis, const Dim& in, const Dim& kernel) const;
  // Padding before and behind, for actual sizes.
  std::pair<int64_t, int64_t> padding(size_t axis, int64_t in, int64_t kernel) const;
};

// One spatial axis with every size known.
struct WindowAxis {
  int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0;
};

WindowAxis resolve(const Window& window, size_t axis, int64_t in, int64_t kernel);
std::vector<WindowAxis> resolve(const Window& window, const Dims& in, const Dims& kernel);

AutoPad parse_auto_pad(std::string_view text);

// Reads auto_pad, strides, dilations and pads into the fields of the same names. With a known rank
// the lists come out full, so that equal operators are written equally.
template <class T>
void read_window(const OnnxNode& node, T& op, std::optional<size_t> spatial_rank) {
  op.auto_pad = parse_auto_pad(node.text("auto_pad", "NOTSET"));
  op.strides = node.integers("strides");
  if constexpr (requires { op.dilations; }) op.dilations = node.integers("dilations");
  op.pads = node.integers("pads");
  if (op.auto_pad != AutoPad::notset) op.pads.clear();
  if (op.auto_pad == AutoPad::valid) op.auto_pad = AutoPad::notset;
  if (!spatial_rank) return;
  if (op.strides.empty()) op.strides.assign(*spatial_rank, 1);
  if constexpr (requires { op.dilations; }) {
    if (op.dilations.empty()) op.dilations.assign(*spatial_rank, 1);
  }
  if (op.pads.empty() && op.auto_pad == AutoPad::notset) op.pads.assign(2 * *spatial_rank, 0);
}

// The attribute kernel_shape, where given, has to repeat what the weight [.., .., kernel...] says.
void check_kernel_shape(const OnnxNode& node, const Value* weight);

// Axes behind batch and channel of an input, if its rank is known.
std::optional<size_t> spatial_rank_of(const Value* value);

}  // namespace tenrec
