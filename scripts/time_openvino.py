#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times OpenVINO for scripts/bench_models.py: one model, compiled once at the shapes of its inputs.

usage: time_openvino.py MODEL INPUTS.npz THREADS
Prints a line once it is ready; then every line read is a number of seconds to run for, answered by
the milliseconds of each run, as JSON. Runs are called through OpenVINO's C interface, which costs
about a microsecond; its Python objects cost twenty."""

import ctypes
import json
import pathlib
import sys
import time

import numpy as np
import openvino

# Its ov_element_type_e.
ELEMENTS = {"bool": 1, "float16": 3, "float32": 4, "float64": 5, "int8": 7, "int16": 8, "int32": 9,
            "int64": 10, "uint8": 16, "uint16": 17, "uint32": 18, "uint64": 19}  # fmt: skip


class Shape(ctypes.Structure):
    _fields_ = [("rank", ctypes.c_int64), ("dims", ctypes.POINTER(ctypes.c_int64))]


class Dimension(ctypes.Structure):
    _fields_ = [("min", ctypes.c_int64), ("max", ctypes.c_int64)]


class PartialShape(ctypes.Structure):
    _fields_ = [("rank", Dimension), ("dims", ctypes.POINTER(Dimension))]


class Request:
    """A model on the CPU with these inputs."""

    def __init__(self, path, inputs, threads):
        libraries = pathlib.Path(openvino.__file__).parent / "libs"
        self.library = ctypes.CDLL(str(next(libraries.glob("libopenvino_c.so*"))))
        self.library.ov_get_last_err_msg.restype = ctypes.c_char_p
        core, model, compiled, self.handle = (ctypes.c_void_p() for _ in range(4))
        self.call("ov_core_create", ctypes.byref(core))
        self.call("ov_core_read_model", core, path.encode(), None, ctypes.byref(model))
        names = (ctypes.c_char_p * len(inputs))(*(name.encode() for name in inputs))
        shapes = (PartialShape * len(inputs))(*(self.fixed(x.shape) for x in inputs.values()))
        self.call("ov_model_reshape", model, names, shapes, ctypes.c_size_t(len(inputs)))
        settings = [b"PERFORMANCE_HINT", b"LATENCY", b"INFERENCE_NUM_THREADS",
                    str(threads).encode(), b"INFERENCE_PRECISION_HINT", b"f32"]  # fmt: skip
        settings = [ctypes.c_char_p(text) for text in settings]
        count = ctypes.c_size_t(len(settings))
        out = ctypes.byref(compiled)
        self.call("ov_core_compile_model", core, model, b"CPU", count, out, *settings)
        self.call("ov_compiled_model_create_infer_request", compiled, ctypes.byref(self.handle))
        self.arrays = {name: np.ascontiguousarray(x) for name, x in inputs.items()}
        for name, array in self.arrays.items():
            self.set_input(name, array)

    def call(self, function, *arguments):
        if getattr(self.library, function)(*arguments) != 0:
            sys.exit(f"{function}: {(self.library.ov_get_last_err_msg() or b'').decode()}")

    @staticmethod
    def fixed(dims):
        exact = (Dimension * len(dims))(*(Dimension(size, size) for size in dims))
        return PartialShape(Dimension(len(dims), len(dims)), exact)

    def set_input(self, name, array):
        shape = Shape(array.ndim, (ctypes.c_int64 * array.ndim)(*array.shape))
        tensor = ctypes.c_void_p()
        element = ELEMENTS[array.dtype.name]
        data = ctypes.c_void_p(array.ctypes.data)
        self.call("ov_tensor_create_from_host_ptr", element, shape, data, ctypes.byref(tensor))
        self.call("ov_infer_request_set_tensor", self.handle, name.encode(), tensor)

    def run_for(self, seconds):
        infer, handle, clock = self.library.ov_infer_request_infer, self.handle, time.perf_counter
        times = []
        end = clock() + seconds
        while not times or clock() < end:
            start = clock()
            status = infer(handle)
            times.append((clock() - start) * 1e3)
            if status != 0:
                self.call("ov_infer_request_infer", handle)
        return times


def main():
    path, source, threads = sys.argv[1:]
    with np.load(source) as file:
        inputs = {name: file[name] for name in file.files}
    request = Request(path, inputs, threads)
    request.run_for(0.2)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(request.run_for(float(line))), flush=True)


if __name__ == "__main__":
    main()
