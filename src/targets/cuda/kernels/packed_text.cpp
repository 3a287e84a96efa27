// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/packed_text.h"

#include "targets/cuda/emit.h"

namespace tenrec::cuda {
namespace {

constexpr int per_thread = 8;

}  // namespace

bool is_fp8(DType dtype) { return is_float(dtype) && bit_width(dtype) == 8; }
bool is_packable(DType dtype) { return is_supported(dtype) || is_sub_byte(dtype); }

std::string value_type(DType dtype) {
  if (!is_sub_byte(dtype)) return compute_type(dtype);
  if (is_float(dtype)) return "float";
  return is_signed(dtype) ? "signed char" : "unsigned char";
}

std::string read_element(DType dtype, const std::string& pointer, const std::string& index) {
  if (!is_sub_byte(dtype)) return load_text(dtype, fmt::format("{}[{}]", pointer, index));
  const int bits = bit_width(dtype), per_byte = 8 / bits;
  const std::string raw = fmt::format("(unsigned){0}[({1}) / {2}] >> ({1}) % {2} * {3}", pointer,
                                      index, per_byte, bits);
  if (is_float(dtype)) return fmt::format("load_{}({} & {})", name(dtype), raw, (1 << bits) - 1);
  if (!is_signed(dtype)) return fmt::format("(unsigned char)({} & {})", raw, (1 << bits) - 1);
  return fmt::format("(signed char)((int)(({}) << {}) >> {})", raw, 32 - bits, 32 - bits);
}

std::string element_text(DType from, DType to, const std::string& x, bool saturate) {
  if (is_fp8(to) || to == DType::f4e2m1)
    return fmt::format("store_{}((float){}{})", name(to), x, saturate ? "" : ", false");
  if (to == DType::boolean) return x + " != 0";
  if (is_float(to)) return store_text(to, fmt::format("({}){}", compute_type(to), x));
  const std::string type = value_type(to);
  return is_float(from) ? fmt::format("to_integer<{}>({})", type, x)
                        : fmt::format("({}){}", type, x);
}

void launch_by_eights(StepWriter& step, KernelText& kernel, const Dim& count, DType to,
                      const std::string& statements, const std::string& element) {
  const std::string out = kernel.output(0), n = kernel.dim(count);
  kernel.body += fmt::format(
      "  const idx first = ((idx)blockIdx.x * {} + threadIdx.x) * {};\n"
      "  unsigned bits = 0;\n"
      "#pragma unroll\n  for (int k = 0; k < {}; ++k) {{\n"
      "    const idx i = first + k;\n    if (i >= {}) break;\n{}",
      block_threads, per_thread, per_thread, n, statements);
  if (!is_sub_byte(to)) {
    kernel.body += fmt::format("    {}[i] = {};\n  }}\n", out, element);
  } else {
    const int bits = bit_width(to);
    kernel.body += fmt::format(
        "    bits |= ((unsigned){} & {}) << k * {};\n  }}\n"
        "  for (int b = 0; b < {}; ++b)\n"
        "    if (first + b * {} < {}) {}[first / {} + b] = bits >> b * 8;\n",
        element, (1 << bits) - 1, bits, bits, 8 / bits, n, out, 8 / bits);
  }
  step.launch(kernel, ceildiv(count, Dim(block_threads * per_thread)), block_threads);
}

}  // namespace tenrec::cuda
