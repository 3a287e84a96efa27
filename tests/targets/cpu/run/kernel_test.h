// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of the CPU loops: guarded buffers, layouts, references in double.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "targets/cpu/run/conv.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu::test {

// A NaN with a payload of its own: "nobody wrote this", and poison to whoever reads it.
inline constexpr uint32_t kUntouched = 0x7fc0dead;
inline bool untouched(float x) { return std::bit_cast<uint32_t>(x) == kUntouched; }

// 64-byte aligned floats between guard bytes, filled with kUntouched.
class Buffer {
 public:
  explicit Buffer(int64_t size = 0) : size_(static_cast<size_t>(size)) {
    bytes_.assign(size_ * sizeof(float) + 2 * kGuard + 64, kMark);
    const auto start = reinterpret_cast<uintptr_t>(bytes_.data()) + kGuard;
    offset_ = (start + 63) / 64 * 64 - reinterpret_cast<uintptr_t>(bytes_.data());
    for (size_t i = 0; i < size_; i++) data()[i] = std::bit_cast<float>(kUntouched);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  float* data() { return reinterpret_cast<float*>(bytes_.data() + offset_); }
  const float* data() const { return reinterpret_cast<const float*>(bytes_.data() + offset_); }
  float& operator[](int64_t i) { return data()[i]; }
  const float& operator[](int64_t i) const { return data()[i]; }
  int64_t size() const { return static_cast<int64_t>(size_); }
  bool intact() const {
    const size_t end = offset_ + size_ * sizeof(float);
    return std::all_of(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(offset_), marked) &&
           std::all_of(bytes_.begin() + static_cast<ptrdiff_t>(end), bytes_.end(), marked);
  }

 private:
  static constexpr size_t kGuard = 256;
  static constexpr unsigned char kMark = 0xa5;
  static bool marked(unsigned char c) { return c == kMark; }
  size_t size_, offset_ = 0;
  std::vector<unsigned char> bytes_;
};

using Random = std::mt19937;
inline int pick(Random& g, int low, int high) {  // inclusive
  return low + static_cast<int>(g() % static_cast<unsigned>(high - low + 1));
}
inline bool chance(Random& g, int percent) { return pick(g, 1, 100) <= percent; }
inline float uniform(Random& g) {
  return static_cast<float>(g() >> 8) / static_cast<float>(1 << 23) - 1.0f;
}
inline std::vector<float> random_floats(Random& g, int64_t n) {
  std::vector<float> v(static_cast<size_t>(n));
  for (float& x : v) x = uniform(g);
  return v;
}

inline std::vector<Isa> isas() {
  std::vector<Isa> list;
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (supported(isa)) list.push_back(isa);
  }
  return list;
}

// Elements of a plain tensor [images][channels][height][width] in a blocked view.
struct Blocked {
  int images, channels, height, width, block;
  View view;
  int64_t at(int n, int c, int y, int x) const {
    return n * view.image + c / block * view.plane + y * view.row + x * block + c % block;
  }
  int padded() const { return round_up(channels, block); }
  int64_t size() const {
    return (images - 1) * view.image + (padded() / block - 1) * view.plane +
           (height - 1) * view.row + int64_t{width} * block;
  }
  // `pad` goes into the pad lanes.
  void put(Buffer& to, const std::vector<float>& plain, float pad) const {
    for (int n = 0; n < images; n++) {
      for (int c = 0; c < padded(); c++) {
        for (int y = 0; y < height; y++) {
          for (int x = 0; x < width; x++) {
            to[at(n, c, y, x)] = c < channels
                                     ? plain[static_cast<size_t>(
                                           ((int64_t{n} * channels + c) * height + y) * width + x)]
                                     : pad;
          }
        }
      }
    }
  }
};
// A view with random room between rows, planes and images.
inline View random_view(Random& g, int channels, int height, int width, int block) {
  View v = dense_view(channels, height, width, block);
  if (chance(g, 70)) return v;
  v.row += pick(g, 0, 2) * block;
  v.plane = v.row * height + pick(g, 0, 2) * block;
  v.image = v.plane * ceil_div(channels, block) + pick(g, 0, 3) * block;
  return v;
}

// Plain values with zeros for the last `lacks` channels of each image, which they do not have.
inline std::vector<float> with_zero_channels(const std::vector<float>& values, int images,
                                             int channels, int lacks) {
  std::vector<float> all;
  const size_t image = values.size() / static_cast<size_t>(images);
  const size_t zeros = image / static_cast<size_t>(channels - lacks) * static_cast<size_t>(lacks);
  for (size_t at = 0; at < values.size(); at += image) {
    all.insert(all.end(), values.begin() + static_cast<ptrdiff_t>(at),
               values.begin() + static_cast<ptrdiff_t>(at + image));
    all.resize(all.size() + zeros, 0.0f);
  }
  return all;
}

