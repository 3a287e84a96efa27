#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes inputs that a model accepts (scripts/model_inputs.py finds them) in Polygraphy's JSON and
prints one line "name:[1,3,224,224]" an input with sizes that the model leaves open.

usage: dropin_inputs.py MODEL.onnx OUT.json
"""

import pathlib
import sys

from model_inputs import HINTS, assignments, hint_for, session, shapes_for, values_for
from polygraphy.json import save_json


def feeds(path):
    """The first inputs that onnxruntime accepts."""
    runner = session(str(path))
    inputs = runner.get_inputs()
    hint = hint_for(inputs)
    named = [HINTS["bench"].get(path.stem), *hint.get("shapes", [])]
    found = (shapes_for(inputs, sizes) for sizes in assignments(inputs))
    for shapes in [*(shape for shape in named if shape), *found]:
        fixed = hint.get("values", {})
        feed = values_for(inputs, shapes, 1, "normal", 100, fixed)
        try:
            runner.run(None, feed)
        except Exception:
            continue
        return inputs, feed
    raise SystemExit(f"{path}: found no inputs that run")


def main():
    inputs, feed = feeds(pathlib.Path(sys.argv[1]))
    save_json([feed], sys.argv[2])
    for value in inputs:
        if not all(isinstance(dim, int) for dim in value.shape):
            sizes = ",".join(str(size) for size in feed[value.name].shape)
            print(f"{value.name}:[{sizes}]")


if __name__ == "__main__":
    main()
