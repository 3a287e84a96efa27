// SPDX-License-Identifier: Apache-2.0
#include "ops/contrib/group_query_attention.h"

#include <algorithm>
#include <cmath>

#include "ops/composite/helpers.h"
#include "ops/flops.h"
#include "ops/slice.h"
#include "ops/support.h"

namespace tenrec {
namespace {

enum Input : size_t {
  query_in,
  key_in,
  value_in,
  past_key_in,
  past_value_in,
  last_in,
  total_in,
  cosines_in,
  sines_in,
  positions_in,
  bias_in,
  sinks_in
};

std::vector<double> numbers(const Tensors& in, size_t i) {
  return present(in, i) ? in[i].to_doubles() : std::vector<double>{};
}

void expect(const Tensors& in, size_t i, const Dims& dims, std::string_view what) {
  TENREC_CHECK(present(in, i) && in[i].dims() == dims, invalid_input,
               "{} (input {}) is {}, expected {}", what, i,
               present(in, i) ? to_string(in[i].dims()) : "missing", to_string(dims));
}

void expect_count(const Tensors& in, size_t i, int64_t count, std::string_view what) {
  TENREC_CHECK(present(in, i) && in[i].elements() == static_cast<uint64_t>(count), invalid_input,
               "{} (input {}) is {}, expected {} elements", what, i,
               present(in, i) ? to_string(in[i].dims()) : "missing", count);
}

void check_rotary(const Tensors& in, int64_t size) {
  const Dims& dims = in[cosines_in].dims();
  TENREC_CHECK(dims.size() == 2 && 2 * dims[1] <= size, invalid_input,
               "the cosines (input {}) are {} for heads of {}", +cosines_in, to_string(dims), size);
  expect(in, sines_in, dims, "the sines");
}

void check_bias(const GroupQueryAttention& op, const Dims& bias, int64_t batch, int64_t steps) {
  TENREC_CHECK(bias.size() == 4 && (bias[0] == 1 || bias[0] == batch) &&
                   (bias[1] == 1 || bias[1] == op.num_heads) && bias[2] == steps,
               invalid_input, "the bias (input {}) is {} for {} samples, {} heads and {} steps",
               +bias_in, to_string(bias), batch, op.num_heads, steps);
}

// All sizes that the loops rely on; types know few of them.
void check_sizes(const GroupQueryAttention& op, const Tensors& in) {
  const Dims& query = in[query_in].dims();
  TENREC_CHECK(query[2] % op.num_heads == 0, invalid_input, "the query is {} for {} heads",
               to_string(query), op.num_heads);
  const int64_t batch = query[0], steps = query[1], size = query[2] / op.num_heads;
  expect(in, key_in, {batch, steps, op.kv_num_heads * size}, "the key");
  expect(in, value_in, {batch, steps, op.kv_num_heads * size}, "the value");
  if (present(in, past_key_in) || present(in, past_value_in)) {
    const bool has_steps = present(in, past_key_in) && in[past_key_in].rank() == 4;
    const int64_t past = has_steps ? in[past_key_in].dims()[2] : 0;
    expect(in, past_key_in, {batch, op.kv_num_heads, past, size}, "the past key");
    expect(in, past_value_in, {batch, op.kv_num_heads, past, size}, "the past value");
  }
  expect_count(in, last_in, batch, "the last positions");
  expect_count(in, total_in, 1, "the total length");
  if (op.do_rotary) check_rotary(in, size);
  if (present(in, positions_in)) expect_count(in, positions_in, batch * steps, "the positions");
  if (present(in, bias_in)) check_bias(op, in[bias_in].dims(), batch, steps);
  if (present(in, sinks_in)) expect_count(in, sinks_in, op.num_heads, "the sinks");
}

// Turns the first features of each head by the angles of its position.
struct Rotary {
  std::vector<double> cosines, sines;
  int64_t half = 0;  // pairs that turn
  bool interleaved = false;

