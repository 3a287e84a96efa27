#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random single operators: tenrec's interpreter and CPU target against onnxruntime.

usage: fuzz_operators.py TENREC [--seconds S] [--cases N] [--seed K] [--only REGEX] [--keep FOLDER]

Every case comes from its own number, `seed:index`; a failure is shrunk (axes halved, attributes
dropped) for as long as it fails in the same way, and printed with the folder that reproduces it.
Where onnxruntime and tenrec disagree, ONNX's reference evaluator decides; where that cannot run the
case either, EXPLAINED says what ONNX's text asks for.
"""

import argparse
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "conformance"))
import fuzz_generators  # noqa: E402
import onnx_case as oc  # noqa: E402



def pads_same(spec):
    return spec["attributes"].get("auto_pad", "").startswith("SAME")


def padding_would_be_negative(spec):
    """SAME where the windows leave elements out between them: size, kernel and stride decide."""
    attributes = spec["attributes"]
    sizes = spec["inputs"][0].shape[2:]
    for axis, (size, kernel) in enumerate(zip(sizes, attributes["kernel_shape"])):
        stride = attributes.get("strides", [1] * len(sizes))[axis]
        extent = (kernel - 1) * attributes.get("dilations", [1] * len(sizes))[axis] + 1
        if (-(-size // stride) - 1) * stride + extent < size:
            return True
    return False


# (what onnxruntime does, what ONNX's text says, of which cases)
EXPLAINED = [
    (
        "pools leave dilations out of SAME padding",
        "SAME: output_shape[i] = ceil(input_shape[i] / strides[i])",
        lambda spec: spec["op"].endswith("Pool")
        and pads_same(spec)
        and max(spec["attributes"].get("dilations", [1])) > 1,
    ),
    (
        "pools begin behind the first element where SAME needs no padding (MaxPool without indices"
        " refuses, Conv does not)",
        "pads: the number of elements added, at least 0",
        lambda spec: spec["op"].endswith("Pool")
        and pads_same(spec)
        and padding_would_be_negative(spec),
    ),
    (
        "ConvTranspose clips padding that would have to be negative",
        "SAME: output_shape[i] = input_shape[i] * strides[i]",
        lambda spec: spec["op"] == "ConvTranspose" and pads_same(spec),
    ),
    (
        "ReduceLogSum of no integers is the least one",
        "minus infinity (if supported by the datatype) or undefined otherwise",
        lambda spec: spec["op"] == "ReduceLogSum"
        and spec["inputs"][0].dtype.kind in "iu"
        and 0 in spec["inputs"][0].shape,
    ),
    (
        "ReduceLogSumExp of integers takes exponentials in integers",
        "log(sum(exp(x))), rounded once",
        lambda spec: spec["op"] == "ReduceLogSumExp" and spec["inputs"][0].dtype.kind in "iu",
    ),
]

BATCH = 100
TOLERANCE = ["--rtol", "1e-3", "--atol", "2e-5"]


def expected(model, spec):
    """What onnxruntime gives, or None where it refuses the case."""
    try:
        return oc.run_onnxruntime(model, spec["inputs"])
    except Exception:
        return None


def write(spec, folder):
    """The case as a folder; False where onnxruntime does not take it."""
    model = oc.single_node(
        spec["op"],
        spec["inputs"],
        spec["attributes"],
        spec.get("outputs", 1),
        spec.get("domain", ""),
        spec.get("version"),
        spec.get("constants", ()),
        spec.get("dynamic", False),
    )
    outputs = expected(model, spec)
    if outputs is None:
        return False
    oc.save(folder, oc.with_output_types(model, outputs), spec["inputs"], outputs)
    return True


def judge(tenrec, folder):
    """{case name: {target: result}} of the cases that fail."""
    run = subprocess.run(
        [tenrec, "conformance", str(folder), "--json", *TOLERANCE], capture_output=True, text=True
    )
    try:
        cases = json.loads(run.stdout)["cases"]
    except ValueError:
        sys.exit(f"tenrec conformance {folder}: {run.stderr}")
    failures = {}
    for case in cases:
        if case["outcome"] != "passed":
            failures.setdefault(case["name"], {})[case["target"]] = case
    return failures


def outcomes(failure):
    return {target: result["outcome"] for target, result in failure.items()}


def smaller(spec):
    """Specs with one thing less."""
    for name in list(spec["attributes"]):
        rest = {k: v for k, v in spec["attributes"].items() if k != name}
        yield {**spec, "attributes": rest}
    sizes = sorted({n for x in spec["inputs"] if x is not None for n in x.shape if n > 1})
    for size in reversed(sizes):
        for new in (1, size // 2, size - 1):

            def cut(x):
                return x[tuple(slice(0, new if n == size else n) for n in x.shape)]

            yield {**spec, "inputs": [None if x is None else cut(x) for x in spec["inputs"]]}
    for i, x in enumerate(spec["inputs"]):
        if x is None:
            continue
        for axis, size in enumerate(x.shape):
            if size > 1:
                less = np.take(x, range(size // 2), axis)
                inputs = spec["inputs"][:i] + [less] + spec["inputs"][i + 1 :]
                yield {**spec, "inputs": inputs}


def shrink(tenrec, spec, failure, folder, deadline):
    wanted = outcomes(failure)
    changed = True
    while changed and time.monotonic() < deadline:
        changed = False
        for candidate in smaller(spec):
            shutil.rmtree(folder, ignore_errors=True)
            if not write(candidate, folder / "case"):
                continue
            found = judge(tenrec, folder)
            if found and outcomes(next(iter(found.values()))) == wanted:
                spec, failure, changed = candidate, next(iter(found.values())), True
                break
            if time.monotonic() > deadline:
                break
    shutil.rmtree(folder, ignore_errors=True)
    write(spec, folder / "case")
    return spec, failure


def reference_agrees(tenrec, spec, folder):
    """Whether tenrec gives what ONNX's reference evaluator gives, onnxruntime being the odd one."""
    model = oc.single_node(
        spec["op"],
        spec["inputs"],
        spec["attributes"],
        spec.get("outputs", 1),
        spec.get("domain", ""),
        spec.get("version"),
        spec.get("constants", ()),
    )
    try:
        outputs = oc.run_reference(model, spec["inputs"])
    except Exception:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    oc.save(folder / "case", oc.with_output_types(model, outputs), spec["inputs"], outputs)
    return not judge(tenrec, folder)


