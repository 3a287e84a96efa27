// SPDX-License-Identifier: Apache-2.0
#include "plan/engine_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <random>

#include "base/error.h"
#include "base/hash.h"
#include "base/wire.h"
#include "common/mutations.h"
#include "common/sample_plans.h"
#include "common/test_device.h"
#include "plan/format.h"
#include "tenrec/engine.h"

namespace tenrec::plan {
namespace {

using test::Bytes;
using test::get;
using test::put;

EngineParts full_engine() {
  EngineParts parts = add_engine(16);
  parts.plans.push_back(add_engine(unbounded).plans[0]);
  parts.graph.text = "graph text";
  parts.graph.originals = {{"w", 0, {}, {}}, {"names", none, {2}, {"a", "b"}}};
  parts.debug = "debug text";
  parts.source.sources = {{"kernel", "text of a kernel"}};
  parts.code.images = {{"key", "device code"}};
  parts.plans[0].steps[0].code = {0};
  return parts;
}

std::string read_error(const Bytes& bytes) {
  try {
    (void)EngineFile::read(bytes, nullptr);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_engine) << error.what();
    return error.what();
  }
  return "";
}

uint64_t section_entry(const Bytes& bytes, SectionKind kind) {
  for (uint64_t i = 0; i < get(bytes, 24, 4); ++i)
    if (get(bytes, header_size + i * table_entry_size, 4) == static_cast<uint32_t>(kind))
      return header_size + i * table_entry_size;
  return 0;
}

TEST(EngineFile, WriteReadWriteGivesTheSameBytes) {
  const Bytes bytes = serialise(full_engine());
  EXPECT_EQ(bytes, serialise(full_engine()));
  const EngineFile file = EngineFile::read(bytes, nullptr);
  EXPECT_EQ(file.meta.target, "test");
  EXPECT_EQ(file.plans.size(), 2U);
  EXPECT_EQ(file.io.outputs[0].name, "z");
  EXPECT_EQ(file.graph.text, "graph text");
  EXPECT_EQ(file.graph.originals[1].strings[1], "b");
  EXPECT_EQ(file.debug, "debug text");
  EXPECT_EQ(encode(file.plans[0]), encode(full_engine().plans[0]));
  float weight = 0;
  std::memcpy(&weight, file.weight(0).data() + 4, 4);
  EXPECT_EQ(weight, 20);
  EXPECT_EQ(serialise(file.parts()), bytes);
}

TEST(EngineFile, HoldsEnginesForOtherTargets) {
  const Bytes inner = serialise(add_engine(8));
  EngineParts parts = full_engine();
  parts.others = {inner, inner};
  const Bytes outer = serialise(parts);
  const EngineFile file = EngineFile::read(outer, nullptr);
  ASSERT_EQ(file.others.size(), 2U);
  EXPECT_EQ(Bytes(file.others[1].begin(), file.others[1].end()), inner);
  EXPECT_EQ(file.other(1).plans.size(), 1U);
  EXPECT_EQ(serialise(file.parts()), outer);
  // Not in each other.
  parts.others = {outer};
  const Bytes deep = serialise(parts);
  EXPECT_THROW((void)EngineFile::read(deep, nullptr).other(0), Error);
}

TEST(EngineFile, GraphWeightsOfStringsHaveTheirShape) {
  EngineParts parts = full_engine();
  parts.graph.originals[1].dims = {3};
  EXPECT_NE(read_error(serialise(parts))
                .find("graph weight \"names\": dims: [3] is not the shape of 2 strings"),
            std::string::npos);
}

TEST(EngineFile, StepsNameCodeThatIsThere) {
  const EngineFile file = EngineFile::read(serialise(full_engine()), nullptr);
  EXPECT_EQ(file.code.images.at(0).bytes, "device code");
  EXPECT_EQ(file.source.sources.at(0).text, "text of a kernel");
  EngineParts parts = full_engine();
  parts.plans[0].steps[0].code = {1};
  EXPECT_NE(read_error(serialise(parts)).find("code: entry 1 is not one of the engine's 1"),
            std::string::npos);
  parts = full_engine();
  parts.source.sources.push_back({"another", "text"});
  EXPECT_NE(read_error(serialise(parts)).find("SOURCE has 2 texts, CODE 1 entries"),
            std::string::npos);
  parts = full_engine();
  parts.plans[0].steps[0].sizes = {1 << 20};
  EXPECT_NE(read_error(serialise(parts)).find("sizes: slot"), std::string::npos);
}

TEST(EngineFile, SectionsAreAlignedAndWeightsUsedInPlace) {
  const Bytes bytes = serialise(full_engine());
  for (uint64_t i = 0; i < get(bytes, 24, 4); ++i)
    EXPECT_EQ(get(bytes, header_size + i * table_entry_size + 16, 8) % section_alignment, 0U);
  const EngineFile file = EngineFile::read(bytes, nullptr);
  EXPECT_GE(file.weight_bytes.data(), bytes.data());
  EXPECT_LE(file.weight_bytes.data() + file.weight_bytes.size(), bytes.data() + bytes.size());
}

TEST(EngineFile, FileRoundTrip) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("tenrec_engine_file_test_" + std::to_string(::getpid()));
  write_engine(full_engine(), path);
  EXPECT_EQ(serialise(EngineFile::open(path).parts()), serialise(full_engine()));
  std::filesystem::remove(path);
  EXPECT_THROW(EngineFile::open(path), Error);
}

