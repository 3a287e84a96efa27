// SPDX-License-Identifier: Apache-2.0
#include "ops/optional.h"

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {

Types MakeOptional::infer(const Types& in) const {
  if (has_input(in, 0)) return {Type::optional_of(in[0])};
  const Type tensor = Type::unranked(dtype);
  return {Type::optional_of(of_sequence ? Type::sequence_of(tensor) : tensor)};
}

Data MakeOptional::eval_data(const Data& in) const {
  if (in.empty() || in[0].kind == Datum::Kind::none) return {Datum::optional_of({})};
  return {Datum::optional_of({in[0]})};
}

Values MakeOptional::from_onnx(const OnnxNode& node, OnnxContext& context) {
  MakeOptional op;
  if (const onnx::TypeProto* type = node.type("type")) {
    op.of_sequence = type->kind == onnx::TypeProto::Kind::sequence;
    if (op.of_sequence && type->element) type = type->element.get();
    TENREC_CHECK(type->kind == onnx::TypeProto::Kind::tensor, unsupported,
                 "an Optional of something else than a tensor or a sequence of tensors");
    op.dtype = onnx::to_dtype(type->elem_type);
  }
  return context.add(op, context.inputs());
}

Types OptionalGetElement::infer(const Types& in) const {
  check_input_count(in, 1, 1, "OptionalGetElement");
  return {in[0].kind == Type::Kind::optional ? *in[0].element : in[0]};
}

Data OptionalGetElement::eval_data(const Data& in) const {
  if (in.at(0).kind != Datum::Kind::optional) return {in[0]};
  TENREC_CHECK(!in[0].elements.empty(), invalid_input, "OptionalGetElement of an empty optional");
  return {in[0].elements[0]};
}

Types OptionalHasElement::infer(const Types& in) const {
  check_input_count(in, 0, 1, "OptionalHasElement");
  Type out = Type::tensor(DType::boolean, {});
  if (has_input(in, 0) && in[0].kind == Type::Kind::optional) return {out};
  return {out.with_known_ints({Dim(has_input(in, 0))})};
}

Data OptionalHasElement::eval_data(const Data& in) const {
  if (in.empty() || in[0].kind == Datum::Kind::none) return {Datum(Tensor::scalar(false))};
  return {Datum(Tensor::scalar(in[0].kind != Datum::Kind::optional || !in[0].elements.empty()))};
}

}  // namespace tenrec
