// SPDX-License-Identifier: Apache-2.0
#include "ir/constant.h"

#include "ops/onnx_context.h"

namespace tenrec {

Values Constant::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Tensor value;
  if (node.has("value") || node.has("sparse_value")) {
    value = node.tensor(node.has("value") ? "value" : "sparse_value");
  } else if (node.has("value_float")) {
    value = Tensor::scalar(node.number("value_float", 0));
  } else if (node.has("value_floats")) {
    const std::vector<float> values = node.numbers("value_floats");
    value = Tensor::of({static_cast<int64_t>(values.size())}, values);
  } else if (node.has("value_int")) {
    value = Tensor::scalar(node.integer("value_int"));
  } else if (node.has("value_ints")) {
    const std::vector<int64_t> values = node.integers("value_ints");
    value = Tensor::of({static_cast<int64_t>(values.size())}, values);
  } else if (node.has("value_string")) {
    value = Tensor::of_strings({}, {node.text("value_string", "")});
  } else if (node.has("value_strings")) {
    std::vector<std::string> values = node.texts("value_strings");
    const Dims dims{static_cast<int64_t>(values.size())};
    value = Tensor::of_strings(dims, std::move(values));
  } else {
    fail(ErrorCode::invalid_model, "a Constant needs one of its value attributes, it has none");
  }
  return {context.constant(std::move(value))};
}

}  // namespace tenrec
