// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "targets/cpu/run/conv_direct.h"
#include "targets/cpu/run/conv_params.h"

namespace tenrec::cpu {

// "vectors=2 band=96 chunk=16 by_channel=0"
std::string to_text(const ConvDirectTactic& tactic);
ConvDirectTactic parse_conv_direct_tactic(const std::string& text);  // invalid_engine Error

// Sizes that packing depends on: channels, groups and kernel.
Conv packing_problem(const ConvParams& params);

}  // namespace tenrec::cpu
