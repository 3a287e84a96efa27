// SPDX-License-Identifier: Apache-2.0
#include "ops/fused.h"

namespace tenrec {

Types Fused::infer(const Types& in, const std::vector<const Graph*>& bodies) const {
  TENREC_ASSERT(bodies.size() == 1 && bodies[0]->inputs().size() == in.size());
  // The body is owned by the node and read-only here: infer on a copy with the outer types.
  const std::unique_ptr<Graph> body = bodies[0]->clone();
  for (size_t i = 0; i < in.size(); ++i) body->inputs()[i]->type = in[i];
  body->reinfer();
  Types out;
  for (const Value* value : body->outputs()) out.push_back(value->type);
  return out;
}

}  // namespace tenrec
