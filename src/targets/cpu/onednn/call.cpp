// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/onednn/call.h"

#include <omp.h>

#include <algorithm>

#include "base/error.h"

namespace tenrec::cpu {

dnnl::engine& onednn_engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

OneThread::OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
OneThread::~OneThread() { omp_set_num_threads(before_); }

uint64_t OnednnCall::workspace() const {
  uint64_t most = 0;
  for (const OnednnPart& part : parts_) most = std::max(most, part.workspace);
  return (most + 63) / 64 * 64;
}

void OnednnCall::run(const StepArgs& args, const Threads& threads,
                     FunctionRef<void(OnednnPart& part)> set) {
  const uint64_t workspace_size = workspace();
  std::atomic<bool> failed = false;
  threads.parallel(static_cast<int>(parts_.size()), [&](int task, int worker) {
    OnednnPart& part = parts_[static_cast<size_t>(task)];
    const OneThread one_thread;
    try {
      part.set(DNNL_ARG_SRC, args.inputs[0].as<float>() + part.source);
      part.set(DNNL_ARG_WEIGHTS, args.inputs[1].as<float>() + part.weights);
      part.set(DNNL_ARG_DST, args.outputs[0].as<float>() + part.target);
      part.set(DNNL_ARG_SCRATCHPAD,
               args.scratch.data() + workspace_size * static_cast<uint64_t>(worker));
      set(part);
      part.run();
    } catch (const dnnl::error&) {
      failed = true;
    }
  });
  TENREC_CHECK(!failed, internal, "oneDNN failed while running");
}

}  // namespace tenrec::cpu
