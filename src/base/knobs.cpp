// SPDX-License-Identifier: Apache-2.0
#include "base/knobs.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <optional>

#include "base/error.h"

namespace tenrec {
namespace {

using Lister = std::function<KnobInfo()>;

std::vector<Lister>& registry() {
  static std::vector<Lister>& listers = *new std::vector<Lister>;
  return listers;
}

template <class T>
std::string_view type_name() {
  if constexpr (std::is_same_v<T, bool>) return "bool";
  if constexpr (std::is_same_v<T, int64_t>) return "integer";
  if constexpr (std::is_same_v<T, double>) return "number";
  return "text";
}

template <class T>
std::string write(const T& value) {
  return fmt::format("{}", value);
}

template <class T>
std::optional<T> parse(std::string_view text) {
  if constexpr (std::is_same_v<T, std::string>) {
    return std::string(text);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (text == "1" || text == "true" || text == "on" || text == "yes") return true;
    if (text == "0" || text == "false" || text == "off" || text == "no") return false;
    return std::nullopt;
  } else {
    T value{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return value;
  }
}

bool is_choice(std::string_view choices, std::string_view text) {
  while (true) {
    const size_t bar = choices.find('|');
    if (choices.substr(0, bar) == text) return true;
    if (bar == choices.npos) return false;
    choices.remove_prefix(bar + 1);
  }
}

}  // namespace

template <class T>
Knob<T>::Knob(std::string_view name, T fallback, std::string_view help, std::string_view choices)
    : name_(name), fallback_(std::move(fallback)), help_(help), choices_(choices) {
  registry().push_back([this] { return info(); });
}

template <class T>
T Knob<T>::get() const {
  const char* const text = std::getenv(name_.c_str());
  if (text == nullptr || *text == '\0') return fallback_;
  const std::optional<T> value = parse<T>(text);
  TENREC_CHECK(value && (choices_.empty() || is_choice(choices_, text)), usage,
               "environment variable {} is \"{}\"; expected {} ({})", name_, text,
               choices_.empty() ? type_name<T>() : choices_, help_);
  return *value;
}

template <class T>
KnobInfo Knob<T>::info() const {
  const char* const text = std::getenv(name_.c_str());
  const bool is_set = text != nullptr && *text != '\0';
  return {.name = name_,
          .type = choices_.empty() ? std::string(type_name<T>()) : choices_,
          .fallback = write(fallback_),
          .value = is_set ? text : write(fallback_),
          .is_set = is_set,
          .help = help_};
}

template class Knob<bool>;
template class Knob<int64_t>;
template class Knob<double>;
template class Knob<std::string>;

std::vector<KnobInfo> list_knobs() {
  std::vector<KnobInfo> infos;
  for (const Lister& lister : registry()) infos.push_back(lister());
  std::sort(infos.begin(), infos.end(),
            [](const KnobInfo& a, const KnobInfo& b) { return a.name < b.name; });
  return infos;
}

namespace knobs {
const Knob<std::string> log("TENREC_LOG", "warning", "least severe messages written to stderr",
                            "verbose|info|warning|error|silent");
}  // namespace knobs

}  // namespace tenrec
