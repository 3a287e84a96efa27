// SPDX-License-Identifier: Apache-2.0
// Window functions: the input is their length, a scalar.
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

struct HannWindow {
  DType output_datatype = DType::f32;
  bool periodic = true;  // one period of length `size`; else the last value repeats the first
  static auto fields(auto& s) {
    return std::tuple{field(1, "output_datatype", s.output_datatype),
                      field(2, "periodic", s.periodic)};
  }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(HannWindow, "hann_window")

struct HammingWindow {
  DType output_datatype = DType::f32;
  bool periodic = true;
  static auto fields(auto& s) {
    return std::tuple{field(1, "output_datatype", s.output_datatype),
                      field(2, "periodic", s.periodic)};
  }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(HammingWindow, "hamming_window")

struct BlackmanWindow {
  DType output_datatype = DType::f32;
  bool periodic = true;
  static auto fields(auto& s) {
    return std::tuple{field(1, "output_datatype", s.output_datatype),
                      field(2, "periodic", s.periodic)};
  }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(BlackmanWindow, "blackman_window")

}  // namespace tenrec
