// SPDX-License-Identifier: Apache-2.0
// What a target brings to the compiler. Nothing in the core names a target or a kernel: both stand
// in one list each (target.cpp, kernels/list.cpp); being listed means being tested against the
// oracle, timed and explained.
//
// HOW TO ADD A KERNEL (CPU): loops and their StepRunner in targets/cpu/run/foo.{h,cpp}, listed in
// targets/cpu/run/families.cpp; a Kernel in targets/cpu/kernels/foo.cpp, listed in
// targets/cpu/kernels/list.cpp. `check` says which nodes it can run, or why not; `tactics` offers
// parameter choices as text ("tile=6x2 band=96"), best guess first; `compile` turns a node and a
// tactic into a step. Then every operator case in tests/cases also runs through it, tactic by
// tactic.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"

namespace tenrec {

class TimingCache;

// What selection may depend on; part of every tuning key.
struct DeviceInfo {
  std::string target;         // "cpu"
  std::string fingerprint;    // "cpu avx2 fma": what the engine needs to find again
  int vector_floats = 8;      // CPU: floats a register
  int64_t channel_block = 8;  // CPU: inner block of the blocked layout
  int threads = 1;
  uint64_t cache_l1 = 32 << 10, cache_l2 = 512 << 10, cache_l3 = 8 << 20;  // bytes
  bool narrow_types = false;   // has kernels for float16 and bfloat16
  bool has_tf32 = false;       // has products that may round their operands to tf32
  bool tf32 = false;           // float32 products may round their operands to tf32
  bool vendor = true;          // vendor libraries may be used
  int64_t view_alignment = 1;  // bytes: what kernels ask of the address of a part of a tensor
};

// Sizes of a node's tensors at the profile's opt point, by input and output index.
struct Sizes {
  std::vector<Dims> inputs, outputs;
};

// "" accepts; anything else is the reason why not: "kernel is 3-D", "K=37 is not a multiple of 8".
using Reject = std::string;

// One argument of a step: a value of the graph, a weight made by the kernel (packed), or nothing.
struct StepArg {
  Value* value = nullptr;
  Tensor weight;
};

// What a node cannot do without, at the profile's opt point.
struct Work {
  double flops = 0;
  double bytes = 0;
};

// A step before buffers and slots are assigned.
struct StepDraft {
  std::string family;  // StepRunner to create; the kernel's name unless it says otherwise
  std::string tactic;
  std::string op;  // with op_fields: the operator, for families that read it
  std::string op_fields;
  std::string params;  // the family's own parameter struct, in wire format
  std::vector<StepArg> inputs;
  Values outputs;                        // null: not wanted
  Dim scratch = 0;                       // bytes
  std::vector<Node*> absorbed;           // other nodes this step also stands for
  std::vector<Dim> sizes;                // numbers that the family wants when it runs
  std::vector<plan::KernelSource> code;  // generated device code; params count in this list
  // output 0 may be written over input k (same size and layout, elementwise order); -1: no.
  int in_place = -1;
  Work work = {};  // filled in by selection
};

// The draft's step, still without a node's names, arguments and sizes.
plan::Step step_of(const StepDraft& draft);

class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual std::string_view name() const = 0;
  virtual bool vendor() const { return false; }
  // The operator's reference code: there so that everything runs, never against a real kernel.
  virtual bool is_reference() const { return false; }
  // What the host works at every new size, in microseconds, where that is longer than a launch: the
  // least that a step of free sizes takes.
  virtual double new_size_us() const { return 0; }
  // Runs on the host though the target's memory is not there: said in the notes, refused by
  // no_fallback.
  virtual bool on_host() const { return false; }
  virtual Reject check(const Node& node, const DeviceInfo& device) const = 0;
  virtual std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                           const Sizes& opt) const {
    (void)node, (void)device, (void)opt;
    return {""};
  }
  // Is it, by what its work costs, probably the fastest of all that accept the node? Then it comes
  // first where nothing is timed.
  virtual bool is_likely_fastest(const Node& node, const DeviceInfo& device,
                                 const Sizes& opt) const {
    (void)node, (void)device, (void)opt;
    return false;
  }
  virtual StepDraft compile(const Node& node, const std::string& tactic,
                            const DeviceInfo& device) const = 0;
};

// A draft with the node's operator, fields, inputs and outputs filled in.
StepDraft draft_of(const Node& node, std::string_view family, std::string tactic = {});

// Does one of the kernels, other than the reference code, run the node on this device?
bool has_real_kernel(const Node& node, std::span<const Kernel* const> kernels,
                     const DeviceInfo& device);

class Target {
 public:
  virtual ~Target() = default;
  virtual std::string_view name() const = 0;
  // Of this machine (empty fingerprint) or of a named one.
  virtual DeviceInfo device_info(const std::string& fingerprint, int threads) const = 0;
  virtual std::span<const Kernel* const> kernels() const = 0;
  // Layout and target-specific rewrites on the bound graph.
  virtual void prepare_graph(Graph& graph, const DeviceInfo& device) const = 0;
  // Device code for the generated texts, one image each, in order. A text that does not compile is
  // an Error; with `failures` its reason there ("" for the others) and an empty image. Images that
  // `cache` remembers are not compiled again, others go into it.
  virtual std::vector<plan::KernelImage> compile(std::span<const plan::KernelSource> sources,
                                                 const DeviceInfo& device,
                                                 std::vector<std::string>* failures = nullptr,
                                                 TimingCache* cache = nullptr) const;
  // What a user of this machine should know: libraries that are missing, say.
  virtual std::vector<std::string> notes(const DeviceInfo& device) const {
    (void)device;
    return {};
  }
};

const Target& find_target(std::string_view name);  // a usage Error lists what there is

}  // namespace tenrec
