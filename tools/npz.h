// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy and .npz files, as much of them as tensors need: C order, little endian, every
// numeric dtype of NumPy; .npz entries stored or deflated. Malformed files are an io Error naming
// file and entry.
#pragma once
#include <map>
#include <string>

#include "tenrec/tensor.h"

namespace tenrec {

using NamedTensors = std::map<std::string, HostTensor>;

HostTensor read_npy(const std::string& path);
void write_npy(const std::string& path, const TensorRef& tensor);
NamedTensors read_npz(const std::string& path);
void write_npz(const std::string& path, const NamedTensors& tensors);

}  // namespace tenrec
