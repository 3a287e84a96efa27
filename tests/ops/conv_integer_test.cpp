// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/conv_integer.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(ConvIntegerGolden, zero_points) {
  const Tensors out =
      run(ConvInteger{.pads = {1, 1, 1, 1}},
          {pattern(DType::u8, {1, 2, 4, 3}, 1, 0, 255), pattern(DType::u8, {3, 2, 3, 3}, 2, 0, 255),
           Tensor::of<uint8_t>({}, {7}), Tensor::of<uint8_t>({}, {100})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 3, 4, 3},
      {76534.0,  72771.0,  37318.0, 26980.0,  6939.0,   -3599.0,  3758.0,   -13314.0, -7393.0,
       6503.0,   2282.0,   11413.0, -15581.0, -33575.0, -37852.0, -19583.0, -31638.0, -24323.0,
       -11908.0, -10157.0, 2376.0,  13697.0,  38581.0,  46956.0,  -16041.0, -17187.0, -8405.0,
       7515.0,   25466.0,  32262.0, 27797.0,  61360.0,  62643.0,  55462.0,  103668.0, 95465.0});
}

}  // namespace
}  // namespace tenrec
