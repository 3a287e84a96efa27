// SPDX-License-Identifier: Apache-2.0
// One class a kind of layer: what its table answers. Layers of a parsed network can be read, not
// changed.
#pragma once
#include <string>

#include "api/network.h"

namespace tenrec::trt {

class LayerBase : public nv::apiv::VLayer {
 public:
  LayerBase(Network& network, Node& node, nv::LayerType type);
  nv::LayerType getType() const noexcept override;
  void setName(const char* name) noexcept override;
  const char* getName() const noexcept override;
  int32_t getNbInputs() const noexcept override;
  nv::ITensor* getInput(int32_t index) const noexcept override;
  int32_t getNbOutputs() const noexcept override;
  nv::ITensor* getOutput(int32_t index) const noexcept override;
  void setInput(int32_t index, nv::ITensor& tensor) noexcept override;
  void setPrecision(nv::DataType dataType) noexcept override;
  nv::DataType getPrecision() const noexcept override;
  bool precisionIsSet() const noexcept override;
  void resetPrecision() noexcept override;
  void setOutputType(int32_t index, nv::DataType dataType) noexcept override;
  nv::DataType getOutputType(int32_t index) const noexcept override;
  bool outputTypeIsSet(int32_t index) const noexcept override;
  void resetOutputType(int32_t index) noexcept override;
  void setMetadata(const char* docString) noexcept override;
  const char* getMetadata() const noexcept override;
  bool setNbRanks(int32_t nbRanks) noexcept override;
  int32_t getNbRanks() const noexcept override;

 protected:
  void not_yet(const char* call) const noexcept { network_.report().not_yet(call); }

