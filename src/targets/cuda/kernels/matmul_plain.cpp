// SPDX-License-Identifier: Apache-2.0
// Any matrix product on the plain arithmetic units: fp32 that means fp32, f64, and whatever the
// tensor cores' families do not take.
#include "ops/matmul.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/epilogue_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

constexpr int64_t tile = 64;

// One operand as a stack of matrices: strides of the batch axes of the output, then of rows and
// columns.
Walk operand_walk(const Type& type, const Shape& out, size_t batch, bool is_a) {
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
    const Dim matrix = type.shape[rank - 2] * type.shape[rank - 1];
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
    a_ = operand_walk(a, out_, batch_, true);
    b_ = operand_walk(b, out_, batch_, false);
    kernel_.reach_all();
  }

  void write(bool few_rows) {
    const Type& a = product_.types[0];
    const Type& b = product_.types[1];
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
    body += read("a", a, kernel_.input(0), a_, variables) +
            read("b", b, kernel_.input(1), b_, variables);
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
  static std::string load_lambda(const std::string& name, const Type& type, const std::string& data,
                                 const std::string& from) {
    return fmt::format("  const auto {} = [&](idx p, idx q) {{ return {}; }};\n", name,
                       load_text(type.dtype, fmt::format("{}[{}]", data, from)));
  }

  std::string read(const std::string& name, const Type& type, const std::string& data,
                   const Walk& walk, std::vector<std::string> variables) {
    variables.insert(variables.end(), {"p", "q"});
    return load_lambda(name, type, data, kernel_.offset(walk, variables));
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

class MatMulPlain : public Kernel {
 public:
  std::string_view name() const override { return "matmul_plain"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const Anchored product = anchored(node, "matmul", anchor_rules(true));
    if (!product.reject.empty()) return product.reject;
    for (const Type& type : product.types) {
      if (!has_strides(type) || !type.layout.is_plain())
        return "the rank is not known, or a layout";
      if (!is_float(type.dtype) || !is_supported(type.dtype))
        return fmt::format("{} elements", tenrec::name(type.dtype));
    }
    return has_strides(product.output->type) ? "" : "a blocked layout";
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo&,
                                   const Sizes& opt) const override {
    const Dims& a = opt.inputs[0];
    const int64_t m = a.size() > 1 && node.op().name() == "matmul" ? a[a.size() - 2] : 1;
    return m <= 4 ? std::vector<std::string>{"rows=few", "rows=many"}
                  : std::vector<std::string>{"rows=many", "rows=few"};
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const Anchored product = anchored(node, "matmul", anchor_rules(true));
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
