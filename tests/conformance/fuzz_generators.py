# SPDX-License-Identifier: Apache-2.0
"""Random cases of single operators, one generator a family: generator(random) -> spec.

A spec is what onnx_case.single_node takes: op, inputs, attributes, and where needed outputs,
version and constants.
"""

import numpy as np

FLOATS = (np.float32, np.float64)
INTS = (np.int32, np.int64)


def pick(random, values):
    return values[random.integers(len(values))]


def chance(random, p=0.5):
    return bool(random.random() < p)


def size(random, zero=0.04):
    return 0 if chance(random, zero) else int(random.integers(1, 6))


def shape(random, low=0, high=4, zero=0.04):
    return [size(random, zero) for _ in range(random.integers(low, high + 1))]


def array(random, dims, dtype=np.float32, low=-3, high=3):
    dtype = np.dtype(dtype)
    if dtype == np.bool_:
        return random.random(dims) < 0.5
    if dtype.kind in "iu":
        if dtype.kind == "u":
            low = max(low, 0)
        return random.integers(low, high + 1, dims).astype(dtype)
    return np.asarray(random.uniform(low, high, dims)).astype(dtype)


def axis_of(random, rank):
    axis = int(random.integers(rank))
    return axis - rank if chance(random) else axis


def broadcastable(random, dims):
    """A shape that broadcasts with `dims`."""
    other = [1 if chance(random, 0.3) else n for n in dims]
    return other[random.integers(len(other) + 1) :] if chance(random, 0.4) else other


def spec(op, inputs, attributes=None, **rest):
    attributes = {k: v for k, v in (attributes or {}).items() if v is not None}
    return {"op": op, "inputs": list(inputs), "attributes": attributes, **rest}


def unary(random):
    op = pick(
        random,
        [
            "Abs",
            "Neg",
            "Sign",
            "Exp",
            "Sqrt",
            "Erf",
            "Sin",
            "Cos",
            "Tan",
            "Atan",
            "Tanh",
            "Sigmoid",
            "Relu",
            "Floor",
            "Ceil",
            "Round",
            "Reciprocal",
            "Softplus",
            "Softsign",
            "Identity",
            "Asinh",
            "Sinh",
            "Cosh",
            "HardSwish",
            "Mish",
            "IsNaN",
        ],
    )
    dtype = np.float32
    if op in ("Abs", "Neg", "Sign", "Relu") and chance(random, 0.3):
        dtype = pick(random, INTS + (np.int8,))
    low = 0 if op == "Sqrt" else -3
    return spec(op, [array(random, shape(random), dtype, low)])


def parametrised(random):
    op, names = pick(
        random,
        [
            ("LeakyRelu", ["alpha"]),
            ("Elu", ["alpha"]),
            ("Celu", ["alpha"]),
            ("ThresholdedRelu", ["alpha"]),
            ("HardSigmoid", ["alpha", "beta"]),
            ("Selu", ["alpha", "gamma"]),
            ("Shrink", ["bias", "lambd"]),
        ],
    )
    low = 0.1 if op == "Celu" else -0.5
    values = {n: float(random.uniform(low, 2)) for n in names if chance(random, 0.7)}
    return spec(op, [array(random, shape(random))], values)


def binary(random):
    op = pick(
        random,
        [
            "Add",
            "Sub",
            "Mul",
            "Div",
            "Max",
            "Min",
            "Pow",
            "Mod",
            "Equal",
            "Less",
            "Greater",
            "LessOrEqual",
            "GreaterOrEqual",
            "PRelu",
        ],
    )
    dtype = pick(random, FLOATS + INTS)
    if op == "PRelu":
        dtype = np.float32
    attributes = {}
    if op == "Mod":
        attributes["fmod"] = int(np.dtype(dtype).kind == "f" or chance(random))
    dims = shape(random)
    a, b = array(random, dims, dtype), array(random, broadcastable(random, dims), dtype)
    if op in ("Div", "Mod"):
        b = np.where(b == 0, 1, b).astype(dtype)
    if op == "Pow":
        a, b = np.abs(a).astype(dtype), np.abs(b).astype(dtype)
    if op != "PRelu" and chance(random):
        a, b = b, a
        if op in ("Div", "Mod"):
            b = np.where(b == 0, 1, b).astype(dtype)
    return spec(op, [a, b], attributes)


