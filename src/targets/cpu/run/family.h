// SPDX-License-Identifier: Apache-2.0
// The CPU's kernel families, run side. A family turns a validated Step into a StepRunner;
// families.cpp lists them all, one line each.
#pragma once
#include <memory>
#include <string_view>

#include "plan/plan.h"
#include "runtime/device.h"
#include "targets/common/run/step_op.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

// What a runner may use while it runs; lives as long as the device.
struct RunEnvironment {
  Threads& threads;
  Isa isa = Isa::baseline;
};

using PrepareFamily = std::unique_ptr<StepRunner> (*)(const plan::Plan& plan,
                                                      const plan::Step& step,
                                                      RunEnvironment& environment);
// What a family's loops can walk through.
enum class Loops : uint8_t {
  plain,       // row-major tensors of whole bytes an element
  any_layout,  // these in blocked and channels-last order, too; what fits together it checks itself
  reference,   // any value there is
};
struct Family {
  std::string_view name;
  PrepareFamily prepare;
  Loops loops = Loops::plain;
  bool by_operator = true;    // its inputs and outputs are those of the step's operator
  bool may_omit = false;      // output 0 need not be wanted
  bool learns_sizes = false;  // may set sizes by running (decides_sizes)
  bool copies_bytes = false;  // operators that are views: whatever the bytes are elements of
};

// Null when this build has no such family.
const Family* find_family(std::string_view name);

}  // namespace tenrec::cpu
