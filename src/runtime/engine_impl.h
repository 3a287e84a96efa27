// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ir/tensor.h"
#include "plan/engine_file.h"
#include "runtime/counting_device.h"
#include "runtime/device.h"
#include "runtime/plan_info.h"
#include "tenrec/engine.h"

namespace tenrec {

struct Engine::Impl {
  // `opened`: the engine's device, as open_device gives it.
  Impl(plan::EngineFile file, const LoadOptions& options, std::shared_ptr<Device> opened);

  std::shared_ptr<Device> open(int threads) const;  // counts into `budget`
  const plan::Plan& plan(int profile) const;        // a usage Error when there is none

  plan::EngineFile file;
  LoadOptions options;
  std::shared_ptr<MemoryBudget> budget;
  std::shared_ptr<Device> device;
  std::shared_ptr<const DeviceMemory> weights;
  std::vector<PlanInfo> plans;
  std::vector<TensorInfo> inputs, outputs;
  std::vector<std::vector<InputRange>> profiles;
};

// What the plan takes at its inputs.
std::vector<InputRange> describe_ranges(const plan::Plan& plan, const plan::Io& io);

// Between the public values and the IR's. Tensors of numbers are copied.
Datum to_datum(const HostValue& value);
HostValue to_host_value(const Datum& datum);
HostTensor to_host_tensor(const Tensor& tensor);

}  // namespace tenrec
