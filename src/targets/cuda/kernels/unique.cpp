// SPDX-License-Identifier: Apache-2.0
// Unique: entries (elements, or parts along an axis) are put in order, so that equal ones are
// neighbours; the first of each run stands for it. How many there are is read back before the
// outputs are written.
#include "ops/unique.h"

#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/hits_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

class Writer {
 public:
  Writer(const Node& node, const Unique& op, StepWriter& step)
      : op_(op), step_(step), type_(node.input(0)->type) {
    Hits::reserve_totals(step);
    Type in = type_;
    if (!op.axis) in.shape = {product(in.shape)};
    shape_ = in.shape;
    axis_ = static_cast<size_t>(normalise_axis(op.axis.value_or(0), in.rank()));
    lines_ = lines_of(in, op.axis.value_or(0));
    for (Dim* list : {&order_, &other_order_, &codes_, &turns_}) *list = list_of(lines_.size);
    starts_ = list_of(lines_.size + 1);
  }

  void write() {
    sort();
    group();
    if (!op_.sorted) order_groups();
    const auto& outputs = step_.draft().outputs;
    if (outputs[1] || outputs[2] || outputs[3]) write_lists();
    if (outputs[0]) write_entries();
  }

 private:
  Dim list_of(const Dim& count) { return step_.add_scratch(count * 8); }

  // A kernel that can `compare` entries.
  KernelText comparing(const std::string& name) {
    KernelText kernel(step_, name);
    kernel.reach_all();
    kernel.functions = "#include \"order.cuh\"\n#include \"merge.cuh\"\n";
    return kernel;
  }
  std::string compare_function(KernelText& kernel) const {
    const auto element = [&](const std::string& entry) {
      return load_text(type_.dtype,
                       fmt::format("{}[(o * {} + {}) * {} + x]", kernel.input(0),
                                   kernel.dim(lines_.size), entry, kernel.dim(lines_.inner)));
    };
    return fmt::format(
        "  const auto compare = [&](idx a, idx b) {{\n"
        "    for (idx o = 0; o < {0}; ++o)\n      for (idx x = 0; x < {1}; ++x) {{\n"
        "        const {2} p = {3}, q = {4};\n"
        "        if (greater(q, p)) return -1;\n        if (greater(p, q)) return 1;\n      }}\n"
        "    return 0;\n  }};\n",
        kernel.dim(lines_.outer), kernel.dim(lines_.inner), compute_type(type_.dtype), element("a"),
        element("b"));
  }

  void sort() {
    KernelText first = comparing("unique_blocks");
    first.body = first.flat_index(lines_.size) + compare_function(first);
    first.body += fmt::format("  {}[place_by_counting(i, {}, compare)] = i;\n",
                              first.scratch(order_, "idx"), first.dim(lines_.size));
    step_.launch_flat(first, lines_.size);
    // Without a bound sizes are of 32 bits, which the runtime checks.
    const int64_t upper = lines_.size.upper();
    const int64_t most = upper == Dim::unbounded ? INT32_MAX : upper;
    for (int64_t run = block_threads; run < most; run *= 16) {
      KernelText merging = comparing(fmt::format("unique_merge{}", run));
      merging.body = merging.flat_index(lines_.size) + compare_function(merging);
      merging.body +=
          fmt::format("  {}[place_by_merging<{}>({}, i, {}, compare)] = {}[i];\n",
                      merging.scratch(other_order_, "idx"), run, merging.scratch(order_, "idx"),
                      merging.dim(lines_.size), merging.scratch(order_, "idx"));
      step_.launch_flat(merging, lines_.size);
      std::swap(order_, other_order_);
    }
  }

  // Runs of equal entries: codes[entry] is its run's number, or -1 - that if it is not the first;
  // starts[run] where the run starts.
  void group() {
    Hits heads(step_, "unique", lines_.size, [&](KernelText& kernel) {
      kernel.functions = "#include \"order.cuh\"\n";
      return compare_function(kernel) +
             fmt::format(
                 "  const bool hit = inside && (i == 0 || compare({0}[i - 1], {0}[i]) != 0);\n",
                 kernel.scratch(order_, "idx"));
    });
    heads.count();
    resize();
    KernelText kernel(step_, "unique_runs");
    kernel.reach_all();
    kernel.body = heads.number(kernel);
    kernel.body += fmt::format(
        "  if (i >= {0}) return;\n  const idx run = hit ? at : at - 1;\n"
        "  if (hit) {1}[run] = i;\n  if (i == {0} - 1) {1}[run + 1] = {0};\n"
        "  {2}[{3}[i]] = hit ? run : -1 - run;\n",
        kernel.dim(lines_.size), kernel.scratch(starts_, "idx"), kernel.scratch(codes_, "idx"),
        kernel.scratch(order_, "idx"));
    heads.launch(kernel);
  }

