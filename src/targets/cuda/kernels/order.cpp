// SPDX-License-Identifier: Apache-2.0
// Orders along an axis: ArgMax and ArgMin, TopK, CumSum; and NonZero, whose size only running
// tells.
#include "ops/arg_reduce.h"
#include "ops/cum_sum.h"
#include "ops/non_zero.h"
#include "ops/topk.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/group_text.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

// A tensor as lines along one axis: element j of line `row` lies at row / inner * size * inner +
// row % inner + j * inner.
struct Lines {
  Dim outer, size, inner;
  Dim count() const { return outer * inner; }
};

Lines lines_of(const Type& type, int64_t given) {
  const auto axis = static_cast<size_t>(normalise_axis(given, type.rank()));
  return {
      product(Shape(type.shape.begin(), type.shape.begin() + static_cast<std::ptrdiff_t>(axis))),
      type.shape[axis],
      product(Shape(type.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, type.shape.end()))};
}

std::string line_start(KernelText& kernel, const std::string& name, const Dim& size,
                       const Dim& inner) {
  return fmt::format("  const idx {0} = row / {1} * {2} + row % {1};\n", name, kernel.dim(inner),
                     kernel.dim(size * inner));
}

void write_arg(const Node& node, const ArgReduce& op, int group, StepWriter& step) {
  const Type& in = node.input(0)->type;
  const Lines lines = lines_of(in, op.axis);
  KernelText kernel(step, "arg_reduce");
  kernel.reach_all();
  const std::string type = compute_type(in.dtype);
  std::string& body = kernel.body;
  body = begin_group(kernel, group, lines.count());
  kernel.functions += "#include \"order.cuh\"\n";
  body += line_start(kernel, "from", lines.size, lines.inner);
  const std::string at = fmt::format("{}[from + j * {}]", kernel.input(0), kernel.dim(lines.inner));
  body += fmt::format(
      "  typedef Found<{0}> F;\n  F best = {{{0}(0), -1}};\n"
      "  for (idx j = lane; j < {1}; j += G)\n"
      "    best = better<{2}, {3}>(best, F{{{4}, (long long)j}});\n"
      "  best = group_found<G, {2}, {3}>(best);\n"
      "  if (lane == 0) {5}[row] = best.at < 0 || ({6}) ? 0 : best.at;\n",
      type, kernel.dim(lines.size), op.largest, op.select_last_index, load_text(in.dtype, at),
      kernel.output(0),
      is_float(in.dtype)
          ? fmt::format("fn_is_nan<{}>({})", type,
                        load_text(in.dtype, fmt::format("{}[from]", kernel.input(0))))
          : "false");
  launch_groups(step, kernel, group, lines.count());
}

// The rank of an element is how many come before it: no sorting, and equal elements keep their
// order.
void write_topk(const Node& node, const TopK& op, StepWriter& step) {
  const Type& in = node.input(0)->type;
  const Lines lines = lines_of(in, op.axis);
  const Lines out = lines_of(node.output(0)->type, op.axis);
  KernelText kernel(step, "topk");
  kernel.reach_all();
  kernel.functions = "#include \"order.cuh\"\n";
  const std::string type = compute_type(in.dtype);
  const Dim blocks = ceildiv(lines.size, Dim(block_threads));
  std::string& body = kernel.body;
  body =
      fmt::format("  const idx row = blockIdx.x / {0}, i = blockIdx.x % {0} * {1} + threadIdx.x;\n",
                  kernel.dim(blocks), block_threads);
  body += line_start(kernel, "from", lines.size, lines.inner);
  body += line_start(kernel, "to", out.size, out.inner);
  body += fmt::format(
      "  const auto at = [&](idx j) {{ return {0}; }};\n"
      "  const idx rank = rank_in_line<{1}, {2}>({3}, i, at);\n"
      "  if (i >= {3} || rank >= {4}) return;\n  const idx place = to + rank * {5};\n",
      load_text(in.dtype,
                fmt::format("{}[from + j * {}]", kernel.input(0), kernel.dim(lines.inner))),
      type, op.largest, kernel.dim(lines.size), kernel.dim(out.size), kernel.dim(out.inner));
  if (step.draft().outputs[0])
    body += fmt::format("  {}[place] = {}[from + i * {}];\n", kernel.output(0), kernel.input(0),
                        kernel.dim(lines.inner));
  if (step.draft().outputs[1]) body += fmt::format("  {}[place] = i;\n", kernel.output(1));
  step.launch(kernel, lines.count() * blocks, block_threads);
}

