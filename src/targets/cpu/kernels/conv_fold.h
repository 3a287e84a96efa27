// SPDX-License-Identifier: Apache-2.0
// What a convolution along one axis need not multiply: taps at the ends of the kernel that are zero
// in every filter, and half of the taps where every filter reads the same from both ends, or the
// same negated. Tables of windowed sines and cosines are so: a short-time Fourier transform.
#pragma once
#include <vector>

#include "targets/cpu/run/conv_params.h"

namespace tenrec::cpu {

struct FoldedConv {
  ConvParams params;           // a shorter kernel, pads that may be negative, how it folds
  std::vector<float> weights;  // of the shorter kernel
};

// Unchanged where there is nothing to gain.
//
// Folded weights are the mean of the two ends. These may differ by 2^-24 of a filter's largest
// weight, which changes a weight by less than its own rounding may have. A filter whose weights are
// all below 2^-40 of the largest of all is a zero that was computed, as sin(pi n): any mean does.
FoldedConv fold_kernel(const ConvParams& params, const float* weights);

}  // namespace tenrec::cpu
