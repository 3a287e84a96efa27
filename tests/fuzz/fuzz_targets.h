// SPDX-License-Identifier: Apache-2.0
// Everything that reads bytes from outside, as one table: fuzzer.cpp attacks each with libFuzzer,
// corpus_test.cpp replays what that has kept. Whatever the bytes, a target accepts them or throws
// an Error that is not `internal`.
//
// HOW TO ADD A TARGET: a line in fuzz_targets(), and a folder corpus/<name> with a few inputs.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "common/mutations.h"

namespace tenrec::test {

struct FuzzTarget {
  std::string_view name;
  void (*run)(std::span<const std::byte> input);
  // Changes the structure, as chance alone hardly does; null: bytes say all.
  Bytes (*mutate)(const Bytes& input, const Donors& donors, Random& random) = nullptr;
};

std::span<const FuzzTarget> fuzz_targets();

// Ends in std::abort() where the target fails in a way that no input may cause.
void run_target(const FuzzTarget& target, std::span<const std::byte> input);

}  // namespace tenrec::test
