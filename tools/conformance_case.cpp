// SPDX-License-Identifier: Apache-2.0
#include "conformance_case.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "import/import.h"
#include "onnx/reader.h"
#include "ops/evaluate.h"
#include "ops/movement.h"
#include "ops/onnx_context.h"
#include "runtime/engine_impl.h"
#include "tenrec/tenrec.h"

namespace tenrec {
namespace {

namespace fs = std::filesystem;
using Outcome = CaseResult::Outcome;
using Values = std::map<std::string, Datum>;

// ---- reading ----

Datum to_map(const onnx::ValueProto& value, const Data& values) {
  Tensors parts;
  for (const Datum& each : values) parts.push_back(each.tensor.reshaped({1}));
  TENREC_CHECK(!parts.empty(), invalid_input, "a map without entries");
  const Dims dims{static_cast<int64_t>(parts.size())};
  std::vector<std::string> names(value.string_keys.begin(), value.string_keys.end());
  return Datum::map_of(
      names.empty() ? Tensor::of(dims, value.keys) : Tensor::of_strings(dims, std::move(names)),
      joined(parts, 0));
}

Datum to_datum(const onnx::ValueProto& value, const onnx::Model& model) {
  using Kind = onnx::TypeProto::Kind;
  if (value.kind == Kind::tensor) return to_ir_tensor(value.tensor, model);
  Data elements;
  for (const onnx::ValueProto& element : value.elements)
    elements.push_back(to_datum(element, model));
  if (value.kind == Kind::map) return to_map(value, elements);
  return value.kind == Kind::sequence ? Datum::sequence(std::move(elements))
                                      : Datum::optional_of(std::move(elements));
}

Datum read_datum(const fs::path& path, const onnx::TypeProto& type) {
  return with_context([&] { return fmt::format("reading {}", path.string()); },
                      [&] {
                        // An empty sequence is an empty message.
                        if (fs::file_size(path) == 0) {
                          onnx::ValueProto empty;
                          empty.kind = type.kind;
                          return to_datum(empty, {});
                        }
                        const auto file = MappedFile::open(path);
                        onnx::Model owner;
                        owner.owner = file;
                        return to_datum(onnx::read_value(file->bytes(), type), owner);
                      });
}

// PREFIX_0.pb belongs to the first of `infos`, and so on.
Values read_values(const fs::path& folder, const std::string& prefix,
                   const std::vector<onnx::ValueInfo>& infos) {
  Values values;
  for (size_t i = 0; i < infos.size(); ++i) {
    const fs::path path = folder / fmt::format("{}_{}.pb", prefix, i);
    if (fs::exists(path)) {
      values[std::string(infos[i].name)] = read_datum(path, infos[i].type);
    }
  }
  return values;
}

// ---- running ----

class Runner {
 public:
  virtual ~Runner() = default;
  virtual Values run(const Values& inputs) = 0;
  virtual std::vector<std::string> host_operators() const { return {}; }
};

const Datum& given(const Values& inputs, const std::string& name) {
  const auto found = inputs.find(name);
  TENREC_CHECK(found != inputs.end(), invalid_input, "the case has no data for input \"{}\"", name);
  return found->second;
}

class InterpreterRunner final : public Runner {
 public:
  explicit InterpreterRunner(const onnx::Model& model) : graph_(import_model(model).graph) {}
  Values run(const Values& inputs) override {
    Data arguments;
    for (const auto& input : graph_->inputs()) arguments.push_back(given(inputs, input->name));
    Data results = evaluate(*graph_, arguments);
    Values named;
    for (size_t i = 0; i < results.size(); ++i)
      named[graph_->output_names()[i]] = std::move(results[i]);
    return named;
  }

 private:
  std::unique_ptr<Graph> graph_;
};

class EngineRunner final : public Runner {
 public:
  EngineRunner(const fs::path& model, const std::string& target) {
    BuildOptions options;
    options.target = target;
    options.no_tune = true;
    engine_ = build(model.string(), options).load();
  }
  Values run(const Values& inputs) override {
    Context context = engine_.create_context();
    for (const TensorInfo& info : engine_.inputs())
      context.set_input_value(info.name, to_host_value(given(inputs, info.name)));
    context.run();
    Values named;
    for (const TensorInfo& info : engine_.outputs())
      named[info.name] = tenrec::to_datum(context.output_value(info.name));
    return named;
  }
  std::vector<std::string> host_operators() const override {
    std::set<std::string> names;
    if (!engine_.impl()->device->host_memory()) {
      for (const plan::Plan& plan : engine_.impl()->file.plans) add_host_operators(plan, names);
    }
    return {names.begin(), names.end()};
  }

 private:
  static void add_host_operators(const plan::Plan& plan, std::set<std::string>& names) {
    for (const plan::Step& step : plan.steps) {
      // A branch that cannot run computes nothing: it only says so.
      if (step.family == "generic" && step.op != "fail") names.insert(step.op);
    }
    for (const plan::Plan& body : plan.bodies) add_host_operators(body, names);
  }

