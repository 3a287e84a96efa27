// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "base/wire.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/onednn/call.h"
#include "targets/cpu/run/epilogue.h"
#include "targets/cpu/run/gemm_step.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

class OnednnMatMulRunner final : public StepRunner {
 public:
  OnednnMatMulRunner(const plan::Step& step, RunEnvironment& environment)
      : params_(decode<GemmParams>(step.params)), environment_(environment) {
    check_gemm_step(step, params_);
    TENREC_CHECK(!params_.packed && step.tactic.empty(), invalid_engine,
                 "onednn_matmul has no packed weights and no tactic '{}'", step.tactic);
    if (params_.epilogue.nodes.empty()) return;
    epilogue_.emplace(params_.epilogue, environment.isa, environment.threads.count());
  }

  void reshape(const StepArgs& args) override {
    const Dims a = dims_of(args.inputs[0]), b = dims_of(args.inputs[1]),
               c = dims_of(args.outputs[0]);
    check_gemm_views(args, a, b, c);
    const std::span<const TensorView> operands = args.inputs.subspan(gemm_operands);
    TENREC_CHECK(epilogue_ || operands.empty(), invalid_engine,
                 "a matrix product has operands but no epilogue");
    if (epilogue_) epilogue_->reshape(args.outputs[0], operands, true);
    empty_ = element_count(c) == 0;
    no_terms_ = a.back() == 0;
    if (!empty_ && !no_terms_) make(nest_of(a, b, false));
  }

  uint64_t workspace_bytes() const override {
    return empty_ || no_terms_ ? 0 : call_.workspace_bytes(environment_.threads);
  }

  void run(const StepArgs& args) override {
    if (empty_) return;
    if (no_terms_) {
      std::fill_n(args.outputs[0].as<float>(), args.outputs[0].elements(), 0.0F);
    } else {
      call_.run(args, environment_.threads);
    }
    if (epilogue_)
      epilogue_->apply(args.outputs[0], args.inputs.subspan(gemm_operands), environment_.threads);
  }

 private:
  // A batch is cut between its matrices; one matrix along the longer side of its result, so that
  // the smaller operand is what several parts read.
  void make(const GemmNest& nest) {
    const Gemm& p = nest.gemm;
    const Share all{0, p.batch};
    const bool by_row = p.m >= p.n;
    const bool small = 1.0 * p.batch * p.m * p.n * p.k < least_work;
    const int most = p.batch > 1 ? p.batch : std::max(1, std::max(p.m, p.n) / least_side);
    const int parts = small ? 1 : std::min(most_parts, most);
    call_.clear();
    const auto add = [&](int64_t a, int64_t b, int64_t c) {
      for (int i = 0; i < parts; ++i) {
        if (p.batch > 1) {
          add_part(p, {a, b, c}, share(p.batch, i, parts), {0, p.m}, {0, p.n});
        } else {
          add_part(p, {a, b, c}, all, by_row ? share(p.m, i, parts) : Share{0, p.m},
                   by_row ? Share{0, p.n} : share(p.n, i, parts));
        }
      }
    };
    for_each_outer(nest, 0, 0, 0, 0, add);
  }

  template <class Visit>
  static void for_each_outer(const GemmNest& nest, size_t axis, int64_t a, int64_t b, int64_t c,
                             const Visit& visit) {
    if (axis == nest.outer.size()) return visit(a, b, c);
    for (int64_t i = 0; i < nest.outer[axis]; ++i) {
      for_each_outer(nest, axis + 1, a + i * nest.a_step[axis], b + i * nest.b_step[axis],
                     c + i * nest.c_step[axis], visit);
    }
  }

  static dnnl::memory::desc matrices(Share batch, int64_t batch_step, int64_t rows, int64_t columns,
                                     int64_t line) {
    const int64_t count = batch_step == 0 ? 1 : batch.size();
    const int64_t step = count == 1 ? rows * line : batch_step;
    return {{count, rows, columns}, dnnl::memory::data_type::f32, {step, line, 1}};
  }

  void add_part(const Gemm& p, const std::array<int64_t, 3>& at, Share batch, Share rows,
                Share columns) {
    const OneThread one_thread;
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    dnnl::matmul::primitive_desc description;
    try {
      description = {
          dnnl::matmul::desc(matrices(batch, p.batch_a, rows.size(), p.k, p.lda),
                             matrices(batch, p.batch_b, p.k, columns.size(), p.ldb),
                             matrices(batch, p.batch_c, rows.size(), columns.size(), p.ldc)),
          attributes, onednn_engine()};
    } catch (const dnnl::error& error) {
      fail(ErrorCode::unsupported, "oneDNN has no matrix product of {} x {} x {}: {}", rows.size(),
           columns.size(), p.k, error.what());
    }
    auto part = OnednnPart::make<dnnl::matmul>(description);
    part.source = at[0] + batch.begin * p.batch_a + rows.begin * p.lda;
    part.weights = at[1] + batch.begin * p.batch_b + columns.begin;
    part.target = at[2] + batch.begin * p.batch_c + rows.begin * p.ldc + columns.begin;
    call_.add(std::move(part));
  }

  // Cuts do not depend on the number of threads, so results do not either.
  static constexpr double least_work = 200e3;
  static constexpr int most_parts = 8, least_side = 64;

  GemmParams params_;
  RunEnvironment& environment_;
  OnednnCall call_;
  std::optional<EpilogueRunner> epilogue_;
  bool empty_ = false;
  bool no_terms_ = false;
};

}  // namespace

Runner prepare_onednn_matmul(const plan::Plan&, const plan::Step& step,
                             RunEnvironment& environment) {
  return std::make_unique<OnednnMatMulRunner>(step, environment);
}

}  // namespace tenrec::cpu
