// SPDX-License-Identifier: Apache-2.0
// Moves that integer tensors direct. An index out of range, which ONNX forbids, reads or writes the
// nearest element there is: a kernel cannot refuse.
#include "ops/gather.h"

#include "ops/gather_elements.h"
#include "ops/max_unpool.h"
#include "ops/reverse_sequence.h"
#include "ops/scatter.h"
#include "ops/tensor_scatter.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

std::string begin_indexed(KernelText& kernel, const Dim& count) {
  kernel.functions = "#include \"index.cuh\"\n" + kernel.functions;
  return kernel.flat_index(count);
}

Shape part(const Shape& shape, size_t first, size_t last) {
  return {shape.begin() + static_cast<std::ptrdiff_t>(first),
          shape.begin() + static_cast<std::ptrdiff_t>(last)};
}

// Offset without the term of one axis.
std::string offset_without(KernelText& kernel, Shape strides, size_t axis,
                           const std::vector<std::string>& variables) {
  strides[axis] = 0;
  return kernel.offset({strides, Dim(0)}, variables);
}

void write_gather(const Node& node, const Gather& op, StepWriter& step) {
  const Type& data = node.input(0)->type;
  const Type& indices = node.input(1)->type;
  const auto axis = static_cast<size_t>(normalise_axis(op.axis, data.rank()));
  const Dim outer = product(part(data.shape, 0, axis));
  const Dim inner = product(part(data.shape, axis + 1, data.shape.size()));
  const Dim places = product(indices.shape);
  const std::string type = storage_type(data.dtype);
  int64_t lanes = 128 / bit_width(data.dtype);
  while (lanes > 1 && !is_multiple(inner, lanes)) lanes /= 2;
  KernelText kernel(step, "gather");
  kernel.reach_all();
  const Dim row = floordiv(inner, Dim(lanes));
  std::string& body = kernel.body;
  body = begin_indexed(kernel, outer * places * row);
  body += kernel.unflatten("i", {outer, places, row}, {"o", "p", "x"});
  body += fmt::format(
      "  typedef Pack<{0}, {1}> Lanes;\n"
      "  const idx k = place({2}[p], {3});\n"
      "  ((Lanes*){4})[i] = ((const Lanes*){5})[(o * {3} + k) * {6} + x];\n",
      type, lanes, kernel.input(1), kernel.dim(data.shape[axis]), kernel.output(0), kernel.input(0),
      kernel.dim(row));
  step.launch_flat(kernel, outer * places * row);
}

void write_gather_elements(const Node& node, const GatherElements& op, StepWriter& step) {
  const Type& data = node.input(0)->type;
  const Type& indices = node.input(1)->type;
  const auto axis = static_cast<size_t>(normalise_axis(op.axis, data.rank()));
  KernelText kernel(step, "gather_elements");
  kernel.reach_all();
  const auto variables = numbered("k", indices.shape.size());
  std::string& body = kernel.body;
  body = begin_indexed(kernel, product(indices.shape));
  body += kernel.unflatten("i", indices.shape, variables);
  const Shape strides = memory_strides(data);
  body += fmt::format("  {}[i] = {}[{} + place({}[i], {}) * {}];\n", kernel.output(0),
                      kernel.input(0), offset_without(kernel, strides, axis, variables),
                      kernel.input(1), kernel.dim(data.shape[axis]), kernel.dim(strides[axis]));
  step.launch_flat(kernel, product(indices.shape));
}

// Statements that add to `at` where the index tuple number `tuple` leads.
std::string tuple_place(KernelText& kernel, const Type& data, size_t first, int64_t length,
                        const std::string& tuple) {
  const Shape strides = memory_strides(data);
  std::string text;
  for (int64_t k = 0; k < length; ++k) {
    const size_t axis = first + static_cast<size_t>(k);
    text += fmt::format("  at += place({}[({}) * {} + {}], {}) * {};\n", kernel.input(1), tuple,
                        length, k, kernel.dim(data.shape[axis]), kernel.dim(strides[axis]));
  }
  return text;
}

