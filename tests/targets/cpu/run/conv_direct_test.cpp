// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_direct.h"

#include "targets/cpu/run/kernel_test.h"

namespace tenrec::cpu {
namespace {

using namespace test;

std::string describe(const ConvDirect& p, const ConvDirectTactic& t, Isa isa, int threads) {
  return std::string(to_string(isa)) + " threads " + std::to_string(threads) + " " +
         test::describe(p.conv) + " res " + std::to_string(p.has_residual) + " act " +
         std::to_string(static_cast<int>(p.activation.kind)) + " halo " +
         std::to_string(p.in_halo_h) + "," + std::to_string(p.in_halo_w) + " tactic " +
         std::to_string(t.vectors) + " " + std::to_string(t.band) + " " + std::to_string(t.chunk) +
         " " + std::to_string(t.by_channel);
}

// One layer with its data, its reference, and a check of any tactic and thread count against it.
class Layer {
 public:
  Layer(Random& g, const ConvDirect& params, Isa isa, bool hook)
      : p_(params), isa_(isa), block_(block_of(isa)), hook_(hook) {
    const Conv& c = p_.conv;
    const auto plain_in = random_floats(g, size_in(c));
    weights_ = random_floats(g, size_weights(c));
    if (chance(g, 80)) bias_ = random_floats(g, c.out_channels);
    std::vector<float> residual;
    const int added = c.out_channels - p_.residual_lacks;
    if (p_.has_residual) residual = random_floats(g, size_out(c) / c.out_channels * added);
    reference_ =
        reference_conv(c, plain_in, weights_, bias_,
                       with_zero_channels(residual, c.images, c.out_channels, p_.residual_lacks));

    in_shape_ = {c.images, c.in_channels, c.h.in, c.w.in, block_, p_.in};
    out_shape_ = {c.images, c.out_channels, c.h.out, c.w.out, block_, p_.out};
    residual_shape_ = {c.images, added, c.h.out, c.w.out, block_, p_.residual};
    const int64_t before = p_.in_halo_h * p_.in.row + p_.in_halo_w * block_;
    in_ = std::make_unique<Buffer>(in_shape_.size() + 2 * before);
    if (before > 0) std::fill_n(in_->data(), in_->size(), 0.0f);
    in_start_ = before;
    Buffer dense(in_shape_.size());
    in_shape_.put(dense, plain_in, 3.0f);  // pad lanes of inputs may hold anything finite
    for (int64_t i = 0; i < dense.size(); i++) {
      if (!untouched(dense[i])) (*in_)[before + i] = dense[i];
    }
    residual_ = std::make_unique<Buffer>(p_.has_residual ? residual_shape_.size() : 0);
    if (p_.has_residual) residual_shape_.put(*residual_, residual, 0.0f);
    operand_ = random_floats(g, out_shape_.size());
  }

  // Returns the output's bits, to compare tactics and thread counts.
  std::vector<float> check(const ConvDirectTactic& t, int threads, bool in_place) {
    const Conv& c = p_.conv;
    SCOPED_TRACE(describe(p_, t, isa_, threads));
    Buffer packed(static_cast<int64_t>(conv_direct_packed_size(p_, t, isa_)));
    conv_direct_pack(p_, t, isa_, weights_.data(), bias_.empty() ? nullptr : bias_.data(),
                     packed.data());
    EXPECT_TRUE(packed.intact());
    Buffer scratch(static_cast<int64_t>(conv_direct_scratch_size(p_, t, isa_, threads) / 4));
    Buffer out(out_shape_.size());
    if (in_place) std::copy_n(residual_->data(), residual_->size(), out.data());
    DoubleAndAdd hook{operand_.data(), std::vector<int>(static_cast<size_t>(out.size()), 0)};
    const ConvDirectBuffers buffers{
        .in = in_->data() + in_start_,
        .packed = packed.data(),
        .residual = in_place ? out.data() : residual_->data(),
        .out = out.data(),
        .scratch = scratch.data(),
        .epilogue = hook_ ? Epilogue{&DoubleAndAdd::call, &hook} : Epilogue{}};
    conv_direct(isa_)(p_, t, buffers, Threads(threads));
    EXPECT_TRUE(in_->intact() && packed.intact() && scratch.intact() && out.intact() &&
                residual_->intact());
    compare(out, hook, c, in_place);
    return {out.data(), out.data() + out.size()};
  }

