// SPDX-License-Identifier: Apache-2.0
#include "build/select.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "build/bind.h"
#include "build/work.h"
#include "ir/constant.h"
#include "ir/text.h"
#include "ops/fail.h"
#include "targets/tuner.h"
#include "tenrec/version.h"

namespace tenrec {
namespace {

Sizes sizes_at(const Node& node, const std::map<const Symbol*, int64_t>& opt) {
  Sizes sizes;
  for (const Value* input : node.inputs()) {
    sizes.inputs.push_back(input ? dims_at(input->type, opt) : Dims{});
  }
  for (const Value* output : node.outputs()) sizes.outputs.push_back(dims_at(output->type, opt));
  return sizes;
}

std::string type_text(const Type& type, const Dims& dims) {
  return fmt::format("{}{}b{}x{}{}", name(type.dtype), to_string(dims), type.layout.block_axis,
                     type.layout.block, type.layout.channels_last ? "l" : "");
}

std::string body_text(const Node& node) {
  std::string text;
  for (const Graph* body : node.bodies()) {
    for (const auto& inner : body->nodes()) {
      TextWriter writer;
      if (const Tensor* constant = inner->output()->constant())
        text += fmt::format(" {}{}", name(constant->dtype()), to_string(constant->dims()));
      else text += fmt::format(" {}({})", inner->op().name(), inner->op().print(writer));
    }
  }
  return text;
}

bool has_free_sizes(const Node& node) {
  const auto is_free = [](const Value* value) { return value && !value->type.is_static(); };
  const Values outputs = node.outputs();
  return std::any_of(node.inputs().begin(), node.inputs().end(), is_free) ||
         std::any_of(outputs.begin(), outputs.end(), is_free);
}

constexpr int64_t most_assumed_elements = 64 << 20;  // of a tensor to time sizes that are guesses

bool is_beyond(const Sizes& sizes, int64_t elements) {
  const auto is_large = [&](const Dims& dims) {
    double count = 1;
    for (const int64_t dim : dims) count *= static_cast<double>(dim);
    return count > static_cast<double>(elements);
  };
  return std::ranges::any_of(sizes.inputs, is_large) ||
         std::ranges::any_of(sizes.outputs, is_large);
}

double least_us(const Kernel& kernel, const Node& node) {
  return has_free_sizes(node) ? kernel.new_size_us() : 0;
}

// Where what a kernel takes at least is more than its time, that counts and not the duel.
bool wins(const Duel& times, double champion_least, double challenger_least) {
  const bool as_timed = champion_least <= times.champion && challenger_least <= times.challenger;
  if (as_timed) return times.challenger_wins;
  return std::max(times.challenger, challenger_least) < std::max(times.champion, champion_least);
}

}  // namespace

Selector::Selector(const Target& target, DeviceInfo device, SelectOptions options,
                   TimingCache& cache)
    : target_(target), info_(std::move(device)), options_(std::move(options)), cache_(cache) {}
Selector::~Selector() = default;

Device& Selector::device() {
  if (!device_) {
    device_ = open_device(info_.target, {.threads = info_.threads,
                                         .index = 0,
                                         .memory_limit = options_.memory_limit,
                                         .fingerprint = info_.fingerprint});
  }
  return *device_;
}

// The kernels that accept the node belong to it: a new one wants its turn.
std::string Selector::key(const Node& node, const Sizes& sizes,
                          const std::vector<const Kernel*>& accepted) const {
  TextWriter writer;
  std::string text = fmt::format("{} {} t{} v{} p{} {}({}){}", TENREC_VERSION, info_.fingerprint,
                                 info_.threads, info_.vendor, info_.tf32, node.op().name(),
                                 node.op().print(writer), body_text(node));
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    const Value* input = node.input(i);
    text += input ? " " + type_text(input->type, sizes.inputs[i]) + (input->constant() ? "c" : "")
                  : " none";
  }
  for (size_t i = 0; i < node.output_count(); ++i) {
    text += " > " + type_text(node.output(i)->type, sizes.outputs[i]);
  }
  for (const Kernel* kernel : accepted) {
    text += fmt::format(" | {}", kernel->name());
    if (const double least = least_us(*kernel, node); least > 0)
      text += fmt::format(" at least {}", least);
  }
  return "k" + hash128(text).hex();
}

