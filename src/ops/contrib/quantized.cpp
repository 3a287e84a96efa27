// SPDX-License-Identifier: Apache-2.0
#include "ops/contrib/quantized.h"

#include <algorithm>
#include <numeric>

#include "ops/composite/global_pool.h"
#include "ops/composite/helpers.h"
#include "ops/concat.h"
#include "ops/elementwise.h"
#include "ops/flatten.h"
#include "ops/matmul.h"
#include "ops/pool.h"
#include "ops/quantize.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/shape.h"
#include "ops/softmax.h"
#include "ops/transpose.h"

namespace tenrec {
namespace {

Values with_zero_point(Value* x, Value* scale, Value* zero_point) {
  Values operands{x, scale};
  if (zero_point) operands.push_back(zero_point);
  return operands;
}

// Inputs `first` to first + 2 as real numbers: the tensor, its scale, its zero point.
Value* real_input(OnnxContext& context, size_t first, int64_t axis = 1) {
  DequantizeLinear op;
  op.axis = axis;
  return context.one(
      op, with_zero_point(needed_input(context, first, "a quantised tensor"),
                          needed_input(context, first + 1, "its scale"), context.input(first + 2)));
}

// `y` by the scale and zero point in inputs `first` and first + 1.
Values quantised(OnnxContext& context, Value* y, size_t first) {
  return context.add(QuantizeLinear{},
                     with_zero_point(y, needed_input(context, first, "the output's scale"),
                                     context.input(first + 1)));
}

// Channels from the last axis to the second, or back.
Value* channels_moved(OnnxContext& context, Value* x, bool to_second) {
  std::vector<int64_t> perm(static_cast<size_t>(x->type.rank()));
  std::iota(perm.begin(), perm.end(), int64_t{0});
  if (to_second) std::rotate(perm.begin() + 1, perm.end() - 1, perm.end());
  else std::rotate(perm.begin() + 1, perm.begin() + 2, perm.end());
  return context.one(Transpose{.perm = perm}, {x});
}

template <class Pool>
Values pooled(const OnnxNode& node, OnnxContext& context, const Pool& pool) {
  const bool last = node.integer("channels_last", 0) != 0;
  Value* x = real_input(context, 0);
  if (last) x = channels_moved(context, x, true);
  Value* y = pool(x);
  if (last) y = channels_moved(context, y, false);
  return quantised(context, y, 3);
}

// i32 sums as real numbers: times both scales, plus the bias in input `bias`.
Values rescaled(OnnxContext& context, Value* sums, Value* a_scale, Value* b_scale, size_t bias) {
  Value* scale = context.one(Mul{}, {a_scale, b_scale});
  Value* y = context.one(Mul{}, {context.one(Cast{.to = DType::f32}, {sums}), scale});
  if (Value* added = context.input(bias)) y = context.one(Add{}, {y, added});
  return {y};
}

}  // namespace

Values ms_quantize_linear(const OnnxNode& node, OnnxContext& context) {
  QuantizeLinear op;
  op.axis = node.integer("axis", 1);
  op.block_size = node.integer("block_size", 0);
  return context.add(op, context.inputs());
}

Values ms_dequantize_linear(const OnnxNode& node, OnnxContext& context) {
  DequantizeLinear op;
  op.axis = node.integer("axis", 1);
  op.block_size = node.integer("block_size", 0);
  return context.add(op, context.inputs());
}

Values qlinear_add(const OnnxNode&, OnnxContext& context) {
  return quantised(context, context.one(Add{}, {real_input(context, 0), real_input(context, 3)}),
                   6);
}

Values qlinear_mul(const OnnxNode&, OnnxContext& context) {
  return quantised(context, context.one(Mul{}, {real_input(context, 0), real_input(context, 3)}),
                   6);
}

Values qlinear_sigmoid(const OnnxNode&, OnnxContext& context) {
  return quantised(context, context.one(Sigmoid{}, {real_input(context, 0)}), 3);
}

Values qlinear_leaky_relu(const OnnxNode& node, OnnxContext& context) {
  LeakyRelu op;
  op.alpha = node.number("alpha", 0.01F);
  return quantised(context, context.one(op, {real_input(context, 0)}), 3);
}

Values qlinear_softmax(const OnnxNode& node, OnnxContext& context) {
  Value* x = real_input(context, 0);
  const int64_t axis = node.integer("axis", -1);
  if (node.integer("opset") >= 13) return quantised(context, context.one(Softmax{axis}, {x}), 3);
  // Older softmaxes run over all axes from `axis` on.
  const int64_t first = normalise_axis(axis, x->type.rank());
  Value* flat = context.one(Softmax{-1}, {context.one(Flatten{first}, {x})});
  return quantised(context, context.one(Reshape{}, {flat, context.one(ShapeOf{}, {x})}), 3);
}

Values qlinear_concat(const OnnxNode& node, OnnxContext& context) {
  Values parts;
  for (size_t i = 2; i + 1 < node.input_count(); i += 3) parts.push_back(real_input(context, i));
  return quantised(context, context.one(Concat{node.integer("axis")}, parts), 0);
}

Values qlinear_where(const OnnxNode&, OnnxContext& context) {
  Value* condition = needed_input(context, 0, "the condition");
  return quantised(
      context, context.one(Where{}, {condition, real_input(context, 1), real_input(context, 4)}),
      7);
}

Values qlinear_average_pool(const OnnxNode& node, OnnxContext& context) {
  return pooled(node, context, [&](Value* x) {
    AveragePool op;
    op.kernel_shape = node.integers("kernel_shape");
    op.ceil_mode = node.integer("ceil_mode", 0) != 0;
    op.count_include_pad = node.integer("count_include_pad", 0) != 0;
    read_window(node, op, spatial_rank_of(x));
    return context.one(op, {x});
  });
}

Values qlinear_global_average_pool(const OnnxNode& node, OnnxContext& context) {
  return pooled(node, context,
                [&](Value* x) { return reduce_spatial(context, ReduceKind::mean, x); });
}

Values qlinear_reduce_mean(const OnnxNode& node, OnnxContext& context) {
  Value* x = real_input(context, 0);
  std::vector<int64_t> axes = node.integers("axes");
  if (axes.empty()) {
    axes.resize(static_cast<size_t>(x->type.rank()));
    std::iota(axes.begin(), axes.end(), int64_t{0});
  }
  const bool keep = node.integer("keepdims", 1) != 0;
  return quantised(context, add_reduce(context, ReduceKind::mean, x, axes, keep), 3);
}

// a, b, optional i32 bias in units of both scales, optional output scale and zero point.
Values qgemm(const OnnxNode& node, OnnxContext& context) {
  const auto operand = [&](size_t first, std::string_view flag) {
    const bool turned = node.integer(flag, 0) != 0;
    Value* x = real_input(context, first, turned ? 0 : 1);
    return turned ? context.one(Transpose{.perm = {1, 0}}, {x}) : x;
  };
  Value* y = context.one(MatMul{}, {operand(0, "transA"), operand(3, "transB")});
  if (Value* bias = context.input(6)) {
    Value* unit = context.one(Mul{}, {context.input(1), context.input(4)});
    Value* real = context.one(Mul{}, {context.one(Cast{.to = DType::f32}, {bias}), unit});
    y = context.one(Add{}, {y, real});
  }
  const float alpha = node.number("alpha", 1);
  if (alpha != 1)
    y = context.one(Mul{}, {y, number(context, static_cast<double>(alpha), DType::f32)});
  return context.input(7) ? quantised(context, y, 7) : Values{y};
}

Values dynamic_quantize_matmul(const OnnxNode&, OnnxContext& context) {
  const Values a = context.add(DynamicQuantizeLinear{}, {needed_input(context, 0, "A")});
  Values operands{a[0], needed_input(context, 1, "B"), a[2]};
  if (Value* zero_point = context.input(3)) operands.push_back(zero_point);
  Value* sums = context.one(MatMulInteger{}, operands);
  return rescaled(context, sums, a[1], needed_input(context, 2, "B's scale"), 4);
}

Values matmul_integer_to_float(const OnnxNode&, OnnxContext& context) {
  Values operands{needed_input(context, 0, "A"), needed_input(context, 1, "B"), context.input(4),
                  context.input(5)};
  while (!operands.back()) operands.pop_back();
  Value* sums = context.one(MatMulInteger{}, operands);
  return rescaled(context, sums, needed_input(context, 2, "A's scale"),
                  needed_input(context, 3, "B's scale"), 6);
}

}  // namespace tenrec