  void resize() {
    for (size_t k = 0; k < step_.draft().outputs.size(); ++k) {
      const Value* output = step_.draft().outputs[k];
      if (!output || output->type.is_static() || k == 2) continue;
      std::vector<Dim> dims{Dim(0)};
      std::vector<int> counts{0};
      if (k == 0) {
        dims.assign(shape_.begin(), shape_.end());
        counts.assign(dims.size(), -1);
        counts[axis_] = 0;
      }
      step_.resize(k, dims, counts);
    }
  }

  // turns[run]: its number by first appearance.
  void order_groups() {
    Hits seen(
        step_, "unique_seen", lines_.size,
        [&](KernelText& kernel) {
          return fmt::format("  const bool hit = inside && {}[i] >= 0;\n",
                             kernel.scratch(codes_, "idx"));
        },
        1);
    seen.count();
    KernelText kernel(step_, "unique_turns");
    kernel.reach_all();
    kernel.body = seen.number(kernel);
    kernel.body += fmt::format("  if (hit) {}[{}[i]] = at;\n", kernel.scratch(turns_, "idx"),
                               kernel.scratch(codes_, "idx"));
    seen.launch(kernel);
  }

  // `head`, and `run` and `turn` (its number in the outputs) of entry `entry`.
  std::string code_text(KernelText& kernel, const std::string& entry) const {
    return fmt::format(
        "  const idx code = {}[{}], run = code < 0 ? -1 - code : code;\n"
        "  const bool head = code >= 0;\n  const idx turn = {};\n",
        kernel.scratch(codes_, "idx"), entry,
        op_.sorted ? "run" : kernel.scratch(turns_, "idx") + "[run]");
  }

  void write_lists() {
    KernelText kernel(step_, "unique_lists");
    kernel.reach_all();
    const auto& outputs = step_.draft().outputs;
    kernel.body = kernel.flat_index(lines_.size) + code_text(kernel, "i");
    if (outputs[2]) kernel.body += fmt::format("  {}[i] = turn;\n", kernel.output(2));
    if (outputs[1]) kernel.body += fmt::format("  if (head) {}[turn] = i;\n", kernel.output(1));
    if (outputs[3])
      kernel.body += fmt::format("  if (head) {0}[turn] = {1}[run + 1] - {1}[run];\n",
                                 kernel.output(3), kernel.scratch(starts_, "idx"));
    step_.launch_flat(kernel, lines_.size);
  }

  void write_entries() {
    KernelText kernel(step_, "unique_write");
    kernel.reach_all();
    const Dim count = product(shape_);
    kernel.body = kernel.flat_index(count);
    kernel.body +=
        kernel.unflatten("i", {lines_.outer, lines_.size, lines_.inner}, {"o", "e", "x"});
    kernel.body += code_text(kernel, "e");
    kernel.body += fmt::format(
        "  const idx total = {}[0];\n  if (head) {}[(o * total + turn) * {} + x] = {}[i];\n",
        Hits::totals(kernel), kernel.output(0), kernel.dim(lines_.inner), kernel.input(0));
    step_.launch_flat(kernel, count);
  }

  const Unique& op_;
  StepWriter& step_;
  const Type& type_;
  Shape shape_;  // of the input, flat without an axis
  size_t axis_ = 0;
  Lines lines_;  // entries along `axis_`
  Dim order_, other_order_, codes_, turns_, starts_;
};

class UniqueKernel : public Kernel {
 public:
  std::string_view name() const override { return "unique"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<Unique>()) return "no Unique";
    return elements_problem(node.input(0)->type);
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    draft.outputs.resize(4);
    StepWriter step(std::move(draft));
    Writer(node, *node.as<Unique>(), step).write();
    return step.finish();
  }
};

}  // namespace

const Kernel& unique_kernel() {
  static const UniqueKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