  void turn(double* head, int64_t position) const {
    TENREC_CHECK(position >= 0 && (position + 1) * half <= static_cast<int64_t>(cosines.size()),
                 invalid_input, "position {} is outside the rotary tables", position);
    for (int64_t i = 0; i < half; ++i) {
      double& a = head[interleaved ? 2 * i : i];
      double& b = head[interleaved ? 2 * i + 1 : i + half];
      const double c = cosines[static_cast<size_t>(position * half + i)];
      const double s = sines[static_cast<size_t>(position * half + i)];
      const double turned = a * c - b * s;
      b = a * s + b * c;
      a = turned;
    }
  }
};

// The keys or values of all samples, [N, heads, length, size].
struct Cache {
  int64_t heads = 0, length = 0, size = 0;
  std::vector<double> data;
  double* row(int64_t n, int64_t head, int64_t step) {
    return data.data() + ((n * heads + head) * length + step) * size;
  }
};

Cache grown(const Tensors& in, size_t past, int64_t batch, int64_t heads, int64_t length,
            int64_t size) {
  Cache cache{heads, length, size,
              std::vector<double>(static_cast<size_t>(batch * heads * length * size))};
  if (!present(in, past)) return cache;
  const std::vector<double> old = in[past].to_doubles();
  const int64_t steps = in[past].dims()[2];
  for (int64_t row = 0; row < batch * heads; ++row) {
    std::copy_n(old.begin() + row * steps * size, steps * size,
                cache.data.begin() + row * length * size);
  }
  return cache;
}

// All inputs as doubles, and one sample's step at a time.
struct Decoder {
  Decoder(const GroupQueryAttention& operation, const Tensors& in, int64_t steps_, int64_t size_)
      : op(operation),
        steps(steps_),
        size(size_),
        q(numbers(in, query_in)),
        k(numbers(in, key_in)),
        v(numbers(in, value_in)),
        bias(numbers(in, bias_in)),
        sinks(numbers(in, sinks_in)),
        y(q.size()) {
    if (present(in, positions_in)) positions = in[positions_in].to_ints();
    if (present(in, bias_in)) bias_dims = in[bias_in].dims();
    rotary = {numbers(in, cosines_in), numbers(in, sines_in), 0, op.rotary_interleaved};
    if (op.do_rotary) rotary.half = in[cosines_in].dims().at(1);
  }

  // Turns the step's query and key, and puts key and value into the caches.
  void remember(int64_t n, int64_t s, int64_t before) {
    const int64_t row = n * steps + s;
    const int64_t position = positions.empty() ? before + s : positions[static_cast<size_t>(row)];
    for (int64_t h = 0; op.do_rotary && h < op.num_heads; ++h)
      rotary.turn(q.data() + (row * op.num_heads + h) * size, position);
    for (int64_t h = 0; h < op.kv_num_heads; ++h) {
      const int64_t at = (row * op.kv_num_heads + h) * size;
      if (op.do_rotary) rotary.turn(k.data() + at, position);
      std::copy_n(k.begin() + at, size, keys.row(n, h, before + s));
      std::copy_n(v.begin() + at, size, values.row(n, h, before + s));
    }
  }

  double score(int64_t n, int64_t s, int64_t h, int64_t j) {
    const double* query = q.data() + ((n * steps + s) * op.num_heads + h) * size;
    const double* key = keys.row(n, h / (op.num_heads / op.kv_num_heads), j);
    double sum = 0;
    for (int64_t i = 0; i < size; ++i) sum += query[i] * key[i];
    sum *= op.scale != 0 ? static_cast<double>(op.scale) : 1 / std::sqrt(static_cast<double>(size));
    const auto cap = static_cast<double>(op.softcap);
    if (cap > 0) sum = std::tanh(sum / cap) * cap;
    if (bias.empty()) return sum;
    const int64_t sample = bias_dims[0] == 1 ? 0 : n, head = bias_dims[1] == 1 ? 0 : h;
    const int64_t line = (sample * bias_dims[1] + head) * bias_dims[2] + s;
    return sum + bias[static_cast<size_t>(line * bias_dims[3] + j)];
  }

  // The answer of one query head, which sees the first `end` steps.
  void attend(int64_t n, int64_t s, int64_t h, int64_t end) {
    const int64_t window = op.local_window_size;
    const int64_t first = window >= 0 ? std::max<int64_t>(0, end - window) : 0;
    std::vector<double> scores;
    for (int64_t j = first; j < end; ++j) scores.push_back(score(n, s, h, j));
    const bool has_sink = op.smooth_softmax || !sinks.empty();
    const double sink = sinks.empty() ? 0 : sinks[static_cast<size_t>(h)];
    double largest = *std::max_element(scores.begin(), scores.end());
    if (has_sink) largest = std::max(largest, sink);
    double sum = has_sink ? std::exp(sink - largest) : 0;
    for (double& each : scores) sum += each = std::exp(each - largest);
    double* to = y.data() + ((n * steps + s) * op.num_heads + h) * size;
    for (int64_t j = first; j < end; ++j) {
      const double weight = scores[static_cast<size_t>(j - first)] / sum;
      const double* value = values.row(n, h / (op.num_heads / op.kv_num_heads), j);
      for (int64_t i = 0; i < size; ++i) to[i] += weight * value[i];
    }
  }

