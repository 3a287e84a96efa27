// SPDX-License-Identifier: Apache-2.0
// The family "recurrent": LSTM, GRU and RNN in time-major order. The inputs of all steps go through
// one matrix product; each step then multiplies the states of the whole batch and fuses its gates.
#include <algorithm>
#include <array>

#include "ops/recurrent.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/gemm.h"
#include "targets/cpu/run/runners.h"
#include "targets/cpu/run/tile.h"

namespace tenrec::cpu {
namespace {

// A product with a constant matrix, [n][k] as stored: packed when the step is first shaped.
class Product {
 public:
  void shape(int m, int n, int k, bool constant, RunEnvironment& environment) {
    Gemm gemm;
    gemm.m = std::max(m, 1);
    gemm.n = n;
    gemm.k = k;
    gemm.trans_b = true;
    gemm.constant_b = constant;
    gemm_ = with_dense_strides(gemm);
    threads_ = environment.threads.count();
    isa_ = environment.isa;
    tactic_ = gemm_tactics(gemm_, isa_, threads_).at(0);
    packed_from_ = nullptr;
    scratch_.assign(gemm_scratch_size(gemm_, tactic_, isa_, threads_) + 64, std::byte{0});
  }
  void pack(const float* b) {
    if (tactic_.mode != GemmTactic::Mode::prepacked || packed_from_ == b) return;
    packed_.resize(gemm_packed_size(gemm_, tactic_, isa_));
    gemm_pack(gemm_, tactic_, isa_, b, packed_.data());
    packed_from_ = b;
  }
  void run(const float* a, const float* b, float* out, const Threads& threads) {
    GemmBuffers buffers;
    buffers.a = a;
    buffers.b = tactic_.mode == GemmTactic::Mode::prepacked ? packed_.data() : b;
    buffers.out = out;
    const auto address = reinterpret_cast<uintptr_t>(scratch_.data());
    buffers.scratch = scratch_.data() + (64 - address % 64) % 64;
    gemm(isa_)(gemm_, tactic_, buffers, threads);
  }

 private:
  Gemm gemm_;
  GemmTactic tactic_;
  Isa isa_ = Isa::baseline;
  int threads_ = 1;
  const float* packed_from_ = nullptr;
  std::vector<float> packed_;
  std::vector<std::byte> scratch_;
};

enum class Cell { lstm, gru, rnn };

struct RecurrentOp {
  Cell cell = Cell::rnn;
  int64_t gates = 1;
  std::string direction;
  std::vector<ActivationSpec> functions;  // of each direction in turn
  size_t functions_each = 1;
  float clip = 0;
  bool input_forget = false, linear_before_reset = false;
};

template <class T>
RecurrentOp common(const T& op, Cell cell, int64_t gates,
                   const std::vector<std::string>& defaults) {
  TENREC_CHECK(op.layout == 0, invalid_engine, "the recurrent family wants layout 0");
  const size_t directions = op.direction == "bidirectional" ? 2 : 1;
  RecurrentOp out;
  out.cell = cell;
  out.gates = gates;
  out.direction = op.direction;
  out.functions = resolve_activations(op.activations, op.activation_alpha, op.activation_beta,
                                      defaults, directions);
  out.functions_each = defaults.size();
  out.clip = op.clip;
  return out;
}

RecurrentOp recurrent_op(const plan::Step& step) {
  const Op op = decode_step_op(step);
  if (const auto* lstm = op.as<LSTM>()) {
    RecurrentOp out = common(*lstm, Cell::lstm, 4, {"Sigmoid", "Tanh", "Tanh"});
    out.input_forget = lstm->input_forget;
    return out;
  }
  if (const auto* gru = op.as<GRU>()) {
    RecurrentOp out = common(*gru, Cell::gru, 3, {"Sigmoid", "Tanh"});
    out.linear_before_reset = gru->linear_before_reset;
    return out;
  }
  if (const auto* rnn = op.as<RNN>()) return common(*rnn, Cell::rnn, 1, {"Tanh"});
  fail(ErrorCode::invalid_engine, "the recurrent family has no operator \"{}\"", step.op);
}

int64_t padded(int64_t n) { return (n + tile_group - 1) / tile_group * tile_group; }

class Recurrent : public StepRunner {
 public:
  Recurrent(const plan::Step& step, RunEnvironment& environment)
      : op_(recurrent_op(step)),
        environment_(environment),
        sigmoid_(tile_float(environment.isa, Fn::sigmoid, DType::f32)),
        tanh_(tile_float(environment.isa, Fn::tanh, DType::f32)) {}

