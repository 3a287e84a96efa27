// SPDX-License-Identifier: Apache-2.0
// Grows regions that one kernel can run and makes each a Fused node: pointwise operators of one
// shape
// ("pointwise"), and a convolution or matrix product with the pointwise operators that only it
// feeds
// ("conv", "conv_transpose", "matmul").
//
// Targets call it from prepare_graph, after they have chosen layouts: a region keeps the layouts
// that its values have, and all its full-size values share one.
#pragma once
#include <string>
#include <vector>

#include "ir/graph.h"

namespace tenrec {

struct FuseOptions {
  size_t max_nodes = 48;   // in one region
  size_t max_inputs = 12;  // of one region, scalars not counted
  std::vector<std::string> anchors{"conv", "conv_transpose", "matmul"};
  // Element types that fused code may read and write.
  std::vector<DType> dtypes{DType::f32, DType::i32, DType::i64, DType::boolean};
  // Constants up to this many elements stand in the body, larger ones are inputs.
  uint64_t max_body_elements = 64;
};

void fuse(Graph& graph, const FuseOptions& options = {});

}  // namespace tenrec
