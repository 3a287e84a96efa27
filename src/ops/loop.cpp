// SPDX-License-Identifier: Apache-2.0
#include "ops/loop.h"

#include <limits>

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

Type iteration_type() { return Type::tensor(DType::i64, {}); }

// The condition before the first iteration: true when it is left out.
Type first_condition(const Type& given) {
  return given.present() ? given : Type::tensor(DType::boolean, {}).with_known_ints({Dim(1)});
}

bool is_always_true(const Type& condition) {
  const auto known = condition.constant_ints();
  return known && known->size() == 1 && (*known)[0] != 0;
}

Dim trip_count(const Type& limit, bool never_stops) {
  if (!limit.present()) return Dim::fresh("trips");
  const std::vector<Dim>* known = limit.known_ints();
  if (!known || known->size() != 1) return Dim::fresh("trips");
  const Dim trips = tight_max((*known)[0], Dim(0));
  return never_stops ? trips : Dim::fresh("trips", 0, trips.upper());
}

Types body_inputs(const Types& condition_and_carried) {
  Types inputs{iteration_type()};
  inputs.insert(inputs.end(), condition_and_carried.begin(), condition_and_carried.end());
  return inputs;
}

}  // namespace

Types Loop::infer(const Types& in, const std::vector<const Graph*>& bodies) const {
  const auto count = static_cast<size_t>(carried);
  TENREC_CHECK(bodies.size() == 1 && in.size() >= 2 + count, invalid_model,
               "Loop of {} carried values has {} inputs", carried, in.size());
  check_single(in[0], "the trip count of Loop");
  check_single(in[1], "the condition of Loop");
  const Types captures(in.begin() + 2 + carried, in.end());
  Types initial{first_condition(in[1])};
  initial.insert(initial.end(), in.begin() + 2, in.begin() + 2 + carried);
  const Carried stable = stable_carried(initial, [&](const Types& types) {
    Types inputs = body_inputs(types);
    inputs.insert(inputs.end(), captures.begin(), captures.end());
    return body_outputs(*bodies[0], inputs);
  });
  TENREC_CHECK(stable.outputs.size() == 1 + count + collected.size(), invalid_model,
               "the body of Loop gives {} outputs, {} are needed", stable.outputs.size(),
               1 + count + collected.size());
  const SymbolSet visible = symbols_of(in);
  const Dim trips = trip_count(in[0], is_always_true(stable.inputs[0]));
  Types out;
  for (size_t i = 1; i <= count; ++i) {
    const bool same_kind = stable.inputs[i].kind == stable.outputs[i].kind;
    out.push_back(exported(same_kind ? stable.inputs[i] : stable.outputs[i], visible));
  }
  for (size_t i = 1 + count; i < stable.outputs.size(); ++i) {
    const Type one = exported(stable.outputs[i], visible);
    if (!one.ranked) {
      out.push_back(one);
      continue;
    }
    Shape shape{trips};
    shape.insert(shape.end(), one.shape.begin(), one.shape.end());
    out.push_back(Type::tensor(one.dtype, std::move(shape)));
  }
  return out;
}

Data Loop::eval_bodies(const Data& in, const BodyRunner& run) const {
  const auto scalar = [&](size_t i, int64_t fallback) {
    if (!in[i].tensor) return fallback;
    TENREC_CHECK(in[i].tensor.elements() == 1, invalid_input, "input {} of Loop has shape {}", i,
                 to_string(in[i].tensor.dims()));
    return in[i].tensor.to_ints()[0];
  };
  const int64_t limit = scalar(0, std::numeric_limits<int64_t>::max());
  Datum condition = in[1].tensor ? in[1] : Datum(Tensor::scalar(true));
  Data values(in.begin() + 2, in.begin() + 2 + carried);
  std::vector<Tensors> parts(collected.size());
  for (int64_t i = 0; i < limit && condition.tensor.to_ints().at(0) != 0; ++i) {
    Data inputs{Datum(Tensor::scalar(i)), condition};
    inputs.insert(inputs.end(), values.begin(), values.end());
    inputs.insert(inputs.end(), in.begin() + 2 + carried, in.end());
    const Data outputs = run(0, inputs);
    condition = outputs.at(0);
    values.assign(outputs.begin() + 1, outputs.begin() + 1 + carried);
    for (size_t k = 0; k < parts.size(); ++k) {
      parts[k].push_back(outputs.at(1 + static_cast<size_t>(carried) + k).tensor);
    }
  }
  for (size_t k = 0; k < parts.size(); ++k) values.emplace_back(stacked(parts[k], 0, collected[k]));
  return values;
}

Values Loop::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Loop op;
  op.carried = std::max<int64_t>(static_cast<int64_t>(node.input_count()) - 2, 0);
  Values inputs{context.input(0), context.input(1)};
  Types initial{first_condition(inputs[1] ? inputs[1]->type : Type{})};
  for (size_t i = 2; i < node.input_count(); ++i) {
    Value* value = context.input(i);
    TENREC_CHECK(value, invalid_model, "initial value {} of Loop is missing", i - 2);
    inputs.push_back(value);
    initial.push_back(value->type);
  }
  // Imported again for each widening: a body may hold constants that only the narrower types allow.
  std::vector<std::unique_ptr<Graph>> bodies;
  Values captures;
  stable_carried(initial, [&](const Types& types) {
    captures.clear();
    bodies = context.bodies({"body"}, {body_inputs(types)}, captures);
    return output_types(*bodies[0]);
  });
  const Types outputs = output_types(*bodies[0]);
  for (size_t i = initial.size(); i < outputs.size(); ++i)
    op.collected.push_back(empty_output(outputs[i]));
  inputs.insert(inputs.end(), captures.begin(), captures.end());
  return context.add(op, std::move(inputs), std::move(bodies));
}

}  // namespace tenrec
