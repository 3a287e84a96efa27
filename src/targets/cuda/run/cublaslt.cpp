// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/vendor.h"
#ifdef TENREC_HAS_CUBLASLT
#include "targets/cuda/run/cublaslt.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "base/error.h"
#include "base/wire.h"
#include "plan/memory.h"
#include "targets/cuda/run/gemm_launch.h"
#include "targets/cuda/run/runners.h"

namespace tenrec::cuda {
namespace {

#define TENREC_CUBLASLT_FUNCTIONS(X)      \
  X(cublasLtCreate)                       \
  X(cublasLtGetStatusString)              \
  X(cublasLtMatmulDescCreate)             \
  X(cublasLtMatmulDescDestroy)            \
  X(cublasLtMatmulDescSetAttribute)       \
  X(cublasLtMatrixLayoutCreate)           \
  X(cublasLtMatrixLayoutDestroy)          \
  X(cublasLtMatrixLayoutSetAttribute)     \
  X(cublasLtMatmulPreferenceCreate)       \
  X(cublasLtMatmulPreferenceDestroy)      \
  X(cublasLtMatmulPreferenceSetAttribute) \
  X(cublasLtMatmulAlgoGetHeuristic)       \
  X(cublasLtMatmulAlgoInit)               \
  X(cublasLtMatmulAlgoConfigGetAttribute) \
  X(cublasLtMatmulAlgoConfigSetAttribute) \
  X(cublasLtMatmulAlgoCheck)              \
  X(cublasLtMatmul)

TENREC_LIBRARY_API(Api, TENREC_CUBLASLT_FUNCTIONS)

const Api& api() {
  static const Api table = Api::of(cublaslt_library());
  return table;
}

void check(cublasStatus_t status, std::string_view what) {
  TENREC_CHECK(status == CUBLAS_STATUS_SUCCESS, device, "{}: cuBLASLt says {}", what,
               api().cublasLtGetStatusString(status));
}

// One a process: cuBLASLt's handles know no stream and are used from many threads.
cublasLtHandle_t handle() {
  static const cublasLtHandle_t made = [] {
    cublasLtHandle_t created = nullptr;
    check(api().cublasLtCreate(&created), "starting cuBLASLt");
    return created;
  }();
  return made;
}

cudaDataType_t type_of(DType type) {
  return type == DType::f32 ? CUDA_R_32F : type == DType::f16 ? CUDA_R_16F : CUDA_R_16BF;
}

template <auto destroy, class T>
struct Owner {
  T value = nullptr;
  Owner() = default;
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() { reset(); }
  void reset() {
    if (value) (api().*destroy)(value);
    value = nullptr;
  }
};

// Descriptions of one product. cuBLASLt counts columns first: its A is our b, its B our a.
class Problem {
 public:
  explicit Problem(const CublasLtParams& params) : gemm_(params.gemm) {
    const bool tf32 = gemm_.type == DType::f32 && gemm_.tf32;
    compute_ = tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    type_ = type_of(gemm_.type);
    out_type_ = type_of(gemm_.out_type);
    check(api().cublasLtMatmulDescCreate(&product_.value, compute_, CUDA_R_32F), "a product");
    const cublasOperation_t turned = gemm_.constant_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    set(CUBLASLT_MATMUL_DESC_TRANSA, turned);
    const cublasLtEpilogue_t epilogue =
        params.bias ? (params.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS)
                    : (params.relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
    for (auto& [layout, type] : {std::pair(&a_, type_), {&b_, type_}, {&c_, out_type_}})
      check(api().cublasLtMatrixLayoutCreate(&layout->value, type, 1, 1, 1), "describing a matrix");
  }

  void resize(const GemmSizes& s) {
    if (gemm_.constant_b) describe(b_, s.k, s.n, gemm_.padded_channels, 0, s);
    else describe(b_, s.n, s.k, s.n, s.b_step[2], s);
    describe(a_, s.k, s.m, s.k, s.a_step[2], s);
    describe(c_, s.n, s.m, s.n, s.c_step[2], s);
    // The outer batches are products of their own, which start inside the tensors.
    alignment_ = plan::arena_alignment;
    const int64_t in = bit_width(gemm_.type) / 8, out = bit_width(gemm_.out_type) / 8;
    for (int i = 0; i < 2; ++i) {
      if (s.batch[i] == 1) continue;
      for (const int64_t step : {s.a_step[i] * in, s.b_step[i] * in, s.c_step[i] * out})
        alignment_ = static_cast<uint32_t>(std::gcd(int64_t{alignment_}, step));
    }
  }

  void set_bias(const void* bias) { set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias); }

