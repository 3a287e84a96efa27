// SPDX-License-Identifier: Apache-2.0
// The prepare function of every family, one line each; families.cpp gives them their names.
#pragma once
#include "targets/cuda/run/family.h"

namespace tenrec::cuda {

Runner prepare_kernels(const StepSource& source);
Runner prepare_attention_mma(const StepSource& source);
Runner prepare_conv_stem_sm90(const StepSource& source);
Runner prepare_conv_direct(const StepSource& source);
Runner prepare_conv_sm90(const StepSource& source);
Runner prepare_gemm_sm90(const StepSource& source);
Runner prepare_gemm_mma(const StepSource& source);
Runner prepare_cublaslt(const StepSource& source);
Runner prepare_cudnn_conv(const StepSource& source);
Runner prepare_copy(const StepSource& source);
Runner prepare_bodies(const StepSource& source);
Runner prepare_generic(const StepSource& source);
Runner prepare_infer(const StepSource& source);

}  // namespace tenrec::cuda
