// SPDX-License-Identifier: Apache-2.0
// Any matrix product on the plain arithmetic units: fp32 that means fp32, f64, and whatever the
// tensor cores' families do not take; and MatMulInteger.
#include "ops/matmul.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/epilogue_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

constexpr int64_t tile = 64;

// One operand as a stack of matrices: strides of the batch axes of the output, then of rows and
// columns. A matrix takes `matrix` elements.
Walk operand_walk(const Type& type, const Dim& matrix, const Shape& out, size_t batch, bool is_a) {
  const Shape own = memory_strides(type);
  const size_t rank = own.size();
  Walk walk;
  if (rank > 2) {
    const Type stack = [&] {
      Type result = type;
      result.shape.resize(rank - 2);
      return result;
    }();
    const Shape shape(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(batch));
    // Strides of the leading axes count whole matrices.
    const Shape strides = broadcast_strides(stack, shape);
    for (const Dim& stride : strides) walk.strides.push_back(stride * matrix);
  } else {
    walk.strides.assign(batch, Dim(0));
  }
  if (rank == 1) {
    walk.strides.push_back(is_a ? Dim(0) : Dim(1));
    walk.strides.push_back(is_a ? Dim(1) : Dim(0));
  } else {
    walk.strides.push_back(own[rank - 2]);
    walk.strides.push_back(own[rank - 1]);
  }
  return walk;
}

class Writer {
 public:
  Writer(const Anchored& product, StepWriter& step)
      : product_(product), step_(step), kernel_(step, "matmul"), out_(product.result.shape) {
    const Type& a = product.types[0];
    const Type& b = product.types[1];
    rows_axis_ = a.rank() > 1;
    columns_axis_ = b.rank() > 1;
    batch_ = out_.size() - (rows_axis_ ? 1 : 0) - (columns_axis_ ? 1 : 0);
    m_ = rows_axis_ ? a.shape[a.shape.size() - 2] : Dim(1);
    k_ = a.shape.back();
    n_ = columns_axis_ ? b.shape.back() : Dim(1);
    a_ = operand_walk(a, m_ * k_, out_, batch_, true);
    b_ = operand_walk(b, k_ * n_, out_, batch_, false);
    kernel_.reach_all();
  }

  void write(bool few_rows) {
    const std::string type = accumulator_type(product_.result.dtype);
    kernel_.functions = "#include \"matmul_plain.cuh\"\n" + epilogue_function(product_);
    std::string& body = kernel_.body;
    std::vector<std::string> variables;
    Dim batches = 1;
    for (size_t i = 0; i < batch_; ++i) {
      variables.push_back(fmt::format("g{}", i));
      batches = batches * out_[i];
    }
    const Dim tiles_n = ceildiv(n_, Dim(tile)), tiles_m = ceildiv(m_, Dim(tile));
    std::string flat = "(idx)blockIdx.y";
    if (!few_rows) {
      body = fmt::format("  const idx tile_n = blockIdx.x % {0}, tile_m = blockIdx.x / {0};\n",
                         kernel_.dim(tiles_n));
    }
    // Batches beyond what the grid's second axis holds.
    body += fmt::format("  for (idx g = blockIdx.y; g < {}; g += gridDim.y) {{\n",
                        kernel_.dim(batches));
    if (batch_ > 0)
      body += kernel_.unflatten(
          "g", Shape(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(batch_)), variables);
    body += read("a", 0, a_, variables) + read("b", 1, b_, variables);
    std::vector<std::string> at = variables;
    if (rows_axis_) at.push_back("r");
    if (columns_axis_) at.push_back("c");
    body += fmt::format("  const auto store = [&](idx r, idx c, {} sum) {{\n{}  }};\n", type,
                        store_result(kernel_, product_, "sum", at, "    "));
    const std::string sizes =
        fmt::format("{}, {}, {}", kernel_.dim(m_), kernel_.dim(n_), kernel_.dim(k_));
    body += few_rows ? fmt::format("  matvec_plain<{}>({}, a, b, store);\n  }}\n", type, sizes)
                     : fmt::format("  matmul_plain<{}>({}, tile_m, tile_n, a, b, store);\n  }}\n",
                                   type, sizes);
    step_.launch(kernel_, few_rows ? ceildiv(m_ * n_, Dim(8)) : tiles_m * tiles_n, block_threads,
                 min(batches, Dim(65535)));
  }

