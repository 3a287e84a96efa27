#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for the tenrec command where the checks themselves are tested: its engine is a copy of
the model, and onnxruntime runs it. `--fault=KIND`, a build flag, makes it wrong on purpose."""

import shutil
import sys

import numpy as np
import onnxruntime


def build(model, dash_o, engine, *flags):
    assert dash_o == "-o"
    fault = next((f.split("=")[1] for f in flags if f.startswith("--fault=")), "")
    if fault == "build":
        print("cannot build this", file=sys.stderr)
        sys.exit(5)
    shutil.copy(model, engine)
    with open(engine + ".fault", "w") as file:
        file.write(fault)


def spoil(outputs, fault):
    for name, value in outputs.items():
        if fault == "off" and np.issubdtype(value.dtype, np.floating) and value.size:
            value.flat[value.size // 2] += 4e-4 * np.abs(value).max() + 1e-5
        elif fault == "nan" and np.issubdtype(value.dtype, np.floating) and value.size:
            value.flat[0] = np.nan
        elif fault == "integers" and np.issubdtype(value.dtype, np.integer):
            value += 1
        elif fault == "constant":
            value.fill(0)
        elif fault == "shape":
            outputs[name] = value[None]
        elif fault == "dtype":
            outputs[name] = value.astype(np.float64)
    if fault == "missing":
        outputs.pop(next(iter(outputs)))


def run(engine, _inputs, source, _outputs, target):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    fault = open(engine + ".fault").read()
    if fault == "rounding":  # not wrong, only rounded differently: has to pass
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(engine, options, providers=["CPUExecutionProvider"])
    with np.load(source) as arrays:
        values = session.run(None, {name: arrays[name] for name in arrays})
    outputs = {o.name: v.copy() for o, v in zip(session.get_outputs(), values)}
    if fault == "crash":
        sys.exit(139)
    spoil(outputs, fault)
    np.savez(target, **outputs)


if __name__ == "__main__":
    {"build": build, "run": run}[sys.argv[1]](*sys.argv[2:])
