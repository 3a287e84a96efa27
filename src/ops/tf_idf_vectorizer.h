// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "ir/op_decl.h"

namespace tenrec {

// Counts the n-grams of `pool` in each row. Entry i of the pool counts in column ngram_indexes[i];
// the n-grams of length n start in the flat pool at ngram_counts[n - 1].
struct TfIdfVectorizer {
  std::string mode = "TF";  // TF: counts; IDF: weights of those found; TFIDF: counts times weights
  int64_t min_gram_length = 1;
  int64_t max_gram_length = 1;
  int64_t max_skip_count = 0;  // elements that may lie between two of an n-gram
  std::vector<int64_t> ngram_counts;
  std::vector<int64_t> ngram_indexes;
  std::vector<int64_t> pool_int64s;
  std::vector<std::string> pool_strings;
  std::vector<float> weights;
  static auto fields(auto& s) {
    return std::tuple{field(1, "mode", s.mode),
                      field(2, "min_gram_length", s.min_gram_length),
                      field(3, "max_gram_length", s.max_gram_length),
                      field(4, "max_skip_count", s.max_skip_count),
                      field(5, "ngram_counts", s.ngram_counts),
                      field(6, "ngram_indexes", s.ngram_indexes),
                      field(7, "pool_int64s", s.pool_int64s),
                      field(8, "pool_strings", s.pool_strings),
                      field(9, "weights", s.weights)};
  }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;

 private:
  int64_t columns() const;
};
TENREC_OP(TfIdfVectorizer, "tf_idf_vectorizer")

}  // namespace tenrec
