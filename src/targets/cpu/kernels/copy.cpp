// SPDX-License-Identifier: Apache-2.0
// Operators that move elements: "copy" (places follow from shapes) and "gather" (from index
// tensors).
#include <algorithm>
#include <array>

#include "ops/concat.h"
#include "ops/fused.h"
#include "ops/scatter.h"
#include "ops/transpose.h"
#include "targets/cpu/kernels/list.h"

namespace tenrec::cpu {
namespace {

constexpr std::array moving{"transpose", "concat", "split",          "slice",
                            "expand",    "tile",   "depth_to_space", "space_to_depth",
                            "reformat",  "pad",    "trilu",          "constant_of_shape"};
constexpr std::array gathering{"gather", "gather_elements", "gather_nd", "scatter_elements",
                               "scatter_nd"};

template <class Names>
bool has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Reject check_tensors(const Node& node) {
  const auto check = [](const Value* value) -> Reject {
    if (!value) return "";
    const Type& type = value->type;
    if (type.kind != Type::Kind::tensor || !type.ranked) return "not a tensor of known rank";
    return bit_width(type.dtype) < 8 ? fmt::format("{} elements", name(type.dtype)) : "";
  };
  for (const Value* value : node.inputs()) {
    if (Reject reject = check(value); !reject.empty()) return reject;
  }
  for (const Value* value : node.outputs()) {
    if (Reject reject = check(value); !reject.empty()) return reject;
  }
  return "";
}

bool all_plain(const Node& node) {
  for (const Value* value : node.inputs()) {
    if (value && !value->type.layout.is_plain()) return false;
  }
  for (const Value* value : node.outputs()) {
    if (!value->type.layout.is_plain()) return false;
  }
  return true;
}

Reject check_concat_layouts(const Node& node) {
  for (const Value* input : node.inputs()) {
    if (!(input->type.layout == node.output()->type.layout)) return "layouts differ";
  }
  return "";
}

// Forwards, channels one by one.
Reject check_blocked_slice(const Node& node, size_t axis) {
  if (!node.input(4)) return "";
  const auto steps = node.input(4)->type.constant_ints();
  const bool cuts = !(node.input(0)->type.shape[axis] == node.output()->type.shape[axis]);
  const int64_t most = cuts ? 1 : INT64_MAX;
  const auto fits = [&](int64_t step) { return step >= 1 && step <= most; };
  return steps && std::all_of(steps->begin(), steps->end(), fits) ? "" : "steps through blocks";
}

// What leaves the block axis alone moves lanes together.
Reject check_blocked_pad(const Node& node, size_t axis) {
  if (!(node.input(0)->type.shape[axis] == node.output()->type.shape[axis]))
    return "cuts channel blocks";
  return node.input(2) ? "pads a blocked tensor with a value" : "";
}

Reject check_layouts(const Node& node) {
  if (all_plain(node)) return "";
  const Layout& in = node.input(0)->type.layout;
  const Layout& out = node.output()->type.layout;
  if (node.as<Reformat>()) {
    return in.block_axis >= 0 && out.block_axis >= 0 && !(in == out) ? "between two blocked layouts"
                                                                     : "";
  }
  if (node.as<Concat>()) return check_concat_layouts(node);
  if (node.as<Transpose>()) return out.is_plain() ? "" : "a result in a blocked layout";
  const std::string_view name = node.op().name();
  if (!(in == out) || in.channels_last) return "layouts differ";
  if (name == "split") return "";
  if (name == "slice") return check_blocked_slice(node, static_cast<size_t>(in.block_axis));
  if (name == "pad") return check_blocked_pad(node, static_cast<size_t>(in.block_axis));
  return "a blocked layout";
}

class Copy : public Kernel {
 public:
  std::string_view name() const override { return "copy"; }
  Reject check(const Node& node, const DeviceInfo&) const override {
    const bool view = node.op().info().is_view;
    if (!view && !has(moving, node.op().name())) return "does more than move elements";
    if (Reject reject = check_tensors(node); !reject.empty()) return reject;
    if (view) return all_plain(node) ? "" : "a view of another layout";
    if (node.op().name() == "trilu" && node.input(1) && node.input(1)->type.dtype != DType::i64)
      return "k is not i64";
    return check_layouts(node);
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    return draft_of(node, name(), tactic);
  }
};

class Gather : public Kernel {
 public:
  std::string_view name() const override { return "gather"; }
  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!has(gathering, node.op().name())) return "no gather or scatter";
    if (Reject reject = check_tensors(node); !reject.empty()) return reject;
    if (!all_plain(node)) return "a blocked layout";
    const DType index = node.input(1)->type.dtype;
    if (index != DType::i32 && index != DType::i64) return "indices are not i32 or i64";
    const auto* elements = node.as<ScatterElements>();
    const auto* blocks = node.as<ScatterND>();
    if ((elements && elements->reduction != "none") || (blocks && blocks->reduction != "none"))
      return "combines updates";
    return "";
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    if (node.as<ScatterElements>() || node.as<ScatterND>()) draft.in_place = 0;
    return draft;
  }
};

}  // namespace

const Kernel& copy_kernel() {
  static const Copy kernel;
  return kernel;
}

const Kernel& gather_kernel() {
  static const Gather kernel;
  return kernel;
}

}  // namespace tenrec::cpu
