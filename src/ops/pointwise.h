// SPDX-License-Identifier: Apache-2.0
// Inference and evaluation of pointwise operators, derived from their `apply`.
#pragma once
#include <optional>
#include <utility>

#include "ir/expr.h"
#include "ir/op.h"

namespace tenrec {

// ONNX before opset 7 aligned the second operand by attributes (`broadcast`, `axis`); newer opsets
// broadcast like numpy. Gives the inputs in the newer form.
Values numpy_operands(const OnnxNode& node, OnnxContext& context);

// Shapes broadcast; the dtype is that of the recorded program's output.
Types infer_pointwise(const ExprProgram& program, const Types& in);
// The known value of the output of a small integer operator, element by element, from a function of
// one element's Dims; nullopt as soon as one element cannot be said.
std::optional<std::vector<Dim>> map_known(
    const Types& in, const Shape& out,
    const std::function<std::optional<Dim>(const std::vector<Dim>&)>& of_element);

}  // namespace tenrec
