// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "api/network.h"

namespace tenrec::trt {

// The layer that stands for a node: its kind and parameters in TensorRT's words. Nodes that
// TensorRT has no layer for are of kind kPLUGIN and have no parameters.
std::unique_ptr<nv::ILayer> make_layer(Network& network, Node& node);

}  // namespace tenrec::trt
