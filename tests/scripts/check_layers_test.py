#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that scripts/check_layers.py sees what it is there to see."""

import os
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, os.fspath(ROOT / "scripts"))

import check_layers  # noqa: E402


class CheckLayers(unittest.TestCase):
    def found(self, file, include):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, file)
            path.parent.mkdir(parents=True)
            path.write_text(f'#include <vector>\n#include "{include}"\n')
            return list(check_layers.violations(pathlib.Path(folder)))

    def test_allowed(self):
        for file, include in [
            ("src/ir/a.h", "base/b.h"),
            ("src/ir/a.h", "ir/b.h"),
            ("src/api/a.cpp", "build/b.h"),
            ("src/runtime/a.cpp", "plan/b.h"),
            ("src/runtime/a.cpp", "tenrec/engine.h"),
            ("src/runtime/a.cpp", "ir/tensor.h"),
            ("src/targets/tuner.cpp", "passes/b.h"),
            ("src/targets/target.cpp", "targets/cpu/target.h"),
            ("src/targets/cpu/kernels/a.cpp", "targets/target.h"),
            ("src/targets/cpu/kernels/a.cpp", "targets/cpu/run/b.h"),
            ("src/targets/cpu/run/a.cpp", "ops/b.h"),
            ("src/targets/cuda/run/a.cpp", "runtime/device.h"),
            ("include/tenrec/a.h", "tenrec/b.h"),
        ]:
            self.assertEqual(self.found(file, include), [], f"{file} <- {include}")

    def test_refused(self):
        for file, include in [
            ("src/base/a.h", "ir/b.h"),
            ("src/plan/a.h", "ir/b.h"),
            ("src/runtime/a.cpp", "ops/b.h"),
            ("src/runtime/a.cpp", "ir/graph.h"),
            ("src/build/a.cpp", "targets/cpu/b.h"),
            ("src/targets/tuner.cpp", "build/b.h"),
            ("src/targets/tuner.cpp", "targets/cpu/target.h"),
            ("src/targets/cpu/a.cpp", "targets/cuda/b.h"),
            ("src/targets/cpu/run/a.cpp", "passes/b.h"),
            ("src/targets/cuda/run/a.cpp", "ops/b.h"),
            ("src/ir/a.h", "../base/b.h"),
            ("src/misc/a.h", "base/b.h"),
            ("include/tenrec/a.h", "base/b.h"),
        ]:
            self.assertEqual(len(self.found(file, include)), 1, f"{file} <- {include}")


if __name__ == "__main__":
    unittest.main()
