// SPDX-License-Identifier: Apache-2.0
// The one function of libtenrec_imgcodecs.so.
#pragma once
#include <cstddef>

extern "C" {
// Gives the memory for an image of this size.
using tenrec_image_allocator = std::byte*(void* context, int height, int width, int channels);
// Decodes into what `allocate` gives; does not call it for bytes that are no image.
using tenrec_decode_image_function = void(const std::byte* bytes, size_t size,
                                          const char* pixel_format,
                                          tenrec_image_allocator* allocate, void* context);
}
