// SPDX-License-Identifier: Apache-2.0
// Weaves moves of elements into the pointwise work around them (kernels/woven.cpp): a slice becomes
// an offset of whoever reads it, a Concat computes its pieces where they belong, a conversion
// happens while the layout changes. Channels lie last there, so that none of these is a view.
#pragma once
#include "ir/graph.h"

namespace tenrec::cuda {

constexpr std::string_view woven_anchor = "woven";  // of the Fused nodes made here

// Before fuse(): channels that a Concat leaves odd are filled up with zeros to whole blocks where a
// convolution reads them; copy engines and tensor cores take nothing less.
void round_channels(Graph& graph, int64_t block);

// After fuse().
void weave(Graph& graph);

}  // namespace tenrec::cuda
