// SPDX-License-Identifier: Apache-2.0
// Reductions over any axes: a group of threads a result.
#include "ops/reduce.h"

#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
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

// What a group does once it knows its row: `read` makes element j of the row x, `target` is where
// the result goes.
std::string reduction_text(ReduceKind kind, DType dtype, const std::string& count,
                           const std::string& read, const std::string& target) {
  const DType as = reduced_as(kind, dtype);
  const Recipe recipe = recipe_of(kind, as, count);
  const std::string type = compute_type(as);
  const auto loop = [&](const std::string& statement) {
    return fmt::format(
        "#pragma unroll 4\n  for (idx j = lane; j < {}; j += G) {{\n{}    {}\n  }}\n", count, read,
        statement);
  };
  std::string text;
  if (kind == ReduceKind::log_sum_exp) {
    text += fmt::format("  {} top = -{};\n", type, as == DType::f64 ? "inf64()" : "inf32()");
    text += loop(fmt::format("top = fn_max<{}>(top, x);", type)) + "  top = group_max<G>(top);\n";
  }
  text += fmt::format("  {} acc = {};\n", recipe.accumulator, recipe.identity);
  text += fmt::format("  const auto combine = []({0} a, {0} b) {{ return ({0})({1}); }};\n",
                      recipe.accumulator, recipe.combine);
  if (is_float(as) && recipe.combine == "a + b") {
    // What each addition rounds off is kept: long sums, and differences of sums, stay exact.
    text += fmt::format("  {} lost = 0;\n", recipe.accumulator);
    text +=
        loop(fmt::format("const {0} y = {1} - lost, t = acc + y;\n    lost = t - acc - y;\n"
                         "    acc = t;",
                         recipe.accumulator, recipe.map));
  } else {
    text += loop(fmt::format("acc = combine(acc, {});", recipe.map));
  }
  text += "  acc = group_reduce<G>(acc, combine);\n";
  const std::string result =
      as == dtype ? fmt::format("({})({})", type, recipe.finish)
                  : fmt::format("to_integer<{}>({})", compute_type(dtype), recipe.finish);
  return text + fmt::format("  if (lane == 0) {} = {};\n", target, store_text(dtype, result));
}

void write(const Node& node, const Reduce& op, int group, StepWriter& step) {
  const Shapes shapes = shapes_of(node, op);
  const DType dtype = node.input(0)->type.dtype;
  KernelText kernel(step, "reduce");
  kernel.reach_all();
  const Dim rows = shapes.kept.count();
  kernel.body = begin_group(kernel, group, rows);
  const auto kept = numbered("k", shapes.kept.sizes.size());
  const auto reduced = numbered("r", shapes.reduced.sizes.size());
  kernel.body += kernel.unflatten("row", shapes.kept.sizes, kept);
  kernel.body += fmt::format("  const idx base = {};\n", kernel.offset(shapes.kept.walks[1], kept));
  const std::string count = kernel.dim(shapes.reduced.count());
  const std::string read = kernel.unflatten("j", shapes.reduced.sizes, reduced) +
                           read_text(op.kind, dtype,
                                     fmt::format("{}[base + {}]", kernel.input(0),
                                                 kernel.offset(shapes.reduced.walks[0], reduced)));
  const std::string output = kernel.output(0);
  kernel.body +=
      reduction_text(op.kind, dtype, count, read,
                     fmt::format("{}[{}]", output, kernel.offset(shapes.kept.walks[0], kept)));
  launch_groups(step, kernel, group, rows);
}

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
      reduction_text(op.kind, in.dtype, "count", read, fmt::format("{}[row]", kernel.output(0)));
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
  std::vector<std::string> tactics(const Node& node, const DeviceInfo&,
                                   const Sizes& opt) const override {
    if (is_late(node)) return group_tactics(32);
    const Shapes shapes = shapes_of(node, *node.as<Reduce>());
    const auto in = static_cast<int64_t>(element_count(opt.inputs[0]));
    const auto out = std::max<int64_t>(static_cast<int64_t>(element_count(opt.outputs[0])), 1);
    const int64_t count = in / out;
    const bool many = out >= 16384;
    if (!shapes.rows) return group_tactics(many || count <= 16 ? 1 : count <= 256 ? 32 : 256);
    return group_tactics(count <= 8 ? 1 : count <= 1024 && out >= 256 ? 32 : 256);
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    const bool late = is_late(node);
    if (!late) draft.inputs.resize(1);
    StepWriter step(std::move(draft));
    (late ? write_late : write)(node, *node.as<Reduce>(), group_of(tactic), step);
    return step.finish();
  }
};

}  // namespace

const Kernel& reduce_kernel() {
  static const ReduceKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
