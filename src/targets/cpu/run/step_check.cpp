// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/step_check.h"

#include <algorithm>
#include <exception>
#include <new>

#include "targets/common/run/memory_layout.h"
#include "targets/common/run/step_op.h"
#include "targets/common/run/view_type.h"

namespace tenrec::cpu {
namespace {

class Checked final : public StepRunner {
 public:
  Checked(const Family& family, const plan::Step& step, std::unique_ptr<StepRunner> runner)
      : family_(family), runner_(std::move(runner)), learns_(!step.defines.empty()) {
    // Bodies have types of their own, which are checked where they are run; a region that is
    // evaluated as an expression has no body any more.
    if (family.by_operator && step.bodies.empty() && step.op != "fused") op_ = decode_step_op(step);
    takes_bytes_ = family.copies_bytes && op_ && op_.info().is_view;
  }

  void reshape(const StepArgs& args) override {
    for (const TensorView& view : args.inputs) check_view(view);
    for (const TensorView& view : args.outputs) check_view(view);
    // The operator itself has its say once, over types, ranks and the sizes of the first run:
    // asking it takes memory. At later sizes what must fit together for the loops' sake they check.
    const bool asks = family_.loops == Loops::reference || !asked_;
    if (asks && op_ && types_are_known(args)) check_outputs(args, inferred(args));
    runner_->reshape(args);
    asked_ = true;
  }

  uint64_t workspace_bytes() const override { return runner_->workspace_bytes(); }
  bool recordable() const override { return runner_->recordable(); }

  void run(const StepArgs& args) override {
    try {
      runner_->run(args);
    } catch (const Error&) {
      throw;
    } catch (const std::bad_alloc&) {
      fail(ErrorCode::out_of_memory, "no memory left for \"{}\"", family_.name);
    } catch (const std::exception& error) {
      fail(ErrorCode::invalid_engine, "\"{}\" cannot run on what the engine gives it: {}",
           family_.name, error.what());
    }
  }

 private:
  void check_view(const TensorView& view) const {
    if (family_.loops == Loops::reference || !view.def) return;
    const bool is_known = bit_width(view.dtype) >= 8 || (takes_bytes_ && is_sub_byte(view.dtype));
    TENREC_CHECK(view.def->storage != plan::Storage::host && is_known, invalid_engine,
                 "the family \"{}\" cannot read or write {}", family_.name,
                 tenrec::name(view.dtype));
    TENREC_CHECK(family_.loops == Loops::any_layout || layout_of(view).is_plain(), invalid_engine,
                 "the family \"{}\" needs row-major memory", family_.name);
  }

  // What an empty sequence would hold nobody can tell from its value.
  static bool types_are_known(const StepArgs& args) {
    return std::none_of(args.inputs.begin(), args.inputs.end(), [](const TensorView& view) {
      return view.datum && view.datum->elements.empty() &&
             (view.datum->kind == Datum::Kind::sequence ||
              view.datum->kind == Datum::Kind::optional);
    });
  }

  Types inferred(const StepArgs& args) const {
    try {
      Types inputs;
      for (const TensorView& view : args.inputs) inputs.push_back(type_of(view));
      return op_.infer(inputs);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {  // whatever it trips over, the plan is to blame
      fail(ErrorCode::invalid_engine, "its inputs do not suit its operator \"{}\": {}", op_.name(),
           error.what());
    }
  }

  void check_outputs(const StepArgs& args, const Types& types) const {
    for (size_t i = 0; i < args.outputs.size(); ++i) {
      const TensorView& view = args.outputs[i];
      if (!view.def || view.datum) continue;
      TENREC_CHECK(
          i < types.size() && types[i].kind == Type::Kind::tensor && types[i].dtype == view.dtype,
          invalid_engine, "output {} of \"{}\" is no {}", i, op_.name(), tenrec::name(view.dtype));
      // PerAxis that only running tells are set by the step itself.
      if (view.data == nullptr || !types[i].ranked) continue;
      check_dims(view, types[i], i);
    }
  }

  void check_dims(const TensorView& view, const Type& type, size_t i) const {
    bool same = type.shape.size() == view.dims.size();
    for (size_t axis = 0; same && axis < view.dims.size(); ++axis) {
      const std::optional<int64_t> size = type.shape[axis].constant();
      same = size ? *size == view.dims[axis] : learns_ || family_.loops == Loops::reference;
    }
    TENREC_CHECK(same, invalid_engine, "output {} of \"{}\" is {} by its operator, {} in the plan",
                 i, op_.name(), tenrec::to_string(type.shape), tenrec::to_string(dims_of(view)));
  }

  const Family& family_;
  std::unique_ptr<StepRunner> runner_;
  bool learns_;
  bool takes_bytes_ = false;  // whatever they are elements of
  bool asked_ = false;
  Op op_;
};

bool wants(const plan::Step& step, size_t output) {
  return output < step.outputs.size() && step.outputs[output] != plan::none;
}

}  // namespace

std::unique_ptr<StepRunner> checked(const Family& family, const plan::Plan& plan,
                                    const plan::Step& step, std::unique_ptr<StepRunner> runner) {
  TENREC_CHECK(family.learns_sizes || !decides_sizes(plan, step), invalid_engine,
               "the family \"{}\" cannot tell sizes by running", family.name);
  TENREC_CHECK(family.loops == Loops::reference || family.may_omit || wants(step, 0),
               invalid_engine, "the family \"{}\" has no output", family.name);
  return std::make_unique<Checked>(family, step, std::move(runner));
}

}  // namespace tenrec::cpu
