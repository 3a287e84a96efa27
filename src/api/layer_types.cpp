// SPDX-License-Identifier: Apache-2.0
#include "api/layer_types.h"

#include "api/convert.h"

namespace tenrec::trt {

LayerBase::LayerBase(Network& network, Node& node, nv::LayerType type)
    : network_(network), node_(node), type_(type) {
  const bool is_constant = type == nv::LayerType::kCONSTANT && node.output_count() > 0;
  if (is_constant && !node.output(0)->name.empty()) name_ = node.output(0)->name;
  else if (!node.origins().empty()) name_ = node.origins().front();
  else name_ = node.op().name();
}

nv::LayerType LayerBase::getType() const noexcept { return type_; }

void LayerBase::setName(const char* name) noexcept {
  network_.report().guard("ILayer::setName", [&] { name_ = std::string(checked_name(name)); });
}

const char* LayerBase::getName() const noexcept { return name_.c_str(); }

int32_t LayerBase::getNbInputs() const noexcept {
  return static_cast<int32_t>(node_.inputs().size());
}

nv::ITensor* LayerBase::getInput(int32_t index) const noexcept {
  if (index < 0) return nullptr;
  return network_.tensor(node_.input(static_cast<size_t>(index)));
}

int32_t LayerBase::getNbOutputs() const noexcept {
  return static_cast<int32_t>(node_.output_count());
}

nv::ITensor* LayerBase::getOutput(int32_t index) const noexcept {
  if (index < 0 || index >= getNbOutputs()) return nullptr;
  return network_.tensor(node_.output(static_cast<size_t>(index)));
}

void LayerBase::setInput(int32_t, nv::ITensor&) noexcept { not_yet("ILayer::setInput"); }

void LayerBase::setPrecision(nv::DataType) noexcept { not_yet("ILayer::setPrecision"); }

nv::DataType LayerBase::getPrecision() const noexcept {
  return node_.output_count() == 0
             ? nv::DataType::kFLOAT
             : to_trt(node_.output(0)->type.dtype).value_or(nv::DataType::kFLOAT);
}

bool LayerBase::precisionIsSet() const noexcept { return false; }
void LayerBase::resetPrecision() noexcept {}
void LayerBase::setOutputType(int32_t, nv::DataType) noexcept { not_yet("ILayer::setOutputType"); }

nv::DataType LayerBase::getOutputType(int32_t index) const noexcept {
  if (index < 0 || index >= getNbOutputs()) return nv::DataType::kFLOAT;
  return to_trt(node_.output(static_cast<size_t>(index))->type.dtype)
      .value_or(nv::DataType::kFLOAT);
}

bool LayerBase::outputTypeIsSet(int32_t) const noexcept { return false; }
void LayerBase::resetOutputType(int32_t) noexcept {}

void LayerBase::setMetadata(const char* docString) noexcept {
  network_.report().guard("ILayer::setMetadata",
                          [&] { metadata_ = std::string(checked_name(docString)); });
}

const char* LayerBase::getMetadata() const noexcept { return metadata_.c_str(); }

bool LayerBase::setNbRanks(int32_t nbRanks) noexcept {
  if (nbRanks == 1) return true;
  not_yet("ILayer::setNbRanks");
  return false;
}

int32_t LayerBase::getNbRanks() const noexcept { return 1; }

}  // namespace tenrec::trt
