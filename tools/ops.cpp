// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "ir/op.h"
#include "tool.h"

namespace tenrec {
namespace {

struct OpsCommand {
  bool json = false;
};

struct OnnxName {
  std::string domain, name;
  std::string str() const { return domain.empty() ? name : domain + "::" + name; }
};

// "BatchNormalization" and "batch_normalization" alike.
std::string plain(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (c != '_') result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

std::string_view accuracy_name(const Accuracy& accuracy) {
  switch (accuracy.kind) {
    case Accuracy::Kind::exact: return "exact";
    case Accuracy::Kind::rounding: return "rounding";
    case Accuracy::Kind::random: return "random";
  }
  TENREC_ASSERT(false, "accuracy kind {}", static_cast<int>(accuracy.kind));
}

// Operators by name, ONNX names sorted in where an operator has the same name.
struct Coverage {
  std::map<std::string, std::vector<OnnxName>> by_operator;
  std::vector<OnnxName> others;  // built from operators of other names
};

Coverage coverage() {
  std::map<std::string, std::string> operators;
  for (const OpInfo* info : all_ops()) operators.emplace(plain(info->name), info->name);
  Coverage result;
  for (const auto& [domain, name] : all_onnx()) {
    const auto found = operators.find(plain(name));
    auto& list = found != operators.end() ? result.by_operator[found->second] : result.others;
    list.push_back({domain, name});
  }
  return result;
}

std::string properties(const OpInfo& info) {
  std::vector<std::string_view> words;
  if (info.pointwise) words.push_back("pointwise");
  if (info.is_view) words.push_back("view");
  if (info.data_dependent) words.push_back("data-dependent");
  if (info.side_effect) words.push_back("side-effect");
  words.push_back(accuracy_name(info.accuracy));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string names_of(const Coverage& all, std::string_view op) {
  const auto found = all.by_operator.find(std::string(op));
  std::vector<std::string> names;
  if (found != all.by_operator.end()) {
    for (const OnnxName& name : found->second) names.push_back(name.str());
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void print_json(const Coverage& all) {
  nlohmann::json operators = nlohmann::json::array();
  nlohmann::json onnx = nlohmann::json::array();
  for (const OpInfo* info : all_ops()) {
    operators.push_back({{"name", info->name},
                         {"pointwise", info->pointwise},
                         {"view", info->is_view},
                         {"data_dependent", info->data_dependent},
                         {"side_effect", info->side_effect},
                         {"accuracy", accuracy_name(info->accuracy)}});
  }
  for (const auto& [op, names] : all.by_operator) {
    for (const OnnxName& name : names) {
      onnx.push_back({{"domain", name.domain}, {"name", name.name}, {"operator", op}});
    }
  }
  for (const OnnxName& name : all.others) {
    onnx.push_back({{"domain", name.domain}, {"name", name.name}, {"operator", nullptr}});
  }
  std::sort(onnx.begin(), onnx.end(), [](const auto& a, const auto& b) {
    return std::pair(a["domain"], a["name"]) < std::pair(b["domain"], b["name"]);
  });
  fmt::print("{}\n", nlohmann::json{{"onnx", onnx}, {"operators", operators}}.dump());
}

void run_ops(const OpsCommand& command) {
  init_ops();
  const Coverage all = coverage();
  if (command.json) return print_json(all);
  fmt::print("{:<28} {:<40} {}\n", "OPERATOR", "ONNX", "PROPERTIES");
  for (const OpInfo* info : all_ops()) {
    fmt::print("{:<28} {:<40} {}\n", info->name, names_of(all, info->name), properties(*info));
  }
  fmt::print("\nONNX operators that become operators of other names:\n");
  for (const OnnxName& name : all.others) fmt::print("  {}\n", name.str());
  fmt::print("\n{} operators, {} ONNX operators\n", all_ops().size(), all_onnx().size());
}

}  // namespace

void add_ops(CLI::App& app) {
  auto command = std::make_shared<OpsCommand>();
  CLI::App* sub =
      app.add_subcommand("ops", "List the operators and which ONNX operators they cover");
  sub->add_flag("--json", command->json, "Machine-readable list");
  sub->footer("Example: tenrec ops | grep -i resize");
  sub->callback([command] { run_ops(*command); });
}

}  // namespace tenrec
