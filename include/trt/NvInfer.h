// SPDX-License-Identifier: Apache-2.0
// Building engines.
#pragma once
#include "NvInferLayers.h"

namespace nvinfer1 {

// How ranges are chosen.
enum class CalibrationAlgoType : int32_t {
  kLEGACY_CALIBRATION = 0,
  kENTROPY_CALIBRATION = 1,
  kENTROPY_CALIBRATION_2 = 2,
  kMINMAX_CALIBRATION = 3,
};
namespace impl {
template <>
struct EnumMaxImpl<CalibrationAlgoType> {
  static constexpr int32_t kVALUE = 4;
};
}  // namespace impl

// When to calibrate.
enum class QuantizationFlag : int32_t {
  kCALIBRATE_BEFORE_FUSION = 0,
};
namespace impl {
template <>
struct EnumMaxImpl<QuantizationFlag> {
  static constexpr int32_t kVALUE = 1;
};
}  // namespace impl

// Where an engine will run.
enum class RuntimePlatform : int32_t {
  kSAME_AS_BUILD = 0,
  kWINDOWS_AMD64 = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<RuntimePlatform> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// What the builder may do. A set is the bits 1 << flag.
enum class BuilderFlag : int32_t {
  kFP16 = 0,
  kINT8 = 1,
  kDEBUG = 2,
  kGPU_FALLBACK = 3,
  kREFIT = 4,
  kDISABLE_TIMING_CACHE = 5,
  kTF32 = 6,
  kSPARSE_WEIGHTS = 7,
  kSAFETY_SCOPE = 8,
  kOBEY_PRECISION_CONSTRAINTS = 9,
  kPREFER_PRECISION_CONSTRAINTS = 10,
  kDIRECT_IO = 11,
  kREJECT_EMPTY_ALGORITHMS = 12,
  kVERSION_COMPATIBLE = 13,
  kEXCLUDE_LEAN_RUNTIME = 14,
  kFP8 = 15,
  kERROR_ON_TIMING_CACHE_MISS = 16,
  kBF16 = 17,
  kDISABLE_COMPILATION_CACHE = 18,
  kSTRIP_PLAN = 19,
  kWEIGHTLESS = 19,
  kREFIT_IDENTICAL = 20,
  kWEIGHT_STREAMING = 21,
  kINT4 = 22,
  kREFIT_INDIVIDUAL = 23,
  kSTRICT_NANS = 24,
  kMONITOR_MEMORY = 25,
  kFP4 = 26,
  kEDITABLE_TIMING_CACHE = 27,
  kDISTRIBUTIVE_INDEPENDENCE = 28,
  // 8.x names. The heuristic has a bit that 10.x never uses and changes nothing.
  kSTRICT_TYPES = kOBEY_PRECISION_CONSTRAINTS,
  kENABLE_TACTIC_HEURISTIC = 31,
};
namespace impl {
template <>
struct EnumMaxImpl<BuilderFlag> {
  static constexpr int32_t kVALUE = 29;
};
}  // namespace impl

// Kinds of memory with a limit.
enum class MemoryPoolType : int32_t {
  kWORKSPACE = 0,
  kDLA_MANAGED_SRAM = 1,
  kDLA_LOCAL_DRAM = 2,
  kDLA_GLOBAL_DRAM = 3,
  kTACTIC_DRAM = 4,
  kTACTIC_SHARED_MEMORY = 5,
};
namespace impl {
template <>
struct EnumMaxImpl<MemoryPoolType> {
  static constexpr int32_t kVALUE = 6;
};
}  // namespace impl

// Features that are not default yet.
enum class PreviewFeature : int32_t {
  kPROFILE_SHARING_0806 = 0,
  kALIASED_PLUGIN_IO_10_03 = 1,
  kRUNTIME_ACTIVATION_RESIZE_10_10 = 2,
  kMULTIDEVICE_RUNTIME_10_16 = 3,
  // 8.x names, on numbers that 10.x never uses; they change nothing.
  kFASTER_DYNAMIC_SHAPES_0805 = 30,
  kDISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805 = 31,
};
namespace impl {
template <>
struct EnumMaxImpl<PreviewFeature> {
  static constexpr int32_t kVALUE = 4;
};
}  // namespace impl

// On which other GPUs an engine runs.
enum class HardwareCompatibilityLevel : int32_t {
  kNONE = 0,
  kAMPERE_PLUS = 1,
  kSAME_COMPUTE_CAPABILITY = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<HardwareCompatibilityLevel> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// Effort spent on tiling.
enum class TilingOptimizationLevel : int32_t {
  kNONE = 0,
  kFAST = 1,
  kMODERATE = 2,
  kFULL = 3,
};
namespace impl {
template <>
struct EnumMaxImpl<TilingOptimizationLevel> {
  static constexpr int32_t kVALUE = 4;
};
}  // namespace impl

// Properties of a network. A set is the bits 1 << flag.
enum class NetworkDefinitionCreationFlag : int32_t {
  kEXPLICIT_BATCH = 0,
  kSTRONGLY_TYPED = 1,
  kPREFER_JIT_PYTHON_PLUGINS = 2,
  kPREFER_AOT_PYTHON_PLUGINS = 3,
  // 8.x name, on a bit that 10.x never uses; changes nothing.
  kEXPLICIT_PRECISION = 31,
};
namespace impl {
template <>
struct EnumMaxImpl<NetworkDefinitionCreationFlag> {
  static constexpr int32_t kVALUE = 4;
};
}  // namespace impl

// A model as the builder takes it: filled by the ONNX parser, or (not yet in this version, each
// add* method says so through the logger) by hand. Belongs to the caller; the builder that made it
// must live longer.
class INetworkDefinition : public INoCopy {
 public:
  ~INetworkDefinition() noexcept override = default;

