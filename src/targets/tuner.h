// SPDX-License-Identifier: Apache-2.0
// The one timing loop of all targets.
#pragma once

#include <memory>

#include "plan/engine_file.h"
#include "runtime/device.h"

namespace tenrec {

// A small static plan, ready to be timed on seeded random inputs as a model would run it: its
// weights rotate beyond the last-level cache. On the host what it computes on stays outside a
// core's own caches only, where the layer before has just left it; on other devices all rotates.
class TimedPlan {
 public:
  TimedPlan(Device& device, plan::Plan plan, plan::WeightStore weights,
            std::vector<plan::KernelImage> code, uint64_t seed, uint64_t last_level_cache);
  ~TimedPlan();
  double first_run();  // microseconds, with cold caches
  double round();      // microseconds a run, of one round of runs; warms up where it is the first

 private:
  class Instance;
  void make_copies();
  double run_many(int count);

  Device& device_;
  const plan::Plan plan_;
  const plan::WeightStore weights_;
  const std::vector<plan::KernelImage> code_;
  uint64_t seed_, last_level_cache_;
  std::vector<std::unique_ptr<Instance>> instances_;
  std::unique_ptr<Recording> recording_;
  size_t next_ = 0;
  int count_ = 0;  // of runs in a round; 0: not warm yet
};

// Medians of rounds that alternate, so that a slow moment of the machine hits both. The challenger
// wins if it is faster in nearly all of them; one that is hopeless gets one round.
struct Duel {
  double champion = 0, challenger = 0;  // microseconds
  bool challenger_wins = false;
};
Duel duel(TimedPlan& champion, TimedPlan& challenger);

}  // namespace tenrec
