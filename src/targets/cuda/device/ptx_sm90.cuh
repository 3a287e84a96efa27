// SPDX-License-Identifier: Apache-2.0
// Hopper's PTX in small pieces: barriers in shared memory, the copy engine (TMA), wgmma's fences
// and descriptors, for the *_sm90.cuh kernels.
#pragma once

namespace sm90 {

using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;
#define TENREC_DEVICE static __device__ __forceinline__

struct alignas(64) TensorMap {  // CUtensorMap
  u64 opaque[16];
};

TENREC_DEVICE u32 shared_address(const void* p) { return (u32)__cvta_generic_to_shared(p); }

// ---- clusters -----------------------------------------------------------------------------------
TENREC_DEVICE u32 cluster_rank() {
  u32 r;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(r));
  return r;
}
// Not .aligned: single lanes come late.
TENREC_DEVICE void cluster_sync() {
  asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;" ::: "memory");
}
// In two halves, by all threads of the cluster: what came before the first is seen after the
// second.
TENREC_DEVICE void cluster_arrive() {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
TENREC_DEVICE void cluster_wait() {
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
// To the place in block `cta` that `to` is here.
TENREC_DEVICE void store_remote(float* to, float value, u32 cta) {
  asm volatile(
      "{ .reg .b32 r; mapa.shared::cluster.u32 r, %0, %2; st.shared::cluster.f32 [r], %1; }" ::"r"(
          shared_address(to)),
      "f"(value), "r"(cta)
      : "memory");
}

// ---- barriers -----------------------------------------------------------------------------------
TENREC_DEVICE void bar_init(u32 bar, u32 count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(bar), "r"(count) : "memory");
}
TENREC_DEVICE void bar_init_done() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
TENREC_DEVICE void bar_arrive(u32 bar) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(bar) : "memory");
}
// No .release.cluster: it compiles to a membar of the whole GPU (1.6 times slower kernels). Nothing
// was written, only read.
TENREC_DEVICE void bar_arrive_remote(u32 bar, u32 cta) {
  asm volatile(
      "{ .reg .b32 r; mapa.shared::cluster.u32 r, %0, %1;"
      " mbarrier.arrive.shared::cluster.b64 _, [r]; }" ::"r"(bar),
      "r"(cta)
      : "memory");
}
TENREC_DEVICE void bar_expect(u32 bar, u32 bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(bar), "r"(bytes)
               : "memory");
}
// try_wait sleeps in hardware for a while, so this is not a hot spin.
TENREC_DEVICE void bar_wait(u32 bar, u32 parity) {
  asm volatile(
      "{ .reg .pred p;\nAGAIN:\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n"
      "@p bra DONE;\nbra AGAIN;\nDONE: }" ::"r"(bar),
      "r"(parity)
      : "memory");
}
TENREC_DEVICE void named_barrier(int id) { asm volatile("bar.sync %0, 128;" ::"r"(id) : "memory"); }

// ---- the copy engine ----------------------------------------------------------------------------
TENREC_DEVICE void prefetch(const TensorMap& m) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(&m) : "memory");
}
TENREC_DEVICE void load_2d(u32 dst, const TensorMap& m, u32 bar, int x, int y) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%2, %3}], [%4];" ::"r"(dst),
      "l"(&m), "r"(x), "r"(y), "r"(bar)
      : "memory");
}
// Lands at the same offset in every CTA of `mask`.
template <bool multicast>
TENREC_DEVICE void load_2d(u32 dst, const TensorMap& m, u32 bar, int x, int y, u16 mask) {
  if (!multicast) return load_2d(dst, m, bar, x, y);
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
      ".multicast::cluster [%0], [%1, {%2, %3}], [%4], %5;" ::"r"(dst),
      "l"(&m), "r"(x), "r"(y), "r"(bar), "h"(mask)
      : "memory");
}
struct Tap {  // position of a filter tap and of the first pixel that it meets
  int c, w, h, image;
  u16 dw, dh;
};
template <bool multicast>
TENREC_DEVICE void load_im2col(u32 dst, const TensorMap& m, u32 bar, const Tap& t, u16 mask) {
  if (multicast) {
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes"
        ".multicast::cluster [%0], [%1, {%2, %3, %4, %5}], [%6], {%7, %8}, %9;" ::"r"(dst),
        "l"(&m), "r"(t.c), "r"(t.w), "r"(t.h), "r"(t.image), "r"(bar), "h"(t.dw), "h"(t.dh),
        "h"(mask)
        : "memory");
    return;
  }
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%2, %3, %4, %5}], [%6], {%7, %8};" ::"r"(dst),
      "l"(&m), "r"(t.c), "r"(t.w), "r"(t.h), "r"(t.image), "r"(bar), "h"(t.dw), "h"(t.dh)
      : "memory");
}
TENREC_DEVICE void store_2d(const TensorMap& m, u32 src, int x, int y) {
  asm volatile(
      "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%1, %2}], [%3];" ::"l"(&m),
      "r"(x), "r"(y), "r"(src)
      : "memory");
}
TENREC_DEVICE void stores_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
template <int n>
TENREC_DEVICE void stores_read() {
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(n) : "memory");
}
// Plain writes to shared memory that the copy engine or wgmma reads next.
TENREC_DEVICE void fence_async() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// Programmatic launch: let the next kernel's CTAs move in as ours leave; our own inputs are ready
// after the wait. Both do nothing in a kernel that was launched the plain way.
TENREC_DEVICE void launch_dependents() {
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
}
TENREC_DEVICE void wait_for_inputs() { asm volatile("griddepcontrol.wait;" ::: "memory"); }