 public:
  virtual IBuilder& getBuilder() const noexcept { return mImpl->getBuilder(); }
  ITensor* addInput(const char* name, DataType type, const Dims& dimensions) noexcept {
    return mImpl->addInput(name, type, dimensions);
  }
  // Makes a value of the network one of its outputs.
  void markOutput(ITensor& tensor) noexcept { mImpl->markOutput(tensor); }
  bool markDebug(ITensor& tensor) noexcept { return mImpl->markDebug(tensor); }
  bool unmarkDebug(ITensor& tensor) noexcept { return mImpl->unmarkDebug(tensor); }
  bool isDebugTensor(const ITensor& tensor) const noexcept { return mImpl->isDebugTensor(tensor); }
  bool markUnfusedTensorsAsDebugTensors() noexcept {
    return mImpl->markUnfusedTensorsAsDebugTensors();
  }
  bool unmarkUnfusedTensorsAsDebugTensors() noexcept {
    return mImpl->unmarkUnfusedTensorsAsDebugTensors();
  }
  IActivationLayer* addActivation(ITensor& input, ActivationType type) noexcept {
    return mImpl->addActivation(input, type);
  }
  ILRNLayer* addLRN(ITensor& input, int64_t window, float alpha, float beta, float k) noexcept {
    return mImpl->addLRN(input, window, alpha, beta, k);
  }
  IScaleLayer* addScale(ITensor& input, ScaleMode mode, Weights shift, Weights scale,
                        Weights power) noexcept {
    return mImpl->addScale(input, mode, shift, scale, power);
  }
  ISoftMaxLayer* addSoftMax(ITensor& input) noexcept { return mImpl->addSoftMax(input); }
  IConcatenationLayer* addConcatenation(ITensor* const* inputs, int32_t nbInputs) noexcept {
    return mImpl->addConcatenation(inputs, nbInputs);
  }
  IElementWiseLayer* addElementWise(ITensor& input1, ITensor& input2,
                                    ElementWiseOperation op) noexcept {
    return mImpl->addElementWise(input1, input2, op);
  }
  IUnaryLayer* addUnary(ITensor& input, UnaryOperation operation) noexcept {
    return mImpl->addUnary(input, operation);
  }
  IShuffleLayer* addShuffle(ITensor& input) noexcept { return mImpl->addShuffle(input); }
  IOneHotLayer* addOneHot(ITensor& indices, ITensor& values, ITensor& depth,
                          int32_t axis) noexcept {
    return mImpl->addOneHot(indices, values, depth, axis);
  }
  int32_t getNbLayers() const noexcept { return mImpl->getNbLayers(); }
  // nullptr past the end. Layers stand in an order in which they can run.
  ILayer* getLayer(int32_t index) const noexcept { return mImpl->getLayer(index); }
  int32_t getNbInputs() const noexcept { return mImpl->getNbInputs(); }
  // nullptr past the end.
  ITensor* getInput(int32_t index) const noexcept { return mImpl->getInput(index); }
  int32_t getNbOutputs() const noexcept { return mImpl->getNbOutputs(); }
  // nullptr past the end.
  ITensor* getOutput(int32_t index) const noexcept { return mImpl->getOutput(index); }
  IReduceLayer* addReduce(ITensor& input, ReduceOperation operation, uint32_t reduceAxes,
                          bool keepDimensions) noexcept {
    return mImpl->addReduce(input, operation, reduceAxes, keepDimensions);
  }
  ITopKLayer* addTopK(ITensor& input, TopKOperation op, int32_t k, uint32_t reduceAxes) noexcept {
    return mImpl->addTopK(input, op, k, reduceAxes);
  }
  ITopKLayer* addTopK(ITensor& input, TopKOperation op, int32_t k, uint32_t reduceAxes,
                      DataType indicesType) noexcept {
    return mImpl->addTopKV2(input, op, k, reduceAxes, indicesType);
  }
  IGatherLayer* addGather(ITensor& data, ITensor& indices, int32_t axis) noexcept {
    return mImpl->addGather(data, indices, axis);
  }
  IGatherLayer* addGatherV2(ITensor& data, ITensor& indices, GatherMode mode) noexcept {
    return mImpl->addGatherV2(data, indices, mode);
  }
  IRaggedSoftMaxLayer* addRaggedSoftMax(ITensor& input, ITensor& bounds) noexcept {
    return mImpl->addRaggedSoftMax(input, bounds);
  }
  IMatrixMultiplyLayer* addMatrixMultiply(ITensor& input0, MatrixOperation op0, ITensor& input1,
                                          MatrixOperation op1) noexcept {
    return mImpl->addMatrixMultiply(input0, op0, input1, op1);
  }
  INonZeroLayer* addNonZero(ITensor& input) noexcept { return mImpl->addNonZero(input); }
  INonZeroLayer* addNonZero(ITensor& input, DataType indicesType) noexcept {
    return mImpl->addNonZeroV2(input, indicesType);
  }
  IConstantLayer* addConstant(const Dims& dimensions, Weights weights) noexcept {
    return mImpl->addConstant(dimensions, weights);
  }
  IIdentityLayer* addIdentity(ITensor& input) noexcept { return mImpl->addIdentity(input); }
  ICastLayer* addCast(ITensor& input, DataType toType) noexcept {
    return mImpl->addCast(input, toType);
  }
  void removeTensor(ITensor& tensor) noexcept { mImpl->removeTensor(tensor); }
  // The value is no output any more.
  void unmarkOutput(ITensor& tensor) noexcept { mImpl->unmarkOutput(tensor); }
  IPluginV2Layer* addPluginV2(ITensor* const* inputs, int32_t nbInputs,
                              IPluginV2& plugin) noexcept {
    return mImpl->addPluginV2(inputs, nbInputs, plugin);
  }
  IPluginV3Layer* addPluginV3(ITensor* const* inputs, int32_t nbInputs, ITensor* const* shapeInputs,
                              int32_t nbShapeInputs, IPluginV3& plugin) noexcept {
    return mImpl->addPluginV3(inputs, nbInputs, shapeInputs, nbShapeInputs, plugin);
  }
  ISliceLayer* addSlice(ITensor& input, const Dims& start, const Dims& size,
                        const Dims& stride) noexcept {
    return mImpl->addSlice(input, start, size, stride);
  }
  void setName(const char* name) noexcept { mImpl->setName(name); }
  const char* getName() const noexcept { return mImpl->getName(); }
  IShapeLayer* addShape(ITensor& input) noexcept { return mImpl->addShape(input); }
  bool hasImplicitBatchDimension() const noexcept { return mImpl->hasImplicitBatchDimension(); }
  NetworkDefinitionCreationFlags getFlags() const noexcept { return mImpl->getFlags(); }
  bool getFlag(NetworkDefinitionCreationFlag networkDefinitionCreationFlag) const noexcept {
    return mImpl->getFlag(networkDefinitionCreationFlag);
  }
  bool markOutputForShapes(ITensor& tensor) noexcept { return mImpl->markOutputForShapes(tensor); }
  bool unmarkOutputForShapes(ITensor& tensor) noexcept {
    return mImpl->unmarkOutputForShapes(tensor);
  }
  IParametricReLULayer* addParametricReLU(ITensor& input, ITensor& slope) noexcept {
    return mImpl->addParametricReLU(input, slope);
  }
  IConvolutionLayer* addConvolutionNd(ITensor& input, int64_t nbOutputMaps, const Dims& kernelSize,
                                      Weights kernelWeights, Weights biasWeights) noexcept {
    return mImpl->addConvolutionNd(input, nbOutputMaps, kernelSize, kernelWeights, biasWeights);
  }
  IPoolingLayer* addPoolingNd(ITensor& input, PoolingType type, const Dims& windowSize) noexcept {
    return mImpl->addPoolingNd(input, type, windowSize);
  }
  IDeconvolutionLayer* addDeconvolutionNd(ITensor& input, int64_t nbOutputMaps, Dims kernelSize,
                                          Weights kernelWeights, Weights biasWeights) noexcept {
    return mImpl->addDeconvolutionNd(input, nbOutputMaps, kernelSize, kernelWeights, biasWeights);
  }
  IScaleLayer* addScaleNd(ITensor& input, ScaleMode mode, Weights shift, Weights scale,
                          Weights power, int32_t channelAxis) noexcept {
    return mImpl->addScaleNd(input, mode, shift, scale, power, channelAxis);
  }
  IResizeLayer* addResize(ITensor& input) noexcept { return mImpl->addResize(input); }
  ILoop* addLoop() noexcept { return mImpl->addLoop(); }
  IIfConditional* addIfConditional() noexcept { return mImpl->addIfConditional(); }
  ISelectLayer* addSelect(ITensor& condition, ITensor& thenInput, ITensor& elseInput) noexcept {
    return mImpl->addSelect(condition, thenInput, elseInput);
  }
  IAssertionLayer* addAssertion(ITensor& condition, const char* message) noexcept {
    return mImpl->addAssertion(condition, message);
  }
  IFillLayer* addFill(const Dims& dimensions, FillOperation op) noexcept {
    return mImpl->addFill(dimensions, op);
  }
  IFillLayer* addFill(const Dims& dimensions, FillOperation op, DataType outputType) noexcept {
    return mImpl->addFillV2(dimensions, op, outputType);
  }
  IPaddingLayer* addPaddingNd(ITensor& input, const Dims& prePadding,
                              const Dims& postPadding) noexcept {
    return mImpl->addPaddingNd(input, prePadding, postPadding);
  }
  bool setWeightsName(Weights weights, const char* name) noexcept {
    return mImpl->setWeightsName(weights, name);
  }
  void setErrorRecorder(IErrorRecorder* recorder) noexcept { mImpl->setErrorRecorder(recorder); }
  IErrorRecorder* getErrorRecorder() const noexcept { return mImpl->getErrorRecorder(); }
  IDequantizeLayer* addDequantize(ITensor& input, ITensor& scale) noexcept {
    return mImpl->addDequantize(input, scale);
  }
  IDequantizeLayer* addDequantize(ITensor& input, ITensor& scale, DataType outputType) noexcept {
    return mImpl->addDequantizeV2(input, scale, outputType);
  }
  IScatterLayer* addScatter(ITensor& data, ITensor& indices, ITensor& updates,
                            ScatterMode mode) noexcept {
    return mImpl->addScatter(data, indices, updates, mode);
  }
  IQuantizeLayer* addQuantize(ITensor& input, ITensor& scale) noexcept {
    return mImpl->addQuantize(input, scale);
  }
  IQuantizeLayer* addQuantize(ITensor& input, ITensor& scale, DataType outputType) noexcept {
    return mImpl->addQuantizeV2(input, scale, outputType);
  }
  IDynamicQuantizeLayer* addDynamicQuantize(ITensor& input, int32_t axis, int32_t blockSize,
                                            DataType outputType, DataType scaleType) noexcept {
    return mImpl->addDynamicQuantize(input, axis, blockSize, outputType, scaleType);
  }
  IDynamicQuantizeLayer* addDynamicQuantizeV2(ITensor& input, const Dims& blockShape,
                                              DataType outputType, DataType scaleType) noexcept {
    return mImpl->addDynamicQuantizeV2(input, blockShape, outputType, scaleType);
  }
  IEinsumLayer* addEinsum(ITensor* const* inputs, int32_t nbInputs, const char* equation) noexcept {
    return mImpl->addEinsum(inputs, nbInputs, equation);
  }
  IGridSampleLayer* addGridSample(ITensor& input, ITensor& grid) noexcept {
    return mImpl->addGridSample(input, grid);
  }
  INMSLayer* addNMS(ITensor& boxes, ITensor& scores, ITensor& maxOutputBoxesPerClass) noexcept {
    return mImpl->addNMS(boxes, scores, maxOutputBoxesPerClass);
  }
  INMSLayer* addNMS(ITensor& boxes, ITensor& scores, ITensor& maxOutputBoxesPerClass,
                    DataType indicesType) noexcept {
    return mImpl->addNMSV2(boxes, scores, maxOutputBoxesPerClass, indicesType);
  }
  IReverseSequenceLayer* addReverseSequence(ITensor& input, ITensor& sequenceLens) noexcept {
    return mImpl->addReverseSequence(input, sequenceLens);
  }
  INormalizationLayer* addNormalization(ITensor& input, ITensor& scale, ITensor& bias,
                                        uint32_t axesMask) noexcept {
    return mImpl->addNormalization(input, scale, bias, axesMask);
  }
  ICumulativeLayer* addCumulative(ITensor& input, ITensor& axis, CumulativeOperation operation,
                                  bool exclusive, bool reverse) noexcept {
    return mImpl->addCumulative(input, axis, operation, exclusive, reverse);
  }
  IAttention* addAttention(ITensor& query, ITensor& key, ITensor& value,
                           AttentionNormalizationOp normOp, bool causal) noexcept {
    return mImpl->addAttention(query, key, value, normOp, causal);
  }
  IRotaryEmbeddingLayer* addRotaryEmbedding(ITensor& input, ITensor& cosCache, ITensor& sinCache,
                                            bool interleaved, int32_t rotaryEmbeddingDim) noexcept {
    return mImpl->addRotaryEmbedding(input, cosCache, sinCache, interleaved, rotaryEmbeddingDim);
  }
  IKVCacheUpdateLayer* addKVCacheUpdate(ITensor& cache, ITensor& update, ITensor& writeIndices,
                                        KVCacheMode cacheMode) noexcept {
    return mImpl->addKVCacheUpdate(cache, update, writeIndices, cacheMode);
  }
  IMoELayer* addMoE(ITensor& hiddenStates, ITensor& selectedExpertsForTokens,
                    ITensor& scoresForSelectedExperts) noexcept {
    return mImpl->addMoE(hiddenStates, selectedExpertsForTokens, scoresForSelectedExperts);
  }
  IDistCollectiveLayer* addDistCollective(ITensor& input, CollectiveOperation distCollectiveOp,
                                          ReduceOperation reduceOp, int64_t root, int64_t* groups,
                                          int64_t groupSize) noexcept {
    return mImpl->addDistCollective(input, distCollectiveOp, reduceOp, root, groups, groupSize);
  }
  bool markWeightsRefittable(const char* name) noexcept {
    return mImpl->markWeightsRefittable(name);
  }
  bool unmarkWeightsRefittable(const char* name) noexcept {
    return mImpl->unmarkWeightsRefittable(name);
  }
  bool areWeightsMarkedRefittable(const char* name) const noexcept {
    return mImpl->areWeightsMarkedRefittable(name);
  }
  ISqueezeLayer* addSqueeze(ITensor& input, ITensor& axes) noexcept {
    return mImpl->addSqueeze(input, axes);
  }
  IUnsqueezeLayer* addUnsqueeze(ITensor& input, ITensor& axes) noexcept {
    return mImpl->addUnsqueeze(input, axes);
  }
  INormalizationLayer* addNormalizationV2(ITensor& input, ITensor& scale, ITensor& bias,
                                          uint32_t axesMask) noexcept {
    return mImpl->addNormalizationV2(input, scale, bias, axesMask);
  }

