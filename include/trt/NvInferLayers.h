// SPDX-License-Identifier: Apache-2.0
// Tensors and layers of a network. Included by NvInfer.h.
#pragma once
#include "NvInferLegacyDims.h"
#include "NvInferRuntime.h"

namespace nvinfer1 {

// Kinds of layers.
enum class LayerType : int32_t {
  kCONVOLUTION = 0,
  kCAST = 1,
  kACTIVATION = 2,
  kPOOLING = 3,
  kLRN = 4,
  kSCALE = 5,
  kSOFTMAX = 6,
  kDECONVOLUTION = 7,
  kCONCATENATION = 8,
  kELEMENTWISE = 9,
  kPLUGIN = 10,
  kUNARY = 11,
  kPADDING = 12,
  kSHUFFLE = 13,
  kREDUCE = 14,
  kTOPK = 15,
  kGATHER = 16,
  kMATRIX_MULTIPLY = 17,
  kRAGGED_SOFTMAX = 18,
  kCONSTANT = 19,
  kIDENTITY = 20,
  kPLUGIN_V2 = 21,
  kSLICE = 22,
  kSHAPE = 23,
  kPARAMETRIC_RELU = 24,
  kRESIZE = 25,
  kTRIP_LIMIT = 26,
  kRECURRENCE = 27,
  kITERATOR = 28,
  kLOOP_OUTPUT = 29,
  kSELECT = 30,
  kFILL = 31,
  kQUANTIZE = 32,
  kDEQUANTIZE = 33,
  kCONDITION = 34,
  kCONDITIONAL_INPUT = 35,
  kCONDITIONAL_OUTPUT = 36,
  kSCATTER = 37,
  kEINSUM = 38,
  kASSERTION = 39,
  kONE_HOT = 40,
  kNON_ZERO = 41,
  kGRID_SAMPLE = 42,
  kNMS = 43,
  kREVERSE_SEQUENCE = 44,
  kNORMALIZATION = 45,
  kPLUGIN_V3 = 46,
  kSQUEEZE = 47,
  kUNSQUEEZE = 48,
  kCUMULATIVE = 49,
  kDYNAMIC_QUANTIZE = 50,
  kATTENTION_INPUT = 51,
  kATTENTION_OUTPUT = 52,
  kROTARY_EMBEDDING = 53,
  kKVCACHE_UPDATE = 54,
  kMOE = 55,
  kDIST_COLLECTIVE = 56,
};
namespace impl {
template <>
struct EnumMaxImpl<LayerType> {
  static constexpr int32_t kVALUE = 57;
};
}  // namespace impl

// Functions of IActivationLayer.
enum class ActivationType : int32_t {
  kRELU = 0,
  kSIGMOID = 1,
  kTANH = 2,
  kLEAKY_RELU = 3,
  kELU = 4,
  kSELU = 5,
  kSOFTSIGN = 6,
  kSOFTPLUS = 7,
  kCLIP = 8,
  kHARD_SIGMOID = 9,
  kSCALED_TANH = 10,
  kTHRESHOLDED_RELU = 11,
  kGELU_ERF = 12,
  kGELU_TANH = 13,
};
namespace impl {
template <>
struct EnumMaxImpl<ActivationType> {
  static constexpr int32_t kVALUE = 14;
};
}  // namespace impl

// How windows meet the edge.
enum class PaddingMode : int32_t {
  kEXPLICIT_ROUND_DOWN = 0,
  kEXPLICIT_ROUND_UP = 1,
  kSAME_UPPER = 2,
  kSAME_LOWER = 3,
};
namespace impl {
template <>
struct EnumMaxImpl<PaddingMode> {
  static constexpr int32_t kVALUE = 4;
};
}  // namespace impl

// What a window gives.
enum class PoolingType : int32_t {
  kMAX = 0,
  kAVERAGE = 1,
  kMAX_AVERAGE_BLEND = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<PoolingType> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// What a scale belongs to.
enum class ScaleMode : int32_t {
  kUNIFORM = 0,
  kCHANNEL = 1,
  kELEMENTWISE = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<ScaleMode> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// Functions of two elements.
enum class ElementWiseOperation : int32_t {
  kSUM = 0,
  kPROD = 1,
  kMAX = 2,
  kMIN = 3,
  kSUB = 4,
  kDIV = 5,
  kPOW = 6,
  kFLOOR_DIV = 7,
  kAND = 8,
  kOR = 9,
  kXOR = 10,
  kEQUAL = 11,
  kGREATER = 12,
  kLESS = 13,
};
namespace impl {
template <>
struct EnumMaxImpl<ElementWiseOperation> {
  static constexpr int32_t kVALUE = 14;
};
}  // namespace impl

// What indices pick.
enum class GatherMode : int32_t {
  kDEFAULT = 0,
  kELEMENT = 1,
  kND = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<GatherMode> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// Functions of one element.
enum class UnaryOperation : int32_t {
  kEXP = 0,
  kLOG = 1,
  kSQRT = 2,
  kRECIP = 3,
  kABS = 4,
  kNEG = 5,
  kSIN = 6,
  kCOS = 7,
  kTAN = 8,
  kSINH = 9,
  kCOSH = 10,
  kASIN = 11,
  kACOS = 12,
  kATAN = 13,
  kASINH = 14,
  kACOSH = 15,
  kATANH = 16,
  kCEIL = 17,
  kFLOOR = 18,
  kERF = 19,
  kNOT = 20,
  kSIGN = 21,
  kROUND = 22,
  kISINF = 23,
  kISNAN = 24,
};
namespace impl {
template <>
struct EnumMaxImpl<UnaryOperation> {
  static constexpr int32_t kVALUE = 25;
};
}  // namespace impl

// What a reduction computes.
enum class ReduceOperation : int32_t {
  kSUM = 0,
  kPROD = 1,
  kMAX = 2,
  kMIN = 3,
  kAVG = 4,
  kNONE = 5,
};
namespace impl {
template <>
struct EnumMaxImpl<ReduceOperation> {
  static constexpr int32_t kVALUE = 6;
};
}  // namespace impl

// Operations between devices.
enum class CollectiveOperation : int32_t {
  kALL_REDUCE = 0,
  kALL_GATHER = 1,
  kBROADCAST = 2,
  kREDUCE = 3,
  kREDUCE_SCATTER = 4,
};
namespace impl {
template <>
struct EnumMaxImpl<CollectiveOperation> {
  static constexpr int32_t kVALUE = 5;
};
}  // namespace impl

// What lies outside a tensor.
enum class SampleMode : int32_t {
  kSTRICT_BOUNDS = 0,
  kWRAP = 1,
  kCLAMP = 2,
  kFILL = 3,
  kREFLECT = 4,
};
namespace impl {
template <>
struct EnumMaxImpl<SampleMode> {
  static constexpr int32_t kVALUE = 5;
};
}  // namespace impl

// Largest or smallest.
enum class TopKOperation : int32_t {
  kMAX = 0,
  kMIN = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<TopKOperation> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// How a matrix is read.
enum class MatrixOperation : int32_t {
  kNONE = 0,
  kTRANSPOSE = 1,
  kVECTOR = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<MatrixOperation> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// How to resample.
enum class InterpolationMode : int32_t {
  kNEAREST = 0,
  kLINEAR = 1,
  kCUBIC = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<InterpolationMode> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// Which point of the input an output point is.
enum class ResizeCoordinateTransformation : int32_t {
  kALIGN_CORNERS = 0,
  kASYMMETRIC = 1,
  kHALF_PIXEL = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<ResizeCoordinateTransformation> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// What an output of size 1 takes.
enum class ResizeSelector : int32_t {
  kFORMULA = 0,
  kUPPER = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<ResizeSelector> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// Which neighbour is nearest.
enum class ResizeRoundMode : int32_t {
  kHALF_UP = 0,
  kHALF_DOWN = 1,
  kFLOOR = 2,
  kCEIL = 3,
};
namespace impl {
template <>
struct EnumMaxImpl<ResizeRoundMode> {
  static constexpr int32_t kVALUE = 4;
};
}  // namespace impl

// What a loop gives.
enum class LoopOutput : int32_t {
  kLAST_VALUE = 0,
  kCONCATENATE = 1,
  kREVERSE = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<LoopOutput> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// What ends a loop.
enum class TripLimit : int32_t {
  kCOUNT = 0,
  kWHILE = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<TripLimit> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// What to fill with.
enum class FillOperation : int32_t {
  kLINSPACE = 0,
  kRANDOM_UNIFORM = 1,
  kRANDOM_NORMAL = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<FillOperation> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// What indices point to.
enum class ScatterMode : int32_t {
  kELEMENT = 0,
  kND = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<ScatterMode> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// How boxes are written.
enum class BoundingBoxFormat : int32_t {
  kCORNER_PAIRS = 0,
  kCENTER_SIZES = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<BoundingBoxFormat> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// What runs along the axis.
enum class CumulativeOperation : int32_t {
  kSUM = 0,
};
namespace impl {
template <>
struct EnumMaxImpl<CumulativeOperation> {
  static constexpr int32_t kVALUE = 1;
};
}  // namespace impl

// How scores are normalised.
enum class AttentionNormalizationOp : int32_t {
  kNONE = 0,
  kSOFTMAX = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<AttentionNormalizationOp> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// How a cache is laid out.
enum class KVCacheMode : int32_t {
  kLINEAR = 0,
};
namespace impl {
template <>
struct EnumMaxImpl<KVCacheMode> {
  static constexpr int32_t kVALUE = 1;
};
}  // namespace impl

// Activation of an expert.
enum class MoEActType : int32_t {
  kNONE = 0,
  kSILU = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<MoEActType> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// A value of a network. Belongs to the network.
class ITensor : public INoCopy {
 public:
  ~ITensor() noexcept override = default;

