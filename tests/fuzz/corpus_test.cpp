// SPDX-License-Identifier: Apache-2.0
// Every input that libFuzzer has kept, and every one that once failed.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <iterator>

#include "base/file.h"
#include "fuzz/fuzz_targets.h"
#include "ir/op.h"

namespace tenrec::test {
namespace {

TEST(Corpus, every_input_is_accepted_or_refused) {
  init_ops();
  for (const FuzzTarget& target : fuzz_targets()) {
    int inputs = 0;
    const auto folder =
        std::filesystem::path(TENREC_SOURCE_DIR) / "tests/fuzz/corpus" / target.name;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const HangGuard guard(entry.path().string(), 60);
      run_target(target, MappedFile::open(entry.path())->bytes());
      ++inputs;
    }
    EXPECT_GT(inputs, 0) << target.name;
    std::cout << target.name << ": " << inputs << " inputs\n";
  }
}

}  // namespace
}  // namespace tenrec::test
