// SPDX-License-Identifier: Apache-2.0
// One layer of a blocked convolution with its data and reference, whatever the kernel: the tests of
// depthwise, Winograd and stem differ only in parameters, packing and the call.
#pragma once

#include <memory>

#include "targets/cpu/run/conv_families.h"
#include "targets/cpu/run/kernel_test.h"

namespace tenrec::cpu::test {

// What a kernel is given; all pointers are guarded and poisoned as fits.
struct BlockedCall {
  const float* in;
  const float* weights;
  const float* bias;
  const float* residual;
  float* out;
  Epilogue epilogue;
};

class BlockedLayer {
 public:
  // `plain_in`: the input stays plain. Views are those of `in`, `out` and `residual`, whose last
  // `residual_lacks` channels are not there. A block of 1: all are plain.
  BlockedLayer(Random& g, const Conv& conv, Isa isa, View in, View out, View residual,
               bool has_residual, bool hook, bool plain_in = false, int residual_lacks = 0,
               int block = 0)
      : conv_(conv),
        block_(block > 0 ? block : block_of(isa)),
        hook_(hook),
        has_residual_(has_residual) {
    const auto values = random_floats(g, size_in(conv_));
    weights_ = random_floats(g, size_weights(conv_));
    if (chance(g, 80)) bias_ = random_floats(g, conv_.out_channels);
    std::vector<float> residual_values;
    const int added = conv.out_channels - residual_lacks;
    if (has_residual)
      residual_values = random_floats(g, size_out(conv_) / conv.out_channels * added);
    reference_ = reference_conv(
        conv_, values, weights_, bias_,
        with_zero_channels(residual_values, conv.images, conv.out_channels, residual_lacks));
    largest_ = *std::max_element(reference_.magnitude.begin(), reference_.magnitude.end());
    const Blocked in_shape{conv.images, conv.in_channels, conv.h.in, conv.w.in, block_, in};
    out_ = {conv.images, conv.out_channels, conv.h.out, conv.w.out, block_, out};
    const Blocked residual_shape{conv.images, added, conv.h.out, conv.w.out, block_, residual};
    in_ = std::make_unique<Buffer>(plain_in ? size_in(conv_) : in_shape.size());
    if (plain_in) {
      std::copy(values.begin(), values.end(), in_->data());
    } else {
      in_shape.put(*in_, values, 3.0f);  // pad lanes of inputs may hold anything finite
    }
    residual_ = std::make_unique<Buffer>(has_residual ? residual_shape.size() : 0);
    if (has_residual) residual_shape.put(*residual_, residual_values, 0.0f);
    operand_ = random_floats(g, out_.size());
  }

  double terms() const {
    return static_cast<double>(conv_.in_channels / conv_.groups) * conv_.h.kernel * conv_.w.kernel;
  }
  const float* weights() const { return weights_.data(); }
  const float* bias() const { return bias_.empty() ? nullptr : bias_.data(); }

