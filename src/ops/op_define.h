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

// Records `apply` on leaves of the given types.
class Recording {
 public:
  // `arity` -1: at least one.
  Recording(const std::vector<DType>& dtypes, int arity);
  std::vector<Expr> x;
  ExprProgram finish(const Expr& result);

 private:
  ExprProgram program_;
};

template <class T>
ExprProgram record(const void* object, const std::vector<DType>& dtypes) {
  const T& op = *static_cast<const T*>(object);
  if constexpr (requires(const std::vector<Expr>& x) { op.apply_all(x); }) {
    Recording r(dtypes, -1);
    return r.finish(op.apply_all(r.x));
  } else if constexpr (requires(const Expr& x) { op.apply(x); }) {
    Recording r(dtypes, 1);
    return r.finish(op.apply(r.x[0]));
  } else if constexpr (requires(const Expr& x) { op.apply(x, x); }) {
    Recording r(dtypes, 2);
    return r.finish(op.apply(r.x[0], r.x[1]));
  } else {
    Recording r(dtypes, 3);
    return r.finish(op.apply(r.x[0], r.x[1], r.x[2]));
  }
}

using ApplyDims = std::optional<Dim> (*)(const void*, const std::vector<Dim>&);

// `apply` on known integers; null where the operator does not say.
template <class T>
constexpr ApplyDims apply_dims_of() {
  using X = const std::vector<Dim>&;
  if constexpr (requires(const T& op, X x) { op.apply_dims(x); }) {
    return [](const void* o, X x) { return static_cast<const T*>(o)->apply_dims(x); };
  } else if constexpr (requires(const T& op, X x) { op.apply_dims(x[0]); }) {
    return [](const void* o, X x) -> std::optional<Dim> {
      return static_cast<const T*>(o)->apply_dims(x.at(0));
    };
  } else if constexpr (requires(const T& op, X x) { op.apply_dims(x[0], x[0]); }) {
    return [](const void* o, X x) -> std::optional<Dim> {
      return static_cast<const T*>(o)->apply_dims(x.at(0), x.at(1));
    };
  } else if constexpr (requires(const T& op, X x) { op.apply_dims(x[0], x[0], x[0]); }) {
    return [](const void* o, X x) -> std::optional<Dim> {
      return static_cast<const T*>(o)->apply_dims(x.at(0), x.at(1), x.at(2));
    };
  } else {
    return nullptr;
  }
}

using Record = ExprProgram (*)(const void*, const std::vector<DType>&);
Types infer_recorded(const void* object, const Types& in, Record record, ApplyDims apply_dims);
Data eval_recorded(const void* object, const Data& in, Record record);
Tensors tensors_of(const Data& in);  // an Error for sequences and optionals

template <class T>
Types infer(const void* object, const Types& in, const std::vector<const Graph*>& bodies) {
  const T& op = *static_cast<const T*>(object);
  if constexpr (requires { op.infer(in, bodies); }) {
    return op.infer(in, bodies);
  } else if constexpr (requires { op.infer(in); }) {
    return op.infer(in);
  } else {
    Types out = infer_recorded(object, in, record<T>, apply_dims_of<T>());
    if constexpr (requires { op.known_floats(in); }) {
      if (auto floats = op.known_floats(in)) out[0] = out[0].with_known_floats(std::move(*floats));
    }
    return out;
  }
}

template <class T>
Data eval(const void* object, const Data& in, const BodyRunner& run_body) {
  const T& op = *static_cast<const T*>(object);
  if constexpr (requires { op.eval_bodies(in, run_body); }) {
    return op.eval_bodies(in, run_body);
  } else if constexpr (requires { op.eval_data(in); }) {
    return op.eval_data(in);
  } else if constexpr (requires(const Tensors& tensors) { op.eval(tensors); }) {
    const Tensors out = op.eval(tensors_of(in));
    return Data(out.begin(), out.end());
  } else {
    return eval_recorded(object, in, record<T>);
  }
}

// Everything that comes from `fields`.
template <class T>
void set_field_functions(OpInfo& info) {
  info.equal = [](const void* a, const void* b) {
    return fields_equal(*static_cast<const T*>(a), *static_cast<const T*>(b));
  };
  info.print = [](const void* o, TextWriter& writer) {
    return print_fields(*static_cast<const T*>(o), writer);
  };
  info.parse = [](TextReader& reader) -> std::shared_ptr<void> {
    auto object = std::make_shared<T>();
    parse_fields(*object, reader, ")");
    return object;
  };
  info.encode = [](const void* o) { return encode(*static_cast<const T*>(o)); };
  info.decode = [](std::string_view bytes) -> std::shared_ptr<void> {
    return std::make_shared<T>(decode<T>(bytes));
  };
}

// A struct without fields: any object will do, so all such operators share one set of functions.
struct NoFields {
  static auto fields(auto&) { return std::tuple{}; }
};
void set_no_field_functions(OpInfo& info);

template <class T>
OpInfo make_info(std::string_view name) {
  OpInfo info;
  info.name = name;
  if constexpr (requires { T::accuracy; }) info.accuracy = T::accuracy;
  if constexpr (requires { T::side_effect; }) info.side_effect = T::side_effect;
  if constexpr (requires { T::is_view; }) info.is_view = T::is_view;
  if constexpr (requires { T::body_is_region; }) info.body_is_region = T::body_is_region;
  if constexpr (requires { T::data_dependent; }) info.data_dependent = T::data_dependent;
  if constexpr (requires { T::narrowable; }) info.narrowable = T::narrowable;
  info.infer = infer<T>;
  info.eval = eval<T>;
  if constexpr (requires(const T& t, const Types& x) { t.flops(x, x); }) {
    info.flops = [](const void* o, const Types& in, const Types& out) {
      return static_cast<const T*>(o)->flops(in, out);
    };
  }
  if constexpr (HasApply<T>) {
    info.pointwise = true;
    info.narrowable = all_inputs;
    info.record = record<T>;
  }
  if constexpr (std::is_empty_v<T>) set_no_field_functions(info);
  else set_field_functions<T>(info);
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
    if constexpr (requires { T::without_effect; }) node.without_effect({T::without_effect});
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

// Under "Name" or "domain::Name".
void register_composite(std::string_view name, OnnxMapping mapping);

// Specialised by TENREC_DEFINE_OP: the struct's own name, which is the ONNX name by default.
template <class T>
std::string_view struct_name();

template <class T>
void register_operator() {
  register_op(op_info_of(static_cast<const T*>(nullptr)));
  const std::string_view onnx_name = op_detail::onnx_name_of<T>(struct_name<T>());
  if (onnx_name.empty()) return;
  register_composite(onnx_name, op_detail::from_onnx<T>);
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
