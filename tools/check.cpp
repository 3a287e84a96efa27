// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "import/import.h"
#include "onnx/reader.h"
#include "tool.h"

namespace tenrec {
namespace {

struct CheckCommand {
  BuildFlags flags;
  std::string model;
  bool json = false;
};

struct Findings {
  std::vector<ImportProblem> problems;
  std::vector<std::string> notes, warnings;
};

Findings check(const CheckCommand& command) {
  init_ops();
  Findings findings;
  try {
    ImportOptions all;
    all.problems = &findings.problems;
    ImportedModel imported = import_model(onnx::read_model(command.model), all);
    findings.notes = std::move(imported.notes);
    findings.warnings = std::move(imported.warnings);
    if (!findings.problems.empty()) return findings;
    BuildOptions options = command.flags.finish();
    options.no_tune = true;
    findings.notes = build(command.model, options).notes;
  } catch (const Error& error) {
    const bool about_model = error.code() == ErrorCode::invalid_model ||
                             error.code() == ErrorCode::unsupported ||
                             error.code() == ErrorCode::internal;
    if (!about_model) throw;
    ImportProblem& problem = findings.problems.emplace_back();
    problem.code = error.code();
    problem.text = problem.reason = error.what();
  }
  return findings;
}

std::string_view class_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_model: return "invalid_model";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::internal: return "internal";
    default: return "other";
  }
}

std::string_view suggestion(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_model:
      return "correct the node where the model is made, or export it again with a newer exporter";
    case ErrorCode::unsupported:
      return "express it by operators that `tenrec ops` lists, or ask for it in an issue";
    default: return "report it as a bug of Tenrec, with the model";
  }
}

nlohmann::json as_json(const ImportProblem& problem) {
  nlohmann::json json{{"text", problem.text},
                      {"reason", problem.reason},
                      {"class", class_name(problem.code)},
                      {"suggestion", suggestion(problem.code)}};
  if (!problem.node.empty()) {
    json["node"] = problem.node;
    json["operator"] = problem.op;
    json["opset"] = problem.opset;
    json["inputs"] = problem.inputs;
  }
  return json;
}

void print(const ImportProblem& problem) {
  if (problem.node.empty()) {
    fmt::print("problem: {}\n", problem.reason);
  } else {
    fmt::print("problem: node \"{}\" ({}, opset {})\n", problem.node, problem.op, problem.opset);
    if (!problem.inputs.empty()) fmt::print("  inputs  {}\n", problem.inputs);
    fmt::print("  reason  {}\n", problem.reason);
  }
  fmt::print("  next    {}\n", suggestion(problem.code));
}

void run_check(const CheckCommand& command) {
  const Findings findings = check(command);
  const bool ok = findings.problems.empty();
  if (command.json) {
    nlohmann::json problems = nlohmann::json::array();
    for (const ImportProblem& problem : findings.problems) problems.push_back(as_json(problem));
    const nlohmann::json json{{"model", command.model},
                              {"ok", ok},
                              {"problems", problems},
                              {"warnings", findings.warnings},
                              {"notes", findings.notes}};
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    for (const ImportProblem& problem : findings.problems) print(problem);
    for (const std::string& warning : findings.warnings) fmt::print("warning: {}\n", warning);
    for (const std::string& note : findings.notes) fmt::print("note: {}\n", note);
    if (ok) fmt::print("{}: fine\n", command.model);
  }
  if (!ok) {
    const size_t count = findings.problems.size();
    throw Error(findings.problems[0].code, fmt::format("\"{}\" has {} problem{}", command.model,
                                                       count, count == 1 ? "" : "s"));
  }
}

}  // namespace

void add_check(CLI::App& app) {
  auto command = std::make_shared<CheckCommand>();
  CLI::App* sub =
      app.add_subcommand("check", "Tell all problems of an ONNX model, and whether it builds");
  sub->add_option("model", command->model, "ONNX model")->required();
  sub->add_flag("--json", command->json, "Machine-readable result");
  command->flags.add_to(*sub);
  sub->footer(
      "The exit code is that of the first problem: 4 the model is invalid, 5 Tenrec cannot do it.\n"
      "Example: tenrec check model.onnx");
  sub->callback([command] { run_check(*command); });
}

}  // namespace tenrec
