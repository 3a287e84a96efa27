// SPDX-License-Identifier: Apache-2.0
// A oneDNN primitive of an input and weights, ready to run on the memory of a step.
#pragma once
#include <dnnl.hpp>
#include <unordered_map>

#include "runtime/device.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

dnnl::engine& onednn_engine();

class OnednnCall {
 public:
  OnednnCall() : stream_(onednn_engine()) {}

  template <class Primitive>
  void make(const typename Primitive::primitive_desc& description) {
    primitive_ = Primitive(description);
    arguments_.clear();
    add(DNNL_ARG_SRC, description.src_desc());
    add(DNNL_ARG_WEIGHTS, description.weights_desc());
    add(DNNL_ARG_DST, description.dst_desc());
    add(DNNL_ARG_SCRATCHPAD, description.scratchpad_desc());
    workspace_ = description.scratchpad_desc().get_size();
  }
  void add(int argument, const dnnl::memory::desc& desc) {
    arguments_.emplace(argument, dnnl::memory(desc, onednn_engine(), nullptr));
  }
  void set(int argument, void* data) { arguments_.at(argument).set_data_handle(data); }
  uint64_t workspace_bytes() const { return workspace_; }

  void run(const StepArgs& args, const Threads& threads) {
    set(DNNL_ARG_SRC, args.inputs[0].data);
    set(DNNL_ARG_WEIGHTS, args.inputs[1].data);
    set(DNNL_ARG_DST, args.outputs[0].data);
    set(DNNL_ARG_SCRATCHPAD, args.scratch.data());
    threads.adopt();
    primitive_.execute(stream_, arguments_);
  }

 private:
  dnnl::stream stream_;
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
  uint64_t workspace_ = 0;
};

}  // namespace tenrec::cpu