 public:
  void setName(const char* name) noexcept { mImpl->setName(name); }
  const char* getName() const noexcept { return mImpl->getName(); }
  // For network inputs only.
  void setDimensions(const Dims& dimensions) noexcept { mImpl->setDimensions(dimensions); }
  // -1 where a size is known only when running.
  Dims getDimensions() const noexcept { return mImpl->getDimensions(); }
  // For network inputs and outputs.
  void setType(DataType type) noexcept { mImpl->setType(type); }
  DataType getType() const noexcept { return mImpl->getType(); }
  bool setDynamicRange(float min, float max) noexcept { return mImpl->setDynamicRange(min, max); }
  bool isNetworkInput() const noexcept { return mImpl->isNetworkInput(); }
  bool isNetworkOutput() const noexcept { return mImpl->isNetworkOutput(); }
  void setBroadcastAcrossBatch(bool broadcastAcrossBatch) noexcept {
    mImpl->setBroadcastAcrossBatch(broadcastAcrossBatch);
  }
  bool getBroadcastAcrossBatch() const noexcept { return mImpl->getBroadcastAcrossBatch(); }
  TensorLocation getLocation() const noexcept { return mImpl->getLocation(); }
  void setLocation(TensorLocation location) noexcept { mImpl->setLocation(location); }
  bool dynamicRangeIsSet() const noexcept { return mImpl->dynamicRangeIsSet(); }
  void resetDynamicRange() noexcept { mImpl->resetDynamicRange(); }
  float getDynamicRangeMin() const noexcept { return mImpl->getDynamicRangeMin(); }
  float getDynamicRangeMax() const noexcept { return mImpl->getDynamicRangeMax(); }
  // Bit mask of TensorFormat. Only kLINEAR is offered; others are refused with a message.
  void setAllowedFormats(TensorFormats formats) noexcept { mImpl->setAllowedFormats(formats); }
  TensorFormats getAllowedFormats() const noexcept { return mImpl->getAllowedFormats(); }
  // Do sizes of other tensors hang on this value?
  bool isShapeTensor() const noexcept { return mImpl->isShapeTensor(); }
  bool isExecutionTensor() const noexcept { return mImpl->isExecutionTensor(); }
  void setDimensionName(int32_t index, const char* name) noexcept {
    mImpl->setDimensionName(index, name);
  }
  const char* getDimensionName(int32_t index) const noexcept {
    return mImpl->getDimensionName(index);
  }

 protected:
  apiv::VTensor* mImpl = nullptr;
};

// A layer of a network. Belongs to the network.
class ILayer : public INoCopy {
 public:
  ~ILayer() noexcept override = default;

 public:
  LayerType getType() const noexcept { return mLayer->getType(); }
  void setName(const char* name) noexcept { mLayer->setName(name); }
  const char* getName() const noexcept { return mLayer->getName(); }
  int32_t getNbInputs() const noexcept { return mLayer->getNbInputs(); }
  // nullptr past the end and for an omitted input.
  ITensor* getInput(int32_t index) const noexcept { return mLayer->getInput(index); }
  int32_t getNbOutputs() const noexcept { return mLayer->getNbOutputs(); }
  ITensor* getOutput(int32_t index) const noexcept { return mLayer->getOutput(index); }
  void setInput(int32_t index, ITensor& tensor) noexcept { mLayer->setInput(index, tensor); }
  void setPrecision(DataType dataType) noexcept { mLayer->setPrecision(dataType); }
  DataType getPrecision() const noexcept { return mLayer->getPrecision(); }
  bool precisionIsSet() const noexcept { return mLayer->precisionIsSet(); }
  void resetPrecision() noexcept { mLayer->resetPrecision(); }
  void setOutputType(int32_t index, DataType dataType) noexcept {
    mLayer->setOutputType(index, dataType);
  }
  DataType getOutputType(int32_t index) const noexcept { return mLayer->getOutputType(index); }
  bool outputTypeIsSet(int32_t index) const noexcept { return mLayer->outputTypeIsSet(index); }
  void resetOutputType(int32_t index) noexcept { mLayer->resetOutputType(index); }
  void setMetadata(const char* metadata) noexcept { mLayer->setMetadata(metadata); }
  const char* getMetadata() const noexcept { return mLayer->getMetadata(); }
  bool setNbRanks(int32_t nbRanks) noexcept { return mLayer->setNbRanks(nbRanks); }
  int32_t getNbRanks() const noexcept { return mLayer->getNbRanks(); }

 protected:
  apiv::VLayer* mLayer = nullptr;
};

// Convolution in 2 or 3 dims of N, C, sizes.
class IConvolutionLayer : public ILayer {
 public:
  ~IConvolutionLayer() noexcept override = default;

