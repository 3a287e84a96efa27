// SPDX-License-Identifier: Apache-2.0
// Every text that the operator cases need compiles for the oldest and the newest architecture; no
// GPU is needed. And plans of the target are whole: they run on the null device.
#include <gtest/gtest.h>

#include "runtime/executor.h"
#include "runtime/null_device.h"
#include "targets/cuda/cases.h"
#include "targets/cuda/nvrtc.h"

namespace tenrec::test {
namespace {

TEST(CudaCases, EveryCaseHasAKernel) {
  const DeviceInfo info = cuda_info(90);
  for (const CudaCase& c : cuda_cases()) EXPECT_FALSE(variants(c, info).empty()) << c.name;
}

void compile_all(int capability) {
  const DeviceInfo info = cuda_info(capability);
  plan::CodeStore all;
  for (const CudaCase& c : cuda_cases())
    for (const auto& variant : variants(c, info))
      for (const plan::KernelSource& source : variant->code.sources()) all.add(source);
  const auto images = cuda::compile(all.sources(), capability, info.threads);
  ASSERT_EQ(images.size(), all.sources().size());
  for (const plan::KernelImage& image : images) EXPECT_FALSE(image.bytes.empty());
}

TEST(CudaCases, CompileForTheOldest) { compile_all(80); }
TEST(CudaCases, CompileForTheNewest) { compile_all(90); }

// The same case gives the same text.
TEST(CudaCases, TextsAreDeterministic) {
  const DeviceInfo info = cuda_info(90);
  for (const CudaCase& c : cuda_cases()) {
    const auto first = variants(c, info), second = variants(c, info);
    ASSERT_EQ(first.size(), second.size()) << c.name;
    for (size_t i = 0; i < first.size(); ++i) {
      const auto &a = first[i]->code.sources(), &b = second[i]->code.sources();
      ASSERT_EQ(a.size(), b.size()) << first[i]->text;
      for (size_t k = 0; k < a.size(); ++k) EXPECT_EQ(a[k].text, b[k].text) << first[i]->text;
    }
  }
}

TEST(CudaCases, PlansRunOnTheNullDevice) {
  const DeviceInfo info = cuda_info(90);
  for (const CudaCase& c : cuda_cases()) {
    for (const auto& variant : variants(c, info)) {
      SCOPED_TRACE(variant->text);
      const auto device = std::make_shared<NullDevice>();
      std::vector<std::byte> weights(variant->weights.bytes() + 64);
      const PlanInfo plan(variant->plan);
      Executor executor(plan, variant->weights.weights(), {}, device, weights.data());
      for (size_t i = 0; i < variant->inputs.size(); ++i) {
        const Tensor& tensor = variant->inputs[i].tensor;
        executor.input(i).data = tensor.data();
        executor.input(i).dims = tensor.dims();
        executor.input(i).bytes = tensor.bytes();
      }
      ASSERT_NO_THROW(executor.run(nullptr));
      ASSERT_EQ(device->launches().size(), variant->plan.steps.size());
      for (const NullDevice::Launch& launch : device->launches())
        EXPECT_TRUE(launch.family == "kernels" || launch.family == "copy") << launch.family;
    }
  }
}

}  // namespace
}  // namespace tenrec::test
