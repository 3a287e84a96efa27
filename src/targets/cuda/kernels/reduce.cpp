// SPDX-License-Identifier: Apache-2.0
// Reductions over any axes: a group of threads a result.
#include "ops/reduce.h"

#include "base/error.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/gemm_node.h"
#include "targets/cuda/kernels/group_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

// How a kind is computed: `identity`, `map` of an element x, `combine` of a and b, `finish` of acc.
struct Recipe {
  std::string accumulator, identity, map, combine, finish;
};

std::string integer_bound(DType dtype, bool highest) {
  const int bits = dtype == DType::boolean ? 1 : bit_width(dtype);
  if (!is_signed(dtype)) {
    if (!highest) return "0";
    return bits == 64 ? "~0ULL" : fmt::format("{}ULL", (uint64_t{1} << bits) - 1);
  }
  const uint64_t top = (uint64_t{1} << (bits - 1)) - 1;
  return highest ? fmt::format("{}LL", top) : fmt::format("(-{}LL - 1)", top);
}

Recipe recipe_of(ReduceKind kind, DType dtype, const std::string& count) {
  const bool floats = is_float(dtype);
  const std::string value = compute_type(dtype);
  const std::string wide = floats ? value : is_signed(dtype) ? "long long" : "u64";
  const std::string infinity = dtype == DType::f64 ? "inf64()" : "inf32()";
  Recipe recipe{floats ? value : "u64", "0", floats ? "x" : fmt::format("(u64)({})x", wide),
                "a + b", "acc"};
  switch (kind) {
    case ReduceKind::sum: break;
    case ReduceKind::mean:  // of no integers: 0
      recipe.finish = floats ? fmt::format("({0})acc / ({0}){1}", wide, count)
                             : fmt::format("fn_div<{0}>(({0})acc, ({0}){1})", wide, count);
      break;
    case ReduceKind::max:
    case ReduceKind::min: {
      const bool max = kind == ReduceKind::max;
      recipe.accumulator = wide;
      recipe.identity = floats ? (max ? "-" : "") + infinity : integer_bound(dtype, !max);
      recipe.map = fmt::format("({})x", wide);
      recipe.combine = fmt::format("fn_{}<{}>(a, b)", max ? "max" : "min", wide);
      break;
    }
    case ReduceKind::prod:
      recipe.identity = "1";
      recipe.combine = "a * b";
      break;
    case ReduceKind::l1:
      recipe.map = fmt::format("({})fn_abs<{}>(x)", floats ? value : "u64", wide);
      break;
    case ReduceKind::l2:
      recipe.map = "x * x";
      recipe.finish = fmt::format("fn_sqrt<{}>(acc)", value);
      break;
    case ReduceKind::log_sum: recipe.finish = fmt::format("fn_log<{}>(acc)", value); break;
    case ReduceKind::log_sum_exp:
      recipe.map = fmt::format("fn_exp<{}>(x - top)", value);
      recipe.finish =
          fmt::format("fn_abs<{0}>(top) < {1} ? top + fn_log<{0}>(acc) : top", value, infinity);
      break;
    case ReduceKind::sum_square:
      recipe.map = floats ? "x * x" : fmt::format("(u64)({0})x * (u64)({0})x", wide);
      break;
  }
  return recipe;
}

// What is computed in: of integers a root or logarithm, cut off at the end, takes doubles.
DType reduced_as(ReduceKind kind, DType dtype) {
  const bool whole =
      kind != ReduceKind::l2 && kind != ReduceKind::log_sum && kind != ReduceKind::log_sum_exp;
  return is_float(dtype) || whole ? dtype : DType::f64;
}

// `x`: an element.
std::string read_text(ReduceKind kind, DType dtype, const std::string& element) {
  const std::string type = compute_type(reduced_as(kind, dtype));
  return fmt::format("    const {0} x = ({0}){1};\n", type, load_text(dtype, element));
}

