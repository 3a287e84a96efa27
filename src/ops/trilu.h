// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// The upper or lower triangle of the last two axes, zeros elsewhere; input 1 (optional) shifts the
// diagonal.
struct Trilu {
  bool upper = true;
  static auto fields(auto& s) { return std::tuple{field(1, "upper", s.upper)}; }
  static constexpr Accuracy accuracy = exact();

  Types infer(const Types& in) const {
    check_input_count(in, 1, 2, "Trilu");
    const Type& x = tensor_input(in, 0, "Trilu");
    TENREC_CHECK(!x.ranked || x.rank() >= 2, invalid_model, "Trilu of {}; it needs a matrix",
                 x.str());
    return {x.ranked ? Type::tensor(x.dtype, x.shape) : x};
  }

  Tensors eval(const Tensors& in) const {
    const Dims& dims = in[0].dims();
    const int64_t shift = has_input(in, 1) ? in[1].to_ints().at(0) : 0;
    const int64_t rows = dims[dims.size() - 2];
    const int64_t columns = dims.back();
    IndexMap map{dims, even_offsets(static_cast<int64_t>(in[0].elements()), 1), 1};
    for (size_t i = 0; i < map.from.size(); ++i) {
      const auto flat = static_cast<int64_t>(i);
      const int64_t above = flat % columns - flat / columns % rows - shift;
      if (upper ? above < 0 : above > 0) map.from[i] = -1;
    }
    return {moved(in[0], map)};
  }
};
TENREC_OP(Trilu, "trilu")

}  // namespace tenrec