  // 8.x
  void destroy() noexcept { delete this; }
  IConvolutionLayer* addConvolution(ITensor& input, int32_t nbOutputMaps, DimsHW kernelSize,
                                    Weights kernelWeights, Weights biasWeights) noexcept {
    return addConvolutionNd(input, nbOutputMaps, kernelSize, kernelWeights, biasWeights);
  }
  IDeconvolutionLayer* addDeconvolution(ITensor& input, int32_t nbOutputMaps, DimsHW kernelSize,
                                        Weights kernelWeights, Weights biasWeights) noexcept {
    return addDeconvolutionNd(input, nbOutputMaps, kernelSize, kernelWeights, biasWeights);
  }
  IPoolingLayer* addPooling(ITensor& input, PoolingType type, DimsHW windowSize) noexcept {
    return addPoolingNd(input, type, windowSize);
  }
  IPaddingLayer* addPadding(ITensor& input, DimsHW prePadding, DimsHW postPadding) noexcept {
    return addPaddingNd(input, prePadding, postPadding);
  }
  bool hasExplicitPrecision() const noexcept { return false; }

 protected:
  apiv::VNetworkDefinition* mImpl = nullptr;
};

// Feeds example data to choose ranges of int8 values.
class IInt8Calibrator : public IVersionedInterface {
 public:
  ~IInt8Calibrator() noexcept override = default;

