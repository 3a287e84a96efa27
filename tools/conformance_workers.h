// SPDX-License-Identifier: Apache-2.0
// Runs cases in processes beside this one, several at a time: a crash is one failure.
#pragma once
#include <functional>
#include <vector>

#include "conformance_case.h"

namespace tenrec {

struct CaseRun {
  std::filesystem::path folder;
  std::string target;
  CaseResult result;
  double seconds = 0;
  std::string excuse;  // why it may fail, for `done` to fill in; empty: it may not
  std::string name() const { return folder.filename().string(); }
};

struct WorkerOptions {
  size_t jobs = 1;
  unsigned timeout = 120;  // seconds a case
  Tolerance tolerance{};
};

// `done` is called with each case when its result is there, in any order. A process runs one case
// after the other (opening a GPU takes longer than most cases) until one does not pass: what that
// left behind shall reach no other case.
void run_cases(std::vector<CaseRun>& cases, const WorkerOptions& options,
               const std::function<void(CaseRun&)>& done);

}  // namespace tenrec
