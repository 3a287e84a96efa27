// SPDX-License-Identifier: Apache-2.0
// DFT and STFT. Lengths, steps and the axis may be what only running tells: kernels read them.
#include "ops/spectrum.h"

#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

constexpr int64_t most_blocks = 512, complex_bytes = 16;

bool has(const Node& node, size_t i) { return node.input(i) != nullptr; }

std::optional<Dim> known_value(const Node& node, size_t i) {
  const std::vector<Dim>* known = node.input(i)->type.known_ints();
  return known && known->size() == 1 ? std::optional((*known)[0]) : std::nullopt;
}

class Writer {
 public:
  Writer(const Node& node, StepWriter& step)
      : node_(node),
        step_(step),
        kernel_(step, std::string(node.op().name())),
        in_(node.input(0)->type),
        out_(node.output()->type) {
    kernel_.reach_all();
    kernel_.functions = "#include \"spectrum.cuh\"\n";
  }

  void dft(const Dft& op) {
    const Dim rows = product(in_.shape);
    Dim longest = 1;
    for (const Shape& shape : {in_.shape, out_.shape})
      for (size_t i = 0; i + 1 < shape.size(); ++i) longest = max(longest, shape[i] * Dim(2));
    const Dim length = has(node_, 1) ? known_value(node_, 1).value_or(longest) : longest;
    const std::string dims = dims_text(in_);
    std::string& body = kernel_.body;
    body = fmt::format(
        "  const idx dims[] = {{{0}}};\n  idx axis = {1};\n  if (axis < 0) axis += {2};\n"
        "  const idx parts = {3}, count = dims[axis];\n"
        "  idx inner = 1, outer = 1;\n"
        "  for (int a = 0; a < {2} - 1; ++a) (a < axis ? outer : inner) *= a == axis ? 1 : "
        "dims[a];\n"
        "  const idx n = {4};\n  const idx results = {5};\n",
        dims, has(node_, 2) ? scalar(2) : "-2", in_.shape.size(), kernel_.dim(in_.shape.back()),
        has(node_, 1)               ? scalar(1)
        : op.inverse && op.onesided ? "2 * (count - 1)"
                                    : "count",
        op.onesided && !op.inverse ? "n / 2 + 1" : "n");
    begin_lines("outer * inner", max(rows, Dim(1)), length);
    body += fmt::format(
        "  const idx o = line / inner, x = line % inner;\n"
        "  const auto given = [&](idx i) -> Complex {{\n"
        "    if (i >= count) return {{0, 0}};\n"
        "    const idx at = ((o * count + i) * inner + x) * parts;\n"
        "    return {{{0}, parts == 2 ? {1} : 0}};\n  }};\n",
        element(0, "at"), element(0, "at + 1"));
    // Half a spectrum goes on as its mirror.
    body += op.inverse && op.onesided ? "  const auto load = [&](idx i) -> Complex {\n"
                                        "    if (i <= n / 2 || n - i >= count) return given(i);\n"
                                        "    const Complex mirror = given(n - i);\n    return "
                                        "{mirror.re, -mirror.im};\n  };\n"
                                      : "  const auto load = given;\n";
    const std::string scale = op.inverse ? " / n" : "";
    const bool is_real = op.inverse && op.onesided;
    body += fmt::format(
        "  const auto store = [&](idx k, Complex y) {{\n"
        "    const idx at = ((o * results + k) * inner + x) * {};\n",
        is_real ? 1 : 2);
    body += stored("at", "y.re" + scale);
    if (!is_real) body += stored("at + 1", "y.im" + scale);
    finish(op.inverse ? 1 : -1);
  }

