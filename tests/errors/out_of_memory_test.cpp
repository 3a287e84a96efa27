// SPDX-License-Identifier: Apache-2.0
// Each allocation of a build, a load and a run fails once, alone and with all that follow: always
// an out_of_memory Error or a right result, and afterwards everything works as before. A sample
// here; TENREC_TEST_FAULTS=all is every allocation. The address sanitizer finds what is lost on the
// way.
#include <cstdlib>
#include <functional>
#include <iostream>

#include "common/allocation_count.h"
#include "common/graph_cases.h"
#include "common/onnx_samples.h"
#include "common/onnx_writer.h"
#include "errors/errors.h"
#include "ir/op.h"
#include "tenrec/builder.h"

namespace tenrec::test {
namespace {

// Calls `body` with every failure that it can meet, until it meets none.
void fail_everywhere(const std::string& what, int sample, const std::function<void()>& body) {
  const char* const count = std::getenv("TENREC_TEST_FAULTS");
  const int step = count != nullptr && std::string(count) == "all" ? 1 : sample;
  body();
  int failed = 0, survived = 0;
  for (const bool for_good : {false, true}) {
    bool happened = true;
    for (int nth = 1; happened; nth += step) {
      SCOPED_TRACE(fmt::format("{}: allocation {} {}", what, nth, for_good ? "and later" : "only"));
      try {
        const AllocationFault fault(nth, for_good);
        try {
          body();
        } catch (...) {
          happened = fault.happened();
          throw;
        }
        happened = fault.happened();
        survived += happened ? 1 : 0;
      } catch (const Error& error) {
        ++failed;
        EXPECT_EQ(error.code(), ErrorCode::out_of_memory) << error.what();
      } catch (const std::exception& error) {
        ADD_FAILURE() << "no tenrec::Error: " << error.what();
      }
      if (testing::Test::HasFailure()) return;
    }
  }
  body();
  EXPECT_GT(failed, 0);
  std::cout << what << ": " << failed << " failed allocations were Errors, " << survived
            << " did no harm\n";
}

std::string model() {
  OnnxGraph graph("g");
  graph.input("x", 1, {"N", "8"}).output("y", 1, {"N", "8"});
  std::string weight(size_t{8} * 8 * 4, '\0');
  graph.initializer(OnnxTensor("w", {8, 8}).raw(weight));
  graph.node("MatMul", {"x", "w"}, {"a"}).node("Relu", {"a"}, {"b"});
  graph.node("Softmax", {"b"}, {"c"}).node("Add", {"c", "x"}, {"d"});
  graph.node("ReduceMean", {"d"}, {"e"}).node("Sub", {"d", "e"}, {"y"});
  return OnnxModel(graph).opset(17).bytes();
}

BuildOptions own_kernels() {
  BuildOptions options;
  options.no_tune = true;
  options.threads = 2;
  options.no_vendor = true;
  return options;
}

BuildOptions with_profile() {
  BuildOptions options = own_kernels();
  options.profiles = {{.dims = {{"x", {{1, 8}, {2, 8}, {300, 8}}}}, .values = {}}};
  return options;
}

BuildResult built(const std::string& bytes, const BuildOptions& options = with_profile()) {
  return build(std::as_bytes(std::span(bytes)), options);
}

TEST(OutOfMemory, building) {
  const std::string bytes = model();
  const BuildOptions options = with_profile();
  const BuildResult good = built(bytes);
  fail_everywhere("build", 97, [&] { EXPECT_EQ(*built(bytes, options).bytes, *good.bytes); });
}

TEST(OutOfMemory, tuning) {
  const std::string bytes = model();
  BuildOptions options = with_profile();
  options.no_tune = false;
  fail_everywhere("build with tuning", 1999, [&] { (void)built(bytes, options); });
}

TEST(OutOfMemory, every_sample_model) {
  const BuildOptions options = own_kernels();
  for (const auto& [name, bytes] : onnx_samples())
    fail_everywhere(name, 397, [&, &bytes = bytes] { (void)built(bytes, options); });
}

TEST(OutOfMemory, loading_and_running) {
  const auto bytes = built(model()).bytes;
  HostTensor x(DType::f32, {300, 8});
  for (size_t i = 0; i < x.as<float>().size(); ++i) x.as<float>()[i] = static_cast<float>(i % 7);
  HostTensor wanted;
  const auto run = [&] {
    const Engine engine = Engine::from_bytes(bytes, {.threads = 2});
    Context context = engine.create_context();
    context.set_input("x", x);
    context.run();
    const HostTensor y = context.output_tensor("y");
    if (wanted.dims.empty()) wanted = y;
    EXPECT_EQ(y.data, wanted.data);
  };
  fail_everywhere("load and run", 1, run);
}

TEST(OutOfMemory, a_context_stays_usable) {
  const Engine engine = built(model()).load({.threads = 2});
  Context context = engine.create_context();
  std::vector<HostTensor> inputs;
  for (const int64_t rows : {300, 1, 17, 64})
    inputs.emplace_back(DType::f32, std::vector{rows, int64_t{8}});
  fail_everywhere("new sizes", 1, [&] {
    for (const HostTensor& x : inputs) {
      context.set_input("x", x);
      context.run();
      EXPECT_EQ(context.output_tensor("y").dims, x.dims);
    }
  });
}

TEST(OutOfMemory, saving) {
  const TemporaryFolder folder;
  const BuildResult result = built(model());
  const std::string path = (folder / "x.engine").string();
  result.save(path);
  const std::string before = read_test_file(path);
  fail_everywhere("save", 1, [&] { result.save(path); });
  EXPECT_EQ(read_test_file(path), before);
}

}  // namespace
}  // namespace tenrec::test