struct Reference {
  std::vector<double> value;      // plain
  std::vector<double> magnitude;  // sum of |products|: what rounding errors are relative to
};

inline int64_t size_in(const Conv& c) {
  return int64_t{c.images} * c.in_channels * c.d.in * c.h.in * c.w.in;
}
inline int64_t size_out(const Conv& c) {
  return int64_t{c.images} * c.out_channels * c.d.out * c.h.out * c.w.out;
}
inline int64_t size_weights(const Conv& c) {
  return int64_t{c.out_channels} * (c.in_channels / c.groups) * c.d.kernel * c.h.kernel *
         c.w.kernel;
}

// The plainest possible convolution; shares no code with the kernels.
inline Reference reference_conv(const Conv& c, const std::vector<float>& in,
                                const std::vector<float>& weights, const std::vector<float>& bias,
                                const std::vector<float>& residual) {
  Reference r;
  const int gi = c.in_channels / c.groups, go = c.out_channels / c.groups;
  for (int n = 0; n < c.images; n++)
    for (int o = 0; o < c.out_channels; o++)
      for (int z = 0; z < c.d.out; z++)
        for (int y = 0; y < c.h.out; y++)
          for (int x = 0; x < c.w.out; x++) {
            double sum = 0, magnitude = 0;
            for (int i = 0; i < gi; i++)
              for (int kz = 0; kz < c.d.kernel; kz++)
                for (int ky = 0; ky < c.h.kernel; ky++)
                  for (int kx = 0; kx < c.w.kernel; kx++) {
                    const int iz = z * c.d.stride + kz * c.d.dilation - c.d.pad;
                    const int iy = y * c.h.stride + ky * c.h.dilation - c.h.pad;
                    const int ix = x * c.w.stride + kx * c.w.dilation - c.w.pad;
                    if (iz < 0 || iz >= c.d.in || iy < 0 || iy >= c.h.in || ix < 0 || ix >= c.w.in)
                      continue;
                    const int channel = o / go * gi + i;
                    const double a = in[static_cast<size_t>(
                        (((int64_t{n} * c.in_channels + channel) * c.d.in + iz) * c.h.in + iy) *
                            c.w.in +
                        ix)];
                    const double b = weights[static_cast<size_t>(
                        (((int64_t{o} * gi + i) * c.d.kernel + kz) * c.h.kernel + ky) * c.w.kernel +
                        kx)];
                    sum += a * b;
                    magnitude += std::abs(a * b);
                  }
            const size_t at = r.value.size();
            const double offset = bias.empty() ? 0.0 : bias[static_cast<size_t>(o)];
            const double added = residual.empty() ? 0.0 : residual[at];
            r.value.push_back(sum + offset + added);
            r.magnitude.push_back(magnitude + std::abs(offset) + std::abs(added));
          }
  return r;
}

// Transposed: every input value is scattered to the outputs that it takes part in.
inline Reference reference_conv_transposed(const Conv& c, const std::vector<float>& in,
                                           const std::vector<float>& weights,
                                           const std::vector<float>& bias,
                                           const std::vector<float>& residual) {
  Reference r;
  r.value.assign(static_cast<size_t>(size_out(c)), 0);
  r.magnitude.assign(r.value.size(), 0);
  const int gi = c.in_channels / c.groups, go = c.out_channels / c.groups;
  size_t from = 0;
  for (int n = 0; n < c.images; n++)
    for (int i = 0; i < c.in_channels; i++)
      for (int z = 0; z < c.d.in; z++)
        for (int y = 0; y < c.h.in; y++)
          for (int x = 0; x < c.w.in; x++, from++) {
            size_t weight = static_cast<size_t>(i) * static_cast<size_t>(go) *
                            static_cast<size_t>(c.d.kernel * c.h.kernel * c.w.kernel);
            for (int o = 0; o < go; o++)
              for (int kz = 0; kz < c.d.kernel; kz++)
                for (int ky = 0; ky < c.h.kernel; ky++)
                  for (int kx = 0; kx < c.w.kernel; kx++, weight++) {
                    const int oz = z * c.d.stride + kz * c.d.dilation - c.d.pad;
                    const int oy = y * c.h.stride + ky * c.h.dilation - c.h.pad;
                    const int ox = x * c.w.stride + kx * c.w.dilation - c.w.pad;
                    if (oz < 0 || oz >= c.d.out || oy < 0 || oy >= c.h.out || ox < 0 ||
                        ox >= c.w.out)
                      continue;
                    const int channel = i / gi * go + o;
                    const auto to = static_cast<size_t>(
                        (((int64_t{n} * c.out_channels + channel) * c.d.out + oz) * c.h.out + oy) *
                            c.w.out +
                        ox);
                    const double product = double{in[from]} * double{weights[weight]};
                    r.value[to] += product;
                    r.magnitude[to] += std::abs(product);
                  }
          }
  const int64_t plane = int64_t{c.d.out} * c.h.out * c.w.out;
  for (size_t at = 0; at < r.value.size(); at++) {
    const auto channel = at / static_cast<size_t>(plane) % static_cast<size_t>(c.out_channels);
    const double offset = bias.empty() ? 0.0 : bias[channel];
    const double added = residual.empty() ? 0.0 : residual[at];
    r.value[at] += offset + added;
    r.magnitude[at] += std::abs(offset) + std::abs(added);
  }
  return r;
}

