// SPDX-License-Identifier: Apache-2.0
// Maximum and minimum that give the second operand when one is NaN, or when both are zeros: what
// x86's instructions do. NEON's give the number.
#if defined(TENREC_CPU_EXTREMES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TENREC_CPU_EXTREMES_INL_H_
#undef TENREC_CPU_EXTREMES_INL_H_
#else
#define TENREC_CPU_EXTREMES_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

template <class Vector>
HWY_INLINE Vector larger_or_second(Vector a, Vector b) {
#if HWY_ARCH_X86
  return hwy::HWY_NAMESPACE::Max(a, b);
#else
  return hwy::HWY_NAMESPACE::IfThenElse(hwy::HWY_NAMESPACE::Gt(a, b), a, b);
#endif
}

template <class Vector>
HWY_INLINE Vector smaller_or_second(Vector a, Vector b) {
#if HWY_ARCH_X86
  return hwy::HWY_NAMESPACE::Min(a, b);
#else
  return hwy::HWY_NAMESPACE::IfThenElse(hwy::HWY_NAMESPACE::Lt(a, b), a, b);
#endif
}

}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
