// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/gemm_step.h"

#include <cstdio>

#include "base/wire.h"
#include "ir/type.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/epilogue.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t max_size = INT32_MAX;

int checked(int64_t value) {
  TENREC_CHECK(value >= 0 && value <= max_size, unsupported, "a matrix product with a size of {}",
               value);
  return static_cast<int>(value);
}

std::span<const int64_t> batch_of(std::span<const int64_t> dims) {
  return dims.first(dims.size() - 2);
}

PerAxis broadcast_batch(std::span<const int64_t> a, std::span<const int64_t> b) {
  PerAxis batch(std::max(a.size(), b.size()) - 2, 0);
  broadcast_dims(batch_of(a), batch_of(b), batch);
  return batch;
}

// Floats from one matrix to the next along each of `batch`'s axes; 0 where the operand has size 1.
PerAxis batch_steps(std::span<const int64_t> operand, std::span<const int64_t> batch) {
  PerAxis steps(batch.size(), 0);
  int64_t step = operand[operand.size() - 1] * operand[operand.size() - 2];
  const size_t own = operand.size() - 2;
  for (size_t i = 0; i < own; ++i) {
    const int64_t size = operand[own - 1 - i];
    if (size != 1) steps[batch.size() - 1 - i] = step;
    step *= size;
  }
  return steps;
}

// The innermost outer axis joins gemm's batch where all three operands step evenly over both.
void merge_outer(GemmNest& nest) {
  Gemm& gemm = nest.gemm;
  while (!nest.outer.empty()) {
    const bool even = nest.a_step.back() == gemm.batch_a * gemm.batch &&
                      nest.b_step.back() == gemm.batch_b * gemm.batch &&
                      nest.c_step.back() == gemm.batch_c * gemm.batch;
    if (!even) return;
    gemm.batch = checked(gemm.batch * nest.outer.back());
    for (auto* list : {&nest.outer, &nest.a_step, &nest.b_step, &nest.c_step}) list->pop_back();
  }
}

class GemmRunner final : public StepRunner {
 public:
  GemmRunner(const plan::Step& step, RunEnvironment& environment)
      : params_(decode<GemmParams>(step.params)),
        tactic_(parse_gemm_tactic(step.tactic)),
        environment_(environment) {
    check_gemm_step(step, params_);
    TENREC_CHECK(params_.packed == (tactic_.mode == GemmTactic::Mode::prepacked), invalid_engine,
                 "tactic '{}' does not fit {} weights", step.tactic,
                 params_.packed ? "packed" : "plain");
    if (params_.epilogue.nodes.empty()) return;
    epilogue_.emplace(params_.epilogue, environment.isa, environment.threads.count());
  }

  void reshape(const StepArgs& args) override {
    const std::span<const int64_t> a = args.inputs[0].dims, c = args.outputs[0].dims;
    const std::span<const int64_t> b = params_.packed ? params_.dims : args.inputs[1].dims;
    check_gemm_views(args, a, b, c);
    nest_ = nest_of(a, b, params_.packed);
    const Isa isa = environment_.isa;
    if (params_.packed) {
      const auto wanted = static_cast<int64_t>(gemm_packed_size(nest_.gemm, tactic_, isa));
      TENREC_CHECK(args.inputs[1].elements() == wanted, invalid_engine,
                   "packed weights of {} floats, {} are needed", args.inputs[1].elements(), wanted);
    }
    const std::span<const TensorView> operands = args.inputs.subspan(gemm_operands);
    TENREC_CHECK(epilogue_ || operands.empty(), invalid_engine,
                 "a matrix product has operands but no epilogue");
    if (epilogue_) epilogue_->reshape(args.outputs[0], operands, true);
    empty_ = args.outputs[0].elements() == 0;
    workspace_ = 0;
    if (empty_ || nest_.gemm.k == 0) return;
    workspace_ = gemm_scratch_size(nest_.gemm, tactic_, isa, environment_.threads.count());
  }

  uint64_t workspace_bytes() const override { return workspace_; }

  void run(const StepArgs& args) override {
    if (empty_) return;
    const std::span<const TensorView> operands = args.inputs.subspan(gemm_operands);
    auto* out = args.outputs[0].as<float>();
    if (nest_.gemm.k == 0) {
      std::fill_n(out, args.outputs[0].elements(), 0.0F);
      if (epilogue_) epilogue_->apply(args.outputs[0], operands, environment_.threads);
      return;
    }
    // Only a nest of one product can hand its pieces to the epilogue: offsets count from its own
    // start.
    const bool hooked = epilogue_ && nest_.outer.empty();
    GemmBuffers buffers;
    buffers.scratch = args.scratch.data();
    if (hooked) buffers.epilogue = epilogue_->bind(operands);
    run_nest(args, buffers, 0, 0, 0, 0, out);
    if (epilogue_ && !hooked) epilogue_->apply(args.outputs[0], operands, environment_.threads);
  }

 private:
  void run_nest(const StepArgs& args, GemmBuffers& buffers, size_t axis, int64_t a, int64_t b,
                int64_t c, float* out) {
    if (axis < nest_.outer.size()) {
      for (int64_t i = 0; i < nest_.outer[axis]; ++i) {
        run_nest(args, buffers, axis + 1, a + i * nest_.a_step[axis], b + i * nest_.b_step[axis],
                 c + i * nest_.c_step[axis], out);
      }
      return;
    }
    buffers.a = args.inputs[0].as<float>() + a;
    buffers.b = args.inputs[1].as<float>() + b;
    buffers.out = out + c;
    gemm(environment_.isa)(nest_.gemm, tactic_, buffers, environment_.threads);
  }

