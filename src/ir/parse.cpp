// SPDX-License-Identifier: Apache-2.0
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "ir/graph.h"
#include "ir/text.h"

namespace tenrec {
namespace {

constexpr int max_depth = 64;

class Parser {
 public:
  Parser(std::string_view text, const std::map<std::string, Tensor>& weights)
      : reader_(text, &weights) {}

  std::unique_ptr<Graph> whole() {
    reader_.symbols();
    auto graph = this->graph(0);
    if (!reader_.at_end()) reader_.error("expected the end of the text");
    verify(*graph);
    return graph;
  }

 private:
  std::unique_ptr<Graph> graph(int depth) {
    if (depth > max_depth) reader_.error("bodies nested too deep");
    auto graph = std::make_unique<Graph>();
    // A body is closed: it sees nothing of the graph around it, nor that anything of it.
    const auto around = std::exchange(values_, {});
    reader_.expect("graph(");
    while (!reader_.accept(")")) {
      if (!graph->inputs().empty()) reader_.expect(",");
      const std::string id = value_id();
      reader_.expect(":");
      Type type = this->type(0);
      std::string name = reader_.peek("\"") ? reader_.quoted() : "";
      define(id, graph->add_input(std::move(name), std::move(type)));
    }
    reader_.expect("{");
    while (!reader_.accept("return")) node(*graph, depth);
    while (!reader_.accept("}")) {
      if (!graph->outputs().empty()) reader_.expect(",");
      Value* value = use();
      if (!value) reader_.error("an output cannot be none");
      graph->add_output(value, reader_.quoted());
    }
    values_ = around;
    return graph;
  }

  Type type(int depth) {
    if (depth > max_depth) reader_.error("type nested too deep");
    if (reader_.accept("none")) return {};
    for (const bool sequence : {true, false}) {
      if (!reader_.accept(sequence ? "seq(" : "optional(")) continue;
      Type element = type(depth + 1);
      reader_.expect(")");
      return sequence ? Type::sequence_of(std::move(element))
                      : Type::optional_of(std::move(element));
    }
    DType dtype{};
    if (reader_.accept("map(")) {
      parse_value(dtype, reader_);
      reader_.expect(",");
      Type value = type(depth + 1);
      reader_.expect(")");
      return Type::map_of(dtype, std::move(value));
    }
    parse_value(dtype, reader_);
    Type type = Type::unranked(dtype);
    if (!reader_.accept("[...]")) type = Type::tensor(dtype, reader_.shape());
    if (reader_.accept(":nhwc")) type.layout.channels_last = true;
    if (reader_.accept(":b")) {
      type.layout.block_axis = static_cast<int>(reader_.integer());
      reader_.expect("x");
      type.layout.block = reader_.integer();
    }
    return known(std::move(type));
  }

  Type known(Type type) {
    if (!reader_.accept("{")) return type;
    Known known;
    while (!reader_.accept("}")) {
      if (!known.ints.empty() || !known.floats.empty()) reader_.expect(",");
      if (!is_float(type.dtype)) {
        known.ints.push_back(reader_.dim(",}"));
      } else if (reader_.accept("~")) {
        known.floats.push_back({0, float_symbol()});
      } else {
        known.floats.push_back({static_cast<float>(reader_.number()), nullptr});
      }
    }
    const size_t count = known.ints.size() + known.floats.size();
    if (!type.ranked || !is_static(type.shape) || element_count(static_dims(type.shape)) != count)
      reader_.error(fmt::format("{} values for {}", count, type.str()));
    type.known = std::make_shared<Known>(std::move(known));
    return type;
  }

  // Where a float symbol is named first; only the reader knows it yet.
  SymbolRef float_symbol() {
    const SymbolRef symbol = reader_.dim(",}").as_symbol();
    if (!symbol) reader_.error("expected a symbol after '~'");
    std::const_pointer_cast<Symbol>(symbol)->is_float = true;
    return symbol;
  }

  void node(Graph& graph, int depth) {
    std::vector<std::string> ids{value_id()};
    while (reader_.accept(",")) ids.push_back(value_id());
    reader_.expect("=");
    const std::string op_name = reader_.identifier();
    const OpInfo* info = find_op(op_name);
    if (!info) reader_.error("unknown operator '" + op_name + "'");
    reader_.expect("(");
    Values inputs;
    while (!reader_.accept(")")) {
      if (!inputs.empty()) reader_.expect(",");
      inputs.push_back(use());
    }
    const bool has_fields = reader_.accept("(");
    TextReader no_fields(")");
    const std::shared_ptr<void> object = info->parse(has_fields ? reader_ : no_fields);
    if (has_fields) reader_.expect(")");
    std::vector<std::unique_ptr<Graph>> bodies;
    while (reader_.peek("graph(")) bodies.push_back(this->graph(depth + 1));
    Types printed;  // inferred anyway: people leave them out
    if (reader_.accept(":")) printed.push_back(type(0));
    while (!printed.empty() && reader_.accept(",")) printed.push_back(type(0));
    std::vector<std::string> origins;
    if (reader_.accept("@")) {
      while (reader_.peek("\"")) origins.push_back(reader_.quoted());
    }
    Node* node =
        graph.insert(nullptr, Op(*info, object), inputs, std::move(bodies), std::move(origins));
    if (node->output_count() != ids.size()) reader_.error("wrong number of outputs of " + op_name);
    for (size_t i = 0; i < ids.size(); ++i) {
      if (!printed.empty())
        keep_layout_and_symbols(node->output(i)->type, printed[std::min(i, printed.size() - 1)]);
      define(ids[i], node->output(i));
    }
  }

  // A data-dependent size is a fresh symbol at every inference: the printed one is taken, so that
  // later uses of its name mean the same size.
  static void keep_layout_and_symbols(Type& inferred, const Type& printed) {
    inferred.layout = printed.layout;
    if (inferred.ranked && printed.ranked && inferred.shape.size() == printed.shape.size()) {
      for (size_t i = 0; i < inferred.shape.size(); ++i) {
        if (inferred.shape[i].as_symbol() && printed.shape[i].as_symbol()) {
          inferred.shape[i] = printed.shape[i];
        }
      }
    }
  }

  std::string value_id() {
    reader_.expect("%");
    return reader_.identifier();
  }

  Value* use() {
    if (reader_.accept("none")) return nullptr;
    const std::string id = value_id();
    const auto found = values_.find(id);
    if (found == values_.end()) reader_.error("unknown value %" + id);
    return found->second;
  }

  void define(const std::string& id, Value* value) {
    if (!values_.emplace(id, value).second) reader_.error("value %" + id + " is defined twice");
  }

  TextReader reader_;
  std::unordered_map<std::string, Value*> values_;
};

}  // namespace

std::unique_ptr<Graph> parse_graph(std::string_view text,
                                   const std::map<std::string, Tensor>& weights) {
  return Parser(text, weights).whole();
}

}  // namespace tenrec
