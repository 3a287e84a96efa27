// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/vendor.h"
#ifdef TENREC_HAS_CUDNN
#include "targets/cuda/run/cudnn.h"

#include <cudnn.h>

#include <map>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/wire.h"
#include "ir/tensor.h"
#include "targets/cuda/run/gemm_launch.h"
#include "targets/cuda/run/runners.h"

namespace tenrec::cuda {
namespace {

#define TENREC_CUDNN_FUNCTIONS(X)  \
  X(cudnnCreate)                   \
  X(cudnnSetStream)                \
  X(cudnnGetErrorString)           \
  X(cudnnBackendCreateDescriptor)  \
  X(cudnnBackendDestroyDescriptor) \
  X(cudnnBackendSetAttribute)      \
  X(cudnnBackendGetAttribute)      \
  X(cudnnBackendFinalize)          \
  X(cudnnBackendExecute)

struct Api {
#define TENREC_MEMBER(function) decltype(&::function) function = nullptr;
  TENREC_CUDNN_FUNCTIONS(TENREC_MEMBER)
#undef TENREC_MEMBER
  bool is_complete = false;
};

const Api& api() {
  static const Api table = [] {
    Api made;
    const DynamicLibrary& library = cudnn_library();
    if (!library.is_open()) return made;
    made.is_complete = true;
#define TENREC_LOAD(function)                                                         \
  made.function = reinterpret_cast<decltype(&::function)>(library.symbol(#function)); \
  made.is_complete &= made.function != nullptr;
    TENREC_CUDNN_FUNCTIONS(TENREC_LOAD)
#undef TENREC_LOAD
    return made;
  }();
  return table;
}

void check(cudnnStatus_t status, std::string_view what) {
  TENREC_CHECK(status == CUDNN_STATUS_SUCCESS, device, "{}: cuDNN says {}", what,
               api().cudnnGetErrorString(status));
}

// One a queue: a handle has a stream and serves one thread at a time.
cudnnHandle_t handle_of(CUstream stream) {
  static std::mutex& mutex = *new std::mutex;
  static auto& handles = *new std::map<CUstream, cudnnHandle_t>;
  const std::lock_guard lock(mutex);
  cudnnHandle_t& handle = handles[stream];
  if (!handle) {
    check(api().cudnnCreate(&handle), "starting cuDNN");
    check(api().cudnnSetStream(handle, reinterpret_cast<cudaStream_t>(stream)),
          "giving cuDNN a stream");
  }
  return handle;
}

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    check(api().cudnnBackendCreateDescriptor(type, &value_), "a cuDNN descriptor");
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_) api().cudnnBackendDestroyDescriptor(value_);
  }
  cudnnBackendDescriptor_t get() const { return value_; }

  template <class T>
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
           const std::vector<T>& values) {
    check(api().cudnnBackendSetAttribute(value_, name, type, static_cast<int64_t>(values.size()),
                                         values.data()),
          "a cuDNN attribute");
  }
  void set(cudnnBackendAttributeName_t name, const Descriptor& other) {
    set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::vector{other.get()});
  }
  void set(cudnnBackendAttributeName_t name, const std::vector<int64_t>& values) {
    set(name, CUDNN_TYPE_INT64, values);
  }
  cudnnStatus_t finalize() { return api().cudnnBackendFinalize(value_); }

  std::vector<int64_t> numbers(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                               int64_t most = 1) const {
    std::vector<int64_t> values(static_cast<size_t>(most));
    int64_t count = 0;
    const cudnnStatus_t status =
        api().cudnnBackendGetAttribute(value_, name, type, most, &count, values.data());
    values.resize(status == CUDNN_STATUS_SUCCESS ? static_cast<size_t>(std::min(count, most)) : 0);
    return values;
  }
  std::vector<Descriptor> descriptors(cudnnBackendAttributeName_t name,
                                      cudnnBackendDescriptorType_t type, int64_t most) const {
    std::vector<Descriptor> all;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (int64_t i = 0; i < most; ++i) raw.push_back(all.emplace_back(type).get());
    int64_t count = 0;
    const cudnnStatus_t status = api().cudnnBackendGetAttribute(
        value_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, &count, raw.data());
    const int64_t kept = status == CUDNN_STATUS_SUCCESS ? std::min(count, most) : 0;
    while (static_cast<int64_t>(all.size()) > kept) all.pop_back();
    return all;
  }

 private:
  cudnnBackendDescriptor_t value_ = nullptr;
};

