// SPDX-License-Identifier: Apache-2.0
// Fourier transforms and what speech models put around them. Complex numbers are a last axis of 2.
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Inputs: signal (last axis 1: real, 2: complex), length (optional: zero-padded or cut to it), axis
// (optional, -2). `onesided` gives the first half plus one of a real signal's spectrum; with
// `inverse` it takes that half and gives the real signal.
struct Dft {
  bool inverse = false;
  bool onesided = false;
  static auto fields(auto& s) {
    return std::tuple{field(1, "inverse", s.inverse), field(2, "onesided", s.onesided)};
  }
  static constexpr std::string_view onnx_name = "DFT";
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Dft, "dft")

// Inputs: signal [batch, samples, 1 or 2], step, window (optional), frame length (optional).
struct Stft {
  bool onesided = true;
  static auto fields(auto& s) { return std::tuple{field(1, "onesided", s.onesided)}; }
  static constexpr std::string_view onnx_name = "STFT";
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(Stft, "stft")

// Inputs: number of mel bands, transform length, sample rate, lowest and highest frequency. The
// triangular weights [length / 2 + 1, bands].
struct MelWeightMatrix {
  DType output_datatype = DType::f32;
  static auto fields(auto& s) { return std::tuple{field(1, "output_datatype", s.output_datatype)}; }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(MelWeightMatrix, "mel_weight_matrix")

}  // namespace tenrec
