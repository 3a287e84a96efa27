// SPDX-License-Identifier: Apache-2.0
// Expected numbers are numpy's (arange(24).reshape(2, 3, 4) and the like).
#include "ops/movement.h"

#include <gtest/gtest.h>

#include "ops/transpose.h"

namespace tenrec {
namespace {

std::vector<int64_t> counting(int64_t count) { return even_offsets(count, 1); }

TEST(Movement, BlocksMergeWhatLiesTogether) {
  const IndexMap all = index_map(identity_offsets({2, 3, 4}));
  EXPECT_EQ(all.block, 24);
  EXPECT_EQ(all.from, std::vector<int64_t>{0});
  AxisOffsets columns = identity_offsets({4, 6});
  columns[1] = even_offsets(3, 1, 2);
  const IndexMap part = index_map(columns);
  EXPECT_EQ(part.block, 3);
  EXPECT_EQ(part.from, (std::vector<int64_t>{2, 8, 14, 20}));
}

TEST(Movement, TransposesEveryElementType) {
  const Dims dims{2, 3, 4};
  const std::vector<int64_t> expected{0, 4, 8,  12, 16, 20, 1, 5, 9,  13, 17, 21,
                                      2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23};
  for (const DType dtype :
       {DType::f32, DType::f64, DType::f16, DType::bf16, DType::i8, DType::i16, DType::i32,
        DType::i64, DType::u8, DType::u16, DType::u32, DType::u64}) {
    const Tensor x = Tensor::from_ints(dtype, dims, counting(24));
    const Tensor y = Transpose{{2, 0, 1}}.eval({x})[0];
    EXPECT_EQ(y.dims(), (Dims{4, 2, 3})) << name(dtype);
    EXPECT_EQ(y.to_ints(), expected) << name(dtype);
    EXPECT_EQ(y.dtype(), dtype);
  }
}

TEST(Movement, TransposesSubByteElementsAndStrings) {
  const Tensor nibbles =
      Tensor::from_ints(DType::i4, {2, 3}, std::vector<int64_t>{-8, -1, 0, 1, 2, 7});
  EXPECT_EQ(Transpose{}.eval({nibbles})[0].to_ints(), (std::vector<int64_t>{-8, 1, -1, 2, 0, 7}));
  const Tensor pairs = Tensor::from_ints(DType::u2, {1, 5}, std::vector<int64_t>{3, 0, 1, 2, 3});
  EXPECT_EQ(Transpose{}.eval({pairs})[0].to_ints(), (std::vector<int64_t>{3, 0, 1, 2, 3}));
  const Tensor words = Tensor::of_strings({2, 2}, {"a", "b", "c", "d"});
  EXPECT_EQ(Transpose{}.eval({words})[0].strings(), (std::vector<std::string>{"a", "c", "b", "d"}));
}

TEST(Movement, KnownValuesMoveWithTheirElements) {
  const Dim n = Dim::fresh("n");
  const Type x = Type::tensor(DType::i64, {1, 2}).with_known_ints({n, n * 2});
  const Type y = Transpose{}.infer({x})[0];
  ASSERT_NE(y.known_ints(), nullptr);
  EXPECT_EQ(*y.known_ints(), (std::vector<Dim>{n, n * 2}));
}

TEST(Movement, JoinsAlongAnyAxis) {
  const Tensor a = Tensor::from_ints(DType::i32, {2, 2}, counting(4));
  const Tensor b = Tensor::from_ints(DType::i32, {2, 1}, std::vector<int64_t>{8, 9});
  EXPECT_EQ(joined({a, b}, 1).to_ints(), (std::vector<int64_t>{0, 1, 8, 2, 3, 9}));
  EXPECT_THROW(joined({a, b}, 0), Error);
}

TEST(Movement, TransposeRefusesWhatIsNoPermutation) {
  EXPECT_THROW((Transpose{{0, 0}}.infer({Type::tensor(DType::f32, {2, 3})})), Error);
  EXPECT_THROW((Transpose{{0, 1, 2}}.infer({Type::tensor(DType::f32, {2, 3})})), Error);
}

}  // namespace
}  // namespace tenrec
