# SPDX-License-Identifier: Apache-2.0
# The cases of make_golden.py: the operator as C++ and as ONNX attributes, and its inputs.
HEADERS = {
    "conv": ["ops/conv.h"],
    "conv_transpose": ["ops/conv_transpose.h"],
    "pool": ["ops/pool.h"],
    "matmul": ["ops/matmul.h"],
    "reduce": ["ops/reduce.h"],
    "softmax": ["ops/softmax.h"],
    "batch_normalization": ["ops/batch_normalization.h"],
    "normalization": ["ops/normalization.h"],
    "recurrent": ["ops/recurrent.h"],
    "resize": ["ops/resize.h"],
    "arg_reduce": ["ops/arg_reduce.h"],
    "topk": ["ops/topk.h"],
    "depth_space": ["ops/depth_space.h"],
    "quantize": ["ops/quantize.h"],
    "conv_integer": ["ops/conv_integer.h"],
    "non_max_suppression": ["ops/non_max_suppression.h"],
    "roi": ["ops/roi.h"],
    "grid_sample": ["ops/grid_sample.h"],
    "einsum": ["ops/einsum.h"],
    "col2im": ["ops/col2im.h"],
}

# --- conv
case(
    "conv",
    "bias_pads_strides",
    "Conv{.pads = {1, 0, 2, 1}, .strides = {2, 1}}",
    "Conv",
    [P([2, 3, 5, 4], 1), P([2, 3, 3, 2], 2), P([2], 3)],
    dict(pads=[1, 0, 2, 1], strides=[2, 1]),
)
case(
    "conv",
    "groups",
    "Conv{.group = 2}",
    "Conv",
    [P([1, 4, 4, 4], 1), P([6, 2, 3, 3], 2)],
    dict(group=2),
)
case(
    "conv",
    "depthwise",
    "Conv{.group = 3, .pads = {1, 1, 1, 1}}",
    "Conv",
    [P([1, 3, 4, 3], 1), P([3, 1, 3, 3], 2)],
    dict(group=3, pads=[1, 1, 1, 1]),
)
case(
    "conv",
    "dilated",
    "Conv{.dilations = {2, 1}}",
    "Conv",
    [P([1, 2, 6, 4], 1), P([2, 2, 3, 2], 2)],
    dict(dilations=[2, 1]),
)
case(
    "conv",
    "same_upper",
    "Conv{.auto_pad = AutoPad::same_upper, .strides = {2, 2}}",
    "Conv",
    [P([1, 2, 5, 6], 1), P([2, 2, 3, 2], 2)],
    dict(auto_pad="SAME_UPPER", strides=[2, 2]),
)
case(
    "conv",
    "same_lower",
    "Conv{.auto_pad = AutoPad::same_lower, .strides = {2, 2}}",
    "Conv",
    [P([1, 2, 5, 6], 1), P([2, 2, 3, 2], 2)],
    dict(auto_pad="SAME_LOWER", strides=[2, 2]),
)
case(
    "conv",
    "one_axis",
    "Conv{.pads = {2, 1}, .strides = {3}}",
    "Conv",
    [P([2, 2, 9], 1), P([3, 2, 4], 2), P([3], 3)],
    dict(pads=[2, 1], strides=[3]),
)
case(
    "conv",
    "three_axes",
    "Conv{.pads = {0, 1, 0, 0, 1, 1}}",
    "Conv",
    [P([1, 2, 3, 3, 4], 1), P([2, 2, 2, 2, 3], 2)],
    dict(pads=[0, 1, 0, 0, 1, 1]),
)
case("conv", "wide_rows", "Conv{}", "Conv", [P([1, 1, 1, 150], 1), P([1, 1, 1, 9], 2)], {})
case(
    "conv_integer",
    "zero_points",
    "ConvInteger{.pads = {1, 1, 1, 1}}",
    "ConvInteger",
    [P([1, 2, 4, 3], 1, 0, 255, "u8"), P([3, 2, 3, 3], 2, 0, 255, "u8"), L(7, "u8"), L(100, "u8")],
    dict(pads=[1, 1, 1, 1]),
)

