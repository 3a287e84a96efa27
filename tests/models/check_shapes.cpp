// SPDX-License-Identifier: Apache-2.0
// A model at random shapes inside one profile: what is allocated after the first run at the largest
// shape, and how far each result is from a fresh engine's of just that shape and from the
// interpreter's.
//
//   check_shapes model.onnx --runs 1000 --fixed-every 10 --interpreter-every 50
//     --range x=1x3x48x32:4x3x48x320 [--value sr=16000] [--feed r1i=r1o] [--same input:0=state:1]
//     [--target cuda] [--vendor 0] [--tune 1]
//     [--steady 1.5]
//
// --steady: how far p99 of the first run at a shape may be above p50, among shapes of much the same
// size.
// --same: the second axis gets the size drawn for the first.
// A fed input is 1x1x... zeros at a run of a new shape and the output of that run at the next.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <iostream>
#include <map>
#include <random>
#include <sstream>

#include "base/error.h"
#include "common/allocation_count.h"
#include "common/graph_cases.h"
#include "import/import.h"
#include "onnx/reader.h"
#include "ops/evaluate.h"
#include "runtime/engine_impl.h"
#include "tenrec/builder.h"

namespace tenrec::test {
namespace {

using Sizes = std::vector<int64_t>;
using Inputs = std::map<std::string, HostTensor>;

struct Settings {
  std::string model;
  int runs = 1000, fixed_every = 10, interpreter_every = 50;
  uint64_t seed = 1;
  std::map<std::string, std::pair<Sizes, Sizes>> ranges;  // min, max
  std::map<std::string, double> values;
  std::map<std::string, std::string> feed;  // input -> output
  std::vector<std::pair<std::string, std::string>> same;
  double tolerance = 2e-4;  // of the largest value, plus 1e-6: check_models.py's
  std::string target = "cpu";
  bool vendor = true, tune = false;
  double steady = 0;  // most that p99 / p50 of the time of a run may be; 0: any
};

Sizes sizes_of(const std::string& text) {
  Sizes sizes;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, 'x');) sizes.push_back(std::stoll(part));
  return sizes;
}

Settings settings_of(const std::vector<std::string>& words) {
  Settings s;
  TENREC_CHECK(!words.empty() && words.size() % 2 == 1, usage, "MODEL and pairs of --name value");
  s.model = words[0];
  for (size_t i = 1; i < words.size(); i += 2) {
    const std::string& value = words[i + 1];
    const size_t equal = value.find('='), colon = value.find(':');
    const std::string name = value.substr(0, equal), rest = value.substr(equal + 1);
    if (words[i] == "--runs") s.runs = std::stoi(value);
    else if (words[i] == "--fixed-every") s.fixed_every = std::stoi(value);
    else if (words[i] == "--interpreter-every") s.interpreter_every = std::stoi(value);
    else if (words[i] == "--seed") s.seed = std::stoull(value);
    else if (words[i] == "--tolerance") s.tolerance = std::stod(value);
    else if (words[i] == "--target") s.target = value;
    else if (words[i] == "--vendor") s.vendor = value != "0";
    else if (words[i] == "--tune") s.tune = value != "0";
    else if (words[i] == "--steady") s.steady = std::stod(value);
    else if (words[i] == "--range")
      s.ranges[name] = {sizes_of(value.substr(equal + 1, colon - equal - 1)),
                        sizes_of(value.substr(colon + 1))};
    else if (words[i] == "--value") s.values[name] = std::stod(rest);
    else if (words[i] == "--feed") s.feed[name] = rest;
    else if (words[i] == "--same") s.same.emplace_back(name, rest);
    else fail(ErrorCode::usage, "unknown setting {}", words[i]);
  }
  return s;
}

HostTensor random_tensor(DType dtype, const Sizes& dims, std::mt19937_64& random) {
  HostTensor tensor(dtype, dims);
  if (dtype == DType::f32)
    for (float& x : tensor.as<float>()) x = static_cast<float>(random() >> 40) * 0x1p-24F;
  return tensor;
}

