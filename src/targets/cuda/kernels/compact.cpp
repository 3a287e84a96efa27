// SPDX-License-Identifier: Apache-2.0
// What is kept of a list, however much only running tells: NonZero and Compress.
#include "ops/compress.h"
#include "ops/non_zero.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/hits_text.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

void write_non_zero(const Node& node, StepWriter& step) {
  const Type& in = node.input(0)->type;
  Hits::reserve_totals(step);
  Hits hits(step, "non_zero", product(in.shape), [&](KernelText& kernel) {
    return fmt::format("  const bool hit = inside && {} != 0;\n",
                       load_text(in.dtype, kernel.input(0) + "[i]"));
  });
  hits.count();
  step.resize(0, {Dim(in.rank()), Dim(0)}, {-1, 0});

  KernelText writing(step, "non_zero_write");
  writing.reach_all();
  writing.body = hits.number(writing);
  writing.body +=
      fmt::format("  const long long total = {}[0];\n  if (!hit) return;\n", Hits::totals(writing));
  const std::vector<std::string> variables = element_variables(in.shape.size());
  writing.body += element_index(writing, in, "i", variables);
  for (size_t axis = 0; axis < variables.size(); ++axis)
    writing.body +=
        fmt::format("  {}[{} * total + at] = {};\n", writing.output(0), axis, variables[axis]);
  hits.launch(writing);
}

void write_compress(const Node& node, const Compress& op, StepWriter& step) {
  Type in = node.input(0)->type;
  if (!op.axis) in.shape = {product(in.shape)};
  const Lines lines = lines_of(in, op.axis.value_or(0));
  const Dim entries = min(product(node.input(1)->type.shape), lines.size);
  Hits::reserve_totals(step);
  Hits hits(step, "compress", entries, [](KernelText& kernel) {
    return fmt::format("  const bool hit = inside && {}[i] != 0;\n", kernel.input(1));
  });
  const Dim numbers = step.add_scratch(entries * 8);
  hits.count();
  std::vector<Dim> dims(in.shape.begin(), in.shape.end());
  std::vector<int> counts(dims.size(), -1);
  counts[static_cast<size_t>(normalise_axis(op.axis.value_or(0), in.rank()))] = 0;
  step.resize(0, dims, counts);

  KernelText numbering(step, "compress_number");
  numbering.reach_all();
  numbering.body = hits.number(numbering);
  numbering.body += fmt::format("  if (i < {}) {}[i] = hit ? at : -1;\n", numbering.dim(entries),
                                numbering.scratch(numbers, "long long"));
  hits.launch(numbering);

  KernelText writing(step, "compress_write");
  writing.reach_all();
  const Dim count = lines.outer * entries * lines.inner;
  writing.body = writing.flat_index(count);
  writing.body += writing.unflatten("i", {lines.outer, entries, lines.inner}, {"o", "e", "x"});
  writing.body += fmt::format(
      "  const idx to = {0}[e], total = {1}[0];\n"
      "  if (to >= 0) {2}[(o * total + to) * {3} + x] = {4}[(o * {5} + e) * {3} + x];\n",
      writing.scratch(numbers, "long long"), Hits::totals(writing), writing.output(0),
      writing.dim(lines.inner), writing.input(0), writing.dim(lines.size));
  step.launch_flat(writing, count);
}

class Compact : public Kernel {
 public:
  std::string_view name() const override { return "compact"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<NonZero>() && !node.as<Compress>()) return "keeps everything";
    std::string problem = elements_problem(node.inputs());
    if (!problem.empty()) return problem;
    return node.output()->type.is_static() ? "its result is known" : "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepWriter step(draft_of(node, name(), tactic));
    if (node.as<NonZero>()) write_non_zero(node, step);
    if (const auto* op = node.as<Compress>()) write_compress(node, *op, step);
    return step.finish();
  }
};

}  // namespace

const Kernel& compact_kernel() {
  static const Compact kernel;
  return kernel;
}

}  // namespace tenrec::cuda
