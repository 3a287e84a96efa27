// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "base/error.h"
#include "conformance_workers.h"
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
// to leave the list, unless it passes by "chance", which else gives other values.
struct Excuse {
  Outcome outcome;
  std::string reason;
  bool may_pass = false;
};
using Excuses = std::map<std::string, Excuse>;

Excuses read_excuses(const std::string& path) {
  Excuses excuses;
  if (path.empty()) return excuses;
  std::ifstream file(path);
  TENREC_CHECK(file, io, "cannot read \"{}\"", path);
  const std::regex form("([^ ]+) (error|type|values|chance): (.+)");
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    std::smatch match;
    TENREC_CHECK(std::regex_match(line, match, form), usage,
                 "{}:{}: expected \"CASE error|type|values|chance: REASON\"", path, number);
    Outcome outcome = Outcome::error;
    const bool by_chance = match.str(2) == "chance";
    for (const Outcome known : {Outcome::type, Outcome::values}) {
      if (match.str(2) == name(known)) outcome = known;
    }
    if (by_chance) outcome = Outcome::values;
    TENREC_CHECK(excuses.emplace(match[1], Excuse{outcome, match[3], by_chance}).second, usage,
                 "{}:{}: {} is listed twice", path, number, match[1].str());
  }
  return excuses;
}

// An excuse that does not apply is a failure of its own.
void apply(const Excuses& excuses, CaseRun& row) {
  const auto found = excuses.find(row.name());
  if (found == excuses.end()) return;
  const bool passed = row.result.outcome == Outcome::passed;
  if (row.result.outcome == found->second.outcome || (passed && found->second.may_pass)) {
    row.excuse = found->second.reason;
  } else if (passed) {
    row.result = {Outcome::error, "passes, so it must leave the list of expected failures"};
  }
}

// ---- the report ----

std::string reproducer(const CaseRun& row, const std::string& folder) {
  return fmt::format("tenrec conformance {} --target {} --filter '^{}$'", folder, row.target,
                     row.name());
}

struct Count {
  size_t passed = 0, failed = 0, skipped = 0;
};

Count count(const std::vector<CaseRun>& rows) {
  Count count;
  for (const CaseRun& row : rows) {
    if (!row.excuse.empty()) ++count.skipped;
    else ++(row.result.outcome == Outcome::passed ? count.passed : count.failed);
  }
  return count;
}

void print_json(const std::vector<CaseRun>& rows, const std::string& folder) {
  nlohmann::json cases = nlohmann::json::array();
  for (const CaseRun& row : rows) {
    nlohmann::json entry{{"name", row.name()},
                         {"folder", row.folder.string()},
                         {"target", row.target},
                         {"outcome", name(row.result.outcome)},
                         {"seconds", row.seconds}};
    if (!row.result.host_operators.empty()) entry["host_operators"] = row.result.host_operators;
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

void print_failure(const CaseRun& row, const std::string& folder) {
  if (row.result.outcome == Outcome::passed || !row.excuse.empty()) return;
  fmt::print("FAIL {} on {} ({}): {}\n     {}\n", row.name(), row.target, name(row.result.outcome),
             row.result.message, reproducer(row, folder));
  std::fflush(stdout);  // whoever stops a long run wants what it found
}

void run_conformance(const ConformanceCommand& command) {
  init_ops();
  const Excuses excuses = read_excuses(command.expected);
  std::vector<CaseRun> rows;
  for (const fs::path& folder : find_cases(command)) {
    for (const std::string& target : command.targets) rows.push_back({folder, target, {}, 0, ""});
  }
  const size_t jobs = command.jobs > 0 ? static_cast<size_t>(command.jobs)
                                       : std::max<size_t>(1, std::thread::hardware_concurrency());
  run_cases(rows, {jobs, command.timeout, command.tolerance}, [&](CaseRun& row) {
    apply(excuses, row);
    if (!command.json) print_failure(row, command.folder);
  });
  const Count total = count(rows);
  if (command.json) print_json(rows, command.folder);
  else fmt::print("{} passed, {} failed, {} skipped\n", total.passed, total.failed, total.skipped);
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
                  "File of expected failures: \"CASE error|type|values|chance: REASON\" a line");
  sub->add_option("--jobs", command->jobs, "Cases at a time (default: one a core)");
  sub->add_option("--timeout", command->timeout, "Seconds a case may take (default: 120)");
  sub->add_option("--rtol", command->tolerance.relative, "Allowed relative difference of floats");
  sub->add_option("--atol", command->tolerance.absolute, "Allowed absolute difference of floats");
  sub->add_flag("--json", command->json, "Machine-readable result");
  sub->footer(
      "Floats may differ by atol + rtol * |b|, by default as in onnx.backend.test (1e-7, 1e-3 and\n"
      "for bfloat16 2^-6); the rest not at all.\n"
      "A case of the file of expected failures is skipped when it fails in the way listed there,\n"
      "and failed when it passes. The exit code is 10 when a case failed.\n"
      "Example: tenrec conformance onnx-cases --filter '^test_conv' --target interpreter");
  sub->callback([command] { run_conformance(*command); });
}

}  // namespace tenrec