struct Shapes {
  Reject reject;
  Loops kept, reduced;  // kept walks the output and the input, reduced the input
  bool rows = false;    // neighbours in memory are reduced together
};

Shapes shapes_of(const Node& node, const Reduce& op) {
  Shapes shapes;
  const Type& in = node.input(0)->type;
  const Type& out = node.output()->type;
  if (!has_strides(in) || !has_strides(out)) {
    shapes.reject = "the rank is not known, or a blocked layout";
    return shapes;
  }
  std::optional<std::vector<int64_t>> axes;
  if (const Value* given = node.input(1)) axes = given->type.constant_ints();
  const auto reduced = op.reduced_axes(in.rank(), axes.value_or(Dims{}));
  const Shape from = memory_strides(in), to = memory_strides(out);
  shapes.kept.walks.resize(2);
  shapes.reduced.walks.resize(1);
  std::vector<Dim> out_stride(reduced.size(), Dim(0));
  for (size_t axis = 0, at = 0; axis < reduced.size(); ++axis) {
    if (!reduced[axis]) out_stride[axis] = to[at];
    if (!reduced[axis] || op.keepdims) ++at;
  }
  for (const size_t axis : memory_order(in)) {
    if (reduced[axis]) {
      shapes.reduced.sizes.push_back(in.shape[axis]);
      shapes.reduced.walks[0].strides.push_back(from[axis]);
      continue;
    }
    shapes.kept.sizes.push_back(in.shape[axis]);
    shapes.kept.walks[0].strides.push_back(out_stride[axis]);
    shapes.kept.walks[1].strides.push_back(from[axis]);
  }
  shapes.kept.collapse();
  shapes.reduced.collapse();
  shapes.rows = shapes.reduced.walks[0].strides.back() == Dim(1);
  return shapes;
}

// A group's way through its row: `read` makes element j x. Of a row that several groups share each
// takes every so-many-th piece.
struct RowLoop {
  std::string count, read;
  std::string first = "lane", step = "G";

  std::string over(const std::string& statement) const {
    return fmt::format("#pragma unroll 4\n  for (idx j = {}; j < {}; j += {}) {{\n{}    {}\n  }}\n",
                       first, count, step, read, statement);
  }
};

std::string lowest(DType dtype) { return dtype == DType::f64 ? "-inf64()" : "-inf32()"; }

// `top`: the largest element, of those the group walks. Before a log_sum_exp.
std::string top_text(DType as, const RowLoop& row) {
  const std::string type = compute_type(as);
  return fmt::format("  {} top = {};\n", type, lowest(as)) +
         row.over(fmt::format("top = fn_max<{}>(top, x);", type)) + "  top = group_max<G>(top);\n";
}

std::string combine_text(const Recipe& recipe) {
  return fmt::format(
      "  {0} acc = {2};\n  const auto combine = []({0} a, {0} b) {{ return ({0})({1}); }};\n",
      recipe.accumulator, recipe.combine, recipe.identity);
}

// `acc`: the elements that the group walks, combined.
std::string walk_text(const Recipe& recipe, DType as, const RowLoop& row) {
  std::string text = combine_text(recipe);
  if (is_float(as) && recipe.combine == "a + b") {
    // What each addition rounds off is kept: long sums, and differences of sums, stay exact.
    text += fmt::format("  {} lost = 0;\n", recipe.accumulator);
    text +=
        row.over(fmt::format("const {0} y = {1} - lost, t = acc + y;\n    lost = t - acc - y;\n"
                             "    acc = t;",
                             recipe.accumulator, recipe.map));
  } else {
    text += row.over(fmt::format("acc = combine(acc, {});", recipe.map));
  }
  return text + "  acc = group_reduce<G>(acc, combine);\n";
}