  void stft(const Stft& op) {
    const Dim longest = max(in_.shape[1], out_.shape[2] * Dim(2));
    const std::optional<Dim> length = frame_length();
    std::string& body = kernel_.body;
    body = fmt::format("  const idx n = {}, hop = {};\n", length ? kernel_.dim(*length) : scalar(3),
                       scalar(1));
    const Dim lines = out_.shape[0] * out_.shape[1];
    begin_lines(kernel_.dim(lines), lines, length.value_or(longest));
    const std::string parts = in_.rank() == 3 ? kernel_.dim(in_.shape[2]) : "1";
    body += fmt::format(
        "  const idx parts = {0}, first = line / {1} * {2} + line % {1} * hop;\n"
        "  const auto load = [&](idx i) -> Complex {{\n"
        "    const idx at = (first + i) * parts;\n"
        "    const double w = {3};\n"
        "    return {{{4} * w, parts == 2 ? {5} * w : 0}};\n  }};\n"
        "  const idx results = {6};\n"
        "  const auto store = [&](idx k, Complex y) {{\n"
        "    const idx at = (line * results + k) * 2;\n",
        parts, kernel_.dim(out_.shape[1]), kernel_.dim(in_.shape[1]),
        has(node_, 2) ? element(2, "i") : "1", element(0, "at"), element(0, "at + 1"),
        op.onesided ? "n / 2 + 1" : "n");
    body += stored("at", "y.re") + stored("at + 1", "y.im");
    finish(-1);
  }

 private:
  // Of STFT; null: only the tensor tells.
  std::optional<Dim> frame_length() const {
    if (has(node_, 2)) return node_.input(2)->type.shape[0];
    if (has(node_, 3)) return known_value(node_, 3);
    return in_.shape[1];
  }

  std::string dims_text(const Type& type) {
    std::string text;
    for (const Dim& dim : type.shape) text += (text.empty() ? "" : ", ") + kernel_.dim(dim);
    return text;
  }

  std::string scalar(size_t i) {
    const std::optional<Dim> known = known_value(node_, i);
    return known ? kernel_.dim(*known) : fmt::format("(idx){}[0]", kernel_.input(i));
  }

  std::string element(size_t i, const std::string& at) {
    return fmt::format("(double){}", load_text(node_.input(i)->type.dtype,
                                               fmt::format("{}[{}]", kernel_.input(i), at)));
  }

  std::string stored(const std::string& at, const std::string& value) {
    return fmt::format("    {}[{}] = {};\n", kernel_.output(0), at, store_text(out_.dtype, value));
  }

  // The roots and each block's buffers; then the loop over a block's lines.
  void begin_lines(const std::string& lines, const Dim& most, const Dim& length) {
    blocks_ = min(most, Dim(most_blocks));
    length_ = length;
    roots_ = step_.add_scratch(length * Dim(complex_bytes));
    buffers_ = step_.add_scratch(blocks_ * length * Dim(complex_bytes * 2));
    kernel_.reach(blocks_ * length * Dim(2));
    setup_ = kernel_.body;
    kernel_.body +=
        fmt::format("  for (idx line = blockIdx.x; line < {}; line += gridDim.x) {{\n", lines);
  }

  void finish(int sign) {
    kernel_.body += fmt::format(
        "  }};\n  Complex* const own = {} + (idx)blockIdx.x * 2 * {};\n"
        "  transform_line({}, own, own + n, n, {}, results, load, store);\n  }}\n",
        kernel_.scratch(buffers_, "Complex"), kernel_.dim(length_),
        kernel_.scratch(roots_, "Complex"), sign);
    // The same sizes, read again: the launch that comes first has one thread a root.
    KernelText roots = kernel_;
    roots.body = setup_ + fmt::format(
                              "  const idx i = (idx)blockIdx.x * {} + threadIdx.x;\n"
                              "  if (i < n) {}[i] = root_of_unity(i, n);\n",
                              block_threads, kernel_.scratch(roots_, "Complex"));
    step_.launch_flat(roots, length_);
    step_.launch(kernel_, blocks_, block_threads);
  }

  const Node& node_;
  StepWriter& step_;
  KernelText kernel_;
  const Type &in_, &out_;
  Dim blocks_, length_, roots_, buffers_;
  std::string setup_;
};

class Spectrum final : public Kernel {
 public:
  std::string_view name() const override { return "spectrum"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<Dft>() && !node.as<Stft>()) return "no transform";
    std::string problem = elements_problem(node.inputs());
    if (!problem.empty()) return problem;
    if (!is_float(node.input(0)->type.dtype)) return "a signal of integers";
    return has_strides(node.output()->type) ? "" : "the rank is not known";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepWriter step(draft_of(node, name(), tactic));
    Writer writer(node, step);
    if (const auto* op = node.as<Dft>()) writer.dft(*op);
    if (const auto* op = node.as<Stft>()) writer.stft(*op);
    return step.finish();
  }
};

}  // namespace

const Kernel& spectrum_kernel() {
  static const Spectrum kernel;
  return kernel;
}

}  // namespace tenrec::cuda
