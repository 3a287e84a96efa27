// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace tenrec {

// For targets whose views cost nothing: transpositions that move only axes of size 1 become views,
// parts that are chosen behind a transposition are chosen before it, and products of lines read
// through the view, so that what follows them can be theirs. After what looks for transpositions.
void sink_views(Graph& graph);

}  // namespace tenrec