  const GroupQueryAttention& op;
  int64_t steps, size;
  std::vector<double> q, k, v, bias, sinks, y;
  std::vector<int64_t> positions;
  Dims bias_dims;
  Rotary rotary;
  Cache keys, values;
};

}  // namespace

Types GroupQueryAttention::infer(const Types& in) const {
  const Type& query = required_float(in, query_in, "the query");
  const Type& key = required_float(in, key_in, "the key");
  required_float(in, value_in, "the value");
  const Type& total = required(in, total_in, "the total length");
  TENREC_CHECK(num_heads > 0 && kv_num_heads > 0 && num_heads % kv_num_heads == 0, invalid_model,
               "{} query heads cannot share {} key heads", num_heads, kv_num_heads);
  TENREC_CHECK(query.rank() == 3 && key.rank() == 3, invalid_model,
               "query {} and key {}, expected [batch, steps, heads * size]", query.str(),
               key.str());
  TENREC_CHECK(!do_rotary || (present(in, cosines_in) && present(in, sines_in)), invalid_model,
               "do_rotary needs the cosines and sines (inputs 7 and 8)");
  TENREC_CHECK(local_window_size != 0, invalid_model, "local_window_size is 0");
  TENREC_CHECK(!present(in, past_key_in) || in[past_key_in].rank() == 4, invalid_model,
               "the past key is {}, expected [batch, heads, steps, size]", in[past_key_in].str());
  const Dim size = floordiv(query.shape[2], Dim(num_heads));
  Dim length = Dim::fresh("present");
  if (const std::vector<Dim>* known = total.known_ints(); known && known->size() == 1) {
    length = (*known)[0];
    if (present(in, past_key_in)) length = max(length, in[past_key_in].shape.at(2));
  }
  const Type cache = Type::tensor(key.dtype, {query.shape[0], Dim(kv_num_heads), length, size});
  return {Type::tensor(query.dtype, query.shape), cache, cache};
}

Tensors GroupQueryAttention::eval(const Tensors& in) const {
  check_sizes(*this, in);
  const Dims& dims = in[query_in].dims();
  const int64_t batch = dims[0], steps = dims[1], size = dims[2] / num_heads;
  const int64_t total = in[total_in].to_ints().at(0);
  const int64_t past = present(in, past_key_in) ? in[past_key_in].dims()[2] : 0;
  const int64_t length = std::max(total, past);
  TENREC_CHECK(total >= steps, invalid_input, "the total length is {} with {} new steps", total,
               steps);
  Decoder decoder{*this, in, steps, size};
  decoder.keys = grown(in, past_key_in, batch, kv_num_heads, length, size);
  decoder.values = grown(in, past_value_in, batch, kv_num_heads, length, size);
  const std::vector<int64_t> last = in[last_in].to_ints();
  for (int64_t n = 0; n < batch; ++n) {
    const bool is_prompt = steps == total;
    const int64_t before = is_prompt ? 0 : last[static_cast<size_t>(n)] + 1 - steps;
    const int64_t most = present(in, bias_in) ? std::min(length, in[bias_in].dims()[3]) : length;
    TENREC_CHECK(before >= 0 && before + steps <= most, invalid_input,
                 "sample {} has {} steps before {} new ones, the total is {}", n, before, steps,
                 total);
    for (int64_t s = 0; s < steps; ++s) decoder.remember(n, s, before);
    for (int64_t s = 0; s < steps; ++s) {
      for (int64_t h = 0; h < num_heads; ++h) decoder.attend(n, s, h, before + s + 1);
    }
  }
  const DType dtype = in[query_in].dtype();
  const Dims cache{batch, kv_num_heads, length, size};
  return {Tensor::from_doubles(dtype, dims, decoder.y),
          Tensor::from_doubles(dtype, cache, decoder.keys.data),
          Tensor::from_doubles(dtype, cache, decoder.values.data)};
}

Values GroupQueryAttention::from_onnx(const OnnxNode& node, OnnxContext& context) {
  GroupQueryAttention op;
  op.num_heads = node.integer("num_heads");
  op.kv_num_heads = node.integer("kv_num_heads");
  op.do_rotary = node.integer("do_rotary", 0) != 0;
  op.rotary_interleaved = node.integer("rotary_interleaved", 0) != 0;
  op.local_window_size = node.integer("local_window_size", -1);
  op.scale = node.number("scale", 0);
  op.smooth_softmax = node.integer("smooth_softmax", 0) > 0;
  op.softcap = node.number("softcap", 0);
  TENREC_CHECK(!node.has_output(3), unsupported, "the output of the scores (output 3)");
  Values inputs = context.inputs();
  inputs.resize(std::max<size_t>(inputs.size(), 7));
  Value* query = needed_input(context, query_in, "the query");
  if (!inputs[key_in]) {
    const Type& type = query->type;
    const int64_t heads = op.num_heads + 2 * op.kv_num_heads;
    TENREC_CHECK(type.rank() == 3 && type.shape[2].is_const(), unsupported,
                 "the packed query is {}; its last size must be known", type.str());
    const int64_t size = type.shape[2].value() / heads;
    const auto part = [&](int64_t first, int64_t count) {
      return context.one(
          Slice{}, {query, index_vector(context, {first * size}),
                    index_vector(context, {(first + count) * size}), index_vector(context, {-1})});
    };
    inputs[query_in] = part(0, op.num_heads);
    inputs[key_in] = part(op.num_heads, op.kv_num_heads);
    inputs[value_in] = part(op.num_heads + op.kv_num_heads, op.kv_num_heads);
  }
  return context.add(op, inputs);
}

double GroupQueryAttention::flops(const Types&, const Types& out) const {
  return 4 * factors(out[0].shape) * factor(out[1].shape[2]);  // results, and keys for each
}

}  // namespace tenrec
