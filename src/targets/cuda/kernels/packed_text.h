// SPDX-License-Identifier: Apache-2.0
// Elements of any numeric type, also of less than a byte: a thread takes eight, so that it owns the
// bytes it writes.
#pragma once
#include "targets/cuda/kernel_text.h"

namespace tenrec::cuda {

bool is_fp8(DType dtype);
// Whether packed kernels can read and write elements of this type.
bool is_packable(DType dtype);
// What an element is computed in.
std::string value_type(DType dtype);
// Element `index` as a value.
std::string read_element(DType dtype, const std::string& pointer, const std::string& index);
// `x`, a value of `from`, as an element of `to` lies in memory; elements of less than a byte in the
// lowest bits.
std::string element_text(DType from, DType to, const std::string& x, bool saturate = true);

// Launches one thread for eight of the `count` elements of the step's output 0. `statements` follow
// the declaration of `i`, the element's number in memory; `element` is what is stored.
void launch_by_eights(StepWriter& step, KernelText& kernel, const Dim& count, DType to,
                      const std::string& statements, const std::string& element);

}  // namespace tenrec::cuda
