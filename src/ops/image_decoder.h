// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "ir/op_decl.h"

namespace tenrec {

// The bytes of an image file (u8 vector) -> u8 [height, width, channels]; without an element if it
// cannot be decoded. OpenCV does it, in a library of its own that is opened at the first image.
struct ImageDecoder {
  std::string pixel_format = "RGB";  // RGB, BGR, Grayscale
  static auto fields(auto& s) { return std::tuple{field(1, "pixel_format", s.pixel_format)}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr bool data_dependent = true;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(ImageDecoder, "image_decoder")

}  // namespace tenrec
