// SPDX-License-Identifier: Apache-2.0
#include "ops/tf_idf_vectorizer.h"

#include <algorithm>
#include <map>

#include "ops/movement.h"

namespace tenrec {
namespace {

template <class T>
using Grams = std::map<std::vector<T>, size_t>;  // n-gram -> its number in the pool

template <class T>
Grams<T> grams_of(const std::vector<T>& pool, const std::vector<int64_t>& starts, size_t entries) {
  Grams<T> grams;
  size_t number = 0;
  for (size_t n = 1; n <= starts.size(); ++n) {
    const auto end = n < starts.size() ? static_cast<size_t>(starts[n]) : pool.size();
    for (auto at = static_cast<size_t>(starts[n - 1]); at + n <= end && end <= pool.size();
         at += n) {
      TENREC_CHECK(number < entries, invalid_model,
                   "the pool has more n-grams than the {} ngram_indexes", entries);
      const auto first = pool.begin() + static_cast<std::ptrdiff_t>(at);
      grams[{first, first + static_cast<std::ptrdiff_t>(n)}] = number++;
    }
  }
  return grams;
}

template <class T>
void count_row(const Grams<T>& grams, const std::vector<T>& row, int64_t shortest, int64_t longest,
               int64_t max_skip, std::vector<int64_t>& counts) {
  const auto size = static_cast<int64_t>(row.size());
  for (int64_t n = shortest; n <= longest; ++n) {
    // Single elements have nothing to skip.
    for (int64_t step = 1; step <= (n == 1 ? 1 : max_skip + 1); ++step) {
      for (int64_t first = 0; first + (n - 1) * step < size; ++first) {
        std::vector<T> gram;
        for (int64_t k = 0; k < n; ++k) gram.push_back(row[static_cast<size_t>(first + k * step)]);
        if (const auto found = grams.find(gram); found != grams.end()) ++counts[found->second];
      }
    }
  }
}

template <class T>
std::vector<std::vector<int64_t>> count_rows(const TfIdfVectorizer& op, const std::vector<T>& pool,
                                             const std::vector<T>& values, int64_t rows) {
  const Grams<T> grams = grams_of(pool, op.ngram_counts, op.ngram_indexes.size());
  std::vector<std::vector<int64_t>> counts;
  const auto width = rows == 0 ? 0 : static_cast<std::ptrdiff_t>(values.size()) / rows;
  for (int64_t row = 0; row < rows; ++row) {
    const auto first = values.begin() + row * width;
    std::vector<int64_t> found(op.ngram_indexes.size());
    count_row(grams, std::vector<T>(first, first + width), op.min_gram_length, op.max_gram_length,
              op.max_skip_count, found);
    counts.push_back(std::move(found));
  }
  return counts;
}

}  // namespace

int64_t TfIdfVectorizer::columns() const {
  TENREC_CHECK(!ngram_indexes.empty(), invalid_model, "TfIdfVectorizer without ngram_indexes");
  return *std::max_element(ngram_indexes.begin(), ngram_indexes.end()) + 1;
}

Types TfIdfVectorizer::infer(const Types& in) const {
  const Type& x = tensor_input(in, 0, "TfIdfVectorizer");
  columns();  // checks that there is an index
  TENREC_CHECK(mode == "TF" || mode == "IDF" || mode == "TFIDF", invalid_model,
               "TfIdfVectorizer mode '{}'; there are TF, IDF and TFIDF", mode);
  TENREC_CHECK(
      min_gram_length >= 1 && max_gram_length >= min_gram_length && max_skip_count >= 0 &&
          (weights.empty() || weights.size() == ngram_indexes.size()) &&
          *std::min_element(ngram_indexes.begin(), ngram_indexes.end()) >= 0,
      invalid_model, "TfIdfVectorizer of lengths {} to {}, {} skips, {} weights and {} indexes",
      min_gram_length, max_gram_length, max_skip_count, weights.size(), ngram_indexes.size());
  if (!x.ranked) return {Type::unranked(DType::f32)};
  TENREC_CHECK(x.rank() == 1 || x.rank() == 2, invalid_model,
               "TfIdfVectorizer of {}; it takes 1 or 2 axes", x.str());
  Shape shape = x.shape;
  shape.back() = Dim(columns());
  return {Type::tensor(DType::f32, std::move(shape))};
}

Tensors TfIdfVectorizer::eval(const Tensors& in) const {
  const int64_t rows = in[0].rank() == 2 ? in[0].dims()[0] : 1;
  const auto counts = in[0].dtype() == DType::string
                          ? count_rows(*this, pool_strings, in[0].strings(), rows)
                          : count_rows(*this, pool_int64s, in[0].to_ints(), rows);
  Dims dims = in[0].dims();
  dims.back() = columns();
  std::vector<double> out(static_cast<size_t>(element_count(dims)));
  for (size_t row = 0; row < counts.size(); ++row) {
    for (size_t i = 0; i < counts[row].size(); ++i) {
      const auto count = static_cast<double>(mode == "IDF" ? std::min<int64_t>(counts[row][i], 1)
                                                           : counts[row][i]);
      const double weight = mode == "TF" || weights.empty() ? 1.0 : static_cast<double>(weights[i]);
      const auto column = static_cast<size_t>(ngram_indexes[i]);
      out[row * static_cast<size_t>(columns()) + column] += count * weight;
    }
  }
  return {Tensor::from_doubles(DType::f32, dims, out)};
}

}  // namespace tenrec
