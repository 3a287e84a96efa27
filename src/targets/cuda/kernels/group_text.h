// SPDX-License-Identifier: Apache-2.0
// Texts of tactics, and kernels whose results each belong to a group of threads (device/group.cuh).
#pragma once
#include "targets/cuda/kernel_text.h"

namespace tenrec::cuda {

// "group=256", "group=32", "group=1"; a usage Error for anything else.
int group_of(const std::string& tactic);
std::vector<std::string> group_tactics(int best);

// The number of a tactic like "parts=12" by its prefix "parts="; 0: it is none.
int64_t number_in(std::string_view tactic, std::string_view prefix);

// Statements that give `row` (0 <= row < rows), the group's number, and `lane`; threads beyond the
// rows leave. G is a constant of the text.
std::string begin_group(KernelText& kernel, int group, const Dim& rows);
void launch_groups(StepWriter& step, const KernelText& kernel, int group, const Dim& rows);

}  // namespace tenrec::cuda
