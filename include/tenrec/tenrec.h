// SPDX-License-Identifier: Apache-2.0
// All of the public API.
#pragma once
#include "tenrec/builder.h"
#include "tenrec/dtype.h"
#include "tenrec/engine.h"
#include "tenrec/error.h"
#include "tenrec/tensor.h"
