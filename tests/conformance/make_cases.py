# SPDX-License-Identifier: Apache-2.0
"""Test cases for the operators that ONNX's own set leaves out: `make_cases.py FOLDER`.

Expected outputs come from onnxruntime, or from ONNX's reference evaluator where it is the one that
follows the text; random operators are asked in ways that leave nothing to chance.
"""

import pathlib
import shutil
import sys

import numpy as np
import onnx_case as oc
from onnx import TensorProto, helper

random = np.random.default_rng(20261126)


def floats(*shape, low=-2.0, high=2.0, dtype=np.float32):
    return random.uniform(low, high, shape).astype(dtype)


class Cases:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(
        self,
        name,
        op,
        inputs,
        outputs=1,
        oracle=oc.run_onnxruntime,
        domain="",
        version=None,
        constants=(),
        dynamic=False,
        **attributes,
    ):
        """`oracle`: a function of model and inputs, or the expected outputs themselves."""
        inputs = [x if x is None or isinstance(x, dict) else np.asarray(x) for x in inputs]
        model = oc.single_node(op, inputs, attributes, outputs, domain, version, constants, dynamic)
        try:
            expected = oracle(model, inputs) if callable(oracle) else oracle
        except Exception as error:
            sys.exit(f"{name}: {error}")
        model = oc.with_output_types(model, expected)
        oc.save(self.folder / f"own_{name}", model, inputs, expected)


def random_cases(cases):
    three = np.full((2, 3), 3, np.float32)
    cases.add(
        "random_uniform_no_range",
        "RandomUniform",
        [],
        oracle=[three],
        low=3.0,
        high=3.0,
        shape=[2, 3],
        seed=1.0,
    )
    cases.add(
        "random_uniform_f64",
        "RandomUniform",
        [],
        oracle=[three.astype(np.float64)],
        low=3.0,
        high=3.0,
        shape=[2, 3],
        dtype=11,
    )
    cases.add(
        "random_uniform_like",
        "RandomUniformLike",
        [floats(2, 3)],
        oracle=[three],
        low=3.0,
        high=3.0,
    )
    cases.add(
        "random_uniform_like_f16",
        "RandomUniformLike",
        [floats(2, 3)],
        oracle=[three.astype(np.float16)],
        low=3.0,
        high=3.0,
        dtype=10,
    )
    cases.add(
        "random_normal_no_width",
        "RandomNormal",
        [],
        oracle=[three],
        mean=3.0,
        scale=0.0,
        shape=[2, 3],
    )
    cases.add(
        "random_normal_like",
        "RandomNormalLike",
        [floats(2, 3)],
        oracle=[three],
        mean=3.0,
        scale=0.0,
    )
    certain = np.array([[0, 1, 1], [1, 0, 0]], np.float32)
    cases.add("bernoulli_certain", "Bernoulli", [certain], oracle=[certain])
    cases.add("bernoulli_certain_bool", "Bernoulli", [certain], oracle=[certain != 0], dtype=9)
    logs = np.array([[-1e4, 0, -1e4], [0, -1e4, -1e4]], np.float32)
    chosen = np.array([[1] * 4, [0] * 4])
    cases.add(
        "multinomial_certain",
        "Multinomial",
        [logs],
        oracle=[chosen.astype(np.int32)],
        sample_size=4,
    )
    cases.add(
        "multinomial_certain_i64", "Multinomial", [logs], oracle=[chosen], sample_size=4, dtype=7
    )
    x = floats(2, 5)
    for ratio in (0.0, 1.0):
        kept = np.full(x.shape, ratio == 0)
        cases.add(
            f"dropout_training_{int(ratio)}",
            "Dropout",
            [x, np.float32(ratio), np.bool_(True)],
            outputs=2,
            oracle=[np.where(kept, x, 0).astype(np.float32), kept],
        )
    cases.add(
        "dropout_training_off",
        "Dropout",
        [x, np.float32(0.5), np.bool_(False)],
        outputs=2,
        oracle=[x, np.full(x.shape, True)],
    )


