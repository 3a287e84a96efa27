#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes inputs for a model in Polygraphy's JSON and prints one line "name:[1,3,224,224]" an input
with sizes that the model leaves open. Sizes and fixed values come from scripts/model_hints.json
where it has some, else 1 and random numbers.

usage: dropin_inputs.py MODEL.onnx OUT.json
"""

import pathlib
import sys

import numpy as np
import onnxruntime
from model_inputs import HINTS, NUMPY, hint_for
from polygraphy.json import save_json


def main():
    path = pathlib.Path(sys.argv[1])
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    hint = hint_for(inputs) or {}
    shapes = HINTS["bench"].get(path.stem) or next(iter(hint.get("shapes", [])), {})
    rng = np.random.default_rng(7)
    feed = {}
    for value in inputs:
        shape = shapes.get(value.name)
        if shape is None:
            shape = [dim if isinstance(dim, int) else 1 for dim in value.shape]
        dtype = NUMPY[value.type]
        fixed = hint.get("values", {}).get(value.name)
        if fixed is not None:
            feed[value.name] = np.full(shape, fixed, dtype)
        elif np.issubdtype(dtype, np.floating):
            feed[value.name] = rng.random(shape).astype(dtype)
        else:
            feed[value.name] = rng.integers(0, 2, shape).astype(dtype)
        if not all(isinstance(dim, int) for dim in value.shape):
            print(f"{value.name}:[{','.join(str(size) for size in shape)}]")
    save_json([feed], sys.argv[2])


if __name__ == "__main__":
    main()
