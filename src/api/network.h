// SPDX-License-Identifier: Apache-2.0
// A network as the parser filled it: a view of the imported graph in TensorRT's words.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/report.h"
#include "ir/graph.h"

namespace tenrec::trt {

class Network;

class TensorObject final : public nv::ITensor, public nv::apiv::VTensor {
 public:
  TensorObject(Network& network, Value& value) : network_(network), value_(value) { mImpl = this; }
  void setName(const char* name) noexcept override;
  const char* getName() const noexcept override;
  void setDimensions(const nv::Dims& dimensions) noexcept override;
  nv::Dims getDimensions() const noexcept override;
  void setType(nv::DataType type) noexcept override;
  nv::DataType getType() const noexcept override;
  bool setDynamicRange(float min, float max) noexcept override;
  bool isNetworkInput() const noexcept override;
  bool isNetworkOutput() const noexcept override;
  void setBroadcastAcrossBatch(bool broadcastAcrossBatch) noexcept override;
  bool getBroadcastAcrossBatch() const noexcept override;
  nv::TensorLocation getLocation() const noexcept override;
  void setLocation(nv::TensorLocation location) noexcept override;
  bool dynamicRangeIsSet() const noexcept override;
  void resetDynamicRange() noexcept override;
  float getDynamicRangeMin() const noexcept override;
  float getDynamicRangeMax() const noexcept override;
  void setAllowedFormats(nv::TensorFormats formats) noexcept override;
  nv::TensorFormats getAllowedFormats() const noexcept override;
  bool isShapeTensor() const noexcept override;
  bool isExecutionTensor() const noexcept override;
  void setDimensionName(int32_t index, const char* name) noexcept override;
  const char* getDimensionName(int32_t index) const noexcept override;

  Value& value() const { return value_; }

 private:
  Network& network_;
  Value& value_;
  mutable std::string name_, dimension_name_;  // what the getters point to
};

class Network final : public nv::INetworkDefinition, public nv::apiv::VNetworkDefinition {
 public:
  Network(const Report& report, nv::IBuilder& builder, nv::NetworkDefinitionCreationFlags flags);
  ~Network() override;

  void markOutput(nv::ITensor& tensor) noexcept override;
  int32_t getNbLayers() const noexcept override;
  nv::ILayer* getLayer(int32_t index) const noexcept override;
  int32_t getNbInputs() const noexcept override;
  nv::ITensor* getInput(int32_t index) const noexcept override;
  int32_t getNbOutputs() const noexcept override;
  nv::ITensor* getOutput(int32_t index) const noexcept override;
  void unmarkOutput(nv::ITensor& tensor) noexcept override;
  void setName(const char* name) noexcept override;
  const char* getName() const noexcept override { return name_.c_str(); }
  bool hasImplicitBatchDimension() const noexcept override { return false; }
  void setErrorRecorder(nv::IErrorRecorder* recorder) noexcept override {
    report_.set_recorder(recorder);
  }
  nv::IErrorRecorder* getErrorRecorder() const noexcept override { return report_.recorder(); }
  nv::IBuilder& getBuilder() const noexcept override { return builder_; }
  nv::NetworkDefinitionCreationFlags getFlags() const noexcept override { return flags_; }
  bool getFlag(
      nv::NetworkDefinitionCreationFlag networkDefinitionCreationFlag) const noexcept override;
  bool isDebugTensor(const nv::ITensor&) const noexcept override { return false; }
  bool areWeightsMarkedRefittable(const char*) const noexcept override { return false; }

