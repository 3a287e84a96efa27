// SPDX-License-Identifier: Apache-2.0
// Attention in f16 and bf16 without writing the scores; alone, or as a region with slices of what
// it reads (attention_regions.h).
#include "ops/attention.h"
#include "base/error.h"
#include "base/wire.h"
#include "ops/fused.h"
#include "ops/slice.h"
#include "targets/cuda/attention_regions.h"
#include "targets/cuda/kernels/gemm_node.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/run/attention_params.h"

namespace tenrec::cuda {
namespace {

struct Problem {
  Reject reject;
  AttentionParams params;
};

// Heads and head size of q, k or v; 0: not known.
std::pair<int64_t, int64_t> heads_of(const Type& type, int64_t packed_heads) {
  const auto number = [](const Dim& dim) { return dim.is_const() ? dim.value() : 0; };
  if (type.rank() == 4) return {number(type.shape[1]), number(type.shape[3])};
  const int64_t packed = number(type.shape[2]);
  return {packed_heads, packed_heads > 0 ? packed / packed_heads : 0};
}

Reject read_mask(const Type& mask, const Type& q, const Type& k, AttentionParams& params) {
  if (!mask.ranked || mask.rank() > 4 || !mask.layout.is_plain()) return "an unknown mask";
  if (mask.dtype != DType::boolean && mask.dtype != DType::f32 && mask.dtype != params.type)
    return fmt::format("the mask is {}", name(mask.dtype));
  const Dim& keys = k.shape[k.shape.size() - 2];
  const Dim& last = mask.shape.empty() ? Dim(1) : mask.shape.back();
  if (!(last == Dim(1)) && !(last == keys)) return "the mask is shorter than the keys";
  (void)q;
  params.mask = mask.dtype;
  return "";
}

// The attention of a region, or the node itself; null if it is neither.
const Node* attention_in(const Node& node) {
  if (node.as<Attention>()) return &node;
  const auto* fused = node.as<Fused>();
  if (!fused || fused->anchor != attention_anchor) return nullptr;
  for (const auto& inner : node.body(0).nodes())
    if (inner->as<Attention>()) return inner.get();
  return nullptr;
}

// What stands outside of the region for a value inside.
StepArg outside(const Node& node, Value* value) {
  if (!value || node.as<Attention>()) return {value, {}};
  if (const Tensor* constant = value->constant()) return {nullptr, *constant};
  return {node.input(value->index()), {}};
}

// A part of a line that the kernel reads where it lies.
const Node* slice_of(const Value* value) {
  const Node* slice = value->producer();
  return slice && slice->as<Slice>() && line_range(*slice) ? slice : nullptr;
}

// Where the operands begin in the lines that they are part of.
Reject read_lines(const Node& attention, AttentionParams& params) {
  for (size_t i = 0; i < 3; ++i) {
    const Node* slice = slice_of(attention.input(i));
    const Dim& size = (slice ? slice->input(0) : attention.input(i))->type.shape.back();
    const int64_t first = slice ? line_range(*slice)->first : 0;
    if (!size.is_const() || size.value() % 8 != 0 || first % 8 != 0)
      return "a line is not made of whole 16 bytes";
    params.lines.push_back(size.value());
    params.starts.push_back(first);
  }
  return "";
}

Problem problem_of(const Node& node) {
  Problem problem;
  const Node* attention = attention_in(node);
  if (!attention) return {"is no attention", {}};
  const auto* op = attention->as<Attention>();
  AttentionParams& params = problem.params;
  const Types in = attention->input_types();
  for (size_t i = 0; i < 3; ++i) {
    if (!in[i].ranked || !in[i].layout.is_plain()) return {"an operand of unknown layout", {}};
  }
  params.type = in[0].dtype;
  if (params.type != DType::f16 && params.type != DType::bf16)
    return {fmt::format("operands are {}", name(params.type)), {}};
  if (in[1].dtype != params.type || in[2].dtype != params.type)
    return {"operands of several types", {}};
  for (size_t i = 4; i < in.size(); ++i) {
    if (in[i].present()) return {"has a key/value cache", {}};
  }
  if (op->outputs > 1) return {"gives more than the result", {}};
  if (op->left_window >= 0 || op->right_window >= 0) return {"has a window", {}};
  if (op->softcap > 0) return {"has a softcap", {}};
  params.packed = in[0].rank() == 3;
  const auto [heads, size] = heads_of(in[0], op->q_num_heads);
  const auto [key_heads, key_size] = heads_of(in[1], op->kv_num_heads);
  const auto [value_heads, value_size] = heads_of(in[2], op->kv_num_heads);
  if (heads < 1 || key_heads < 1 || heads % key_heads != 0 || value_heads != key_heads)
    return {"the number of heads is not known", {}};
  for (const int64_t each : {size, value_size}) {
    if (each < 16 || each > 128 || each % 16 != 0)
      return {fmt::format("heads of {} elements", each), {}};
  }
  params.heads = heads;
  params.key_heads = key_heads;
  params.size = size;
  params.value_size = value_size;
  params.causal = op->is_causal;
  params.scale = op->scale ? *op->scale : 1 / std::sqrt(static_cast<float>(size));
  if (!(params.scale > 0)) return {"the scale is not positive", {}};
  if (in.size() > 3 && in[3].present()) problem.reject = read_mask(in[3], in[0], in[1], params);
  if (problem.reject.empty() && node.as<Fused>()) problem.reject = read_lines(*attention, params);
  return problem;
}

class AttentionKernel final : public Kernel {
 public:
  std::string_view name() const override { return "attention_mma"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    return problem_of(node).reject;
  }

