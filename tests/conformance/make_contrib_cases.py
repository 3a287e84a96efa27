# SPDX-License-Identifier: Apache-2.0
"""Cases of com.microsoft's operators, as onnxruntime computes them."""

import numpy as np
import onnx_case as oc

random = np.random.default_rng(11)
MS = {"domain": oc.MS}


def floats(*shape, low=-1.0, high=1.0):
    return random.uniform(low, high, shape).astype(np.float32)


def activation_cases(cases):
    x, bias = floats(2, 3, 8), floats(8)
    cases.add("ms_gelu", "Gelu", [x], **MS)
    cases.add("ms_bias_gelu", "BiasGelu", [x, bias], **MS)
    cases.add("ms_fast_gelu", "FastGelu", [x], **MS)
    cases.add("ms_fast_gelu_bias", "FastGelu", [x, bias], **MS)
    cases.add("ms_quick_gelu", "QuickGelu", [x], alpha=1.5, **MS)


def norm_cases(cases):
    x, skip, gamma, beta, bias = floats(2, 3, 8), floats(2, 3, 8), floats(8), floats(8), floats(8)
    wanted = ["y", "", "", "sum"]
    cases.add(
        "ms_skip_layer_norm",
        "SkipLayerNormalization",
        [x, skip, gamma, beta, bias],
        outputs=wanted,
        epsilon=1e-5,
        **MS,
    )
    cases.add(
        "ms_skip_layer_norm_plain", "SkipLayerNormalization", [x, skip, gamma], epsilon=1e-5, **MS
    )
    cases.add(
        "ms_skip_simplified",
        "SkipSimplifiedLayerNormalization",
        [x, skip, gamma],
        outputs=wanted,
        epsilon=1e-5,
        **MS,
    )
    cases.add("ms_simplified_layer_norm", "SimplifiedLayerNormalization", [x, gamma], epsilon=1e-5)
    ids, segments = random.integers(0, 10, (2, 4)), random.integers(0, 2, (2, 4))
    mask = np.array([[1, 1, 1, 0], [1, 1, 0, 0]])
    tables = [floats(10, 8), floats(6, 8), floats(2, 8), gamma, beta]
    cases.add(
        "ms_embed_layer_norm",
        "EmbedLayerNormalization",
        [ids.astype(np.int32), segments.astype(np.int32), *tables, mask.astype(np.int32)],
        outputs=2,
        epsilon=1e-5,
        **MS,
    )


