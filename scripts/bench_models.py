#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times every model of a folder against onnxruntime. Called through scripts/bench.sh.

Inputs come from scripts/model_inputs.py at the shapes of `bench` in model_hints.json. The timing is
`tenrec bench`'s, in one process, so that neither side carries a script's overhead. With --peer
openvino a process of its own times OpenVINO right before and right after, and the ratio is to the
better of the two."""

import argparse
import collections
import datetime
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile

import numpy as np

import check_models
import model_inputs


def inputs_for(model, stem):
    """Values at the shapes to time, and those shapes in words."""
    reference = model_inputs.session(model)
    shapes = model_inputs.HINTS["bench"].get(stem)
    inputs = reference.get_inputs()
    if shapes is None:
        found = model_inputs.Inputs(reference)
        return found.draw(found.shapes[0], 0), model_inputs.describe(found.shapes[0])
    fixed = model_inputs.hint_for(inputs).get("values", {})
    values = model_inputs.values_for(inputs, shapes, 0, "uniform", 100, fixed)
    return values, model_inputs.describe(shapes)


PEER_SECONDS = 0.7  # of each of its two windows


class OpenVino:
    """Runs a model in windows of time, in a process of its own."""

    def __init__(self, python, model, source, threads):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "time_openvino.py")
        command = [python, script, model, source, str(threads)]
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.process = subprocess.Popen(command, text=True, **pipes)
        self.times = []
        self.problem = None
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line and not self.problem:
            lines = self.process.stderr.read().strip().splitlines() or ["no message"]
            self.problem = lines[-1]
        return line

    def window(self, seconds):
        if self.problem:
            return
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        self.times += json.loads(self.answer() or "[]")

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def bench(path, tenrec, threads, library, flags, openvino=None):
    with tempfile.TemporaryDirectory(prefix="tenrec-bench-") as folder:
        model = check_models.unpack(path, folder)
        values, shapes = inputs_for(model, os.path.basename(model)[: -len(".onnx")])
        source = os.path.join(folder, "in.npz")
        np.savez(source, **values)
        command = [tenrec, "bench", model, "--inputs", source, "--threads", str(threads)]
        command += ["--vs", "onnxruntime", "--ort-library", library, "--json", "--layers", *flags]
        peer = OpenVino(openvino, model, source, threads) if openvino else None
        if peer:
            peer.window(PEER_SECONDS)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if peer:
            peer.window(PEER_SECONDS)
            peer.close()
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
            raise RuntimeError(f"exit code {done.returncode}: {lines[-1]}")
        result = json.loads(done.stdout)
        return (with_peer(result, peer) if peer else result), shapes


def with_peer(result, peer):
    """The ratio becomes the one to the better of onnxruntime and OpenVINO."""
    if peer.problem:
        return {**result, "openvino_problem": peer.problem}
    theirs = statistics.median(peer.times)
    best = min(theirs, result["onnxruntime_ms"]["median"])
    ratio = max(result["ratio"], result["latency_ms"]["median"] / best)
    return {**result, "openvino_ms": {"median": theirs}, "ratio": ratio}


def library_path():
    import onnxruntime

    folder = os.path.join(os.path.dirname(onnxruntime.__file__), "capi")
    return next(
        os.path.join(folder, name)
        for name in sorted(os.listdir(folder))
        if name.startswith("libonnxruntime.so")
    )


def machine():
    with open("/proc/cpuinfo") as file:
        lines = [line.split(":", 1) for line in file if ":" in line]
    facts = {key.strip(): value.strip() for key, value in reversed(lines)}
    features = [f for f in ("avx2", "avx512f", "avx512_vnni") if f in facts["flags"].split()]
    return f"{facts['model name']}, {' '.join(features)}"


def openvino_cell(result):
    """Its time, or - where it was not asked or cannot run the model."""
    return f"{result['openvino_ms']['median']:.3f}" if "openvino_ms" in result else "-"


def peers_of(results):
    asked = any("openvino_ms" in result for result in results.values())
    return "the better of onnxruntime and OpenVINO" if asked else "onnxruntime"


def report(results, threads, mean):
    """Markdown: a row a model, then where each one's time goes, by family and by layer."""
    lines = [
        f"# Tenrec against {peers_of(results)}, {threads} threads, fp32",
        "",
        f"{machine()}; {datetime.date.today()}; `scripts/bench.sh`; medians of interleaved rounds.",
        f"Geometric mean of the ratios (ours / theirs): **{mean:.3f}**.",
        "",
        "| model | shapes | tenrec ms | onnxruntime ms | OpenVINO ms | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for name, r in results.items():
        ours, theirs = r["latency_ms"]["median"], r["onnxruntime_ms"]["median"]
        cells = [name, r["shapes"], f"{ours:.3f}", f"{theirs:.3f}", openvino_cell(r)]
        lines.append(f"| {' | '.join(cells)} | {r['ratio']:.3f} |")
    lines += ["", "## Where the time goes", ""]
    for name, r in results.items():
        families = collections.Counter()
        for layer in r["layers"]:
            families[layer["family"]] += layer["percent"]
        shares = ", ".join(f"{family} {part:.0f} %" for family, part in families.most_common(6))
        lines += [f"**{name}**: {shares}", "", "| layer | op | family | tactic | us | % |"]
        lines.append("|---|---|---|---|---|---|")
        for layer in sorted(r["layers"], key=lambda layer: -layer["us"])[:5]:
            cells = [layer["nodes"][:60], layer["op"], layer["family"], layer["tactic"]]
            lines.append(f"| {' | '.join(cells)} | {layer['us']:.1f} | {layer['percent']:.1f} |")
        lines.append("")
    return "\n".join(lines)


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--only", action="append", default=[], help="part of a model's name")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tenrec", default=os.path.join(root, "build/release/bin/tenrec"))
    parser.add_argument("--peer", choices=["openvino"], help="another runtime to compare with")
    parser.add_argument("--json", help="write all results to this file")
    parser.add_argument("--report", help="write a table per model and layer to this .md file")
    args, flags = parser.parse_known_args()

    library = library_path()
    openvino = None
    if args.peer:
        command = [os.path.join(root, "scripts/python_env.sh"), args.peer]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        openvino = done.stdout.strip()
    results, failed = {}, 0
    head = f"{'tenrec ms':>10} {'theirs ms':>10} {'openvino':>10} {'ratio':>7}"
    print(f"{'model':42} {head}  shapes", flush=True)
    for folder, path in [(f, p) for f in args.folders for p in check_models.find_models(f)]:
        if args.only and not any(only in path for only in args.only):
            continue
        name = os.path.relpath(path, folder)
        try:
            result, shapes = bench(path, args.tenrec, args.threads, library, flags, openvino)
        except Exception as error:
            failed += 1
            print(f"{name:42} {error}", flush=True)
            continue
        results[name] = {**result, "shapes": shapes}
        ratio = result["ratio"]
        ours, theirs = result["latency_ms"]["median"], result["onnxruntime_ms"]["median"]
        row = f"{ours:10.3f} {theirs:10.3f} {openvino_cell(result):>10} {ratio:7.3f}"
        print(f"{name:42} {row}  {shapes}", flush=True)
    if results:
        logs = [math.log(result["ratio"]) for result in results.values()]
        mean = math.exp(sum(logs) / len(logs))
        print(f"geometric mean of {len(logs)} ratios: {mean:.3f}")
        for path, text in (
            (args.json, json.dumps({"threads": args.threads, "models": results}, indent=1)),
            (args.report, report(results, args.threads, mean)),
        ):
            if path:
                os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
                with open(path, "w") as file:
                    file.write(text)
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
