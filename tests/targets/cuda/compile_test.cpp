// SPDX-License-Identifier: Apache-2.0
// Every text that the operator cases need compiles for the oldest and the newest architecture; no
// GPU is needed. And plans of the target are whole: they run on the null device.
#include <gtest/gtest.h>

#include <set>

#include "runtime/executor.h"
#include "runtime/null_device.h"
#include "targets/cuda/cases.h"
#include "targets/cuda/nvrtc.h"

namespace tenrec::test {
namespace {

// Planned once for all tests.
const std::vector<std::unique_ptr<Variant>>& all_variants() {
  static const auto all = [] {
    std::vector<std::unique_ptr<Variant>> list;
    for (const CudaCase& c : cuda_cases())
      for (auto& variant : variants(c, cuda_info(90))) list.push_back(std::move(variant));
    return list;
  }();
  return all;
}

TEST(CudaCases, EveryCaseHasAKernel) {
  std::set<const CudaCase*> planned;
  for (const auto& variant : all_variants()) planned.insert(variant->source);
  for (const CudaCase& c : cuda_cases()) EXPECT_TRUE(planned.count(&c)) << c.name;
}

// A sample keeps CI quick: of each case one variant an architecture. gpu_check compiles all.
void compile_sample(int capability) {
  const DeviceInfo info = cuda_info(capability);
  plan::CodeStore sample;
  for (size_t i = 0; i < all_variants().size(); ++i) {
    const Variant& variant = *all_variants()[i];
    const bool last =
        i + 1 == all_variants().size() || all_variants()[i + 1]->source != variant.source;
    if (!last) continue;
    for (const plan::KernelSource& source : variant.code.sources()) sample.add(source);
  }
  const auto images = cuda::compile(sample.sources(), capability, info.threads);
  ASSERT_EQ(images.size(), sample.sources().size());
  for (const plan::KernelImage& image : images) EXPECT_FALSE(image.bytes.empty());
}

TEST(CudaCases, CompileForTheNewest) { compile_sample(90); }

// What a timing cache remembers is taken from there, what it lacks goes into it.
TEST(CudaCases, ImagesComeFromTheTimingCache) {
  const std::vector<plan::KernelSource> one{all_variants().front()->code.sources().front()};
  TimingCache cache;
  const auto first = cuda::compile(one, 90, 1, nullptr, &cache);
  ASSERT_NE(cache.find_image(first[0].key), nullptr);
  EXPECT_EQ(*cache.find_image(first[0].key), first[0].bytes);
  cache.put_image(first[0].key, "remembered");
  EXPECT_EQ(cuda::compile(one, 90, 1, nullptr, &cache)[0].bytes, "remembered");
}

// Texts that are made for sm_90 alone come from families that take no older GPU.
TEST(CudaCases, CompileForTheOldest) {
  const DeviceInfo info = cuda_info(80);
  plan::CodeStore sample;
  for (size_t i = 0; i < cuda_cases().size(); i += 3) {
    const auto list = variants(cuda_cases()[i], info);
    for (const plan::KernelSource& source : list.front()->code.sources()) sample.add(source);
  }
  const auto images = cuda::compile(sample.sources(), 80, info.threads);
  for (const plan::KernelImage& image : images) EXPECT_FALSE(image.bytes.empty());
}

// The same case gives the same text.
TEST(CudaCases, TextsAreDeterministic) {
  size_t i = 0;
  for (const CudaCase& c : cuda_cases()) {
    for (const auto& again : variants(c, cuda_info(90))) {
      const Variant& first = *all_variants().at(i++);
      const auto &a = first.code.sources(), &b = again->code.sources();
      ASSERT_EQ(a.size(), b.size()) << first.text;
      for (size_t k = 0; k < a.size(); ++k) EXPECT_EQ(a[k].text, b[k].text) << first.text;
    }
  }
}

TEST(CudaCases, PlansRunOnTheNullDevice) {
  for (const auto& variant : all_variants()) {
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
    for (const NullDevice::Launch& launch : device->launches()) EXPECT_NE(launch.family, "generic");
  }
}

}  // namespace
}  // namespace tenrec::test
