// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/recurrent.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(RecurrentGolden, lstm) {
  const Tensors out =
      run(LSTM{}, {pattern(DType::f32, {3, 2, 3}, 1), pattern(DType::f32, {1, 16, 3}, 2),
                   pattern(DType::f32, {1, 16, 4}, 3)});
  ASSERT_GE(out.size(), 3U);
  expect_close(
      out[0], {3, 1, 2, 4},
      {-0.1286934,   -0.087065965, -0.055733301, 0.066100024,  -0.12363748,  -0.077682972,
       -0.076062895, 0.1029196,    -0.016509384, -0.029173937, -0.015245923, 0.033448517,
       0.16817623,   0.09145505,   0.035371501,  0.03564547,   0.184444,     0.1276295,
       0.04139204,   0.0046653482, 0.11792143,   0.059796844,  -0.016288083, -0.021334091});
  expect_close(out[1], {1, 2, 4},
               {0.184444, 0.1276295, 0.04139204, 0.0046653482, 0.11792143, 0.059796844,
                -0.016288083, -0.021334091});
  expect_close(out[2], {1, 2, 4},
               {0.34264117, 0.18998015, 0.06797424, 0.0087197702, 0.28235251, 0.097010657,
                -0.028655006, -0.041256599});
}

TEST(RecurrentGolden, lstm_everything) {
  const Tensors out =
      run(LSTM{.clip = 0.4F, .direction = "bidirectional"},
          {pattern(DType::f32, {3, 2, 3}, 1, -2, 2), pattern(DType::f32, {2, 8, 3}, 2),
           pattern(DType::f32, {2, 8, 2}, 3), pattern(DType::f32, {2, 16}, 4),
           Tensor::of<int32_t>({2}, {3, 2}), pattern(DType::f32, {2, 2, 2}, 5),
           pattern(DType::f32, {2, 2, 2}, 6), pattern(DType::f32, {2, 6}, 7)});
  ASSERT_GE(out.size(), 3U);
  expect_close(out[0], {3, 2, 2, 2},
               {0.086445168,  0.21161273,    -0.026462158, 0.17156509,   -0.1056504, -0.061797436,
                -0.085867837, -0.0036167514, 0.097250529,  0.11984555,   0.07550215, 0.12746042,
                -0.025822904, -0.14608806,   0.02641031,   -0.10747001,  0.1289217,  0.13084513,
                0.0,          0.0,           0.03361994,   -0.065834843, 0.0,        0.0});
  expect_close(out[1], {2, 2, 2},
               {0.1289217, 0.13084513, 0.07550215, 0.12746042, -0.1056504, -0.061797436,
                -0.085867837, -0.0036167514});
  expect_close(out[2], {2, 2, 2},
               {0.33304068, 0.33839428, 0.19040626, 0.32898563, -0.17833687, -0.10359048,
                -0.14442259, -0.0060412064});
}

TEST(RecurrentGolden, lstm_activations) {
  const Tensors out = run(LSTM{.activation_alpha = {0.3F, 1.5F},
                               .activation_beta = {0.4F},
                               .activations = {"HardSigmoid", "Softsign", "LeakyRelu"}},
                          {pattern(DType::f32, {2, 1, 2}, 1), pattern(DType::f32, {1, 8, 2}, 2),
                           pattern(DType::f32, {1, 8, 2}, 3), pattern(DType::f32, {1, 16}, 4)});
  ASSERT_GE(out.size(), 3U);
  expect_close(out[0], {2, 1, 1, 2}, {0.041906334, -0.02374192, 0.090061337, -0.088680178});
  expect_close(out[1], {1, 1, 2}, {0.090061337, -0.088680178});
  expect_close(out[2], {1, 1, 2}, {0.25602615, -0.16103494});
}

TEST(RecurrentGolden, lstm_input_forget_reverse) {
  const Tensors out = run(LSTM{.direction = "reverse", .input_forget = true},
                          {pattern(DType::f32, {3, 2, 2}, 1), pattern(DType::f32, {1, 8, 2}, 2),
                           pattern(DType::f32, {1, 8, 2}, 3), pattern(DType::f32, {1, 16}, 4),
                           Tensor::of<int32_t>({2}, {3, 2})});
  ASSERT_GE(out.size(), 3U);
  expect_close(out[0], {3, 1, 2, 2},
               {0.19600959, -0.07864853, 0.21064197, -0.078337051, 0.18830751, -0.068857044,
                0.1467149, 0.052139271, 0.081209354, 0.070459761, 0.0, 0.0});
  expect_close(out[1], {1, 2, 2}, {0.19600959, -0.07864853, 0.21064197, -0.078337051});
  expect_close(out[2], {1, 2, 2}, {0.47162938, -0.18198735, 0.4773801, -0.1651433});
}