HostTensor constant_tensor(DType dtype, const Sizes& dims, double value) {
  HostTensor tensor(dtype, dims);
  if (dtype == DType::f32) std::ranges::fill(tensor.as<float>(), static_cast<float>(value));
  else std::ranges::fill(tensor.as<int64_t>(), static_cast<int64_t>(value));
  return tensor;
}

std::pair<std::string, size_t> axis_of(const std::string& text) {  // "input:0"
  const size_t colon = text.rfind(':');
  return {text.substr(0, colon), static_cast<size_t>(std::stoul(text.substr(colon + 1)))};
}

std::map<std::string, Sizes> random_sizes(const Settings& s, std::mt19937_64& random,
                                          bool largest) {
  std::map<std::string, Sizes> sizes;
  for (const auto& [name, range] : s.ranges) {
    const auto& [low, high] = range;
    sizes[name] = high;
    for (size_t i = 0; i < high.size() && !largest; ++i)
      sizes[name][i] =
          low[i] + static_cast<int64_t>(random() % static_cast<uint64_t>(high[i] - low[i] + 1));
  }
  for (const auto& [from, to] : s.same) {
    const auto [source, i] = axis_of(from);
    const auto [target, k] = axis_of(to);
    sizes.at(target).at(k) = sizes.at(source).at(i);
  }
  return sizes;
}

Inputs random_inputs(const Settings& s, const Engine& engine, std::mt19937_64& random,
                     bool largest) {
  Inputs inputs;
  const std::map<std::string, Sizes> sizes = random_sizes(s, random, largest);
  for (const TensorInfo& info : engine.inputs()) {
    if (const auto value = s.values.find(info.name); value != s.values.end()) {
      inputs[info.name] = constant_tensor(info.dtype, Sizes(info.dims.size(), 1), value->second);
      continue;
    }
    if (s.feed.count(info.name)) {
      inputs[info.name] = constant_tensor(info.dtype, Sizes(info.dims.size(), 1), 0);
      continue;
    }
    inputs[info.name] = random_tensor(info.dtype, sizes.at(info.name), random);
  }
  return inputs;
}

std::map<std::string, HostTensor> outputs_of(const Engine& engine, const Context& context) {
  std::map<std::string, HostTensor> outputs;
  for (const TensorInfo& info : engine.outputs())
    outputs[info.name] = context.output_tensor(info.name);
  return outputs;
}

// How far apart, relative to the largest value; infinite where shapes differ.
double distance(const HostTensor& a, const HostTensor& b) {
  if (a.dims != b.dims || a.dtype != b.dtype) return INFINITY;
  if (a.dtype != DType::f32) return a.data == b.data ? 0 : INFINITY;
  double largest = 0, off = 0;
  for (size_t i = 0; i < a.as<float>().size(); ++i) {
    const double x = static_cast<double>(a.as<float>()[i]),
                 y = static_cast<double>(b.as<float>()[i]);
    if (std::isnan(x) != std::isnan(y)) return INFINITY;
    largest = std::max(largest, std::abs(y));
    off = std::max(off, std::abs(x - y));
  }
  return std::max(off - 1e-6, 0.0) / std::max(largest, 1e-30);
}

struct Report {
  int runs = 0, fixed = 0, interpreted = 0, failed = 0;
  uint64_t device_allocations = 0;
  int64_t heap_growth = 0;       // bytes in use above those after the largest run
  int most_calls = 0;            // of operator new in a run at a new shape
  int calls_again = 0;           // in runs at the shape before
  std::vector<double> extra_us;  // of a run at a new shape over its repetition
  double spread = 0;             // p99 / p50 of first runs at shapes of one size class: the widest
  double from_fixed = 0, from_interpreter = 0;
};

int64_t heap_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

constexpr size_t least_for_percentiles = 100;

class Checker {
 public:
  explicit Checker(Settings settings) : s_(std::move(settings)), random_(s_.seed) {
    BuildOptions options;
    options.no_tune = !s_.tune;
    options.target = s_.target;
    options.no_vendor = !s_.vendor;
    ProfileOptions profile;
    for (const auto& [name, range] : s_.ranges)
      profile.dims[name] = {range.first, range.second, range.second};
    for (const auto& [name, value] : s_.values) profile.values[name] = {{value}, {value}, {value}};
    options.profiles = {profile};
    options.threads = 1;  // results do not depend on it, and a busy machine is waited for less
    engine_ = build(s_.model, options).load({.threads = 1});
    graph_ = import_model(onnx::read_model(s_.model)).graph;
  }

