// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/vendor.h"
#ifdef TENREC_HAS_CUDNN
#include "targets/cuda/run/cudnn.h"

#include <map>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/wire.h"
#include "ir/tensor.h"
#include "targets/cuda/run/cudnn_graph.h"
#include "targets/cuda/run/gemm_launch.h"
#include "targets/cuda/run/runners.h"

namespace tenrec::cuda {
namespace {

using cudnn::api;
using cudnn::check;
using cudnn::Descriptor;
using cudnn::OperationGraph;
using cudnn::unique_w;
using cudnn::unique_x;
using cudnn::unique_y;

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

// A plan with the graph that its descriptors belong to.
struct Prepared {
  GemmParams params;
  std::vector<DType> full_types;
  std::optional<OperationGraph> graph;
  Plan plan;
};
using PreparedRef = std::shared_ptr<const Prepared>;

// What runs plans in a stream, for all steps of a context. A handle stays with its stream: one that
// gets another records an event in the stream before, which may be gone or be captured by then.
class Handle {
 public:
  Handle() { check(api().cudnnCreate(&value_), "starting cuDNN"); }
  // The GPU and the stream must outlive it.
  Handle(const Gpu& gpu, CUstream stream) : Handle() {
    gpu_ = &gpu;
    check(api().cudnnSetStream(value_, reinterpret_cast<cudaStream_t>(stream)),
          "giving cuDNN a stream");
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (gpu_) gpu_->enter_unchecked();  // whichever thread ends it
    api().cudnnDestroy(value_);
  }
  cudnnHandle_t get() const { return value_; }

 private:
  const Gpu* gpu_ = nullptr;
  cudnnHandle_t value_ = nullptr;
};
using HandleRef = std::shared_ptr<const Handle>;

// cuDNN on one GPU. Making a plan can take a second (cuDNN compiles some of its kernels then), so
// plans are kept for the steps and contexts to come (the CUDA runtime inside cuDNN holds the GPU's
// context for as long as the process lives). A plan may not serve two threads at once, and
// neither may a handle: there is a lock around all that is done with them.
class Library {
 public:
  static Library& of(const Gpu& gpu) {
    static std::mutex& mutex = *new std::mutex;
    static auto& libraries = *new std::map<CUdevice, Library>;
    const std::lock_guard lock(mutex);
    return libraries[gpu.device()];
  }

  // Null where there is none, or none that takes `room` bytes of workspace at most.
  PreparedRef plan(const GemmParams& params, const GemmSizes& s,
                   const std::vector<DType>& full_types, const CudnnTactic& tactic, int64_t room) {
    const std::lock_guard lock(mutex_);
    const std::string key = key_of(params, s, full_types, tactic);
    const auto known = plans_.find(key);
    PreparedRef plan = known != plans_.end() ? known->second : make(params, s, full_types, tactic);
    if (plan && known == plans_.end()) keep(key, plan);
    return plan && plan->plan.workspace <= room ? plan : nullptr;
  }

  std::vector<CudnnTactic> tactics(const GemmParams& params, const GemmSizes& s,
                                   const std::vector<DType>& full_types, size_t most) {
    const std::lock_guard lock(mutex_);
    const OperationGraph graph(planner(), params, s, full_types);
    std::vector<CudnnTactic> tactics;
    for (CudnnTactic& tactic : advised(graph, params)) {
      if (tactics.size() == most) break;
      // What is advised does not always make a plan. One that is made will be timed next.
      const PreparedRef made = make(params, s, full_types, tactic);
      if (!made) continue;
      tactic.workspace = made->plan.workspace;
      keep(key_of(params, s, full_types, tactic), made);
      tactics.push_back(std::move(tactic));
    }
    return tactics;
  }

  HandleRef handle_of(const Gpu& gpu, CUstream stream) {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<const Handle>& known = handles_[stream];
    HandleRef handle = known.lock();
    if (!handle) known = handle = std::make_shared<const Handle>(gpu, stream);
    return handle;
  }