  // Networks by hand and refittable weights come with a later version.
  nv::ITensor* addInput(const char*, nv::DataType, const nv::Dims&) noexcept override {
    report_.not_yet("INetworkDefinition::addInput");
    return nullptr;
  }
  nv::IActivationLayer* addActivation(nv::ITensor&, nv::ActivationType) noexcept override {
    report_.not_yet("INetworkDefinition::addActivation");
    return nullptr;
  }
  nv::ILRNLayer* addLRN(nv::ITensor&, int64_t, float, float, float) noexcept override {
    report_.not_yet("INetworkDefinition::addLRN");
    return nullptr;
  }
  nv::IScaleLayer* addScale(nv::ITensor&, nv::ScaleMode, nv::Weights, nv::Weights,
                            nv::Weights) noexcept override {
    report_.not_yet("INetworkDefinition::addScale");
    return nullptr;
  }
  nv::ISoftMaxLayer* addSoftMax(nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addSoftMax");
    return nullptr;
  }
  nv::IConcatenationLayer* addConcatenation(nv::ITensor* const*, int32_t) noexcept override {
    report_.not_yet("INetworkDefinition::addConcatenation");
    return nullptr;
  }
  nv::IElementWiseLayer* addElementWise(nv::ITensor&, nv::ITensor&,
                                        nv::ElementWiseOperation) noexcept override {
    report_.not_yet("INetworkDefinition::addElementWise");
    return nullptr;
  }
  nv::IUnaryLayer* addUnary(nv::ITensor&, nv::UnaryOperation) noexcept override {
    report_.not_yet("INetworkDefinition::addUnary");
    return nullptr;
  }
  nv::IShuffleLayer* addShuffle(nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addShuffle");
    return nullptr;
  }
  nv::IReduceLayer* addReduce(nv::ITensor&, nv::ReduceOperation, uint32_t, bool) noexcept override {
    report_.not_yet("INetworkDefinition::addReduce");
    return nullptr;
  }
  nv::ITopKLayer* addTopK(nv::ITensor&, nv::TopKOperation, int32_t, uint32_t) noexcept override {
    report_.not_yet("INetworkDefinition::addTopK");
    return nullptr;
  }
  nv::IGatherLayer* addGather(nv::ITensor&, nv::ITensor&, int32_t) noexcept override {
    report_.not_yet("INetworkDefinition::addGather");
    return nullptr;
  }
  nv::IRaggedSoftMaxLayer* addRaggedSoftMax(nv::ITensor&, nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addRaggedSoftMax");
    return nullptr;
  }
  nv::IMatrixMultiplyLayer* addMatrixMultiply(nv::ITensor&, nv::MatrixOperation, nv::ITensor&,
                                              nv::MatrixOperation) noexcept override {
    report_.not_yet("INetworkDefinition::addMatrixMultiply");
    return nullptr;
  }
  nv::IConstantLayer* addConstant(const nv::Dims&, nv::Weights) noexcept override {
    report_.not_yet("INetworkDefinition::addConstant");
    return nullptr;
  }
  nv::IIdentityLayer* addIdentity(nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addIdentity");
    return nullptr;
  }
  void removeTensor(nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::removeTensor");
  }
  nv::IPluginV2Layer* addPluginV2(nv::ITensor* const*, int32_t, nv::IPluginV2&) noexcept override {
    report_.not_yet("INetworkDefinition::addPluginV2");
    return nullptr;
  }
  nv::IPluginV3Layer* addPluginV3(nv::ITensor* const*, int32_t, nv::ITensor* const*, int32_t,
                                  nv::IPluginV3&) noexcept override {
    report_.not_yet("INetworkDefinition::addPluginV3");
    return nullptr;
  }
  nv::ISliceLayer* addSlice(nv::ITensor&, const nv::Dims&, const nv::Dims&,
                            const nv::Dims&) noexcept override {
    report_.not_yet("INetworkDefinition::addSlice");
    return nullptr;
  }
  nv::IShapeLayer* addShape(nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addShape");
    return nullptr;
  }
  bool markOutputForShapes(nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::markOutputForShapes");
    return false;
  }
  bool unmarkOutputForShapes(nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::unmarkOutputForShapes");
    return false;
  }
  nv::IParametricReLULayer* addParametricReLU(nv::ITensor&, nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addParametricReLU");
    return nullptr;
  }
  nv::IConvolutionLayer* addConvolutionNd(nv::ITensor&, int64_t, const nv::Dims&, nv::Weights,
                                          nv::Weights) noexcept override {
    report_.not_yet("INetworkDefinition::addConvolutionNd");
    return nullptr;
  }
  nv::IPoolingLayer* addPoolingNd(nv::ITensor&, nv::PoolingType,
                                  const nv::Dims&) noexcept override {
    report_.not_yet("INetworkDefinition::addPoolingNd");
    return nullptr;
  }
  nv::IDeconvolutionLayer* addDeconvolutionNd(nv::ITensor&, int64_t, const nv::Dims&, nv::Weights,
                                              nv::Weights) noexcept override {
    report_.not_yet("INetworkDefinition::addDeconvolutionNd");
    return nullptr;
  }
  nv::IScaleLayer* addScaleNd(nv::ITensor&, nv::ScaleMode, nv::Weights, nv::Weights, nv::Weights,
                              int32_t) noexcept override {
    report_.not_yet("INetworkDefinition::addScaleNd");
    return nullptr;
  }
  nv::IResizeLayer* addResize(nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addResize");
    return nullptr;
  }
  nv::ILoop* addLoop() noexcept override {
    report_.not_yet("INetworkDefinition::addLoop");
    return nullptr;
  }
  nv::ISelectLayer* addSelect(nv::ITensor&, nv::ITensor&, nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addSelect");
    return nullptr;
  }
  nv::IFillLayer* addFill(const nv::Dims&, nv::FillOperation) noexcept override {
    report_.not_yet("INetworkDefinition::addFill");
    return nullptr;
  }
  nv::IPaddingLayer* addPaddingNd(nv::ITensor&, const nv::Dims&,
                                  const nv::Dims&) noexcept override {
    report_.not_yet("INetworkDefinition::addPaddingNd");
    return nullptr;
  }
  bool setWeightsName(nv::Weights, const char*) noexcept override {
    report_.not_yet("INetworkDefinition::setWeightsName");
    return false;
  }
  nv::IDequantizeLayer* addDequantize(nv::ITensor&, nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addDequantize");
    return nullptr;
  }
  nv::IQuantizeLayer* addQuantize(nv::ITensor&, nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addQuantize");
    return nullptr;
  }
  nv::IGatherLayer* addGatherV2(nv::ITensor&, nv::ITensor&, nv::GatherMode) noexcept override {
    report_.not_yet("INetworkDefinition::addGatherV2");
    return nullptr;
  }
  nv::IIfConditional* addIfConditional() noexcept override {
    report_.not_yet("INetworkDefinition::addIfConditional");
    return nullptr;
  }
  nv::IScatterLayer* addScatter(nv::ITensor&, nv::ITensor&, nv::ITensor&,
                                nv::ScatterMode) noexcept override {
    report_.not_yet("INetworkDefinition::addScatter");
    return nullptr;
  }
  nv::IEinsumLayer* addEinsum(nv::ITensor* const*, int32_t, const char*) noexcept override {
    report_.not_yet("INetworkDefinition::addEinsum");
    return nullptr;
  }
  nv::IAssertionLayer* addAssertion(nv::ITensor&, const char*) noexcept override {
    report_.not_yet("INetworkDefinition::addAssertion");
    return nullptr;
  }
  nv::IOneHotLayer* addOneHot(nv::ITensor&, nv::ITensor&, nv::ITensor&, int32_t) noexcept override {
    report_.not_yet("INetworkDefinition::addOneHot");
    return nullptr;
  }
  nv::INonZeroLayer* addNonZero(nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addNonZero");
    return nullptr;
  }
  nv::IGridSampleLayer* addGridSample(nv::ITensor&, nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addGridSample");
    return nullptr;
  }
  nv::INMSLayer* addNMS(nv::ITensor&, nv::ITensor&, nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addNMS");
    return nullptr;
  }
  nv::IReverseSequenceLayer* addReverseSequence(nv::ITensor&, nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addReverseSequence");
    return nullptr;
  }
  nv::INormalizationLayer* addNormalization(nv::ITensor&, nv::ITensor&, nv::ITensor&,
                                            uint32_t) noexcept override {
    report_.not_yet("INetworkDefinition::addNormalization");
    return nullptr;
  }
  nv::ICastLayer* addCast(nv::ITensor&, nv::DataType) noexcept override {
    report_.not_yet("INetworkDefinition::addCast");
    return nullptr;
  }
  nv::IQuantizeLayer* addQuantizeV2(nv::ITensor&, nv::ITensor&, nv::DataType) noexcept override {
    report_.not_yet("INetworkDefinition::addQuantizeV2");
    return nullptr;
  }
  nv::IDequantizeLayer* addDequantizeV2(nv::ITensor&, nv::ITensor&,
                                        nv::DataType) noexcept override {
    report_.not_yet("INetworkDefinition::addDequantizeV2");
    return nullptr;
  }
  nv::IFillLayer* addFillV2(const nv::Dims&, nv::FillOperation, nv::DataType) noexcept override {
    report_.not_yet("INetworkDefinition::addFillV2");
    return nullptr;
  }
  bool markDebug(nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::markDebug");
    return false;
  }
  bool unmarkDebug(nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::unmarkDebug");
    return false;
  }
  bool markWeightsRefittable(const char*) noexcept override {
    report_.not_yet("INetworkDefinition::markWeightsRefittable");
    return false;
  }
  bool unmarkWeightsRefittable(const char*) noexcept override {
    report_.not_yet("INetworkDefinition::unmarkWeightsRefittable");
    return false;
  }
  nv::ISqueezeLayer* addSqueeze(nv::ITensor&, nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addSqueeze");
    return nullptr;
  }
  nv::IUnsqueezeLayer* addUnsqueeze(nv::ITensor&, nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addUnsqueeze");
    return nullptr;
  }
  nv::IDynamicQuantizeLayer* addDynamicQuantize(nv::ITensor&, int32_t, int32_t, nv::DataType,
                                                nv::DataType) noexcept override {
    report_.not_yet("INetworkDefinition::addDynamicQuantize");
    return nullptr;
  }
  nv::ICumulativeLayer* addCumulative(nv::ITensor&, nv::ITensor&, nv::CumulativeOperation, bool,
                                      bool) noexcept override {
    report_.not_yet("INetworkDefinition::addCumulative");
    return nullptr;
  }
  bool markUnfusedTensorsAsDebugTensors() noexcept override {
    report_.not_yet("INetworkDefinition::markUnfusedTensorsAsDebugTensors");
    return false;
  }
  bool unmarkUnfusedTensorsAsDebugTensors() noexcept override {
    report_.not_yet("INetworkDefinition::unmarkUnfusedTensorsAsDebugTensors");
    return false;
  }
  nv::ITopKLayer* addTopKV2(nv::ITensor&, nv::TopKOperation, int32_t, uint32_t,
                            nv::DataType) noexcept override {
    report_.not_yet("INetworkDefinition::addTopKV2");
    return nullptr;
  }
  nv::INonZeroLayer* addNonZeroV2(nv::ITensor&, nv::DataType) noexcept override {
    report_.not_yet("INetworkDefinition::addNonZeroV2");
    return nullptr;
  }
  nv::INMSLayer* addNMSV2(nv::ITensor&, nv::ITensor&, nv::ITensor&,
                          nv::DataType) noexcept override {
    report_.not_yet("INetworkDefinition::addNMSV2");
    return nullptr;
  }
  nv::IAttention* addAttention(nv::ITensor&, nv::ITensor&, nv::ITensor&,
                               nv::AttentionNormalizationOp, bool) noexcept override {
    report_.not_yet("INetworkDefinition::addAttention");
    return nullptr;
  }
  nv::IRotaryEmbeddingLayer* addRotaryEmbedding(nv::ITensor&, nv::ITensor&, nv::ITensor&, bool,
                                                int32_t) noexcept override {
    report_.not_yet("INetworkDefinition::addRotaryEmbedding");
    return nullptr;
  }
  nv::IDynamicQuantizeLayer* addDynamicQuantizeV2(nv::ITensor&, const nv::Dims&, nv::DataType,
                                                  nv::DataType) noexcept override {
    report_.not_yet("INetworkDefinition::addDynamicQuantizeV2");
    return nullptr;
  }
  nv::IKVCacheUpdateLayer* addKVCacheUpdate(nv::ITensor&, nv::ITensor&, nv::ITensor&,
                                            nv::KVCacheMode) noexcept override {
    report_.not_yet("INetworkDefinition::addKVCacheUpdate");
    return nullptr;
  }
  nv::INormalizationLayer* addNormalizationV2(nv::ITensor&, nv::ITensor&, nv::ITensor&,
                                              uint32_t) noexcept override {
    report_.not_yet("INetworkDefinition::addNormalizationV2");
    return nullptr;
  }
  nv::IMoELayer* addMoE(nv::ITensor&, nv::ITensor&, nv::ITensor&) noexcept override {
    report_.not_yet("INetworkDefinition::addMoE");
    return nullptr;
  }
  nv::IDistCollectiveLayer* addDistCollective(nv::ITensor&, nv::CollectiveOperation,
                                              nv::ReduceOperation, int64_t, int64_t*,
                                              int64_t) noexcept override {
    report_.not_yet("INetworkDefinition::addDistCollective");
    return nullptr;
  }

  // The parser's side. `owner` keeps the bytes that constants of the graph point into.
  void set_model(std::unique_ptr<Graph> graph, std::string_view name,
                 std::shared_ptr<const void> owner);
  // A copy to build from; outputs stand in the order in which the network produces them.
  std::unique_ptr<Graph> graph_to_build() const;
  Graph& graph();  // a usage Error when nothing was parsed

  const Report& report() const { return report_; }
  TensorObject* tensor(Value* value);  // null for null
  std::string name_of(const Value& value) const;
  void rename(Value& value, std::string name);
  bool is_output(const Value& value) const;

 private:
  struct Layer;
  size_t output_index(const Value& value) const;
  void make_layers();

  Report report_;
  nv::IBuilder& builder_;
  nv::NetworkDefinitionCreationFlags flags_;
  std::string name_;
  std::shared_ptr<const void> owner_;
  std::unique_ptr<Graph> graph_;
  std::unordered_map<const Value*, std::unique_ptr<TensorObject>> tensors_;
  std::vector<std::unique_ptr<nv::ILayer>> layers_;
};

}  // namespace tenrec::trt