 public:
  virtual int32_t getBatchSize() const noexcept = 0;
  virtual bool getBatch(void* bindings[], const char* names[], int32_t nbBindings) noexcept = 0;
  virtual const void* readCalibrationCache(std::size_t& length) noexcept = 0;
  virtual void writeCalibrationCache(const void* ptr, std::size_t length) noexcept = 0;
  virtual CalibrationAlgoType getAlgorithm() noexcept = 0;

 protected:
  IInt8Calibrator() = default;
  IInt8Calibrator(const IInt8Calibrator&) = default;
  IInt8Calibrator(IInt8Calibrator&&) = default;
  IInt8Calibrator& operator=(const IInt8Calibrator&) & = default;
  IInt8Calibrator& operator=(IInt8Calibrator&&) & = default;
};

namespace v_1_0 {
// Chooses ranges by entropy, first form.
class IInt8EntropyCalibrator : public IInt8Calibrator {
 public:
  ~IInt8EntropyCalibrator() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override {
    return {"IInt8EntropyCalibrator", 1, 0};
  }
  CalibrationAlgoType getAlgorithm() noexcept override {
    return CalibrationAlgoType::kENTROPY_CALIBRATION;
  }

 protected:
  IInt8EntropyCalibrator() = default;
  IInt8EntropyCalibrator(const IInt8EntropyCalibrator&) = default;
  IInt8EntropyCalibrator(IInt8EntropyCalibrator&&) = default;
  IInt8EntropyCalibrator& operator=(const IInt8EntropyCalibrator&) & = default;
  IInt8EntropyCalibrator& operator=(IInt8EntropyCalibrator&&) & = default;
};
}  // namespace v_1_0
using IInt8EntropyCalibrator = v_1_0::IInt8EntropyCalibrator;

namespace v_1_0 {
// Chooses ranges by entropy.
class IInt8EntropyCalibrator2 : public IInt8Calibrator {
 public:
  ~IInt8EntropyCalibrator2() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override {
    return {"IInt8EntropyCalibrator2", 1, 0};
  }
  CalibrationAlgoType getAlgorithm() noexcept override {
    return CalibrationAlgoType::kENTROPY_CALIBRATION_2;
  }

