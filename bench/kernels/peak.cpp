// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/kernels/peak.cpp"
#include "targets/cpu/run/highway_each.h"

#include "bench/kernels/bench.h"
#include "targets/cpu/run/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

// Floating-point operations done in `rounds` rounds; `sink` keeps the compiler from leaving it out.
double fma_chains(long rounds, float* sink) {
  constexpr int kChains = 12;
  V a[kChains];
  const V x = all(sink[0]), y = all(sink[1]);
  TENREC_UNROLL for (int k = 0; k < kChains; k++) a[k] = all(static_cast<float>(k));
  for (long i = 0; i < rounds; i++) {
    TENREC_UNROLL for (int k = 0; k < kChains; k++) a[k] = fma(a[k], x, y);
  }
  V total = y;
  TENREC_UNROLL for (int k = 0; k < kChains; k++) total = total + a[k];
  store(sink, total);
  return 2.0 * kChains * B * static_cast<double>(rounds);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu::bench {
double peak_gflops(Isa isa, const Threads& threads, double seconds) {
  const auto chains = TENREC_CPU_PICK(isa, fma_chains);
  double best = 0;
  double (*const clock)() = threads.count() == 1 ? &thread_seconds : &now;
  for (double start = now(); now() - start < seconds;) {
    const double t = clock();
    double work = 0;
    std::vector<double> done(static_cast<size_t>(threads.count()), 0);
    threads.parallel(threads.count(), [&](int task, int) {
      float sink[16] = {0.5f, 1.0f};
      done[static_cast<size_t>(task)] = chains(50000, sink);
    });
    for (double d : done) work += d;
    best = std::max(best, work / (clock() - t) / 1e9);
  }
  return best;
}
}  // namespace tenrec::cpu::bench
#endif
