// SPDX-License-Identifier: Apache-2.0
// Random graphs: the interpreter before the passes, after them, and the CPU target must agree at
// every size of a profile, within what rounding can make of each operator. Runs for
// TENREC_FUZZ_SECONDS (5), from TENREC_TEST_SEED (1) on; a failure is shrunk and printed as a case
// for tests/cases.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <random>

#include "base/error.h"
#include "build/build_graph.h"
#include "common/graph_cases.h"
#include "common/mutations.h"
#include "ops/evaluate.h"
#include "passes/pass.h"

namespace tenrec::test {
namespace {

constexpr double unit = 0x1p-24;

struct Instruction {
  uint64_t kind = 0, a = 0, b = 0, c = 0;
};
using Program = std::vector<Instruction>;

Program random_program(uint64_t seed) {
  std::mt19937_64 random(seed);
  Program program(3 + random() % 12);
  for (Instruction& each : program) each = {random(), random(), random(), random()};
  return program;
}

// Turns instructions into lines of a case; those that make no sense for the values there are
// become nothing.
class Writer {
 public:
  explicit Writer(uint64_t seed) : seed_(seed) {
    case_.name = fmt::format("fuzz_{}", seed);
    case_.sizes = {{"N", {1, 2, 3}}, {"H", {4, 6, 9}}};
    head_ = "graph(%0: f32[N, 4, H, 5] \"x\", %1: f32[N, 7] \"y\", %2: f32[H, 8] \"z\") {\n";
    names_ = {"%0", "%1", "%2"};
    accept("");
  }

  GraphCase finish(const Program& program) {
    for (const Instruction& each : program) write(each);
    case_.text = text_with(lines_, true);
    return case_;
  }

 private:
  static constexpr size_t inputs = 3;

  const Type& type(size_t i) const { return types_.at(i); }
  size_t pick(uint64_t number) const {  // late values more often
    const size_t count = names_.size(), recent = std::min<size_t>(count, 3);
    return number % 3 == 0 ? number / 3 % count : count - 1 - number / 3 % recent;
  }

  void write(const Instruction& each) {
    static const char* const unary[] = {"relu", "tanh", "sigmoid", "abs", "neg", "hard_swish"};
    static const char* const binary[] = {"add", "sub", "mul", "max", "min"};
    const size_t a = pick(each.a), b = pick(each.b);
    const std::string x = names_[a], y = names_[b];
    const auto rank = static_cast<uint64_t>(type(a).shape.size());
    const uint64_t axis = rank == 0 ? 0 : each.c % rank;
    switch (each.kind % 14) {
      case 0:
      case 1: return add(fmt::format("{}({})", unary[each.c % 6], x));
      case 2:
      case 3: return add(fmt::format("{}({}, {})", binary[each.c % 5], x, y));
      case 4: return matmul(a, each);
      case 5:
      case 6: return conv(a, each);
      case 7: return transpose(a, each);
      case 8:
        constant(fmt::format("i64[1]({})", axis));
        return add(fmt::format("reduce({}, {}) (kind={}, keepdims={})", x, last_, each.b % 3,
                               each.b % 2 ? "true" : "false"));
      case 9: return add(fmt::format("softmax({}) (axis={})", x, axis));
      case 10: return add(fmt::format("concat({}, {}) (axis={})", x, y, axis));
      case 11: return slice(a, axis, each);
      case 12: return pool(a, each);
      default: return reshape(a, each);
    }
  }

  void matmul(size_t a, const Instruction& each) {
    const Shape& shape = type(a).shape;
    if (shape.size() < 2 || !shape.back().is_const()) return;
    weight({shape.back().value(), static_cast<int64_t>(1 + each.c % 17)});
    add(fmt::format("matmul({}, {})", names_[a], last_));
  }

  void conv(size_t a, const Instruction& each) {
    const Shape& shape = type(a).shape;
    if (shape.size() != 4 || !shape[1].is_const()) return;
    const int64_t channels = shape[1].value(), kernel = each.b % 2 ? 3 : 1;
    const bool depthwise = each.b % 5 == 0;
    const int64_t out = depthwise ? channels : static_cast<int64_t>(1 + each.c % 18);
    weight({out, depthwise ? 1 : channels, kernel, kernel});
    const std::string pads = kernel == 3 ? "[1, 1, 1, 1]" : "[0, 0, 0, 0]";
    add(fmt::format("conv({}, {}) (group={}, pads={}, strides=[{}, 1])", names_[a], last_,
                    depthwise ? channels : 1, pads, 1 + each.c % 2));
  }

  void transpose(size_t a, const Instruction& each) {
    std::vector<size_t> perm(type(a).shape.size());
    for (size_t i = 0; i < perm.size(); ++i) perm[i] = i;
    std::mt19937_64 random(each.c);
    std::shuffle(perm.begin(), perm.end(), random);
    add(fmt::format("transpose({}) (perm=[{}])", names_[a], fmt::join(perm, ", ")));
  }