 protected:
  IInt8EntropyCalibrator2() = default;
  IInt8EntropyCalibrator2(const IInt8EntropyCalibrator2&) = default;
  IInt8EntropyCalibrator2(IInt8EntropyCalibrator2&&) = default;
  IInt8EntropyCalibrator2& operator=(const IInt8EntropyCalibrator2&) & = default;
  IInt8EntropyCalibrator2& operator=(IInt8EntropyCalibrator2&&) & = default;
};
}  // namespace v_1_0
using IInt8EntropyCalibrator2 = v_1_0::IInt8EntropyCalibrator2;

namespace v_1_0 {
// Takes the largest value as range.
class IInt8MinMaxCalibrator : public IInt8Calibrator {
 public:
  ~IInt8MinMaxCalibrator() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override {
    return {"IInt8MinMaxCalibrator", 1, 0};
  }
  CalibrationAlgoType getAlgorithm() noexcept override {
    return CalibrationAlgoType::kMINMAX_CALIBRATION;
  }

 protected:
  IInt8MinMaxCalibrator() = default;
  IInt8MinMaxCalibrator(const IInt8MinMaxCalibrator&) = default;
  IInt8MinMaxCalibrator(IInt8MinMaxCalibrator&&) = default;
  IInt8MinMaxCalibrator& operator=(const IInt8MinMaxCalibrator&) & = default;
  IInt8MinMaxCalibrator& operator=(IInt8MinMaxCalibrator&&) & = default;
};
}  // namespace v_1_0
using IInt8MinMaxCalibrator = v_1_0::IInt8MinMaxCalibrator;

namespace v_1_0 {
// Chooses ranges by quantile and cutoff.
class IInt8LegacyCalibrator : public IInt8Calibrator {
 public:
  ~IInt8LegacyCalibrator() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IInt8Calibrator", 1, 0}; }
  CalibrationAlgoType getAlgorithm() noexcept override {
    return CalibrationAlgoType::kLEGACY_CALIBRATION;
  }
  virtual double getQuantile() const noexcept = 0;
  virtual double getRegressionCutoff() const noexcept = 0;
  virtual const void* readHistogramCache(std::size_t& length) noexcept = 0;
  virtual void writeHistogramCache(const void* ptr, std::size_t length) noexcept = 0;

 protected:
  IInt8LegacyCalibrator() = default;
  IInt8LegacyCalibrator(const IInt8LegacyCalibrator&) = default;
  IInt8LegacyCalibrator(IInt8LegacyCalibrator&&) = default;
  IInt8LegacyCalibrator& operator=(const IInt8LegacyCalibrator&) & = default;
  IInt8LegacyCalibrator& operator=(IInt8LegacyCalibrator&&) & = default;
};
}  // namespace v_1_0
using IInt8LegacyCalibrator = v_1_0::IInt8LegacyCalibrator;

// Type and strides of a tactic's tensor.
class IAlgorithmIOInfo : public INoCopy {
 public:
  ~IAlgorithmIOInfo() noexcept override = default;

 public:
  DataType getDataType() const noexcept { return mImpl->getDataType(); }
  Dims getStrides() const noexcept { return mImpl->getStrides(); }
  int64_t getVectorizedDim() const noexcept { return mImpl->getVectorizedDim(); }
  int64_t getComponentsPerElement() const noexcept { return mImpl->getComponentsPerElement(); }

 protected:
  apiv::VAlgorithmIOInfo* mImpl = nullptr;
};

// Numbers that name a tactic.
class IAlgorithmVariant : public INoCopy {
 public:
  ~IAlgorithmVariant() noexcept override = default;

 public:
  int64_t getImplementation() const noexcept { return mImpl->getImplementation(); }
  int64_t getTactic() const noexcept { return mImpl->getTactic(); }

 protected:
  apiv::VAlgorithmVariant* mImpl = nullptr;
};

// The layer a tactic is chosen for.
class IAlgorithmContext : public INoCopy {
 public:
  ~IAlgorithmContext() noexcept override = default;

 public:
  const char* getName() const noexcept { return mImpl->getName(); }
  Dims getDimensions(int32_t index, OptProfileSelector select) const noexcept {
    return mImpl->getDimensions(index, select);
  }
  int32_t getNbInputs() const noexcept { return mImpl->getNbInputs(); }
  int32_t getNbOutputs() const noexcept { return mImpl->getNbOutputs(); }

 protected:
  apiv::VAlgorithmContext* mImpl = nullptr;
};

// A tactic and its time.
class IAlgorithm : public INoCopy {
 public:
  ~IAlgorithm() noexcept override = default;

 public:
  const IAlgorithmVariant& getAlgorithmVariant() const noexcept {
    return mImpl->getAlgorithmVariant();
  }
  float getTimingMSec() const noexcept { return mImpl->getTimingMSec(); }
  std::size_t getWorkspaceSize() const noexcept { return mImpl->getWorkspaceSize(); }
  const IAlgorithmIOInfo* getAlgorithmIOInfoByIndex(int32_t index) const noexcept {
    return mImpl->getAlgorithmIOInfoByIndex(index);
  }

