// SPDX-License-Identifier: Apache-2.0
// GFLOP/s of convolution layers, by kernel family, against the peak measured beside each layer.
//   conv_bench [--threads N] [--set resnet50|mobilenet|all] [--only TEXT] [--all] [--quick]
// --all prints every tactic, --quick takes the first tactic only. Inputs, outputs and weights
// rotate over several copies, as in a net: what a layer reads is in L3 at best, not in L1.
#include <cstdio>
#include <map>
#include <string>

#include "bench/kernels/bench.h"
#include "targets/cpu/run/loops.h"

namespace tenrec::cpu::bench {
namespace {

struct Layer {
  const char* set;
  int in, out, kernel, stride, size, count;
  bool depthwise, residual;
  int out_size() const { return (size + 2 * (kernel / 2) - kernel) / stride + 1; }
  double gflop() const {
    return 2e-9 * (depthwise ? 1 : in) * out * kernel * kernel * out_size() * out_size();
  }
  std::string name() const {
    char text[64];
    std::snprintf(text, sizeof text, "%d>%d %dx%d s%d %s@%d%s", in, out, kernel, kernel, stride,
                  depthwise ? "dw " : "", size, residual ? " +res" : "");
    return text;
  }
};

std::vector<Layer> layers() {
  const char* r = "resnet50";
  std::vector<Layer> list = {
      {r, 3, 64, 7, 2, 224, 1, false, false}, {r, 64, 64, 1, 1, 56, 1, false, false},
      {r, 64, 64, 3, 1, 56, 3, false, false}, {r, 64, 256, 1, 1, 56, 1, false, false},
      {r, 64, 256, 1, 1, 56, 3, false, true}, {r, 256, 64, 1, 1, 56, 2, false, false}};
  for (int i = 0, c = 128, h = 56, n = 4; i < 3; i++, c *= 2, h /= 2, n = i == 1 ? 6 : 3) {
    list.push_back({r, 2 * c, c, 1, 1, h, 1, false, false});
    list.push_back({r, c, c, 3, 2, h, 1, false, false});
    list.push_back({r, 2 * c, 4 * c, 1, 2, h, 1, false, false});
    list.push_back({r, c, 4 * c, 1, 1, h / 2, n, false, true});
    list.push_back({r, 4 * c, c, 1, 1, h / 2, n - 1, false, false});
    list.push_back({r, c, c, 3, 1, h / 2, n - 1, false, false});
  }
  const char* m = "mobilenet";
  const int depthwise[][4] = {{16, 3, 1, 112}, {64, 3, 2, 112}, {72, 3, 1, 56},  {72, 5, 2, 56},
                              {120, 5, 1, 28}, {240, 3, 2, 28}, {200, 3, 1, 14}, {672, 3, 1, 14},
                              {672, 5, 2, 14}, {960, 5, 1, 7},  {32, 3, 1, 256}, {384, 3, 1, 32}};
  for (const auto& d : depthwise) {
    list.push_back({m, d[0], d[0], d[1], d[2], d[3], 1, true, false});
  }
  const int pointwise[][3] = {{24, 72, 56},  {72, 24, 56},  {40, 120, 28},  {120, 40, 28},
                              {80, 200, 14}, {200, 80, 14}, {112, 672, 14}, {672, 112, 14},
                              {160, 960, 7}, {960, 160, 7}, {32, 192, 64},  {64, 384, 32},
                              {384, 64, 32}};
  for (const auto& p : pointwise) {
    list.push_back({m, p[0], p[1], 1, 1, p[2], 1, false, false});
  }
  return list;
}

struct Result {
  double ms = 1e30;
  std::string tactic;
};

struct Options {
  Isa isa;
  const Threads& threads;
  bool print_all, quick;
};

// Times every tactic in rounds, dropping the hopeless. `run(tactic, set)` runs one on copies `set`.
template <class Tactic>
Result search(const Options& o, const std::vector<Tactic>& list,
              const std::function<std::string(const Tactic&)>& text,
              const std::function<std::function<void(int)>(const Tactic&)>& prepare) {
  const size_t count = o.quick ? 1 : list.size();
  std::vector<double> best(count, 1e30);
  for (int round = 0; round < 4; round++) {
    for (size_t i = 0; i < count; i++) {
      if (round > 0 && best[i] > 1.1 * *std::min_element(best.begin(), best.end())) continue;
      const auto call = prepare(list[i]);
      best[i] = std::min(best[i], time_ms(o.threads, 0.004, 8, call));
    }
  }
  Result r;
  for (size_t i = 0; i < count; i++) {
    if (o.print_all) std::printf("    %s: %.3f ms\n", text(list[i]).c_str(), best[i]);
    if (best[i] < r.ms) r = {best[i], text(list[i])};
  }
  char first[32];
  std::snprintf(first, sizeof first, " (first %.2fx)", best[0] / r.ms);
  r.tactic += first;
  return r;
}

class Runner {
 public:
  Runner(const Layer& l, const Options& o) : l_(l), o_(o) {
    const int block = block_of(o.isa), pad = l.kernel / 2;
    conv_ = {.groups = l.depthwise ? l.in : 1, .in_channels = l.in, .out_channels = l.out};
    conv_.h = conv_.w = {l.size, l.out_size(), l.kernel, l.stride, 1, pad};
    in_view_ = dense_view(l.in, l.size, l.size, block);
    out_view_ = dense_view(l.out, l.out_size(), l.out_size(), block);
    for (unsigned i = 0; i < kSets; i++) {
      in_.emplace_back(static_cast<size_t>(in_view_.image), i);
      out_.emplace_back(static_cast<size_t>(out_view_.image), i);
      residual_.emplace_back(static_cast<size_t>(l.residual ? out_view_.image : 1), i);
    }
  }

