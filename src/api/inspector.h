// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "api/engine.h"

namespace tenrec::trt {

class Inspector final : public nv::IEngineInspector, public nv::apiv::VEngineInspector {
 public:
  explicit Inspector(std::shared_ptr<const EngineState> state)
      : report_(state->report), state_(std::move(state)) {
    mImpl = this;
  }
  nv::IEngineInspector* getPImpl() noexcept override { return this; }
  bool setExecutionContext(const nv::IExecutionContext* context) noexcept override;
  const nv::IExecutionContext* getExecutionContext() const noexcept override { return context_; }
  const char* getLayerInformation(int32_t layerIndex,
                                  nv::LayerInformationFormat format) const noexcept override;
  const char* getEngineInformation(nv::LayerInformationFormat format) const noexcept override;
  void setErrorRecorder(nv::IErrorRecorder* recorder) noexcept override {
    report_.set_recorder(recorder);
  }
  nv::IErrorRecorder* getErrorRecorder() const noexcept override { return report_.recorder(); }

 private:
  Report report_;
  std::shared_ptr<const EngineState> state_;
  const nv::IExecutionContext* context_ = nullptr;
  size_t profile_ = 0;
  mutable std::string text_;  // what the last call returned
};

}  // namespace tenrec::trt
