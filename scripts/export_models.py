#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports well-known network structures to ONNX with seeded random weights.

usage: export_models.py OUT_DIR [--only NAME]...

The structures are torchvision's and transformers', the exporter is torch's TorchScript one, because
that is what most ONNX files in the wild come from. No weights are downloaded. Random weights make
bad test models unless cared for, so this script also

  * warms BatchNorm with random pictures, so that activations stay of order one through 100 layers;
  * re-draws heads that the libraries initialise to zero or to nearly nothing (ViT, detection);
  * proves each file: onnxruntime runs it, agrees with torch, gives outputs that vary with the input
    (no constant class map, detections that exist), and agrees with itself when its optimiser is
    off, so that rounding alone cannot change an answer.

Needs: pip install torch==2.5.1 torchvision==0.20.1 transformers==4.46.3 onnx==1.17.0 onnxruntime
(several GB: meant for a developer's virtual environment, not for CI).
"""

import argparse
import dataclasses
import os
import sys
import time
from typing import Callable

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import onnxruntime
import torch
from torch import nn

SEED = 20251125
OPSET = 17


@dataclasses.dataclass
class Export:
    """One ONNX file to write. `feeds` are called with a random generator and give a list of inputs;
    the first one is used for tracing, every one for checking."""

    name: str
    module: nn.Module
    feeds: list[Callable[[torch.Generator], list[torch.Tensor]]]
    inputs: list[str]
    outputs: list[str]
    dynamic: dict[str, dict[int, str]]
    opset: int = OPSET
    # What torch's module takes for the list of a feed, where it is not the list itself.
    as_args: Callable[[list[torch.Tensor]], tuple] = tuple
    check: Callable[[list[np.ndarray]], None] = lambda outputs: None
    # For an output of indices: the scores (torch) whose largest along axis 1 they point to.
    scores: Callable[[list[torch.Tensor]], torch.Tensor] | None = None


REGISTRY: dict[str, Callable[[], list[Export]]] = {}


def model(name):
    def register(build):
        REGISTRY[name] = build
        return build

    return register


# Pictures, ids and warm-up ------------------------------------------------------------------------


def picture(gen, *shape):
    """Smooth blobs of random brightness plus noise, in [0, 1]: nearer to a photograph than noise
    is, and different enough from one seed to the next to move the output of a deep network."""
    height, width = shape[-2:]
    leading = shape[:-2]
    coarse = torch.rand(*(leading or (1,)), 6, 6, generator=gen)
    if coarse.dim() < 4:
        coarse = coarse.unsqueeze(0)
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)
    noise = torch.rand(shape, generator=gen)
    return (0.4 * smooth.reshape(shape) + 0.6 * noise).clamp(0, 1)


def ids(gen, vocabulary, *shape):
    return torch.randint(0, vocabulary, shape, generator=gen)


def padding_mask(gen, batch, length):
    """1 for tokens, 0 for padding on the right; the first row is full."""
    lengths = torch.randint((length + 1) // 2, length + 1, (batch,), generator=gen)
    lengths[0] = length
    return (torch.arange(length)[None, :] < lengths[:, None]).long()


def warm_batch_norm(module, run, batches=2, size=(128, 160)):
    """Sets running statistics to the exact average over `batches` random batches. Every batch mixes
    pictures with plain uniform noise, which is what checks and benchmarks often feed: a network
    that met them in separate batches would answer each with statistics fit for neither, layer after
    layer, until one of them vanishes."""
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    gen = torch.Generator().manual_seed(SEED + 1)
    shape = (4, 3, *size)
    with torch.no_grad():
        for _ in range(batches):
            run(torch.cat([picture(gen, *shape), torch.rand(shape, generator=gen)]))
    module.eval()
    # A variance of nearly nothing would amplify rounding noise without bound.
    for norm in norms:
        norm.running_var.clamp_(min=1e-3)
    return module


def calm_residuals(net, gain=0.1):
    """Makes each residual block a small change of its input, as training does. With equal branches
    a random ResNet-101 multiplies rounding noise by a thousand, and no two runtimes agree."""
    from torchvision.models.resnet import Bottleneck

    for block in net.modules():
        if isinstance(block, Bottleneck):
            nn.init.constant_(block.bn3.weight, gain)


def redraw(layer, std, bias_std=0.0):
    """Draws the weights of a linear or convolution layer anew."""
    gen = torch.Generator().manual_seed(SEED + 2)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=gen) * std)
        if layer.bias is not None:
            layer.bias.copy_(torch.randn(layer.bias.shape, generator=gen) * bias_std)


# The models ---------------------------------------------------------------------------------------


def classifier(name, module, size=224, opset=OPSET):
    return Export(
        name=name,
        module=module.eval(),
        feeds=[lambda g: [picture(g, 1, 3, size, size)], lambda g: [picture(g, 3, 3, size, size)]],
        inputs=["input"],
        outputs=["output"],
        dynamic={"input": {0: "batch"}, "output": {0: "batch"}},
        opset=opset,
    )


@model("resnet50")
def resnet50():
    import torchvision

    net = torchvision.models.resnet50(weights=None)
    calm_residuals(net)
    warm_batch_norm(net, net)
    return [classifier("resnet50", net)]


@model("mobilenetv3_large")
def mobilenetv3_large():
    import torchvision

    net = torchvision.models.mobilenet_v3_large(weights=None)
    redraw(net.classifier[0], 0.05, 0.1)
    redraw(net.classifier[3], 0.05, 0.1)
    net.eval()
    warm_batch_norm(net, net)
    return [classifier("mobilenetv3_large", net)]


class SegmentationHead(nn.Module):
    def __init__(self, net, argmax):
        super().__init__()
        self.net = net
        self.argmax = argmax

    def forward(self, inputs):
        x = self.net(inputs)["out"]
        return x.argmax(1, keepdims=True) if self.argmax else x


@model("fcn_resnet101")
def fcn_resnet101():
    """As the TensorRT quick-start tutorial on semantic segmentation exports it: the auxiliary head
    is off the path, class ids come out, batch, height and width are dynamic, opset 12."""
    import torchvision

    net = torchvision.models.segmentation.fcn_resnet101(
        weights=None, weights_backbone=None, aux_loss=None
    )
    redraw(net.classifier[4], 0.2, 0.1)
    calm_residuals(net)
    net.eval()
    warm_batch_norm(net, net, size=(96, 96))

    def several_classes(outputs):
        found = len(np.unique(outputs[0]))
        assert found >= 5, f"only {found} classes in the map"

    axes = {0: "batch", 2: "height", 3: "width"}
    common = dict(
        feeds=[lambda g: [picture(g, 1, 3, 224, 224)], lambda g: [picture(g, 2, 3, 160, 288)]],
        inputs=["input"],
        outputs=["output"],
        dynamic={"input": axes, "output": axes},
        opset=12,
    )
    return [
        Export(
            "fcn_resnet101",
            SegmentationHead(net, argmax=True),
            check=several_classes,
            scores=lambda values: net(values[0])["out"],
            **common,
        ),
        Export("fcn_resnet101_logits", SegmentationHead(net, argmax=False), **common),
    ]


@model("vit_b_16")
def vit_b_16():
    import torchvision

    net = torchvision.models.vit_b_16(weights=None)
    redraw(net.heads.head, 0.05, 0.1)  # the library starts the head at zero
    return [classifier("vit_b_16", net)]


@model("bert_base")
def bert_base():
    import transformers

    config = transformers.BertConfig(attn_implementation="eager", return_dict=False)
    net = transformers.BertModel(config).eval()

    def feed(batch, length):
        def draw(g):
            return [
                ids(g, config.vocab_size, batch, length),
                padding_mask(g, batch, length),
                ids(g, 2, batch, length),
            ]

        return draw

    axes = {0: "batch", 1: "sequence"}
    return [
        Export(
            name="bert_base",
            module=net,
            feeds=[feed(2, 32), feed(1, 77)],
            inputs=["input_ids", "attention_mask", "token_type_ids"],
            outputs=["last_hidden_state", "pooler_output"],
            dynamic={
                "input_ids": axes,
                "attention_mask": axes,
                "token_type_ids": axes,
                "last_hidden_state": axes,
                "pooler_output": {0: "batch"},
            },
        )
    ]


class Detector(nn.Module):
    """torchvision's detectors take a list of pictures of different sizes; one picture is enough."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, image):
        found = self.net([image])[0]
        return found["boxes"], found["scores"], found["labels"]


def some_boxes(outputs):
    boxes, scores, labels = outputs
    assert len(boxes) >= 3, f"only {len(boxes)} boxes"
    assert len(np.unique(scores)) == len(scores), "equal scores: the order would be arbitrary"
    assert len(labels) == len(boxes)


def detector(name, net, sizes, dynamic_size):
    dynamic = {"boxes": {0: "detections"}, "scores": {0: "detections"}, "labels": {0: "detections"}}
    if dynamic_size:
        dynamic["image"] = {1: "height", 2: "width"}
    return Export(
        name=name,
        module=Detector(net).eval(),
        feeds=[lambda g, size=size: [picture(g, 3, *size)] for size in sizes],
        inputs=["image"],
        outputs=["boxes", "scores", "labels"],
        dynamic=dynamic,
        check=some_boxes,
    )


@model("ssdlite320_mobilenet_v3_large")
def ssdlite320():
    import torchvision

    net = torchvision.models.detection.ssdlite320_mobilenet_v3_large(
        weights=None, weights_backbone=None, score_thresh=0.1, detections_per_img=100
    )
    net.eval()
    warm_batch_norm(net, lambda x: net(list(x)), size=(320, 320))
    # Scores of 91 equal classes tell nothing and tie everywhere: spread them.
    for head in net.head.classification_head.module_list:
        redraw(head[1], 0.1)
    for head in net.head.regression_head.module_list:
        redraw(head[1], 0.05)
    return [detector(name_of(ssdlite320), net, [(320, 320), (240, 400)], True)]


@model("fasterrcnn_resnet50_fpn")
def fasterrcnn():
    import torchvision

    # The library's 800 x 1333 only makes the same graph slower to check.
    net = torchvision.models.detection.fasterrcnn_resnet50_fpn(
        weights=None,
        weights_backbone=None,
        min_size=320,
        max_size=640,
        box_score_thresh=0.3,
    )
    calm_residuals(net)
    net.eval()
    warm_batch_norm(net, lambda x: net(list(x)), size=(240, 320))
    redraw(net.rpn.head.cls_logits, 0.1)
    redraw(net.rpn.head.bbox_pred, 0.02)
    redraw(net.roi_heads.box_predictor.cls_score, 0.2, 0.1)
    redraw(net.roi_heads.box_predictor.bbox_pred, 0.02)
    return [detector(name_of(fasterrcnn), net, [(240, 320), (320, 256)], True)]


def name_of(build):
    return next(name for name, known in REGISTRY.items() if known is build)


# Decoders with caches -----------------------------------------------------------------------------


class T5Encoder(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.encoder = net.get_encoder()

    def forward(self, input_ids, attention_mask):
        return self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]


class T5Decoder(nn.Module):
    """The decoder with its language-model head. Without a past it also computes the cross-attention
    keys and values, which every later step takes as inputs."""

    def __init__(self, net, with_past):
        super().__init__()
        self.net = net
        self.with_past = with_past

    def forward(self, input_ids, encoder_attention_mask, *rest):
        if self.with_past:
            past = tuple(tuple(rest[i : i + 4]) for i in range(0, len(rest), 4))
            # The values of the encoder are in the cache; only its length is looked at.
            hidden = torch.zeros(
                input_ids.shape[0], rest[2].shape[2], self.net.config.d_model, dtype=torch.float32
            )
        else:
            past, hidden = None, rest[0]
        out = self.net(
            encoder_outputs=(hidden,),
            attention_mask=encoder_attention_mask,
            decoder_input_ids=input_ids,
            past_key_values=past,
            use_cache=True,
            return_dict=False,
        )
        logits, present = out[0], out[1]
        flat = []
        for layer in present:
            flat += layer[:2] if self.with_past else layer
        return (logits, *flat)


@model("t5_small")
def t5_small():
    import transformers

    config = transformers.T5Config(
        vocab_size=32128, d_model=512, d_kv=64, d_ff=2048, num_layers=6, num_heads=8,
        decoder_start_token_id=0,
    )  # fmt: skip
    net = transformers.T5ForConditionalGeneration(config).eval()
    layers, heads, head = config.num_layers, config.num_heads, config.d_kv
    parts = ["decoder.key", "decoder.value", "encoder.key", "encoder.value"]
    past = [f"past_key_values.{i}.{p}" for i in range(layers) for p in parts]
    present_all = [f"present.{i}.{p}" for i in range(layers) for p in parts]
    present_self = [f"present.{i}.{p}" for i in range(layers) for p in parts[:2]]

    def encoder_feed(batch, length):
        return lambda g: [ids(g, config.vocab_size, batch, length), padding_mask(g, batch, length)]

    def first_feed(batch, source, target):
        return lambda g: [
            ids(g, config.vocab_size, batch, target),
            padding_mask(g, batch, source),
            torch.randn(batch, source, config.d_model, generator=g),
        ]

    def step_feed(batch, source, length):
        def draw(g):
            values = [ids(g, config.vocab_size, batch, 1), padding_mask(g, batch, source)]
            for name in past:
                size = source if ".encoder." in name else length
                values.append(torch.randn(batch, heads, size, head, generator=g))
            return values

        return draw

    source_axes = {0: "batch", 1: "encoder_sequence"}
    self_axes = {0: "batch", 2: "past_sequence"}
    cross_axes = {0: "batch", 2: "encoder_sequence"}

    def cache_axes(names, own):
        return {n: cross_axes if ".encoder." in n else own for n in names}

    return [
        Export(
            name="t5_small_encoder",
            module=T5Encoder(net),
            feeds=[encoder_feed(2, 24), encoder_feed(1, 33)],
            inputs=["input_ids", "attention_mask"],
            outputs=["last_hidden_state"],
            dynamic={
                "input_ids": source_axes,
                "attention_mask": source_axes,
                "last_hidden_state": source_axes,
            },
        ),
        Export(
            name="t5_small_decoder",
            module=T5Decoder(net, with_past=False),
            feeds=[first_feed(2, 24, 4), first_feed(1, 33, 1)],
            inputs=["input_ids", "encoder_attention_mask", "encoder_hidden_states"],
            outputs=["logits", *present_all],
            dynamic={
                "input_ids": {0: "batch", 1: "decoder_sequence"},
                "encoder_attention_mask": source_axes,
                "encoder_hidden_states": source_axes,
                "logits": {0: "batch", 1: "decoder_sequence"},
                **cache_axes(present_all, {0: "batch", 2: "decoder_sequence"}),
            },
        ),
        Export(
            name="t5_small_decoder_step",
            module=T5Decoder(net, with_past=True),
            feeds=[step_feed(2, 24, 5), step_feed(1, 33, 1)],
            inputs=["input_ids", "encoder_attention_mask", *past],
            outputs=["logits", *present_self],
            dynamic={
                "input_ids": {0: "batch"},
                "encoder_attention_mask": source_axes,
                "logits": {0: "batch"},
                **cache_axes(past, self_axes),
                **cache_axes(present_self, {0: "batch", 2: "total_sequence"}),
            },
        ),
    ]


class CachedDecoder(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, input_ids, attention_mask, position_ids, *past):
        from transformers.cache_utils import DynamicCache

        pairs = tuple((past[i], past[i + 1]) for i in range(0, len(past), 2))
        out = self.net(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=DynamicCache.from_legacy_cache(pairs),
            use_cache=True,
        )
        flat = [t for layer in out.past_key_values.to_legacy_cache() for t in layer]
        return (out.logits, *flat)


@model("llama_8l")
def llama_8l():
    """A Llama-style decoder: 8 layers, 8 query heads on 2 key/value heads, rotary positions, RMS
    norms, gated SiLU; prompt and step are the same file, the cache goes in and comes out longer."""
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=8000, hidden_size=512, intermediate_size=1376, num_hidden_layers=8,
        num_attention_heads=8, num_key_value_heads=2, max_position_embeddings=2048,
        attn_implementation="sdpa",
    )  # fmt: skip
    net = transformers.LlamaForCausalLM(config).eval()
    layers, kv_heads = config.num_hidden_layers, config.num_key_value_heads
    head = config.hidden_size // config.num_attention_heads
    past = [f"past_key_values.{i}.{p}" for i in range(layers) for p in ("key", "value")]
    present = [f"present.{i}.{p}" for i in range(layers) for p in ("key", "value")]

    def feed(batch, length, cached):
        def draw(g):
            mask = torch.ones(batch, cached + length, dtype=torch.int64)
            positions = torch.arange(cached, cached + length).expand(batch, length).contiguous()
            values = [ids(g, config.vocab_size, batch, length), mask, positions]
            return values + [torch.randn(batch, kv_heads, cached, head, generator=g) for _ in past]

        return draw

    return [
        Export(
            name="llama_8l",
            module=CachedDecoder(net),
            # Tracing with more than one token keeps the causal mask in the graph.
            feeds=[feed(2, 3, 5), feed(1, 1, 20), feed(1, 16, 0)],
            inputs=["input_ids", "attention_mask", "position_ids", *past],
            outputs=["logits", *present],
            dynamic={
                "input_ids": {0: "batch", 1: "sequence"},
                "attention_mask": {0: "batch", 1: "total_sequence"},
                "position_ids": {0: "batch", 1: "sequence"},
                "logits": {0: "batch", 1: "sequence"},
                **{name: {0: "batch", 2: "past_sequence"} for name in past},
                **{name: {0: "batch", 2: "total_sequence"} for name in present},
            },
        )
    ]


