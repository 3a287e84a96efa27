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
    case ReduceKind::mean: recipe.finish = fmt::format("({0})acc / ({0}){1}", wide, count); break;
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
  if (const Value* given = node.input(1)) {
    axes = given->type.constant_ints();
    if (!axes) {
      shapes.reject = "axes are not constant";
      return shapes;
    }
  }
  const std::vector<bool> reduced = op.reduced_axes(in.rank(), axes ? &*axes : nullptr);
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

void write(const Node& node, const Reduce& op, int group, StepWriter& step) {
  Shapes shapes = shapes_of(node, op);
  const DType dtype = node.input(0)->type.dtype;
  KernelText kernel(step, "reduce");
  kernel.reach_all();
  const Dim rows = shapes.kept.count(), count = shapes.reduced.count();
  std::string& body = kernel.body;
  body = begin_group(kernel, group, rows);
  const auto kept = numbered("k", shapes.kept.sizes.size());
  const auto reduced = numbered("r", shapes.reduced.sizes.size());
  body += kernel.unflatten("row", shapes.kept.sizes, kept);
  body += fmt::format("  const idx base = {};\n", kernel.offset(shapes.kept.walks[1], kept));
  const std::string count_text = kernel.dim(count);
  const Recipe recipe = recipe_of(op.kind, dtype, count_text);
  const std::string read =
      fmt::format("{}    const {} x = {};\n", kernel.unflatten("j", shapes.reduced.sizes, reduced),
                  compute_type(dtype),
                  load_text(dtype, fmt::format("{}[base + {}]", kernel.input(0),
                                               kernel.offset(shapes.reduced.walks[0], reduced))));
  const auto loop = [&](const std::string& statement) {
    return fmt::format(
        "#pragma unroll 4\n  for (idx j = lane; j < {}; j += G) {{\n{}    {}\n  }}\n", count_text,
        read, statement);
  };
  if (op.kind == ReduceKind::log_sum_exp) {
    const std::string type = compute_type(dtype);
    body += fmt::format("  {} top = -{};\n", type, dtype == DType::f64 ? "inf64()" : "inf32()");
    body += loop(fmt::format("top = fn_max<{}>(top, x);", type)) + "  top = group_max<G>(top);\n";
  }
  body += fmt::format("  {} acc = {};\n", recipe.accumulator, recipe.identity);
  body += fmt::format("  const auto combine = []({0} a, {0} b) {{ return ({0})({1}); }};\n",
                      recipe.accumulator, recipe.combine);
  if (is_float(dtype) && recipe.combine == "a + b") {
    // What each addition rounds off is kept: long sums, and differences of sums, stay exact.
    body += fmt::format("  {} lost = 0;\n", recipe.accumulator);
    body +=
        loop(fmt::format("const {0} y = {1} - lost, t = acc + y;\n    lost = t - acc - y;\n"
                         "    acc = t;",
                         recipe.accumulator, recipe.map));
  } else {
    body += loop(fmt::format("acc = combine(acc, {});", recipe.map));
  }
  body += "  acc = group_reduce<G>(acc, combine);\n";
  body +=
      fmt::format("  if (lane == 0) {}[{}] = {};\n", kernel.output(0),
                  kernel.offset(shapes.kept.walks[0], kept),
                  store_text(dtype, fmt::format("({})({})", compute_type(dtype), recipe.finish)));
  launch_groups(step, kernel, group, rows);
}

class ReduceKernel : public Kernel {
 public:
  std::string_view name() const override { return "reduce"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* op = node.as<Reduce>();
    if (!op) return "no reduction";
    const DType dtype = node.input(0)->type.dtype;
    if (!is_supported(dtype)) return fmt::format("{} elements", tenrec::name(dtype));
    if (!is_float(dtype) && (op->kind == ReduceKind::l2 || op->kind == ReduceKind::log_sum ||
                             op->kind == ReduceKind::log_sum_exp))
      return "an integer reduction that is not whole";
    const Shapes shapes = shapes_of(node, *op);
    if (!shapes.reject.empty()) return shapes.reject;
    if (!is_float(dtype) && op->kind == ReduceKind::mean && shapes.reduced.count().lower() < 1)
      return "an integer mean of what may be nothing";
    return "";
  }

  // Neighbours in memory belong to one warp's step: along the row where rows are reduced, across
  // results where they are not.
  std::vector<std::string> tactics(const Node& node, const DeviceInfo&,
                                   const Sizes& opt) const override {
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
    draft.inputs.resize(1);
    StepWriter step(std::move(draft));
    write(node, *node.as<Reduce>(), group_of(tactic), step);
    return step.finish();
  }
};

}  // namespace

const Kernel& reduce_kernel() {
  static const ReduceKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
