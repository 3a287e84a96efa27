// SPDX-License-Identifier: Apache-2.0
// The family "kernels": generated kernels launched one after the other with addresses and sizes as
// arguments. All numbers are sizes of the step (plan::Step::sizes), so nothing is worked out here.
#pragma once
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/fields.h"

namespace tenrec::cuda {

// Numbers are permanent (engine files hold them).
enum class ArgumentKind : uint8_t {
  input = 0,    // address of input `index`
  output = 1,   // address of output `index`
  scratch = 2,  // address in the scratch, size `index` bytes in (-1: at its start)
  size32 = 3,   // size `index` as int
  size64 = 4,   // size `index` as long long
};

struct Argument {
  ArgumentKind kind = ArgumentKind::input;
  int32_t index = 0;
  static auto fields(auto& s) {
    return std::tuple{field(1, "kind", s.kind), field(2, "index", s.index)};
  }
};

struct Launch {
  int32_t code = 0;  // in Step::code
  std::string entry;
  std::vector<Argument> arguments;
  int32_t grid_x = 0, grid_y = -1, grid_z = -1;  // sizes; -1: 1. None launched where one is 0
  int32_t threads = 0;                           // a block
  int32_t shared = 0;                            // dynamic shared memory, bytes
  static auto fields(auto& s) {
    return std::tuple{field(1, "code", s.code),           field(2, "entry", s.entry),
                      field(3, "arguments", s.arguments), field(4, "grid_x", s.grid_x),
                      field(5, "grid_y", s.grid_y),       field(6, "grid_z", s.grid_z),
                      field(7, "threads", s.threads),     field(8, "shared", s.shared)};
  }
};

// After launch `after` the true dims of output `output` are known. dims[k] >= 0: that size; below:
// the (-1 - dims[k])-th long long of the scratch, which the launches have written.
struct SizeRead {
  int32_t after = 0;
  int32_t output = 0;
  std::vector<int32_t> dims;
  static auto fields(auto& s) {
    return std::tuple{field(1, "after", s.after), field(2, "output", s.output),
                      field(3, "dims", s.dims)};
  }
};

struct KernelParams {
  std::vector<Launch> launches;
  std::vector<SizeRead> resizes;
  static auto fields(auto& s) {
    return std::tuple{field(1, "launches", s.launches), field(2, "resizes", s.resizes)};
  }
};

}  // namespace tenrec::cuda
