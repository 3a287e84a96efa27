// SPDX-License-Identifier: Apache-2.0
#include "targets/common/pointwise_program.h"

#include <cmath>
#include <map>
#include <optional>

#include "base/error.h"
#include "ir/constant.h"
#include "ops/batch_normalization.h"
#include "ops/quantize.h"

namespace tenrec {
namespace {

// Follows the values of one node or body while the program grows.
class Recorder {
 public:
  explicit Recorder(PointwiseProgram& out) : out_(out) {}

  // The program's value for a value of the outer graph: scalars become part of the program.
  int32_t outer(Value* value) {
    const auto found = values_.find(value);
    if (found != values_.end()) return found->second;
    const Tensor* constant = value->constant();
    const int32_t node = constant && constant->elements() == 1 && is_number(constant->dtype())
                             ? append_constant(out_.program, *constant)
                             : input(value->type.dtype, {value, {}});
    return values_[value] = node;
  }

  void bind(const Value* value, int32_t node) { values_[value] = node; }

  int32_t weight(Tensor tensor) {
    if (tensor.elements() == 1) return append_constant(out_.program, tensor);
    const DType dtype = tensor.dtype();
    return input(dtype, {nullptr, std::move(tensor)});
  }

  // The reason why not, or "".
  Reject record(const Node& node) {
    if (const Tensor* constant = node.output()->constant()) {
      values_[node.output()] = weight(*constant);
      return "";
    }
    std::vector<int32_t> arguments;
    if (const auto* norm = node.as<BatchNormalization>()) return record(node, *norm);
    if (const auto* op = node.as<QuantizeLinear>()) return record(node, *op);
    if (const auto* op = node.as<DequantizeLinear>()) return record(node, *op);
    if (!node.op().info().pointwise) return fmt::format("{} is not pointwise", node.op().name());
    for (Value* value : node.inputs()) {
      if (!value) return "an input is omitted";
      arguments.push_back(outer(value));
    }
    values_[node.output()] = append_op(out_.program, node.op(), arguments);
    return "";
  }

 private:
  static bool is_number(DType dtype) {
    return bit_width(dtype) >= 8 && dtype != DType::c64 && dtype != DType::c128;
  }

  int32_t input(DType dtype, StepArg arg) {
    out_.inputs.push_back(std::move(arg));
    return append_input(out_.program, dtype);
  }

  // x * (scale / deviation) + (bias - mean * scale / deviation), the factors computed now.
  Reject record(const Node& node, const BatchNormalization& op) {
    std::vector<std::vector<double>> numbers;
    for (size_t i = 1; i < 5; ++i) {
      const Tensor* constant = node.input(i) ? node.input(i)->constant() : nullptr;
      if (!constant) return "statistics are not constant";
      numbers.push_back(constant->to_doubles());
    }
    const Type& type = node.input(0)->type;
    if (!type.ranked || type.rank() < 2) return "rank below 2 or unknown";
    const size_t channels = numbers[0].size();
    std::vector<double> factor(channels), offset(channels);
    for (size_t c = 0; c < channels; ++c) {
      factor[c] = numbers[0][c] / std::sqrt(numbers[3][c] + static_cast<double>(op.epsilon));
      offset[c] = numbers[1][c] - numbers[2][c] * factor[c];
    }
    Dims dims(static_cast<size_t>(type.rank() - 1), 1);
    dims[0] = static_cast<int64_t>(channels);
    const Expr x(out_.program, outer(node.input(0)));
    const Expr a(out_.program, weight(Tensor::from_doubles(type.dtype, dims, factor)));
    const Expr b(out_.program, weight(Tensor::from_doubles(type.dtype, dims, offset)));
    values_[node.output()] = (x * a + b).node();
    return "";
  }

  // A scale or zero point as floats that broadcast to the node's input; no value: the reason is in
  // `reject`.
  std::optional<Expr> parameter(const Node& node, size_t i, int64_t axis, Reject& reject) {
    Value* value = node.input(i);
    const Type& x = node.input(0)->type;
    const Tensor* constant = value->constant();
    const bool one = value->type.is_static() && element_count(static_dims(value->type.shape)) == 1;
    if (one && !constant && value->type.rank() > 0)
      reject = "a scale of one element that is not constant";
    if (!one && !constant) reject = "scales are not constant";
    if (!x.ranked) reject = "the rank is not known";
    if (!reject.empty()) return std::nullopt;
    if (one) return Expr(out_.program, outer(value)).cast(DType::f32);
    Dims dims(static_cast<size_t>(x.rank() - normalise_axis(axis, x.rank())), 1);
    dims[0] = static_cast<int64_t>(constant->elements());
    return Expr(out_.program, weight(constant->converted(DType::f32).reshaped(dims)));
  }

