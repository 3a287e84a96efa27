// SPDX-License-Identifier: Apache-2.0
// Pointwise operators and fused pointwise regions: one thread computes a few neighbours of the
// output, read and written 16 bytes at a time where strides allow it.
#include <algorithm>

#include "targets/common/pointwise_program.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

constexpr int64_t vector_bytes = 16;

Type type_of(const StepArg& arg) {
  return arg.value ? arg.value->type : Type::of_constant(arg.weight);
}

Reject check_types(const PointwiseProgram& recorded) {
  if (recorded.outputs.empty()) return "no output is used";
  const Type& first = recorded.outputs[0]->type;
  for (const Value* output : recorded.outputs) {
    const Type& type = output->type;
    if (!has_strides(type)) return "the rank is not known, or a blocked layout";
    if (type.shape != first.shape || !(type.layout == first.layout))
      return "outputs differ in shape or layout";
  }
  for (const StepArg& arg : recorded.inputs) {
    const Type type = type_of(arg);
    if (!has_strides(type)) return "the rank is not known, or a blocked layout";
    if (type.rank() > first.rank()) return "an input has more axes than the output";
  }
  return unsupported(recorded.program);
}

enum class Access { vector, splat, strided };

class Writer {
 public:
  Writer(const PointwiseProgram& recorded, StepWriter& step)
      : recorded_(recorded), step_(step), kernel_(step, "pointwise") {
    std::vector<Type> inputs;
    for (const StepArg& arg : recorded.inputs) inputs.push_back(type_of(arg));
    loops_ = broadcast_loops(recorded.outputs[0]->type, inputs);
    loops_.collapse();
    kernel_.reach_all();
    choose_width();
  }

  void write() {
    kernel_.functions = emit_function(recorded_.program, "apply");
    const Dim row = loops_.sizes.back();
    Shape grid = loops_.sizes;
    grid.back() = ceildiv(row, Dim(width_));
    std::vector<std::string> variables;
    for (size_t i = 0; i < grid.size(); ++i) variables.push_back(fmt::format("i{}", i));
    std::string& body = kernel_.body;
    body =
        fmt::format("  const idx i = (idx)blockIdx.x * {} + threadIdx.x;\n  if (i >= {}) return;\n",
                    block_threads, kernel_.dim(product(grid)));
    body += kernel_.unflatten("i", grid, variables);
    const std::string last = variables.back();
    if (width_ > 1) {
      variables.back() = "at";
      body += fmt::format("  const idx at = {} * {};\n", last, width_);
    }
    for (size_t k = 0; k < loops_.walks.size(); ++k)
      body += fmt::format("  const idx o{} = {};\n", k, kernel_.offset(loops_.walks[k], variables));
    if (is_multiple(row, width_)) {
      body += "  const int count = " + std::to_string(width_) + ";\n";
      body += lanes(true);
    } else {
      body += fmt::format("  if (at + {} <= {}) {{\n{}  }} else {{\n", width_, kernel_.dim(row),
                          lanes(true));
      body += fmt::format("  const int count = (int)({} - at);\n{}  }}\n", kernel_.dim(row),
                          lanes(false));
    }
    step_.launch(kernel_, ceildiv(product(grid), Dim(block_threads)), block_threads);
  }

 private:
  DType input_type(size_t k) const { return type_of(recorded_.inputs[k]).dtype; }
  size_t outputs() const { return recorded_.outputs.size(); }

  // The most lanes that fill 16 bytes of the widest tensor that is read or written in rows.
  void choose_width() {
    int64_t widest = 1;
    for (const Value* output : recorded_.outputs)
      widest = std::max<int64_t>(widest, bit_width(output->type.dtype) / 8);
    for (size_t k = 0; k < recorded_.inputs.size(); ++k)
      if (loops_.walks[k + 1].strides.back() == Dim(1))
        widest = std::max<int64_t>(widest, bit_width(input_type(k)) / 8);
    width_ = std::min<int64_t>(vector_bytes / widest, 8);
    const bool flat = loops_.sizes.size() == 1;
    while (width_ > 1 && !(flat || is_multiple(loops_.sizes.back(), width_))) width_ /= 2;
    if (!(loops_.walks[0].strides.back() == Dim(1))) width_ = 1;
  }

  Access access(const Walk& walk) const {
    if (walk.strides.back() == Dim(0)) return Access::splat;
    if (!(walk.strides.back() == Dim(1))) return Access::strided;
    bool aligned = is_multiple(walk.offset, width_);
    for (size_t i = 0; i + 1 < walk.strides.size(); ++i)
      aligned = aligned && is_multiple(walk.strides[i], width_);
    return aligned && width_ > 1 ? Access::vector : Access::strided;
  }