 protected:
  apiv::VAlgorithm* mImpl = nullptr;
};

namespace v_1_0 {
// Lets an application choose tactics.
class IAlgorithmSelector : public IVersionedInterface {
 public:
  ~IAlgorithmSelector() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IAlgorithmSelector", 1, 0}; }
  virtual int32_t selectAlgorithms(const IAlgorithmContext& context,
                                   const IAlgorithm* const* choices, int32_t nbChoices,
                                   int32_t* selection) noexcept = 0;
  virtual void reportAlgorithms(const IAlgorithmContext* const* algoContexts,
                                const IAlgorithm* const* algoChoices,
                                int32_t nbAlgorithms) noexcept = 0;

 protected:
  IAlgorithmSelector() = default;
  IAlgorithmSelector(const IAlgorithmSelector&) = default;
  IAlgorithmSelector(IAlgorithmSelector&&) = default;
  IAlgorithmSelector& operator=(const IAlgorithmSelector&) & = default;
  IAlgorithmSelector& operator=(IAlgorithmSelector&&) & = default;
};
}  // namespace v_1_0
using IAlgorithmSelector = v_1_0::IAlgorithmSelector;

namespace v_1_0 {
// Names an entry of a timing cache.
struct TimingCacheKey {
  uint8_t data[16];
};
}  // namespace v_1_0
using TimingCacheKey = v_1_0::TimingCacheKey;

namespace v_1_0 {
// An entry of a timing cache.
struct TimingCacheValue {
  uint64_t tacticHash;
  float timingMSec;
};
}  // namespace v_1_0
using TimingCacheValue = v_1_0::TimingCacheValue;

// Times of tactics from earlier builds. Belongs to the caller.
class ITimingCache : public INoCopy {
 public:
  ~ITimingCache() noexcept override = default;

 public:
  // The cache's bytes, deleted by the caller.
  IHostMemory* serialize() const noexcept { return mImpl->serialize(); }
  // Adds the entries of another cache; what both have stays as it is here.
  bool combine(const ITimingCache& inputCache, bool ignoreMismatch) noexcept {
    return mImpl->combine(inputCache, ignoreMismatch);
  }
  // Empties the cache.
  bool reset() noexcept { return mImpl->reset(); }
  int64_t queryKeys(TimingCacheKey* keyBuffer, int64_t capacity) const noexcept {
    return mImpl->queryKeys(keyBuffer, capacity);
  }
  TimingCacheValue query(const TimingCacheKey& key) const noexcept { return mImpl->query(key); }
  bool update(const TimingCacheKey& key, const TimingCacheValue& value) noexcept {
    return mImpl->update(key, value);
  }

 protected:
  apiv::VTimingCache* mImpl = nullptr;
};

namespace v_1_0 {
// Told how far a build is. Phases nest.
class IProgressMonitor : public IVersionedInterface {
 public:
  ~IProgressMonitor() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IProgressMonitor", 1, 0}; }
  virtual void phaseStart(const char* phaseName, const char* parentPhase,
                          int32_t nbSteps) noexcept = 0;
  // False cancels the build.
  virtual bool stepComplete(const char* phaseName, int32_t step) noexcept = 0;
  virtual void phaseFinish(const char* phaseName) noexcept = 0;

 protected:
  IProgressMonitor() = default;
  IProgressMonitor(const IProgressMonitor&) = default;
  IProgressMonitor(IProgressMonitor&&) = default;
  IProgressMonitor& operator=(const IProgressMonitor&) & = default;
  IProgressMonitor& operator=(IProgressMonitor&&) & = default;
};
}  // namespace v_1_0
using IProgressMonitor = v_1_0::IProgressMonitor;

// How to build. Belongs to the caller.
class IBuilderConfig : public INoCopy {
 public:
  ~IBuilderConfig() noexcept override = default;

