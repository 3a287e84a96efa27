#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tenrec beside torch on one GPU: same models (seeded weights), same inputs, rounds taken in turns.

  gpu.py CASE... [--tenrec build/release/bin/tenrec] [--out rows.json] [--rounds 3]
  gpu.py --part N      the cases of one part; --list shows them

Every model is exported to ONNX here, in float32; Tenrec builds it with the precision of the case.
A case prints one line and adds a row to the JSON file: medians in milliseconds, ratio to the best
peer of this run, mean error of both sides against torch in float32.
"""
import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import torch
from torch import nn

WORK = pathlib.Path(os.environ.get("TENREC_BENCH_DIR", tempfile.gettempdir())) / "tenrec-bench"
# Milliseconds that an H100's arithmetic and memory allow (layer sums with L2).
LIMITS = {
    "fcn-resnet101-1026x1282-fp16": 3.487, "fcn-resnet101-1026x1282-tf32": 6.2,
    "rvm-1080p-fp16": 0.038, "rvm-1080p-tf32": 0.080, "rvm-1080p-fp32": 0.180,
    "resnet50-b1-fp16": 0.028, "resnet50-b8-fp16": 0.122, "resnet50-b128-fp16": 2.757,
    "bert-base-b1-s128-fp16": 0.068, "bert-base-b1-s384-fp16": 0.096,
    "bert-base-b32-s128-fp16": 0.93,
    "vit-b16-b1-fp16": 0.074, "vit-b16-b32-fp16": 1.53, "mobilenetv3-l-b1-fp16": 0.007,
    "mobilenetv3-l-b32-fp16": 0.195, "mnist-b1-fp32": 0.001,
}
PARTS = {
    1: ["fcn-resnet101-1026x1282-fp16", "fcn-resnet101-1026x1282-tf32"],
    2: ["resnet50-b1-fp16", "resnet50-b8-fp16", "resnet50-b128-fp16"],
    3: ["bert-base-b1-s128-fp16", "bert-base-b1-s384-fp16", "bert-base-b32-s128-fp16",
        "vit-b16-b1-fp16", "vit-b16-b32-fp16"],
    4: ["mobilenetv3-l-b1-fp16", "mobilenetv3-l-b32-fp16", "mnist-b1-fp32"],
    5: ["rvm-1080p-fp16", "rvm-1080p-tf32", "rvm-1080p-fp32"],
}


class Out(nn.Module):
    """One output of a model that gives a dictionary or an object."""

    def __init__(self, model, pick):
        super().__init__()
        self.model, self.pick = model, pick

    def forward(self, *inputs):
        return self.pick(self.model(*inputs))


def fcn():
    from torchvision.models.segmentation import fcn_resnet101
    model = fcn_resnet101(weights=None, weights_backbone=None, aux_loss=None)
    return Out(model, lambda out: out["out"]), [torch.rand(1, 3, 1026, 1282)]


def resnet50(batch):
    from torchvision.models import resnet50 as make
    return make(weights=None), [torch.rand(batch, 3, 224, 224)]


def mobilenet(batch):
    from torchvision.models import mobilenet_v3_large
    return mobilenet_v3_large(weights=None), [torch.rand(batch, 3, 224, 224)]


def vit(batch):
    import timm
    model = timm.create_model("vit_base_patch16_224", pretrained=False)
    return model, [torch.rand(batch, 3, 224, 224)]


def bert(batch, length):
    from transformers import BertConfig, BertModel
    model = BertModel(BertConfig(attn_implementation="sdpa"), add_pooling_layer=False)
    return Out(model, lambda out: out.last_hidden_state), [torch.randint(0, 30000, (batch, length))]


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.fc1, self.fc2 = nn.Linear(800, 500), nn.Linear(500, 10)

    def forward(self, x):
        x = torch.max_pool2d(self.conv1(x), 2)
        x = torch.max_pool2d(self.conv2(x), 2)
        return torch.softmax(self.fc2(torch.relu(self.fc1(x.flatten(1)))), 1)


def rvm():
    sys.path.insert(0, os.environ["RVM"])  # the folder that holds RVM's `model` package
    from model import MattingNetwork

    class Fixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = MattingNetwork("mobilenetv3", "deep_guided_filter")

        def forward(self, src, r1, r2, r3, r4):
            return self.model(src, r1, r2, r3, r4, 0.25)
    model = Fixed().eval()
    src = torch.rand(1, 3, 1080, 1920)
    with torch.no_grad():
        states = [state.clone() for state in model.model(src, None, None, None, None, 0.25)[2:]]
    return model, [src, *states]


def make(case):
    """Model and inputs in float32 on the CPU."""
    torch.manual_seed(0)
    name = case.rsplit("-", 1)[0]
    shape = name.split("-")[2 if name.startswith(("vit", "bert", "mobilenet")) else 1:]
    numbers = [int(part[1:]) for part in shape if part[0] in "bs" and part[1:].isdigit()]
    maker = {"fcn": fcn, "resnet50": resnet50, "mobilenetv3": mobilenet, "vit": vit, "bert": bert,
             "rvm": rvm}.get(name.split("-")[0])
    if maker is None:
        return LeNet().eval(), [torch.rand(1, 1, 28, 28)]
    model, inputs = maker(*numbers) if maker not in (fcn, rvm) else maker()
    model.eval()
    settle(model, inputs)
    return model, inputs


def settle(model, inputs):
    """Statistics of the data, so that seeded weights neither vanish nor explode."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    if not norms:
        return
    for norm in norms:
        norm.train()
        norm.momentum = None
        norm.reset_running_stats()
    model.cuda()
    small = [x.cuda() if x.dim() != 4 or x.shape[0] <= 8 else x[:8].cuda() for x in inputs]
    with torch.no_grad():
        model(*small)
    model.cpu().eval()


