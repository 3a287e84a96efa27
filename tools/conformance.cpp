// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "base/error.h"
#include "conformance_case.h"
#include "ir/op.h"
#include "tool.h"

namespace tenrec {
namespace {

namespace fs = std::filesystem;
using Outcome = CaseResult::Outcome;

struct ConformanceCommand {
  std::string folder, filter, expected;
  std::vector<std::string> targets = {"interpreter", "cpu"};
  int jobs = 0;
  unsigned timeout = 120;
  Tolerance tolerance;
  bool json = false;
};

struct Row {
  fs::path folder;
  std::string target;
  CaseResult result;
  std::string excuse;  // why it may fail; empty: it may not
  std::string name() const { return folder.filename().string(); }
};

// ---- cases and excuses ----

std::vector<fs::path> find_cases(const ConformanceCommand& command) {
  TENREC_CHECK(fs::is_directory(command.folder), io, "\"{}\" is not a folder", command.folder);
  std::regex filter;
  try {
    filter = std::regex(command.filter);
  } catch (const std::regex_error& error) {
    fail(ErrorCode::usage, "--filter \"{}\": {}", command.filter, error.what());
  }
  std::vector<fs::path> cases;
  for (const auto& entry : fs::recursive_directory_iterator(command.folder)) {
    if (entry.path().filename() != "model.onnx") continue;
    const fs::path folder = entry.path().parent_path();
    if (std::regex_search(folder.filename().string(), filter)) cases.push_back(folder);
  }
  if (fs::exists(fs::path(command.folder) / "model.onnx") && cases.empty())
    cases.emplace_back(command.folder);
  TENREC_CHECK(!cases.empty(), usage, "no case (a folder with model.onnx) in \"{}\" matches \"{}\"",
               command.folder, command.filter);
  std::sort(cases.begin(), cases.end());
  return cases;
}

// A line is "CASE OUTCOME: reason": the case fails in this way and no other. A case that passes has
// to leave the list.
struct Excuse {
  Outcome outcome;
  std::string reason;
};
using Excuses = std::map<std::string, Excuse>;

Excuses read_excuses(const std::string& path) {
  Excuses excuses;
  if (path.empty()) return excuses;
  std::ifstream file(path);
  TENREC_CHECK(file, io, "cannot read \"{}\"", path);
  const std::regex form("([^ ]+) (error|type|values): (.+)");
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    std::smatch match;
    TENREC_CHECK(std::regex_match(line, match, form), usage,
                 "{}:{}: expected \"CASE error|type|values: REASON\"", path, number);
    Outcome outcome = Outcome::error;
    for (const Outcome known : {Outcome::type, Outcome::values}) {
      if (match.str(2) == name(known)) outcome = known;
    }
    TENREC_CHECK(excuses.emplace(match[1], Excuse{outcome, match[3]}).second, usage,
                 "{}:{}: {} is listed twice", path, number, match[1].str());
  }
  return excuses;
}

// An excuse that does not apply is a failure of its own.
void apply(const Excuses& excuses, Row& row) {
  const auto found = excuses.find(row.name());
  if (found == excuses.end()) return;
  if (row.result.outcome == found->second.outcome) {
    row.excuse = found->second.reason;
  } else if (row.result.outcome == Outcome::passed) {
    row.result = {Outcome::error, "passes, so it must leave the list of expected failures"};
  }
}

// ---- one process a case: a crash is one failure ----

struct Worker {
  pid_t process = 0;
  int pipe = -1;
  size_t row = 0;
  std::string text;
};

Worker start(const Row& row, size_t index, const ConformanceCommand& command) {
  std::array<int, 2> ends{};
  TENREC_CHECK(pipe(ends.data()) == 0, io, "pipe: {}", std::strerror(errno));
  const pid_t process = fork();
  TENREC_CHECK(process >= 0, io, "fork: {}", std::strerror(errno));
  if (process != 0) {
    close(ends[1]);
    return {process, ends[0], index, ""};
  }
  close(ends[0]);
  alarm(command.timeout);
  const CaseResult result = run_case(row.folder, row.target, command.tolerance);
  const std::string text = fmt::format("{}\n{}", static_cast<int>(result.outcome), result.message);
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = write(ends[1], text.data() + done, text.size() - done);
    if (written <= 0) break;
    done += static_cast<size_t>(written);
  }
  _exit(0);
}

CaseResult finish(const Worker& worker) {
  close(worker.pipe);
  int status = 0;
  waitpid(worker.process, &status, 0);
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    if (signal == SIGALRM) return {Outcome::timeout, "did not end in time"};
    return {Outcome::crash, fmt::format("died: {}", strsignal(signal))};
  }
  const size_t end = worker.text.find('\n');
  if (end == worker.text.npos) return {Outcome::crash, "ended without a result"};
  return {static_cast<Outcome>(std::stoi(worker.text.substr(0, end))), worker.text.substr(end + 1)};
}

// Reads what the workers have to say; true when this one has said all.
bool read_some(Worker& worker) {
  std::array<char, 4096> buffer{};
  const ssize_t count = read(worker.pipe, buffer.data(), buffer.size());
  if (count > 0) worker.text.append(buffer.data(), static_cast<size_t>(count));
  return count <= 0;
}

