// SPDX-License-Identifier: Apache-2.0
#include "targets/common/frame_convolutions.h"

#include "passes/pass_check.h"

namespace tenrec {
namespace {

// The operators that a convolution by 64 filters of 64 taps becomes.
std::string framed(std::string_view x, std::string_view attributes, std::string_view y,
                   std::string_view bias = "") {
  std::string weights;
  for (int i = 0; i < 64 * 64; ++i) weights += fmt::format("{}{}", i ? ", " : "", i % 97 * 0.01);
  std::string biases;
  for (int i = 0; i < 64; ++i) biases += fmt::format("{}{}", i ? ", " : "", i);
  return op_names(run_checked(
      fmt::format(R"(graph(%x: f32{} "x") {{
    %w = constant() (value=f32[64, 1, 64]({})) : f32[64, 1, 64]
    %b = constant() (value=f32[64]({})) : f32[64]
    %y = conv(%x, %w{}) ({}) : f32{}
    return %y "y"
  }})",
                  x, weights, biases, bias, attributes, y),
      [](Graph& graph) { frame_convolutions(graph, 4); }, 1e-4));
}

TEST(FrameConvolutions, FewPlacesAreRowsOfAProduct) {
  const std::string product = "gather matmul squeeze transpose";
  EXPECT_EQ(framed("[2, 1, 160]", "strides=[32]", "[2, 64, 4]"), product);
  EXPECT_EQ(framed("[1, 1, 130]", "dilations=[2], pads=[0, 0]", "[1, 64, 4]"), product);
  EXPECT_EQ(framed("[N, 1, 160]", "strides=[32]", "[N, 64, 4]", ", %b"),
            "gather matmul squeeze add transpose");
}

TEST(FrameConvolutions, OthersStay) {
  EXPECT_EQ(framed("[1, 1, 192]", "strides=[32]", "[1, 64, 5]"), "conv");
  EXPECT_EQ(framed("[1, 1, 159]", "strides=[32], pads=[1, 0]", "[1, 64, 4]"), "conv");
}

}  // namespace
}  // namespace tenrec
