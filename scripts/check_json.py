#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the files trtexec writes have the keys that other programs read.

usage: check_json.py times|output|profile|layers FILE
"""

import json
import pathlib
import sys

PARTS = ("Enq", "H2d", "Compute", "D2h")
TIMES = {f"{when}{what}Ms" for when in ("start", "end") for what in PARTS}
TIMES |= {"h2dMs", "computeMs", "d2hMs", "latencyMs"}
LAYER = {"Name", "LayerType", "Inputs", "Outputs"}


def times(content):
    assert content, "no query was timed"
    for query in content:
        assert set(query) == TIMES, sorted(query)
        parts = query["h2dMs"] + query["computeMs"] + query["d2hMs"]
        assert abs(query["latencyMs"] - parts) < 1e-3, query


def output(content):
    assert content, "no output"
    for each in content:
        assert set(each) == {"name", "dimensions", "values"}, sorted(each)
        count = 1
        for size in each["dimensions"].split("x"):
            count *= int(size)
        assert len(each["values"]) == count, (each["dimensions"], len(each["values"]))


def profile(content):
    assert set(content[0]) == {"count"} and content[0]["count"] > 0, content[0]
    assert content[1:], "no layer"
    for layer in content[1:]:
        assert set(layer) == {"name", "timeMs", "averageMs", "medianMs", "percentage"}, layer


def layers(content):
    assert set(content) == {"Layers", "Bindings"} and content["Layers"], sorted(content)
    assert all(isinstance(name, str) for name in content["Bindings"])
    for layer in content["Layers"]:
        if isinstance(layer, str):  # as --profilingVerbosity=layer_names_only writes them
            continue
        assert LAYER <= set(layer), sorted(layer)
        for value in layer["Inputs"] + layer["Outputs"]:
            assert {"Name", "Dimensions"} <= set(value), sorted(value)


def main():
    kind, path = sys.argv[1:]
    content = json.loads(pathlib.Path(path).read_text())
    {"times": times, "output": output, "profile": profile, "layers": layers}[kind](content)


if __name__ == "__main__":
    main()
