// SPDX-License-Identifier: Apache-2.0
// Random numbers, Fourier transforms and what is recurrent.
#include "ops/contrib/group_query_attention.h"
#include "ops/linear_attention.h"
#include "ops/random.h"
#include "ops/recurrent.h"
#include "ops/signal_window.h"
#include "ops/spectrum.h"
#include "targets/cuda/case_values.h"

namespace tenrec::test {
namespace {

Tensor whole(int64_t value) { return Tensor::of<int64_t>({}, {value}); }

void draws(Cases& cases) {
  const Tensor shape = ints({3, 7, 50});
  for (const DType dtype : {DType::f32, DType::f64, DType::f16, DType::bf16}) {
    cases.push_back({fmt::format("random_uniform {}", name(dtype)),
                     RandomUniform{.dtype = dtype, .low = -3, .high = 5, .seed = 7.5F},
                     {shape},
                     {0}});
    if (dtype == DType::f16 || dtype == DType::bf16) continue;
    // The logarithm and cosine of the device are within two units of the host's.
    cases.push_back({fmt::format("random_normal {}", name(dtype)),
                     RandomNormal{.dtype = dtype, .mean = 2, .scale = 0.5F, .seed = 0},
                     {shape},
                     {0},
                     dtype == DType::f64 ? 0x1p-49 : -1});
    cases.push_back({fmt::format("multinomial {}", name(dtype)),
                     Multinomial{.sample_size = 300, .seed = 3},
                     {random(dtype, {4, 1000}, -3, 1)}});
  }
  cases.push_back({"random of nothing", RandomUniform{.seed = 1}, {ints({0, 4})}, {0}});
  cases.push_back({"multinomial i64",
                   Multinomial{.dtype = DType::i64, .sample_size = 5, .seed = 3},
                   {f32({2, 3})}});
}

// Errors of a transform grow with the logarithm of its length.
constexpr double spectrum_tolerance = 1e-6;

void spectra(Cases& cases) {
  const auto add = [&](std::string text, Dft op, Tensor signal, Tensor length = {},
                       Tensor axis = {}, bool known = true) {
    const double tolerance = signal.dtype() == DType::f64    ? 1e-14
                             : signal.dtype() == DType::f16  ? 0x1p-10
                             : signal.dtype() == DType::bf16 ? 0x1p-7
                                                             : spectrum_tolerance;
    const std::set<size_t> constants = known ? std::set<size_t>{1, 2} : std::set<size_t>{};
    cases.push_back({"dft " + text,
                     op,
                     {std::move(signal), std::move(length), std::move(axis)},
                     constants,
                     tolerance});
  };
  for (const DType dtype : {DType::f32, DType::f64, DType::f16, DType::bf16})
    add(fmt::format("{}", name(dtype)), {}, random(dtype, {2, 12, 3, 2}));
  for (const int64_t size : {1, 2, 7, 64, 97, 400})
    add(fmt::format("of {}", size), {.onesided = true}, f32({3, size, 1}));
  add("inverse", {.inverse = true}, f32({2, 30, 2}));
  for (const int64_t bins : {8, 9}) {
    Tensor half = f32({2, bins, 2});
    add(fmt::format("onesided inverse {}", bins), {.inverse = true, .onesided = true}, half);
    add(fmt::format("onesided inverse of odd length {}", bins), {.inverse = true, .onesided = true},
        half, whole(15));
  }
  add("cut", {}, f32({2, 12, 1}), whole(10));
  add("filled", {.onesided = true}, f32({2, 12, 2}), whole(17), whole(1));
  add("first axis", {}, f32({6, 5, 4, 1}), {}, whole(0));
  add("late axis", {}, f32({3, 5, 2}), {}, whole(-3), false);
  add("late length", {.onesided = true}, f32({3, 5, 2}), whole(9), whole(1), false);

  const auto stft = [&](std::string text, Stft op, Tensors inputs, std::set<size_t> constants) {
    cases.push_back(
        {"stft " + text, op, std::move(inputs), std::move(constants), spectrum_tolerance});
  };
  stft("window", {}, {f32({2, 100, 1}), whole(8), f32({20}, 2)}, {1});
  stft("plane signal", {.onesided = false}, {f32({2, 64}), whole(16), {}, whole(16)}, {1, 3});
  stft("complex", {.onesided = false}, {f32({1, 50, 2}), whole(7), f32({16}, 2), whole(16)},
       {1, 3});
  stft("too short", {}, {f32({1, 10, 1}), whole(4), f32({16}, 2)}, {1});
  stft("late", {}, {f32({2, 100, 1}), whole(8), {}, whole(20)}, {});
}

void windows(Cases& cases) {
  for (const int64_t size : {0, 1, 2, 17}) {
    for (const bool periodic : {false, true}) {
      const std::string text = fmt::format("{} {}", size, periodic);
      const auto add = [&](Op op) {
        cases.push_back({fmt::format("{} {}", op.name(), text), op, {whole(size)}, {0}, 0x1p-23});
      };
      add(HannWindow{.periodic = periodic});
      if (size < 17) continue;
      add(HammingWindow{.periodic = periodic});
      add(BlackmanWindow{.periodic = periodic});
    }
  }
  for (const DType dtype : {DType::f64, DType::f16, DType::bf16, DType::i32})
    cases.push_back({fmt::format("hann_window {}", name(dtype)),
                     HannWindow{.output_datatype = dtype},
                     {whole(9)},
                     {0},
                     dtype == DType::f64 ? 1e-15 : -1});
  for (const std::set<size_t>& constants : {std::set<size_t>{0, 1}, std::set<size_t>{}})
    cases.push_back(
        {fmt::format("mel_weight_matrix {}", constants.size()),
         MelWeightMatrix{},
         {whole(8), whole(64), whole(8000), floats({20}).reshaped({}), floats({3900}).reshaped({})},
         constants});
}

void states(Cases& cases) {
  const int64_t batch = 2, steps = 5, kv = 2, heads = 4, size = 40, values = 6;
  const auto add = [&](std::string text, LinearAttention op, DType dtype, Dims decay, Dims beta,
                       bool state) {
    op.kv_num_heads = kv;
    op.q_num_heads = heads;
    const auto part = [&](int64_t width, uint64_t seed) {
      return random(dtype, {batch, steps, width}, -0.5, 0.5, seed);
    };
    Tensors in{part(heads * size, 1), part(kv * size, 2), part(kv * values, 3), {}, {}, {}};
    if (state) in[3] = random(dtype, {batch, kv, size, values}, -1, 1, 4);
    if (!decay.empty()) in[4] = random(dtype, std::move(decay), -1, 0, 5);
    if (!beta.empty()) in[5] = random(dtype, std::move(beta), 0, 1, 6);
    // Each step rounds the sums of a key, and hands on what it got.
    const double tolerance = dtype == DType::f64 ? 1e-13 : dtype == DType::f32 ? 1e-5 : 0x1p-9;
    cases.push_back({"linear_attention " + text, op, std::move(in), {}, tolerance});
  };
  const Dims by_head{batch, steps, kv}, by_key{batch, steps, kv * size}, one{batch, steps, 1};
  for (const DType dtype : {DType::f32, DType::f16, DType::f64}) {
    const std::string type(name(dtype));
    add("linear " + type, {.update_rule = "linear"}, dtype, {}, {}, true);
    add("gated delta " + type, {}, dtype, by_key, by_head, true);
  }
  add("gated", {.scale = 0.3F, .update_rule = "gated"}, DType::f32, by_head, {}, false);
  add("delta", {.update_rule = "delta"}, DType::f32, {}, one, false);
  add("gated delta by head", {}, DType::f32, by_head, one, true);
}

void decoders(Cases& cases) {
  const int64_t heads = 4, kv = 2, size = 8;
  const auto add = [&](std::string text, GroupQueryAttention op, DType dtype, int64_t batch,
                       int64_t steps, int64_t past, const std::vector<int32_t>& last, int64_t total,
                       std::set<size_t> constants, bool bias = false, bool sinks = false) {
    op.num_heads = heads;
    op.kv_num_heads = kv;
    Tensors in(12);
    in[0] = random(dtype, {batch, steps, heads * size});
    in[1] = random(dtype, {batch, steps, kv * size}, -2, 2, 2);
    in[2] = random(dtype, {batch, steps, kv * size}, -2, 2, 3);
    if (past > 0) {
      in[3] = random(dtype, {batch, kv, past, size}, -2, 2, 4);
      in[4] = random(dtype, {batch, kv, past, size}, -2, 2, 5);
    }
    in[5] = Tensor::of<int32_t>({batch}, last);
    in[6] = Tensor::of<int32_t>({1}, {static_cast<int32_t>(total)});
    if (op.do_rotary) {
      in[7] = random(dtype, {16, size / 2}, -1, 1, 6);
      in[8] = random(dtype, {16, size / 2}, -1, 1, 7);
    }
    if (bias) in[10] = random(dtype, {1, heads, steps, total}, -1, 1, 8);
    if (sinks) in[11] = random(dtype, {heads}, -1, 1, 9);
    // Keys round to the cache's type once more.
    const double tolerance = dtype == DType::f32 ? 1e-5 : dtype == DType::f16 ? 0x1p-8 : 0x1p-5;
    cases.push_back(
        {"group_query_attention " + text, op, std::move(in), std::move(constants), tolerance});
  };
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    const std::string type(name(dtype));
    add("prompt " + type, {.do_rotary = true}, dtype, 2, 5, 0, {4, 4}, 5, {6});
    add("step " + type, {.do_rotary = true, .rotary_interleaved = true}, dtype, 2, 1, 6, {4, 6}, 7,
        {6});
  }
  add("window", {.local_window_size = 3, .scale = 0.4F}, DType::f32, 1, 6, 0, {5}, 6, {6});
  add("softcap", {.smooth_softmax = true, .softcap = 2}, DType::f32, 2, 2, 8, {3, 7}, 8, {6}, true);
  add("sinks", {}, DType::f32, 1, 3, 4, {6}, 7, {6}, false, true);
  add("late total", {.do_rotary = true}, DType::f32, 1, 2, 5, {6}, 7, {});
}

void networks(Cases& cases) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
    const auto make = [&](Dims dims, uint64_t seed) {
      return random(dtype, std::move(dims), -1, 1, seed);
    };
    const double tolerance = dtype == DType::f32   ? 1e-5
                             : dtype == DType::f64 ? 1e-13
                             : dtype == DType::f16 ? 0x1p-9
                                                   : 0x1p-6;
    const std::string type(name(dtype));
    cases.push_back(
        {"lstm batch first " + type,
         LSTM{.direction = "bidirectional", .hidden_size = 8, .layout = 1},
         {make({2, 5, 6}, 1), make({2, 32, 6}, 2), make({2, 32, 8}, 3), make({2, 64}, 4),
          Tensor::of<int32_t>({2}, {3, 5}), make({2, 2, 8}, 5), make({2, 2, 8}, 6)},
         {1, 2, 3},
         tolerance});
    cases.push_back({"gru batch first " + type,
                     GRU{.hidden_size = 8, .layout = 1},
                     {make({3, 5, 6}, 1), make({1, 24, 6}, 2), make({1, 24, 8}, 3)},
                     {1, 2},
                     tolerance});
    cases.push_back({"rnn batch first " + type,
                     RNN{.activations = {"Softsign"}, .hidden_size = 8, .layout = 1},
                     {make({3, 5, 6}, 1), make({1, 8, 6}, 2), make({1, 8, 8}, 3)},
                     {1, 2},
                     tolerance});
  }
}

}  // namespace

void signal_cases(Cases& cases) {
  draws(cases);
  spectra(cases);
  windows(cases);
  states(cases);
  decoders(cases);
  networks(cases);
}

}  // namespace tenrec::test
