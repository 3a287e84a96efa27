// SPDX-License-Identifier: Apache-2.0
// Attention with everything that ONNX lets it have: the scores of all keys go through memory. The
// usual cases belong to attention.cpp, which needs none.
#include "ops/attention.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/group_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

enum Input : size_t { query, key, value, mask, past_key, past_value, valid };
enum Output : size_t { result, present_key, present_value, scores };

struct Sizes4 {
  Dim heads, length, size;
};

class Writer {
 public:
  Writer(const Node& node, const Attention& op, StepWriter& step)
      : node_(node), op_(op), step_(step) {
    batch_ = type(query).shape[0];
    q_ = sizes(query, op.q_num_heads);
    k_ = sizes(key, op.kv_num_heads);
    v_ = sizes(value, op.kv_num_heads);
    before_ = has(past_key) ? type(past_key).shape[2] : Dim(0);
    total_ = before_ + k_.length;
    lines_ = batch_ * q_.heads * q_.length;
    compute_ = compute_type(type(query).dtype);
    row_ = step.add_scratch(lines_ * total_ * Dim(type(query).dtype == DType::f64 ? 8 : 4));
  }

  void write() {
    write_scores();
    write_result();
    if (wanted(present_key)) write_present(key, past_key, k_, present_key);
    if (wanted(present_value)) write_present(value, past_value, v_, present_value);
  }

 private:
  bool has(size_t i) const { return node_.input(i) != nullptr; }
  bool wanted(size_t i) const {
    return i < step_.draft().outputs.size() && step_.draft().outputs[i] != nullptr;
  }
  const Type& type(size_t i) const { return node_.input(i)->type; }
  bool is_packed() const { return type(query).rank() == 3; }

  Sizes4 sizes(size_t i, int64_t heads) const {
    const Shape& shape = type(i).shape;
    if (shape.size() == 4) return {shape[1], shape[2], shape[3]};
    return {Dim(heads), shape[1], floordiv(shape[2], Dim(heads))};
  }

  // Index of the first element of row `position` of q, k or v as they were given.
  std::string row_at(KernelText& kernel, const Sizes4& s, const std::string& head,
                     const std::string& position) const {
    const std::string heads = kernel.dim(s.heads), length = kernel.dim(s.length);
    return is_packed() ? fmt::format("((n * {} + ({})) * {} + {}) * {}", length, position, heads,
                                     head, kernel.dim(s.size))
                       : fmt::format("((n * {} + {}) * {} + ({})) * {}", heads, head, length,
                                     position, kernel.dim(s.size));
  }

  // Declares `name`, a pointer to row j of the keys or values, past ones first.
  std::string row_pointer(KernelText& kernel, const std::string& name, size_t now, size_t past,
                          const Sizes4& s) const {
    const std::string storage = storage_type(type(now).dtype);
    const std::string new_row =
        fmt::format("{} + {}", kernel.input(now),
                    row_at(kernel, s, "shared", fmt::format("j - {}", kernel.dim(before_))));
    if (!has(past)) return fmt::format("  const {}* {} = {};\n", storage, name, new_row);
    return fmt::format(
        "  const {0}* {1} = j < {2} ? {3} + ((n * {4} + shared) * {2} + j) * {5} : {6};\n", storage,
        name, kernel.dim(before_), kernel.input(past), kernel.dim(s.heads), kernel.dim(s.size),
        new_row);
  }

  std::string line_variables(KernelText& kernel) const {
    return fmt::format(
        "  const idx position = line % {0}, head = line / {0} % {1}, n = line / ({0} * {1});\n"
        "  const idx shared = head / ({1} / {2});\n",
        kernel.dim(q_.length), kernel.dim(q_.heads), kernel.dim(k_.heads));
  }

