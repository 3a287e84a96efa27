// SPDX-License-Identifier: Apache-2.0
// A bound graph with a draft step a node becomes a Plan: slots, values, buffers, steps.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "build/bind.h"
#include "plan/plan.h"
#include "targets/target.h"

namespace tenrec {

// The engine's weights: each distinct tensor once, whichever plan or kernel asks.
class WeightStore {
 public:
  int32_t add(const Tensor& tensor);
  const std::vector<plan::Weight>& table() const { return table_; }
  const std::vector<Tensor>& tensors() const { return tensors_; }
  uint64_t bytes() const { return bytes_; }

 private:
  std::vector<plan::Weight> table_;
  std::vector<Tensor> tensors_;
  std::map<std::string, int32_t> by_content_;
  std::map<const void*, int32_t> by_address_;
  uint64_t bytes_ = 0;
};

// Chooses a kernel and tactic for a node.
using SelectStep = std::function<StepDraft(const Node& node)>;

plan::Plan lower(const BoundGraph& bound, const SelectStep& select, WeightStore& weights);

}  // namespace tenrec