# --- conv_transpose
T = "conv_transpose"
case(
    T,
    "strides_pads",
    "ConvTranspose{.pads = {1, 0, 0, 1}, .strides = {2, 3}}",
    "ConvTranspose",
    [P([2, 3, 3, 2], 1), P([3, 2, 3, 2], 2), P([2], 3)],
    dict(pads=[1, 0, 0, 1], strides=[2, 3]),
)
case(
    T,
    "groups_dilated",
    "ConvTranspose{.dilations = {2, 1}, .group = 2}",
    "ConvTranspose",
    [P([1, 4, 3, 3], 1), P([4, 1, 2, 2], 2)],
    dict(group=2, dilations=[2, 1]),
)
case(
    T,
    "output_padding",
    "ConvTranspose{.output_padding = {1, 0}, .strides = {2, 2}}",
    "ConvTranspose",
    [P([1, 2, 3, 2], 1), P([2, 2, 2, 2], 2)],
    dict(output_padding=[1, 0], strides=[2, 2]),
)
case(
    T,
    "output_shape",
    "ConvTranspose{.output_shape = {6, 7}, .strides = {2, 3}}",
    "ConvTranspose",
    [P([1, 2, 3, 3], 1), P([2, 1, 3, 3], 2)],
    dict(output_shape=[6, 7], strides=[2, 3]),
)
case(
    T,
    "same_upper",
    "ConvTranspose{.auto_pad = AutoPad::same_upper, .strides = {2, 2}}",
    "ConvTranspose",
    [P([1, 1, 3, 3], 1), P([1, 1, 3, 3], 2)],
    dict(auto_pad="SAME_UPPER", strides=[2, 2]),
)
case(
    T,
    "one_axis",
    "ConvTranspose{.pads = {1, 1}, .strides = {2}}",
    "ConvTranspose",
    [P([1, 2, 5], 1), P([2, 3, 4], 2)],
    dict(pads=[1, 1], strides=[2]),
)

# --- pool
case(
    "pool",
    "max_indices",
    "MaxPool{.kernel_shape = {3, 2}, .pads = {1, 0, 1, 1}, .strides = {2, 1}, .indices = true}",
    "MaxPool",
    [P([1, 2, 5, 4], 1)],
    dict(kernel_shape=[3, 2], pads=[1, 0, 1, 1], strides=[2, 1]),
    outputs=2,
)
case(
    "pool",
    "max_column_major",
    "MaxPool{.kernel_shape = {2, 2}, .column_major = true, .strides = {2, 2}, .indices = true}",
    "MaxPool",
    [P([1, 2, 4, 5], 1)],
    dict(kernel_shape=[2, 2], strides=[2, 2], storage_order=1),
    outputs=2,
)
case(
    "pool",
    "max_ceil",
    "MaxPool{.ceil_mode = true, .kernel_shape = {3, 3}, .strides = {2, 2}}",
    "MaxPool",
    [P([1, 1, 6, 7], 1)],
    dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
)
case(
    "pool",
    "max_ceil_start_in_padding",
    "MaxPool{.ceil_mode = true, .kernel_shape = {1}, .strides = {2}}",
    "MaxPool",
    [P([1, 1, 2], 1)],
    dict(kernel_shape=[1], strides=[2], ceil_mode=1),
)
case(
    "pool",
    "max_dilated",
    "MaxPool{.dilations = {2, 2}, .kernel_shape = {2, 2}}",
    "MaxPool",
    [P([1, 1, 4, 5], 1)],
    dict(kernel_shape=[2, 2], dilations=[2, 2]),
)
case(
    "pool",
    "max_same_lower",
    "MaxPool{.auto_pad = AutoPad::same_lower, .kernel_shape = {2, 2}}",
    "MaxPool",
    [P([1, 1, 3, 3], 1)],
    dict(kernel_shape=[2, 2], auto_pad="SAME_LOWER"),
)
case(
    "pool",
    "max_three_axes",
    "MaxPool{.kernel_shape = {2, 1, 2}, .strides = {1, 2, 1}}",
    "MaxPool",
    [P([1, 2, 3, 3, 3], 1)],
    dict(kernel_shape=[2, 1, 2], strides=[1, 2, 1]),
)
case(
    "pool",
    "max_u8",
    "MaxPool{.kernel_shape = {2, 2}}",
    "MaxPool",
    [P([1, 1, 3, 3], 1, 0, 255, "u8")],
    dict(kernel_shape=[2, 2]),
)
case(
    "pool",
    "average",
    "AveragePool{.kernel_shape = {3, 2}, .pads = {1, 0, 1, 1}, .strides = {2, 1}}",
    "AveragePool",
    [P([1, 2, 5, 4], 1)],
    dict(kernel_shape=[3, 2], pads=[1, 0, 1, 1], strides=[2, 1]),
)
case(
    "pool",
    "average_include_pad",
    "AveragePool{.count_include_pad = true, .kernel_shape = {3, 3}, .pads = {1, 1, "
    "1, 1}, .strides = {2, 2}}",
    "AveragePool",
    [P([1, 1, 5, 4], 1)],
    dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2], count_include_pad=1),
)
case(
    "pool",
    "average_ceil_include_pad",
    "AveragePool{.ceil_mode = true, .count_include_pad = true, .kernel_shape = {3, "
    "3}, .pads = {1, 1, 1, 1}, .strides = {2, 2}}",
    "AveragePool",
    [P([1, 1, 4, 6], 1)],
    dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2], count_include_pad=1, ceil_mode=1),
    opset=19,
)
case(
    "pool",
    "average_dilated",
    "AveragePool{.dilations = {2, 2}, .kernel_shape = {2, 2}}",
    "AveragePool",
    [P([1, 1, 4, 5], 1)],
    dict(kernel_shape=[2, 2], dilations=[2, 2]),
    opset=19,
)
case(
    "pool",
    "lp",
    "LpPool{.kernel_shape = {2, 2}, .p = 3, .strides = {2, 1}}",
    "LpPool",
    [P([1, 1, 4, 4], 1)],
    dict(kernel_shape=[2, 2], p=3, strides=[2, 1]),
)

