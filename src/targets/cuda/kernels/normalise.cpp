// SPDX-License-Identifier: Apache-2.0
// Softmax and the normalisations: a group of threads a row, read again for each pass (it is in the
// nearest cache by then).
#include "ops/normalization.h"

#include "ops/softmax.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernel_text.h"
#include "targets/cuda/kernels/group_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

std::string loop(KernelText& kernel, const Dim& count, const std::string& statements) {
  return fmt::format("#pragma unroll 4\n  for (idx j = lane; j < {}; j += G) {{\n{}  }}\n",
                     kernel.dim(count), statements);
}

// ------------------------------------------------------------------------------------- softmax

struct SoftmaxShape {
  Loops rows;  // of the other axes: walks the tensor
  Dim count, stride;
};

std::optional<int64_t> softmax_axis(const Node& node) {
  if (const auto* op = node.as<Softmax>()) return op->axis;
  if (const auto* op = node.as<LogSoftmax>()) return op->axis;
  return std::nullopt;
}

SoftmaxShape softmax_shape(const Type& type, int64_t axis) {
  SoftmaxShape shape{.rows = {}, .count = 1, .stride = 1};
  const Shape strides = memory_strides(type);
  const size_t at = strides.empty() ? 0 : static_cast<size_t>(normalise_axis(axis, type.rank()));
  shape.rows.walks.resize(1);
  for (const size_t i : memory_order(type)) {
    if (i == at) {
      shape.count = type.shape[i];
      shape.stride = strides[i];
      continue;
    }
    shape.rows.sizes.push_back(type.shape[i]);
    shape.rows.walks[0].strides.push_back(strides[i]);
  }
  shape.rows.collapse();
  return shape;
}

void write_softmax(const Node& node, int group, StepWriter& step) {
  const Type& type = node.output()->type;
  const SoftmaxShape shape = softmax_shape(type, *softmax_axis(node));
  const bool log = node.as<LogSoftmax>() != nullptr;
  KernelText kernel(step, "softmax");
  kernel.reach_all();
  std::string& body = kernel.body;
  body = begin_group(kernel, group, shape.rows.count());
  const auto variables = numbered("k", shape.rows.sizes.size());
  const std::string value = compute_type(type.dtype);
  const std::string at = fmt::format("[base + j * {}]", kernel.dim(shape.stride));
  const std::string x = load_text(type.dtype, kernel.input(0) + at);
  body += kernel.unflatten("row", shape.rows.sizes, variables);
  body += fmt::format("  const idx base = {};\n  {} top = -{};\n",
                      kernel.offset(shape.rows.walks[0], variables), value,
                      type.dtype == DType::f64 ? "inf64()" : "inf32()");
  body += loop(kernel, shape.count, fmt::format("    top = fn_max<{}>(top, {});\n", value, x));
  body += fmt::format("  top = group_max<G>(top);\n  {} sum = 0;\n", value);
  body += loop(kernel, shape.count, fmt::format("    sum += fn_exp<{}>({} - top);\n", value, x));
  body += "  sum = group_sum<G>(sum);\n";
  body += log ? fmt::format("  const {0} scale = fn_log<{0}>(sum);\n", value)
              : fmt::format("  const {0} scale = ({0})1 / sum;\n", value);
  const std::string result = log ? fmt::format("{} - top - scale", x)
                                 : fmt::format("fn_exp<{}>({} - top) * scale", value, x);
  body +=
      loop(kernel, shape.count,
           fmt::format("    {}{} = {};\n", kernel.output(0), at, store_text(type.dtype, result)));
  launch_groups(step, kernel, group, shape.rows.count());
}

// -------------------------------------------------------------------------------- normalisations

// Rows that lie together in memory, each with statistics of its own.
struct RowNorm {
  Dim rows, count;
  float epsilon = 0;
  bool centred = true;  // false: by the mean square alone
  bool statistics = false;
  int64_t axis = 0;    // of layer and RMS normalisation
  Dim channels = 0;    // of a row (instance and group); 0: parameters cover the axes from `axis`
  Dim row_groups = 1;  // rows of one sample
};

