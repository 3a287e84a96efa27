// SPDX-License-Identifier: Apache-2.0
// Sliding windows with symbolic sizes, and how kernels walk them.
#pragma once
#include "ops/window.h"
#include "targets/cuda/kernel_text.h"

namespace tenrec::cuda {

struct WindowDims {
  Dim in, out, kernel, pad_begin, pad_end;
  int64_t stride = 1, dilation = 1;
};

// Of each spatial axis; `in` and `out` are shapes with batch and channels, `kernel` spatial only.
std::vector<WindowDims> window_dims(const Window& window, const Shape& in, const Shape& out,
                                    const Shape& kernel);

// Variables n, c, x0, x1, ... for the elements of a tensor, in its memory's order.
std::vector<std::string> element_variables(size_t rank);
// `i`, a flat index in memory order, as element variables.
std::string element_index(KernelText& kernel, const Type& type, const std::string& flat,
                          const std::vector<std::string>& variables);

}  // namespace tenrec::cuda
