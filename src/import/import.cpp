// SPDX-License-Identifier: Apache-2.0
#include "import/import.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "import/order.h"
#include "ir/constant.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

constexpr int max_function_depth = 64;
constexpr uint64_t max_known_input = 8;         // elements of an input that is followed by value
constexpr uint64_t max_folded_elements = 4096;  // folding of bigger values is a pass's work

// Names visible while one ONNX graph or function body is imported.
struct Scope {
  Graph* graph = nullptr;
  std::unordered_map<std::string_view, Value*> values;
  std::unordered_map<std::string_view, const onnx::TensorProto*> initializers;
  std::unordered_map<std::string_view, const onnx::SparseTensor*> sparse_initializers;
  std::set<std::string_view> broken;  // outputs of nodes that had problems
  Scope* outer = nullptr;             // of a subgraph: what it may capture from
};

// What a function call brings: its own opsets and the values of the attributes it refers to.
struct Frame {
  const std::vector<onnx::OpsetImport>* opsets = nullptr;
  std::map<std::string_view, onnx::Attribute> attributes;
  bool in_function = false;
  int depth = 0;
};

class Importer {
 public:
  Importer(const onnx::Model& model, const ImportOptions& options)
      : model_(model), options_(options) {
    for (const onnx::Function& function : model.functions) {
      functions_[{function.domain, function.name, function.overload}] = &function;
    }
  }

  ImportedModel run() {
    ImportedModel result;
    result.graph = std::make_unique<Graph>();
    Scope scope;
    scope.graph = result.graph.get();
    add_initializers(model_.graph, scope);
    for (const onnx::ValueInfo& input : model_.graph.inputs) {
      if (scope.initializers.count(input.name) || scope.sparse_initializers.count(input.name)) {
        ++overridable_;
        continue;
      }
      report([&] { add_model_input(input, scope); });
    }
    Frame frame;
    frame.opsets = &model_.opset_imports;
    import_nodes(model_.graph.nodes, scope, frame);
    for (const onnx::ValueInfo& output : model_.graph.outputs) {
      report([&] { add_output(output.name, scope); });
    }
    if (overridable_ > 0) {
      notes_.push_back(
          fmt::format("{} initialisers are also listed as inputs (overridable defaults); they are "
                      "built in as constants",
                      overridable_));
    }
    result.notes = std::move(notes_);
    result.warnings = std::move(warnings_);
    if (options_.problems && !options_.problems->empty()) result.graph = nullptr;
    else verify(*result.graph);
    return result;
  }

 private:
  friend class NodeContext;

  // Runs `body`; an Error is thrown on or, when problems are collected, noted as one of `about()`.
  template <class Body, class About>
  bool report(Body&& body, About&& about) {
    if (!options_.problems) {
      body();
      return true;
    }
    try {
      body();
      return true;
    } catch (const Error& error) {
      ImportProblem problem = about();
      problem.code = error.code();
      problem.main_node = main_node_;
      problem.text = error.what();
      const std::string lead = describe(problem) + ": ";
      problem.reason =
          problem.text.starts_with(lead) ? problem.text.substr(lead.size()) : problem.text;
      options_.problems->push_back(std::move(problem));
      return false;
    }
  }
  template <class Body>
  bool report(Body&& body) {
    return report(body, [] { return ImportProblem{}; });
  }

  static std::string describe(const ImportProblem& about) {
    return fmt::format("importing node \"{}\" ({}, opset {}{}{})", about.node, about.op,
                       about.opset, about.inputs.empty() ? "" : "; ", about.inputs);
  }

  static void add_initializers(const onnx::Graph& graph, Scope& scope) {
    for (const onnx::TensorProto& tensor : graph.initializers)
      scope.initializers[tensor.name] = &tensor;
    for (const onnx::SparseTensor& tensor : graph.sparse_initializers) {
      scope.sparse_initializers[tensor.values.name] = &tensor;
    }
  }

  void add_model_input(const onnx::ValueInfo& input, Scope& scope) {
    TENREC_CHECK(!scope.values.count(input.name), invalid_model, "two inputs are named \"{}\"",
                 input.name);
    const Type type = with_context([&] { return fmt::format("input \"{}\"", input.name); },
                                   [&] { return to_ir_type(input.type, input.name); });
    scope.values[input.name] =
        scope.graph->add_input(std::string(input.name), followed_by_value(type, input.name));
  }

