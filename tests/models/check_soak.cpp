// SPDX-License-Identifier: Apache-2.0
// Sixteen threads for a while on engines of every operator case, own kernels only: each takes an
// engine, a context (a new one or the one it has), sizes within the profile, and compares with what
// one thread got before. Run under ThreadSanitizer by scripts/check_soak.sh.
//
//   check_soak SECONDS
#include <atomic>
#include <chrono>
#include <iostream>
#include <optional>
#include <random>
#include <thread>

#include "build/build_graph.h"
#include "common/graph_cases.h"
#include "ops/evaluate.h"

namespace tenrec::test {
namespace {

constexpr int thread_count = 16;
constexpr std::array points{Point::min, Point::opt, Point::max};

struct Subject {
  std::string name;
  Engine engine;
  std::vector<Data> inputs, wanted;  // one each for some of `points`
};

Data run(const Engine& engine, Context& context, const Data& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i)
    context.set_input_value(engine.inputs()[i].name, host_value(inputs[i]));
  context.run();
  Data outputs;
  for (const TensorInfo& output : engine.outputs())
    outputs.push_back(datum_of(context.output_value(output.name)));
  return outputs;
}

// A profile for the smallest sizes alone and one for all. Random operators give no two equal
// results.
std::optional<Subject> subject_of(const GraphCase& c) {
  const auto graph = graph_of(c);
  if (c.text.find("random") != std::string::npos) return std::nullopt;
  BuildOptions options;
  options.no_tune = true;
  options.no_vendor = true;
  options.threads = 2;
  options.profiles = {fixed_profile(c, *graph, Point::min), free_profile(c, *graph)};
  Subject subject{c.name, build_graph(*graph_of(c), c.name, options).load({.threads = 2}), {}, {}};
  Context context = subject.engine.create_context();
  for (const Point point : points) {
    subject.inputs.push_back(random_inputs(c, *graph, point));
    subject.wanted.push_back(run(subject.engine, context, subject.inputs.back()));
  }
  return subject;
}

class Soak {
 public:
  explicit Soak(std::chrono::seconds time) : end_(std::chrono::steady_clock::now() + time) {}

  void add(Subject subject) { subjects_.push_back(std::move(subject)); }
  bool run_all() {
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < thread_count; ++t) threads.emplace_back([this, t] { work(t); });
    for (std::thread& thread : threads) thread.join();
    std::cout << thread_count << " threads, " << subjects_.size() << " engines: " << runs_
              << " runs, " << loads_ << " loads, " << different_ << " differ from serial runs\n";
    return different_ == 0;
  }

 private:
  void work(unsigned seed) {
    std::mt19937 random(seed);
    while (std::chrono::steady_clock::now() < end_) {
      const Subject& subject = subjects_[random() % subjects_.size()];
      const bool own = random() % 8 == 0;
      const Engine engine = own ? again(subject.engine) : subject.engine;
      const auto threads = static_cast<int>(1 + random() % 3);
      Context context = engine.create_context({.profile = -1, .threads = threads});
      for (auto left = 1 + random() % 4; left > 0; --left)
        check(subject, engine, context, random());
    }
  }

  Engine again(const Engine& engine) {
    ++loads_;
    return Engine::from_bytes({engine.bytes().begin(), engine.bytes().end()}, {.threads = 2});
  }

  void check(const Subject& subject, const Engine& engine, Context& context, size_t choice) {
    const size_t i = choice % subject.inputs.size();
    std::string problem;
    try {
      problem = difference(run(engine, context, subject.inputs[i]), subject.wanted[i], 0);
    } catch (const Error& error) {
      problem = error.what();
    }
    ++runs_;
    if (problem.empty()) return;
    ++different_;
    std::cerr << subject.name + ": " + problem + "\n";
  }

  std::chrono::steady_clock::time_point end_;
  std::vector<Subject> subjects_;
  std::atomic<int> runs_{0}, loads_{0}, different_{0};
};

}  // namespace
}  // namespace tenrec::test

int main(int count, char** words) try {
  using namespace tenrec::test;
  if (count != 2) return 2;
  tenrec::init_ops();
  Soak soak{std::chrono::seconds(std::atoi(words[1]))};
  for (const GraphCase& c : graph_cases())
    if (std::optional<Subject> subject = subject_of(c)) soak.add(std::move(*subject));
  const bool good = soak.run_all();
  std::cout << (good ? "1 passed, 0 failed\n" : "0 passed, 1 failed\n");
  return good ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n0 passed, 1 failed\n";
  return 1;
}
