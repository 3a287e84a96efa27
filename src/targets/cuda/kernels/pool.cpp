// SPDX-License-Identifier: Apache-2.0
// Maximum, average and Lp pools, one thread an output element, or as many channels as 16 bytes hold
// where they lie last.
#include "ops/pool.h"

#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

struct Pooling {
  Window window;
  std::vector<int64_t> kernel;
  bool is_max = false, indices = false, column_major = false, count_pad = false;
  int64_t p = 0;  // of Lp pools
};

std::optional<Pooling> pooling_of(const Node& node) {
  if (const auto* op = node.as<MaxPool>())
    return Pooling{op->window(), op->kernel_shape, true, op->indices, op->column_major, false, 0};
  if (const auto* op = node.as<AveragePool>())
    return Pooling{op->window(), op->kernel_shape, false, false, false, op->count_include_pad, 0};
  if (const auto* op = node.as<LpPool>())
    return Pooling{op->window(), op->kernel_shape, false, false, false, false, op->p};
  return std::nullopt;
}

std::string lowest(DType dtype) {
  if (is_float(dtype)) return dtype == DType::f64 ? "-inf64()" : "-inf32()";
  return dtype == DType::i8 ? "-128" : "0";
}

class Writer {
 public:
  Writer(const Node& node, const Pooling& pooling, StepWriter& step)
      : node_(node),
        pooling_(pooling),
        step_(step),
        kernel_(step, std::string(node.op().name())),
        x_(node.input(0)->type),
        y_(node.output()->type) {
    kernel_.reach_all();
    const bool simple = pooling_.is_max ? !pooling_.indices : pooling_.p == 0;
    if (!simple || !x_.layout.channels_last || !(x_.layout == y_.layout) || !is_float(x_.dtype))
      return;
    lanes_ = 128 / bit_width(x_.dtype);
    while (lanes_ > 1 && !is_multiple(x_.shape[1], lanes_)) lanes_ /= 2;
  }

  void write() {
    const Shape window(pooling_.kernel.begin(), pooling_.kernel.end());
    axes_ = window_dims(pooling_.window, x_.shape, y_.shape, window);
    const std::vector<std::string> out = element_variables(y_.shape.size());
    std::vector<std::string> parts = out;
    Type grid = y_;
    if (lanes_ > 1) {
      parts[1] = "part";
      grid.shape[1] = floordiv(y_.shape[1], Dim(lanes_));
    }
    const Dim count = memory_elements(grid);
    std::string& body = kernel_.body;
    body = kernel_.flat_index(count);
    body += element_index(kernel_, grid, "i", parts);
    if (lanes_ > 1) body += fmt::format("  const idx c = part * {};\n", lanes_);
    const std::string type = compute_type(x_.dtype);
    const std::string size = lanes_ > 1 ? fmt::format("[{}]", lanes_) : "";
    const std::string zero = lanes_ > 1 ? "{}" : "0";
    body += pooling_.is_max ? fmt::format("  {} best{} = {};\n  bool any = false;\n", type, size,
                                          lanes_ > 1 ? zero : lowest(x_.dtype))
                            : fmt::format("  {} sum{} = {};\n  int inside = 0, counted = 0;\n",
                                          type, size, zero);
    if (pooling_.is_max && lanes_ > 1)
      body +=
          fmt::format("  for (int v = 0; v < {}; ++v) best[v] = {};\n", lanes_, lowest(x_.dtype));
    if (pooling_.indices) body += "  long long where = -1;\n";
    std::vector<std::string> read{"n", "c"};
    for (size_t a = 0; a < axes_.size(); ++a) {
      body += fmt::format("  for (int k{0} = 0; k{0} < {1}; ++k{0}) {{\n", a, pooling_.kernel[a]);
      body += fmt::format("  const idx p{0} = x{0} * {1} + k{0} * {2} - {3};\n", a, axes_[a].stride,
                          axes_[a].dilation, kernel_.dim(axes_[a].pad_begin));
      read.push_back(fmt::format("p{}", a));
    }
    body += element(read);
    for (size_t a = 0; a < axes_.size(); ++a) body += "  }\n";
    body += result(kernel_.offset({memory_strides(y_), Dim(0)}, out));
    step_.launch_flat(kernel_, count);
  }

