// SPDX-License-Identifier: Apache-2.0
// How Dims and Tensors travel in the engine file when an operator has them as fields. A Dim there
// is a constant: symbols live in the plan's dim program, never in an operator.
#pragma once
#include "base/wire.h"
#include "ir/dim.h"
#include "ir/tensor.h"

namespace tenrec {

template <>
struct WireCodec<Dim> {
  static std::string encode(const Dim& dim);
  static Dim decode(std::string_view bytes);
};

template <>
struct WireCodec<Tensor> {
  static std::string encode(const Tensor& tensor);
  static Tensor decode(std::string_view bytes);
};

}  // namespace tenrec
