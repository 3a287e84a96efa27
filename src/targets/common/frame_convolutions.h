// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace tenrec {

// Writes 1-D convolutions of one channel that have many weights but at most `most_places` places to
// multiply them with (the short-time Fourier transform of one chunk of sound) as products of the
// places' frames and the filters: kernels have the columns of a product side by side in vectors,
// which are the places of a convolution, and its filters then.
void frame_convolutions(Graph& graph, int64_t most_places);

}  // namespace tenrec