 public:
  void setNbOutputMaps(int64_t nbOutputMaps) noexcept { mImpl->setNbOutputMaps(nbOutputMaps); }
  int64_t getNbOutputMaps() const noexcept { return mImpl->getNbOutputMaps(); }
  void setNbGroups(int64_t nbGroups) noexcept { mImpl->setNbGroups(nbGroups); }
  int64_t getNbGroups() const noexcept { return mImpl->getNbGroups(); }
  void setKernelWeights(Weights weights) noexcept { mImpl->setKernelWeights(weights); }
  Weights getKernelWeights() const noexcept { return mImpl->getKernelWeights(); }
  void setBiasWeights(Weights weights) noexcept { mImpl->setBiasWeights(weights); }
  Weights getBiasWeights() const noexcept { return mImpl->getBiasWeights(); }
  void setPrePadding(const Dims& padding) noexcept { mImpl->setPrePadding(padding); }
  Dims getPrePadding() const noexcept { return mImpl->getPrePadding(); }
  void setPostPadding(const Dims& padding) noexcept { mImpl->setPostPadding(padding); }
  Dims getPostPadding() const noexcept { return mImpl->getPostPadding(); }
  void setPaddingMode(PaddingMode paddingMode) noexcept { mImpl->setPaddingMode(paddingMode); }
  PaddingMode getPaddingMode() const noexcept { return mImpl->getPaddingMode(); }
  void setKernelSizeNd(const Dims& kernelSize) noexcept { mImpl->setKernelSizeNd(kernelSize); }
  Dims getKernelSizeNd() const noexcept { return mImpl->getKernelSizeNd(); }
  void setStrideNd(const Dims& stride) noexcept { mImpl->setStrideNd(stride); }
  Dims getStrideNd() const noexcept { return mImpl->getStrideNd(); }
  void setPaddingNd(const Dims& padding) noexcept { mImpl->setPaddingNd(padding); }
  Dims getPaddingNd() const noexcept { return mImpl->getPaddingNd(); }
  void setDilationNd(const Dims& dilation) noexcept { mImpl->setDilationNd(dilation); }
  Dims getDilationNd() const noexcept { return mImpl->getDilationNd(); }

  // 8.x
  void setKernelSize(DimsHW size) noexcept { setKernelSizeNd(size); }
  DimsHW getKernelSize() const noexcept {
    const Dims size = getKernelSizeNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }
  void setStride(DimsHW size) noexcept { setStrideNd(size); }
  DimsHW getStride() const noexcept {
    const Dims size = getStrideNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }
  void setPadding(DimsHW size) noexcept { setPaddingNd(size); }
  DimsHW getPadding() const noexcept {
    const Dims size = getPaddingNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }
  void setDilation(DimsHW size) noexcept { setDilationNd(size); }
  DimsHW getDilation() const noexcept {
    const Dims size = getDilationNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }

 protected:
  apiv::VConvolutionLayer* mImpl = nullptr;
};

// A function of each element.
class IActivationLayer : public ILayer {
 public:
  ~IActivationLayer() noexcept override = default;

 public:
  void setActivationType(ActivationType type) noexcept { mImpl->setActivationType(type); }
  ActivationType getActivationType() const noexcept { return mImpl->getActivationType(); }
  void setAlpha(float alpha) noexcept { mImpl->setAlpha(alpha); }
  void setBeta(float beta) noexcept { mImpl->setBeta(beta); }
  float getAlpha() const noexcept { return mImpl->getAlpha(); }
  float getBeta() const noexcept { return mImpl->getBeta(); }

 protected:
  apiv::VActivationLayer* mImpl = nullptr;
};

// Maximum or mean over windows.
class IPoolingLayer : public ILayer {
 public:
  ~IPoolingLayer() noexcept override = default;

 public:
  void setPoolingType(PoolingType type) noexcept { mImpl->setPoolingType(type); }
  PoolingType getPoolingType() const noexcept { return mImpl->getPoolingType(); }
  void setBlendFactor(float blendFactor) noexcept { mImpl->setBlendFactor(blendFactor); }
  float getBlendFactor() const noexcept { return mImpl->getBlendFactor(); }
  void setAverageCountExcludesPadding(bool exclusive) noexcept {
    mImpl->setAverageCountExcludesPadding(exclusive);
  }
  bool getAverageCountExcludesPadding() const noexcept {
    return mImpl->getAverageCountExcludesPadding();
  }
  void setPrePadding(const Dims& padding) noexcept { mImpl->setPrePadding(padding); }
  Dims getPrePadding() const noexcept { return mImpl->getPrePadding(); }
  void setPostPadding(const Dims& padding) noexcept { mImpl->setPostPadding(padding); }
  Dims getPostPadding() const noexcept { return mImpl->getPostPadding(); }
  void setPaddingMode(PaddingMode paddingMode) noexcept { mImpl->setPaddingMode(paddingMode); }
  PaddingMode getPaddingMode() const noexcept { return mImpl->getPaddingMode(); }
  void setWindowSizeNd(const Dims& windowSize) noexcept { mImpl->setWindowSizeNd(windowSize); }
  Dims getWindowSizeNd() const noexcept { return mImpl->getWindowSizeNd(); }
  void setStrideNd(const Dims& stride) noexcept { mImpl->setStrideNd(stride); }
  Dims getStrideNd() const noexcept { return mImpl->getStrideNd(); }
  void setPaddingNd(const Dims& padding) noexcept { mImpl->setPaddingNd(padding); }
  Dims getPaddingNd() const noexcept { return mImpl->getPaddingNd(); }

  // 8.x
  void setWindowSize(DimsHW size) noexcept { setWindowSizeNd(size); }
  DimsHW getWindowSize() const noexcept {
    const Dims size = getWindowSizeNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }
  void setStride(DimsHW size) noexcept { setStrideNd(size); }
  DimsHW getStride() const noexcept {
    const Dims size = getStrideNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }
  void setPadding(DimsHW size) noexcept { setPaddingNd(size); }
  DimsHW getPadding() const noexcept {
    const Dims size = getPaddingNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }

 protected:
  apiv::VPoolingLayer* mImpl = nullptr;
};

// Local response normalisation.
class ILRNLayer : public ILayer {
 public:
  ~ILRNLayer() noexcept override = default;

 public:
  void setWindowSize(int64_t windowSize) noexcept { mImpl->setWindowSize(windowSize); }
  int64_t getWindowSize() const noexcept { return mImpl->getWindowSize(); }
  void setAlpha(float alpha) noexcept { mImpl->setAlpha(alpha); }
  float getAlpha() const noexcept { return mImpl->getAlpha(); }
  void setBeta(float beta) noexcept { mImpl->setBeta(beta); }
  float getBeta() const noexcept { return mImpl->getBeta(); }
  void setK(float k) noexcept { mImpl->setK(k); }
  float getK() const noexcept { return mImpl->getK(); }

 protected:
  apiv::VLRNLayer* mImpl = nullptr;
};

// (x * scale + shift) ^ power.
class IScaleLayer : public ILayer {
 public:
  ~IScaleLayer() noexcept override = default;

 public:
  void setMode(ScaleMode mode) noexcept { mImpl->setMode(mode); }
  ScaleMode getMode() const noexcept { return mImpl->getMode(); }
  void setShift(Weights shift) noexcept { mImpl->setShift(shift); }
  Weights getShift() const noexcept { return mImpl->getShift(); }
  void setScale(Weights scale) noexcept { mImpl->setScale(scale); }
  Weights getScale() const noexcept { return mImpl->getScale(); }
  void setPower(Weights power) noexcept { mImpl->setPower(power); }
  Weights getPower() const noexcept { return mImpl->getPower(); }
  int32_t getChannelAxis() const noexcept { return mImpl->getChannelAxis(); }
  void setChannelAxis(int32_t channelAxis) noexcept { mImpl->setChannelAxis(channelAxis); }

 protected:
  apiv::VScaleLayer* mImpl = nullptr;
};

// Softmax along one axis.
class ISoftMaxLayer : public ILayer {
 public:
  ~ISoftMaxLayer() noexcept override = default;

 public:
  void setAxes(uint32_t axes) noexcept { mImpl->setAxes(axes); }
  uint32_t getAxes() const noexcept { return mImpl->getAxes(); }

 protected:
  apiv::VSoftMaxLayer* mImpl = nullptr;
};

// Joins tensors along an axis.
class IConcatenationLayer : public ILayer {
 public:
  ~IConcatenationLayer() noexcept override = default;

 public:
  void setAxis(int32_t axis) noexcept { mImpl->setAxis(axis); }
  int32_t getAxis() const noexcept { return mImpl->getAxis(); }