# --- matmul
case("matmul", "matrices", "MatMul{}", "MatMul", [P([3, 5], 1), P([5, 4], 2)])
case("matmul", "broadcast_batch", "MatMul{}", "MatMul", [P([2, 1, 2, 3], 1), P([3, 3, 2], 2)])
case("matmul", "vector_left", "MatMul{}", "MatMul", [P([3], 1), P([2, 3, 4], 2)])
case("matmul", "vector_right", "MatMul{}", "MatMul", [P([2, 4, 3], 1), P([3], 2)])
case("matmul", "dot", "MatMul{}", "MatMul", [P([70], 1), P([70], 2)])
case("matmul", "wide", "MatMul{}", "MatMul", [P([2, 7], 1), P([7, 67], 2)])
case(
    "matmul",
    "integers",
    "MatMul{}",
    "MatMul",
    [P([2, 3], 1, -50, 50, "i32"), P([3, 2], 2, -50, 50, "i32")],
)

# --- reduce
KINDS = ["sum", "mean", "max", "min", "prod", "l1", "l2", "log_sum", "log_sum_exp", "sum_square"]
NAMES = dict(
    sum="Sum",
    mean="Mean",
    max="Max",
    min="Min",
    prod="Prod",
    l1="L1",
    l2="L2",
    log_sum="LogSum",
    log_sum_exp="LogSumExp",
    sum_square="SumSquare",
)
for kind in KINDS:
    low = 0.5 if kind == "log_sum" else -2
    case(
        "reduce",
        kind,
        f"Reduce{{.kind = ReduceKind::{kind}}}",
        "Reduce" + NAMES[kind],
        [P([2, 3, 4], 1, low, 3), L([-1, 0], "i64")],
    )
    case(
        "reduce",
        kind + "_all",
        f"Reduce{{.kind = ReduceKind::{kind}, .keepdims = false}}",
        "Reduce" + NAMES[kind],
        [P([2, 3, 2], 1, low, 3)],
        dict(keepdims=0),
    )
case(
    "reduce",
    "noop",
    "Reduce{.noop_with_empty_axes = true}",
    "ReduceSum",
    [P([2, 3], 1), L(np.zeros([0]), "i64")],
    dict(noop_with_empty_axes=1),
)
case(
    "reduce",
    "sum_i64",
    "Reduce{.keepdims = false}",
    "ReduceSum",
    [P([3, 4], 1, -1000, 1000, "i64"), L([1], "i64")],
    dict(keepdims=0),
)
case(
    "reduce",
    "mean_i32",
    "Reduce{.kind = ReduceKind::mean, .keepdims = false}",
    "ReduceMean",
    [P([3, 4], 1, -1000, 1000, "i32"), L([1], "i64")],
    dict(keepdims=0),
)
case(
    "reduce",
    "max_i8",
    "Reduce{.kind = ReduceKind::max}",
    "ReduceMax",
    [P([3, 4], 1, -128, 127, "i8"), L([0], "i64")],
)

# --- softmax
case("softmax", "last", "Softmax{}", "Softmax", [P([2, 3, 4], 1, -5, 5)], dict(axis=-1))
case("softmax", "middle", "Softmax{.axis = 1}", "Softmax", [P([2, 3, 4], 1, -5, 5)], dict(axis=1))
case("softmax", "large", "Softmax{}", "Softmax", [P([1, 4], 1, 1000, 1010)], dict(axis=-1))
case(
    "softmax",
    "log",
    "LogSoftmax{.axis = 1}",
    "LogSoftmax",
    [P([2, 3, 4], 1, -50, 50)],
    dict(axis=1),
)
case("softmax", "hard", "Hardmax{.axis = 1}", "Hardmax", [P([2, 3, 4], 1)], dict(axis=1))
case(
    "softmax",
    "hard_first_of_equal",
    "Hardmax{}",
    "Hardmax",
    [L([[1, 3, 3], [2, 2, 1]])],
    dict(axis=-1),
)