def logical(random):
    dims = shape(random)
    other = broadcastable(random, dims)
    op = pick(
        random,
        [
            "And",
            "Or",
            "Xor",
            "BitwiseAnd",
            "BitwiseOr",
            "BitwiseXor",
            "BitShift",
            "Not",
            "BitwiseNot",
        ],
    )
    if op in ("Not", "And", "Or", "Xor"):
        values = [array(random, d, np.bool_) for d in (dims, other)]
    elif op == "BitShift":
        dtype = pick(random, (np.uint8, np.uint32, np.uint64))
        values = [array(random, dims, dtype, 0, 200), array(random, other, dtype, 0, 7)]
        return spec(op, values, {"direction": pick(random, ["LEFT", "RIGHT"])})
    else:
        dtype = pick(random, (np.int32, np.int64, np.uint8, np.int8))
        values = [array(random, d, dtype, -100, 100) for d in (dims, other)]
    return spec(op, values[:1] if op in ("Not", "BitwiseNot") else values)


def where(random):
    dims = shape(random)
    dtype = pick(random, (np.float32, np.int64, np.uint8))
    return spec(
        "Where",
        [
            array(random, broadcastable(random, dims), np.bool_),
            array(random, dims, dtype),
            array(random, broadcastable(random, dims), dtype),
        ],
    )


def clip(random):
    dtype = pick(random, (np.float32, np.float64, np.int64, np.int8, np.uint8))
    low, high = sorted(int(v) for v in random.integers(0, 4, 2))
    bounds = [
        np.dtype(dtype).type(low) if chance(random, 0.7) else None,
        np.dtype(dtype).type(high) if chance(random, 0.7) else None,
    ]
    return spec("Clip", [array(random, shape(random), dtype), *bounds])


def cast(random):
    types = {
        np.float32: 1,
        np.float64: 11,
        np.float16: 10,
        np.int8: 3,
        np.uint8: 2,
        np.int16: 5,
        np.int32: 6,
        np.int64: 7,
        np.bool_: 9,
        np.uint32: 12,
    }
    source, target = pick(random, list(types)), pick(random, list(types))
    low = 0 if np.dtype(target).kind == "u" else -3
    return spec("Cast", [array(random, shape(random), source, low)], {"to": types[target]})


def reduction(random):
    op = pick(
        random,
        [
            "ReduceSum",
            "ReduceMean",
            "ReduceMax",
            "ReduceMin",
            "ReduceProd",
            "ReduceL1",
            "ReduceL2",
            "ReduceLogSum",
            "ReduceLogSumExp",
            "ReduceSumSquare",
        ],
    )
    dtype = np.float32 if chance(random, 0.7) else pick(random, INTS)
    zero = 0.0 if op in ("ReduceMax", "ReduceMin", "ReduceMean") else 0.04
    x = array(random, shape(random, 1, 4, zero), dtype)
    if op == "ReduceLogSum":
        x = np.abs(x) + np.dtype(dtype).type(1)
    axes = None
    if chance(random, 0.8):
        chosen = random.permutation(x.ndim)[: random.integers(x.ndim + 1)]
        axes = np.array([int(a) - x.ndim if chance(random) else int(a) for a in chosen], np.int64)
    return spec(
        op,
        [x, axes],
        {"keepdims": int(chance(random)), "noop_with_empty_axes": int(chance(random, 0.3))},
        version=18,
    )


def arg_reduction(random):
    x = array(random, shape(random, 1, 4, 0), pick(random, (np.float32, np.int32)))
    return spec(
        pick(random, ["ArgMax", "ArgMin"]),
        [x],
        {
            "axis": axis_of(random, x.ndim),
            "keepdims": int(chance(random)),
            "select_last_index": int(chance(random)),
        },
    )


def top_k(random):
    x = array(random, shape(random, 1, 3, 0))
    axis = axis_of(random, x.ndim)
    k = int(random.integers(0, x.shape[axis] + 1))
    return spec(
        "TopK", [x, np.array([k])], {"axis": axis, "largest": int(chance(random))}, outputs=2
    )


