// SPDX-License-Identifier: Apache-2.0
#include "ops/composite/optimizers.h"

#include "ops/composite/helpers.h"
#include "ops/elementwise.h"

namespace tenrec {
namespace {

// Arithmetic on values, scalars typed like the tensor they meet.
struct Maths {
  OnnxContext& context;
  Value* add(Value* a, Value* b) const { return context.one(Add{}, {a, b}); }
  Value* sub(Value* a, Value* b) const { return context.one(Sub{}, {a, b}); }
  Value* mul(Value* a, Value* b) const { return context.one(Mul{}, {a, b}); }
  Value* div(Value* a, Value* b) const { return context.one(Div{}, {a, b}); }
  Value* add(Value* a, double b) const { return add(a, number(context, b, a->type.dtype)); }
  Value* mul(Value* a, double b) const { return mul(a, number(context, b, a->type.dtype)); }
  Value* sqrt(Value* a) const { return context.one(Sqrt{}, {a}); }
  Value* like(Value* scalar, Value* tensor) const {
    if (scalar->type.dtype == tensor->type.dtype) return scalar;
    return context.one(Cast{.to = tensor->type.dtype}, {scalar});
  }
  Value* is_positive(Value* a) const {
    return context.one(Greater{}, {a, number(context, 0, a->type.dtype)});
  }
  // 1 - base^exponent.
  Value* one_less_power(double base, Value* exponent) const {
    Value* power = context.one(Pow{}, {number(context, base, exponent->type.dtype), exponent});
    return sub(number(context, 1, exponent->type.dtype), power);
  }
};

// Groups of `kinds` lists of equally many tensors; the step gives the new tensor and states.
template <class Step>
Values for_each_tensor(OnnxContext& context, size_t kinds, const Step& step) {
  const Values inputs = context.inputs();
  TENREC_CHECK(inputs.size() > 2 && (inputs.size() - 2) % kinds == 0, invalid_model,
               "{} inputs after rate and count, expected a multiple of {}",
               inputs.size() < 2 ? 0 : inputs.size() - 2, kinds);
  const size_t count = (inputs.size() - 2) / kinds;
  Values out(count * (kinds - 1));
  for (size_t i = 0; i < count; ++i) {
    Values group;
    for (size_t kind = 0; kind < kinds; ++kind) group.push_back(inputs[2 + kind * count + i]);
    for (const Value* value : group)
      TENREC_CHECK(value, invalid_model, "an input of tensor {} is missing", i);
    const Values updated = step(group);
    for (size_t kind = 0; kind < updated.size(); ++kind) out[kind * count + i] = updated[kind];
  }
  return out;
}

}  // namespace

Values momentum(const OnnxNode& node, OnnxContext& context) {
  Value* rate = needed_input(context, 0, "the learning rate");
  Value* count = needed_input(context, 1, "the update count");
  const Maths m{context};
  const double regularisation = node.number("norm_coefficient", 0);
  const double alpha = node.number("alpha", 0), beta = node.number("beta", 0);
  const std::string mode = node.text("mode", "standard");
  TENREC_CHECK(mode == "standard" || mode == "nesterov", invalid_model,
               "mode is \"{}\", expected standard or nesterov", mode);
  return for_each_tensor(context, 3, [&](const Values& group) -> Values {
    Value* x = group[0];
    Value* gradient = m.add(m.mul(x, regularisation), group[1]);
    Value* factor =
        context.one(Where{}, {m.is_positive(count), number(context, beta, x->type.dtype),
                              number(context, 1, x->type.dtype)});
    Value* moved = m.add(m.mul(group[2], alpha), m.mul(factor, gradient));
    Value* direction = mode == "nesterov" ? m.add(gradient, m.mul(moved, alpha)) : moved;
    return {m.sub(x, m.mul(m.like(rate, x), direction)), moved};
  });
}

Values adagrad(const OnnxNode& node, OnnxContext& context) {
  Value* rate = needed_input(context, 0, "the learning rate");
  Value* count = needed_input(context, 1, "the update count");
  const Maths m{context};
  const double regularisation = node.number("norm_coefficient", 0);
  const double decay = node.number("decay_factor", 0), epsilon = node.number("epsilon", 1e-6F);
  return for_each_tensor(context, 3, [&](const Values& group) -> Values {
    Value* x = group[0];
    Value* slowed = m.div(m.like(rate, x), m.add(m.mul(m.like(count, x), decay), 1.0));
    Value* gradient = m.add(m.mul(x, regularisation), group[1]);
    Value* squares = m.add(group[2], m.mul(gradient, gradient));
    Value* step = m.div(m.mul(slowed, gradient), m.add(m.sqrt(squares), epsilon));
    return {m.sub(x, step), squares};
  });
}

Values adam(const OnnxNode& node, OnnxContext& context) {
  Value* rate = needed_input(context, 0, "the learning rate");
  Value* count = needed_input(context, 1, "the update count");
  const Maths m{context};
  const double alpha = node.number("alpha", 0.9F), beta = node.number("beta", 0.999F);
  const double regularisation = node.number("norm_coefficient", 0);
  const double after = node.number("norm_coefficient_post", 0);
  const double epsilon = node.number("epsilon", 1e-6F);
  return for_each_tensor(context, 4, [&](const Values& group) -> Values {
    Value* x = group[0];
    Value* gradient = m.add(m.mul(x, regularisation), group[1]);
    Value* mean = m.add(m.mul(group[2], alpha), m.mul(gradient, 1 - alpha));
    Value* squares = m.add(m.mul(group[3], beta), m.mul(m.mul(gradient, gradient), 1 - beta));
    Value* steps = m.like(count, x);
    Value* own_rate = m.like(rate, x);
    Value* corrected = m.div(m.mul(own_rate, m.sqrt(m.one_less_power(beta, steps))),
                             m.one_less_power(alpha, steps));
    Value* used = context.one(Where{}, {m.is_positive(count), corrected, own_rate});
    Value* step = m.div(m.mul(used, mean), m.add(m.sqrt(squares), epsilon));
    return {m.mul(m.sub(x, step), 1 - after), mean, squares};
  });
}

}  // namespace tenrec