def pool_cases(cases):
    x = floats(2, 3, 5, 7)
    for p in (1, 2, 3):
        cases.add(f"global_lp_pool_p{p}", "GlobalLpPool", [x], p=p)
        cases.add(
            f"lp_pool_p{p}",
            "LpPool",
            [x],
            p=p,
            kernel_shape=[3, 2],
            strides=[2, 1],
            pads=[1, 0, 1, 1],
            version=18,
        )
    rois = np.array([[0, 1, 1, 5, 4], [1, 0, 0, 6, 3], [0, 2, 0, 2, 0]], np.float32)
    cases.add("max_roi_pool", "MaxRoiPool", [x, rois], pooled_shape=[2, 3])
    cases.add(
        "max_roi_pool_scaled", "MaxRoiPool", [x, rois], pooled_shape=[2, 2], spatial_scale=0.5
    )
    even = x[:, :, :4, :6]
    pooled, places = oc.run_onnxruntime(
        oc.single_node("MaxPool", [even], {"kernel_shape": [2, 2], "strides": [2, 2]}, 2), [even]
    )
    for wanted in (None, np.array([2, 3, 5, 7]), np.array([2, 3, 4, 6])):
        name = "" if wanted is None else f"_{wanted[2]}x{wanted[3]}"
        cases.add(
            f"max_unpool{name}",
            "MaxUnpool",
            [pooled, places, wanted],
            oracle=oc.run_reference,
            kernel_shape=[2, 2],
            strides=[2, 2],
        )


def squeeze_cases(cases):
    """Sizes that only running tells decide how many axes are left."""
    for shape in ((2, 3, 4), (1, 3, 4), (2, 1, 4), (1, 3, 1), (1, 1, 1), (0, 1, 1)):
        name = "x".join(map(str, shape))
        cases.add(f"squeeze_open_{name}", "Squeeze", [floats(*shape)], dynamic=True)


def scan_cases(cases):
    """Of opset 8: a batch of sequences, some of which end early."""

    def pair(name):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])

    body = helper.make_graph(
        [
            helper.make_node("Add", ["sum", "x"], ["next"]),
            helper.make_node("Mul", ["next", "z"], ["row"]),
        ],
        "body",
        [pair("sum"), pair("x"), pair("z")],
        [pair("next"), pair("row")],
    )
    inputs = [floats(3, 2), floats(3, 4, 2), floats(3, 4, 2)]
    for name, lengths in (("all", None), ("some", [4, 1, 2])):
        for directions in ([0, 0], [1, 0]):
            cases.add(
                f"scan_8_{name}_{directions[0]}",
                "Scan",
                [lengths if lengths is None else np.array(lengths), *inputs],
                outputs=2,
                version=8,
                body=body,
                num_scan_inputs=2,
                directions=directions,
            )


def loop_of_4_bits(cases):
    """Carries four numbers of 4 bits and collects them, two bytes an iteration."""
    import ml_dtypes

    four = [
        helper.make_tensor_value_info(name, TensorProto.INT4, [4]) for name in ("x", "next", "row")
    ]
    count = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    go_on = [helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("c", "d")]
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["c"], ["d"]),
            helper.make_node("Cast", ["x"], ["wide"], to=TensorProto.FLOAT),
            helper.make_node("Neg", ["wide"], ["negative"]),
            helper.make_node("Cast", ["negative"], ["next"], to=TensorProto.INT4),
            helper.make_node("Identity", ["next"], ["row"]),
        ],
        "body",
        [count, go_on[0], four[0]],
        [go_on[1], *four[1:]],
    )
    x = np.array([1, -2, 3, 7])
    rows = np.stack([-x, x, -x]).astype(ml_dtypes.int4)
    inputs = [np.array(3), None, x.astype(ml_dtypes.int4)]
    cases.add("loop_i4", "Loop", inputs, outputs=2, oracle=[rows[2], rows], body=body)


