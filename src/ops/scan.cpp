// SPDX-License-Identifier: Apache-2.0
#include "ops/scan.h"

#include <algorithm>

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

int64_t entry(const std::vector<int64_t>& list, size_t i) { return i < list.size() ? list[i] : 0; }

// `size` is what earlier values said of the axis, null before the first.
Type without_axis(const Type& type, int64_t axis, std::optional<Dim>& size, std::string_view what) {
  TENREC_CHECK(type.kind == Type::Kind::tensor, invalid_model,
               "{} of Scan must be a tensor, got {}", what, type.str());
  if (!type.ranked) return type;
  const int64_t at = normalise_axis(axis, type.rank());
  Shape shape = type.shape;
  const Dim own = shape[static_cast<size_t>(at)];
  size = size ? agreed(*size, own, what) : own;
  shape.erase(shape.begin() + at);
  return Type::tensor(type.dtype, std::move(shape));
}

Type with_axis(const Type& type, int64_t axis, const Dim& size) {
  if (!type.ranked) return type;
  Shape shape = type.shape;
  shape.insert(shape.begin() + normalise_axis(axis, type.rank() + 1), size);
  return Type::tensor(type.dtype, std::move(shape));
}

// Entry `index` of an axis, the axis gone.
Tensor slice_of(const Tensor& tensor, int64_t axis, int64_t index) {
  const auto at = static_cast<size_t>(normalise_axis(axis, tensor.rank()));
  AxisOffsets offsets = identity_offsets(tensor.dims());
  offsets[at] = {offsets[at].at(static_cast<size_t>(index))};
  const Tensor slice = moved(tensor, index_map(offsets));
  Dims dims = tensor.dims();
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(at));
  return slice.reshaped(dims);
}

// `tensor` with zeros appended along axis 0 up to `size`.
Tensor padded_to(const Tensor& tensor, int64_t size) {
  AxisOffsets offsets = identity_offsets(tensor.dims());
  offsets.at(0).resize(static_cast<size_t>(size), -1);
  return moved(tensor, index_map(offsets));
}

}  // namespace

Scan::Formal Scan::formal(const Types& in) const {
  const size_t shift = batched ? 1 : 0;
  TENREC_CHECK(states >= 0 && scanned >= 1 &&
                   in.size() >= shift + static_cast<size_t>(states) + static_cast<size_t>(scanned),
               invalid_model, "Scan of {} states and {} sequences has {} inputs", states, scanned,
               in.size());
  Formal formal;
  for (size_t i = shift; i < shift + static_cast<size_t>(states); ++i) {
    formal.states.push_back(batched ? without_axis(in[i], 0, formal.batch, "a state") : in[i]);
  }
  for (size_t i = 0; i < static_cast<size_t>(scanned); ++i) {
    Type type = in[shift + static_cast<size_t>(states) + i];
    if (batched) type = without_axis(type, 0, formal.batch, "a sequence");
    formal.slices.push_back(without_axis(type, entry(input_axes, i), formal.length, "a sequence"));
  }
  return formal;
}

Types Scan::infer(const Types& in, const std::vector<const Graph*>& bodies) const {
  TENREC_CHECK(bodies.size() == 1, invalid_model, "Scan has {} bodies", bodies.size());
  const Formal given = formal(in);
  const Types captures(in.begin() + (batched ? 1 : 0) + states + scanned, in.end());
  const Carried stable = stable_carried(given.states, [&](const Types& types) {
    Types inputs = types;
    inputs.insert(inputs.end(), given.slices.begin(), given.slices.end());
    inputs.insert(inputs.end(), captures.begin(), captures.end());
    return body_outputs(*bodies[0], inputs);
  });
  TENREC_CHECK(stable.outputs.size() == static_cast<size_t>(states) + collected.size(),
               invalid_model, "the body of Scan gives {} outputs, {} are needed",
               stable.outputs.size(), static_cast<size_t>(states) + collected.size());
  const SymbolSet visible = symbols_of(in);
  const Dim length = given.length.value_or(Dim::fresh("steps"));
  const Dim batch = given.batch.value_or(Dim::fresh("batch"));
  Types out;
  for (size_t i = 0; i < stable.outputs.size(); ++i) {
    const bool is_state = i < stable.inputs.size();
    Type type = exported(is_state ? stable.inputs[i] : stable.outputs[i], visible);
    if (!is_state) type = with_axis(type, entry(output_axes, i - stable.inputs.size()), length);
    out.push_back(batched ? with_axis(type, 0, batch) : type);
  }
  return out;
}

