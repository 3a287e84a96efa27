// SPDX-License-Identifier: Apache-2.0
#include "ops/recurrent.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "ops/dense.h"
#include "ops/flops.h"
#include "ops/support.h"

namespace tenrec {
namespace {

struct ActivationInfo {
  std::string_view name;
  RecurrentActivation kind;
  bool takes_alpha, takes_beta;
  double alpha, beta;  // defaults
};

constexpr ActivationInfo known_activations[] = {
    {"relu", RecurrentActivation::relu, false, false, 0, 0},
    {"tanh", RecurrentActivation::tanh, false, false, 0, 0},
    {"sigmoid", RecurrentActivation::sigmoid, false, false, 0, 0},
    {"affine", RecurrentActivation::affine, true, true, 1, 0},
    {"leakyrelu", RecurrentActivation::leaky_relu, true, false, 0.01, 0},
    {"thresholdedrelu", RecurrentActivation::thresholded_relu, true, false, 1, 0},
    {"scaledtanh", RecurrentActivation::scaled_tanh, true, true, 1, 1},
    {"hardsigmoid", RecurrentActivation::hard_sigmoid, true, true, 0.2, 0.5},
    {"elu", RecurrentActivation::elu, true, false, 1, 0},
    {"softsign", RecurrentActivation::softsign, false, false, 0, 0},
    {"softplus", RecurrentActivation::softplus, false, false, 0, 0},
};

const ActivationInfo& find_activation(const std::string& name) {
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const ActivationInfo& info : known_activations) {
    if (info.name == lower) return info;
  }
  fail(ErrorCode::invalid_model, "unknown activation \"{}\"", name);
}

size_t direction_count(const std::string& direction) {
  if (direction == "forward" || direction == "reverse") return 1;
  if (direction == "bidirectional") return 2;
  fail(ErrorCode::invalid_model, "direction is \"{}\", expected forward, reverse or bidirectional",
       direction);
}

void check_shape(const Type& type, const Shape& expected, std::string_view what) {
  if (!type.ranked) return;
  TENREC_CHECK(type.shape.size() == expected.size(), invalid_model, "{} is {}, expected {}", what,
               type.str(), to_string(expected));
  for (size_t i = 0; i < expected.size(); ++i) check_same_size(type.shape[i], expected[i], what);
}

// Shapes shared by the three: outputs Y, Y_h and, for LSTM, Y_c.
template <class T>
Types recurrent_types(const T& op, const Types& in, int64_t gates, size_t outputs) {
  const Type& x = required_float(in, 0, "the input");
  const Type& w = required_float(in, 1, "the weight");
  const Type& r = required_float(in, 2, "the recurrence weight");
  const auto directions = static_cast<int64_t>(direction_count(op.direction));
  TENREC_CHECK(op.layout == 0 || op.layout == 1, invalid_model, "layout is {}, expected 0 or 1",
               op.layout);
  TENREC_CHECK(x.rank() == 3 && w.rank() == 3 && r.rank() == 3, invalid_model,
               "input {}, weight {} and recurrence weight {} must have three axes each", x.str(),
               w.str(), r.str());
  const Dim hidden = op.hidden_size > 0 ? Dim(op.hidden_size) : r.shape[2];
  check_same_size(w.shape[0], directions, "the weight's first size and the number of directions");
  check_same_size(r.shape[0], directions,
                  "the recurrence's first size and the number of directions");
  check_same_size(w.shape[1], hidden * gates, "the weight's rows and gates times hidden_size");
  check_same_size(r.shape[1], hidden * gates, "the recurrence's rows and gates times hidden_size");
  check_same_size(r.shape[2], hidden, "the recurrence's columns and hidden_size");
  check_same_size(w.shape[2], x.shape[2], "the weight's columns and the input's features");
  if (present(in, 3)) check_shape(in[3], {directions, hidden * (2 * gates)}, "the bias");
  if (present(in, 7)) check_shape(in[7], {directions, hidden * 3}, "the peephole weight");
  const bool batch_first = op.layout == 1;
  const Dim& time = x.shape[batch_first ? 1 : 0];
  const Dim& batch = x.shape[batch_first ? 0 : 1];
  if (present(in, 4)) check_shape(in[4], {batch}, "sequence_lens");
  const Type state = Type::tensor(
      x.dtype, batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden});
  for (size_t i = 5; i < 7; ++i) {
    if (present(in, i)) check_shape(in[i], state.shape, "an initial state");
  }
  Types out(outputs, state);
  out[0] = Type::tensor(x.dtype, batch_first ? Shape{batch, time, directions, hidden}
                                             : Shape{time, directions, batch, hidden});
  return out;
}

