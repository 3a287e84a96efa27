// SPDX-License-Identifier: Apache-2.0
#include "api/inspector.h"

#include <nlohmann/json.hpp>

#include "api/convert.h"

namespace tenrec::trt {
namespace {

using nlohmann::ordered_json;

std::string type_text(DType dtype) {
  const std::optional<nv::DataType> type = to_trt(dtype);
  return type ? std::string(name(*type)) : dtype_name(dtype);
}

std::string format_text(const StepValue& value) {
  const std::string type = type_text(value.dtype);
  if (value.layout == "row-major") return "Row major linear " + type;
  return value.layout + " " + type;
}

ordered_json describe(const StepValue& value) {
  return {{"Name", value.name},
          {"Location", "Host"},
          {"Dimensions", value.dims},
          {"Format/Datatype", format_text(value)}};
}

ordered_json describe(const StepInfo& step, size_t profile) {
  ordered_json layer{{"Name", layer_name(step.origins, step.op, profile)},
                     {"LayerType", step.op.empty() ? step.family : step.op},
                     {"Inputs", ordered_json::array()},
                     {"Outputs", ordered_json::array()},
                     {"Constants", ordered_json::array()}};
  for (const StepValue& value : step.inputs)
    layer[value.is_weight ? "Constants" : "Inputs"].push_back(describe(value));
  for (const StepValue& value : step.outputs) layer["Outputs"].push_back(describe(value));
  layer["TacticName"] =
      step.tactic.empty() ? step.family : fmt::format("{} {}", step.family, step.tactic);
  layer["StreamId"] = 0;
  layer["Metadata"] = fmt::format("{}", fmt::join(step.origins, "\x1e"));
  return layer;
}

std::string one_line(const StepInfo& step, size_t profile) {
  const ordered_json layer = describe(step, profile);
  const auto values = [](const std::vector<StepValue>& all) {
    std::string text;
    for (const StepValue& value : all)
      if (!value.is_weight)
        text += fmt::format("{}{}[{} {}]", text.empty() ? "" : ", ", value.name, format_text(value),
                            fmt::join(value.dims, "x"));
    return text;
  };
  return fmt::format("{}, LayerType: {}, Inputs: {}, Outputs: {}, TacticName: {}",
                     layer["Name"].get<std::string>(), layer["LayerType"].get<std::string>(),
                     values(step.inputs), values(step.outputs),
                     layer["TacticName"].get<std::string>());
}

std::string dump(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

bool Inspector::setExecutionContext(const nv::IExecutionContext* context) noexcept {
  context_ = context;
  profile_ =
      context == nullptr ? 0 : static_cast<size_t>(std::max(context->getOptimizationProfile(), 0));
  return true;
}

const char* Inspector::getLayerInformation(int32_t layerIndex,
                                           nv::LayerInformationFormat format) const noexcept {
  constexpr auto call = "IEngineInspector::getLayerInformation";
  return report_.guard<const char*>(call, nullptr, [&] {
    const std::vector<StepInfo>& steps = state_->steps(profile_);
    TENREC_CHECK(layerIndex >= 0 && static_cast<size_t>(layerIndex) < steps.size(), usage,
                 "there is no layer {}; the engine has {}", layerIndex, steps.size());
    const StepInfo& step = steps[static_cast<size_t>(layerIndex)];
    text_ = format == nv::LayerInformationFormat::kJSON ? dump(describe(step, profile_))
                                                        : one_line(step, profile_);
    return text_.c_str();
  });
}

const char* Inspector::getEngineInformation(nv::LayerInformationFormat format) const noexcept {
  constexpr auto call = "IEngineInspector::getEngineInformation";
  return report_.guard<const char*>(call, nullptr, [&] {
    if (format == nv::LayerInformationFormat::kJSON) {
      ordered_json engine{{"Layers", ordered_json::array()}, {"Bindings", ordered_json::array()}};
      for (const StepInfo& step : state_->steps(profile_))
        engine["Layers"].push_back(describe(step, profile_));
      for (const IoTensor& tensor : state_->tensors) engine["Bindings"].push_back(tensor.name);
      text_ = dump(engine);
      return text_.c_str();
    }
    text_ = "Layers:\n";
    for (const StepInfo& step : state_->steps(profile_)) text_ += one_line(step, profile_) + "\n";
    text_ += "\nBindings:\n";
    for (const IoTensor& tensor : state_->tensors) text_ += tensor.name + "\n";
    return text_.c_str();
  });
}

}  // namespace tenrec::trt