  // clamp(round(x / scale) + zero)
  Reject record(const Node& node, const QuantizeLinear& op) {
    Reject reject;
    const DType to = node.output()->type.dtype;
    if (op.block_size != 0) return "scales by block";
    if (to != DType::i8 && to != DType::u8 && to != DType::i16 && to != DType::u16)
      return "not to 8 or 16 bits";
    const std::optional<Expr> scale = parameter(node, 1, op.axis, reject);
    std::optional<Expr> zero;
    if (scale && node.input(2)) zero = parameter(node, 2, op.axis, reject);
    if (!reject.empty()) return reject;
    const int bits = bit_width(to) - (is_signed(to) ? 1 : 0);
    const double high = static_cast<double>((1 << bits) - 1), low = is_signed(to) ? -high - 1 : 0;
    Expr y = call(Fn::round, Expr(out_.program, outer(node.input(0))).cast(DType::f32) / *scale);
    if (zero) y = y + *zero;
    values_[node.output()] = min(max(y, low), high).cast(to).node();
    return "";
  }

  // (x - zero) * scale
  Reject record(const Node& node, const DequantizeLinear& op) {
    Reject reject;
    if (op.block_size != 0) return "scales by block";
    const std::optional<Expr> scale = parameter(node, 1, op.axis, reject);
    std::optional<Expr> zero;
    if (scale && node.input(2)) zero = parameter(node, 2, op.axis, reject);
    if (!reject.empty()) return reject;
    Expr y = Expr(out_.program, outer(node.input(0))).cast(DType::f32);
    if (zero) y = y - *zero;
    values_[node.output()] = (y * *scale).cast(node.output()->type.dtype).node();
    return "";
  }

  PointwiseProgram& out_;
  std::map<const Value*, int32_t> values_;

 public:
  int32_t result(const Value* value) const { return values_.at(value); }
};

}  // namespace

int32_t append_input(ExprProgram& program, DType dtype) {
  ExprNode node;
  node.fn = Fn::input;
  node.dtype = dtype;
  node.input = program.inputs++;
  return program.add(node);
}

int32_t append_constant(ExprProgram& program, const Tensor& scalar) {
  ExprNode node;
  node.fn = Fn::constant;
  node.dtype = scalar.dtype();
  if (is_float(scalar.dtype())) node.value = scalar.to_doubles()[0];
  else node.integer = scalar.to_ints()[0];
  return program.add(node);
}

int32_t append_op(ExprProgram& program, const Op& op, const std::vector<int32_t>& arguments) {
  std::vector<DType> dtypes;
  for (const int32_t argument : arguments)
    dtypes.push_back(program.nodes[static_cast<size_t>(argument)].dtype);
  const ExprProgram part = op.info().record(op.object(), dtypes);
  std::vector<int32_t> moved;
  for (ExprNode node : part.nodes) {
    if (node.fn == Fn::input) {
      moved.push_back(arguments[static_cast<size_t>(node.input)]);
      continue;
    }
    for (int32_t* arg : {&node.a, &node.b, &node.c}) {
      if (*arg >= 0) *arg = moved[static_cast<size_t>(*arg)];
    }
    moved.push_back(program.add(node));
  }
  return moved[static_cast<size_t>(part.outputs.at(0))];
}

PointwiseProgram pointwise_program(const Node& node) {
  PointwiseProgram out;
  Recorder recorder(out);
  if (node.op().name() != "fused") {
    out.reject = recorder.record(node);
    if (!out.reject.empty()) return out;
    out.program.outputs.push_back(recorder.result(node.output()));
    out.outputs.push_back(node.output());
    return out;
  }
  const Graph& body = node.body(0);
  for (const auto& input : body.inputs())
    recorder.bind(input.get(), recorder.outer(node.input(input->index())));
  for (const auto& inner : body.nodes()) {
    out.reject = recorder.record(*inner);
    if (!out.reject.empty()) return out;
  }
  for (size_t i = 0; i < node.output_count(); ++i) {
    if (node.output(i)->uses().empty() && node.output_count() > 1) continue;
    out.program.outputs.push_back(recorder.result(body.outputs()[i]));
    out.outputs.push_back(node.output(i));
  }
  return out;
}

}  // namespace tenrec
