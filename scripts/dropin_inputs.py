#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes inputs on which a model's answer is well-posed (as scripts/check_models.py chooses them)
in Polygraphy's JSON. Prints one line "name:[1,3,224,224]" an input with sizes that the model leaves
open.

usage: dropin_inputs.py MODEL.onnx OUT.json
"""

import sys

from check_models import Cases
from polygraphy.json import save_json


def main():
    cases = Cases(sys.argv[1])
    feed, _ = cases.all[0]
    save_json([feed], sys.argv[2])
    for value in cases.reference.get_inputs():
        if not all(isinstance(dim, int) for dim in value.shape):
            sizes = ",".join(str(size) for size in feed[value.name].shape)
            print(f"{value.name}:[{sizes}]")


if __name__ == "__main__":
    main()
