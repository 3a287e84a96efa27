// SPDX-License-Identifier: Apache-2.0
#include "common/graph_cases.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "base/error.h"
#include "ir/expr.h"

namespace tenrec::test {
namespace {

uint64_t name_seed(std::string_view name) {
  uint64_t seed = 1469598103934665603U;  // FNV-1a: the same on every machine
  for (const char c : name) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return seed;
}

Tensor random_values(DType dtype, Dims dims, double low, double high, uint64_t seed) {
  std::mt19937_64 random(seed);
  const uint64_t count = element_count(dims);
  if (dtype == DType::string) {
    static const char* const words[] = {"tenrec", "Hedgehog", "", "a b", "12"};
    std::vector<std::string> strings(count);
    for (std::string& text : strings) text = words[random() % std::size(words)];
    return Tensor::of_strings(std::move(dims), std::move(strings));
  }
  if (is_float(dtype)) {
    std::vector<double> values(count);
    for (double& value : values)
      value = low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53;
    return Tensor::from_doubles(dtype, std::move(dims), values);
  }
  std::vector<int64_t> values(count);
  const auto span = static_cast<uint64_t>(high - low) + 1;
  for (int64_t& value : values)
    value = static_cast<int64_t>(low) + static_cast<int64_t>(random() % span);
  return Tensor::from_ints(dtype, std::move(dims), values);
}

// "f32[32, 8]" read as the input of a graph.
Tensor random_weight(const std::string& name, const std::string& type) {
  const auto graph = parse_graph("graph(%0: " + type + " \"w\") { return %0 \"w\" }");
  const Type& t = graph->inputs()[0]->type;
  const bool whole = !is_float(t.dtype);
  return random_values(t.dtype, static_dims(t.shape), whole ? 0 : -1, whole ? 2 : 1,
                       name_seed(name));
}

void header_line(GraphCase& c, std::vector<std::string>& words, const std::string& line) {
  std::istringstream in(line);
  std::string kind, word;
  in >> kind;
  if (kind == "sizes") {
    while (in >> word) {
      const size_t equal = word.find('=');
      std::array<int64_t, 3>& range = c.sizes[word.substr(0, equal)];
      TENREC_CHECK(std::sscanf(word.c_str() + equal + 1, "%ld:%ld:%ld", &range[0], &range[1],
                               &range[2]) == 3,
                   usage, "case {}: sizes are N=min:opt:max, got {}", c.name, word);
    }
  } else if (kind == "input") {
    in >> word;
    in >> c.ranges[word][0] >> c.ranges[word][1];
  } else if (kind == "weight") {
    in >> word;
    std::string type;
    std::getline(in, type);
    c.weights[word] = random_weight(word, type);
  } else if (kind == "for") {
    while (in >> word) words.push_back(word);
  } else if (kind == "tolerance") {
    in >> c.tolerance;
  } else {
    fail(ErrorCode::usage, "case {}: unknown line \"{}\"", c.name, line);
  }
  TENREC_CHECK(!in.bad(), usage, "case {}: cannot read \"{}\"", c.name, line);
}

std::string replaced(std::string text, const std::string& word) {
  for (size_t at = 0; (at = text.find("$op", at)) != std::string::npos; at += word.size())
    text.replace(at, 3, word);
  return text;
}

void add_file(const std::filesystem::path& path, std::vector<GraphCase>& cases) {
  std::ifstream file(path);
  std::string line;
  GraphCase current;
  std::vector<std::string> words;
  const auto finish = [&] {
    if (current.name.empty()) return;
    TENREC_CHECK(!current.text.empty(), usage, "case {} has no graph", current.name);
    for (const std::string& word : words) {
      GraphCase each = current;
      each.name += "_" + word;
      each.text = replaced(each.text, word);
      cases.push_back(std::move(each));
    }
    if (words.empty()) cases.push_back(current);
  };
  while (std::getline(file, line)) {
    if (line.starts_with("== ")) {
      finish();
      current = {};
      current.name = line.substr(3);
      words.clear();
    } else if (!current.text.empty() || line.starts_with("graph(")) {
      current.text += line + "\n";
    } else if (!line.empty() && line[0] != '#') {
      header_line(current, words, line);
    }
  }
  finish();
}

int64_t size_at(const GraphCase& c, const Dim& dim, Point point) {
  if (dim.is_const()) return dim.value();
  const auto found = c.sizes.find(dim.as_symbol()->name);
  TENREC_CHECK(found != c.sizes.end(), usage, "case {}: no size for {}", c.name, dim.str());
  return found->second[static_cast<size_t>(point)];
}

Dims dims_at(const GraphCase& c, const Value& input, Point point) {
  Dims dims;
  for (const Dim& dim : input.type.shape) dims.push_back(size_at(c, dim, point));
  return dims;
}

Datum random_datum(const GraphCase& c, const Type& type, const std::string& name, Dims dims,
                   uint64_t seed) {
  if (type.kind == Type::Kind::sequence || type.kind == Type::Kind::optional) {
    Data elements;
    const size_t count = type.kind == Type::Kind::sequence ? 3 : 1;
    Dims inner = type.element->ranked && type.element->kind == Type::Kind::tensor
                     ? Dims(type.element->shape.size(), 2)
                     : Dims{2};
    for (size_t i = 0; i < count; ++i)
      elements.push_back(random_datum(c, *type.element, name, inner, seed + i + 1));
    return type.kind == Type::Kind::sequence ? Datum::sequence(std::move(elements))
                                             : Datum::optional_of(std::move(elements));
  }
  const bool whole = !is_float(type.dtype);
  std::array<double, 2> range = whole ? std::array<double, 2>{0, 2} : std::array<double, 2>{-2, 2};
  if (type.dtype == DType::boolean) range = {0, 1};
  if (const auto found = c.ranges.find(name); found != c.ranges.end()) range = found->second;
  return random_values(type.dtype, std::move(dims), range[0], range[1], seed ^ name_seed(name));
}

double unit_of(DType dtype) {
  switch (dtype) {
    case DType::f64: return 0x1p-53;
    case DType::f16: return 0x1p-11;
    case DType::bf16: return 0x1p-8;
    default: return 0x1p-24;
  }
}

// Elements that one element of the output is a sum of.
double sum_length(const Node& node) {
  double in = 1, out = 1;
  for (const Value* output : node.outputs())
    for (const Dim& dim : output->type.shape)
      out *= static_cast<double>(dim.constant().value_or(1));
  for (const Value* input : node.inputs()) {
    if (!input || input->constant()) continue;
    double size = 1;
    for (const Dim& dim : input->type.shape)
      size *= static_cast<double>(dim.constant().value_or(1));
    in = std::max(in, size);
  }
  if (!node.op().info().flops) return std::max(1.0, in / std::max(out, 1.0));
  Types outputs;
  for (const Value* output : node.outputs()) outputs.push_back(output->type);
  return std::max(
      1.0, node.op().info().flops(node.op().object(), node.input_types(), outputs) / out / 2);
}

}  // namespace

std::vector<GraphCase> graph_cases() {
  init_ops();
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(TENREC_SOURCE_DIR) + "/tests/cases"))
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<GraphCase> cases;
  for (const auto& file : files) add_file(file, cases);
  return cases;
}

