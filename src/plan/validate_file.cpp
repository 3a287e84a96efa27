// SPDX-License-Identifier: Apache-2.0
// What of an engine lies outside its plans: weights, bindings and how plans fit to them.
#include <set>

#include "base/error.h"
#include "plan/engine_file.h"
#include "plan/format.h"
#include "plan/validate.h"

namespace tenrec::plan {
namespace {

#define PLAN_CHECK(condition, ...) TENREC_CHECK(condition, invalid_engine, __VA_ARGS__)

bool known_dtype(DType dtype) { return is_valid(dtype) && dtype != DType::undefined; }

void check_weights(const EngineFile& file) {
  for (size_t i = 0; i < file.weights.size(); ++i) {
    const Weight& weight = file.weights[i];
    PLAN_CHECK(known_dtype(weight.dtype) && weight.dtype != DType::string,
               "weight {}: dtype {} is unknown", i, static_cast<int>(weight.dtype));
    PLAN_CHECK(weight.offset % weight_alignment == 0 && weight.offset <= file.weight_bytes.size() &&
                   weight.bytes <= file.weight_bytes.size() - weight.offset,
               "weight {}: {} bytes at {} do not lie inside the WEIGHTS section", i, weight.bytes,
               weight.offset);
    PLAN_CHECK(weight.dims.size() <= max_rank, "weight {}: rank {} is above {}", i,
               weight.dims.size(), max_rank);
  }
  for (const Original& original : file.graph.originals) {
    PLAN_CHECK(
        original.weight >= none && original.weight < static_cast<int32_t>(file.weights.size()),
        "graph weight \"{}\": the engine has no weight {}", original.name, original.weight);
    if (original.weight != none) continue;
    with_context([&] { return fmt::format("graph weight \"{}\"", original.name); },
                 [&] { validate_strings(original.dims, original.strings.size()); });
  }
}

void check_code(const EngineFile& file) {
  PLAN_CHECK(file.code.images.size() <= max_plan_items, "CODE: {} entries are too many",
             file.code.images.size());
  PLAN_CHECK(file.source.sources.empty() || file.source.sources.size() == file.code.images.size(),
             "SOURCE has {} texts, CODE {} entries", file.source.sources.size(),
             file.code.images.size());
  for (size_t i = 0; i < file.code.images.size(); ++i)
    PLAN_CHECK(!file.code.images[i].key.empty() && !file.code.images[i].bytes.empty(),
               "CODE: entry {} is empty", i);
}

void check_names(const std::vector<Binding>& bindings, std::string_view what) {
  std::set<std::string_view> names;
  for (const Binding& binding : bindings) {
    PLAN_CHECK(!binding.name.empty() && binding.name.size() <= max_name_bytes &&
                   names.insert(binding.name).second,
               "{} \"{}\": the name is empty, too long or there twice", what, binding.name);
    PLAN_CHECK(binding.is_host || known_dtype(binding.dtype), "{} \"{}\": dtype {} is unknown",
               what, binding.name, static_cast<int>(binding.dtype));
  }
}

void check_binding(const Binding& binding, const Plan& plan, int32_t value_index,
                   std::string_view what) {
  const ValueDef& value = plan.values[static_cast<size_t>(value_index)];
  PLAN_CHECK(!binding.is_host || value.storage == Storage::host,
             "{} \"{}\": it is a host value, stored as {}", what, binding.name,
             static_cast<int>(value.storage));
  PLAN_CHECK(binding.is_host || binding.dtype == value.dtype, "{} \"{}\" is {}, its value {}", what,
             binding.name, name(binding.dtype), name(value.dtype));
}

void check_io(const EngineFile& file, const Plan& plan) {
  PLAN_CHECK(plan.inputs.size() == file.io.inputs.size(), "inputs: {}, but the model has {}",
             plan.inputs.size(), file.io.inputs.size());
  PLAN_CHECK(plan.outputs.size() == file.io.outputs.size(), "outputs: {}, but the model has {}",
             plan.outputs.size(), file.io.outputs.size());
  for (size_t i = 0; i < plan.inputs.size(); ++i)
    check_binding(file.io.inputs[i], plan, plan.inputs[i], "input");
  for (size_t i = 0; i < plan.outputs.size(); ++i)
    check_binding(file.io.outputs[i], plan, plan.outputs[i], "output");
}

}  // namespace

void validate(const EngineFile& file) {
  check_weights(file);
  check_code(file);
  check_names(file.io.inputs, "input");
  check_names(file.io.outputs, "output");
  for (size_t i = 0; i < file.plans.size(); ++i) {
    const std::string name = fmt::format("plan {}", i);
    validate_plan(file.plans[i], file.weights, name, file.code.images.size());
    with_context([&] { return name; }, [&] { check_io(file, file.plans[i]); });
  }
}

}  // namespace tenrec::plan
