// SPDX-License-Identifier: Apache-2.0
// The text form of a graph, read back by parse.cpp:
//
//   graph(%x: f32[N, 3], %1: i64[2] {a, b}) {
//     %2 = reshape(%x, %1) (allowzero=true) : f32[a, b]  // "Reshape_0"
//     %3, %4 = if(%2) () { graph(...) {...} } : f32[2], f32[3]
//     return %3 "out", %4 "state"
//   }
#include <unordered_map>

#include "base/error.h"
#include "ir/graph.h"
#include "ir/text.h"

namespace tenrec {
namespace {

class Printer {
 public:
  std::string graph(const Graph& graph, const std::string& indent) {
    std::string text = "graph(";
    for (const auto& input : graph.inputs()) {
      text += (input->index() ? ", " : "") + define(*input) + ": " + type(input->type);
      if (!input->name.empty()) text += " " + quote(input->name);
    }
    text += ") {\n";
    for (const auto& node : graph.nodes()) text += indent + "  " + this->node(*node, indent + "  ");
    text += indent + "  return";
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      text += (i ? ", " : " ") + use(graph.outputs()[i]) + " " + quote(graph.output_names()[i]);
    }
    return text + "\n" + indent + "}";
  }

  std::string type(const Type& type) {
    switch (type.kind) {
      case Type::Kind::none: return "none";
      case Type::Kind::sequence: return "seq(" + this->type(*type.element) + ")";
      case Type::Kind::optional: return "optional(" + this->type(*type.element) + ")";
      case Type::Kind::map:
        return fmt::format("map({}, {})", name(type.dtype), this->type(*type.element));
      case Type::Kind::tensor: break;
    }
    std::string text =
        std::string(name(type.dtype)) + (type.ranked ? writer.shape(type.shape) : "[...]");
    if (type.layout.channels_last) text += ":nhwc";
    if (type.layout.block_axis >= 0)
      text += fmt::format(":b{}x{}", type.layout.block_axis, type.layout.block);
    return text + known(type);
  }

  TextWriter writer;

 private:
  // The value of a graph input, where it is symbolic: `{sr}`, floats as `{~ratio}`.
  std::string known(const Type& type) {
    if (!type.known) return "";
    std::string text;
    bool symbolic = false;
    for (const Dim& dim : type.known->ints) {
      symbolic |= !dim.is_const();
      text += (text.empty() ? "" : ", ") + writer.dim(dim);
    }
    for (const Scale& scale : type.known->floats) {
      symbolic |= scale.symbol != nullptr;
      text +=
          (text.empty() ? "" : ", ") + (scale.symbol ? "~" + writer.dim(Dim::symbol(scale.symbol))
                                                     : fmt::format("{}", scale.value));
    }
    return symbolic ? " {" + text + "}" : "";
  }

  std::string define(const Value& value) {
    ids_[&value] = static_cast<int>(ids_.size());
    return fmt::format("%{}", ids_[&value]);
  }

  std::string use(const Value* value) {
    return value ? fmt::format("%{}", ids_.at(value)) : "none";
  }

  std::string node(const Node& node, const std::string& indent) {
    std::string inputs;
    for (size_t i = 0; i < node.inputs().size(); ++i)
      inputs += (i ? ", " : "") + use(node.input(i));
    std::string bodies;
    for (const Graph* body : node.bodies()) bodies += " " + graph(*body, indent);
    std::string outputs;
    std::string types;
    for (const Value* output : node.outputs()) {
      outputs += (outputs.empty() ? "" : ", ") + define(*output);
      types += (types.empty() ? "" : ", ") + type(output->type);
    }
    std::string text = fmt::format("{} = {}({})", outputs, node.op().name(), inputs);
    const std::string fields = node.op().print(writer);
    if (!fields.empty()) text += " (" + fields + ")";
    text += bodies + " : " + types;
    if (!node.origins().empty()) {
      text += " @";
      for (const std::string& origin : node.origins()) text += " " + quote(origin);
    }
    return text + "\n";
  }

  std::unordered_map<const Value*, int> ids_;
};

}  // namespace

std::string print(const Graph& graph) {
  Printer printer;
  const std::string text = printer.graph(graph, "");
  return printer.writer.symbols() + text + "\n";
}

std::map<std::string, Tensor> printed_weights(const Graph& graph) {
  Printer printer;
  printer.graph(graph, "");
  return printer.writer.weights();
}

}  // namespace tenrec