  Engine engine_;
};

// ---- comparing ----

bool close(double got, double want, const Tolerance& tolerance) {
  if (std::isnan(want)) return std::isnan(got);
  if (got == want) return true;
  return std::abs(got - want) <= tolerance.absolute + tolerance.relative * std::abs(want);
}

std::string element_name(uint64_t index, uint64_t different, uint64_t total) {
  return fmt::format("{} of {} elements differ, first element {}", different, total, index);
}

template <class T, class Same>
std::string first_difference(const T& got, const T& want, const Same& same) {
  std::optional<size_t> first;
  uint64_t different = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    if (same(got[i], want[i])) continue;
    if (!first) first = i;
    ++different;
  }
  if (!first) return "";
  return fmt::format("{}: {}, expected {}", element_name(*first, different, want.size()),
                     got[*first], want[*first]);
}

std::string difference(const Tensor& got, const Tensor& want, Tolerance tolerance) {
  // Two units of the last place, as onnx.backend.test has it.
  if (want.dtype() == DType::bf16) tolerance.relative = std::max(tolerance.relative, 0x1p-6);
  const auto equal = [](const auto& a, const auto& b) { return a == b; };
  if (want.dtype() == DType::string) return first_difference(got.strings(), want.strings(), equal);
  if (!is_float(want.dtype())) return first_difference(got.to_ints(), want.to_ints(), equal);
  return first_difference(got.to_doubles(), want.to_doubles(),
                          [&](double a, double b) { return close(a, b, tolerance); });
}

std::string_view kind_name(Datum::Kind kind) {
  switch (kind) {
    case Datum::Kind::none: return "nothing";
    case Datum::Kind::tensor: return "a tensor";
    case Datum::Kind::sequence: return "a sequence";
    case Datum::Kind::optional: return "an optional";
    case Datum::Kind::map: return "a map";
  }
  TENREC_ASSERT(false, "kind {}", static_cast<int>(kind));
}

CaseResult compare(const Datum& got, const Datum& want, const std::string& what,
                   const Tolerance& tolerance) {
  if (got.kind != want.kind) {
    return {Outcome::type,
            fmt::format("{} is {}, expected {}", what, kind_name(got.kind), kind_name(want.kind))};
  }
  if (want.kind == Datum::Kind::tensor) {
    const Tensor& a = got.tensor;
    const Tensor& b = want.tensor;
    if (a.dtype() != b.dtype() || a.dims() != b.dims()) {
      return {Outcome::type,
              fmt::format("{} is {}{}, expected {}{}", what, name(a.dtype()), to_string(a.dims()),
                          name(b.dtype()), to_string(b.dims()))};
    }
    const std::string text = difference(a, b, tolerance);
    if (text.empty()) return {};
    return {Outcome::values,
            fmt::format("{} ({}{}): {}", what, name(b.dtype()), to_string(b.dims()), text)};
  }
  if (got.elements.size() != want.elements.size()) {
    return {Outcome::type, fmt::format("{} has {} elements, expected {}", what, got.elements.size(),
                                       want.elements.size())};
  }
  for (size_t i = 0; i < want.elements.size(); ++i) {
    CaseResult result =
        compare(got.elements[i], want.elements[i], fmt::format("{}[{}]", what, i), tolerance);
    if (result.outcome != Outcome::passed) return result;
  }
  return {};
}

CaseResult run_data_set(Runner& runner, const fs::path& folder, const onnx::Graph& graph,
                        const Tolerance& tolerance) {
  const Values outputs = runner.run(read_values(folder, "input", graph.inputs));
  const Values wanted = read_values(folder, "output", graph.outputs);
  TENREC_CHECK(!wanted.empty(), invalid_input, "{} has no outputs to compare with",
               folder.string());
  // A wrong shape or type says more than a wrong number.
  CaseResult worst;
  for (const auto& [name, want] : wanted) {
    const auto got = outputs.find(name);
    TENREC_ASSERT(got != outputs.end(), "output \"{}\" is not there", name);
    const CaseResult result =
        compare(got->second, want, fmt::format("output \"{}\"", name), tolerance);
    if (result.outcome == Outcome::type) return result;
    if (result.outcome != Outcome::passed) worst = result;
  }
  return worst;
}

CaseResult run_all(const fs::path& folder, const std::string& target, const Tolerance& tolerance) {
  const fs::path path = folder / "model.onnx";
  const onnx::Model model = onnx::read_model(path);
  std::unique_ptr<Runner> runner;
  if (target == "interpreter") runner = std::make_unique<InterpreterRunner>(model);
  else runner = std::make_unique<EngineRunner>(path, target);
  std::vector<fs::path> sets;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && entry.path().filename().string().starts_with("test_data_set_"))
      sets.push_back(entry.path());
  }
  TENREC_CHECK(!sets.empty(), invalid_input, "{} has no test_data_set_* folder", folder.string());
  std::sort(sets.begin(), sets.end());
  CaseResult result;
  for (const fs::path& set : sets) {
    result = run_data_set(*runner, set, model.graph, tolerance);
    if (result.outcome != Outcome::passed) break;
  }
  result.host_operators = runner->host_operators();
  return result;
}

}  // namespace

std::string_view name(CaseResult::Outcome outcome) {
  switch (outcome) {
    case Outcome::passed: return "passed";
    case Outcome::error: return "error";
    case Outcome::type: return "type";
    case Outcome::values: return "values";
    case Outcome::crash: return "crash";
    case Outcome::timeout: return "timeout";
  }
  TENREC_ASSERT(false, "outcome {}", static_cast<int>(outcome));
}

CaseResult run_case(const fs::path& folder, const std::string& target, const Tolerance& tolerance) {
  try {
    return run_all(folder, target, tolerance);
  } catch (const std::exception& error) {
    return {Outcome::error, error.what()};
  }
}

}  // namespace tenrec