 public:
  virtual void setAvgTimingIterations(int32_t avgTiming) noexcept {
    mImpl->setAvgTimingIterations(avgTiming);
  }
  int32_t getAvgTimingIterations() const noexcept { return mImpl->getAvgTimingIterations(); }
  void setEngineCapability(EngineCapability capability) noexcept {
    mImpl->setEngineCapability(capability);
  }
  EngineCapability getEngineCapability() const noexcept { return mImpl->getEngineCapability(); }
  // Calibration is not there in this version: a build with a calibrator says so and fails.
  void setInt8Calibrator(IInt8Calibrator* calibrator) noexcept {
    mImpl->setInt8Calibrator(calibrator);
  }
  IInt8Calibrator* getInt8Calibrator() const noexcept { return mImpl->getInt8Calibrator(); }
  void setFlags(BuilderFlags builderFlags) noexcept { mImpl->setFlags(builderFlags); }
  BuilderFlags getFlags() const noexcept { return mImpl->getFlags(); }
  void clearFlag(BuilderFlag builderFlag) noexcept { mImpl->clearFlag(builderFlag); }
  void setFlag(BuilderFlag builderFlag) noexcept { mImpl->setFlag(builderFlag); }
  bool getFlag(BuilderFlag builderFlag) const noexcept { return mImpl->getFlag(builderFlag); }
  void setDeviceType(const ILayer* layer, DeviceType deviceType) noexcept {
    mImpl->setDeviceType(layer, deviceType);
  }
  DeviceType getDeviceType(const ILayer* layer) const noexcept {
    return mImpl->getDeviceType(layer);
  }
  bool isDeviceTypeSet(const ILayer* layer) const noexcept { return mImpl->isDeviceTypeSet(layer); }
  void resetDeviceType(const ILayer* layer) noexcept { mImpl->resetDeviceType(layer); }
  bool canRunOnDLA(const ILayer* layer) const noexcept { return mImpl->canRunOnDLA(layer); }
  void setDLACore(int32_t dlaCore) noexcept { mImpl->setDLACore(dlaCore); }
  int32_t getDLACore() const noexcept { return mImpl->getDLACore(); }
  void setDefaultDeviceType(DeviceType deviceType) noexcept {
    mImpl->setDefaultDeviceType(deviceType);
  }
  DeviceType getDefaultDeviceType() const noexcept { return mImpl->getDefaultDeviceType(); }
  void reset() noexcept { mImpl->reset(); }
  void setProfileStream(const cudaStream_t stream) noexcept { mImpl->setProfileStream(stream); }
  cudaStream_t getProfileStream() const noexcept { return mImpl->getProfileStream(); }
  // Number of the profile, -1 when it isn't valid. The profile must live until the build is done.
  int32_t addOptimizationProfile(const IOptimizationProfile* profile) noexcept {
    return mImpl->addOptimizationProfile(profile);
  }
  int32_t getNbOptimizationProfiles() const noexcept { return mImpl->getNbOptimizationProfiles(); }
  void setProfilingVerbosity(ProfilingVerbosity verbosity) noexcept {
    mImpl->setProfilingVerbosity(verbosity);
  }
  ProfilingVerbosity getProfilingVerbosity() const noexcept {
    return mImpl->getProfilingVerbosity();
  }
  void setAlgorithmSelector(IAlgorithmSelector* selector) noexcept {
    mImpl->setAlgorithmSelector(selector);
  }
  IAlgorithmSelector* getAlgorithmSelector() const noexcept {
    return mImpl->getAlgorithmSelector();
  }
  bool setCalibrationProfile(const IOptimizationProfile* profile) noexcept {
    return mImpl->setCalibrationProfile(profile);
  }
  const IOptimizationProfile* getCalibrationProfile() noexcept {
    return mImpl->getCalibrationProfile();
  }
  void setQuantizationFlags(QuantizationFlags flags) noexcept {
    mImpl->setQuantizationFlags(flags);
  }
  QuantizationFlags getQuantizationFlags() const noexcept { return mImpl->getQuantizationFlags(); }
  void clearQuantizationFlag(QuantizationFlag flag) noexcept { mImpl->clearQuantizationFlag(flag); }
  void setQuantizationFlag(QuantizationFlag flag) noexcept { mImpl->setQuantizationFlag(flag); }
  bool getQuantizationFlag(QuantizationFlag flag) const noexcept {
    return mImpl->getQuantizationFlag(flag);
  }
  bool setTacticSources(TacticSources tacticSources) noexcept {
    return mImpl->setTacticSources(tacticSources);
  }
  TacticSources getTacticSources() const noexcept { return mImpl->getTacticSources(); }
  // From bytes of ITimingCache::serialize, or empty when `size` is 0. nullptr when they are
  // damaged.
  ITimingCache* createTimingCache(const void* blob, std::size_t size) const noexcept {
    return mImpl->createTimingCache(blob, size);
  }
  // The cache is used and extended by builds; it must live until then. False when it was made on a
  // different machine, unless `ignoreMismatch`.
  bool setTimingCache(const ITimingCache& cache, bool ignoreMismatch) noexcept {
    return mImpl->setTimingCache(cache, ignoreMismatch);
  }
  const ITimingCache* getTimingCache() const noexcept { return mImpl->getTimingCache(); }
  // Kept and answered. Tactics are not chosen by it: Tenrec's need little memory beside weights and
  // activations, and the inspector says how much. The other pools belong to hardware that is not
  // here.
  void setMemoryPoolLimit(MemoryPoolType pool, std::size_t poolSize) noexcept {
    mImpl->setMemoryPoolLimit(pool, poolSize);
  }
  std::size_t getMemoryPoolLimit(MemoryPoolType pool) const noexcept {
    return mImpl->getMemoryPoolLimit(pool);
  }
  void setPreviewFeature(PreviewFeature feature, bool enable) noexcept {
    mImpl->setPreviewFeature(feature, enable);
  }
  bool getPreviewFeature(PreviewFeature feature) const noexcept {
    return mImpl->getPreviewFeature(feature);
  }
  // 0: first tactic that works, nothing is timed; 1 and up: tactics are timed.
  void setBuilderOptimizationLevel(int32_t level) noexcept {
    mImpl->setBuilderOptimizationLevel(level);
  }
  int32_t getBuilderOptimizationLevel() noexcept { return mImpl->getBuilderOptimizationLevel(); }
  void setHardwareCompatibilityLevel(
      HardwareCompatibilityLevel hardwareCompatibilityLevel) noexcept {
    mImpl->setHardwareCompatibilityLevel(hardwareCompatibilityLevel);
  }
  HardwareCompatibilityLevel getHardwareCompatibilityLevel() const noexcept {
    return mImpl->getHardwareCompatibilityLevel();
  }
  void setPluginsToSerialize(const char* const* paths, int32_t nbPaths) noexcept {
    mImpl->setPluginsToSerialize(paths, nbPaths);
  }
  const char* getPluginToSerialize(int32_t index) const noexcept {
    return mImpl->getPluginToSerialize(index);
  }
  int32_t getNbPluginsToSerialize() const noexcept { return mImpl->getNbPluginsToSerialize(); }
  void setMaxAuxStreams(int32_t nbStreams) noexcept { mImpl->setMaxAuxStreams(nbStreams); }
  int32_t getMaxAuxStreams() const noexcept { return mImpl->getMaxAuxStreams(); }
  void setProgressMonitor(IProgressMonitor* monitor) noexcept {
    mImpl->setProgressMonitor(monitor);
  }
  IProgressMonitor* getProgressMonitor() const noexcept { return mImpl->getProgressMonitor(); }
  void setRuntimePlatform(RuntimePlatform runtimePlatform) noexcept {
    mImpl->setRuntimePlatform(runtimePlatform);
  }
  RuntimePlatform getRuntimePlatform() const noexcept { return mImpl->getRuntimePlatform(); }
  void setMaxNbTactics(int32_t maxNbTactics) noexcept { mImpl->setMaxNbTactics(maxNbTactics); }
  int32_t getMaxNbTactics() const noexcept { return mImpl->getMaxNbTactics(); }
  bool setTilingOptimizationLevel(TilingOptimizationLevel level) noexcept {
    return mImpl->setTilingOptimizationLevel(level);
  }
  TilingOptimizationLevel getTilingOptimizationLevel() const noexcept {
    return mImpl->getTilingOptimizationLevel();
  }
  bool setL2LimitForTiling(int64_t size) noexcept { return mImpl->setL2LimitForTiling(size); }
  int64_t getL2LimitForTiling() const noexcept { return mImpl->getL2LimitForTiling(); }
  bool setRemoteAutoTuningConfig(const char* config) noexcept {
    return mImpl->setRemoteAutoTuningConfig(config);
  }
  const char* getRemoteAutoTuningConfig() const noexcept {
    return mImpl->getRemoteAutoTuningConfig();
  }

