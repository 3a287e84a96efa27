// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/einsum.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(EinsumGolden, product) {
  const Tensors out =
      run(Einsum{"ij,jk->ik"}, {pattern(DType::f32, {2, 3}, 1), pattern(DType::f32, {3, 4}, 2)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 4},
               {0.39453852, 0.5359875, 0.67743647, 0.81888539, 0.57329881, 0.79243332, 1.0115678,
                1.2307024});
}

TEST(EinsumGolden, batch_ellipsis) {
  const Tensors out = run(Einsum{"...ij,...jk->...ik"},
                          {pattern(DType::f32, {2, 2, 3}, 1), pattern(DType::f32, {1, 3, 2}, 2)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 2, 2},
               {0.077113703, 0.21856266, 0.1005029, 0.31963742, -0.3598659, -0.43485984,
                -0.020634703, -0.20385009});
}

TEST(EinsumGolden, implicit) {
  const Tensors out = run(Einsum{"bij, bjk"},
                          {pattern(DType::f32, {2, 2, 3}, 1), pattern(DType::f32, {2, 3, 2}, 2)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 2}, {-0.73271585, -0.66626078, -1.0194242, -0.98350495});
}

TEST(EinsumGolden, diagonal) {
  const Tensors out = run(Einsum{"...ii->...i"}, {pattern(DType::f32, {2, 3, 3}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3},
               {-0.41458541, -0.78621382, 0.84315681, 0.75024974, 0.37862137, 0.0069930069});
}

TEST(EinsumGolden, trace) {
  const Tensors out = run(Einsum{"ii->"}, {pattern(DType::f32, {3, 3}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {-0.35764241});
}

TEST(EinsumGolden, outer) {
  const Tensors out =
      run(Einsum{"i,j->ij"}, {pattern(DType::f32, {3}, 1), pattern(DType::f32, {4}, 2)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {3, 4},
               {-0.065439053, -0.026921131, 0.011596794, 0.050114721, -0.08010371, -0.03295406,
                0.014195594, 0.061345246, -0.094768368, -0.038986988, 0.016794395, 0.072575778});
}

TEST(EinsumGolden, transpose) {
  const Tensors out = run(Einsum{"abc->cab"}, {pattern(DType::f32, {2, 3, 2}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 2, 3},
               {-0.41458541, -0.60039961, -0.78621382, -0.97202796, 0.84315681, 0.65734267,
                -0.50749248, -0.69330668, -0.87912089, 0.93606395, 0.75024974, 0.56443554});
}

TEST(EinsumGolden, attention) {
  const Tensors out = run(Einsum{"bhqd,bhkd->bhqk"}, {pattern(DType::f32, {1, 2, 3, 4}, 1),
                                                      pattern(DType::f32, {1, 2, 2, 4}, 2)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 2},
               {0.0022075812, 0.82565582, -0.26714444, 0.3651064, 0.095187522, -0.951015,
                -0.91982943, 0.30154064, 0.15755872, -0.29952464, 1.2349468, -0.90058994});
}

TEST(EinsumGolden, sum) {
  const Tensors out = run(Einsum{"ij->"}, {pattern(DType::f32, {2, 3}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {-3.881119});
}

TEST(EinsumGolden, three_operands) {
  const Tensors out =
      run(Einsum{"ij,jk,k->i"}, {pattern(DType::f32, {2, 3}, 1), pattern(DType::f32, {3, 4}, 2),
                                 pattern(DType::f32, {4}, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2}, {1.3683385, 2.0302057});
}

}  // namespace
}  // namespace tenrec
