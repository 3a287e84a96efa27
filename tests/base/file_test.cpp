// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <string>

#include "base/error.h"
#include "common/onnx_writer.h"

namespace tenrec {
namespace {

using test::read_test_file;
using test::TemporaryFolder;
using test::write_test_file;

template <class Body>
std::string error_of(ErrorCode code, Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

size_t files_in(const std::filesystem::path& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(File, maps_what_is_there) {
  const TemporaryFolder folder;
  write_test_file(folder / "a", "hello");
  const auto file = MappedFile::open(folder / "a");
  EXPECT_EQ(file->text(), "hello");
  EXPECT_EQ(file->bytes().size(), 5U);
}

TEST(File, refuses_what_is_no_file) {
  const TemporaryFolder folder;
  write_test_file(folder / "empty", "");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const auto message = [&](const char* file_name) {
    return error_of(ErrorCode::io, [&] { MappedFile::open(folder / file_name); });
  };
  EXPECT_NE(message("missing").find("missing failed: No such file or directory; check the path"),
            std::string::npos);
  EXPECT_NE(message("empty").find("is empty"), std::string::npos);
  EXPECT_NE(message(".").find("is a folder; give a file"), std::string::npos);
  EXPECT_NE(message("pipe").find("is not a regular file"), std::string::npos);
}

TEST(File, writes_atomically) {
  const TemporaryFolder folder;
  write_test_file(folder / "out", "old");
  const auto old = MappedFile::open(folder / "out");
  write_file_atomic(folder / "out", [&](FileWriter& writer) {
    writer.write("0123");
    writer.pad_to(8);
    writer.write("tail");
    writer.write_at(1, std::as_bytes(std::span("XY", 2)));
    EXPECT_EQ(writer.size(), 12U);
    EXPECT_EQ(read_test_file(folder / "out"), "old");
  });
  EXPECT_EQ(read_test_file(folder / "out"), std::string("0XY3\0\0\0\0tail", 12));
  EXPECT_EQ(old->text(), "old");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(File, a_failing_writer_leaves_the_old_file) {
  const TemporaryFolder folder;
  write_test_file(folder / "out", "old");
  const auto failing = [](FileWriter& writer) {
    writer.write("half");
    fail(ErrorCode::cancelled, "stop");
  };
  error_of(ErrorCode::cancelled, [&] { write_file_atomic(folder / "out", failing); });
  EXPECT_EQ(read_test_file(folder / "out"), "old");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(File, running_out_of_room_says_where_and_leaves_nothing) {
  const TemporaryFolder folder;
  struct rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = old;
  small.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message =
      error_of(ErrorCode::io, [&] { write_file_atomic(folder / "big", std::string(10000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_NE(message.find("big failed after 4096 bytes: File too large; raise the file size limit"),
            std::string::npos)
      << message;
  EXPECT_EQ(files_in(folder.path()), 0U);
}

// TENREC_FULL_DISK names a folder on a small full file system, e.g. a tmpfs of 64 KiB.
TEST(File, a_full_disk) {
  const char* const full = std::getenv("TENREC_FULL_DISK");
  if (full == nullptr) GTEST_SKIP() << "TENREC_FULL_DISK is not set";
  const std::string message = error_of(ErrorCode::io, [&] {
    write_file_atomic(std::filesystem::path(full) / "big", std::string(1 << 20, 'x'));
  });
  EXPECT_NE(message.find("No space left on device; free some space"), std::string::npos) << message;
  EXPECT_EQ(files_in(full), 0U);
}

TEST(File, targets_that_must_not_be_replaced) {
  const TemporaryFolder folder;
  const auto write = [](const std::filesystem::path& path) { write_file_atomic(path, "x"); };
  EXPECT_NE(error_of(ErrorCode::io, [&] { write("/dev/null"); }).find("not a regular file"),
            std::string::npos);
  error_of(ErrorCode::io, [&] { write(folder.path()); });
  error_of(ErrorCode::io, [&] { write(folder / "no" / "such" / "folder"); });
  write_test_file(folder / "target", "old");
  std::filesystem::create_symlink("target", folder / "link");
  write(folder / "link");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_test_file(folder / "target"), "x");
}

}  // namespace
}  // namespace tenrec
