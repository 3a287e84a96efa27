// SPDX-License-Identifier: Apache-2.0
#include "build/lower.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "build/views.h"
#include "ir/constant.h"
#include "ops/dims.h"
#include "ops/fused.h"

namespace tenrec {
namespace {

// Size in bytes of a value in its layout.
Dim bytes_of(const Type& type) {
  Dim count = 1;
  for (size_t axis = 0; axis < type.shape.size(); ++axis) {
    const bool blocked = type.layout.block_axis == static_cast<int>(axis);
    count = count * (blocked ? ceildiv(type.shape[axis], type.layout.block) * type.layout.block
                             : type.shape[axis]);
  }
  const int bits = bit_width(type.dtype);
  return bits >= 8 ? count * (bits / 8) : ceildiv(count * bits, 8);
}

class Lowering {
 public:
  Lowering(const BoundGraph& bound, const SelectStep& select, plan::WeightStore& weights,
           plan::CodeStore& code, int64_t view_alignment)
      : bound_(bound),
        select_(select),
        weights_(weights),
        code_(code),
        view_alignment_(view_alignment) {}

  plan::Plan run() {
    const Graph& graph = *bound_.graph;
    plan_.ranges = bound_.ranges;
    plan_.value_ranges = bound_.value_ranges;
    define_symbols(graph);
    mark_outputs(graph);
    views_ =
        find_views(graph, {.alignment = view_alignment_,
                           .known_at_start = [&](const Type& type) { return known_at_start(type); },
                           .leaves = [&](const Value* value) { return direct_output(value); },
                           .is_known =
                               [&](const Value* value) {
                                 return value->producer() && is_known(*value->producer());
                               }});
    choose_steps(graph);
    for (const auto& input : graph.inputs()) add_input(*input);
    for (const auto& node : graph.nodes()) lower_node(*node);
    finish_outputs(graph);
    finish_slots();
    return std::move(plan_);
  }

 private:
  // --- steps -----------------------------------------------------------------------------------

  void choose_steps(const Graph& graph) {
    for (const auto& node : graph.nodes()) {
      if (is_data(*node) || is_known(*node) || absorbed_.count(node.get()) ||
          views_.free_nodes.count(node.get()) || is_alias(*node))
        continue;
      StepDraft draft = select_(*node);
      for (const Node* other : draft.absorbed) absorbed_[other] = node.get();
      drafts_.emplace(node.get(), std::move(draft));
    }
  }

  static bool is_data(const Node& node) { return node.as<Constant>() || node.as<DimsValue>(); }

  // Its numbers are sizes that are known by the time it would run: they become data like those of
  // DimsValue, and nothing is run (nor fetched from a GPU).
  bool is_known(const Node& node) const {
    if (is_data(node) || node.output_count() != 1 || node.body_count() > 0) return false;
    const Type& type = node.output()->type;
    if (type.kind != Type::Kind::tensor || !type.known_ints() || !type.is_static()) return false;
    if (type.dtype != DType::i64 && type.dtype != DType::i32) return false;
    if (direct_output(node.output()) || !defines_of(node).empty()) return false;
    std::vector<SymbolRef> used;
    for (const Dim& dim : *type.known_ints()) dim.collect_symbols(used);
    return std::all_of(used.begin(), used.end(),
                       [&](const SymbolRef& symbol) { return symbols_.count(symbol.get()) != 0; });
  }

  // A view shares its input's memory: nothing to run.
  static bool is_view(const Node& node) {
    if (const auto* reformat = node.as<Reformat>())
      return reformat->moves_nothing(node.input(0)->type);
    return node.op().info().is_view && node.input(0) &&
           node.output()->type.kind == Type::Kind::tensor && node.output()->type.ranked &&
           node.input(0)->type.ranked && node.output()->type.dtype != DType::string &&
           node.input(0)->type.layout.is_plain();
  }

