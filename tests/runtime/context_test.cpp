// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <random>
#include <thread>

#include "common/allocation_count.h"
#include "common/sample_plans.h"
#include "common/test_device.h"
#include "plan/engine_file.h"
#include "runtime/engine_impl.h"
#include "runtime/null_device.h"
#include "tenrec/tenrec.h"

namespace tenrec {
namespace {

Engine load(const plan::EngineParts& parts, const LoadOptions& options = {}) {
  register_test_device();
  return Engine::from_bytes(plan::serialise(parts), options);
}

std::string error_of(const std::function<void()>& body, ErrorCode code = ErrorCode::invalid_input) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "no error";
}

HostTensor filled(std::vector<int64_t> dims, float start) {
  HostTensor tensor(DType::f32, std::move(dims));
  float value = start;
  for (float& element : tensor.as<float>()) element = value++;
  return tensor;
}

void expect_sum(const Context& context, const HostTensor& x, const HostTensor& y) {
  const TensorRef z = context.output("z");
  ASSERT_EQ(std::vector<int64_t>(z.dims.begin(), z.dims.end()), x.dims);
  for (size_t i = 0; i < z.as<float>().size(); ++i)
    ASSERT_EQ(z.as<float>()[i],
              2 * (x.as<float>()[i] + y.as<float>()[i]) + 10 * static_cast<float>(i % 3 + 1));
}

TEST(Context, RunsAtChangingShapes) {
  for (const int64_t upper : {int64_t{16}, plan::unbounded}) {
    Context context = load(plan::add_engine(upper)).create_context();
    for (const int64_t rows : {4, 16, 1, 16}) {
      const HostTensor x = filled({rows, 3}, 1);
      const HostTensor y = filled({rows, 3}, 5);
      context.set_input("x", x);
      context.set_input("y", y);
      context.run();
      expect_sum(context, x, y);
    }
    EXPECT_EQ(context.profile(), 0);
    EXPECT_EQ(context.memory().arena_growths, upper == 16 ? 0U : 2U);
    EXPECT_EQ(context.memory().weights, 12U);
  }
}

TEST(Context, ReshapesOnlyWhenDimsChange) {
  Context context = load(plan::add_engine(16)).create_context();
  const HostTensor four = filled({4, 3}, 1);
  const HostTensor five = filled({5, 3}, 1);
  const auto run = [&](const HostTensor& tensor) {
    const int before = test_counters().reshapes;
    context.set_input("x", tensor);
    context.set_input("y", tensor);
    context.run();
    return test_counters().reshapes - before;
  };
  EXPECT_EQ(run(four), 3);
  EXPECT_EQ(run(four), 0);
  EXPECT_EQ(run(five), 3);
}

TEST(Context, BoundedProfileAllocatesNothingAfterTheLargestShape) {
  const Engine engine = load(plan::add_engine(64));
  Context context = engine.create_context();
  std::vector<HostTensor> tensors;
  for (int64_t rows = 1; rows <= 64; ++rows)
    tensors.push_back(filled({rows, 3}, static_cast<float>(rows)));
  context.set_input("x", tensors.back());
  context.set_input("y", tensors.back());
  context.run();
  const uint64_t device_allocations = engine.impl()->budget->allocations();
  std::mt19937 random(1);
  AllocationCount count;
  for (int i = 0; i < 1000; ++i) {
    const HostTensor& tensor = tensors[random() % tensors.size()];
    count.start();
    context.set_input("x", tensor);
    context.set_input("y", tensor);
    context.run();
    count.stop();
    expect_sum(context, tensor, tensor);
  }
  EXPECT_EQ(count.total(), 0);
  EXPECT_EQ(engine.impl()->budget->allocations(), device_allocations);
}

TEST(Context, OutputsOfTrueSize) {
  const Engine engine = load(plan::nonzero_engine());
  Context context = engine.create_context();
  std::mt19937 random(1);
  uint64_t allocations = 0;
  for (int round = 0; round < 1000; ++round) {
    HostTensor x(DType::f32, {round == 0 ? 50 : static_cast<int64_t>(1 + random() % 50)});
    std::vector<int64_t> expected;
    for (size_t i = 0; i < x.as<float>().size(); ++i) {
      x.as<float>()[i] = round == 0 ? 1 : static_cast<float>(random() % 2);
      if (x.as<float>()[i] != 0) expected.push_back(static_cast<int64_t>(i));
    }
    context.set_input("x", x);
    context.run();
    for (const char* name : {"indices", "last"}) {
      const TensorRef found = context.output(name);
      ASSERT_EQ(found.dims.size(), 1U);
      ASSERT_EQ(found.dims[0], static_cast<int64_t>(expected.size()));
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), found.as<int64_t>().begin()));
    }
    if (round == 1) allocations = engine.impl()->budget->allocations();
  }
  EXPECT_EQ(engine.impl()->budget->allocations(), allocations);  // the pool has settled
}