  void slice(size_t a, uint64_t axis, const Instruction& each) {
    const uint64_t kept = names_.size();
    constant(fmt::format("i64[1]({})", each.b % 2));
    constant(fmt::format("i64[1]({})", 2 + each.b % 3));
    constant(fmt::format("i64[1]({})", axis));
    if (names_.size() != kept || constants_ < 3) return;
    add(fmt::format("slice({}, %c{}, %c{}, %c{})", names_[a], constants_ - 3, constants_ - 2,
                    constants_ - 1));
  }

  void pool(size_t a, const Instruction& each) {
    add(fmt::format("{}({}) (kernel_shape=[2, 2], pads=[{}], strides=[1, {}])",
                    each.c % 2 ? "max_pool" : "average_pool", names_[a],
                    each.b % 2 ? "0, 0, 0, 0" : "1, 0, 0, 1", 1 + each.c % 2));
  }

  void reshape(size_t a, const Instruction& each) {
    const size_t rank = type(a).shape.size();
    if (rank < 2) return;
    if (each.c % 2) constant("i64[2](0, -1)");
    else constant("i64[1](-1)");
    add(fmt::format("reshape({}, {})", names_[a], last_));
  }

  void constant(const std::string& value) {
    last_ = fmt::format("%c{}", constants_++);
    pending_ += fmt::format("  {} = constant() (value={})\n", last_, value);
  }

  void weight(const Dims& dims) {
    const std::string name = fmt::format("w{}", constants_);
    std::mt19937_64 random(seed_ + constants_);
    std::vector<double> values(element_count(dims));
    for (double& value : values) value = static_cast<double>(random() % 2001) / 1000 - 1;
    case_.weights[name] = Tensor::from_doubles(DType::f32, dims, values);
    constant("@" + name);
  }

  void add(const std::string& call) {
    accept(pending_ + fmt::format("  %v{} = {}\n", names_.size(), call));
    pending_.clear();
  }

  // All values are outputs, or only those that nothing reads.
  std::string text_with(const std::string& lines, bool only_ends = false) const {
    std::string outputs;
    for (size_t i = names_.size() == inputs ? 0 : inputs; i < names_.size(); ++i) {
      const bool read = lines.find(names_[i] + ",") != std::string::npos ||
                        lines.find(names_[i] + ")") != std::string::npos;
      if (only_ends && read) continue;
      outputs += fmt::format("{} {} \"o{}\"", outputs.empty() ? "" : ",", names_[i], i);
    }
    return head_ + lines + "  return" + outputs + "\n}\n";
  }

  // Takes the line if the graph is still one, and not a large one.
  void accept(const std::string& lines) {
    const std::vector<std::string> before = names_;
    if (!lines.empty()) names_.push_back(fmt::format("%v{}", before.size()));
    try {
      GraphCase attempt = case_;
      attempt.text = text_with(lines_ + lines);
      const auto graph = graph_of(attempt);
      Types types;
      for (const auto& input : graph->inputs()) types.push_back(input->type);
      if (names_.size() > inputs)
        for (const Value* output : graph->outputs()) types.push_back(output->type);
      for (const Datum& datum : evaluate(*graph, random_inputs(attempt, *graph, Point::max)))
        TENREC_CHECK(datum.tensor.elements() <= 20'000, usage, "too large");
      evaluate(*graph, random_inputs(attempt, *graph, Point::min));
      types_ = std::move(types);
      lines_ += lines;
    } catch (const Error&) {
      names_ = before;
    }
  }

  uint64_t seed_;
  GraphCase case_;
  std::string head_, lines_, pending_, last_;
  std::vector<std::string> names_;
  Types types_;
  size_t constants_ = 0;
};

// How far a correct implementation may be from the interpreter, value by value: what it takes over
// from its inputs and what it rounds itself.
class Bounds {
 public:
  double of(const Value* value) const {
    const auto found = error_.find(value);
    return found == error_.end() ? 0 : found->second;
  }
  double largest(const Value* value) const {
    if (const Tensor* constant = value->constant()) return most(*constant);
    const auto found = largest_.find(value);
    return found == largest_.end() ? 0 : found->second;
  }
  void input(const Value* value, const Datum& datum) { largest_[value] = most(datum.tensor); }

  void add(const Node& node, const Data& outputs) {
    const Value* out = node.output();
    const double size = most(outputs[0].tensor);
    largest_[out] = size;
    double in = 0;
    for (const Value* input : node.inputs()) in = std::max(in, of(input));
    const std::string_view op = node.op().name();
    const Value* a = node.input(0);
    const Value* b = node.input(1);
    double error = in + 8 * unit * size;
    if (op == "add" || op == "sub") error = of(a) + of(b) + unit * size;
    if (op == "mul") error = largest(a) * of(b) + largest(b) * of(a) + of(a) * of(b) + unit * size;
    if (op == "hard_swish") error = 2 * in + 8 * unit * std::max(size, 1.0);
    if (op == "softmax") error = 2 * in + 16 * unit;
    if (op == "matmul" || op == "conv") {
      double length = 1;
      const Dims dims = b->constant() ? b->constant()->dims() : Dims{};
      for (size_t i = op == "conv" ? 1 : 0; i < dims.size(); ++i)
        if (op == "conv" || i == 0) length *= static_cast<double>(dims[i]);
      error = length * largest(b) * (of(a) + length * unit * largest(a));
    }
    if (op == "reduce") {
      const double length = static_cast<double>(elements(*a)) /
                            std::max(static_cast<double>(outputs[0].tensor.elements()), 1.0);
      error = std::max(length, 1.0) * (in + unit * largest(a));
    }
    counts_[out] = outputs[0].tensor.elements();
    error_[out] = error;
  }
  void count(const Value* value, uint64_t elements) { counts_[value] = elements; }