def quantised_cases(cases):
    def codes(*shape, dtype=np.uint8):
        info = np.iinfo(dtype)
        return random.integers(info.min, info.max + 1, shape).astype(dtype)

    for dtype in (np.uint8, np.int8):
        tag = np.dtype(dtype).name
        x, w = codes(1, 4, 6, 6, dtype=dtype), codes(6, 2, 3, 3, dtype=dtype)
        zero = codes(dtype=dtype)
        cases.add(
            f"qlinear_conv_{tag}",
            "QLinearConv",
            [
                x,
                np.float32(0.0213),
                zero,
                w,
                np.float32(0.0117),
                dtype(3),
                np.float32(0.0531),
                dtype(10),
                codes(6, dtype=np.int8).astype(np.int32),
            ],
            group=2,
            pads=[1, 1, 1, 1],
            strides=[2, 1],
        )
        a, b = codes(2, 3, 4, dtype=dtype), codes(4, 5, dtype=dtype)
        cases.add(
            f"qlinear_matmul_{tag}",
            "QLinearMatMul",
            [
                a,
                np.float32(0.0213),
                zero,
                b,
                np.float32(0.0117),
                dtype(3),
                np.float32(0.0531),
                dtype(10),
            ],
        )
        s1, s2, s3 = np.float32(0.0213), np.float32(0.0319), np.float32(0.0531)
        p, q = codes(2, 3, 4, dtype=dtype), codes(3, 4, dtype=dtype)
        ms = {"domain": oc.MS}
        cases.add(
            f"qlinear_add_{tag}", "QLinearAdd", [p, s1, zero, q, s2, dtype(3), s3, dtype(9)], **ms
        )
        cases.add(
            f"qlinear_mul_{tag}", "QLinearMul", [p, s1, zero, q, s2, dtype(3), s3, dtype(9)], **ms
        )
        cases.add(
            f"qlinear_sigmoid_{tag}",
            "QLinearSigmoid",
            [p, s1, zero, s3, dtype(9)],
            constants=(1, 2, 3, 4),
            **ms,
        )
        cases.add(
            f"qlinear_leaky_relu_{tag}",
            "QLinearLeakyRelu",
            [p, s1, zero, s3, dtype(9)],
            alpha=0.2,
            constants=(1, 2, 3, 4),
            **ms,
        )
        cases.add(
            f"qlinear_softmax_{tag}",
            "QLinearSoftmax",
            [p, s1, zero, np.float32(1 / 256), dtype(0)],
            axis=-1,
            opset=13,
            constants=(1, 2, 3, 4),
            **ms,
        )
        cases.add(
            f"qlinear_concat_{tag}",
            "QLinearConcat",
            [s3, dtype(9), p, s1, zero, p, s2, dtype(1)],
            axis=1,
            constants=(0, 1, 3, 4, 6, 7),
            **ms,
        )
        image = codes(1, 3, 5, 6, dtype=dtype)
        cases.add(
            f"qlinear_average_pool_{tag}",
            "QLinearAveragePool",
            [image, s1, zero, s3, dtype(9)],
            kernel_shape=[2, 3],
            pads=[1, 1, 0, 1],
            **ms,
        )
        cases.add(
            f"qlinear_global_average_pool_{tag}",
            "QLinearGlobalAveragePool",
            [image, s1, zero, s3, dtype(9)],
            channels_last=0,
            **ms,
        )
        cases.add(
            f"qgemm_{tag}",
            "QGemm",
            [
                a[0],
                s1,
                zero,
                b.T.copy(),
                s2,
                dtype(3),
                codes(5, dtype=np.int8).astype(np.int32),
                s3,
                dtype(9),
            ],
            transB=1,
            **ms,
        )
        cases.add(f"ms_quantize_{tag}", "QuantizeLinear", [floats(3, 4), s2, dtype(9)], **ms)
        cases.add(f"ms_dequantize_{tag}", "DequantizeLinear", [p, s2, dtype(9)], **ms)
    # Small weights: without VNNI onnxruntime's u8 x s8 products saturate at 16 bits.
    a, b = floats(3, 8), codes(8, 5, dtype=np.int8) // 4
    cases.add(
        "dynamic_quantize_matmul",
        "DynamicQuantizeMatMul",
        [a, b, floats(5, low=0.01, high=0.1), None, floats(5)],
        domain=oc.MS,
    )
    cases.add(
        "matmul_integer_to_float",
        "MatMulIntegerToFloat",
        [
            codes(3, 8),
            b,
            np.float32(0.0531),
            np.float32(0.0213),
            np.uint8(7),
            np.int8(0),
            floats(5),
        ],
        domain=oc.MS,
    )