  // Small inputs may decide shapes (Reshape targets, Resize scales): their elements become symbols.
  // Those that no size depends on cost nothing.
  static Type followed_by_value(const Type& type, std::string_view name) {
    if (!type.is_static()) return type;
    const uint64_t count = element_count(static_dims(type.shape));
    if (count == 0 || count > max_known_input) return type;
    std::string text;
    for (const char c : name) text += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    const auto symbol = [&](uint64_t i, bool is_float) {
      auto made = std::make_shared<Symbol>();
      made->name = count == 1 ? fmt::format("v_{}", text) : fmt::format("v_{}_{}", text, i);
      made->lower = INT64_MIN;
      made->is_float = is_float;
      return made;
    };
    if (type.dtype == DType::i64 || type.dtype == DType::i32) {
      std::vector<Dim> values;
      for (uint64_t i = 0; i < count; ++i) values.push_back(Dim::symbol(symbol(i, false)));
      return type.with_known_ints(std::move(values));
    }
    if (type.dtype != DType::f32) return type;
    std::vector<Scale> values;
    for (uint64_t i = 0; i < count; ++i) values.push_back({0, symbol(i, true)});
    return type.with_known_floats(std::move(values));
  }

  void add_output(std::string_view name, Scope& scope) {
    if (scope.broken.count(name)) return;
    Value* value = find(name, scope);
    TENREC_CHECK(value, invalid_model, "graph output \"{}\" is computed by no node", name);
    scope.graph->add_output(value, std::string(name));
  }

  // A value by name in this graph; initialisers become constants when first used.
  Value* find(std::string_view name, Scope& scope) {
    const auto found = scope.values.find(name);
    if (found != scope.values.end()) return found->second;
    const auto dense = scope.initializers.find(name);
    const auto sparse = scope.sparse_initializers.find(name);
    if (dense == scope.initializers.end() && sparse == scope.sparse_initializers.end())
      return nullptr;
    Tensor tensor = with_context([&] { return fmt::format("initialiser \"{}\"", name); },
                                 [&] {
                                   return dense != scope.initializers.end()
                                              ? to_ir_tensor(*dense->second, model_)
                                              : to_ir_tensor(*sparse->second, model_);
                                 });
    Value* value = scope.graph->constant(nullptr, std::move(tensor));
    value->name = name;
    return scope.values[name] = value;
  }

  void import_nodes(const std::vector<onnx::Node>& nodes, Scope& scope, const Frame& frame) {
    std::vector<size_t> order;
    if (!report([&] { order = topological_order(nodes); })) return;
    for (const size_t index : order) {
      const onnx::Node& node = nodes[index];
      if (&nodes == &model_.graph.nodes) main_node_ = static_cast<int>(index);
      if (depends_on_broken(node, scope) ||
          !report([&] { import_node(node, index, scope, frame); },
                  [&] { return about(node, index, scope, frame); })) {
        scope.broken.insert(node.outputs.begin(), node.outputs.end());
      }
    }
    if (&nodes == &model_.graph.nodes) main_node_ = -1;
  }

  static bool depends_on_broken(const onnx::Node& node, const Scope& scope) {
    if (scope.broken.empty()) return false;
    const std::vector<std::string_view> names = names_read(node);
    return std::any_of(names.begin(), names.end(),
                       [&](auto name) { return scope.broken.count(name) != 0; });
  }

  void import_node(const onnx::Node& raw, size_t index, Scope& scope, const Frame& frame);
  Values import_operator(const onnx::Node& node, const std::string& origin, Values inputs,
                         Scope& scope, const Frame& frame);
  void warn_of_unread(const onnx::Node& node, const std::string& origin, std::string_view knower,
                      const std::vector<const onnx::Attribute*>& unread);
  ImportProblem about(const onnx::Node& node, size_t index, const Scope& scope,
                      const Frame& frame) const;
  Values call_function(const onnx::Function& function, const onnx::Node& call, Values inputs,
                       Scope& scope, const Frame& frame);

  std::optional<int64_t> opset_of(std::string_view domain, const Frame& frame) const {
    const auto canonical = [](std::string_view d) {
      return d == "ai.onnx" ? std::string_view() : d;
    };
    for (const onnx::OpsetImport& import : *frame.opsets) {
      if (canonical(import.domain) == canonical(domain)) return import.version;
    }
    // IR version 1 and 2 models import nothing: opset 1 of the default domain.
    if (canonical(domain).empty() && frame.opsets->empty()) return 1;
    return std::nullopt;
  }

  // References of a function body to its caller's attributes are replaced by their values.
  static onnx::Node with_attributes(const onnx::Node& node, const Frame& frame) {
    onnx::Node copy = node;
    std::erase_if(copy.attributes, [&](onnx::Attribute& attribute) {
      if (attribute.ref_attr_name.empty()) return false;
      const auto found = frame.attributes.find(attribute.ref_attr_name);
      if (found == frame.attributes.end())
        return true;  // an optional attribute that the call left out
      const std::string_view name = attribute.name;
      attribute = found->second;
      attribute.name = name;
      return false;
    });
    return copy;
  }

