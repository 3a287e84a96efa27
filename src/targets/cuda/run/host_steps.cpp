// SPDX-License-Identifier: Apache-2.0
// Steps that run on the host: inputs are copied there, outputs back. "generic" evaluates reference
// code (strings, sequences, control flow, operators without a kernel), "infer" learns sizes.
#include <cstring>
#include <deque>

#include "ir/tensor.h"
#include "ir/type.h"
#include "plan/dims.h"
#include "targets/common/run/reference_step.h"
#include "targets/cuda/run/runners.h"

namespace tenrec::cuda {
namespace {

// One argument in host memory.
struct Mirror {
  std::vector<std::byte> memory;
  std::vector<int64_t> dims;
};

class HostStep : public StepRunner {
 public:
  // `sizes_only`: of the inputs only those are fetched whose elements can be sizes.
  HostStep(const StepSource& source, std::unique_ptr<StepRunner> inner, bool sizes_only)
      : device_(source.environment.device), inner_(std::move(inner)), sizes_only_(sizes_only) {
    for (const int32_t input : source.step.inputs)
      on_host_.push_back(lies_on_host(source.plan, input));
    inputs_.resize(source.step.inputs.size());
    outputs_.resize(source.step.outputs.size());
    resize_ = [this](size_t output, std::span<const int64_t> dims) {
      (*outer_->resize_output)(output, dims);
      host_outputs_[output] = mirror(outer_->outputs[output], outputs_[output]);
    };
  }

  void run(const StepArgs& args) override {
    run_inner(args);
    for (size_t i = 0; i < args.outputs.size(); ++i) {
      const TensorView& view = args.outputs[i];
      if (!view.data || view.datum) continue;
      device_.copy_from_host(view.data, host_outputs_[i].data, bytes_of(view));
    }
    device_.synchronise();
  }

 private:
  static uint64_t bytes_of(const TensorView& view) {
    return plan::layout_bytes(*view.def, view.dims);
  }

  // The same view with memory on the host.
  static TensorView mirror(const TensorView& view, Mirror& to) {
    TensorView host = view;
    if (!view.def || view.datum || !view.data) return host;
    to.memory.resize(std::max<uint64_t>(bytes_of(view), 1));
    to.dims.assign(view.dims.begin(), view.dims.end());
    host.data = to.memory.data();
    host.dims = to.dims;
    return host;
  }

  void run_inner(const StepArgs& args) {
    host_inputs_.clear();
    host_outputs_.clear();
    for (size_t i = 0; i < args.inputs.size(); ++i) {
      const TensorView& view = args.inputs[i];
      if (on_host_[i]) {
        host_inputs_.push_back(view);
        continue;
      }
      if (sizes_only_ && static_cast<uint64_t>(view.elements()) > max_known_elements) {
        host_inputs_.push_back(view);  // inference looks at its dims alone
        continue;
      }
      host_inputs_.push_back(mirror(view, inputs_[i]));
      if (view.def && view.data && !view.datum)
        device_.copy_to_host(host_inputs_[i].data, view.data, bytes_of(view));
    }
    for (size_t i = 0; i < args.outputs.size(); ++i)
      host_outputs_.push_back(mirror(args.outputs[i], outputs_[i]));
    StepArgs host = args;
    host.inputs = host_inputs_;
    host.outputs = host_outputs_;
    host.resize_output = args.resize_output ? &resize_ : nullptr;
    outer_ = &args;
    inner_->run(host);
  }

  Device& device_;
  std::unique_ptr<StepRunner> inner_;
  bool sizes_only_;
  std::vector<bool> on_host_;
  std::vector<Mirror> inputs_, outputs_;
  std::vector<TensorView> host_inputs_, host_outputs_;
  std::function<void(size_t, std::span<const int64_t>)> resize_;
  const StepArgs* outer_ = nullptr;
};

}  // namespace

Runner prepare_generic(const StepSource& source) {
  return std::make_unique<HostStep>(source, make_reference_step(source.step), false);
}

Runner prepare_infer(const StepSource& source) {
  return std::make_unique<HostStep>(source, make_infer_step(source.step), true);
}

}  // namespace tenrec::cuda
