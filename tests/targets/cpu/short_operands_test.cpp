// SPDX-License-Identifier: Apache-2.0
#include "targets/common/short_operands.h"

#include "passes/pass_check.h"
#include "targets/cpu/kernels/list.h"
#include "targets/cpu/target.h"

namespace tenrec {
namespace {

std::string repeated(const std::string& text, int count) {
  std::string list = text;
  for (int i = 1; i < count; ++i) list += ", " + text;
  return list;
}

// A convolution of 16 channels to 20, `combined` with its input and 4 channels of `filling`: the
// operators before the region and inside.
std::string shortened(const std::string& combined, const std::string& filling) {
  const DeviceInfo device = cpu::cpu_target().device_info("", 1);
  const std::string text = fmt::format(
      R"(graph(%x: f32[1, 16, 2, 2]:b1x{0} "x") {{
    %w = constant() (value=f32[20, 16, 1, 1]({1})) : f32[20, 16, 1, 1]
    %z = constant() (value=f32[1, 4, 2, 2]({2})) : f32[1, 4, 2, 2]
    %f = reformat(%z) (block_axis=1, block={0}) : f32[1, 4, 2, 2]:b1x{0}
    %c = concat(%x, %f) (axis=1) : f32[1, 20, 2, 2]:b1x{0}
    %d = fused(%x, %w, %c) (anchor="conv") graph(%1: f32[1, 16, 2, 2]:b1x{0}, %2: f32[20, 16, 1, 1], %3: f32[1, 20, 2, 2]:b1x{0}) {{
      %4 = conv(%1, %2) : f32[1, 20, 2, 2]:b1x{0}
      %5 = {3}(%4, %3) : f32[1, 20, 2, 2]:b1x{0}
      return %5 ""
    }} : f32[1, 20, 2, 2]:b1x{0}
    return %d "d"
  }})",
      device.channel_block, repeated("1", 20 * 16), repeated(filling, 16), combined);
  return op_names(run_checked(
      text, [&](Graph& graph) { shorten_operands(graph, cpu::kernel_list(), device); }));
}

TEST(ShortOperands, ZeroChannelsOfAResidualAreNotWritten) {
  EXPECT_EQ(shortened("add", "0"), "fused pad conv add");
}

// Other channels count, and no kernel multiplies by what is not there.
TEST(ShortOperands, OthersAreConcatenated) {
  EXPECT_EQ(shortened("add", "1"), "reformat concat fused conv add");
  EXPECT_EQ(shortened("mul", "0"), "reformat concat fused conv mul");
}

}  // namespace
}  // namespace tenrec
