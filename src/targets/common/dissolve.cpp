// SPDX-License-Identifier: Apache-2.0
#include "targets/common/dissolve.h"

#include "ops/fused.h"
#include "passes/inline_body.h"

namespace tenrec {

void dissolve_unsupported(Graph& graph, std::span<const Kernel* const> kernels,
                          const DeviceInfo& device) {
  for (Node* node = graph.front(); node;) {
    Node* const next = node->next();
    if (node->as<Fused>()) {
      if (!has_real_kernel(*node, kernels, device)) inline_body(graph, node, 0, 0);
    } else {
      for (size_t i = 0; i < node->body_count(); ++i)
        dissolve_unsupported(node->body(i), kernels, device);
    }
    node = next;
  }
}

}  // namespace tenrec
