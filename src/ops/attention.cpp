// SPDX-License-Identifier: Apache-2.0
#include "ops/attention.h"

#include <cmath>
#include <limits>

#include "ops/flops.h"
#include "ops/support.h"

namespace tenrec {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Sizes of q, k or v whether heads are an axis of their own or packed into the last.
struct Heads {
  Dim batch, heads, length, size;
};

Heads heads_of(const Type& type, int64_t heads, std::string_view what) {
  TENREC_CHECK(type.rank() == 3 || type.rank() == 4, invalid_model,
               "{} is {}, expected three or four axes", what, type.str());
  if (type.rank() == 4) return {type.shape[0], type.shape[1], type.shape[2], type.shape[3]};
  TENREC_CHECK(heads >= 1, invalid_model,
               "{} is {}: with three axes the number of heads must be given", what, type.str());
  const Dim& packed = type.shape[2];
  TENREC_CHECK(!packed.is_const() || packed.value() % heads == 0, invalid_model,
               "{} is {}: {} cannot be split into {} heads", what, type.str(), packed.str(), heads);
  return {type.shape[0], heads, type.shape[1], floordiv(packed, heads)};
}

// The element [n][head][position][i] of q, k or v.
struct View {
  std::vector<double> data;
  int64_t heads = 1, length = 1, size = 1;
  bool packed = false;
  const double* row(int64_t n, int64_t head, int64_t position) const {
    const int64_t at = packed ? ((n * length + position) * heads + head) * size
                              : ((n * heads + head) * length + position) * size;
    return data.data() + at;
  }
};

View view_of(const Tensor& tensor, int64_t heads) {
  const Dims& dims = tensor.dims();
  View view{.data = tensor.to_doubles()};
  view.packed = dims.size() == 3;
  view.heads = view.packed ? heads : dims[1];
  view.length = dims[view.packed ? 1 : 2];
  view.size = view.packed ? dims[2] / heads : dims[3];
  return view;
}

// Past rows (if any) in front of the new ones: [N][heads][total][size].
View joined(const Tensors& in, size_t past, const View& now, int64_t batch) {
  View all{.data = {}, .heads = now.heads, .length = now.length, .size = now.size};
  const int64_t before = present(in, past) ? in[past].dims()[2] : 0;
  View old;
  if (before > 0) old = view_of(in[past], 0);
  all.length += before;
  all.data.reserve(static_cast<size_t>(batch * all.heads * all.length * all.size));
  for (int64_t line = 0; line < batch * all.heads; ++line) {
    for (int64_t p = 0; p < all.length; ++p) {
      const double* row = p < before ? old.row(line / all.heads, line % all.heads, p)
                                     : now.row(line / all.heads, line % all.heads, p - before);
      all.data.insert(all.data.end(), row, row + all.size);
    }
  }
  return all;
}

// What is added to a score: the mask (broadcast; short ones end early), causality, window, padding.
class Bias {
 public:
  Bias(const Attention& op, const Tensors& in, int64_t queries, int64_t keys)
      : causal_(op.is_causal), left_(op.left_window), right_(op.right_window), keys_(keys) {
    if (present(in, 3)) {
      boolean_ = in[3].dtype() == DType::boolean;
      mask_ = in[3].to_doubles();
      dims_ = in[3].dims();
      dims_.insert(dims_.begin(), 4 - dims_.size(), 1);
    }
    if (present(in, 6)) valid_ = in[6].to_ints();
    if (present(in, 4)) offset_ = in[4].dims()[2];
    else if (!valid_.empty()) from_valid_ = true;
    queries_ = queries;
  }
  double operator()(int64_t n, int64_t head, int64_t query, int64_t key) const {
    const int64_t valid = valid_.empty() ? keys_ : valid_[static_cast<size_t>(n)];
    if (key >= valid) return -infinity;
    const int64_t own = query + (from_valid_ ? valid - queries_ : offset_);
    if (causal_ && key > own) return -infinity;
    if ((left_ >= 0 && key < own - left_) || (right_ >= 0 && key > own + right_)) return -infinity;
    if (mask_.empty()) return 0;
    if (key >= dims_[3] && dims_[3] != 1) return -infinity;
    const auto at = [&](size_t axis, int64_t i) { return dims_[axis] == 1 ? 0 : i; };
    const auto element = static_cast<size_t>(
        ((at(0, n) * dims_[1] + at(1, head)) * dims_[2] + at(2, query)) * dims_[3] + at(3, key));
    if (boolean_) return mask_[element] != 0 ? 0 : -infinity;
    return mask_[element];
  }

