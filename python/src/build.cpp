// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <map>
#include <optional>
#include <vector>

#include "bind.h"
#include "buffer.h"

using tenrec::BuildOptions;
using tenrec::BuildResult;

namespace {

using Dims = std::map<std::string, std::vector<std::vector<int64_t>>>;   // min, opt, max
using Values = std::map<std::string, std::vector<std::vector<double>>>;  // min, opt, max

template <class T>
const std::vector<std::vector<T>>& checked(const std::string& name,
                                           const std::vector<std::vector<T>>& range) {
  if (range.size() != 3)
    throw tenrec::Error(tenrec::ErrorCode::usage, "the range of \"" + name + "\" has " +
                                                      std::to_string(range.size()) +
                                                      " parts; give (min, opt, max)");
  return range;
}

void add_profile(BuildOptions& options, const Dims& dims, const Values& values) {
  tenrec::ProfileOptions profile;
  for (const auto& [name, range] : dims) {
    const auto& parts = checked(name, range);
    profile.dims[name] = {parts[0], parts[1], parts[2]};
  }
  for (const auto& [name, range] : values) {
    const auto& parts = checked(name, range);
    profile.values[name] = {parts[0], parts[1], parts[2]};
  }
  options.profiles.push_back(std::move(profile));
}

// Runs `work` without the interpreter's lock. What the caller's `progress` raises stops the build
// and is raised again.
template <class Work>
BuildResult with_progress(BuildOptions& options, const nb::object& progress, const Work& work) {
  std::optional<nb::python_error> raised;
  if (!progress.is_none()) {
    options.progress = [&](const tenrec::BuildProgress& now) {
      const nb::gil_scoped_acquire lock;
      try {
        const nb::object answer =
            progress(nb::str(now.phase.data(), now.phase.size()),
                     nb::str(now.detail.data(), now.detail.size()), now.done, now.total);
        return answer.is_none() || nb::cast<bool>(answer);
      } catch (nb::python_error& error) {
        raised.emplace(std::move(error));
        return false;
      }
    };
  }
  try {
    const nb::gil_scoped_release unlock;
    return work();
  } catch (const tenrec::Error&) {
    if (raised) throw std::move(*raised);
    throw;
  }
}

BuildResult build_file(const std::string& path, BuildOptions options, const nb::object& progress) {
  return with_progress(options, progress, [&] { return tenrec::build(path, options); });
}

BuildResult build_bytes(nb::bytes model, const std::string& folder, BuildOptions options,
                        const nb::object& progress) {
  const Buffer bytes(model, false);
  return with_progress(options, progress, [&] {
    return tenrec::build(std::span<const std::byte>(bytes.data(), bytes.bytes()), options, folder);
  });
}

}  // namespace

void bind_build(nb::module_& module) {
  nb::class_<BuildOptions>(module, "BuildOptions")
      .def(nb::init<>())
      .def_rw("target", &BuildOptions::target)
      .def_rw("threads", &BuildOptions::threads)
      .def_prop_rw(
          "precision", [](const BuildOptions& o) { return tenrec::dtype_name(o.precision); },
          [](BuildOptions& o, const std::string& name) { o.precision = dtype_of(name); })
      .def_rw("tf32", &BuildOptions::tf32)
      .def_rw("no_vendor", &BuildOptions::no_vendor)
      .def_rw("no_tune", &BuildOptions::no_tune)
      .def_rw("tune_budget", &BuildOptions::tune_budget)
      .def_rw("timing_cache", &BuildOptions::timing_cache)
      .def_rw("no_compilation_cache", &BuildOptions::no_compilation_cache)
      .def_rw("no_fallback", &BuildOptions::no_fallback)
      .def_rw("lean", &BuildOptions::lean)
      .def_rw("memory_limit", &BuildOptions::memory_limit)
      .def_rw("tactics", &BuildOptions::tactics)
      .def_rw("keep_explain", &BuildOptions::keep_explain)
      .def("add_profile", add_profile, nb::arg("dims"), nb::arg("values"));
  nb::class_<BuildResult>(module, "BuildResult")
      .def_ro("notes", &BuildResult::notes)
      .def_ro("warnings", &BuildResult::warnings)
      .def_ro("explain", &BuildResult::explain)
      .def("save", &BuildResult::save, nb::arg("path"), nb::call_guard<nb::gil_scoped_release>())
      .def(
          "load",
          [](const BuildResult& result, int threads, int device, uint64_t memory_limit) {
            return result.load({threads, device, memory_limit});
          },
          nb::arg("threads"), nb::arg("device"), nb::arg("memory_limit"),
          nb::call_guard<nb::gil_scoped_release>());
  module.def("build_file", build_file, nb::arg("path"), nb::arg("options"),
             nb::arg("progress").none());
  module.def("build_bytes", build_bytes, nb::arg("model"), nb::arg("folder"), nb::arg("options"),
             nb::arg("progress").none());
}
