// SPDX-License-Identifier: Apache-2.0
// GFLOP/s of every layer shape of ResNet-50 (and any other shape given) against the measured peak.
//   conv_bench [--threads N] [--only TEXT] [--all]      --all prints every tactic
#include <cstdio>
#include <map>
#include <string>

#include "bench/kernels/bench.h"
#include "targets/cpu/run/conv_direct.h"

namespace tenrec::cpu::bench {
namespace {

struct Layer {
  int in, out, kernel, stride, size, count;
  bool residual;
};

std::vector<Layer> resnet50() {
  std::vector<Layer> list = {{64, 64, 1, 1, 56, 1, false},
                             {64, 64, 3, 1, 56, 3, false},
                             {64, 256, 1, 1, 56, 4, true},
                             {256, 64, 1, 1, 56, 2, false}};
  for (int i = 0, c = 128, h = 56, n = 4; i < 3; i++, c *= 2, h /= 2, n = i == 1 ? 6 : 3) {
    list.push_back({2 * c, c, 1, 1, h, 1, false});
    list.push_back({c, c, 3, 2, h, 1, false});
    list.push_back({2 * c, 4 * c, 1, 2, h, 1, false});
    list.push_back({c, 4 * c, 1, 1, h / 2, n, true});
    list.push_back({4 * c, c, 1, 1, h / 2, n - 1, false});
    list.push_back({c, c, 3, 1, h / 2, n - 1, false});
  }
  return list;
}

struct Result {
  double ms = 1e30;
  std::string tactic;
};

// Inputs and outputs rotate over three sets and weights over eight: warm in L3 at best, as in a
// net.
Result run_direct(const Layer& l, Isa isa, const Threads& threads, bool print_all) {
  const int block = block_of(isa),
            out_size = (l.size + 2 * (l.kernel / 2) - l.kernel) / l.stride + 1;
  ConvDirect p;
  p.conv = {.in_channels = l.in, .out_channels = l.out};
  p.conv.h = p.conv.w = {l.size, out_size, l.kernel, l.stride, 1, l.kernel / 2};
  p.in = dense_view(l.in, l.size, l.size, block);
  p.out = p.residual = dense_view(l.out, out_size, out_size, block);
  p.has_residual = l.residual;
  p.activation = Activation::relu;
  std::vector<Memory> in, out, residual, packed;
  for (unsigned i = 0; i < 3; i++) {
    in.emplace_back(static_cast<size_t>(p.in.image), i);
    out.emplace_back(static_cast<size_t>(p.out.image), i);
    residual.emplace_back(static_cast<size_t>(p.out.image), i);
  }
  const auto list = conv_direct_tactics(p, isa, threads.count());
  for (unsigned i = 0; i < 8; i++) packed.emplace_back(conv_direct_packed_size(p, list[0], isa), i);
  std::vector<double> best(list.size(), 1e30);
  const auto measure = [&](size_t i, double seconds, int rounds) {
    Memory scratch(conv_direct_scratch_size(p, list[i], isa, threads.count()) / 4 + 16);
    best[i] = std::min(best[i], time_ms(threads, seconds, rounds, [&](int n) {
                         const auto set = static_cast<size_t>(n % 3),
                                    w = static_cast<size_t>(n % 8);
                         conv_direct(isa)(p, list[i],
                                          {in[set].get(),
                                           packed[w].get(),
                                           residual[set].get(),
                                           out[set].get(),
                                           scratch.get(),
                                           {}},
                                          threads);
                       }));
  };
  for (int round = 0; round < 5; round++) {
    for (size_t i = 0; i < list.size(); i++) {
      if (round > 0 && best[i] > 1.15 * *std::min_element(best.begin(), best.end())) continue;
      measure(i, 0.004, 6);
    }
  }
  Result r;
  for (size_t i = 0; i < list.size(); i++) {
    const auto& t = list[i];
    const std::string text = std::to_string(t.vectors) + " " + std::to_string(t.band) + " " +
                             std::to_string(t.chunk) + " " + std::to_string(t.by_channel);
    if (print_all) std::printf("    %s: %.3f ms\n", text.c_str(), best[i]);
    if (best[i] < r.ms) r = {best[i], text};
  }
  char first[32];
  std::snprintf(first, sizeof first, " (first %.2fx)", best[0] / r.ms);
  r.tactic += first;
  return r;
}

int run(int argc, char** argv) {
  int count = available_threads();
  std::string only;
  bool print_all = false;
  for (int i = 1; i < argc; i++) {
    const std::string a = argv[i];
    if (a == "--threads") count = std::atoi(argv[++i]);
    if (a == "--only") only = argv[++i];
    if (a == "--all") print_all = true;
  }
  const Isa isa = best_isa();
  const Threads threads(count);
  std::printf("%s, %d threads\n", to_string(isa), count);
  std::printf(
      "| layer | GFLOP | peak | ms | GFLOP/s | of peak | tactic: vectors band chunk by_channel "
      "|\n");
  std::printf("|---|---|---|---|---|---|---|\n");
  std::map<std::string, std::pair<double, double>> classes;
  for (const Layer& l : resnet50()) {
    char name[64];
    std::snprintf(name, sizeof name, "%d>%d %dx%d s%d @%d%s", l.in, l.out, l.kernel, l.kernel,
                  l.stride, l.size, l.residual ? " +res" : "");
    if (std::string(name).find(only) == std::string::npos) continue;
    const int out_size = (l.size + 2 * (l.kernel / 2) - l.kernel) / l.stride + 1;
    const double gflop = 2e-9 * l.in * l.out * l.kernel * l.kernel * out_size * out_size;
    const double peak = peak_gflops(isa, threads, 0.05);
    const Result r = run_direct(l, isa, threads, print_all);
    std::printf("| %s | %.4f | %.0f | %.3f | %.1f | %.0f %% | %s |\n", name, gflop, peak, r.ms,
                gflop / r.ms * 1e3, 100 * gflop / r.ms * 1e3 / peak, r.tactic.c_str());
    std::fflush(stdout);
    auto& sum = classes[std::to_string(l.kernel) + "x" + std::to_string(l.kernel) + " s" +
                        std::to_string(l.stride)];
    sum.first += gflop * l.count;
    sum.second += r.ms * l.count;
  }
  for (const auto& [name, sum] : classes) {
    std::printf("%s: %.2f GFLOP, %.2f ms, %.1f GFLOP/s\n", name.c_str(), sum.first, sum.second,
                sum.first / sum.second * 1e3);
  }
  return 0;
}

}  // namespace
}  // namespace tenrec::cpu::bench

int main(int argc, char** argv) { return tenrec::cpu::bench::run(argc, argv); }
