// SPDX-License-Identifier: Apache-2.0
// Operator cases of the CUDA target. CI compiles every kernel that accepts one, tactic by tactic,
// with fixed and with symbolic sizes; gpu_check also runs them and compares with the interpreter.
//
// HOW TO ADD ONE: a line in cases.cpp, or in the *_cases.cpp that it belongs to.
#pragma once
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "build/lower.h"
#include "ir/graph.h"
#include "plan/engine_file.h"
#include "targets/target.h"

namespace tenrec::test {

struct CudaCase {
  std::string name;
  Op op;
  Tensors inputs;                // undefined: omitted
  std::set<size_t> constants{};  // inputs that are constants of the graph
  // Relative to the largest output; -1: from the operator's accuracy.
  double tolerance = -1;
  bool channels_last = false;  // how 4-D inputs that are no constants and the output lie
  // Builds more than one node, which go the target's whole way; `op` stands for the tolerance.
  std::function<Value*(Graph&, const Values&)> grow{};
};
const std::vector<CudaCase>& cuda_cases();

// A case planned with one kernel and tactic.
struct Variant {
  std::string text;  // "softmax f32[2, 5]: normalise group=32, symbolic"
  const CudaCase* source = nullptr;
  plan::Plan plan;
  plan::WeightStore weights;
  plan::CodeStore code;
  Data inputs;  // of the plan
};
// With every kernel but the reference code that accepts it. `accepted` is what accepts fixed sizes.
std::vector<std::unique_ptr<Variant>> variants(const CudaCase& c, const DeviceInfo& device);

Tensors oracle(const CudaCase& c);
// "" or how far off the result is.
std::string difference(const CudaCase& c, const Tensor& got, const Tensor& expected);

DeviceInfo cuda_info(int capability);

}  // namespace tenrec::test
