// SPDX-License-Identifier: Apache-2.0
// libFuzzer's program for all targets: `fuzzer corpus/<target> [libFuzzer's options]`. The target
// is named by TENREC_FUZZ_TARGET. scripts/check_mutations.sh runs it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "fuzz/fuzz_targets.h"
#include "ir/op.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace tenrec::test {
namespace {

const FuzzTarget* target = nullptr;
Donors donors;

Bytes bytes_of(const uint8_t* data, size_t size) {
  const auto* first = reinterpret_cast<const std::byte*>(data);
  return {first, first + size};
}

void choose_target() {
  const char* name = std::getenv("TENREC_FUZZ_TARGET");
  for (const FuzzTarget& each : fuzz_targets())
    if (name != nullptr && each.name == name) target = &each;
  if (target != nullptr) return;
  (void)std::fprintf(stderr, "TENREC_FUZZ_TARGET names no target; there are:\n");
  for (const FuzzTarget& each : fuzz_targets())
    (void)std::fprintf(stderr, "  %s\n", each.name.data());
  std::exit(2);
}

// The folders on the command line give the pieces that a mutation may splice in.
void collect_donors(int count, char** words) {
  for (int i = 1; i < count; ++i) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(words[i], none)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(file)), {});
      if (target->name != "engine") donors.add(bytes);
      else
        add_sections(bytes_of(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
                     donors);
    }
  }
}

}  // namespace
}  // namespace tenrec::test

using namespace tenrec::test;  // NOLINT: these names are libFuzzer's

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
  tenrec::init_ops();
  choose_target();
  if (target->mutate != nullptr) collect_donors(*count, *words);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  run_target(*target, std::as_bytes(std::span(data, size)));
  return 0;
}

// Half of the inputs are changed field by field, the others as libFuzzer likes; an engine's
// checksums are right in nearly all.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  Random random(seed);
  if (target->mutate == nullptr || random() % 2 == 0) {
    size = LLVMFuzzerMutate(data, size, most);
    if (target->name != "engine" || random() % 16 == 0) return size;
    Bytes bytes = bytes_of(data, size);
    repair_checksums(bytes);
    std::memcpy(data, bytes.data(), bytes.size());
    return size;
  }
  const Bytes bytes = target->mutate(bytes_of(data, size), donors, random);
  if (bytes.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}
