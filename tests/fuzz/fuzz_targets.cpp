// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz_targets.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "fuzz/run_engine.h"
#include "import/import.h"
#include "ir/graph.h"
#include "npz.h"
#include "onnx/reader.h"
#include "onnx/tensor_data.h"
#include "targets/timing_cache.h"

namespace tenrec::test {
namespace {

using Input = std::span<const std::byte>;

std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

// What a graph prints is read back as the same graph.
void check_text(const Graph& graph) {
  verify(graph);
  const std::string text = print(graph);
  const auto again = with_context([&] { return "reading back:\n" + text; },
                                  [&] {
                                    try {
                                      return parse_graph(text, printed_weights(graph));
                                    } catch (const Error& error) {
                                      fail(ErrorCode::internal, "{}", error.what());
                                    }
                                  });
  const std::string second = print(*again);
  TENREC_CHECK(second == text, internal, "read back and printed, this is another graph:\n{}\n{}",
               text, second);
}

void run_model(Input input) {
  const onnx::Model model = onnx::read_model(input, nullptr);
  check_text(*import_model(model).graph);
}

// The first byte says of what type the value is to be.
void run_value(Input input) {
  if (input.empty()) return;
  using Kind = onnx::TypeProto::Kind;
  static constexpr std::array kinds{Kind::tensor, Kind::sequence, Kind::optional, Kind::map};
  const auto choice = std::to_integer<size_t>(input[0]);
  onnx::TypeProto type;
  type.kind = kinds[choice % 4];
  auto element = std::make_shared<onnx::TypeProto>();
  element->kind = kinds[choice / 4 % 2];
  if (element->kind != Kind::tensor) {
    auto inner = std::make_shared<onnx::TypeProto>();
    inner->kind = Kind::tensor;
    element->element = inner;
  }
  type.element = element;
  const onnx::ValueProto value = onnx::read_value(input.subspan(1), type);
  if (value.kind == Kind::tensor) (void)onnx::to_tensor(value.tensor, onnx::Model{});
}

void run_text(Input input) { check_text(*parse_graph(text_of(input))); }

void run_engine(Input input) {
  constexpr uint64_t memory_limit = 8 << 20;
  const Engine engine = Engine::from_bytes(
      Bytes(input.begin(), input.end()), {.threads = 1, .device = 0, .memory_limit = memory_limit});
  Context context = engine.create_context();
  run_on(engine, context, {});
}

// A file that only this process can see: what reads a file by its name reads the input.
class InputFile {
 public:
  explicit InputFile(Input input) : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
    if (::write(descriptor_, input.data(), input.size()) != static_cast<ssize_t>(input.size()))
      std::abort();
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() { ::close(descriptor_); }
  std::string path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }

 private:
  int descriptor_;
};

void run_npz(Input input) {
  const InputFile file(input);
  if (input.size() > 1 && input[0] == std::byte{0x93}) (void)read_npy(file.path());
  else (void)read_npz(file.path());
}

void run_timings(Input input) {
  (void)TimingCache::parse(TimingCache::parse(text_of(input)).text());
}

constexpr std::array targets{FuzzTarget{"model", run_model, mutated_model},
                             FuzzTarget{"engine", run_engine, mutated_engine},
                             FuzzTarget{"value", run_value, mutated_model},
                             FuzzTarget{"text", run_text},
                             FuzzTarget{"npz", run_npz},
                             FuzzTarget{"timings", run_timings}};

[[noreturn]] void give_up(const FuzzTarget& target, const char* what) {
  (void)std::fprintf(stderr, "%s: %s\n", target.name.data(), what);
  std::abort();
}

}  // namespace

std::span<const FuzzTarget> fuzz_targets() { return targets; }

void run_target(const FuzzTarget& target, Input input) {
  try {
    target.run(input);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) give_up(target, error.what());
  } catch (const std::exception& error) {
    give_up(target, error.what());
  }
}

}  // namespace tenrec::test
