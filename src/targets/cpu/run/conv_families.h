// SPDX-License-Identifier: Apache-2.0
// Our convolution families, each as one struct that says how its loops (conv_direct.h, ...) are
// called. One runner (conv_runner.cpp) and one kernel (kernels/conv.cpp) serve them all.
//
// HOW TO ADD ONE: write its loops, then a struct here, a line in conv_runner.cpp and families.cpp,
// and a line in kernels/conv.cpp and list.cpp.
#pragma once
#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fields.h"
#include "targets/cpu/run/conv_depthwise.h"
#include "targets/cpu/run/conv_direct.h"
#include "targets/cpu/run/conv_params.h"
#include "targets/cpu/run/conv_plain.h"
#include "targets/cpu/run/conv_rows.h"
#include "targets/cpu/run/conv_stem.h"
#include "targets/cpu/run/conv_winograd.h"

namespace tenrec::cpu {

// Views of dense blocked tensors for a problem that has them.
template <class Problem>
void set_blocked_views(Problem& p, int block) {
  if constexpr (requires { p.in; }) {
    p.in = dense_view(p.conv.in_channels, p.conv.h.in, p.conv.w.in, block);
  }
  p.out = dense_view(p.conv.out_channels, p.conv.h.out, p.conv.w.out, block);
  if constexpr (requires { p.residual; }) p.residual = p.out;
}

struct DirectFamily {
  using Problem = ConvDirect;
  using Tactic = ConvDirectTactic;
  using Buffers = ConvDirectBuffers;
  static constexpr std::string_view name = "conv_direct";
  static constexpr bool blocked_in = true, blocked_out = true;
  static auto fields(auto& t) {
    return std::tuple{field(1, "vectors", t.vectors), field(2, "band", t.band),
                      field(3, "chunk", t.chunk), field(4, "by_channel", t.by_channel)};
  }
  static bool sane(const Tactic& t) { return t.vectors <= 3 && t.band >= 1 && t.chunk >= 1; }
  static const char* unsupported(const Problem& p, Isa isa) {
    return conv_direct_unsupported(p, isa);
  }
  static auto tactics(const Problem& p, Isa isa, int n) { return conv_direct_tactics(p, isa, n); }
  static size_t packed_size(const Problem& p, const Tactic& t, Isa isa) {
    return conv_direct_packed_size(p, t, isa);
  }
  static void pack(const Problem& p, const Tactic& t, Isa isa, const float* w, const float* bias,
                   float* to) {
    conv_direct_pack(p, t, isa, w, bias, to);
  }
  static size_t scratch_size(const Problem& p, const Tactic& t, Isa isa, int threads) {
    return conv_direct_scratch_size(p, t, isa, threads);
  }
  static auto loops(Isa isa) { return conv_direct(isa); }
};

struct WinogradFamily {
  using Problem = ConvWinograd;
  using Tactic = ConvWinogradTactic;
  using Buffers = ConvWinogradBuffers;
  static constexpr std::string_view name = "conv_winograd";
  static constexpr bool blocked_in = true, blocked_out = true;
  static auto fields(auto& t) {
    return std::tuple{field(1, "outputs", t.outputs), field(2, "vectors", t.vectors),
                      field(3, "band", t.band), field(4, "by_channel", t.by_channel)};
  }
  static bool sane(const Tactic& t) {
    return (t.outputs == 2 || t.outputs == 4) && t.vectors <= 3 && t.band >= 1;
  }
  static const char* unsupported(const Problem& p, Isa isa) {
    return conv_winograd_unsupported(p, isa);
  }
  // F(4,3) is left out: it is 3 to 6 times less exact than direct convolution, and nobody here
  // knows the tolerance of the whole network. F(2,3) is more exact than direct.
  static auto tactics(const Problem& p, Isa isa, int n) {
    auto list = conv_winograd_tactics(p, isa, n);
    std::erase_if(list, [](const Tactic& t) { return t.outputs != 2; });
    return list;
  }
  static size_t packed_size(const Problem& p, const Tactic& t, Isa isa) {
    return conv_winograd_packed_size(p, t, isa);
  }
  static void pack(const Problem& p, const Tactic& t, Isa isa, const float* w, const float* bias,
                   float* to) {
    conv_winograd_pack(p, t, isa, w, bias, to);
  }
  static size_t scratch_size(const Problem& p, const Tactic& t, Isa isa, int threads) {
    return conv_winograd_scratch_size(p, t, isa, threads);
  }
  static auto loops(Isa isa) { return conv_winograd(isa); }
};

struct DepthwiseFamily {
  using Problem = ConvDepthwise;
  using Tactic = ConvDepthwiseTactic;
  using Buffers = ConvDepthwiseBuffers;
  static constexpr std::string_view name = "conv_depthwise";
  static constexpr bool blocked_in = true, blocked_out = true;
  static auto fields(auto& t) {
    return std::tuple{field(1, "copies", t.copies), field(2, "pixels", t.pixels)};
  }
  static bool sane(const Tactic& t) { return t.pixels >= 4 && t.pixels <= 8; }
  static const char* unsupported(const Problem& p, Isa) { return conv_depthwise_unsupported(p); }
  static auto tactics(const Problem& p, Isa isa, int n) {
    return conv_depthwise_tactics(p, isa, n);
  }
  static size_t packed_size(const Problem& p, const Tactic&, Isa isa) {
    return conv_depthwise_packed_size(p, isa);
  }
  static void pack(const Problem& p, const Tactic&, Isa isa, const float* w, const float* bias,
                   float* to) {
    conv_depthwise_pack(p, isa, w, bias, to);
  }
  static size_t scratch_size(const Problem& p, const Tactic& t, Isa isa, int threads) {
    return conv_depthwise_scratch_size(p, t, isa, threads);
  }
  static auto loops(Isa isa) { return conv_depthwise(isa); }
};

struct RowsFamily {
  using Problem = ConvRows;
  using Tactic = ConvRowsTactic;
  using Buffers = ConvRowsBuffers;
  static constexpr std::string_view name = "conv_rows";
  static constexpr bool blocked_in = false, blocked_out = false;
  static auto fields(auto& t) { return std::tuple{field(1, "vectors", t.vectors)}; }
  static bool sane(const Tactic& t) { return t.vectors == 4 || t.vectors == 8; }
  static const char* unsupported(const Problem& p, Isa) { return conv_rows_unsupported(p); }
  static auto tactics(const Problem&, Isa, int) { return conv_rows_tactics(); }
  static size_t packed_size(const Problem& p, const Tactic&, Isa) {
    return conv_rows_packed_size(p);
  }
  static void pack(const Problem& p, const Tactic&, Isa, const float* w, const float* bias,
                   float* to) {
    conv_rows_pack(p, w, bias, to);
  }
  static size_t scratch_size(const Problem&, const Tactic&, Isa, int) { return 0; }
  static auto loops(Isa isa) { return conv_rows(isa); }
};

struct StemFamily {
  using Problem = ConvStem;
  using Tactic = ConvStemTactic;
  using Buffers = ConvStemBuffers;
  static constexpr std::string_view name = "conv_stem";
  static constexpr bool blocked_in = false, blocked_out = true;
  static auto fields(auto& t) {
    return std::tuple{field(1, "vectors", t.vectors), field(2, "band", t.band),
                      field(3, "by_channel", t.by_channel)};
  }
  static bool sane(const Tactic& t) { return t.vectors <= 3 && t.band >= 1; }
  static const char* unsupported(const Problem& p, Isa isa) {
    return conv_stem_unsupported(p, isa);
  }
  static auto tactics(const Problem& p, Isa isa, int n) { return conv_stem_tactics(p, isa, n); }
  static size_t packed_size(const Problem& p, const Tactic&, Isa isa) {
    return conv_stem_packed_size(p, isa);
  }
  static void pack(const Problem& p, const Tactic& t, Isa isa, const float* w, const float* bias,
                   float* to) {
    conv_stem_pack(p, t, isa, w, bias, to);
  }
  static size_t scratch_size(const Problem& p, const Tactic& t, Isa isa, int threads) {
    return conv_stem_scratch_size(p, t, isa, threads);
  }
  static auto loops(Isa isa) { return conv_stem(isa); }
};

// Row-major; transposed convolutions too. The family that always works.
struct PlainFamily {
  using Problem = ConvPlain;
  using Tactic = ConvPlainTactic;
  using Buffers = ConvPlainBuffers;
  static constexpr std::string_view name = "conv_plain";
  static constexpr bool blocked_in = false, blocked_out = false;
  static auto fields(auto& t) {
    return std::tuple{field(1, "vectors", t.vectors), field(2, "columns", t.columns),
                      field(3, "chunk", t.chunk), field(4, "by_channel", t.by_channel)};
  }
  static bool sane(const Tactic& t) { return t.vectors <= 3 && t.columns >= 1 && t.chunk >= 1; }
  static const char* unsupported(const Problem&, Isa) { return nullptr; }
  static auto tactics(const Problem& p, Isa isa, int n) { return conv_plain_tactics(p, isa, n); }
  static size_t packed_size(const Problem& p, const Tactic&, Isa) {
    return conv_plain_packed_size(p);
  }
  static void pack(const Problem& p, const Tactic&, Isa, const float* w, const float* bias,
                   float* to) {
    conv_plain_pack(p, w, bias, to);
  }
  static size_t scratch_size(const Problem& p, const Tactic& t, Isa isa, int threads) {
    return conv_plain_scratch_size(p, t, isa, threads);
  }
  static auto loops(Isa isa) { return conv_plain(isa); }
};

template <class Family>
constexpr bool runs_transposed = requires(typename Family::Problem p) { p.transposed; };

// The family's problem at these sizes.
template <class Family>
typename Family::Problem conv_family_problem(const ConvParams& params, const Conv& conv, Isa isa) {
  typename Family::Problem problem{};
  problem.conv = conv;
  if constexpr (Family::blocked_out) set_blocked_views(problem, block_of(isa));
  if constexpr (requires { problem.transposed; }) problem.transposed = params.transposed;
  if constexpr (requires { problem.fold; }) problem.fold = params.fold;
  return problem;
}

// "vectors=2 band=96 chunk=16 by_channel=0"
template <class Family>
std::string tactic_text(const typename Family::Tactic& tactic) {
  std::string text;
  std::apply(
      [&](auto... f) {
        ((text +=
          fmt::format("{}{}={}", text.empty() ? "" : " ", f.name, static_cast<int>(f.value))),
         ...);
      },
      Family::fields(tactic));
  return text;
}

// An invalid_engine Error for anything that tactic_text does not write.
template <class Family>
typename Family::Tactic parse_tactic(std::string_view text) {
  typename Family::Tactic tactic;
  std::string_view rest = text;
  bool good = true;
  const auto read = [&](auto f) {
    const std::string key = fmt::format("{}=", f.name);
    int value = 0;
    good = good && rest.starts_with(key);
    if (!good) return;
    rest.remove_prefix(key.size());
    const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    good = code == std::errc() && value >= 0 && value <= 1 << 20;
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    f.value = static_cast<std::remove_reference_t<decltype(f.value)>>(value);
  };
  std::apply([&](auto... f) { (read(f), ...); }, Family::fields(tactic));
  if constexpr (requires { tactic.vectors; }) good = good && tactic.vectors >= 1;
  TENREC_CHECK(good && rest.empty() && Family::sane(tactic), invalid_engine,
               "'{}' is no tactic of {}", text, Family::name);
  return tactic;
}

}  // namespace tenrec::cpu
