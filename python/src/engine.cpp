// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <tenrec/version.h>

#include <vector>

#include "bind.h"
#include "buffer.h"

using tenrec::Engine;
using tenrec::InputRange;
using tenrec::MemoryReport;
using tenrec::TensorInfo;

namespace {

Engine load(const std::string& path, int threads, int device, uint64_t memory_limit) {
  const nb::gil_scoped_release unlock;
  return Engine::load(path, {threads, device, memory_limit});
}

Engine from_bytes(nb::bytes file, int threads, int device, uint64_t memory_limit) {
  const Buffer buffer(file, false);
  std::vector<std::byte> bytes(buffer.data(), buffer.data() + buffer.bytes());
  const nb::gil_scoped_release unlock;
  return Engine::from_bytes(std::move(bytes), {threads, device, memory_limit});
}

std::string describe(const TensorInfo& info) {  // image: f32[N, 3, 224, 224]
  std::string text = info.name + ": " + tenrec::dtype_name(info.dtype) + "[";
  for (const std::string& label : info.labels) text += (text.back() == '[' ? "" : ", ") + label;
  return text + (info.ranked ? "]" : "...]");
}

void bind_descriptions(nb::module_& module) {
  nb::class_<TensorInfo>(module, "TensorInfo", "One input or output of a model.")
      .def_ro("name", &TensorInfo::name)
      .def_prop_ro(
          "dtype", [](const TensorInfo& info) { return tenrec::dtype_name(info.dtype); },
          "Element type as Tenrec writes it: \"f32\", \"i64\", \"bool\", \"string\".")
      .def_ro("dims", &TensorInfo::dims, "Sizes; -1 where only running tells. Empty if not ranked.")
      .def_ro("labels", &TensorInfo::labels, "The model's own text for each dim: \"batch\", \"3\".")
      .def_ro("ranked", &TensorInfo::ranked, "False: any number of dims.")
      .def_ro("is_shape_input", &TensorInfo::is_shape_input, "Its value decides shapes.")
      .def_ro("is_host", &TensorInfo::is_host, "Strings, sequences, optionals, maps.")
      .def("__repr__", [](const TensorInfo& info) { return describe(info); });
  nb::class_<InputRange>(module, "InputRange", "What a profile allows for one input.")
      .def_ro("name", &InputRange::name)
      .def_ro("min", &InputRange::min)
      .def_ro("opt", &InputRange::opt)
      .def_ro("max", &InputRange::max, "-1: no bound.")
      .def_ro("value_min", &InputRange::value_min, "Of shape inputs: their elements.")
      .def_ro("value_opt", &InputRange::value_opt)
      .def_ro("value_max", &InputRange::value_max);
  nb::class_<MemoryReport>(module, "MemoryReport", "All in bytes.")
      .def_ro("weights", &MemoryReport::weights, "Shared by all contexts of an engine.")
      .def_ro("activations", &MemoryReport::activations)
      .def_ro("scratch", &MemoryReport::scratch, "The largest step's; part of the activations.")
      .def_ro("outputs", &MemoryReport::outputs)
      .def_ro("arena_growths", &MemoryReport::arena_growths, "A count.")
      .def_prop_ro("total", &MemoryReport::total);
}

// Python's tenrec.Error, with code and message.
void translate(const std::exception_ptr& pointer, void*) {
  try {
    std::rethrow_exception(pointer);
  } catch (const tenrec::Error& error) {
    const nb::object type = nb::module_::import_("tenrec._error").attr("Error");
    const nb::object made = type(static_cast<int>(error.code()), error.what());
    PyErr_SetObject(type.ptr(), made.ptr());
  }
}

}  // namespace

void bind_engine(nb::module_& module) {
  bind_descriptions(module);
  nb::class_<Engine> engine(module, "Engine");
  engine
      .def_static("load", load, nb::arg("path"), nb::arg("threads"), nb::arg("device"),
                  nb::arg("memory_limit"))
      .def_static("from_bytes", from_bytes, nb::arg("file"), nb::arg("threads"), nb::arg("device"),
                  nb::arg("memory_limit"))
      .def("save", &Engine::save, nb::arg("path"), nb::call_guard<nb::gil_scoped_release>())
      .def_prop_ro("inputs", [](const Engine& e) { return e.inputs(); })
      .def_prop_ro("outputs", [](const Engine& e) { return e.outputs(); })
      .def_prop_ro("profiles", [](const Engine& e) { return e.profiles(); })
      .def_prop_ro("target", [](const Engine& e) { return e.target(); })
      .def_prop_ro("name", [](const Engine& e) { return e.name(); })
      .def_prop_ro("device", [](const Engine& e) { return e.device(); })
      .def_prop_ro("host_memory", &Engine::host_memory)
      .def_prop_ro("notes", [](const Engine& e) { return e.notes(); })
      .def("to_bytes",
           [](const Engine& e) { return nb::bytes(e.bytes().data(), e.bytes().size()); })
      .def("memory", &Engine::memory, nb::arg("profile"));
  bind_context(module, engine);
}

NB_MODULE(_tenrec, module) {
  nb::register_exception_translator(translate);
  module.attr("version") = TENREC_VERSION;
  bind_values(module);
  bind_build(module);
  bind_engine(module);
}