// An axis with a kernel that fits at least once; pads on both sides are independent.
inline Axis random_axis(Random& g, int kernel, int longest) {
  Axis a{.in = pick(g, 1, longest), .kernel = kernel};
  a.stride = chance(g, 60) ? 1 : pick(g, 1, 3);
  a.dilation = chance(g, 75) ? 1 : pick(g, 1, 3);
  a.pad = chance(g, 30) ? 0 : pick(g, 0, kernel + 1);
  const int after = chance(g, 60) ? a.pad : pick(g, 0, kernel);
  const int reach = (kernel - 1) * a.dilation + 1;
  while (a.in + a.pad + after < reach) a.in++;
  a.out = (a.in + a.pad + after - reach) / a.stride + 1;
  return a;
}

inline std::string describe(const Conv& c) {
  const auto axis = [](const Axis& a) {
    return std::to_string(a.in) + "->" + std::to_string(a.out) + " k" + std::to_string(a.kernel) +
           " s" + std::to_string(a.stride) + " d" + std::to_string(a.dilation) + " p" +
           std::to_string(a.pad);
  };
  return "n" + std::to_string(c.images) + " g" + std::to_string(c.groups) + " " +
         std::to_string(c.in_channels) + ">" + std::to_string(c.out_channels) + " d " + axis(c.d) +
         " h " + axis(c.h) + " w " + axis(c.w);
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Allowed rounding error of a sum of `terms` products in float: random signs make errors grow with
// the root; 4 covers the tail, + 2 the bias and residual.
inline double tolerance(double terms, double magnitude) {
  return 4 * 0x1p-24 * std::sqrt(terms + 2) * magnitude + 1e-30;
}

inline double apply(const Activation& a, double x) {
  const auto clip = [&](double v) { return std::min<double>(std::max<double>(v, a.low), a.high); };
  if (a.kind == Activation::Kind::relu) return x > 0 ? x : 0;
  if (a.kind == Activation::Kind::clip) return clip(x);
  if (a.kind == Activation::Kind::gate) return x * clip(a.slope * x + a.offset) + a.shift;
  return x;
}
// What an error of x becomes: a gate is nowhere steeper than where its factor reaches `high`, and
// rounds twice itself.
inline double error_after(const Activation& a, double error, double x) {
  if (a.kind != Activation::Kind::gate) return error;
  return error * std::max(1.0, 2.0 * a.high + std::abs(a.offset)) +
         4 * 0x1p-24 * (std::abs(x) * (a.high + std::abs(a.offset)) + std::abs(a.shift));
}

// One of each kind; `lift`: 0 becomes something else.
inline Activation activation_of(int kind, bool lift) {
  Activation a{.kind = static_cast<Activation::Kind>(kind)};
  if (a.kind == Activation::Kind::clip) {
    a.low = lift ? 0.25f : -0.5f;
    a.high = 1.5f;
  }
  if (a.kind == Activation::Kind::gate) {
    a.high = 1.25f;
    a.slope = 0.2f;
    a.offset = 0.6f;
    a.shift = lift ? 0.5f : 0.0f;
  }
  return a;
}

// An epilogue hook that knows where each piece must lie: y = 2 y + operand[same place].
struct DoubleAndAdd {
  const float* operand;   // same layout as the output
  std::vector<int> seen;  // calls per float of the output; sized by the test
  bool sane = true;
  static void call(void* state, const Piece& piece) {
    auto& self = *static_cast<DoubleAndAdd*>(state);
    for (int i = 0; i < piece.count; i++) {
      piece.data[i] = 2 * piece.data[i] + self.operand[piece.offset + i];
      self.seen[static_cast<size_t>(piece.offset + i)]++;
    }
  }
};

}  // namespace tenrec::cpu::test