# --- normalisations
case(
    "batch_normalization",
    "image",
    "BatchNormalization{.epsilon = 0.01F}",
    "BatchNormalization",
    [P([2, 3, 2, 2], 1), P([3], 2), P([3], 3), P([3], 4), P([3], 5, 0.2, 2)],
    dict(epsilon=0.01),
)
case(
    "batch_normalization",
    "features",
    "BatchNormalization{}",
    "BatchNormalization",
    [P([2, 3], 1), P([3], 2), P([3], 3), P([3], 4), P([3], 5, 0.2, 2)],
)
N = "normalization"
case(
    N,
    "instance",
    "InstanceNormalization{.epsilon = 0.01F}",
    "InstanceNormalization",
    [P([2, 3, 2, 3], 1), P([3], 2), P([3], 3)],
    dict(epsilon=0.01),
)
case(
    N,
    "group",
    "GroupNormalization{.epsilon = 0.01F, .num_groups = 2}",
    "GroupNormalization",
    [P([2, 4, 2, 2], 1), P([4], 2), P([4], 3)],
    dict(epsilon=0.01, num_groups=2),
    opset=21,
    engine="reference",
)
case(
    N,
    "layer",
    "LayerNormalization{}",
    "LayerNormalization",
    [P([2, 3, 4], 1), P([4], 2), P([4], 3)],
)
case(
    N,
    "layer_two_axes",
    "LayerNormalization{.axis = 1, .epsilon = 0.1F, .statistics = true}",
    "LayerNormalization",
    [P([2, 3, 4], 1), P([3, 4], 2)],
    dict(axis=1, epsilon=0.1),
    outputs=3,
)


def rms(x, scale):
    x = x.astype(np.float64)
    return (
        x / np.sqrt((x * x).mean(axis=(1, 2), keepdims=True) + np.float64(np.float32(0.01))) * scale
    )


case(
    N,
    "rms",
    "RMSNormalization{.axis = 1, .epsilon = 0.01F}",
    "RMSNormalization",
    [P([2, 3, 4], 1), P([4], 2)],
    engine=rms,
)
case(
    N,
    "lrn",
    "LRN{.alpha = 0.2F, .beta = 0.5F, .bias = 2, .size = 3}",
    "LRN",
    [P([1, 5, 2, 2], 1, -5, 5)],
    dict(alpha=0.2, beta=0.5, bias=2.0, size=3),
)
case(
    N,
    "lrn_even",
    "LRN{.alpha = 0.2F, .size = 4}",
    "LRN",
    [P([1, 6, 2, 1], 1, -5, 5)],
    engine=lambda x: x
    / (
        1
        + np.float64(np.float32(0.2))
        / 4
        * np.stack(
            [(x[:, max(0, c - 1) : c + 3].astype(np.float64) ** 2).sum(1) for c in range(6)], 1
        )
    )
    ** 0.75,
)