 private:
  void compare(const Buffer& out, const DoubleAndAdd& hook, const Conv& c, bool in_place) {
    std::vector<bool> element(static_cast<size_t>(out.size()), false);
    const double terms = static_cast<double>(c.in_channels / c.groups) * c.h.kernel * c.w.kernel;
    size_t i = 0;
    int bad = 0;
    for (int n = 0; n < c.images; n++) {
      for (int o = 0; o < out_shape_.padded(); o++) {
        for (int y = 0; y < c.h.out; y++) {
          for (int x = 0; x < c.w.out; x++) {
            const int64_t at = out_shape_.at(n, o, y, x);
            element[static_cast<size_t>(at)] = true;
            const float got = out[at];
            if (hook_ && hook.seen[static_cast<size_t>(at)] != 1) bad++;
            if (o >= c.out_channels) {
              if (!(got == 0.0f)) bad++;
              continue;
            }
            double want = apply(p_.activation, reference_.value[i]);
            double allowed = error_after(p_.activation, tolerance(terms, reference_.magnitude[i]),
                                         reference_.value[i]);
            i++;
            if (hook_) {
              want = 2 * want + operand_[static_cast<size_t>(at)];
              allowed = 2 * allowed + 1e-6;
            }
            if (!(std::abs(got - want) <= allowed) && bad++ == 0) {
              ADD_FAILURE() << "image " << n << " channel " << o << " y " << y << " x " << x
                            << ": got " << got << ", want " << want << " +- " << allowed;
            }
          }
        }
      }
    }
    EXPECT_EQ(bad, 0);
    if (in_place) return;
    for (int64_t j = 0; j < out.size(); j++) {
      if (element[static_cast<size_t>(j)]) continue;
      ASSERT_TRUE(untouched(out[j])) << "between rows, " << j;
    }
  }

  ConvDirect p_;
  Isa isa_;
  int block_;
  bool hook_;
  std::vector<float> weights_, bias_, operand_;
  Reference reference_;
  Blocked in_shape_{}, out_shape_{}, residual_shape_{};
  std::unique_ptr<Buffer> in_, residual_;
  int64_t in_start_ = 0;
};

ConvDirect random_layer(Random& g, int block) {
  ConvDirect p;
  Conv& c = p.conv;
  c.images = chance(g, 70) ? 1 : pick(g, 2, 3);
  c.groups = chance(g, 80) ? 1 : pick(g, 2, 3);
  if (c.groups > 1) {
    c.in_channels = c.groups * block * pick(g, 1, 2);
    c.out_channels = c.groups * block * pick(g, 1, 3);
  } else {
    c.in_channels = pick(g, 1, 5 * block);
    c.out_channels = pick(g, 1, 7 * block);
  }
  c.w = random_axis(g, chance(g, 40) ? 1 : pick(g, 1, 5), chance(g, 20) ? 130 : 15);
  if (chance(g, 85)) c.h = random_axis(g, chance(g, 40) ? 1 : pick(g, 1, 4), 12);
  p.in = random_view(g, c.in_channels, c.h.in, c.w.in, block);
  p.out = random_view(g, c.out_channels, c.h.out, c.w.out, block);
  p.has_residual = chance(g, 40);
  if (p.has_residual && chance(g, 40)) p.residual_lacks = pick(g, 0, c.out_channels - 1);
  p.residual = random_view(g, c.out_channels - p.residual_lacks, c.h.out, c.w.out, block);
  p.activation = activation_of(pick(g, 0, 3), chance(g, 30));
  return p;
}

// Everything the tuner may choose plus bad choices: they must be slow, not wrong.
std::vector<ConvDirectTactic> all_tactics(const ConvDirect& p, Isa isa) {
  auto list = conv_direct_tactics(p, isa, 2);
  list.push_back({1, 7, 1, false});
  list.push_back({3, 1, 1000, true});
  list.push_back({2, 100000, 2, true});
  return list;
}

TEST(ConvDirect, random_layers_with_every_tactic_and_thread_count) {
  Random g(1);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 40; round++) {
      const ConvDirect p = random_layer(g, block_of(isa));
      ASSERT_EQ(conv_direct_unsupported(p, isa), nullptr);
      Layer layer(g, p, isa, chance(g, 30));
      std::vector<float> first;
      for (const int threads : {1, 2, 5}) {
        for (const auto& t : all_tactics(p, isa)) {
          if (threads == 5 && t.vectors == 2 && chance(g, 60)) continue;
          const auto got = layer.check(t, threads, false);
          if (testing::Test::HasFailure()) return;
          if (first.empty()) first = got;
          ASSERT_TRUE(same_bits(got, first)) << describe(p, t, isa, threads);
        }
      }
    }
  }
}

