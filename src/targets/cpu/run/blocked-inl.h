// SPDX-License-Identifier: Apache-2.0
// What the loops over blocked tensors share: finishing outputs and copying bands with zeros around.
#if defined(TENREC_CPU_BLOCKED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TENREC_CPU_BLOCKED_INL_H_
#undef TENREC_CPU_BLOCKED_INL_H_
#else
#define TENREC_CPU_BLOCKED_INL_H_
#endif

#include "targets/cpu/run/conv_plan.h"
#include "targets/cpu/run/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

// Copies rows x cols pixels from (y0, x0) of a plane of height x width to `to`; pixels outside the
// plane become zeros.
HWY_INLINE void copy_padded(const float* plane, int64_t row, int height, int width, Span ys,
                            Span xs, float* to, int64_t to_row) {
  const int left = std::clamp(0 - xs.begin, 0, xs.size());
  const int right = std::clamp(width - xs.begin, left, xs.size());
  for (int y = ys.begin; y < ys.end; y++, to += to_row) {
    const bool inside = y >= 0 && y < height;
    const int first = inside ? left : xs.size(), last = inside ? right : xs.size();
    for (int x = 0; x < first; x++) store(to + x * B, zero());
    const float* from = plane + y * row + xs.begin * B;
    for (int x = first; x < last; x++) store(to + x * B, load(from + x * B));
    for (int x = last; x < xs.size(); x++) store(to + x * B, zero());
  }
}

// Ends a run of pixels of one channel block: calls the hook, and keeps pad lanes at zero.
struct Finish {
  Epilogue epilogue;
  const float* out_base;
  int channels;        // of the tensor
  bool may_lift_zero;  // the activation maps 0 to something else

  bool needed(int last_block) const {
    return epilogue.fn != nullptr || (may_lift_zero && last_block * B + B > channels);
  }
  HWY_INLINE void run(float* data, int pixels, int image, int block, int pixel, int worker) const {
    if (epilogue.fn != nullptr) {
      epilogue.fn(epilogue.state, Piece{.data = data,
                                        .offset = data - out_base,
                                        .count = pixels * B,
                                        .image = image,
                                        .channel = block * B,
                                        .pixel = pixel,
                                        .worker = worker});
    }
    const int used = channels - block * B;
    if (used >= B) return;
    for (int i = 0; i < pixels; i++) store(data + i * B, load_first(data + i * B, used));
  }
  // Pixels [first, last) of a picture `width` wide whose plane starts at `plane`.
  HWY_INLINE void span(float* plane, int64_t row, int width, int first, int last, int image,
                       int block, int worker) const {
    if (row == int64_t{width} * B) {
      run(plane + int64_t{first} * B, last - first, image, block, first, worker);
      return;
    }
    for (int at = first; at < last;) {
      const int y = at / width, x = at - y * width, n = std::min(width - x, last - at);
      run(plane + y * row + x * B, n, image, block, at, worker);
      at += n;
    }
  }
};

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
