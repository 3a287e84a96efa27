// SPDX-License-Identifier: Apache-2.0
#include "plan/memory.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "common/sample_plans.h"

namespace tenrec::plan {
namespace {

// No two buffers alive at once share a byte; the total is between the largest sum alive and the
// sum.
void expect_sound(const std::vector<Buffer>& buffers, const Placement& placement) {
  uint64_t sum = 0;
  for (size_t i = 0; i < buffers.size(); ++i) {
    sum += (buffers[i].bytes + 63) / 64 * 64;
    EXPECT_EQ(placement.offsets[i] % arena_alignment, 0U);
    EXPECT_LE(placement.offsets[i] + buffers[i].bytes, placement.total);
    for (size_t k = 0; k < i; ++k) {
      if (buffers[i].bytes == 0 || buffers[k].bytes == 0) continue;
      if (buffers[i].first > buffers[k].last || buffers[k].first > buffers[i].last) continue;
      const bool apart = placement.offsets[i] + buffers[i].bytes <= placement.offsets[k] ||
                         placement.offsets[k] + buffers[k].bytes <= placement.offsets[i];
      ASSERT_TRUE(apart) << i << " and " << k;
    }
  }
  EXPECT_LE(placement.total, sum);
}

TEST(Memory, RandomBuffersNeverOverlap) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Buffer> buffers(random() % 60);
    for (Buffer& buffer : buffers) {
      buffer.bytes = random() % 5 == 0 ? 0 : random() % 5000;
      buffer.first = static_cast<int32_t>(random() % 40);
      buffer.last = buffer.first + static_cast<int32_t>(random() % 10);
    }
    const Placement placement = place(buffers);
    expect_sound(buffers, placement);
    EXPECT_EQ(placement.offsets, place(buffers).offsets);
  }
}

TEST(Memory, AChainNeedsTwoBuffers) {
  std::vector<Buffer> chain;
  for (int32_t i = 0; i < 50; ++i) chain.push_back({1024, i, i + 1});
  EXPECT_EQ(place(chain).total, 2048U);
}

TEST(Memory, HugeBuffersAreAnError) {
  EXPECT_THROW(place(std::vector<Buffer>{{UINT64_MAX, 0, 0}}), Error);
  EXPECT_THROW(
      place(std::vector<Buffer>{
          {uint64_t{1} << 61, 0, 0}, {uint64_t{1} << 61, 0, 0}, {uint64_t{1} << 61, 0, 0}}),
      Error);
}

TEST(Memory, AliasesExtendTheirBase) {
  PlanMaker maker;
  const int32_t four = maker.constant(4);
  const int32_t x = maker.input(DType::f32, {four}, {{4}, {4}, {4}});
  const int32_t base = maker.value(DType::f32, {four}, 16);
  const int32_t view = maker.alias(base, DType::f32, {four});
  const int32_t other = maker.value(DType::f32, {four}, 16);
  const int32_t z = maker.output(DType::f32, {four});
  maker.step("copy", {x}, {base});
  maker.step("copy", {x}, {other});
  maker.step("add", {other, view}, {z});
  const Lifetimes live = lifetimes(maker.plan);
  EXPECT_EQ(live.root[static_cast<size_t>(view)], base);
  EXPECT_EQ(live.first[static_cast<size_t>(base)], 0);
  EXPECT_EQ(live.last[static_cast<size_t>(base)], 2);
  plan_memory(maker.plan);
  EXPECT_EQ(maker.plan.arena_bytes, 128);
  EXPECT_NE(maker.plan.values[static_cast<size_t>(base)].arena_offset,
            maker.plan.values[static_cast<size_t>(other)].arena_offset);
  EXPECT_EQ(maker.plan.values[static_cast<size_t>(view)].arena_offset, -1);
}

TEST(Memory, OpenPlansStayOpen) {
  EXPECT_EQ(add_engine(unbounded).plans[0].arena_bytes, -1);
  EXPECT_EQ(add_engine(16).plans[0].arena_bytes, 192 + 192 + 128);
}

}  // namespace
}  // namespace tenrec::plan
