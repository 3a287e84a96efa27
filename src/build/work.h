// SPDX-License-Identifier: Apache-2.0
// How much a node has to compute and to move: what its limit on a machine follows from.
#pragma once
#include <map>

#include "targets/target.h"

namespace tenrec {

// A tensor's dims where the symbols have these values.
Dims dims_at(const Type& type, const std::map<const Symbol*, int64_t>& opt);

// Operations of products and convolutions count two for a multiply-add; any other operator counts
// one for each element of its results. Bytes are those of its inputs and outputs, once each; of a
// table that is only looked into no more than what comes out.
Work work_of(const Node& node, const std::map<const Symbol*, int64_t>& opt);

}  // namespace tenrec
