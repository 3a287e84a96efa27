// SPDX-License-Identifier: Apache-2.0
// Selection: for a node, every kernel of the target is asked; the accepted ones' tactics are timed
// at the profile's opt sizes and the fastest is kept. Without tuning the first tactic of the first
// kernel that accepts wins (the target lists its kernels in order of preference).
#pragma once
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "build/lower.h"
#include "runtime/device.h"
#include "targets/target.h"
#include "targets/timing_cache.h"

namespace tenrec {

class TimedPlan;

struct SelectOptions {
  bool tune = true;
  bool explain = false;
  uint64_t seed = 0;
  uint64_t memory_limit = 0;                  // of the tuning device, bytes; 0: none
  double tune_seconds = 0;                    // then first tactics are taken; 0: no end
  std::map<std::string, std::string> pinned;  // node name -> "kernel" or "kernel tactic"
  std::function<void()> tick;                 // called before each timing; may throw `cancelled`
};

class Selector {
 public:
  Selector(const Target& target, DeviceInfo device, SelectOptions options, TimingCache& cache);
  ~Selector();

  // Starts to compile what selection is going to time, in the order in which it is: the first nodes
  // are timed while the texts of the others are being compiled.
  void prepare(const Graph& graph, const std::map<const Symbol*, int64_t>& opt);
  StepDraft select(const Node& node, const std::map<const Symbol*, int64_t>& opt);
  // The text does not compile: from now on no tactic that needs it is chosen. What was selected so
  // far has to be selected again.
  void refuse(const plan::KernelSource& source);
  const std::string& explanation() const { return explanation_; }
  // Nodes whose kernels run on the host, though the target's memory is not there.
  const std::vector<std::string>& host_nodes() const { return host_nodes_; }
  // Nodes that were not timed because tuning had taken its time.
  size_t untimed() const { return untimed_.size(); }

 private:
  struct Candidate {
    const Kernel* kernel;
    std::string tactic;
  };
  std::vector<const Kernel*> accepting(const Node& node, std::string* why);
  // Every tactic of every kernel that accepts the node; listed once for equal nodes.
  const std::vector<Candidate>& candidates_of(const Node& node,
                                              const std::vector<const Kernel*>& accepted,
                                              const Sizes& sizes);
  // The winner of an earlier build, if its kernel still accepts the node.
  std::optional<Candidate> remembered(const std::string& key,
                                      const std::vector<const Kernel*>& accepted);
  Candidate choose(const Node& node, const std::vector<const Kernel*>& accepted,
                   const Sizes& sizes);
  // Needs a text that does not compile.
  bool is_refused(const Node& node, const Candidate& candidate) const;
  void add_sources(const Node& node, const std::vector<Candidate>& candidates,
                   std::vector<plan::KernelSource>& into) const;
  // All at once, into the target's own store; at most with so many threads.
  void compile_ahead(const std::vector<plan::KernelSource>& sources, int threads) const;
  Candidate fastest(const Node& node, const std::vector<Candidate>& candidates, const Sizes& sizes,
                    const std::string& cache_key);
  bool can_time(const Node& node, const Sizes& sizes);
  // Null: the kernel takes the node's range of sizes, but not just these.
  std::unique_ptr<TimedPlan> ready_to_time(const Node& node, const Candidate& candidate,
                                           const Sizes& sizes);
  std::string key(const Node& node, const Sizes& sizes,
                  const std::vector<const Kernel*>& accepted) const;
  Device& device();
  bool is_out_of_time() const;

  const Target& target_;
  DeviceInfo info_;
  SelectOptions options_;
  TimingCache& cache_;
  std::shared_ptr<Device> device_;
  std::string explanation_;
  std::vector<std::string> host_nodes_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::set<std::string> untimed_;
  std::map<std::string, std::vector<Candidate>> candidates_;
  std::set<std::string> refused_;  // texts
  std::future<void> ahead_;        // the last member: its end is waited for first
};

}  // namespace tenrec