  // A view, unless its result has a place of its own: in an output, or inside a Concat's memory.
  bool is_alias(const Node& node) const {
    return defines_of(node).empty() && is_view(node) && !direct_output(node.output()) &&
           views_.parts.count(node.output()) == 0;
  }

  void lower_node(const Node& node) {
    if (is_data(node) || is_known(node) || absorbed_.count(&node)) return;
    if (views_.free_nodes.count(&node)) {
      for (const Value* output : node.outputs()) add_part(*output);
      return;
    }
    if (is_alias(node)) {
      add_alias(*node.output(), value_of(node.input(0)));
      return;
    }
    const bool infer_first =
        !defines_of(node).empty() && !node.op().info().data_dependent && node.body_count() == 0;
    if (infer_first) add_infer_step(node);
    const StepDraft& draft = drafts_.at(&node);
    plan::Step step = step_of(draft);
    step.origins = node.origins();
    for (const Node* other : draft.absorbed) {
      step.origins.insert(step.origins.end(), other->origins().begin(), other->origins().end());
    }
    for (const StepArg& arg : draft.inputs) step.inputs.push_back(argument(arg));
    for (size_t i = 0; i < draft.outputs.size(); ++i) {
      const Value* output = draft.outputs[i];
      step.outputs.push_back(output ? add_output_value(*output, draft, i) : plan::none);
    }
    if (!infer_first) step.defines = defines_of(node);
    // A step that learns a size must have the output it learns it from.
    for (const plan::Define& define : step.defines) {
      int32_t& output = step.outputs[static_cast<size_t>(define.output)];
      if (output == plan::none)
        output = new_value(*node.output(static_cast<size_t>(define.output)));
    }
    if (!(draft.scratch == Dim(0))) {
      step.scratch = slot(draft.scratch);
      step.scratch_upper = draft.scratch.upper();
    }
    step.flops = static_cast<int64_t>(draft.work.flops);
    step.bytes = static_cast<int64_t>(draft.work.bytes);
    for (const Dim& size : draft.sizes) step.sizes.push_back(slot(size));
    for (const plan::KernelSource& source : draft.code) step.code.push_back(code_.add(source));
    if (!is_fused(node)) lower_bodies(node, step);
    plan_.steps.push_back(std::move(step));
    bind_step_symbols();
  }

  static bool is_fused(const Node& node) { return node.op().name() == "fused"; }

  // Sizes that follow from values known only now: inference runs again with the actual values.
  void add_infer_step(const Node& node) {
    plan::Step step;
    step.family = "infer";
    step.op = node.op().name();
    step.op_fields = node.op().encode();
    for (const Value* input : node.inputs())
      step.inputs.push_back(input ? value_of(input) : plan::none);
    step.defines = defines_of(node);
    step.origins = node.origins();
    plan_.steps.push_back(std::move(step));
    bind_step_symbols();
  }

  void lower_bodies(const Node& node, plan::Step& step) {
    for (size_t i = 0; i < node.body_count(); ++i) {
      step.bodies.push_back(static_cast<int32_t>(plan_.bodies.size()));
      plan_.bodies.push_back(with_context([&] { return "body of " + node.describe(); },
                                          [&] { return lower_body(node.body(i)); }));
    }
  }

  // A body is a plan of its own: every size of its inputs is read from them, whatever the outer
  // graph knew, so that it runs at whatever sizes an iteration brings.
  plan::Plan lower_body(const Graph& body) {
    BoundGraph bound;
    bound.graph = body.clone();
    Dim::Binding own;  // outer symbols that an input's size tells
    for (const auto& input : bound.graph->inputs()) {
      Type& type = input->type;
      for (size_t axis = 0; axis < type.shape.size(); ++axis) {
        if (type.shape[axis].is_const()) continue;
        const SymbolRef outer = type.shape[axis].as_symbol();
        type.shape[axis] = Dim::fresh(fmt::format("in{}_{}", input->index(), axis));
        if (outer) own.emplace(outer.get(), type.shape[axis]);
      }
      if (type.known && !type.constant_ints()) type.known = nullptr;
      plan::Range range;
      for (const Dim& dim : type.shape) {
        range.min.push_back(dim.lower());
        range.opt.push_back(dim.is_const() ? dim.value() : 1);
        range.max.push_back(dim.upper());
      }
      bound.ranges.push_back(std::move(range));
      bound.value_ranges.emplace_back();
    }
    substitute_sizes(*bound.graph, own);
    bound.graph->reinfer();
    return lower(bound, select_, weights_, code_, view_alignment_);
  }

