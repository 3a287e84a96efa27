// SPDX-License-Identifier: Apache-2.0
// Steps of family "attention_mma": device/attention_mma.cuh.
#include "base/error.h"
#include "base/wire.h"
#include "targets/cuda/run/attention_params.h"
#include "targets/cuda/run/gemm_launch.h"
#include "targets/cuda/run/runners.h"

namespace tenrec::cuda {
namespace {

struct AttentionProblem {  // as in device/attention_mma.cuh
  const void* q;
  const void* k;
  const void* v;
  void* out;
  const void* mask;
  long long q_steps[3], k_steps[3], v_steps[3], out_steps[3], mask_steps[4];
  int queries, keys, heads, heads_per_key, causal_offset;
  float scale;
};

struct Extent {  // of one operand
  int64_t batch, heads, length, size;
  int64_t line;  // elements from one position to the next
};

class AttentionRunner final : public StepRunner {
 public:
  explicit AttentionRunner(const StepSource& source)
      : params_(decode<AttentionParams>(source.step.params)), environment_(source.environment) {
    const plan::Step& step = source.step;
    const auto in = [](int64_t value, int64_t low, int64_t high) {
      return value >= low && value <= high;
    };
    TENREC_CHECK(step.inputs.size() == 4 && step.outputs.size() == 1 &&
                     step.inputs[0] != plan::none && step.inputs[1] != plan::none &&
                     step.inputs[2] != plan::none &&
                     (step.inputs[3] == plan::none) == (params_.mask == DType::undefined) &&
                     in(params_.heads, 1, 65535) && in(params_.key_heads, 1, params_.heads) &&
                     params_.heads % params_.key_heads == 0 && in(params_.size, 16, 128) &&
                     in(params_.value_size, 16, 128) && params_.size % 16 == 0 &&
                     params_.value_size % 16 == 0 &&
                     (params_.queries == 64 || params_.queries == 128) && params_.scale > 0,
                 invalid_engine, "an attention with {} inputs and {} heads of {}",
                 step.inputs.size(), params_.heads, params_.size);
    check_lines();
    launch_.shared_bytes = params_.shared_bytes();
    launch_.threads = static_cast<int>(params_.queries * 2);
    launch_.function = step_function(source, 0, launch_.shared_bytes);
  }

  bool recordable() const override { return true; }

  void reshape(const StepArgs& args) override {
    const Extent q = extent(args.inputs[0], params_.heads, params_.size, line(0));
    const Extent k = extent(args.inputs[1], params_.key_heads, params_.size, line(1));
    const Extent v = extent(args.inputs[2], params_.key_heads, params_.value_size, line(2));
    const Extent out = extent(args.outputs[0], params_.heads, params_.value_size);
    TENREC_CHECK(q.batch == k.batch && k.batch == v.batch && k.length == v.length &&
                     out.batch == q.batch && out.length == q.length,
                 invalid_engine, "an attention of {} queries, {} keys, {} values", q.length,
                 k.length, v.length);
    TENREC_CHECK(q.batch < 65536 && q.length < 1 << 30 && k.length < 1 << 30, unsupported,
                 "an attention of {} samples of {} queries", q.batch, q.length);
    problem_ = {};
    set_steps(problem_.q_steps, q);
    set_steps(problem_.k_steps, k);
    set_steps(problem_.v_steps, v);
    set_steps(problem_.out_steps, out);
    if (params_.mask != DType::undefined) set_mask(args.inputs[3], q, k.length);
    problem_.queries = static_cast<int>(q.length);
    problem_.keys = static_cast<int>(k.length);
    problem_.heads = static_cast<int>(params_.heads);
    problem_.heads_per_key = static_cast<int>(params_.heads / params_.key_heads);
    problem_.scale = params_.scale * 1.4426950408889634F;
    launch_.grid[0] = static_cast<unsigned>((q.length + params_.queries - 1) / params_.queries);
    launch_.grid[1] = static_cast<unsigned>(params_.heads);
    launch_.grid[2] = static_cast<unsigned>(q.batch);
  }