std::vector<const Kernel*> Selector::accepting(const Node& node, std::string* why) {
  std::vector<const Kernel*> accepted;
  for (const Kernel* kernel : target_.kernels()) {
    const Reject reject = kernel->vendor() && !info_.vendor
                              ? Reject("vendor libraries are switched off")
                              : kernel->check(node, info_);
    if (reject.empty()) accepted.push_back(kernel);
    else if (why) *why += fmt::format("  {}: no: {}\n", kernel->name(), reject);
  }
  TENREC_CHECK(!accepted.empty(), unsupported, "no kernel of target '{}' runs {}", target_.name(),
               node.describe());
  std::stable_partition(accepted.begin(), accepted.end(), [&](const Kernel* kernel) {
    return least_us(*kernel, node) == 0 && !kernel->is_reference();
  });
  return accepted;
}

const std::vector<Selector::Candidate>& Selector::candidates_of(
    const Node& node, const std::vector<const Kernel*>& accepted, const Sizes& sizes) {
  std::vector<Candidate>& candidates = candidates_[key(node, sizes, accepted)];
  if (!candidates.empty()) return candidates;
  std::vector<const Kernel*> order = accepted;
  std::stable_partition(order.begin(), order.end(), [&](const Kernel* kernel) {
    return kernel->is_likely_fastest(node, info_, sizes);
  });
  for (const Kernel* kernel : order) {
    if (kernel->is_reference() && !candidates.empty()) continue;
    for (std::string& tactic : kernel->tactics(node, info_, sizes)) {
      Candidate candidate{kernel, std::move(tactic)};
      if (!is_refused(node, candidate)) candidates.push_back(std::move(candidate));
    }
    if (!options_.tune && !candidates.empty()) break;
  }
  return candidates;
}

std::optional<Selector::Candidate> Selector::remembered(
    const std::string& key, const std::vector<const Kernel*>& accepted) {
  const TimingEntry* entry = cache_.find(key);
  if (!entry) return std::nullopt;
  for (const Kernel* kernel : accepted) {
    if (kernel->name() == entry->kernel) return Candidate{kernel, entry->tactic};
  }
  return std::nullopt;
}

void Selector::refuse(const plan::KernelSource& source) {
  refused_.insert(source.text);
  candidates_.clear();
  host_nodes_.clear();
  explanation_.clear();
}

bool Selector::is_refused(const Node& node, const Candidate& candidate) const {
  if (refused_.empty()) return false;
  const StepDraft draft = candidate.kernel->compile(node, candidate.tactic, info_);
  return std::any_of(draft.code.begin(), draft.code.end(), [&](const plan::KernelSource& source) {
    return refused_.count(source.text) != 0;
  });
}

void Selector::prepare(const Graph& graph, const std::map<const Symbol*, int64_t>& opt) {
  // Where time may run out, only what comes to be timed is compiled, node by node.
  if (!options_.tune || options_.tune_seconds > 0) return;
  std::vector<plan::KernelSource> sources;
  std::set<std::string> seen;
  for (const auto& node : graph.nodes()) {
    // Constants and sizes as data become no steps.
    if (!node->input(0) || node->output_count() == 0 || node->output()->type.known_ints()) continue;
    const Sizes sizes = sizes_at(*node, opt);
    const std::vector<const Kernel*> accepted = accepting(*node, nullptr);
    const std::string known = key(*node, sizes, accepted);
    if (!seen.insert(known).second) continue;
    if (accepted.size() == 1 || remembered(known, accepted)) continue;
    if (!can_time(*node, sizes)) continue;
    add_sources(*node, candidates_of(*node, accepted, sizes), sources);
  }
  if (sources.empty()) return;
  // One thread is left for the timing.
  const int threads = std::max(info_.threads - 1, 1);
  ahead_ = std::async(std::launch::async, [this, sources = std::move(sources), threads] {
    compile_ahead(sources, threads);
  });
}

void Selector::add_sources(const Node& node, const std::vector<Candidate>& candidates,
                           std::vector<plan::KernelSource>& into) const {
  for (const Candidate& candidate : candidates) {
    for (plan::KernelSource& source : candidate.kernel->compile(node, candidate.tactic, info_).code)
      into.push_back(std::move(source));
  }
}