def float8_cases(cases):
    """Neither onnxruntime nor the evaluator multiplies float8; the numbers are exact."""
    import ml_dtypes

    f8 = ml_dtypes.float8_e4m3fn
    a = np.array([[0.5, 1.5, -0.25], [2.5, 0.75, 1.25]])
    b = np.array([[0.5, 1], [0.25, -1.5], [3, 0.125]])
    half, zero = np.float32(0.5), f8(0)
    inputs = [a.astype(f8), half, zero, b.astype(f8), half, f8(0.5), np.float32(0.25), zero]
    product = (a @ (b - 0.5)).astype(f8)
    cases.add("qlinear_matmul_f8", "QLinearMatMul", inputs, oracle=[product])


def bfloat16_cases(cases):
    import ml_dtypes

    bf16 = ml_dtypes.bfloat16
    a, b = floats(2, 3, dtype=bf16), floats(2, 3, dtype=bf16)
    reference = {"oracle": oc.run_reference}
    for op in ("Add", "Sub", "Mul", "Max", "Min"):
        cases.add(f"bf16_{op.lower()}", op, [a, b], **reference)
    for op in ("Neg", "Abs", "Relu", "Identity"):
        cases.add(f"bf16_{op.lower()}", op, [a], **reference)
    cases.add("bf16_transpose", "Transpose", [a], perm=[1, 0], **reference)
    cases.add("bf16_reshape", "Reshape", [a, np.array([3, 2])], **reference)
    cases.add("bf16_concat", "Concat", [a, b], axis=1, **reference)
    cases.add("bf16_gather", "Gather", [a, np.array([1, 0, 1])], **reference)
    cases.add("bf16_where", "Where", [np.array([[True, False, True]]), a, b], **reference)
    cases.add("bf16_to_f32", "Cast", [a], to=1, **reference)
    cases.add("bf16_equal", "Equal", [a, b], **reference)


def cast_cases(cases):
    texts = np.array(["1.5", " -2", "1e3", "NaN", "inf", "-INF", "+7"], dtype=object)
    values = np.array([1.5, -2, 1e3, np.nan, np.inf, -np.inf, 7], np.float32)
    cases.add("cast_string_to_f32", "Cast", [texts], oracle=[values], to=1)
    whole = np.array(["1", "-9223372036854775808", "+3"], dtype=object)
    cases.add("cast_string_to_i64", "Cast", [whole], oracle=[np.array([1, -(2**63), 3])], to=7)
    cases.add(
        "cast_i32_to_string",
        "Cast",
        [np.array([1, -5], np.int32)],
        oracle=[np.array(["1", "-5"], dtype=object)],
        to=8,
    )
    cases.add(
        "cast_f32_to_string",
        "Cast",
        [np.array([0.25, -3.5], np.float32)],
        oracle=[np.array(["0.25", "-3.5"], dtype=object)],
        to=8,
    )


def main():
    cases = Cases(sys.argv[1])
    import make_contrib_cases
    import make_ml_cases

    for make in (
        random_cases,
        pool_cases,
        quantised_cases,
        bfloat16_cases,
        float8_cases,
        cast_cases,
    ):
        make(cases)
    make_ml_cases.make(cases)
    make_contrib_cases.make(cases)
    squeeze_cases(cases)
    scan_cases(cases)
    loop_of_4_bits(cases)


if __name__ == "__main__":
    main()