  // Runs `call` and compares; with `spread` > 0 errors are measured against the largest magnitude
  // of the layer times spread instead of each output's own. Returns the output's bits.
  std::vector<float> check(const Activation& activation, bool in_place, double spread,
                           const std::function<void(const BlockedCall&)>& call) {
    Buffer out(out_.size());
    if (in_place) std::copy_n(residual_->data(), residual_->size(), out.data());
    DoubleAndAdd hook{operand_.data(), std::vector<int>(static_cast<size_t>(out.size()), 0)};
    call({in_->data(), weights(), bias(), in_place ? out.data() : residual_->data(), out.data(),
          hook_ ? Epilogue{&DoubleAndAdd::call, &hook} : Epilogue{}});
    EXPECT_TRUE(in_->intact() && out.intact() && residual_->intact());
    std::vector<bool> element(static_cast<size_t>(out.size()), false);
    size_t i = 0;
    int bad = 0;
    for (int n = 0; n < conv_.images; n++) {
      for (int o = 0; o < out_.padded(); o++) {
        for (int y = 0; y < conv_.h.out; y++) {
          for (int x = 0; x < conv_.w.out; x++) {
            const int64_t at = out_.at(n, o, y, x);
            element[static_cast<size_t>(at)] = true;
            if (hook_ && hook.seen[static_cast<size_t>(at)] != 1) bad++;
            if (o >= conv_.out_channels) {
              if (!(out[at] == 0.0f)) bad++;
              continue;
            }
            double want = apply(activation, reference_.value[i]);
            const double magnitude = spread > 0 ? spread * largest_ : reference_.magnitude[i];
            double allowed =
                error_after(activation, tolerance(terms(), magnitude), reference_.value[i]);
            i++;
            if (hook_) {
              want = 2 * want + operand_[static_cast<size_t>(at)];
              allowed = 2 * allowed + 1e-6;
            }
            worst_ = std::max(worst_, std::abs(out[at] - want) / allowed);
            worst_error_ = std::max(worst_error_, std::abs(out[at] - want));
            if (!(std::abs(out[at] - want) <= allowed) && bad++ == 0) {
              ADD_FAILURE() << "image " << n << " channel " << o << " y " << y << " x " << x
                            << ": got " << out[at] << ", want " << want << " +- " << allowed;
            }
          }
        }
      }
    }
    EXPECT_EQ(bad, 0);
    for (int64_t j = 0; j < out.size() && !in_place; j++) {
      if (element[static_cast<size_t>(j)]) continue;
      EXPECT_TRUE(untouched(out[j])) << "between rows, " << j;
      if (!untouched(out[j])) break;
    }
    return {out.data(), out.data() + out.size()};
  }
  double worst() const { return worst_; }  // |error| / allowed so far
  double worst_error() const { return worst_error_; }
  void forget_errors() { worst_ = worst_error_ = 0; }

 private:
  Conv conv_;
  int block_;
  bool hook_, has_residual_;
  std::vector<float> weights_, bias_, operand_;
  Reference reference_;
  double largest_ = 0, worst_ = 0, worst_error_ = 0;
  Blocked out_{};
  std::unique_ptr<Buffer> in_, residual_;
};

inline std::string describe(Isa isa, int threads, const Conv& c, bool residual,
                            const Activation& activation) {
  return std::string(to_string(isa)) + " threads " + std::to_string(threads) + " " + describe(c) +
         " res " + std::to_string(residual) + " act " +
         std::to_string(static_cast<int>(activation.kind));
}

// One family (conv_families.h) with one tactic. Returns the output's bits.
template <class Family>
std::vector<float> check_family(BlockedLayer& layer, const typename Family::Problem& p,
                                const typename Family::Tactic& t, Isa isa, int threads,
                                bool in_place, double spread = 0) {
  bool residual = false;
  if constexpr (requires { p.has_residual; }) residual = p.has_residual;
  SCOPED_TRACE(describe(isa, threads, p.conv, residual, p.activation) + " tactic " +
               tactic_text<Family>(t));
  Buffer packed(static_cast<int64_t>(Family::packed_size(p, t, isa)));
  Family::pack(p, t, isa, layer.weights(), layer.bias(), packed.data());
  Buffer scratch(static_cast<int64_t>(Family::scratch_size(p, t, isa, threads) / 4));
  const auto out = layer.check(p.activation, in_place, spread, [&](const BlockedCall& call) {
    typename Family::Buffers buffers;
    buffers.in = call.in;
    buffers.packed = packed.data();
    if constexpr (requires { buffers.residual; }) buffers.residual = call.residual;
    buffers.out = call.out;
    buffers.scratch = scratch.data();
    buffers.epilogue = call.epilogue;
    Family::loops(isa)(p, t, buffers, Threads(threads));
  });
  EXPECT_TRUE(packed.intact() && scratch.intact());
  return out;
}

}  // namespace tenrec::cpu::test
