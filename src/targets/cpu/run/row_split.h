// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>

namespace tenrec::cpu {

// Who computes which rows of `planes` pictures: the same part of every picture, as convolutions
// share them out, so that a thread finds what it reads in its own cache. (A line that another core
// has read since costs 7 to 27 ns to write again.) Pictures of few rows are shared out one after
// the other, which is more even.
struct RowSplit {
  int64_t planes = 1, rows = 1;
  int tasks = 1;

  template <class Each>  // each(plane, first row, row behind the last)
  void each_part(int task, Each&& each) const {
    constexpr int64_t rows_a_task = 8;
    if (rows >= rows_a_task * tasks) {
      for (int64_t plane = 0; plane < planes; ++plane)
        each(plane, rows * task / tasks, rows * (task + 1) / tasks);
      return;
    }
    const int64_t end = planes * rows * (task + 1) / tasks;
    for (int64_t at = planes * rows * task / tasks; at < end;) {
      const int64_t plane = at / rows, first = at - plane * rows;
      const int64_t last = std::min(end - plane * rows, rows);
      each(plane, first, last);
      at = plane * rows + last;
    }
  }
};

}  // namespace tenrec::cpu
