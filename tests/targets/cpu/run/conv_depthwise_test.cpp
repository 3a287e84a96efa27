// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_depthwise.h"

#include "targets/cpu/run/conv_blocked_test.h"

namespace tenrec::cpu {
namespace {

using namespace test;

ConvDepthwise random_layer(Random& g, int block) {
  ConvDepthwise p;
  Conv& c = p.conv;
  c.images = chance(g, 70) ? 1 : pick(g, 2, 3);
  c.groups = c.in_channels = c.out_channels = pick(g, 1, 4 * block);
  c.w = random_axis(g, chance(g, 60) ? 3 : pick(g, 1, 7), chance(g, 20) ? 70 : 20);
  if (chance(g, 20)) {  // rows in two phases
    c.w.dilation = 2, c.w.stride = 1, c.w.kernel = chance(g, 50) ? 3 : 5;
    c.w.pad = 2 * pick(g, 0, c.w.kernel - 1);
    c.w.in += 2 * c.w.kernel;
    c.w.out = c.w.in + c.w.pad + pick(g, 0, 2 * c.w.kernel) - 2 * (c.w.kernel - 1);
  }
  if (chance(g, 85)) c.h = random_axis(g, chance(g, 60) ? 3 : pick(g, 1, 6), 14);
  p.in = random_view(g, c.in_channels, c.h.in, c.w.in, block);
  p.out = random_view(g, c.out_channels, c.h.out, c.w.out, block);
  p.residual = random_view(g, c.out_channels, c.h.out, c.w.out, block);
  p.has_residual = chance(g, 30);
  p.activation = activation_of(pick(g, 0, 3), chance(g, 30));
  return p;
}

std::vector<float> check(BlockedLayer& layer, const ConvDepthwise& p, const ConvDepthwiseTactic& t,
                         Isa isa, int threads, bool in_place) {
  return check_family<DepthwiseFamily>(layer, p, t, isa, threads, in_place);
}

std::vector<ConvDepthwiseTactic> all_tactics(const ConvDepthwise& p, Isa isa) {
  auto list = conv_depthwise_tactics(p, isa, 2);
  list.push_back({true, 1});
  list.push_back({false, 5});
  return list;
}

TEST(ConvDepthwise, random_layers_with_every_tactic_and_thread_count) {
  Random g(1);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 100; round++) {
      const ConvDepthwise p = random_layer(g, block_of(isa));
      ASSERT_EQ(conv_depthwise_unsupported(p), nullptr);
      BlockedLayer layer(g, p.conv, isa, p.in, p.out, p.residual, p.has_residual, chance(g, 30));
      std::vector<float> first;
      for (const int threads : {1, 3}) {
        for (const auto& t : all_tactics(p, isa)) {
          const auto got = check(layer, p, t, isa, threads, false);
          if (testing::Test::HasFailure()) return;
          if (first.empty()) first = got;
          ASSERT_TRUE(same_bits(got, first));
        }
      }
    }
  }
}

TEST(ConvDepthwise, residual_may_be_the_output) {
  Random g(2);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 15; round++) {
      ConvDepthwise p = random_layer(g, block_of(isa));
      p.has_residual = true;
      p.residual = p.out =
          dense_view(p.conv.out_channels, p.conv.h.out, p.conv.w.out, block_of(isa));
      BlockedLayer layer(g, p.conv, isa, p.in, p.out, p.residual, true, false);
      for (const auto& t : all_tactics(p, isa)) check(layer, p, t, isa, 2, true);
    }
  }
}

TEST(ConvDepthwise, says_why_not) {
  ConvDepthwise p;
  p.conv = {.groups = 4, .in_channels = 4, .out_channels = 8};
  EXPECT_STREQ(conv_depthwise_unsupported(p), "not one filter for each channel");
}

}  // namespace
}  // namespace tenrec::cpu
