// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/squeeze_regions.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_set>

#include "ops/conv.h"
#include "ops/fused.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/squeeze.h"
#include "passes/fuse_regions.h"
#include "passes/match.h"
#include "targets/common/pointwise_program.h"
#include "targets/cuda/kernels/squeeze_excite.h"

namespace tenrec::cuda {
namespace {

constexpr size_t most_nodes = 48;

bool is_product(const Node* node) { return node && (node->as<Conv>() || node->as<MatMul>()); }

// Of vectors: the memory stays as it is.
bool is_move(const Node& node) {
  return node.as<Reformat>() || node.as<Reshape>() || node.as<Squeeze>() || node.as<Unsqueeze>();
}

// [samples, count] or [samples, count, 1, ...]
bool is_vector(const Type& type, const Dim& samples, int64_t count) {
  if (type.kind != Type::Kind::tensor || !type.ranked || type.rank() < 2) return false;
  const Shape& shape = type.shape;
  return shape[0] == samples && shape[1] == Dim(count) &&
         std::all_of(shape.begin() + 2, shape.end(), [](const Dim& dim) { return dim == Dim(1); });
}

// The weights as [outputs, inputs]; no tensor where the node is no such product.
Tensor weights_of(const Node& node) {
  const Tensor* given = node.input(1)->constant();
  if (!given || given->dims().size() < 2) return {};
  const Dims& dims = given->dims();
  if (const auto* conv = node.as<Conv>()) {
    if (node.input(2) && !node.input(2)->constant()) return {};
    const bool plain =
        conv->group == 1 && conv->auto_pad == AutoPad::notset &&
        std::all_of(dims.begin() + 2, dims.end(), [](auto n) { return n == 1; }) &&
        std::all_of(conv->pads.begin(), conv->pads.end(), [](auto n) { return n == 0; });
    return plain ? given->reshaped({dims[0], dims[1]}) : Tensor();
  }
  if (dims.size() != 2) return {};
  Tensor turned(given->dtype(), {dims[1], dims[0]});
  const auto bytes = static_cast<size_t>(bit_width(given->dtype()) / 8);
  const auto rows = static_cast<size_t>(dims[0]), columns = static_cast<size_t>(dims[1]);
  for (size_t i = 0; i < rows; ++i)
    for (size_t k = 0; k < columns; ++k)
      std::memcpy(turned.mutable_data() + (k * rows + i) * bytes,
                  given->data() + (i * columns + k) * bytes, bytes);
  return turned;
}

// What pointwise nodes and moves compute on the results of a product, from those back to it.
class Tail {
 public:
  Tail(VectorProduct& product, const Node& node, std::vector<const Node*>& nodes)
      : product_(product), nodes_(nodes) {
    const DType dtype = node.output()->type.dtype;
    int32_t sum = append_input(product_.program, dtype);
    if (node.as<Conv>() && node.input(2)) {
      ExprNode add;
      add.fn = Fn::add;
      add.dtype = dtype;
      add.a = sum;
      add.b = row(*node.input(2)->constant());
      sum = product_.program.add(add);
    }
    known_[node.output()] = sum;
  }

  bool read(const Value* result) {
    const auto last = term(result);
    if (last) product_.program.outputs = {*last};
    return last.has_value();
  }

 private:
  int32_t row(const Tensor& numbers) {
    product_.rows.push_back(numbers);
    return append_input(product_.program, numbers.dtype());
  }

  // One number an output, along axis 1 of `like`.
  bool is_row(const Tensor& constant, const Type& like) const {
    const auto outputs = static_cast<uint64_t>(product_.outputs());
    const size_t rank = constant.dims().size(), last = like.shape.size() - 1;
    return constant.elements() == outputs && rank >= last && rank <= like.shape.size() &&
           constant.dims()[rank - last] == product_.outputs();
  }