  Report run() {
    Context context = engine_.create_context();
    run_one(context, random_inputs(s_, engine_, random_, true));
    const uint64_t allocated = engine_.impl()->budget->allocations();
    for (int i = 0; i < s_.runs; ++i) {
      const Inputs inputs = random_inputs(s_, engine_, random_, false);
      report_.most_calls = std::max(report_.most_calls, run_one(context, inputs));
      report_.heap_growth = std::max(report_.heap_growth, grown_);
      note_outputs(i, inputs, context);
    }
    compare_pending();
    report_.device_allocations = engine_.impl()->budget->allocations() - allocated;
    report_.spread = widest_spread();
    return report_;
  }

 private:
  struct Pending {
    int number = 0;
    bool fixed = false, interpreter = false;
    Inputs inputs;
    std::map<std::string, HostTensor> outputs;
  };

  // The calls of operator new during the first run of these inputs, and what it left behind.
  int run_one(Context& context, const Inputs& inputs) {
    Inputs all = inputs;
    const int calls = counted(context, all);
    times_[size_class(inputs)].push_back(took_us_);
    fed_ = {};
    if (s_.feed.empty()) {
      const double first = took_us_;
      report_.calls_again += counted(context, all);
      report_.extra_us.push_back(first - took_us_);
    } else {
      std::map<std::string, HostTensor> before = outputs_of(engine_, context);
      for (const auto& [input, output] : s_.feed) all[input] = std::move(before.at(output));
      counted(context, all);
      fed_ = all;
    }
    ++report_.runs;
    return calls;
  }

  int counted(Context& context, const Inputs& inputs) {
    AllocationCount count;
    for (const auto& [name, tensor] : inputs) context.set_input(name, tensor);
    const int64_t before = heap_in_use();
    count.start();
    const auto start = std::chrono::steady_clock::now();
    context.run();
    took_us_ =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
    count.stop();
    grown_ = heap_in_use() - before;
    return count.total();
  }

  // One class an octave of bytes.
  static int size_class(const Inputs& inputs) {
    double bytes = 0;
    for (const auto& [name, tensor] : inputs) bytes += static_cast<double>(tensor.data.size());
    return static_cast<int>(std::log2(bytes));
  }

  double widest_spread() {
    double widest = 0;
    for (auto& [size, times] : times_) {
      if (times.size() < least_for_percentiles) continue;
      std::ranges::sort(times);
      const double spread = times[times.size() * 99 / 100] / times[times.size() / 2];
      std::cout << fmt::format("  2^{} bytes: {} shapes, p50 {:.0f} us, p99 {:.0f} us\n", size,
                               times.size(), times[times.size() / 2],
                               times[times.size() * 99 / 100]);
      widest = std::max(widest, spread);
    }
    return widest;
  }

  // Where times count, comparisons wait for the last run: after a second of other work the GPU is
  // asleep and the host's caches are cold, which is not the engine's doing.
  void note_outputs(int i, const Inputs& inputs, const Context& context) {
    const bool fixed = s_.fixed_every > 0 && i % s_.fixed_every == 0;
    const bool interpreter = s_.interpreter_every > 0 && i % s_.interpreter_every == 0;
    if (!fixed && !interpreter) return;
    pending_.push_back(
        {i, fixed, interpreter, fed_.empty() ? inputs : fed_, outputs_of(engine_, context)});
    if (s_.steady == 0) compare_pending();
  }

  void compare_pending() {
    for (const Pending& run : pending_) compare(run);
    pending_.clear();
  }

  void compare(const Pending& run) {
    if (run.fixed) {
      const double off = furthest(run.outputs, by_fixed(run.inputs));
      ++report_.fixed;
      report_.from_fixed = std::max(report_.from_fixed, off);
      if (off > s_.tolerance) fail_at(run.number, run.inputs, "a fixed engine's", off);
    }
    if (run.interpreter) {
      const double off = furthest(run.outputs, by_interpreter(run.inputs));
      ++report_.interpreted;
      report_.from_interpreter = std::max(report_.from_interpreter, off);
      if (off > s_.tolerance) fail_at(run.number, run.inputs, "the interpreter's", off);
    }
  }

