// SPDX-License-Identifier: Apache-2.0
#include "runtime/null_device.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/error.h"
#include "ir/tensor.h"
#include "plan/dims.h"

namespace tenrec {

HostMemory::HostMemory(uint64_t size, std::string_view what) {
  data = static_cast<std::byte*>(
      ::operator new(std::max<uint64_t>(size, 1), std::align_val_t{64}, std::nothrow));
  TENREC_CHECK(data != nullptr, out_of_memory,
               "allocating {} bytes for {}: the system has not enough memory", size, what);
  bytes = size;
}

HostMemory::~HostMemory() { ::operator delete(data, std::align_val_t{64}); }

BorrowedMemory::BorrowedMemory(std::span<const std::byte> memory, std::shared_ptr<const void> owner)
    : owner_(std::move(owner)) {
  data = const_cast<std::byte*>(memory.data());  // weights: no step may write them (validate)
  bytes = memory.size();
}

class NullRunner : public StepRunner {
 public:
  NullRunner(NullDevice& device, const plan::Plan& plan, const plan::Step& step)
      : device_(device), plan_(plan), step_(step) {}

  void run(const StepArgs& args) override {
    NullDevice::Launch launch{step_.family, step_.tactic, {}, {}};
    for (const TensorView& input : args.inputs)
      launch.inputs.emplace_back(input.dims.begin(), input.dims.end());
    for (size_t i = 0; i < args.outputs.size(); ++i) write_output(args, i);
    for (size_t i = 0; i < step_.defines.size(); ++i) {
      const auto output = static_cast<size_t>(step_.defines[i].output);
      if (output >= step_.outputs.size() || step_.outputs[output] == plan::none)
        (*args.define)(i, smallest(step_.defines[i].symbol));
    }
    for (const TensorView& output : args.outputs)
      launch.outputs.emplace_back(output.dims.begin(), output.dims.end());
    device_.record(std::move(launch));
  }

 private:
  int64_t smallest(int32_t of) const {
    const plan::SymbolDef& symbol = plan_.symbols[static_cast<size_t>(of)];
    return std::max(symbol.lower, std::min<int64_t>(symbol.upper, 1));
  }

  // What the step's defines allow at least; elsewhere the plan's number, or the step's, or 1.
  std::vector<int64_t> smallest_dims(const StepArgs& args, size_t output,
                                     const plan::ValueDef& def) const {
    std::vector<int64_t> dims;
    for (const int32_t slot : def.dims) {
      const auto known = std::find(step_.sizes.begin(), step_.sizes.end(), slot);
      if (known != step_.sizes.end()) {
        dims.push_back(args.sizes[static_cast<size_t>(known - step_.sizes.begin())]);
        continue;
      }
      const auto symbols = static_cast<int32_t>(plan_.symbols.size());
      if (slot < symbols) {
        dims.push_back(smallest(slot));
        continue;
      }
      const plan::DimInstruction& made = plan_.program[static_cast<size_t>(slot - symbols)];
      dims.push_back(made.op == plan::DimOp::constant ? made.constant : 1);
    }
    for (const plan::Define& define : step_.defines)
      if (define.output == static_cast<int32_t>(output))
        dims[static_cast<size_t>(define.axis)] = smallest(define.symbol);
    return dims;
  }

  void write_output(const StepArgs& args, size_t i) {
    TensorView& output = args.outputs[i];
    if (step_.outputs[i] == plan::none) return;
    if (output.datum != nullptr) {
      *output.datum = Datum(Tensor(DType::f32, Dims(output.dims.begin(), output.dims.end())));
      return;
    }
    if (output.data == nullptr) {
      const std::vector<int64_t> dims = smallest_dims(args, i, *output.def);
      (*args.resize_output)(i, dims);
    }
    std::memset(output.data, 0, plan::layout_bytes(*output.def, output.dims));
  }

  NullDevice& device_;
  const plan::Plan& plan_;
  const plan::Step& step_;
};

std::unique_ptr<DeviceMemory> NullDevice::allocate(uint64_t bytes, std::string_view what) {
  return std::make_unique<HostMemory>(bytes, what);
}

std::unique_ptr<DeviceMemory> NullDevice::upload(std::span<const std::byte> host,
                                                 std::shared_ptr<const void> owner) {
  return std::make_unique<BorrowedMemory>(host, std::move(owner));
}

void NullDevice::copy_to_host(void* to, const std::byte* from, uint64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

void NullDevice::copy_from_host(std::byte* to, const void* from, uint64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

std::unique_ptr<StepRunner> NullDevice::prepare(const plan::Plan& plan, const plan::Step& step) {
  return std::make_unique<NullRunner>(*this, plan, step);
}

std::vector<NullDevice::Launch> NullDevice::launches() const {
  const std::lock_guard lock(mutex_);
  return launches_;
}

void NullDevice::record(Launch launch) {
  const std::lock_guard lock(mutex_);
  if (launches_.size() < max_launches) launches_.push_back(std::move(launch));
}

}  // namespace tenrec
