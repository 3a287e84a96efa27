// SPDX-License-Identifier: Apache-2.0
// Damaged engines of the real CPU target and damaged ONNX models: whatever the damage, an Error
// that is not `internal`, or a result. Under the sanitizers every out-of-bounds access, leak and
// huge allocation ends the test. A sample here; TENREC_TEST_MUTATIONS=10000 is the whole count,
// TENREC_TEST_SEED another beginning, TENREC_TEST_ONLY=name one case.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <set>

#include "base/error.h"
#include "build/build_graph.h"
#include "common/graph_cases.h"
#include "common/mutations.h"
#include "common/onnx_samples.h"
#include "fuzz/run_engine.h"
#include "tenrec/builder.h"

namespace tenrec::test {
namespace {

constexpr uint64_t memory_limit = 32 << 20;
constexpr unsigned seconds_each = 60;

uint64_t setting(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : fallback;
}

// What became of the mutations.
struct Tally {
  uint64_t all = 0, loaded = 0, ran = 0, ran_again = 0;  // again: at other sizes
  std::set<std::string> bad;  // kinds of failures that no damage may cause
};

struct Seed {
  std::string name;
  Bytes bytes;
  Data inputs;
  Data largest;  // other sizes, for which the engine may not be made
};

// Twice at the seed's sizes, then at others: the first run checks more than later ones.
void run(const Engine& engine, const Seed& seed, Tally& tally) {
  Context context = engine.create_context();
  run_on(engine, context, seed.inputs);
  run_on(engine, context, seed.inputs);
  ++tally.ran;
  run_on(engine, context, seed.largest);
  ++tally.ran_again;
}

// Anything but an Error of the user's kinds is our bug.
void expect_clean(const std::string& what, Tally& tally, const std::function<void()>& body) {
  const HangGuard guard(what, seconds_each);
  ++tally.all;
  try {
    body();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) tally.bad.insert(what + ": " + error.what());
  } catch (const std::exception& error) {
    tally.bad.insert(what + ": no tenrec::Error: " + error.what());
  }
}

void report(const char* kind, const Tally& tally) {
  std::cout << kind << ": " << tally.all << " mutations, " << tally.loaded << " accepted, "
            << tally.ran << " ran, " << tally.ran_again << " also at other sizes\n";
  for (const std::string& bad : tally.bad) ADD_FAILURE() << bad;
}

std::vector<Seed> engine_seeds() {
  std::vector<Seed> seeds;
  const char* only = std::getenv("TENREC_TEST_ONLY");
  for (const GraphCase& c : graph_cases()) {
    if (only && c.name != only) continue;
    for (const bool fixed : {true, false}) {
      for (const bool no_vendor : {false, true}) {
        const auto graph = graph_of(c);
        Seed seed{
            fmt::format("{}/{}/{}", c.name, fixed ? "fixed" : "free", no_vendor ? "own" : "vendor"),
            {},
            random_inputs(c, *graph, Point::opt),
            random_inputs(c, *graph, Point::max)};
        BuildOptions options;
        options.no_tune = true;
        options.threads = 2;
        options.no_vendor = no_vendor;
        options.profiles = {fixed ? fixed_profile(c, *graph, Point::opt) : free_profile(c, *graph)};
        seed.bytes = *build_graph(*graph, c.name, options).bytes;
        if (no_vendor && seed.bytes == seeds.back().bytes) continue;
        seeds.push_back(std::move(seed));
      }
    }
  }
  return seeds;
}

TEST(Mutations, engines) {
  const uint64_t count = setting("TENREC_TEST_MUTATIONS", 800);
  const uint64_t first = setting("TENREC_TEST_SEED", 1);
  const std::vector<Seed> seeds = engine_seeds();
  Donors donors;
  for (const Seed& seed : seeds) add_sections(seed.bytes, donors);
  Tally tally;
  for (uint64_t i = 0; i < count; ++i) {
    const Seed& seed = seeds[(first + i) * 7919 % seeds.size()];
    Random random(first + i);
    const Bytes bytes = mutated_engine(seed.bytes, donors, random);
    expect_clean(
        fmt::format("TENREC_TEST_SEED={} TENREC_TEST_MUTATIONS=1 ({})", first + i, seed.name),
        tally, [&] {
          const Engine engine =
              Engine::from_bytes(bytes, {.threads = 2, .device = 0, .memory_limit = memory_limit});
          ++tally.loaded;
          run(engine, seed, tally);
        });
  }
  report("engines", tally);
}

std::vector<Seed> model_seeds() {
  std::vector<Seed> seeds;
  for (auto& [name, bytes] : onnx_samples()) {
    Seed seed{name, Bytes(bytes.size()), {}, {}};
    std::memcpy(seed.bytes.data(), bytes.data(), bytes.size());
    seeds.push_back(std::move(seed));
  }
  // More of them from a folder: TENREC_TEST_MODELS.
  if (const char* folder = std::getenv("TENREC_TEST_MODELS")) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".onnx" || entry.file_size() > 100'000) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(file)), {});
      Seed seed{entry.path().string(), Bytes(bytes.size()), {}, {}};
      std::memcpy(seed.bytes.data(), bytes.data(), bytes.size());
      seeds.push_back(std::move(seed));
    }
    std::sort(seeds.begin(), seeds.end(),
              [](const Seed& a, const Seed& b) { return a.name < b.name; });
  }
  return seeds;
}

TEST(Mutations, models) {
  const uint64_t count = setting("TENREC_TEST_MUTATIONS", 400);
  const uint64_t first = setting("TENREC_TEST_SEED", 1);
  const std::vector<Seed> seeds = model_seeds();
  Donors donors;
  for (const Seed& seed : seeds)
    donors.add({reinterpret_cast<const char*>(seed.bytes.data()), seed.bytes.size()});
  Tally tally;
  for (uint64_t i = 0; i < count; ++i) {
    const Seed& seed = seeds[(first + i) * 7919 % seeds.size()];
    Random random(first + i);
    const Bytes bytes = mutated_model(seed.bytes, donors, random);
    expect_clean(
        fmt::format("TENREC_TEST_SEED={} TENREC_TEST_MUTATIONS=1 ({})", first + i, seed.name),
        tally, [&] {
          BuildOptions options;
          options.no_tune = true;
          options.threads = 2;
          options.memory_limit = memory_limit;
          const BuildResult result = build(bytes, options);
          ++tally.loaded;
          LoadOptions load;
          load.threads = 2;
          load.memory_limit = memory_limit;
          run(result.load(load), seed, tally);
        });
  }
  report("models", tally);
}

}  // namespace
}  // namespace tenrec::test
