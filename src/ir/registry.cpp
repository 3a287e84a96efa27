// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <mutex>

#include "base/error.h"
#include "ir/op.h"

namespace tenrec {

void register_all_ops();  // generated (cmake/operators.cmake)

namespace {

struct Registry {
  std::map<std::string, const OpInfo*, std::less<>> ops;
  std::map<std::pair<std::string, std::string>, OnnxMapping> onnx;
};

Registry& registry() {
  static Registry instance;
  return instance;
}

// "ai.onnx" is another spelling of the default domain.
std::string canonical_domain(std::string_view domain) {
  return domain == "ai.onnx" ? std::string() : std::string(domain);
}

}  // namespace

void register_op(const OpInfo& info) {
  const bool added = registry().ops.emplace(info.name, &info).second;
  TENREC_ASSERT(added, "operator {} is registered twice", info.name);
}

void register_onnx(std::string_view domain, std::string_view op_type, OnnxMapping mapping) {
  const std::pair key(canonical_domain(domain), std::string(op_type));
  const bool added = registry().onnx.emplace(key, mapping).second;
  TENREC_ASSERT(added, "ONNX operator {} is registered twice", op_type);
}

const OpInfo* find_op(std::string_view name) {
  const auto found = registry().ops.find(name);
  return found == registry().ops.end() ? nullptr : found->second;
}

OnnxMapping find_onnx(std::string_view domain, std::string_view op_type) {
  const auto found = registry().onnx.find({canonical_domain(domain), std::string(op_type)});
  return found == registry().onnx.end() ? nullptr : found->second;
}

std::vector<const OpInfo*> all_ops() {
  std::vector<const OpInfo*> ops;
  for (const auto& [name, info] : registry().ops) ops.push_back(info);
  return ops;
}

std::vector<std::pair<std::string, std::string>> all_onnx() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto& [key, mapping] : registry().onnx) names.push_back(key);
  return names;
}

void init_ops() {
  static std::once_flag once;
  std::call_once(once, register_all_ops);
}

}  // namespace tenrec
