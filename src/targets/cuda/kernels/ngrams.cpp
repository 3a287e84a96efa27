// SPDX-License-Identifier: Apache-2.0
// TfIdfVectorizer of numbers: a thread an element of the output looks for the n-grams that count
// there. Of text it is the host's.
#include <algorithm>
#include <map>
#include <optional>

#include "ops/tf_idf_vectorizer.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

struct Gram {
  size_t entry;  // of the operator's lists
  int32_t start, length;
};

// The n-grams of the lengths wanted, by column; of equal ones the last counts. Null where the
// operator's lists do not fit together.
std::optional<std::vector<Gram>> grams_of(const TfIdfVectorizer& op) {
  const std::vector<int64_t>& pool = op.pool_int64s;
  if (pool.size() > INT32_MAX) return std::nullopt;
  std::map<std::vector<int64_t>, Gram> grams;
  size_t entry = 0;
  for (size_t n = 1; n <= op.ngram_counts.size(); ++n) {
    const auto size = static_cast<int64_t>(pool.size());
    const int64_t end = n < op.ngram_counts.size() ? op.ngram_counts[n] : size;
    const auto length = static_cast<int64_t>(n);
    if (op.ngram_counts[n - 1] < 0 || end > size) return std::nullopt;
    for (int64_t at = op.ngram_counts[n - 1]; at + length <= end; at += length) {
      if (entry >= op.ngram_indexes.size()) return std::nullopt;
      const auto first = pool.begin() + at;
      grams[{first, first + length}] = {entry++, static_cast<int32_t>(at), static_cast<int32_t>(n)};
    }
  }
  std::vector<Gram> found;
  for (const auto& [elements, gram] : grams) {
    if (gram.length >= op.min_gram_length && gram.length <= op.max_gram_length)
      found.push_back(gram);
  }
  std::sort(found.begin(), found.end(), [&](const Gram& a, const Gram& b) {
    const int64_t x = op.ngram_indexes[a.entry], y = op.ngram_indexes[b.entry];
    return x != y ? x < y : a.entry < b.entry;
  });
  return found;
}

template <class T>
StepArg table(std::vector<T> values) {
  values.push_back(T{});  // never read; no table is empty
  const Dims dims{static_cast<int64_t>(values.size())};
  return {nullptr, Tensor::of(dims, values)};
}

// Inputs 1 to 5: the first n-gram of each column, then of each where it stands in the pool, its
// length and its weight, and the pool.
void add_tables(const TfIdfVectorizer& op, const std::vector<Gram>& grams, int64_t columns,
                StepWriter& step) {
  std::vector<int32_t> first(static_cast<size_t>(columns) + 1), start, length;
  std::vector<float> weight;
  for (const Gram& gram : grams) {
    ++first[static_cast<size_t>(op.ngram_indexes[gram.entry]) + 1];
    start.push_back(gram.start);
    length.push_back(gram.length);
    weight.push_back(op.mode == "TF" || op.weights.empty() ? 1.0F : op.weights[gram.entry]);
  }
  for (size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
  step.add_input(table(first));
  step.add_input(table(start));
  step.add_input(table(length));
  step.add_input(table(weight));
  step.add_input(table(op.pool_int64s));
}

class NGrams final : public Kernel {
 public:
  std::string_view name() const override { return "ngrams"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* op = node.as<TfIdfVectorizer>();
    if (!op) return "counts no n-grams";
    const Type& x = node.input(0)->type;
    if (x.dtype != DType::i32 && x.dtype != DType::i64) return "no i32 or i64";
    if (std::string problem = plain_problem(x); !problem.empty()) return problem;
    return grams_of(*op) ? "" : "lists that do not fit together";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const auto& op = *node.as<TfIdfVectorizer>();
    const Shape& out = node.output()->type.shape;
    StepWriter step(draft_of(node, name(), tactic));
    add_tables(op, *grams_of(op), out.back().value(), step);
    KernelText kernel(step, "ngrams");
    kernel.reach_all();
    kernel.body = kernel.flat_index(product(out));
    kernel.body += fmt::format(
        "  const idx size = {0}, column = i % {1};\n"
        "  const auto* row = {2} + i / {1} * size;\n"
        "  double total = 0;\n"
        "  for (int gram = {3}[column]; gram < {3}[column + 1]; ++gram) {{\n"
        "    const int length = {4}[gram];\n"
        "    const long long* wanted = {5} + {6}[gram];\n"
        "    long long count = 0;\n"
        "    for (int step = 1; step <= (length == 1 ? 1 : {7}); ++step)\n"
        "      for (idx first = 0; first + (idx)(length - 1) * step < size; ++first) {{\n"
        "        int k = 0;\n"
        "        while (k < length && row[first + (idx)k * step] == wanted[k]) ++k;\n"
        "        count += k == length;\n"
        "      }}\n"
        "    total += (double)({8}) * {9}[gram];\n"
        "  }}\n"
        "  {10}[i] = (float)total;\n",
        kernel.dim(node.input(0)->type.shape.back()), out.back().value(), kernel.input(0),
        kernel.input(1), kernel.input(3), kernel.input(5), kernel.input(2), op.max_skip_count + 1,
        op.mode == "IDF" ? "count > 0" : "count", kernel.input(4), kernel.output(0));
    step.launch_flat(kernel, product(out));
    return step.finish();
  }
};

}  // namespace

const Kernel& ngrams_kernel() {
  static const NGrams kernel;
  return kernel;
}

}  // namespace tenrec::cuda
