// SPDX-License-Identifier: Apache-2.0
// Expected values are Python's (str.split, str.lower) and those of ONNX's operator pages.
#include "ops/strings.h"

#include <gtest/gtest.h>

#include "ops/label_encoder.h"
#include "ops/tf_idf_vectorizer.h"

namespace tenrec {
namespace {

using Words = std::vector<std::string>;
Tensor words(const Words& values) {
  return Tensor::of_strings({static_cast<int64_t>(values.size())}, values);
}

TEST(Strings, Concat) {
  const Tensor out = StringConcat{}.eval({words({"a", "b"}), Tensor::of_strings({}, {".com"})})[0];
  EXPECT_EQ(out.strings(), (Words{"a.com", "b.com"}));
}

TEST(Strings, Split) {
  const Tensors spaces = StringSplit{}.eval({words({"  hello  world ", "", "x"})});
  EXPECT_EQ(spaces[0].strings(), (Words{"hello", "world", "", "", "x", ""}));
  EXPECT_EQ(spaces[1].to_ints(), (std::vector<int64_t>{2, 0, 1}));
  const Tensors commas = StringSplit{",", 1}.eval({words({"a,b,c", ",x"})});
  EXPECT_EQ(commas[0].strings(), (Words{"a", "b,c", "", "x"}));
}

TEST(Strings, RegexMatchesTheWholeString) {
  const Tensor out = RegexFullMatch{R"(www\.[\w.-]+\.\bcom\b)"}.eval(
      {words({"www.google.com", "www.a.com.org"})})[0];
  EXPECT_EQ(out.to_ints(), (std::vector<int64_t>{1, 0}));
  EXPECT_THROW(RegexFullMatch{"("}.eval({words({"a"})}), Error);
}

TEST(Strings, Normalizer) {
  StringNormalizer op;
  op.stopwords = {"Monday"};
  op.case_change_action = "UPPER";
  EXPECT_EQ(op.eval({words({"monday", "tuesday",
                            "stra\xC3\x9F"
                            "e",
                            "\xC3\xA9t\xC3\xA9"})})[0]
                .strings(),
            (Words{"TUESDAY",
                   "STRA\xC3\x9F"
                   "E",
                   "\xC3\x89T\xC3\x89"}));
  op.is_case_sensitive = true;
  EXPECT_EQ(op.eval({words({"monday"})})[0].strings(), (Words{"MONDAY"}));
  EXPECT_EQ(op.eval({words({"Monday"})})[0].strings(), (Words{""}));
}

TEST(Strings, LabelEncoder) {
  const LabelEncoder op{words({"Amy", "Sally"}), Tensor::of({2}, std::vector<int64_t>{5, 6}),
                        Tensor::of({1}, std::vector<int64_t>{-1})};
  EXPECT_EQ(op.eval({words({"Dori", "Amy", "Amy", "Sally", "Sally"})})[0].to_ints(),
            (std::vector<int64_t>{-1, 5, 5, 6, 6}));
}

TEST(Strings, TfIdfCountsWithSkips) {
  TfIdfVectorizer op;
  op.min_gram_length = 2;
  op.max_gram_length = 2;
  op.max_skip_count = 5;
  op.ngram_counts = {0, 4};
  op.ngram_indexes = {0, 1, 2, 3, 4, 5, 6};
  op.pool_int64s = {2, 3, 5, 4, 5, 6, 7, 8, 6, 7};
  const Tensor x = Tensor::of({12}, std::vector<int32_t>{1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8});
  EXPECT_EQ(op.eval({x})[0].to_ints(), (std::vector<int64_t>{0, 0, 0, 0, 1, 3, 1}));
}

}  // namespace
}  // namespace tenrec
