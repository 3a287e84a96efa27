// SPDX-License-Identifier: Apache-2.0
// Random tensors, the interpreter's for the same seed. Without one a first thread takes a key from
// the clock, in recorded graphs too.
#include "ops/random.h"

#include <bit>

#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

class Writer {
 public:
  Writer(const Node& node, StepWriter& step)
      : node_(node), step_(step), kernel_(step, std::string(node.op().name())) {
    kernel_.reach_all();
    kernel_.functions = "#include \"random.cuh\"\n";
  }

  void uniform(const RandomUniform& op) {
    elements(op.seed, op.low, static_cast<double>(op.high) - static_cast<double>(op.low), "unit");
  }
  void normal(const RandomNormal& op) { elements(op.seed, op.mean, op.scale, "normal"); }

  void multinomial(const Multinomial& op) {
    const Type& in = node_.input(0)->type;
    const std::string classes = kernel_.dim(in.shape[1]);
    const std::string key = key_text(op.seed);
    kernel_.body += fmt::format(
        "  const idx row = blockIdx.x;\n"
        "  const auto load = [&](idx c) {{ return (double){}; }};\n"
        "  const auto store = [&](idx s, idx c) {{ {}[row * {} + s] = c; }};\n"
        "  draw_classes({}, row, {}, {}, load, store);\n",
        load_text(in.dtype, fmt::format("{}[row * {} + c]", kernel_.input(0), classes)),
        kernel_.output(0), op.sample_size, key, classes, op.sample_size);
    step_.launch(kernel_, in.shape[0], block_threads);
  }

 private:
  // The key as an expression; without a seed another launch writes it to memory first.
  std::string key_text(const std::optional<float>& seed) {
    if (seed) return fmt::format("mixed({}ULL)", std::bit_cast<uint32_t>(*seed));
    const Dim place = step_.add_scratch(8);
    KernelText first(step_, "random_key");
    first.functions = "#include \"random.cuh\"\n";
    first.body = fmt::format("  {0}[0] = fresh_key({0});\n", first.scratch(place, "u64"));
    step_.launch(first, 1, 1);
    return kernel_.scratch(place, "u64") + "[0]";
  }

  void elements(const std::optional<float>& seed, double offset, double factor,
                std::string_view kind) {
    const DType dtype = node_.output()->type.dtype;
    const Dim count = product(node_.output()->type.shape);
    const std::string key = key_text(seed);
    kernel_.body = kernel_.flat_index(count);
    const std::string drawn =
        fmt::format("({})({} + draw_{}({}, i) * {})", compute_type(dtype),
                    literal(DType::f64, offset, 0), kind, key, literal(DType::f64, factor, 0));
    kernel_.body += fmt::format("  {}[i] = {};\n", kernel_.output(0), store_text(dtype, drawn));
    step_.launch_flat(kernel_, count);
  }

  const Node& node_;
  StepWriter& step_;
  KernelText kernel_;
};

class Random final : public Kernel {
 public:
  std::string_view name() const override { return "random"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* multinomial = node.as<Multinomial>();
    if (!node.as<RandomUniform>() && !node.as<RandomNormal>() && !multinomial)
      return "nothing random";
    return elements_problem({node.output(), multinomial ? node.input(0) : nullptr});
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    // Shapes given as values are sizes of the step.
    if (!node.as<Multinomial>()) draft.inputs.clear();
    StepWriter step(std::move(draft));
    Writer writer(node, step);
    if (const auto* op = node.as<RandomUniform>()) writer.uniform(*op);
    if (const auto* op = node.as<RandomNormal>()) writer.normal(*op);
    if (const auto* op = node.as<Multinomial>()) writer.multinomial(*op);
    return step.finish();
  }
};

}  // namespace

const Kernel& random_kernel() {
  static const Random kernel;
  return kernel;
}

}  // namespace tenrec::cuda
