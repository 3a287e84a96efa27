// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression: a block a class of a sample picks the best box that is left and drops those
// that overlap it, until none is left or enough are picked.
#include "ops/non_max_suppression.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

bool given(const Value* value) {
  return value && !(value->type.ranked && value->type.shape == Shape{Dim(0)});
}

class Suppress : public Kernel {
 public:
  std::string_view name() const override { return "suppress"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<NonMaxSuppression>()) return "no NonMaxSuppression";
    for (const Value* value : node.inputs()) {
      std::string problem = value ? plain_problem(value->type) : "";
      if (!problem.empty()) return problem;
    }
    return node.output()->type.shape[0].is_const() ? "its result is known" : "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const auto& op = *node.as<NonMaxSuppression>();
    const Shape& scores = node.input(1)->type.shape;
    const Dim lines = scores[0] * scores[1], boxes = scores[2];
    StepDraft draft = draft_of(node, name(), tactic);
    for (size_t i = 2; i < draft.inputs.size(); ++i)
      if (!given(node.input(i))) draft.inputs[i] = {};
    StepWriter step(std::move(draft));
    step.add_scratch(Dim(256));  // the total comes first
    const Dim counts = step.add_scratch(max(lines, Dim(1)) * 8);
    const Dim picked = step.add_scratch(lines * boxes * 4);
    const Dim dropped = step.add_scratch(lines * boxes);
    const auto input = [&](KernelText& kernel, size_t i, const std::string& otherwise) {
      return given(node.input(i)) ? kernel.input(i) + "[0]" : otherwise;
    };

    KernelText picking(step, "suppress_pick");
    picking.reach_all();
    picking.functions = "#include \"suppress.cuh\"\n";
    picking.body = fmt::format(
        "  const idx line = blockIdx.x, at = line * {0};\n"
        "  pick_boxes<{1}>({2} + line / {3} * {0} * 4, {4} + at, {0}, {5}, {6}, {7}, {8},\n"
        "                  {9} + at, {10} + at, {11} + line);\n",
        picking.dim(boxes), op.center_point_box ? "true" : "false", picking.input(0),
        picking.dim(scores[1]), picking.input(1), input(picking, 2, "0LL"),
        input(picking, 3, "0.0f"), given(node.input(4)) ? "true" : "false",
        input(picking, 4, "0.0f"), picking.scratch(picked, "int"),
        picking.scratch(dropped, "unsigned char"), picking.scratch(counts, "long long"));
    step.launch(picking, lines, block_threads);

    KernelText adding(step, "suppress_offsets");
    adding.reach_all();
    adding.functions = "#include \"order.cuh\"\n";
    adding.body =
        fmt::format("  offsets_of_counts({}, {}, {});\n", adding.scratch(counts, "long long"),
                    adding.dim(lines), adding.scratch(Dim(0), "long long"));
    step.launch(adding, Dim(1), block_threads);
    step.resize(0, {Dim(0), Dim(3)}, {0, -1});

    KernelText writing(step, "suppress_write");
    writing.reach_all();
    writing.body = fmt::format(
        "  const idx line = blockIdx.x;\n"
        "  const long long first = {0}[line];\n"
        "  const long long end = line + 1 < {1} ? {0}[line + 1] : {2}[0];\n"
        "  for (long long i = first + threadIdx.x; i < end; i += {3}) {{\n"
        "    {4}[i * 3] = line / {5};\n    {4}[i * 3 + 1] = line % {5};\n"
        "    {4}[i * 3 + 2] = {6}[line * {7} + (i - first)];\n  }}\n",
        writing.scratch(counts, "long long"), writing.dim(lines),
        writing.scratch(Dim(0), "long long"), block_threads, writing.output(0),
        writing.dim(scores[1]), writing.scratch(picked, "int"), writing.dim(boxes));
    step.launch(writing, lines, block_threads);
    return step.finish();
  }
};

}  // namespace

const Kernel& suppress_kernel() {
  static const Suppress kernel;
  return kernel;
}

}  // namespace tenrec::cuda