cudnnDataType_t type_of(DType type) {
  return type == DType::f32   ? CUDNN_DATA_FLOAT
         : type == DType::f16 ? CUDNN_DATA_HALF
                              : CUDNN_DATA_BFLOAT16;
}

std::optional<cudnnPointwiseMode_t> mode_of(Fn fn) {
  switch (fn) {
    case Fn::add: return CUDNN_POINTWISE_ADD;
    case Fn::sub: return CUDNN_POINTWISE_SUB;
    case Fn::mul: return CUDNN_POINTWISE_MUL;
    case Fn::div: return CUDNN_POINTWISE_DIV;
    case Fn::max: return CUDNN_POINTWISE_MAX;
    case Fn::min: return CUDNN_POINTWISE_MIN;
    case Fn::sigmoid: return CUDNN_POINTWISE_SIGMOID_FWD;
    case Fn::tanh: return CUDNN_POINTWISE_TANH_FWD;
    case Fn::erf: return CUDNN_POINTWISE_ERF;
    case Fn::exp: return CUDNN_POINTWISE_EXP;
    case Fn::neg: return CUDNN_POINTWISE_NEG;
    case Fn::abs: return CUDNN_POINTWISE_ABS;
    default: return std::nullopt;
  }
}

constexpr size_t no_tensor = SIZE_MAX;
constexpr int64_t unique_x = 'x', unique_w = 'w', unique_y = 'y', first_unique = 256;

