#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the golden tests of tests/ops: the inputs that tests/common/golden.h makes, results from
onnxruntime (or onnx's reference evaluator). Run with numpy, onnx and onnxruntime installed:
    python3 tests/ops/make_golden.py
"""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

HERE = os.path.dirname(os.path.abspath(__file__))
DTYPES = {
    "f32": np.float32,
    "f64": np.float64,
    "f16": np.float16,
    "i64": np.int64,
    "i32": np.int32,
    "u8": np.uint8,
    "i8": np.int8,
    "boolean": np.bool_,
}


def pattern(dtype, dims, seed, low=-1, high=1):
    """What tests/common/golden.h's pattern gives."""
    step = (7919 * np.arange(int(np.prod(dims)), dtype=np.int64) + 104729 * seed + 13) % 2003
    values = low + (high - low) * step.astype(np.float64) / 2002
    if not dtype.startswith("f"):
        values = np.floor(values)
    return values.astype(DTYPES[dtype]).reshape(dims)


def braces(values):
    return "{" + ", ".join(str(v) for v in values) + "}"


class P:
    """A pattern input."""

    def __init__(self, dims, seed=1, low=-1, high=1, dtype="f32"):
        self.array = pattern(dtype, dims, seed, low, high)
        extra = "" if (low, high) == (-1, 1) else f", {low}, {high}"
        self.text = f"pattern(DType::{dtype}, {braces(dims)}, {seed}{extra})"


class L:
    """A literal input."""

    def __init__(self, values, dtype="f32"):
        self.array = np.array(values, DTYPES[dtype])
        cpp = {
            "f32": "float",
            "i64": "int64_t",
            "i32": "int32_t",
            "u8": "uint8_t",
            "i8": "int8_t",
            "boolean": "bool",
        }[dtype]
        flat = [number(v) if dtype == "f32" else str(int(v)) for v in self.array.flatten()]
        self.text = f"Tensor::of<{cpp}>({braces(self.array.shape)}, {braces(flat)})"


class Omitted:
    array = None
    text = "Tensor()"


def number(value):
    value = float(value)
    if np.isnan(value):
        return "NAN"
    if np.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    return repr(float(f"{value:.8g}"))


FILES = {}


def case(
    file,
    name,
    cpp,
    op,
    inputs,
    attributes=None,
    outputs=1,
    opset=18,
    engine="ort",
    tolerance=None,
    domain="",
):
    FILES.setdefault(file, []).append(
        (name, cpp, op, inputs, attributes or {}, outputs, opset, engine, tolerance, domain)
    )


def evaluate(op, inputs, attributes, outputs, opset, engine, domain):
    if callable(engine):
        result = engine(*[i.array for i in inputs])
        return list(result) if isinstance(result, (tuple, list)) else [result]
    names, infos, feed = [], [], {}
    for i, given in enumerate(inputs):
        if given.array is None:
            names.append("")
            continue
        names.append(f"x{i}")
        infos.append(
            helper.make_tensor_value_info(
                f"x{i}", helper.np_dtype_to_tensor_dtype(given.array.dtype), given.array.shape
            )
        )
        feed[f"x{i}"] = given.array
    node = helper.make_node(
        op, names, [f"y{i}" for i in range(outputs)], domain=domain, **attributes
    )
    infos_out = [helper.make_empty_tensor_value_info(f"y{i}") for i in range(outputs)]
    graph = helper.make_graph([node], "g", infos, infos_out)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    if engine == "reference":
        return ReferenceEvaluator(model).run(None, feed)
    import onnxruntime

    model = onnx.shape_inference.infer_shapes(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feed)


def write(file, headers):
    lines = [
        "// SPDX-License-Identifier: Apache-2.0",
        "// Written by tests/ops/make_golden.py; the numbers come from outside.",
    ]
    lines += [f'#include "{h}"' for h in headers]
    lines += [
        "",
        '#include "common/golden.h"',
        "",
        "namespace tenrec {",
        "namespace {",
        "",
        "using testing::expect_close;",
        "using testing::pattern;",
        "using testing::run;",
    ]
    suite = "".join(part.capitalize() for part in file.split("_")) + "Golden"
    for name, cpp, op, inputs, attributes, outputs, opset, engine, tolerance, domain in FILES[file]:
        try:
            results = evaluate(op, inputs, attributes, outputs, opset, engine, domain)
        except Exception as error:
            raise SystemExit(f"{file}.{name}: {error}")
        lines += ["", f"TEST({suite}, {name}) {{"]
        lines += [
            f"  const Tensors out = run({cpp},",
            "                          {"
            + ",\n                           ".join(i.text for i in inputs)
            + "});",
            f"  ASSERT_GE(out.size(), {len(results)}U);",
        ]
        for i, result in enumerate(results):
            result = np.asarray(result)
            numbers = [number(v) for v in result.astype(np.float64).flatten()]
            assert len(numbers) <= 200, (file, name, len(numbers))
            text, line = [], "      "
            for n in numbers:
                if len(line) + len(n) > 97:
                    text.append(line.rstrip())
                    line = "      "
                line += n + ", "
            text.append(line.rstrip().rstrip(","))
            extra = f", {tolerance}" if tolerance is not None else ""
            lines += (
                [f"  expect_close(out[{i}], {braces(result.shape)}, {{"] + text + [f"  }}{extra});"]
            )
        lines += ["}"]
    lines += ["", "}  // namespace", "}  // namespace tenrec", ""]
    with open(os.path.join(HERE, f"{file}_test.cpp"), "w") as out:
        out.write("\n".join(lines))
    print(f"{file}: {len(FILES[file])} cases")


exec(open(os.path.join(HERE, "golden_cases.py")).read())
for file, headers in HEADERS.items():
    write(file, headers)
