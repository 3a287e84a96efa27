// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <optional>

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
  std::vector<std::string> problems, notes;
  std::optional<ErrorCode> code;  // of the first problem

  void add(const Error& error) {
    problems.push_back(error.what());
    if (!code) code = error.code();
  }
};

// Problems are collected as texts; the first one is found again, thrown, for its code.
void import_all(const onnx::Model& model, Findings& findings) {
  ImportOptions options;
  options.problems = &findings.problems;
  findings.notes = import_model(model, options).notes;
  if (findings.problems.empty()) return;
  try {
    import_model(model);
  } catch (const Error& error) {
    findings.code = error.code();
  }
  TENREC_ASSERT(findings.code, "import reports problems but does not fail");
}

Findings check(const CheckCommand& command) {
  init_ops();
  Findings findings;
  try {
    import_all(onnx::read_model(command.model), findings);
    if (!findings.problems.empty()) return findings;
    BuildOptions options = command.flags.finish();
    options.no_tune = true;
    findings.notes = build(command.model, options).notes;
  } catch (const Error& error) {
    const bool about_model = error.code() == ErrorCode::invalid_model ||
                             error.code() == ErrorCode::unsupported ||
                             error.code() == ErrorCode::internal;
    if (!about_model) throw;
    findings.add(error);
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

void run_check(const CheckCommand& command) {
  const Findings findings = check(command);
  if (command.json) {
    nlohmann::json json{{"model", command.model},
                        {"ok", !findings.code},
                        {"problems", findings.problems},
                        {"notes", findings.notes}};
    if (findings.code) json["class"] = class_name(*findings.code);
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    for (const std::string& problem : findings.problems) fmt::print("problem: {}\n", problem);
    for (const std::string& note : findings.notes) fmt::print("note: {}\n", note);
    if (!findings.code) fmt::print("{}: fine\n", command.model);
  }
  if (findings.code) {
    const size_t count = findings.problems.size();
    throw Error(*findings.code, fmt::format("\"{}\" has {} problem{}", command.model, count,
                                            count == 1 ? "" : "s"));
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
