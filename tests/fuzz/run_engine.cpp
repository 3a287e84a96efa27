// SPDX-License-Identifier: Apache-2.0
#include "fuzz/run_engine.h"

#include <algorithm>

#include "common/graph_cases.h"

namespace tenrec::test {
namespace {

// Of the right type for the binding if the case's own data is; else something of that type.
HostValue input_for(const TensorInfo& info, const InputRange& range, const Datum* own) {
  const bool fits = own && own->kind == Datum::Kind::tensor && own->tensor.dtype() == info.dtype &&
                    own->tensor.dims().size() == info.labels.size();
  if (own && (fits || own->kind != Datum::Kind::tensor)) return host_value(*own);
  std::vector<int64_t> dims(info.labels.size(), 2);
  for (size_t i = 0; i < dims.size() && i < range.opt.size(); ++i)
    dims[i] = std::clamp<int64_t>(range.opt[i], 0, 8);
  HostTensor tensor;
  tensor.dtype = info.dtype;
  tensor.dims = dims;
  if (info.dtype == DType::string) {
    uint64_t count = 1;
    for (const int64_t dim : dims) count *= static_cast<uint64_t>(dim);
    tensor.strings.assign(count, "tenrec");
    return tensor;
  }
  return HostTensor(info.dtype, dims);
}

}  // namespace

void run_on(const Engine& engine, Context& context, const Data& inputs) {
  for (size_t i = 0; i < engine.inputs().size(); ++i)
    context.set_input_value(engine.inputs()[i].name,
                            input_for(engine.inputs()[i], engine.profiles().at(0).at(i),
                                      i < inputs.size() ? &inputs[i] : nullptr));
  context.run();
  for (const TensorInfo& output : engine.outputs()) (void)context.output_value(output.name);
}

}  // namespace tenrec::test
