// SPDX-License-Identifier: Apache-2.0
// Engines that cannot be loaded, and inputs they cannot take.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/ranges.h>

#include <csignal>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "common/mutations.h"
#include "common/onnx_writer.h"
#include "errors/errors.h"
#include "plan/engine_file.h"
#include "runtime/device.h"
#include "targets/cpu/run/isa.h"
#include "tenrec/builder.h"

namespace tenrec::test {
namespace {

BuildResult small_build(int64_t most = 4) {
  OnnxGraph graph("g");
  graph.input("x", 1, {"N", "3"}).input("k", 7, {"2"}).output("y", 1, {"N", "3"});
  graph.output("z", 7, {"2"});
  graph.node("Relu", {"x"}, {"y"}, {}, "relu").node("Neg", {"k"}, {"z"}, {}, "neg");
  const std::string bytes = OnnxModel(graph).opset(17).bytes();
  BuildOptions options;
  options.no_tune = true;
  ProfileOptions profile;
  profile.dims["x"] = {{1, 3}, {2, 3}, {most, 3}};
  options.profiles = {profile};
  return build(std::as_bytes(std::span(bytes)), options);
}

std::string load_error(Bytes bytes) {
  return error_of([&] { (void)Engine::from_bytes(std::move(bytes)); });
}

TEST(EngineErrors, files) {
  const TemporaryFolder folder;
  const std::string dir = folder.path().string(), path = dir + "/small.engine";
  EXPECT_EQ(error_of([&] { (void)Engine::load(path); }, dir),
            "io: opening $DIR/small.engine failed: No such file or directory; check the path");
  small_build().save(path);
  EXPECT_EQ(error_of([&] { (void)Engine::load(path); }, dir), "");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_EQ(error_of([&] { (void)Engine::load(path); }, dir),
            "invalid_engine: loading engine \"$DIR/small.engine\": the engine should have 20480 "
            "bytes but has 20479; the file is damaged or cut off");
  write_test_file(path,
                  "no engine, but text that is longer than the header of one would be ......");
  EXPECT_EQ(error_of([&] { (void)Engine::load(path); }, dir),
            "invalid_engine: loading engine \"$DIR/small.engine\": this is no Tenrec engine (its "
            "first 8 bytes are not the engine mark); build one with `tenrec build`");
  EXPECT_EQ(error_of([&] { (void)Engine::load(dir); }, dir), "io: $DIR is a folder; give a file");
}

TEST(EngineErrors, formats_and_devices) {
  const Bytes good = *small_build().bytes;
  Bytes newer = good;
  put(newer, 8, 2, 2);
  repair_checksums(newer);
  EXPECT_EQ(load_error(newer),
            "invalid_engine: loading an engine from memory: the engine has format 2.0, this Tenrec "
            "reads 1.x; use a newer Tenrec or rebuild the engine with this one");

  Bytes damaged = good;
  damaged[4096] ^= std::byte{4};  // where the first section begins
  EXPECT_EQ(load_error(damaged),
            "invalid_engine: loading an engine from memory: the checksum of section META is wrong; "
            "the file is damaged");

  plan::EngineParts parts = plan::EngineFile::read(good, nullptr).parts();
  parts.meta.device = "cpu avx10.9 magic";
  EXPECT_EQ(load_error(plan::serialise(parts)), "");  // made again from its graph
  const plan::GraphSection graph = std::exchange(parts.graph, {});
  EXPECT_EQ(load_error(plan::serialise(parts)),
            fmt::format("invalid_engine: loading an engine from memory: this is made for \"cpu "
                        "avx10.9 magic\", this machine is \"{}\"; build the engine again for it "
                        "(it was built lean: without the graph it cannot be made again here)",
                        small_build().load().device()));
  parts.graph = graph;
  parts.meta.device = "";
  parts.meta.target = "abacus";
  EXPECT_EQ(load_error(plan::serialise(parts)),
            fmt::format("device: loading an engine from memory: there is no device for target "
                        "\"abacus\"; this Tenrec has: {}",
                        fmt::join(registered_devices(), ", ")));
  parts.meta.target = "cpu";
  parts.plans[0].steps[0].family = "sorcery";
  EXPECT_EQ(error_of([&] {
              Context context = Engine::from_bytes(plan::serialise(parts)).create_context();
              context.set_input("x", HostTensor(DType::f32, {2, 3}));
              context.set_input("k", HostTensor(DType::i64, {2}));
              context.run();
            }),
            "invalid_engine: step 0 \"relu\" (relu, sorcery): step \"relu\" (relu): this Tenrec "
            "has no kernel family \"sorcery\" for the CPU");
}

TEST(EngineErrors, inputs) {
  const Engine engine = small_build().load();
  Context context = engine.create_context();
  const auto set = [&](const char* name, const HostTensor& tensor) {
    return error_of([&] { context.set_input(name, tensor); });
  };
  const HostTensor x(DType::f32, {2, 3}), k(DType::i64, {2});
  EXPECT_EQ(error_of([&] { context.run(); }),
            "invalid_input: input \"x\" is not set; call set_input(\"x\", ...) before run()");
  EXPECT_EQ(set("w", x), "invalid_input: the model has no input \"w\"; it has \"x\", \"k\"");
  EXPECT_EQ(set("x", HostTensor(DType::f64, {2, 3})),
            "invalid_input: input \"x\" is f32, got f64; convert the tensor first");
  EXPECT_EQ(set("x", HostTensor(DType::f32, {2})),
            "invalid_input: input \"x\" has dims [N, 3], got [2]");
  EXPECT_EQ(error_of([&] { (void)context.output("y"); }),
            "usage: output \"y\" is read before run() has succeeded");
  EXPECT_EQ(error_of([&] { (void)context.output("w"); }),
            "invalid_input: the model has no output \"w\"; it has \"y\", \"z\"");
  const auto run_with = [&](const HostTensor& tensor) {
    return error_of([&] {
      context.set_input("x", tensor);
      context.set_input("k", k);
      context.run();
    });
  };
  EXPECT_EQ(run_with(HostTensor(DType::f32, {5, 3})),
            "invalid_input: input \"x\" has dims [5, 3]; profile 0 allows [1..4, 3]; give a shape "
            "inside one of them or build the engine with a profile for this shape");
  EXPECT_EQ(run_with(HostTensor(DType::f32, {2, 4})),
            "invalid_input: input \"x\" has dims [2, 4]; profile 0 allows [1..4, 3]; give a shape "
            "inside one of them or build the engine with a profile for this shape");
  EXPECT_EQ(run_with(HostTensor(DType::f32, {0, 3})),
            "invalid_input: input \"x\" has dims [0, 3]; profile 0 allows [1..4, 3]; give a shape "
            "inside one of them or build the engine with a profile for this shape");
  HostTensor short_one(DType::f32, {2, 3});
  short_one.data.resize(8);
  EXPECT_EQ(set("x", short_one),
            "invalid_input: input \"x\" with dims [2, 3] needs 24 bytes, got 8");
  float room[2];
  EXPECT_EQ(error_of([&] {
              context.set_input("x", x);
              context.set_output("y", {room, sizeof(room), false});
              context.run();
            }),
            "invalid_input: output \"y\" needs 24 bytes, the memory set for it has 8; give at "
            "least as many or none");
  EXPECT_EQ(error_of([&] { (void)engine.create_context({.profile = 3, .threads = 0}); }),
            "usage: the engine has 1 profiles, no profile 3");
  EXPECT_EQ(error_of([&] {
              LoadOptions options;
              options.memory_limit = 1 << 20;
              Context small = small_build(1 << 20).load(options).create_context();
              small.set_input("x", HostTensor(DType::f32, {1 << 18, 3}));
              small.set_input("k", k);
              small.run();
            }),
            "out_of_memory: allocating 3145728 bytes for an output: 64 of the memory limit of "
            "1048576 bytes are in use; raise the limit or use smaller inputs");
}

// Sizes of strings choose the profile as those of numbers do.
TEST(EngineErrors, strings_that_no_profile_allows) {
  OnnxGraph graph("g");
  graph.input("x", 8, {"N"}).output("y", 8, {"N"}).node("StringConcat", {"x", "x"}, {"y"});
  const std::string bytes = OnnxModel(graph).opset(20).bytes();
  BuildOptions options;
  options.no_tune = true;
  options.profiles = {{.dims = {{"x", {{1}, {1}, {1}}}}, .values = {}},
                      {.dims = {{"x", {{2}, {3}, {4}}}}, .values = {}}};
  const Engine engine = build(std::as_bytes(std::span(bytes)), options).load();
  Context context = engine.create_context();
  const auto run = [&](int64_t count) {
    HostTensor x;
    x.dtype = DType::string;
    x.dims = {count};
    x.strings.assign(static_cast<size_t>(count), "ab");
    context.set_input("x", x);
    context.run();
  };
  for (const auto& [count, profile] : {std::pair{1, 0}, {3, 1}, {1, 0}}) {
    run(count);
    EXPECT_EQ(context.profile(), profile);
  }
  EXPECT_EQ(context.output_tensor("y").strings, std::vector<std::string>{"abab"});
  EXPECT_EQ(
      error_of([&] { run(5); }),
      "invalid_input: input \"x\" has dims [5]; profile 0 allows [1], profile 1 allows [2..4]; "
      "give a shape inside one of them or build the engine with a profile for this shape");
}

// The child's files may not grow past a few bytes, as on a full disk.
std::string save_where_nothing_fits(const BuildResult& result, const std::string& path) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    const std::string text = error_of([&] { result.save(path); });
    [[maybe_unused]] const ssize_t written = write(ends[1], text.data(), text.size());
    _exit(0);
  }
  close(ends[1]);
  std::string text(4096, '\0');
  const ssize_t got = read(ends[0], text.data(), text.size());
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return text;
}

TEST(EngineErrors, full_disk) {
  const TemporaryFolder folder;
  const std::string dir = folder.path().string(), path = dir + "/small.engine";
  const BuildResult result = small_build();
  result.save(path);
  const std::string before = read_test_file(path);
  std::string text = save_where_nothing_fits(small_build(9), path);
  if (const size_t at = text.find(dir); at != std::string::npos)
    text.replace(at, dir.size(), "$DIR");
  EXPECT_EQ(text,
            "io: writing $DIR/small.engine failed after 4096 bytes: File too large; raise the file "
            "size limit (ulimit -f) or write to another file system; nothing was left behind");
  EXPECT_EQ(read_test_file(path), before) << "the old engine must stay";
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir)) ++files;
  EXPECT_EQ(files, 1U) << "nothing half-written may stay";
  EXPECT_EQ(error_of([&] { result.save(dir + "/no/such/folder/small.engine"); }, dir),
            "io: creating $DIR/no/such/folder/small.engine failed: No such file or directory; "
            "check the path");
  EXPECT_EQ(error_of([&] { result.save(dir); }, dir),
            "io: writing $DIR refused: it exists and is not a regular file; choose another name");
}

}  // namespace
}  // namespace tenrec::test