  // 8.x
  void destroy() noexcept { delete this; }
  void setMaxWorkspaceSize(std::size_t workspaceSize) noexcept {
    setMemoryPoolLimit(MemoryPoolType::kWORKSPACE, workspaceSize);
  }
  std::size_t getMaxWorkspaceSize() const noexcept {
    return getMemoryPoolLimit(MemoryPoolType::kWORKSPACE);
  }
  void setMinTimingIterations(int32_t) noexcept {}
  int32_t getMinTimingIterations() const noexcept { return 1; }

 protected:
  apiv::VBuilderConfig* mImpl = nullptr;
};

// Makes networks, configurations and engines. Belongs to the caller; must outlive what it made
// but for serialized engines.
class IBuilder : public INoCopy {
 public:
  ~IBuilder() noexcept override = default;

 public:
  // Does half precision save time here?
  bool platformHasFastFp16() const noexcept { return mImpl->platformHasFastFp16(); }
  bool platformHasFastInt8() const noexcept { return mImpl->platformHasFastInt8(); }
  int32_t getMaxDLABatchSize() const noexcept { return mImpl->getMaxDLABatchSize(); }
  // 0: there is no DLA.
  int32_t getNbDLACores() const noexcept { return mImpl->getNbDLACores(); }
  void setGpuAllocator(IGpuAllocator* allocator) noexcept { mImpl->setGpuAllocator(allocator); }
  IBuilderConfig* createBuilderConfig() noexcept { return mImpl->createBuilderConfig(); }
  INetworkDefinition* createNetworkV2(NetworkDefinitionCreationFlags flags) noexcept {
    return mImpl->createNetworkV2(flags);
  }
  IOptimizationProfile* createOptimizationProfile() noexcept {
    return mImpl->createOptimizationProfile();
  }
  void setErrorRecorder(IErrorRecorder* recorder) noexcept { mImpl->setErrorRecorder(recorder); }
  IErrorRecorder* getErrorRecorder() const noexcept { return mImpl->getErrorRecorder(); }
  // Forgets allocator and error recorder.
  void reset() noexcept { mImpl->reset(); }
  bool platformHasTf32() const noexcept { return mImpl->platformHasTf32(); }
  // An engine as bytes, deleted by the caller; nullptr and messages on failure.
  IHostMemory* buildSerializedNetwork(INetworkDefinition& network,
                                      IBuilderConfig& config) noexcept {
    return mImpl->buildSerializedNetwork(network, config);
  }
  bool buildSerializedNetworkToStream(INetworkDefinition& network, IBuilderConfig& config,
                                      IStreamWriter& writer) noexcept {
    return mImpl->buildSerializedNetworkToStream(network, config, writer);
  }
  IHostMemory* buildSerializedNetwork(INetworkDefinition& network, IBuilderConfig& config,
                                      IHostMemory*& kernelText) noexcept {
    return mImpl->buildSerializedNetworkWithKernelText(network, config, kernelText);
  }
  ICudaEngine* buildEngineWithConfig(INetworkDefinition& network, IBuilderConfig& config) noexcept {
    return mImpl->buildEngineWithConfig(network, config);
  }
  // Can the network be built with this configuration? The reason goes to the logger.
  bool isNetworkSupported(const INetworkDefinition& network,
                          const IBuilderConfig& config) const noexcept {
    return mImpl->isNetworkSupported(network, config);
  }
  ILogger* getLogger() const noexcept { return mImpl->getLogger(); }
  bool setMaxThreads(int32_t maxThreads) noexcept { return mImpl->setMaxThreads(maxThreads); }
  int32_t getMaxThreads() const noexcept { return mImpl->getMaxThreads(); }
  IPluginRegistry& getPluginRegistry() noexcept { return mImpl->getPluginRegistry(); }

  // 8.x. Batches are part of the sizes: the largest batch has no meaning.
  void destroy() noexcept { delete this; }
  void setMaxBatchSize(int32_t) noexcept {}
  int32_t getMaxBatchSize() const noexcept { return 1; }

 protected:
  apiv::VBuilder* mImpl = nullptr;
};

}  // namespace nvinfer1

extern "C" TENSORRTAPI void* createInferBuilder_INTERNAL(void* logger, int32_t version) noexcept;

namespace nvinfer1 {
namespace safe {
class IPluginRegistry;
}
namespace {
// A builder that logs to `logger`, deleted by the caller; nullptr on failure.
inline IBuilder* createInferBuilder(ILogger& logger) noexcept {
  return static_cast<IBuilder*>(createInferBuilder_INTERNAL(&logger, NV_TENSORRT_VERSION));
}
}  // namespace

// The plugin creators of the process, for engines of kind `capability`.
extern "C" TENSORRTAPI IPluginRegistry* getBuilderPluginRegistry(
    EngineCapability capability) noexcept;
// There is no safety runtime: nullptr.
extern "C" TENSORRTAPI safe::IPluginRegistry* getBuilderSafePluginRegistry(
    EngineCapability capability) noexcept;
// Where builder resources lie; nothing is loaded from there.
extern "C" TENSORRTAPI bool setInternalLibraryPath(const AsciiChar* path) noexcept;

}  // namespace nvinfer1
