// SPDX-License-Identifier: Apache-2.0
#pragma once

// Marks what the shared library shows to programs; everything else stays hidden.
#if defined(__GNUC__)
#define TENREC_API __attribute__((visibility("default")))
#else
#define TENREC_API
#endif
