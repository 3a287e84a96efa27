// SPDX-License-Identifier: Apache-2.0
#include "ops/if.h"

#include <array>
#include <optional>

#include "ops/bodies.h"
#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {

namespace {

// Types of both branches. One that cannot work with these inputs is not taken in a model that
// works, and says nothing.
std::pair<Types, Types> branch_types(const std::vector<const Graph*>& bodies,
                                     const Types& captures) {
  std::array<std::optional<Types>, 2> types;
  std::optional<Error> problem;
  for (size_t i = 0; i < 2; ++i) {
    try {
      types[i] = body_outputs(*bodies[i], captures);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_model || problem) throw;
      problem = error;
    }
  }
  return {types[0] ? *types[0] : *types[1], types[1] ? *types[1] : *types[0]};
}

}  // namespace

Types If::infer(const Types& in, const std::vector<const Graph*>& bodies) const {
  TENREC_CHECK(bodies.size() == 2, invalid_model, "If has {} branches, it needs 2", bodies.size());
  const Type& condition = tensor_input(in, 0, "If");
  TENREC_CHECK(condition.dtype == DType::boolean, invalid_model,
               "If's condition is {}, bool is needed", name(condition.dtype));
  const Types captures(in.begin() + 1, in.end());
  const SymbolSet visible = symbols_of(in);
  Types out;
  if (const auto known = condition.constant_ints(); known && known->size() == 1) {
    for (const Type& type : body_outputs(*bodies[(*known)[0] != 0 ? 0 : 1], captures)) {
      out.push_back(exported(type, visible));
    }
    return out;
  }
  const auto [then_types, else_types] = branch_types(bodies, captures);
  TENREC_CHECK(then_types.size() == else_types.size(), invalid_model,
               "the branches of If give {} and {} outputs", then_types.size(), else_types.size());
  for (size_t i = 0; i < then_types.size(); ++i) {
    const Type both =
        merged(then_types[i], else_types[i], fmt::format("output {} of the branches", i));
    // Sizes that the branches disagree on are symbols of this node; they are not visible yet
    // either.
    out.push_back(exported(both, visible));
  }
  return out;
}

Data If::eval_bodies(const Data& in, const BodyRunner& run) const {
  const Tensor& condition = in.at(0).tensor;
  TENREC_CHECK(condition && condition.elements() == 1, invalid_input, "If's condition has shape {}",
               to_string(condition.dims()));
  return run(condition.to_ints()[0] != 0 ? 0 : 1, Data(in.begin() + 1, in.end()));
}

Values If::from_onnx(const OnnxNode&, OnnxContext& context) {
  Values captures;
  auto bodies = context.bodies({"then_branch", "else_branch"}, {{}, {}}, captures);
  Values inputs{context.input(0)};
  inputs.insert(inputs.end(), captures.begin(), captures.end());
  return context.add(If{}, std::move(inputs), std::move(bodies));
}

}  // namespace tenrec