// The run of one recurrent operator in time-major order.
struct Run {
  int64_t time = 0, batch = 0, features = 0, hidden = 0, directions = 1, gates = 1;
  std::vector<double> x;        // [time][batch][features]
  std::vector<double> w, r, b;  // as given; b [directions][2 * gates * hidden], zeros when omitted
  std::vector<int64_t> lengths;
  std::vector<double> y;     // [time][directions][batch][hidden]
  std::vector<double> h, c;  // [directions][batch][hidden]
  double clip = 0;

  double clipped(double value) const { return clip > 0 ? std::clamp(value, -clip, clip) : value; }
};

// [batch][n][width] <-> [n][batch][width]
std::vector<double> swap_leading(const std::vector<double>& from, int64_t first, int64_t second,
                                 int64_t width) {
  std::vector<double> to(from.size());
  for (int64_t i = 0; i < first; ++i) {
    for (int64_t j = 0; j < second; ++j) {
      std::copy_n(from.begin() + (i * second + j) * width, width,
                  to.begin() + (j * first + i) * width);
    }
  }
  return to;
}

template <class T>
Run prepare(const T& op, const Tensors& in, int64_t gates) {
  Run run;
  const Dims& dims = in[0].dims();
  const bool batch_first = op.layout == 1;
  run.time = dims[batch_first ? 1 : 0];
  run.batch = dims[batch_first ? 0 : 1];
  run.features = dims[2];
  run.hidden = in[2].dims()[2];
  run.directions = in[1].dims()[0];
  run.gates = gates;
  run.clip = static_cast<double>(op.clip);
  run.x = in[0].to_doubles();
  if (batch_first) run.x = swap_leading(run.x, run.batch, run.time, run.features);
  run.w = in[1].to_doubles();
  run.r = in[2].to_doubles();
  run.b.assign(static_cast<size_t>(run.directions * 2 * gates * run.hidden), 0.0);
  if (present(in, 3)) run.b = in[3].to_doubles();
  run.lengths.assign(static_cast<size_t>(run.batch), run.time);
  if (present(in, 4)) run.lengths = in[4].to_ints();
  for (const int64_t length : run.lengths) {
    TENREC_CHECK(length >= 0 && length <= run.time, invalid_input,
                 "a sequence length is {}, expected 0 to {}", length, run.time);
  }
  const auto state = [&](size_t index) {
    std::vector<double> values(static_cast<size_t>(run.directions * run.batch * run.hidden), 0.0);
    if (!present(in, index)) return values;
    values = in[index].to_doubles();
    if (batch_first) values = swap_leading(values, run.batch, run.directions, run.hidden);
    return values;
  };
  run.h = state(5);
  run.c = state(6);
  run.y.assign(static_cast<size_t>(run.time * run.directions * run.batch * run.hidden), 0.0);
  return run;
}

// rows of `matrix` [gates * hidden][width] times `vector`, added to `sums`.
void add_product(const double* matrix, const double* vector, int64_t rows, int64_t width,
                 double* sums) {
  for (int64_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (int64_t i = 0; i < width; ++i) sum += matrix[row * width + i] * vector[i];
    sums[row] += sum;
  }
}

// Calls step(direction, input products with bias [gates * hidden], h, c) for every sample and time
// in the direction's order; h and c are updated in place and h becomes Y's entry. A sample stops at
// its length: Y stays 0 behind it.
template <class Step>
void run_over_time(Run& run, const std::string& direction, Step&& step) {
  const int64_t rows = run.gates * run.hidden;
  std::vector<double> sums(static_cast<size_t>(rows));
  for (int64_t d = 0; d < run.directions; ++d) {
    const bool backwards = direction == "reverse" || d == 1;
    const double* w = run.w.data() + d * rows * run.features;
    const double* bias = run.b.data() + d * 2 * rows;
    for (int64_t n = 0; n < run.batch; ++n) {
      double* h = run.h.data() + (d * run.batch + n) * run.hidden;
      double* c = run.c.data() + (d * run.batch + n) * run.hidden;
      const int64_t length = run.lengths[static_cast<size_t>(n)];
      for (int64_t t = 0; t < length; ++t) {
        const int64_t at = backwards ? length - 1 - t : t;
        std::copy_n(bias, rows, sums.data());
        add_product(w, run.x.data() + (at * run.batch + n) * run.features, rows, run.features,
                    sums.data());
        step(static_cast<size_t>(d), sums, h, c);
        std::copy_n(h, run.hidden,
                    run.y.data() + ((at * run.directions + d) * run.batch + n) * run.hidden);
      }
    }
  }
}