  Values import_inline(const onnx::Graph& source, const Values& inputs, Scope& outer,
                       const Frame& frame);
  std::unique_ptr<Graph> import_body(const onnx::Graph& source, const Types& formals,
                                     const Values& captured,
                                     const std::vector<std::string_view>& captured_names,
                                     Scope& outer, const Frame& frame);

  const onnx::Model& model_;
  const ImportOptions& options_;
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, const onnx::Function*>
      functions_;
  std::vector<std::string> notes_, warnings_;
  int overridable_ = 0;
  int main_node_ = -1;  // the node of the main graph that is being imported
};

// What one node's mapping sees.
class NodeContext final : public OnnxContext {
 public:
  NodeContext(Importer& importer, const OnnxNode& node, std::string origin, Values inputs,
              Scope& scope, const Frame& frame)
      : importer_(importer),
        node_(node),
        origin_(std::move(origin)),
        inputs_(std::move(inputs)),
        scope_(scope),
        frame_(frame) {}

  Value* input(size_t i) override { return i < inputs_.size() ? inputs_[i] : nullptr; }

  Values inputs() override {
    Values values = inputs_;
    while (!values.empty() && !values.back()) values.pop_back();
    return values;
  }

  Values add(Op op, Values inputs) override { return add(std::move(op), std::move(inputs), {}); }

  Values add(Op op, Values inputs, std::vector<std::unique_ptr<Graph>> bodies) override {
    if (bodies.empty()) {
      if (auto folded = fold(op, inputs)) return *folded;
    }
    return scope_.graph
        ->insert(nullptr, std::move(op), std::move(inputs), std::move(bodies), {origin_})
        ->outputs();
  }

  Value* constant(Tensor tensor) override {
    return scope_.graph->constant(nullptr, std::move(tensor));
  }

  const Tensor* constant_of(Value* value) override {
    if (!value) return nullptr;
    if (const Tensor* tensor = value->constant()) return tensor;
    const auto ints = value->type.constant_ints();
    if (!ints || !value->type.is_static()) return nullptr;
    kept_.push_back(Tensor::from_ints(value->type.dtype, static_dims(value->type.shape), *ints));
    return &kept_.back();
  }

  std::vector<std::unique_ptr<Graph>> bodies(const std::vector<std::string>& attributes,
                                             const std::vector<Types>& formal_inputs,
                                             Values& captures) override;
  Values inlined(const std::string& attribute, const Values& inputs) override;

 private:
  // Small operators on constants are computed at once, so that mappings see their values.
  std::optional<Values> fold(const Op& op, const Values& inputs) {
    if (op.as<Constant>() || op.info().side_effect ||
        op.info().accuracy.kind == Accuracy::Kind::random) {
      return std::nullopt;
    }
    Data data;
    Types types;
    for (Value* input : inputs) {
      const Tensor* tensor = input ? constant_of(input) : nullptr;
      if (input && (!tensor || tensor->elements() > max_folded_elements)) return std::nullopt;
      data.push_back(tensor ? Datum(*tensor) : Datum());
      types.push_back(input ? input->type : Type{});
    }
    if (inputs.empty()) return std::nullopt;
    for (const Type& type : op.infer(types)) {
      if (type.kind != Type::Kind::tensor || !type.is_static() ||
          element_count(static_dims(type.shape)) > max_folded_elements) {
        return std::nullopt;
      }
    }
    Values folded;
    for (Datum& datum : op.eval(data)) folded.push_back(constant(std::move(datum.tensor)));
    return folded;
  }

  Importer& importer_;
  const OnnxNode& node_;
  std::string origin_;
  Values inputs_;
  Scope& scope_;
  const Frame& frame_;
  std::deque<Tensor> kept_;
};

std::string origin_of(const onnx::Node& node, size_t index) {
  if (!node.name.empty()) return std::string(node.name);
  if (!node.outputs.empty() && !node.outputs[0].empty()) return std::string(node.outputs[0]);
  return fmt::format("{}_{}", node.op_type, index);
}

