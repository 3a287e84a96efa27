// SPDX-License-Identifier: Apache-2.0
#include "targets/common/frame_convolutions.h"

#include <algorithm>

#include "ir/constant.h"
#include "ops/conv.h"
#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/matmul.h"
#include "ops/squeeze.h"
#include "ops/transpose.h"

namespace tenrec {
namespace {

constexpr int64_t fewest_weights = 4096;

bool can_frame(const Conv& conv, const Node& node, int64_t most_places) {
  const Tensor* weights = node.input(1)->constant();
  const Shape& y = node.output()->type.shape;
  const bool padded = std::any_of(conv.pads.begin(), conv.pads.end(), [](int64_t p) { return p; });
  return weights && weights->dtype() == DType::f32 && weights->rank() == 3 &&
         weights->dims()[1] == 1 && conv.group == 1 && !padded &&
         (conv.auto_pad == AutoPad::notset || conv.auto_pad == AutoPad::valid) &&
         static_cast<int64_t>(weights->elements()) >= fewest_weights && y.size() == 3 &&
         y[2].constant().value_or(INT64_MAX) <= most_places;
}

// Where the taps of every place lie: [places, taps].
Tensor positions(const Conv& conv, int64_t places, int64_t taps) {
  const int64_t stride = conv.strides.empty() ? 1 : conv.strides[0];
  const int64_t dilation = conv.dilations.empty() ? 1 : conv.dilations[0];
  std::vector<int64_t> at;
  for (int64_t place = 0; place < places; ++place)
    for (int64_t tap = 0; tap < taps; ++tap) at.push_back(place * stride + tap * dilation);
  return Tensor::of<int64_t>({places, taps}, at);
}

// [filters, 1, taps] to [taps, filters].
Tensor columns(const Tensor& weights) {
  const int64_t filters = weights.dims()[0], taps = weights.dims()[2];
  const std::span<const float> from = weights.as<float>();
  std::vector<float> to;
  to.reserve(from.size());
  for (int64_t tap = 0; tap < taps; ++tap)
    for (int64_t filter = 0; filter < filters; ++filter)
      to.push_back(from[static_cast<size_t>(filter * taps + tap)]);
  return Tensor::of<float>({taps, filters}, to);
}

void frame(Rewriter& rw, const Node& node, const Conv& conv) {
  const Tensor& weights = *node.input(1)->constant();
  const int64_t places = node.output()->type.shape[2].value();
  const auto constant = [&](const Tensor& tensor) { return rw.constant(node, tensor); };
  Value* frames = rw.insert(node, Gather{2},
                            {node.input(0), constant(positions(conv, places, weights.dims()[2]))});
  Value* out = rw.insert(node, MatMul{}, {frames, constant(columns(weights))});
  out = rw.insert(node, Squeeze{}, {out, constant(Tensor::of<int64_t>({1}, {1}))});
  if (node.inputs().size() > 2 && node.input(2)) out = rw.insert(node, Add{}, {out, node.input(2)});
  rw.replace(node, Transpose{{0, 2, 1}}, {out});
}

}  // namespace

void frame_convolutions(Graph& graph, int64_t most_places) {
  Rewriter rw(graph);
  for (Node* node = graph.front(); node;) {
    Node* const next = node->next();
    for (size_t i = 0; i < node->body_count(); ++i) frame_convolutions(node->body(i), most_places);
    const auto* conv = node->as<Conv>();
    if (conv && can_frame(*conv, *node, most_places)) frame(rw, *node, *conv);
    node = next;
  }
  graph.remove_dead();
}

}  // namespace tenrec