void run_rows(std::vector<Row>& rows, size_t jobs, const ConformanceCommand& command) {
  std::vector<Worker> workers;
  size_t next = 0;
  while (next < rows.size() || !workers.empty()) {
    while (workers.size() < jobs && next < rows.size()) {
      workers.push_back(start(rows[next], next, command));
      ++next;
    }
    std::vector<pollfd> waiting;
    for (const Worker& worker : workers) waiting.push_back({worker.pipe, POLLIN, 0});
    if (poll(waiting.data(), waiting.size(), -1) < 0) continue;
    for (size_t i = workers.size(); i-- > 0;) {
      if (waiting[i].revents == 0 || !read_some(workers[i])) continue;
      rows[workers[i].row].result = finish(workers[i]);
      workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

// ---- the report ----

std::string reproducer(const Row& row, const std::string& folder) {
  return fmt::format("tenrec conformance {} --target {} --filter '^{}$'", folder, row.target,
                     row.name());
}

struct Count {
  size_t passed = 0, failed = 0, skipped = 0;
};

Count count(const std::vector<Row>& rows) {
  Count count;
  for (const Row& row : rows) {
    if (!row.excuse.empty()) ++count.skipped;
    else ++(row.result.outcome == Outcome::passed ? count.passed : count.failed);
  }
  return count;
}

void print_json(const std::vector<Row>& rows, const std::string& folder) {
  nlohmann::json cases = nlohmann::json::array();
  for (const Row& row : rows) {
    nlohmann::json entry{{"name", row.name()},
                         {"folder", row.folder.string()},
                         {"target", row.target},
                         {"outcome", name(row.result.outcome)}};
    if (row.result.outcome != Outcome::passed) {
      entry["message"] = row.result.message;
      entry["reproduce"] = reproducer(row, folder);
    }
    if (!row.excuse.empty()) entry["excuse"] = row.excuse;
    cases.push_back(std::move(entry));
  }
  const Count total = count(rows);
  const nlohmann::json json{{"cases", cases},
                            {"passed", total.passed},
                            {"failed", total.failed},
                            {"skipped", total.skipped}};
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_text(const std::vector<Row>& rows, const std::string& folder) {
  for (const Row& row : rows) {
    if (row.result.outcome == Outcome::passed || !row.excuse.empty()) continue;
    fmt::print("FAIL {} on {} ({}): {}\n     {}\n", row.name(), row.target,
               name(row.result.outcome), row.result.message, reproducer(row, folder));
  }
  const Count total = count(rows);
  fmt::print("{} passed, {} failed, {} skipped\n", total.passed, total.failed, total.skipped);
}

void run_conformance(const ConformanceCommand& command) {
  init_ops();
  const Excuses excuses = read_excuses(command.expected);
  std::vector<Row> rows;
  for (const fs::path& folder : find_cases(command)) {
    for (const std::string& target : command.targets) rows.push_back({folder, target, {}, ""});
  }
  const size_t jobs = command.jobs > 0 ? static_cast<size_t>(command.jobs)
                                       : std::max<size_t>(1, std::thread::hardware_concurrency());
  run_rows(rows, jobs, command);
  for (Row& row : rows) apply(excuses, row);
  if (command.json) print_json(rows, command.folder);
  else print_text(rows, command.folder);
  const Count total = count(rows);
  if (total.failed > 0)
    fail(ErrorCode::mismatch, "{} of {} cases failed", total.failed, rows.size());
}

}  // namespace

void add_conformance(CLI::App& app) {
  auto command = std::make_shared<ConformanceCommand>();
  CLI::App* sub = app.add_subcommand("conformance", "Run folders of ONNX test cases");
  sub->add_option("folder", command->folder,
                  "Where the cases are: folders with model.onnx and test_data_set_*")
      ->required();
  sub->add_option("--target", command->targets,
                  "\"interpreter\" or a target's name; can be repeated (default: both)");
  sub->add_option("--filter", command->filter, "Only cases whose name this expression matches");
  sub->add_option("--expected", command->expected,
                  "File of expected failures: \"CASE error|type|values: REASON\" a line");
  sub->add_option("--jobs", command->jobs, "Cases at a time (default: one a core)");
  sub->add_option("--timeout", command->timeout, "Seconds a case may take (default: 120)");
  sub->add_option("--rtol", command->tolerance.relative, "Allowed relative difference of floats");
  sub->add_option("--atol", command->tolerance.absolute, "Allowed absolute difference of floats");
  sub->add_flag("--json", command->json, "Machine-readable result");
  sub->footer(
      "Floats may differ by atol + rtol * |b|, by default as in onnx.backend.test (1e-7, 1e-3); "
      "the\n"
      "rest not at all.\n"
      "A case of the file of expected failures is skipped when it fails in the way listed there,\n"
      "and failed when it passes. The exit code is 10 when a case failed.\n"
      "Example: tenrec conformance onnx-cases --filter '^test_conv' --target interpreter");
  sub->callback([command] { run_conformance(*command); });
}

}  // namespace tenrec