 private:
  bool causal_, boolean_ = false, from_valid_ = false;
  int64_t left_, right_;
  int64_t keys_, queries_ = 0, offset_ = 0;
  std::vector<double> mask_;
  Dims dims_;
  std::vector<int64_t> valid_;
};

// Scores to weights in place; a row with every key masked gives weights of 0.
void softmax_row(std::vector<double>& row) {
  double top = -infinity;
  for (const double score : row) top = std::max(top, score);
  double sum = 0;
  for (double& score : row) sum += score = top == -infinity ? 0 : std::exp(score - top);
  for (double& score : row) score = sum == 0 ? 0 : score / sum;
}

void check_cache(const Types& in, size_t i, const Heads& now, std::string_view what) {
  if (!present(in, i) || !in[i].ranked) return;
  const Heads past = heads_of(in[i], 0, what);
  check_same_size(past.batch, now.batch, what);
  check_same_size(past.heads, now.heads, what);
  check_same_size(past.size, now.size, what);
}

void check_mask(const Type& mask, const Shape& scores) {
  TENREC_CHECK(mask.rank() >= 1 && mask.rank() <= 4, invalid_model, "the mask is {}", mask.str());
  const size_t skip = 4 - mask.shape.size();
  for (size_t i = 0; i < mask.shape.size(); ++i) {
    const Dim& size = mask.shape[i];
    const Dim& full = scores[skip + i];
    if (!size.is_const() || !full.is_const() || size == Dim(1)) continue;
    const bool fits = skip + i == 3 ? size.value() <= full.value() : size == full;
    TENREC_CHECK(fits, invalid_model, "the mask {} does not broadcast to the scores {}", mask.str(),
                 to_string(scores));
  }
}

}  // namespace

Types Attention::infer(const Types& in) const {
  const Type& q = required_float(in, 0, "the query");
  const Type& k = required_float(in, 1, "the key");
  const Type& v = required_float(in, 2, "the value");
  TENREC_CHECK(q.rank() == k.rank() && k.rank() == v.rank(), invalid_model,
               "query {}, key {} and value {} must have the same number of axes", q.str(), k.str(),
               v.str());
  const Heads query = heads_of(q, q_num_heads, "the query");
  const Heads key = heads_of(k, kv_num_heads, "the key");
  const Heads value = heads_of(v, kv_num_heads, "the value");
  check_same_size(query.batch, key.batch, "batch of query and key");
  check_same_size(key.batch, value.batch, "batch of key and value");
  check_same_size(query.size, key.size, "head size of query and key");
  check_same_size(key.heads, value.heads, "heads of key and value");
  check_same_size(key.length, value.length, "length of key and value");
  TENREC_CHECK(!query.heads.is_const() || !key.heads.is_const() ||
                   (key.heads.value() > 0 && query.heads.value() % key.heads.value() == 0),
               invalid_model, "{} query heads cannot share {} key heads", query.heads.str(),
               key.heads.str());
  TENREC_CHECK(present(in, 4) == present(in, 5), invalid_model,
               "past key and past value must be given together");
  check_cache(in, 4, key, "past key and key");
  check_cache(in, 5, value, "past value and value");
  Dim total = key.length;
  if (present(in, 4)) {
    TENREC_CHECK(in[4].rank() == 4 && in[5].rank() == 4, invalid_model,
                 "past key {} and value {} must have four axes", in[4].str(), in[5].str());
    check_same_size(in[4].shape[2], in[5].shape[2], "length of past key and value");
    total = total + in[4].shape[2];
  }
  const Shape scores{query.batch, query.heads, query.length, total};
  if (present(in, 3) && in[3].ranked) check_mask(in[3], scores);
  if (present(in, 6) && in[6].ranked) {
    TENREC_CHECK(in[6].rank() == 1, invalid_model, "nonpad_kv_seqlen is {}, expected 1-D",
                 in[6].str());
    check_same_size(in[6].shape[0], query.batch, "nonpad_kv_seqlen and batch");
  }
  Types out{Type::tensor(
      q.dtype, q.rank() == 4 ? Shape{query.batch, query.heads, query.length, value.size}
                             : Shape{query.batch, query.length, query.heads * value.size})};
  if (outputs >= 3) {
    out.push_back(Type::tensor(k.dtype, {key.batch, key.heads, total, key.size}));
    out.push_back(Type::tensor(v.dtype, {key.batch, key.heads, total, value.size}));
  }
  if (outputs >= 4) out.push_back(Type::tensor(q.dtype, scores));
  return out;
}