  // --- values ----------------------------------------------------------------------------------

  int32_t new_value(const Value& value) {
    plan::ValueDef def;
    const Type& type = value.type;
    def.name = value.name;
    def.dtype = type.dtype;
    if (type.kind != Type::Kind::tensor || type.dtype == DType::string) {
      def.storage = plan::Storage::host;
    } else {
      def.ranked = type.ranked;
      def.block_axis = type.layout.block_axis;
      def.block = type.layout.block;
      def.channels_last = type.layout.channels_last;
      if (type.ranked) {
        for (const Dim& dim : type.shape) def.dims.push_back(slot(dim));
        const Dim bytes = bytes_of(type);
        def.bytes = slot(bytes);
        def.upper_bytes = bytes.upper();
      }
    }
    plan_.values.push_back(std::move(def));
    const auto id = static_cast<int32_t>(plan_.values.size() - 1);
    ids_[&value] = id;
    return id;
  }

  void add_input(const Value& input) {
    const int32_t id = new_value(input);
    plan::ValueDef& def = plan_.values.back();
    if (def.storage != plan::Storage::host) def.storage = plan::Storage::input;
    def.index = static_cast<int32_t>(plan_.inputs.size());
    plan_.inputs.push_back(id);
  }

  void add_alias(const Value& value, int32_t base) {
    new_value(value);
    plan_.values.back().storage = plan::Storage::alias;
    plan_.values.back().index = base;
  }

  // A view that find_views found; its base may still have to come.
  void add_part(const Value& value) {
    const auto part = views_.parts.find(&value);
    if (part == views_.parts.end() || ids_.count(&value)) return;
    const View& view = part->second;
    const int32_t base = ids_.count(view.base) ? ids_.at(view.base) : base_value(view.base);
    add_alias(value, base);
    const int32_t offset = slot(view.offset);
    plan_.values.back().offset = offset;
  }

  int32_t base_value(const Value* base) {
    return views_.assembled.count(base) ? new_result(*base) : value_of(base);
  }

  // A value that steps write: where the caller wants it if it leaves the graph.
  int32_t new_result(const Value& value) {
    const int32_t id = new_value(value);
    plan::ValueDef& def = plan_.values.back();
    const auto direct = direct_outputs_.find(&value);
    if (def.storage == plan::Storage::host || direct == direct_outputs_.end()) return id;
    def.storage = plan::Storage::output;
    def.index = direct->second;
    return id;
  }

  int32_t add_output_value(const Value& output, const StepDraft& draft, size_t index) {
    const auto known = ids_.find(&output);
    if (known != ids_.end()) return known->second;
    if (views_.parts.count(&output)) {
      add_part(output);
      return ids_.at(&output);
    }
    const int32_t id = new_result(output);
    const bool arena = plan_.values.back().storage == plan::Storage::arena;
    if (arena && index == 0 && draft.in_place >= 0) reuse_input(draft, id);
    return id;
  }

  // Elementwise steps may write over an input that nobody reads afterwards.
  void reuse_input(const StepDraft& draft, int32_t id) {
    const Value* input = draft.inputs[static_cast<size_t>(draft.in_place)].value;
    if (!input || input->uses().size() != 1 || views_.assembled.count(input)) return;
    const auto found = ids_.find(input);
    if (found == ids_.end()) return;
    const plan::ValueDef& source = plan_.values[static_cast<size_t>(found->second)];
    plan::ValueDef& def = plan_.values[static_cast<size_t>(id)];
    const bool owned = source.storage == plan::Storage::arena || in_place_.count(found->second);
    if (!owned || source.bytes != def.bytes || source.bytes == plan::none) return;
    def.storage = plan::Storage::alias;
    def.index = found->second;
    in_place_.insert(id);
  }

