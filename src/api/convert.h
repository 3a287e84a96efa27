// SPDX-License-Identifier: Apache-2.0
// TensorRT's small types and ours.
#pragma once
#include <NvInfer.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tenrec/dtype.h"

namespace tenrec::trt {

namespace nv = nvinfer1;

std::optional<nv::DataType> to_trt(DType dtype);  // none: TensorRT has no such type
std::optional<DType> from_trt(nv::DataType type);
std::string_view name(nv::DataType type);             // "FP32"
std::string describe(std::span<const int64_t> dims);  // "1x3x224x224"

constexpr nv::Dims unknown_dims() { return {-1, {}}; }
nv::Dims to_trt(std::span<const int64_t> dims);  // unknown_dims() above 8 dims
// A usage Error for a number of dims outside 0..8.
std::vector<int64_t> from_trt(const nv::Dims& dims);

}  // namespace tenrec::trt