Tensors Attention::eval(const Tensors& in) const {
  const Types types = actual_outputs(*this, in);
  const View q = view_of(in[0], q_num_heads);
  const int64_t batch = in[0].dims()[0];
  const View k = joined(in, 4, view_of(in[1], kv_num_heads), batch);
  const View v = joined(in, 5, view_of(in[2], kv_num_heads), batch);
  const Bias bias(*this, in, q.length, k.length);
  const double factor =
      scale ? static_cast<double>(*scale) : 1 / std::sqrt(static_cast<double>(q.size));
  const auto cap = static_cast<double>(softcap);
  std::vector<double> y(static_cast<size_t>(batch * q.heads * q.length * v.size), 0.0);
  std::vector<double> scores;
  std::vector<double> row(static_cast<size_t>(k.length));
  const auto keep = [&](int64_t mode) {
    if (outputs >= 4 && qk_matmul_output_mode == mode) {
      scores.insert(scores.end(), row.begin(), row.end());
    }
  };
  for (int64_t line = 0; line < batch * q.heads * q.length; ++line) {
    const int64_t position = line % q.length;
    const int64_t head = line / q.length % q.heads;
    const int64_t n = line / (q.length * q.heads);
    const int64_t shared = head / (q.heads / k.heads);
    const double* query = q.row(n, head, position);
    for (int64_t j = 0; j < k.length; ++j) {
      const double* key = k.row(n, shared, j);
      double sum = 0;
      for (int64_t i = 0; i < q.size; ++i) sum += query[i] * key[i];
      row[static_cast<size_t>(j)] = sum * factor;
    }
    keep(0);
    if (cap > 0) {
      for (double& score : row) score = std::tanh(score / cap) * cap;
    }
    keep(1);
    for (int64_t j = 0; j < k.length; ++j) {
      const double added = bias(n, head, position, j);
      double& score = row[static_cast<size_t>(j)];
      score = added == -infinity ? -infinity : score + added;
    }
    keep(2);
    softmax_row(row);
    keep(3);
    double* to = y.data() + (q.packed ? (n * q.length + position) * q.heads + head : line) * v.size;
    for (int64_t j = 0; j < k.length; ++j) {
      const double weight = row[static_cast<size_t>(j)];
      if (weight == 0) continue;  // what a mask hides must not matter, not even a NaN
      const double* value = v.row(n, shared, j);
      for (int64_t i = 0; i < v.size; ++i) to[i] += weight * value[i];
    }
  }
  Tensors out{Tensor::from_doubles(types[0].dtype, dims_of(types[0]), y)};
  if (outputs >= 3) {
    out.push_back(Tensor::from_doubles(types[1].dtype, dims_of(types[1]), k.data));
    out.push_back(Tensor::from_doubles(types[2].dtype, dims_of(types[2]), v.data));
  }
  if (outputs >= 4) out.push_back(Tensor::from_doubles(types[3].dtype, dims_of(types[3]), scores));
  return out;
}

double Attention::flops(const Types& in, const Types& out) const {
  const Dim& keys = in[1].shape[in[1].shape.size() - 2];
  return 4 * factors(out[0].shape) * factor(keys);
}

Values Attention::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Attention op{.is_causal = node.integer("is_causal", 0) != 0,
               .kv_num_heads = node.integer("kv_num_heads", 0),
               .q_num_heads = node.integer("q_num_heads", 0),
               .qk_matmul_output_mode = node.integer("qk_matmul_output_mode", 0),
               .scale = std::nullopt,
               .softcap = node.number("softcap", 0),
               .softmax_precision = node.dtype("softmax_precision", DType::undefined),
               .left_window = node.integer("left_window_size", -1),
               .right_window = node.integer("right_window_size", -1),
               .outputs = node.has_output(3)                         ? 4
                          : node.has_output(1) || node.has_output(2) ? 3
                                                                     : 1};
  TENREC_CHECK(op.left_window >= -1 && op.right_window >= -1, invalid_model,
               "left_window_size is {} and right_window_size {}, expected -1 or more",
               op.left_window, op.right_window);
  if (node.has("scale")) op.scale = node.number("scale", 0);
  TENREC_CHECK(op.qk_matmul_output_mode >= 0 && op.qk_matmul_output_mode <= 3, invalid_model,
               "qk_matmul_output_mode is {}, expected 0 to 3", op.qk_matmul_output_mode);
  return context.add(op, context.inputs());
}

}  // namespace tenrec
