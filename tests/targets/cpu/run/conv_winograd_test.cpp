// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_winograd.h"

#include "targets/cpu/run/conv_blocked_test.h"

namespace tenrec::cpu {
namespace {

using namespace test;

// How far errors may exceed those of a direct sum as large as the layer's largest: the transforms
// add and subtract whole patches. Worst seen here: a tenth of the first, a fifth of the second.
double spread(const ConvWinogradTactic& t) { return t.outputs == 2 ? 2 : 10; }

ConvWinograd random_layer(Random& g, int block) {
  ConvWinograd p;
  Conv& c = p.conv;
  c.images = chance(g, 70) ? 1 : pick(g, 2, 3);
  c.in_channels = pick(g, 1, 4 * block);
  c.out_channels = pick(g, 1, 6 * block);
  for (Axis* a : {&c.h, &c.w}) {
    a->in = pick(g, 1, chance(g, 20) ? 40 : 14);
    a->kernel = 3;
    a->pad = chance(g, 60) ? 1 : pick(g, 0, 3);
    const int after = chance(g, 60) ? a->pad : pick(g, 0, 3);
    a->in = std::max(a->in, 3 - a->pad - after);
    a->out = a->in + a->pad + after - 2;
  }
  p.in = random_view(g, c.in_channels, c.h.in, c.w.in, block);
  p.out = random_view(g, c.out_channels, c.h.out, c.w.out, block);
  p.has_residual = chance(g, 40);
  if (p.has_residual && chance(g, 40)) p.residual_lacks = pick(g, 0, c.out_channels - 1);
  p.residual = random_view(g, c.out_channels - p.residual_lacks, c.h.out, c.w.out, block);
  p.activation = activation_of(pick(g, 0, 3), chance(g, 30));
  return p;
}

std::vector<float> check(BlockedLayer& layer, const ConvWinograd& p, const ConvWinogradTactic& t,
                         Isa isa, int threads, bool in_place) {
  return check_family<WinogradFamily>(layer, p, t, isa, threads, in_place, spread(t));
}

std::vector<ConvWinogradTactic> all_tactics(const ConvWinograd& p, Isa isa) {
  auto list = conv_winograd_tactics(p, isa, 2);
  list.push_back({2, 1, 1, true});
  list.push_back({4, 3, 100000, false});
  list.push_back({4, 3, 5, true});
  return list;
}

TEST(ConvWinograd, random_layers_with_every_tactic_and_thread_count) {
  Random g(1);
  double worst = 0;
  for (const Isa isa : isas()) {
    for (int round = 0; round < 50; round++) {
      const ConvWinograd p = random_layer(g, block_of(isa));
      ASSERT_EQ(conv_winograd_unsupported(p, isa), nullptr);
      BlockedLayer layer(g, p.conv, isa, p.in, p.out, p.residual, p.has_residual, chance(g, 30),
                         false, p.residual_lacks);
      std::vector<float> first[2];
      for (const int threads : {1, 3}) {
        for (const auto& t : all_tactics(p, isa)) {
          const auto got = check(layer, p, t, isa, threads, false);
          if (testing::Test::HasFailure()) return;
          auto& same = first[t.outputs == 4];
          if (same.empty()) same = got;
          ASSERT_TRUE(same_bits(got, same));
        }
      }
      worst = std::max(worst, layer.worst());
    }
  }
  RecordProperty("worst_error_of_allowed", std::to_string(worst));
}

TEST(ConvWinograd, residual_may_be_the_output) {
  Random g(2);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 10; round++) {
      ConvWinograd p = random_layer(g, block_of(isa));
      p.has_residual = true;
      p.residual_lacks = 0;
      p.residual = p.out =
          dense_view(p.conv.out_channels, p.conv.h.out, p.conv.w.out, block_of(isa));
      BlockedLayer layer(g, p.conv, isa, p.in, p.out, p.residual, true, false);
      for (const auto& t : all_tactics(p, isa)) check(layer, p, t, isa, 2, true);
    }
  }
}

// The claim of the header, on a layer of ResNet-50's kind: worst |error| / rms of the output.
TEST(ConvWinograd, errors_are_as_stated) {
  Random g(3);
  const Isa isa = best_isa();
  ConvWinograd p;
  p.conv = {.in_channels = 128, .out_channels = 32};
  p.conv.h = p.conv.w = {.in = 14, .out = 14, .kernel = 3, .pad = 1};
  p.in = dense_view(128, 14, 14, block_of(isa));
  p.out = dense_view(32, 14, 14, block_of(isa));
  BlockedLayer layer(g, p.conv, isa, p.in, p.out, {}, false, false);
  const double rms = std::sqrt(layer.terms()) / 3;  // of sums of products of uniform [-1, 1]
  for (const int outputs : {2, 4}) {
    layer.forget_errors();
    check(layer, p, {outputs, 2, 24, false}, isa, 1, false);
    EXPECT_LT(layer.worst_error() / rms, outputs == 2 ? 4e-6 : 6e-5) << outputs;
  }
}

TEST(ConvWinograd, says_why_not) {
  ConvWinograd p;
  p.conv = {.in_channels = 8, .out_channels = 8};
  EXPECT_STREQ(conv_winograd_unsupported(p, Isa::avx2), "kernel is not 3x3");
  p.conv.h = p.conv.w = {.in = 8, .out = 4, .kernel = 3, .stride = 2, .pad = 1};
  EXPECT_STREQ(conv_winograd_unsupported(p, Isa::avx2), "stride or dilation is not 1");
  p.conv.groups = 2;
  EXPECT_STREQ(conv_winograd_unsupported(p, Isa::avx2), "more than one group");
}

}  // namespace
}  // namespace tenrec::cpu
