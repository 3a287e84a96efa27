// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {

std::vector<WindowDims> window_dims(const Window& window, const Shape& in, const Shape& out,
                                    const Shape& kernel) {
  std::vector<WindowDims> axes;
  const size_t rank = kernel.size();
  for (size_t i = 0; i < rank; ++i) {
    WindowDims axis{.in = in[i + 2],
                    .out = out[i + 2],
                    .kernel = kernel[i],
                    .pad_begin = 0,
                    .pad_end = 0,
                    .stride = window.stride(i),
                    .dilation = window.dilation(i)};
    if (window.auto_pad == AutoPad::same_upper || window.auto_pad == AutoPad::same_lower) {
      const Dim extent = (kernel[i] - 1) * axis.dilation + 1;
      const Dim total = max((axis.out - 1) * axis.stride + extent - axis.in, Dim(0));
      const Dim half = floordiv(total, Dim(2));
      const bool upper = window.auto_pad == AutoPad::same_upper;
      axis.pad_begin = upper ? half : total - half;
      axis.pad_end = upper ? total - half : half;
    } else if (!window.pads.empty()) {
      axis.pad_begin = window.pads[i];
      axis.pad_end = window.pads[rank + i];
    }
    axes.push_back(std::move(axis));
  }
  return axes;
}

std::vector<std::string> element_variables(size_t rank) {
  std::vector<std::string> variables{"n", "c"};
  for (size_t i = 2; i < rank; ++i) variables.push_back(fmt::format("x{}", i - 2));
  variables.resize(rank);
  return variables;
}

std::string element_index(KernelText& kernel, const Type& type, const std::string& flat,
                          const std::vector<std::string>& variables) {
  Shape sizes;
  std::vector<std::string> ordered;
  for (const size_t axis : memory_order(type)) {
    sizes.push_back(type.shape[axis]);
    ordered.push_back(variables[axis]);
  }
  if (sizes.empty()) return "";
  return kernel.unflatten(flat, sizes, ordered);
}

}  // namespace tenrec::cuda