def precision_of(case):
    return case.rsplit("-", 1)[1]


def set_tf32(on):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = on


def events(run, count):
    times = []
    for _ in range(count):
        begin, end = torch.cuda.Event(True), torch.cuda.Event(True)
        begin.record()
        run()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return float(np.median(times))


def graphed(model, inputs):
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream), torch.no_grad():
        for _ in range(4):
            model(*inputs)
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.no_grad(), torch.cuda.graph(graph):
        model(*inputs)
    return graph.replay


def compiled(model, inputs):
    torch._dynamo.reset()
    fast = torch.compile(model, mode="reduce-overhead")

    def run():
        with torch.no_grad():
            return fast(*inputs)
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    return run


def tensors(out):
    return list(out) if isinstance(out, (tuple, list)) else [out]


def mean_error(outputs, reference):
    """Mean absolute difference over the mean size of the reference, worst output."""
    worst = 0.0
    for got, want in zip(outputs, reference):
        got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
        if got.shape != want.shape or not np.isfinite(got).all():
            return float("inf")
        worst = max(worst, np.abs(got - want).mean() / max(np.abs(want).mean(), 1e-30))
    return float(worst)


class Tenrec:
    def __init__(self, args, case, model, inputs):
        self.tool, self.timeout = args.tenrec, args.timeout
        folder = WORK / case
        folder.mkdir(parents=True, exist_ok=True)
        self.onnx, self.engine = folder / "model.onnx", folder / "model.engine"
        self.names = [f"in{i}" for i in range(len(inputs))]
        self.npz = folder / "inputs.npz"
        np.savez(self.npz, **{n: x.numpy() for n, x in zip(self.names, inputs)})
        axes = {"in0": {2: "height", 3: "width"}} if case.startswith("fcn") else None
        with torch.no_grad():
            self.results = [f"out{i}" for i in range(len(tensors(model(*inputs))))]
        torch.onnx.export(model, tuple(inputs), str(self.onnx), input_names=self.names,
                          output_names=self.results, opset_version=17, dynamic_axes=axes,
                          dynamo=False)
        flags = ["--target", "cuda", "--no-fallback", *args.build_flags]
        if precision_of(case) != "fp32":
            flags.append("--" + precision_of(case))
        if axes:
            flags += ["--min-shapes", "in0=1x3x256x256", "--opt-shapes", "in0=1x3x1026x1282",
                      "--max-shapes", "in0=1x3x1440x2560"]
        cache = WORK / "timing.cache"
        if args.cold:
            cache = folder / f"cold-{time.time()}.cache"
        start = time.time()
        self.call("build", self.onnx, *flags, "--timing-cache", cache, "-o", self.engine)
        self.build_s = time.time() - start

    def call(self, *arguments):
        done = subprocess.run([self.tool, *map(str, arguments)], capture_output=True, text=True,
                              timeout=self.timeout)
        if done.returncode != 0:
            raise RuntimeError((done.stderr or done.stdout).strip()[-600:])
        return done.stdout

    def outputs(self):
        path = self.engine.with_name("outputs.npz")
        self.call("run", self.engine, "--inputs", self.npz, "--outputs", path)
        with np.load(path) as data:
            return [data[name] for name in self.results]

    def milliseconds(self, count):
        text = self.call("bench", self.engine, "--inputs", self.npz, "--json",
                         "--iterations", count)
        return json.loads(text)["latency_ms"]["median"]

    def layers(self):
        return self.call("bench", self.engine, "--inputs", self.npz, "--layers=time",
                         "--duration", 0.3)


