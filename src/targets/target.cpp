// SPDX-License-Identifier: Apache-2.0
#include "targets/target.h"

#include "base/error.h"

namespace tenrec {
namespace {

std::vector<const Target*>& targets() {
  static std::vector<const Target*> instance;
  return instance;
}

}  // namespace

void register_target(const Target& target) { targets().push_back(&target); }

const Target& find_target(std::string_view name) {
  std::string names;
  for (const Target* target : targets()) {
    if (target->name() == name) return *target;
    names += (names.empty() ? "" : ", ") + std::string(target->name());
  }
  fail(ErrorCode::usage, "unknown target '{}'; this build has: {}", name, names);
}

StepDraft draft_of(const Node& node, std::string_view family, std::string tactic) {
  StepDraft draft;
  draft.family = family;
  draft.tactic = std::move(tactic);
  draft.op = node.op().name();
  draft.op_fields = node.op().encode();
  for (Value* input : node.inputs()) draft.inputs.push_back({input, {}});
  draft.outputs = node.outputs();
  for (Value*& output : draft.outputs) {
    if (output->uses().empty()) output = nullptr;
  }
  return draft;
}

}  // namespace tenrec
