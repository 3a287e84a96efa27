// SPDX-License-Identifier: Apache-2.0
// Orders along an axis: ArgMax and ArgMin, TopK, CumSum and CumProd.
#include "ops/arg_reduce.h"
#include "ops/cum_sum.h"
#include "ops/topk.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/group_text.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

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
      "  typedef Found<{0}> F;\n  F best = {{({0})0, -1}};\n"
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

// TopK. The rank of an element is how many come before it: no sorting, and equal elements keep
// their order. Each element looks at all others, so long lines are cut into chunks, whose best are
// all that the next round looks at.
class TopKWriter {
 public:
  TopKWriter(const Node& node, const TopK& op, StepWriter& step)
      : op_(op),
        step_(step),
        in_(node.input(0)->type),
        lines_(lines_of(in_, op.axis)),
        out_(lines_of(node.output(0)->type, op.axis)),
        kept_(min(out_.size, Dim(chunk))),
        count_(lines_.size) {}

  void write() {
    // A round keeps kept_ of a chunk: with half or more it would gain little.
    const bool gains = out_.size.upper() <= chunk / 2;
    for (int64_t most = lines_.size.upper(); gains && most > 2 * chunk && rounds_ < most_rounds;
         most = most == INT64_MAX ? most : (most + chunk - 1) / chunk * out_.size.upper())
      write_round();
    write_last();
  }

 private:
  static constexpr int64_t chunk = 4096;
  static constexpr int most_rounds = 3;

  // `at(j)` is the value of candidate j of the line; `index(j)` where in the line it stands, or -1.
  std::string candidates(KernelText& kernel) const {
    std::string text = line_start(kernel, "from", lines_.size, lines_.inner);
    text += rounds_ == 0 ? "  const auto index = [&](idx j) { return j; };\n"
                         : fmt::format(
                               "  const long long* list = {} + row * {};\n"
                               "  const auto index = [&](idx j) {{ return (idx)list[j]; }};\n",
                               kernel.scratch(list_, "long long"), kernel.dim(count_));
    return text + fmt::format(
                      "  const auto at = [&](idx j) {{\n    const idx i = index(j);\n"
                      "    return i < 0 ? last_of_all<{}, {}>() : {};\n  }};\n",
                      compute_type(in_.dtype), op_.largest,
                      load_text(in_.dtype, fmt::format("{}[from + i * {}]", kernel.input(0),
                                                       kernel.dim(lines_.inner))));
  }

  void write_round() {
    KernelText kernel(step_, fmt::format("topk_round{}", rounds_));
    kernel.reach_all();
    kernel.functions = "#include \"order.cuh\"\n";
    const Dim chunks = ceildiv(count_, Dim(chunk)), after = chunks * kept_;
    const Dim list = step_.add_scratch(lines_.count() * after * 8);
    const Dim blocks = chunks * (chunk / block_threads);
    kernel.body = fmt::format(
        "  const idx row = blockIdx.x / {0}, i = blockIdx.x % {0} * {1} + threadIdx.x;\n"
        "  const idx start = i / {2} * {2}, left = {3} - start;\n"
        "  const idx size = left < {2} ? left : {2};\n",
        kernel.dim(blocks), block_threads, chunk, kernel.dim(count_));
    kernel.body += candidates(kernel);
    kernel.body += fmt::format(
        "  const auto here = [&](idx j) {{ return at(start + j); }};\n"
        "  const idx rank = rank_in_line<{0}, {1}>(size, i - start, here);\n"
        "  long long* to = {2} + row * {3} + i / {4} * {5};\n"
        "  if (i - start >= size) {{\n    if (i - start < {5}) to[i - start] = -1;\n"
        "  }} else if (rank < {5}) {{\n    to[rank] = index(i);\n  }}\n",
        compute_type(in_.dtype), op_.largest, kernel.scratch(list, "long long"), kernel.dim(after),
        chunk, kernel.dim(kept_));
    step_.launch(kernel, lines_.count() * blocks, block_threads);
    list_ = list;
    count_ = after;
    ++rounds_;
  }

  void write_last() {
    KernelText kernel(step_, "topk");
    kernel.reach_all();
    kernel.functions = "#include \"order.cuh\"\n";
    const Dim blocks = ceildiv(count_, Dim(block_threads));
    std::string& body = kernel.body;
    body = fmt::format(
        "  const idx row = blockIdx.x / {0}, i = blockIdx.x % {0} * {1} + threadIdx.x;\n",
        kernel.dim(blocks), block_threads);
    body += candidates(kernel);
    body += line_start(kernel, "to", out_.size, out_.inner);
    body += fmt::format(
        "  const idx rank = rank_in_line<{0}, {1}>({2}, i, at);\n"
        "  if (i >= {2} || rank >= {3}) return;\n  const idx place = to + rank * {4};\n",
        compute_type(in_.dtype), op_.largest, kernel.dim(count_), kernel.dim(out_.size),
        kernel.dim(out_.inner));
    if (step_.draft().outputs[0])
      body += fmt::format("  {}[place] = {}[from + index(i) * {}];\n", kernel.output(0),
                          kernel.input(0), kernel.dim(lines_.inner));
    if (step_.draft().outputs[1])
      body += fmt::format("  {}[place] = index(i);\n", kernel.output(1));
    step_.launch(kernel, lines_.count() * blocks, block_threads);
  }

