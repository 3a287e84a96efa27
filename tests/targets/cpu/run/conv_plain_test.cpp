// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_plain.h"

#include "targets/cpu/run/kernel_test.h"

namespace tenrec::cpu {
namespace {

using namespace test;

std::string describe(const ConvPlain& p, const ConvPlainTactic& t, Isa isa, int threads) {
  return std::string(to_string(isa)) + " threads " + std::to_string(threads) + " transposed " +
         std::to_string(p.transposed) + " fold " + std::to_string(static_cast<int>(p.fold)) + " " +
         test::describe(p.conv) + " res " + std::to_string(p.has_residual) + " act " +
         std::to_string(static_cast<int>(p.activation.kind)) + " tactic " +
         std::to_string(t.vectors) + " " + std::to_string(t.columns) + " " +
         std::to_string(t.chunk) + " " + std::to_string(t.by_channel);
}

class Layer {
 public:
  Layer(Random& g, const ConvPlain& params, Isa isa, bool hook)
      : p_(params),
        isa_(isa),
        hook_(hook),
        in_(size_in(p_.conv)),
        residual_(p_.has_residual ? size_out(p_.conv) : 0) {
    const Conv& c = p_.conv;
    const auto in = random_floats(g, size_in(c));
    std::copy(in.begin(), in.end(), in_.data());
    weights_ = random_floats(g, size_weights(c));
    mirror();
    if (chance(g, 80)) bias_ = random_floats(g, c.out_channels);
    std::vector<float> residual;
    if (p_.has_residual) residual = random_floats(g, size_out(c));
    std::copy(residual.begin(), residual.end(), residual_.data());
    operand_ = random_floats(g, size_out(c));
    reference_ = p_.transposed ? reference_conv_transposed(c, in, weights_, bias_, residual)
                               : reference_conv(c, in, weights_, bias_, residual);
  }

  std::vector<float> check(const ConvPlainTactic& t, int threads, bool in_place) {
    const Conv& c = p_.conv;
    SCOPED_TRACE(describe(p_, t, isa_, threads));
    Buffer packed(static_cast<int64_t>(conv_plain_packed_size(p_)));
    conv_plain_pack(p_, weights_.data(), bias_.empty() ? nullptr : bias_.data(), packed.data());
    EXPECT_TRUE(packed.intact());
    EXPECT_FALSE(packed.size() > 0 && untouched(packed[packed.size() - 1]));
    Buffer scratch(static_cast<int64_t>(conv_plain_scratch_size(p_, t, isa_, threads) / 4));
    Buffer out(size_out(c));
    if (in_place) std::copy_n(residual_.data(), residual_.size(), out.data());
    DoubleAndAdd hook{operand_.data(), std::vector<int>(static_cast<size_t>(out.size()), 0)};
    conv_plain(isa_)(p_, t,
                     {.in = in_.data(),
                      .packed = packed.data(),
                      .residual = in_place ? out.data() : residual_.data(),
                      .out = out.data(),
                      .scratch = scratch.data(),
                      .epilogue = hook_ ? Epilogue{&DoubleAndAdd::call, &hook} : Epilogue{}},
                     Threads(threads));
    EXPECT_TRUE(in_.intact() && packed.intact() && scratch.intact() && out.intact());
    const double terms =
        static_cast<double>(c.in_channels / c.groups) * c.d.kernel * c.h.kernel * c.w.kernel;
    int bad = 0;
    for (int64_t i = 0; i < out.size(); i++) {
      const auto at = static_cast<size_t>(i);
      double want = apply(p_.activation, reference_.value[at]);
      double allowed = error_after(p_.activation, tolerance(terms, reference_.magnitude[at]),
                                   reference_.value[at]);
      if (hook_) {
        want = 2 * want + operand_[at];
        allowed = 2 * allowed + 1e-6;
        if (hook.seen[at] != 1) bad++;
      }
      if (!(std::abs(out[i] - want) <= allowed) && bad++ == 0) {
        ADD_FAILURE() << "at " << i << ": got " << out[i] << ", want " << want << " +- " << allowed;
      }
    }
    EXPECT_EQ(bad, 0);
    return {out.data(), out.data() + out.size()};
  }

 private:
  void mirror() {
    const int size = p_.conv.w.kernel;
    for (size_t row = 0; p_.fold != Fold::none && row < weights_.size();
         row += static_cast<size_t>(size)) {
      for (int k = 0; k <= size / 2; k++) {
        float& first = weights_[row + static_cast<size_t>(k)];
        const float last = weights_[row + static_cast<size_t>(size - 1 - k)];
        first = p_.fold == Fold::same ? last : -last;
        if (2 * k + 1 == size && p_.fold == Fold::negated) first = 0;
      }
    }
  }

