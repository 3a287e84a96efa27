// SPDX-License-Identifier: Apache-2.0
// What the subcommands of `tenrec` share.
//
// HOW TO ADD A SUBCOMMAND: write tools/foo.cpp with `void add_foo(CLI::App& app)`, declare it here
// and call it in tenrec.cpp.
#pragma once
#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <string>
#include <vector>

#include "npz.h"
#include "tenrec/tenrec.h"

namespace tenrec {

void add_build(CLI::App& app);
void add_run(CLI::App& app);
void add_ops(CLI::App& app);
void add_inspect(CLI::App& app);
void add_check(CLI::App& app);
void add_conformance(CLI::App& app);
void add_bench(CLI::App& app);
void add_doctor(CLI::App& app);
void add_verify(CLI::App& app);

// Options that every command which builds takes.
struct BuildFlags {
  BuildOptions options;
  std::vector<std::string> profiles;  // "x=min:opt:max,y=..."; see profile_help
  std::vector<std::string> shapes;    // "x=1x3x224x224": one fixed shape, all three
  std::vector<std::string> min_shapes, opt_shapes, max_shapes;
  std::vector<std::string> values;   // "ratio=0.25" or "ratio=0.1:0.25:1"
  std::vector<std::string> tactics;  // "node=kernel tactic"
  std::string device;                // numbers of those to run on, or a fingerprint to build for
  bool verbose = false;

  void add_to(CLI::App& command);
  BuildOptions finish() const;  // parses the texts; usage Errors
  // Which devices of the target to run on: 0 unless numbers are given.
  std::vector<int> devices() const;
};

// "1x3x224x224" or "1,3,224,224"; "" and "scalar" are rank 0. A usage Error otherwise.
std::vector<int64_t> parse_dims(const std::string& text);
// "name=text" or "name:text" cut in two; the name may hold colons when '=' is used.
std::pair<std::string, std::string> split_named(const std::string& text);

bool is_onnx(const std::string& path);
// An engine on each of these devices, from an engine file, or built in memory from a model.
std::vector<Engine> load_or_build(const std::string& path, const BuildOptions& options,
                                  const std::vector<int>& devices);
// The same on the one device that the flags name.
Engine load_or_build(const std::string& path, const BuildOptions& options, const BuildFlags& flags);

// Seeded inputs for every input not in `given`: floats in [0, 1), integers 0 or 1, at the profile's
// opt dims (1 where open), overridden by `shapes`; shape inputs are the profile's opt values.
NamedTensors complete_inputs(const Engine& engine, NamedTensors given,
                             const std::map<std::string, std::vector<int64_t>>& shapes,
                             uint64_t seed);

// On a terminal: one line that is rewritten with phase, bar and time left. Else silent.
// Ctrl-C and SIGTERM end the build with a `cancelled` Error as long as it lives; a second one ends
// the process.
class ProgressBar {
 public:
  ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();
  bool operator()(const BuildProgress& progress);
  void finish();
  // What took how long: "import 0.1 s, passes 0.3 s, select: timing 6.1 s". After finish.
  std::string phases() const;

 private:
  void count(const BuildProgress& progress, double now);

  std::vector<std::pair<std::string, double>> phases_;  // seconds of each
  double phase_since_ = 0;
  double started_ = 0;
  double last_ = 0;
  bool shown_ = false;
  std::array<struct sigaction, 2> before_{};
};

}  // namespace tenrec
