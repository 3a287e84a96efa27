// SPDX-License-Identifier: Apache-2.0
// Compiles the including file once per instruction set; no include guard, on purpose. A file of
// loops looks like this:
//
//   #undef HWY_TARGET_INCLUDE
//   #define HWY_TARGET_INCLUDE "targets/cpu/run/foo.cpp"
//   #include "targets/cpu/run/highway_each.h"
//   #include "targets/cpu/run/simd-inl.h"                       // and other *-inl.h, plain headers
//   HWY_BEFORE_NAMESPACE();
//   namespace tenrec::cpu::HWY_NAMESPACE { void run_foo(...) {...} }
//   HWY_AFTER_NAMESPACE();
//   #if HWY_ONCE
//   namespace tenrec::cpu { FooRun foo(Isa isa) { return TENREC_CPU_PICK(isa, run_foo); } }
//   #endif
//
// Highway's own dispatch asks a global at every call; a Device asks once and keeps the pointers.
#include "targets/cpu/run/highway_settings.h"

#include "hwy/foreach_target.h"

#include "hwy/highway.h"

#ifndef TENREC_CPU_PICK
#if HWY_ARCH_X86
#if (HWY_TARGETS & HWY_AVX2) && (HWY_TARGETS & HWY_SSE4)
#define TENREC_CPU_PICK(isa, fn)                     \
  ((isa) == ::tenrec::cpu::Isa::avx512 ? &N_AVX3::fn \
   : (isa) == ::tenrec::cpu::Isa::avx2 ? &N_AVX2::fn \
                                       : &N_SSE4::fn)
#else
#error "compile for plain x86-64: the instruction set is chosen at run time"
#endif
#else
#define TENREC_CPU_PICK(isa, fn) ((void)(isa), &HWY_NAMESPACE::fn)
#endif
#endif
