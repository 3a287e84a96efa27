#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs onnx.backend.test, the suite that ONNX gives every backend, on tenrec.backend.

usage: check_backend.py [--sample N] [--filter RE] [--device CPU|CUDA]
  --sample N   only every Nth case
Cases that may fail, and then have to, are those of tests/conformance/expected_failures.txt and
tests/python/backend_failures.txt. What the suite skips is named with its reason.
"""

import argparse
import os
import pathlib
import re
import sys
import time
import unittest
import warnings

import onnx.backend.test

import tenrec.backend

ROOT = pathlib.Path(__file__).resolve().parent.parent
LISTS = ("tests/conformance/expected_failures.txt", "tests/python/backend_failures.txt")


def expected_failures():
    """What may fail, and of that what may also pass: random numbers sometimes hit."""
    lines = [line for name in LISTS for line in (ROOT / name).read_text().splitlines()]
    entries = [line.split() for line in lines if line and not line.startswith("#")]
    expected = {words[0].rstrip(":") for words in entries}
    return expected, {words[0] for words in entries if words[1:2] == ["chance:"]}


def cases(device):
    """(name, case) of the whole suite for one device."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        suite = onnx.backend.test.BackendTest(tenrec.backend.TenrecBackend, __name__)
    found = []
    for category, items in sorted(suite._test_items.items()):
        for name, item in sorted(items.items()):
            if not name.endswith(f"_{device.lower()}"):
                continue
            case = type(category, (unittest.TestCase,), {name: item.func})(name)
            found.append((name.removesuffix(f"_{device.lower()}"), case))
    return found


def cause(trace):
    """The line of a trace that says what was wrong."""
    lines = [line for line in trace.splitlines() if line and not line.startswith(" ")]
    told = [line for line in lines if line.startswith(("Mismatched", "tenrec."))]
    return (told or lines[-1:])[0][:300]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sample", type=int, default=1)
    arguments.add_argument("--filter", default="")
    arguments.add_argument("--device", default="CPU")
    options = arguments.parse_args()
    expected, by_chance = expected_failures()
    # Where the suite puts the data of its real models.
    os.environ.setdefault("ONNX_MODELS", str(ROOT / "build/onnx-models"))
    every = cases(options.device)[:: options.sample]
    chosen = [(name, case) for name, case in every if re.search(options.filter, name)]
    passed = failed = excused = skipped = 0
    start = time.monotonic()
    for name, case in chosen:
        result = unittest.TestResult()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            case.run(result)
        problems = result.errors + result.failures
        if result.skipped:
            skipped += 1
            print(f"skipped: {name}: {result.skipped[0][1]}")
        elif problems and name in expected:
            excused += 1
        elif problems:
            failed += 1
            print(f"failed: {name}: {cause(problems[0][1])}")
        elif name in expected - by_chance:
            failed += 1
            print(f"failed: {name} passed, take it from the list of expected failures")
        else:
            passed += 1
    print(f"{excused} excused, {skipped} skipped")
    print(f"onnx {onnx.__version__}, {time.monotonic() - start:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