  GemmParams params_;
  GemmTactic tactic_;
  RunEnvironment& environment_;
  GemmNest nest_;
  bool empty_ = false;
  std::optional<EpilogueRunner> epilogue_;
  uint64_t workspace_ = 0;
};

}  // namespace

void check_gemm_step(const plan::Step& step, const GemmParams& params) {
  TENREC_CHECK(step.inputs.size() >= gemm_operands && step.outputs.size() == 1, invalid_engine,
               "a matrix product with {} inputs and {} outputs", step.inputs.size(),
               step.outputs.size());
  if (params.epilogue.nodes.empty()) return;
  validate(params.epilogue);
  TENREC_CHECK(params.epilogue.inputs >= 1 && params.epilogue.outputs.size() == 1, invalid_engine,
               "an epilogue needs an input and one output");
}

void check_gemm_views(const StepArgs& args, std::span<const int64_t> a, std::span<const int64_t> b,
                      std::span<const int64_t> c) {
  for (const TensorView* view : {&args.inputs[0], &args.inputs[1], &args.outputs[0]}) {
    TENREC_CHECK(view->dtype == DType::f32 && layout_of(*view).is_plain(), invalid_engine,
                 "a matrix product needs row-major f32");
  }
  TENREC_CHECK(a.size() >= 2 && b.size() >= 2 && a.back() == b[b.size() - 2], invalid_input,
               "a matrix product of shapes {} and {}: the inner sizes differ", tenrec::to_string(a),
               tenrec::to_string(b));
  PerAxis wanted = broadcast_batch(a, b);
  wanted.push_back(a[a.size() - 2]);
  wanted.push_back(b.back());
  TENREC_CHECK(same_dims(c, wanted), invalid_engine,
               "a matrix product of shapes {} and {} gives {}, not {}", tenrec::to_string(a),
               tenrec::to_string(b), tenrec::to_string(wanted), tenrec::to_string(c));
}

GemmNest nest_of(std::span<const int64_t> a, std::span<const int64_t> b, bool constant_b) {
  GemmNest nest;
  Gemm& gemm = nest.gemm;
  const PerAxis batch = broadcast_batch(a, b);
  gemm.k = checked(a.back());
  gemm.n = checked(b.back());
  gemm.constant_b = constant_b;
  const bool shared_b = element_count(batch_of(b)) == 1;
  const bool whole_a = element_count(batch_of(a)) == element_count(batch);
  if (shared_b && whole_a) {
    gemm.m = checked(static_cast<int64_t>(element_count(batch)) * a[a.size() - 2]);
    gemm = with_dense_strides(gemm);
    return nest;
  }
  gemm.m = checked(a[a.size() - 2]);
  const PerAxis a_steps = batch_steps(a, batch);
  const PerAxis b_steps = batch_steps(b, batch);
  gemm.batch = checked(batch.back());
  gemm = with_dense_strides(gemm);
  gemm.batch_a = a_steps.back();
  gemm.batch_b = b_steps.back();
  gemm.batch_c = int64_t{gemm.m} * gemm.n;
  int64_t step = gemm.batch_c * batch.back();
  PerAxis c_steps(batch.size() - 1, 0);
  for (size_t i = batch.size() - 1; i-- > 0; step *= batch[i]) c_steps[i] = step;
  for (size_t i = 0; i + 1 < batch.size(); ++i) {
    if (batch[i] == 1) continue;
    nest.outer.push_back(batch[i]);
    nest.a_step.push_back(a_steps[i]);
    nest.b_step.push_back(b_steps[i]);
    nest.c_step.push_back(c_steps[i]);
  }
  merge_outer(nest);
  return nest;
}

std::string to_text(const GemmTactic& tactic) {
  return fmt::format("mode={} vectors={} rows={} columns={} chunk={} by_row={}",
                     static_cast<int>(tactic.mode), tactic.vectors, tactic.rows, tactic.columns,
                     tactic.chunk, static_cast<int>(tactic.by_row));
}

GemmTactic parse_gemm_tactic(const std::string& text) {
  GemmTactic tactic;
  int mode = 0, by_row = 0;
  const int read =
      std::sscanf(text.c_str(), "mode=%d vectors=%d rows=%d columns=%d chunk=%d by_row=%d", &mode,
                  &tactic.vectors, &tactic.rows, &tactic.columns, &tactic.chunk, &by_row);
  const auto sane = [](int value) { return value >= 1 && value <= 1 << 20; };
  TENREC_CHECK(read == 6 && mode >= 0 && mode <= 3 && tactic.vectors >= 1 && tactic.vectors <= 3 &&
                   sane(tactic.rows) && sane(tactic.columns) && sane(tactic.chunk),
               invalid_engine, "'{}' is no tactic of gemm", text);
  tactic.mode = static_cast<GemmTactic::Mode>(mode);
  tactic.by_row = by_row != 0;
  return tactic;
}

Runner prepare_gemm(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<GemmRunner>(step, environment);
}

}  // namespace tenrec::cpu
