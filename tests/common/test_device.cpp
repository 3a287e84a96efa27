// SPDX-License-Identifier: Apache-2.0
#include "common/test_device.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "ir/tensor.h"
#include "plan/dims.h"
#include "runtime/null_device.h"

namespace tenrec {

TestCounters& test_counters() {
  static TestCounters counters;
  return counters;
}

namespace {

// Every byte of the outputs is written and every byte of scratch touched: ASan sees wrong sizes.
class TestRunner : public StepRunner {
 public:
  explicit TestRunner(const plan::Step& step) : family_(step.family) {}

  void reshape(const StepArgs& args) override {
    ++test_counters().reshapes;
    if (family_ != "add" && family_ != "copy") return;
    const TensorView& from = args.inputs[0];
    TENREC_CHECK(std::equal(from.dims.begin(), from.dims.end(), args.outputs[0].dims.begin(),
                            args.outputs[0].dims.end()),
                 invalid_engine, "input and output differ in dims");
  }

  void run(const StepArgs& args) override {
    ++test_counters().runs;
    if (!args.scratch.empty()) std::memset(args.scratch.data(), 0xff, args.scratch.size());
    if (family_ == "add") add(args);
    else if (family_ == "copy") copy(args);
    else if (family_ == "nonzero") nonzero(args);
    else if (family_ == "spread") spread(args);
    else if (family_ == "call") call(args);
    else if (family_ == "silent") return;
  }

 private:
  static void add(const StepArgs& args) {
    const TensorView& a = args.inputs[0];
    const TensorView& b = args.inputs[1];
    const int64_t repeat = std::max<int64_t>(b.elements(), 1);
    for (int64_t i = 0; i < a.elements(); ++i)
      args.outputs[0].as<float>()[i] = a.as<float>()[i] + b.as<float>()[i % repeat];
  }

  static void copy(const StepArgs& args) {
    const uint64_t bytes = plan::layout_bytes(*args.inputs[0].def, args.inputs[0].dims);
    std::memmove(args.outputs[0].data, args.inputs[0].data, bytes);
  }

  static void nonzero(const StepArgs& args) {
    const TensorView& in = args.inputs[0];
    int64_t count = 0;
    for (int64_t i = 0; i < in.elements(); ++i) count += in.as<float>()[i] != 0;
    (*args.resize_output)(0, {&count, 1});
    int64_t at = 0;
    for (int64_t i = 0; i < in.elements(); ++i)
      if (in.as<float>()[i] != 0) args.outputs[0].as<int64_t>()[at++] = i;
  }

  static void spread(const StepArgs& args) {
    const TensorView& in = args.inputs[0];
    (*args.resize_output)(0, {in.as<int64_t>(), static_cast<size_t>(in.elements())});
    for (int64_t i = 0; i < args.outputs[0].elements(); ++i) args.outputs[0].as<float>()[i] = 1;
  }

  static void call(const StepArgs& args) {
    std::vector<Datum> inputs;
    for (const TensorView& in : args.inputs) {
      Tensor tensor(in.dtype, Dims(in.dims.begin(), in.dims.end()));
      if (tensor.bytes() > 0) std::memcpy(tensor.mutable_data(), in.data, tensor.bytes());
      inputs.emplace_back(std::move(tensor));
    }
    const std::vector<Datum> results = (*args.run_body)(0, inputs);
    for (size_t i = 0; i < results.size(); ++i) {
      const Tensor& tensor = results[i].tensor;
      (*args.resize_output)(i, tensor.dims());  // checks them where they are known already
      if (tensor.bytes() > 0) std::memcpy(args.outputs[i].data, tensor.data(), tensor.bytes());
    }
  }

  std::string family_;
};

class TestDevice : public NullDevice {
 public:
  std::string_view name() const override { return "test"; }
  std::unique_ptr<DeviceMemory> allocate(uint64_t bytes, std::string_view what) override {
    std::unique_ptr<DeviceMemory> memory = NullDevice::allocate(bytes, what);
    std::memset(memory->data, 0xff, bytes);  // NaNs: what nobody has written shows
    return memory;
  }
  std::unique_ptr<StepRunner> prepare(const plan::Plan& plan, const plan::Step& step) override {
    if (step.family == "add") {
      check(plan, step, {DType::f32, DType::f32}, DType::f32, false);
    } else if (step.family == "copy") {
      const bool has_input = !step.inputs.empty() && step.inputs[0] != plan::none;
      TENREC_CHECK(has_input, invalid_engine, "copy needs an input");
      const DType dtype = plan.values[static_cast<size_t>(step.inputs[0])].dtype;
      check(plan, step, {dtype}, dtype, false);
    } else if (step.family == "nonzero") {
      check(plan, step, {DType::f32}, DType::i64, true);
    } else if (step.family == "spread") {
      check(plan, step, {DType::i64}, DType::f32, true);
    } else if (step.family == "call") {
      check_call(plan, step);
    } else {
      TENREC_CHECK(step.family == "silent", invalid_engine, "family \"{}\" is unknown",
                   step.family);
    }
    return std::make_unique<TestRunner>(step);
  }

 private:
  static void check(const plan::Plan& plan, const plan::Step& step,
                    const std::vector<DType>& inputs, DType output, bool decides) {
    TENREC_CHECK(step.inputs.size() == inputs.size() && step.outputs.size() == 1 &&
                     decides_sizes(plan, step) == decides,
                 invalid_engine, "{}: wrong arguments", step.family);
    for (size_t i = 0; i < inputs.size(); ++i) check_tensor(plan, step.inputs[i], inputs[i]);
    check_tensor(plan, step.outputs[0], output);
  }

  static void check_tensor(const plan::Plan& plan, int32_t value, DType dtype) {
    TENREC_CHECK(value != plan::none, invalid_engine, "an argument is omitted");
    const plan::ValueDef& def = plan.values[static_cast<size_t>(value)];
    TENREC_CHECK(def.dtype == dtype && def.storage != plan::Storage::host && def.block_axis < 0,
                 invalid_engine, "an argument is not a plain tensor of {}", tenrec::name(dtype));
  }

  static void check_call(const plan::Plan& plan, const plan::Step& step) {
    TENREC_CHECK(step.bodies.size() == 1, invalid_engine, "call needs a body");
    const plan::Plan& body = plan.bodies[static_cast<size_t>(step.bodies[0])];
    TENREC_CHECK(step.outputs.size() == body.outputs.size(), invalid_engine, "call: wrong outputs");
    for (const int32_t value : step.inputs)
      check_tensor(plan, value, plan.values[static_cast<size_t>(std::max(value, 0))].dtype);
    for (size_t i = 0; i < step.outputs.size(); ++i)
      check_tensor(plan, step.outputs[i], body.values[static_cast<size_t>(body.outputs[i])].dtype);
  }
};

}  // namespace

void register_test_device() {
  register_device("test", [](const DeviceOptions&) { return std::make_shared<TestDevice>(); });
}

}  // namespace tenrec
