// SPDX-License-Identifier: Apache-2.0
// Engines made for another device of their target: where the builder is there too and the engine
// has its graph, they are built again for the one that is here, without tuning.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "plan/engine_file.h"
#include "tenrec/engine.h"
#include "tenrec/error.h"

namespace tenrec {

// What opening a device throws when the engine's steps do not run on it, though it is of the
// engine's target.
class WrongDevice : public Error {
 public:
  explicit WrongDevice(const std::string& message) : Error(ErrorCode::invalid_engine, message) {}
};

using Respecialiser =
    std::function<std::vector<std::byte>(const plan::EngineFile& file, const LoadOptions& options)>;
void register_respecialiser(Respecialiser respecialiser);

}  // namespace tenrec
