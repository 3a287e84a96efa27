// SPDX-License-Identifier: Apache-2.0
#include "ops/image_decoder.h"

#include <dlfcn.h>

#include <filesystem>

#include "ops/image_decoder_api.h"
#include "ops/support.h"

namespace tenrec {
namespace {

constexpr const char* library_name = "libtenrec_imgcodecs.so";

// Beside this library, or in the lib folder beside its bin folder.
tenrec_decode_image_function* open_decoder() {
  Dl_info self{};
  void* handle = nullptr;
  if (dladdr(reinterpret_cast<void*>(&open_decoder), &self) != 0 && self.dli_fname) {
    const std::filesystem::path folder = std::filesystem::path(self.dli_fname).parent_path();
    for (const auto& path : {folder / library_name, folder / ".." / "lib" / library_name}) {
      if (!handle) handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    }
  }
  if (!handle) handle = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
  TENREC_CHECK(handle, unsupported,
               "ImageDecoder needs {}, which is built where OpenCV (libopencv-imgcodecs-dev) is "
               "installed: {}",
               library_name, dlerror());
  void* symbol = dlsym(handle, "tenrec_decode_image");
  TENREC_CHECK(symbol, unsupported, "{} is of another version", library_name);
  return reinterpret_cast<tenrec_decode_image_function*>(symbol);
}

std::byte* allocate(void* context, int height, int width, int channels) {
  auto& tensor = *static_cast<Tensor*>(context);
  tensor = Tensor(DType::u8, {height, width, channels});
  return tensor.mutable_data();
}

}  // namespace

Types ImageDecoder::infer(const Types& in) const {
  const Type& x = required(in, 0, "the encoded image");
  TENREC_CHECK(x.dtype == DType::u8 && (!x.ranked || x.rank() == 1), invalid_model,
               "the encoded image is {}, expected a vector of u8", x.str());
  TENREC_CHECK(pixel_format == "RGB" || pixel_format == "BGR" || pixel_format == "Grayscale",
               invalid_model, "pixel_format is \"{}\", expected RGB, BGR or Grayscale",
               pixel_format);
  return {Type::tensor(DType::u8, {Dim::fresh("height"), Dim::fresh("width"),
                                   Dim(pixel_format == "Grayscale" ? 1 : 3)})};
}

Tensors ImageDecoder::eval(const Tensors& in) const {
  static tenrec_decode_image_function* const decode = open_decoder();
  Tensor image(DType::u8, {0, 0, pixel_format == "Grayscale" ? 1 : 3});
  decode(in[0].data(), in[0].bytes(), pixel_format.c_str(), allocate, &image);
  return {image};
}

}  // namespace tenrec
