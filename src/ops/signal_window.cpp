// SPDX-License-Identifier: Apache-2.0
#include "ops/signal_window.h"

#include <cmath>
#include <numbers>

#include "ops/movement.h"

namespace tenrec {
namespace {

Types window_type(const Types& in, DType dtype) {
  const std::vector<Dim>* size = tensor_input(in, 0, "a window function").known_ints();
  return {Type::tensor(dtype, {size && size->size() == 1 ? (*size)[0] : Dim::fresh("window")})};
}

// a0 - a1 cos(2 pi i / N) + a2 cos(4 pi i / N).
Tensors cosine_window(const Tensors& in, DType dtype, bool periodic, double a0, double a1,
                      double a2) {
  const int64_t size = in[0].to_ints().at(0);
  TENREC_CHECK(size >= 0, invalid_input, "a window of length {}", size);
  const auto period = static_cast<double>(periodic ? size : size - 1);
  std::vector<double> values(static_cast<size_t>(size));
  for (size_t i = 0; i < values.size(); ++i) {
    const double angle = size == 1 ? 0 : 2 * std::numbers::pi * static_cast<double>(i) / period;
    values[i] = a0 - a1 * std::cos(angle) + a2 * std::cos(2 * angle);
  }
  return {Tensor::from_doubles(dtype, {size}, values)};
}

}  // namespace

Types HannWindow::infer(const Types& in) const { return window_type(in, output_datatype); }
Tensors HannWindow::eval(const Tensors& in) const {
  return cosine_window(in, output_datatype, periodic, 0.5, 0.5, 0);
}

// ONNX takes 25/46, the value that cancels the first side lobe, not the usual 0.54.
Types HammingWindow::infer(const Types& in) const { return window_type(in, output_datatype); }
Tensors HammingWindow::eval(const Tensors& in) const {
  return cosine_window(in, output_datatype, periodic, 25.0 / 46, 21.0 / 46, 0);
}

Types BlackmanWindow::infer(const Types& in) const { return window_type(in, output_datatype); }
Tensors BlackmanWindow::eval(const Tensors& in) const {
  return cosine_window(in, output_datatype, periodic, 0.42, 0.5, 0.08);
}

}  // namespace tenrec
