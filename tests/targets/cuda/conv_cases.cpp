// SPDX-License-Identifier: Apache-2.0
// Convolutions in plain f32 with channels last.
#include "ops/conv.h"
#include "targets/cuda/case_values.h"

namespace tenrec::test {
namespace {

struct Layer {
  int64_t images, in, out, height, width;
  Dims kernel;
  std::vector<int64_t> pads;  // top, left, bottom, right
};

}  // namespace

void conv_cases(Cases& cases) {
  const Layer layers[] = {
      {1, 40, 16, 19, 37, {3, 3}, {1, 1, 1, 1}}, {2, 12, 20, 9, 11, {3, 3}, {1, 1, 1, 1}},
      {1, 132, 68, 7, 9, {3, 3}, {1, 1, 1, 1}},  {1, 36, 44, 13, 21, {5, 3}, {2, 0, 1, 3}},
      {1, 8, 8, 12, 10, {7, 7}, {3, 3, 3, 3}},   {3, 40, 72, 7, 9, {1, 1}, {0, 0, 0, 0}},
      {1, 260, 36, 5, 7, {1, 1}, {0, 0, 0, 0}},  {2, 8, 12, 6, 5, {1, 1}, {1, 0, 2, 1}},
      {1, 4, 4, 33, 40, {1, 2}, {0, 1, 0, 0}},   {1, 160, 320, 17, 30, {1, 1}, {0, 0, 0, 0}},
  };
  for (const Layer& l : layers) {
    const int64_t terms = l.in * l.kernel[0] * l.kernel[1];
    cases.push_back(
        {fmt::format("conv plain {} > {}, {}x{}, of {} {}x{}", l.in, l.out, l.kernel[0],
                     l.kernel[1], l.images, l.height, l.width),
         Conv{.pads = l.pads},
         {f32({l.images, l.in, l.height, l.width}),
          random(DType::f32, {l.out, l.in, l.kernel[0], l.kernel[1]}, -1, 1, 2), f32({l.out}, 3)},
         {1, 2},
         sum_tolerance(terms),
         true});
  }
}

}  // namespace tenrec::test
