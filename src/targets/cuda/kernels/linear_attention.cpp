// SPDX-License-Identifier: Apache-2.0
// LinearAttention; see device/linear_attention.cuh.
#include "ops/linear_attention.h"

#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

enum Input : size_t { query, key, value, state, decay, beta };

constexpr int warps = 8;
constexpr int64_t most_in_registers = 512;  // elements of a key

class Writer {
 public:
  Writer(const Node& node, const LinearAttention& op, StepWriter& step)
      : node_(node),
        op_(op),
        step_(step),
        kernel_(step, "linear_attention"),
        real_(node.output(0)->type.dtype == DType::f64 ? DType::f64 : DType::f32) {
    kernel_.reach_all();
    batch_ = type(query).shape[0];
    steps_ = type(query).shape[1];
    key_size_ = floordiv(type(key).shape[2], Dim(op.kv_num_heads));
    value_size_ = floordiv(type(value).shape[2], Dim(op.kv_num_heads));
  }

  void write() {
    const Dim columns = batch_ * Dim(op_.kv_num_heads) * value_size_;
    const std::string real = compute_type(real_);
    const auto constant = key_size_.constant();
    const bool fits = constant && *constant <= most_in_registers;
    const std::string memory = fits ? "nullptr" : state_memory(columns, real);
    kernel_.functions = fmt::format(
        "#include \"linear_attention.cuh\"\nstruct Config {{\n  typedef {} T;\n"
        "  static constexpr int kept = {};\n"
        "  static constexpr bool decays = {}, corrects = {};\n}};\n",
        real, fits ? (*constant + 31) / 32 : 0, has(decay), has(beta));
    kernel_.body = fmt::format(
        "  const idx column = (idx)blockIdx.x * {0} + threadIdx.x / 32;\n"
        "  if (column >= {1}) return;\n"
        "  const idx v = column % {2}, h = column / {2} % {3}, n = column / ({2} * {3});\n",
        warps, kernel_.dim(columns), kernel_.dim(value_size_), op_.kv_num_heads);
    kernel_.body += element_functions();
    kernel_.body += fmt::format(
        "  linear_attention<Config>({}, {}, {}, {}, {}, start, query, key, value, log_decay, "
        "rate,\n"
        "                           answer, finish);\n",
        kernel_.dim(steps_), kernel_.dim(key_size_), op_.q_num_heads / op_.kv_num_heads,
        scale_text(), memory);
    step_.launch(kernel_, ceildiv(columns, Dim(warps)), warps * 32);
  }

 private:
  bool has(size_t i) const { return node_.input(i) != nullptr; }
  const Type& type(size_t i) const { return node_.input(i)->type; }

  std::string state_memory(const Dim& columns, const std::string& real) {
    const Dim bytes = columns * key_size_ * Dim(bit_width(real_) / 8);
    kernel_.reach(columns * key_size_);
    return fmt::format("{} + column * {}", kernel_.scratch(step_.add_scratch(bytes), real),
                       kernel_.dim(key_size_));
  }

  std::string scale_text() {
    if (op_.scale != 0) return literal(real_, static_cast<double>(op_.scale), 0);
    return fmt::format("({0})1 / fn_sqrt<{0}>(({0}){1})", compute_type(real_),
                       kernel_.dim(key_size_));
  }

  std::string read(size_t i, const std::string& at) {
    return load_text(type(i).dtype, fmt::format("{}[{}]", kernel_.input(i), at));
  }

  std::string function(const std::string& name, const std::string& parameters,
                       const std::string& result) const {
    return fmt::format("  const auto {} = [&]({}) -> {} {{ return {}; }};\n", name, parameters,
                       compute_type(real_), result);
  }

  // `one` where the input has `few` elements a step, else `many`.
  std::string place_by_width(size_t i, int64_t few, const std::string& one,
                             const std::string& many) {
    const Dim& width = type(i).shape[2];
    if (width.is_const()) return width == Dim(few) ? one : many;
    return fmt::format("{} == {} ? {} : {}", kernel_.dim(width), few, one, many);
  }

  // Where each element lies.
  std::string element_functions() {
    const std::string k = kernel_.dim(key_size_), v = kernel_.dim(value_size_);
    const int64_t kv = op_.kv_num_heads, group = op_.q_num_heads / kv;
    const std::string row = fmt::format("(n * {} + t)", kernel_.dim(steps_));
    const std::string head = fmt::format("({} * {} + h)", row, kv);
    const std::string asked = fmt::format("({} * {} + g)", head, group);
    const std::string place = fmt::format("((n * {} + h) * {} + i) * {} + v", kv, k, v);
    const std::string by_key = fmt::format("{} * {} + i", head, k);
    const std::string real = compute_type(real_);
    return function("start", "idx i", has(state) ? read(state, place) : "0") +
           function("query", "idx t, int g, idx i",
                    read(query, fmt::format("{} * {} + i", asked, k))) +
           function("key", "idx t, idx i", read(key, by_key)) +
           function("value", "idx t", read(value, fmt::format("{} * {} + v", head, v))) +
           function("log_decay", "idx t, idx i",
                    has(decay) ? read(decay, place_by_width(decay, kv, head, by_key)) : "0") +
           function("rate", "idx t",
                    has(beta) ? read(beta, place_by_width(beta, 1, row, head)) : "1") +
           fmt::format("  const auto answer = [&](idx t, int g, {} y) {{ {} }};\n", real,
                       write(0, fmt::format("{} * {} + v", asked, v))) +
           fmt::format("  const auto finish = [&](idx i, {} y) {{ {} }};\n", real, write(1, place));
  }

  std::string write(size_t i, const std::string& at) {
    if (i >= step_.draft().outputs.size() || !step_.draft().outputs[i]) return "";
    return fmt::format("{}[{}] = {};", kernel_.output(i), at,
                       store_text(step_.draft().outputs[i]->type.dtype, "y"));
  }

  const Node& node_;
  const LinearAttention& op_;
  StepWriter& step_;
  KernelText kernel_;
  const DType real_;
  Dim batch_, steps_, key_size_, value_size_;
};

class LinearAttentionKernel final : public Kernel {
 public:
  std::string_view name() const override { return "linear_attention"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<LinearAttention>()) return "no linear attention";
    std::string problem = elements_problem(node.inputs());
    if (!problem.empty()) return problem;
    for (const Value* output : node.outputs())
      if (!has_strides(output->type)) return "the rank is not known";
    return "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepWriter step(draft_of(node, name(), tactic));
    Writer(node, *node.as<LinearAttention>(), step).write();
    return step.finish();
  }
};

}  // namespace

const Kernel& linear_attention_kernel() {
  static const LinearAttentionKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