 protected:
  apiv::VConcatenationLayer* mImpl = nullptr;
};

// Transposed convolution.
class IDeconvolutionLayer : public ILayer {
 public:
  ~IDeconvolutionLayer() noexcept override = default;

 public:
  void setNbOutputMaps(int64_t nbOutputMaps) noexcept { mImpl->setNbOutputMaps(nbOutputMaps); }
  int64_t getNbOutputMaps() const noexcept { return mImpl->getNbOutputMaps(); }
  void setNbGroups(int64_t nbGroups) noexcept { mImpl->setNbGroups(nbGroups); }
  int64_t getNbGroups() const noexcept { return mImpl->getNbGroups(); }
  void setKernelWeights(Weights weights) noexcept { mImpl->setKernelWeights(weights); }
  Weights getKernelWeights() const noexcept { return mImpl->getKernelWeights(); }
  void setBiasWeights(Weights weights) noexcept { mImpl->setBiasWeights(weights); }
  Weights getBiasWeights() const noexcept { return mImpl->getBiasWeights(); }
  void setPrePadding(const Dims& padding) noexcept { mImpl->setPrePadding(padding); }
  Dims getPrePadding() const noexcept { return mImpl->getPrePadding(); }
  void setPostPadding(const Dims& padding) noexcept { mImpl->setPostPadding(padding); }
  Dims getPostPadding() const noexcept { return mImpl->getPostPadding(); }
  void setPaddingMode(PaddingMode paddingMode) noexcept { mImpl->setPaddingMode(paddingMode); }
  PaddingMode getPaddingMode() const noexcept { return mImpl->getPaddingMode(); }
  void setKernelSizeNd(const Dims& kernelSize) noexcept { mImpl->setKernelSizeNd(kernelSize); }
  Dims getKernelSizeNd() const noexcept { return mImpl->getKernelSizeNd(); }
  void setStrideNd(const Dims& stride) noexcept { mImpl->setStrideNd(stride); }
  Dims getStrideNd() const noexcept { return mImpl->getStrideNd(); }
  void setPaddingNd(const Dims& padding) noexcept { mImpl->setPaddingNd(padding); }
  Dims getPaddingNd() const noexcept { return mImpl->getPaddingNd(); }
  void setDilationNd(const Dims& dilation) noexcept { mImpl->setDilationNd(dilation); }
  Dims getDilationNd() const noexcept { return mImpl->getDilationNd(); }

  // 8.x
  void setKernelSize(DimsHW size) noexcept { setKernelSizeNd(size); }
  DimsHW getKernelSize() const noexcept {
    const Dims size = getKernelSizeNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }
  void setStride(DimsHW size) noexcept { setStrideNd(size); }
  DimsHW getStride() const noexcept {
    const Dims size = getStrideNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }
  void setPadding(DimsHW size) noexcept { setPaddingNd(size); }
  DimsHW getPadding() const noexcept {
    const Dims size = getPaddingNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }

 protected:
  apiv::VDeconvolutionLayer* mImpl = nullptr;
};

// A function of the elements of two tensors, with broadcasting of equal ranks.
class IElementWiseLayer : public ILayer {
 public:
  ~IElementWiseLayer() noexcept override = default;

 public:
  void setOperation(ElementWiseOperation op) noexcept { mImpl->setOperation(op); }
  ElementWiseOperation getOperation() const noexcept { return mImpl->getOperation(); }

 protected:
  apiv::VElementWiseLayer* mImpl = nullptr;
};

// Picks slices or elements by indices.
class IGatherLayer : public ILayer {
 public:
  ~IGatherLayer() noexcept override = default;

 public:
  void setGatherAxis(int32_t axis) noexcept { mImpl->setGatherAxis(axis); }
  int32_t getGatherAxis() const noexcept { return mImpl->getGatherAxis(); }
  void setNbElementWiseDims(int32_t elementWiseDims) noexcept {
    mImpl->setNbElementWiseDims(elementWiseDims);
  }
  int32_t getNbElementWiseDims() const noexcept { return mImpl->getNbElementWiseDims(); }
  void setMode(GatherMode mode) noexcept { mImpl->setMode(mode); }
  GatherMode getMode() const noexcept { return mImpl->getMode(); }

 protected:
  apiv::VGatherLayer* mImpl = nullptr;
};

// A plugin of the old style.
class IPluginV2Layer : public ILayer {
 public:
  ~IPluginV2Layer() noexcept override = default;

 public:
  IPluginV2& getPlugin() noexcept { return mImpl->getPlugin(); }

 protected:
  apiv::VPluginV2Layer* mImpl = nullptr;
};

// A plugin.
class IPluginV3Layer : public ILayer {
 public:
  ~IPluginV3Layer() noexcept override = default;

 public:
  IPluginV3& getPlugin() noexcept { return mImpl->getPlugin(); }

 protected:
  apiv::VPluginV3Layer* mImpl = nullptr;
};

// A function of each element.
class IUnaryLayer : public ILayer {
 public:
  ~IUnaryLayer() noexcept override = default;

 public:
  void setOperation(UnaryOperation op) noexcept { mImpl->setOperation(op); }
  UnaryOperation getOperation() const noexcept { return mImpl->getOperation(); }

 protected:
  apiv::VUnaryLayer* mImpl = nullptr;
};

// Reduction over a mask of axes.
class IReduceLayer : public ILayer {
 public:
  ~IReduceLayer() noexcept override = default;

 public:
  void setOperation(ReduceOperation op) noexcept { mImpl->setOperation(op); }
  ReduceOperation getOperation() const noexcept { return mImpl->getOperation(); }
  void setReduceAxes(uint32_t reduceAxes) noexcept { mImpl->setReduceAxes(reduceAxes); }
  uint32_t getReduceAxes() const noexcept { return mImpl->getReduceAxes(); }
  void setKeepDimensions(bool keepDimensions) noexcept { mImpl->setKeepDimensions(keepDimensions); }
  bool getKeepDimensions() const noexcept { return mImpl->getKeepDimensions(); }

 protected:
  apiv::VReduceLayer* mImpl = nullptr;
};

// Zero padding or cropping of the last two dims.
class IPaddingLayer : public ILayer {
 public:
  ~IPaddingLayer() noexcept override = default;

 public:
  void setPrePaddingNd(const Dims& padding) noexcept { mImpl->setPrePaddingNd(padding); }
  Dims getPrePaddingNd() const noexcept { return mImpl->getPrePaddingNd(); }
  void setPostPaddingNd(const Dims& padding) noexcept { mImpl->setPostPaddingNd(padding); }
  Dims getPostPaddingNd() const noexcept { return mImpl->getPostPaddingNd(); }

  // 8.x
  void setPrePadding(DimsHW size) noexcept { setPrePaddingNd(size); }
  DimsHW getPrePadding() const noexcept {
    const Dims size = getPrePaddingNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }
  void setPostPadding(DimsHW size) noexcept { setPostPaddingNd(size); }
  DimsHW getPostPadding() const noexcept {
    const Dims size = getPostPaddingNd();
    return size.nbDims == 2 ? DimsHW(size.d[0], size.d[1]) : DimsHW();
  }

 protected:
  apiv::VPaddingLayer* mImpl = nullptr;
};

// Output dim i is input dim order[i].
struct Permutation {
  int32_t order[Dims::MAX_DIMS];
};

// Transpose, reshape, transpose.
class IShuffleLayer : public ILayer {
 public:
  ~IShuffleLayer() noexcept override = default;