# Export and proof ---------------------------------------------------------------------------------


def session(path, optimise):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def worst_ratio(ours, reference):
    """Largest |a-b| over the allowed 2e-4 * max|b| + 1e-6; integers have to be equal."""
    if ours.shape != reference.shape:
        return float("inf")
    if ours.size == 0:
        return 0.0
    if not np.issubdtype(reference.dtype, np.floating):
        return 0.0 if np.array_equal(ours, reference) else float("inf")
    difference = np.abs(ours.astype(np.float64) - reference.astype(np.float64)).max()
    return float(difference / (2e-4 * np.abs(reference).max() + 1e-6))


def lost_by(indices, scores):
    """How far below the best score the chosen ones are, in units of the tolerance: among thousands
    of pixels some have two classes closer to each other than two runtimes are."""
    chosen = np.take_along_axis(scores, indices, axis=1)
    lost = (scores.max(axis=1, keepdims=True) - chosen).max()
    return float(lost / (2e-4 * np.abs(scores).max() + 1e-6))


def numpy_of(outputs):
    outputs = outputs if isinstance(outputs, (tuple, list)) else [outputs]
    return [t.detach().numpy() for t in outputs]


def prove(export, path):
    optimised, plain = session(path, True), session(path, False)
    worst_torch = worst_self = 0.0
    for number, draw in enumerate(export.feeds):
        results = []
        for seed in (0, 1, 2):
            values = draw(torch.Generator().manual_seed(SEED + 100 * number + seed))
            # The exporter drops inputs that the graph does not read.
            known = {i.name for i in optimised.get_inputs()}
            feeds = {n: v.numpy() for n, v in zip(export.inputs, values) if n in known}
            outputs = optimised.run(None, feeds)
            for output in outputs:
                if np.issubdtype(output.dtype, np.floating):
                    assert np.isfinite(output).all(), "not finite"
            export.check(outputs)
            again = plain.run(None, feeds)
            if export.scores is not None:
                with torch.no_grad():
                    scores = export.scores(values).numpy()
                worst_torch = max(worst_torch, lost_by(outputs[0], scores))
                worst_self = max(worst_self, lost_by(again[0], scores))
            else:
                worst_self = max(worst_self, *map(worst_ratio, again, outputs))
                with torch.no_grad():
                    expected = numpy_of(export.module(*export.as_args(values)))
                worst_torch = max(worst_torch, *map(worst_ratio, outputs, expected))
            results.append(outputs)
        for name, *seen in zip(export.outputs, *results):
            for a, b in zip(seen, seen[1:]):
                assert worst_ratio(a, b) > 10, f"{name} hardly varies with the input"
    assert worst_torch <= 1, f"onnxruntime against torch: {worst_torch:.3g} of the tolerance"
    assert worst_self <= 1, f"onnxruntime against itself: {worst_self:.3g} of the tolerance"
    return worst_torch, worst_self


