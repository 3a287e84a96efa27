// SPDX-License-Identifier: Apache-2.0
// Squeeze and excitation behind a convolution, which gives the image its layout.
#include "ops/conv.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "targets/cuda/case_values.h"

namespace tenrec::test {
namespace {

enum class Act { none, relu, swish, hard_swish, sigmoid, hard_sigmoid, pieces };

struct Block {
  int64_t images, channels, hidden, height, width;
  Act act = Act::relu, gate = Act::hard_sigmoid;
  bool products = false;    // instead of convolutions
  bool gates_only = false;  // the result is what the image would be multiplied with
};

class Grower {
 public:
  Grower(Graph& graph, DType dtype) : graph_(graph), dtype_(dtype) {}

  Value* grow(const Block& b, Value* in) {
    Value* x = add(Conv{}, {in, weights({b.channels, 3, 1, 1}, 2, 3)});
    const Tensor axes = ints({2, 3});
    Value* mean = add(Reduce{.kind = ReduceKind::mean, .keepdims = !b.products},
                      {x, graph_.constant(nullptr, axes)});
    Value* hidden = act(b.act, product(b, mean, b.channels, b.hidden, 3));
    Value* gate = act(b.gate, product(b, hidden, b.hidden, b.channels, 5));
    if (b.products)
      gate = add(Reshape{}, {gate, graph_.constant(nullptr, ints({0, b.channels, 1, 1}))});
    return add(Cast{.to = DType::f32}, {b.gates_only ? gate : add(Mul{}, {gate, x})});
  }

 private:
  Value* add(Op op, Values inputs) {
    return graph_.insert(nullptr, std::move(op), std::move(inputs))->output();
  }
  Value* number(double value) {
    return graph_.constant(nullptr, Tensor::from_doubles(dtype_, {}, std::vector{value}));
  }
  Value* weights(Dims dims, uint64_t seed, int64_t terms) {
    const double most = 1.7 / std::sqrt(static_cast<double>(terms));
    return graph_.constant(nullptr, random(dtype_, std::move(dims), -most, most, seed));
  }

  Value* product(const Block& b, Value* x, int64_t from, int64_t to, uint64_t seed) {
    Value* bias = graph_.constant(nullptr, random(dtype_, {to}, -1, 1, seed + 1));
    if (!b.products) return add(Conv{}, {x, weights({to, from, 1, 1}, seed, from), bias});
    return add(Add{}, {add(MatMul{}, {x, weights({from, to}, seed, from)}), bias});
  }

  Value* act(Act which, Value* x) {
    switch (which) {
      case Act::none: return x;
      case Act::relu: return add(Relu{}, {x});
      case Act::swish: return add(Mul{}, {x, add(Sigmoid{}, {x})});
      case Act::hard_swish: return add(HardSwish{}, {x});
      case Act::sigmoid: return add(Sigmoid{}, {x});
      case Act::hard_sigmoid: return add(HardSigmoid{}, {x});
      case Act::pieces: {
        Value* clipped =
            add(Min{}, {add(Max{}, {add(Add{}, {x, number(3)}), number(0)}), number(6)});
        return add(Div{}, {clipped, number(6)});
      }
    }
    return x;
  }

  Graph& graph_;
  DType dtype_;
};

}  // namespace

void squeeze_cases(Cases& cases) {
  const std::vector<Block> blocks{
      {1, 16, 8, 1, 1},
      {3, 17, 1, 5, 7, Act::swish, Act::sigmoid},
      {1, 24, 17, 9, 9, Act::hard_swish, Act::pieces},
      {2, 8, 2, 12, 48, Act::relu, Act::sigmoid},
      {1, 40, 10, 80, 90, Act::relu, Act::pieces, true},
      {3, 960, 240, 7, 7},
      {1, 1001, 9, 3, 4, Act::none, Act::sigmoid, true},
      {2, 36, 8, 40, 50, Act::swish, Act::none, false, true},
      {1, 72, 24, 70, 60, Act::relu, Act::hard_sigmoid, false, true},
  };
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    for (const Block& b : blocks) {
      // Four roundings of the type on the way that the kernel leaves out, and the sums of the first
      // convolution and the products.
      const double unit = dtype == DType::f32 ? 0 : dtype == DType::f16 ? 0x1p-11 : 0x1p-8;
      const double tolerance = 8 * unit + 2 * sum_tolerance(std::max(b.channels, b.hidden));
      const auto grow = [=](Graph& graph, const Values& in) {
        return Grower(graph, dtype).grow(b, in[0]);
      };
      cases.push_back({fmt::format("squeeze_excite {} {}x{}x{}x{} by {}{}{}", name(dtype), b.images,
                                   b.channels, b.height, b.width, b.hidden,
                                   b.products ? " products" : "", b.gates_only ? " gates" : ""),
                       Conv{},
                       {random(dtype, {b.images, 3, b.height, b.width})},
                       {},
                       tolerance,
                       false,
                       grow});
    }
  }
}

}  // namespace tenrec::test