TEST(EngineFile, EqualWeightsAreKeptOnce) {
  WeightStore store;
  const std::vector<float> data{1, 2, 3, 4};
  const auto bytes = std::as_bytes(std::span<const float>(data));
  const int32_t a = store.add(DType::f32, {4}, bytes, nullptr);
  EXPECT_EQ(store.add(DType::f32, {4}, bytes, nullptr), a);
  const int32_t reshaped = store.add(DType::f32, {2, 2}, bytes, nullptr);
  EXPECT_NE(reshaped, a);
  EXPECT_EQ(store.bytes(), 16U);
  EXPECT_EQ(store.weights()[1].offset, 0U);
  store.add(DType::f32, {2}, bytes.first(8), nullptr);
  EXPECT_EQ(store.weights()[2].offset, 64U);
}

TEST(EngineFile, UnknownOptionalSectionsAreSkipped) {
  Bytes bytes = serialise(full_engine());
  put(bytes, section_entry(bytes, SectionKind::debug), 4, 4711);
  test::repair_checksums(bytes);
  EXPECT_EQ(EngineFile::read(bytes, nullptr).debug, "");
  put(bytes, section_entry(bytes, static_cast<SectionKind>(4711)) + 4, 4, section_required);
  test::repair_checksums(bytes);
  EXPECT_NE(read_error(bytes).find("section kind 4711"), std::string::npos);
}

TEST(EngineFile, NewerFormatsAreRefused) {
  Bytes bytes = serialise(full_engine());
  put(bytes, 10, 2, 7);  // minor
  test::repair_checksums(bytes);
  EXPECT_EQ(read_error(bytes), "");
  put(bytes, 8, 2, 2);  // major
  test::repair_checksums(bytes);
  EXPECT_EQ(
      read_error(bytes),
      "the engine has format 2.7, this Tenrec reads 1.x; use a newer Tenrec or rebuild the engine "
      "with this one");
}

TEST(EngineFile, DamageIsFound) {
  const Bytes good = serialise(full_engine());
  const auto expect = [&](const std::string& part, const std::function<void(Bytes&)>& damage) {
    Bytes bytes = good;
    damage(bytes);
    EXPECT_NE(read_error(bytes).find(part), std::string::npos) << part << ": " << read_error(bytes);
  };
  expect("fewer than its header", [](Bytes& b) { b.resize(10); });
  expect("no Tenrec engine", [](Bytes& b) { b[1] = std::byte{'X'}; });
  expect("damaged or cut off", [](Bytes& b) { b.pop_back(); });
  expect("does not fit into it", [](Bytes& b) { put(b, 24, 4, 60000); });
  expect("checksum of the engine's header", [](Bytes& b) { put(b, 12, 4, 1); });
  expect("checksum of section META", [](Bytes& b) { b[4096] ^= std::byte{1}; });
  expect("do not lie inside", [](Bytes& b) {
    put(b, header_size + 16, 8, uint64_t{1} << 60);
    test::repair_checksums(b);
  });
  expect("do not lie inside", [](Bytes& b) {
    put(b, header_size + 24, 8, UINT64_MAX);
    test::repair_checksums(b);
  });
  expect("overlap", [](Bytes& b) {
    put(b, header_size + 16, 8, get(b, header_size + table_entry_size + 16, 8));
    test::repair_checksums(b);
  });
  expect("is there twice", [](Bytes& b) {
    put(b, header_size + table_entry_size, 4, 1);
    test::repair_checksums(b);
  });
  expect("has no section IO", [](Bytes& b) {
    const uint64_t entry = section_entry(b, SectionKind::io);
    put(b, entry, 4, 999);
    put(b, entry + 4, 4, 0);
    test::repair_checksums(b);
  });
}

// Any single flipped bit is found by a checksum, or lies where nothing is stored.
TEST(EngineFile, EveryHeaderBitIsCovered) {
  const Bytes good = serialise(full_engine());
  const uint64_t end = header_size + get(good, 24, 4) * table_entry_size;
  for (uint64_t bit = 0; bit < end * 8; ++bit) {
    Bytes bytes = good;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_NE(read_error(bytes), "") << "bit " << bit;
  }
}

// Whatever passes validation is run at two shapes on memory that the sanitizers watch.
void run_if_valid(Bytes bytes, int* valid) {
  LoadOptions options;
  options.memory_limit = 1 << 24;
  std::optional<Engine> engine;
  try {
    engine = Engine::from_bytes(std::move(bytes), options);
    ++*valid;
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::internal) << error.what();  // damage is never our bug
    return;
  }
  try {
    Context context = engine->create_context();
    for (const int64_t rows : {16, 3}) {
      std::vector<HostTensor> tensors;
      for (const TensorInfo& info : engine->inputs()) {
        std::vector<int64_t> dims(info.labels.size(), 3);
        if (!dims.empty()) dims[0] = rows;
        tensors.emplace_back(info.dtype, dims);
      }
      for (size_t i = 0; i < tensors.size(); ++i)
        context.set_input(engine->inputs()[i].name, TensorRef(tensors[i]));
      context.run();
    }
  } catch (const Error&) {  // of any kind: families find what a plan cannot know
  }
}

void mutate(const EngineParts& parts, int rounds, unsigned seed) {
  const Bytes good = serialise(parts);
  test::Donors donors;
  for (const auto& section : test::EngineImage(good).sections) donors.add(section.bytes);
  test::Random random(seed);
  int valid = 0;
  for (int round = 0; round < rounds; ++round)
    run_if_valid(test::mutated_engine(good, donors, random), &valid);
  EXPECT_GT(valid, 0);
}

TEST(EngineFile, MutatedEnginesNeverCrash) {
  register_test_device();
  int rounds = 1500;
  if (const char* wanted = std::getenv("TENREC_TEST_MUTATIONS")) rounds = std::atoi(wanted);
  mutate(full_engine(), rounds, 1);
  mutate(nonzero_engine(), rounds, 2);
  mutate(body_engine(), rounds, 3);
  mutate(view_engine(), rounds, 4);
}

}  // namespace
}  // namespace tenrec::plan
