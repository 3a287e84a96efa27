// SPDX-License-Identifier: Apache-2.0
#include "ops/spectrum.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

using Complex = std::complex<double>;

std::optional<Dim> known_scalar(const Types& in, size_t i) {
  if (!has_input(in, i)) return std::nullopt;
  const std::vector<Dim>* known = in[i].known_ints();
  return known && known->size() == 1 ? std::optional((*known)[0]) : std::nullopt;
}

// e^(sign * 2 pi j k / n) for every k: exact angles, so that long sums do not drift.
std::vector<Complex> roots_of_unity(int64_t n, double sign) {
  std::vector<Complex> roots;
  for (int64_t k = 0; k < n; ++k) {
    roots.push_back(std::polar(
        1.0, sign * 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n)));
  }
  return roots;
}

// The first `count` values of the transform of `x`, by definition.
std::vector<Complex> transform(const std::vector<Complex>& x, const std::vector<Complex>& roots,
                               int64_t count, bool inverse) {
  const auto n = static_cast<int64_t>(x.size());
  std::vector<Complex> y(static_cast<size_t>(count));
  for (int64_t k = 0; k < count; ++k) {
    Complex sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      sum += x[static_cast<size_t>(i)] * roots[static_cast<size_t>(i * k % n)];
    }
    y[static_cast<size_t>(k)] = inverse ? sum / static_cast<double>(n) : sum;
  }
  return y;
}

// A half spectrum continued by its mirror: the spectrum of a real signal of length n.
void complete(std::vector<Complex>& half, int64_t given, int64_t n) {
  for (int64_t k = n / 2 + 1; k < n; ++k) {
    if (n - k < given) half[static_cast<size_t>(k)] = std::conj(half[static_cast<size_t>(n - k)]);
  }
}

// A line of the signal: `count` complex numbers `stride` apart, read as far as they go.
std::vector<Complex> line(const std::vector<double>& values, int64_t first, int64_t stride,
                          int64_t parts, int64_t count, int64_t length) {
  std::vector<Complex> x(static_cast<size_t>(length));
  for (int64_t i = 0; i < std::min(count, length); ++i) {
    const auto at = static_cast<size_t>(first + i * stride);
    x[static_cast<size_t>(i)] = {values[at], parts == 2 ? values[at + 1] : 0.0};
  }
  return x;
}

void check_parts(const Dim& parts) {
  TENREC_CHECK(!parts.is_const() || parts == Dim(1) || parts == Dim(2), invalid_model,
               "a signal's last axis is 1 (real) or 2 (complex), not {}", parts.str());
}

int64_t signal_axis(int64_t axis, int64_t rank) {
  const int64_t at = normalise_axis(axis, rank);
  TENREC_CHECK(at != rank - 1, invalid_model,
               "DFT along the axis that holds real and imaginary parts");
  return at;
}

}  // namespace

Types Dft::infer(const Types& in) const {
  check_input_count(in, 1, 3, "DFT");
  const Type& x = tensor_input(in, 0, "DFT");
  if (!x.ranked) return {x};
  TENREC_CHECK(x.rank() >= 2, invalid_model,
               "DFT of {}; it needs a signal axis and a last axis of 1 or 2", x.str());
  check_parts(x.shape.back());
  Shape shape = x.shape;
  shape.back() = Dim(inverse && onesided ? 1 : 2);
  std::optional<Dim> axis = Dim(-2);
  if (has_input(in, 2)) axis = known_scalar(in, 2);
  if (!axis || !axis->is_const()) {
    for (size_t i = 0; i + 1 < shape.size(); ++i) shape[i] = Dim::fresh(fmt::format("dft{}", i));
    return {Type::tensor(x.dtype, std::move(shape))};
  }
  Dim& size = shape[static_cast<size_t>(signal_axis(axis->value(), x.rank()))];
  if (has_input(in, 1)) size = known_scalar(in, 1).value_or(Dim::fresh("dft"));
  else if (inverse && onesided) size = (size - 1) * 2;
  if (onesided && !inverse) size = floordiv(size, 2) + 1;
  return {Type::tensor(x.dtype, std::move(shape))};
}

