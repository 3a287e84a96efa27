// SPDX-License-Identifier: Apache-2.0
// Counts the C++ allocations of the whole process, or makes one of them fail. Linking it replaces
// the global operator new of the test binary.
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

// As long as it lives, the nth allocation from its making on fails (1: the first), on whichever
// thread, and all later ones as well if there is no memory `for_good`.
class AllocationFault {
 public:
  AllocationFault(int nth, bool for_good);
  AllocationFault(const AllocationFault&) = delete;
  AllocationFault& operator=(const AllocationFault&) = delete;
  ~AllocationFault();
  bool happened() const;
};

}  // namespace tenrec