 public:
  void setFirstTranspose(Permutation permutation) noexcept {
    mImpl->setFirstTranspose(permutation);
  }
  Permutation getFirstTranspose() const noexcept { return mImpl->getFirstTranspose(); }
  void setReshapeDimensions(const Dims& dimensions) noexcept {
    mImpl->setReshapeDimensions(dimensions);
  }
  Dims getReshapeDimensions() const noexcept { return mImpl->getReshapeDimensions(); }
  void setSecondTranspose(Permutation permutation) noexcept {
    mImpl->setSecondTranspose(permutation);
  }
  Permutation getSecondTranspose() const noexcept { return mImpl->getSecondTranspose(); }
  void setZeroIsPlaceholder(bool zeroIsPlaceholder) noexcept {
    mImpl->setZeroIsPlaceholder(zeroIsPlaceholder);
  }
  bool getZeroIsPlaceholder() const noexcept { return mImpl->getZeroIsPlaceholder(); }

 protected:
  apiv::VShuffleLayer* mImpl = nullptr;
};

// Start, size and stride along each axis.
class ISliceLayer : public ILayer {
 public:
  ~ISliceLayer() noexcept override = default;

 public:
  void setStart(const Dims& start) noexcept { mImpl->setStart(start); }
  Dims getStart() const noexcept { return mImpl->getStart(); }
  void setSize(const Dims& size) noexcept { mImpl->setSize(size); }
  Dims getSize() const noexcept { return mImpl->getSize(); }
  void setStride(const Dims& stride) noexcept { mImpl->setStride(stride); }
  Dims getStride() const noexcept { return mImpl->getStride(); }
  void setMode(SampleMode mode) noexcept { mImpl->setMode(mode); }
  SampleMode getMode() const noexcept { return mImpl->getMode(); }
  void setAxes(const Dims& axes) noexcept { mImpl->setAxes(axes); }
  Dims getAxes() const noexcept { return mImpl->getAxes(); }

 protected:
  apiv::VSliceLayer* mImpl = nullptr;
};

// The sizes of its input as a tensor.
class IShapeLayer : public ILayer {
 public:
  ~IShapeLayer() noexcept override = default;

 protected:
  apiv::VShapeLayer* mImpl = nullptr;
};

// The k largest or smallest along an axis: values and indices.
class ITopKLayer : public ILayer {
 public:
  ~ITopKLayer() noexcept override = default;

 public:
  void setOperation(TopKOperation op) noexcept { mImpl->setOperation(op); }
  TopKOperation getOperation() const noexcept { return mImpl->getOperation(); }
  void setK(int32_t k) noexcept { mImpl->setK(k); }
  int32_t getK() const noexcept { return mImpl->getK(); }
  void setReduceAxes(uint32_t reduceAxes) noexcept { mImpl->setReduceAxes(reduceAxes); }
  uint32_t getReduceAxes() const noexcept { return mImpl->getReduceAxes(); }
  bool setIndicesType(DataType type) noexcept { return mImpl->setIndicesType(type); }
  DataType getIndicesType() const noexcept { return mImpl->getIndicesType(); }

 protected:
  apiv::VTopKLayer* mImpl = nullptr;
};

// Product of matrices or vectors, batched.
class IMatrixMultiplyLayer : public ILayer {
 public:
  ~IMatrixMultiplyLayer() noexcept override = default;

 public:
  void setOperation(int32_t index, MatrixOperation op) noexcept { mImpl->setOperation(index, op); }
  MatrixOperation getOperation(int32_t index) const noexcept { return mImpl->getOperation(index); }

 protected:
  apiv::VMatrixMultiplyLayer* mImpl = nullptr;
};

// Indices of elements that are not zero.
class INonZeroLayer : public ILayer {
 public:
  ~INonZeroLayer() noexcept override = default;

 public:
  bool setIndicesType(DataType type) noexcept { return mImpl->setIndicesType(type); }
  DataType getIndicesType() const noexcept { return mImpl->getIndicesType(); }

 protected:
  apiv::VNonZeroLayer* mImpl = nullptr;
};

// Softmax over rows of different lengths.
class IRaggedSoftMaxLayer : public ILayer {
 public:
  ~IRaggedSoftMaxLayer() noexcept override = default;

 protected:
  apiv::VRaggedSoftMaxLayer* mImpl = nullptr;
};

// Copies its input.
class IIdentityLayer : public ILayer {
 public:
  ~IIdentityLayer() noexcept override = default;

 protected:
  apiv::VIdentityLayer* mImpl = nullptr;
};

// Changes the type of elements.
class ICastLayer : public ILayer {
 public:
  ~ICastLayer() noexcept override = default;

 public:
  void setToType(DataType toType) noexcept { mImpl->setToType(toType); }
  DataType getToType() const noexcept { return mImpl->getToType(); }

 protected:
  apiv::VCastLayer* mImpl = nullptr;
};

// A tensor known when building.
class IConstantLayer : public ILayer {
 public:
  ~IConstantLayer() noexcept override = default;

 public:
  void setWeights(Weights weights) noexcept { mImpl->setWeights(weights); }
  Weights getWeights() const noexcept { return mImpl->getWeights(); }
  void setDimensions(const Dims& dimensions) noexcept { mImpl->setDimensions(dimensions); }
  Dims getDimensions() const noexcept { return mImpl->getDimensions(); }

 protected:
  apiv::VConstantLayer* mImpl = nullptr;
};

// x for x > 0, slope * x else.
class IParametricReLULayer : public ILayer {
 public:
  ~IParametricReLULayer() noexcept override = default;

 protected:
  apiv::VParametricReLULayer* mImpl = nullptr;
};

// Resamples along each axis.
class IResizeLayer : public ILayer {
 public:
  ~IResizeLayer() noexcept override = default;

 public:
  void setOutputDimensions(const Dims& dimensions) noexcept {
    mImpl->setOutputDimensions(dimensions);
  }
  Dims getOutputDimensions() const noexcept { return mImpl->getOutputDimensions(); }
  void setScales(const float* scales, int32_t nbScales) noexcept {
    mImpl->setScales(scales, nbScales);
  }
  int32_t getScales(int32_t size, float* scales) const noexcept {
    return mImpl->getScales(size, scales);
  }
  void setResizeMode(InterpolationMode interpolationMode) noexcept {
    mImpl->setResizeMode(interpolationMode);
  }
  InterpolationMode getResizeMode() const noexcept { return mImpl->getResizeMode(); }
  void setCoordinateTransformation(ResizeCoordinateTransformation coordTransform) noexcept {
    mImpl->setCoordinateTransformation(coordTransform);
  }
  ResizeCoordinateTransformation getCoordinateTransformation() const noexcept {
    return mImpl->getCoordinateTransformation();
  }
  void setSelectorForSinglePixel(ResizeSelector selector) noexcept {
    mImpl->setSelectorForSinglePixel(selector);
  }
  ResizeSelector getSelectorForSinglePixel() const noexcept {
    return mImpl->getSelectorForSinglePixel();
  }
  void setNearestRounding(ResizeRoundMode value) noexcept { mImpl->setNearestRounding(value); }
  ResizeRoundMode getNearestRounding() const noexcept { return mImpl->getNearestRounding(); }
  void setCubicCoeff(float A) noexcept { mImpl->setCubicCoeff(A); }
  float getCubicCoeff() const noexcept { return mImpl->getCubicCoeff(); }
  void setExcludeOutside(bool excludeFlag) noexcept { mImpl->setExcludeOutside(excludeFlag); }
  bool getExcludeOutside() const noexcept { return mImpl->getExcludeOutside(); }

  // 8.x
  void setAlignCorners(bool alignCorners) noexcept {
    setCoordinateTransformation(alignCorners ? ResizeCoordinateTransformation::kALIGN_CORNERS
                                             : ResizeCoordinateTransformation::kASYMMETRIC);
  }
  bool getAlignCorners() const noexcept {
    return getCoordinateTransformation() == ResizeCoordinateTransformation::kALIGN_CORNERS;
  }

 protected:
  apiv::VResizeLayer* mImpl = nullptr;
};

// Base of the layers at the edge of a loop.
class ILoopBoundaryLayer : public ILayer {
 public:
  ~ILoopBoundaryLayer() noexcept override = default;