 private:
  uint64_t elements(const Value& value) const { return counts_.at(&value); }
  static double most(const Tensor& tensor) {
    double largest = 0;
    for (const double value : tensor.to_doubles()) largest = std::max(largest, std::abs(value));
    return largest;
  }
  std::map<const Value*, double> error_, largest_;
  std::map<const Value*, uint64_t> counts_;
};

// Passes may put terms in another order, which rounds as often again.
constexpr double reordering = 4;

std::string far_from(const Data& got, const Data& expected, const std::vector<double>& allowed) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (got[i].tensor.dims() != expected[i].tensor.dims())
      return fmt::format("output {} is {}, expected {}", i, to_string(got[i].tensor.dims()),
                         to_string(expected[i].tensor.dims()));
    const std::vector<double> x = got[i].tensor.to_doubles(), y = expected[i].tensor.to_doubles();
    for (size_t k = 0; k < x.size(); ++k) {
      if (std::isnan(x[k]) && std::isnan(y[k])) continue;
      if (!(x[k] == y[k] || std::abs(x[k] - y[k]) <= reordering * allowed[i]))
        return fmt::format("output {}, element {}: {}, expected {} within {:.3g}", i, k, x[k], y[k],
                           reordering * allowed[i]);
    }
  }
  return "";
}

// "" or what differs.
bool refuses(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error&) {
    return true;
  }
  return false;
}

std::string problem_of(const GraphCase& c) {
  try {
    const auto graph = graph_of(c), passed = graph_of(c), built = graph_of(c);
    run_passes(*passed, symbolic_passes());
    BuildOptions options;
    options.no_tune = true;
    options.threads = 1;
    options.profiles = {free_profile(c, *graph)};
    const Engine engine = build_graph(*built, c.name, options).load({.threads = 1});
    Context context = engine.create_context();
    for (const Point point : {Point::max, Point::min, Point::opt}) {
      const Data inputs = random_inputs(c, *graph, point);
      Bounds bounds;
      for (size_t i = 0; i < inputs.size(); ++i) {
        bounds.input(graph->inputs()[i].get(), inputs[i]);
        bounds.count(graph->inputs()[i].get(), inputs[i].tensor.elements());
      }
      Data expected;
      try {
        expected = evaluate(*graph, inputs, [&](const Node& node, const Data& outputs) {
          bounds.add(node, outputs);
        });
      } catch (const Error&) {
        // Sizes that broadcast by name only ([N] with 3): the engine has to say so as well.
        if (!refuses([&] { run_twice(engine, context, *graph, inputs); }))
          return "the CPU runs what the interpreter refuses";
        continue;
      }
      std::vector<double> allowed;
      for (const Value* output : graph->outputs()) allowed.push_back(bounds.of(output));
      if (std::string off = far_from(evaluate(*passed, inputs), expected, allowed); !off.empty())
        return "after the passes: " + off;
      if (std::string off = far_from(run_twice(engine, context, *graph, inputs), expected, allowed);
          !off.empty())
        return "by the CPU: " + off;
    }
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

// Drops instructions as long as there is a problem without them.
Program shrunk(uint64_t seed, Program program) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (size_t i = 0; i < program.size(); ++i) {
      Program less = program;
      less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
      if (problem_of(Writer(seed).finish(less)).empty()) continue;
      program = std::move(less);
      smaller = true;
      break;
    }
  }
  return program;
}

TEST(GraphFuzz, passes_and_kernels_agree_with_the_interpreter) {
  init_ops();
  const char* seconds = std::getenv("TENREC_FUZZ_SECONDS");
  const char* first = std::getenv("TENREC_TEST_SEED");
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(seconds ? std::atoi(seconds) : 5);
  uint64_t seed = first ? std::strtoull(first, nullptr, 10) : 1, graphs = 0;
  int found = 0;
  for (; std::chrono::steady_clock::now() < end && found < 3; ++seed, ++graphs) {
    const HangGuard guard(fmt::format("graph of seed {}", seed), 120);
    const Program program = random_program(seed);
    if (problem_of(Writer(seed).finish(program)).empty()) continue;
    ++found;
    const GraphCase small = Writer(seed).finish(shrunk(seed, program));
    ADD_FAILURE() << "TENREC_TEST_SEED=" << seed << ": " << problem_of(small) << "\n" << small.text;
  }
  std::cout << graphs << " graphs, up to seed " << seed - 1 << "\n";
}

}  // namespace
}  // namespace tenrec::test