void Selector::compile_ahead(const std::vector<plan::KernelSource>& sources, int threads) const {
  DeviceInfo info = info_;
  info.threads = threads;
  try {
    target_.compile(sources, info);
  } catch (const Error&) {
    // Each text is compiled again when it is timed, and the one that fails is named there.
  }
}

StepDraft Selector::select(const Node& node, const std::map<const Symbol*, int64_t>& opt) {
  if (options_.explain) explanation_ += fmt::format("{}\n", node.describe());
  const std::vector<const Kernel*> accepted =
      accepting(node, options_.explain ? &explanation_ : nullptr);
  const Sizes sizes = sizes_at(node, opt);
  const Candidate winner = choose(node, accepted, sizes);
  if (options_.explain) {
    explanation_ += fmt::format("  -> {} {}\n", winner.kernel->name(), winner.tactic);
  }
  // A node that only fails has nothing to copy.
  if (winner.kernel->on_host() && !node.as<Fail>()) host_nodes_.push_back(node.describe());
  StepDraft draft = winner.kernel->compile(node, winner.tactic, info_);
  draft.work = work_of(node, opt);
  return draft;
}

Selector::Candidate Selector::choose(const Node& node, const std::vector<const Kernel*>& accepted,
                                     const Sizes& sizes) {
  for (const std::string& origin : node.origins()) {
    const auto pinned = options_.pinned.find(origin);
    if (pinned == options_.pinned.end()) continue;
    const size_t space = pinned->second.find(' ');
    const std::string wanted = pinned->second.substr(0, space);
    for (const Kernel* kernel : accepted) {
      if (kernel->name() != wanted) continue;
      if (space != std::string::npos) return {kernel, pinned->second.substr(space + 1)};
      const std::vector<std::string> tactics = kernel->tactics(node, info_, sizes);
      TENREC_CHECK(!tactics.empty(), usage,
                   "{} is pinned to '{}', which is never the fastest at these sizes and has no "
                   "tactic for them; write the tactic too",
                   node.describe(), pinned->second);
      return {kernel, tactics.front()};
    }
    fail(ErrorCode::usage, "{} is pinned to '{}', which does not accept it; see --explain",
         node.describe(), pinned->second);
  }
  // A cached winner also serves builds that do not time.
  const std::string cache_key = key(node, sizes, accepted);
  const auto winner = remembered(cache_key, accepted);
  if (winner && !is_refused(node, *winner)) {
    if (options_.explain) {
      explanation_ += fmt::format("  {} {}: {:.2f} us (timing cache)\n", winner->kernel->name(),
                                  winner->tactic, cache_.find(cache_key)->microseconds);
    }
    return *winner;
  }
  const std::vector<Candidate>& candidates = candidates_of(node, accepted, sizes);
  TENREC_CHECK(!candidates.empty(), unsupported, "no kernel of target '{}' has a tactic for {}",
               target_.name(), node.describe());
  if (candidates.size() == 1 || !options_.tune) return candidates.front();
  if (!can_time(node, sizes)) {
    if (options_.explain) explanation_ += "  not timed: its sizes are known only when running\n";
    return candidates.front();
  }
  if (is_out_of_time()) {
    untimed_.insert(cache_key);
    if (options_.explain) explanation_ += "  not timed: tuning has taken its time\n";
    return candidates.front();
  }
  return fastest(node, candidates, sizes, cache_key);
}

bool Selector::is_out_of_time() const {
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - started_;
  return options_.tune_seconds > 0 && taken.count() > options_.tune_seconds;
}

