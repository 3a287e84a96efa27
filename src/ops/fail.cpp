// SPDX-License-Identifier: Apache-2.0
#include "ops/fail.h"

namespace tenrec {

Types Fail::infer(const Types&) const {
  TENREC_CHECK(ranks.size() == dtypes.size(), invalid_model, "fail has {} ranks for {} outputs",
               ranks.size(), dtypes.size());
  Types out;
  size_t next = 0;
  for (size_t i = 0; i < dtypes.size(); ++i) {
    TENREC_CHECK(ranks[i] >= 0 && static_cast<size_t>(ranks[i]) <= sizes.size() - next,
                 invalid_model, "fail has {} sizes, output {} alone has rank {}", sizes.size(), i,
                 ranks[i]);
    Shape shape;
    for (int64_t axis = 0; axis < ranks[i]; ++axis, ++next) {
      shape.push_back(sizes[next] < 0 ? Dim::fresh("never") : Dim(sizes[next]));
    }
    out.push_back(Type::tensor(dtypes[i], std::move(shape)));
  }
  return out;
}

Tensors Fail::eval(const Tensors&) const { fail(ErrorCode::invalid_input, "{}", message); }

}  // namespace tenrec
