// SPDX-License-Identifier: Apache-2.0
// Every write, sync and rename on the way to a file goes wrong once, in every way: an engine or a
// timing cache is the old one or the new one in full, and nothing lies beside it.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <functional>

#include "common/onnx_writer.h"
#include "common/write_fault.h"
#include "errors/errors.h"
#include "targets/timing_cache.h"
#include "tenrec/builder.h"

namespace tenrec::test {
namespace {

BuildResult small_build(const std::string& op) {
  OnnxGraph graph("g");
  graph.input("x", 1, {"4", "3"}).output("y", 1, {"4", "3"}).node(op, {"x"}, {"y"});
  const std::string bytes = OnnxModel(graph).opset(17).bytes();
  BuildOptions options;
  options.no_tune = true;
  return build(std::as_bytes(std::span(bytes)), options);
}

size_t files_in(const std::filesystem::path& folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

class WriteFaults : public testing::Test {
 protected:
  void SetUp() override {
    old_.save(path());
    before_ = read_test_file(path());
    after_ = std::string(reinterpret_cast<const char*>(new_.bytes->data()), new_.bytes->size());
  }
  std::string path() const { return (folder_ / "x.engine").string(); }

  TemporaryFolder folder_;
  BuildResult old_ = small_build("Relu"), new_ = small_build("Tanh");
  std::string before_, after_;
};

TEST_F(WriteFaults, errors_leave_the_old_engine) {
  for (const int code : {ENOSPC, EIO, EDQUOT, EFBIG}) {
    int failures = 0;
    bool happened = true;
    for (int nth = 1; happened; ++nth) {
      old_.save(path());
      std::string text;
      {
        const WriteFault fault(nth, WriteTrouble::error, code);
        text = error_of([&] { new_.save(path()); });
        happened = fault.happened();
      }
      if (text.empty()) {  // not needed for a whole file: the sync of the folder
        EXPECT_EQ(read_test_file(path()), after_);
      } else {
        ++failures;
        EXPECT_EQ(text.find("io: writing "), 0U) << text;
        EXPECT_NE(text.find("nothing was left behind"), std::string::npos) << text;
        EXPECT_EQ(read_test_file(path()), before_);
      }
      EXPECT_EQ(files_in(folder_.path()), 1U);
    }
    EXPECT_GE(failures, 3);  // write, sync, rename
  }
}

TEST_F(WriteFaults, short_and_interrupted_writes_go_on) {
  for (const bool is_short : {true, false}) {
    const WriteFault fault(1, is_short ? WriteTrouble::short_write : WriteTrouble::error, EINTR);
    new_.save(path());
    EXPECT_TRUE(fault.happened());
    EXPECT_EQ(read_test_file(path()), after_);
    old_.save(path());
  }
}

TEST_F(WriteFaults, killed_at_any_write_the_engine_is_whole) {
  int killed = 0;
  for (int nth = 1;; ++nth) {
    old_.save(path());
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const WriteFault fault(nth, WriteTrouble::killed);
      new_.save(path());
      _exit(fault.happened() ? 1 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    const std::string now = read_test_file(path());
    EXPECT_TRUE(now == before_ || now == after_);
    EXPECT_EQ(error_of([&] { (void)Engine::load(path()); }), "");
    if (WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      break;
    }
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    ++killed;
  }
  EXPECT_GE(killed, 3);
}

TEST_F(WriteFaults, a_timing_cache_that_cannot_be_written) {
  const std::string path = (folder_ / "timings").string();
  TimingCache cache;
  cache.put("key", {.kernel = "gemm", .tactic = "tile=4", .microseconds = 1, .comment = ""});
  cache.save(path);
  const std::string before = read_test_file(path);
  cache.put("other", {.kernel = "gemm", .tactic = "tile=8", .microseconds = 2, .comment = ""});
  for (const int nth : {1, 2, 3}) {
    const WriteFault fault(nth, WriteTrouble::error, ENOSPC);
    const std::string text = error_of([&] { cache.save(path); });
    EXPECT_NE(text.find("No space left on device"), std::string::npos) << text;
    EXPECT_EQ(read_test_file(path), before);
    EXPECT_EQ(files_in(folder_.path()), 2U);
  }
}

}  // namespace
}  // namespace tenrec::test