std::optional<RowNorm> norm_of(const Node& node) {
  if (!node.input(0) || !has_strides(node.input(0)->type)) return std::nullopt;
  const Type& x = node.input(0)->type;
  const auto from_axis = [&](int64_t axis, float epsilon, bool centred, bool statistics) {
    RowNorm norm;
    norm.axis = normalise_axis(axis, x.rank());
    norm.rows = product(Shape(x.shape.begin(), x.shape.begin() + norm.axis));
    norm.count = product(Shape(x.shape.begin() + norm.axis, x.shape.end()));
    norm.epsilon = epsilon;
    norm.centred = centred;
    norm.statistics = statistics;
    return norm;
  };
  if (const auto* op = node.as<LayerNormalization>())
    return from_axis(op->axis, op->epsilon, true, op->statistics);
  if (const auto* op = node.as<RMSNormalization>())
    return from_axis(op->axis, op->epsilon, false, false);
  const auto by_channel = [&](const Dim& groups, float epsilon) {
    RowNorm norm;
    norm.rows = x.shape[0] * groups;
    norm.channels = floordiv(x.shape[1], groups);
    norm.count = norm.channels * product(Shape(x.shape.begin() + 2, x.shape.end()));
    norm.epsilon = epsilon;
    norm.row_groups = groups;
    return norm;
  };
  if (x.rank() < 2) return std::nullopt;
  if (const auto* op = node.as<InstanceNormalization>()) return by_channel(x.shape[1], op->epsilon);
  if (const auto* op = node.as<GroupNormalization>())
    return by_channel(Dim(op->num_groups), op->epsilon);
  return std::nullopt;
}

// The place of a parameter for element j of a row.
std::string parameter_at(KernelText& kernel, const Node& node, const RowNorm& norm, size_t input,
                         std::string& statements) {
  const Type& x = node.input(0)->type;
  const Type& parameter = node.input(input)->type;
  if (!(norm.channels == Dim(0))) {
    const Dim plane = product(Shape(x.shape.begin() + 2, x.shape.end()));
    const std::string first =
        fmt::format("row % {} * {}", kernel.dim(norm.row_groups), kernel.dim(norm.channels));
    return norm.channels == Dim(1) ? first : fmt::format("{} + j / {}", first, kernel.dim(plane));
  }
  const Shape own(x.shape.begin() + norm.axis, x.shape.end());
  if (product(parameter.shape) == norm.count) return "j";
  Loops loops;
  loops.sizes = own;
  loops.walks = {{memory_strides(Type::tensor(x.dtype, own)), Dim(0)},
                 {broadcast_strides(parameter, own), Dim(0)}};
  loops.collapse();
  const auto variables = numbered(fmt::format("p{}_", input), loops.sizes.size());
  statements += kernel.unflatten("j", loops.sizes, variables);
  return kernel.offset(loops.walks[1], variables);
}

void write_norm(const Node& node, int group, StepWriter& step) {
  const RowNorm norm = *norm_of(node);
  const DType dtype = node.input(0)->type.dtype;
  KernelText kernel(step, std::string(node.op().name()));
  kernel.reach_all();
  const std::string value = compute_type(dtype);
  const std::string count = fmt::format("({}){}", value, kernel.dim(norm.count));
  std::string& body = kernel.body;
  body = begin_group(kernel, group, norm.rows);
  body += fmt::format("  const idx base = row * {};\n  {} mean = 0, sum = 0;\n",
                      kernel.dim(norm.count), value);
  const std::string x = load_text(dtype, kernel.input(0) + "[base + j]");
  if (norm.centred) {
    body += loop(kernel, norm.count, fmt::format("    mean += {};\n", x));
    body += fmt::format("  mean = group_sum<G>(mean) / {};\n", count);
  }
  body += loop(kernel, norm.count,
               fmt::format("    const {} d = {} - mean;\n    sum += d * d;\n", value, x));
  body += fmt::format(
      "  const {0} scale = ({0})1 / fn_sqrt<{0}>(group_sum<G>(sum) / {1} + {2});\n", value, count,
      literal(dtype == DType::f64 ? DType::f64 : DType::f32, static_cast<double>(norm.epsilon), 0));
  std::string statements, result = fmt::format("({} - mean) * scale", x);
  if (node.input(1))
    result += fmt::format(" * {}",
                          load_text(node.input(1)->type.dtype,
                                    fmt::format("{}[{}]", kernel.input(1),
                                                parameter_at(kernel, node, norm, 1, statements))));
  if (node.input(2))
    result += fmt::format(" + {}",
                          load_text(node.input(2)->type.dtype,
                                    fmt::format("{}[{}]", kernel.input(2),
                                                parameter_at(kernel, node, norm, 2, statements))));
  if (step.draft().outputs[0])
    body += loop(kernel, norm.count,
                 fmt::format("{}    {}[base + j] = {};\n", statements, kernel.output(0),
                             store_text(dtype, result)));
  if (norm.statistics) {
    for (size_t i = 1; i < step.draft().outputs.size(); ++i) {
      const Value* output = step.draft().outputs[i];
      if (!output) continue;
      body += fmt::format("  if (lane == 0) {}[row] = {};\n", kernel.output(i),
                          store_text(output->type.dtype, i == 1 ? "mean" : "scale"));
    }
  }
  launch_groups(step, kernel, group, norm.rows);
}

