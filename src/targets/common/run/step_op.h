// SPDX-License-Identifier: Apache-2.0
// The operator that a step stands for.
#pragma once
#include "base/error.h"
#include "ir/op.h"
#include "plan/plan.h"

namespace tenrec {

// An invalid_engine Error if this build has none of that name.
Op decode_step_op(const plan::Step& step);

// Decodes the step's operator into T (families that read operator fields); invalid_engine Error if
// the step names another operator.
template <class T>
T step_op(const plan::Step& step) {
  const Op op = decode_step_op(step);
  const T* typed = op.as<T>();
  TENREC_CHECK(typed, invalid_engine, "step of family \"{}\" names operator \"{}\"", step.family,
               step.op);
  return *typed;
}

}  // namespace tenrec
