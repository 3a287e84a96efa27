// SPDX-License-Identifier: Apache-2.0
// Expected numbers are numpy's (take, take_along_axis) and those of ONNX's operator pages.
#include "ops/gather.h"

#include <gtest/gtest.h>

#include "ops/compress.h"
#include "ops/gather_elements.h"
#include "ops/movement.h"
#include "ops/non_zero.h"
#include "ops/one_hot.h"
#include "ops/reverse_sequence.h"
#include "ops/scatter.h"
#include "ops/unique.h"

namespace tenrec {
namespace {

using Ints = std::vector<int64_t>;
Tensor tensor(const Dims& dims, const Ints& values, DType dtype = DType::i64) {
  return Tensor::from_ints(dtype, dims, values);
}

TEST(Gather, TakesEntries) {
  const Tensor x = tensor({3, 2}, {0, 1, 2, 3, 4, 5}, DType::f16);
  const Tensor y = Gather{}.eval({x, tensor({1, 2}, {-1, 0})})[0];
  EXPECT_EQ(y.dims(), (Dims{1, 2, 2}));
  EXPECT_EQ(y.to_ints(), (Ints{4, 5, 0, 1}));
  EXPECT_EQ((Gather{1}.eval({x, tensor({}, {1})})[0].to_ints()), (Ints{1, 3, 5}));
  EXPECT_THROW((Gather{}.eval({x, tensor({1}, {3})})), Error);
}

TEST(Gather, Elements) {
  const Tensor x = tensor({3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ((GatherElements{0}.eval({x, tensor({2, 3}, {1, 2, 0, 2, 0, 0})})[0].to_ints()),
            (Ints{4, 8, 3, 7, 2, 3}));
}

TEST(Gather, Coordinates) {
  const Tensor x = tensor({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(GatherND{}.eval({x, tensor({2, 2}, {0, 1, 1, 0})})[0].to_ints(), (Ints{2, 3, 4, 5}));
  const Tensor batched = GatherND{1}.eval({x, tensor({2, 1}, {1, 0})})[0];
  EXPECT_EQ(batched.to_ints(), (Ints{2, 3, 4, 5}));
  const Type type = GatherND{1}.infer({Type::of_constant(x), Type::tensor(DType::i64, {2, 1})})[0];
  EXPECT_EQ(type.shape, (Shape{2, 2}));
}

TEST(Scatter, Elements) {
  const Tensor zeros = tensor({3, 3}, Ints(9, 0), DType::f32);
  const Tensor updates = tensor({2, 3}, {10, 11, 12, 20, 21, 22}, DType::f32);
  EXPECT_EQ(
      ScatterElements{}.eval({zeros, tensor({2, 3}, {1, 0, 2, 0, 2, 1}), updates})[0].to_ints(),
      (Ints{20, 11, 0, 10, 0, 22, 0, 21, 12}));
  const Tensor row = tensor({1, 5}, {1, 2, 3, 4, 5}, DType::f32);
  const Tensor two = tensor({1, 2}, {10, 21}, DType::f32);
  EXPECT_EQ((ScatterElements{1, "add"}.eval({row, tensor({1, 2}, {1, 1}), two})[0].to_ints()),
            (Ints{1, 33, 3, 4, 5}));
  EXPECT_EQ((ScatterElements{1, "max"}.eval({row, tensor({1, 2}, {1, -1}), two})[0].to_ints()),
            (Ints{1, 10, 3, 4, 21}));
}

TEST(Scatter, BlocksAndKnownValues) {
  const Tensor x = tensor({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ((ScatterND{"mul"}
                 .eval({x, tensor({2, 1}, {2, 0}), tensor({2, 2}, {10, 20, 3, 3})})[0]
                 .to_ints()),
            (Ints{3, 6, 3, 4, 50, 120, 7, 8}));
  // shape[1] = n, as exporters write it.
  const Dim n = Dim::fresh("n");
  const Type shape = Type::tensor(DType::i64, {3}).with_known_ints({1, 2, 3});
  const Type value = Type::tensor(DType::i64, {1}).with_known_ints({n});
  const Type out = ScatterND{}.infer({shape, Type::of_constant(tensor({1, 1}, {1})), value})[0];
  EXPECT_EQ(*out.known_ints(), (std::vector<Dim>{1, n, 3}));
}

TEST(Selection, NonZeroCompressUnique) {
  const Tensor x = tensor({2, 2}, {1, 0, 1, 1}, DType::boolean);
  EXPECT_EQ(NonZero{}.eval({x})[0].to_ints(), (Ints{0, 1, 1, 0, 0, 1}));
  const Tensor y = tensor({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ((Compress{0}.eval({y, tensor({3}, {0, 1, 1}, DType::boolean)})[0].to_ints()),
            (Ints{3, 4, 5, 6}));
  EXPECT_EQ((Compress{}.eval({y, tensor({5}, {0, 1, 0, 0, 1}, DType::boolean)})[0].to_ints()),
            (Ints{2, 5}));
  const Tensors sorted = Unique{}.eval({tensor({6}, {2, 1, 1, 3, 4, 3}, DType::f32)});
  EXPECT_EQ(sorted[0].to_ints(), (Ints{1, 2, 3, 4}));
  EXPECT_EQ(sorted[1].to_ints(), (Ints{1, 0, 3, 4}));
  EXPECT_EQ(sorted[2].to_ints(), (Ints{1, 0, 0, 2, 3, 2}));
  EXPECT_EQ(sorted[3].to_ints(), (Ints{2, 1, 2, 1}));
  const Tensors seen = Unique{{}, false}.eval({tensor({6}, {2, 1, 1, 3, 4, 3}, DType::f32)});
  EXPECT_EQ(seen[0].to_ints(), (Ints{2, 1, 3, 4}));
  EXPECT_EQ(seen[2].to_ints(), (Ints{0, 1, 1, 2, 3, 2}));
  const Tensors rows = Unique{0}.eval({tensor({3, 3}, {1, 0, 0, 1, 0, 0, 2, 3, 4})});
  EXPECT_EQ(rows[0].to_ints(), (Ints{1, 0, 0, 2, 3, 4}));
  EXPECT_EQ(rows[1].to_ints(), (Ints{0, 2}));
}

TEST(Selection, OneHotAndReverseSequence) {
  const Tensor hot =
      OneHot{}.eval({tensor({3}, {0, -1, 7}), tensor({}, {3}), tensor({2}, {5, 9}, DType::u8)})[0];
  EXPECT_EQ(hot.to_ints(), (Ints{9, 5, 5, 5, 5, 9, 5, 5, 5}));
  const Tensor x = tensor({4, 2}, {0, 4, 1, 5, 2, 6, 3, 7});
  EXPECT_EQ((ReverseSequence{}.eval({x, tensor({2}, {4, 2})})[0].to_ints()),
            (Ints{3, 5, 2, 4, 1, 6, 0, 7}));
}

}  // namespace
}  // namespace tenrec
