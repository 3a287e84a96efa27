// SPDX-License-Identifier: Apache-2.0
#include "ops/op_define.h"

namespace tenrec {
namespace op_detail {
namespace {

std::vector<DType> dtypes_of(const Types& in) {
  std::vector<DType> dtypes;
  for (const Type& type : in) {
    TENREC_CHECK(type.kind == Type::Kind::tensor, invalid_model, "needs tensors, got {}",
                 type.str());
    dtypes.push_back(type.dtype);
  }
  return dtypes;
}

}  // namespace

Recording::Recording(const std::vector<DType>& dtypes, int arity) {
  TENREC_CHECK(arity >= 0 || !dtypes.empty(), invalid_model, "takes at least one input");
  TENREC_CHECK(arity < 0 || dtypes.size() == static_cast<size_t>(arity), invalid_model,
               "takes {} inputs, got {}", arity, dtypes.size());
  program_.inputs = static_cast<int32_t>(dtypes.size());
  for (size_t i = 0; i < dtypes.size(); ++i) {
    ExprNode node;
    node.fn = Fn::input;
    node.dtype = dtypes[i];
    node.input = static_cast<int32_t>(i);
    x.emplace_back(program_, program_.add(node));
  }
}

ExprProgram Recording::finish(const Expr& result) {
  program_.outputs = {result.node()};
  return std::move(program_);
}

Types infer_recorded(const void* object, const Types& in, Record record, ApplyDims apply_dims) {
  Types out = infer_pointwise(record(object, dtypes_of(in)), in);
  // Only integers up to 64 bits are followed by value; wrap-around cannot be said in Dims.
  if (!apply_dims || !out[0].ranked || is_float(out[0].dtype)) return out;
  auto known =
      map_known(in, out[0].shape, [&](const std::vector<Dim>& x) { return apply_dims(object, x); });
  if (known) out[0] = out[0].with_known_ints(std::move(*known));
  return out;
}

Tensors tensors_of(const Data& in) {
  Tensors tensors;
  for (const Datum& datum : in) {
    TENREC_CHECK(datum.kind == Datum::Kind::tensor || datum.kind == Datum::Kind::none,
                 invalid_model, "input {} is a sequence or optional, a tensor is needed",
                 tensors.size());
    tensors.push_back(datum.tensor);
  }
  return tensors;
}

Data eval_recorded(const void* object, const Data& in, Record record) {
  const Tensors tensors = tensors_of(in);
  std::vector<DType> dtypes;
  for (const Tensor& tensor : tensors) dtypes.push_back(tensor.dtype());
  const Tensors out = evaluate(record(object, dtypes), tensors);
  return Data(out.begin(), out.end());
}

void set_no_field_functions(OpInfo& info) { set_field_functions<NoFields>(info); }

}  // namespace op_detail

void register_composite(std::string_view name, OnnxMapping mapping) {
  const size_t colons = name.find("::");
  register_onnx(colons == name.npos ? "" : name.substr(0, colons),
                colons == name.npos ? name : name.substr(colons + 2), mapping);
}

}  // namespace tenrec
