#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python sample does what the C++ one does, to the byte.

usage: samples_test.py BIN MODEL     BIN: where tenrec and tenrec_rvm are; MODEL: rvm.onnx
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN, MODEL = (pathlib.Path(word).resolve() for word in (sys.argv[1], sys.argv[2]))


class Matting(unittest.TestCase):
    def run_program(self, *words):
        result = subprocess.run(list(map(str, words)), capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_states_of_three_frames(self):
        with tempfile.TemporaryDirectory() as folder:
            here = pathlib.Path(folder)
            random = np.random.default_rng(5)
            frames = []
            height, width = 144, 256
            for i in range(3):
                frames.append(here / f"frame{i}.ppm")
                pixels = random.integers(0, 256, (height, width, 3), np.uint8)
                frames[-1].write_bytes(f"P6\n{width} {height}\n255\n".encode() + pixels.tobytes())
            engine = here / "rvm.engine"
            self.run_program(BIN / "tenrec", "build", MODEL, "-o", engine, "--no-tune")
            self.run_program(BIN / "tenrec_rvm", engine, *frames)
            wanted = [frame.with_name(f"{frame.stem}_matting.pam") for frame in frames]
            expected = [path.read_bytes() for path in wanted]
            self.run_program(sys.executable, ROOT / "samples/tenrec/rvm_infer.py", engine, *frames)
            for path, bytes_of in zip(wanted, expected):
                self.assertEqual(path.read_bytes(), bytes_of)
            self.assertNotEqual(expected[0], expected[1])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
