// SPDX-License-Identifier: Apache-2.0
// The matrix product with packed weights, tactic by tactic, as a share of the measured peak.
//
//   gemm_bench [threads] [m n k]...      default: the products of BERT-base, ViT-B and Magika
#include <cstdio>

#include "bench.h"
#include "targets/cpu/run/gemm.h"
#include "targets/cpu/run/gemm_plan.h"

namespace tenrec::cpu::bench {
namespace {

constexpr int copies = 40;  // of weights: as in a model, they come from memory

void measure(int m, int n, int k, const Threads& threads, Isa isa) {
  Gemm gemm;
  gemm.m = m;
  gemm.n = n;
  gemm.k = k;
  gemm.constant_b = true;
  gemm = with_dense_strides(gemm);
  const auto floats = [](int rows, int columns) { return size_t(rows) * size_t(columns); };
  const Memory a(floats(m, k), 2), b(floats(k, n), 3), out(floats(m, n), 4);
  const double work = 2e-9 * m * n * k;
  for (const GemmTactic& tactic : gemm_tactics(gemm, isa, threads.count())) {
    if (tactic.mode != GemmTactic::Mode::prepacked) continue;
    const size_t size = gemm_packed_size(gemm, tactic, isa);
    const Memory packed(size * copies);
    for (int i = 0; i < copies; i++) {
      gemm_pack(gemm, tactic, isa, b.get(), packed.get() + size_t(i) * size);
    }
    const Memory scratch(gemm_scratch_size(gemm, tactic, isa, threads.count()) / sizeof(float) +
                         16);
    GemmBuffers buffers;
    buffers.a = a.get();
    buffers.out = out.get();
    buffers.scratch = scratch.get();
    // Neighbours come and go: the peak of the same moment is the one to compare with.
    double ms = 0, peak = 0, share = 0;
    for (int round = 0; round < 6; round++) {
      const double now_peak = peak_gflops(isa, threads, 0.02);
      const double now_ms = time_ms(threads, 0.02, 2, [&](int index) {
        buffers.b = packed.get() + size_t(index % copies) * size;
        cpu::gemm(isa)(gemm, tactic, buffers, threads);
      });
      if (work / now_ms * 1e3 / now_peak <= share) continue;
      share = work / now_ms * 1e3 / now_peak;
      ms = now_ms;
      peak = now_peak;
    }
    std::printf(
        "%5d x %5d x %5d  %8.3f ms %6.1f of %5.1f GFLOP/s: %3.0f %%  vectors=%d rows=%d columns=%d "
        "chunk=%d by_row=%d\n",
        m, n, k, ms, work / ms * 1e3, peak, share * 100, tactic.vectors, tactic.rows,
        tactic.columns, tactic.chunk, tactic.by_row);
  }
}

}  // namespace
}  // namespace tenrec::cpu::bench

int main(int argc, char** argv) {
  using namespace tenrec::cpu;
  const Threads threads(argc > 1 ? std::atoi(argv[1]) : 1);
  const Isa isa = best_isa();
  std::printf("%s, %d threads\n", to_string(isa), threads.count());
  std::vector<int> sizes{128,  768, 768, 128, 3072, 768, 128, 768,
                         3072, 197, 768, 768, 2048, 64,  257};
  if (argc > 2) sizes.clear();
  for (int i = 2; i < argc; i++) sizes.push_back(std::atoi(argv[i]));
  for (size_t i = 0; i + 3 <= sizes.size(); i += 3) {
    bench::measure(sizes[i], sizes[i + 1], sizes[i + 2], threads, isa);
  }
}