  void reshape(const StepArgs& args) override {
    check_ranks(args);
    const TensorView& x = args.inputs[0];
    time_ = x.dims[0];
    batch_ = x.dims[1];
    features_ = x.dims[2];
    directions_ = args.inputs[1].dims[0];
    hidden_ = args.inputs[2].dims[2];
    rows_ = op_.gates * hidden_;
    check_shapes(args);
    const bool constant = is_weight(args.inputs[1]) && is_weight(args.inputs[2]);
    const auto n = static_cast<int>(rows_), h = static_cast<int>(hidden_);
    // GRU's candidate takes the reset state, unless that comes after the product.
    split_ = op_.cell == Cell::gru && !op_.linear_before_reset;
    for (int64_t d = 0; d < directions_; ++d) {
      Direction& direction = per_direction_[static_cast<size_t>(d)];
      direction.input.shape(static_cast<int>(time_ * batch_), n, static_cast<int>(features_),
                            constant, environment_);
      direction.state.shape(static_cast<int>(batch_), split_ ? 2 * h : n, h, constant,
                            environment_);
      if (split_) direction.candidate.shape(static_cast<int>(batch_), h, h, constant, environment_);
      const float* w = args.inputs[1].as<float>() + d * rows_ * features_;
      const float* r = args.inputs[2].as<float>() + d * rows_ * hidden_;
      direction.input.pack(w);
      direction.state.pack(r);
      if (split_) direction.candidate.pack(r + 2 * hidden_ * hidden_);
    }
    const auto sized = [](std::vector<float>& buffer, int64_t count) {
      buffer.assign(static_cast<size_t>(count), 0);
    };
    sized(inputs_, time_ * batch_ * rows_);
    sized(states_, batch_ * rows_);
    sized(h_, batch_ * hidden_);
    sized(c_, batch_ * hidden_);
    sized(reset_, batch_ * hidden_);
    sized(candidate_, batch_ * hidden_);
    sized(gates_, padded(hidden_) * 5);
  }

  void run(const StepArgs& args) override {
    const TensorView& lengths = args.inputs.size() > 4 ? args.inputs[4] : nothing_;
    for (int64_t n = 0; lengths.data && n < batch_; ++n) {
      const int64_t length = lengths.as<int32_t>()[n];
      TENREC_CHECK(length >= 0 && length <= time_, invalid_input,
                   "a sequence length is {}, expected 0 to {}", length, time_);
    }
    for (int64_t d = 0; d < directions_; ++d) run_direction(args, d, lengths);
  }

 private:
  struct Direction {
    Product input, state, candidate;
  };

  static void check_ranks(const StepArgs& args) {
    TENREC_CHECK(args.inputs.size() >= 3 && args.inputs.size() <= 8 && args.outputs.size() <= 3,
                 invalid_engine, "{} inputs and {} outputs", args.inputs.size(),
                 args.outputs.size());
    for (size_t i = 0; i < 3; ++i) {
      TENREC_CHECK(args.inputs[i].dims.size() == 3, invalid_engine, "input {} has {} axes", i,
                   args.inputs[i].dims.size());
    }
  }

  void check_shapes(const StepArgs& args) const {
    const int64_t directions = op_.direction == "bidirectional" ? 2 : 1;
    const std::array<Dims, 8> wanted{Dims{time_, batch_, features_},
                                     {directions, rows_, features_},
                                     {directions, rows_, hidden_},
                                     {directions, 2 * rows_},
                                     {batch_},
                                     {directions, batch_, hidden_},
                                     {directions, batch_, hidden_},
                                     {directions, 3 * hidden_}};
    for (size_t i = 0; i < args.inputs.size(); ++i) {
      if (i >= 3 && !args.inputs[i].data) continue;
      TENREC_CHECK(args.inputs[i].dtype == (i == 4 ? DType::i32 : DType::f32) &&
                       dims_of(args.inputs[i]) == wanted[i],
                   invalid_engine, "input {} is {}{}, it must have shape {}", i,
                   tenrec::name(args.inputs[i].dtype), tenrec::to_string(dims_of(args.inputs[i])),
                   tenrec::to_string(wanted[i]));
    }
    TENREC_CHECK(time_ * batch_ <= INT32_MAX && rows_ <= INT32_MAX && features_ <= INT32_MAX,
                 unsupported, "{} steps of {} rows of {} features", time_, batch_, features_);
  }

  static bool is_weight(const TensorView& view) {
    return view.def && view.def->storage == plan::Storage::weight;
  }

  static const float* optional(const StepArgs& args, size_t i) {
    return i < args.inputs.size() ? args.inputs[i].as<float>() : nullptr;
  }