  std::vector<cublasLtMatmulHeuristicResult_t> heuristics(size_t most, int64_t workspace) const {
    Owner<&Api::cublasLtMatmulPreferenceDestroy, cublasLtMatmulPreference_t> preference;
    check(api().cublasLtMatmulPreferenceCreate(&preference.value), "a preference");
    const auto bytes = static_cast<uint64_t>(workspace);
    check(api().cublasLtMatmulPreferenceSetAttribute(
              preference.value, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, sizeof bytes),
          "a workspace limit");
    // Without a word cuBLASLt counts on 256 bytes, and its algorithms may refuse to run on less.
    for (const auto operand :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
      check(api().cublasLtMatmulPreferenceSetAttribute(preference.value, operand, &alignment_,
                                                       sizeof alignment_),
            "an alignment");
    }
    std::vector<cublasLtMatmulHeuristicResult_t> results(most);
    int count = 0;
    const cublasStatus_t status = api().cublasLtMatmulAlgoGetHeuristic(
        handle(), product_.value, b_.value, a_.value, c_.value, c_.value, preference.value,
        static_cast<int>(most), results.data(), &count);
    results.resize(status == CUBLAS_STATUS_SUCCESS ? static_cast<size_t>(count) : 0);
    return results;
  }

  // The tactic's algorithm; none where this library does not have it.
  std::optional<cublasLtMatmulAlgo_t> algorithm(const CublasLtTactic& tactic) const {
    cublasLtMatmulAlgo_t algo = {};
    if (api().cublasLtMatmulAlgoInit(handle(), compute_, CUDA_R_32F, type_, type_, out_type_,
                                     out_type_, tactic.algorithm, &algo) != CUBLAS_STATUS_SUCCESS)
      return std::nullopt;
    bool good = true;
    const auto put = [&](cublasLtMatmulAlgoConfigAttributes_t attribute, auto value) {
      good &= api().cublasLtMatmulAlgoConfigSetAttribute(&algo, attribute, &value, sizeof value) ==
              CUBLAS_STATUS_SUCCESS;
    };
    put(CUBLASLT_ALGO_CONFIG_TILE_ID, static_cast<uint32_t>(tactic.tile));
    put(CUBLASLT_ALGO_CONFIG_STAGES_ID, static_cast<uint32_t>(tactic.stages));
    put(CUBLASLT_ALGO_CONFIG_SPLITK_NUM, static_cast<int32_t>(tactic.split_k));
    put(CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, static_cast<uint32_t>(tactic.reduction));
    put(CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING, static_cast<uint32_t>(tactic.swizzle));
    put(CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION, static_cast<uint32_t>(tactic.custom));
    put(CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID, static_cast<uint16_t>(tactic.inner));
    put(CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, static_cast<uint16_t>(tactic.cluster));
    return good ? std::optional(algo) : std::nullopt;
  }

  bool fits(const cublasLtMatmulAlgo_t& algo, int64_t workspace) const {
    cublasLtMatmulHeuristicResult_t result = {};
    return api().cublasLtMatmulAlgoCheck(handle(), product_.value, b_.value, a_.value, c_.value,
                                         c_.value, &algo, &result) == CUBLAS_STATUS_SUCCESS &&
           result.workspaceSize <= static_cast<size_t>(workspace);
  }

  cublasStatus_t run(const void* a, const void* b, const void* residual, void* d,
                     const cublasLtMatmulAlgo_t& algo, void* workspace, size_t bytes,
                     CUstream stream) const {
    const float one = 1, beta = residual ? 1 : 0;
    return api().cublasLtMatmul(handle(), product_.value, &one, b, b_.value, a, a_.value, &beta,
                                residual ? residual : d, c_.value, d, c_.value, &algo, workspace,
                                bytes, reinterpret_cast<cudaStream_t>(stream));
  }

 private:
  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    check(api().cublasLtMatmulDescSetAttribute(product_.value, attribute, &value, sizeof value),
          "describing a product");
  }
  using Layout = Owner<&Api::cublasLtMatrixLayoutDestroy, cublasLtMatrixLayout_t>;
  static void describe(Layout& layout, int64_t rows, int64_t columns, int64_t lead, int64_t step,
                       const GemmSizes& s) {
    const auto put = [&](cublasLtMatrixLayoutAttribute_t attribute, auto value) {
      check(api().cublasLtMatrixLayoutSetAttribute(layout.value, attribute, &value, sizeof value),
            "describing a matrix");
    };
    put(CUBLASLT_MATRIX_LAYOUT_ROWS, static_cast<uint64_t>(rows));
    put(CUBLASLT_MATRIX_LAYOUT_COLS, static_cast<uint64_t>(columns));
    put(CUBLASLT_MATRIX_LAYOUT_LD, lead);
    put(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<int32_t>(s.batch[2]));
    put(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, s.batch[2] == 1 ? int64_t{0} : step);
  }

