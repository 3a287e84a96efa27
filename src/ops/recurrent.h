// SPDX-License-Identifier: Apache-2.0
// LSTM, GRU and RNN. x [time, batch, features] (layout 1: [batch, time, features]); weights have a
// leading axis of 1 or 2 directions and ONNX's gate order (LSTM: i o f c, GRU: z r h).
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

struct LSTM {
  std::vector<float> activation_alpha = {};
  std::vector<float> activation_beta = {};
  std::vector<std::string> activations = {};  // empty: Sigmoid, Tanh, Tanh for each direction
  float clip = 0;                             // 0: none
  std::string direction = "forward";
  int64_t hidden_size = 0;  // 0: from the weights
  bool input_forget = false;
  int64_t layout = 0;
  static auto fields(auto& s) {
    return std::tuple{field(1, "activation_alpha", s.activation_alpha),
                      field(2, "activation_beta", s.activation_beta),
                      field(3, "activations", s.activations),
                      field(4, "clip", s.clip),
                      field(5, "direction", s.direction),
                      field(6, "hidden_size", s.hidden_size),
                      field(7, "input_forget", s.input_forget),
                      field(8, "layout", s.layout)};
  }
  static constexpr auto without_effect = "output_sequence";  // old; outputs are asked for by name
  Types infer(const Types& in) const;                        // Y, Y_h, Y_c
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const;
};
TENREC_OP(LSTM, "lstm")

struct GRU {
  std::vector<float> activation_alpha = {};
  std::vector<float> activation_beta = {};
  std::vector<std::string> activations = {};  // empty: Sigmoid, Tanh for each direction
  float clip = 0;
  std::string direction = "forward";
  int64_t hidden_size = 0;
  int64_t layout = 0;
  bool linear_before_reset = false;
  static auto fields(auto& s) {
    return std::tuple{field(1, "activation_alpha", s.activation_alpha),
                      field(2, "activation_beta", s.activation_beta),
                      field(3, "activations", s.activations),
                      field(4, "clip", s.clip),
                      field(5, "direction", s.direction),
                      field(6, "hidden_size", s.hidden_size),
                      field(7, "layout", s.layout),
                      field(8, "linear_before_reset", s.linear_before_reset)};
  }
  static constexpr auto without_effect = "output_sequence";  // old; outputs are asked for by name
  Types infer(const Types& in) const;                        // Y, Y_h
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const;
};
TENREC_OP(GRU, "gru")

struct RNN {
  std::vector<float> activation_alpha = {};
  std::vector<float> activation_beta = {};
  std::vector<std::string> activations = {};  // empty: Tanh for each direction
  float clip = 0;
  std::string direction = "forward";
  int64_t hidden_size = 0;
  int64_t layout = 0;
  static auto fields(auto& s) {
    return std::tuple{field(1, "activation_alpha", s.activation_alpha),
                      field(2, "activation_beta", s.activation_beta),
                      field(3, "activations", s.activations),
                      field(4, "clip", s.clip),
                      field(5, "direction", s.direction),
                      field(6, "hidden_size", s.hidden_size),
                      field(7, "layout", s.layout)};
  }
  static constexpr auto without_effect = "output_sequence";  // old; outputs are asked for by name
  Types infer(const Types& in) const;                        // Y, Y_h
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const;
};
TENREC_OP(RNN, "rnn")

// An activation of the recurrent family with its parameters resolved to ONNX's defaults.
enum class RecurrentActivation : uint8_t {
  relu,
  tanh,
  sigmoid,
  affine,
  leaky_relu,
  thresholded_relu,
  scaled_tanh,
  hard_sigmoid,
  elu,
  softsign,
  softplus,
};
struct ActivationSpec {
  RecurrentActivation kind = RecurrentActivation::tanh;
  double alpha = 0, beta = 0;
  double operator()(double x) const;
};
// `count` functions for each direction; alphas and betas are handed out in order to those that take
// one. `defaults` are the names for one direction.
std::vector<ActivationSpec> resolve_activations(const std::vector<std::string>& names,
                                                const std::vector<float>& alphas,
                                                const std::vector<float>& betas,
                                                const std::vector<std::string>& defaults,
                                                size_t directions);

}  // namespace tenrec
