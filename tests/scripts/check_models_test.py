#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that scripts/check_models.py fails what is wrong and passes what is only rounded
differently, with fake_tenrec.py in tenrec's place and models of a few nodes.

Run with the Python that scripts/python_env.sh prints."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

import check_models  # noqa: E402


def save(path, nodes, inputs, outputs, weights=()):
    def info(values):
        return [helper.make_tensor_value_info(*value) for value in values]

    graph = helper.make_graph(
        nodes,
        "test",
        info(inputs),
        info(outputs),
        [numpy_helper.from_array(array, name) for name, array in weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def weights(*shape):
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def classifier(path):
    """Float and index outputs, dynamic batch."""
    save(
        path,
        [
            helper.make_node("MatMul", ["x", "w"], ["logits"]),
            helper.make_node("ArgMax", ["logits"], ["raw"], axis=1, keepdims=0),
            helper.make_node("Cast", ["raw"], ["label"], to=TensorProto.INT32),
        ],
        [("x", TensorProto.FLOAT, ["batch", 16])],
        [("logits", TensorProto.FLOAT, ["batch", 6]), ("label", TensorProto.INT32, ["batch"])],
        [("w", weights(16, 6))],
    )


def masked_embedding(path):
    """Ids bounded by a table of 40 rows, and a mask as long as past and present together."""
    save(
        path,
        [
            helper.make_node("Gather", ["table", "input_ids"], ["present"]),
            helper.make_node("Concat", ["past", "present"], ["all"], axis=1),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
            helper.make_node("Mul", ["all", "wide"], ["out"]),
        ],
        [
            ("input_ids", TensorProto.INT64, ["batch", "sequence"]),
            ("attention_mask", TensorProto.INT64, ["batch", "total"]),
            ("past", TensorProto.FLOAT, ["batch", "past_sequence", 8]),
        ],
        [("out", TensorProto.FLOAT, ["batch", "total", 8])],
        [("table", weights(40, 8)), ("last", np.array([2], np.int64))],
    )


def constant_output(path):
    save(
        path,
        [helper.make_node("Mul", ["x", "zero"], ["y"])],
        [("x", TensorProto.FLOAT, [1, 4])],
        [("y", TensorProto.FLOAT, [1, 4])],
        [("zero", np.zeros(1, np.float32))],
    )


def near_tie(path):
    """Two of three scores differ by far less than the tolerance."""
    save(
        path,
        [
            helper.make_node("MatMul", ["x", "w"], ["scores"]),
            helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=1),
        ],
        [("x", TensorProto.FLOAT, [1, 4])],
        [("label", TensorProto.INT64, [1, 1])],
        [("w", np.array([[-1, 1, 1.0000005]] * 4, np.float32))],
    )


class CheckModels(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def model(self, build, name="model"):
        path = os.path.join(self.folder.name, name + ".onnx")
        build(path)
        return path

    def check(self, *flags):
        command = [sys.executable, os.path.join(ROOT, "scripts/check_models.py")]
        fake = f"{sys.executable} {os.path.join(HERE, 'fake_tenrec.py')}"
        done = subprocess.run(
            [*command, self.folder.name, "--tenrec", fake, *flags], capture_output=True, text=True
        )
        found = re.search(r"^(\d+) passed, (\d+) failed$", done.stdout, re.MULTILINE)
        self.assertIsNotNone(found, done.stdout + done.stderr)
        passed, failed = map(int, found.groups())
        self.assertEqual(done.returncode, 1 if failed else 0)
        return passed, failed, done.stdout

    def test_good_engines_pass(self):
        self.model(classifier, "classifier")
        self.model(masked_embedding, "embedding")
        passed, failed, text = self.check()
        self.assertEqual((passed, failed), (2, 0), text)
        self.assertIn("1x16,1x21,1x5x8 2x24,2x36,2x12x8", text)

    def test_other_rounding_passes(self):
        self.model(classifier)
        self.assertEqual(self.check("--fault=rounding")[:2], (1, 0))

    def test_every_fault_is_found(self):
        self.model(classifier)
        expected = {
            "off": "times the tolerance",
            "nan": "times the tolerance",
            "integers": "values differ",
            "constant": "times the tolerance",
            "shape": r"expected float32\[1, 6\]",
            "dtype": "expected float32",
            "missing": "no output 'logits'",
            "crash": "exit code 139",
            "build": "exit code 5: cannot build this",
        }
        for fault, message in expected.items():
            with self.subTest(fault):
                passed, failed, text = self.check("--fault=" + fault)
                self.assertEqual((passed, failed), (0, 1), text)
                self.assertRegex(text, message)

    def test_constant_output_fails(self):
        self.model(constant_output)
        _, failed, text = self.check()
        self.assertEqual(failed, 1)
        self.assertIn("does not vary", text)

    def test_empty_folder_fails(self):
        self.assertEqual(self.check()[:2], (0, 1))

    def test_damaged_model_fails_and_the_rest_still_run(self):
        self.model(classifier, "good")
        with open(os.path.join(self.folder.name, "bad.onnx"), "wb") as file:
            file.write(b"not a model")
        self.assertEqual(self.check()[:2], (1, 1))

    def test_index_is_judged_by_the_value_it_points_at(self):
        path = self.model(near_tie)
        feeds = {"x": np.ones((1, 4), np.float32)}
        ratio = lambda index: check_models.index_ratio(path, "label", feeds, np.array([[index]]))
        self.assertEqual(ratio(2), 0)
        self.assertLess(ratio(1), 1)
        self.assertGreater(ratio(0), 1)
        self.assertGreater(ratio(3), 1)


if __name__ == "__main__":
    unittest.main()