  GemmParams gemm_;
  uint32_t alignment_ = plan::arena_alignment;  // of what it is given; that of weights too
  cublasComputeType_t compute_ = CUBLAS_COMPUTE_32F;
  cudaDataType_t type_ = CUDA_R_32F, out_type_ = CUDA_R_32F;
  Owner<&Api::cublasLtMatmulDescDestroy, cublasLtMatmulDesc_t> product_;
  Layout a_, b_, c_;
};

CublasLtTactic tactic_of(const cublasLtMatmulHeuristicResult_t& result) {
  CublasLtTactic tactic;
  const auto get = [&](cublasLtMatmulAlgoConfigAttributes_t attribute, auto value) {
    size_t written = 0;
    api().cublasLtMatmulAlgoConfigGetAttribute(&result.algo, attribute, &value, sizeof value,
                                               &written);
    return static_cast<int>(value);
  };
  tactic.automatic = false;
  tactic.algorithm = get(CUBLASLT_ALGO_CONFIG_ID, int32_t{});
  tactic.tile = get(CUBLASLT_ALGO_CONFIG_TILE_ID, uint32_t{});
  tactic.stages = get(CUBLASLT_ALGO_CONFIG_STAGES_ID, uint32_t{});
  tactic.split_k = get(CUBLASLT_ALGO_CONFIG_SPLITK_NUM, int32_t{});
  tactic.reduction = get(CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, uint32_t{});
  tactic.swizzle = get(CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING, uint32_t{});
  tactic.custom = get(CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION, uint32_t{});
  tactic.inner = get(CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID, uint16_t{});
  tactic.cluster = get(CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, uint16_t{});
  tactic.workspace = static_cast<int64_t>(result.workspaceSize);
  return tactic;
}

class CublasLtRunner final : public StepRunner {
 public:
  explicit CublasLtRunner(const StepSource& source)
      : tactic_(parse_cublaslt_tactic(source.step.tactic)), environment_(source.environment) {
    params_ = decode<CublasLtParams>(source.step.params);
    const GemmParams& gemm = params_.gemm;
    TENREC_CHECK(cublaslt_library().is_open() && api().is_complete, device,
                 "this engine has products for cuBLASLt: {}",
                 cublaslt_library().is_open() ? "the installed version is too old"
                                              : cublaslt_library().problem());
    check_gemm_step(gemm, source.step);
    TENREC_CHECK(params_.bias == (gemm.channel_operands == 1) &&
                     params_.residual == (gemm.full_operands == 1) && gemm.groups == 1,
                 invalid_engine, "a product for cuBLASLt with {} and {} operands",
                 gemm.channel_operands, gemm.full_operands);
  }

  bool recordable() const override { return true; }

  void reshape(const StepArgs& args) override {
    sizes_ = gemm_sizes(params_.gemm, args);
    if (sizes_.empty() || sizes_.k == 0) {
      TENREC_CHECK(sizes_.empty(), unsupported, "a product for cuBLASLt without a sum (k is 0)");
      return;
    }
    environment_.gpu.enter();
    const bool is_first = !problem_;
    if (is_first) {
      problem_.emplace(params_);
      if (!tactic_.automatic) {
        if (const auto tuned = problem_->algorithm(tactic_)) known_.push_back(*tuned);
      }
    }
    problem_->resize(sizes_);
    if (params_.bias) problem_->set_bias(args.inputs[2].data);
    if (is_first) choose(args.scratch);
    else algo_ = known_.front();
  }

  void run(const StepArgs& args) override {
    if (sizes_.empty()) return;
    if (params_.bias) problem_->set_bias(args.inputs[2].data);
    for (int64_t i = 0; i < sizes_.batch[0]; ++i)
      for (int64_t j = 0; j < sizes_.batch[1]; ++j) {
        cublasStatus_t status = multiply(args, i, j);
        if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) {
          choose(args.scratch);
          status = multiply(args, i, j);
        }
        check(status, "a product");
      }
  }

 private:
  static std::span<std::byte> aligned(std::span<std::byte> scratch) {
    const auto past = reinterpret_cast<uintptr_t>(scratch.data()) % cublaslt_alignment;
    const size_t skipped = past == 0 ? 0 : static_cast<size_t>(cublaslt_alignment - past);
    return skipped < scratch.size() ? scratch.subspan(skipped) : std::span<std::byte>{};
  }

