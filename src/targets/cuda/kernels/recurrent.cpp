// SPDX-License-Identifier: Apache-2.0
// LSTM, GRU and RNN: a block a sample and direction over all of the time, states in shared memory
// where they fit.
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

// `x` of the type R.
std::string activation_text(const ActivationSpec& spec, DType real) {
  const auto number = [&](double value) { return literal(real, value, 0); };
  const std::string alpha = number(spec.alpha), beta = number(spec.beta);
  switch (spec.kind) {
    case RecurrentActivation::relu: return "fn_max<R>(x, 0)";
    case RecurrentActivation::tanh: return "fn_tanh<R>(x)";
    case RecurrentActivation::sigmoid: return "fn_sigmoid<R>(x)";
    case RecurrentActivation::affine: return fmt::format("{} * x + {}", alpha, beta);
    case RecurrentActivation::leaky_relu: return fmt::format("x < 0 ? {} * x : x", alpha);
    case RecurrentActivation::thresholded_relu: return fmt::format("x > {} ? x : R(0)", alpha);
    case RecurrentActivation::scaled_tanh:
      return fmt::format("{} * fn_tanh<R>({} * x)", alpha, beta);
    case RecurrentActivation::hard_sigmoid:
      return fmt::format("fn_min<R>(fn_max<R>({} * x + {}, 0), 1)", alpha, beta);
    case RecurrentActivation::elu: return fmt::format("x < 0 ? {} * fn_expm1<R>(x) : x", alpha);
    case RecurrentActivation::softsign: return "x / (1 + fn_abs<R>(x))";
    case RecurrentActivation::softplus:
      return "fn_max<R>(x, 0) + fn_log1p<R>(fn_exp<R>(-fn_abs<R>(x)))";
  }
  return "x";
}

DType real_of(DType dtype) { return dtype == DType::f64 ? DType::f64 : DType::f32; }

// What device/recurrent.cuh takes as its template parameter.
std::string config_text(const Network& net, DType dtype, int64_t hidden) {
  const DType real = real_of(dtype);
  std::string text = fmt::format(
      "struct Config {{\n  typedef {} T;\n  typedef {} R;\n"
      "  static constexpr int gates = {}, hidden = {};\n"
      "  static constexpr bool input_forget = {}, linear_before_reset = {}, batch_first = {};\n"
      "  static __device__ __forceinline__ R load(T x) {{ return {}; }}\n"
      "  static __device__ __forceinline__ T store(R x) {{ return {}; }}\n"
      "  static __device__ __forceinline__ R clip(R x) {{ return {}; }}\n"
      "  template <int which> static __device__ __forceinline__ R f(int d, R x) {{\n",
      storage_type(dtype), compute_type(real), net.gates, hidden, net.input_forget,
      net.linear_before_reset, net.layout == 1, load_text(dtype, "x"), store_text(dtype, "x"),
      net.clip > 0 ? fmt::format("fn_min<R>(fn_max<R>(x, -{0}), {0})",
                                 literal(real, static_cast<double>(net.clip), 0))
                   : "x");
  for (size_t i = 0; i < net.functions.size(); ++i)
    text += fmt::format(
        "    if (d == {} && which == {}) return {};\n", static_cast<int>(i) / net.functions_each,
        static_cast<int>(i) % net.functions_each, activation_text(net.functions[i], real));
  return text + "    return x;\n  }\n};\n";
}

// What a block keeps: see device/recurrent.cuh.
int64_t block_numbers(const Network& net, int64_t hidden) {
  return 2 * net.gates * hidden + 3 * hidden;
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
      std::string problem = plain_problem(value->type);
      if (!problem.empty()) return problem;
      const DType dtype = value->type.dtype;
      if (i == 4 ? dtype != DType::i32 : dtype != node.input(0)->type.dtype || !is_float(dtype))
        return fmt::format("{} input", tenrec::name(value->type.dtype));
    }
    for (const Value* value : node.outputs())
      if (!has_strides(value->type)) return "the rank is not known";
    if (!is_supported(node.input(0)->type.dtype)) return "elements of another kind";
    return node.input(2)->type.shape[2].is_const() ? "" : "the number of states is not known";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const Network net = *network_of(node);
    const int64_t hidden = node.input(2)->type.shape[2].value();
    const Type& x = node.input(0)->type;
    const size_t first = net.layout == 1 ? 1 : 0;
    const Dim time = x.shape[first], batch = x.shape[1 - first];
    const Dim directions = node.input(1)->type.shape[0];
    const Dim blocks = directions * batch;
    const int64_t numbers = block_numbers(net, hidden);
    const int64_t bytes = numbers * bit_width(real_of(x.dtype)) / 8;
    const bool shared = bytes <= max_shared;
    StepWriter step(draft_of(node, name(), tactic));
    KernelText kernel(step, std::string(node.op().name()));
    kernel.reach_all();
    kernel.functions = config_text(net, x.dtype, hidden) + "#include \"recurrent.cuh\"\n";
    const auto input = [&](size_t i) { return node.input(i) ? kernel.input(i) : "nullptr"; };
    const auto output = [&](size_t i) {
      const auto& outputs = step.draft().outputs;
      return i < outputs.size() && outputs[i] ? kernel.output(i) : "nullptr";
    };
    const std::string real = compute_type(real_of(x.dtype));
    if (shared) {
      kernel.body = fmt::format("  extern __shared__ {} memory[];\n", real);
    } else {
      kernel.reach(blocks * Dim(numbers));
      kernel.body =
          fmt::format("  {0}* const memory = {1} + (idx)blockIdx.x * {2};\n", real,
                      kernel.scratch(step.add_scratch(blocks * Dim(bytes)), real), numbers);
    }
    kernel.body += fmt::format(
        "  const idx d = blockIdx.x / {1};\n"
        "  recurrent<Config>({{{5}, {6}, {7}, {8}, {9}, {10}, {11}, {12}, {13}, {14}, {15},\n"
        "                     {0}, {1}, {2}, {3}}}, memory, d, blockIdx.x % {1}, {4});\n",
        kernel.dim(time), kernel.dim(batch), kernel.dim(x.shape[2]), kernel.dim(directions),
        net.direction == "reverse"   ? "true"
        : net.direction == "forward" ? "false"
                                     : "d == 1",
        input(0), input(1), input(2), input(3), input(4), input(5), input(6), input(7), output(0),
        output(1), output(2));
    step.launch(kernel, blocks, threads, 1, 1, shared ? static_cast<int>(bytes) : 0);
    return step.finish();
  }
};

}  // namespace

const Kernel& recurrent_kernel() {
  static const Recurrent kernel;
  return kernel;
}

}  // namespace tenrec::cuda
