// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// The sizes of axes [start, end) as an i64 vector. (`Shape` names the vector of Dims.)
struct ShapeOf {
  int64_t start = 0;
  int64_t end = std::numeric_limits<int64_t>::max();
  static auto fields(auto& s) {
    return std::tuple{field(1, "start", s.start), field(2, "end", s.end)};
  }
  static constexpr std::string_view onnx_name = "Shape";
  static constexpr Accuracy accuracy = exact();

  std::pair<int64_t, int64_t> range(int64_t rank) const {
    const auto clamped = [&](int64_t axis) {
      return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
    };
    const int64_t first = clamped(start);
    return {first, std::max(first, clamped(end))};
  }

  Types infer(const Types& in) const {
    const Type& x = tensor_input(in, 0, "Shape");
    if (!x.ranked) return {fresh_tensor(DType::i64, 1, "rank")};
    const auto [first, last] = range(x.rank());
    std::vector<Dim> sizes(x.shape.begin() + first, x.shape.begin() + last);
    const Dim count(last - first);
    return {Type::tensor(DType::i64, {count}).with_known_ints(std::move(sizes))};
  }

  Tensors eval(const Tensors& in) const {
    const auto [first, last] = range(in[0].rank());
    return {Tensor::of({last - first}, std::vector<int64_t>(in[0].dims().begin() + first,
                                                            in[0].dims().begin() + last))};
  }
};
TENREC_OP(ShapeOf, "shape")

}  // namespace tenrec