# --- recurrent
R = "recurrent"
seq = L([3, 2], "i32")
case(
    R,
    "lstm",
    "LSTM{}",
    "LSTM",
    [P([3, 2, 3], 1), P([1, 16, 3], 2), P([1, 16, 4], 3)],
    dict(hidden_size=4),
    outputs=3,
)
case(
    R,
    "lstm_everything",
    'LSTM{.clip = 0.4F, .direction = "bidirectional"}',
    "LSTM",
    [
        P([3, 2, 3], 1, -2, 2),
        P([2, 8, 3], 2),
        P([2, 8, 2], 3),
        P([2, 16], 4),
        seq,
        P([2, 2, 2], 5),
        P([2, 2, 2], 6),
        P([2, 6], 7),
    ],
    dict(hidden_size=2, direction="bidirectional", clip=0.4),
    outputs=3,
)
case(
    R,
    "lstm_activations",
    'LSTM{.activation_alpha = {0.3F, 1.5F}, .activation_beta = {0.4F}, '
    '.activations = {"HardSigmoid", "Softsign", "LeakyRelu"}}',
    "LSTM",
    [P([2, 1, 2], 1), P([1, 8, 2], 2), P([1, 8, 2], 3), P([1, 16], 4)],
    dict(
        hidden_size=2,
        activations=["HardSigmoid", "Softsign", "LeakyRelu"],
        activation_alpha=[0.3, 1.5],
        activation_beta=[0.4],
    ),
    outputs=3,
)
case(
    R,
    "lstm_input_forget_reverse",
    'LSTM{.direction = "reverse", .input_forget = true}',
    "LSTM",
    [P([3, 2, 2], 1), P([1, 8, 2], 2), P([1, 8, 2], 3), P([1, 16], 4), seq],
    dict(hidden_size=2, direction="reverse", input_forget=1),
    outputs=3,
)
case(
    R,
    "gru",
    "GRU{}",
    "GRU",
    [P([3, 2, 3], 1), P([1, 12, 3], 2), P([1, 12, 4], 3), P([1, 24], 4)],
    dict(hidden_size=4),
    outputs=2,
)
case(
    R,
    "gru_linear_before_reset",
    'GRU{.direction = "bidirectional", .linear_before_reset = true}',
    "GRU",
    [P([3, 2, 3], 1), P([2, 6, 3], 2), P([2, 6, 2], 3), P([2, 12], 4), seq, P([2, 2, 2], 5)],
    dict(hidden_size=2, direction="bidirectional", linear_before_reset=1),
    outputs=2,
)
case(
    R,
    "gru_clip",
    "GRU{.clip = 0.3F}",
    "GRU",
    [P([3, 1, 2], 1, -3, 3), P([1, 6, 2], 2), P([1, 6, 2], 3), P([1, 12], 4)],
    dict(hidden_size=2, clip=0.3),
    outputs=2,
)
case(
    R,
    "rnn",
    'RNN{.direction = "bidirectional"}',
    "RNN",
    [P([3, 2, 3], 1), P([2, 2, 3], 2), P([2, 2, 2], 3), P([2, 4], 4), seq, P([2, 2, 2], 5)],
    dict(hidden_size=2, direction="bidirectional"),
    outputs=2,
)
case(
    R,
    "rnn_relu",
    'RNN{.activations = {"Relu"}}',
    "RNN",
    [P([2, 1, 2], 1), P([1, 3, 2], 2), P([1, 3, 3], 3)],
    dict(hidden_size=3, activations=["Relu"]),
    outputs=2,
)
case(
    R,
    "gru_batch_first",
    "GRU{.layout = 1}",
    "GRU",
    [P([2, 1, 3], 1), P([1, 6, 3], 2), P([1, 6, 2], 3)],
    dict(hidden_size=2, layout=1),
    outputs=2,
    engine="reference",
)

# --- resize
RESIZE = "resize"
none = Omitted()
COORDINATES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
for mode in ["nearest", "linear", "cubic"]:
    for coordinate in COORDINATES:
        case(
            RESIZE,
            f"{mode}_{coordinate}_sizes",
            f"Resize{{.coordinate = ResizeCoordinate::{coordinate}, .mode = ResizeMode::{mode}}}",
            "Resize",
            [P([1, 1, 4, 3], 1), none, none, L([1, 1, 3, 7], "i64")],
            dict(mode=mode, coordinate_transformation_mode=coordinate),
        )
for nearest in ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]:
    case(
        RESIZE,
        f"nearest_{nearest}",
        f"Resize{{.coordinate = ResizeCoordinate::half_pixel, "
        f".nearest = ResizeNearest::{nearest}}}",
        "Resize",
        [P([1, 1, 4, 5], 1), none, L([1, 1, 0.6, 1.7])],
        dict(nearest_mode=nearest),
    )
case(
    RESIZE,
    "linear_scales",
    "Resize{.mode = ResizeMode::linear}",
    "Resize",
    [P([1, 2, 4, 5], 1), none, L([1, 1, 0.7, 1.3])],
    dict(mode="linear"),
)
case(
    RESIZE,
    "cubic_exclude_outside",
    "Resize{.cubic_coeff_a = -0.5F, .exclude_outside = true, .mode = ResizeMode::cubic}",
    "Resize",
    [P([1, 1, 4, 4], 1), none, L([1, 1, 1.5, 0.8])],
    dict(mode="cubic", cubic_coeff_a=-0.5, exclude_outside=1),
)
case(
    RESIZE,
    "crop",
    "Resize{.coordinate = ResizeCoordinate::tf_crop_and_resize, "
    ".extrapolation_value = 9, .mode = ResizeMode::linear}",
    "Resize",
    [P([1, 1, 4, 4], 1), L([0, 0, 0.4, 0.6, 1, 1, 1.2, 1.7]), none, L([1, 1, 3, 3], "i64")],
    dict(
        mode="linear", coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=9.0
    ),
)
for mode in ["linear", "cubic"]:
    case(
        RESIZE,
        f"{mode}_antialias",
        f"Resize{{.antialias = true, .mode = ResizeMode::{mode}}}",
        "Resize",
        [P([1, 1, 7, 6], 1), none, L([1, 1, 0.6, 0.5])],
        dict(mode=mode, antialias=1),
    )