  void run(const StepArgs& args) override {
    if (launch_.grid[0] == 0 || launch_.grid[2] == 0) return;
    problem_.q = operand(args, 0);
    problem_.k = operand(args, 1);
    problem_.v = operand(args, 2);
    problem_.mask = args.inputs[3].data;
    problem_.out = args.outputs[0].data;
    launch(environment_, launch_, &problem_);
  }

 private:
  void check_lines() const {
    if (params_.lines.empty() && params_.starts.empty()) return;
    bool fits = params_.packed && params_.lines.size() == 3 && params_.starts.size() == 3;
    for (size_t i = 0; i < 3 && fits; ++i) {
      const int64_t heads = i == 0 ? params_.heads : params_.key_heads;
      const int64_t size = heads * (i == 2 ? params_.value_size : params_.size);
      const int64_t line = params_.lines[i], start = params_.starts[i];
      fits = line % 8 == 0 && start % 8 == 0 && start >= 0 && size <= line && start <= line - size;
    }
    TENREC_CHECK(fits, invalid_engine, "an attention whose operands are parts of no line");
  }

  int64_t line(size_t i) const { return params_.lines.empty() ? 0 : params_.lines[i]; }

  const std::byte* operand(const StepArgs& args, size_t i) const {
    return args.inputs[i].data + (params_.starts.empty() ? 0 : params_.starts[i] * 2);
  }

  // `line`: of the tensor that the operand is part of; 0: it is the tensor.
  Extent extent(const TensorView& view, int64_t heads, int64_t size, int64_t line = 0) const {
    const std::span<const int64_t> dims = view.dims;
    const int64_t last = line > 0 ? line : heads * size;
    const bool fits = params_.packed ? dims.size() == 3 && dims[2] == last
                                     : dims.size() == 4 && dims[1] == heads && dims[3] == size;
    TENREC_CHECK(
        fits && view.dtype == params_.type && view.def->block_axis < 0 && !view.def->channels_last,
        invalid_engine, "an operand of an attention of {} heads of {} is {} [{}]", heads, size,
        name(view.dtype), fmt::join(dims, ", "));
    return {dims[0], heads, params_.packed ? dims[1] : dims[2], size, last};
  }

  void set_steps(long long (&steps)[3], const Extent& e) const {
    steps[0] = e.length * e.line;
    steps[1] = params_.packed ? e.size : e.length * e.size;
    steps[2] = params_.packed ? e.line : e.size;
  }

  void set_mask(const TensorView& mask, const Extent& q, int64_t keys) {
    TENREC_CHECK(mask.dtype == params_.mask && mask.dims.size() <= 4 && mask.def->block_axis < 0 &&
                     !mask.def->channels_last,
                 invalid_engine, "a mask of {} with {} axes", name(mask.dtype), mask.dims.size());
    const int64_t full[] = {q.batch, params_.heads, q.length, keys};
    const size_t shift = 4 - mask.dims.size();
    int64_t step = 1;
    for (size_t i = mask.dims.size(); i-- > 0;) {
      const int64_t size = mask.dims[i];
      TENREC_CHECK(size == 1 || size == full[i + shift], invalid_engine,
                   "a mask [{}] on scores [{}]", fmt::join(mask.dims, ", "), fmt::join(full, ", "));
      problem_.mask_steps[i + shift] = size == 1 ? 0 : step;
      step *= size;
    }
  }

  AttentionParams params_;
  RunEnvironment& environment_;
  KernelLaunch launch_;
  AttentionProblem problem_ = {};
};

}  // namespace

Runner prepare_attention_mma(const StepSource& source) {
  return std::make_unique<AttentionRunner>(source);
}

}  // namespace tenrec::cuda