TEST(Context, ViewsAndLateSizes) {
  Context context = load(plan::view_engine()).create_context();
  for (const int64_t n : {3, 64, 1}) {
    const HostTensor x = filled({n}, 1);
    const HostTensor y = filled({n}, 100);
    context.set_input("x", x);
    context.set_input("y", y);
    context.run();
    const TensorRef both = context.output("both");
    const TensorRef z = context.output("z");
    ASSERT_EQ(both.dims[0], 2 * n);
    ASSERT_EQ(z.dims[0], 2 * n);
    for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
      EXPECT_EQ(both.as<float>()[i], x.as<float>()[i]);
      EXPECT_EQ(both.as<float>()[i + static_cast<size_t>(n)], y.as<float>()[i]);
      EXPECT_EQ(z.as<float>()[i], x.as<float>()[i] + 1);
    }
  }
}

TEST(Context, Bodies) {
  Context context = load(plan::body_engine()).create_context();
  for (const int64_t n : {2, 7}) {
    const HostTensor x = filled({n}, 1);
    context.set_input("x", x);
    context.set_input("y", x);
    context.run();
    EXPECT_EQ(context.output("z").as<float>()[1], 4);
  }
}

TEST(Context, CallerMemory) {
  Context context = load(plan::add_engine(16)).create_context();
  const HostTensor x = filled({2, 3}, 1);
  std::vector<float> result(6);
  context.set_input("x", x);
  context.set_input("y", x);
  context.set_output("z", {result.data(), 24});
  context.run();
  EXPECT_EQ(context.output("z").data, result.data());
  EXPECT_EQ(result[0], 14);
  EXPECT_EQ(result[5], 24 + 30);
  context.set_output("z", {result.data(), 23});
  EXPECT_EQ(
      error_of([&] { context.run(); }),
      "output \"v5\" needs 24 bytes, the memory set for it has 23; give at least as many or none");
  context.set_output("z", {const_cast<std::byte*>(x.data.data()), 24});
  EXPECT_NE(error_of([&] { context.run(); }).find("share the caller's memory"), std::string::npos);
  context.set_output("z", {});
  context.run();
  expect_sum(context, x, x);
  std::vector<std::byte> crooked(25);
  context.set_output("z", {crooked.data() + 1, 24});
  context.run();
  EXPECT_EQ(context.output_tensor("z").as<float>()[5], 24 + 30);
}

TEST(Context, OutputsCanBeFedBack) {
  Context context = load(plan::add_engine(16)).create_context();
  const HostTensor x = filled({2, 3}, 0);
  context.set_input("x", x);
  context.set_input("y", x);
  context.run();
  std::vector<float> expected(context.output("z").as<float>().begin(),
                              context.output("z").as<float>().end());
  for (int round = 0; round < 5; ++round) {
    context.set_input("x", context.output("z"));
    context.run();
    for (size_t i = 0; i < expected.size(); ++i) {
      expected[i] = 2 * (expected[i] + x.as<float>()[i]) + 10 * static_cast<float>(i % 3 + 1);
      ASSERT_EQ(context.output("z").as<float>()[i], expected[i]);
    }
  }
  // "both" lies in the arena: fed back it is copied first.
  Context views = load(plan::view_engine()).create_context();
  const HostTensor one = filled({1}, 1);
  views.set_input("x", one);
  views.set_input("y", one);
  views.run();
  for (int64_t n = 2; n <= 32; n *= 2) {
    views.set_input("x", views.output("both"));
    views.set_input("y", views.output("both"));
    views.run();
    const TensorRef both = views.output("both");
    ASSERT_EQ(both.dims[0], 2 * n);
    for (const float value : both.as<float>()) ASSERT_EQ(value, 1);
  }
}

