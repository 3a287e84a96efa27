// SPDX-License-Identifier: Apache-2.0
// Squeeze and excitation as one region: means of an image's channels, a product with what is
// computed on it, a second product, and the image times what comes out.
#pragma once
#include "ir/expr.h"
#include "targets/target.h"

namespace tenrec::cuda {

constexpr std::string_view squeeze_anchor = "squeeze_excite";  // of the Fused nodes made here

// A product of one vector a sample with constant weights, and what is computed on its results.
struct VectorProduct {
  Tensor weights;            // [outputs, inputs]
  ExprProgram program;       // input 0: the sum, then the numbers of each row
  std::vector<Tensor> rows;  // one number an output

  int64_t outputs() const { return weights.dims()[0]; }
  int64_t inputs() const { return weights.dims()[1]; }
};

struct SqueezeExcite {
  Reject reject;  // not empty: no such block, and why
  Value* x = nullptr;
  Value* result = nullptr;
  VectorProduct hidden = {}, gate = {};
  // Of an element of x and its gate; no nodes: the gate is the result.
  ExprProgram scale = {};
  std::vector<Node*> nodes = {};  // in graph order

  Dim pixels() const;
};

// The block whose second product `node` is.
SqueezeExcite squeeze_excite_at(Node& node);

// Before fuse(), after layouts are chosen: blocks that the kernel runs become regions.
void join_squeezes(Graph& graph, const DeviceInfo& device);

}  // namespace tenrec::cuda
