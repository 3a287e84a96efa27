// SPDX-License-Identifier: Apache-2.0
// com.microsoft's GroupQueryAttention; see device/group_query.cuh.
#include "ops/contrib/group_query_attention.h"

#include <cmath>

#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

enum Input : size_t {
  query,
  key,
  value,
  past_key,
  past_value,
  last,
  total,
  cosines,
  sines,
  positions,
  bias,
  sinks
};

constexpr int64_t largest_head = 1024;

class Writer {
 public:
  Writer(const Node& node, const GroupQueryAttention& op, StepWriter& step)
      : node_(node), op_(op), step_(step) {
    const Type& q = type(query);
    batch_ = q.shape[0];
    steps_ = q.shape[1];
    size_ = q.shape[2].value() / op.num_heads;
    length_ = node.output(1)->type.shape[2];
    past_ = has(past_key) ? type(past_key).shape[2] : Dim(0);
    lines_ = batch_ * steps_ * Dim(op.num_heads);
    cached_ = batch_ * Dim(op.kv_num_heads) * length_ * Dim(size_);
    scores_ = step.add_scratch(lines_ * length_ * Dim(4));
    const Dim bytes = cached_ * Dim(bit_width(q.dtype) / 8);
    for (const size_t i : {1, 2})
      cache_.push_back(wanted(i) ? std::nullopt : std::optional(step.add_scratch(bytes)));
  }

  void write() {
    launch("group_query_cache", "remember", cached_, false);
    launch("group_query", "attend", lines_, true);
  }

 private:
  bool has(size_t i) const { return node_.input(i) != nullptr; }
  const Type& type(size_t i) const { return node_.input(i)->type; }
  bool wanted(size_t i) const {
    return i < step_.draft().outputs.size() && step_.draft().outputs[i] != nullptr;
  }

  std::string config_text() const {
    const DType dtype = type(query).dtype;
    const auto number = [](double x) { return literal(DType::f32, x, 0); };
    const double scale =
        op_.scale != 0 ? static_cast<double>(op_.scale) : 1 / std::sqrt(static_cast<double>(size_));
    const auto cap = static_cast<double>(op_.softcap);
    return fmt::format(
        "struct Config {{\n  typedef {} T;\n"
        "  static constexpr int heads = {}, kv_heads = {}, size = {}, half = {}, window = {};\n"
        "  static constexpr bool interleaved = {}, smooth = {};\n"
        "  static __device__ __forceinline__ float load(T x) {{ return {}; }}\n"
        "  static __device__ __forceinline__ T store(float x) {{ return {}; }}\n"
        "  static __device__ __forceinline__ float scale() {{ return {}; }}\n"
        "  static __device__ __forceinline__ float cap(float x) {{ return {}; }}\n}};\n",
        storage_type(dtype), op_.num_heads, op_.kv_num_heads, size_,
        op_.do_rotary ? type(cosines).shape[1].value() : 0, op_.local_window_size,
        op_.rotary_interleaved, op_.smooth_softmax, load_text(dtype, "x"), store_text(dtype, "x"),
        number(scale), cap > 0 ? fmt::format("tanhf(x / {0}) * {0}", number(cap)) : "x");
  }

  std::string data_text(KernelText& kernel) const {
    std::string members;
    for (size_t i = query; i <= sinks; ++i) {
      if (i != total) members += (has(i) ? kernel.input(i) : "nullptr") + ", ";
    }
    members += kernel.output(0) + ", ";
    for (const size_t i : {1, 2})
      members += (cache_[i - 1] ? kernel.scratch(*cache_[i - 1], storage_type(type(query).dtype))
                                : kernel.output(i)) +
                 ", ";
    members += kernel.scratch(scores_, "float");
    const auto size = [&](size_t i, size_t axis) {
      return has(i) ? kernel.dim(type(i).shape.at(axis)) : std::string("0");
    };
    const std::vector<Dim>* known = type(total).known_ints();
    const std::string all = known && known->size() == 1
                                ? kernel.dim((*known)[0])
                                : fmt::format("(idx){}[0]", kernel.input(total));
    for (const std::string& text :
         {kernel.dim(batch_), kernel.dim(steps_), kernel.dim(past_), kernel.dim(length_), all,
          size(cosines, 0), size(bias, 0), size(bias, 1), size(bias, 3)})
      members += ", " + text;
    return fmt::format("  const GroupQueryData<{}> data{{{}}};\n", storage_type(type(query).dtype),
                       members);
  }

  void launch(const std::string& entry, const std::string& function, const Dim& count,
              bool by_block) {
    KernelText kernel(step_, entry);
    kernel.reach_all();
    kernel.reach(lines_ * length_);
    kernel.reach(cached_);
    kernel.functions = config_text() + "#include \"group_query.cuh\"\n";
    kernel.body =
        (by_block ? std::string("  const idx i = blockIdx.x;\n") : kernel.flat_index(count)) +
        data_text(kernel) + fmt::format("  {}<Config>(data, i);\n", function);
    if (by_block) step_.launch(kernel, count, block_threads);
    else step_.launch_flat(kernel, count);
  }

  const Node& node_;
  const GroupQueryAttention& op_;
  StepWriter& step_;
  Dim batch_, steps_, length_, past_, lines_, cached_, scores_;
  int64_t size_ = 0;
  std::vector<std::optional<Dim>> cache_;  // scratch of those that nobody asked for
};

// What the kernel reads, or "".
Reject check_input(const Node& node, size_t i) {
  const Type& type = node.input(i)->type;
  std::string problem = plain_problem(type);
  if (!problem.empty()) return problem;
  const bool known = i == total       ? !is_float(type.dtype)
                     : i == last      ? type.dtype == DType::i32
                     : i == positions ? type.dtype == DType::i64
                                      : type.dtype == node.input(query)->type.dtype;
  if (!known) return fmt::format("input {} is {}", i, name(type.dtype));
  if (i == cosines && !type.shape.at(1).is_const()) return "the width of the turn is not known";
  return i == bias && type.rank() != 4 ? "the bias has not four axes" : "";
}

class GroupQuery final : public Kernel {
 public:
  std::string_view name() const override { return "group_query"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* op = node.as<GroupQueryAttention>();
    if (!op) return "another operator";
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Reject reject = node.input(i) ? check_input(node, i) : "";
      if (!reject.empty()) return reject;
    }
    const Type& q = node.input(query)->type;
    if (q.dtype != DType::f32 && q.dtype != DType::f16 && q.dtype != DType::bf16)
      return fmt::format("{} elements", tenrec::name(q.dtype));
    if (!q.shape[2].is_const()) return "the size of the heads is not known";
    return q.shape[2].value() / op->num_heads > largest_head ? "heads too large" : "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepWriter step(draft_of(node, name(), tactic));
    Writer(node, *node.as<GroupQueryAttention>(), step).write();
    return step.finish();
  }
};

}  // namespace

const Kernel& group_query_kernel() {
  static const GroupQuery kernel;
  return kernel;
}

}  // namespace tenrec::cuda
