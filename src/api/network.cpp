// SPDX-License-Identifier: Apache-2.0
#include "api/network.h"

#include <algorithm>

#include "api/convert.h"
#include "api/layers.h"
#include "build/build_graph.h"
#include "tenrec/tensor.h"

namespace tenrec::trt {
namespace {

std::vector<int64_t> sizes_of(const Type& type) {
  std::vector<int64_t> sizes;
  for (const Dim& dim : type.shape) sizes.push_back(dim.constant().value_or(-1));
  return sizes;
}

}  // namespace

// ----------------------------------------------------------------------------------- tensor

void TensorObject::setName(const char* name) noexcept {
  network_.report().guard("ITensor::setName",
                          [&] { network_.rename(value_, std::string(checked_name(name))); });
}

const char* TensorObject::getName() const noexcept {
  return network_.report().guard("ITensor::getName", "", [&] {
    name_ = network_.name_of(value_);
    return name_.c_str();
  });
}

void TensorObject::setDimensions(const nv::Dims&) noexcept {
  network_.report().not_yet("ITensor::setDimensions");
}

nv::Dims TensorObject::getDimensions() const noexcept {
  return network_.report().guard("ITensor::getDimensions", unknown_dims(), [&] {
    return value_.type.ranked ? to_trt(sizes_of(value_.type)) : unknown_dims();
  });
}

void TensorObject::setType(nv::DataType type) noexcept {
  if (type == getType()) return;
  network_.report().error(nv::ErrorCode::kUNSUPPORTED_STATE, "ITensor::setType",
                          "this version keeps the types of the model; convert the model");
}

nv::DataType TensorObject::getType() const noexcept {
  return to_trt(value_.type.dtype).value_or(nv::DataType::kFLOAT);
}

bool TensorObject::setDynamicRange(float, float) noexcept {
  network_.report().not_yet("ITensor::setDynamicRange");
  return false;
}

bool TensorObject::isNetworkInput() const noexcept { return value_.producer() == nullptr; }
bool TensorObject::isNetworkOutput() const noexcept { return network_.is_output(value_); }
void TensorObject::setBroadcastAcrossBatch(bool) noexcept {}
bool TensorObject::getBroadcastAcrossBatch() const noexcept { return false; }

nv::TensorLocation TensorObject::getLocation() const noexcept {
  return isNetworkInput() && isShapeTensor() ? nv::TensorLocation::kHOST
                                             : nv::TensorLocation::kDEVICE;
}

void TensorObject::setLocation(nv::TensorLocation location) noexcept {
  if (location != getLocation()) network_.report().not_yet("ITensor::setLocation");
}

bool TensorObject::dynamicRangeIsSet() const noexcept { return false; }
void TensorObject::resetDynamicRange() noexcept {}
float TensorObject::getDynamicRangeMin() const noexcept { return 0; }
float TensorObject::getDynamicRangeMax() const noexcept { return 0; }

void TensorObject::setAllowedFormats(nv::TensorFormats formats) noexcept {
  constexpr auto linear = 1U << static_cast<int>(nv::TensorFormat::kLINEAR);
  if ((formats & linear) != 0) return;
  network_.report().error(nv::ErrorCode::kUNSUPPORTED_STATE, "ITensor::setAllowedFormats",
                          "inputs and outputs are row-major (kLINEAR) in this version");
}

nv::TensorFormats TensorObject::getAllowedFormats() const noexcept {
  return 1U << static_cast<int>(nv::TensorFormat::kLINEAR);
}

bool TensorObject::isShapeTensor() const noexcept {
  return network_.report().guard("ITensor::isShapeTensor", false, [&] {
    if (value_.producer() != nullptr) return value_.type.known_ints() != nullptr;
    return decides_shapes(value_, network_.graph());
  });
}

bool TensorObject::isExecutionTensor() const noexcept { return true; }

void TensorObject::setDimensionName(int32_t, const char*) noexcept {
  network_.report().not_yet("ITensor::setDimensionName");
}

const char* TensorObject::getDimensionName(int32_t index) const noexcept {
  return network_.report().guard<const char*>(
      "ITensor::getDimensionName", nullptr, [&]() -> const char* {
        const Shape& shape = value_.type.shape;
        if (index < 0 || static_cast<size_t>(index) >= shape.size()) return nullptr;
        const Dim& dim = shape[static_cast<size_t>(index)];
        if (dim.constant()) return nullptr;
        dimension_name_ = dim.str();
        return dimension_name_.c_str();
      });
}

// ---------------------------------------------------------------------------------- network

Network::Network(const Report& report, nv::IBuilder& builder,
                 nv::NetworkDefinitionCreationFlags flags)
    : report_(report), builder_(builder), flags_(flags) {
  mImpl = this;
}

Network::~Network() = default;

void Network::set_model(std::unique_ptr<Graph> graph, std::string_view name,
                        std::shared_ptr<const void> owner) {
  TENREC_CHECK(graph_ == nullptr, usage, "the network holds a model already; make a new network");
  graph_ = std::move(graph);
  owner_ = std::move(owner);
  if (name_.empty()) name_ = std::string(name);
}

Graph& Network::graph() {
  TENREC_CHECK(graph_ != nullptr, usage,
               "the network is empty; fill it with nvonnxparser::IParser first");
  return *graph_;
}

std::unique_ptr<Graph> Network::graph_to_build() const {
  TENREC_CHECK(graph_ != nullptr, usage,
               "the network is empty; fill it with nvonnxparser::IParser first");
  TENREC_CHECK(!graph_->outputs().empty(), usage, "the network has no outputs; mark one");
  std::unique_ptr<Graph> copy = graph_->clone();
  std::unordered_map<const Node*, size_t> places;
  for (const auto& node : copy->nodes()) places.emplace(node.get(), places.size() + 1);
  std::vector<std::pair<Value*, std::string>> outputs;
  for (size_t i = 0; i < copy->outputs().size(); ++i)
    outputs.emplace_back(copy->outputs()[i], copy->output_names()[i]);
  const auto place = [&](const Value* value) {
    const size_t node = value->producer() == nullptr ? 0 : places.at(value->producer());
    return std::pair(node, value->index());
  };
  std::stable_sort(outputs.begin(), outputs.end(),
                   [&](const auto& a, const auto& b) { return place(a.first) < place(b.first); });
  while (!copy->outputs().empty()) copy->remove_output(copy->outputs().size() - 1);
  for (auto& [value, name] : outputs) copy->add_output(value, std::move(name));
  return copy;
}

TensorObject* Network::tensor(Value* value) {
  if (value == nullptr) return nullptr;
  std::unique_ptr<TensorObject>& object = tensors_[value];
  if (!object) object = std::make_unique<TensorObject>(*this, *value);
  return object.get();
}

size_t Network::output_index(const Value& value) const {
  const Values& outputs = graph_->outputs();
  return static_cast<size_t>(std::find(outputs.begin(), outputs.end(), &value) - outputs.begin());
}

bool Network::is_output(const Value& value) const {
  return output_index(value) < graph_->outputs().size();
}

std::string Network::name_of(const Value& value) const {
  const size_t output = output_index(value);
  if (value.producer() != nullptr && output < graph_->outputs().size())
    return graph_->output_names()[output];
  if (!value.name.empty() || value.producer() == nullptr) return value.name;
  const std::vector<std::string>& origins = value.producer()->origins();
  return fmt::format("{}_output_{}", origins.empty() ? "node" : origins.front(), value.index());
}

void Network::rename(Value& value, std::string name) {
  const size_t output = output_index(value);
  if (value.producer() != nullptr && output < graph_->outputs().size()) {
    std::vector<std::pair<Value*, std::string>> outputs;
    for (size_t i = 0; i < graph_->outputs().size(); ++i)
      outputs.emplace_back(graph_->outputs()[i], i == output ? name : graph_->output_names()[i]);
    while (!graph_->outputs().empty()) graph_->remove_output(graph_->outputs().size() - 1);
    for (auto& [each, text] : outputs) graph_->add_output(each, std::move(text));
  }
  value.name = std::move(name);
}

void Network::markOutput(nv::ITensor& tensor) noexcept {
  report_.guard("INetworkDefinition::markOutput", [&] {
    Value& value = static_cast<TensorObject&>(tensor).value();
    TENREC_CHECK(!is_output(value), usage, "\"{}\" is an output already", name_of(value));
    TENREC_CHECK(to_trt(value.type.dtype).has_value(), unsupported,
                 "\"{}\" is {}, a type that TensorRT's interface does not have", name_of(value),
                 dtype_name(value.type.dtype));
    graph().add_output(&value, name_of(value));
  });
}

void Network::unmarkOutput(nv::ITensor& tensor) noexcept {
  report_.guard("INetworkDefinition::unmarkOutput", [&] {
    Value& value = static_cast<TensorObject&>(tensor).value();
    TENREC_CHECK(is_output(value), usage, "\"{}\" is no output", name_of(value));
    if (value.name.empty()) value.name = name_of(value);
    graph().remove_output(output_index(value));
  });
}

int32_t Network::getNbInputs() const noexcept {
  return graph_ ? static_cast<int32_t>(graph_->inputs().size()) : 0;
}

int32_t Network::getNbOutputs() const noexcept {
  return graph_ ? static_cast<int32_t>(graph_->outputs().size()) : 0;
}

nv::ITensor* Network::getInput(int32_t index) const noexcept {
  if (index < 0 || index >= getNbInputs()) return nullptr;
  return const_cast<Network*>(this)->tensor(graph_->inputs()[static_cast<size_t>(index)].get());
}

nv::ITensor* Network::getOutput(int32_t index) const noexcept {
  if (index < 0 || index >= getNbOutputs()) return nullptr;
  return const_cast<Network*>(this)->tensor(graph_->outputs()[static_cast<size_t>(index)]);
}

void Network::make_layers() {
  if (!graph_ || !layers_.empty()) return;
  for (const auto& node : graph_->nodes()) layers_.push_back(make_layer(*this, *node));
}

int32_t Network::getNbLayers() const noexcept {
  return graph_ ? static_cast<int32_t>(graph_->nodes().size()) : 0;
}

nv::ILayer* Network::getLayer(int32_t index) const noexcept {
  if (index < 0 || index >= getNbLayers()) return nullptr;
  return report_.guard<nv::ILayer*>("INetworkDefinition::getLayer", nullptr, [&] {
    const_cast<Network*>(this)->make_layers();
    return layers_[static_cast<size_t>(index)].get();
  });
}

void Network::setName(const char* name) noexcept {
  report_.guard("INetworkDefinition::setName", [&] { name_ = std::string(checked_name(name)); });
}

bool Network::getFlag(
    nv::NetworkDefinitionCreationFlag networkDefinitionCreationFlag) const noexcept {
  return (flags_ >> static_cast<uint32_t>(networkDefinitionCreationFlag) & 1U) != 0;
}

}  // namespace tenrec::trt