// ---- wgmma --------------------------------------------------------------------------------------
// Mma<Type, n>::go(float (&d)[n / 2], u64 a, u64 b, int accumulate): m64 x n x 32 bytes of k,
// written by the emitter, since the instruction names each of its registers.
enum class Type { f16, bf16, tf32 };
template <Type type, int n>
struct Mma;

TENREC_DEVICE void mma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
TENREC_DEVICE void mma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int n>
TENREC_DEVICE void mma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(n) : "memory");
}
template <int n>
TENREC_DEVICE void fewer_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(n));
}
template <int n>
TENREC_DEVICE void more_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(n));
}
// Shared-memory matrix: k-major rows of 128 bytes, 128-byte swizzle, 8-row groups 1024 bytes apart.
TENREC_DEVICE u64 descriptor(u32 addr) {
  return (u64)((addr & 0x3ffff) >> 4) | (u64)1 << 16 | (u64)(1024 >> 4) << 32 | (u64)1 << 62;
}

// ---- elements -----------------------------------------------------------------------------------
template <Type type>
TENREC_DEVICE u32 pack(float lo, float hi) {
  u32 r;
  if constexpr (type == Type::f16) asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(hi), "f"(lo));
  else asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(hi), "f"(lo));
  return r;
}
template <Type type>
TENREC_DEVICE float low_part(u32 v) {
  if constexpr (type == Type::bf16) return __uint_as_float(v << 16);
  float f;
  asm("{ .reg .f16 a, b; mov.b32 {a, b}, %1; cvt.f32.f16 %0, a; }" : "=f"(f) : "r"(v));
  return f;
}
template <Type type>
TENREC_DEVICE float high_part(u32 v) {
  if constexpr (type == Type::bf16) return __uint_as_float(v & 0xffff0000u);
  float f;
  asm("{ .reg .f16 a, b; mov.b32 {a, b}, %1; cvt.f32.f16 %0, b; }" : "=f"(f) : "r"(v));
  return f;
}
// Accumulators have channels as rows and pixels as columns; .trans turns 8x8 blocks so that memory
// gets channels innermost.
TENREC_DEVICE void load_matrix_t(u32 (&r)[4], u32 addr) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(addr)
               : "memory");
}
TENREC_DEVICE void store_matrix_t(u32 addr, const u32 (&r)[4]) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(addr),
               "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3])
               : "memory");
}
TENREC_DEVICE float load_shared(u32 addr) {
  float v;
  asm volatile("ld.shared.f32 %0, [%1];" : "=f"(v) : "r"(addr) : "memory");
  return v;
}
TENREC_DEVICE void store_shared(u32 addr, float v) {
  asm volatile("st.shared.f32 [%0], %1;" ::"r"(addr), "f"(v) : "memory");
}

// Position in a ring of `stages` slots; phase is the parity that a consumer waits for. Nobody may
// wait two phases ahead or behind on a parity barrier: it cannot tell that round from the last one.
struct Ring {
  int stages;
  int slot = 0;
  u32 phase = 0;
  __device__ __forceinline__ void advance() {
    if (++slot == stages) slot = 0, phase ^= 1;
  }
  __device__ __forceinline__ void skip(int n) {
    const int to = slot + n;
    slot = to % stages, phase ^= to / stages & 1;
  }
};

}  // namespace sm90
