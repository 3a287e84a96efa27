// SPDX-License-Identifier: Apache-2.0
// Sizes and types that an operator's loops cannot read are the caller's error, found beforehand.
#include <gtest/gtest.h>

#include "base/error.h"
#include "ops/contrib/group_query_attention.h"
#include "ops/convert.h"
#include "ops/ml/scores.h"
#include "ops/ml/tree_ensemble.h"

namespace tenrec {
namespace {

Type f32(Shape shape) { return Type::tensor(DType::f32, std::move(shape)); }

// Two samples, three new steps after a cache of five, four query heads and two others of size 4;
// every optional input is there.
Tensors decoder_inputs() {
  const auto floats = [](Dims dims) { return Tensor(DType::f32, std::move(dims)); };
  return {floats({2, 3, 16}),
          floats({2, 3, 8}),
          floats({2, 3, 8}),
          floats({2, 2, 5, 4}),
          floats({2, 2, 5, 4}),
          Tensor::of<int32_t>({2}, {6, 7}),
          Tensor::of<int32_t>({1}, {8}),
          floats({8, 2}),
          floats({8, 2}),
          Tensor::of<int64_t>({2, 3}, {4, 5, 6, 5, 6, 7}),
          floats({1, 4, 3, 8}),
          floats({4})};
}

TEST(Refusals, GroupQueryAttentionNamesTheInputThatDoesNotFit) {
  GroupQueryAttention op;
  op.num_heads = 4;
  op.kv_num_heads = 2;
  op.do_rotary = true;
  EXPECT_EQ(op.eval(decoder_inputs())[1].dims(), (Dims{2, 2, 8, 4}));
  for (size_t i = 0; i < decoder_inputs().size(); ++i) {
    Tensors in = decoder_inputs();
    Dims dims = in[i].dims();
    dims.back() -= 1;
    in[i] = Tensor(in[i].dtype(), dims);
    try {
      op.eval(in);
      ADD_FAILURE() << "took input " << i << " of " << to_string(dims);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_input) << error.what();
    }
  }
}

TEST(Refusals, GroupQueryAttentionSeesAtLeastItsOwnStep) {
  GroupQueryAttention op;
  op.num_heads = 4;
  op.kv_num_heads = 2;
  op.local_window_size = 0;
  Types in;
  for (const Tensor& tensor : decoder_inputs()) in.push_back(Type::of_constant(tensor));
  EXPECT_THROW(op.infer(in), Error);
}

TEST(Refusals, ScoresOfAnotherWidth) {
  EXPECT_NO_THROW(BinaryScores{}.infer({f32({3, 1})}));
  EXPECT_THROW(BinaryScores{}.infer({f32({3, 2})}), Error);
  EXPECT_THROW(BinaryScores{}.infer({f32({3})}), Error);
  EXPECT_NO_THROW(TreeClasses{.binary = true}.infer({f32({3, 2})}));
  EXPECT_THROW(TreeClasses{.binary = true}.infer({f32({3, 4})}), Error);
  EXPECT_THROW(TreeClasses{}.infer({f32({})}), Error);
}

TEST(Refusals, ConvertOfWhatIsAPlainCast) {
  EXPECT_NO_THROW(Convert{.to = DType::string}.infer({f32({3})}));
  EXPECT_NO_THROW(Convert{.to = DType::f8e5m2}.infer({f32({3})}));
  EXPECT_THROW(Convert{.to = DType::boolean}.infer({f32({3})}), Error);
  EXPECT_THROW(Convert{.to = DType::c64}.infer({Type::tensor(DType::string, {3})}), Error);
}

}  // namespace
}  // namespace tenrec
