// SPDX-License-Identifier: Apache-2.0
// The family "copy": output 0 becomes the bytes of input 0.
#include "plan/dims.h"
#include "targets/cuda/run/runners.h"

namespace tenrec::cuda {
namespace {

class Copy : public StepRunner {
 public:
  explicit Copy(const StepSource& source) : environment_(source.environment) {
    const plan::Step& step = source.step;
    TENREC_CHECK(step.outputs.size() == 1 && !step.inputs.empty() && step.inputs[0] != plan::none &&
                     step.outputs[0] != plan::none && !decides_sizes(source.plan, step),
                 invalid_engine, "a copy takes one input and gives one output of known size");
    on_host_ = lies_on_host(source.plan, step.inputs[0]);
  }
  void reshape(const StepArgs& args) override {
    bytes_ = plan::layout_bytes(*args.outputs[0].def, args.outputs[0].dims);
    TENREC_CHECK(plan::layout_bytes(*args.inputs[0].def, args.inputs[0].dims) == bytes_,
                 invalid_engine, "a copy to an output of another size");
  }
  void run(const StepArgs& args) override {
    if (on_host_) {
      environment_.device.copy_from_host(args.outputs[0].data, args.inputs[0].data, bytes_);
    } else {
      environment_.device.copy(args.outputs[0].data, args.inputs[0].data, bytes_);
    }
  }
  bool recordable() const override { return !on_host_; }

 private:
  RunEnvironment& environment_;
  bool on_host_ = false;
  uint64_t bytes_ = 0;
};

}  // namespace

Runner prepare_copy(const StepSource& source) { return std::make_unique<Copy>(source); }

}  // namespace tenrec::cuda
