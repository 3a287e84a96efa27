// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"

namespace tenrec {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  int close() { return ::close(std::exchange(value_, -1)); }

 private:
  int value_;
};

// Unlinks a temporary file unless it was renamed to its final name.
class TemporaryFile {
 public:
  explicit TemporaryFile(fs::path path) : path_(std::move(path)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  const fs::path& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  fs::path path_;
};

std::string reason(int error) { return std::error_code(error, std::generic_category()).message(); }

std::string advice(int error) {
  switch (error) {
    case ENOENT: return "check the path";
    case EACCES:
    case EPERM: return "check the permissions";
    case ENOSPC: return "free some space or write to another disk";
    case EDQUOT: return "free some of the quota or write to another disk";
    case EFBIG: return "raise the file size limit (ulimit -f) or write to another file system";
    case EROFS: return "write to another place";
    case EIO: return "the disk or its connection may be failing; write to another disk";
    case EMFILE:
    case ENFILE: return "too many files are open: close some or raise ulimit -n";
    default: return "check the path and the disk";
  }
}

[[noreturn]] void fail_writing(const fs::path& path, uint64_t bytes, int error) {
  fail(ErrorCode::io, "writing {} failed after {} bytes: {}; {}; nothing was left behind",
       path.string(), bytes, reason(error), advice(error));
}

fs::path follow_link(const fs::path& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return path;
  const fs::path target = fs::weakly_canonical(path, error);
  return error ? path : target;
}

int open_unique(const fs::path& path, fs::path& temporary) {
  static std::atomic<uint32_t> counter{0};
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary = path;
    temporary += fmt::format(".tmp-{}-{}", ::getpid(), counter.fetch_add(1));
    const int descriptor = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

// Makes the rename itself durable; some file systems cannot, which loses nothing already promised.
void sync_folder(const fs::path& folder) {
  const Descriptor descriptor(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() >= 0) (void)::fsync(descriptor.get());
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const fs::path& path) {
  // O_NONBLOCK: opening a pipe must be refused below, not wait for a writer.
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) {
    const int error = errno;
    fail(ErrorCode::io, "opening {} failed: {}; {}", path.string(), reason(error), advice(error));
  }
  struct stat status{};
  if (::fstat(descriptor.get(), &status) != 0) {
    fail(ErrorCode::io, "examining {} failed: {}", path.string(), reason(errno));
  }
  TENREC_CHECK(!S_ISDIR(status.st_mode), io, "{} is a folder; give a file", path.string());
  TENREC_CHECK(S_ISREG(status.st_mode), io, "{} is not a regular file; copy its contents to one",
               path.string());
  TENREC_CHECK(status.st_size > 0, io, "{} is empty", path.string());
  const auto size = static_cast<size_t>(status.st_size);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (data == MAP_FAILED) {
    const int error = errno;
    fail(error == ENOMEM ? ErrorCode::out_of_memory : ErrorCode::io,
         "mapping {} ({} bytes) failed: {}", path.string(), size, reason(error));
  }
  return std::shared_ptr<const MappedFile>(
      new MappedFile(path, static_cast<const std::byte*>(data), size));
}

void MappedFile::forget(std::span<const std::byte> part) const {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t first = (reinterpret_cast<uintptr_t>(part.data()) + page - 1) / page * page;
  const uintptr_t last = reinterpret_cast<uintptr_t>(part.data() + part.size()) / page * page;
  // Only advice: where it is not taken, nothing is lost but memory.
  if (first < last) (void)::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

MappedFile::~MappedFile() { ::munmap(const_cast<std::byte*>(data_), size_); }

void FileWriter::write_all(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      fail_writing(path_, size_, errno);
    }
    if (written == 0) fail_writing(path_, size_, ENOSPC);
    offset += static_cast<uint64_t>(written);
    size_ = std::max(size_, offset);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void FileWriter::write(std::span<const std::byte> bytes) { write_all(size_, bytes); }

void FileWriter::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  TENREC_ASSERT(offset <= size_ && bytes.size() <= size_ - offset);
  write_all(offset, bytes);
}

void FileWriter::pad_to(uint64_t multiple) {
  static constexpr std::array<std::byte, 4096> zeros{};
  uint64_t left = (multiple - size_ % multiple) % multiple;
  while (left > 0) {
    const uint64_t part = std::min<uint64_t>(left, zeros.size());
    write(std::span(zeros).first(static_cast<size_t>(part)));
    left -= part;
  }
}

void write_file_atomic(const fs::path& given, const std::function<void(FileWriter&)>& body) {
  const fs::path path = follow_link(given);
  struct stat status{};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  TENREC_CHECK(!exists || S_ISREG(status.st_mode), io,
               "writing {} refused: it exists and is not a regular file; choose another name",
               given.string());
  TENREC_CHECK(!path.filename().empty(), io, "writing \"{}\" refused: it names no file",
               given.string());
  fs::path temporary_path;
  Descriptor descriptor(open_unique(path, temporary_path));
  if (descriptor.get() < 0) {
    const int error = errno;
    fail(ErrorCode::io, "creating {} failed: {}; {}", given.string(), reason(error), advice(error));
  }
  TemporaryFile temporary(temporary_path);
  FileWriter writer(descriptor.get(), given);
  body(writer);
  // Delayed allocation reports a full disk only here.
  if (::fsync(descriptor.get()) != 0) fail_writing(given, writer.size(), errno);
  if (exists) (void)::fchmod(descriptor.get(), status.st_mode & 07777);
  if (descriptor.close() != 0) fail_writing(given, writer.size(), errno);
  if (::rename(temporary.path().c_str(), path.c_str()) != 0) {
    fail_writing(given, writer.size(), errno);
  }
  temporary.keep();
  sync_folder(path.parent_path());
}

void write_file_atomic(const fs::path& path, std::span<const std::byte> bytes) {
  write_file_atomic(path, [&](FileWriter& writer) { writer.write(bytes); });
}

void write_file_atomic(const fs::path& path, std::string_view text) {
  write_file_atomic(path, std::as_bytes(std::span(text)));
}

}  // namespace tenrec