TEST(Context, InputErrorsSayWhatIsWanted) {
  Context context = load(plan::add_engine(16)).create_context();
  const HostTensor x = filled({2, 3}, 1);
  EXPECT_EQ(error_of([&] { context.set_input("q", x); }),
            "the model has no input \"q\"; it has \"x\", \"y\"");
  EXPECT_EQ(error_of([&] { context.set_input("x", HostTensor(DType::i64, {2, 3})); }),
            "input \"x\" is f32, got i64; convert the tensor first");
  EXPECT_EQ(error_of([&] { context.set_input("x", filled({6}, 1)); }),
            "input \"x\" has dims [N, 3], got [6]");
  context.set_input("x", x);
  EXPECT_EQ(error_of([&] { context.run(); }),
            "input \"y\" is not set; call set_input(\"y\", ...) before run()");
  const HostTensor large = filled({17, 3}, 1);
  context.set_input("y", large);
  EXPECT_EQ(
      error_of([&] { context.run(); }),
      "input \"y\" has dims [17, 3]; profile 0 allows [1..16, 3]; give a shape inside one of them "
      "or build the engine with a profile for this shape");
  const HostTensor three = filled({3, 3}, 1);
  context.set_input("y", three);
  EXPECT_EQ(error_of([&] { context.run(); }),
            "\"add\": x and y must have as many rows (needed: 2 == 3)");
  EXPECT_NE(error_of([&] { (void)context.output("z"); }, ErrorCode::usage).find("before run()"),
            std::string::npos);
  context.set_input("y", x);
  context.run();
  expect_sum(context, x, x);
}

TEST(Context, PicksTheFirstProfileThatFits) {
  plan::EngineParts parts = plan::add_engine(4);
  parts.plans.push_back(plan::add_engine(32).plans[0]);
  const Engine engine = load(parts);
  EXPECT_EQ(engine.profiles().size(), 2U);
  EXPECT_EQ(engine.profiles()[1][0].max[0], 32);
  Context context = engine.create_context();
  for (const auto& [rows, profile] : {std::pair{4, 0}, {5, 1}, {2, 0}}) {
    const HostTensor x = filled({rows, 3}, 1);
    context.set_input("x", x);
    context.set_input("y", x);
    context.run();
    EXPECT_EQ(context.profile(), profile);
    expect_sum(context, x, x);
  }
  Context second = engine.create_context({.profile = 1});
  const HostTensor x = filled({2, 3}, 1);
  second.set_input("x", x);
  second.set_input("y", x);
  second.run();
  EXPECT_EQ(second.profile(), 1);
  EXPECT_THROW(engine.create_context({.profile = 2}), Error);
}

