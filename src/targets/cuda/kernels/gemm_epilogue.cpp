// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/gemm_epilogue.h"

namespace tenrec::cuda {
namespace {

class Matcher {
 public:
  explicit Matcher(const ExprProgram& program) : program_(program) {}

  bool match(SimpleEpilogue& result) {
    int32_t at = program_.outputs[0];
    if (const int32_t inner = behind_relu(at); inner >= 0) {
      result.relu = true;
      at = inner;
    }
    if (!add_up(at)) return false;
    result.bias = bias_;
    result.residual = residual_;
    return found_;
  }

  int64_t channels = 0;

 private:
  const ExprNode& node(int32_t i) const { return program_.nodes[static_cast<size_t>(i)]; }
  bool is_zero(int32_t i) const { return node(i).fn == Fn::constant && node(i).value == 0; }

  int32_t behind_relu(int32_t i) const {
    const ExprNode& top = node(i);
    if (top.fn != Fn::max) return -1;
    return is_zero(top.b) ? top.a : is_zero(top.a) ? top.b : -1;
  }

  // Each input at most once in a tree of additions; casts between float types change nothing.
  bool add_up(int32_t i) {
    const ExprNode& each = node(i);
    if (each.fn == Fn::add) return add_up(each.a) && add_up(each.b);
    if (each.fn == Fn::cast && is_float(each.dtype) && is_float(node(each.a).dtype))
      return add_up(each.a);
    if (each.fn != Fn::input) return false;
    bool& seen = each.input == 0 ? found_ : each.input <= channels ? bias_ : residual_;
    if (seen) return false;
    return seen = true;
  }

  const ExprProgram& program_;
  bool found_ = false, bias_ = false, residual_ = false;
};

}  // namespace

std::optional<SimpleEpilogue> simple_epilogue(const GemmParams& params) {
  SimpleEpilogue result;
  if (params.epilogue.nodes.empty()) return result;
  if (params.channel_operands > 1 || params.full_operands > 1) return std::nullopt;
  Matcher matcher(params.epilogue);
  matcher.channels = params.channel_operands;
  if (!matcher.match(result)) return std::nullopt;
  if (result.bias != (params.channel_operands == 1) ||
      result.residual != (params.full_operands == 1))
    return std::nullopt;
  return result;
}

}  // namespace tenrec::cuda
