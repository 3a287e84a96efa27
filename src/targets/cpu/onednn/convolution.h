// SPDX-License-Identifier: Apache-2.0
// oneDNN behind our conv and conv_transpose families: which formats, made from the step's
// parameters alone, so that the compiler packs exactly what the runtime will ask for.
#pragma once
#include <dnnl.hpp>
#include <optional>

#include "targets/cpu/onednn/call.h"
#include "targets/cpu/run/conv_params.h"
#include "targets/cpu/run/epilogue.h"

namespace tenrec::cpu {

struct OnednnConvolution {
  dnnl::convolution_forward::primitive_desc description;
  bool fused = false;  // the epilogue is part of the primitive
};

dnnl::memory::desc activation_desc(std::span<const int64_t> dims, int64_t block);  // block 0: plain
dnnl::memory::desc weights_desc(const ConvParams& params, dnnl::memory::format_tag tag);
dnnl::memory::format_tag weights_tag(const std::string& name);  // `undef` for an unknown name

// Null when oneDNN has nothing for it. `weights_format` "": oneDNN's own choice is asked for.
std::optional<OnednnConvolution> onednn_convolution(const ConvParams& params,
                                                    std::span<const int64_t> x,
                                                    std::span<const int64_t> y, int64_t x_block,
                                                    int64_t y_block, bool has_bias);
// The name of the first explicit format that oneDNN runs with one of its fast implementations, ""
// if none.
std::string choose_weights_format(ConvParams params, std::span<const int64_t> x,
                                  std::span<const int64_t> y, int64_t x_block, int64_t y_block,
                                  bool has_bias);

}  // namespace tenrec::cpu