  void run_direction(const StepArgs& args, int64_t d, const TensorView& lengths) {
    Direction& direction = per_direction_[static_cast<size_t>(d)];
    const float* w = args.inputs[1].as<float>() + d * rows_ * features_;
    const float* r = args.inputs[2].as<float>() + d * rows_ * hidden_;
    const float* bias = optional(args, 3) ? optional(args, 3) + d * 2 * rows_ : nullptr;
    const float* peepholes = optional(args, 7) ? optional(args, 7) + d * 3 * hidden_ : nullptr;
    start_state(optional(args, 5), d, h_);
    start_state(optional(args, 6), d, c_);
    if (time_ * batch_ > 0)
      direction.input.run(args.inputs[0].as<float>(), w, inputs_.data(), environment_.threads);
    float* y = args.outputs[0].as<float>();
    if (y && lengths.data) clear_outputs(y, d);
    const bool backwards = op_.direction == "reverse" || d == 1;
    for (int64_t t = 0; t < time_ && batch_ > 0; ++t) {
      if (split_) reset_candidates(direction, r, t, d, bias, lengths, backwards);
      else direction.state.run(h_.data(), r, states_.data(), environment_.threads);
      for (int64_t n = 0; n < batch_; ++n) {
        const int64_t length = lengths.data ? lengths.as<int32_t>()[n] : time_;
        if (t >= length) continue;
        const int64_t at = backwards ? length - 1 - t : t;
        step(n, d, inputs_.data() + (at * batch_ + n) * rows_, bias, peepholes);
        if (y)
          std::copy_n(h_.data() + n * hidden_, hidden_,
                      y + ((at * directions_ + d) * batch_ + n) * hidden_);
      }
    }
    for (size_t i = 1; i < args.outputs.size(); ++i) {
      const std::vector<float>& state = i == 1 ? h_ : c_;
      if (float* to = args.outputs[i].as<float>())
        std::copy(state.begin(), state.end(), to + d * batch_ * hidden_);
    }
  }

  void start_state(const float* from, int64_t d, std::vector<float>& state) const {
    if (from) std::copy_n(from + d * batch_ * hidden_, batch_ * hidden_, state.data());
    else std::fill(state.begin(), state.end(), 0.0F);
  }

  void clear_outputs(float* y, int64_t d) const {
    for (int64_t t = 0; t < time_; ++t)
      std::fill_n(y + (t * directions_ + d) * batch_ * hidden_, batch_ * hidden_, 0.0F);
  }

  // The products of a GRU step whose candidate takes the reset state.
  void reset_candidates(Direction& direction, const float* r, int64_t t, int64_t d,
                        const float* bias, const TensorView& lengths, bool backwards) {
    // [batch][2 * hidden]: update and reset.
    direction.state.run(h_.data(), r, states_.data(), environment_.threads);
    for (int64_t n = 0; n < batch_; ++n) {
      const int64_t length = lengths.data ? lengths.as<int32_t>()[n] : time_;
      const int64_t at = std::max<int64_t>(backwards ? length - 1 - t : std::min(t, length - 1), 0);
      const float* in = inputs_.data() + (at * batch_ + n) * rows_;
      float* gate = gates_.data();
      sum_gate(in, states_.data() + n * 2 * hidden_, bias, 1, gate);
      activate(function(d, 0), gate);
      for (int64_t i = 0; i < hidden_; ++i)
        reset_[static_cast<size_t>(n * hidden_ + i)] =
            gate[i] * h_[static_cast<size_t>(n * hidden_ + i)];
    }
    direction.candidate.run(reset_.data(), r + 2 * hidden_ * hidden_, candidate_.data(),
                            environment_.threads);
  }

  const ActivationSpec& function(int64_t d, size_t i) const {
    return op_.functions[static_cast<size_t>(d) * op_.functions_each + i];
  }

  // to = in[gate] + past[gate] + both biases, clipped.
  void sum_gate(const float* in, const float* past, const float* bias, int64_t gate,
                float* to) const {
    const float* a = in + gate * hidden_;
    const float* b = past + gate * hidden_;
    for (int64_t i = 0; i < hidden_; ++i) to[i] = a[i] + b[i];
    if (bias) {
      const float* first = bias + gate * hidden_;
      const float* second = bias + rows_ + gate * hidden_;
      for (int64_t i = 0; i < hidden_; ++i) to[i] += first[i] + second[i];
    }
  }

  void activate(const ActivationSpec& spec, float* x) const {
    if (op_.clip > 0) {
      for (int64_t i = 0; i < hidden_; ++i) x[i] = std::clamp(x[i], -op_.clip, op_.clip);
    }
    apply(spec, x);
  }