def matmul_cases(cases):
    a, b = floats(2, 3, 4), floats(2, 4, 5)
    cases.add("ms_fused_matmul", "FusedMatMul", [a, b], alpha=0.5, **MS)
    cases.add("ms_fused_matmul_trans", "FusedMatMul", [a, b.swapaxes(1, 2).copy()], transB=1, **MS)
    cases.add(
        "ms_fused_matmul_batch", "FusedMatMul", [a.swapaxes(0, 1).copy(), b], transBatchA=1, **MS
    )
    n, k = 6, 40
    for bits, block in ((4, 16), (4, 32), (8, 32)):
        blocks = -(-k // block)
        codes = random.integers(0, 256, (n, blocks, block * bits // 8)).astype(np.uint8)
        scales = floats(n * blocks, low=0.01, high=0.1)
        zeros = random.integers(0, 256, n * -(-blocks * bits // 8)).astype(np.uint8)
        common = {"K": k, "N": n, "bits": bits, "block_size": block, **MS}
        x = floats(3, k)
        cases.add(
            f"ms_matmul_nbits_{bits}_{block}",
            "MatMulNBits",
            [x, codes, scales],
            constants=(1, 2),
            **common,
        )
        cases.add(
            f"ms_matmul_nbits_{bits}_{block}_zero",
            "MatMulNBits",
            [x, codes, scales, zeros],
            constants=(1, 2, 3),
            **common,
        )


def attention_cases(cases):
    n, s, heads, size = 2, 4, 2, 8
    width = heads * size
    x, weights, bias = floats(n, s, 6), floats(6, 3 * width), floats(3 * width)
    mask = np.array([[1, 1, 1, 0], [1, 1, 1, 1]], np.int32)
    cases.add("ms_attention", "Attention", [x, weights, bias], num_heads=heads, **MS)
    cases.add("ms_attention_mask", "Attention", [x, weights, bias, mask], num_heads=heads, **MS)
    cases.add(
        "ms_attention_causal",
        "Attention",
        [x, weights, bias],
        num_heads=heads,
        unidirectional=1,
        **MS,
    )
    past = floats(2, n, heads, 3, size)
    cases.add(
        "ms_attention_past",
        "Attention",
        [x, weights, bias, None, past],
        outputs=2,
        num_heads=heads,
        unidirectional=1,
        **MS,
    )
    q, k, v = floats(n, s, width), floats(n, 5, width), floats(n, 5, width)
    cases.add("ms_multi_head", "MultiHeadAttention", [q, k, v], num_heads=heads, **MS)
    cases.add(
        "ms_multi_head_bias",
        "MultiHeadAttention",
        [q, k, v, bias],
        num_heads=heads,
        scale=0.3,
        **MS,
    )
    key_mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)
    cases.add(
        "ms_multi_head_mask", "MultiHeadAttention", [q, k, v, None, key_mask], num_heads=heads, **MS
    )
    scores = floats(1, heads, s, 5)
    cases.add(
        "ms_multi_head_scores",
        "MultiHeadAttention",
        [q, k, v, None, None, scores],
        num_heads=heads,
        **MS,
    )


def rotary_cases(cases):
    n, s, heads, size = 2, 4, 3, 8
    angles = np.outer(np.arange(16), 10.0 ** -np.arange(4)).astype(np.float32)
    tables = [np.cos(angles), np.sin(angles)]
    x = floats(n, s, heads * size)
    positions = np.arange(s)[None] + np.array([[0], [5]])
    for interleaved in (0, 1):
        cases.add(
            f"ms_rotary_{interleaved}",
            "RotaryEmbedding",
            [x, positions, *tables],
            interleaved=interleaved,
            **MS,
        )
    cases.add("ms_rotary_offset", "RotaryEmbedding", [x, np.array([3]), *tables], **MS)
    cases.add(
        "ms_rotary_4d", "RotaryEmbedding", [floats(n, heads, s, size), positions, *tables], **MS
    )


def group_query_cases(cases):
    n, heads, kv, size, past = 2, 4, 2, 16, 5
    angles = np.outer(np.arange(32), 4.0 ** -np.arange(8)).astype(np.float32)
    tables = [np.cos(angles), np.sin(angles)]

    def case(name, steps, last, total, with_past, rotary=False, **attributes):
        q = floats(n, steps, heads * size)
        k, v = floats(n, steps, kv * size), floats(n, steps, kv * size)
        cache = floats(n, kv, past, size), floats(n, kv, past, size)
        inputs = [
            q,
            k,
            v,
            *(cache if with_past else (None, None)),
            np.array(last, np.int32),
            np.int32(total),
        ]
        cases.add(
            f"ms_group_query_{name}",
            "GroupQueryAttention",
            inputs + (tables if rotary else []),
            outputs=3,
            num_heads=heads,
            kv_num_heads=kv,
            do_rotary=int(rotary),
            **attributes,
            **MS,
        )

    case("prompt", 4, [3, 3], 4, False)
    case("step", 1, [5, 5], 6, True)
    case("step_rotary", 1, [5, 5], 6, True, rotary=True)
    case("prompt_rotary", 4, [3, 3], 4, False, rotary=True)
    case("prompt_interleaved", 4, [3, 3], 4, False, rotary=True, rotary_interleaved=1)
    case("window", 6, [5, 5], 6, False, local_window_size=2)
    case("softcap", 4, [3, 3], 4, False, softcap=5.0)
    case("smooth", 4, [3, 3], 4, False, smooth_softmax=1)


def make(cases):
    for part in (
        activation_cases,
        norm_cases,
        matmul_cases,
        attention_cases,
        rotary_cases,
        group_query_cases,
    ):
        part(cases)
