// SPDX-License-Identifier: Apache-2.0
#include "ops/contrib/matmuls.h"

#include <algorithm>
#include <numeric>

#include "ops/composite/helpers.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/quantize.h"
#include "ops/slice.h"
#include "ops/transpose.h"

namespace tenrec {
namespace {

// `batch`: the first axis goes behind the batch axes. `matrix`: then the last two change places.
Value* transposed(OnnxContext& context, Value* x, bool batch, bool matrix) {
  if (!batch && !matrix) return x;
  const int64_t rank = x->type.rank();
  TENREC_CHECK(rank >= 2, invalid_model, "{} cannot be transposed", x->type.str());
  std::vector<int64_t> perm(static_cast<size_t>(rank));
  std::iota(perm.begin(), perm.end(), int64_t{0});
  if (batch) std::rotate(perm.begin(), perm.begin() + 1, perm.end() - 1);
  if (matrix) std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return context.one(Transpose{.perm = perm}, {x});
}

// Rows of `count` numbers of `bits` bits each, every row padded to whole bytes, lowest bits first.
Tensor unpacked(const Tensor& bytes, int64_t rows, int64_t count, int64_t bits) {
  const int64_t row_bytes = (count * bits + 7) / 8;
  TENREC_CHECK(bytes.bytes() == static_cast<uint64_t>(rows * row_bytes), invalid_model,
               "{} bytes hold no {} x {} numbers of {} bits", bytes.bytes(), rows, count, bits);
  const DType dtype = bits == 2 ? DType::u2 : bits == 4 ? DType::u4 : DType::u8;
  if (row_bytes * 8 == count * bits) {  // a view
    auto owner = std::make_shared<Tensor>(bytes);
    return Tensor(dtype, {rows, count}, owner, owner->data());
  }
  std::vector<int64_t> values;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < count; ++i) {
      const auto byte = static_cast<int64_t>(bytes.data()[row * row_bytes + i * bits / 8]);
      values.push_back(byte >> (i * bits % 8) & ((1 << bits) - 1));
    }
  }
  return Tensor::from_ints(dtype, {rows, count}, values);
}

const Tensor& constant_input(OnnxContext& context, size_t i, std::string_view what) {
  const Tensor* tensor = context.constant_of(needed_input(context, i, what));
  TENREC_CHECK(tensor, unsupported, "{} (input {}) must be a constant", what, i);
  return *tensor;
}

}  // namespace

Values fused_matmul(const OnnxNode& node, OnnxContext& context) {
  const auto flag = [&](std::string_view name) { return node.integer(name, 0) != 0; };
  Value* a =
      transposed(context, needed_input(context, 0, "A"), flag("transBatchA"), flag("transA"));
  Value* b =
      transposed(context, needed_input(context, 1, "B"), flag("transBatchB"), flag("transB"));
  Value* product = context.one(MatMul{}, {a, b});
  const float alpha = node.number("alpha", 1);
  if (alpha == 1) return {product};
  return context.add(Mul{}, {product, number(context, static_cast<double>(alpha), a->type.dtype)});
}

// A times the transpose of B [N, K], whose elements have few bits and a scale (and zero point) for
// every block of K.
Values matmul_nbits(const OnnxNode& node, OnnxContext& context) {
  Value* a = needed_input(context, 0, "A");
  const int64_t k = node.integer("K"), n = node.integer("N");
  const int64_t bits = node.integer("bits", 4), block = node.integer("block_size");
  TENREC_CHECK(bits == 2 || bits == 4 || bits == 8, unsupported,
               "weights of {} bits; 2, 4 and 8 are supported", bits);
  TENREC_CHECK(k > 0 && n > 0 && block > 0, invalid_model, "K={} N={} block_size={}", k, n, block);
  TENREC_CHECK(!context.input(4), unsupported, "reordered weights (g_idx)");
  const int64_t blocks = (k + block - 1) / block;
  Value* weight =
      context.constant(unpacked(constant_input(context, 1, "B"), n, blocks * block, bits));
  const Tensor& flat_scales = constant_input(context, 2, "the scales");
  TENREC_CHECK(flat_scales.elements() == static_cast<uint64_t>(n * blocks), invalid_model,
               "{} scales for {} x {} blocks", flat_scales.elements(), n, blocks);
  Value* scales = context.constant(flat_scales.reshaped({n, blocks}));
  Value* zero_points = nullptr;
  if (context.input(3)) {
    const Tensor& packed = constant_input(context, 3, "the zero points");
    TENREC_CHECK(packed.dtype() == DType::u8, unsupported,
                 "zero points of type {}; u8 is supported", name(packed.dtype()));
    zero_points = context.constant(unpacked(packed, n, blocks, bits));
  } else {
    const std::vector<int64_t> middle(static_cast<size_t>(n * blocks), int64_t{1} << (bits - 1));
    zero_points = context.constant(Tensor::from_ints(weight->type.dtype, {n, blocks}, middle));
  }
  DequantizeLinear dequantize;
  dequantize.axis = 1;
  dequantize.block_size = block;
  Value* b = context.one(dequantize, {weight, scales, zero_points});
  if (blocks * block != k) {
    b = context.one(Slice{}, {b, index_vector(context, {0}), index_vector(context, {k}),
                              index_vector(context, {1})});
  }
  Value* y = context.one(MatMul{}, {a, context.one(Transpose{.perm = {1, 0}}, {b})});
  if (Value* bias = context.input(5)) y = context.one(Add{}, {y, bias});
  return {y};
}

}  // namespace tenrec
