// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "common/step_runner.h"
#include "ops/arg_reduce.h"
#include "ops/cum_sum.h"
#include "ops/elementwise.h"
#include "ops/recurrent.h"
#include "ops/roi.h"
#include "ops/topk.h"
#include "targets/cpu/run/cpu_device.h"

namespace tenrec::test {
namespace {

// x, W, R, B, sequence_lens, h0, c0, P
template <class T>
void check_recurrent(T op, int64_t gates, int64_t time, int64_t batch, int64_t features,
                     int64_t hidden, bool full, bool constant) {
  const int64_t directions = op.direction == "bidirectional" ? 2 : 1;
  op.hidden_size = hidden;
  const auto random = [](Dims dims, uint64_t seed) {
    return random_tensor(DType::f32, std::move(dims), -0.7, 0.7, seed);
  };
  StepCase c{.op = op,
             .inputs = {random({time, batch, features}, 1),
                        random({directions, gates * hidden, features}, 2),
                        random({directions, gates * hidden, hidden}, 3)},
             .tolerance = 5e-6};
  if (full) {
    c.inputs.push_back(random({directions, 2 * gates * hidden}, 4));
    std::vector<int32_t> lengths;
    for (int64_t n = 0; n < batch; ++n) lengths.push_back(static_cast<int32_t>(time - n % time));
    c.inputs.push_back(Tensor::of({batch}, lengths));
    c.inputs.push_back(random({directions, batch, hidden}, 5));
    if (gates == 4) {
      c.inputs.push_back(random({directions, batch, hidden}, 6));
      c.inputs.push_back(random({directions, 3 * hidden}, 7));
    }
  }
  if (constant) c.constants = {1, 2};
  check_step(c, "recurrent");
}

TEST(Recurrent, every_cell_and_direction) {
  for (const char* direction : {"forward", "reverse", "bidirectional"}) {
    for (const bool full : {false, true}) {
      for (const bool constant : {false, true}) {
        LSTM lstm;
        lstm.direction = direction;
        check_recurrent(lstm, 4, 6, 3, 5, 11, full, constant);
        check_recurrent(lstm, 4, 1, 1, 128, 128, full, constant);
        lstm.input_forget = true;
        lstm.clip = 0.3F;
        check_recurrent(lstm, 4, 4, 2, 5, 16, full, constant);
        for (const bool before : {false, true}) {
          GRU gru;
          gru.direction = direction;
          gru.linear_before_reset = before;
          check_recurrent(gru, 3, 5, 3, 4, 9, full, constant);
        }
        RNN rnn;
        rnn.direction = direction;
        rnn.activations = direction == std::string("bidirectional")
                              ? std::vector<std::string>{"Relu", "Tanh"}
                              : std::vector<std::string>{"Softsign"};
        check_recurrent(rnn, 1, 5, 2, 4, 7, full, constant);
      }
    }
  }
}

TEST(Order, extremes) {
  for (const DType dtype : {DType::f32, DType::i64, DType::i32, DType::f64}) {
    const Tensor x = random_tensor(dtype, {4, 9, 6}, -3, 3);
    for (const int64_t axis : {0, 1, 2}) {
      for (const bool largest : {false, true}) {
        for (const bool last : {false, true}) {
          check_step({.op = ArgReduce{largest, axis, true, last}, .inputs = {x}}, "order");
        }
        check_step({.op = TopK{axis, largest, true}, .inputs = {x, ints({3})}, .constants = {1}},
                   "order");
      }
      for (const bool reverse : {false, true}) {
        for (const bool exclusive : {false, true}) {
          check_step({.op = CumSum{exclusive, reverse},
                      .inputs = {x, Tensor::scalar<int64_t>(axis)},
                      .constants = {1}},
                     "order");
        }
      }
    }
  }
  check_step({.op = TopK{},
              .inputs = {random_tensor(DType::f32, {3, 20000}), ints({300})},
              .constants = {1}},
             "order");
}

TEST(RoiAlign, samples) {
  const Tensor x = random_tensor(DType::f32, {2, 5, 20, 30}),
               wide = random_tensor(DType::f32, {2, 19, 20, 30});
  const Tensor rois =
      Tensor::of<float>({4, 4}, {0, 0, 10, 8, 5, 3, 29, 19, -4, -4, 60, 60, 7, 7, 7, 7});
  const Tensor batches = Tensor::of<int64_t>({4}, {0, 1, 1, 0});
  for (const bool half : {false, true}) {
    for (const bool maximum : {false, true}) {
      for (const int64_t ratio : {0, 2}) {
        RoiAlign op;
        op.half_pixel = half;
        op.maximum = maximum;
        op.sampling_ratio = ratio;
        op.output_height = 3;
        op.output_width = 4;
        op.spatial_scale = 0.7F;
        StepCase c{.op = op, .inputs = {x, rois, batches}, .tolerance = 3e-6};
        check_step(c, "roi_align");
        // Channels of a whole block and a part of one, read where a convolution leaves them.
        c.inputs[0] = wide;
        c.layout.block_axis = 1;
        c.blocked = {0};
        for (const cpu::Isa isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
          if (!cpu::supported(isa)) continue;
          c.layout.block = cpu::block_of(isa);
          c.device = cpu::fingerprint_of(isa);
          check_step(c, "roi_align");
        }
      }
    }
  }
}

// The comparison itself must be able to fail.
TEST(StepRunner, notices_differences) {
  static const StepCase exact{
      .op = Exp{}, .inputs = {random_tensor(DType::f32, {1000}, -9, 9)}, .tolerance = 0};
  testing::TestPartResultArray failures;
  {
    const testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    check_step(exact, "pointwise");
  }
  EXPECT_GT(failures.size(), 0);
}

}  // namespace
}  // namespace tenrec::test
