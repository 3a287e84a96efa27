// SPDX-License-Identifier: Apache-2.0
// Tiny ONNX models that use every part of the format, what mutations begin with; and a broken one.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace tenrec::test {

std::vector<std::pair<std::string, std::string>> onnx_samples();  // name and bytes

std::string ten_problems();  // a model with as many, each of a kind of its own, one a node

}  // namespace tenrec::test
