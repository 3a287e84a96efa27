// SPDX-License-Identifier: Apache-2.0
// Highway's settings, the same in every file: include this before any header of Highway.
#pragma once

#include "targets/cpu/run/isa.h"

// SSE4.2 as x86-64's lowest set: the scalar one would be one more code path that nobody runs.
#define HWY_WANT_SSSE3 1
#define HWY_WANT_SSE4 1
#if defined(__aarch64__)
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#endif
