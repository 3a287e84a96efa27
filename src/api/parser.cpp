// SPDX-License-Identifier: Apache-2.0
#include "api/parser.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "api/convert.h"
#include "ir/op.h"
#include "onnx/reader.h"
#include "passes/passes.h"
#include "tenrec/tensor.h"

namespace tenrec::trt {
namespace {

using Code = nvonnxparser::ErrorCode;

Code to_parser_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_model: return Code::kINVALID_NODE;
    case ErrorCode::unsupported: return Code::kUNSUPPORTED_NODE;
    case ErrorCode::usage:
    case ErrorCode::invalid_input: return Code::kINVALID_VALUE;
    case ErrorCode::io: return Code::kMODEL_DESERIALIZE_FAILED;
    case ErrorCode::out_of_memory: return Code::kMEM_ALLOC_FAILED;
    default: return Code::kINTERNAL_ERROR;
  }
}

// Types that the interface cannot speak of at the edge of a network.
void check_types(const Graph& graph) {
  const auto check = [](const Type& type, const std::string& name, const char* what) {
    TENREC_CHECK(type.kind == Type::Kind::tensor && to_trt(type.dtype).has_value(), unsupported,
                 "{} \"{}\" is {}: TensorRT's interface has no such type; use Tenrec's own "
                 "interface or convert the model",
                 what, name, type.str());
    TENREC_CHECK(!type.ranked || type.shape.size() <= nv::Dims::MAX_DIMS, unsupported,
                 "{} \"{}\" has {} dims: TensorRT's interface takes {}", what, name,
                 type.shape.size(), static_cast<int>(nv::Dims::MAX_DIMS));
  };
  for (const auto& input : graph.inputs()) check(input->type, input->name, "input");
  for (size_t i = 0; i < graph.outputs().size(); ++i)
    check(graph.outputs()[i]->type, graph.output_names()[i], "output");
}

// The interface has no dims that do not say how many they are.
void find_ranks(Graph& graph) {
  const Values& outputs = graph.outputs();
  const bool known = std::all_of(outputs.begin(), outputs.end(), [](const Value* output) {
    return output->type.kind != Type::Kind::tensor || output->type.ranked;
  });
  if (known) return;
  fold_constants(graph);
  continue_branches(graph);
}

}  // namespace

// Runs `body`; what it throws becomes an error of the parser.
template <class Body>
bool Parser::collecting(const char* call, Body&& body) noexcept {
  return report_.guard(call, false, [&] {
    try {
      return body();
    } catch (const Error& error) {
      add_error(call, error.code(), error.what());
      return false;
    }
  });
}

ParserError& Parser::add_error(const char* call, ErrorCode code, const std::string& text) {
  auto error = std::make_unique<ParserError>();
  error->error_code = to_parser_code(code);
  error->text = text;
  report_.error(call, Error(code, text));
  return *errors_.emplace_back(std::move(error));
}

void Parser::add_problem(const char* call, const ImportProblem& problem) {
  ParserError& error = add_error(call, problem.code, problem.text);
  error.node_index = problem.main_node;
  error.node_name = problem.node;
  error.node_operator = problem.op;
}

onnx::Model Parser::read(const void* bytes, size_t size, const char* path) const {
  TENREC_CHECK(bytes != nullptr && size > 0, usage, "the model has no bytes");
  const auto* begin = static_cast<const std::byte*>(bytes);
  auto copy = std::make_shared<const std::vector<std::byte>>(begin, begin + size);
  std::filesystem::path folder;
  if (path != nullptr && *path != '\0') {
    folder = std::filesystem::path(path).parent_path();
    if (folder.empty()) folder = ".";
  }
  return onnx::read_model(*copy, copy, folder);
}

bool Parser::import(const onnx::Model& model) {
  constexpr auto call = "IParser::parse";
  init_ops();
  std::vector<ImportProblem> problems;
  ImportedModel imported = import_model(model, {.problems = &problems});
  for (const ImportProblem& problem : problems) add_problem(call, problem);
  if (!problems.empty()) return false;
  for (const std::string& warning : imported.warnings) report_.log(Severity::kWARNING, warning);
  for (const std::string& note : imported.notes) report_.log(Severity::kVERBOSE, note);
  find_ranks(*imported.graph);
  check_types(*imported.graph);
  network_.set_model(std::move(imported.graph), model.graph.name, model.owner);
  return true;
}

bool Parser::parse(const void* bytes, size_t size, const char* model_path) noexcept {
  return collecting("IParser::parse", [&] { return import(read(bytes, size, model_path)); });
}

bool Parser::parseFromFile(const char* path, int) noexcept {
  return collecting("IParser::parseFromFile", [&] {
    return import(onnx::read_model(std::filesystem::path(checked_name(path))));
  });
}

bool Parser::loadModelProto(const void* bytes, size_t size, const char* modelPath) noexcept {
  return collecting("IParser::loadModelProto", [&] {
    loaded_ = read(bytes, size, modelPath);
    return true;
  });
}

bool Parser::loadInitializer(const char*, const void*, size_t) noexcept {
  report_.not_yet("IParser::loadInitializer");
  return false;
}