std::unique_ptr<Graph> graph_of(const GraphCase& c) {
  return with_context([&] { return "case " + c.name; },
                      [&] { return parse_graph(c.text, c.weights); });
}

namespace {

// Inputs that decide sizes and have one value only are part of the profile.
ProfileOptions profile_of_values(const GraphCase& c, const Graph& graph) {
  ProfileOptions profile;
  for (const auto& input : graph.inputs()) {
    const auto found = c.ranges.find(input->name);
    if (!input->type.known || found == c.ranges.end() || found->second[0] != found->second[1])
      continue;
    const std::vector<double> values(element_count(static_dims(input->type.shape)),
                                     found->second[0]);
    profile.values[input->name] = {values, values, values};
  }
  return profile;
}

}  // namespace

ProfileOptions fixed_profile(const GraphCase& c, const Graph& graph, Point point) {
  ProfileOptions profile = profile_of_values(c, graph);
  for (const auto& input : graph.inputs()) {
    if (input->type.kind != Type::Kind::tensor || !input->type.ranked) continue;
    const Dims dims = dims_at(c, *input, point);
    profile.dims[input->name] = {dims, dims, dims};
  }
  return profile;
}

ProfileOptions free_profile(const GraphCase& c, const Graph& graph) {
  ProfileOptions profile = profile_of_values(c, graph);
  for (const auto& input : graph.inputs()) {
    if (input->type.kind != Type::Kind::tensor || !input->type.ranked) continue;
    profile.dims[input->name] = {dims_at(c, *input, Point::min), dims_at(c, *input, Point::opt),
                                 dims_at(c, *input, Point::max)};
  }
  return profile;
}

Data random_inputs(const GraphCase& c, const Graph& graph, Point point, uint64_t seed) {
  Data data;
  for (const auto& input : graph.inputs())
    data.push_back(
        random_datum(c, input->type, input->name, dims_at(c, *input, point), seed * 7919));
  return data;
}

