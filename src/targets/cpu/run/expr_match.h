// SPDX-License-Identifier: Apache-2.0
// What recognises patterns in an expression's program.
#pragma once
#include <array>
#include <optional>
#include <utility>

#include "ir/expr.h"

namespace tenrec::cpu {

class ExprMatcher {
 public:
  // The program must outlive it.
  explicit ExprMatcher(const ExprProgram& program) : program_(program) {}
  const ExprNode& at(int32_t i) const { return program_.nodes[static_cast<size_t>(i)]; }
  bool is_input(int32_t i, int32_t input) const {
    return at(i).fn == Fn::input && at(i).input == input;
  }
  // What node i is where it is fn(x, number), in either order.
  struct WithNumber {
    int32_t x;
    double number;
  };
  std::optional<WithNumber> with_number(int32_t i, Fn fn) const {
    if (at(i).fn != fn) return std::nullopt;
    for (const auto& [x, other] : operands(i))
      if (at(other).fn == Fn::constant) return WithNumber{x, at(other).value};
    return std::nullopt;
  }
  // Both orders of a node's two operands.
  std::array<std::pair<int32_t, int32_t>, 2> operands(int32_t i) const {
    return {std::pair(at(i).a, at(i).b), std::pair(at(i).b, at(i).a)};
  }

 private:
  const ExprProgram& program_;
};

}  // namespace tenrec::cpu