Tensors Dft::eval(const Tensors& in) const {
  const Dims& dims = in[0].dims();
  const auto axis = static_cast<size_t>(signal_axis(has_input(in, 2) ? in[2].to_ints().at(0) : -2,
                                                    static_cast<int64_t>(dims.size())));
  const int64_t parts = dims.back();
  const int64_t count = dims[axis];
  int64_t length = inverse && onesided ? 2 * (count - 1) : count;
  if (has_input(in, 1)) length = in[1].to_ints().at(0);
  TENREC_CHECK(length >= 1, invalid_input, "DFT of length {}", length);
  const int64_t results = onesided && !inverse ? length / 2 + 1 : length;
  const int64_t out_parts = inverse && onesided ? 1 : 2;
  Dims out_dims = dims;
  out_dims[axis] = results;
  out_dims.back() = out_parts;
  const int64_t stride = row_major_strides(dims)[axis];
  const int64_t out_stride = row_major_strides(out_dims)[axis];
  const std::vector<double> values = in[0].to_doubles();
  const std::vector<Complex> roots = roots_of_unity(length, inverse ? 1 : -1);
  std::vector<double> out(static_cast<size_t>(element_count(out_dims)));
  const int64_t lines_inside = stride / parts;
  const int64_t lines = count == 0 ? 0 : static_cast<int64_t>(values.size()) / (parts * count);
  for (int64_t i = 0; i < lines; ++i) {
    const int64_t outer = i / lines_inside;
    const int64_t inner = i % lines_inside;
    std::vector<Complex> x =
        line(values, outer * count * stride + inner * parts, stride, parts, count, length);
    if (inverse && onesided) complete(x, count, length);
    const std::vector<Complex> y = transform(x, roots, results, inverse);
    for (int64_t k = 0; k < results; ++k) {
      const auto at = static_cast<size_t>((outer * results + k) * out_stride + inner * out_parts);
      out[at] = y[static_cast<size_t>(k)].real();
      if (out_parts == 2) out[at + 1] = y[static_cast<size_t>(k)].imag();
    }
  }
  return {Tensor::from_doubles(in[0].dtype(), out_dims, out)};
}

Values Dft::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Dft op;
  op.inverse = node.integer("inverse", 0) != 0;
  op.onesided = node.integer("onesided", 0) != 0;
  Values inputs = context.inputs();
  if (node.opset() >= 20) return context.add(op, std::move(inputs));
  inputs.resize(3);
  inputs[2] = context.constant(Tensor::scalar(node.integer("axis", 1)));
  return context.add(op, std::move(inputs));
}

Types Stft::infer(const Types& in) const {
  check_input_count(in, 2, 4, "STFT");
  const Type& signal = tensor_input(in, 0, "STFT");
  check_single(integer_input(in, 1, "STFT"), "the step of STFT");
  if (!signal.ranked) return {fresh_tensor(signal.dtype, 4, "stft")};
  TENREC_CHECK(signal.rank() == 3 || signal.rank() == 2, invalid_model,
               "STFT of {}; it needs [batch, samples, 1 or 2]", signal.str());
  if (signal.rank() == 3) check_parts(signal.shape[2]);
  std::optional<Dim> length = known_scalar(in, 3);
  if (!length && has_input(in, 2) && in[2].ranked) length = in[2].shape.at(0);
  if (!length && !has_input(in, 2) && !has_input(in, 3)) length = signal.shape[1];
  const std::optional<Dim> step = known_scalar(in, 1);
  const Dim bins = !length ? Dim::fresh("bins") : onesided ? floordiv(*length, 2) + 1 : *length;
  const bool countable = length && step && step->lower() >= 1;
  const Dim frames = countable ? tight_max(floordiv(signal.shape[1] - *length, *step) + 1, Dim(0))
                               : Dim::fresh("frames", 0, signal.shape[1].upper());
  return {Type::tensor(signal.dtype, {signal.shape[0], frames, bins, 2})};
}