TEST(Context, ShapeInputs) {
  // y has n rows, n being the value of an input; nobody sets n: it is the profile's preferred one.
  plan::EngineParts parts;
  parts.meta.target = "test";
  parts.io.inputs = {plan::binding("x", DType::f32, {"R"}), plan::binding("n", DType::i64, {})};
  parts.io.inputs[1].is_shape_input = true;
  parts.io.outputs = {plan::binding("z", DType::f32, {"n"})};
  plan::PlanMaker maker;
  const int32_t rows = maker.input_dim("R", 0, 0, plan::unbounded);
  const int32_t n = maker.symbol({"n", plan::SymbolSource::input_value, 1, 0, 0, 100});
  maker.plan.checks.push_back({plan::Relation::greater_equal, rows, n, "\"slice\": too few rows"});
  const int32_t x = maker.input(DType::f32, {rows}, {{1}, {8}, {plan::unbounded}});
  maker.input(DType::i64, {}, {}, {{1}, {2}, {100}});
  const int32_t part = maker.alias(x, DType::f32, {n});
  const int32_t z = maker.output(DType::f32, {n});
  maker.step("copy", {part}, {z});
  parts.plans.push_back(maker.plan);
  Context context = load(parts).create_context();
  const HostTensor tensor = filled({8}, 3);
  context.set_input("x", tensor);
  context.run();
  EXPECT_EQ(context.output("z").dims[0], 2);
  int64_t value = 5;
  context.set_input("n", TensorRef{DType::i64, {}, &value, 8});
  context.run();
  EXPECT_EQ(context.output("z").dims[0], 5);
  value = 7;  // the caller's memory is read at each run
  context.run();
  EXPECT_EQ(context.output("z").dims[0], 7);
  EXPECT_EQ(context.output("z").as<float>()[6], 9);
  value = 9;
  EXPECT_EQ(error_of([&] { context.run(); }), "\"slice\": too few rows (needed: 8 >= 9)");
  value = 101;
  EXPECT_NE(error_of([&] { context.run(); }).find("with values from [1] to [100]"),
            std::string::npos);
}

TEST(Context, ProfilerSeesEveryStep) {
  Context context = load(plan::body_engine()).create_context();
  const HostTensor x = filled({2}, 1);
  context.set_input("x", x);
  context.set_input("y", x);
  std::vector<std::string> seen;
  context.set_profiler([&](const StepTiming& step) {
    EXPECT_GE(step.microseconds, 0);
    seen.push_back(step.origins[0] + ":" + std::string(step.family));
  });
  context.run();
  EXPECT_EQ(seen, (std::vector<std::string>{"add_0:add", "call_0:call"}));
}

TEST(Context, MemoryLimitCountsEverything) {
  const Engine engine = load(plan::add_engine(plan::unbounded), {.memory_limit = 10000});
  Context context = engine.create_context();
  const HostTensor small = filled({16, 3}, 1);
  context.set_input("x", small);
  context.set_input("y", small);
  context.run();
  EXPECT_EQ(engine.impl()->budget->used(), context.memory().activations + context.memory().outputs);
  const HostTensor large = filled({400, 3}, 1);
  context.set_input("x", large);
  context.set_input("y", large);
  EXPECT_NE(error_of([&] { context.run(); }, ErrorCode::out_of_memory)
                .find("memory limit of 10000 bytes"),
            std::string::npos);
  context.set_input("x", small);
  context.set_input("y", small);
  context.run();
  expect_sum(context, small, small);
}

TEST(Context, StepErrorsNameTheStep) {
  plan::EngineParts parts = plan::nonzero_engine();
  parts.plans[0].steps[0].family = "silent";
  Context context = load(parts).create_context();
  const HostTensor x = filled({2}, 1);
  context.set_input("x", x);
  EXPECT_NE(error_of([&] { context.run(); }, ErrorCode::invalid_engine)
                .find("step 0 \"nonzero_0\" (silent, silent)"),
            std::string::npos);
}

void run_sum(const Engine& engine, int64_t rows, float start) {
  Context context = engine.create_context();
  for (const int64_t each : {rows, int64_t{1}}) {
    const HostTensor x = filled({each, 3}, start);
    context.set_input("x", x);
    context.set_input("y", x);
    context.run();
    expect_sum(context, x, x);
  }
}

