// SPDX-License-Identifier: Apache-2.0
#include "conformance_workers.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "runtime/device.h"

namespace tenrec {
namespace {

using Clock = std::chrono::steady_clock;
using Outcome = CaseResult::Outcome;

constexpr size_t no_more = SIZE_MAX;

bool write_all(int file, const void* data, size_t bytes) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t count = write(file, from, bytes);
    if (count <= 0) return false;
    from += count;
    bytes -= static_cast<size_t>(count);
  }
  return true;
}

// A result travels as one line.
std::string to_line(const CaseResult& result) {
  const nlohmann::json json{{"outcome", static_cast<int>(result.outcome)},
                            {"message", result.message},
                            {"host", result.host_operators}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

CaseResult from_line(const std::string& line) {
  const nlohmann::json json = nlohmann::json::parse(line);
  return {static_cast<Outcome>(json.at("outcome").get<int>()), json.at("message"), json.at("host")};
}

// Devices stay open from case to case: starting CUDA takes a second, most cases milliseconds.
class OpenDevices {
 public:
  void keep(const std::string& target) {
    const auto [device, is_new] = devices_.emplace(target, nullptr);
    if (!is_new) return;
    try {
      device->second = open_device(target, {});
    } catch (const Error&) {  // the interpreter has none; of others the case says so
    }
  }

 private:
  std::map<std::string, std::shared_ptr<Device>> devices_;
};

// In the worker: runs what it is asked to until it is told to stop.
void serve(int requests, int results, const std::vector<CaseRun>& cases,
           const WorkerOptions& options) {
  OpenDevices devices;
  size_t index = no_more;
  while (read(requests, &index, sizeof index) == sizeof index && index != no_more) {
    alarm(options.timeout);
    devices.keep(cases[index].target);
    const CaseResult result = run_case(cases[index].folder, cases[index].target, options.tolerance);
    alarm(0);
    const std::string line = to_line(result);
    if (!write_all(results, line.data(), line.size())) return;
  }
}

class Worker {
 public:
  Worker(const std::vector<CaseRun>& cases, const WorkerOptions& options,
         const std::vector<std::unique_ptr<Worker>>& others) {
    std::array<int, 2> to{}, from{};
    TENREC_CHECK(pipe(to.data()) == 0 && pipe(from.data()) == 0, io, "pipe: {}",
                 std::strerror(errno));
    process_ = fork();
    TENREC_CHECK(process_ >= 0, io, "fork: {}", std::strerror(errno));
    if (process_ == 0) {
      // With these open it would not see the end of this process.
      for (const auto& other : others) other->close_pipes();
      close(to[1]);
      close(from[0]);
      serve(to[0], from[1], cases, options);
      _exit(0);
    }
    close(to[0]);
    close(from[1]);
    requests_ = to[1];
    results_ = from[0];
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    if (process_ == 0) return;
    write_all(requests_, &no_more, sizeof no_more);
    close_pipes();
    waitpid(process_, nullptr, 0);
  }

  void ask(size_t index) {
    index_ = index;
    started_ = Clock::now();
    // If it has died, its other pipe says so.
    write_all(requests_, &index, sizeof index);
  }
  size_t index() const { return index_; }
  int results() const { return results_; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - started_).count(); }

  // Reads some of what it has to say; its result, once that is complete.
  std::optional<CaseResult> read_some() {
    std::array<char, 4096> buffer{};
    const ssize_t count = read(results_, buffer.data(), buffer.size());
    if (count <= 0) return death();
    text_.append(buffer.data(), static_cast<size_t>(count));
    if (text_.back() != '\n') return std::nullopt;
    CaseResult result = from_line(text_);
    text_.clear();
    return result;
  }

 private:
  void close_pipes() const {
    close(requests_);
    close(results_);
  }

  CaseResult death() {
    int status = 0;
    waitpid(process_, &status, 0);
    process_ = 0;
    close_pipes();
    if (!WIFSIGNALED(status)) return {Outcome::crash, "ended without a result", {}};
    const int signal = WTERMSIG(status);
    if (signal == SIGALRM) return {Outcome::timeout, "did not end in time", {}};
    return {Outcome::crash, fmt::format("died: {}", strsignal(signal)), {}};
  }

  pid_t process_ = 0;
  int requests_ = -1, results_ = -1;
  size_t index_ = no_more;
  Clock::time_point started_;
  std::string text_;
};

}  // namespace

void run_cases(std::vector<CaseRun>& cases, const WorkerOptions& options,
               const std::function<void(CaseRun&)>& done) {
  // A worker that died is told of by the end of its pipe, not by a signal at the next request.
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c)
  std::vector<std::unique_ptr<Worker>> workers;
  size_t next = 0;
  while (next < cases.size() || !workers.empty()) {
    while (workers.size() < options.jobs && next < cases.size()) {
      workers.push_back(std::make_unique<Worker>(cases, options, workers));
      workers.back()->ask(next++);
    }
    std::vector<pollfd> waiting;
    for (const auto& worker : workers) waiting.push_back({worker->results(), POLLIN, 0});
    if (poll(waiting.data(), waiting.size(), -1) < 0) continue;
    for (size_t i = workers.size(); i-- > 0;) {
      if (waiting[i].revents == 0) continue;
      Worker& worker = *workers[i];
      std::optional<CaseResult> result = worker.read_some();
      if (!result) continue;
      CaseRun& run = cases[worker.index()];
      run.result = std::move(*result);
      run.seconds = worker.seconds();
      done(run);
      const bool go_on = run.result.outcome == Outcome::passed && next < cases.size();
      if (go_on) worker.ask(next++);
      else workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

}  // namespace tenrec