Tensors Stft::eval(const Tensors& in) const {
  const Dims& dims = in[0].dims();
  const int64_t parts = dims.size() == 3 ? dims[2] : 1;
  const int64_t step = in[1].to_ints().at(0);
  std::vector<double> window;
  if (has_input(in, 2)) window = in[2].to_doubles();
  int64_t length = has_input(in, 2) ? static_cast<int64_t>(window.size()) : dims[1];
  if (has_input(in, 3)) length = in[3].to_ints().at(0);
  if (window.empty()) window.assign(static_cast<size_t>(std::max<int64_t>(length, 0)), 1.0);
  TENREC_CHECK(step >= 1 && length >= 1 && static_cast<int64_t>(window.size()) == length,
               invalid_input, "STFT with frames of {} samples, a window of {} and a step of {}",
               length, window.size(), step);
  const int64_t frames = dims[1] < length ? 0 : (dims[1] - length) / step + 1;
  const int64_t bins = onesided ? length / 2 + 1 : length;
  const std::vector<double> values = in[0].to_doubles();
  const std::vector<Complex> roots = roots_of_unity(length, -1);
  std::vector<double> out;
  for (int64_t batch = 0; batch < dims[0]; ++batch) {
    for (int64_t frame = 0; frame < frames; ++frame) {
      const int64_t first = (batch * dims[1] + frame * step) * parts;
      std::vector<Complex> x = line(values, first, parts, parts, length, length);
      for (size_t i = 0; i < x.size(); ++i) x[i] *= window[i];
      for (const Complex& value : transform(x, roots, bins, false)) {
        out.push_back(value.real());
        out.push_back(value.imag());
      }
    }
  }
  return {Tensor::from_doubles(in[0].dtype(), {dims[0], frames, bins, 2}, out)};
}

Types MelWeightMatrix::infer(const Types& in) const {
  check_input_count(in, 5, 5, "MelWeightMatrix");
  const std::optional<Dim> bands = known_scalar(in, 0);
  const std::optional<Dim> length = known_scalar(in, 1);
  return {Type::tensor(output_datatype, {length ? floordiv(*length, 2) + 1 : Dim::fresh("bins"),
                                         bands ? *bands : Dim::fresh("bands")})};
}

Tensors MelWeightMatrix::eval(const Tensors& in) const {
  const int64_t bands = in[0].to_ints().at(0);
  const int64_t length = in[1].to_ints().at(0);
  const double rate = in[2].to_doubles().at(0);
  TENREC_CHECK(bands >= 1 && length >= 1 && rate > 0, invalid_input,
               "MelWeightMatrix of {} bands, length {}, sample rate {}", bands, length, rate);
  const auto mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  const double low = mel(in[3].to_doubles().at(0));
  const double step = (mel(in[4].to_doubles().at(0)) - low) / static_cast<double>(bands + 2);
  const int64_t rows = length / 2 + 1;
  // The spectrum bin at which each triangle's corners lie.
  std::vector<int64_t> corner;
  for (int64_t i = 0; i < bands + 2; ++i) {
    const double hertz = 700 * (std::pow(10.0, (static_cast<double>(i) * step + low) / 2595) - 1);
    corner.push_back(
        static_cast<int64_t>(std::floor(static_cast<double>(length + 1) * hertz / rate)));
  }
  std::vector<double> weights(static_cast<size_t>(rows * bands));
  const auto set = [&](int64_t row, int64_t band, double weight) {
    if (row >= 0 && row < rows) weights[static_cast<size_t>(row * bands + band)] = weight;
  };
  for (int64_t band = 0; band < bands; ++band) {
    const int64_t left = corner[static_cast<size_t>(band)];
    const int64_t centre = corner[static_cast<size_t>(band) + 1];
    const int64_t right = corner[static_cast<size_t>(band) + 2];
    if (centre == left) set(centre, band, 1);
    for (int64_t row = left; centre > left && row <= centre; ++row) {
      set(row, band, static_cast<double>(row - left) / static_cast<double>(centre - left));
    }
    for (int64_t row = centre; row < right; ++row) {
      set(row, band, static_cast<double>(right - row) / static_cast<double>(right - centre));
    }
  }
  return {Tensor::from_doubles(output_datatype, {rows, bands}, weights)};
}

}  // namespace tenrec