std::string finish_text(const Recipe& recipe, DType dtype, DType as, const std::string& target) {
  const std::string result =
      as == dtype ? fmt::format("({})({})", compute_type(as), recipe.finish)
                  : fmt::format("to_integer<{}>({})", compute_type(dtype), recipe.finish);
  return fmt::format("  if (lane == 0) {} = {};\n", target, store_text(dtype, result));
}

// What a group does once it knows its row; `target` is where the result goes.
std::string reduction_text(ReduceKind kind, DType dtype, const RowLoop& row,
                           const std::string& target) {
  const DType as = reduced_as(kind, dtype);
  const Recipe recipe = recipe_of(kind, as, row.count);
  return (kind == ReduceKind::log_sum_exp ? top_text(as, row) : "") + walk_text(recipe, as, row) +
         finish_text(recipe, dtype, as, target);
}

// One kernel of a reduction over constant axes.
class Reduction {
 public:
  Reduction(const Node& node, const Reduce& op)
      : shapes_(shapes_of(node, op)), op_(op), dtype_(node.input(0)->type.dtype) {}

  Dim rows() const { return shapes_.kept.count(); }

  // Row `row` of the input, from its beginning.
  RowLoop row(KernelText& kernel, const std::string& row) const {
    kernel.body += kernel.unflatten(row, shapes_.kept.sizes, kept_);
    kernel.body +=
        fmt::format("  const idx base = {};\n", kernel.offset(shapes_.kept.walks[1], kept_));
    const std::string element = fmt::format("{}[base + {}]", kernel.input(0),
                                            kernel.offset(shapes_.reduced.walks[0], reduced_));
    return {kernel.dim(shapes_.reduced.count()),
            kernel.unflatten("j", shapes_.reduced.sizes, reduced_) +
                read_text(op_.kind, dtype_, element)};
  }
  // Where the result of the row goes that kept_ says.
  std::string target(KernelText& kernel) const {
    const std::string output = kernel.output(0);
    return fmt::format("{}[{}]", output, kernel.offset(shapes_.kept.walks[0], kept_));
  }

  void write(int group, StepWriter& step) const {
    KernelText kernel(step, "reduce");
    kernel.reach_all();
    kernel.body = begin_group(kernel, group, rows());
    const RowLoop elements = row(kernel, "row");
    kernel.body += reduction_text(op_.kind, dtype_, elements, target(kernel));
    launch_groups(step, kernel, group, rows());
  }

  // `parts` blocks a row leave what they made of their elements, one more group puts it together:
  // always the same elements, in the same order.
  void write_parts(int64_t parts, StepWriter& step) const {
    const DType as = reduced_as(op_.kind, dtype_);
    const Dim slots = rows() * Dim(parts);
    const Dim tops = step.add_scratch(slots * 8), sums = step.add_scratch(slots * 8);
    const bool has_top = op_.kind == ReduceKind::log_sum_exp;
    if (has_top) {
      KernelText kernel(step, "reduce_top");
      const RowLoop elements = part(kernel, parts);
      kernel.body += top_text(as, elements) + fmt::format("  if (lane == 0) {}[row] = top;\n",
                                                          kernel.scratch(tops, compute_type(as)));
      launch_groups(step, kernel, block_threads, slots);
    }
    KernelText kernel(step, "reduce_part");
    const RowLoop elements = part(kernel, parts);
    const Recipe recipe = recipe_of(op_.kind, as, elements.count);
    if (has_top) kernel.body += joined_top(kernel, as, tops, fmt::format("row / {}", parts), parts);
    kernel.body +=
        walk_text(recipe, as, elements) +
        fmt::format("  if (lane == 0) {}[row] = acc;\n", kernel.scratch(sums, recipe.accumulator));
    launch_groups(step, kernel, block_threads, slots);
    write_join(parts, tops, sums, step);
  }

