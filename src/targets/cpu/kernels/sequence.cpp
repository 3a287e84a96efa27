// SPDX-License-Identifier: Apache-2.0
// Recurrent networks, orders along an axis, aligned regions and the best of many boxes.
#include "base/wire.h"
#include "ops/arg_reduce.h"
#include "ops/cum_sum.h"
#include "ops/non_max_suppression.h"
#include "ops/recurrent.h"
#include "ops/roi.h"
#include "ops/topk.h"
#include "targets/cpu/kernels/list.h"
#include "targets/cpu/run/recurrent_plan.h"

namespace tenrec::cpu {
namespace {

Reject plain_tensors(const Node& node) {
  for (const Value* value : node.inputs()) {
    if (!value) continue;
    if (value->type.kind != Type::Kind::tensor || !value->type.ranked)
      return "the rank is not known";
    if (!value->type.layout.is_plain()) return "a blocked layout";
  }
  for (const Value* value : node.outputs()) {
    if (!value->type.ranked) return "the rank is not known";
    if (!value->type.layout.is_plain()) return "a blocked layout";
  }
  return "";
}

class RecurrentKernel : public Kernel {
 public:
  std::string_view name() const override { return "recurrent"; }
  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* lstm = node.as<LSTM>();
    const auto* gru = node.as<GRU>();
    const auto* rnn = node.as<RNN>();
    if (!lstm && !gru && !rnn) return "no recurrent network";
    if (Reject reject = plain_tensors(node); !reject.empty()) return reject;
    const int64_t layout = lstm ? lstm->layout : gru ? gru->layout : rnn->layout;
    if (layout != 0) return "batch-first layout";
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Value* value = node.input(i);
      if (!value) continue;
      if (value->type.dtype != (i == 4 ? DType::i32 : DType::f32))
        return fmt::format("{} input", tenrec::name(value->type.dtype));
    }
    return "";
  }
  StepDraft compile(const Node& node, const std::string& tactic,
                    const DeviceInfo& device) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    RecurrentParams params;
    params.packed = all_constant(node);
    params.no_peepholes = !node.input(7);
    if (params.packed) {
      const RecurrentShape shape = shape_of(node, device);
      params.features = shape.features;
      params.hidden = shape.hidden;
      params.directions = shape.directions;
      const auto data = [&](size_t i) -> const float* {
        return node.input(i) ? node.input(i)->constant()->as<float>().data() : nullptr;
      };
      Tensor packed(DType::f32, {shape.directions * shape.floats()});
      pack_recurrent(shape, data(1), data(2), data(3), data(7), packed.as_mutable<float>().data());
      for (const size_t i : {2, 3, 7}) {
        if (i < draft.inputs.size()) draft.inputs[i] = {};
      }
      draft.inputs[1] = {nullptr, std::move(packed)};
    }
    draft.params = encode(params);
    return draft;
  }

 private:
  static bool all_constant(const Node& node) {
    const auto known = [&](size_t i) { return !node.input(i) || node.input(i)->constant(); };
    return node.input(1)->constant() && node.input(2)->constant() && known(3) && known(7);
  }

  static RecurrentShape shape_of(const Node& node, const DeviceInfo& device) {
    const Dims& w = node.input(1)->constant()->dims();
    const auto* gru = node.as<GRU>();
    RecurrentShape shape;
    shape.gates = node.as<LSTM>() ? 4 : gru ? 3 : 1;
    shape.directions = w[0];
    shape.features = w[2];
    shape.hidden = node.input(2)->constant()->dims()[2];
    shape.split = gru && !gru->linear_before_reset;
    shape.reset_after = gru && gru->linear_before_reset;
    shape.block = device.channel_block;
    return shape;
  }
};

class OrderKernel : public Kernel {
 public:
  std::string_view name() const override { return "order"; }
  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<ArgReduce>() && !node.as<TopK>() && !node.as<CumSum>())
      return "no order along an axis";
    if (Reject reject = plain_tensors(node); !reject.empty()) return reject;
    const Type& in = node.input(0)->type;
    if (in.rank() == 0) return "a scalar";
    const bool known = in.dtype == DType::f32 || in.dtype == DType::f64 || in.dtype == DType::i32 ||
                       in.dtype == DType::i64;
    return known ? "" : fmt::format("{} elements", tenrec::name(in.dtype));
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    return draft_of(node, name(), tactic);
  }
};

class RoiAlignKernel : public Kernel {
 public:
  std::string_view name() const override { return "roi_align"; }
  Reject check(const Node& node, const DeviceInfo& device) const override {
    if (!node.as<RoiAlign>()) return "no RoiAlign";
    for (const Value* value : {node.input(0), node.input(1), node.input(2), node.output()}) {
      if (!value->type.ranked) return "the rank is not known";
      const Layout& layout = value->type.layout;
      const bool in_blocks = value == node.input(0) && layout.block_axis == 1 &&
                             layout.block == device.channel_block && !layout.channels_last;
      if (!layout.is_plain() && !in_blocks) return "a layout other than the input's channel blocks";
    }
    if (node.input(0)->type.dtype != DType::f32 || node.input(1)->type.dtype != DType::f32)
      return "not f32";
    const DType batch = node.input(2)->type.dtype;
    return batch == DType::i64 || batch == DType::i32 ? "" : "batch indices are not i32 or i64";
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    return draft_of(node, name(), tactic);
  }
};

class SuppressKernel : public Kernel {
 public:
  std::string_view name() const override { return "suppress"; }
  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<NonMaxSuppression>()) return "no NonMaxSuppression";
    return plain_tensors(node);
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    return draft_of(node, name(), tactic);
  }
};

}  // namespace

const Kernel& recurrent_kernel() {
  static const RecurrentKernel kernel;
  return kernel;
}

const Kernel& order_kernel() {
  static const OrderKernel kernel;
  return kernel;
}

const Kernel& roi_align_kernel() {
  static const RoiAlignKernel kernel;
  return kernel;
}

const Kernel& suppress_kernel() {
  static const SuppressKernel kernel;
  return kernel;
}

}  // namespace tenrec::cpu