Selector::Candidate Selector::fastest(const Node& node, const std::vector<Candidate>& candidates,
                                      const Sizes& sizes, const std::string& cache_key) {
  const Candidate* best = nullptr;
  std::unique_ptr<TimedPlan> champion;
  double best_time = 0;
  std::string failures;
  if (options_.tune_seconds > 0) {
    std::vector<plan::KernelSource> sources;
    add_sources(node, candidates, sources);
    compile_ahead(sources, info_.threads);
  }
  for (const Candidate& candidate : candidates) {
    if (options_.tick) options_.tick();
    std::string result;
    try {
      std::unique_ptr<TimedPlan> challenger = ready_to_time(node, candidate, sizes);
      if (!challenger) continue;
      Duel times;
      if (champion) {
        times = duel(*champion, *challenger);
        best_time = times.champion;
      } else {
        challenger->first_run();
        times = {0, challenger->round(), true};
      }
      result = fmt::format("{:.2f} us", times.challenger);
      if (champion) result += fmt::format(" (the best so far: {:.2f} us)", times.champion);
      if (!best || wins(times, least_us(*best->kernel, node), least_us(*candidate.kernel, node))) {
        best = &candidate;
        best_time = times.challenger;
        champion = std::move(challenger);
      }
    } catch (const Error& error) {
      // One way to run a node that does not work leaves the others.
      if (error.code() == ErrorCode::cancelled) throw;
      result = fmt::format("dropped: {}", error.what());
      failures +=
          fmt::format("\n  {} {}: {}", candidate.kernel->name(), candidate.tactic, error.what());
    }
    if (options_.explain) {
      explanation_ +=
          fmt::format("  {} {}: {}\n", candidate.kernel->name(), candidate.tactic, result);
    }
  }
  TENREC_CHECK(best || failures.empty(), unsupported, "no kernel runs {}:{}", node.describe(),
               failures);
  if (!best) return candidates.front();  // none takes just these sizes, all take the range
  cache_.put(cache_key,
             {std::string(best->kernel->name()), best->tactic, best_time, node.describe()});
  return *best;
}

namespace {

// The node alone, at its opt sizes, with its constants, as a graph of its own.
BoundGraph alone(const Node& node, const Sizes& sizes) {
  BoundGraph bound;
  bound.graph = std::make_unique<Graph>();
  Values inputs;
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    const Value* input = node.input(i);
    if (!input) {
      inputs.push_back(nullptr);
    } else if (const Tensor* constant = input->constant()) {
      inputs.push_back(bound.graph->constant(nullptr, *constant));
      inputs.back()->type.layout = input->type.layout;
    } else {
      Type type =
          Type::tensor(input->type.dtype, Shape(sizes.inputs[i].begin(), sizes.inputs[i].end()));
      type.layout = input->type.layout;
      type.known = input->type.known;
      inputs.push_back(bound.graph->add_input("", std::move(type)));
    }
  }
  std::vector<std::unique_ptr<Graph>> bodies;
  for (const Graph* body : node.bodies()) bodies.push_back(body->clone());
  Node* twin =
      bound.graph->insert(nullptr, node.op(), std::move(inputs), std::move(bodies), node.origins());
  for (size_t i = 0; i < node.output_count(); ++i) {
    twin->output(i)->type.layout = node.output(i)->type.layout;
    if (!node.output(i)->uses().empty()) bound.graph->add_output(twin->output(i));
  }
  bound.graph->reinfer();
  return bound;
}

}  // namespace

// Sizes that only running tells are guesses: where they contradict each other, or make tensors of
// sizes that nobody may ever have, nothing can be timed.
bool Selector::can_time(const Node& node, const Sizes& sizes) {
  if (node.body_count() > 0 && !node.op().info().body_is_region) return false;
  if (has_free_sizes(node) && is_beyond(sizes, most_assumed_elements)) return false;
  try {
    const BoundGraph bound = alone(node, sizes);
    for (const Value* output : bound.graph->outputs()) {
      if (!output->type.is_static()) return false;
    }
    const auto unknown = [](const Dims& dims) { return element_count(dims) == 0; };
    return std::none_of(sizes.outputs.begin(), sizes.outputs.end(), unknown);
  } catch (const Error&) {
    return false;
  }
}

std::unique_ptr<TimedPlan> Selector::ready_to_time(const Node& node, const Candidate& candidate,
                                                   const Sizes& sizes) {
  const BoundGraph bound = alone(node, sizes);
  // What is accepted for a range of sizes may be refused for just these.
  for (const auto& twin : bound.graph->nodes()) {
    if (!twin->as<Constant>() && !candidate.kernel->check(*twin, info_).empty()) return nullptr;
  }
  plan::WeightStore weights;
  plan::CodeStore code;
  plan::Plan plan = lower(
      bound,
      [&](const Node& each) { return candidate.kernel->compile(each, candidate.tactic, info_); },
      weights, code);
  return std::make_unique<TimedPlan>(device(), std::move(plan), std::move(weights),
                                     target_.compile(code.sources(), info_), options_.seed,
                                     info_.cache_l3);
}

}  // namespace tenrec