 private:
  // A kernel's beginning whose block is one of `parts` of a row.
  RowLoop part(KernelText& kernel, int64_t parts) const {
    kernel.reach_all();
    kernel.body = begin_group(kernel, block_threads, rows() * Dim(parts));
    RowLoop elements = row(kernel, fmt::format("(row / {})", parts));
    elements.first = fmt::format("row % {} * G + lane", parts);
    elements.step = fmt::format("{} * G", parts);
    return elements;
  }

  static RowLoop slots_of(KernelText& kernel, const Dim& scratch, const std::string& type,
                          const std::string& row, int64_t parts) {
    return {std::to_string(parts), fmt::format("    const {} x = {}[({}) * {} + j];\n", type,
                                               kernel.scratch(scratch, type), row, parts)};
  }

  static std::string joined_top(KernelText& kernel, DType as, const Dim& tops,
                                const std::string& row, int64_t parts) {
    return top_text(as, slots_of(kernel, tops, compute_type(as), row, parts));
  }

  void write_join(int64_t parts, const Dim& tops, const Dim& sums, StepWriter& step) const {
    constexpr int group = 32;
    const DType as = reduced_as(op_.kind, dtype_);
    KernelText kernel(step, "reduce_join");
    kernel.reach_all();
    kernel.body = begin_group(kernel, group, rows());
    kernel.body += kernel.unflatten("row", shapes_.kept.sizes, kept_);
    const Recipe recipe = recipe_of(op_.kind, as, kernel.dim(shapes_.reduced.count()));
    if (op_.kind == ReduceKind::log_sum_exp)
      kernel.body += joined_top(kernel, as, tops, "row", parts);
    kernel.body +=
        combine_text(recipe) +
        slots_of(kernel, sums, recipe.accumulator, "row", parts).over("acc = combine(acc, x);") +
        "  acc = group_reduce<G>(acc, combine);\n" +
        finish_text(recipe, dtype_, as, target(kernel));
    launch_groups(step, kernel, group, rows());
  }

  Shapes shapes_;
  const Reduce& op_;
  DType dtype_;
  std::vector<std::string> kept_ = numbered("k", shapes_.kept.sizes.size()),
                           reduced_ = numbered("r", shapes_.reduced.sizes.size());
};

// Axes that only running tells: every group finds out which it reduces.
void write_late(const Node& node, const Reduce& op, int group, StepWriter& step) {
  const Type &in = node.input(0)->type, &axes = node.input(1)->type;
  const Dim rows = product(node.output()->type.shape);
  KernelText kernel(step, "late_reduce");
  kernel.reach_all();
  std::string sizes, strides;
  const Shape steps = memory_strides(in);
  for (size_t axis = 0; axis < in.shape.size(); ++axis) {
    sizes += (axis == 0 ? "" : ", ") + kernel.dim(in.shape[axis]);
    strides += (axis == 0 ? "" : ", ") + kernel.dim(steps[axis]);
  }
  const std::string rank = std::to_string(in.rank()), given = kernel.dim(axes.shape[0]);
  kernel.body = begin_group(kernel, group, rows);
  kernel.body += fmt::format(
      "  const idx sizes[] = {{{0}}}, strides[] = {{{1}}};\n"
      "  unsigned reduced = {2} == 0 && {3} ? {4}u : 0;\n"
      "  for (idx k = 0; k < {2}; ++k)\n"
      "    reduced |= 1u << (({5}[k] + (int)({5}[k] < 0) * {6}) & 31);\n"
      "  idx rest = row, base = 0, count = 1;\n"
      "#pragma unroll\n  for (int a = {6} - 1; a >= 0; --a) {{\n"
      "    if (reduced >> a & 1) {{\n      count *= sizes[a];\n      continue;\n    }}\n"
      "    base += rest % sizes[a] * strides[a];\n    rest /= sizes[a];\n  }}\n",
      sizes, strides, given, !op.noop_with_empty_axes, (1U << in.rank()) - 1, kernel.input(1),
      rank);
  const std::string read = fmt::format(
      "    idx left = j, at = base;\n"
      "#pragma unroll\n    for (int a = {} - 1; a >= 0; --a) {{\n"
      "      if (!(reduced >> a & 1)) continue;\n"
      "      at += left % sizes[a] * strides[a];\n      left /= sizes[a];\n    }}\n{}",
      rank, read_text(op.kind, in.dtype, fmt::format("{}[at]", kernel.input(0))));
  kernel.body +=
      reduction_text(op.kind, in.dtype, {"count", read}, fmt::format("{}[row]", kernel.output(0)));
  launch_groups(step, kernel, group, rows);
}