  // The value's id; constants, sizes as data, and views are made when first asked for.
  int32_t value_of(const Value* value) {
    const auto found = ids_.find(value);
    if (found != ids_.end()) return found->second;
    if (const Tensor* constant = value->constant()) {
      const int32_t id = new_value(*value);
      plan::ValueDef& def = plan_.values.back();
      if (constant->dtype() == DType::string) {
        plan_.strings.push_back({id, constant->dims(), constant->strings()});
        return id;
      }
      def.storage = plan::Storage::weight;
      def.index = add_weight(*constant);
      return id;
    }
    const Node* producer = value->producer();
    const auto* dims = producer ? producer->as<DimsValue>() : nullptr;
    TENREC_ASSERT(dims || (producer && is_known(*producer)),
                  "value '{}' is used before it is lowered", value->name);
    const int32_t id = new_value(*value);
    std::vector<int32_t> elements;
    for (const Dim& dim : dims ? dims->values : *value->type.known_ints())
      elements.push_back(slot(dim));
    plan_.values[static_cast<size_t>(id)].storage = plan::Storage::dims;
    plan_.values[static_cast<size_t>(id)].elements = std::move(elements);
    return id;
  }

  int32_t add_weight(const Tensor& tensor) {
    const std::span bytes(tensor.data(), static_cast<size_t>(tensor.bytes()));
    return weights_.add(tensor.dtype(), tensor.dims(), bytes, std::make_shared<Tensor>(tensor));
  }

  int32_t argument(const StepArg& arg) {
    if (arg.value) {
      const int32_t id = ids_.count(arg.value) ? ids_.at(arg.value) : value_of(arg.value);
      return id;
    }
    if (!arg.weight) return plan::none;
    const int32_t index = add_weight(arg.weight);
    const auto found = weight_values_.find(index);
    if (found != weight_values_.end()) return found->second;
    plan::ValueDef def;
    def.dtype = arg.weight.dtype();
    def.storage = plan::Storage::weight;
    def.index = index;
    for (const int64_t dim : arg.weight.dims()) def.dims.push_back(slot(Dim(dim)));
    def.bytes = slot(Dim(static_cast<int64_t>(arg.weight.bytes())));
    def.upper_bytes = static_cast<int64_t>(arg.weight.bytes());
    plan_.values.push_back(std::move(def));
    return weight_values_[index] = static_cast<int32_t>(plan_.values.size() - 1);
  }

  // --- outputs ---------------------------------------------------------------------------------

  // An output computed by exactly one step is written in place; the others get a copy at the end.
  void mark_outputs(const Graph& graph) {
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      const Value* output = graph.outputs()[i];
      const Node* producer = output->producer();
      if (!producer || is_data(*producer) || output->type.kind != Type::Kind::tensor) continue;
      direct_outputs_.emplace(output, static_cast<int32_t>(i));
    }
  }

  bool direct_output(const Value* value) const { return direct_outputs_.count(value) != 0; }

  void finish_outputs(const Graph& graph) {
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      const Value* output = graph.outputs()[i];
      const auto direct = direct_outputs_.find(output);
      const int32_t source = value_of(output);
      if (plan_.values[static_cast<size_t>(source)].storage == plan::Storage::host ||
          (direct != direct_outputs_.end() && direct->second == static_cast<int32_t>(i))) {
        plan_.outputs.push_back(source);
        continue;
      }
      plan::ValueDef def = plan_.values[static_cast<size_t>(source)];
      def.storage = plan::Storage::output;
      def.index = static_cast<int32_t>(i);
      def.elements.clear();
      plan_.values.push_back(def);
      const auto id = static_cast<int32_t>(plan_.values.size() - 1);
      plan::Step copy;
      // Only the generic family gives a value of unknown rank its size.
      copy.family = def.ranked ? "copy" : "generic";
      copy.op = "identity";
      copy.inputs = {source};
      copy.outputs = {id};
      plan_.steps.push_back(std::move(copy));
      plan_.outputs.push_back(id);
    }
  }