// The operations of one step, as cuDNN wants them described.
class OperationGraph {
 public:
  OperationGraph(cudnnHandle_t handle, const GemmParams& params, const GemmSizes& s,
                 const std::vector<DType>& full_types)
      : params_(params), full_types_(full_types) {
    const int64_t in = params.in_channels, out = params.out_channels, g = params.groups;
    out_dims_ = {s.images, out, s.out_h, s.out_w};
    const size_t x = tensor({s.images, in, s.in_h, s.in_w}, params.type, unique_x);
    const size_t w = tensor({out, in / g, s.kernel_h, s.kernel_w}, params.type, unique_w);
    const bool plain = params.epilogue.nodes.empty();
    const size_t result = plain ? tensor(out_dims_, params.out_type, unique_y) : virtual_tensor();
    convolution(x, w, result, s);
    if (!plain) epilogue(result);
    std::vector<cudnnBackendDescriptor_t> operations;
    for (const Descriptor& operation : operations_) operations.push_back(operation.get());
    graph_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations);
    graph_.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, std::vector{handle});
    check(graph_.finalize(), "describing a convolution");
  }

  const Descriptor& get() const { return graph_; }
  // Constants of the epilogue: their unique numbers and values.
  const std::vector<std::pair<int64_t, float>>& constants() const { return constants_; }
  static int64_t unique_channel(int64_t i) { return first_unique + i; }
  static int64_t unique_full(int64_t i) { return 2 * first_unique + i; }

 private:
  size_t tensor(const Dims& dims, DType type, int64_t unique, bool is_virtual = false,
                bool by_value = false) {
    Descriptor& made = tensors_.emplace_back(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    // Row-major, or channels innermost; weights are packed with channels innermost in any case.
    const bool last = params_.channels_last || unique == unique_w;
    const Dims steps = last ? Dims{dims[1] * dims[2] * dims[3], 1, dims[1] * dims[3], dims[1]}
                            : Dims{dims[1] * dims[2] * dims[3], dims[2] * dims[3], dims[3], 1};
    made.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, std::vector{type_of(type)});
    made.set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims);
    made.set(CUDNN_ATTR_TENSOR_STRIDES, steps);
    made.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, std::vector<int64_t>{unique});
    made.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::vector<int64_t>{by_value ? 4 : 16});
    // vector<bool> has no data().
    const bool flags[] = {true};
    if (is_virtual)
      check(api().cudnnBackendSetAttribute(made.get(), CUDNN_ATTR_TENSOR_IS_VIRTUAL,
                                           CUDNN_TYPE_BOOLEAN, 1, flags),
            "a virtual tensor");
    if (by_value)
      check(api().cudnnBackendSetAttribute(made.get(), CUDNN_ATTR_TENSOR_IS_BY_VALUE,
                                           CUDNN_TYPE_BOOLEAN, 1, flags),
            "a scalar");
    check(made.finalize(), "describing a tensor");
    return tensors_.size() - 1;
  }
  size_t virtual_tensor() { return tensor(out_dims_, DType::f32, next_++, true); }

  void convolution(size_t x, size_t w, size_t y, const GemmSizes& s) {
    Descriptor conv(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    conv.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, std::vector{CUDNN_DATA_FLOAT});
    conv.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
             std::vector{CUDNN_CROSS_CORRELATION});
    conv.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2});
    conv.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {s.pad_h, s.pad_w});
    conv.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {s.pad_h_end, s.pad_w_end});
    conv.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {s.dilation_h, s.dilation_w});
    conv.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {s.stride_h, s.stride_w});
    check(conv.finalize(), "describing a convolution");
    Descriptor& made =
        operations_.emplace_back(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, conv);
    made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, tensors_[x]);
    made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, tensors_[w]);
    made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, tensors_[y]);
    made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT,
             std::vector<float>{1});
    made.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT,
             std::vector<float>{0});
    check(made.finalize(), "describing a convolution");
    parts_.push_back(std::move(conv));
  }

  void epilogue(size_t result) {
    const ExprProgram& program = params_.epilogue;
    const int32_t last = program.outputs[0];
    std::vector<size_t> values;
    for (size_t i = 0; i < program.nodes.size(); ++i) {
      const ExprNode& node = program.nodes[i];
      if (node.fn == Fn::input) values.push_back(input(node.input, result));
      else if (node.fn == Fn::constant) values.push_back(no_tensor);  // made where it is read
      else if (node.fn == Fn::cast && static_cast<int32_t>(i) != last)
        values.push_back(values[static_cast<size_t>(node.a)]);
      else {
        const bool final = static_cast<int32_t>(i) == last;
        const size_t y = final ? tensor(out_dims_, params_.out_type, unique_y) : virtual_tensor();
        pointwise(node, values, y);
        values.push_back(y);
      }
    }
  }

  size_t input(int32_t index, size_t result) {
    if (index == 0) return result;
    const int64_t at = index - 1;
    if (at < params_.channel_operands)
      return tensor({1, params_.out_channels, 1, 1}, params_.table_type, unique_channel(at));
    const int64_t full = at - params_.channel_operands;
    return tensor(out_dims_, full_types_[static_cast<size_t>(full)], unique_full(full));
  }

  // The tensor of an argument.
  size_t operand(int32_t argument, std::vector<size_t>& values) {
    size_t& value = values[static_cast<size_t>(argument)];
    if (value == no_tensor) value = constant(params_.epilogue.nodes[static_cast<size_t>(argument)]);
    return value;
  }

  size_t constant(const ExprNode& node) {
    constants_.emplace_back(next_, static_cast<float>(node.value));
    return tensor({1, 1, 1, 1}, DType::f32, next_++, false, true);
  }

  void pointwise(const ExprNode& node, std::vector<size_t>& values, size_t y) {
    Descriptor math(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    const bool identity = node.fn == Fn::cast;
    cudnnPointwiseMode_t mode = identity ? CUDNN_POINTWISE_IDENTITY : *mode_of(node.fn);
    const auto zero = [&](int32_t i) {
      const ExprNode& each = params_.epilogue.nodes[static_cast<size_t>(i)];
      return each.fn == Fn::constant && each.value == 0;
    };
    int32_t a = node.a, b = node.b;
    if (node.fn == Fn::max && (zero(a) || zero(b))) {
      mode = CUDNN_POINTWISE_RELU_FWD;
      a = zero(a) ? b : a;
      b = -1;
    }
    math.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, std::vector{mode});
    math.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, std::vector{CUDNN_DATA_FLOAT});
    check(math.finalize(), "describing a pointwise operation");
    Descriptor& made = operations_.emplace_back(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    made.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, math);
    made.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, tensors_[operand(a, values)]);
    if (b >= 0) made.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, tensors_[operand(b, values)]);
    made.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, tensors_[y]);
    check(made.finalize(), "describing a pointwise operation");
    parts_.push_back(std::move(math));
  }

  const GemmParams& params_;
  const std::vector<DType>& full_types_;
  Dims out_dims_;
  std::vector<Descriptor> tensors_, operations_, parts_;
  std::vector<std::pair<int64_t, float>> constants_;
  int64_t next_ = 4 * first_unique;
  Descriptor graph_{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR};
};

