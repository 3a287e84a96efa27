// SPDX-License-Identifier: Apache-2.0
// Turns an operator struct into its OpInfo and ONNX mapping. Included only by the generated .cpp
// files (cmake/operators.cmake), one per operator header.
#pragma once
#include <concepts>
#include <string>

#include "base/wire.h"
#include "ir/dim_wire.h"
#include "ir/op_decl.h"
#include "ir/text.h"
#include "ops/onnx_context.h"
#include "ops/pointwise.h"

namespace tenrec {
namespace op_detail {

template <class T>
concept HasApply = requires(const T& t, const Expr& x) { t.apply(x); } ||
                   requires(const T& t, const Expr& x) { t.apply(x, x); } ||
                   requires(const T& t, const Expr& x) { t.apply(x, x, x); } ||
                   requires(const T& t, const std::vector<Expr>& x) { t.apply_all(x); };

template <class T>
ExprProgram record(const T& op, const std::vector<DType>& dtypes) {
  ExprProgram program;
  program.inputs = static_cast<int32_t>(dtypes.size());
  std::vector<Expr> x;
  for (size_t i = 0; i < dtypes.size(); ++i) {
    ExprNode node;
    node.fn = Fn::input;
    node.dtype = dtypes[i];
    node.input = static_cast<int32_t>(i);
    x.emplace_back(program, program.add(node));
  }
  const auto arity = [&](size_t wanted) {
    TENREC_CHECK(x.size() == wanted, invalid_model, "takes {} inputs, got {}", wanted, x.size());
  };
  Expr result(0);
  if constexpr (requires { op.apply_all(x); }) {
    TENREC_CHECK(!x.empty(), invalid_model, "takes at least one input");
    result = op.apply_all(x);
  } else if constexpr (requires { op.apply(x[0]); }) {
    arity(1);
    result = op.apply(x[0]);
  } else if constexpr (requires { op.apply(x[0], x[0]); }) {
    arity(2);
    result = op.apply(x[0], x[1]);
  } else {
    arity(3);
    result = op.apply(x[0], x[1], x[2]);
  }
  program.outputs = {result.node()};
  return program;
}

template <class T>
std::optional<Dim> apply_dims(const T& op, const std::vector<Dim>& x) {
  if constexpr (requires { op.apply_dims(x); }) return op.apply_dims(x);
  else if constexpr (requires { op.apply_dims(x[0]); }) return op.apply_dims(x.at(0));
  else if constexpr (requires { op.apply_dims(x[0], x[0]); })
    return op.apply_dims(x.at(0), x.at(1));
  else if constexpr (requires { op.apply_dims(x[0], x[0], x[0]); })
    return op.apply_dims(x.at(0), x.at(1), x.at(2));
  else return std::nullopt;
}

inline std::vector<DType> dtypes_of(const Types& in) {
  std::vector<DType> dtypes;
  for (const Type& type : in) {
    TENREC_CHECK(type.kind == Type::Kind::tensor, invalid_model, "needs tensors, got {}",
                 type.str());
    dtypes.push_back(type.dtype);
  }
  return dtypes;
}

template <class T>
Types infer(const T& op, const Types& in, const std::vector<const Graph*>& bodies) {
  if constexpr (requires { op.infer(in, bodies); }) {
    return op.infer(in, bodies);
  } else if constexpr (requires { op.infer(in); }) {
    return op.infer(in);
  } else {
    Types out = infer_pointwise(record(op, dtypes_of(in)), in);
    // Only integers up to 64 bits are followed by value; wrap-around cannot be said in Dims.
    if (out[0].ranked && !is_float(out[0].dtype)) {
      auto known =
          map_known(in, out[0].shape, [&](const std::vector<Dim>& x) { return apply_dims(op, x); });
      if (known) out[0] = out[0].with_known_ints(std::move(*known));
    }
    if constexpr (requires { op.known_floats(in); }) {
      if (auto floats = op.known_floats(in)) out[0] = out[0].with_known_floats(std::move(*floats));
    }
    return out;
  }
}

template <class T>
Data eval(const T& op, const Data& in, const BodyRunner& run_body) {
  if constexpr (requires { op.eval_bodies(in, run_body); }) {
    return op.eval_bodies(in, run_body);
  } else if constexpr (requires { op.eval_data(in); }) {
    return op.eval_data(in);
  } else {
    Tensors tensors;
    for (const Datum& datum : in) {
      TENREC_CHECK(datum.kind == Datum::Kind::tensor || datum.kind == Datum::Kind::none,
                   invalid_model, "input {} is a sequence or optional, a tensor is needed",
                   tensors.size());
      tensors.push_back(datum.tensor);
    }
    Tensors out;
    if constexpr (requires { op.eval(tensors); }) {
      out = op.eval(tensors);
    } else {
      std::vector<DType> dtypes;
      for (const Tensor& tensor : tensors) dtypes.push_back(tensor.dtype());
      out = evaluate(record(op, dtypes), tensors);
    }
    return Data(out.begin(), out.end());
  }
}

template <class T>
OpInfo make_info(std::string_view name) {
  const auto self = [](const void* object) -> const T& { return *static_cast<const T*>(object); };
  OpInfo info;
  info.name = name;
  if constexpr (requires { T::accuracy; }) info.accuracy = T::accuracy;
  if constexpr (requires { T::side_effect; }) info.side_effect = T::side_effect;
  if constexpr (requires { T::is_view; }) info.is_view = T::is_view;
  if constexpr (requires { T::body_is_region; }) info.body_is_region = T::body_is_region;
  if constexpr (requires { T::data_dependent; }) info.data_dependent = T::data_dependent;
  info.infer = [self](const void* o, const Types& in, const std::vector<const Graph*>& bodies) {
    return infer(self(o), in, bodies);
  };
  info.eval = [self](const void* o, const Data& in, const BodyRunner& run) {
    return eval(self(o), in, run);
  };
  if constexpr (requires(const T& t, const Types& x) { t.flops(x, x); }) {
    info.flops = [self](const void* o, const Types& in, const Types& out) {
      return self(o).flops(in, out);
    };
  }
  if constexpr (HasApply<T>) {
    info.pointwise = true;
    info.record = [self](const void* o, const std::vector<DType>& in) {
      return record(self(o), in);
    };
  }
  info.equal = [self](const void* a, const void* b) { return fields_equal(self(a), self(b)); };
  info.print = [self](const void* o, TextWriter& writer) { return print_fields(self(o), writer); };
  info.parse = [](TextReader& reader) -> std::shared_ptr<void> {
    auto object = std::make_shared<T>();
    parse_fields(*object, reader, ")");
    return object;
  };
  info.encode = [self](const void* o) { return encode(self(o)); };
  info.decode = [](std::string_view bytes) -> std::shared_ptr<void> {
    return std::make_shared<T>(decode<T>(bytes));
  };
  return info;
}

// The default mapping: attributes of the same name, inputs as they are.
template <class Value>
void read_attribute(const OnnxNode& node, std::string_view name, Value& value) {
  if (!node.has(name)) return;
  if constexpr (std::is_same_v<Value, bool>) value = node.integer(name) != 0;
  else if constexpr (std::is_integral_v<Value>) value = static_cast<Value>(node.integer(name));
  else if constexpr (std::is_same_v<Value, DType>) value = node.dtype(name);
  else if constexpr (std::is_floating_point_v<Value>) value = node.number(name, 0);
  else if constexpr (std::is_same_v<Value, std::string>) value = node.text(name, "");
  else if constexpr (std::is_same_v<Value, std::vector<int64_t>>) value = node.integers(name);
  else if constexpr (std::is_same_v<Value, std::vector<float>>) value = node.numbers(name);
  else if constexpr (std::is_same_v<Value, std::vector<std::string>>) value = node.texts(name);
  else if constexpr (std::is_same_v<Value, Tensor>) value = node.tensor(name);
  else if constexpr (text_detail::is_optional<Value>::value)
    read_attribute(node, name, value.emplace());
  else TENREC_ASSERT(false, "no default mapping for attribute {}", name);
}

template <class T>
Values from_onnx(const OnnxNode& node, OnnxContext& context) {
  if constexpr (requires { T::from_onnx(node, context); }) {
    return T::from_onnx(node, context);
  } else {
    T op;
    for_each_field(op, [&](auto f) { read_attribute(node, f.name, f.value); });
    if constexpr (requires { T::legacy_broadcast; }) {
      return context.add(Op(std::move(op)), numpy_operands(node, context));
    } else {
      return context.add(Op(std::move(op)), context.inputs());
    }
  }
}

template <class T>
constexpr std::string_view onnx_name_of(std::string_view type_name) {
  if constexpr (requires { T::onnx_name; }) return T::onnx_name;
  else return type_name;
}

}  // namespace op_detail

// Specialised by TENREC_DEFINE_OP: the struct's own name, which is the ONNX name by default.
template <class T>
std::string_view struct_name();

template <class T>
void register_operator() {
  register_op(op_info_of(static_cast<const T*>(nullptr)));
  const std::string_view onnx_name = op_detail::onnx_name_of<T>(struct_name<T>());
  if (onnx_name.empty()) return;
  const size_t colons = onnx_name.find("::");
  register_onnx(colons == onnx_name.npos ? "" : onnx_name.substr(0, colons),
                colons == onnx_name.npos ? onnx_name : onnx_name.substr(colons + 2),
                [](const OnnxNode& node, OnnxContext& context) {
                  return op_detail::from_onnx<T>(node, context);
                });
}

inline void register_composite(std::string_view name, OnnxMapping mapping) {
  const size_t colons = name.find("::");
  register_onnx(colons == name.npos ? "" : name.substr(0, colons),
                colons == name.npos ? name : name.substr(colons + 2), std::move(mapping));
}

}  // namespace tenrec

#define TENREC_DEFINE_OP(T, text)                             \
  const OpInfo& op_info_of(const T*) {                        \
    static const OpInfo info = op_detail::make_info<T>(text); \
    return info;                                              \
  }                                                           \
  template <>                                                 \
  std::string_view struct_name<T>() {                         \
    return #T;                                                \
  }
