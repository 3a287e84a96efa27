// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/emit.h"

#include <bit>
#include <cmath>
#include <map>

#include "base/error.h"

namespace tenrec::cuda {
namespace {

struct TypeNames {
  std::string_view storage, compute, conversion;  // conversion: suffix of load_ and store_, or ""
};

const TypeNames* find_type(DType dtype) {
  static const std::map<DType, TypeNames> types{
      {DType::f32, {"float", "float", ""}},
      {DType::f64, {"double", "double", ""}},
      {DType::f16, {"unsigned short", "float", "f16"}},
      {DType::bf16, {"unsigned short", "float", "bf16"}},
      {DType::i8, {"signed char", "signed char", ""}},
      {DType::i16, {"short", "short", ""}},
      {DType::i32, {"int", "int", ""}},
      {DType::i64, {"long long", "long long", ""}},
      {DType::u8, {"unsigned char", "unsigned char", ""}},
      {DType::u16, {"unsigned short", "unsigned short", ""}},
      {DType::u32, {"unsigned", "unsigned", ""}},
      {DType::u64, {"unsigned long long", "unsigned long long", ""}},
      {DType::boolean, {"unsigned char", "bool", "bool"}},
      {DType::f8e4m3fn, {"unsigned char", "float", "f8e4m3fn"}},
      {DType::f8e4m3fnuz, {"unsigned char", "float", "f8e4m3fnuz"}},
      {DType::f8e5m2, {"unsigned char", "float", "f8e5m2"}},
      {DType::f8e5m2fnuz, {"unsigned char", "float", "f8e5m2fnuz"}},
      {DType::f8e8m0, {"unsigned char", "float", "f8e8m0"}}};
  const auto found = types.find(dtype);
  return found == types.end() ? nullptr : &found->second;
}

const TypeNames& type_names(DType dtype) {
  const TypeNames* names = find_type(dtype);
  TENREC_ASSERT(names, "no CUDA type for {}", name(dtype));
  return *names;
}

std::string float_literal(double value, bool wide) {
  if (std::isnan(value)) return wide ? "nan64()" : "nan32()";
  if (std::isinf(value)) {
    return fmt::format("{}{}", value < 0 ? "-" : "", wide ? "inf64()" : "inf32()");
  }
  // Hexadecimal: exact, and the same text everywhere.
  return wide ? fmt::format("{:a}", value)
              : fmt::format("{:a}f", static_cast<double>(static_cast<float>(value)));
}

bool is_infix(Fn fn) {
  return fn == Fn::add || fn == Fn::sub || fn == Fn::div || fn == Fn::less ||
         fn == Fn::less_equal || fn == Fn::equal;
}

std::string_view infix(Fn fn) {
  switch (fn) {
    case Fn::add: return "+";
    case Fn::sub: return "-";
    case Fn::div: return "/";
    case Fn::less: return "<";
    case Fn::less_equal: return "<=";
    default: return "==";
  }
}

std::string call_text(const ExprProgram& program, const ExprNode& node) {
  const auto v = [](int32_t i) { return fmt::format("v{}", i); };
  const DType from = program.nodes[static_cast<size_t>(node.a)].dtype;
  const std::string type = compute_type(from);
  if (node.fn == Fn::select) return fmt::format("{} ? {} : {}", v(node.a), v(node.b), v(node.c));
  if (node.fn == Fn::cast) {
    if (is_float(from) && is_float(node.dtype)) {
      // A cast is the one operation whose point is to round.
      if (bit_width(node.dtype) < 32)
        return fmt::format("load_{0}(store_{0}((float){1}))", name(node.dtype), v(node.a));
      return fmt::format("({}){}", compute_type(node.dtype), v(node.a));
    }
    if (node.dtype == DType::boolean) return fmt::format("{} != 0", v(node.a));
    if (is_float(from))
      return fmt::format("to_integer<{}>({})", compute_type(node.dtype), v(node.a));
    if (is_float(node.dtype) && bit_width(node.dtype) < 32)
      return fmt::format("load_{0}(store_{0}((float){1}))", name(node.dtype), v(node.a));
    return fmt::format("({}){}", compute_type(node.dtype), v(node.a));
  }
  // Every operation rounds, as ONNX has it: E[x^2] - E[x]^2 must not become one fused operation.
  if (is_float(from) && node.fn == Fn::mul)
    return fmt::format("__{}mul_rn({}, {})", from == DType::f64 ? "d" : "f", v(node.a), v(node.b));
  if (is_float(from) && is_infix(node.fn))
    return fmt::format("{} {} {}", v(node.a), infix(node.fn), v(node.b));
  std::string arguments = v(node.a);
  if (node.b >= 0) arguments += ", " + v(node.b);
  return fmt::format("fn_{}<{}>({})", name(node.fn), type, arguments);
}

}  // namespace

bool is_supported(DType dtype) { return find_type(dtype) != nullptr; }
std::string storage_type(DType dtype) {
  return is_sub_byte(dtype) ? "unsigned char" : std::string(type_names(dtype).storage);
}
std::string compute_type(DType dtype) { return std::string(type_names(dtype).compute); }

std::string load_text(DType dtype, const std::string& text) {
  const std::string_view conversion = type_names(dtype).conversion;
  return conversion.empty() ? text : fmt::format("load_{}({})", conversion, text);
}
std::string store_text(DType dtype, const std::string& text) {
  const std::string_view conversion = type_names(dtype).conversion;
  return conversion.empty() ? text : fmt::format("store_{}({})", conversion, text);
}

std::string literal(DType dtype, double value, int64_t integer) {
  if (is_float(dtype)) return float_literal(value, dtype == DType::f64);
  if (dtype == DType::boolean) return integer != 0 ? "true" : "false";
  if (integer == INT64_MIN) return "(-0x7fffffffffffffffLL - 1)";
  return fmt::format("({}){}{}", compute_type(dtype), integer, is_signed(dtype) ? "LL" : "ULL");
}

std::string unsupported(const ExprProgram& program) {
  for (const ExprNode& node : program.nodes) {
    if (!is_supported(node.dtype)) return fmt::format("{} elements", name(node.dtype));
  }
  return "";
}

std::string emit_function(const ExprProgram& program, const std::string& function) {
  std::string parameters;
  std::vector<DType> inputs(static_cast<size_t>(program.inputs), DType::f32);
  for (const ExprNode& node : program.nodes)
    if (node.fn == Fn::input) inputs[static_cast<size_t>(node.input)] = node.dtype;
  for (size_t i = 0; i < inputs.size(); ++i)
    parameters += fmt::format("{}{} x{}", i == 0 ? "" : ", ", compute_type(inputs[i]), i);
  for (size_t i = 0; i < program.outputs.size(); ++i) {
    const DType dtype = program.nodes[static_cast<size_t>(program.outputs[i])].dtype;
    parameters += fmt::format("{}{}& y{}", parameters.empty() ? "" : ", ", compute_type(dtype), i);
  }
  std::string text =
      fmt::format("__device__ __forceinline__ void {}({}) {{\n", function, parameters);
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    const ExprNode& node = program.nodes[i];
    std::string value;
    if (node.fn == Fn::input) value = fmt::format("x{}", node.input);
    else if (node.fn == Fn::constant) value = literal(node.dtype, node.value, node.integer);
    else value = call_text(program, node);
    text += fmt::format("  const {} v{} = {};\n", compute_type(node.dtype), i, value);
  }
  for (size_t i = 0; i < program.outputs.size(); ++i)
    text += fmt::format("  y{} = v{};\n", i, program.outputs[i]);
  return text + "}\n";
}

}  // namespace tenrec::cuda
