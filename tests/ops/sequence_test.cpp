// SPDX-License-Identifier: Apache-2.0
#include "ops/sequence.h"

#include <gtest/gtest.h>

#include "ops/optional.h"

namespace tenrec {
namespace {

using Ints = std::vector<int64_t>;
Tensor tensor(const Dims& dims, const Ints& values) {
  return Tensor::from_ints(DType::i64, dims, values);
}
Datum position(int64_t at) { return Datum(Tensor::scalar(at)); }
Datum three() {
  return Datum::sequence(
      {Datum(tensor({1}, {1})), Datum(tensor({2}, {2, 3})), Datum(tensor({1}, {4}))});
}

TEST(Sequence, BuildsAndIndexes) {
  EXPECT_EQ(SequenceAt{}.eval_data({three(), position(-2)})[0].tensor.to_ints(), (Ints{2, 3}));
  EXPECT_THROW(SequenceAt{}.eval_data({three(), position(3)}), Error);
  EXPECT_EQ(SequenceLength{}.eval_data({three()})[0].tensor.to_ints(), (Ints{3}));
  const Data inserted = SequenceInsert{}.eval_data({three(), Datum(tensor({1}, {9})), position(1)});
  EXPECT_EQ(inserted[0].elements[1].tensor.to_ints(), (Ints{9}));
  EXPECT_EQ(inserted[0].elements.size(), 4U);
  const Data erased = SequenceErase{}.eval_data({three()});
  EXPECT_EQ(erased[0].elements.back().tensor.to_ints(), (Ints{2, 3}));
}

TEST(Sequence, SplitsAndJoins) {
  const Datum x(tensor({5}, {1, 2, 3, 4, 5}));
  const Data pieces = SplitToSequence{}.eval_data({x, Datum(Tensor::scalar(int64_t{2}))});
  ASSERT_EQ(pieces[0].elements.size(), 3U);
  EXPECT_EQ(pieces[0].elements[2].tensor.to_ints(), (Ints{5}));
  EXPECT_EQ(ConcatFromSequence{}.eval_data(pieces)[0].tensor.to_ints(), (Ints{1, 2, 3, 4, 5}));
  const Data scalars = SplitToSequence{0, false}.eval_data({x});
  EXPECT_EQ(scalars[0].elements[0].tensor.dims(), Dims{});
  EXPECT_EQ((ConcatFromSequence{-1, true}.eval_data(scalars)[0].tensor.dims()), (Dims{5}));
}

TEST(Sequence, TypesKeepWhatAllElementsShare) {
  const Type a = Type::tensor(DType::f32, {2, 3});
  const Type b = Type::tensor(DType::f32, {4, 3});
  const Type sequence = SequenceConstruct{}.infer({a, b})[0];
  const Type element = SequenceAt{}.infer({sequence, Type::tensor(DType::i64, {})})[0];
  EXPECT_EQ(element.shape[1], Dim(3));
  EXPECT_FALSE(element.shape[0].is_const());
  EXPECT_EQ(element.shape[0].upper(), 4);
  const Type joined = ConcatFromSequence{}.infer({sequence})[0];
  EXPECT_EQ(joined.shape[1], Dim(3));
  // The first element of an empty sequence says what the sequence holds.
  const Type grown = SequenceInsert{}.infer({SequenceEmpty{}.infer({})[0], a})[0];
  EXPECT_EQ(grown.element->shape, a.shape);
}

TEST(Optional, HoldsOrNot) {
  const Datum x(tensor({1}, {7}));
  const Data full = MakeOptional{}.eval_data({x});
  EXPECT_EQ(OptionalGetElement{}.eval_data(full)[0].tensor.to_ints(), (Ints{7}));
  EXPECT_EQ(OptionalHasElement{}.eval_data(full)[0].tensor.to_ints(), (Ints{1}));
  const Data empty = MakeOptional{}.eval_data({});
  EXPECT_EQ(OptionalHasElement{}.eval_data(empty)[0].tensor.to_ints(), (Ints{0}));
  EXPECT_THROW(OptionalGetElement{}.eval_data(empty), Error);
  EXPECT_EQ(OptionalHasElement{}.eval_data({})[0].tensor.to_ints(), (Ints{0}));
}

}  // namespace
}  // namespace tenrec
