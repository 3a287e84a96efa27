// SPDX-License-Identifier: Apache-2.0
// Where a command's inputs come from: files, pictures, .npz, or seeded random values.
#pragma once
#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "npz.h"
#include "picture.h"
#include "tenrec/tenrec.h"

namespace tenrec {

struct InputFlags {
  std::string inputs_file;
  std::vector<std::string> inputs, input_shapes;
  PictureOptions picture;

  void add_to(CLI::App& command);
  // Builds for exactly the sizes that files and --input-shape give, if no profile was asked for.
  void build_for(BuildOptions& options) const;
  // The inputs that files give.
  NamedTensors read(const Engine& engine) const;
  // The same, completed by random values (complete_inputs).
  NamedTensors read_or_random(const Engine& engine, uint64_t seed) const;

 private:
  std::map<std::string, std::vector<int64_t>> shapes(const Engine& engine) const;
};

// The one of `infos` that is called `name`; a usage Error lists them. `what`: "input" or "output".
const TensorInfo& info_of(const std::vector<TensorInfo>& infos, const std::string& name,
                          const char* what);

}  // namespace tenrec
