// SPDX-License-Identifier: Apache-2.0
// Numbers the elements of a list that hit, in order: each block counts its own, the counts are
// added up, and an element comes behind those before it. The step's scratch begins with the totals.
#pragma once
#include <functional>
#include <string>

#include "targets/cuda/kernel_text.h"

namespace tenrec::cuda {

class Hits {
 public:
  // `hit(kernel)`: statements that define `hit`, false unless `inside` (`i` is one of `count`).
  Hits(StepWriter& step, std::string name, Dim count, std::function<std::string(KernelText&)> hit,
       int total = 0);
  void count();  // two launches: totals()[total] is how many there are
  // Statements for all threads of `launch`: `i`, `hit`, and `at`, how many hits come before i.
  std::string number(KernelText& kernel) const;
  void launch(const KernelText& kernel) const;

  static void reserve_totals(StepWriter& step);
  static std::string totals(KernelText& kernel);

 private:
  std::string find(KernelText& kernel) const;

  StepWriter& step_;
  std::string name_;
  Dim count_, blocks_, counts_;
  std::function<std::string(KernelText&)> hit_;
  int total_;
};

}  // namespace tenrec::cuda
