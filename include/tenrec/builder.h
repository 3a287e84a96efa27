// SPDX-License-Identifier: Apache-2.0
// Compile an ONNX model into an engine:
//
//   tenrec::BuildResult result = tenrec::build("model.onnx");
//   result.save("model.tenrec");                  // and/or: tenrec::Engine engine = result.load();
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tenrec/engine.h"
#include "tenrec/export.h"

namespace tenrec {

struct DimsRange {
  std::vector<int64_t> min, opt, max;  // one entry a dim; max -1: no bound
};
struct ValueRange {
  std::vector<double> min, opt, max;  // one entry an element of a shape input
};
// What one plan of the engine is made for. Inputs not named stay open: any size runs.
struct ProfileOptions {
  std::map<std::string, DimsRange> dims{};
  std::map<std::string, ValueRange> values{};
};

struct BuildProgress {
  std::string_view phase;      // "import", "passes", "select", "write", ...
  std::string_view detail;     // what is being worked on
  size_t done = 0, total = 0;  // of this phase
};

// Every field has a default, so that designated initialisers may leave any of them out.
struct BuildOptions {
  std::string target = "cpu";              // or several: "cuda:sm_90,cpu", best first; see Engine
  std::string device{};                    // a fingerprint to build for; empty: this machine
  int threads = 0;                         // of the build and of timing; 0: as many as allowed
  std::vector<ProfileOptions> profiles{};  // none: one open profile
  DType precision = DType::f32;            // f16, bf16: compute a float32 model in these
  bool tf32 = false;                       // float32 products may round their operands to tf32
  bool no_vendor = false;                  // only Tenrec's own kernels
  bool no_tune = false;                    // take each kernel's first tactic, time nothing
  double tune_budget = 0;                  // seconds of tuning, then first tactics; 0: no end
  std::string timing_cache{};              // file read and updated; empty: none
  bool no_compilation_cache = false;       // no device code in the timing cache
  bool no_fallback = false;                // no step on the host where the target is another device
  uint64_t seed = 0;
  bool lean = false;         // leave the graph and its original weights out
  std::string stop_after{};  // "import", a pass, "bind", "select": BuildResult::text
  std::vector<std::string> skip_passes{};
  std::map<std::string, std::string> tactics{};          // node name -> tactic text to pin
  uint64_t memory_limit = 0;                             // bytes, 0: none
  bool keep_explain = false;                             // fill BuildResult::explain
  std::function<bool(const BuildProgress&)> progress{};  // false: stop with a `cancelled` Error
};

struct BuildResult {
  std::shared_ptr<const std::vector<std::byte>> bytes;  // null when `stop_after` stopped the build
  std::vector<std::string> notes;     // for people: precision kept wide, fall-backs, ...
  std::vector<std::string> warnings;  // what the model says and no operator heeds, node by node
  std::string explain;                // every candidate, reject reason, time and winner
  std::string text;                   // with stop_after: the graph as text

  TENREC_API void save(const std::string& path) const;  // written whole or not at all
  TENREC_API Engine load(const LoadOptions& options = {}) const;
};

TENREC_API BuildResult build(const std::string& model_path, const BuildOptions& options = {});
// `folder` is where external data of the model lies.
TENREC_API BuildResult build(std::span<const std::byte> model, const BuildOptions& options = {},
                             const std::string& folder = {});

}  // namespace tenrec