  std::string load(size_t k, bool whole) {
    const Walk& walk = loops_.walks[k + 1];
    const DType dtype = input_type(k);
    const std::string name = kernel_.input(k), o = fmt::format("o{}", k + 1);
    const std::string value = compute_type(dtype);
    std::string text = fmt::format("  {} a{}[{}];\n", value, k, width_);
    const Access how = access(walk);
    if (how == Access::splat) {
      text +=
          fmt::format("  const {0} s{1} = {2};\n  for (int v = 0; v < {3}; ++v) a{1}[v] = s{1};\n",
                      value, k, load_text(dtype, fmt::format("{}[{}]", name, o)), width_);
    } else if (how == Access::vector && whole) {
      text += fmt::format(
          "  const Pack<{0}, {1}> p{2} = *(const Pack<{0}, {1}>*)({3} + {4});\n"
          "  for (int v = 0; v < {1}; ++v) a{2}[v] = {5};\n",
          storage_type(dtype), width_, k, name, o, load_text(dtype, fmt::format("p{}.at[v]", k)));
    } else {
      const std::string stride = kernel_.dim(walk.strides.back());
      text += fmt::format("  for (int v = 0; v < {}; ++v) a{}[v] = {};\n",
                          whole ? width_string() : "count", k,
                          load_text(dtype, fmt::format("{}[{} + v * {}]", name, o, stride)));
    }
    return text;
  }

  std::string store(size_t k, bool whole) {
    const DType dtype = recorded_.outputs[k]->type.dtype;
    const std::string name = kernel_.output(k);
    if (whole && width_ > 1) {
      return fmt::format(
          "  Pack<{0}, {1}> q{2};\n  for (int v = 0; v < {1}; ++v) q{2}.at[v] = {3};\n"
          "  *(Pack<{0}, {1}>*)({4} + o0) = q{2};\n",
          storage_type(dtype), width_, k, store_text(dtype, fmt::format("r{}[v]", k)), name);
    }
    return fmt::format("  for (int v = 0; v < {}; ++v) {}[o0 + v] = {};\n",
                       whole ? width_string() : "count", name,
                       store_text(dtype, fmt::format("r{}[v]", k)));
  }

  std::string width_string() const { return std::to_string(width_); }

  // Everything for the lanes at `at`: all of them, or the first `count`.
  std::string lanes(bool whole) {
    std::string text, arguments;
    for (size_t k = 0; k < recorded_.inputs.size(); ++k) {
      text += load(k, whole);
      arguments += fmt::format("a{}[v], ", k);
    }
    for (size_t k = 0; k < outputs(); ++k) {
      const DType dtype = recorded_.outputs[k]->type.dtype;
      text += fmt::format("  {} r{}[{}];\n", compute_type(dtype), k, width_);
      arguments += fmt::format("{}r{}[v]", k == 0 ? "" : ", ", k);
    }
    text += fmt::format("  for (int v = 0; v < {}; ++v) apply({});\n",
                        whole ? width_string() : "count", arguments);
    for (size_t k = 0; k < outputs(); ++k) text += store(k, whole);
    return text;
  }

  const PointwiseProgram& recorded_;
  StepWriter& step_;
  KernelText kernel_;
  Loops loops_;
  int64_t width_ = 1;
};

class Pointwise : public Kernel {
 public:
  std::string_view name() const override { return "pointwise"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const PointwiseProgram recorded = pointwise_program(node);
    return recorded.reject.empty() ? check_types(recorded) : recorded.reject;
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const PointwiseProgram recorded = pointwise_program(node);
    StepDraft draft = draft_of(node, name(), tactic);
    draft.inputs = recorded.inputs;
    draft.outputs = recorded.outputs;
    if (draft.outputs.size() == 1) {
      const Type& out = draft.outputs[0]->type;
      for (size_t i = 0; i < draft.inputs.size() && draft.in_place < 0; ++i) {
        const Value* input = draft.inputs[i].value;
        if (input && !input->constant() && input->type == out) draft.in_place = static_cast<int>(i);
      }
    }
    StepWriter step(std::move(draft));
    Writer(recorded, step).write();
    return step.finish();
  }
};

}  // namespace

const Kernel& pointwise_kernel() {
  static const Pointwise kernel;
  return kernel;
}

}  // namespace tenrec::cuda