def cumulative(random):
    x = array(random, shape(random, 1, 4), pick(random, FLOATS + INTS))
    return spec(
        "CumSum",
        [x, np.array(axis_of(random, x.ndim))],
        {"exclusive": int(chance(random)), "reverse": int(chance(random))},
    )


def moves(random):
    x = array(random, shape(random, 1, 4), pick(random, (np.float32, np.int64, np.uint8, np.bool_)))
    rank = x.ndim
    op = pick(
        random,
        [
            "Transpose",
            "Flatten",
            "Unsqueeze",
            "Squeeze",
            "Tile",
            "Expand",
            "Reshape",
            "Trilu",
            "Shape",
            "Size",
        ],
    )
    if op == "Transpose":
        perm = [int(p) for p in random.permutation(rank)]
        return spec(op, [x], {"perm": perm if chance(random, 0.8) else None})
    if op == "Flatten":
        return spec(op, [x], {"axis": int(random.integers(-rank, rank + 1))})
    if op == "Unsqueeze":
        count = int(random.integers(1, 3))
        axes = random.permutation(rank + count)[:count]
        return spec(op, [x, axes - (rank + count) * random.integers(0, 2, count)])
    if op == "Squeeze":
        ones = [i for i, n in enumerate(x.shape) if n == 1]
        axes = np.array(ones, np.int64) if ones and chance(random) else None
        return spec(op, [x, axes])
    if op == "Tile":
        return spec(op, [x, random.integers(0, 4, rank)])
    if op == "Expand":
        wanted = [n if n != 1 or chance(random) else int(random.integers(1, 4)) for n in x.shape]
        return spec(op, [x, np.array([2] * int(chance(random)) + wanted, np.int64)])
    if op == "Reshape":
        wanted = [int(n) for n in random.permutation(x.shape)]
        if wanted and chance(random) and 0 not in wanted:
            wanted[random.integers(len(wanted))] = -1
        return spec(op, [x, np.array(wanted, np.int64)])
    if op == "Trilu":
        k = np.array(random.integers(-3, 4)) if chance(random) else None
        return spec(
            op,
            [x.reshape(x.shape if rank > 1 else (1, *x.shape)), k],
            {"upper": int(chance(random))},
        )
    if op == "Shape":
        return spec(
            op,
            [x],
            {
                "start": int(random.integers(-rank - 1, rank + 1)),
                "end": int(random.integers(-rank, rank + 2)),
            },
        )
    return spec(op, [x])


def concat(random):
    dims = shape(random, 1, 4)
    axis = axis_of(random, len(dims))
    dtype = pick(random, (np.float32, np.int64, np.bool_))
    parts = []
    for _ in range(random.integers(1, 4)):
        own = list(dims)
        own[axis] = size(random)
        parts.append(array(random, own, dtype))
    return spec("Concat", parts, {"axis": axis})


def split(random):
    x = array(random, shape(random, 1, 4))
    axis = axis_of(random, x.ndim)
    count = int(random.integers(1, 4))
    if chance(random):
        return spec("Split", [x], {"axis": axis, "num_outputs": count}, outputs=count, version=18)
    cuts = np.sort(random.integers(0, x.shape[axis] + 1, count - 1))
    sizes = np.diff(np.concatenate([[0], cuts, [x.shape[axis]]])).astype(np.int64)
    return spec("Split", [x, sizes], {"axis": axis}, outputs=count)


def slices(random):
    x = array(random, shape(random, 1, 4), pick(random, (np.float32, np.int32)))
    axes = random.permutation(x.ndim)[: random.integers(1, x.ndim + 1)]
    starts, ends = random.integers(-7, 8, len(axes)), random.integers(-7, 8, len(axes))
    steps = random.choice([-3, -2, -1, 1, 2, 3], len(axes))
    far = np.iinfo(np.int64).max
    ends = np.where(random.random(len(axes)) < 0.2, np.where(steps > 0, far, -far), ends)
    axes = np.where(random.random(len(axes)) < 0.5, axes - x.ndim, axes)
    return spec("Slice", [x, starts, ends, axes, steps if chance(random, 0.8) else None])


