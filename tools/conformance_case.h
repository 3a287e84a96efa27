// SPDX-License-Identifier: Apache-2.0
// One ONNX test case: a folder with model.onnx and test_data_set_*/{input,output}_K.pb.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace tenrec {

struct CaseResult {
  // error: importing, building or running threw; type: element types, shapes or kinds differ;
  // values: only numbers do. crash and timeout are what the process that ran it died of.
  enum class Outcome { passed, error, type, values, crash, timeout };
  Outcome outcome = Outcome::passed;
  std::string message;
  // What ran on the host though the engine is another device's; each operator once.
  std::vector<std::string> host_operators{};
};

std::string_view name(CaseResult::Outcome outcome);

// Floats may differ by absolute + relative * |expected|; the defaults are onnx.backend.test's, and
// so is a relative 2^-6 at least for bfloat16.
struct Tolerance {
  double relative = 1e-3, absolute = 1e-7;
};

// `target` is "interpreter" or a target's name. Throws nothing that an operator or a model may
// cause.
CaseResult run_case(const std::filesystem::path& folder, const std::string& target,
                    const Tolerance& tolerance);

}  // namespace tenrec