  void fail_at(int i, const Inputs& inputs, const char* whose, double off) {
    ++report_.failed;
    std::cout << "run " << i << ":";
    for (const auto& [name, tensor] : inputs)
      std::cout << fmt::format(" {}=[{}]", name, fmt::join(tensor.dims, ", "));
    std::cout << fmt::format(" is {:.2g} from {} result\n", off, whose);
  }

  static double furthest(const std::map<std::string, HostTensor>& a,
                         const std::map<std::string, HostTensor>& b) {
    double off = 0;
    for (const auto& [name, tensor] : a) off = std::max(off, distance(tensor, b.at(name)));
    return off;
  }

  std::map<std::string, HostTensor> by_fixed(const Inputs& inputs) const {
    BuildOptions options;
    options.no_tune = true;
    options.target = s_.target;
    options.lean = true;
    ProfileOptions profile;
    for (const auto& [name, tensor] : inputs) {
      if (const auto value = s_.values.find(name); value != s_.values.end())
        profile.values[name] = {{value->second}, {value->second}, {value->second}};
      profile.dims[name] = {tensor.dims, tensor.dims, tensor.dims};
    }
    options.profiles = {profile};
    options.threads = 1;
    const Engine engine = build(s_.model, options).load({.threads = 1});
    Context context = engine.create_context();
    for (const auto& [name, tensor] : inputs) context.set_input(name, tensor);
    context.run();
    return outputs_of(engine, context);
  }

  std::map<std::string, HostTensor> by_interpreter(const Inputs& inputs) const {
    Data data;
    for (const auto& input : graph_->inputs()) data.push_back(datum_of(inputs.at(input->name)));
    std::map<std::string, HostTensor> outputs;
    const Data results = evaluate(*graph_, data);
    for (size_t i = 0; i < results.size(); ++i)
      outputs[graph_->output_names()[i]] = host_value(results[i]).tensor;
    return outputs;
  }

  Settings s_;
  std::mt19937_64 random_;
  Engine engine_;
  std::shared_ptr<Graph> graph_;
  Inputs fed_;  // the inputs of the second run, where outputs are fed back
  int64_t grown_ = 0;
  double took_us_ = 0;
  std::vector<Pending> pending_;              // outputs to be compared
  std::map<int, std::vector<double>> times_;  // microseconds, by size class
  Report report_;
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::nth_element(values, values.begin() + static_cast<int64_t>(values.size() / 2));
  return values[values.size() / 2];
}

int check(const std::vector<std::string>& words) {
  const Settings settings = settings_of(words);
  const Report r = Checker(settings).run();
  std::cout << fmt::format(
      "{}: {} shapes; device allocations {}; heap left in use by a run: {} bytes; calls of new: {} "
      "at most at a new shape, {} at known ones; a new shape costs {:.0f} us more\n"
      "  {} fixed engines, furthest {:.2g}; {} by the interpreter, furthest {:.2g}; limit {:.2g}\n"
      "  p99 / p50 of a size class at most {:.2f}\n",
      settings.model, r.runs, r.device_allocations, r.heap_growth, r.most_calls, r.calls_again,
      median(r.extra_us), r.fixed, r.from_fixed, r.interpreted, r.from_interpreter,
      settings.tolerance, r.spread);
  const bool is_steady = settings.steady == 0 || r.spread <= settings.steady;
  // The CPU's own kernels take no memory at all once the largest shape has run.
  const bool takes_none = settings.target != "cpu" || (r.most_calls == 0 && r.calls_again == 0);
  const bool good = r.failed == 0 && r.device_allocations == 0 && takes_none && is_steady;
  std::cout << (good ? "1 passed, 0 failed\n" : "0 passed, 1 failed\n");
  return good ? 0 : 1;
}

}  // namespace
}  // namespace tenrec::test

int main(int count, char** words) {
  try {
    return tenrec::test::check({words + 1, words + count});
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n0 passed, 1 failed\n";
    return 1;
  }
}
