// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <NvOnnxConfig.h>
#include <NvOnnxParser.h>

#include <memory>
#include <string>
#include <vector>

#include "api/network.h"
#include "import/import.h"
#include "onnx/model.h"

namespace tenrec::trt {

class ParserError final : public nvonnxparser::IParserError {
 public:
  nvonnxparser::ErrorCode error_code = nvonnxparser::ErrorCode::kINTERNAL_ERROR;
  std::string text, node_name, node_operator;
  int node_index = -1;

  nvonnxparser::ErrorCode code() const override { return error_code; }
  const char* desc() const override { return text.c_str(); }
  const char* file() const override { return ""; }
  int line() const override { return 0; }
  const char* func() const override { return "parse"; }
  int node() const override { return node_index; }
  const char* nodeName() const override { return node_name.c_str(); }
  const char* nodeOperator() const override { return node_operator.c_str(); }
  const char* const* localFunctionStack() const override { return nullptr; }
  int32_t localFunctionStackSize() const override { return 0; }
};

class Parser final : public nvonnxparser::IParser {
 public:
  Parser(Network& network, const Report& report) : network_(network), report_(report) {}

  bool parse(const void* bytes, size_t size, const char* model_path) noexcept override;
  bool parseFromFile(const char* path, int verbosity) noexcept override;
  bool supportsModel(const void* bytes, size_t size, SubGraphCollection_t& groups,
                     const char* model_path) noexcept override;
  bool parseWithWeightDescriptors(const void* bytes, size_t size) noexcept override {
    return parse(bytes, size, nullptr);
  }
  bool supportsOperator(const char* op_name) const noexcept override;
  int getNbErrors() const noexcept override { return static_cast<int>(errors_.size()); }
  const nvonnxparser::IParserError* getError(int index) const noexcept override;
  void clearErrors() noexcept override { errors_.clear(); }
  const char* const* getUsedVCPluginLibraries(int64_t& nbPluginLibs) const noexcept override {
    nbPluginLibs = 0;
    return nullptr;
  }
  void setFlags(nvonnxparser::OnnxParserFlags flags) noexcept override { flags_ = flags; }
  nvonnxparser::OnnxParserFlags getFlags() const noexcept override { return flags_; }
  void clearFlag(nvonnxparser::OnnxParserFlag flag) noexcept override { flags_ &= ~bit(flag); }
  void setFlag(nvonnxparser::OnnxParserFlag flag) noexcept override { flags_ |= bit(flag); }
  bool getFlag(nvonnxparser::OnnxParserFlag flag) const noexcept override {
    return (flags_ & bit(flag)) != 0;
  }
  const nv::ITensor* getLayerOutputTensor(const char* name, int64_t index) noexcept override;
  bool supportsModelV2(const void* bytes, size_t size, const char* modelPath) noexcept override;
  int64_t getNbSubgraphs() noexcept override { return static_cast<int64_t>(groups_.size()); }
  bool isSubgraphSupported(int64_t index) noexcept override;
  int64_t* getSubgraphNodes(int64_t index, int64_t& subgraphLength) noexcept override;
  bool loadModelProto(const void* bytes, size_t size, const char* modelPath) noexcept override;
  bool loadInitializer(const char* name, const void* data, size_t size) noexcept override;
  bool parseModelProto() noexcept override;
  bool setBuilderConfig(const nv::IBuilderConfig*) noexcept override { return true; }

 private:
  struct Group {
    bool is_supported = true;
    std::vector<int64_t> nodes;
  };
  static uint32_t bit(nvonnxparser::OnnxParserFlag flag) {
    return 1U << static_cast<uint32_t>(flag);
  }
  template <class Body>
  bool collecting(const char* call, Body&& body) noexcept;
  onnx::Model read(const void* bytes, size_t size, const char* path) const;
  bool import(const onnx::Model& model);
  bool group_nodes(const onnx::Model& model);
  ParserError& add_error(const char* call, ErrorCode code, const std::string& text);
  void add_problem(const char* call, const ImportProblem& problem);

  Network& network_;
  Report report_;
  nvonnxparser::OnnxParserFlags flags_ = bit(nvonnxparser::OnnxParserFlag::kNATIVE_INSTANCENORM);
  std::vector<std::unique_ptr<ParserError>> errors_;
  std::vector<Group> groups_;
  std::optional<onnx::Model> loaded_;
};

// Options of a command line: kept and answered.
nvonnxparser::IOnnxConfig* make_onnx_config();

}  // namespace tenrec::trt