  // Statements that hide the key or add the mask to `score`.
  std::string bias_text(KernelText& kernel) const {
    std::string hidden = "false";
    std::string own = fmt::format("position + {}", kernel.dim(before_));
    std::string text;
    if (has(valid)) {
      text += fmt::format("  const idx valid = {}[n];\n", kernel.input(valid));
      hidden = "j >= valid";
      if (!has(past_key)) own = fmt::format("position + valid - {}", kernel.dim(q_.length));
    }
    text += fmt::format("  const idx own = {};\n", own);
    if (op_.is_causal) hidden += " || j > own";
    if (op_.left_window >= 0) hidden += fmt::format(" || j < own - {}", op_.left_window);
    if (op_.right_window >= 0) hidden += fmt::format(" || j > own + {}", op_.right_window);
    if (!has(mask)) return text + fmt::format("  if ({}) score = -big;\n", hidden);
    Shape shape = type(mask).shape;
    shape.insert(shape.begin(), 4 - shape.size(), Dim(1));
    std::string at = "0";
    const std::vector<std::string> index{"n", "head", "position", "j"};
    for (size_t axis = 0; axis < 4; ++axis) {
      const std::string size = kernel.dim(shape[axis]);
      at = fmt::format("({}) * {} + ({} == 1 ? 0 : {})", at, size, size, index[axis]);
    }
    const std::string last = kernel.dim(shape[3]);
    hidden += fmt::format(" || (j >= {0} && {0} != 1)", last);
    const DType dtype = type(mask).dtype;
    const std::string element = load_text(dtype, fmt::format("{}[{}]", kernel.input(mask), at));
    const std::string add = dtype == DType::boolean
                                ? fmt::format("if (!{}) score = -big;", element)
                                : fmt::format(
                                      "{{\n    const {0} added = {1};\n    score = added == -big ? "
                                      "-big : score + added;\n  }}",
                                      compute_, element);
    return text + fmt::format("  if ({}) score = -big;\n  else {}\n", hidden, add);
  }

  std::string keep(KernelText& kernel, int64_t mode, const std::string& place,
                   const std::string& what) const {
    if (!wanted(scores) || op_.qk_matmul_output_mode != mode) return "";
    return fmt::format("  {}[{}] = {};\n", kernel.output(scores), place,
                       store_text(type(query).dtype, what));
  }

  std::string begin(KernelText& kernel) const {
    kernel.reach_all();
    kernel.reach(lines_ * total_);
    return fmt::format("  const {} big = {};\n", compute_,
                       type(query).dtype == DType::f64 ? "inf64()" : "inf32()");
  }

  void write_scores() {
    KernelText kernel(step_, "attention_scores");
    const Dim count = lines_ * total_;
    const DType dtype = type(query).dtype;
    kernel.body = begin(kernel);
    kernel.body += fmt::format(
        "  const idx i = (idx)blockIdx.x * {} + threadIdx.x;\n  if (i >= {}) return;\n"
        "  const idx line = i / {}, j = i % {};\n",
        block_threads, kernel.dim(count), kernel.dim(total_), kernel.dim(total_));
    kernel.body += line_variables(kernel);
    kernel.body += fmt::format("  const {}* q = {} + {};\n", storage_type(dtype),
                               kernel.input(query), row_at(kernel, q_, "head", "position"));
    kernel.body += row_pointer(kernel, "k", key, past_key, k_);
    const std::string factor =
        op_.scale ? literal(dtype == DType::f64 ? DType::f64 : DType::f32,
                            static_cast<double>(*op_.scale), 0)
                  : fmt::format("({0})1 / fn_sqrt<{0}>(({0}){1})", compute_, kernel.dim(q_.size));
    kernel.body += fmt::format(
        "  {0} score = 0;\n  for (idx x = 0; x < {1}; ++x) score += {2} * {3};\n  score *= {4};\n",
        compute_, kernel.dim(q_.size), load_text(dtype, "q[x]"), load_text(type(key).dtype, "k[x]"),
        factor);
    kernel.body += keep(kernel, 0, "i", "score");
    if (op_.softcap > 0) {
      const std::string cap = literal(dtype == DType::f64 ? DType::f64 : DType::f32,
                                      static_cast<double>(op_.softcap), 0);
      kernel.body += fmt::format("  score = fn_tanh<{}>(score / {}) * {};\n", compute_, cap, cap);
    }
    kernel.body += keep(kernel, 1, "i", "score");
    kernel.body += bias_text(kernel);
    kernel.body += keep(kernel, 2, "i", "score");
    kernel.body += fmt::format("  {}[i] = score;\n", kernel.scratch(row_, compute_));
    step_.launch(kernel, ceildiv(count, Dim(block_threads)), block_threads);
  }