def pad(random):
    mode = pick(random, ["constant", "reflect", "edge", "wrap"])
    x = array(random, shape(random, 1, 4, 0), pick(random, (np.float32, np.int64)))
    low = -1 if mode == "constant" else 0
    pads = np.array([random.integers(low, max(1, n)) for n in x.shape * 2], np.int64)
    value = array(random, [], x.dtype) if mode == "constant" and chance(random) else None
    return spec("Pad", [x, pads, value], {"mode": mode})


def gathers(random):
    x = array(random, shape(random, 1, 4, 0), pick(random, (np.float32, np.int64, np.bool_)))
    axis = axis_of(random, x.ndim)
    n = x.shape[axis]
    op = pick(random, ["Gather", "GatherElements", "GatherND"])
    if op == "Gather":
        return spec(op, [x, random.integers(-n, n, shape(random, 0, 2))], {"axis": axis})
    if op == "GatherElements":
        dims = [int(random.integers(1, d + 1)) for d in x.shape]
        dims[axis] = size(random)
        return spec(op, [x, random.integers(-n, n, dims)], {"axis": axis})
    batch = int(random.integers(0, x.ndim))
    last = int(random.integers(1, x.ndim - batch + 1))
    dims = list(x.shape[:batch]) + shape(random, 0, 2) + [last]
    limits = np.array(x.shape[batch : batch + last])
    return spec(op, [x, random.integers(-limits, limits, dims)], {"batch_dims": batch})


def scatters(random):
    x = array(random, shape(random, 1, 3, 0))
    reduction = pick(random, ["none", "add", "mul", "min", "max"])
    if chance(random):
        axis = axis_of(random, x.ndim)
        dims = [int(random.integers(1, d + 1)) for d in x.shape]
        n = x.shape[axis]
        indices = random.integers(-n, n, dims)
        if reduction == "none":  # which of two writes wins is open
            order = np.argsort(random.random(dims), axis)
            indices = order - n * random.integers(0, 2, dims) if n >= dims[axis] else order
        return spec(
            "ScatterElements",
            [x, indices, array(random, dims)],
            {"axis": axis, "reduction": reduction},
            version=18,
        )
    last = int(random.integers(1, x.ndim + 1))
    places = [np.array(p) for p in np.ndindex(*x.shape[:last])]
    count = int(random.integers(1, len(places) + 1))
    indices = np.array([places[i] for i in random.permutation(len(places))[:count]], np.int64)
    return spec(
        "ScatterND",
        [x, indices, array(random, [count, *x.shape[last:]])],
        {"reduction": reduction},
        version=18,
    )


def one_hot(random):
    indices = random.integers(-6, 6, shape(random, 1, 3))
    return spec(
        "OneHot",
        [indices, np.array(random.integers(1, 6)), array(random, [2])],
        {"axis": int(random.integers(-indices.ndim - 1, indices.ndim + 1))},
    )


def blocks(random):
    b = int(random.integers(1, 4))
    n, c, h, w = (int(random.integers(1, 4)) for _ in range(4))
    if chance(random):
        return spec("SpaceToDepth", [array(random, [n, c, h * b, w * b])], {"blocksize": b})
    return spec(
        "DepthToSpace",
        [array(random, [n, c * b * b, h, w])],
        {"blocksize": b, "mode": pick(random, ["DCR", "CRD"])},
    )


def window(random, rank, kernel, dilations=True):
    result = {"strides": [int(v) for v in random.integers(1, 4, rank)] if chance(random) else None}
    if dilations and chance(random, 0.4):
        result["dilations"] = [int(v) for v in random.integers(1, 3, rank)]
    kind = pick(random, ["none", "pads", "SAME_UPPER", "SAME_LOWER", "VALID"])
    if kind == "pads":
        result["pads"] = [int(random.integers(0, k)) for k in kernel] * 2
    elif kind != "none":
        result["auto_pad"] = kind
    return result