// The node as messages speak of it, with the types of the inputs that are known by then.
ImportProblem Importer::about(const onnx::Node& node, size_t index, const Scope& scope,
                              const Frame& frame) const {
  constexpr size_t most_inputs = 8;  // of those that are listed
  ImportProblem about;
  about.node = origin_of(node, index);
  about.op = fmt::format("{}{}{}", node.domain, node.domain.empty() ? "" : "::", node.op_type);
  about.opset = opset_of(node.domain, frame).value_or(0);
  size_t listed = 0;
  for (const std::string_view name : node.inputs) {
    const auto value = scope.values.find(name);
    if (value == scope.values.end() || !value->second) continue;
    if (listed++ == most_inputs) {
      about.inputs += ", ...";
      break;
    }
    about.inputs +=
        fmt::format("{}{}: {}", about.inputs.empty() ? "" : ", ", name, value->second->type.str());
  }
  return about;
}

void Importer::import_node(const onnx::Node& raw, size_t index, Scope& scope, const Frame& frame) {
  const onnx::Node node = frame.in_function ? with_attributes(raw, frame) : raw;
  const std::string origin = origin_of(node, index);
  with_context(
      [&] { return describe(about(node, index, scope, frame)); },
      [&] {
        Values inputs;
        for (const std::string_view name : node.inputs) {
          Value* value = name.empty() ? nullptr : find(name, scope);
          const bool omitted =
              name.empty() || (scope.values.count(name) && !value);  // of a function call
          TENREC_CHECK(
              omitted || value, invalid_model,
              "input \"{}\" is neither computed by a node nor a graph input or initialiser", name);
          inputs.push_back(value);
        }
        const auto function = functions_.find({node.domain, node.op_type, node.overload});
        Values outputs;
        if (function != functions_.end()) {
          outputs = call_function(*function->second, node, std::move(inputs), scope, frame);
        } else {
          outputs = import_operator(node, origin, std::move(inputs), scope, frame);
        }
        for (size_t i = 0; i < node.outputs.size(); ++i) {
          if (node.outputs[i].empty()) continue;
          TENREC_CHECK(i < outputs.size() && outputs[i], unsupported,
                       "output {} (\"{}\") is not available", i, node.outputs[i]);
          const bool added = scope.values.emplace(node.outputs[i], outputs[i]).second;
          TENREC_CHECK(added, invalid_model, "output \"{}\" is already computed by another node",
                       node.outputs[i]);
          if (outputs[i]->name.empty()) outputs[i]->name = node.outputs[i];
        }
      });
}

Values Importer::import_operator(const onnx::Node& node, const std::string& origin, Values inputs,
                                 Scope& scope, const Frame& frame) {
  constexpr int64_t last_with_consumed_inputs = 5;  // a hint about memory, in 29 operators
  const OnnxMapping mapping = find_onnx(node.domain, node.op_type);
  TENREC_CHECK(mapping, unsupported,
               "Tenrec has no operator {} in domain \"{}\"; `tenrec ops` lists what there is",
               node.op_type, node.domain.empty() ? "ai.onnx" : node.domain);
  const std::optional<int64_t> opset = opset_of(node.domain, frame);
  TENREC_CHECK(opset, invalid_model,
               "the model does not import domain \"{}\"; add it to opset_import", node.domain);
  const OnnxNode view(node, *opset, model_);
  NodeContext context(*this, view, origin, std::move(inputs), scope, frame);
  Values outputs = mapping(view, context);
  if (*opset <= last_with_consumed_inputs) view.without_effect({"consumed_inputs"});
  warn_of_unread(node, origin, fmt::format("opset {}", *opset), view.unread());
  return outputs;
}

void Importer::warn_of_unread(const onnx::Node& node, const std::string& origin,
                              std::string_view knower,
                              const std::vector<const onnx::Attribute*>& unread) {
  for (const onnx::Attribute* attribute : unread) {
    std::string warning =
        fmt::format("node \"{}\" ({}): attribute '{}' = {} is ignored: {} of {} has no use for it",
                    origin, node.op_type, attribute->name, text(*attribute), knower, node.op_type);
    // Bodies may be imported more than once.
    if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end())
      warnings_.push_back(std::move(warning));
  }
}

Values Importer::call_function(const onnx::Function& function, const onnx::Node& call,
                               Values inputs, Scope& scope, const Frame& frame) {
  TENREC_CHECK(frame.depth < max_function_depth, invalid_model,
               "functions call each other more than {} deep; is \"{}\" recursive?",
               max_function_depth, function.name);
  Frame inner;
  inner.opsets = function.opset_imports.empty() ? frame.opsets : &function.opset_imports;
  inner.in_function = true;
  inner.depth = frame.depth + 1;
  for (const onnx::Attribute& attribute : function.attribute_defaults) {
    inner.attributes[attribute.name] = attribute;
  }
  std::vector<const onnx::Attribute*> unknown;
  for (const onnx::Attribute& attribute : call.attributes) {
    const bool known =
        inner.attributes.count(attribute.name) != 0 ||
        std::count(function.attributes.begin(), function.attributes.end(), attribute.name) != 0;
    if (!known) unknown.push_back(&attribute);
    inner.attributes[attribute.name] = attribute;
  }
  warn_of_unread(call, origin_of(call, 0), "the model's own function", unknown);
  Scope body;
  body.graph = scope.graph;
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    // An omitted input stays omitted: nodes that read its name see none.
    body.values[function.inputs[i]] = i < inputs.size() ? inputs[i] : nullptr;
  }
  import_nodes(function.nodes, body, inner);
  Values outputs;
  for (const std::string_view name : function.outputs) outputs.push_back(find(name, body));
  return outputs;
}

