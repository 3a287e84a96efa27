// SPDX-License-Identifier: Apache-2.0
#include "ops/sequence.h"

#include <algorithm>

#include "ops/bodies.h"
#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

const Type& element_of(const Types& in, size_t index, std::string_view op) {
  TENREC_CHECK(index < in.size() && in[index].kind == Type::Kind::sequence, invalid_model,
               "input {} of {} must be a sequence, got {}", index, op,
               index < in.size() ? in[index].str() : "nothing");
  return *in[index].element;
}

const std::vector<Datum>& elements_of(const Data& in, size_t index) {
  TENREC_CHECK(index < in.size() && in[index].kind == Datum::Kind::sequence, invalid_input,
               "input {} must be a sequence", index);
  return in[index].elements;
}

// One element's type. The elements of a sequence share its type but not its symbols' values, so
// each use of one gets symbols of its own.
Type instance(const Type& element) {
  if (!element.present()) return Type::unranked(element.dtype);
  if (element.kind != Type::Kind::tensor || !element.ranked) return element;
  Shape shape = element.shape;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!shape[i].is_const()) {
      shape[i] = Dim::fresh(fmt::format("element{}", i), std::max<int64_t>(shape[i].lower(), 0),
                            shape[i].upper());
    }
  }
  return Type::tensor(element.dtype, std::move(shape));
}

Type without_value(const Type& type) {
  return type.kind == Type::Kind::tensor && type.ranked ? Type::tensor(type.dtype, type.shape)
                                                        : type;
}

// The place an operator's optional index input names, of `size` places.
std::optional<int64_t> place(const Data& in, size_t input, int64_t size) {
  if (input >= in.size() || !in[input].tensor) return std::nullopt;
  TENREC_CHECK(in[input].tensor.elements() == 1, invalid_input, "a sequence position has shape {}",
               to_string(in[input].tensor.dims()));
  return checked_index(in[input].tensor.to_ints()[0], size, "a sequence");
}

Tensors tensors_of(const std::vector<Datum>& elements) {
  Tensors tensors;
  for (const Datum& element : elements) tensors.push_back(element.tensor);
  return tensors;
}

}  // namespace

Types SequenceConstruct::infer(const Types& in) const {
  TENREC_CHECK(!in.empty(), invalid_model, "SequenceConstruct needs an input");
  Type element = without_value(in[0]);
  for (const Type& type : in)
    element = merged(element, without_value(type), "an element of a sequence");
  return {Type::sequence_of(element)};
}

Types SequenceAt::infer(const Types& in) const {
  check_input_count(in, 2, 2, "SequenceAt");
  return {instance(element_of(in, 0, "SequenceAt"))};
}

Data SequenceAt::eval_data(const Data& in) const {
  const std::vector<Datum>& elements = elements_of(in, 0);
  const auto at = place(in, 1, static_cast<int64_t>(elements.size()));
  TENREC_CHECK(at, invalid_input, "SequenceAt needs a position");
  return {elements[static_cast<size_t>(*at)]};
}

Types SequenceInsert::infer(const Types& in) const {
  check_input_count(in, 2, 3, "SequenceInsert");
  const Type& element = element_of(in, 0, "SequenceInsert");
  return {Type::sequence_of(merged(element, without_value(in[1]), "an element of a sequence"))};
}

Data SequenceInsert::eval_data(const Data& in) const {
  std::vector<Datum> elements = elements_of(in, 0);
  const auto size = static_cast<int64_t>(elements.size());
  int64_t at = size;
  if (in.size() > 2 && in[2].tensor) {
    // Position `size` is the end.
    const int64_t position = in[2].tensor.to_ints().at(0);
    TENREC_CHECK(position >= -size && position <= size, invalid_input,
                 "SequenceInsert at {} of {} elements", position, size);
    at = position < 0 ? position + size : position;
  }
  elements.insert(elements.begin() + at, in.at(1));
  return {Datum::sequence(std::move(elements))};
}

Types SequenceErase::infer(const Types& in) const {
  check_input_count(in, 1, 2, "SequenceErase");
  return {Type::sequence_of(element_of(in, 0, "SequenceErase"))};
}

Data SequenceErase::eval_data(const Data& in) const {
  std::vector<Datum> elements = elements_of(in, 0);
  TENREC_CHECK(!elements.empty(), invalid_input, "SequenceErase of an empty sequence");
  const auto size = static_cast<int64_t>(elements.size());
  elements.erase(elements.begin() + place(in, 1, size).value_or(size - 1));
  return {Datum::sequence(std::move(elements))};
}

Types SequenceLength::infer(const Types& in) const {
  element_of(in, 0, "SequenceLength");
  return {Type::tensor(DType::i64, {})};
}

Data SequenceLength::eval_data(const Data& in) const {
  return {Datum(Tensor::scalar(static_cast<int64_t>(elements_of(in, 0).size())))};
}

Types SplitToSequence::infer(const Types& in) const {
  check_input_count(in, 1, 2, "SplitToSequence");
  const Type& x = tensor_input(in, 0, "SplitToSequence");
  if (!x.ranked) return {Type::sequence_of(x)};
  const int64_t at = normalise_axis(axis, x.rank());
  Shape shape = x.shape;
  if (has_input(in, 1)) {
    shape[static_cast<size_t>(at)] = Dim::fresh("piece", 0, shape[static_cast<size_t>(at)].upper());
  } else if (keepdims) {
    shape[static_cast<size_t>(at)] = Dim(1);
  } else {
    shape.erase(shape.begin() + at);
  }
  return {Type::sequence_of(Type::tensor(x.dtype, std::move(shape)))};
}

