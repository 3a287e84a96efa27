// SPDX-License-Identifier: Apache-2.0
// Col2Im: a thread an element of the image adds up the columns that hold it.
#include "ops/col2im.h"

#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/window_text.h"

namespace tenrec::cuda {
namespace {

class Writer {
 public:
  Writer(const Node& node, const Col2Im& op, StepWriter& step)
      : op_(op),
        step_(step),
        kernel_(step, "col2im"),
        x_(node.input(0)->type),
        y_(node.output()->type),
        rank_(y_.shape.size() - 2) {
    if (const auto* block = node.input(2)->type.known_ints()) block_ = *block;
  }

  void write() {
    kernel_.reach_all();
    std::string& body = kernel_.body;
    const auto variables = element_variables(y_.shape.size());
    body = kernel_.flat_index(product(y_.shape));
    body += element_index(kernel_, y_, "i", variables);
    std::string elements = "1";
    for (size_t axis = 0; axis < rank_; ++axis) {
      body += axis_sizes(axis);
      elements += fmt::format(" * b{}", axis);
    }
    body += fmt::format("  idx column = (n * {} + c) * ({});\n  {} sum = 0;\n",
                        kernel_.dim(y_.shape[1]), elements, compute_type(x_.dtype));
    std::string position = "0";
    for (size_t axis = 0; axis < rank_; ++axis) {
      body += fmt::format(
          "  for (idx k{0} = 0; k{0} < b{0}; ++k{0}) {{\n"
          "  const idx q{0} = x{0} + {1} - k{0} * {2}, p{0} = q{0} / {3};\n"
          "  const bool in{0}_ = {4}q{0} >= 0 && q{0} % {3} == 0 && p{0} < o{0};\n",
          axis, pad(axis), step_of(op_.dilations, axis), step_of(op_.strides, axis),
          axis == 0 ? "" : fmt::format("in{}_ && ", axis - 1));
      position = fmt::format("({}) * o{} + p{}", position, axis, axis);
    }
    const std::string value = load_text(
        x_.dtype,
        fmt::format("{}[column * {} + {}]", kernel_.input(0), kernel_.dim(x_.shape[2]), position));
    body += fmt::format("  if (in{}_) sum = {};\n  ++column;\n", rank_ - 1,
                        is_float(x_.dtype)
                            ? fmt::format("sum + {}", value)
                            : fmt::format("fn_add<{}>(sum, {})", compute_type(x_.dtype), value));
    for (size_t axis = 0; axis < rank_; ++axis) body += "  }\n";
    body += fmt::format("  {}[i] = {};\n", kernel_.output(0), store_text(y_.dtype, "sum"));
    step_.launch_flat(kernel_, product(y_.shape));
  }

 private:
  static int64_t step_of(const std::vector<int64_t>& list, size_t axis) {
    return list.empty() ? 1 : list[axis];
  }
  int64_t pad(size_t entry) const { return op_.pads.empty() ? 0 : op_.pads[entry]; }

  // b: the block's size, o: its positions.
  std::string axis_sizes(size_t axis) {
    const std::string block =
        block_.empty() ? fmt::format("{}[{}]", kernel_.input(2), axis) : kernel_.dim(block_[axis]);
    return fmt::format(
        "  const idx b{0} = {1}, o{0} = ({2} + {3} - (b{0} - 1) * {4} - 1) / {5} + 1;\n", axis,
        block, kernel_.dim(y_.shape[axis + 2]), pad(axis) + pad(axis + rank_),
        step_of(op_.dilations, axis), step_of(op_.strides, axis));
  }

  const Col2Im& op_;
  StepWriter& step_;
  KernelText kernel_;
  const Type& x_;
  const Type& y_;
  size_t rank_;
  std::vector<Dim> block_;  // empty: read from the tensor
};

class Col2ImKernel : public Kernel {
 public:
  std::string_view name() const override { return "col2im"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    if (!node.as<Col2Im>()) return "no Col2Im";
    return elements_problem({node.input(0), node.input(2), node.output()});
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    draft.inputs[1] = {};  // the output's sizes
    if (node.input(2)->type.known_ints()) draft.inputs.resize(1);
    StepWriter step(std::move(draft));
    Writer(node, *node.as<Col2Im>(), step).write();
    return step.finish();
  }
};

}  // namespace

const Kernel& col2im_kernel() {
  static const Col2ImKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
