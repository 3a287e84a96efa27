// SPDX-License-Identifier: Apache-2.0
#include "targets/common/run/reference_step.h"

#include <cstring>

#include "base/wire.h"
#include "ir/expr.h"
#include "targets/common/run/memory_layout.h"
#include "targets/common/run/step_op.h"
#include "targets/common/run/view_type.h"

namespace tenrec {
namespace {

Datum datum_of(const TensorView& view) {
  if (view.datum) return *view.datum;
  return Datum(tensor_of(view));
}

// `value` with copies of the tensors that lie in memory of the step's inputs, which later steps
// write over.
Datum kept(Datum value, const StepArgs& args) {
  for (Datum& element : value.elements) element = kept(std::move(element), args);
  const Tensor& tensor = value.tensor;
  if (value.kind != Datum::Kind::tensor || tensor.dtype() == DType::string) return value;
  for (const TensorView& view : args.inputs) {
    if (view.datum || !view.data || tensor.data() != view.data) continue;
    Tensor copy(tensor.dtype(), tensor.dims());
    if (copy.bytes() > 0) std::memcpy(copy.mutable_data(), tensor.data(), copy.bytes());
    return copy;
  }
  return value;
}

class Generic : public StepRunner {
 public:
  explicit Generic(const plan::Step& step) : step_(step), learns_sizes_(!step.defines.empty()) {
    if (step.op == "fused") {
      program_ = decode<ExprProgram>(step.params);
      validate(program_);
    } else {
      op_ = decode_step_op(step);
    }
  }

  void run(const StepArgs& args) override {
    Data inputs;
    for (const TensorView& view : args.inputs) inputs.push_back(datum_of(view));
    const Data outputs = evaluate_step(inputs, args);
    for (size_t i = 0; i < args.outputs.size() && i < outputs.size(); ++i)
      store(outputs[i], i, args);
  }

 private:
  Data evaluate_step(const Data& inputs, const StepArgs& args) const {
    if (!op_) {
      std::vector<Tensor> tensors;
      for (const Datum& input : inputs) tensors.push_back(input.tensor);
      check_program(tensors);
      Data outputs;
      for (Tensor& tensor : evaluate(program_, tensors)) outputs.emplace_back(std::move(tensor));
      return outputs;
    }
    const BodyRunner run_body = [&](size_t index, const Data& body_inputs) {
      TENREC_CHECK(args.run_body, invalid_engine, "\"{}\" has bodies, but the step cannot run them",
                   op_.name());
      return (*args.run_body)(index, body_inputs);
    };
    return op_.eval(inputs, run_body);
  }

  void check_program(const Tensors& tensors) const {
    bool fits = tensors.size() == static_cast<size_t>(program_.inputs);
    for (const ExprNode& node : program_.nodes) {
      if (!fits || node.fn != Fn::input) continue;
      fits = tensors[static_cast<size_t>(node.input)].dtype() == node.dtype;
    }
    TENREC_CHECK(fits, invalid_engine, "the inputs do not suit their expression");
  }

  void store(const Datum& value, size_t i, const StepArgs& args) const {
    if (args.outputs[i].datum) {
      *args.outputs[i].datum = kept(value, args);
      return;
    }
    const plan::ValueDef* def = args.outputs[i].def;
    const bool wanted = i < step_.outputs.size() && step_.outputs[i] != plan::none;
    if (!wanted) return;
    if (args.resize_output && (learns_sizes_ || (def && !def->ranked))) {
      (*args.resize_output)(i, value.tensor.dims());
    }
    if (args.outputs[i].data) store_tensor(value.tensor, args.outputs[i]);
  }

  plan::Step step_;
  bool learns_sizes_;
  Op op_;
  ExprProgram program_;
};

class Infer : public StepRunner {
 public:
  explicit Infer(const plan::Step& step) : op_(decode_step_op(step)), defines_(step.defines) {}

  void run(const StepArgs& args) override {
    Types inputs;
    for (const TensorView& view : args.inputs) inputs.push_back(type_of(view));
    const Types outputs = op_.infer(inputs);
    Data results;  // of operators whose sizes come from values that types do not hold (float Range)
    TENREC_CHECK(args.define || defines_.empty(), internal, "sizes of \"{}\" have nowhere to go",
                 op_.name());
    for (size_t i = 0; i < defines_.size(); ++i) {
      const plan::Define& define = defines_[i];
      const Type* type = static_cast<size_t>(define.output) < outputs.size()
                             ? &outputs[static_cast<size_t>(define.output)]
                             : nullptr;
      const bool there =
          type && type->ranked && static_cast<size_t>(define.axis) < type->shape.size();
      auto size = there ? type->shape[static_cast<size_t>(define.axis)].constant() : std::nullopt;
      if (there && !size) {
        if (results.empty()) {
          Data data;
          for (const TensorView& view : args.inputs) data.push_back(datum_of(view));
          results = op_.eval(data);
        }
        size = results.at(static_cast<size_t>(define.output))
                   .tensor.dims()
                   .at(static_cast<size_t>(define.axis));
      }
      TENREC_CHECK(size, invalid_input,
                   "axis {} of output {} of \"{}\" has no size even now that its inputs "
                   "are known",
                   define.axis, define.output, op_.name());
      (*args.define)(i, *size);
    }
  }

 private:
  Op op_;
  std::vector<plan::Define> defines_;
};

}  // namespace

std::unique_ptr<StepRunner> make_reference_step(const plan::Step& step) {
  return std::make_unique<Generic>(step);
}

std::unique_ptr<StepRunner> make_infer_step(const plan::Step& step) {
  return std::make_unique<Infer>(step);
}

}  // namespace tenrec
