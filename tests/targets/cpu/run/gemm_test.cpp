// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/gemm.h"

#include "targets/cpu/run/kernel_test.h"

namespace tenrec::cpu {
namespace {

using namespace test;
using Mode = GemmTactic::Mode;

std::string describe(const Gemm& p, const GemmTactic& t, Isa isa, int threads) {
  std::string s = std::string(to_string(isa)) + " threads " + std::to_string(threads);
  const auto add = [&](const char* name, auto value) {
    s += std::string(" ") + name + " " + std::to_string(value);
  };
  add("m", p.m), add("n", p.n), add("k", p.k), add("batch", p.batch);
  add("trans_a", p.trans_a), add("trans_b", p.trans_b), add("alpha", p.alpha), add("beta", p.beta);
  add("bias", static_cast<int>(p.bias)), add("residual", p.has_residual);
  add("ld_residual", p.ld_residual), add("act", static_cast<int>(p.activation.kind));
  add("mode", static_cast<int>(t.mode)), add("vectors", t.vectors), add("rows", t.rows);
  add("columns", t.columns), add("chunk", t.chunk), add("by_row", t.by_row);
  return s;
}

class Product {
 public:
  Product(Random& g, const Gemm& params, Isa isa, bool hook)
      : p_(params),
        isa_(isa),
        hook_(hook),
        a_(extent(p_.batch_a, p_.trans_a ? p_.k : p_.m, p_.lda, p_.trans_a ? p_.m : p_.k)),
        b_(extent(p_.batch_b, p_.trans_b ? p_.n : p_.k, p_.ldb, p_.trans_b ? p_.k : p_.n)),
        residual_(p_.has_residual ? extent(p_.batch_residual, p_.m, p_.ld_residual, p_.n) : 0),
        bias_(p_.bias == Bias::none      ? 0
              : p_.bias == Bias::per_row ? p_.m
                                         : p_.n) {
    for (Buffer* buffer : {&a_, &b_, &residual_, &bias_}) {
      for (int64_t i = 0; i < buffer->size(); i++) (*buffer)[i] = uniform(g);
    }
    operand_ = random_floats(g, out_size());
  }

  std::vector<float> check(const GemmTactic& t, int threads, bool in_place) {
    SCOPED_TRACE(describe(p_, t, isa_, threads));
    Buffer packed(static_cast<int64_t>(gemm_packed_size(p_, t, isa_)));
    if (t.mode == Mode::prepacked) gemm_pack(p_, t, isa_, b_.data(), packed.data());
    EXPECT_TRUE(packed.intact());
    Buffer scratch(static_cast<int64_t>(gemm_scratch_size(p_, t, isa_, threads) / 4));
    Buffer out(out_size());
    if (in_place) std::copy_n(residual_.data(), residual_.size(), out.data());
    DoubleAndAdd hook{operand_.data(), std::vector<int>(static_cast<size_t>(out.size()), 0)};
    gemm(isa_)(p_, t,
               {.a = a_.data(),
                .b = t.mode == Mode::prepacked ? packed.data() : b_.data(),
                .bias = bias_.data(),
                .residual = in_place ? out.data() : residual_.data(),
                .out = out.data(),
                .scratch = scratch.data(),
                .epilogue = hook_ ? Epilogue{&DoubleAndAdd::call, &hook} : Epilogue{}},
               Threads(threads));
    EXPECT_TRUE(a_.intact() && b_.intact() && residual_.intact() && bias_.intact() &&
                out.intact() && scratch.intact() && packed.intact());
    compare(out, hook, in_place);
    return {out.data(), out.data() + out.size()};
  }

 private:
  int64_t extent(int64_t batch_stride, int rows, int64_t ld, int columns) const {
    if (rows == 0 || columns == 0) return 0;
    return (p_.batch - 1) * batch_stride + (rows - 1) * ld + columns;
  }
  int64_t out_size() const { return extent(p_.batch_c, p_.m, p_.ldc, p_.n); }
  double a_at(int i, int m, int k) const {
    return a_[i * p_.batch_a + (p_.trans_a ? k * p_.lda + m : m * p_.lda + k)];
  }
  double b_at(int i, int k, int n) const {
    return b_[i * p_.batch_b + (p_.trans_b ? n * p_.ldb + k : k * p_.ldb + n)];
  }

