// SPDX-License-Identifier: Apache-2.0
// Casts to and from elements of less than a byte, and those to fp8 that do not saturate. A thread
// takes eight elements, so that it owns the bytes it writes.
#include "ops/convert.h"
#include "ops/elementwise.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

constexpr int per_thread = 8;

bool is_packed(DType dtype) { return is_sub_byte(dtype); }
bool is_fp8(DType dtype) { return is_float(dtype) && bit_width(dtype) == 8; }
bool is_known(DType dtype) { return is_supported(dtype) || is_packed(dtype); }

// What an element is computed in.
std::string value_type(DType dtype) {
  if (!is_packed(dtype)) return compute_type(dtype);
  if (is_float(dtype)) return "float";
  return is_signed(dtype) ? "signed char" : "unsigned char";
}

std::string read_text(DType dtype, const std::string& pointer) {
  if (!is_packed(dtype)) return load_text(dtype, pointer + "[i]");
  const int bits = bit_width(dtype), per_byte = 8 / bits;
  const std::string raw =
      fmt::format("(unsigned){}[i / {}] >> i % {} * {}", pointer, per_byte, per_byte, bits);
  if (is_float(dtype)) return fmt::format("load_{}({} & {})", name(dtype), raw, (1 << bits) - 1);
  if (!is_signed(dtype)) return fmt::format("(unsigned char)({} & {})", raw, (1 << bits) - 1);
  return fmt::format("(signed char)((int)(({}) << {}) >> {})", raw, 32 - bits, 32 - bits);
}

std::string to_f8_text(DType to, const Convert* convert) {
  if (!convert) return fmt::format("store_{}((float)x)", name(to));
  const std::string saturate = convert->saturate ? "true" : "false";
  if (to != DType::f8e8m0) return fmt::format("store_{}((float)x, {})", name(to), saturate);
  const int round = convert->round_mode == "up" ? 0 : convert->round_mode == "down" ? 1 : 2;
  return fmt::format("round_f8e8m0<{}>((float)x, {})", round, saturate);
}

// `x`, a value of `from`, as an element of `to` lies in memory; elements of less than a byte in the
// lowest bits.
std::string element_text(DType from, DType to, const Convert* convert) {
  if (is_fp8(to) || to == DType::f4e2m1) return to_f8_text(to, convert);
  if (to == DType::boolean) return "x != 0";
  if (is_float(to)) return store_text(to, fmt::format("({})x", compute_type(to)));
  const std::string type = value_type(to);
  return is_float(from) ? fmt::format("to_integer<{}>(x)", type) : fmt::format("({})x", type);
}

class Packed final : public Kernel {
 public:
  std::string_view name() const override { return "packed"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* convert = node.as<Convert>();
    if (!node.as<Cast>() && !convert) return "no cast";
    const Type &in = node.input(0)->type, &out = node.output()->type;
    if (!has_strides(in) || !has_strides(out) || !(in.layout == out.layout))
      return "the rank is not known, or another layout";
    if (!is_known(in.dtype) || !is_known(out.dtype)) return "elements of another kind";
    if (!convert && !is_packed(in.dtype) && !is_packed(out.dtype)) return "a plain cast";
    if (in.dtype == DType::f64 && out.dtype == DType::f8e8m0) return "rounds twice";
    return "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const DType from = node.input(0)->type.dtype, to = node.output()->type.dtype;
    const Dim count = memory_elements(node.output()->type);
    StepWriter step(draft_of(node, name(), tactic));
    KernelText kernel(step, "packed_cast");
    kernel.reach_all();
    const std::string in = kernel.input(0), out = kernel.output(0), n = kernel.dim(count);
    kernel.body = fmt::format(
        "  const idx first = ((idx)blockIdx.x * {} + threadIdx.x) * {};\n"
        "  unsigned bits = 0;\n"
        "#pragma unroll\n  for (int k = 0; k < {}; ++k) {{\n"
        "    const idx i = first + k;\n    if (i >= {}) break;\n    const {} x = {};\n",
        block_threads, per_thread, per_thread, n, value_type(from), read_text(from, in));
    const std::string element = element_text(from, to, node.as<Convert>());
    if (!is_packed(to)) {
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
    return step.finish();
  }
};

}  // namespace

const Kernel& packed_kernel() {
  static const Packed kernel;
  return kernel;
}

}  // namespace tenrec::cuda
