#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times OpenVINO for scripts/bench_models.py: one model, compiled once at the shapes of its inputs.

usage: time_openvino.py MODEL INPUTS.npz THREADS
Prints a line once it is ready; then every line read is a number of seconds to run for, answered by
the milliseconds of each run, as JSON. Run through Python, so a run carries about 0.02 ms of it."""

import json
import sys
import time

import numpy as np
import openvino


def request_for(path, inputs, threads):
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape({name: list(value.shape) for name, value in inputs.items()})
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    for name, value in inputs.items():
        request.set_tensor(name, openvino.Tensor(np.ascontiguousarray(value)))
    return request


def run_for(request, seconds):
    times = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        request.infer()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def main():
    path, source, threads = sys.argv[1:]
    with np.load(source) as file:
        inputs = {name: file[name] for name in file.files}
    request = request_for(path, inputs, int(threads))
    run_for(request, 0.2)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(run_for(request, float(line))), flush=True)


if __name__ == "__main__":
    main()