  Result direct() {
    ConvDirect p{.conv = conv_, .in = in_view_, .out = out_view_, .residual = out_view_};
    p.has_residual = l_.residual;
    p.activation.kind = Activation::Kind::relu;
    const auto list = conv_direct_tactics(p, o_.isa, o_.threads.count());
    reserve(conv_direct_packed_size(p, list[0], o_.isa));
    return search<ConvDirectTactic>(
        o_, list, [](const auto& t) { return join({t.vectors, t.band, t.chunk, t.by_channel}); },
        [&, p](const auto& t) {
          scratch(conv_direct_scratch_size(p, t, o_.isa, o_.threads.count()));
          return [&, p, t](int n) {
            conv_direct(o_.isa)(p, t,
                                {.in = in(n),
                                 .packed = packed(n),
                                 .residual = residual(n),
                                 .out = out(n),
                                 .scratch = scratch_->get()},
                                o_.threads);
          };
        });
  }

  Result winograd(int outputs) {
    ConvWinograd p{.conv = conv_, .in = in_view_, .out = out_view_};
    p.activation.kind = Activation::Kind::relu;
    auto list = conv_winograd_tactics(p, o_.isa, o_.threads.count());
    std::erase_if(list, [&](const auto& t) { return t.outputs != outputs; });
    reserve(conv_winograd_packed_size(p, list[0], o_.isa));
    return search<ConvWinogradTactic>(
        o_, list, [](const auto& t) { return join({t.outputs, t.vectors, t.band, t.by_channel}); },
        [&, p](const auto& t) {
          scratch(conv_winograd_scratch_size(p, t, o_.isa, o_.threads.count()));
          return [&, p, t](int n) {
            conv_winograd(o_.isa)(
                p, t, {.in = in(n), .packed = packed(n), .out = out(n), .scratch = scratch_->get()},
                o_.threads);
          };
        });
  }

  Result depthwise() {
    ConvDepthwise p{.conv = conv_, .in = in_view_, .out = out_view_};
    p.activation.kind = Activation::Kind::relu;
    reserve(conv_depthwise_packed_size(p, o_.isa));
    return search<ConvDepthwiseTactic>(
        o_, conv_depthwise_tactics(p, o_.isa, o_.threads.count()),
        [](const auto& t) { return join({t.copies, t.pixels}); },
        [&, p](const auto& t) {
          scratch(conv_depthwise_scratch_size(p, t, o_.isa, o_.threads.count()));
          return [&, p, t](int n) {
            conv_depthwise(o_.isa)(
                p, t, {.in = in(n), .packed = packed(n), .out = out(n), .scratch = scratch_->get()},
                o_.threads);
          };
        });
  }

  Result stem() {
    ConvStem p{.conv = conv_, .out = out_view_};
    p.activation.kind = Activation::Kind::relu;
    reserve(conv_stem_packed_size(p, o_.isa));
    return search<ConvStemTactic>(
        o_, conv_stem_tactics(p, o_.isa, o_.threads.count()),
        [](const auto& t) { return join({t.vectors, t.band, t.by_channel}); },
        [&, p](const auto& t) {
          scratch(conv_stem_scratch_size(p, t, o_.isa, o_.threads.count()));
          return [&, p, t](int n) {
            conv_stem(o_.isa)(
                p, t, {.in = in(n), .packed = packed(n), .out = out(n), .scratch = scratch_->get()},
                o_.threads);
          };
        });
  }