  std::optional<int32_t> term(const Value* value) {
    if (const auto found = known_.find(value); found != known_.end()) return found->second;
    const Node* node = value->producer();
    if (!node || node->output_count() != 1 || nodes_.size() > most_nodes) return std::nullopt;
    std::optional<int32_t> result;
    if (is_move(*node)) {
      result = term(node->input(0));
    } else if (node->op().info().pointwise) {
      std::vector<int32_t> arguments;
      for (const Value* input : node->inputs()) {
        const auto argument = input ? operand(*input, value->type) : std::nullopt;
        if (!argument) return std::nullopt;
        arguments.push_back(*argument);
      }
      result = append_op(product_.program, node->op(), arguments);
    }
    if (!result) return std::nullopt;
    nodes_.push_back(node);
    known_[value] = *result;
    return result;
  }

  std::optional<int32_t> operand(const Value& value, const Type& result) {
    const Tensor* constant = value.constant();
    if (!constant) return term(&value);
    if (constant->elements() == 1) return append_constant(product_.program, *constant);
    if (!is_row(*constant, result)) return std::nullopt;
    return row(*constant);
  }

  VectorProduct& product_;
  std::vector<const Node*>& nodes_;
  std::map<const Value*, int32_t> known_;
};

// The product before, by pointwise nodes and moves; null where there is none.
Node* product_before(const Value* value, size_t depth = 0) {
  Node* node = value->producer();
  if (!node || depth > most_nodes) return nullptr;
  if (is_product(node)) return node;
  if (!is_move(*node) && !node->op().info().pointwise) return nullptr;
  for (const Value* input : node->inputs())
    if (input && !input->constant()) return product_before(input, depth + 1);
  return nullptr;
}

class Finder {
 public:
  explicit Finder(Node& second) : second_(second) {}

  SqueezeExcite find() {
    found_.reject = run();
    if (found_.reject.empty()) put_in_order();
    return std::move(found_);
  }

 private:
  Reject run() {
    if (!is_product(&second_)) return "is no product";
    Node* first = product_before(second_.input(0));
    if (!first) return "there is no product before";
    if (Reject reject = find_pool(first->input(0)); !reject.empty()) return reject;
    const Dim& samples = found_.x->type.shape[0];
    const int64_t channels = found_.x->type.shape[1].value();
    found_.hidden.weights = weights_of(*first);
    found_.gate.weights = weights_of(second_);
    if (!found_.hidden.weights || !found_.gate.weights) return "weights are not plain constants";
    if (found_.hidden.inputs() != channels || found_.gate.outputs() != channels ||
        found_.gate.inputs() != found_.hidden.outputs())
      return "the products do not lead from channels to channels";
    nodes_.push_back(first);
    nodes_.push_back(&second_);
    Tail hidden(found_.hidden, *first, nodes_);
    if (!hidden.read(second_.input(0))) return "something else is computed between the products";
    Value* gates = last_of(second_.output());
    Tail gate(found_.gate, second_, nodes_);
    if (!gates || !gate.read(gates)) return "something else is computed on the gates";
    found_.result = gates;
    find_scale(gates);
    return check(samples, channels);
  }

  Reject find_pool(const Value* value) {
    for (; value->producer() && is_move(*value->producer()); value = value->producer()->input(0))
      nodes_.push_back(value->producer());
    const Node* pool = producer_of<Reduce>(value);
    if (!pool || pool->as<Reduce>()->kind != ReduceKind::mean) return "there is no mean before";
    nodes_.push_back(pool);
    found_.x = pool->input(0);
    if (const Node* reformat = producer_of<Reformat>(found_.x)) {
      nodes_.push_back(reformat);
      found_.x = reformat->input(0);
    }
    const Type& x = found_.x->type;
    if (!x.ranked || x.rank() < 3 || !x.shape[1].is_const()) return "the image is not known";
    std::optional<std::vector<int64_t>> axes = Dims{};
    if (pool->input(1)) axes = pool->input(1)->type.constant_ints();
    if (!axes) return "the mean's axes are not known";
    const auto reduced = pool->as<Reduce>()->reduced_axes(x.rank(), *axes);
    for (size_t i = 0; i < reduced.size(); ++i)
      if ((reduced[i] != 0) != (i >= 2)) return "the mean is not over an image";
    return "";
  }