void write_cum_sum(const Node& node, const CumSum& op, StepWriter& step) {
  const Type& in = node.input(0)->type;
  const Lines lines = lines_of(in, node.input(1)->type.constant_ints()->at(0));
  KernelText kernel(step, "cum_sum");
  kernel.reach_all();
  const std::string type = compute_type(in.dtype);
  // Sums of many floats one after the other lose what double keeps.
  const std::string sum = is_float(in.dtype) ? "double" : "u64";
  std::string& body = kernel.body;
  body = fmt::format(
      "  const idx row = (idx)blockIdx.x * {} + threadIdx.x;\n  if (row >= {}) return;\n",
      block_threads, kernel.dim(lines.count()));
  body += line_start(kernel, "from", lines.size, lines.inner);
  const std::string at =
      fmt::format("from + ({}) * {}", op.reverse ? kernel.dim(lines.size) + " - 1 - j" : "j",
                  kernel.dim(lines.inner));
  const std::string write = fmt::format("    {}[at] = {};\n", kernel.output(0),
                                        store_text(in.dtype, fmt::format("({})sum", type)));
  body += fmt::format(
      "  {0} sum = 0;\n  for (idx j = 0; j < {1}; ++j) {{\n    const idx at = {2};\n"
      "    const {0} x = ({0}){3};\n{4}    sum += x;\n{5}  }}\n",
      sum, kernel.dim(lines.size), at, load_text(in.dtype, fmt::format("{}[at]", kernel.input(0))),
      op.exclusive ? write : "", op.exclusive ? "" : write);
  step.launch(kernel, ceildiv(lines.count(), Dim(block_threads)), block_threads);
}

// Counts a block's elements, adds the counts up, writes each element behind those before it.
void write_non_zero(const Node& node, StepWriter& step) {
  const Type& in = node.input(0)->type;
  const Dim count = product(in.shape);
  const Dim blocks = max(ceildiv(count, Dim(block_threads)), Dim(1));
  step.add_scratch(Dim(256));  // the total comes first
  const Dim counts = step.add_scratch(blocks * 8);
  const auto hit = [&](KernelText& kernel) {
    return fmt::format(
        "  const idx i = (idx)blockIdx.x * {} + threadIdx.x;\n"
        "  const bool hit = i < {} && {} != 0;\n",
        block_threads, kernel.dim(count), load_text(in.dtype, kernel.input(0) + "[i]"));
  };
  KernelText counting(step, "non_zero_count");
  counting.reach_all();
  counting.body = hit(counting);
  counting.body += fmt::format(
      "  const int found = __syncthreads_count(hit);\n"
      "  if (threadIdx.x == 0) {}[blockIdx.x] = found;\n",
      counting.scratch(counts, "long long"));
  step.launch(counting, blocks, block_threads);

  KernelText adding(step, "non_zero_offsets");
  adding.reach_all();
  adding.functions = "#include \"order.cuh\"\n";
  adding.body =
      fmt::format("  offsets_of_counts({}, {}, {});\n", adding.scratch(counts, "long long"),
                  adding.dim(blocks), adding.scratch(Dim(0), "long long"));
  step.launch(adding, Dim(1), block_threads);
  step.resize(0, {Dim(in.rank()), Dim(0)}, {-1, 0});

  KernelText writing(step, "non_zero_write");
  writing.reach_all();
  writing.functions = "#include \"order.cuh\"\n";
  writing.body = hit(writing);
  writing.body += fmt::format(
      "  const long long total = {}[0], at = {}[blockIdx.x] + place_in_block(hit);\n"
      "  if (!hit) return;\n",
      writing.scratch(Dim(0), "long long"), writing.scratch(counts, "long long"));
  const std::vector<std::string> variables = element_variables(in.shape.size());
  writing.body += element_index(writing, in, "i", variables);
  for (size_t axis = 0; axis < variables.size(); ++axis)
    writing.body +=
        fmt::format("  {}[{} * total + at] = {};\n", writing.output(0), axis, variables[axis]);
  step.launch(writing, blocks, block_threads);
}

class Order : public Kernel {
 public:
  std::string_view name() const override { return "order"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const bool sums = node.as<CumSum>() != nullptr;
    if (!node.as<ArgReduce>() && !node.as<TopK>() && !sums && !node.as<NonZero>())
      return "no order along an axis";
    const Type& in = node.input(0)->type;
    if (!has_strides(in) || !in.layout.is_plain()) return "the rank is not known, or a layout";
    if (in.rank() == 0) return "a scalar";
    if (!is_supported(in.dtype)) return fmt::format("{} elements", tenrec::name(in.dtype));
    for (const Value* output : node.outputs())
      if (!has_strides(output->type)) return "the rank is not known";
    if (sums && !node.input(1)->type.constant_ints()) return "the axis is not constant";
    if (node.as<NonZero>()) {
      const auto& shape = node.output()->type.shape;
      if (shape.size() != 2 || shape[1].is_const()) return "its result is known";
    }
    return "";
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo&,
                                   const Sizes& opt) const override {
    const auto* op = node.as<ArgReduce>();
    if (!op) return {""};
    const Lines lines = lines_of(node.input(0)->type, op->axis);
    const auto rows = static_cast<int64_t>(element_count(opt.outputs[0]));
    return group_tactics(lines.inner == Dim(1) ? (rows >= 512 ? 32 : 256) : rows >= 4096 ? 1 : 32);
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    draft.inputs.resize(1);  // k and axes are sizes of the step
    StepWriter step(std::move(draft));
    if (const auto* op = node.as<ArgReduce>()) write_arg(node, *op, group_of(tactic), step);
    if (const auto* op = node.as<TopK>()) write_topk(node, *op, step);
    if (const auto* op = node.as<CumSum>()) write_cum_sum(node, *op, step);
    if (node.as<NonZero>()) write_non_zero(node, step);
    return step.finish();
  }
};

}  // namespace

const Kernel& order_kernel() {
  static const Order kernel;
  return kernel;
}

}  // namespace tenrec::cuda