 private:
  static constexpr unsigned kSets = 3, kWeights = 8;
  static std::string join(std::initializer_list<int> values) {
    std::string s;
    for (int v : values) s += (s.empty() ? "" : " ") + std::to_string(v);
    return s;
  }
  void reserve(size_t floats) {
    packed_.clear();
    for (unsigned i = 0; i < kWeights; i++) packed_.emplace_back(floats, i);
  }
  void scratch(size_t bytes) { scratch_ = std::make_unique<Memory>(bytes / 4 + 16); }
  const float* in(int n) const { return in_[static_cast<unsigned>(n) % kSets].get(); }
  float* out(int n) const { return out_[static_cast<unsigned>(n) % kSets].get(); }
  const float* residual(int n) const { return residual_[static_cast<unsigned>(n) % kSets].get(); }
  const float* packed(int n) const { return packed_[static_cast<unsigned>(n) % kWeights].get(); }

  Layer l_;
  const Options& o_;
  Conv conv_;
  View in_view_, out_view_;
  std::vector<Memory> in_, out_, residual_, packed_;
  std::unique_ptr<Memory> scratch_;
};

int run(int argc, char** argv) {
  int count = available_threads();
  std::string only, set = "resnet50";
  bool print_all = false, quick = false;
  for (int i = 1; i < argc; i++) {
    const std::string a = argv[i];
    if (a == "--threads" && i + 1 < argc) count = std::atoi(argv[++i]);
    if (a == "--only" && i + 1 < argc) only = argv[++i];
    if (a == "--set" && i + 1 < argc) set = argv[++i];
    if (a == "--all") print_all = true;
    if (a == "--quick") quick = true;
  }
  const Threads threads(count);
  const Options options{best_isa(), threads, print_all, quick};
  std::printf("%s, %d threads\n", to_string(options.isa), count);
  std::printf(
      "| layer | GFLOP | peak | direct ms | of peak | F(2,3) ms | F(4,3) ms | best GFLOP/s | "
      "of peak | best tactic |\n|---|---|---|---|---|---|---|---|---|---|\n");
  struct Sum {
    double gflop = 0, direct = 0, best = 0, ideal = 0;
  };
  std::map<std::string, Sum> classes;
  for (const Layer& l : layers()) {
    if (set != "all" && set != l.set) continue;
    if (l.name().find(only) == std::string::npos) continue;
    const double peak = peak_gflops(options.isa, threads, 0.1);
    Runner runner(l, options);
    Result direct, f2, f4;
    if (l.depthwise) {
      direct = runner.depthwise();
    } else if (l.in < block_of(options.isa)) {
      direct = runner.stem();
    } else {
      direct = runner.direct();
      if (l.kernel == 3 && l.stride == 1) {
        f2 = runner.winograd(2);
        f4 = runner.winograd(4);
      }
    }
    const Result& best = std::min({direct, f2, f4}, [](auto& a, auto& b) { return a.ms < b.ms; });
    const auto ms = [](const Result& r) {
      char text[32];
      std::snprintf(text, sizeof text, "%.3f", r.ms);
      return r.ms < 1e29 ? std::string(text) : std::string("-");
    };
    std::printf("| %s | %.4f | %.0f | %s | %.0f %% | %s | %s | %.1f | %.0f %% | %s |\n",
                l.name().c_str(), l.gflop(), peak, ms(direct).c_str(),
                100e3 * l.gflop() / direct.ms / peak, ms(f2).c_str(), ms(f4).c_str(),
                l.gflop() / best.ms * 1e3, 100e3 * l.gflop() / best.ms / peak, best.tactic.c_str());
    std::fflush(stdout);
    Sum& sum = classes[std::string(l.depthwise ? "depthwise " : "") + std::to_string(l.kernel) +
                       "x" + std::to_string(l.kernel) + " s" + std::to_string(l.stride)];
    sum.gflop += l.gflop() * l.count;
    sum.direct += direct.ms * l.count;
    sum.best += best.ms * l.count;
    sum.ideal += l.gflop() / peak * 1e3 * l.count;
  }
  std::printf(
      "\n| class | GFLOP | direct ms | of peak | best ms | GFLOP/s |\n|---|---|---|---|---|---|\n");
  for (const auto& [name, s] : classes) {
    std::printf("| %s | %.2f | %.2f | %.0f %% | %.2f | %.1f |\n", name.c_str(), s.gflop, s.direct,
                100 * s.ideal / s.direct, s.best, s.gflop / s.best * 1e3);
  }
  return 0;
}

}  // namespace
}  // namespace tenrec::cpu::bench

int main(int argc, char** argv) { return tenrec::cpu::bench::run(argc, argv); }
