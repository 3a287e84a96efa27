// SPDX-License-Identifier: Apache-2.0
// How far back memory was used last: which cache it can still be in.
#pragma once
#include <functional>
#include <map>
#include <span>

#include "tenrec/engine.h"

namespace tenrec {

// Follows the steps of runs as they go through memory. What a step reads or writes comes from where
// a set stays that is as large as all that was touched since: in the mean over a sweep, from the
// middle of the step that used it last to the middle of this one.
class MemoryReuse {
 public:
  // Seconds for a byte of memory between whose uses so many bytes are touched.
  using CostOfByte = std::function<double(double distance)>;

  // Notes what a step uses; the mean cost of its bytes. Memory that no step used before costs as
  // much as what is furthest away.
  double step(std::span<const StepMemory> uses, const CostOfByte& cost);

 private:
  struct Piece {
    uint64_t end = 0;
    double used = 0;  // bytes touched until then, from the start on
  };
  double cost_of(uint64_t begin, uint64_t end, double now, const CostOfByte& cost) const;
  void use(uint64_t begin, uint64_t end, double now);

  std::map<uint64_t, Piece> pieces_;  // by their first address; they don't overlap
  double touched_ = 0;
};

}  // namespace tenrec
