// SPDX-License-Identifier: Apache-2.0
#include "common/write_fault.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace {

std::atomic<bool> is_armed{false};
std::atomic<int> until_fault{0};
tenrec::WriteTrouble trouble_now{};
int code_now = 0;

bool is_due() { return is_armed && --until_fault == 0; }

void half_written(int file, const void* data, size_t size, off_t offset) {
  (void)syscall(SYS_pwrite64, file, data, size / 2, offset);
}

// True where the call has to fail; errno is set.
bool fails() {
  if (!is_due()) return false;
  if (trouble_now == tenrec::WriteTrouble::killed) (void)std::raise(SIGKILL);
  errno = code_now;
  return trouble_now == tenrec::WriteTrouble::error;
}

}  // namespace

extern "C" {

ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  if (is_armed && until_fault == 1) {
    if (trouble_now == tenrec::WriteTrouble::short_write && size > 1) size /= 2;
    if (trouble_now == tenrec::WriteTrouble::killed) half_written(file, data, size, offset);
  }
  return fails() ? -1 : syscall(SYS_pwrite64, file, data, size, offset);
}

int fsync(int file) { return fails() ? -1 : static_cast<int>(syscall(SYS_fsync, file)); }

int rename(const char* from, const char* to) noexcept {
  return fails() ? -1 : static_cast<int>(syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to));
}
}

namespace tenrec {

WriteFault::WriteFault(int nth, WriteTrouble trouble, int code) {
  trouble_now = trouble;
  code_now = code;
  until_fault = nth;
  is_armed = true;
}

WriteFault::~WriteFault() { is_armed = false; }

bool WriteFault::happened() const { return until_fault <= 0; }

}  // namespace tenrec