class NormaliseKernel : public Kernel {
 public:
  std::string_view name() const override { return "normalise"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const bool softmax = softmax_axis(node).has_value();
    if (!softmax && !norm_of(node)) return "no softmax or normalisation";
    const Value* first = node.input(0);
    for (const Value* value : node.inputs()) {
      if (!value) continue;
      const Type& type = value->type;
      if (!has_strides(type)) return "the rank is not known, or a blocked layout";
      if (!is_float(type.dtype) || !is_supported(type.dtype))
        return fmt::format("{} elements", tenrec::name(type.dtype));
      if ((type.dtype == DType::f64) != (first->type.dtype == DType::f64)) return "mixed with f64";
      if (!softmax && !type.layout.is_plain()) return "channels last";
    }
    if (!(node.output()->type.layout == first->type.layout)) return "layouts differ";
    if (!softmax) {
      const RowNorm norm = *norm_of(node);
      for (size_t i = 1; i < node.inputs().size() && norm.channels == Dim(0); ++i) {
        if (node.input(i) && node.input(i)->type.rank() > first->type.rank() - norm.axis &&
            !(product(node.input(i)->type.shape) == norm.count))
          return "a parameter of the rows";
      }
    }
    if (!softmax)
      for (size_t i = 1; i < node.output_count(); ++i)
        if (!is_supported(node.output(i)->type.dtype)) return "statistics of another type";
    return "";
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo&,
                                   const Sizes& opt) const override {
    const auto total = static_cast<int64_t>(element_count(opt.inputs[0]));
    int64_t count = 1;
    bool rows = true;
    if (const auto axis = softmax_axis(node)) {
      const SoftmaxShape shape = softmax_shape(node.output()->type, *axis);
      rows = shape.stride == Dim(1);
      const auto rank = static_cast<int64_t>(opt.inputs[0].size());
      if (rank > 0) count = opt.inputs[0][static_cast<size_t>(normalise_axis(*axis, rank))];
    } else {
      const RowNorm norm = *norm_of(node);
      const auto rank = opt.inputs[0].size();
      if (norm.channels == Dim(0)) {
        for (auto i = static_cast<size_t>(norm.axis); i < rank; ++i) count *= opt.inputs[0][i];
      } else {
        count = 2048;
      }
    }
    const int64_t groups = total / std::max<int64_t>(count, 1);
    if (!rows) return group_tactics(groups >= 4096 || count <= 16 ? 1 : 32);
    return group_tactics(count <= 8 ? 1 : count <= 1024 && groups >= 64 ? 32 : 256);
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    if (draft.outputs[0] && node.output()->type == node.input(0)->type) draft.in_place = 0;
    StepWriter step(std::move(draft));
    if (softmax_axis(node)) write_softmax(node, group_of(tactic), step);
    else write_norm(node, group_of(tactic), step);
    return step.finish();
  }
};

}  // namespace

const Kernel& normalise_kernel() {
  static const NormaliseKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
