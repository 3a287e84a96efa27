// SPDX-License-Identifier: Apache-2.0
// Counts the C++ allocations of the whole process between start and stop. Linking it replaces the
// global operator new of the test binary.
#pragma once

namespace tenrec {

class AllocationCount {
 public:
  void start();
  void stop();
  int total() const { return total_; }

 private:
  int total_ = 0;
};

}  // namespace tenrec