TEST(RecurrentGolden, gru) {
  const Tensors out =
      run(GRU{}, {pattern(DType::f32, {3, 2, 3}, 1), pattern(DType::f32, {1, 12, 3}, 2),
                  pattern(DType::f32, {1, 12, 4}, 3), pattern(DType::f32, {1, 24}, 4)});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {3, 1, 2, 4},
               {0.1701504,    0.2757301,   0.3351115,   -0.099390619, 0.25362584,   0.38380471,
                0.37273243,   0.020040641, -0.16769671, -0.47904569,  -0.53254837,  0.38347498,
                -0.086028233, -0.53233099, -0.71338123, -0.70241815,  -0.042029735, -0.32185358,
                -0.81863558,  -0.67717761, 0.30601594,  0.2183899,    -0.80164015,  -0.78282696});
  expect_close(out[1], {1, 2, 4},
               {-0.042029735, -0.32185358, -0.81863558, -0.67717761, 0.30601594, 0.2183899,
                -0.80164015, -0.78282696});
}

TEST(RecurrentGolden, gru_linear_before_reset) {
  const Tensors out = run(GRU{.direction = "bidirectional", .linear_before_reset = true},
                          {pattern(DType::f32, {3, 2, 3}, 1), pattern(DType::f32, {2, 6, 3}, 2),
                           pattern(DType::f32, {2, 6, 2}, 3), pattern(DType::f32, {2, 12}, 4),
                           Tensor::of<int32_t>({2}, {3, 2}), pattern(DType::f32, {2, 2, 2}, 5)});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {3, 2, 2, 2},
               {0.23406574,  -0.075163305, 0.1126968,   -0.3810001,  -0.41637462, -0.5173707,
                -0.29253376, -0.72114778,  0.60600311,  0.47774988,  0.49376214,  0.51232713,
                -0.75993061, -0.36927986,  -0.75215173, -0.80873454, 0.67272139,  0.68124664,
                0.0,         0.0,          -0.64317334, -0.67784393, 0.0,         0.0});
  expect_close(out[1], {2, 2, 2},
               {0.67272139, 0.68124664, 0.49376214, 0.51232713, -0.41637462, -0.5173707,
                -0.29253376, -0.72114778});
}

TEST(RecurrentGolden, gru_clip) {
  const Tensors out =
      run(GRU{.clip = 0.3F},
          {pattern(DType::f32, {3, 1, 2}, 1, -3, 3), pattern(DType::f32, {1, 6, 2}, 2),
           pattern(DType::f32, {1, 6, 2}, 3), pattern(DType::f32, {1, 12}, 4)});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {3, 1, 1, 2},
               {0.1636419, 0.1398357, 0.23269317, 0.20429784, 0.2648727, 0.24132763});
  expect_close(out[1], {1, 1, 2}, {0.2648727, 0.24132763});
}

TEST(RecurrentGolden, rnn) {
  const Tensors out = run(RNN{.direction = "bidirectional"},
                          {pattern(DType::f32, {3, 2, 3}, 1), pattern(DType::f32, {2, 2, 3}, 2),
                           pattern(DType::f32, {2, 2, 2}, 3), pattern(DType::f32, {2, 4}, 4),
                           Tensor::of<int32_t>({2}, {3, 2}), pattern(DType::f32, {2, 2, 2}, 5)});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {3, 2, 2, 2},
               {-0.95584029, -0.9205786, -0.97592473, -0.92153573, 0.99453425,  0.99387479,
                0.99395585,  0.99757683, -0.99488837, -0.99548429, -0.99164855, -0.99610806,
                0.89968395,  0.69150376, 0.26456785,  -0.19087321, -0.99336243, -0.99490434,
                0.0,         0.0,        0.66339242,  0.46101105,  0.0,         0.0});
  expect_close(out[1], {2, 2, 2},
               {-0.99336243, -0.99490434, -0.99164855, -0.99610806, 0.99453425, 0.99387479,
                0.99395585, 0.99757683});
}

TEST(RecurrentGolden, rnn_relu) {
  const Tensors out = run(RNN{.activations = {"Relu"}},
                          {pattern(DType::f32, {2, 1, 2}, 1), pattern(DType::f32, {1, 3, 2}, 2),
                           pattern(DType::f32, {1, 3, 3}, 3)});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {2, 1, 1, 3},
               {0.0, 0.072942041, 0.24427719, 0.039700314, 0.19167355, 0.34364679});
  expect_close(out[1], {1, 1, 3}, {0.039700314, 0.19167355, 0.34364679});
}

TEST(RecurrentGolden, gru_batch_first) {
  const Tensors out =
      run(GRU{.layout = 1}, {pattern(DType::f32, {2, 1, 3}, 1), pattern(DType::f32, {1, 6, 3}, 2),
                             pattern(DType::f32, {1, 6, 2}, 3)});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {2, 1, 1, 2}, {-0.27988225, -0.31726986, -0.36577591, -0.34150362});
  expect_close(out[1], {2, 1, 2}, {-0.27988225, -0.31726986, -0.36577591, -0.34150362});
}

}  // namespace
}  // namespace tenrec