def convolution(random):
    rank = int(random.integers(1, 4))
    group = int(random.integers(1, 4))
    kernel = [int(v) for v in random.integers(1, 4, rank)]
    spatial = [int(k + v) for k, v in zip(kernel, random.integers(2, 7, rank))]
    ins, outs = group * int(random.integers(1, 4)), group * int(random.integers(1, 4))
    x = array(random, [int(random.integers(1, 3)), ins, *spatial], low=-1, high=1)
    bias = array(random, [outs]) if chance(random) else None
    attributes = {"group": group, **window(random, rank, kernel)}
    if chance(random, 0.7):
        w = array(random, [outs, ins // group, *kernel], low=-1, high=1)
        return spec("Conv", [x, w, bias], attributes, constants=(1,) if chance(random) else ())
    w = array(random, [ins, outs // group, *kernel], low=-1, high=1)
    if chance(random) and attributes.get("strides"):
        attributes["output_padding"] = [int(random.integers(s)) for s in attributes["strides"]]
    return spec("ConvTranspose", [x, w, bias], attributes)


def pooling(random):
    rank = int(random.integers(1, 4))
    kernel = [int(v) for v in random.integers(1, 4, rank)]
    spatial = [int(k + v) for k, v in zip(kernel, random.integers(0, 6, rank))]
    x = array(random, [int(random.integers(1, 3)), int(random.integers(1, 4)), *spatial])
    op = pick(random, ["MaxPool", "AveragePool", "LpPool"])
    attributes = {"kernel_shape": kernel, **window(random, rank, kernel, op == "MaxPool")}
    attributes["ceil_mode"] = int(chance(random, 0.3))
    if op == "AveragePool":
        attributes["count_include_pad"] = int(chance(random))
    if op == "LpPool":
        attributes["p"] = int(random.integers(1, 4))
    return spec(
        op,
        [x],
        attributes,
        version=18 if op == "LpPool" else 12 if op == "MaxPool" else 19,
        outputs=2 if op == "MaxPool" and chance(random, 0.3) else 1,
    )


def global_pool(random):
    x = array(random, [1, *shape(random, 2, 4, 0)])
    return spec(pick(random, ["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"]), [x])


def products(random):
    m, k, n = (int(random.integers(1, 7)) for _ in range(3))
    if chance(random):
        batch = shape(random, 0, 2)
        a = array(random, [*batch, m, k])
        b = array(random, [*broadcastable(random, batch), k, n])
        if chance(random, 0.1):
            a = array(random, [k])
        if chance(random, 0.1):
            b = array(random, [k])
        return spec("MatMul", [a, b])
    ta, tb = int(chance(random)), int(chance(random))
    c = array(random, pick(random, [[], [n], [1, n], [m, 1], [m, n]])) if chance(random) else None
    return spec(
        "Gemm",
        [array(random, [k, m] if ta else [m, k]), array(random, [n, k] if tb else [k, n]), c],
        {
            "transA": ta,
            "transB": tb,
            "alpha": float(random.uniform(0.1, 2)),
            "beta": float(random.uniform(0.1, 2)),
        },
    )


def softmaxes(random):
    x = array(random, shape(random, 1, 4))
    return spec(
        pick(random, ["Softmax", "LogSoftmax", "Hardmax"]),
        [x],
        {"axis": axis_of(random, x.ndim)},
        version=pick(random, [11, 13]),
    )


def normalisations(random):
    n, c = int(random.integers(1, 3)), int(random.integers(1, 5))
    x = array(random, [n, c, *shape(random, 1, 2, 0)])
    scale, bias = array(random, [c]), array(random, [c])
    op = pick(
        random,
        [
            "BatchNormalization",
            "InstanceNormalization",
            "LayerNormalization",
            "LRN",
            "LpNormalization",
            "MeanVarianceNormalization",
        ],
    )
    if op == "BatchNormalization":
        return spec(op, [x, scale, bias, array(random, [c]), np.abs(array(random, [c])) + 0.5])
    if op == "InstanceNormalization":
        return spec(op, [x, scale, bias])
    if op == "LayerNormalization":
        axis = axis_of(random, x.ndim)
        dims = x.shape[axis:]
        return spec(op, [x, array(random, dims), array(random, dims)], {"axis": axis}, version=17)
    if op == "LRN":
        return spec(op, [x], {"size": int(random.integers(1, 4)), "alpha": 0.1, "bias": 2.0})
    if op == "LpNormalization":
        return spec(op, [x], {"axis": axis_of(random, x.ndim), "p": int(random.integers(1, 3))})
    return spec(op, [x], {"axes": [0, *range(2, x.ndim)]})


def resize(random):
    dims = [1, int(random.integers(1, 3)), int(random.integers(1, 7)), int(random.integers(1, 7))]
    x = array(random, dims)
    mode = pick(random, ["nearest", "linear", "cubic"])
    attributes = {
        "mode": mode,
        "coordinate_transformation_mode": pick(
            random, ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
        ),
    }
    if mode == "nearest":
        attributes["nearest_mode"] = pick(
            random, ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]
        )
    if chance(random):
        wanted = np.array(dims[:2] + [int(v) for v in random.integers(1, 10, 2)])
        return spec("Resize", [x, None, None, wanted], attributes, version=18, constants=(3,))
    scales = np.array([1, 1, *random.uniform(0.4, 2.5, 2)], np.float32)
    return spec("Resize", [x, None, scales], attributes, version=18, constants=(2,))


def einsum(random):
    equation = pick(
        random,
        [
            "ij,jk->ik",
            "bij,bjk->bik",
            "ij->ji",
            "ii->i",
            "ij,ij->",
            "i,j->ij",
            "bij->b",
            "...ij,...jk->...ik",
            "bhqd,bhkd->bhqk",
            "ij,kj->ik",
        ],
    )
    sizes = {letter: int(random.integers(1, 5)) for letter in "bijkhqd"}
    inputs = []
    for term in equation.split("->")[0].split(","):
        lead = [2] if "..." in term else []
        inputs.append(array(random, lead + [sizes[letter] for letter in term.replace("...", "")]))
    return spec("Einsum", inputs, {"equation": equation})


def quantisation(random):
    dtype = pick(random, (np.uint8, np.int8))
    dims = shape(random, 1, 4)
    axis = axis_of(random, len(dims))
    per_axis = chance(random)
    many = [dims[axis]] if per_axis else []
    scale = array(random, many, low=0.01, high=0.2)
    zero = array(random, many, dtype, -20, 20) if chance(random, 0.8) else None
    attributes = {"axis": axis} if per_axis else {}
    op = pick(random, ["QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"])
    if op == "DynamicQuantizeLinear":
        return spec(op, [array(random, shape(random, 1, 3, 0))], outputs=3)
    x = array(random, dims) if op == "QuantizeLinear" else array(random, dims, dtype, -100, 100)
    if op == "DequantizeLinear" and zero is None:
        zero = np.zeros(many, dtype)
    return spec(op, [x, scale, zero], attributes)


def searches(random):
    op = pick(random, ["NonZero", "Unique", "Compress", "Range", "ReverseSequence"])
    if op == "NonZero":
        return spec(
            op, [array(random, shape(random, 1, 4), pick(random, (np.float32, np.int64)), -1, 1)]
        )
    if op == "Unique":
        x = array(random, shape(random, 1, 3, 0), np.int64, 0, 3)
        axis = axis_of(random, x.ndim) if chance(random) else None
        return spec(op, [x], {"axis": axis, "sorted": 1}, outputs=4)
    if op == "Compress":
        x = array(random, shape(random, 1, 3, 0))
        axis = axis_of(random, x.ndim) if chance(random) else None
        n = x.size if axis is None else x.shape[axis]
        return spec(
            op, [x, array(random, [int(random.integers(1, n + 1))], np.bool_)], {"axis": axis}
        )
    if op == "Range":
        dtype = pick(random, (np.int64, np.int32, np.float32))
        delta = pick(random, [-2, -1, 1, 2])
        return spec(
            op,
            [
                array(random, [], dtype, -5, 5),
                array(random, [], dtype, -5, 5),
                np.dtype(dtype).type(delta),
            ],
        )
    x = array(random, [int(random.integers(1, 5)), int(random.integers(1, 5)), 2])
    time, batch = (0, 1) if chance(random) else (1, 0)
    lengths = random.integers(0, x.shape[time] + 1, x.shape[batch])
    return spec(op, [x, lengths], {"time_axis": time, "batch_axis": batch})


ALL = [
    unary,
    parametrised,
    binary,
    logical,
    where,
    clip,
    cast,
    reduction,
    arg_reduction,
    top_k,
    cumulative,
    moves,
    concat,
    split,
    slices,
    pad,
    gathers,
    scatters,
    one_hot,
    blocks,
    convolution,
    pooling,
    global_pool,
    products,
    softmaxes,
    normalisations,
    resize,
    einsum,
    quantisation,
    searches,
]