case(
    RESIZE,
    "axes_not_larger",
    "Resize{.axes = {2, 3}, .keep_aspect_ratio_policy = ResizeAspect::not_larger, "
    ".mode = ResizeMode::linear}",
    "Resize",
    [P([1, 1, 4, 5], 1), none, none, L([8, 7], "i64")],
    dict(mode="linear", axes=[2, 3], keep_aspect_ratio_policy="not_larger"),
)
case(
    RESIZE,
    "axes_not_smaller",
    "Resize{.axes = {3, 2}, .keep_aspect_ratio_policy = ResizeAspect::not_smaller}",
    "Resize",
    [P([1, 1, 4, 5], 1), none, none, L([6, 7], "i64")],
    dict(axes=[3, 2], keep_aspect_ratio_policy="not_smaller"),
)
case(
    RESIZE,
    "half_pixel_symmetric",
    "Resize{.coordinate = ResizeCoordinate::half_pixel_symmetric, .mode = ResizeMode::linear}",
    "Resize",
    [P([1, 1, 4, 5], 1), none, L([1, 1, 2.3, 0.7])],
    dict(mode="linear", coordinate_transformation_mode="half_pixel_symmetric"),
    opset=19,
)
case(
    RESIZE,
    "opset_10",
    "Resize{.coordinate = ResizeCoordinate::asymmetric, .nearest = ResizeNearest::legacy}",
    "Resize",
    [P([1, 1, 4, 5], 1), none, L([1, 1, 0.6, 1.7])],
    {},
    engine=lambda x, _, s: evaluate(
        "Resize", [P([1, 1, 4, 5], 1), L([1, 1, 0.6, 1.7])], {}, 1, 10, "ort", ""
    )[0],
)

# --- selections
case("arg_reduce", "max", "ArgReduce{.axis = 1}", "ArgMax", [P([2, 3, 4], 1)], dict(axis=1))
case(
    "arg_reduce",
    "min_last",
    "ArgReduce{.largest = false, .axis = -1, .keepdims = false, .select_last_index = true}",
    "ArgMin",
    [L([[2, 1, 1], [0, 5, 0]])],
    dict(axis=-1, keepdims=0, select_last_index=1),
)
case(
    "arg_reduce",
    "max_i32",
    "ArgReduce{.axis = 0}",
    "ArgMax",
    [P([3, 4], 1, -90, 90, "i32")],
    dict(axis=0),
)
case(
    "topk",
    "largest",
    "TopK{.axis = 1}",
    "TopK",
    [P([2, 5, 2], 1), L([3], "i64")],
    dict(axis=1),
    outputs=2,
)
case(
    "topk",
    "smallest",
    "TopK{.largest = false}",
    "TopK",
    [P([2, 6], 1), L([4], "i64")],
    dict(largest=0),
    outputs=2,
)
case("topk", "ties", "TopK{}", "TopK", [L([[1, 3, 3, 2, 3]]), L([4], "i64")], outputs=2)
case("topk", "integers", "TopK{}", "TopK", [P([2, 5], 1, -9, 9, "i64"), L([2], "i64")], outputs=2)
case(
    "depth_space",
    "depth_column_row",
    "DepthToSpace{.blocksize = 2}",
    "DepthToSpace",
    [P([1, 8, 2, 3], 1)],
    dict(blocksize=2),
)
case(
    "depth_space",
    "column_row_depth",
    "DepthToSpace{.blocksize = 2, .column_row_depth = true}",
    "DepthToSpace",
    [P([1, 8, 2, 3], 1)],
    dict(blocksize=2, mode="CRD"),
)
case(
    "depth_space",
    "space_to_depth",
    "SpaceToDepth{.blocksize = 2}",
    "SpaceToDepth",
    [P([1, 2, 4, 6], 1)],
    dict(blocksize=2),
)

