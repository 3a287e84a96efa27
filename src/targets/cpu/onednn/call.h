// SPDX-License-Identifier: Apache-2.0
// oneDNN's primitives on our threads. Debian's oneDNN brings OpenMP, whose team would fight with
// ours for the cores: each primitive is made for one thread, and our tasks run one for each part of
// a step.
#pragma once
#include <atomic>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "runtime/device.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

dnnl::engine& onednn_engine();

// While it lives, oneDNN called from this thread starts no team.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// A part of a step: a primitive of an input, weights and whatever `add` names. All offsets are in
// floats from the start of the step's tensors.
class OnednnPart {
 public:
  template <class Primitive>
  static OnednnPart make(const typename Primitive::primitive_desc& description) {
    OnednnPart part;
    part.primitive_ = Primitive(description);
    part.add(DNNL_ARG_SRC, description.src_desc());
    part.add(DNNL_ARG_WEIGHTS, description.weights_desc());
    part.add(DNNL_ARG_DST, description.dst_desc());
    part.add(DNNL_ARG_SCRATCHPAD, description.scratchpad_desc());
    part.workspace = description.scratchpad_desc().get_size();
    return part;
  }
  void add(int argument, const dnnl::memory::desc& desc) {
    arguments_.emplace(argument, dnnl::memory(desc, onednn_engine(), nullptr));
  }
  void set(int argument, void* data) { arguments_.at(argument).set_data_handle(data); }
  void run() const { primitive_.execute(stream_, arguments_); }

  int64_t source = 0, weights = 0, channels = 0, target = 0;
  uint64_t workspace = 0;

 private:
  OnednnPart() : stream_(onednn_engine()) {}
  dnnl::stream stream_;
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

class OnednnCall {
 public:
  void clear() { parts_.clear(); }
  void add(OnednnPart part) { parts_.push_back(std::move(part)); }
  uint64_t workspace_bytes(const Threads& threads) const {
    return workspace() * static_cast<uint64_t>(threads.count());
  }
  // `set(part)` gives a part the addresses of what was added to it.
  void run(
      const StepArgs& args, const Threads& threads,
      FunctionRef<void(OnednnPart& part)> set = [](OnednnPart&) {});

 private:
  uint64_t workspace() const;  // of a worker
  std::vector<OnednnPart> parts_;
};

}  // namespace tenrec::cpu