  void write_result() {
    KernelText kernel(step_, "attention_result");
    const DType dtype = type(query).dtype;
    const std::string limits = begin(kernel);
    kernel.body = begin_group(kernel, block_threads, lines_) + limits;
    kernel.body += "  const idx line = row;\n" + line_variables(kernel);
    const std::string keys = kernel.dim(total_);
    kernel.body += fmt::format(
        "  {0}* weights = {1} + line * {2};\n  {0} top = -big, sum = 0;\n"
        "  for (idx j = lane; j < {2}; j += G) top = fn_max<{0}>(top, weights[j]);\n"
        "  top = group_max<G>(top);\n"
        "  for (idx j = lane; j < {2}; j += G) {{\n"
        "    const {0} weight = top == -big ? ({0})0 : fn_exp<{0}>(weights[j] - top);\n"
        "    weights[j] = weight;\n    sum += weight;\n  }}\n"
        "  sum = group_sum<G>(sum);\n"
        "  for (idx j = lane; j < {2}; j += G) {{\n"
        "    const {0} weight = sum == 0 ? ({0})0 : weights[j] / sum;\n"
        "    weights[j] = weight;\n  {3}  }}\n  __syncthreads();\n",
        compute_, kernel.scratch(row_, compute_), keys,
        keep(kernel, 3, fmt::format("line * {} + j", keys), "weight"));
    const std::string to =
        is_packed() ? fmt::format("((n * {} + position) * {} + head) * {}", kernel.dim(q_.length),
                                  kernel.dim(q_.heads), kernel.dim(v_.size))
                    : fmt::format("line * {}", kernel.dim(v_.size));
    // What a mask hides must not matter, not even a NaN.
    kernel.body += fmt::format(
        "  for (idx x = lane; x < {0}; x += G) {{\n  {1} acc = 0;\n"
        "  for (idx j = 0; j < {2}; ++j) {{\n  if (weights[j] == 0) continue;\n{3}"
        "  acc += weights[j] * {4};\n  }}\n  {5}[{6} + x] = {7};\n  }}\n",
        kernel.dim(v_.size), compute_, keys, row_pointer(kernel, "v", value, past_value, v_),
        load_text(type(value).dtype, "v[x]"), kernel.output(result), to, store_text(dtype, "acc"));
    launch_groups(step_, kernel, block_threads, lines_);
  }

  void write_present(size_t now, size_t past, const Sizes4& s, size_t output) {
    KernelText kernel(step_, "attention_present");
    kernel.reach_all();
    const Dim count = batch_ * s.heads * total_ * s.size;
    kernel.body =
        fmt::format("  const idx i = (idx)blockIdx.x * {} + threadIdx.x;\n  if (i >= {}) return;\n",
                    block_threads, kernel.dim(count));
    kernel.body +=
        kernel.unflatten("i", {batch_, s.heads, total_, s.size}, {"n", "shared", "j", "x"});
    kernel.body += row_pointer(kernel, "from", now, past, s);
    kernel.body += fmt::format("  {}[i] = from[x];\n", kernel.output(output));
    step_.launch(kernel, ceildiv(count, Dim(block_threads)), block_threads);
  }

  const Node& node_;
  const Attention& op_;
  StepWriter& step_;
  Dim batch_, before_, total_, lines_, row_;
  Sizes4 q_, k_, v_;
  std::string compute_;
};

class AttentionPlain final : public Kernel {
 public:
  std::string_view name() const override { return "attention_plain"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* op = node.as<Attention>();
    if (!op) return "no attention";
    std::string problem = elements_problem(node.inputs());
    if (!problem.empty()) return problem;
    for (const Value* output : node.outputs())
      if (!has_strides(output->type)) return "the rank is not known";
    return "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepWriter step(draft_of(node, name(), tactic));
    Writer(node, *node.as<Attention>(), step).write();
    return step.finish();
  }
};

}  // namespace

const Kernel& attention_plain_kernel() {
  static const AttentionPlain kernel;
  return kernel;
}

}  // namespace tenrec::cuda