  void execute(const Prepared& prepared, const Descriptor& pack, const Handle& handle) {
    const std::lock_guard lock(mutex_);
    check(api().cudnnBackendExecute(handle.get(), prepared.plan.descriptor->get(), pack.get()),
          "a convolution");
  }

 private:
  static constexpr size_t most_kept = 1024;  // beside those in use

  static std::string key_of(const GemmParams& params, const GemmSizes& s,
                            const std::vector<DType>& full_types, const CudnnTactic& tactic) {
    std::string key =
        fmt::format("{} {} {} {} {} ", to_text(tactic), s.images, s.in_h, s.in_w, encode(params));
    for (const DType type : full_types) key += name(type);
    return key;
  }

  // The one that plans are made with; it runs none.
  cudnnHandle_t planner() {
    if (!planner_) planner_ = std::make_unique<const Handle>();
    return planner_->get();
  }

  PreparedRef make(const GemmParams& params, const GemmSizes& s,
                   const std::vector<DType>& full_types, const CudnnTactic& tactic) {
    auto made = std::make_shared<Prepared>(Prepared{params, full_types, {}, {}});
    made->graph.emplace(planner(), made->params, s, made->full_types);
    const std::vector<CudnnTactic> tried =
        tactic.automatic ? advised(*made->graph, params) : std::vector{tactic};
    for (const CudnnTactic& each : tried) {
      made->plan = restore(planner(), *made->graph, each, params);
      if (made->plan.descriptor && made->plan.workspace <= cudnn_workspace) return made;
    }
    return nullptr;
  }

  void keep(const std::string& key, PreparedRef made) {
    if (plans_.size() >= most_kept)
      std::erase_if(plans_, [](const auto& entry) { return entry.second.use_count() == 1; });
    plans_.insert_or_assign(key, std::move(made));
  }

  std::mutex mutex_;
  std::unique_ptr<const Handle> planner_;
  std::map<CUstream, std::weak_ptr<const Handle>> handles_;
  std::map<std::string, PreparedRef> plans_;
};

class CudnnConvRunner final : public StepRunner {
 public:
  explicit CudnnConvRunner(const StepSource& source)
      : params_(decode_gemm_params(source.step)),
        tactic_(parse_cudnn_tactic(source.step.tactic)),
        environment_(source.environment),
        library_(Library::of(source.environment.gpu)) {
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
    full_types_.clear();
    for (size_t i = gemm_operands; i < args.inputs.size(); ++i)
      full_types_.push_back(args.inputs[i].dtype);
    if (!handle_) handle_ = library_.handle_of(environment_.gpu, environment_.stream.get());
    prepared_ = library_.plan(params_, sizes, full_types_, tactic_,
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
    library_.execute(*prepared_, pack, *handle_);
  }

 private:
  GemmParams params_;
  CudnnTactic tactic_;
  RunEnvironment& environment_;
  Library& library_;
  HandleRef handle_;
  std::vector<DType> full_types_;
  PreparedRef prepared_;
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

std::vector<CudnnTactic> cudnn_tactics(const GemmParams& params, const GemmSizes& sizes,
                                       const std::vector<DType>& full_types, size_t most) {
  std::string problem;
  if (!find_driver(problem) || !cudnn_library().is_open() || !api().is_complete || sizes.empty())
    return {};
  const std::shared_ptr<Gpu> gpu = Gpu::open(0);
  gpu->enter();
  try {
    return Library::of(*gpu).tactics(params, sizes, full_types, most);
  } catch (const Error&) {
    return {};  // cuDNN cannot describe it: nothing to offer
  }
}

Runner prepare_cudnn_conv(const StepSource& source) {
  return std::make_unique<CudnnConvRunner>(source);
}

}  // namespace tenrec::cuda

#endif  // TENREC_HAS_CUDNN