# --- quantisation
Q = "quantize"
case(
    Q, "tensor", "QuantizeLinear{}", "QuantizeLinear", [P([2, 9], 1, -3, 3), L(0.02), L(130, "u8")]
)
case(
    Q,
    "half_to_even",
    "QuantizeLinear{}",
    "QuantizeLinear",
    [L([0.5, 1.5, 2.5, -0.5, -1.5, 300, -300]), L(1), L(3, "i8")],
)
case(
    Q,
    "axis",
    "QuantizeLinear{.axis = 0}",
    "QuantizeLinear",
    [P([3, 4], 1, -3, 3), L([0.02, 0.05, 0.1]), L([1, -2, 3], "i8")],
    dict(axis=0),
)
case(
    Q,
    "blocks",
    "QuantizeLinear{.axis = 1, .block_size = 2}",
    "QuantizeLinear",
    [P([2, 4], 1, -3, 3), L([[0.02, 0.05], [0.1, 0.04]])],
    dict(axis=1, block_size=2),
    opset=21,
)
case(
    Q,
    "dequantize",
    "DequantizeLinear{}",
    "DequantizeLinear",
    [P([2, 9], 1, 0, 255, "u8"), L(0.02), L(130, "u8")],
)
case(
    Q,
    "dequantize_axis",
    "DequantizeLinear{}",
    "DequantizeLinear",
    [P([2, 3, 2], 1, -128, 127, "i8"), L([0.02, 0.05, 0.1]), L([1, -2, 3], "i8")],
)
case(
    Q,
    "dequantize_i32",
    "DequantizeLinear{}",
    "DequantizeLinear",
    [P([5], 1, -100000, 100000, "i32"), L(0.003)],
)
case(
    Q,
    "dequantize_blocks",
    "DequantizeLinear{.axis = 0, .block_size = 2}",
    "DequantizeLinear",
    [P([4, 2], 1, -128, 127, "i8"), L([[0.02, 0.05], [0.1, 0.04]])],
    dict(axis=0, block_size=2),
    opset=21,
)
case(
    Q,
    "dynamic",
    "DynamicQuantizeLinear{}",
    "DynamicQuantizeLinear",
    [P([3, 4], 1, -1, 2.5)],
    outputs=3,
)
case(
    Q,
    "matmul_integer",
    "MatMulInteger{}",
    "MatMulInteger",
    [
        P([2, 2, 3], 1, 0, 255, "u8"),
        P([3, 4], 2, -128, 127, "i8"),
        L(12, "u8"),
        L([1, -2, 3, 4], "i8"),
    ],
)

# --- detection
case(
    "non_max_suppression",
    "classes",
    "NonMaxSuppression{}",
    "NonMaxSuppression",
    [P([2, 8, 4], 1, 0, 10), P([2, 2, 8], 2, 0, 1), L([3], "i64"), L([0.3]), L([0.2])],
)
case(
    "non_max_suppression",
    "centres",
    "NonMaxSuppression{.center_point_box = true}",
    "NonMaxSuppression",
    [P([1, 9, 4], 3, 2, 6), P([1, 1, 9], 2, 0, 1), L([5], "i64"), L([0.4])],
    dict(center_point_box=1),
)
case(
    "non_max_suppression",
    "no_maximum",
    "NonMaxSuppression{}",
    "NonMaxSuppression",
    [P([1, 4, 4], 1, 0, 10), P([1, 1, 4], 2, 0, 1)],
)
ROIS = [P([1, 2, 6, 7], 1), L([[0.5, 1, 5, 4.5], [1, 0, 6.5, 3]]), L([0, 0], "i64")]
for coordinates in ["half_pixel", "output_half_pixel"]:
    for mode in ["avg", "max"]:
        case(
            "roi",
            f"align_{coordinates}_{mode}",
            f"RoiAlign{{.half_pixel = {'true' if coordinates == 'half_pixel' else 'false'}, "
            f".maximum = {'true' if mode == 'max' else 'false'}, .output_height = 2, "
            f".output_width = 3, "
            ".sampling_ratio = 2, .spatial_scale = 0.9F}",
            "RoiAlign",
            ROIS,
            dict(
                coordinate_transformation_mode=coordinates,
                mode=mode,
                output_height=2,
                output_width=3,
                sampling_ratio=2,
                spatial_scale=0.9,
            ),
        )
case(
    "roi",
    "align_adaptive",
    "RoiAlign{.output_height = 2, .output_width = 2}",
    "RoiAlign",
    ROIS,
    dict(output_height=2, output_width=2),
)
case(
    "roi",
    "max_pool",
    "MaxRoiPool{.pooled_shape = {2, 2}, .spatial_scale = 0.5F}",
    "MaxRoiPool",
    [P([2, 2, 6, 7], 1), L([[0, 1, 2, 9, 8], [1, 0, 0, 4, 11]])],
    dict(pooled_shape=[2, 2], spatial_scale=0.5),
)
for mode in ["nearest", "linear", "cubic"]:
    for padding in ["zeros", "border", "reflection"]:
        for align in [0, 1]:
            case(
                "grid_sample",
                f"{mode}_{padding}_{align}",
                f"GridSample{{.align_corners = {'true' if align else 'false'}, "
                f".mode = SampleMode::{mode}, .padding = SamplePadding::{padding}}}",
                "GridSample",
                [P([1, 2, 4, 5], 1), P([1, 3, 3, 2], 2, -1.6, 1.6)],
                dict(mode=mode, padding_mode=padding, align_corners=align),
                opset=20,
                tolerance=2e-5,
            )
