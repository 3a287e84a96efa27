// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/gemm_launch.h"

#include "base/error.h"

namespace tenrec::cuda {
namespace {

CUtensorMapDataType map_type(DType type) {
  switch (type) {
    case DType::f16: return CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
    case DType::bf16: return CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
    default: return CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
  }
}

cuuint64_t unsigned_of(int64_t value) { return static_cast<cuuint64_t>(value); }
int64_t bytes_of(DType type) { return bit_width(type) / 8; }

}  // namespace

void launch(const RunEnvironment& environment, const KernelLaunch& launch, const void* params) {
  void* arguments[] = {const_cast<void*>(params)};
  environment.launcher.launch(launch, arguments);
}

CUfunction step_function(const StepSource& source, size_t i, int shared_bytes) {
  TENREC_CHECK(i < source.step.code.size(), invalid_engine,
               "a step of family \"{}\" with {} device codes", source.step.family,
               source.step.code.size());
  const auto index = static_cast<size_t>(source.step.code[i]);
  return source.environment.gpu.function(source.code[index].bytes, "kernel", shared_bytes);
}

CUtensorMap tiled_map(const Gpu& gpu, DType type, const void* data, int64_t inner, int64_t rows,
                      int64_t row_step, int box_rows) {
  CUtensorMap map;
  const cuuint64_t dims[] = {unsigned_of(inner), unsigned_of(rows)};
  const cuuint64_t steps[] = {unsigned_of(row_step * bytes_of(type))};
  const cuuint32_t box[] = {static_cast<cuuint32_t>(128 / bytes_of(type)),
                            static_cast<cuuint32_t>(box_rows)};
  const cuuint32_t ones[] = {1, 1};
  check(gpu.api().cuTensorMapEncodeTiled(
            &map, map_type(type), 2, const_cast<void*>(data), dims, steps, box, ones,
            CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
            CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
        "describing a tensor to the copy engine");
  return map;
}

CUtensorMap im2col_map(const Gpu& gpu, DType type, const void* data, const GemmSizes& sizes,
                       const Im2col& steps, int box_pixels) {
  CUtensorMap map;
  const int64_t bytes = bytes_of(type);
  const cuuint64_t dims[] = {unsigned_of(steps.channels), unsigned_of(sizes.in_w),
                             unsigned_of(sizes.in_h), unsigned_of(sizes.images)};
  const cuuint64_t strides[] = {unsigned_of(steps.step_w * bytes),
                                unsigned_of(steps.step_h * bytes),
                                unsigned_of(steps.step_image * bytes)};
  // The box holds the positions of the filter's first tap.
  const int lower[] = {static_cast<int>(-sizes.pad_w), static_cast<int>(-sizes.pad_h)};
  const int upper[] = {static_cast<int>(sizes.pad_w_end - (sizes.kernel_w - 1) * sizes.dilation_w),
                       static_cast<int>(sizes.pad_h_end - (sizes.kernel_h - 1) * sizes.dilation_h)};
  const cuuint32_t walk[] = {1, static_cast<cuuint32_t>(sizes.stride_w),
                             static_cast<cuuint32_t>(sizes.stride_h), 1};
  check(gpu.api().cuTensorMapEncodeIm2col(
            &map, map_type(type), 4, const_cast<void*>(data), dims, strides, lower, upper,
            static_cast<cuuint32_t>(128 / bytes), static_cast<cuuint32_t>(box_pixels), walk,
            CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
            CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
        "describing a convolution's input to the copy engine");
  return map;
}

std::string im2col_problem(const GemmParams& params) {
  const size_t rank = params.kernel.size();
  for (size_t i = 0; i < rank; ++i) {
    const int64_t reach = (params.kernel[i] - 1) * params.dilations[i];
    const int64_t lower = -params.pads[i], upper = params.pads[i + rank] - reach;
    if (lower < -128 || lower > 127 || upper < -128 || upper > 127)
      return "padding or reach beyond 128 pixels";
    if (params.strides[i] > 8) return "a stride beyond 8";
    if (reach > 255) return "a reach beyond 255 pixels";
  }
  return "";
}

}  // namespace tenrec::cuda