  Network& network_;
  Node& node_;
  nv::LayerType type_;
  std::string name_, metadata_;
};

class PlainLayer final : public nv::ILayer, public LayerBase {
 public:
  PlainLayer(Network& network, Node& node) : LayerBase(network, node, nv::LayerType::kPLUGIN) {
    mLayer = this;
  }
};

template <class Interface, class Table, nv::LayerType type>
class LayerObject : public Interface, public LayerBase, public Table {
 public:
  LayerObject(Network& network, Node& node) : LayerBase(network, node, type) {
    this->mLayer = this;
    this->mImpl = this;
  }
};

// A parameter held in member `field`, passed by value or by reference.
#define TENREC_PARAMETER(Type, Argument, Name, field)        \
  Type get##Name() const noexcept override { return field; } \
  void set##Name(Argument) noexcept override { not_yet("ILayer::set" #Name); }
#define TENREC_VALUE(Type, Name, field) TENREC_PARAMETER(Type, Type, Name, field)
#define TENREC_DIMS(Name, field) TENREC_PARAMETER(nv::Dims, const nv::Dims&, Name, field)
#define TENREC_FLAG_RESULT(Type, Name, field)                \
  Type get##Name() const noexcept override { return field; } \
  bool set##Name(Type) noexcept override {                   \
    not_yet("ILayer::set" #Name);                            \
    return false;                                            \
  }
#define TENREC_LAYER(Class, KIND)                                                           \
  struct Class final : LayerObject<nv::I##Class, nv::apiv::V##Class, nv::LayerType::KIND> { \
    using LayerObject::LayerObject;

#define TENREC_CONVOLUTION                                                    \
  TENREC_VALUE(int64_t, NbOutputMaps, maps)                                   \
  TENREC_VALUE(int64_t, NbGroups, groups)                                     \
  TENREC_VALUE(nv::Weights, KernelWeights, kernel)                            \
  TENREC_VALUE(nv::Weights, BiasWeights, bias)                                \
  TENREC_DIMS(PrePadding, before)                                             \
  TENREC_DIMS(PostPadding, after)                                             \
  TENREC_VALUE(nv::PaddingMode, PaddingMode, mode)                            \
  TENREC_DIMS(KernelSizeNd, kernel_size)                                      \
  TENREC_DIMS(StrideNd, stride)                                               \
  TENREC_DIMS(PaddingNd, padding)                                             \
  TENREC_DIMS(DilationNd, dilation)                                           \
  int64_t maps = -1, groups = 1;                                              \
  nv::Weights kernel{}, bias{};                                               \
  nv::Dims before{}, after{}, kernel_size{}, stride{}, padding{}, dilation{}; \
  nv::PaddingMode mode = nv::PaddingMode::kEXPLICIT_ROUND_DOWN;

TENREC_LAYER(ConvolutionLayer, kCONVOLUTION)
TENREC_CONVOLUTION
};
TENREC_LAYER(DeconvolutionLayer, kDECONVOLUTION)
TENREC_CONVOLUTION
}
;
TENREC_LAYER(ActivationLayer, kACTIVATION)
TENREC_VALUE(nv::ActivationType, ActivationType, type)
TENREC_VALUE(float, Alpha, alpha)
TENREC_VALUE(float, Beta, beta)
nv::ActivationType type = nv::ActivationType::kRELU;
float alpha = 0, beta = 0;
}
;
TENREC_LAYER(PoolingLayer, kPOOLING)
TENREC_VALUE(nv::PoolingType, PoolingType, type)
TENREC_VALUE(float, BlendFactor, blend)
TENREC_VALUE(bool, AverageCountExcludesPadding, exclusive)
TENREC_DIMS(PrePadding, before)
TENREC_DIMS(PostPadding, after)
TENREC_VALUE(nv::PaddingMode, PaddingMode, mode)
TENREC_DIMS(WindowSizeNd, window)
TENREC_DIMS(StrideNd, stride)
TENREC_DIMS(PaddingNd, padding)
nv::PoolingType type = nv::PoolingType::kMAX;
float blend = 0;
bool exclusive = true;
nv::Dims before{}, after{}, window{}, stride{}, padding{};
nv::PaddingMode mode = nv::PaddingMode::kEXPLICIT_ROUND_DOWN;
}
;
TENREC_LAYER(LRNLayer, kLRN)
TENREC_VALUE(int64_t, WindowSize, window)
TENREC_VALUE(float, Alpha, alpha)
TENREC_VALUE(float, Beta, beta)
TENREC_VALUE(float, K, k)
int64_t window = 1;
float alpha = 0, beta = 0, k = 1;
}
;
TENREC_LAYER(SoftMaxLayer, kSOFTMAX)
TENREC_VALUE(uint32_t, Axes, axes)
uint32_t axes = 0;
}
;
TENREC_LAYER(ConcatenationLayer, kCONCATENATION)
TENREC_VALUE(int32_t, Axis, axis)
int32_t axis = 0;
}
;
TENREC_LAYER(ElementWiseLayer, kELEMENTWISE)
TENREC_VALUE(nv::ElementWiseOperation, Operation, operation)
nv::ElementWiseOperation operation = nv::ElementWiseOperation::kSUM;
}
;
TENREC_LAYER(GatherLayer, kGATHER)
TENREC_VALUE(int32_t, GatherAxis, axis)
TENREC_VALUE(int32_t, NbElementWiseDims, batch_dims)
TENREC_VALUE(nv::GatherMode, Mode, mode)
int32_t axis = 0, batch_dims = 0;
nv::GatherMode mode = nv::GatherMode::kDEFAULT;
}
;
TENREC_LAYER(UnaryLayer, kUNARY)
TENREC_VALUE(nv::UnaryOperation, Operation, operation)
nv::UnaryOperation operation = nv::UnaryOperation::kEXP;
}
;
TENREC_LAYER(ReduceLayer, kREDUCE)
TENREC_VALUE(nv::ReduceOperation, Operation, operation)
TENREC_VALUE(uint32_t, ReduceAxes, axes)
TENREC_VALUE(bool, KeepDimensions, keep)
nv::ReduceOperation operation = nv::ReduceOperation::kSUM;
uint32_t axes = 0;
bool keep = true;
}
;
TENREC_LAYER(ShuffleLayer, kSHUFFLE)
TENREC_PARAMETER(const nv::Permutation&, const nv::Permutation&, FirstTranspose, first)
TENREC_PARAMETER(const nv::Permutation&, const nv::Permutation&, SecondTranspose, second)
TENREC_DIMS(ReshapeDimensions, reshape)
TENREC_VALUE(bool, ZeroIsPlaceholder, zero_is_placeholder)
nv::Permutation first{}, second{};
nv::Dims reshape{};
bool zero_is_placeholder = false;
}
;
TENREC_LAYER(SliceLayer, kSLICE)
TENREC_DIMS(Start, start)
TENREC_DIMS(Size, size)
TENREC_DIMS(Stride, stride)
TENREC_VALUE(nv::SampleMode, Mode, mode)
TENREC_DIMS(Axes, axes)
nv::Dims start{-1, {}}, size{-1, {}}, stride{-1, {}}, axes{-1, {}};
nv::SampleMode mode = nv::SampleMode::kCLAMP;
}
;
TENREC_LAYER(ShapeLayer, kSHAPE)
}
;
TENREC_LAYER(TopKLayer, kTOPK)
TENREC_VALUE(nv::TopKOperation, Operation, operation)
TENREC_VALUE(int32_t, K, k)
TENREC_VALUE(uint32_t, ReduceAxes, axes)
TENREC_FLAG_RESULT(nv::DataType, IndicesType, indices)
nv::TopKOperation operation = nv::TopKOperation::kMAX;
int32_t k = -1;
uint32_t axes = 0;
nv::DataType indices = nv::DataType::kINT64;
}
;
TENREC_LAYER(MatrixMultiplyLayer, kMATRIX_MULTIPLY)
void setOperation(int32_t, nv::MatrixOperation) noexcept override {
  not_yet("IMatrixMultiplyLayer::setOperation");
}
nv::MatrixOperation getOperation(int32_t) const noexcept override {
  return nv::MatrixOperation::kNONE;
}
}
;
TENREC_LAYER(NonZeroLayer, kNON_ZERO)
TENREC_FLAG_RESULT(nv::DataType, IndicesType, indices)
nv::DataType indices = nv::DataType::kINT64;
}
;
TENREC_LAYER(IdentityLayer, kIDENTITY)
}
;
TENREC_LAYER(CastLayer, kCAST)
TENREC_VALUE(nv::DataType, ToType, to)
nv::DataType to = nv::DataType::kFLOAT;
}
;
TENREC_LAYER(ConstantLayer, kCONSTANT)
TENREC_VALUE(nv::Weights, Weights, weights)
TENREC_DIMS(Dimensions, dims)
nv::Weights weights{};
nv::Dims dims{};
}
;
TENREC_LAYER(ParametricReLULayer, kPARAMETRIC_RELU)
}
;
TENREC_LAYER(ResizeLayer, kRESIZE)
TENREC_DIMS(OutputDimensions, output)
void setScales(const float*, int32_t) noexcept override { not_yet("IResizeLayer::setScales"); }
int32_t getScales(int32_t, float*) const noexcept override { return -1; }
TENREC_VALUE(nv::InterpolationMode, ResizeMode, mode)
TENREC_VALUE(nv::ResizeCoordinateTransformation, CoordinateTransformation, coordinate)
TENREC_VALUE(nv::ResizeSelector, SelectorForSinglePixel, selector)
TENREC_VALUE(nv::ResizeRoundMode, NearestRounding, rounding)
TENREC_VALUE(float, CubicCoeff, cubic)
TENREC_VALUE(bool, ExcludeOutside, exclude_outside)
nv::Dims output{};
nv::InterpolationMode mode = nv::InterpolationMode::kNEAREST;
nv::ResizeCoordinateTransformation coordinate = nv::ResizeCoordinateTransformation::kHALF_PIXEL;
nv::ResizeSelector selector = nv::ResizeSelector::kFORMULA;
nv::ResizeRoundMode rounding = nv::ResizeRoundMode::kHALF_UP;
float cubic = -0.75F;
bool exclude_outside = false;
}
;
TENREC_LAYER(SelectLayer, kSELECT)
}
;
TENREC_LAYER(ScatterLayer, kSCATTER)
TENREC_VALUE(nv::ScatterMode, Mode, mode)
TENREC_VALUE(int32_t, Axis, axis)
nv::ScatterMode mode = nv::ScatterMode::kELEMENT;
int32_t axis = 0;
}
;
TENREC_LAYER(EinsumLayer, kEINSUM)
bool setEquation(const char*) noexcept override {
  not_yet("IEinsumLayer::setEquation");
  return false;
}
const char* getEquation() const noexcept override { return equation.c_str(); }
std::string equation;
}
;
TENREC_LAYER(OneHotLayer, kONE_HOT)
TENREC_VALUE(int32_t, Axis, axis)
int32_t axis = -1;
}
;
TENREC_LAYER(GridSampleLayer, kGRID_SAMPLE)
TENREC_VALUE(nv::InterpolationMode, InterpolationMode, mode)
TENREC_VALUE(bool, AlignCorners, align_corners)
TENREC_FLAG_RESULT(nv::SampleMode, SampleMode, padding)
nv::InterpolationMode mode = nv::InterpolationMode::kLINEAR;
bool align_corners = false;
nv::SampleMode padding = nv::SampleMode::kFILL;
}
;
TENREC_LAYER(SqueezeLayer, kSQUEEZE)
}
;
TENREC_LAYER(UnsqueezeLayer, kUNSQUEEZE)
}
;
TENREC_LAYER(CumulativeLayer, kCUMULATIVE)
TENREC_FLAG_RESULT(nv::CumulativeOperation, Operation, operation)
TENREC_VALUE(bool, Exclusive, exclusive)
TENREC_VALUE(bool, Reverse, reverse)
nv::CumulativeOperation operation = nv::CumulativeOperation::kSUM;
bool exclusive = false, reverse = false;
}
;

}  // namespace tenrec::trt
