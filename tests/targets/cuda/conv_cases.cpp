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
  int64_t stride = 1, dilation = 1;
};

}  // namespace

void conv_cases(Cases& cases) {
  const Layer layers[] = {
      {1, 40, 16, 19, 37, {3, 3}, {1, 1, 1, 1}},
      {2, 12, 20, 9, 11, {3, 3}, {1, 1, 1, 1}},
      {1, 132, 68, 7, 9, {3, 3}, {1, 1, 1, 1}},
      {1, 36, 44, 13, 21, {5, 3}, {2, 0, 1, 3}},
      {1, 8, 8, 12, 10, {7, 7}, {3, 3, 3, 3}},
      {3, 40, 72, 7, 9, {1, 1}, {0, 0, 0, 0}},
      {1, 260, 36, 5, 7, {1, 1}, {0, 0, 0, 0}},
      {2, 8, 12, 6, 5, {1, 1}, {1, 0, 2, 1}},
      {1, 4, 4, 33, 40, {1, 2}, {0, 1, 0, 0}},
      {1, 160, 320, 17, 30, {1, 1}, {0, 0, 0, 0}},
      {2, 20, 24, 15, 18, {3, 3}, {1, 1, 1, 1}, 2},
      {2, 20, 24, 15, 17, {1, 1}, {0, 0, 0, 0}, 2},
      {1, 16, 20, 14, 19, {3, 3}, {2, 2, 2, 2}, 1, 2},
      {1, 12, 8, 21, 16, {5, 3}, {4, 0, 3, 1}, 2, 2},
      {1, 8, 8, 40, 30, {7, 7}, {6, 6, 6, 6}, 2, 2},
      {1, 8, 12, 21, 30, {7, 7}, {3, 3, 3, 3}, 2, 1},
  };
  for (const Layer& l : layers) {
    const int64_t terms = l.in * l.kernel[0] * l.kernel[1];
    cases.push_back(
        {fmt::format("conv plain {} > {}, {}x{} s{} d{}, of {} {}x{}", l.in, l.out, l.kernel[0],
                     l.kernel[1], l.stride, l.dilation, l.images, l.height, l.width),
         Conv{.dilations = {l.dilation, l.dilation},
              .pads = l.pads,
              .strides = {l.stride, l.stride}},
         {f32({l.images, l.in, l.height, l.width}),
          random(DType::f32, {l.out, l.in, l.kernel[0], l.kernel[1]}, -1, 1, 2), f32({l.out}, 3)},
         {1, 2},
         sum_tolerance(terms),
         true});
  }
}

}  // namespace tenrec::test