 public:
  ILoop* getLoop() const noexcept { return mBoundary->getLoop(); }

 protected:
  apiv::VLoopBoundaryLayer* mBoundary = nullptr;
};

// Base of the layers at the edge of a conditional.
class IIfConditionalBoundaryLayer : public ILayer {
 public:
  ~IIfConditionalBoundaryLayer() noexcept override = default;

 public:
  IIfConditional* getConditional() const noexcept { return mBoundary->getConditional(); }

 protected:
  apiv::VConditionalBoundaryLayer* mBoundary = nullptr;
};

// The condition of a conditional.
class IConditionLayer : public IIfConditionalBoundaryLayer {
 public:
  ~IConditionLayer() noexcept override = default;

 protected:
  apiv::VConditionLayer* mImpl = nullptr;
};

// Chooses the output of one branch.
class IIfConditionalOutputLayer : public IIfConditionalBoundaryLayer {
 public:
  ~IIfConditionalOutputLayer() noexcept override = default;

 protected:
  apiv::VConditionalOutputLayer* mImpl = nullptr;
};

// An input of the branches.
class IIfConditionalInputLayer : public IIfConditionalBoundaryLayer {
 public:
  ~IIfConditionalInputLayer() noexcept override = default;

 protected:
  apiv::VConditionalInputLayer* mImpl = nullptr;
};

// A conditional.
class IIfConditional : public INoCopy {
 public:
  ~IIfConditional() noexcept override = default;

 public:
  IConditionLayer* setCondition(ITensor& condition) noexcept {
    return mImpl->setCondition(condition);
  }
  IIfConditionalOutputLayer* addOutput(ITensor& trueSubgraphOutput,
                                       ITensor& falseSubgraphOutput) noexcept {
    return mImpl->addOutput(trueSubgraphOutput, falseSubgraphOutput);
  }
  IIfConditionalInputLayer* addInput(ITensor& input) noexcept { return mImpl->addInput(input); }
  void setName(const char* name) noexcept { mImpl->setName(name); }
  const char* getName() const noexcept { return mImpl->getName(); }

 protected:
  apiv::VIfConditional* mImpl = nullptr;
};

// A value carried from one round of a loop to the next.
class IRecurrenceLayer : public ILoopBoundaryLayer {
 public:
  ~IRecurrenceLayer() noexcept override = default;

 protected:
  apiv::VRecurrenceLayer* mImpl = nullptr;
};

// An output of a loop.
class ILoopOutputLayer : public ILoopBoundaryLayer {
 public:
  ~ILoopOutputLayer() noexcept override = default;

 public:
  LoopOutput getLoopOutput() const noexcept { return mImpl->getLoopOutput(); }
  void setAxis(int32_t axis) noexcept { mImpl->setAxis(axis); }
  int32_t getAxis() const noexcept { return mImpl->getAxis(); }

 protected:
  apiv::VLoopOutputLayer* mImpl = nullptr;
};

// How often a loop runs.
class ITripLimitLayer : public ILoopBoundaryLayer {
 public:
  ~ITripLimitLayer() noexcept override = default;

 public:
  TripLimit getTripLimit() const noexcept { return mImpl->getTripLimit(); }

 protected:
  apiv::VTripLimitLayer* mImpl = nullptr;
};

// One slice of a tensor a round.
class IIteratorLayer : public ILoopBoundaryLayer {
 public:
  ~IIteratorLayer() noexcept override = default;

 public:
  void setAxis(int32_t axis) noexcept { mImpl->setAxis(axis); }
  int32_t getAxis() const noexcept { return mImpl->getAxis(); }
  void setReverse(bool reverse) noexcept { mImpl->setReverse(reverse); }
  bool getReverse() const noexcept { return mImpl->getReverse(); }

 protected:
  apiv::VIteratorLayer* mImpl = nullptr;
};

// A loop.
class ILoop : public INoCopy {
 public:
  ~ILoop() noexcept override = default;

 public:
  IRecurrenceLayer* addRecurrence(ITensor& initialValue) noexcept {
    return mImpl->addRecurrence(initialValue);
  }
  ITripLimitLayer* addTripLimit(ITensor& tensor, TripLimit limit) noexcept {
    return mImpl->addTripLimit(tensor, limit);
  }
  IIteratorLayer* addIterator(ITensor& tensor, int32_t axis = 0, bool reverse = false) noexcept {
    return mImpl->addIterator(tensor, axis, reverse);
  }
  ILoopOutputLayer* addLoopOutput(ITensor& tensor, LoopOutput outputKind,
                                  int32_t axis = 0) noexcept {
    return mImpl->addLoopOutput(tensor, outputKind, axis);
  }
  void setName(const char* name) noexcept { mImpl->setName(name); }
  const char* getName() const noexcept { return mImpl->getName(); }

 protected:
  apiv::VLoop* mImpl = nullptr;
};

// Chooses elements by a condition.
class ISelectLayer : public ILayer {
 public:
  ~ISelectLayer() noexcept override = default;

 protected:
  apiv::VSelectLayer* mImpl = nullptr;
};

// Fails unless its input is true.
class IAssertionLayer : public ILayer {
 public:
  ~IAssertionLayer() noexcept override = default;

 public:
  void setMessage(const char* message) noexcept { mImpl->setMessage(message); }
  const char* getMessage() const noexcept { return mImpl->getMessage(); }

 protected:
  apiv::VAssertionLayer* mImpl = nullptr;
};

// A tensor of given sizes: ramp or random.
class IFillLayer : public ILayer {
 public:
  ~IFillLayer() noexcept override = default;

 public:
  void setDimensions(const Dims& dimensions) noexcept { mImpl->setDimensions(dimensions); }
  Dims getDimensions() const noexcept { return mImpl->getDimensions(); }
  void setOperation(FillOperation op) noexcept { mImpl->setOperation(op); }
  FillOperation getOperation() const noexcept { return mImpl->getOperation(); }
  void setAlpha(double alpha) noexcept { mImpl->setAlpha(alpha); }
  double getAlpha() const noexcept { return mImpl->getAlpha(); }
  void setBeta(double beta) noexcept { mImpl->setBeta(beta); }
  double getBeta() const noexcept { return mImpl->getBeta(); }
  void setAlphaInt64(int64_t alpha) noexcept { mImpl->setAlphaInt64(alpha); }
  int64_t getAlphaInt64() const noexcept { return mImpl->getAlphaInt64(); }
  void setBetaInt64(int64_t beta) noexcept { mImpl->setBetaInt64(beta); }
  int64_t getBetaInt64() const noexcept { return mImpl->getBetaInt64(); }
  bool isAlphaBetaInt64() const noexcept { return mImpl->isAlphaBetaInt64(); }
  void setToType(DataType toType) noexcept { mImpl->setToType(toType); }
  DataType getToType() const noexcept { return mImpl->getToType(); }

 protected:
  apiv::VFillLayer* mImpl = nullptr;
};

// Real to quantized values.
class IQuantizeLayer : public ILayer {
 public:
  ~IQuantizeLayer() noexcept override = default;

 public:
  int32_t getAxis() const noexcept { return mImpl->getAxis(); }
  void setAxis(int32_t axis) noexcept { mImpl->setAxis(axis); }
  bool setBlockShape(const Dims& blockShape) noexcept { return mImpl->setBlockShape(blockShape); }
  Dims getBlockShape() const noexcept { return mImpl->getBlockShape(); }
  void setToType(DataType toType) noexcept { mImpl->setToType(toType); }
  DataType getToType() const noexcept { return mImpl->getToType(); }

