// SPDX-License-Identifier: Apache-2.0
#include "ops/batch_normalization.h"

#include <cmath>

#include "ops/elementwise.h"
#include "ops/movement.h"
#include "ops/reduce.h"
#include "ops/support.h"

namespace tenrec {
namespace {

constexpr const char* roles[] = {"the input", "the scale", "the bias", "the mean", "the variance"};

Value* scalar_like(OnnxContext& context, const Value* value, double number) {
  const double one[] = {number};
  return context.constant(Tensor::from_doubles(value->type.dtype, {}, one));
}

// `spatial` = 0 (opsets before 9): statistics for every element of a sample, which broadcast.
Values per_element(OnnxContext& context, float epsilon) {
  Value* x = context.input(0);
  Value* variance = context.one(Add{}, {context.input(4), scalar_like(context, x, epsilon)});
  Value* factor = context.one(Div{}, {context.input(1), context.one(Sqrt{}, {variance})});
  Value* centred = context.one(Sub{}, {x, context.input(3)});
  return context.add(Add{}, {context.one(Mul{}, {centred, factor}), context.input(2)});
}

// Statistics of the batch itself, and running ones as extra outputs.
Values training(const OnnxNode& node, OnnxContext& context, float epsilon) {
  Value* x = context.input(0);
  std::vector<int64_t> axes{0};
  for (int64_t i = 2; i < x->type.rank(); ++i) axes.push_back(i);
  Value* wide_mean = add_reduce(context, ReduceKind::mean, x, axes, true);
  Value* centred = context.one(Sub{}, {x, wide_mean});
  Value* mean = add_reduce(context, ReduceKind::mean, x, axes, false);
  Value* variance =
      add_reduce(context, ReduceKind::mean, context.one(Mul{}, {centred, centred}), axes, false);
  Values result = context.add(BatchNormalization{.epsilon = epsilon},
                              {x, context.input(1), context.input(2), mean, variance});
  const double momentum = node.number("momentum", 0.9F);
  const auto running = [&](Value* old, Value* now) {
    if (now->type.dtype != old->type.dtype) {
      now = context.one(Cast{.to = old->type.dtype}, {now});
    }
    return context.one(Add{}, {context.one(Mul{}, {old, scalar_like(context, old, momentum)}),
                               context.one(Mul{}, {now, scalar_like(context, old, 1 - momentum)})});
  };
  if (node.has_output(1) || node.has_output(2)) {
    result.push_back(running(context.input(3), mean));
    result.push_back(running(context.input(4), variance));
  }
  return result;
}

}  // namespace

Types BatchNormalization::infer(const Types& in) const {
  const Type& x = required_float(in, 0, roles[0]);
  for (size_t i = 1; i < 5; ++i) {
    const Type& parameter = required_float(in, i, roles[i]);
    if (!parameter.ranked || !x.ranked) continue;
    TENREC_CHECK(parameter.rank() == 1, invalid_model, "{} is {}, expected 1-D", roles[i],
                 parameter.str());
    if (x.rank() >= 2) check_same_size(parameter.shape[0], x.shape[1], roles[i]);
  }
  return {x.ranked ? Type::tensor(x.dtype, x.shape) : Type::unranked(x.dtype)};
}

Tensors BatchNormalization::eval(const Tensors& in) const {
  std::vector<double> x = in[0].to_doubles();
  const std::vector<double> scale = in[1].to_doubles();
  const std::vector<double> bias = in[2].to_doubles();
  const std::vector<double> mean = in[3].to_doubles();
  const std::vector<double> variance = in[4].to_doubles();
  const Dims& dims = in[0].dims();
  const size_t channels = scale.size();
  const size_t plane =
      static_cast<size_t>(elements_between(dims, std::min<size_t>(2, dims.size()), dims.size()));
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t c = i / plane % channels;
    x[i] = (x[i] - mean[c]) / std::sqrt(variance[c] + static_cast<double>(epsilon)) * scale[c] +
           bias[c];
  }
  return {Tensor::from_doubles(in[0].dtype(), dims, x)};
}

Values BatchNormalization::from_onnx(const OnnxNode& node, OnnxContext& context) {
  for (size_t i = 0; i < 5; ++i) {
    TENREC_CHECK(context.input(i) != nullptr, invalid_model, "{} (input {}) is missing", roles[i],
                 i);
  }
  const float epsilon = node.number("epsilon", 1e-5F);
  // Read for their types alone; they are about training.
  node.number("momentum", 0);
  if (node.opset() < 7) node.integer("is_test", 0);
  const bool by_element = node.opset() < 9 && node.integer("spatial", 1) == 0;
  for (size_t i = 1; i < 5 && !by_element; ++i) check_list(context.input(i)->type, roles[i]);
  if (node.integer("training_mode", 0) != 0) return training(node, context, epsilon);
  TENREC_CHECK(node.opset() >= 14 || !node.has_output(1), unsupported,
               "training outputs of opset {}; export the model for inference", node.opset());
  if (by_element) return per_element(context, epsilon);
  return context.add(
      BatchNormalization{.epsilon = epsilon},
      {context.input(0), context.input(1), context.input(2), context.input(3), context.input(4)});
}

}  // namespace tenrec