  // --- slots -----------------------------------------------------------------------------------

  // Slots of instructions are numbered from `symbol_slots` on until finish_slots knows how many
  // symbols there are.
  static constexpr int32_t instruction_base = 1 << 24;

  void define_symbols(const Graph& graph) {
    for (const auto& input : graph.inputs()) {
      const Type& type = input->type;
      const auto index = static_cast<int32_t>(input->index());
      for (size_t axis = 0; axis < type.shape.size(); ++axis) {
        define(type.shape[axis].as_symbol(), plan::SymbolSource::input_dim, index,
               static_cast<int32_t>(axis));
      }
      if (!type.known) continue;
      for (size_t i = 0; i < type.known->ints.size(); ++i) {
        define(type.known->ints[i].as_symbol(), plan::SymbolSource::input_value, index,
               static_cast<int32_t>(i));
      }
      for (size_t i = 0; i < type.known->floats.size(); ++i) {
        define(type.known->floats[i].symbol, plan::SymbolSource::input_value, index,
               static_cast<int32_t>(i));
      }
    }
    for (const auto& node : graph.nodes()) {
      for (size_t k = 0; k < node->output_count(); ++k) {
        const Type& type = node->output(k)->type;
        for (size_t axis = 0; axis < type.shape.size(); ++axis) {
          const SymbolRef symbol = type.shape[axis].as_symbol();
          if (!define(symbol, plan::SymbolSource::step, -1, -1)) continue;
          plan::Define define;
          define.symbol = symbols_.at(symbol.get());
          define.output = static_cast<int32_t>(k);
          define.axis = static_cast<int32_t>(axis);
          defines_[node.get()].push_back(define);
        }
      }
    }
  }

  bool define(const SymbolRef& symbol, plan::SymbolSource source, int32_t index, int32_t element) {
    if (!symbol || symbols_.count(symbol.get())) return false;
    symbols_[symbol.get()] = static_cast<int32_t>(plan_.symbols.size());
    plan_.symbols.push_back({.name = symbol->name,
                             .source = source,
                             .index = index,
                             .element = element,
                             .lower = symbol->lower,
                             .upper = symbol->upper,
                             .is_float = symbol->is_float});
    return true;
  }

  // Input sizes tell all of this type's.
  bool known_at_start(const Type& type) const {
    std::vector<SymbolRef> used;
    for (const Dim& dim : type.shape) dim.collect_symbols(used);
    return std::all_of(used.begin(), used.end(), [&](const SymbolRef& symbol) {
      const auto found = symbols_.find(symbol.get());
      return found != symbols_.end() &&
             plan_.symbols[static_cast<size_t>(found->second)].source != plan::SymbolSource::step;
    });
  }

  const std::vector<plan::Define>& defines_of(const Node& node) const {
    static const std::vector<plan::Define> nothing;
    const auto found = defines_.find(&node);
    return found == defines_.end() ? nothing : found->second;
  }

  // The last step's defines know their step now.
  void bind_step_symbols() {
    const auto index = static_cast<int32_t>(plan_.steps.size() - 1);
    const auto& defines = plan_.steps.back().defines;
    for (size_t i = 0; i < defines.size(); ++i) {
      plan::SymbolDef& symbol = plan_.symbols[static_cast<size_t>(defines[i].symbol)];
      symbol.index = index;
      symbol.element = static_cast<int32_t>(i);
    }
  }