 protected:
  apiv::VQuantizeLayer* mImpl = nullptr;
};

// Quantized to real values.
class IDequantizeLayer : public ILayer {
 public:
  ~IDequantizeLayer() noexcept override = default;

 public:
  int32_t getAxis() const noexcept { return mImpl->getAxis(); }
  void setAxis(int32_t axis) noexcept { mImpl->setAxis(axis); }
  bool setBlockShape(const Dims& blockShape) noexcept { return mImpl->setBlockShape(blockShape); }
  Dims getBlockShape() const noexcept { return mImpl->getBlockShape(); }
  void setToType(DataType toType) noexcept { mImpl->setToType(toType); }
  DataType getToType() const noexcept { return mImpl->getToType(); }

 protected:
  apiv::VDequantizeLayer* mImpl = nullptr;
};

// Quantization with scales computed while running.
class IDynamicQuantizeLayer : public ILayer {
 public:
  ~IDynamicQuantizeLayer() noexcept override = default;

 public:
  void setToType(DataType toType) noexcept { mImpl->setToType(toType); }
  DataType getToType() const noexcept { return mImpl->getToType(); }
  void setScaleType(DataType scaleType) noexcept { mImpl->setScaleType(scaleType); }
  DataType getScaleType() const noexcept { return mImpl->getScaleType(); }
  void setAxis(int32_t axis) noexcept { mImpl->setAxis(axis); }
  int32_t getAxis() const noexcept { return mImpl->getAxis(); }
  void setBlockSize(int32_t size) noexcept { mImpl->setBlockSize(size); }
  int32_t getBlockSize() const noexcept { return mImpl->getBlockSize(); }
  void setBlockShape(const Dims& blockShape) noexcept { mImpl->setBlockShape(blockShape); }
  Dims getBlockShape() const noexcept { return mImpl->getBlockShape(); }

 protected:
  apiv::VDynamicQuantizeLayer* mImpl = nullptr;
};

// A sum over indices.
class IEinsumLayer : public ILayer {
 public:
  ~IEinsumLayer() noexcept override = default;

 public:
  bool setEquation(const char* equation) noexcept { return mImpl->setEquation(equation); }
  const char* getEquation() const noexcept { return mImpl->getEquation(); }

 protected:
  apiv::VEinsumLayer* mImpl = nullptr;
};

// Writes elements or slices at indices.
class IScatterLayer : public ILayer {
 public:
  ~IScatterLayer() noexcept override = default;

 public:
  void setMode(ScatterMode mode) noexcept { mImpl->setMode(mode); }
  ScatterMode getMode() const noexcept { return mImpl->getMode(); }
  void setAxis(int32_t axis) noexcept { mImpl->setAxis(axis); }
  int32_t getAxis() const noexcept { return mImpl->getAxis(); }

 protected:
  apiv::VScatterLayer* mImpl = nullptr;
};

// One hot vectors.
class IOneHotLayer : public ILayer {
 public:
  ~IOneHotLayer() noexcept override = default;

 public:
  void setAxis(int32_t axis) noexcept { mImpl->setAxis(axis); }
  int32_t getAxis() const noexcept { return mImpl->getAxis(); }

 protected:
  apiv::VOneHotLayer* mImpl = nullptr;
};

// Samples at points of a grid.
class IGridSampleLayer : public ILayer {
 public:
  ~IGridSampleLayer() noexcept override = default;

 public:
  void setInterpolationMode(InterpolationMode mode) noexcept { mImpl->setInterpolationMode(mode); }
  InterpolationMode getInterpolationMode() const noexcept { return mImpl->getInterpolationMode(); }
  void setAlignCorners(bool alignCorners) noexcept { mImpl->setAlignCorners(alignCorners); }
  bool getAlignCorners() const noexcept { return mImpl->getAlignCorners(); }
  bool setSampleMode(SampleMode mode) noexcept { return mImpl->setSampleMode(mode); }
  SampleMode getSampleMode() const noexcept { return mImpl->getSampleMode(); }

 protected:
  apiv::VGridSampleLayer* mImpl = nullptr;
};

// Non-maximum suppression of boxes.
class INMSLayer : public ILayer {
 public:
  ~INMSLayer() noexcept override = default;

 public:
  void setBoundingBoxFormat(BoundingBoxFormat fmt) noexcept { mImpl->setBoundingBoxFormat(fmt); }
  BoundingBoxFormat getBoundingBoxFormat() const noexcept { return mImpl->getBoundingBoxFormat(); }
  void setTopKBoxLimit(int32_t limit) noexcept { mImpl->setTopKBoxLimit(limit); }
  int32_t getTopKBoxLimit() const noexcept { return mImpl->getTopKBoxLimit(); }
  bool setIndicesType(DataType type) noexcept { return mImpl->setIndicesType(type); }
  DataType getIndicesType() const noexcept { return mImpl->getIndicesType(); }

 protected:
  apiv::VNMSLayer* mImpl = nullptr;
};

// Reverses the first n elements of each sequence.
class IReverseSequenceLayer : public ILayer {
 public:
  ~IReverseSequenceLayer() noexcept override = default;

 public:
  void setBatchAxis(int32_t batchAxis) noexcept { mImpl->setBatchAxis(batchAxis); }
  int32_t getBatchAxis() const noexcept { return mImpl->getBatchAxis(); }
  void setSequenceAxis(int32_t sequenceAxis) noexcept { mImpl->setSequenceAxis(sequenceAxis); }
  int32_t getSequenceAxis() const noexcept { return mImpl->getSequenceAxis(); }

 protected:
  apiv::VReverseSequenceLayer* mImpl = nullptr;
};

// Normalisation by mean and variance over a mask of axes.
class INormalizationLayer : public ILayer {
 public:
  ~INormalizationLayer() noexcept override = default;

 public:
  void setEpsilon(float eps) noexcept { mImpl->setEpsilon(eps); }
  float getEpsilon() const noexcept { return mImpl->getEpsilon(); }
  void setAxes(uint32_t axesMask) noexcept { mImpl->setAxes(axesMask); }
  uint32_t getAxes() const noexcept { return mImpl->getAxes(); }
  void setNbGroups(int64_t nbGroups) noexcept { mImpl->setNbGroups(nbGroups); }
  int64_t getNbGroups() const noexcept { return mImpl->getNbGroups(); }
  void setComputePrecision(DataType type) noexcept { mImpl->setComputePrecision(type); }
  DataType getComputePrecision() const noexcept { return mImpl->getComputePrecision(); }
  bool isV2() const noexcept { return mImpl->isV2(); }

 protected:
  apiv::VNormalizationLayer* mImpl = nullptr;
};

// Drops axes of size 1.
class ISqueezeLayer : public ILayer {
 public:
  ~ISqueezeLayer() noexcept override = default;

 protected:
  apiv::VSqueezeLayer* mImpl = nullptr;
};

// Adds axes of size 1.
class IUnsqueezeLayer : public ILayer {
 public:
  ~IUnsqueezeLayer() noexcept override = default;

 protected:
  apiv::VUnsqueezeLayer* mImpl = nullptr;
};

// Running sum along an axis.
class ICumulativeLayer : public ILayer {
 public:
  ~ICumulativeLayer() noexcept override = default;

 public:
  bool setOperation(CumulativeOperation op) noexcept { return mImpl->setOperation(op); }
  CumulativeOperation getOperation() const noexcept { return mImpl->getOperation(); }
  void setExclusive(bool exclusive) noexcept { mImpl->setExclusive(exclusive); }
  bool getExclusive() const noexcept { return mImpl->getExclusive(); }
  void setReverse(bool reverse) noexcept { mImpl->setReverse(reverse); }
  bool getReverse() const noexcept { return mImpl->getReverse(); }

 protected:
  apiv::VCumulativeLayer* mImpl = nullptr;
};

// Base of the layers at the edge of an attention.
class IAttentionBoundaryLayer : public ILayer {
 public:
  ~IAttentionBoundaryLayer() noexcept override = default;