TEST(ConvDirect, residual_may_be_the_output) {
  Random g(2);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 10; round++) {
      ConvDirect p = random_layer(g, block_of(isa));
      p.has_residual = true;
      p.residual_lacks = 0;
      p.residual = p.out =
          dense_view(p.conv.out_channels, p.conv.h.out, p.conv.w.out, block_of(isa));
      Layer layer(g, p, isa, false);
      for (const auto& t : all_tactics(p, isa)) {
        const auto apart = layer.check(t, 2, false), in_place = layer.check(t, 2, true);
        ASSERT_TRUE(same_bits(apart, in_place)) << describe(p, t, isa, 2);
      }
    }
  }
}

TEST(ConvDirect, zeros_around_the_input_are_read_in_place) {
  Random g(3);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 10; round++) {
      const int block = block_of(isa);
      ConvDirect p = random_layer(g, block);
      Conv& c = p.conv;
      c.h = {.in = 9, .out = 9, .kernel = 3, .pad = 1};
      c.w = {.in = 11, .out = 11, .kernel = 3, .pad = 1};
      p.in_halo_h = p.in_halo_w = pick(g, 1, 2);
      p.in.row = (c.w.in + 2 * p.in_halo_w) * block;
      p.in.plane = (c.h.in + 2 * p.in_halo_h) * p.in.row;
      p.in.image = p.in.plane * ceil_div(c.in_channels, block);
      p.out = p.residual = dense_view(c.out_channels, 9, 11, block);
      Layer layer(g, p, isa, false);
      for (const auto& t : all_tactics(p, isa)) layer.check(t, 2, false);
    }
  }
}

TEST(ConvDirect, a_real_layer_at_7x7) {
  Random g(4);
  for (const Isa isa : isas()) {
    ConvDirect p;
    p.conv = {.in_channels = 64, .out_channels = 96};
    p.conv.h = p.conv.w = {.in = 7, .out = 7, .kernel = 3, .pad = 1};
    p.in = dense_view(64, 7, 7, block_of(isa));
    p.out = dense_view(96, 7, 7, block_of(isa));
    Layer layer(g, p, isa, false);
    for (const auto& t : conv_direct_tactics(p, isa, 2)) layer.check(t, 2, false);
  }
}

TEST(ConvDirect, nan_goes_through_every_activation) {
  for (const Isa isa : isas()) {
    for (int kind = 0; kind <= 3; kind++) {
      const int block = block_of(isa);
      ConvDirect p;
      p.conv = {.in_channels = block, .out_channels = block};
      p.in = p.out = dense_view(block, 1, 1, block);
      p.activation = activation_of(kind, false);
      const ConvDirectTactic t;
      Buffer in(block), out(block),
          packed(static_cast<int64_t>(conv_direct_packed_size(p, t, isa)));
      Buffer scratch(static_cast<int64_t>(conv_direct_scratch_size(p, t, isa, 1) / 4));
      std::vector<float> weights(static_cast<size_t>(block * block), 1.0f);
      conv_direct_pack(p, t, isa, weights.data(), nullptr, packed.data());
      std::fill_n(in.data(), block, std::nanf(""));
      conv_direct(isa)(p, t, {in.data(), packed.data(), nullptr, out.data(), scratch.data(), {}},
                       Threads(1));
      for (int i = 0; i < block; i++) EXPECT_TRUE(std::isnan(out[i])) << to_string(isa);
    }
  }
}

TEST(ConvDirect, says_why_not) {
  ConvDirect p;
  p.conv.d = {.in = 3, .out = 1, .kernel = 3};
  EXPECT_STREQ(conv_direct_unsupported(p, Isa::avx2), "3-D convolution");
  p.conv = {.groups = 2, .in_channels = 6, .out_channels = 16};
  EXPECT_STREQ(conv_direct_unsupported(p, Isa::avx2),
               "group channels are not a multiple of the vector width");
  p.conv = {.in_channels = 8, .out_channels = 8};
  p.in.plane = int64_t{1} << 31;
  EXPECT_STREQ(conv_direct_unsupported(p, Isa::avx2), "an image of 2^31 floats or more");
}

TEST(ConvDirect, nothing_to_do) {
  ConvDirect p;
  p.conv = {.images = 0, .in_channels = 8, .out_channels = 8};
  conv_direct(best_isa())(p, {}, {}, Threads(2));
  p.conv.images = 1;
  p.conv.h.out = 0;
  conv_direct(best_isa())(p, {}, {}, Threads(2));
}

}  // namespace
}  // namespace tenrec::cpu