  cublasStatus_t multiply(const StepArgs& args, int64_t i, int64_t j) const {
    const GemmParams& gemm = params_.gemm;
    const int64_t in = bit_width(gemm.type) / 8, out = bit_width(gemm.out_type) / 8;
    const std::span<std::byte> workspace = aligned(args.scratch);
    const int64_t at_c = (i * sizes_.c_step[0] + j * sizes_.c_step[1]) * out;
    const std::byte* residual = params_.residual ? args.inputs[gemm_operands].data + at_c : nullptr;
    return problem_->run(args.inputs[0].data + (i * sizes_.a_step[0] + j * sizes_.a_step[1]) * in,
                         args.inputs[1].data + (i * sizes_.b_step[0] + j * sizes_.b_step[1]) * in,
                         residual, args.outputs[0].data + at_c, algo_, workspace.data(),
                         workspace.size(), environment_.stream.get());
  }

  int64_t room(std::span<const std::byte> scratch) const {
    return std::clamp<int64_t>(static_cast<int64_t>(scratch.size()) - cublaslt_alignment, 0,
                               tactic_.workspace);
  }

  // At the first sizes (which loads the kernel), and where cuBLASLt refuses its first algorithm:
  // checking it at every new size would take the host as long as launching it.
  void choose(std::span<const std::byte> scratch) {
    const auto fits = [&](const auto& algo) { return problem_->fits(algo, room(scratch)); };
    // Asking the heuristics takes tens of microseconds, and what they name may be a kernel that has
    // to be loaded first: what served other sizes comes before it.
    const auto found = std::find_if(known_.begin(), known_.end(), fits);
    if (found != known_.end()) algo_ = *found;
    else algo_ = ask(scratch);
  }

  cublasLtMatmulAlgo_t ask(std::span<const std::byte> scratch) {
    const auto found = problem_->heuristics(1, room(scratch));
    TENREC_CHECK(!found.empty() && found[0].state == CUBLAS_STATUS_SUCCESS, unsupported,
                 "cuBLASLt has no algorithm for {} x {} x {}", sizes_.m, sizes_.n, sizes_.k);
    if (known_.size() == most_known) known_.erase(known_.begin() + 1);
    known_.push_back(found[0].algo);
    return found[0].algo;
  }

  static constexpr size_t most_known = 4;

  CublasLtParams params_;
  CublasLtTactic tactic_;
  RunEnvironment& environment_;
  GemmSizes sizes_;
  std::optional<Problem> problem_;
  std::vector<cublasLtMatmulAlgo_t> known_;  // the tuned one first, then those of other sizes
  cublasLtMatmulAlgo_t algo_ = {};
};

}  // namespace

std::string to_text(const CublasLtTactic& t) {
  if (t.automatic) return "auto";
  return fmt::format(
      "algo={} tile={} stages={} splitk={} reduction={} swizzle={} custom={} inner={} cluster={} "
      "workspace={}",
      t.algorithm, t.tile, t.stages, t.split_k, t.reduction, t.swizzle, t.custom, t.inner,
      t.cluster, t.workspace);
}

CublasLtTactic parse_cublaslt_tactic(const std::string& text) {
  CublasLtTactic t;
  if (text == "auto") return t;
  t.automatic = false;
  long long workspace = 0;
  const int read = std::sscanf(
      text.c_str(),
      "algo=%d tile=%d stages=%d splitk=%d reduction=%d swizzle=%d custom=%d inner=%d cluster=%d "
      "workspace=%lld",
      &t.algorithm, &t.tile, &t.stages, &t.split_k, &t.reduction, &t.swizzle, &t.custom, &t.inner,
      &t.cluster, &workspace);
  t.workspace = workspace;
  TENREC_CHECK(
      read == 10 && to_text(t) == text && t.workspace >= 0 && t.workspace <= cublaslt_workspace,
      invalid_engine, "unknown tactic '{}' of a cuBLASLt product", text);
  return t;
}

std::vector<CublasLtTactic> cublaslt_tactics(const CublasLtParams& params, const GemmSizes& sizes,
                                             size_t most) {
  std::string problem;
  std::vector<CublasLtTactic> tactics;
  if (!find_driver(problem) || !cublaslt_library().is_open() || !api().is_complete) return tactics;
  if (sizes.empty() || sizes.k == 0) return tactics;
  Gpu::open(0)->enter();
  Problem product(params);
  product.resize(sizes);
  for (const auto& result : product.heuristics(most, cublaslt_workspace)) {
    if (result.state == CUBLAS_STATUS_SUCCESS) tactics.push_back(tactic_of(result));
  }
  return tactics;
}

Runner prepare_cublaslt(const StepSource& source) {
  return std::make_unique<CublasLtRunner>(source);
}

}  // namespace tenrec::cuda

#endif  // TENREC_HAS_CUBLASLT