def run_case(case, args):
    precision = precision_of(case)
    model, inputs = make(case)
    row = {"case": case, "tenrec_ms": None, "peers": {}, "ratio": None,
           "limit_ms": LIMITS.get(case), "build_s": None}
    ours = None
    try:
        ours = Tenrec(args, case, model, inputs)
        row["build_s"] = round(ours.build_s, 2)
    except Exception as error:
        row["error"] = str(error)[-400:]
    model = model.cuda()
    device = [x.cuda() for x in inputs]
    set_tf32(False)
    with torch.no_grad():
        reference = [t.float().cpu().numpy() for t in tensors(model(*device))]
    set_tf32(precision == "tf32")
    torch.backends.cudnn.benchmark = True
    if precision == "fp16":
        model = model.half()
        device = [x.half() if x.is_floating_point() else x for x in device]
    if any(x.dim() == 4 for x in device):
        model = model.to(memory_format=torch.channels_last)
        device = [x.to(memory_format=torch.channels_last) if x.dim() == 4 else x for x in device]
    with torch.no_grad():
        row["torch_error"] = mean_error([t.float().cpu().numpy() for t in tensors(model(*device))],
                                        reference)
    peers = {}
    for name, prepare in (("eager+graph", graphed), ("compile", compiled)):
        if name in args.skip:
            continue
        try:
            start = time.time()
            peers[name] = prepare(model, device)
            row.setdefault("peer_build_s", {})[name] = round(time.time() - start, 1)
        except Exception as error:
            row.setdefault("peer_errors", {})[name] = str(error)[:200]
    if ours:
        try:
            row["error_ours"] = mean_error(ours.outputs(), reference)
        except Exception as error:
            row["error"], ours = str(error)[-400:], None
    times = {name: [] for name in peers}
    mine = []
    for _ in range(args.rounds):
        for name, run in peers.items():
            events(run, 5)
            times[name].append(events(run, args.iterations))
        if ours:
            mine.append(ours.milliseconds(args.iterations))
    row["peers"] = {name: round(float(np.median(t)), 4) for name, t in times.items()}
    if mine:
        row["tenrec_ms"] = round(float(np.median(mine)), 4)
        if row["peers"]:
            row["ratio"] = round(row["tenrec_ms"] / min(row["peers"].values()), 3)
    if ours and args.layers:
        (args.layers / f"{case}.layers.txt").write_text(ours.layers())
    return row


def versions():
    return {"torch": torch.__version__, "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version()}


def driver():
    try:
        return subprocess.run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
                              capture_output=True, text=True).stdout.split()[0]
    except (OSError, IndexError):
        return "unknown"


def write(path, row):
    data = {"gpu": torch.cuda.get_device_name(0), "driver": driver(), "versions": versions(),
            "rows": []}
    if path.exists():
        data = json.loads(path.read_text())
    data["rows"] = [old for old in data["rows"] if old["case"] != row["case"]] + [row]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--part", type=int, choices=PARTS, action="append", default=[])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--tenrec", default="build/release/bin/tenrec")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--timeout", type=float, default=200,
                        help="seconds for one command of Tenrec")
    parser.add_argument("--skip", action="append", default=[], help="leave a peer out")
    parser.add_argument("--layers", type=pathlib.Path, help="folder for each case's layer times")
    parser.add_argument("--cold", action="store_true",
                        help="build without a warm timing cache")
    parser.add_argument("--build-flags", type=str.split, default=[],
                        help="more flags for tenrec build")
    args = parser.parse_args()
    if args.list:
        for number, cases in PARTS.items():
            print(number, " ".join(cases))
        return
    cases = args.cases + [case for part in args.part for case in PARTS[part]]
    kind = torch.cuda.get_device_name(0).split()[1]
    out = args.out or pathlib.Path("bench/results") / f"{datetime.date.today()}-{kind}.json"
    for case in cases:
        start = time.time()
        row = run_case(case, args)
        write(out, row)
        print(f"{case}: tenrec {row['tenrec_ms']} ms, peers {row['peers']}, ratio {row['ratio']}, "
              f"build {row['build_s']} s, error {row.get('error_ours')} "
              f"(torch {row['torch_error']:.2e}), "
              f"{row.get('error', '')} [{time.time() - start:.0f} s]", flush=True)


if __name__ == "__main__":
    main()
