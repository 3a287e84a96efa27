#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every model of a folder against onnxruntime. Called through scripts/check_models.sh.

For each DIR/*.onnx, DIR/*/*.onnx and the same with .zst: `tenrec build` makes an engine, `tenrec
run`, a new process each time, runs it on seeded random inputs (scripts/model_inputs.py finds some
that fit) at two seeds, and at a second shape where dims are dynamic.

What counts as equal, for every model:
  floats    |a - b| <= 2e-4 * max|b| + 1e-6, b being onnxruntime's. NaN only where b has NaN.
  integers, booleans, strings    exactly equal.
  indices   An integer output that comes straight from ArgMax, ArgMin or TopK points at a float. It
            is right if the value it points at equals the value that onnxruntime's index points at
            within the tolerance for floats: nobody can ask more of an index than of the values that
            decide it. Nothing else about such an output is relaxed.
  shapes and types    exactly equal.
Robust Video Matting is the one exception, with the tolerances its README states (model_hints.json).

Which inputs: where onnxruntime disagrees beyond half the tolerance with itself without its
optimiser, or with itself when the last bits of the input change, the input is ill-posed (a detector
whose two best boxes tie) and the next seed is taken. Every output has to vary with the input; other
kinds of random input are tried until each does.

A model that cannot be checked has failed. There are no skips.
"""

import argparse
import dataclasses
import glob
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx

import model_inputs

RELATIVE, ABSOLUTE = 2e-4, 1e-6
# Outputs of two seeds have to differ by this many times the tolerance.
VARIES = 5
SEEDS_TO_TRY = 10
# Other roundings may move the answer to an input by this much of the tolerance.
WELL_POSED = 0.5
TIME_LIMIT = 600


class Failure(Exception):
    pass


# Comparison ---------------------------------------------------------------------------------------


def float_ratio(ours, expected, allowed=None):
    """Largest difference in units of what is allowed; infinite if NaNs or infinities differ."""
    ours, expected = ours.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(expected)
    if not np.array_equal(finite, np.isfinite(ours)):
        return float("inf")
    if not np.array_equal(ours[~finite], expected[~finite], equal_nan=True):
        return float("inf")
    if not finite.any():
        return 0.0
    if allowed is None:
        allowed = RELATIVE * np.abs(expected[finite]).max() + ABSOLUTE
    return float(np.abs(ours[finite] - expected[finite]).max() / allowed)


def ratio(ours, expected):
    """At most 1 if equal enough."""
    if ours.shape != expected.shape or ours.dtype != expected.dtype:
        return float("inf")
    if np.issubdtype(expected.dtype, np.floating):
        return float_ratio(ours, expected)
    return 0.0 if np.array_equal(ours, expected) else float("inf")


KEEPS_ORDER = {"Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape", "Flatten"}


def index_source(graph, output):
    """The ArgMax, ArgMin or TopK node whose indices this output holds, through nodes that keep
    their number and order, or None."""
    producers = {name: node for node in graph.node for name in node.output}
    node, name = producers.get(output), output
    while node is not None and node.op_type in KEEPS_ORDER:
        name = node.input[0]
        node = producers.get(name)
    if node is None:
        return None
    if node.op_type in ("ArgMax", "ArgMin"):
        return node, name
    return (node, name) if node.op_type == "TopK" and name == node.output[1] else None


def index_ratio(model, output, feeds, ours):
    """Compares the values that our indices and onnxruntime's point at; None if `output` holds no
    indices."""
    graph_model = onnx.load(model)
    source = index_source(graph_model.graph, output)
    if source is None:
        return None
    node, name = source
    scores_name = node.input[0]
    known = {o.name for o in graph_model.graph.output}
    for extra in {scores_name, name} - known:
        graph_model.graph.output.append(onnx.helper.make_empty_tensor_value_info(extra))
    reference = model_inputs.session(graph_model.SerializeToString())
    scores, expected = reference.run([scores_name, name], feeds)
    attributes = {a.name: a.i for a in node.attribute}
    axis = attributes.get("axis", -1 if node.op_type == "TopK" else 0)
    if node.op_type != "TopK" and not attributes.get("keepdims", 1):
        expected = np.expand_dims(expected, axis)
    if ours.size != expected.size or not np.issubdtype(scores.dtype, np.floating):
        return None
    ours = ours.reshape(expected.shape).astype(np.int64)
    size = scores.shape[axis]
    if ((ours < -size) | (ours >= size)).any():
        return float("inf")
    pick = lambda indices: np.take_along_axis(scores, indices % size, axis)
    allowed = RELATIVE * np.abs(scores).max() + ABSOLUTE
    return float_ratio(pick(ours), pick(expected), allowed)


# Running tenrec -----------------------------------------------------------------------------------


@dataclasses.dataclass
class Tenrec:
    command: list[str]
    build_flags: list[str]
    folder: str

    def call(self, *arguments):
        start = time.time()
        try:
            done = subprocess.run(
                [*self.command, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIME_LIMIT,
            )
        except subprocess.TimeoutExpired:
            raise Failure(f"`tenrec {arguments[0]}` took over {TIME_LIMIT} s") from None
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
            raise Failure(f"`tenrec {arguments[0]}` exit code {done.returncode}: {lines[-1]}")
        return time.time() - start

    def build(self, model):
        engine = os.path.join(self.folder, "model.engine")
        seconds = self.call("build", model, "-o", engine, *self.build_flags)
        if not os.path.exists(engine):
            raise Failure("`tenrec build` wrote no engine")
        return engine, seconds

    def run(self, engine, feeds, outputs):
        source, target = (os.path.join(self.folder, name) for name in ("in.npz", "out.npz"))
        if os.path.exists(target):
            os.remove(target)
        np.savez(source, **feeds)
        seconds = self.call("run", engine, "--inputs", source, "--outputs", target)
        with np.load(target) as results:
            missing = [name for name in outputs if name not in results]
            if missing:
                raise Failure(f"no output {missing[0]!r}; there are {sorted(results)}")
            return [results[name] for name in outputs], seconds


# One model ----------------------------------------------------------------------------------------


@dataclasses.dataclass
class Row:
    name: str
    build_seconds: float = 0.0
    shapes: str = ""
    worst: float = 0.0
    problem: str = ""


def varying(outputs_a, outputs_b):
    return [ratio(a, b) > VARIES for a, b in zip(outputs_a, outputs_b)]


class Cases:
    """The inputs a model is run on, each with onnxruntime's outputs: two seeds at the first shape,
    one at each other shape."""

    def __init__(self, model):
        self.reference = model_inputs.session(model)
        self.names = [o.name for o in self.reference.get_outputs()]
        self.inputs = model_inputs.Inputs(self.reference)
        try:
            self.plain = model_inputs.session(model, optimise=False)
        except Exception:  # some models need a fusion to run at all
            self.plain = None
        self.all = self.choose()

    def choose(self):
        """The first kind of random input on which every output varies and none is ill-posed, else
        the kind nearest to that."""
        best, best_score = [], -1
        for mode in model_inputs.MODES:
            cases, posed = self.draw(mode)
            score = sum(varying(cases[0][1], cases[1][1])) + posed / len(cases)
            if score > best_score:
                best, best_score = cases, score
            if best_score == len(self.names) + 1:
                break
        return best

    def draw(self, mode):
        """The cases of one kind, and how many of them are well-posed."""
        shapes = self.inputs.shapes
        wanted = [(shapes[0], 0), (shapes[0], 1), *((more, 0) for more in shapes[1:])]
        found = [self.case(mode, shape, seed) for shape, seed in wanted]
        return [case for case, _ in found], sum(posed for _, posed in found)

    def case(self, mode, shapes, first_seed):
        """The first well-posed input of a few seeds, else the one nearest to that."""
        best, least = None, float("inf")
        for seed in range(first_seed, first_seed + 2 * SEEDS_TO_TRY, 2):
            feeds = self.inputs.draw(shapes, seed, mode)
            expected = self.reference.run(None, feeds)
            doubt = self.doubt(feeds, expected)
            if best is None or doubt < least:
                best, least = (feeds, expected), doubt
            if least <= WELL_POSED:
                return best, True
        return best, False

    def doubt(self, feeds, expected):
        """How far, in units of the tolerance, other roundings in the network and in its input move
        the answer."""
        worst = 0.0
        for rounding in range(4):
            try:
                if rounding == 0:
                    again = self.plain.run(None, feeds) if self.plain else expected
                else:
                    again = self.reference.run(None, jittered(feeds, rounding))
            except Exception:
                return float("inf")
            worst = max(worst, *map(ratio, again, expected))
            if worst > WELL_POSED:
                break
        return worst


def jittered(feeds, seed):
    """The inputs with the last bits of their floats changed."""
    rng = np.random.default_rng(seed)
    return {
        name: (
            (value * (1 + rng.choice([-1e-6, 1e-6], value.shape))).astype(value.dtype)
            if value.dtype == np.float32
            else value
        )
        for name, value in feeds.items()
    }


def check_outputs(model, names, feeds, ours, expected):
    worst = 0.0
    for name, a, b in zip(names, ours, expected):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise Failure(f"{name}: {a.dtype}{list(a.shape)}, expected {b.dtype}{list(b.shape)}")
        off = ratio(a, b)
        if not off <= 1 and np.issubdtype(b.dtype, np.integer):
            by_value = index_ratio(model, name, feeds, a)
            off = off if by_value is None else by_value
        if not off <= 1:
            if np.issubdtype(b.dtype, np.floating):
                raise Failure(f"{name}: {off:.3g} times the tolerance off ({error_of(a, b)})")
            raise Failure(f"{name}: {int((a != b).sum())} of {b.size} values differ")
        worst = max(worst, off)
    return worst


def error_of(ours, expected):
    with np.errstate(invalid="ignore"):
        difference = np.abs(ours.astype(np.float64) - expected.astype(np.float64))
    place = np.unravel_index(np.argmax(np.nan_to_num(difference, nan=np.inf)), difference.shape)
    where = ", ".join(map(str, place))
    return f"at [{where}]: {ours[place]:.7g}, expected {expected[place]:.7g}"


def check(model, tenrec, row):
    cases = Cases(model)
    row.shapes = " ".join(model_inputs.describe(s) for s in cases.inputs.shapes)
    engine, row.build_seconds = tenrec.build(model)
    results = []
    for feeds, expected in cases.all:
        ours, _ = tenrec.run(engine, feeds, cases.names)
        row.worst = max(row.worst, check_outputs(model, cases.names, feeds, ours, expected))
        results.append(ours)
    for name, varies in zip(cases.names, varying(results[0], results[1])):
        if not varies:
            raise Failure(f"{name} does not vary with the input")


# Models that feed their states back ---------------------------------------------------------------


def frames_of(path):
    """The arrays of a golden file; pictures kept as bytes become floats in [0, 1]."""
    if not os.path.exists(path):
        raise Failure(f"{os.path.basename(path)} is not beside the model")
    with np.load(path) as file:
        arrays = {key: file[key] for key in file}
    for key in [key for key in arrays if "_u8_" in key]:
        arrays[key.replace("_u8_", "_")] = arrays[key].astype(np.float32) / np.float32(255)
    return arrays


def within(ours, expected, allowed):
    """Ratio to the stated largest (and mean, if stated) absolute difference."""
    worst = float_ratio(ours, expected, allowed["largest"])
    if "mean" in allowed and np.isfinite(worst):
        mean = np.abs(ours.astype(np.float64) - expected).mean()
        worst = max(worst, float(mean / allowed["mean"]))
    return worst


def check_sequence(model, stem, source_folder, tenrec, row, rule):
    """Runs the frames of each golden file one after the other, feeding our own states back. Golden
    outputs are the reference for the model they were made with, where the file has them whole;
    onnxruntime is for the rest."""
    reference = model_inputs.session(model)
    inputs = [i.name for i in reference.get_inputs()]
    names = [o.name for o in reference.get_outputs()]
    engine, row.build_seconds = tenrec.build(model)
    shapes = []
    for file in rule["frames"]:
        arrays = frames_of(os.path.join(source_folder, file))
        golden = stem == rule["golden"] and all(f"{name}_0" in arrays for name in names)
        states = {name: np.zeros(rule["start"], np.float32) for name in rule["feedback"]}
        expected_states = dict(states)
        frames = sorted({int(key.rsplit("_", 1)[1]) for key in arrays if key[-1].isdigit()})
        previous = None
        for frame in frames:
            own = [n for n in inputs if n not in states]
            given = {n: arrays.get(f"{n}_{frame}", arrays.get(n)) for n in own}
            ours, _ = tenrec.run(engine, {**given, **states}, names)
            if golden:
                expected = [arrays[f"{n}_{frame}"] for n in names]
            else:
                expected = reference.run(None, {**given, **expected_states})
            for name, a, b in zip(names, ours, expected):
                if a.shape != b.shape or a.dtype != b.dtype:
                    raise Failure(f"{name}: {a.dtype}{list(a.shape)}, expected {list(b.shape)}")
                off = within(a, b, model_inputs.tolerance_for(name, rule["tolerance"]))
                if not off <= 1:
                    raise Failure(f"frame {frame}, {name}: {off:.3g} times its tolerance off")
                row.worst = max(row.worst, off)
            if previous is not None and not all(varying(previous, ours)):
                raise Failure("outputs do not vary from frame to frame")
            previous = ours
            states = {i: ours[names.index(o)] for i, o in rule["feedback"].items()}
            expected_states = {i: expected[names.index(o)] for i, o in rule["feedback"].items()}
        shapes.append(f"{len(frames)} frames {'x'.join(map(str, given[inputs[0]].shape))}")
    row.shapes = " ".join(shapes)


# The folder ---------------------------------------------------------------------------------------


def find_models(folder):
    patterns = ("*.onnx", "*.onnx.zst", "*/*.onnx", "*/*.onnx.zst")
    start = glob.escape(folder)
    return sorted(path for p in patterns for path in glob.glob(os.path.join(start, p)))


def unpack(path, folder):
    """The path itself, or that of the decompressed copy."""
    if not path.endswith(".zst"):
        return path
    target = os.path.join(folder, os.path.basename(path)[: -len(".zst")])
    subprocess.run(["zstd", "-qdf", path, "-o", target], check=True)
    return target


def check_one(path, root, command, build_flags):
    name = os.path.relpath(path, root)
    row = Row(name)
    with tempfile.TemporaryDirectory(prefix="tenrec-check-") as folder:
        try:
            model = unpack(path, folder)
            stem = os.path.basename(model)[: -len(".onnx")]
            tenrec = Tenrec(command, build_flags, folder)
            rule = model_inputs.hint_for(model_inputs.session(model).get_inputs()).get("sequence")
            if rule:
                check_sequence(model, stem, os.path.dirname(path), tenrec, row, rule)
            else:
                check(model, tenrec, row)
        except (Failure, model_inputs.NoInputs) as failure:
            row.problem = str(failure)
        except Exception as error:  # whatever it is, the other models still get their turn
            row.problem = f"{type(error).__name__}: {error}"
    return row


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser = argparse.ArgumentParser(
        usage="check_models.sh DIR [--only PATTERN]... [--tenrec COMMAND] [tenrec build flags...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("folder")
    parser.add_argument("--only", action="append", default=[], help="part of a model's name")
    parser.add_argument("--tenrec", default=os.path.join(root, "build/release/bin/tenrec"))
    parser.add_argument("--json", help="also write the rows to this file")
    args, build_flags = parser.parse_known_args()

    models = [
        m for m in find_models(args.folder) if not args.only or any(o in m for o in args.only)
    ]
    print(f"{'model':42} {'build s':>8} {'of tolerance':>12}  result  shapes", flush=True)
    rows = []
    for path in models:
        row = check_one(path, args.folder, shlex.split(args.tenrec), build_flags)
        rows.append(row)
        result = "FAILED" if row.problem else "passed"
        print(f"{row.name:42} {row.build_seconds:8.2f} {row.worst:12.4f}  {result}  {row.shapes}")
        if row.problem:
            print(f"    {row.problem}")
        sys.stdout.flush()
    if args.json:
        with open(args.json, "w") as file:
            json.dump([dataclasses.asdict(row) for row in rows], file, indent=1)
    failed = sum(bool(row.problem) for row in rows)
    if not rows:
        print(f"no models in {args.folder}")
        failed = 1
    print(f"{len(rows) - failed if rows else 0} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