  void apply(const ActivationSpec& spec, float* x) const {
    TileFn fn = nullptr;
    if (spec.kind == RecurrentActivation::sigmoid) fn = sigmoid_;
    if (spec.kind == RecurrentActivation::tanh) fn = tanh_;
    if (fn) {
      // Gates are padded to whole groups.
      fn({.a = {x, 1}, .b = {}, .c = {}, .to = x, .n = static_cast<int>(padded(hidden_))});
      return;
    }
    for (int64_t i = 0; i < hidden_; ++i)
      x[i] = static_cast<float>(spec(static_cast<double>(x[i])));
  }

  void step(int64_t n, int64_t d, const float* in, const float* bias, const float* peepholes) {
    float* h = h_.data() + n * hidden_;
    float* c = c_.data() + n * hidden_;
    if (op_.cell == Cell::lstm)
      return lstm_step(states_.data() + n * rows_, d, in, bias, peepholes, h, c);
    if (op_.cell == Cell::gru) return gru_step(n, d, in, bias, h);
    sum_gate(in, states_.data() + n * rows_, bias, 0, gates_.data());
    activate(function(d, 0), gates_.data());
    std::copy_n(gates_.data(), hidden_, h);
  }

  void lstm_step(const float* past, int64_t d, const float* in, const float* bias,
                 const float* peepholes, float* h, float* c) {
    const int64_t width = padded(hidden_);
    float* input = gates_.data();
    float* output = input + width;
    float* forget = output + width;
    float* candidate = forget + width;
    float* state = candidate + width;
    const auto peep = [&](float* gate, int64_t which) {
      if (!peepholes) return;
      for (int64_t i = 0; i < hidden_; ++i) gate[i] += peepholes[which * hidden_ + i] * c[i];
    };
    sum_gate(in, past, bias, 0, input);
    peep(input, 0);
    activate(function(d, 0), input);
    if (op_.input_forget) {
      for (int64_t i = 0; i < hidden_; ++i) forget[i] = 1 - input[i];
    } else {
      sum_gate(in, past, bias, 2, forget);
      peep(forget, 2);
      activate(function(d, 0), forget);
    }
    sum_gate(in, past, bias, 3, candidate);
    activate(function(d, 1), candidate);
    for (int64_t i = 0; i < hidden_; ++i) c[i] = forget[i] * c[i] + input[i] * candidate[i];
    sum_gate(in, past, bias, 1, output);
    peep(output, 1);
    activate(function(d, 0), output);
    std::copy_n(c, hidden_, state);
    apply(function(d, 2), state);
    for (int64_t i = 0; i < hidden_; ++i) h[i] = output[i] * state[i];
  }

  void gru_step(int64_t n, int64_t d, const float* in, const float* bias, float* h) {
    const int64_t width = padded(hidden_), wide = split_ ? 2 * hidden_ : rows_;
    const float* past = states_.data() + n * wide;
    float* update = gates_.data();
    float* candidate = update + width;
    float* reset = candidate + width;
    sum_gate(in, past, bias, 0, update);
    activate(function(d, 0), update);
    const float* in_candidate = in + 2 * hidden_;
    const float* first = bias ? bias + 2 * hidden_ : nullptr;
    const float* second = bias ? bias + rows_ + 2 * hidden_ : nullptr;
    if (split_) {
      const float* product = candidate_.data() + n * hidden_;
      for (int64_t i = 0; i < hidden_; ++i)
        candidate[i] = in_candidate[i] + product[i] + (bias ? first[i] + second[i] : 0);
    } else {
      sum_gate(in, past, bias, 1, reset);
      activate(function(d, 0), reset);
      const float* product = past + 2 * hidden_;
      for (int64_t i = 0; i < hidden_; ++i) {
        candidate[i] = in_candidate[i] + (bias ? first[i] : 0) +
                       reset[i] * (product[i] + (bias ? second[i] : 0));
      }
    }
    activate(function(d, 1), candidate);
    for (int64_t i = 0; i < hidden_; ++i) h[i] = (1 - update[i]) * candidate[i] + update[i] * h[i];
  }

  RecurrentOp op_;
  RunEnvironment& environment_;
  TileFn sigmoid_, tanh_;
  TensorView nothing_;
  std::array<Direction, 2> per_direction_;
  bool split_ = false;
  int64_t time_ = 0, batch_ = 0, features_ = 0, directions_ = 1, hidden_ = 0, rows_ = 0;
  std::vector<float> inputs_;  // [time][batch][rows]: the products of all inputs
  std::vector<float> states_, h_, c_, reset_, candidate_, gates_;
};

}  // namespace

Runner prepare_recurrent(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<Recurrent>(step, environment);
}

}  // namespace tenrec::cpu