def write(export, folder):
    start = time.time()
    path = os.path.join(folder, export.name + ".onnx")
    values = export.feeds[0](torch.Generator().manual_seed(SEED))
    export.module.eval()
    partial = path + ".partial"
    with torch.no_grad():
        torch.onnx.export(
            export.module,
            export.as_args(values),
            partial,
            input_names=export.inputs,
            output_names=export.outputs,
            dynamic_axes=export.dynamic,
            opset_version=export.opset,
            do_constant_folding=True,
            dynamo=False,
        )
    worst_torch, worst_self = prove(export, partial)
    os.replace(partial, path)
    size = os.path.getsize(path) / 1e6
    print(
        f"{export.name:32} {size:7.1f} MB  {time.time() - start:6.1f} s  "
        f"of tolerance: torch {worst_torch:.3f}, onnxruntime unoptimised {worst_self:.3f}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out_dir")
    parser.add_argument("--only", action="append", choices=sorted(REGISTRY), help="repeatable")
    args = parser.parse_args()
    os.makedirs(args.out_dir, exist_ok=True)
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)
    failed = []
    for name in args.only or REGISTRY:
        torch.manual_seed(SEED)
        try:
            for export in REGISTRY[name]():
                write(export, args.out_dir)
        except Exception as error:  # one model must not hide the others
            failed.append(name)
            print(f"{name}: FAILED: {type(error).__name__}: {error}", flush=True)
            if os.environ.get("TRACE"):
                raise
    total = len(args.only or REGISTRY)
    print(f"{total - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
