// SPDX-License-Identifier: Apache-2.0
// Proof that an engine from anywhere may be run: after this the runtime indexes without checks.
// What depends on run-time sizes (does an alias lie inside its base, is a size within its bound) is
// checked by the runtime when it sizes values, once a shape.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace tenrec::plan {

struct EngineFile;

constexpr size_t max_plan_items = 1 << 22;  // of each kind: slots, values, steps, ...
constexpr size_t max_rank = 64;
constexpr size_t max_step_sizes = 4096;
constexpr int max_body_depth = 32;
constexpr int max_alias_depth = 64;
constexpr size_t max_name_bytes = 1 << 20;

// An invalid_engine Error unless dims are the shape of so many strings.
void validate_strings(std::span<const int64_t> dims, size_t count);

// Each throws an invalid_engine Error that names plan, step or value, and field.
void validate(const EngineFile& file);
// `code`: entries of the engine's code table.
void validate_plan(const Plan& plan, std::span<const Weight> weights, std::string_view name,
                   size_t code = 0);

}  // namespace tenrec::plan
