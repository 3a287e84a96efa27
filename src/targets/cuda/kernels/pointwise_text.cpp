// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/pointwise_text.h"

#include <algorithm>
#include <optional>

#include "targets/cuda/emit.h"

namespace tenrec::cuda {
namespace {

constexpr int64_t vector_bytes = 16;

enum class Access { vector, splat, strided };

class Writer {
 public:
  Writer(PointwisePart part, std::string name, KernelText& kernel, const StepDraft& draft)
      : part_(std::move(part)), name_(std::move(name)), kernel_(kernel), draft_(draft) {
    part_.loops.collapse();
    choose_width();
  }

  BlockPart write() {
    kernel_.functions += emit_function(part_.program, name_);
    if (const auto along = transposed_one()) return transposed(*along);
    const Dim row = part_.loops.sizes.back();
    Shape grid = part_.loops.sizes;
    grid.back() = ceildiv(row, Dim(width_));
    std::vector<std::string> variables = numbered("i", grid.size());
    std::string body =
        fmt::format("  const idx i = block * {} + threadIdx.x;\n  if (i >= {}) return;\n",
                    block_threads, kernel_.dim(product(grid)));
    body += kernel_.unflatten("i", grid, variables);
    const std::string last = variables.back();
    if (width_ > 1) {
      variables.back() = "at";
      body += fmt::format("  const idx at = {} * {};\n", last, width_);
    }
    for (size_t k = 0; k < part_.loops.walks.size(); ++k)
      body += fmt::format("  const idx o{} = {};\n", k,
                          kernel_.offset(part_.loops.walks[k], variables));
    if (is_multiple(row, width_)) {
      body += "  const int count = " + std::to_string(width_) + ";\n";
      body += lanes(true);
    } else {
      body += fmt::format("  if (at + {} <= {}) {{\n{}  }} else {{\n", width_, kernel_.dim(row),
                          lanes(true));
      body += fmt::format("  const int count = (int)({} - at);\n{}  }}\n", kernel_.dim(row),
                          lanes(false));
    }
    return {body, ceildiv(product(grid), Dim(block_threads))};
  }

 private:
  DType input_type(size_t k) const {
    const StepArg& arg = draft_.inputs.at(part_.inputs[k]);
    return arg.value ? arg.value->type.dtype : arg.weight.dtype();
  }
  DType output_type(size_t k) const { return draft_.outputs.at(part_.outputs[k])->type.dtype; }
  size_t inputs() const { return part_.inputs.size(); }
  size_t outputs() const { return part_.outputs.size(); }

  std::optional<size_t> transposed_one() const {
    if (inputs() != 1 || outputs() != 1) return std::nullopt;
    return transposed_loop(part_.loops, part_.loops.walks[0], part_.loops.walks[1]);
  }

  BlockPart transposed(size_t along) {
    const DType from = input_type(0), to = output_type(0);
    const auto load = [&](const std::string& offset) {
      const std::string element = fmt::format("{}[{}]", kernel_.input(part_.inputs[0]), offset);
      return fmt::format("{} y; {}({}, y); return {};", compute_type(to), name_,
                         load_text(from, element), store_text(to, "y"));
    };
    return transpose_part(part_.loops, along, storage_type(to), load,
                          kernel_.output(part_.outputs[0]), kernel_);
  }

  // The most lanes that fill 16 bytes of the widest tensor that is read or written in rows.
  void choose_width() {
    int64_t widest = 1;
    for (size_t k = 0; k < outputs(); ++k)
      widest = std::max<int64_t>(widest, bit_width(output_type(k)) / 8);
    for (size_t k = 0; k < inputs(); ++k)
      if (part_.loops.walks[k + 1].strides.back() == Dim(1))
        widest = std::max<int64_t>(widest, bit_width(input_type(k)) / 8);
    width_ = std::min<int64_t>(vector_bytes / widest, 8);
    const bool flat = part_.loops.sizes.size() == 1;
    while (width_ > 1 && !(flat || is_multiple(part_.loops.sizes.back(), width_))) width_ /= 2;
    if (!(part_.loops.walks[0].strides.back() == Dim(1))) width_ = 1;
    while (width_ > 1 && !is_aligned(part_.loops.walks[0])) width_ /= 2;
  }

  bool is_aligned(const Walk& walk) const {
    bool aligned = is_multiple(walk.offset, width_);
    for (size_t i = 0; i + 1 < walk.strides.size(); ++i)
      aligned = aligned && is_multiple(walk.strides[i], width_);
    return aligned;
  }

  Access access(const Walk& walk) const {
    if (walk.strides.back() == Dim(0)) return Access::splat;
    if (!(walk.strides.back() == Dim(1))) return Access::strided;
    return is_aligned(walk) && width_ > 1 ? Access::vector : Access::strided;
  }

  std::string load(size_t k, bool whole) {
    const Walk& walk = part_.loops.walks[k + 1];
    const DType dtype = input_type(k);
    const std::string name = kernel_.input(part_.inputs[k]), o = fmt::format("o{}", k + 1);
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
    const DType dtype = output_type(k);
    const std::string name = kernel_.output(part_.outputs[k]);
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
    for (size_t k = 0; k < inputs(); ++k) {
      text += load(k, whole);
      arguments += fmt::format("a{}[v], ", k);
    }
    for (size_t k = 0; k < outputs(); ++k) {
      const DType dtype = output_type(k);
      text += fmt::format("  {} r{}[{}];\n", compute_type(dtype), k, width_);
      arguments += fmt::format("{}r{}[v]", k == 0 ? "" : ", ", k);
    }
    text += fmt::format("  for (int v = 0; v < {}; ++v) {}({});\n",
                        whole ? width_string() : "count", name_, arguments);
    for (size_t k = 0; k < outputs(); ++k) text += store(k, whole);
    return text;
  }

  PointwisePart part_;
  const std::string name_;
  KernelText& kernel_;
  const StepDraft& draft_;
  int64_t width_ = 1;
};

}  // namespace

BlockPart pointwise_text(PointwisePart part, const std::string& name, KernelText& kernel,
                         const StepDraft& draft) {
  return Writer(std::move(part), name, kernel, draft).write();
}

void launch_parts(std::vector<PointwisePart> parts, const std::string& entry, StepWriter& step) {
  KernelText kernel(step, entry);
  kernel.reach_all();
  std::vector<BlockPart> texts;
  for (size_t k = 0; k < parts.size(); ++k)
    texts.push_back(
        pointwise_text(std::move(parts[k]), fmt::format("apply{}", k), kernel, step.draft()));
  launch_in_turn(texts, kernel, step);
}

}  // namespace tenrec::cuda