bool is_late(const Node& node) { return node.input(1) && !node.input(1)->type.constant_ints(); }

Reject check_late(const Node& node) {
  const Type &in = node.input(0)->type, &axes = node.input(1)->type, &out = node.output()->type;
  if (!has_strides(in) || !has_strides(out) || !has_strides(axes)) return "the rank is not known";
  if (!out.layout.is_plain()) return "axes are not constant";
  if (in.rank() < 1 || in.rank() > 31 || axes.rank() != 1) return "a scalar, or too many axes";
  if (axes.dtype != DType::i64 && axes.dtype != DType::i32) return "axes are not i32 or i64";
  return "";
}

class ReduceKernel : public Kernel {
 public:
  std::string_view name() const override { return "reduce"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* op = node.as<Reduce>();
    if (!op) return "no reduction";
    const DType dtype = node.input(0)->type.dtype;
    if (!is_supported(dtype)) return fmt::format("{} elements", tenrec::name(dtype));
    if (is_late(node)) return check_late(node);
    return shapes_of(node, *op).reject;
  }

  // Neighbours in memory belong to one warp's step: along the row where rows are reduced, across
  // results where they are not.
  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    if (is_late(node)) return group_tactics(32);
    const Shapes shapes = shapes_of(node, *node.as<Reduce>());
    const auto in = static_cast<int64_t>(element_count(opt.inputs[0]));
    const auto out = std::max<int64_t>(static_cast<int64_t>(element_count(opt.outputs[0])), 1);
    const int64_t count = in / out;
    const bool many = out >= 16384;
    if (const int64_t parts = parts_of(device, out, count); parts > 1)
      return {fmt::format("{}{}", parts_prefix, parts), "group=256"};
    if (!shapes.rows) return group_tactics(many || count <= 16 ? 1 : count <= 256 ? 32 : 256);
    return group_tactics(count <= 8 ? 1 : count <= 1024 && out >= 256 ? 32 : 256);
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    const bool late = is_late(node);
    if (!late) draft.inputs.resize(1);
    StepWriter step(std::move(draft));
    const auto& op = *node.as<Reduce>();
    if (late) write_late(node, op, group_of(tactic), step);
    else if (tactic.starts_with(parts_prefix))
      Reduction(node, op).write_parts(parts_in(tactic), step);
    else Reduction(node, op).write(group_of(tactic), step);
    return step.finish();
  }

 private:
  static constexpr int64_t most_parts = 1024;
  static constexpr std::string_view parts_prefix = "parts=";

  // Blocks a row where rows alone leave multiprocessors idle; each takes at least 16 elements a
  // thread.
  static int64_t parts_of(const DeviceInfo& device, int64_t rows, int64_t count) {
    const int64_t wanted = 2 * multiprocessors(device) / std::max<int64_t>(rows, 1);
    return std::min({wanted, count / (16 * block_threads), most_parts});
  }

  static int64_t parts_in(std::string_view tactic) {
    const int64_t parts = number_in(tactic, parts_prefix);
    TENREC_CHECK(parts > 1 && parts <= most_parts, usage,
                 "\"{}\" is no tactic of a reduction; parts are 2 to {}", tactic, most_parts);
    return parts;
  }
};

}  // namespace

const Kernel& reduce_kernel() {
  static const ReduceKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