// Sixteen threads, engines with one and two profiles and with bodies, contexts that come and go,
// and engines that are loaded and dropped meanwhile. For TENREC_SOAK_SECONDS (1).
TEST(Context, ManyThreadsShareEnginesOfAllKinds) {
  const char* seconds = std::getenv("TENREC_SOAK_SECONDS");
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(seconds ? std::atoi(seconds) : 1);
  plan::EngineParts two = plan::add_engine(4);
  two.plans.push_back(plan::add_engine(16).plans[0]);
  const std::array engines{load(plan::add_engine(16)), load(plan::add_engine(plan::unbounded)),
                           load(two)};
  const Engine body = load(plan::body_engine());
  std::atomic<int> runs{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 16; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      Context kept = body.create_context();
      do {
        const auto rows = static_cast<int64_t>(1 + random() % 16);
        const auto start = static_cast<float>(random() % 100);
        if (random() % 8 == 0) run_sum(load(plan::add_engine(16)), rows, start);
        else run_sum(engines[random() % engines.size()], rows, start);
        const HostTensor x = filled({rows + 1}, 1);
        kept.set_input("x", x);
        kept.set_input("y", x);
        kept.run();
        ASSERT_EQ(kept.output("z").as<float>()[1], 4);
        if (random() % 8 == 0) kept = body.create_context();
        ++runs;
      } while (std::chrono::steady_clock::now() < end && !testing::Test::HasFailure());
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(runs, 16);
}

TEST(Context, TheNullDeviceRecordsLaunches) {
  plan::EngineParts parts = plan::nonzero_engine();
  parts.meta.target = "null";
  Context context = Engine::from_bytes(plan::serialise(parts)).create_context();
  const HostTensor x = filled({5}, 0);
  context.set_input("x", x);
  context.run();
  EXPECT_EQ(context.output("last").dims[0], 1);
}

// The null device, with what the caller's queue and this one wait for written down.
class QueuedDevice : public NullDevice {
 public:
  explicit QueuedDevice(std::vector<std::string>& log) : log_(log) {}
  std::unique_ptr<StepRunner> prepare(const plan::Plan& plan, const plan::Step& step) override {
    log_.push_back("prepare");
    return NullDevice::prepare(plan, step);
  }
  void copy(std::byte* to, const std::byte* from, uint64_t bytes) override {
    log_.push_back("copy");
    NullDevice::copy(to, from, bytes);
  }
  void synchronise() override { log_.push_back("synchronise"); }
  void follow(void* queue) override { log_.push_back(fmt::format("follow {}", queue != nullptr)); }
  void lead(void* queue) override { log_.push_back(fmt::format("lead {}", queue != nullptr)); }

 private:
  std::vector<std::string>& log_;
};

TEST(Context, EnqueueKeepsTheCallersOrderAndDoesNotWait) {
  std::vector<std::string> log;
  register_device("queued",
                  [&](const DeviceOptions&) { return std::make_shared<QueuedDevice>(log); });
  plan::EngineParts parts = plan::nonzero_engine();
  parts.meta.target = "queued";
  Context context = Engine::from_bytes(plan::serialise(parts)).create_context();
  const HostTensor x = filled({5}, 0);
  context.set_input("x", x);
  context.run();
  EXPECT_EQ(log.back(), "synchronise");
  log.clear();
  int queue = 0;
  context.enqueue(&queue);
  ASSERT_FALSE(log.empty());
  EXPECT_EQ(log.front(), "follow true");
  EXPECT_EQ(log.back(), "lead true");
  EXPECT_EQ(std::count(log.begin(), log.end(), "synchronise"), 0);
  log.clear();
  context.enqueue(nullptr);  // a queue too: CUDA's default stream
  EXPECT_EQ(log.front(), "follow false");
  EXPECT_EQ(log.back(), "lead false");
  log.clear();
  context.synchronise();
  EXPECT_EQ(log, std::vector<std::string>{"synchronise"});
}

TEST(Engine, UnknownTargetsAreNamed) {
  plan::EngineParts parts = plan::add_engine(4);
  parts.meta.target = "abacus";
  register_test_device();
  EXPECT_NE(error_of([&] { Engine::from_bytes(plan::serialise(parts)); }, ErrorCode::device)
                .find("there is no device for target \"abacus\""),
            std::string::npos);
}

TEST(Engine, SavesWhatItLoaded) {
  const std::string path = ::testing::TempDir() + "tenrec_context_test.engine";
  const std::vector<std::byte> bytes = plan::serialise(plan::add_engine(4));
  register_test_device();
  Engine::from_bytes(bytes).save(path);
  const Engine engine = Engine::load(path);
  EXPECT_EQ(engine.inputs()[0].dims, (std::vector<int64_t>{-1, 3}));
  EXPECT_EQ(engine.memory().activations, 48U + 80 + 64 + 64);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace tenrec
