// SPDX-License-Identifier: Apache-2.0
#include "ops/linear_attention.h"

#include <cmath>

#include "ops/support.h"

namespace tenrec {
namespace {

// The last axis of a [N, T, parts * size] input, by part; its size must be a multiple.
Dim part_size(const Type& type, int64_t parts, std::string_view what) {
  const Dim& last = type.shape[2];
  TENREC_CHECK(!last.is_const() || last.value() % parts == 0, invalid_model,
               "{}: {} is no multiple of {} heads", what, last.str(), parts);
  return floordiv(last, Dim(parts));
}

// One head's state, and one step on it.
struct Head {
  int64_t key_size, value_size;
  double* state;

  void decay(const double* log_decay, bool each) const {
    for (int64_t i = 0; i < key_size; ++i) {
      const double factor = std::exp(log_decay[each ? i : 0]);
      for (int64_t j = 0; j < value_size; ++j) state[i * value_size + j] *= factor;
    }
  }

  // With `rate`, only what the state does not say already is learned.
  void learn(const double* key, const double* value, const double* rate) const {
    std::vector<double> news(value, value + value_size);
    if (rate) {
      for (int64_t i = 0; i < key_size; ++i) {
        for (int64_t j = 0; j < value_size; ++j)
          news[static_cast<size_t>(j)] -= key[i] * state[i * value_size + j];
      }
    }
    for (int64_t i = 0; i < key_size; ++i) {
      const double factor = rate ? *rate * key[i] : key[i];
      for (int64_t j = 0; j < value_size; ++j)
        state[i * value_size + j] += factor * news[static_cast<size_t>(j)];
    }
  }

  void answer(const double* query, double scale, double* out) const {
    for (int64_t j = 0; j < value_size; ++j) {
      double sum = 0;
      for (int64_t i = 0; i < key_size; ++i) sum += query[i] * state[i * value_size + j];
      out[j] = sum * scale;
    }
  }
};

}  // namespace

void LinearAttention::check_inputs(const Types& in) const {
  TENREC_CHECK(update_rule == "linear" || decays() || corrects(), invalid_model,
               "update_rule is \"{}\", expected linear, gated, delta or gated_delta", update_rule);
  TENREC_CHECK(kv_num_heads > 0 && q_num_heads > 0 && q_num_heads % kv_num_heads == 0,
               invalid_model, "{} query heads cannot share {} key heads", q_num_heads,
               kv_num_heads);
  for (size_t i = 0; i < in.size(); ++i) {
    TENREC_CHECK(!in[i].present() || !in[i].ranked || in[i].rank() == (i == 3 ? 4 : 3),
                 invalid_model, "input {} is {}, expected {} axes", i, in[i].str(), i == 3 ? 4 : 3);
  }
  // Batch, and steps of all but the state.
  for (size_t i = 1; i < in.size(); ++i) {
    if (!in[0].ranked || !present(in, i) || !in[i].ranked) continue;
    check_same_size(in[i].shape[0], in[0].shape[0], "the batch of the inputs");
    if (i != 3) check_same_size(in[i].shape[1], in[0].shape[1], "the steps of the inputs");
  }
  if (present(in, 5) && in[5].ranked && in[5].shape[2] != Dim(1))
    check_same_size(in[5].shape[2], kv_num_heads, "beta and key heads");
  TENREC_CHECK(present(in, 4) == decays(), invalid_model,
               "the decay (input 4) is {}, update_rule {}", decays() ? "missing" : "given",
               update_rule);
  TENREC_CHECK(present(in, 5) == corrects(), invalid_model, "beta (input 5) is {}, update_rule {}",
               corrects() ? "missing" : "given", update_rule);
}

Types LinearAttention::infer(const Types& in) const {
  const Type& query = required_float(in, 0, "the query");
  const Type& key = required_float(in, 1, "the key");
  const Type& value = required_float(in, 2, "the value");
  check_inputs(in);
  const DType state = present(in, 3) ? in[3].dtype : query.dtype;
  if (!query.ranked || !key.ranked || !value.ranked)
    return {Type::unranked(query.dtype), Type::unranked(state)};
  const Dim key_size = part_size(query, q_num_heads, "the query");
  const Dim value_size = part_size(value, kv_num_heads, "the value");
  check_same_size(key_size, part_size(key, kv_num_heads, "the key"), "the sizes of query and key");
  if (decays() && in[4].ranked) {
    const Dim& width = in[4].shape[2];
    const Dim whole = key_size * Dim(kv_num_heads);
    TENREC_CHECK(
        !width.is_const() || !whole.is_const() || width == Dim(kv_num_heads) || width == whole,
        invalid_model, "the decay has {} elements a step, expected {} or {}", width.str(),
        kv_num_heads, whole.str());
  }
  return {
      Type::tensor(query.dtype, {query.shape[0], query.shape[1], Dim(q_num_heads) * value_size}),
      Type::tensor(state, {query.shape[0], Dim(kv_num_heads), key_size, value_size})};
}

Tensors LinearAttention::eval(const Tensors& in) const {
  const Types out = actual_outputs(*this, in);
  const Dims dims = dims_of(out[0]), state_dims = dims_of(out[1]);
  const int64_t batch = dims[0], steps = dims[1], kv = kv_num_heads, group = q_num_heads / kv;
  const int64_t key_size = state_dims[2], value_size = state_dims[3];
  const auto expect = [&](size_t i, int64_t last) {
    TENREC_CHECK(in[i].dims() == (Dims{batch, steps, last}), invalid_input,
                 "input {} is {}, expected [{}, {}, {}]", i, to_string(in[i].dims()), batch, steps,
                 last);
  };
  expect(1, kv * key_size);
  expect(2, kv * value_size);
  const bool each_decays = present(in, 4) && in[4].dims()[2] != kv;
  if (present(in, 4)) expect(4, each_decays ? kv * key_size : kv);
  const bool one_rate = present(in, 5) && in[5].dims()[2] == 1;
  if (present(in, 5)) expect(5, one_rate ? 1 : kv);
  TENREC_CHECK(!present(in, 3) || in[3].dims() == state_dims, invalid_input,
               "the state is {}, expected {}", to_string(in[3].dims()), to_string(state_dims));

  std::vector<std::vector<double>> x;
  for (const Tensor& tensor : in) x.push_back(tensor ? tensor.to_doubles() : std::vector<double>{});
  x.resize(6);
  std::vector<double> state = x[3].empty() ? std::vector<double>(element_count(state_dims)) : x[3];
  std::vector<double> y(element_count(dims));
  const double factor =
      scale != 0 ? static_cast<double>(scale) : 1 / std::sqrt(static_cast<double>(key_size));
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t t = 0; t < steps; ++t) {
      for (int64_t h = 0; h < kv; ++h) {
        const int64_t row = n * steps + t, head = row * kv + h;
        const Head one{key_size, value_size, state.data() + (n * kv + h) * key_size * value_size};
        if (decays()) one.decay(x[4].data() + head * (each_decays ? key_size : 1), each_decays);
        const double* rate = corrects() ? x[5].data() + (one_rate ? row : head) : nullptr;
        one.learn(x[1].data() + head * key_size, x[2].data() + head * value_size, rate);
        for (int64_t g = 0; g < group; ++g) {
          const int64_t asked = head * group + g;
          one.answer(x[0].data() + asked * key_size, factor, y.data() + asked * value_size);
        }
      }
    }
  }
  return {Tensor::from_doubles(in[0].dtype(), dims, y),
          Tensor::from_doubles(out[1].dtype, state_dims, state)};
}

}  // namespace tenrec