Values Importer::import_inline(const onnx::Graph& source, const Values& inputs, Scope& outer,
                               const Frame& frame) {
  TENREC_CHECK(source.inputs.size() == inputs.size(), invalid_model,
               "subgraph \"{}\" has {} inputs, the node passes {}", source.name,
               source.inputs.size(), inputs.size());
  Scope scope;
  scope.graph = outer.graph;
  scope.outer = &outer;
  add_initializers(source, scope);
  for (size_t i = 0; i < inputs.size(); ++i) scope.values[source.inputs[i].name] = inputs[i];
  for (const std::string_view name : names_read_outside(source)) {
    if (scope.values.count(name)) continue;
    if (Value* value = find(name, outer)) scope.values[name] = value;
  }
  import_nodes(source.nodes, scope, frame);
  Values outputs;
  for (const onnx::ValueInfo& output : source.outputs) {
    Value* value = find(output.name, scope);
    TENREC_CHECK(value, invalid_model, "output \"{}\" of subgraph \"{}\" is computed by no node",
                 output.name, source.name);
    outputs.push_back(value);
  }
  return outputs;
}

std::unique_ptr<Graph> Importer::import_body(const onnx::Graph& source, const Types& formals,
                                             const Values& captured,
                                             const std::vector<std::string_view>& captured_names,
                                             Scope& outer, const Frame& frame) {
  auto graph = std::make_unique<Graph>();
  Scope scope;
  scope.graph = graph.get();
  scope.outer = &outer;
  add_initializers(source, scope);
  TENREC_CHECK(source.inputs.size() == formals.size(), invalid_model,
               "subgraph \"{}\" has {} inputs, the node passes {}", source.name,
               source.inputs.size(), formals.size());
  for (size_t i = 0; i < formals.size(); ++i) {
    scope.values[source.inputs[i].name] =
        graph->add_input(std::string(source.inputs[i].name), formals[i]);
  }
  for (size_t i = 0; i < captured.size(); ++i) {
    scope.values.emplace(captured_names[i],
                         graph->add_input(std::string(captured_names[i]), captured[i]->type));
  }
  // Constants of the outer graph are repeated inside, where folding can use them.
  for (const std::string_view name : names_read_outside(source)) {
    if (scope.values.count(name)) continue;
    if (Value* value = find(name, outer); value && value->constant()) {
      scope.values[name] = graph->constant(nullptr, *value->constant());
    }
  }
  import_nodes(source.nodes, scope, frame);
  for (const onnx::ValueInfo& output : source.outputs) add_output(output.name, scope);
  return graph;
}

Values NodeContext::inlined(const std::string& attribute, const Values& inputs) {
  return importer_.import_inline(*node_.graph(attribute), inputs, scope_, frame_);
}

std::vector<std::unique_ptr<Graph>> NodeContext::bodies(const std::vector<std::string>& attributes,
                                                        const std::vector<Types>& formal_inputs,
                                                        Values& captures) {
  std::vector<std::shared_ptr<const onnx::Graph>> sources;
  for (const std::string& name : attributes) sources.push_back(node_.graph(name));
  std::vector<std::string_view> names;
  for (const auto& source : sources) {
    for (const std::string_view name : names_read_outside(*source)) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      Value* value = importer_.find(name, scope_);
      TENREC_CHECK(value, invalid_model,
                   "a subgraph reads \"{}\", which nothing outside it computes", name);
      if (value->constant()) continue;
      names.push_back(name);
      captures.push_back(value);
    }
  }
  std::vector<std::unique_ptr<Graph>> graphs;
  for (size_t i = 0; i < sources.size(); ++i) {
    graphs.push_back(
        importer_.import_body(*sources[i], formal_inputs.at(i), captures, names, scope_, frame_));
  }
  return graphs;
}

}  // namespace

ImportedModel import_model(const onnx::Model& model, const ImportOptions& options) {
  init_ops();
  return Importer(model, options).run();
}

}  // namespace tenrec
