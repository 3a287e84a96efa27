// SPDX-License-Identifier: Apache-2.0
#include "targets/common/part_pointwise.h"

#include "passes/pass_check.h"

namespace tenrec {
namespace {

std::string parted(const std::string& text) { return op_names(run_checked(text, part_pointwise)); }

// The end of a guided filter: a picture and its mean are joined for it, colours and mask part.
std::string filtered(int images, int first, int second) {
  return parted(fmt::format(R"(graph(%x: f32[{0}, 3, 4, 5] "x", %a: f32[{0}, 4, 4, 5] "a",
      %b: f32[4, 1, 1] "b") {{
    %one = constant() (value=i64[1](1)) : i64[1]
    %sizes = constant() (value=i64[2]({1}, {2})) : i64[2]
    %m = reduce(%x, %one) (kind=1) : f32[{0}, 1, 4, 5]
    %j = concat(%x, %m) (axis=1) : f32[{0}, 4, 4, 5]
    %c = mul(%a, %j) : f32[{0}, 4, 4, 5]
    %d = add(%c, %b) : f32[{0}, 4, 4, 5]
    %e, %f = split(%d, %sizes) (axis=1, num_outputs=2) : f32[{0}, {1}, 4, 5], f32[{0}, {2}, 4, 5]
    %g = add(%e, %x) : f32[{0}, 3, 4, 5]
    %h = relu(%f) : f32[{0}, {2}, 4, 5]
    return %g "g", %h "h"
  }})",
                            images, first, second));
}

TEST(PartPointwise, PartsMeetTheirOwn) {
  EXPECT_EQ(filtered(1, 3, 1), "reduce split mul mul split add add add relu");
}

// Parts of several images are no views.
TEST(PartPointwise, SeveralImagesStayWhole) {
  EXPECT_EQ(filtered(2, 3, 1), "reduce concat mul add split add relu");
}

// Nothing is gained where the parts were never apart, or somewhere else.
TEST(PartPointwise, OtherPartsStayWhole) {
  EXPECT_EQ(parted(R"(graph(%x: f32[1, 2, 4] "x", %y: f32[1, 4, 4] "y", %z: f32[1, 6, 4] "z") {
    %j = concat(%x, %y) (axis=1) : f32[1, 6, 4]
    %a = mul(%j, %z) : f32[1, 6, 4]
    %b, %c = split(%a) (axis=1, num_outputs=2) : f32[1, 3, 4], f32[1, 3, 4]
    %d = relu(%z) : f32[1, 6, 4]
    %e, %f = split(%d) (axis=1, num_outputs=2) : f32[1, 3, 4], f32[1, 3, 4]
    return %b "b", %c "c", %e "e", %f "f"
  })"),
            "concat mul split relu split");
}

}  // namespace
}  // namespace tenrec