// f32 stays f32: tensor cores would round its operands.
bool is_allowed(const Descriptor& engine, const GemmParams& params) {
  const bool exact = params.type == DType::f32 && !params.tf32;
  std::vector<cudnnBackendNumericalNote_t> notes(CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  int64_t count = 0;
  if (api().cudnnBackendGetAttribute(engine.get(), CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                     CUDNN_TYPE_NUMERICAL_NOTE, static_cast<int64_t>(notes.size()),
                                     &count, notes.data()) != CUDNN_STATUS_SUCCESS)
    return false;
  notes.resize(static_cast<size_t>(std::min<int64_t>(count, CUDNN_NUMERICAL_NOTE_TYPE_COUNT)));
  for (const cudnnBackendNumericalNote_t note : notes) {
    if (note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC ||
        note == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
        note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)
      return false;
    if (exact && note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE) return false;
  }
  return true;
}

struct Plan {
  std::optional<Descriptor> descriptor;  // none: the configuration makes no plan
  int64_t workspace = 0;
};

Plan plan_of(cudnnHandle_t handle, const Descriptor& config) {
  Plan plan;
  Descriptor made(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  made.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, std::vector{handle});
  made.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
  if (made.finalize() != CUDNN_STATUS_SUCCESS) return plan;
  const auto bytes = made.numbers(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64);
  if (bytes.empty()) return plan;
  plan.workspace = bytes[0];
  plan.descriptor.emplace(std::move(made));
  return plan;
}

// What the heuristics advise, as engines and knobs.
std::vector<CudnnTactic> advised(const OperationGraph& graph, const GemmParams& params) {
  std::vector<CudnnTactic> tactics;
  for (const cudnnBackendHeurMode_t mode :
       {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_B, CUDNN_HEUR_MODE_FALLBACK}) {
    Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.get());
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, std::vector{mode});
    if (heuristics.finalize() != CUDNN_STATUS_SUCCESS) continue;
    for (const Descriptor& config : heuristics.descriptors(
             CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, 32)) {
      const auto engines =
          config.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
      if (engines.empty() || !is_allowed(engines[0], params)) continue;
      CudnnTactic tactic;
      tactic.automatic = false;
      tactic.engine = engines[0].numbers(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64).at(0);
      for (const Descriptor& knob :
           config.descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                              CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_KNOB_TYPE_COUNTS)) {
        cudnnBackendKnobType_t type = {};
        int64_t count = 0;
        api().cudnnBackendGetAttribute(knob.get(), CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE,
                                       CUDNN_TYPE_KNOB_TYPE, 1, &count, &type);
        const auto value = knob.numbers(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64);
        if (!value.empty()) tactic.knobs.emplace_back(type, value[0]);
      }
      const std::string text = to_text(tactic);
      bool known = false;
      for (const CudnnTactic& other : tactics) known |= to_text(other) == text;
      if (!known) tactics.push_back(std::move(tactic));
    }
  }
  return tactics;
}

