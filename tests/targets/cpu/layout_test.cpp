// SPDX-License-Identifier: Apache-2.0
#include "targets/common/layout.h"

#include "passes/pass_check.h"
#include "targets/cpu/kernels/list.h"
#include "targets/cpu/target.h"

namespace tenrec {
namespace {

std::string laid_out(const std::string& text) {
  return op_names(run_checked(text, [](Graph& graph) {
    const DeviceInfo device = cpu::cpu_target().device_info("", 1);
    assign_layouts(graph, device,
                   {.layout = {.block_axis = 1, .block = device.channel_block},
                    .dtypes = {DType::f32},
                    .few_channels = device.channel_block,
                    .kernels = cpu::kernel_list()});
  }));
}

// %few of `channels` leaves an island, grows and meets a tensor that comes row-major.
std::string grows_and_meets(int channels) {
  std::string ones = "1";
  for (int i = 1; i < 16 * channels; ++i) ones += ", 1";
  return laid_out(fmt::format(R"(graph(%x: f32[1, 16, 8, 8] "x", %y: f32[1, {0}, 16, 16] "y") {{
    %w = constant() (value=f32[{0}, 16, 1, 1]({1})) : f32[{0}, 16, 1, 1]
    %s = constant() (value=f32[4](1, 1, 2, 2)) : f32[4]
    %a = conv(%x, %w) : f32[1, {0}, 8, 8]
    %b = relu(%a) : f32[1, {0}, 8, 8]
    %c = resize(%b, none, %s) (mode=1) : f32[1, {0}, 16, 16]
    %d = mul(%c, %y) : f32[1, {0}, 16, 16]
    %e = max_pool(%d) (kernel_shape=[2, 2]) : f32[1, {0}, 15, 15]
    return %e "e"
  }})",
                              channels, ones));
}

// Blocks that are mostly padding are left before the tensor gets larger; full ones stay.
TEST(Layout, FewChannelsLeaveBlocks) {
  EXPECT_EQ(grows_and_meets(2), "reformat conv relu reformat resize mul max_pool");
  EXPECT_EQ(grows_and_meets(32), "reformat conv relu resize reformat mul max_pool reformat");
}

// A block's channels are cut into two halves, which meet again.
std::string cut_and_joined(int channels) {
  std::string ones = "1";
  for (int i = 1; i < 16 * channels; ++i) ones += ", 1";
  return laid_out(fmt::format(R"(graph(%x: f32[1, 16, 8, 8] "x") {{
    %w = constant() (value=f32[{0}, 16, 1, 1]({2})) : f32[{0}, 16, 1, 1]
    %a = conv(%x, %w) : f32[1, {0}, 8, 8]
    %b, %c = split(%a) (axis=1, num_outputs=2) : f32[1, {1}, 8, 8], f32[1, {1}, 8, 8]
    %d = concat(%c, %b) (axis=1) : f32[1, {0}, 8, 8]
    %e = relu(%d) : f32[1, {0}, 8, 8]
    return %e "e"
  }})",
                              channels, channels / 2, ones));
}

// Parts of channels stay in blocks, but for those that would be mostly padding.
TEST(Layout, PartsOfChannelsStayInBlocks) {
  EXPECT_EQ(cut_and_joined(40), "reformat conv split concat relu reformat");
  EXPECT_EQ(cut_and_joined(6), "reformat conv reformat split concat relu");
}

// Blurs of each channel for itself beside a product with what is row-major.
std::string blurred_beside_rows(int channels) {
  std::string ones = "1";
  for (int i = 1; i < 16 * channels; ++i) ones += ", 1";
  return laid_out(fmt::format(R"(graph(%x: f32[1, 16, 8, 8] "x", %y: f32[1, {0}, 8, 8] "y") {{
    %w = constant() (value=f32[{0}, 16, 1, 1]({1})) : f32[{0}, 16, 1, 1]
    %b = constant() (value=f32[{0}, 1, 4, 4]({1})) : f32[{0}, 1, 4, 4]
    %a = conv(%x, %w) : f32[1, {0}, 8, 8]
    %c = conv(%a, %b) (group={0}, pads=[2, 2, 1, 1]) : f32[1, {0}, 8, 8]
    %d = mul(%a, %y) : f32[1, {0}, 8, 8]
    return %c "c", %d "d"
  }})",
                              channels, ones));
}

// Who reads rows beside others that have to, gets them for nothing.
TEST(Layout, BlursFollowTheRows) {
  EXPECT_EQ(blurred_beside_rows(4), "reformat conv reformat conv mul");
  EXPECT_EQ(blurred_beside_rows(16), "reformat conv conv reformat mul reformat reformat");
}

}  // namespace
}  // namespace tenrec