Data SplitToSequence::eval_data(const Data& in) const {
  const Tensor& x = in.at(0).tensor;
  const auto at = static_cast<size_t>(normalise_axis(axis, x.rank()));
  const int64_t size = x.dims()[at];
  const bool given = in.size() > 1 && in[1].tensor;
  std::vector<int64_t> sizes;
  if (given && in[1].tensor.rank() == 1) {
    sizes = in[1].tensor.to_ints();
  } else {
    const int64_t chunk = given ? in[1].tensor.to_ints().at(0) : 1;
    TENREC_CHECK(chunk > 0, invalid_input, "SplitToSequence into pieces of size {}", chunk);
    for (int64_t first = 0; first < size; first += chunk)
      sizes.push_back(std::min(chunk, size - first));
  }
  const std::vector<int64_t> all = identity_offsets(x.dims())[at];
  std::vector<Datum> elements;
  int64_t first = 0;
  for (const int64_t count : sizes) {
    TENREC_CHECK(count >= 0 && first + count <= size, invalid_input,
                 "SplitToSequence by {} of an axis of size {}", to_string(sizes), size);
    AxisOffsets offsets = identity_offsets(x.dims());
    offsets[at].assign(all.begin() + first, all.begin() + first + count);
    Tensor piece = moved(x, index_map(offsets));
    if (!given && !keepdims) {
      Dims dims = piece.dims();
      dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(at));
      piece = piece.reshaped(dims);
    }
    elements.emplace_back(std::move(piece));
    first += count;
  }
  TENREC_CHECK(first == size, invalid_input, "SplitToSequence by {} of an axis of size {}",
               to_string(sizes), size);
  return {Datum::sequence(std::move(elements))};
}

Types ConcatFromSequence::infer(const Types& in) const {
  const Type element = instance(element_of(in, 0, "ConcatFromSequence"));
  if (element.kind != Type::Kind::tensor || !element.ranked) return {Type::unranked(element.dtype)};
  Shape shape = element.shape;
  if (new_axis) {
    shape.insert(shape.begin() + normalise_axis(axis, element.rank() + 1), Dim::fresh("stacked"));
  } else {
    shape[static_cast<size_t>(normalise_axis(axis, element.rank()))] = Dim::fresh("joined");
  }
  return {Type::tensor(element.dtype, std::move(shape))};
}

Data ConcatFromSequence::eval_data(const Data& in) const {
  const Tensors parts = tensors_of(elements_of(in, 0));
  TENREC_CHECK(!parts.empty(), invalid_input, "ConcatFromSequence of an empty sequence");
  if (new_axis) return {Datum(stacked(parts, axis, {}))};
  return {Datum(joined(parts, normalise_axis(axis, parts[0].rank())))};
}

namespace {

Types mapped_inputs(const Types& in, int64_t mapped) {
  Types inputs;
  for (size_t i = 0; i < static_cast<size_t>(mapped); ++i) {
    inputs.push_back(in[i].kind == Type::Kind::sequence ? instance(*in[i].element) : in[i]);
  }
  return inputs;
}

}  // namespace

Types SequenceMap::infer(const Types& in, const std::vector<const Graph*>& bodies) const {
  TENREC_CHECK(bodies.size() == 1 && mapped >= 1 && static_cast<int64_t>(in.size()) >= mapped,
               invalid_model, "SequenceMap over {} inputs has {}", mapped, in.size());
  element_of(in, 0, "SequenceMap");
  Types inputs = mapped_inputs(in, mapped);
  inputs.insert(inputs.end(), in.begin() + mapped, in.end());
  const SymbolSet visible = symbols_of(in);
  Types out;
  for (const Type& type : body_outputs(*bodies[0], inputs)) {
    out.push_back(Type::sequence_of(without_value(exported(type, visible))));
  }
  return out;
}

Data SequenceMap::eval_bodies(const Data& in, const BodyRunner& run) const {
  const std::vector<Datum>& first = elements_of(in, 0);
  std::vector<std::vector<Datum>> collected(static_cast<size_t>(outputs));
  for (size_t i = 0; i < first.size(); ++i) {
    Data inputs;
    for (size_t k = 0; k < in.size(); ++k) {
      const bool takes_element =
          static_cast<int64_t>(k) < mapped && in[k].kind == Datum::Kind::sequence;
      TENREC_CHECK(!takes_element || i < in[k].elements.size(), invalid_input,
                   "SequenceMap over sequences of {} and {} elements", first.size(),
                   in[k].elements.size());
      inputs.push_back(takes_element ? in[k].elements[i] : in[k]);
    }
    Data one = run(0, inputs);
    for (size_t k = 0; k < collected.size(); ++k) collected[k].push_back(std::move(one.at(k)));
  }
  Data out;
  for (std::vector<Datum>& elements : collected)
    out.push_back(Datum::sequence(std::move(elements)));
  return out;
}

Values SequenceMap::from_onnx(const OnnxNode& node, OnnxContext& context) {
  SequenceMap op;
  op.mapped = static_cast<int64_t>(node.input_count());
  Values inputs;
  Types types;
  for (size_t i = 0; i < node.input_count(); ++i) {
    inputs.push_back(context.input(i));
    TENREC_CHECK(inputs.back(), invalid_model, "input {} of SequenceMap is missing", i);
    types.push_back(inputs.back()->type);
  }
  Values captures;
  auto bodies = context.bodies({"body"}, {mapped_inputs(types, op.mapped)}, captures);
  op.outputs = static_cast<int64_t>(bodies.at(0)->outputs().size());
  inputs.insert(inputs.end(), captures.begin(), captures.end());
  return context.add(op, std::move(inputs), std::move(bodies));
}

}  // namespace tenrec