  const TopK& op_;
  StepWriter& step_;
  const Type& in_;
  Lines lines_, out_;
  Dim kept_, count_;  // of a chunk; candidates of a line
  Dim list_ = 0;      // where the candidates are
  int rounds_ = 0;
};

struct Running {
  bool exclusive, reverse, product;
};

std::optional<Running> running_of(const Node& node) {
  if (const auto* op = node.as<CumSum>()) return Running{op->exclusive, op->reverse, false};
  if (const auto* op = node.as<CumProd>()) return Running{op->exclusive, op->reverse, true};
  return std::nullopt;
}

// Statements that give a thread its line: `row`, `size` and `inner`. An axis that only running
// tells is read by every thread.
std::string begin_line(KernelText& kernel, const Node& node, Dim& threads) {
  const Type& in = node.input(0)->type;
  const auto known = node.input(1)->type.constant_ints();
  std::string text =
      fmt::format("  const idx row = (idx)blockIdx.x * {} + threadIdx.x;\n", block_threads);
  if (known) {
    const Lines lines = lines_of(in, known->at(0));
    threads = lines.count();
    return text + fmt::format("  if (row >= {}) return;\n  const idx size = {}, inner = {};\n",
                              kernel.dim(threads), kernel.dim(lines.size), kernel.dim(lines.inner));
  }
  threads = product(in.shape);
  std::string sizes, strides;
  const Shape steps = memory_strides(in);
  for (size_t i = 0; i < in.shape.size(); ++i) {
    sizes += (i == 0 ? "" : ", ") + kernel.dim(in.shape[i]);
    strides += (i == 0 ? "" : ", ") + kernel.dim(steps[i]);
  }
  return text + fmt::format(
                    "  const idx sizes[] = {{{0}}}, strides[] = {{{1}}};\n"
                    "  const int given = {2}[0], axis = (given + {3}) % {3};\n"
                    "  const idx size = sizes[axis], inner = strides[axis];\n"
                    "  if (size == 0 || row >= {4} / size) return;\n",
                    sizes, strides, kernel.input(1), in.rank(), kernel.dim(threads));
}

void write_running(const Node& node, const Running& op, StepWriter& step) {
  const Type& in = node.input(0)->type;
  KernelText kernel(step, op.product ? "cum_prod" : "cum_sum");
  kernel.reach_all();
  const std::string type = compute_type(in.dtype);
  // Sums of many floats one after the other lose what double keeps.
  const std::string total = is_float(in.dtype) ? "double" : "u64";
  Dim threads;
  kernel.body = begin_line(kernel, node, threads);
  const std::string write = fmt::format("    {}[at] = {};\n", kernel.output(0),
                                        store_text(in.dtype, fmt::format("({})total", type)));
  kernel.body += fmt::format(
      "  const idx from = row / inner * size * inner + row % inner;\n"
      "  {0} total = {1};\n  for (idx j = 0; j < size; ++j) {{\n"
      "    const idx at = from + ({2}) * inner;\n"
      "    const {0} x = ({0}){3};\n{4}    total {5}= x;\n{6}  }}\n",
      total, op.product ? 1 : 0, op.reverse ? "size - 1 - j" : "j",
      load_text(in.dtype, fmt::format("{}[at]", kernel.input(0))), op.exclusive ? write : "",
      op.product ? "*" : "+", op.exclusive ? "" : write);
  step.launch(kernel, ceildiv(threads, Dim(block_threads)), block_threads);
}

class Order : public Kernel {
 public:
  std::string_view name() const override { return "order"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const bool runs = running_of(node).has_value();
    if (!node.as<ArgReduce>() && !node.as<TopK>() && !runs) return "no order along an axis";
    const Type& in = node.input(0)->type;
    std::string problem = plain_problem(in);
    if (!problem.empty()) return problem;
    if (in.rank() == 0) return "a scalar";
    if (!is_supported(in.dtype)) return fmt::format("{} elements", tenrec::name(in.dtype));
    for (const Value* output : node.outputs())
      if (!has_strides(output->type)) return "the rank is not known";
    if (runs && node.input(1)->type.dtype != DType::i32 && node.input(1)->type.dtype != DType::i64)
      return "the axis is not i32 or i64";
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
    const bool late_axis = running_of(node) && !node.input(1)->type.constant_ints();
    if (!late_axis) draft.inputs.resize(1);  // k and known axes are sizes of the step
    StepWriter step(std::move(draft));
    if (const auto* op = node.as<ArgReduce>()) write_arg(node, *op, group_of(tactic), step);
    if (const auto* op = node.as<TopK>()) TopKWriter(node, *op, step).write();
    if (const auto op = running_of(node)) write_running(node, *op, step);
    return step.finish();
  }
};

}  // namespace

const Kernel& order_kernel() {
  static const Order kernel;
  return kernel;
}

}  // namespace tenrec::cuda