  void compare(const Buffer& out, const DoubleAndAdd& hook, bool in_place) {
    std::vector<bool> element(static_cast<size_t>(out.size()), false);
    int bad = 0;
    for (int i = 0; i < p_.batch; i++) {
      for (int m = 0; m < p_.m; m++) {
        for (int n = 0; n < p_.n; n++) {
          double sum = 0, magnitude = 0, extra = 0;
          for (int k = 0; k < p_.k; k++) {
            const double product = a_at(i, m, k) * b_at(i, k, n);
            sum += product;
            magnitude += std::abs(product);
          }
          if (p_.bias == Bias::per_row) extra += bias_[m];
          if (p_.bias == Bias::per_column) extra += bias_[n];
          if (p_.has_residual) {
            extra +=
                double{p_.beta} * double{residual_[i * p_.batch_residual + m * p_.ld_residual + n]};
          }
          const double x = p_.alpha * sum + extra;
          double want = apply(p_.activation, x);
          double allowed = error_after(
              p_.activation,
              tolerance(p_.k + 2, std::abs(double{p_.alpha}) * magnitude + std::abs(extra) + 1), x);
          const int64_t at = i * p_.batch_c + m * p_.ldc + n;
          element[static_cast<size_t>(at)] = true;
          if (hook_) {
            want = 2 * want + operand_[static_cast<size_t>(at)];
            allowed = 2 * allowed + 1e-6;
            if (hook.seen[static_cast<size_t>(at)] != 1) bad++;
          }
          if (!(std::abs(out[at] - want) <= allowed) && bad++ == 0) {
            ADD_FAILURE() << "batch " << i << " row " << m << " column " << n << ": got " << out[at]
                          << ", want " << want << " +- " << allowed;
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

  Gemm p_;
  Isa isa_;
  bool hook_;
  Buffer a_, b_, residual_, bias_;
  std::vector<float> operand_;
};

Gemm random_product(Random& g) {
  Gemm p;
  const auto size = [&](int most) {
    return chance(g, 25) ? 1 : chance(g, 30) ? pick(g, 1, 9) : pick(g, 1, most);
  };
  p.m = size(60);
  p.n = size(90);
  p.k = chance(g, 3) ? 0 : size(chance(g, 20) ? 300 : 50);
  p.batch = chance(g, 60) ? 1 : pick(g, 2, 5);
  p.trans_a = chance(g, 30);
  p.trans_b = chance(g, 40);
  p = with_dense_strides(p);
  if (chance(g, 40)) {
    p.lda += pick(g, 0, 5);
    p.ldb += pick(g, 0, 5);
    p.ldc += pick(g, 0, 5);
    p.ld_residual += pick(g, 0, 5);
    p.batch_a = p.lda * (p.trans_a ? p.k : p.m) + pick(g, 0, 3);
    p.batch_b = p.ldb * (p.trans_b ? p.n : p.k) + pick(g, 0, 3);
    p.batch_c = p.ldc * p.m + pick(g, 0, 3);
    p.batch_residual = p.ld_residual * p.m;
  }
  if (chance(g, 25)) p.batch_a = 0;
  if (chance(g, 25)) p.batch_b = 0;
  if (chance(g, 25)) p.ld_residual = p.batch_residual = 0;
  if (chance(g, 30)) p.alpha = 0.125f;
  if (chance(g, 20)) p.beta = -0.5f;
  p.bias = static_cast<Bias>(pick(g, 0, 2));
  p.has_residual = chance(g, 40);
  p.activation = activation_of(pick(g, 0, 3), chance(g, 30));
  p.constant_b = chance(g, 50);
  return p;
}

std::vector<GemmTactic> all_tactics(const Gemm& p, Isa isa) {
  auto list = gemm_tactics(p, isa, 2);
  list.push_back({Mode::prepacked, 2, 5, 16, 7, true});
  list.push_back({Mode::prepacked, 1, 1000, 1, 100000, false});
  list.push_back({Mode::packs, 3, 13, 40, 9, false});
  if (!p.trans_b) list.push_back({Mode::direct, 2, 13, 1000, 11, true});
  list.push_back({Mode::dot, 1, 3, 256, 256, false});
  return list;
}

TEST(Gemm, random_products_with_every_tactic_and_thread_count) {
  Random g(1);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 100; round++) {
      const Gemm p = random_product(g);
      Product product(g, p, isa, chance(g, 30));
      const auto tactics = all_tactics(p, isa);
      std::vector<std::vector<float>> first(tactics.size());
      for (const int threads : {1, 3}) {
        for (size_t i = 0; i < tactics.size(); i++) {
          const auto got = product.check(tactics[i], threads, false);
          if (testing::Test::HasFailure()) return;
          if (threads == 1) first[i] = got;
          ASSERT_TRUE(same_bits(got, first[i])) << describe(p, tactics[i], isa, threads);
        }
      }
    }
  }
}

TEST(Gemm, residual_may_be_the_output) {
  Random g(2);
  for (const Isa isa : isas()) {
    for (int round = 0; round < 30; round++) {
      Gemm p = random_product(g);
      p.has_residual = true;
      p.ld_residual = p.ldc;
      p.batch_residual = p.batch_c;
      Product product(g, p, isa, false);
      for (const auto& t : all_tactics(p, isa)) {
        product.check(t, 3, true);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(Gemm, every_tile_height) {
  Random g(3);
  for (const Isa isa : isas()) {
    for (int m = 1; m <= 15; m++) {
      Gemm p;
      p.m = m;
      p.n = 3 * block_of(isa);
      p.k = 21;
      p = with_dense_strides(p);
      Product product(g, p, isa, false);
      for (int vectors : {1, 2, 3}) product.check({Mode::prepacked, vectors}, 1, false);
    }
  }
}

}  // namespace
}  // namespace tenrec::cpu