Data Scan::run_one(const Data& in, const Data& captures, int64_t length,
                   const BodyRunner& run) const {
  Data state(in.begin(), in.begin() + states);
  std::vector<Tensors> parts(collected.size());
  for (int64_t step = 0; step < length; ++step) {
    Data inputs = state;
    for (size_t i = 0; i < static_cast<size_t>(scanned); ++i) {
      const Tensor& sequence = in[static_cast<size_t>(states) + i].tensor;
      const int64_t index = entry(input_directions, i) == 1 ? length - 1 - step : step;
      inputs.emplace_back(slice_of(sequence, entry(input_axes, i), index));
    }
    inputs.insert(inputs.end(), captures.begin(), captures.end());
    const Data outputs = run(0, inputs);
    state.assign(outputs.begin(), outputs.begin() + states);
    for (size_t k = 0; k < parts.size(); ++k) {
      parts[k].push_back(outputs.at(static_cast<size_t>(states) + k).tensor);
    }
  }
  for (size_t k = 0; k < parts.size(); ++k) {
    if (entry(output_directions, k) == 1) std::reverse(parts[k].begin(), parts[k].end());
    state.emplace_back(stacked(parts[k], entry(output_axes, k), collected[k]));
  }
  return state;
}

Data Scan::eval_bodies(const Data& in, const BodyRunner& run) const {
  const Data captures(in.begin() + (batched ? 1 : 0) + states + scanned, in.end());
  if (!batched) {
    const Tensor& first = in.at(static_cast<size_t>(states)).tensor;
    const int64_t axis = normalise_axis(entry(input_axes, 0), first.rank());
    const int64_t length = first.dims()[static_cast<size_t>(axis)];
    for (size_t i = 1; i < static_cast<size_t>(scanned); ++i) {
      const Tensor& other = in.at(static_cast<size_t>(states) + i).tensor;
      const int64_t own = normalise_axis(entry(input_axes, i), other.rank());
      TENREC_CHECK(other.dims()[static_cast<size_t>(own)] == length, invalid_input,
                   "Scan over sequences of {} and {} steps", length,
                   other.dims()[static_cast<size_t>(own)]);
    }
    return run_one(Data(in.begin(), in.begin() + states + scanned), captures, length, run);
  }
  const Dims& dims = in.at(1 + static_cast<size_t>(states)).tensor.dims();
  const std::vector<int64_t> lengths =
      in[0].tensor ? in[0].tensor.to_ints()
                   : std::vector<int64_t>(static_cast<size_t>(dims.at(0)), dims.at(1));
  std::vector<Tensors> outputs(static_cast<size_t>(states) + collected.size());
  for (int64_t b = 0; b < dims[0]; ++b) {
    Data entries;
    for (size_t i = 1; i < 1 + static_cast<size_t>(states + scanned); ++i) {
      entries.emplace_back(slice_of(in[i].tensor, 0, b));
    }
    const Data one = run_one(entries, captures, lengths.at(static_cast<size_t>(b)), run);
    for (size_t k = 0; k < outputs.size(); ++k) {
      const bool is_state = k < static_cast<size_t>(states);
      outputs[k].push_back(is_state ? one[k].tensor : padded_to(one[k].tensor, dims[1]));
    }
  }
  Data out;
  for (const Tensors& parts : outputs) out.emplace_back(stacked(parts, 0, {}));
  return out;
}

Values Scan::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Scan op;
  op.batched = node.opset() < 9;
  op.scanned = node.integer("num_scan_inputs");
  op.states = static_cast<int64_t>(node.input_count()) - op.scanned - (op.batched ? 1 : 0);
  op.input_axes = node.integers("scan_input_axes");
  op.input_directions = node.integers(op.batched ? "directions" : "scan_input_directions");
  op.output_axes = node.integers("scan_output_axes");
  op.output_directions = node.integers("scan_output_directions");
  Values inputs;
  Types types;
  for (size_t i = 0; i < node.input_count(); ++i) {
    inputs.push_back(context.input(i));
    types.push_back(inputs.back() ? inputs.back()->type : Type{});
  }
  const Formal given = op.formal(types);
  std::vector<std::unique_ptr<Graph>> bodies;
  Values captures;
  stable_carried(given.states, [&](const Types& states) {
    Types formal_inputs = states;
    formal_inputs.insert(formal_inputs.end(), given.slices.begin(), given.slices.end());
    captures.clear();
    bodies = context.bodies({"body"}, {formal_inputs}, captures);
    return output_types(*bodies[0]);
  });
  const Types outputs = output_types(*bodies[0]);
  for (size_t i = given.states.size(); i < outputs.size(); ++i) {
    op.collected.push_back(empty_output(outputs[i]));
  }
  inputs.insert(inputs.end(), captures.begin(), captures.end());
  return context.add(op, std::move(inputs), std::move(bodies));
}

}  // namespace tenrec
