// SPDX-License-Identifier: Apache-2.0
// Which vendor libraries' headers this build found: a toolkit has cuBLASLt's, cuDNN's come apart.
#pragma once

#if __has_include(<cublasLt.h>)
#define TENREC_HAS_CUBLASLT 1
#endif
#if __has_include(<cudnn.h>)
#define TENREC_HAS_CUDNN 1
#endif