 private:
  std::string element(const std::vector<std::string>& read) {
    std::string text, inside;
    if (!pooling_.is_max) {
      std::string counted;
      for (size_t a = 0; a < axes_.size(); ++a)
        counted += fmt::format("{}p{} < {}", a == 0 ? "" : " && ", a,
                               kernel_.dim(axes_[a].in + axes_[a].pad_end));
      text += fmt::format("  counted += {};\n", counted);
    }
    for (size_t a = 0; a < axes_.size(); ++a)
      inside += fmt::format("{0}p{1} >= 0 && p{1} < {2}", a == 0 ? "" : " && ", a,
                            kernel_.dim(axes_[a].in));
    const std::string at = kernel_.offset({memory_strides(x_), Dim(0)}, read);
    if (lanes_ > 1) return text + fmt::format("  if ({}) {{\n{}  }}\n", inside, lanes(at));
    text += fmt::format("  if ({}) {{\n  const {} x = {};\n", inside, compute_type(x_.dtype),
                        load_text(x_.dtype, fmt::format("{}[{}]", kernel_.input(0), at)));
    if (pooling_.is_max) {
      text += "  if (!any || x > best) {\n  best = x;\n  any = true;\n";
      if (pooling_.indices) text += fmt::format("  where = {};\n", place());
      return text + "  }\n  }\n";
    }
    if (pooling_.p == 0) return text + "  sum += x;\n  ++inside;\n  }\n";
    const std::string size = fmt::format("fn_abs<{}>(x)", compute_type(x_.dtype));
    if (pooling_.p == 1) return text + fmt::format("  sum += {};\n  }}\n", size);
    if (pooling_.p == 2) return text + "  sum += x * x;\n  }\n";
    return text + fmt::format("  sum += fn_pow<{}>({}, {});\n  }}\n", compute_type(x_.dtype), size,
                              pooling_.p);
  }

  std::string lanes(const std::string& at) {
    return fmt::format(
        "  const Pack<{0}, {1}> pack = *(const Pack<{0}, {1}>*)({2} + {3});\n"
        "  for (int v = 0; v < {1}; ++v) {{\n  const {4} x = {5};\n  {6};\n  }}\n  {7};\n",
        storage_type(x_.dtype), lanes_, kernel_.input(0), at, compute_type(x_.dtype),
        load_text(x_.dtype, "pack.at[v]"),
        pooling_.is_max ? "if (!any || x > best[v]) best[v] = x" : "sum[v] += x",
        pooling_.is_max ? "any = true" : "++inside");
  }

  // The element's number in the whole input, its spatial axes in either order.
  std::string place() {
    std::string flat = fmt::format("((long long)n * {} + c)", kernel_.dim(x_.shape[1]));
    for (size_t a = 0; a < axes_.size(); ++a) {
      const size_t axis = pooling_.column_major ? axes_.size() - 1 - a : a;
      // The first axis in order counts within the channel.
      flat = fmt::format("({} * {} + p{})", flat, kernel_.dim(axes_[axis].in), axis);
    }
    return flat;
  }

  std::string result(const std::string& at) {
    if (lanes_ > 1) {
      return fmt::format(
          "  Pack<{0}, {1}> result;\n"
          "  for (int v = 0; v < {1}; ++v) result.at[v] = {2};\n"
          "  *(Pack<{0}, {1}>*)({3} + {4}) = result;\n",
          storage_type(y_.dtype), lanes_,
          store_text(y_.dtype, pooling_.is_max ? "best[v]" : mean("sum[v]")), kernel_.output(0),
          at);
    }
    if (pooling_.is_max) {
      std::string text;
      if (!step_.draft().outputs.empty() && step_.draft().outputs[0])
        text +=
            fmt::format("  {}[{}] = {};\n", kernel_.output(0), at, store_text(y_.dtype, "best"));
      if (pooling_.indices && step_.draft().outputs[1])
        text += fmt::format("  {}[{}] = where;\n", kernel_.output(1), at);
      return text;
    }
    std::string value = "sum";
    const std::string type = compute_type(x_.dtype);
    if (pooling_.p == 0) value = mean("sum");
    if (pooling_.p == 2) value = fmt::format("fn_sqrt<{}>(sum)", type);
    if (pooling_.p > 2) value = fmt::format("fn_pow<{0}>(sum, ({0})1 / {1})", type, pooling_.p);
    return fmt::format("  {}[{}] = {};\n", kernel_.output(0), at, store_text(y_.dtype, value));
  }

  std::string mean(const std::string& sum) const {
    const std::string by = pooling_.count_pad ? "counted" : "inside";
    return fmt::format("{0} == 0 ? 0 : {1} / ({2}){0}", by, sum, compute_type(x_.dtype));
  }

  const Node& node_;
  const Pooling& pooling_;
  StepWriter& step_;
  KernelText kernel_;
  const Type& x_;
  const Type& y_;
  std::vector<WindowDims> axes_;
  int64_t lanes_ = 1;
};

class Pool : public Kernel {
 public:
  std::string_view name() const override { return "pool"; }
  Reject check(const Node& node, const DeviceInfo&) const override {
    const std::optional<Pooling> pooling = pooling_of(node);
    if (!pooling) return "no pool";
    const Type& in = node.input(0)->type;
    if (!has_strides(in) || !has_strides(node.output()->type))
      return "the rank is not known, or a blocked layout";
    if (pooling->indices && !(in.layout.is_plain() && node.output()->type.layout.is_plain()))
      return "indices in another layout";
    if (!is_supported(in.dtype)) return fmt::format("{} elements", tenrec::name(in.dtype));
    return "";
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepWriter step(draft_of(node, name(), tactic));
    Writer(node, *pooling_of(node), step).write();
    return step.finish();
  }
};

}  // namespace

const Kernel& pool_kernel() {
  static const Pool kernel;
  return kernel;
}

}  // namespace tenrec::cuda