void write_gather_nd(const Node& node, const GatherND& op, StepWriter& step) {
  const Type& data = node.input(0)->type;
  const Type& indices = node.input(1)->type;
  const auto batch = static_cast<size_t>(op.batch_dims);
  const int64_t length = indices.shape.back().value();
  const Dim batches = product(part(indices.shape, 0, batch));
  const Dim tuples = product(part(indices.shape, batch, indices.shape.size() - 1));
  const size_t rest = batch + static_cast<size_t>(length);
  const Dim inner = product(part(data.shape, rest, data.shape.size()));
  const Dim stack = product(part(data.shape, batch, data.shape.size()));
  KernelText kernel(step, "gather_nd");
  kernel.reach_all();
  std::string& body = kernel.body;
  body = begin_indexed(kernel, batches * tuples * inner);
  body += kernel.unflatten("i", {batches, tuples, inner}, {"b", "t", "x"});
  body += fmt::format("  idx at = b * {} + x;\n", kernel.dim(stack));
  body += tuple_place(kernel, data, batch, length, fmt::format("b * {} + t", kernel.dim(tuples)));
  body += fmt::format("  {}[i] = {}[at];\n", kernel.output(0), kernel.input(0));
  step.launch_flat(kernel, batches * tuples * inner);
}

// Unless output and data are the same memory.
void write_whole_copy(const Node& node, StepWriter& step) {
  KernelText kernel(step, "scatter_copy");
  kernel.reach_all();
  const Dim count = product(node.output()->type.shape);
  kernel.body = begin_indexed(kernel, count);
  kernel.body += fmt::format("  if ((const void*){0} != (const void*){1}) {1}[i] = {0}[i];\n",
                             kernel.input(0), kernel.output(0));
  step.launch_flat(kernel, count);
}

std::string combined(const std::string& reduction, DType dtype, const std::string& to,
                     const std::string& from) {
  const std::string old = load_text(dtype, to), fresh = load_text(dtype, from);
  const std::string type = compute_type(dtype);
  if (reduction == "none") return fmt::format("{} = {};\n", to, from);
  std::string value;
  if (reduction == "add" || reduction == "mul") {
    value = is_float(dtype) ? fmt::format("{} {} {}", old, reduction == "add" ? "+" : "*", fresh)
                            : fmt::format("fn_{}<{}>({}, {})", reduction, type, old, fresh);
  } else {
    value = fmt::format("fn_{}<{}>({}, {})", reduction, type, old, fresh);
  }
  return fmt::format("{} = {};\n", to, store_text(dtype, value));
}

// Updates that may meet in one place are combined in order: one thread a line of them.
void write_scatter_elements(const Node& node, const ScatterElements& op, StepWriter& step) {
  write_whole_copy(node, step);
  const Type& data = node.input(0)->type;
  const Type& indices = node.input(1)->type;
  const auto axis = static_cast<size_t>(normalise_axis(op.axis, data.rank()));
  KernelText kernel(step, "scatter_elements");
  kernel.reach_all();
  auto variables = numbered("k", indices.shape.size());
  Shape lines = indices.shape;
  const Dim along = lines[axis];
  lines[axis] = 1;
  const Shape own = memory_strides(Type::tensor(data.dtype, indices.shape));
  const Shape strides = memory_strides(data);
  std::string& body = kernel.body;
  body = begin_indexed(kernel, product(lines));
  body += kernel.unflatten("i", lines, variables);
  body += fmt::format("  const idx to = {}, from = {};\n",
                      offset_without(kernel, strides, axis, variables),
                      offset_without(kernel, own, axis, variables));
  body += fmt::format(
      "  for (idx j = 0; j < {}; ++j) {{\n"
      "    const idx u = from + j * {}, at = to + place({}[u], {}) * {};\n    {}  }}\n",
      kernel.dim(along), kernel.dim(own[axis]), kernel.input(1), kernel.dim(data.shape[axis]),
      kernel.dim(strides[axis]),
      combined(op.reduction, data.dtype, fmt::format("{}[at]", kernel.output(0)),
               fmt::format("{}[u]", kernel.input(2))));
  step.launch_flat(kernel, product(lines));
}

