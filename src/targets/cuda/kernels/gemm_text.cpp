// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/gemm_text.h"

#include "base/error.h"
#include "targets/cuda/emit.h"

namespace tenrec::cuda {
namespace {

int storage_number(DType type) { return type == DType::f32 ? 0 : type == DType::f16 ? 1 : 2; }

std::string_view type_name(const GemmParams& params) {
  if (params.type == DType::f32) return params.tf32 ? "tf32" : "f32";
  return params.type == DType::f16 ? "f16" : "bf16";
}

// wgmma names each register of its accumulator, so its wrapper is written for one tile width.
std::string mma_text(const GemmParams& params, int n) {
  std::string registers, operands;
  for (int i = 0; i < n / 2; ++i) {
    registers += fmt::format("{}%{}", i ? ", " : "", i);
    operands += fmt::format("{}\"+f\"(d[{}])", i ? ", " : "", i);
  }
  const bool tf32 = params.type == DType::f32;
  const std::string_view type = type_name(params);
  return fmt::format(
      "namespace sm90 {{\n"
      "template <> struct Mma<Type::{0}, {1}> {{\n"
      "  static __device__ __forceinline__ void go(float (&d)[{2}], u64 a, u64 b, int accumulate) "
      "{{\n"
      "    asm volatile(\"{{ .reg .pred p; setp.ne.b32 p, %{5}, 0;\\n\"\n"
      "    \"wgmma.mma_async.sync.aligned.m64n{1}{6}.f32.{0}.{0} {{{7}}}, %{3}, %{4}, {8}; }}\"\n"
      "    : {9} : \"l\"(a), \"l\"(b), \"r\"(accumulate));\n"
      "  }}\n"
      "}};\n"
      "}}\n",
      type, n, n / 2, n / 2, n / 2 + 1, n / 2 + 2, tf32 ? "k8" : "k16", registers,
      tf32 ? "p, 1, 1" : "p, 1, 1, 0, 0", operands);
}

// `indexed`: the functor also loads operands of the output's shape, of any number and type.
std::string epilogue_text(const GemmNode& gemm, bool indexed) {
  const GemmParams& params = gemm.params;
  const bool plain = params.epilogue.nodes.empty();
  std::string text, body = "    return x;\n";
  if (!plain) {
    if (bit_width(params.out_type) <= 16) text = "#define TENREC_NARROW_RESULTS\n";
    text += "#include \"scalar.cuh\"\n" + emit_function(params.epilogue, "epilogue_body");
    std::string arguments = "x";
    for (int64_t i = 0; i < params.channel_operands; ++i) arguments += fmt::format(", c[{}]", i);
    for (int64_t i = 0; i < params.full_operands; ++i) arguments += fmt::format(", f[{}]", i);
    body = fmt::format("    float y;\n    epilogue_body({}, y);\n    return y;\n", arguments);
  }
  text += fmt::format(
      "struct Epilogue {{\n"
      "  static constexpr int channels = {}, full = {}, full_type = {};\n"
      "  static __device__ __forceinline__ float apply(float x, const float* c, const float* f) "
      "{{\n{}  }}\n",
      params.channel_operands, params.full_operands,
      storage_number(gemm.full_types.empty() ? params.out_type : gemm.full_types[0]), body);
  if (indexed) {
    text +=
        "  static __device__ __forceinline__ void load(const void* const* p, long long at, float* "
        "f) {\n";
    for (size_t i = 0; i < gemm.full_types.size(); ++i)
      text += fmt::format("    f[{0}] = element::load<{1}>(p[{0}], at);\n", i,
                          storage_number(gemm.full_types[i]));
    text += "  }\n";
  }
  return text + "};\n";
}

std::string_view flag(bool value) { return value ? "true" : "false"; }

}  // namespace

plan::KernelSource conv_sm90_source(const GemmNode& gemm, const ConvTile& tile, bool im2col) {
  std::string text = "#include \"conv_sm90.cuh\"\n";
  text += mma_text(gemm.params, tile.pixels) + epilogue_text(gemm, false);
  text += fmt::format(
      "using T = sm90::Tile<sm90::Type::{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}>;\n"
      "extern \"C\" __global__ __launch_bounds__(T::threads, T::ctas)\n"
      "void kernel(const __grid_constant__ sm90::Conv p) {{ sm90::conv<T, Epilogue, {}>(p); }}\n",
      type_name(gemm.params), tile.channels, tile.pixels, tile.stages, tile.consumers, tile.share_w,
      tile.share_p, flag(tile.turns != 0), tile.slab_pixels, tile.slabs, tile.ctas, flag(im2col));
  return {"conv_sm90", std::move(text)};
}

plan::KernelSource gemm_sm90_source(const GemmNode& gemm, const SplitTile& tile, bool im2col) {
  std::string text = "#include \"gemm_sm90.cuh\"\n";
  text += mma_text(gemm.params, tile.pixels) + epilogue_text(gemm, false);
  text += fmt::format(
      "using T = sm90::SplitTile<sm90::Type::{}, {}, {}, {}, {}>;\n"
      "extern \"C\" __global__ __launch_bounds__(160)\n"
      "void kernel(const __grid_constant__ sm90::Split p) {{ sm90::split<T, Epilogue, {}>(p); }}\n",
      type_name(gemm.params), tile.channels, tile.pixels, tile.split,
      storage_number(gemm.params.out_type), flag(im2col));
  return {"gemm_sm90", std::move(text)};
}

plan::KernelSource gemm_mma_source(const GemmNode& gemm, const MmaTile& tile) {
  const GemmParams& params = gemm.params;
  const bool conv = params.convolution;
  const int64_t channels = conv ? params.in_channels / params.groups : 0;
  std::string text = "#include \"gemm_mma.cuh\"\n" + epilogue_text(gemm, true);
  text += fmt::format(
      "using C = mma::Config<mma::Type::{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}>;\n"
      "extern \"C\" __global__ __launch_bounds__(C::threads)\n"
      "void kernel(const __grid_constant__ GemmProblem p) {{ mma::gemm_mma<C, Epilogue>(p); }}\n",
      type_name(params), tile.rows, tile.columns, tile.warp_rows, tile.warp_columns, flag(conv),
      channels, conv ? params.kernel.back() : 1, flag(tile.vector_a != 0), flag(tile.vector_b != 0),
      flag(conv && !params.channels_last), flag(!params.constant_b),
      storage_number(params.out_type));
  return {"gemm_mma", std::move(text)};
}

plan::KernelSource conv_direct_source(const GemmNode& gemm, const DirectTile& tile) {
  const GemmParams& params = gemm.params;
  std::string text = "#include \"conv_direct.cuh\"\n" + epilogue_text(gemm, true);
  text += fmt::format(
      "using T = direct::Tile<{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}>;\n"
      "extern \"C\" __global__ __launch_bounds__(T::threads)\n"
      "void kernel(const __grid_constant__ direct::Problem p) {{ "
      "direct::convolve<T, Epilogue>(p); }}\n",
      params.kernel[0], params.kernel[1], params.strides[0], params.dilations[0], tile.rows,
      tile.columns, tile.lanes, tile.warps_y, tile.warps_n, tile.split, tile.depth, tile.stages);
  return {"conv_direct", std::move(text)};
}

}  // namespace tenrec::cuda