  // The first value that pointwise nodes and moves make of `value` alone and others read.
  static Value* last_of(Value* value) {
    std::vector<Value*> inside{value};
    const auto is_inside = [&](const Value* each) {
      return std::find(inside.begin(), inside.end(), each) != inside.end();
    };
    const auto leads_on = [&](const Use& use) {
      const Node* node = use.node;
      if (!node || node->output_count() != 1) return false;
      if (is_move(*node)) return use.index == 0;
      const Values& inputs = node->inputs();
      return node->op().info().pointwise &&
             std::all_of(inputs.begin(), inputs.end(), [&](const Value* input) {
               return input && (input->constant() || is_inside(input));
             });
    };
    for (size_t i = 0; i < inside.size() && inside.size() < most_nodes; ++i)
      for (const Use& use : inside[i]->uses())
        if (leads_on(use) && !is_inside(use.node->output())) inside.push_back(use.node->output());
    for (Value* each : inside)
      if (!std::all_of(each->uses().begin(), each->uses().end(), leads_on)) return each;
    return nullptr;
  }

  // The image times the gates, where nobody else reads these.
  void find_scale(const Value* gates) {
    const std::vector<Use>& uses = gates->uses();
    Node* node = uses.size() == 1 ? uses[0].node : nullptr;
    if (!node || !node->op().info().pointwise || node->output_count() != 1) return;
    const Type &x = found_.x->type, &out = node->output()->type;
    if (!(out.shape == x.shape) || !(out.layout == x.layout) || out.dtype != x.dtype ||
        gates->type.rank() != x.rank())
      return;
    ExprProgram program;
    const int32_t element = append_input(program, x.dtype);
    const int32_t gate = append_input(program, gates->type.dtype);
    std::vector<int32_t> arguments;
    for (const Value* input : node->inputs()) {
      const Tensor* constant = input ? input->constant() : nullptr;
      if (input == found_.x) arguments.push_back(element);
      else if (input == gates) arguments.push_back(gate);
      else if (constant && constant->elements() == 1)
        arguments.push_back(append_constant(program, *constant));
      else return;
    }
    program.outputs = {append_op(program, node->op(), arguments)};
    found_.scale = std::move(program);
    found_.result = node->output();
    nodes_.push_back(node);
  }

  // Nothing but the result is read outside, and everything between is a vector a sample.
  Reject check(const Dim& samples, int64_t channels) const {
    const std::unordered_set<const Node*> members(nodes_.begin(), nodes_.end());
    for (const Node* node : nodes_) {
      const Value* value = node->output();
      const Type& type = value->type;
      if (!(type.shape == found_.x->type.shape) && !is_vector(type, samples, channels) &&
          !is_vector(type, samples, found_.hidden.outputs()))
        return "a value between has another shape";
      if (value == found_.result) continue;
      for (const Use& use : value->uses())
        if (!use.node || !members.count(use.node)) return "a value between is read elsewhere";
    }
    return "";
  }

  void put_in_order() {
    const std::unordered_set<const Node*> members(nodes_.begin(), nodes_.end());
    for (const auto& node : second_.graph()->nodes())
      if (members.count(node.get())) found_.nodes.push_back(node.get());
  }

  Node& second_;
  SqueezeExcite found_;
  std::vector<const Node*> nodes_;
};

}  // namespace

Dim SqueezeExcite::pixels() const {
  return product(Shape(x->type.shape.begin() + 2, x->type.shape.end()));
}

SqueezeExcite squeeze_excite_at(Node& node) { return Finder(node).find(); }

void join_squeezes(Graph& graph, const DeviceInfo& device) {
  std::vector<Node*> products;
  for (const auto& node : graph.nodes()) {
    for (size_t i = 0; i < node->body_count(); ++i) join_squeezes(node->body(i), device);
    if (is_product(node.get())) products.push_back(node.get());
  }
  std::unordered_set<const Node*> taken;
  for (Node* product : products) {
    if (taken.count(product)) continue;
    const SqueezeExcite found = squeeze_excite_at(*product);
    if (!found.reject.empty() || !squeeze_problem(found, device).empty()) continue;
    taken.insert(found.nodes.begin(), found.nodes.end());
    // All constants go inside, where the kernel finds them.
    make_fused(graph, {std::string(squeeze_anchor), found.nodes},
               {.max_body_elements = UINT64_MAX});
  }
  verify(graph);
}

}  // namespace tenrec::cuda
