#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes inputs on which a model's answer is well-posed (as scripts/check_models.py chooses them)
in Polygraphy's JSON. Prints the absolute tolerance, which is 1e-3 or, where that is more, the
distance between onnxruntime with and without its optimiser: no runtime can be asked to come nearer
to one than the other does. Then one line "name:[1,3,224,224]" an input with sizes that the model
leaves open.

usage: dropin_inputs.py MODEL.onnx OUT.json
"""

import sys

import numpy as np
from check_models import Cases
from polygraphy.json import save_json


TOLERANCE = 1e-3


def distance(cases, feed, expected):
    if cases.plain is None:
        return 0.0
    pairs = zip(cases.plain.run(None, feed), expected)
    floats = [np.abs(a - b) for a, b in pairs if a.dtype.kind == "f"]
    return max((float(np.max(each, initial=0)) for each in floats), default=0.0)


def main():
    cases = Cases(sys.argv[1])
    feed, expected = cases.all[0]
    save_json([feed], sys.argv[2])
    print(max(TOLERANCE, distance(cases, feed, expected)))
    for value in cases.reference.get_inputs():
        if not all(isinstance(dim, int) for dim in value.shape):
            sizes = ",".join(str(size) for size in feed[value.name].shape)
            print(f"{value.name}:[{sizes}]")


if __name__ == "__main__":
    main()