 private:
  std::string read(const std::string& name, size_t i, const Walk& walk,
                   std::vector<std::string> variables) {
    const DType dtype = product_.types[i].dtype;
    std::vector<std::string> place = variables;
    place.insert(place.end(), {"p", "q"});
    std::string element =
        load_text(dtype, fmt::format("{}[{}]", kernel_.input(i), kernel_.offset(walk, place)));
    if (!is_float(dtype))
      element = fmt::format("({}){}{}", accumulator_type(product_.result.dtype), element,
                            minus_zero(i, variables));
    return fmt::format("  const auto {} = [&](idx p, idx q) {{ return {}; }};\n", name, element);
  }

  // The zero point of an integer operand: one number, or one for each row of A or column of B,
  // maybe of every matrix.
  std::string minus_zero(size_t i, std::vector<std::string> variables) {
    const size_t input = i + 2;
    if (input >= product_.inputs.size() || !product_.types[input].present()) return "";
    const Dim count = product(product_.types[input].shape);
    std::string at = "0";
    if (!(count == Dim(1))) {
      const Type& type = product_.types[i];
      const bool is_a = i == 0;
      Walk lines = operand_walk(type, is_a ? m_ : n_, out_, batch_, is_a);
      lines.strides.resize(batch_);
      lines.strides.emplace_back(1);
      variables.push_back(is_a ? "p" : "q");
      at = fmt::format("({}) % {}", kernel_.offset(lines, variables), kernel_.dim(count));
    }
    return fmt::format(" - (int){}[{}]", kernel_.input(input), at);
  }

  const Anchored& product_;
  StepWriter& step_;
  KernelText kernel_;
  Shape out_;
  size_t batch_ = 0;
  bool rows_axis_ = true, columns_axis_ = true;
  Dim m_, n_, k_;
  Walk a_, b_;
};

Anchored read_product(const Node& node) {
  Anchored product = anchored(node, "matmul", anchor_rules(true));
  if (product.reject.empty()) return product;
  AnchorRules integers = anchor_rules(true);
  integers.dtypes = {DType::i32, DType::i64, DType::u32, DType::u64};
  for (const std::string_view name : {"matmul", "matmul_integer"}) {
    Anchored other = anchored(node, name, integers);
    if (other.reject.empty()) return other;
  }
  return product;
}

class MatMulPlain : public Kernel {
 public:
  std::string_view name() const override { return "matmul_plain"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const Anchored product = read_product(node);
    if (!product.reject.empty()) return product.reject;
    const bool integers = !is_float(product.result.dtype);
    for (const Type& type : product.types) {
      if (!type.present()) continue;
      std::string problem = plain_problem(type);
      if (!problem.empty()) return problem;
      if (integers == is_float(type.dtype) || !is_supported(type.dtype))
        return fmt::format("{} elements", tenrec::name(type.dtype));
    }
    return has_strides(product.output->type) ? "" : "a blocked layout";
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo&,
                                   const Sizes& opt) const override {
    const Dims& a = opt.inputs[0];
    const int64_t m = a.size() > 1 && node.op().name() != "fused" ? a[a.size() - 2] : 1;
    return m <= 4 ? std::vector<std::string>{"rows=few", "rows=many"}
                  : std::vector<std::string>{"rows=many", "rows=few"};
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const Anchored product = read_product(node);
    StepWriter step(anchored_step(node, product, name(), tactic));
    Writer(product, step).write(tactic == "rows=few");
    return step.finish();
  }
};

}  // namespace

const Kernel& matmul_plain_kernel() {
  static const MatMulPlain kernel;
  return kernel;
}

}  // namespace tenrec::cuda
