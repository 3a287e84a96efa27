// SPDX-License-Identifier: Apache-2.0
// Runs every operator case through every kernel and tactic of the CUDA target on the GPU here and
// compares with the interpreter: memory begins as NaN, lies between guard bytes, and each plan runs
// three times (the third from a recorded CUDA graph where there is one). Prints what failed and, as
// its last line, `N passed, N failed`.
//
// usage: gpu_check [TEXT]    only variants whose text holds TEXT
#include <fmt/format.h>

#include <cstring>

#include "base/error.h"
#include "runtime/executor.h"
#include "runtime/forwarding_device.h"
#include "targets/cuda/cases.h"

namespace tenrec::test {
namespace {

constexpr uint64_t guard_bytes = 256;
constexpr std::byte guard_value{0xA5}, unset_value{0xFF};

// Memory between guards, every byte set so that floats are NaN.
class GuardedMemory : public DeviceMemory {
 public:
  GuardedMemory(std::shared_ptr<Device> device, uint64_t size, std::vector<std::string>& problems)
      : device_(std::move(device)), problems_(problems) {
    const uint64_t rounded = (size + guard_bytes - 1) / guard_bytes * guard_bytes;
    whole_ = device_->allocate(rounded + 2 * guard_bytes, "a test");
    std::vector<std::byte> fill(rounded + 2 * guard_bytes, guard_value);
    std::fill_n(fill.begin() + guard_bytes, size, unset_value);
    device_->copy_from_host(whole_->data, fill.data(), fill.size());
    device_->synchronise();
    data = whole_->data + guard_bytes;
    bytes = size;
  }
  ~GuardedMemory() override {
    std::vector<std::byte> now(whole_->bytes);
    device_->copy_to_host(now.data(), whole_->data, now.size());
    for (uint64_t i = 0; i < now.size(); ++i)
      if ((i < guard_bytes || i >= guard_bytes + bytes) && now[i] != guard_value) {
        problems_.push_back("wrote outside of a buffer");
        return;
      }
  }

 private:
  std::shared_ptr<Device> device_;
  std::unique_ptr<DeviceMemory> whole_;
  std::vector<std::string>& problems_;
};

class GuardedDevice : public ForwardingDevice {
 public:
  GuardedDevice(std::shared_ptr<Device> inner, std::vector<std::string>& problems)
      : ForwardingDevice(std::move(inner)), problems_(problems) {}
  std::unique_ptr<DeviceMemory> allocate(uint64_t bytes, std::string_view) override {
    return std::make_unique<GuardedMemory>(inner_, bytes, problems_);
  }

 private:
  std::vector<std::string>& problems_;
};

Tensor read(Device& device, const plan::ValueDef& def, const OutputView& view) {
  if (view.datum) return view.datum->tensor;
  Tensor tensor(def.dtype, Dims(view.dims.begin(), view.dims.end()));
  if (view.bytes > 0) device.copy_to_host(tensor.mutable_data(), view.data, view.bytes);
  return tensor;
}

std::vector<std::byte> weights_of(const Variant& variant) {
  std::vector<std::byte> bytes(variant.weights.bytes());
  for (const auto& piece : variant.weights.pieces())
    std::memcpy(bytes.data() + piece.offset, piece.bytes.data(), piece.bytes.size());
  return bytes;
}

// "" or what is wrong.
std::string run(const Variant& variant, const std::shared_ptr<Device>& gpu,
                const DeviceInfo& info) {
  const std::vector<plan::KernelImage> code =
      find_target("cuda").compile(variant.code.sources(), info);
  const Tensors expected = oracle(*variant.source);
  std::vector<std::string> problems;
  {
    const auto device = std::make_shared<GuardedDevice>(gpu, problems);
    const std::vector<std::byte> bytes = weights_of(variant);
    const auto weights = gpu->upload(bytes, nullptr);
    const PlanInfo plan(variant.plan);
    Executor executor(plan, variant.weights.weights(), code, device, weights->data);
    Tensors first;
    for (int round = 0; round < 3; ++round) {
      for (size_t i = 0; i < variant.inputs.size(); ++i) {
        const Tensor& tensor = variant.inputs[i].tensor;
        executor.input(i).data = tensor.data();
        executor.input(i).dims = tensor.dims();
        executor.input(i).bytes = tensor.bytes();
      }
      executor.run(nullptr);
      for (size_t i = 0; i < expected.size(); ++i) {
        const auto& def = variant.plan.values[static_cast<size_t>(variant.plan.outputs[i])];
        const Tensor got = read(*device, def, executor.output(i));
        if (round == 0) {
          const std::string wrong = difference(*variant.source, got, expected[i]);
          if (!wrong.empty()) return fmt::format("output {}: {}", i, wrong);
          first.push_back(got);
        } else if (std::memcmp(got.data(), first[i].data(), got.bytes()) != 0) {
          return fmt::format("run {} differs from the first", round + 1);
        }
      }
    }
  }
  return problems.empty() ? "" : problems[0];
}

std::vector<std::unique_ptr<Variant>> chosen_variants(std::string_view only,
                                                      const DeviceInfo& info) {
  std::vector<std::unique_ptr<Variant>> chosen;
  for (const CudaCase& c : cuda_cases())
    for (auto& variant : variants(c, info))
      if (variant->text.find(only) != std::string::npos) chosen.push_back(std::move(variant));
  return chosen;
}

// All texts at once, so that all cores compile them. What fails here fails again in its variant.
void compile_all(const std::vector<std::unique_ptr<Variant>>& all, const DeviceInfo& info) {
  plan::CodeStore code;
  for (const auto& variant : all)
    for (const plan::KernelSource& source : variant->code.sources()) code.add(source);
  try {
    find_target("cuda").compile(code.sources(), info);
  } catch (const Error&) {
  }
}

int check_all(std::string_view only) {
  const auto gpu = open_device("cuda", {});
  const DeviceInfo info = find_target("cuda").device_info("", 0);
  const std::vector<std::unique_ptr<Variant>> chosen = chosen_variants(only, info);
  compile_all(chosen, info);
  int passed = 0, failed = 0;
  for (const auto& variant : chosen) {
    std::string problem;
    try {
      problem = run(*variant, gpu, info);
    } catch (const Error& error) {
      problem = error.what();
    }
    if (problem.empty()) {
      ++passed;
      continue;
    }
    ++failed;
    fmt::print("FAILED {}: {}\n", variant->text, problem.substr(0, 400));
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tenrec::test

int main(int argc, char** argv) {
  try {
    tenrec::find_target("cuda");
    return tenrec::test::check_all(argc > 1 ? argv[1] : "");
  } catch (const tenrec::Error& error) {
    fmt::print("error: {}\n", error.what());
    return 1;
  }
}