def describe(spec):
    shapes = [
        (
            "-"
            if x is None
            else f"{x.dtype}{list(x.shape)}" + (f"={x.tolist()}" if x.size <= 8 else "")
        )
        for x in spec["inputs"]
    ]
    version = spec.get("version", 21)
    return f"{spec['op']} (opset {version}) {spec['attributes']} of {', '.join(shapes)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tenrec")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--cases", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("fuzz-failures"))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    makers = [m for m in fuzz_generators.ALL if re.search(arguments.only, m.__name__)]
    end = time.monotonic() + arguments.seconds
    passed = failed = refused = index = 0
    departures = collections.Counter()
    explained = [0] * len(EXPLAINED)
    seen = {}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        while time.monotonic() < end and index < arguments.cases:
            batch = scratch / "batch"
            shutil.rmtree(batch, ignore_errors=True)
            specs = {}
            while len(specs) < BATCH and index < arguments.cases:
                random = np.random.default_rng([arguments.seed, index])
                spec = makers[random.integers(len(makers))](random)
                name = f"case_{arguments.seed}_{index}"
                index += 1
                if write(spec, batch / name):
                    specs[name] = spec
                else:
                    refused += 1
            failures = judge(arguments.tenrec, batch) if specs else {}
            passed += len(specs) - len(failures)
            for name, failure in failures.items():
                if reference_agrees(arguments.tenrec, specs[name], scratch / "reference"):
                    departures[specs[name]["op"]] += 1
                    continue
                known = [i for i, (*_, covers) in enumerate(EXPLAINED) if covers(specs[name])]
                if known:
                    explained[known[0]] += 1
                    continue
                failed += 1
                key = (specs[name]["op"], str(outcomes(failure)))
                seen[key] = seen.get(key, 0) + 1
                if seen[key] > 1:  # one of each kind is enough to read
                    continue
                folder = arguments.keep / name
                spec, failure = shrink(
                    arguments.tenrec, specs[name], failure, folder, time.monotonic() + 30
                )
                print(f"FAIL {describe(spec)}")
                for target, result in failure.items():
                    print(f"     {target}: {result['outcome']}: {result['message'][:300]}")
                print(f"     tenrec conformance {folder}", flush=True)
    for (op, kinds), count in sorted(seen.items()):
        if count > 1:
            print(f"     {op} {kinds}: {count} times")
    print(f"{refused} refused by onnxruntime")
    listed = ", ".join(f"{op} {count}" for op, count in sorted(departures.items()))
    print(f"{departures.total()} where only onnxruntime departs from ONNX: {listed or 'none'}")
    for (theirs, text, _), count in zip(EXPLAINED, explained, strict=True):
        if count:
            print(f"{count} explained: onnxruntime's {theirs}; ONNX says {text}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