case(
    "grid_sample",
    "volume",
    "GridSample{}",
    "GridSample",
    [P([1, 1, 3, 2, 4], 1), P([1, 2, 2, 2, 3], 2, -1.2, 1.2)],
    opset=20,
    tolerance=2e-5,
)
for align in [0, 1]:
    case(
        "grid_sample",
        f"affine_{align}",
        f"AffineGrid{{.align_corners = {'true' if align else 'false'}}}",
        "AffineGrid",
        [P([2, 2, 3], 1), L([2, 1, 2, 3], "i64")],
        dict(align_corners=align),
        opset=20,
    )
case(
    "grid_sample",
    "affine_volume",
    "AffineGrid{}",
    "AffineGrid",
    [P([1, 3, 4], 1), L([1, 1, 2, 2, 3], "i64")],
    opset=20,
)

# --- einsum and matrices
for name, equation, shapes in [
    ("product", "ij,jk->ik", [[2, 3], [3, 4]]),
    ("batch_ellipsis", "...ij,...jk->...ik", [[2, 2, 3], [1, 3, 2]]),
    ("implicit", "bij, bjk", [[2, 2, 3], [2, 3, 2]]),
    ("diagonal", "...ii->...i", [[2, 3, 3]]),
    ("trace", "ii->", [[3, 3]]),
    ("outer", "i,j->ij", [[3], [4]]),
    ("transpose", "abc->cab", [[2, 3, 2]]),
    ("attention", "bhqd,bhkd->bhqk", [[1, 2, 3, 4], [1, 2, 2, 4]]),
    ("sum", "ij->", [[2, 3]]),
]:
    case(
        "einsum",
        name,
        f'Einsum{{"{equation}"}}',
        "Einsum",
        [P(shape, i + 1) for i, shape in enumerate(shapes)],
        dict(equation=equation),
    )
case(
    "einsum",
    "three_operands",
    'Einsum{"ij,jk,k->i"}',
    "Einsum",
    [P([2, 3], 1), P([3, 4], 2), P([4], 3)],
    dict(equation="ij,jk,k->i"),
)
case(
    "col2im",
    "pads_strides_dilations",
    "Col2Im{.dilations = {1, 2}, .pads = {1, 0, 0, 1}, .strides = {2, 1}}",
    "Col2Im",
    [P([1, 8, 8], 1), L([3, 5], "i64"), L([2, 2], "i64")],
    dict(dilations=[1, 2], pads=[1, 0, 0, 1], strides=[2, 1]),
)
case(
    "col2im",
    "determinants",
    "Det{}",
    "Det",
    [L([[[0, 2, 1], [3, -1, 0.5], [1, 4, -2]], [[1, 2, 3], [4, 5, 6], [7, 8, 10]]])],
)


def attention(q, k, v, mask, past_k, past_v):
    k = np.concatenate([past_k, k], 2).astype(np.float64)
    v = np.concatenate([past_v, v], 2).astype(np.float64)
    wide_k, wide_v = np.repeat(k, 2, 1), np.repeat(v, 2, 1)
    scores = q.astype(np.float64) @ wide_k.transpose(0, 1, 3, 2) * np.float64(np.float32(0.7))
    scores = np.tanh(scores / 0.5) * 0.5 + mask
    past = past_k.shape[2]
    hidden = np.arange(scores.shape[3])[None] > np.arange(scores.shape[2])[:, None] + past
    scores = np.where(hidden, -np.inf, scores)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ wide_v, k, v


case(
    "attention",
    "grouped_causal_past_mask_softcap",
    "Attention{.is_causal = true, .scale = 0.7F, .softcap = 0.5F, .outputs = 3}",
    "Attention",
    [
        P([1, 4, 3, 2], 1),
        P([1, 2, 3, 2], 2),
        P([1, 2, 3, 3], 3),
        P([3, 5], 4),
        P([1, 2, 2, 2], 5),
        P([1, 2, 2, 3], 6),
    ],
    engine=attention,
)


def packed_attention(q, k, v):
    def split(x, heads):
        return x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(0, 2, 1, 3).astype(np.float64)

    q, k, v = split(q, 2), split(k, 2), split(v, 2)
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[3])
    weights = np.exp(scores)
    y = weights / weights.sum(-1, keepdims=True) @ v
    return y.transpose(0, 2, 1, 3).reshape(y.shape[0], y.shape[2], -1)


case(
    "attention",
    "packed_heads",
    "Attention{.kv_num_heads = 2, .q_num_heads = 2}",
    "Attention",
    [P([2, 3, 4], 1), P([2, 2, 4], 2), P([2, 2, 6], 3)],
    engine=packed_attention,
)
HEADERS["attention"] = ["ops/attention.h"]
