// SPDX-License-Identifier: Apache-2.0
#include "plan/dims.h"

#include <gtest/gtest.h>

#include <bit>

#include "base/error.h"
#include "common/sample_plans.h"

namespace tenrec::plan {
namespace {

int64_t bits(float value) { return std::bit_cast<uint32_t>(value); }

TEST(Dims, Operations) {
  EXPECT_EQ(apply(DimOp::floordiv, -7, 2), -4);
  EXPECT_EQ(apply(DimOp::floordiv, 7, 2), 3);
  EXPECT_EQ(apply(DimOp::mod, -7, 4), 1);
  EXPECT_EQ(apply(DimOp::broadcast, 1, 9), 9);
  EXPECT_EQ(apply(DimOp::broadcast, 5, 9), 5);
  // numpy: int(np.float32(1080) * np.float32(0.35)) == 378
  EXPECT_EQ(apply(DimOp::scaled, 1080, bits(0.35F)), 378);
  EXPECT_EQ(apply(DimOp::scaled, 7, bits(0.5F)), 3);
}

TEST(Dims, OverflowAndDivisionByZeroAreErrors) {
  EXPECT_THROW(apply(DimOp::mul, INT64_MAX / 2, 3), Error);
  EXPECT_THROW(apply(DimOp::add, INT64_MAX, 1), Error);
  EXPECT_THROW(apply(DimOp::sub, INT64_MIN, 1), Error);
  EXPECT_THROW(apply(DimOp::floordiv, 1, 0), Error);
  EXPECT_THROW(apply(DimOp::mod, 1, 0), Error);
  EXPECT_THROW(apply(DimOp::floordiv, INT64_MIN, -1), Error);
  EXPECT_THROW(apply(DimOp::scaled, INT64_MAX, bits(1e30F)), Error);
  EXPECT_THROW(apply(DimOp::scaled, 1, bits(std::numeric_limits<float>::quiet_NaN())), Error);
}

TEST(Dims, StepSymbolsWaitForTheirStep) {
  const EngineParts parts = nonzero_engine();
  const Plan& plan = parts.plans[0];
  const DimSchedule schedule(plan);
  EXPECT_EQ(schedule.slot_stage(0), at_start);  // N
  EXPECT_EQ(schedule.slot_stage(1), 0);         // K
  EXPECT_EQ(schedule.value_stage(0), at_start);
  EXPECT_EQ(schedule.value_stage(1), 0);
  DimValues values(plan, schedule);
  values.set_symbol(0, 5);
  values.evaluate(at_start);
  EXPECT_EQ(values[plan.values[0].bytes], 20);
  values.set_symbol(1, 3);
  values.evaluate(0);
  EXPECT_EQ(values[plan.values[1].bytes], 24);
}

TEST(Dims, BoundsAndChecksSayWhatIsWrong) {
  const EngineParts parts = add_engine(8);
  const DimSchedule schedule(parts.plans[0]);
  DimValues values(parts.plans[0], schedule);
  try {
    values.set_symbol(0, 9);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "size \"N\" is 9; this engine allows 1 to 8");
  }
  values.set_symbol(0, 3);
  values.set_symbol(1, 4);
  try {
    values.evaluate(at_start);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "\"add\": x and y must have as many rows (needed: 3 == 4)");
    EXPECT_EQ(error.code(), ErrorCode::invalid_input);
  }
}

TEST(Dims, LayoutBytesPadBlocks) {
  ValueDef value;
  value.dtype = DType::f32;
  value.block_axis = 1;
  value.block = 8;
  EXPECT_EQ(layout_bytes(value, std::vector<int64_t>{2, 3, 5, 5}), 2U * 8 * 25 * 4);
  value.block_axis = -1;
  value.dtype = DType::i4;
  EXPECT_EQ(layout_bytes(value, std::vector<int64_t>{3}), 2U);
  EXPECT_THROW(layout_bytes(value, std::vector<int64_t>{-1}), Error);
  EXPECT_THROW(layout_bytes(value, std::vector<int64_t>{INT64_MAX, 2}), Error);
}

}  // namespace
}  // namespace tenrec::plan
