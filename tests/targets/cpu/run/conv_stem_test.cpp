// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_stem.h"

#include "targets/cpu/run/conv_blocked_test.h"

namespace tenrec::cpu {
namespace {

using namespace test;

ConvStem random_layer(Random& g, int block) {
  ConvStem p;
  Conv& c = p.conv;
  c.images = chance(g, 70) ? 1 : pick(g, 2, 3);
  c.in_channels = chance(g, 50) ? 3 : pick(g, 1, block - 1);
  c.out_channels = pick(g, 1, 6 * block);
  c.w = random_axis(g, chance(g, 60) ? 3 : pick(g, 1, 9), chance(g, 20) ? 150 : 20);
  if (chance(g, 85)) c.h = random_axis(g, chance(g, 60) ? 3 : pick(g, 1, 7), 14);
  p.out = random_view(g, c.out_channels, c.h.out, c.w.out, block);
  p.activation = activation_of(pick(g, 0, 3), chance(g, 30));
  return p;
}

std::vector<float> check(BlockedLayer& layer, const ConvStem& p, const ConvStemTactic& t, Isa isa,
                         int threads) {
  return check_family<StemFamily>(layer, p, t, isa, threads, false);
}

TEST(ConvStem, random_layers_with_every_tactic_and_thread_count) {
  Random g(1);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 60; round++) {
      const ConvStem p = random_layer(g, block_of(isa));
      ASSERT_EQ(conv_stem_unsupported(p, isa), nullptr);
      BlockedLayer layer(g, p.conv, isa, {}, p.out, {}, false, chance(g, 30), true);
      auto list = conv_stem_tactics(p, isa, 2);
      list.push_back({1, 5, true});
      list.push_back({3, 100000, false});
      std::vector<float> first;
      for (const int threads : {1, 3}) {
        for (const auto& t : list) {
          const auto got = check(layer, p, t, isa, threads);
          if (testing::Test::HasFailure()) return;
          if (first.empty()) first = got;
          ASSERT_TRUE(same_bits(got, first));
        }
      }
    }
  }
}

TEST(ConvStem, says_why_not) {
  ConvStem p;
  p.conv = {.in_channels = 8, .out_channels = 8};
  EXPECT_STREQ(conv_stem_unsupported(p, Isa::baseline),
               block_of(Isa::baseline) == 8 ? "as many input channels as the vector width or more"
                                            : nullptr);
  p.conv = {.groups = 3, .in_channels = 3, .out_channels = 3};
  EXPECT_STREQ(conv_stem_unsupported(p, Isa::avx2), "more than one group");
}

}  // namespace
}  // namespace tenrec::cpu
