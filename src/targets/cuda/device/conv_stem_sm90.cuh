// SPDX-License-Identifier: Apache-2.0
// Space to depth for convolutions with few input channels: a stride becomes channels, so that the
// tensor cores find long rows of k. Position (row, column) of the result holds the stride_h x
// stride_w x channels patch at input (row * stride_h + start_h, column * stride_w + start_w), zeros
// outside; the convolution that follows has stride 1, and a row of its taps lies in one piece.
#pragma once

namespace stem {

struct Pack {
  const void* x;
  void* patches;  // [images][rows][columns][C::patch]
  int images, rows, columns, in_h, in_w;
  int start_h, start_w;
  long long x_image, x_h, x_w, x_c;  // element strides
};

// Element sizes: 2 copies 16-bit elements, 4 copies floats. patch: channels * stride_h * stride_w,
// rounded up to 16 bytes.
template <int size_, int channels_, int stride_h_, int stride_w_, int patch_>
struct Config {
  static constexpr int size = size_, channels = channels_, patch = patch_;
  static constexpr int stride_h = stride_h_, stride_w = stride_w_;
  static constexpr int chunk = 16 / size;
};

template <bool wide>
struct Word {
  using type = unsigned short;
};
template <>
struct Word<true> {
  using type = unsigned;
};

// A thread writes 16 bytes; element (channel, y, x) of the patch has x fastest.
template <class C>
static __device__ __forceinline__ void pack(const Pack& p) {
  using W = typename Word<C::size == 4>::type;
  constexpr int chunks = C::patch / C::chunk;
  const long long total = (long long)p.images * p.rows * p.columns * chunks;
  const long long i = blockIdx.x * 256LL + threadIdx.x;
  asm volatile("griddepcontrol.launch_dependents;\ngriddepcontrol.wait;" ::: "memory");
  if (i >= total) return;
  const int part = i % chunks;
  const long long position = i / chunks;
  const int column = position % p.columns, row = position / p.columns % p.rows;
  const int image = position / p.columns / p.rows;
  const int h0 = row * C::stride_h + p.start_h, w0 = column * C::stride_w + p.start_w;
  const W* x = (const W*)p.x + image * p.x_image;
  W values[C::chunk];
#pragma unroll
  for (int e = 0; e < C::chunk; ++e) {
    const int at = part * C::chunk + e;
    const int c = at / (C::stride_h * C::stride_w);
    const int h = h0 + at / C::stride_w % C::stride_h, w = w0 + at % C::stride_w;
    const bool inside =
        c < C::channels && (unsigned)h < (unsigned)p.in_h && (unsigned)w < (unsigned)p.in_w;
    values[e] = inside ? x[h * p.x_h + w * p.x_w + c * p.x_c] : 0;
  }
  unsigned words[4];
#pragma unroll
  for (int j = 0; j < 4; ++j)
    words[j] = C::size == 4
                   ? values[j]
                   : values[j * 2 % C::chunk] | (unsigned)values[(j * 2 + 1) % C::chunk] << 16;
  ((uint4*)p.patches)[i] = make_uint4(words[0], words[1], words[2], words[3]);
}

}  // namespace stem