bool Parser::parseModelProto() noexcept {
  return collecting("IParser::parseModelProto", [&] {
    TENREC_CHECK(loaded_.has_value(), usage, "call loadModelProto first");
    return import(*loaded_);
  });
}

const nvonnxparser::IParserError* Parser::getError(int index) const noexcept {
  if (index < 0 || index >= getNbErrors()) return nullptr;
  return errors_[static_cast<size_t>(index)].get();
}

bool Parser::supportsOperator(const char* op_name) const noexcept {
  return report_.guard("IParser::supportsOperator", false, [&] {
    init_ops();
    return find_onnx("", checked_name(op_name)) != nullptr;
  });
}

// Runs of nodes that all can, or all cannot, be imported.
bool Parser::group_nodes(const onnx::Model& model) {
  init_ops();
  groups_.clear();
  std::vector<ImportProblem> problems;
  import_model(model, {.problems = &problems});
  std::set<int> broken;
  for (const ImportProblem& problem : problems) {
    broken.insert(problem.main_node);
    add_problem("IParser::supportsModel", problem);
  }
  for (size_t i = 0; i < model.graph.nodes.size(); ++i) {
    const bool is_supported = !broken.contains(static_cast<int>(i));
    if (groups_.empty() || groups_.back().is_supported != is_supported)
      groups_.push_back({is_supported, {}});
    groups_.back().nodes.push_back(static_cast<int64_t>(i));
  }
  return problems.empty();
}

bool Parser::supportsModelV2(const void* bytes, size_t size, const char* modelPath) noexcept {
  return collecting("IParser::supportsModelV2",
                    [&] { return group_nodes(read(bytes, size, modelPath)); });
}

bool Parser::supportsModel(const void* bytes, size_t size, SubGraphCollection_t& groups,
                           const char* model_path) noexcept {
  return collecting("IParser::supportsModel", [&] {
    const bool all = group_nodes(read(bytes, size, model_path));
    groups.clear();
    for (const Group& group : groups_)
      groups.emplace_back(std::vector<size_t>(group.nodes.begin(), group.nodes.end()),
                          group.is_supported);
    return all;
  });
}

bool Parser::isSubgraphSupported(int64_t index) noexcept {
  return index >= 0 && index < getNbSubgraphs() && groups_[static_cast<size_t>(index)].is_supported;
}

int64_t* Parser::getSubgraphNodes(int64_t index, int64_t& subgraphLength) noexcept {
  subgraphLength = 0;
  if (index < 0 || index >= getNbSubgraphs()) return nullptr;
  std::vector<int64_t>& nodes = groups_[static_cast<size_t>(index)].nodes;
  subgraphLength = static_cast<int64_t>(nodes.size());
  return nodes.data();
}

const nv::ITensor* Parser::getLayerOutputTensor(const char* name, int64_t index) noexcept {
  return report_.guard<const nv::ITensor*>(
      "IParser::getLayerOutputTensor", nullptr, [&]() -> const nv::ITensor* {
        const std::string_view wanted = checked_name(name);
        for (const auto& node : network_.graph().nodes()) {
          if (node->origins().empty() || node->origins().back() != wanted) continue;
          if (index < 0 || static_cast<size_t>(index) >= node->output_count()) return nullptr;
          return network_.tensor(node->output(static_cast<size_t>(index)));
        }
        return nullptr;
      });
}

namespace {

class OnnxConfig final : public nvonnxparser::IOnnxConfig {
 public:
  void setModelDtype(const nv::DataType type) noexcept override { type_ = type; }
  nv::DataType getModelDtype() const noexcept override { return type_; }
  const char* getModelFileName() const noexcept override { return model_.c_str(); }
  void setModelFileName(const char* name) noexcept override { set(model_, name); }
  Verbosity getVerbosityLevel() const noexcept override { return verbosity_; }
  void addVerbosity() noexcept override { ++verbosity_; }
  void reduceVerbosity() noexcept override { --verbosity_; }
  void setVerbosityLevel(Verbosity verbosity) noexcept override { verbosity_ = verbosity; }
  const char* getTextFileName() const noexcept override { return text_.c_str(); }
  void setTextFileName(const char* name) noexcept override { set(text_, name); }
  const char* getFullTextFileName() const noexcept override { return full_text_.c_str(); }
  void setFullTextFileName(const char* name) noexcept override { set(full_text_, name); }
  bool getPrintLayerInfo() const noexcept override { return print_; }
  void setPrintLayerInfo(bool print) noexcept override { print_ = print; }

 private:
  static void set(std::string& text, const char* value) noexcept {
    Report(nullptr).guard("IOnnxConfig", [&] { text = value == nullptr ? "" : value; });
  }
  nv::DataType type_ = nv::DataType::kFLOAT;
  std::string model_, text_, full_text_;
  Verbosity verbosity_ = static_cast<int>(Severity::kWARNING);
  bool print_ = false;
};

}  // namespace

nvonnxparser::IOnnxConfig* make_onnx_config() { return new OnnxConfig; }

}  // namespace tenrec::trt