  int32_t slot(const Dim& dim) {
    if (const SymbolRef symbol = dim.as_symbol()) {
      const auto found = symbols_.find(symbol.get());
      TENREC_ASSERT(found != symbols_.end(), "nothing defines the size '{}'", symbol->name);
      return found->second;
    }
    std::vector<std::pair<Dim, int32_t>>& bucket = slots_[dim.hash()];
    for (const auto& [known, index] : bucket) {
      if (known == dim) return index;
    }
    const int32_t index = emit(dim);
    slots_[dim.hash()].emplace_back(dim, index);
    return index;
  }

  int32_t emit(const Dim& dim) {
    if (dim.is_const())
      return instruction({plan::DimOp::constant, plan::none, plan::none, dim.value()});
    static const std::map<Dim::Kind, plan::DimOp> codes{
        {Dim::Kind::add, plan::DimOp::add},
        {Dim::Kind::mul, plan::DimOp::mul},
        {Dim::Kind::floordiv, plan::DimOp::floordiv},
        {Dim::Kind::mod, plan::DimOp::mod},
        {Dim::Kind::min, plan::DimOp::min},
        {Dim::Kind::max, plan::DimOp::max},
        {Dim::Kind::scaled, plan::DimOp::scaled},
        {Dim::Kind::broadcast, plan::DimOp::broadcast}};
    const plan::DimOp code = codes.at(dim.kind());
    const std::vector<Dim> operands = dim.operands();
    int32_t result = slot(operands.at(0));
    for (size_t i = 1; i < operands.size(); ++i) {
      result = instruction({code, result, slot(operands[i]), 0});
    }
    if (code == plan::DimOp::broadcast) {
      plan_.checks.push_back(
          {plan::Relation::equal_or_one, result, slot(operands[1]),
           fmt::format("sizes {} and {} must be equal or one of them 1 to broadcast",
                       operands[0].str(), operands[1].str())});
    }
    return result;
  }

  int32_t instruction(plan::DimInstruction instruction) {
    plan_.program.push_back(instruction);
    return instruction_base + static_cast<int32_t>(plan_.program.size() - 1);
  }

  void finish_slots() {
    const auto symbols = static_cast<int32_t>(plan_.symbols.size());
    const auto fix = [&](int32_t& index) {
      if (index >= instruction_base) index += symbols - instruction_base;
    };
    for (plan::DimInstruction& instruction : plan_.program) {
      fix(instruction.a);
      fix(instruction.b);
    }
    for (plan::Check& check : plan_.checks) {
      fix(check.a);
      fix(check.b);
    }
    for (plan::ValueDef& value : plan_.values) {
      for (int32_t& dim : value.dims) fix(dim);
      for (int32_t& element : value.elements) fix(element);
      fix(value.bytes);
      fix(value.offset);
    }
    for (plan::Step& step : plan_.steps) {
      fix(step.scratch);
      for (int32_t& size : step.sizes) fix(size);
    }
  }

  const BoundGraph& bound_;
  const SelectStep& select_;
  plan::WeightStore& weights_;
  plan::CodeStore& code_;
  int64_t view_alignment_;
  Views views_;
  plan::Plan plan_;
  std::map<const Node*, StepDraft> drafts_;
  std::map<const Node*, const Node*> absorbed_;
  std::map<const Node*, std::vector<plan::Define>> defines_;
  std::map<const Symbol*, int32_t> symbols_;
  std::unordered_map<size_t, std::vector<std::pair<Dim, int32_t>>> slots_;
  std::unordered_map<const Value*, int32_t> ids_;
  std::unordered_map<const Value*, int32_t> direct_outputs_;
  std::map<int32_t, int32_t> weight_values_;
  std::set<int32_t> in_place_;  // values that took over an arena buffer
};

}  // namespace

plan::Plan lower(const BoundGraph& bound, const SelectStep& select, plan::WeightStore& weights,
                 plan::CodeStore& code, int64_t view_alignment) {
  return Lowering(bound, select, weights, code, view_alignment).run();
}

}  // namespace tenrec
