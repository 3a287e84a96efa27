#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python package: PYTHONPATH=build/release/python python tests/python/package_test.py"""

import pathlib
import tempfile
import threading
import unittest

import ml_dtypes
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import tenrec

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
F32, I64 = TensorProto.FLOAT, TensorProto.INT64


def info(name, shape, dtype=F32):
    return helper.make_tensor_value_info(name, dtype, shape)


def model(nodes, inputs, outputs, initialisers=(), opset=21):
    graph = helper.make_graph(list(nodes), "test", inputs, outputs, list(initialisers))
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def engine_of(*parts, **options):
    return tenrec.build(model(*parts), tune=False, **options).load()


def engine_of_one(op, inputs, outputs, **attributes):
    names = [each.name for each in inputs], [each.name for each in outputs]
    return engine_of([helper.make_node(op, *names, **attributes)], inputs, outputs)


def counter():
    """A sum that is kept between runs: "total" is fed back as "state"."""
    nodes = [helper.make_node("Add", ["x", "state"], ["total"])]
    return engine_of(nodes, [info("x", ["n"]), info("state", ["n"])], [info("total", ["n"])])


class Running(unittest.TestCase):
    def test_digit(self):
        result = tenrec.build(str(ROOT / "samples/mnist/mnist.onnx"), tune=False)
        engine = result.load()
        [image], [scores] = engine.inputs, engine.outputs
        self.assertEqual((image.dtype, image.dims), ("f32", [1, 1, 28, 28]))
        self.assertEqual(repr(image), f"{image.name}: f32[1, 1, 28, 28]")
        digit = (ROOT / "samples/mnist/digits/7.pgm").read_bytes()[-784:]
        pixels = np.frombuffer(digit, np.uint8).reshape(1, 1, 28, 28).astype(np.float32)
        found = engine.create_context().run({image.name: 1 - pixels / 255})[scores.name]
        self.assertEqual(found.shape, (1, 10))
        self.assertEqual(found.argmax(), 7)

    def test_shapes_that_only_running_tells(self):
        engine = engine_of_one("NonZero", [info("x", ["a", "b"])], [info("y", [2, "n"], I64)])
        context = engine.create_context()
        for x in (np.eye(3, dtype=np.float32), np.zeros((2, 5), np.float32)):
            np.testing.assert_array_equal(context.run({"x": x})["y"], np.nonzero(x))
        context.set_input_shape("x", (4, 6))
        self.assertEqual(context.output_shapes(), {"y": (2, -1)})

    def test_arrays_in_any_order_of_memory(self):
        engine = engine_of_one("Neg", [info("x", ["a", "b"])], [info("y", ["a", "b"])])
        context = engine.create_context()
        x = np.arange(12, dtype=np.float32).reshape(3, 4)
        fixed = x.copy()
        fixed.flags.writeable = False
        for each in (x.T, x[::2, ::-1], fixed, x[:0]):
            np.testing.assert_array_equal(context.run({"x": each})["y"], -each)

    def test_outputs_are_the_callers(self):
        context = counter().create_context()
        zeros = np.zeros(5, np.float32)
        first = context.run({"x": zeros + 1, "state": zeros})["total"]
        second = context.run({"x": zeros + 2})["total"]
        np.testing.assert_array_equal(first, zeros + 1)  # the second run has left it alone
        np.testing.assert_array_equal(second, zeros + 2)
        memory = np.empty(8, np.float32)
        third = context.run({"x": zeros + 3}, out={"total": memory})["total"]
        self.assertTrue(np.shares_memory(third, memory))
        np.testing.assert_array_equal(memory[:5], zeros + 3)

    def test_states_stay_where_they_are(self):
        context = counter().create_context()
        state = np.zeros(3, np.float32)
        for i in range(5):
            outputs = context.run({"x": np.full(3, i, np.float32), "state": state}, keep=["total"])
            state = outputs["total"]
            self.assertEqual((state.shape, state.dtype), ((3,), "f32"))
        np.testing.assert_array_equal(state.numpy(), np.full(3, 10, np.float32))
        np.testing.assert_array_equal(np.asarray(state), state.numpy())

    def test_two_contexts_in_two_threads(self):
        engine, found = counter(), {}

        def work(i):
            context = engine.create_context()
            state = np.zeros(1000, np.float32)
            for _ in range(50):
                x = np.full(1000, i, np.float32)
                state = context.run({"x": x, "state": state}, keep=["total"])["total"]
            found[i] = state.numpy()

        threads = [threading.Thread(target=work, args=(i,)) for i in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for i in (1, 2):
            np.testing.assert_array_equal(found[i], np.full(1000, 50 * i, np.float32))


class Types(unittest.TestCase):
    def same(self, array):
        """`array` as it comes out of an Identity."""
        code = helper.np_dtype_to_tensor_dtype(array.dtype) if array.dtype != object else 8
        shape = [None] * array.ndim
        engine = engine_of_one("Identity", [info("x", shape, code)], [info("y", shape, code)])
        found = engine.create_context().run({"x": array})["y"]
        self.assertEqual(found.dtype, array.dtype)
        np.testing.assert_array_equal(found, array)

    def test_numbers(self):
        for name in ("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 "
                     "float64 complex64").split():  # fmt: skip
            with self.subTest(name):
                self.same(np.array([[0, 1, 3], [7, 5, 1]]).astype(name))
        self.same(np.array(3.5, np.float32))

    def test_types_of_ml_dtypes(self):
        for name in ("bfloat16 float8_e4m3fn float8_e5m2 int4 uint4 float4_e2m1fn int2 "
                     "uint2").split():  # fmt: skip
            with self.subTest(name):
                values = [[-1, 1, 0], [1, -2, 1], [0, 1, -1]]
                if name.startswith("uint"):
                    values = np.abs(values)
                self.same(np.array(values).astype(getattr(ml_dtypes, name)))

    def test_strings(self):
        self.same(np.array([["a", "Zürich"], ["", "x\ny"]], object))

    def test_sequences_and_optionals(self):
        tensor = helper.make_tensor_type_proto(F32, None)
        sequence = helper.make_sequence_type_proto(tensor)
        x, y = (
            helper.make_value_info(name, sequence) for name in ("x", "y")
        )
        engine = engine_of([helper.make_node("Identity", ["x"], ["y"])], [x], [y])
        values = [np.arange(n, dtype=np.float32) for n in range(3)]
        found = engine.create_context().run({"x": values})["y"]
        self.assertEqual([each.shape for each in found], [(0,), (1,), (2,)])
        np.testing.assert_array_equal(found[2], values[2])
        maybe = helper.make_value_info("x", helper.make_optional_type_proto(tensor))
        has = engine_of(
            [helper.make_node("OptionalHasElement", ["x"], ["y"])],
            [maybe], [info("y", [], TensorProto.BOOL)],
        )  # fmt: skip
        context = has.create_context()
        self.assertFalse(context.run({"x": None})["y"])
        self.assertTrue(context.run({"x": values[1]})["y"])


class Maps(unittest.TestCase):
    """ai.onnx.ml's maps. onnxruntime cannot be given all of them from Python."""

    CODES = {str: TensorProto.STRING, int: I64, float: F32, np.float64: TensorProto.DOUBLE}

    def run_one(self, op, given, outputs, **attributes):
        """What Tenrec gives, and the model."""
        node = helper.make_node(op, ["x"], ["y"], domain="ai.onnx.ml", **attributes)
        if isinstance(given, dict):
            key, value = (self.CODES[type(each)] for each in next(iter(given.items())))
            kind = helper.make_map_type_proto(key, helper.make_tensor_type_proto(value, []))
            x = helper.make_value_info("x", kind)
        else:
            x = info("x", [None] * given.ndim)
        built = model([node], [x], outputs)
        context = tenrec.build(built, tune=False).load().create_context()
        return context.run({"x": given})["y"], built

    def test_zip_map(self):
        scores = np.random.default_rng(3).random((4, 3), np.float32)
        for key, labels in (
            (TensorProto.STRING, {"classlabels_strings": ["c", "a", "b"]}),
            (I64, {"classlabels_int64s": [7, -2, 0]}),
        ):
            kind = helper.make_map_type_proto(key, helper.make_tensor_type_proto(F32, []))
            y = helper.make_value_info("y", helper.make_sequence_type_proto(kind))
            for given in (scores, scores[:1], scores[0]):
                found, built = self.run_one("ZipMap", given, [y], **labels)
                session = onnxruntime.InferenceSession(built, providers=["CPUExecutionProvider"])
                self.assertEqual(found, session.run(None, {"x": given})[0])

    def test_dict_vectorizer(self):
        texts, numbers = {"string_vocabulary": ["a", "b", "c"]}, {"int64_vocabulary": [9, 1, 4]}
        for given, vocabulary, wanted in (
            ({"b": 1.5, "d": 2.0}, texts, np.float32([[0, 1.5, 0]])),
            ({"b": np.float64(1.5)}, texts, np.float64([[0, 1.5, 0]])),
            ({"c": 3, "a": -1}, texts, np.int64([[-1, 0, 3]])),
            ({4: "x", 9: "y"}, numbers, np.array([["y", "", "x"]], object)),
            ({4: 1.5}, numbers, np.float32([[0, 0, 1.5]])),
        ):
            with self.subTest(given=given):
                y = info("y", [1, None], self.CODES[type(next(iter(given.values())))])
                found, _ = self.run_one("DictVectorizer", given, [y], **vocabulary)
                self.assertEqual(found.dtype, wanted.dtype)
                np.testing.assert_array_equal(found, wanted)

    def test_cast_map(self):
        for given, to, dense, fill in (
            ({3: 1.5, 0: 2.0}, "TO_FLOAT", np.float32([2, 1.5]), 0),
            ({3: 1.5, 0: 2.0}, "TO_INT64", np.int64([2, 1]), 0),
            ({3: 1.5, 0: 2.0}, "TO_STRING", np.array(["2.0", "1.5"], object), ""),
            ({3: "7", 0: "2"}, "TO_FLOAT", np.float32([2, 7]), 0),
            ({3: "7", 0: "2"}, "TO_INT64", np.int64([2, 7]), 0),
            ({3: "7", 0: "2"}, "TO_STRING", np.array(["2", "7"], object), ""),
        ):
            sparse = np.full(5, fill, dense.dtype)
            sparse[[0, 3]] = dense
            code = {"TO_FLOAT": F32, "TO_INT64": I64, "TO_STRING": TensorProto.STRING}[to]
            for form, wanted in (
                ({"map_form": "DENSE"}, dense),
                ({"map_form": "SPARSE", "max_map": 5}, sparse),
            ):
                with self.subTest(given=given, to=to, **form):
                    y = [info("y", [1, None], code)]
                    found, built = self.run_one("CastMap", given, y, cast_to=to, **form)
                    self.assertEqual(found.dtype, wanted.dtype)
                    np.testing.assert_array_equal(found, wanted[np.newaxis])
                    if isinstance(given[0], float) and fill == 0:
                        session = onnxruntime.InferenceSession(
                            built, providers=["CPUExecutionProvider"]
                        )
                        np.testing.assert_array_equal(found, session.run(None, {"x": given})[0])


class Building(unittest.TestCase):
    def test_files_and_bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.onnx"
            node = helper.make_node("Mul", ["x", "w"], ["y"])
            weight = numpy_helper.from_array(np.array([2, 3], np.float32), "w")
            path.write_bytes(model([node], [info("x", [2])], [info("y", [2])], [weight]))
            result = tenrec.build(path, tune=False, explain=True)
            self.assertIn("mul", result.explain)
            result.save(path.with_suffix(".engine"))
            loaded = tenrec.Engine.load(path.with_suffix(".engine"))
            again = tenrec.Engine.load(loaded.to_bytes(), threads=1)
            for engine in (loaded, again):
                found = engine.create_context().run({"x": np.ones(2, np.float32)})["y"]
                np.testing.assert_array_equal(found, [2, 3])
            self.assertEqual((loaded.target, loaded.name), ("cpu", "test"))
            self.assertGreater(loaded.memory().total, 0)

    def test_profiles(self):
        profile = tenrec.Profile(dims={"x": ((1, 2), (4, 2), (8, 2))})
        x, y = info("x", ["n", 2]), info("y", ["n", 2])
        engine = engine_of([helper.make_node("Relu", ["x"], ["y"])], [x], [y], profiles=[profile])
        [[range]] = engine.profiles
        self.assertEqual((range.min, range.opt, range.max), ([1, 2], [4, 2], [8, 2]))
        context = engine.create_context(profile=0)
        self.assertEqual(context.run({"x": np.ones((8, 2), np.float32)})["y"].shape, (8, 2))
        with self.assertRaises(tenrec.Error) as caught:
            context.run({"x": np.ones((9, 2), np.float32)})
        self.assertEqual(caught.exception.code, tenrec.ErrorCode.INVALID_INPUT)
        self.assertRegex(str(caught.exception), r'"x".*\[9, 2\].*1\.\.8')

    def test_an_attribute_that_nobody_reads_is_said(self):
        node = helper.make_node("Relu", ["x"], ["y"], name="relu", slope=0.5)
        result = tenrec.build(model([node], [info("x", [2])], [info("y", [2])]), tune=False)
        [warning] = result.warnings
        self.assertRegex(warning, r'"relu" \(Relu\).*\'slope\' = 0.5.*opset 21')
        self.assertIn(warning, result.load().notes)

    def test_progress_may_stop_or_raise(self):
        node = helper.make_node("Relu", ["x"], ["y"])
        relu = model([node], [info("x", [2])], [info("y", [2])])
        phases = set()
        tenrec.build(relu, tune=False, progress=lambda phase, *_: phases.add(phase))
        self.assertIn("import", phases)
        with self.assertRaises(tenrec.Error) as caught:
            tenrec.build(relu, progress=lambda *_: False)
        self.assertEqual(caught.exception.code, tenrec.ErrorCode.CANCELLED)
        with self.assertRaises(ZeroDivisionError):
            tenrec.build(relu, progress=lambda *_: 1 // 0)


class Errors(unittest.TestCase):
    def fails(self, code, pattern, call, *arguments, **named):
        with self.assertRaises(tenrec.Error) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.code, code)
        self.assertRegex(str(caught.exception), pattern)

    def test_models(self):
        code = tenrec.ErrorCode
        self.fails(code.IO, "nowhere.onnx", tenrec.build, "nowhere.onnx")
        self.fails(code.INVALID_MODEL, "protobuf|ONNX|graph", tenrec.build, b"\x01\x02\x03")
        node = helper.make_node("Relu", ["x", "x"], ["y"], name="wrong")
        self.fails(
            code.INVALID_MODEL, "wrong", engine_of,
            [node], [info("x", [2])], [info("y", [2])],
        )  # fmt: skip
        self.fails(code.INVALID_ENGINE, "engine", tenrec.Engine.load, b"no engine at all" * 10)
        self.fails(code.USAGE, "f99", counter_with, precision="f99")

    def test_inputs(self):
        context, code = counter().create_context(), tenrec.ErrorCode
        x = np.zeros(2, np.float32)
        self.fails(code.INVALID_INPUT, 'no input "z".*"x"', context.run, {"z": x})
        self.fails(code.INVALID_INPUT, '"x" is f32, got f64', context.run, {"x": np.zeros(2)})
        self.fails(code.INVALID_INPUT, '"state" is not set', context.run, {"x": x})
        self.fails(code.INVALID_INPUT, r"\[n\]", context.run, {"x": np.zeros((2, 2), np.float32)})
        dates = np.zeros(2, "datetime64[s]")
        self.fails(code.INVALID_INPUT, "datetime64", context.run, {"x": dates})

    def test_outputs(self):
        context, code = counter().create_context(), tenrec.ErrorCode
        x = np.zeros(4, np.float32)
        context.set_input("state", x)
        inputs = {"x": x + 1}
        self.fails(code.INVALID_INPUT, 'no output "y"', context.run, inputs, keep=["y"])
        self.fails(code.INVALID_INPUT, "16 bytes", context.run, inputs, out={"total": x[:2].copy()})
        for wrong in (np.zeros(4), np.zeros(8, np.float32)[::2]):
            self.fails(
                code.INVALID_INPUT, "contiguous array of f32", context.run, inputs,
                out={"total": wrong},
            )  # fmt: skip
        kept = context.run(inputs, keep=["total"])["total"]
        context.run()
        self.fails(code.USAGE, "run 2 .* run 3", kept.numpy)
        self.fails(code.USAGE, "run 2 .* run 3", context.set_input, "state", kept)


def counter_with(**options):
    node = helper.make_node("Relu", ["x"], ["y"])
    return engine_of([node], [info("x", [2])], [info("y", [2])], **options)


if __name__ == "__main__":
    unittest.main()
