// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_rows.h"

#include "targets/cpu/run/conv_blocked_test.h"

namespace tenrec::cpu {
namespace {

using namespace test;

// A channel is a block of its own: plain tensors.
View plain(int channels, int height, int width) { return dense_view(channels, height, width, 1); }

ConvRows random_layer(Random& g) {
  ConvRows p;
  Conv& c = p.conv;
  c.images = chance(g, 70) ? 1 : pick(g, 2, 3);
  c.groups = c.in_channels = c.out_channels = pick(g, 1, 6);
  do c.w = random_axis(g, chance(g, 60) ? 3 : pick(g, 1, 7), chance(g, 40) ? 300 : 20);
  while (c.w.stride != 1);
  if (chance(g, 85)) c.h = random_axis(g, chance(g, 60) ? 3 : pick(g, 1, 6), 14);
  p.has_residual = chance(g, 30);
  p.activation = activation_of(pick(g, 0, 3), chance(g, 30));
  return p;
}

BlockedLayer layer_of(Random& g, const ConvRows& p, Isa isa, bool hook) {
  const Conv& c = p.conv;
  const View in = plain(c.in_channels, c.h.in, c.w.in);
  const View out = plain(c.out_channels, c.h.out, c.w.out);
  return {g, c, isa, in, out, out, p.has_residual, hook, false, 0, 1};
}

TEST(ConvRows, random_layers_with_every_tactic_and_thread_count) {
  Random g(1);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 150; round++) {
      const ConvRows p = random_layer(g);
      ASSERT_EQ(conv_rows_unsupported(p), nullptr);
      BlockedLayer layer = layer_of(g, p, isa, chance(g, 30));
      std::vector<float> first;
      for (const int threads : {1, 3}) {
        for (const auto& t : conv_rows_tactics()) {
          const auto got = check_family<RowsFamily>(layer, p, t, isa, threads, false);
          if (testing::Test::HasFailure()) return;
          if (first.empty()) first = got;
          ASSERT_TRUE(same_bits(got, first));
        }
      }
    }
  }
}

TEST(ConvRows, residual_may_be_the_output) {
  Random g(2);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 15; round++) {
      ConvRows p = random_layer(g);
      p.has_residual = true;
      BlockedLayer layer = layer_of(g, p, isa, false);
      for (const auto& t : conv_rows_tactics()) check_family<RowsFamily>(layer, p, t, isa, 2, true);
    }
  }
}

TEST(ConvRows, says_why_not) {
  ConvRows p;
  p.conv = {.groups = 4, .in_channels = 4, .out_channels = 8};
  EXPECT_STREQ(conv_rows_unsupported(p), "not one filter for each channel");
  p.conv.out_channels = 4;
  p.conv.w.stride = 2;
  EXPECT_STREQ(conv_rows_unsupported(p), "a stride along rows");
}

}  // namespace
}  // namespace tenrec::cpu
