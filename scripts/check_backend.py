#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs onnx.backend.test, the suite that ONNX gives every backend, on tenrec.backend.

usage: check_backend.py [--sample N] [--filter RE] [--device CPU|CUDA]
  --sample N   only every Nth case
Cases that may fail are tests/conformance/expected_failures.txt's, which have to fail. Models that
the suite would download are left out, counted and named.
"""

import argparse
import pathlib
import re
import sys
import time
import unittest
import warnings

import onnx.backend.test

import tenrec.backend

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXPECTED = ROOT / "tests/conformance/expected_failures.txt"


def expected_failures():
    lines = EXPECTED.read_text(encoding="utf-8").splitlines()
    return {line.split()[0] for line in lines if line and not line.startswith("#")}


def cases(device):
    """(name, case) of the whole suite for one device; the second list needs the network."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        suite = onnx.backend.test.BackendTest(tenrec.backend.TenrecBackend, __name__)
    here, elsewhere = [], []
    for category, items in sorted(suite._test_items.items()):
        for name, item in sorted(items.items()):
            if not name.endswith(f"_{device.lower()}"):
                continue
            case = type(category, (unittest.TestCase,), {name: item.func})(name)
            short = name.removesuffix(f"_{device.lower()}")
            (elsewhere if category == "RealModel" else here).append((short, case))
    return here, elsewhere


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sample", type=int, default=1)
    arguments.add_argument("--filter", default="")
    arguments.add_argument("--device", default="CPU")
    options = arguments.parse_args()
    expected = expected_failures()
    here, elsewhere = cases(options.device)
    chosen = [(n, c) for n, c in here[:: options.sample] if re.search(options.filter, n)]
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
        elif problems and name in expected:
            excused += 1
        elif problems:
            failed += 1
            lines = problems[0][1].strip().splitlines()
            print(f"failed: {name}: {lines[-1][:300]}")
        elif name in expected:
            failed += 1
            print(f"failed: {name} passed, take it from {EXPECTED.name}")
        else:
            passed += 1
    print(f"{excused} excused, {skipped} skipped, {len(elsewhere)} left out that need downloads")
    print(f"onnx {onnx.__version__}, {time.monotonic() - start:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
