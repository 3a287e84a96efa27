// SPDX-License-Identifier: Apache-2.0
// The whole ordered list.
#include "passes/passes.h"

namespace tenrec {

const std::vector<Pass>& symbolic_passes() {
  static const std::vector<Pass> passes{
      {"fold_constants", fold_constants},
      {"continue_branches", continue_branches},
      {"simplify", simplify},
      {"recognise", recognise},
      {"transposes", transposes},
      {"fold_affine", fold_affine},
      {"fold_constants", fold_constants},
      {"common_subexpressions", common_subexpressions},
  };
  return passes;
}

// `fuse` (passes/fuse.h) comes after the target's layouts, so targets call it from prepare_graph.
const std::vector<Pass>& bound_passes() {
  static const std::vector<Pass> passes{
      {"fold_constants", fold_constants},
      {"simplify", simplify},
      {"common_subexpressions", common_subexpressions},
  };
  return passes;
}

}  // namespace tenrec