void write_scatter_nd(const Node& node, const ScatterND& op, StepWriter& step) {
  write_whole_copy(node, step);
  const Type& data = node.input(0)->type;
  const Type& indices = node.input(1)->type;
  const int64_t length = indices.shape.back().value();
  const Dim tuples = product(part(indices.shape, 0, indices.shape.size() - 1));
  const Dim inner = product(part(data.shape, static_cast<size_t>(length), data.shape.size()));
  KernelText kernel(step, "scatter_nd");
  kernel.reach_all();
  std::string& body = kernel.body;
  // Without a reduction ONNX forbids that updates meet, so they need no order.
  const bool ordered = op.reduction != "none";
  const Dim count = ordered ? inner : tuples * inner;
  body = begin_indexed(kernel, count);
  body += kernel.unflatten("i", {ordered ? Dim(1) : tuples, inner}, {"first", "x"});
  body += fmt::format("  for (idx t = first; t < {}; ++t) {{\n  idx at = x;\n",
                      ordered ? kernel.dim(tuples) : "first + 1");
  body += tuple_place(kernel, data, 0, length, "t");
  body += "  " + combined(op.reduction, data.dtype, fmt::format("{}[at]", kernel.output(0)),
                          fmt::format("{}[t * {} + x]", kernel.input(2), kernel.dim(inner)));
  body += "  }\n";
  step.launch_flat(kernel, count);
}

void write_reverse_sequence(const Node& node, const ReverseSequence& op, StepWriter& step) {
  const Type& data = node.input(0)->type;
  const auto batch = static_cast<size_t>(normalise_axis(op.batch_axis, data.rank()));
  const auto time = static_cast<size_t>(normalise_axis(op.time_axis, data.rank()));
  KernelText kernel(step, "reverse_sequence");
  kernel.reach_all();
  const auto variables = numbered("k", data.shape.size());
  std::string& body = kernel.body;
  body = kernel.flat_index(product(data.shape));
  body += kernel.unflatten("i", data.shape, variables);
  const Shape strides = memory_strides(data);
  body += fmt::format(
      "  const long long length = {}[{}], k = {};\n"
      "  {}[i] = {}[{} + (k < length && length <= {} ? length - 1 - k : k) * {}];\n",
      kernel.input(1), variables[batch], variables[time], kernel.output(0), kernel.input(0),
      offset_without(kernel, strides, time, variables), kernel.dim(data.shape[time]),
      kernel.dim(strides[time]));
  step.launch_flat(kernel, product(data.shape));
}

void write_tensor_scatter(const Node& node, const TensorScatter& op, StepWriter& step) {
  write_whole_copy(node, step);
  const Type& cache = node.input(0)->type;
  const Type& update = node.input(1)->type;
  const auto axis = static_cast<size_t>(normalise_axis(op.axis, cache.rank()));
  const Dim size = cache.shape[axis], along = update.shape[axis];
  KernelText kernel(step, "tensor_scatter");
  kernel.reach_all();
  const auto variables = numbered("k", update.shape.size());
  std::string& body = kernel.body;
  body = kernel.flat_index(product(update.shape));
  body += kernel.unflatten("i", update.shape, variables);
  body += fmt::format("  const long long k = {}, at = {} + k;\n", variables[axis],
                      node.input(2) ? fmt::format("{}[{}]", kernel.input(2), variables[0]) : "0");
  // Of those that go round onto one place the last stays.
  body += op.mode == "circular"
              ? fmt::format("  if (at < 0 || k + {0} < {1}) return;\n  const idx row = at % {0};\n",
                            kernel.dim(size), kernel.dim(along))
              : fmt::format("  if (at < 0 || at >= {}) return;\n  const idx row = at;\n",
                            kernel.dim(size));
  const Shape strides = memory_strides(cache);
  body += fmt::format("  {}[{} + row * {}] = {}[i];\n", kernel.output(0),
                      offset_without(kernel, strides, axis, variables), kernel.dim(strides[axis]),
                      kernel.input(1));
  step.launch_flat(kernel, product(update.shape));
}

