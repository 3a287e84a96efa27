// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "ir/op_decl.h"
#include "ops/support.h"

namespace tenrec {

// The same bits as elements of another type of the same width.
struct BitCast {
  DType to = DType::f32;
  static auto fields(auto& s) { return std::tuple{field(1, "to", s.to)}; }
  static constexpr Accuracy accuracy = exact();

  Types infer(const Types& in) const {
    const Type& x = required(in, 0, "the input");
    TENREC_CHECK(bit_width(to) > 0 && bit_width(to) == bit_width(x.dtype), invalid_model,
                 "{} cannot be read as {}: their bit widths differ", name(x.dtype), name(to));
    return {x.ranked ? Type::tensor(to, x.shape) : Type::unranked(to)};
  }

  Tensors eval(const Tensors& in) const {
    Tensor out(to, in[0].dims());
    if (out.bytes() == 0) return {out};
    std::byte* bytes = out.mutable_data();
    std::copy_n(in[0].data(), out.bytes(), bytes);
    if (to == DType::boolean) {  // ours are 0 or 1
      std::transform(bytes, bytes + out.bytes(), bytes,
                     [](std::byte b) { return std::byte{b != std::byte{0}}; });
    }
    return {out};
  }
};
TENREC_OP(BitCast, "bit_cast")

}  // namespace tenrec
