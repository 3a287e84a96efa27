// SPDX-License-Identifier: Apache-2.0
// The module `tenrec._tenrec`: Tenrec's own interface with memory as bytes. What the types of NumPy
// have to do with it is Python's part (python/tenrec/_values.py).
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <tenrec/tenrec.h>

#include <string>

namespace nb = nanobind;

using Bytes = nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>, nb::c_contig>;

tenrec::DType dtype_of(const std::string& name);  // "f32"; a usage Error for any other word

void bind_values(nb::module_& module);
void bind_build(nb::module_& module);
void bind_engine(nb::module_& module);
void bind_context(nb::module_& module, nb::class_<tenrec::Engine>& engine);
