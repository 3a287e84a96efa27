// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/isa.h"

#include "targets/cpu/run/highway_settings.h"

#include "hwy/highway.h"

namespace tenrec::cpu {

const char* to_string(Isa isa) {
  switch (isa) {
    case Isa::avx512: return "avx512";
    case Isa::avx2: return "avx2";
    default: return "baseline";
  }
}

bool supported(Isa isa) {
  switch (isa) {
#if HWY_ARCH_X86
    case Isa::avx512: return (hwy::SupportedTargets() & HWY_TARGETS & HWY_AVX3) != 0;
    case Isa::avx2: return (hwy::SupportedTargets() & HWY_TARGETS & HWY_AVX2) != 0;
    default: return (HWY_TARGETS & HWY_SSE4) != 0;
#else
    case Isa::baseline: return true;
    default: return false;
#endif
  }
}

Isa best_isa() {
  for (const Isa isa : {Isa::avx512, Isa::avx2}) {
    if (supported(isa)) return isa;
  }
  return Isa::baseline;
}

}  // namespace tenrec::cpu
