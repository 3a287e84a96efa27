// SPDX-License-Identifier: Apache-2.0
// Linking it replaces pwrite, fsync and rename of the test binary: one of their calls goes wrong.
#pragma once

namespace tenrec {

enum class WriteTrouble {
  error,        // fails with `code`
  short_write,  // of a write only half is taken
  killed,       // the process ends in the middle of it, as by SIGKILL
};

// As long as it lives, the nth call from its making on (1: the first) goes wrong.
class WriteFault {
 public:
  WriteFault(int nth, WriteTrouble trouble, int code = 0);
  WriteFault(const WriteFault&) = delete;
  WriteFault& operator=(const WriteFault&) = delete;
  ~WriteFault();
  bool happened() const;
};

}  // namespace tenrec
