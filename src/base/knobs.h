// SPDX-License-Identifier: Apache-2.0
// The only place that reads environment variables.
//
// To add a knob: declare it below, define it with its default and one line of help in knobs.cpp.
// `tenrec knobs` and the docs then show it. Options that change a result belong to the build
// options, not here: a knob is for people debugging or running Tenrec on an odd machine.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenrec {

struct KnobInfo {
  std::string name;      // of the environment variable
  std::string type;      // "bool", "integer", "number", "text" or "a|b|c"
  std::string fallback;  // as it would be written
  std::string value;     // now
  bool is_set = false;
  std::string help;
};

// T: bool (1/0, true/false, on/off, yes/no), int64_t, double, std::string.
// get() reads the variable anew: call it once, not in a loop. A value that does not parse or is
// none of `choices` is a usage Error that names the variable.
template <class T>
class Knob {
 public:
  Knob(std::string_view name, T fallback, std::string_view help, std::string_view choices = {});
  Knob(const Knob&) = delete;
  Knob& operator=(const Knob&) = delete;
  T get() const;
  std::string_view name() const { return name_; }
  KnobInfo info() const;

 private:
  std::string name_;
  T fallback_;
  std::string help_;
  std::string choices_;  // "a|b|c", text only; empty: anything
};

std::vector<KnobInfo> list_knobs();  // sorted by name

namespace knobs {
extern const Knob<std::string> log;
}  // namespace knobs

}  // namespace tenrec