  // Fewer blocks read keys and values less often; more blocks keep more multiprocessors busy.
  std::vector<std::string> tactics(const Node&, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    const Dims& out = opt.outputs.at(0);
    int64_t rows = 1;
    for (size_t i = 0; i + 1 < out.size(); ++i) rows *= out[i];
    std::vector<std::string> texts{"queries=64", "queries=128"};
    if (rows * out.back() / 64 > int64_t{128} * 2 * multiprocessors(device))
      std::swap(texts[0], texts[1]);
    return texts;
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    AttentionParams params = problem_of(node).params;
    TENREC_CHECK(tactic == "queries=64" || tactic == "queries=128", usage,
                 "\"{}\" is no tactic of an attention; there are queries=64 and queries=128",
                 tactic);
    params.queries = tactic == "queries=64" ? 64 : 128;
    StepDraft draft = draft_of(node, name(), tactic);
    const Node& attention = *attention_in(node);
    draft.inputs.clear();
    for (size_t i = 0; i < 4; ++i) {
      Value* value = attention.input(i);
      const bool is_part = i < 3 && node.as<Fused>() && slice_of(value);
      draft.inputs.push_back(outside(node, is_part ? slice_of(value)->input(0) : value));
    }
    draft.params = encode(params);
    const int mask = params.mask == DType::undefined ? 0
                     : params.mask == DType::boolean ? 3
                     : params.mask == DType::f32     ? 2
                                                     : 1;
    draft.code = {
        {"attention_mma", fmt::format("#include \"attention_mma.cuh\"\n"
                                      "using C = attention::Config<{}, {}, {}, {}, {}, {}>;\n"
                                      "extern \"C\" __global__ "
                                      "__launch_bounds__(C::threads, C::blocks)\n"
                                      "void kernel(const __grid_constant__ Attention p) {{ "
                                      "attention::run<C>(p); }}\n",
                                      params.type == DType::bf16, params.size, params.value_size,
                                      mask, params.causal, params.queries)}};
    return draft;
  }
};

}  // namespace

const Kernel& attention_kernel() {
  static const AttentionKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