// Y and the last states in the operator's layout.
Tensors finish(const Run& run, const Types& types, DType dtype, int64_t layout) {
  const std::vector<double>* states[] = {&run.h, &run.c};
  Tensors out;
  const bool batch_first = layout == 1;
  // [time][directions][batch][hidden] -> [batch][time][directions][hidden]
  out.push_back(Tensor::from_doubles(
      dtype, dims_of(types[0]),
      batch_first ? swap_leading(run.y, run.time * run.directions, run.batch, run.hidden) : run.y));
  for (size_t i = 1; i < types.size(); ++i) {
    const std::vector<double>& state = *states[i - 1];
    out.push_back(Tensor::from_doubles(
        dtype, dims_of(types[i]),
        batch_first ? swap_leading(state, run.directions, run.batch, run.hidden) : state));
  }
  return out;
}

}  // namespace

double ActivationSpec::operator()(double x) const {
  switch (kind) {
    case RecurrentActivation::relu: return std::max(x, 0.0);
    case RecurrentActivation::tanh: return std::tanh(x);
    case RecurrentActivation::sigmoid: return 1 / (1 + std::exp(-x));
    case RecurrentActivation::affine: return alpha * x + beta;
    case RecurrentActivation::leaky_relu: return x < 0 ? alpha * x : x;
    case RecurrentActivation::thresholded_relu: return x > alpha ? x : 0;
    case RecurrentActivation::scaled_tanh: return alpha * std::tanh(beta * x);
    case RecurrentActivation::hard_sigmoid: return std::clamp(alpha * x + beta, 0.0, 1.0);
    case RecurrentActivation::elu: return x < 0 ? alpha * std::expm1(x) : x;
    case RecurrentActivation::softsign: return x / (1 + std::abs(x));
    case RecurrentActivation::softplus:
      return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
  }
  return x;
}

std::vector<ActivationSpec> resolve_activations(const std::vector<std::string>& names,
                                                const std::vector<float>& alphas,
                                                const std::vector<float>& betas,
                                                const std::vector<std::string>& defaults,
                                                size_t directions) {
  std::vector<std::string> all = names;
  if (all.empty()) {
    for (size_t d = 0; d < directions; ++d) all.insert(all.end(), defaults.begin(), defaults.end());
  }
  TENREC_CHECK(all.size() == defaults.size() * directions, invalid_model,
               "{} activations are given, expected {} for each of {} directions", all.size(),
               defaults.size(), directions);
  std::vector<ActivationSpec> specs;
  size_t next_alpha = 0;
  size_t next_beta = 0;
  for (const std::string& name : all) {
    const ActivationInfo& info = find_activation(name);
    ActivationSpec spec{info.kind, info.alpha, info.beta};
    if (info.takes_alpha && next_alpha < alphas.size()) {
      spec.alpha = static_cast<double>(alphas[next_alpha++]);
    }
    if (info.takes_beta && next_beta < betas.size()) {
      spec.beta = static_cast<double>(betas[next_beta++]);
    }
    specs.push_back(spec);
  }
  return specs;
}

Types LSTM::infer(const Types& in) const {
  resolve_activations(activations, activation_alpha, activation_beta, {"Sigmoid", "Tanh", "Tanh"},
                      direction_count(direction));
  return recurrent_types(*this, in, 4, 3);
}

Tensors LSTM::eval(const Tensors& in) const {
  const Types types = actual_outputs(*this, in);
  const std::vector<ActivationSpec> functions =
      resolve_activations(activations, activation_alpha, activation_beta,
                          {"Sigmoid", "Tanh", "Tanh"}, direction_count(direction));
  Run run = prepare(*this, in, 4);
  const int64_t hidden = run.hidden;
  std::vector<double> peepholes(static_cast<size_t>(run.directions * 3 * hidden), 0.0);
  if (present(in, 7)) peepholes = in[7].to_doubles();
  run_over_time(run, direction, [&](size_t d, std::vector<double>& sums, double* h, double* c) {
    const int64_t rows = 4 * hidden;
    const double* bias = run.b.data() + static_cast<int64_t>(d) * 2 * rows + rows;
    for (int64_t i = 0; i < rows; ++i) sums[static_cast<size_t>(i)] += bias[i];
    add_product(run.r.data() + static_cast<int64_t>(d) * rows * hidden, h, rows, hidden,
                sums.data());
    const double* p = peepholes.data() + static_cast<int64_t>(d) * 3 * hidden;
    const ActivationSpec* f = functions.data() + d * 3;
    for (int64_t i = 0; i < hidden; ++i) {
      const auto gate = [&](int64_t which) {
        return sums[static_cast<size_t>(which * hidden + i)];
      };
      const double input = f[0](run.clipped(gate(0) + p[i] * c[i]));
      const double forget =
          input_forget ? 1 - input : f[0](run.clipped(gate(2) + p[2 * hidden + i] * c[i]));
      c[i] = forget * c[i] + input * f[1](run.clipped(gate(3)));
      const double output = f[0](run.clipped(gate(1) + p[hidden + i] * c[i]));
      h[i] = output * f[2](c[i]);
    }
  });
  return finish(run, types, in[0].dtype(), layout);
}