 public:
  IAttention* getAttention() const noexcept { return mBoundary->getAttention(); }

 protected:
  apiv::VAttentionBoundaryLayer* mBoundary = nullptr;
};

// Query, key and value of an attention.
class IAttentionInputLayer : public IAttentionBoundaryLayer {
 public:
  ~IAttentionInputLayer() noexcept override = default;

 protected:
  apiv::VAttentionInputLayer* mImpl = nullptr;
};

// The result of an attention.
class IAttentionOutputLayer : public IAttentionBoundaryLayer {
 public:
  ~IAttentionOutputLayer() noexcept override = default;

 protected:
  apiv::VAttentionOutputLayer* mImpl = nullptr;
};

// Scaled dot product attention.
class IAttention : public INoCopy {
 public:
  ~IAttention() noexcept override = default;

 public:
  bool setNormalizationOperation(AttentionNormalizationOp op) noexcept {
    return mImpl->setNormalizationOperation(op);
  }
  AttentionNormalizationOp getNormalizationOperation() const noexcept {
    return mImpl->getNormalizationOperation();
  }
  bool setMask(ITensor& mask) noexcept { return mImpl->setMask(mask); }
  ITensor* getMask() noexcept { return mImpl->getMask(); }
  bool setCausal(bool isCausal) noexcept { return mImpl->setCausal(isCausal); }
  bool getCausal() const noexcept { return mImpl->getCausal(); }
  bool setDecomposable(bool decomposable) noexcept { return mImpl->setDecomposable(decomposable); }
  bool getDecomposable() const noexcept { return mImpl->getDecomposable(); }
  bool setInput(int32_t index, ITensor& input) noexcept { return mImpl->setInput(index, input); }
  int32_t getNbInputs() const noexcept { return mImpl->getNbInputs(); }
  ITensor* getInput(int32_t index) const noexcept { return mImpl->getInput(index); }
  int32_t getNbOutputs() const noexcept { return mImpl->getNbOutputs(); }
  ITensor* getOutput(int32_t index) const noexcept { return mImpl->getOutput(index); }
  bool setName(const char* name) noexcept { return mImpl->setName(name); }
  const char* getName() const noexcept { return mImpl->getName(); }
  bool setNormalizationQuantizeScale(ITensor& tensor) noexcept {
    return mImpl->setNormalizationQuantizeScale(tensor);
  }
  ITensor* getNormalizationQuantizeScale() const noexcept {
    return mImpl->getNormalizationQuantizeScale();
  }
  bool setNormalizationQuantizeToType(DataType type) noexcept {
    return mImpl->setNormalizationQuantizeToType(type);
  }
  DataType getNormalizationQuantizeToType() const noexcept {
    return mImpl->getNormalizationQuantizeToType();
  }
  bool setMetadata(const char* metadata) noexcept { return mImpl->setMetadata(metadata); }
  const char* getMetadata() const noexcept { return mImpl->getMetadata(); }
  bool setNbRanks(int32_t nbRanks) noexcept { return mImpl->setNbRanks(nbRanks); }
  int32_t getNbRanks() const noexcept { return mImpl->getNbRanks(); }

 protected:
  apiv::VAttention* mImpl = nullptr;
};

// Rotary position embedding.
class IRotaryEmbeddingLayer : public ILayer {
 public:
  ~IRotaryEmbeddingLayer() noexcept override = default;

 public:
  void setInterleaved(bool interleaved) noexcept { mImpl->setInterleaved(interleaved); }
  bool getInterleaved() const noexcept { return mImpl->getInterleaved(); }
  bool setRotaryEmbeddingDim(int32_t rotaryEmbeddingDim) noexcept {
    return mImpl->setRotaryEmbeddingDim(rotaryEmbeddingDim);
  }
  int32_t getRotaryEmbeddingDim() const noexcept { return mImpl->getRotaryEmbeddingDim(); }

 protected:
  apiv::VRotaryEmbeddingLayer* mImpl = nullptr;
};

// Writes new keys or values into a cache.
class IKVCacheUpdateLayer : public ILayer {
 public:
  ~IKVCacheUpdateLayer() noexcept override = default;

 public:
  bool setCacheMode(KVCacheMode cacheMode) noexcept { return mImpl->setCacheMode(cacheMode); }
  KVCacheMode getCacheMode() const noexcept { return mImpl->getCacheMode(); }

 protected:
  apiv::VKVCacheUpdateLayer* mImpl = nullptr;
};

// Mixture of experts.
class IMoELayer : public ILayer {
 public:
  ~IMoELayer() noexcept override = default;

 public:
  void setGatedWeights(ITensor& fcGateWeights, ITensor& fcUpWeights, ITensor& fcDownWeights,
                       MoEActType activationType) noexcept {
    mImpl->setGatedWeights(fcGateWeights, fcUpWeights, fcDownWeights, activationType);
  }
  void setGatedBiases(ITensor& fcGateBiases, ITensor& fcUpBiases, ITensor& fcDownBiases) noexcept {
    mImpl->setGatedBiases(fcGateBiases, fcUpBiases, fcDownBiases);
  }
  void setActivationType(MoEActType activationType) noexcept {
    mImpl->setActivationType(activationType);
  }
  MoEActType getActivationType() const noexcept { return mImpl->getActivationType(); }
  void setQuantizationStatic(ITensor& fcDownActivationScale, DataType dataType) noexcept {
    mImpl->setQuantizationStatic(fcDownActivationScale, dataType);
  }
  void setQuantizationDynamicDblQ(ITensor& fcDownActivationDblQScale, DataType dataType,
                                  const Dims& blockShape, DataType dynQOutputScaleType) noexcept {
    mImpl->setQuantizationDynamicDblQ(fcDownActivationDblQScale, dataType, blockShape,
                                      dynQOutputScaleType);
  }
  void setQuantizationToType(DataType type) noexcept { mImpl->setQuantizationToType(type); }
  DataType getQuantizationToType() const noexcept { return mImpl->getQuantizationToType(); }
  void setQuantizationBlockShape(const Dims& blockShape) noexcept {
    mImpl->setQuantizationBlockShape(blockShape);
  }
  Dims getQuantizationBlockShape() const noexcept { return mImpl->getQuantizationBlockShape(); }
  void setDynQOutputScaleType(DataType type) noexcept { mImpl->setDynQOutputScaleType(type); }
  DataType getDynQOutputScaleType() const noexcept { return mImpl->getDynQOutputScaleType(); }
  void setSwigluParams(float limit, float alpha, float beta) noexcept {
    mImpl->setSwigluParams(limit, alpha, beta);
  }
  void setSwigluParamLimit(float limit) noexcept { mImpl->setSwigluParamLimit(limit); }
  float getSwigluParamLimit() const noexcept { return mImpl->getSwigluParamLimit(); }
  void setSwigluParamAlpha(float alpha) noexcept { mImpl->setSwigluParamAlpha(alpha); }
  float getSwigluParamAlpha() const noexcept { return mImpl->getSwigluParamAlpha(); }
  void setSwigluParamBeta(float beta) noexcept { mImpl->setSwigluParamBeta(beta); }
  float getSwigluParamBeta() const noexcept { return mImpl->getSwigluParamBeta(); }
  void setInput(int32_t index, ITensor& tensor) noexcept { mImpl->setInput(index, tensor); }

 protected:
  apiv::VMoELayer* mImpl = nullptr;
};

// A collective operation between devices.
class IDistCollectiveLayer : public ILayer {
 public:
  ~IDistCollectiveLayer() noexcept override = default;

 protected:
  apiv::VDistCollectiveLayer* mImpl = nullptr;
};

}  // namespace nvinfer1