double tolerance_of(const Graph& graph) {
  double sum = 0;
  for (const auto& node : graph.nodes()) {
    const Accuracy& accuracy = node->op().info().accuracy;
    double unit = 0;
    for (const Value* output : node->outputs())
      if (is_float(output->type.dtype)) unit = std::max(unit, unit_of(output->type.dtype));
    if (accuracy.kind != Accuracy::Kind::exact)
      sum += unit * 2 * std::max(accuracy.ulps, 1.0) * sum_length(*node);
    for (const Graph* body : node->bodies()) sum += 8 * tolerance_of(*body);  // loops go round
  }
  return sum;
}

std::string difference(const Data& got, const Data& expected, double tolerance) {
  if (got.size() != expected.size())
    return fmt::format("{} values, expected {}", got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const Datum &a = got[i], &b = expected[i];
    if (a.kind != b.kind) return fmt::format("value {} is of another kind", i);
    if (a.kind != Datum::Kind::tensor) {
      const std::string inner = difference(a.elements, b.elements, tolerance);
      if (!inner.empty()) return fmt::format("value {}: {}", i, inner);
      continue;
    }
    if (a.tensor.dtype() != b.tensor.dtype() || a.tensor.dims() != b.tensor.dims())
      return fmt::format("value {} is {}{}, expected {}{}", i, name(a.tensor.dtype()),
                         to_string(a.tensor.dims()), name(b.tensor.dtype()),
                         to_string(b.tensor.dims()));
    if (b.tensor.dtype() == DType::string || !is_float(b.tensor.dtype())) {
      if (!(a.tensor == b.tensor)) return fmt::format("value {} differs", i);
      continue;
    }
    const std::vector<double> x = a.tensor.to_doubles(), y = b.tensor.to_doubles();
    double largest = 0;
    for (const double value : y)
      if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
    for (size_t k = 0; k < x.size(); ++k) {
      const bool same = std::isnan(y[k])
                            ? std::isnan(x[k])
                            : x[k] == y[k] || std::abs(x[k] - y[k]) <= tolerance * largest;
      if (!same)
        return fmt::format("value {}, element {}: {}, expected {} within {}", i, k, x[k], y[k],
                           tolerance * largest);
    }
  }
  return "";
}

HostValue host_value(const Datum& datum) {
  HostValue value;
  value.kind = static_cast<HostValue::Kind>(datum.kind);
  if (datum.kind == Datum::Kind::tensor) {
    const Tensor& tensor = datum.tensor;
    if (tensor.dtype() == DType::string) {
      value.tensor.dtype = DType::string;
      value.tensor.dims = tensor.dims();
      value.tensor.strings = tensor.strings();
    } else {
      value.tensor = HostTensor(tensor.dtype(), tensor.dims());
      if (tensor.bytes() > 0) std::memcpy(value.tensor.data.data(), tensor.data(), tensor.bytes());
    }
  }
  for (const Datum& element : datum.elements) value.elements.push_back(host_value(element));
  return value;
}

Datum datum_of(const HostValue& value) {
  if (value.kind == HostValue::Kind::tensor) {
    const HostTensor& tensor = value.tensor;
    if (tensor.dtype == DType::string) return Tensor::of_strings(tensor.dims, tensor.strings);
    Tensor copy(tensor.dtype, tensor.dims);
    if (!tensor.data.empty())
      std::memcpy(copy.mutable_data(), tensor.data.data(), tensor.data.size());
    return copy;
  }
  Data elements;
  for (const HostValue& element : value.elements) elements.push_back(datum_of(element));
  if (value.kind == HostValue::Kind::sequence) return Datum::sequence(std::move(elements));
  if (value.kind == HostValue::Kind::optional) return Datum::optional_of(std::move(elements));
  return {};
}

Data run_twice(const Engine& engine, Context& context, const Graph& graph, const Data& inputs) {
  Data first;
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < inputs.size(); ++i)
      context.set_input_value(graph.inputs()[i]->name, host_value(inputs[i]));
    context.run();
    Data outputs;
    for (const TensorInfo& output : engine.outputs())
      outputs.push_back(datum_of(context.output_value(output.name)));
    if (round == 0) {
      first = std::move(outputs);
      continue;
    }
    const std::string different = difference(outputs, first, 0);
    TENREC_CHECK(different.empty(), mismatch, "the second run differs: {}", different);
  }
  return first;
}

}  // namespace tenrec::test