Plan restore(cudnnHandle_t handle, const OperationGraph& graph, const CudnnTactic& tactic,
             const GemmParams& params) {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  engine.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph.get());
  engine.set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, {tactic.engine});
  if (engine.finalize() != CUDNN_STATUS_SUCCESS || !is_allowed(engine, params)) return {};
  std::vector<Descriptor> knobs;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (const auto& [type, value] : tactic.knobs) {
    Descriptor& knob = knobs.emplace_back(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
    knob.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE,
             std::vector{static_cast<cudnnBackendKnobType_t>(type)});
    knob.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, {value});
    if (knob.finalize() != CUDNN_STATUS_SUCCESS) return {};
    raw.push_back(knob.get());
  }
  Descriptor config(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  config.set(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
  if (!raw.empty())
    config.set(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR, raw);
  if (config.finalize() != CUDNN_STATUS_SUCCESS) return {};
  return plan_of(handle, config);
}

// A plan with the graph that its descriptors belong to. Making one can take a second (cuDNN
// compiles some of its kernels then), so equal steps share it, and those of a process are kept.
struct Prepared {
  GemmParams params;
  std::vector<DType> full_types;
  std::optional<OperationGraph> graph;
  Plan plan;
};

std::shared_ptr<const Prepared> prepared(cudnnHandle_t handle, const GemmParams& params,
                                         const GemmSizes& s, const std::vector<DType>& full_types,
                                         const CudnnTactic& tactic, int64_t room) {
  static std::mutex& mutex = *new std::mutex;
  static auto& known = *new std::map<std::string, std::shared_ptr<const Prepared>>;
  std::string key = fmt::format("{} {} {} {} {} {} {} ", fmt::ptr(handle), to_text(tactic),
                                s.images, s.in_h, s.in_w, room, encode(params));
  for (const DType type : full_types) key += name(type);
  const std::lock_guard lock(mutex);
  std::shared_ptr<const Prepared>& entry = known[key];
  if (entry) return entry;
  auto made = std::make_shared<Prepared>(Prepared{params, full_types, {}, {}});
  made->graph.emplace(handle, made->params, s, made->full_types);
  const std::vector<CudnnTactic> tried =
      tactic.automatic ? advised(*made->graph, params) : std::vector{tactic};
  for (const CudnnTactic& each : tried) {
    made->plan = restore(handle, *made->graph, each, params);
    if (made->plan.descriptor && made->plan.workspace <= room) return entry = made;
  }
  known.erase(key);
  return nullptr;
}

class CudnnConvRunner final : public StepRunner {
 public:
  explicit CudnnConvRunner(const StepSource& source)
      : params_(decode_gemm_params(source.step)),
        tactic_(parse_cudnn_tactic(source.step.tactic)),
        environment_(source.environment) {
    TENREC_CHECK(
        cudnn_library().is_open() && api().is_complete, device,
        "this engine has convolutions for cuDNN: {}",
        cudnn_library().is_open() ? "the installed version is too old" : cudnn_library().problem());
    TENREC_CHECK(params_.convolution && params_.padded_channels == 0 &&
                     cudnn_unsupported(params_.epilogue).empty(),
                 invalid_engine, "a convolution that cuDNN does not run");
  }

  bool recordable() const override { return true; }

  void reshape(const StepArgs& args) override {
    const GemmSizes sizes = gemm_sizes(params_, args);
    empty_ = sizes.empty();
    if (empty_) return;
    environment_.gpu.enter();
    handle_ = handle_of(environment_.stream.get());
    full_types_.clear();
    for (size_t i = gemm_operands; i < args.inputs.size(); ++i)
      full_types_.push_back(args.inputs[i].dtype);
    prepared_ = prepared(handle_, params_, sizes, full_types_, tactic_,
                         static_cast<int64_t>(args.scratch.size()));
    TENREC_CHECK(
        prepared_, unsupported,
        "cuDNN has no plan '{}' for this convolution with {} bytes of workspace; an engine "
        "built with another version must be built again",
        to_text(tactic_), args.scratch.size());
  }

  void run(const StepArgs& args) override {
    if (empty_) return;
    std::vector<int64_t> uniques{unique_x, unique_w, unique_y};
    std::vector<void*> pointers{args.inputs[0].data, args.inputs[1].data, args.outputs[0].data};
    const int64_t row = params_.out_channels * bit_width(params_.table_type) / 8;
    for (int64_t i = 0; i < params_.channel_operands; ++i) {
      uniques.push_back(OperationGraph::unique_channel(i));
      pointers.push_back(args.inputs[2].data + i * row);
    }
    for (int64_t i = 0; i < params_.full_operands; ++i) {
      uniques.push_back(OperationGraph::unique_full(i));
      pointers.push_back(args.inputs[gemm_operands + static_cast<size_t>(i)].data);
    }
    constants_ = prepared_->graph->constants();
    for (auto& [unique, value] : constants_) {
      uniques.push_back(unique);
      pointers.push_back(&value);
    }
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, uniques);
    pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR,
             std::vector<void*>{args.scratch.data()});
    check(pack.finalize(), "binding a convolution");
    check(api().cudnnBackendExecute(handle_, prepared_->plan.descriptor->get(), pack.get()),
          "a convolution");
  }

 private:
  GemmParams params_;
  CudnnTactic tactic_;
  RunEnvironment& environment_;
  cudnnHandle_t handle_ = nullptr;
  std::vector<DType> full_types_;
  std::shared_ptr<const Prepared> prepared_;
  std::vector<std::pair<int64_t, float>> constants_;
  bool empty_ = false;
};

}  // namespace

