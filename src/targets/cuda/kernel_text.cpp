// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernel_text.h"

#include "base/error.h"
#include "base/wire.h"
#include "targets/cuda/emit.h"

namespace tenrec::cuda {

std::vector<std::string> numbered(const std::string& prefix, size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back(fmt::format("{}{}", prefix, i));
  return names;
}
namespace {

DType dtype_of(const StepArg& arg) {
  TENREC_ASSERT(arg.value || arg.weight, "a kernel reads an omitted input");
  return arg.value ? arg.value->type.dtype : arg.weight.dtype();
}

}  // namespace

KernelText::KernelText(StepWriter& step, std::string entry)
    : step_(step), entry_(std::move(entry)) {}

std::string KernelText::parameter(const std::string& type, const std::string& name,
                                  Argument argument) {
  if (known_.emplace(name, parameters_.size()).second)
    parameters_.emplace_back(type + " " + name, argument);
  return name;
}

std::string KernelText::input(size_t i) {
  return parameter(
      fmt::format("const {}* __restrict__", storage_type(dtype_of(step_.draft().inputs.at(i)))),
      fmt::format("in{}", i), {ArgumentKind::input, static_cast<int32_t>(i)});
}

std::string KernelText::output(size_t i) {
  return parameter(
      fmt::format("{}* __restrict__", storage_type(step_.draft().outputs.at(i)->type.dtype)),
      fmt::format("out{}", i), {ArgumentKind::output, static_cast<int32_t>(i)});
}

std::string KernelText::scratch(const Dim& offset, const std::string& type) {
  const int32_t at = offset == Dim(0) ? -1 : step_.size(offset);
  return parameter(type + "*", fmt::format("scratch{}", at + 1), {ArgumentKind::scratch, at});
}

std::string KernelText::dim(const Dim& dim) {
  if (const auto value = dim.constant())
    return *value == static_cast<int32_t>(*value) ? fmt::format("{}", *value)
                                                  : fmt::format("{}LL", *value);
  const int32_t size = step_.size(dim);
  return parameter("const idx", fmt::format("n{}", size), {ArgumentKind::size32, size});
}

void KernelText::reach(const Dim& elements) {
  const int64_t upper = elements.upper();
  // No bound: sizes are passed in 32 bits, which the runtime checks.
  if (upper != Dim::unbounded && upper > INT32_MAX) wide_ = true;
}

void KernelText::reach_all() {
  for (const StepArg& arg : step_.draft().inputs)
    if (arg.value && has_strides(arg.value->type)) reach(memory_elements(arg.value->type));
  for (const Value* value : step_.draft().outputs)
    if (value && has_strides(value->type)) reach(memory_elements(value->type));
}

std::string KernelText::unflatten(const std::string& flat, const Shape& sizes,
                                  const std::vector<std::string>& variables) {
  TENREC_ASSERT(sizes.size() == variables.size() && !sizes.empty());
  if (sizes.size() == 1) return fmt::format("  const idx {} = {};\n", variables[0], flat);
  std::string text, rest = flat;
  for (size_t i = sizes.size(); i-- > 1;) {
    const std::string next = fmt::format("{}_rest", variables[i]);
    text += fmt::format("  const idx {0} = {1} / {2}, {3} = {1} - {0} * {2};\n", next, rest,
                        dim(sizes[i]), variables[i]);
    rest = next;
  }
  return text + fmt::format("  const idx {} = {};\n", variables[0], rest);
}

std::string KernelText::flat_index(const Dim& count) {
  return fmt::format(
      "  const idx i = (idx)blockIdx.x * {} + threadIdx.x;\n  if (i >= {}) return;\n",
      block_threads, dim(count));
}

std::string KernelText::offset(const Walk& walk, const std::vector<std::string>& variables) {
  std::string text = walk.offset == Dim(0) ? "" : dim(walk.offset);
  for (size_t i = 0; i < walk.strides.size(); ++i) {
    const Dim& stride = walk.strides[i];
    if (stride == Dim(0)) continue;
    if (!text.empty()) text += " + ";
    text += stride == Dim(1) ? variables[i] : fmt::format("{} * {}", variables[i], dim(stride));
  }
  return text.empty() ? "0" : text;
}

std::string KernelText::text(int threads) const {
  std::string parameters;
  for (const auto& [declaration, argument] : parameters_)
    parameters += (parameters.empty() ? "" : ", ") + declaration;
  const auto uses = [&](std::string_view what) {
    return body.find(what) != body.npos || functions.find(what) != functions.npos;
  };
  const bool small_floats = uses("_f8e") || uses("_f4e");
  return fmt::format(
      "#include \"scalar.cuh\"\n{}typedef {} idx;\n{}\nextern \"C\" __global__ void "
      "{}__launch_bounds__({})\n{}({}) {{\n{}}}\n",
      small_floats ? "#include \"small_float.cuh\"\n" : "", wide_ ? "long long" : "int", functions,
      cluster > 1 ? fmt::format("__cluster_dims__({}, 1, 1) ", cluster) : "", threads, entry_,
      parameters, body);
}

StepWriter::StepWriter(StepDraft draft) : draft_(std::move(draft)) {
  // All generated kernels run alike; who made them is for people.
  draft_.tactic = draft_.family + (draft_.tactic.empty() ? "" : " ") + draft_.tactic;
  draft_.family = "kernels";
}

size_t StepWriter::add_input(StepArg arg) {
  draft_.inputs.push_back(std::move(arg));
  return draft_.inputs.size() - 1;
}

int32_t StepWriter::size(const Dim& dim) {
  for (size_t i = 0; i < draft_.sizes.size(); ++i)
    if (draft_.sizes[i] == dim) return static_cast<int32_t>(i);
  draft_.sizes.push_back(dim);
  return static_cast<int32_t>(draft_.sizes.size() - 1);
}

Dim StepWriter::add_scratch(const Dim& bytes) {
  const Dim offset = scratch_;
  scratch_ = scratch_ + ceildiv(bytes, Dim(256)) * Dim(256);
  return offset;
}

void StepWriter::launch(const KernelText& kernel, const Dim& grid_x, int threads, const Dim& grid_y,
                        const Dim& grid_z, int shared) {
  Launch launch;
  launch.code = static_cast<int32_t>(draft_.code.size());
  launch.entry = kernel.entry_;
  for (const auto& [declaration, argument] : kernel.parameters_) {
    launch.arguments.push_back(argument);
    if (argument.kind == ArgumentKind::size32 && kernel.wide_)
      launch.arguments.back().kind = ArgumentKind::size64;
  }
  launch.grid_x = size(grid_x);
  launch.grid_y = grid_y == Dim(1) ? -1 : size(grid_y);
  launch.grid_z = grid_z == Dim(1) ? -1 : size(grid_z);
  launch.threads = threads;
  launch.shared = shared;
  draft_.code.push_back({kernel.entry_, kernel.text(threads)});
  params_.launches.push_back(std::move(launch));
}

void StepWriter::launch_flat(const KernelText& kernel, const Dim& count) {
  launch(kernel, ceildiv(count, Dim(block_threads)), block_threads);
}

void StepWriter::resize(size_t output, const std::vector<Dim>& dims,
                        const std::vector<int>& counts) {
  SizeRead resize;
  resize.after = static_cast<int32_t>(params_.launches.size()) - 1;
  resize.output = static_cast<int32_t>(output);
  for (size_t i = 0; i < dims.size(); ++i)
    resize.dims.push_back(counts[i] >= 0 ? -1 - counts[i] : size(dims[i]));
  params_.resizes.push_back(std::move(resize));
}

StepDraft StepWriter::finish() {
  draft_.scratch = scratch_;
  draft_.params = encode(params_);
  return std::move(draft_);
}

}  // namespace tenrec::cuda
