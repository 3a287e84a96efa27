// SPDX-License-Identifier: Apache-2.0
// The family "attention": the operator with one output and without a cache, in f32.
#include "ops/attention.h"

#include <cmath>

#include "targets/cpu/run/attention.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

// An operand with an axis of heads, or with heads packed into the last axis.
struct Operand {
  int64_t batch, heads, length, size;
  HeadSteps steps;
};

Operand operand_of(const TensorView& view, int64_t heads) {
  const std::span<const int64_t> dims = view.dims;
  TENREC_CHECK(dims.size() == 4 || (dims.size() == 3 && heads >= 1 && dims[2] % heads == 0),
               invalid_engine, "attention of {} with {} heads", tenrec::to_string(dims), heads);
  if (dims.size() == 3) {
    const int64_t size = dims[2] / heads;
    return {dims[0], heads, dims[1], size, {dims[1] * dims[2], size, dims[2]}};
  }
  const int64_t line = dims[2] * dims[3];
  return {dims[0], dims[1], dims[2], dims[3], {dims[1] * line, line, dims[3]}};
}

int checked(int64_t value) {
  TENREC_CHECK(value >= 0 && value <= INT32_MAX, unsupported, "attention with a size of {}", value);
  return static_cast<int>(value);
}

class AttentionRunner final : public StepRunner {
 public:
  AttentionRunner(const plan::Step& step, RunEnvironment& environment)
      : op_(step_op<Attention>(step)), environment_(environment) {
    const size_t inputs = step.inputs.size();
    TENREC_CHECK((inputs == 3 || inputs == 4) && step.outputs.size() == 1 && op_.outputs == 1,
                 invalid_engine, "attention with {} inputs and {} outputs", inputs,
                 step.outputs.size());
  }

  void reshape(const StepArgs& args) override {
    for (const TensorView& view : args.inputs) {
      TENREC_CHECK(!view.data || view.dtype == DType::f32, invalid_engine, "attention of {}",
                   tenrec::name(view.dtype));
    }
    const Operand q = operand_of(args.inputs[0], op_.q_num_heads);
    const Operand k = operand_of(args.inputs[1], op_.kv_num_heads);
    const Operand v = operand_of(args.inputs[2], op_.kv_num_heads);
    const Operand y = operand_of(args.outputs[0], op_.q_num_heads);
    TENREC_CHECK(q.batch == k.batch && k.batch == v.batch && y.batch == q.batch &&
                     q.size == k.size && k.heads == v.heads && k.length == v.length &&
                     k.heads > 0 && q.heads % k.heads == 0 && y.heads == q.heads &&
                     y.length == q.length && y.size == v.size,
                 invalid_input, "attention of shapes {}, {} and {} cannot give {}",
                 tenrec::to_string(args.inputs[0].dims), tenrec::to_string(args.inputs[1].dims),
                 tenrec::to_string(args.inputs[2].dims), tenrec::to_string(args.outputs[0].dims));
    sizes_ = {};
    sizes_.batch = checked(q.batch);
    checked(q.batch * q.heads * q.length);
    sizes_.heads = checked(q.heads);
    sizes_.key_heads = checked(k.heads);
    sizes_.queries = checked(q.length);
    sizes_.keys = checked(k.length);
    sizes_.size = checked(q.size);
    sizes_.value_size = checked(v.size);
    sizes_.causal = op_.is_causal;
    sizes_.q = q.steps, sizes_.k = k.steps, sizes_.v = v.steps, sizes_.y = y.steps;
    sizes_.scale =
        op_.scale ? *op_.scale : static_cast<float>(1 / std::sqrt(static_cast<double>(q.size)));
    set_mask(args);
    workspace_ = attention_scratch_size(sizes_, environment_.isa, environment_.threads.count());
  }

  uint64_t workspace_bytes() const override { return workspace_; }

  void run(const StepArgs& args) override {
    HeadBuffers buffers;
    buffers.q = args.inputs[0].as<float>();
    buffers.k = args.inputs[1].as<float>();
    buffers.v = args.inputs[2].as<float>();
    if (sizes_.has_mask) buffers.mask = args.inputs[3].as<float>();
    buffers.y = args.outputs[0].as<float>();
    buffers.scratch = args.scratch.data();
    attention(environment_.isa)(sizes_, buffers, environment_.threads);
  }

 private:
  void set_mask(const StepArgs& args) {
    if (args.inputs.size() < 4 || !args.inputs[3].def) return;
    sizes_.has_mask = true;
    const std::span<const int64_t> dims = args.inputs[3].dims;
    const int64_t full[4] = {sizes_.batch, sizes_.heads, sizes_.queries, sizes_.keys};
    int64_t steps[4] = {};
    int64_t step = 1;
    for (size_t i = dims.size(); i-- > 0; step *= dims[i]) {
      const size_t axis = i + 4 - dims.size();
      TENREC_CHECK(dims.size() <= 4 && (dims[i] == 1 || dims[i] == full[axis]), invalid_input,
                   "a mask of {} for scores of {}", tenrec::to_string(dims),
                   tenrec::to_string(full));
      steps[axis] = dims[i] == 1 ? 0 : step;
    }
    sizes_.mask = {steps[0], steps[1], steps[2]};
    sizes_.mask_step = steps[3];
  }

  Attention op_;
  RunEnvironment& environment_;
  HeadAttention sizes_;
  uint64_t workspace_ = 0;
};

}  // namespace

Runner prepare_attention(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<AttentionRunner>(step, environment);
}

}  // namespace tenrec::cpu