// Places count in the smallest tensor that the window gives; the output may be larger.
void write_max_unpool(const Node& node, const MaxUnpool& op, StepWriter& step) {
  const Type& out = node.output()->type;
  KernelText clearing(step, "max_unpool_clear");
  clearing.reach_all();
  clearing.body = clearing.flat_index(product(out.shape));
  clearing.body += fmt::format("  {}[i] = 0;\n", clearing.output(0));
  step.launch_flat(clearing, product(out.shape));

  const Shape& in = node.input(0)->type.shape;
  const Shape inner = op.smallest(node.input(0)->type);
  KernelText kernel(step, "max_unpool");
  kernel.reach_all();
  const auto variables = numbered("k", inner.size());
  std::string& body = kernel.body;
  body = begin_indexed(kernel, product(in));
  body += fmt::format("  const idx at = place({}[i], {});\n", kernel.input(1),
                      kernel.dim(product(inner)));
  body += kernel.unflatten("at", inner, variables);
  body += fmt::format("  {}[{}] = {}[i];\n", kernel.output(0),
                      kernel.offset({memory_strides(out), Dim(0)}, variables), kernel.input(0));
  step.launch_flat(kernel, product(in));
}

class GatherKernel : public Kernel {
 public:
  std::string_view name() const override { return "gather"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const bool gathers = node.as<Gather>() || node.as<GatherElements>() || node.as<GatherND>();
    const bool scatters = node.as<ScatterElements>() || node.as<ScatterND>();
    const bool moves =
        node.as<ReverseSequence>() || node.as<TensorScatter>() || node.as<MaxUnpool>();
    if (!gathers && !scatters && !moves) return "no gather or scatter";
    for (const Value* value : node.inputs()) {
      if (!value) continue;
      if (!has_strides(value->type)) return "the rank is not known, or a blocked layout";
      if (!value->type.layout.is_plain()) return "channels last";
      if (!is_supported(value->type.dtype))
        return fmt::format("{} elements", tenrec::name(value->type.dtype));
    }
    const Value* list = node.input(node.as<TensorScatter>() ? 2 : 1);
    if (list && list->type.dtype != DType::i32 && list->type.dtype != DType::i64)
      return "indices are not i32 or i64";
    if (!has_strides(node.output()->type)) return "the rank is not known";
    if (node.as<GatherND>() || node.as<ScatterND>()) {
      const Type& indices = node.input(1)->type;
      if (indices.rank() < 1 || !indices.shape.back().is_const())
        return "the length of index tuples is not known";
    } else if (node.input(0)->type.rank() == 0) {
      return "a scalar";
    }
    return "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    if (node.as<ScatterElements>() || node.as<ScatterND>() || node.as<TensorScatter>())
      draft.in_place = 0;
    if (node.as<MaxUnpool>()) draft.inputs.resize(2);  // the wanted shape is the output's
    StepWriter step(std::move(draft));
    if (const auto* op = node.as<Gather>()) write_gather(node, *op, step);
    if (const auto* op = node.as<GatherElements>()) write_gather_elements(node, *op, step);
    if (const auto* op = node.as<GatherND>()) write_gather_nd(node, *op, step);
    if (const auto* op = node.as<ScatterElements>()) write_scatter_elements(node, *op, step);
    if (const auto* op = node.as<ScatterND>()) write_scatter_nd(node, *op, step);
    if (const auto* op = node.as<ReverseSequence>()) write_reverse_sequence(node, *op, step);
    if (const auto* op = node.as<TensorScatter>()) write_tensor_scatter(node, *op, step);
    if (const auto* op = node.as<MaxUnpool>()) write_max_unpool(node, *op, step);
    return step.finish();
  }
};

}  // namespace

const Kernel& gather_kernel() {
  static const GatherKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