  ConvPlain p_;
  Isa isa_;
  bool hook_;
  Buffer in_, residual_;
  std::vector<float> weights_, bias_, operand_;
  Reference reference_;
};

// An axis of a transposed convolution: `in` is the small side.
Axis transposed_axis(Random& g, int kernel, int longest) {
  Axis a{.in = pick(g, 1, longest), .kernel = kernel};
  a.stride = pick(g, 1, 4);
  a.dilation = chance(g, 75) ? 1 : pick(g, 1, 3);
  const int full = (a.in - 1) * a.stride + (kernel - 1) * a.dilation + 1;
  a.pad = pick(g, 0, std::min(kernel, full - 1));
  const int after = pick(g, 0, std::min(2, full - 1 - a.pad));
  a.out = full - a.pad - after + (chance(g, 30) ? pick(g, 0, 2) : 0);  // + output padding
  return a;
}

ConvPlain random_layer(Random& g, bool transposed) {
  ConvPlain p;
  p.transposed = transposed;
  Conv& c = p.conv;
  c.images = chance(g, 70) ? 1 : pick(g, 2, 3);
  c.groups = chance(g, 60) ? 1 : pick(g, 2, 6);
  c.in_channels = c.groups * pick(g, 1, c.groups > 1 ? 5 : 40);
  c.out_channels = c.groups * pick(g, 1, c.groups > 1 ? 5 : 40);
  const auto axis = [&](int longest) {
    const int kernel = chance(g, 40) ? 1 : pick(g, 1, 4);
    return transposed ? transposed_axis(g, kernel, longest) : random_axis(g, kernel, longest);
  };
  c.w = axis(chance(g, 20) ? 120 : 12);
  if (chance(g, 80)) c.h = axis(9);
  if (chance(g, 25)) c.d = axis(5);
  p.has_residual = chance(g, 40);
  p.activation = activation_of(pick(g, 0, 3), chance(g, 30));
  return p;
}

// Filters of many taps along one axis, which may fold.
ConvPlain random_frames(Random& g) {
  ConvPlain p;
  Conv& c = p.conv;
  p.fold = static_cast<Fold>(pick(g, 0, 2));
  c.images = pick(g, 1, 2);
  c.groups = pick(g, 1, 2);
  c.in_channels = c.groups * pick(g, 1, 3);
  c.out_channels = c.groups * pick(g, 1, 20);
  if (chance(g, 30)) c.h = random_axis(g, 1, 4);
  c.w = {.in = pick(g, 1, 300), .kernel = pick(g, 1, 70), .stride = pick(g, 1, 20)};
  c.w.pad = chance(g, 30) ? 0 : pick(g, -5, c.w.kernel);
  const int after = pick(g, -5, c.w.kernel);
  while (c.w.in + c.w.pad + after < c.w.kernel) c.w.in++;
  c.w.out = (c.w.in + c.w.pad + after - c.w.kernel) / c.w.stride + 1;
  p.has_residual = chance(g, 40);
  p.activation = activation_of(pick(g, 0, 3), chance(g, 30));
  return p;
}

std::vector<ConvPlainTactic> all_tactics(const ConvPlain& p, Isa isa) {
  auto list = conv_plain_tactics(p, isa, 2);
  list.push_back({1, 7, 5, false});
  list.push_back({3, 1000, 100000, true});
  return list;
}

template <class Draw>
void check_random(const Draw& draw, unsigned seed) {
  Random g(seed);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 60; round++) {
      const ConvPlain p = draw(g);
      Layer layer(g, p, isa, chance(g, 40));
      const auto tactics = all_tactics(p, isa);
      std::vector<std::vector<float>> first(tactics.size());
      for (const int threads : {1, 3}) {
        for (size_t i = 0; i < tactics.size(); i++) {
          const auto got = layer.check(tactics[i], threads, false);
          if (testing::Test::HasFailure()) return;
          if (threads == 1) first[i] = got;
          ASSERT_TRUE(same_bits(got, first[i])) << describe(p, tactics[i], isa, threads);
        }
      }
      if (p.has_residual) layer.check(all_tactics(p, isa)[0], 2, true);
    }
  }
}

TEST(ConvPlain, random_layers_with_every_tactic_and_thread_count) {
  check_random([](Random& g) { return random_layer(g, false); }, 1);
}
TEST(ConvPlain, random_transposed_layers) {
  check_random([](Random& g) { return random_layer(g, true); }, 2);
}
TEST(ConvPlain, random_layers_of_many_taps_that_may_fold) { check_random(random_frames, 3); }

TEST(ConvPlain, nothing_to_do) {
  ConvPlain p;
  p.conv.images = 0;
  conv_plain(best_isa())(p, {}, {}, Threads(2));
}

}  // namespace
}  // namespace tenrec::cpu
