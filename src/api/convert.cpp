// SPDX-License-Identifier: Apache-2.0
#include "api/convert.h"

#include <array>
#include <utility>

#include "base/error.h"

namespace tenrec::trt {
namespace {

struct TypePair {
  nv::DataType trt;
  DType ours;
  std::string_view name;
};
constexpr std::array types{
    TypePair{nv::DataType::kFLOAT, DType::f32, "FP32"},
    TypePair{nv::DataType::kHALF, DType::f16, "FP16"},
    TypePair{nv::DataType::kINT8, DType::i8, "INT8"},
    TypePair{nv::DataType::kINT32, DType::i32, "INT32"},
    TypePair{nv::DataType::kBOOL, DType::boolean, "BOOL"},
    TypePair{nv::DataType::kUINT8, DType::u8, "UINT8"},
    TypePair{nv::DataType::kFP8, DType::f8e4m3fn, "FP8"},
    TypePair{nv::DataType::kBF16, DType::bf16, "BF16"},
    TypePair{nv::DataType::kINT64, DType::i64, "INT64"},
    TypePair{nv::DataType::kINT4, DType::i4, "INT4"},
    TypePair{nv::DataType::kFP4, DType::f4e2m1, "FP4"},
    TypePair{nv::DataType::kE8M0, DType::f8e8m0, "E8M0"},
};

}  // namespace

std::optional<nv::DataType> to_trt(DType dtype) {
  for (const TypePair& pair : types)
    if (pair.ours == dtype) return pair.trt;
  return std::nullopt;
}

std::optional<DType> from_trt(nv::DataType type) {
  for (const TypePair& pair : types)
    if (pair.trt == type) return pair.ours;
  return std::nullopt;
}

std::string_view name(nv::DataType type) {
  for (const TypePair& pair : types)
    if (pair.trt == type) return pair.name;
  return "unknown type";
}

std::string describe(std::span<const int64_t> dims) {
  return fmt::format("{}", fmt::join(dims, "x"));
}

nv::Dims to_trt(std::span<const int64_t> dims) {
  if (dims.size() > nv::Dims::MAX_DIMS) return unknown_dims();
  nv::Dims result{static_cast<int32_t>(dims.size()), {}};
  for (size_t i = 0; i < dims.size(); ++i) result.d[i] = dims[i];
  return result;
}

std::vector<int64_t> from_trt(const nv::Dims& dims) {
  TENREC_CHECK(dims.nbDims >= 0 && dims.nbDims <= nv::Dims::MAX_DIMS, usage,
               "Dims with nbDims = {}; it must lie in 0..{}", dims.nbDims,
               static_cast<int>(nv::Dims::MAX_DIMS));
  return {dims.d, dims.d + dims.nbDims};
}

}  // namespace tenrec::trt
