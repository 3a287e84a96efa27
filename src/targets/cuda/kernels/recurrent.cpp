// SPDX-License-Identifier: Apache-2.0
// LSTM, GRU and RNN: a block a sample and direction, states in shared memory over all of the time.
#include "ops/recurrent.h"

#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

constexpr int threads = 512;
constexpr int64_t max_shared = 96 << 10;  // every GPU from sm_80 on has that

struct Network {
  int gates = 0;
  std::string direction;
  float clip = 0;
  int64_t layout = 0;
  bool input_forget = false, linear_before_reset = false;
  std::vector<ActivationSpec> functions;
  int functions_each = 1;
};

template <class T>
Network network(const T& op, int gates, std::vector<std::string> defaults) {
  Network result;
  result.gates = gates;
  result.direction = op.direction;
  result.clip = op.clip;
  result.layout = op.layout;
  result.functions_each = static_cast<int>(defaults.size());
  result.functions = resolve_activations(op.activations, op.activation_alpha, op.activation_beta,
                                         defaults, op.direction == "bidirectional" ? 2 : 1);
  return result;
}

std::optional<Network> network_of(const Node& node) {
  if (const auto* op = node.as<LSTM>()) {
    Network result = network(*op, 4, {"Sigmoid", "Tanh", "Tanh"});
    result.input_forget = op->input_forget;
    return result;
  }
  if (const auto* op = node.as<GRU>()) {
    Network result = network(*op, 3, {"Sigmoid", "Tanh"});
    result.linear_before_reset = op->linear_before_reset;
    return result;
  }
  if (const auto* op = node.as<RNN>()) return network(*op, 1, {"Tanh"});
  return std::nullopt;
}

std::string activation_text(const ActivationSpec& spec) {
  const auto number = [](double value) { return literal(DType::f32, value, 0); };
  const std::string alpha = number(spec.alpha), beta = number(spec.beta);
  switch (spec.kind) {
    case RecurrentActivation::relu: return "fmaxf(x, 0.0f)";
    case RecurrentActivation::tanh: return "tanhf(x)";
    case RecurrentActivation::sigmoid: return "fn_sigmoid<float>(x)";
    case RecurrentActivation::affine: return fmt::format("{} * x + {}", alpha, beta);
    case RecurrentActivation::leaky_relu: return fmt::format("x < 0 ? {} * x : x", alpha);
    case RecurrentActivation::thresholded_relu: return fmt::format("x > {} ? x : 0.0f", alpha);
    case RecurrentActivation::scaled_tanh: return fmt::format("{} * tanhf({} * x)", alpha, beta);
    case RecurrentActivation::hard_sigmoid:
      return fmt::format("fminf(fmaxf({} * x + {}, 0.0f), 1.0f)", alpha, beta);
    case RecurrentActivation::elu: return fmt::format("x < 0 ? {} * expm1f(x) : x", alpha);
    case RecurrentActivation::softsign: return "x / (1 + fabsf(x))";
    case RecurrentActivation::softplus: return "fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x)))";
  }
  return "x";
}

// What device/recurrent.cuh takes as its template parameter.
std::string config_text(const Network& net, int64_t hidden) {
  std::string text = fmt::format(
      "struct Config {{\n  static constexpr int gates = {}, hidden = {};\n"
      "  static constexpr bool input_forget = {}, linear_before_reset = {};\n"
      "  static __device__ __forceinline__ float clip(float x) {{ return {}; }}\n"
      "  template <int which> static __device__ __forceinline__ float f(int d, float x) {{\n",
      net.gates, hidden, net.input_forget, net.linear_before_reset,
      net.clip > 0 ? fmt::format("fminf(fmaxf(x, -{0}), {0})",
                                 literal(DType::f32, static_cast<double>(net.clip), 0))
                   : "x");
  for (size_t i = 0; i < net.functions.size(); ++i)
    text += fmt::format(
        "    if (d == {} && which == {}) return {};\n", static_cast<int>(i) / net.functions_each,
        static_cast<int>(i) % net.functions_each, activation_text(net.functions[i]));
  return text + "    return x;\n  }\n};\n";
}

int64_t shared_bytes(const Network& net, int64_t hidden) {
  return 4 * (2 * net.gates * hidden + 3 * hidden);
}

class Recurrent : public Kernel {
 public:
  std::string_view name() const override { return "recurrent"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const std::optional<Network> net = network_of(node);
    if (!net) return "no recurrent network";
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Value* value = node.input(i);
      if (!value) continue;
      if (!has_strides(value->type) || !value->type.layout.is_plain())
        return "the rank is not known, or a layout";
      if (value->type.dtype != (i == 4 ? DType::i32 : DType::f32))
        return fmt::format("{} input", tenrec::name(value->type.dtype));
    }
    for (const Value* value : node.outputs())
      if (!has_strides(value->type)) return "the rank is not known";
    if (net->layout != 0) return "batch-first layout";
    const auto hidden = node.input(2)->type.shape[2].constant();
    if (!hidden) return "the number of states is not known";
    return shared_bytes(*net, *hidden) > max_shared ? "too many states for shared memory" : "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const Network net = *network_of(node);
    const int64_t hidden = node.input(2)->type.shape[2].value();
    const Type& x = node.input(0)->type;
    const Dim directions = node.input(1)->type.shape[0];
    StepWriter step(draft_of(node, name(), tactic));
    KernelText kernel(step, std::string(node.op().name()));
    kernel.reach_all();
    kernel.functions = config_text(net, hidden) + "#include \"recurrent.cuh\"\n";
    const auto input = [&](size_t i) { return node.input(i) ? kernel.input(i) : "nullptr"; };
    const auto output = [&](size_t i) {
      const auto& outputs = step.draft().outputs;
      return i < outputs.size() && outputs[i] ? kernel.output(i) : "nullptr";
    };
    kernel.body = fmt::format(
        "  const idx d = blockIdx.x / {1};\n"
        "  recurrent<Config>({{{5}, {6}, {7}, {8}, {9}, {10}, {11}, {12}, {13}, {14}, {15},\n"
        "                     {0}, {1}, {2}, {3}}}, d, blockIdx.x % {1}, {4});\n",
        kernel.dim(x.shape[0]), kernel.dim(x.shape[1]), kernel.dim(x.shape[2]),
        kernel.dim(directions),
        net.direction == "reverse"   ? "true"
        : net.direction == "forward" ? "false"
                                     : "d == 1",
        input(0), input(1), input(2), input(3), input(4), input(5), input(6), input(7), output(0),
        output(1), output(2));
    step.launch(kernel, directions * x.shape[1], threads, 1, 1,
                static_cast<int>(shared_bytes(net, hidden)));
    return step.finish();
  }
};

}  // namespace

const Kernel& recurrent_kernel() {
  static const Recurrent kernel;
  return kernel;
}

}  // namespace tenrec::cuda