Types GRU::infer(const Types& in) const {
  resolve_activations(activations, activation_alpha, activation_beta, {"Sigmoid", "Tanh"},
                      direction_count(direction));
  return recurrent_types(*this, in, 3, 2);
}

Tensors GRU::eval(const Tensors& in) const {
  const Types types = actual_outputs(*this, in);
  const std::vector<ActivationSpec> functions =
      resolve_activations(activations, activation_alpha, activation_beta, {"Sigmoid", "Tanh"},
                          direction_count(direction));
  Run run = prepare(*this, in, 3);
  const int64_t hidden = run.hidden;
  std::vector<double> past(static_cast<size_t>(3 * hidden));
  std::vector<double> reset(static_cast<size_t>(hidden));
  run_over_time(run, direction, [&](size_t d, std::vector<double>& sums, double* h, double*) {
    const auto direction_index = static_cast<int64_t>(d);
    const int64_t rows = 3 * hidden;
    const double* bias = run.b.data() + direction_index * 2 * rows + rows;
    const double* r = run.r.data() + direction_index * rows * hidden;
    const ActivationSpec* f = functions.data() + d * 2;
    std::copy_n(bias, rows, past.data());
    // With linear_before_reset the candidate's product takes the plain state, else the reset one.
    add_product(r, h, linear_before_reset ? rows : 2 * hidden, hidden, past.data());
    for (int64_t i = 0; i < hidden; ++i) {
      const auto at = static_cast<size_t>(hidden + i);
      reset[static_cast<size_t>(i)] = f[0](run.clipped(sums[at] + past[at]));
    }
    if (!linear_before_reset) {
      std::vector<double> state(reset);
      for (int64_t i = 0; i < hidden; ++i) state[static_cast<size_t>(i)] *= h[i];
      add_product(r + 2 * hidden * hidden, state.data(), hidden, hidden, past.data() + 2 * hidden);
    }
    for (int64_t i = 0; i < hidden; ++i) {
      const auto z = static_cast<size_t>(i);
      const auto n = static_cast<size_t>(2 * hidden + i);
      const double update = f[0](run.clipped(sums[z] + past[z]));
      const double candidate =
          f[1](run.clipped(sums[n] + (linear_before_reset ? reset[z] * past[n] : past[n])));
      h[i] = (1 - update) * candidate + update * h[i];
    }
  });
  return finish(run, types, in[0].dtype(), layout);
}

Types RNN::infer(const Types& in) const {
  resolve_activations(activations, activation_alpha, activation_beta, {"Tanh"},
                      direction_count(direction));
  return recurrent_types(*this, in, 1, 2);
}

Tensors RNN::eval(const Tensors& in) const {
  const Types types = actual_outputs(*this, in);
  const std::vector<ActivationSpec> functions = resolve_activations(
      activations, activation_alpha, activation_beta, {"Tanh"}, direction_count(direction));
  Run run = prepare(*this, in, 1);
  const int64_t hidden = run.hidden;
  run_over_time(run, direction, [&](size_t d, std::vector<double>& sums, double* h, double*) {
    const auto direction_index = static_cast<int64_t>(d);
    const double* bias = run.b.data() + direction_index * 2 * hidden + hidden;
    for (int64_t i = 0; i < hidden; ++i) sums[static_cast<size_t>(i)] += bias[i];
    add_product(run.r.data() + direction_index * hidden * hidden, h, hidden, hidden, sums.data());
    for (int64_t i = 0; i < hidden; ++i) {
      h[i] = functions[d](run.clipped(sums[static_cast<size_t>(i)]));
    }
  });
  return finish(run, types, in[0].dtype(), layout);
}

namespace {

// Every step of every sample goes through the weights of its inputs and those of its own state.
double recurrent_flops(const Types& in) {
  const double samples = factors(std::span(in[0].shape).first(2));
  return 2 * samples * (factors(in[1].shape) + factors(in[2].shape));
}

}  // namespace

double LSTM::flops(const Types& in, const Types&) const { return recurrent_flops(in); }
double GRU::flops(const Types& in, const Types&) const { return recurrent_flops(in); }
double RNN::flops(const Types& in, const Types&) const { return recurrent_flops(in); }

}  // namespace tenrec