std::string to_text(const CudnnTactic& tactic) {
  if (tactic.automatic) return "auto";
  std::string knobs;
  for (const auto& [type, value] : tactic.knobs)
    knobs += fmt::format("{}{}:{}", knobs.empty() ? "" : ",", type, value);
  return fmt::format("engine={} knobs={} workspace={}", tactic.engine, knobs, tactic.workspace);
}

CudnnTactic parse_cudnn_tactic(const std::string& text) {
  CudnnTactic tactic;
  if (text == "auto") return tactic;
  tactic.automatic = false;
  long long engine = 0, workspace = 0;
  int used = 0;
  bool good = std::sscanf(text.c_str(), "engine=%lld knobs=%n", &engine, &used) == 1 && used > 0;
  const char* at = text.c_str() + used;
  long long type = 0, value = 0;
  while (good && std::sscanf(at, "%lld:%lld%n", &type, &value, &used) == 2) {
    tactic.knobs.emplace_back(type, value);
    at += used;
    if (*at == ',') ++at;
  }
  good = good && std::sscanf(at, " workspace=%lld", &workspace) == 1;
  tactic.engine = engine;
  tactic.workspace = workspace;
  TENREC_CHECK(good && to_text(tactic) == text && workspace >= 0, invalid_engine,
               "unknown tactic '{}' of a cuDNN convolution", text);
  return tactic;
}

std::string cudnn_unsupported(const ExprProgram& epilogue) {
  for (const ExprNode& node : epilogue.nodes) {
    if (node.fn == Fn::input || node.fn == Fn::constant) continue;
    const bool casts = node.fn == Fn::cast && is_float(node.dtype);
    if (!casts && !mode_of(node.fn)) return fmt::format("cuDNN fuses no {}", name(node.fn));
  }
  return "";
}

std::vector<CudnnTactic> cudnn_tactics(const GemmParams& params, const GemmSizes& sizes,
                                       const std::vector<DType>& full_types, size_t most) {
  std::string problem;
  std::vector<CudnnTactic> tactics;
  if (!find_driver(problem) || !cudnn_library().is_open() || !api().is_complete || sizes.empty())
    return tactics;
  Gpu::open(0)->enter();
  const cudnnHandle_t handle = handle_of(nullptr);
  try {
    const OperationGraph graph(handle, params, sizes, full_types);
    for (CudnnTactic& tactic : advised(graph, params)) {
      if (tactics.size() == most) break;
      // What is advised does not always make a plan.
      const Plan plan = restore(handle, graph, tactic, params);
      if (!plan.descriptor || plan.workspace > cudnn_workspace) continue;
      tactic.workspace = plan.workspace;
      tactics.push_back(std::move(tactic));
    }
  } catch (const Error&) {
    tactics.clear();  // cuDNN cannot describe it: nothing to offer
  }
  return tactics;
}

Runner prepare_cudnn_conv(const StepSource& source) {
  return std::make_unique<CudnnConvRunner>(source);
}

}  // namespace tenrec::cuda

#endif  // TENREC_HAS_CUDNN
