#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Invalid models are refused at build, with a node's name: ONNX's test cases, broken on purpose.

usage: invalid_models.py CASES [--count N] [--seed K] [--only REGEX] [--keep FOLDER]

CASES: a folder of ONNX test cases. Each is broken in four ways, one at a time: an attribute of the
wrong type, an input left out or not computed by anybody, an axis out of range, a size or rank that
does not fit. Where ONNX's checker or onnxruntime refuses what came of it, so must Tenrec, naming a
node; where Tenrec alone refuses, it has to name a node too. All in one process: a crash ends it,
and FOLDER/current.onnx is the model that did it. Without --count all cases are taken.
"""

import argparse
import faulthandler
import pathlib
import random
import re
import sys

import onnx
import onnxruntime
import tenrec
from onnx import TensorProto, helper

onnxruntime.set_default_logger_severity(4)
VALUES = (7, 0.5, "nonsense", [1, 2], [0.5, 1.5], ["a", "b"])
THEIR_LIMITS = (onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented,)
FAR = 9  # beyond any rank here
# The axis means nothing without parameters for each of its elements; of what a sequence holds not
# even the rank is always known.
WITHOUT_AXIS = ("QuantizeLinear", "DequantizeLinear", "ConcatFromSequence")


def named(model):
    for i, node in enumerate(model.graph.node):
        node.name = f"the_node_{i}"
    return model


def nodes_with(model, wanted):
    return [node for node in model.graph.node if wanted(node)]


def break_attribute(model, rng):
    """An attribute of another type."""
    nodes = nodes_with(model, lambda node: any(a.type != a.GRAPH for a in node.attribute))
    if not nodes:
        return None
    node = rng.choice(nodes)
    chosen = rng.choice([a for a in node.attribute if a.type != a.GRAPH])
    others = [helper.make_attribute(chosen.name, value) for value in VALUES]
    old = chosen.type
    other = rng.choice([a for a in others if a.type != old])
    chosen.CopyFrom(other)
    names = [onnx.AttributeProto.AttributeType.Name(kind) for kind in (old, other.type)]
    return f"{node.op_type}.{other.name}: {names[0]} -> {names[1]}", their_refusal(model)


def is_needed(model, node, at):
    opsets = {o.domain: o.version for o in model.opset_import}
    try:
        schema = onnx.defs.get_schema(node.op_type, opsets[node.domain], node.domain)
    except onnx.defs.SchemaError:  # of another domain
        return False
    options = [i.option for i in schema.inputs]
    return at < len(options) and options[at] == onnx.defs.OpSchema.FormalParameterOption.Single


def break_input(model, rng):
    """An input left out, cut off or misspelt."""
    nodes = nodes_with(model, lambda node: any(node.input))
    if not nodes:
        return None
    node = rng.choice(nodes)
    at = rng.choice([i for i, name in enumerate(node.input) if name])
    way = rng.choice(["left out", "cut off", "misspelt"])
    needed = way == "misspelt" or is_needed(model, node, at)
    if way == "left out":
        node.input[at] = ""
    elif way == "cut off":
        del node.input[at:]
    else:
        node.input[at] += "_misspelt"
    return f"{node.op_type}: input {at} {way}", "it is needed" if needed else None


def break_axis(model, rng):
    """An axis out of range."""

    def is_axis(attribute):
        of_numbers = attribute.type in (attribute.INT, attribute.INTS)
        return of_numbers and re.search(r"^(?!noop).*ax[ie]s$", attribute.name)

    nodes = nodes_with(model, lambda node: any(is_axis(a) for a in node.attribute))
    nodes = [node for node in nodes if node.op_type not in WITHOUT_AXIS]
    if not nodes:
        return None
    node = rng.choice(nodes)
    chosen = rng.choice([a for a in node.attribute if is_axis(a)])
    value = rng.choice([FAR, -FAR - 1])
    if chosen.type == chosen.INT:
        chosen.i = value
    elif chosen.ints:
        chosen.ints[rng.randrange(len(chosen.ints))] = value
    else:
        chosen.ints.append(value)
    return f"{node.op_type}.{chosen.name} = {value}", "no tensor has such an axis"


def break_shape(model, rng):
    """A size of a graph input, or its number of axes."""
    given = {i.name for i in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in given]
    tensors = [i for i in inputs if i.type.HasField("tensor_type")]
    if not tensors:
        return None
    chosen = rng.choice(tensors)
    dims = chosen.type.tensor_type.shape.dim
    if not dims or rng.random() < 0.4:
        dims.add().dim_value = 3
        return f"{chosen.name} has an axis more", their_refusal(model)
    at = rng.randrange(len(dims))
    dims[at].dim_value += rng.choice([1, 4])
    return f"{chosen.name} has {dims[at].dim_value} elements along axis {at}", their_refusal(model)


# Each gives what it did and what is wrong about that: by itself, or as ONNX or onnxruntime say.
WAYS = (break_attribute, break_input, break_axis, break_shape)


def their_refusal(model):
    """What ONNX or onnxruntime has against a model, or None."""
    # The declared outputs are those of the whole model.
    for output in model.graph.output:
        if output.type.HasField("tensor_type"):
            output.type.tensor_type.ClearField("shape")
    context = onnx.checker.C.CheckerContext()
    context.ir_version = model.ir_version
    context.opset_imports = {o.domain: o.version for o in model.opset_import}
    try:
        for node in model.graph.node:
            onnx.checker.check_node(node, context)
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except Exception as error:
        # The sizes that bodies declare bind nobody; actual ones are passed in.
        return None if "existing shape differ" in str(error) else f"ONNX: {error}"
    try:
        onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
    except THEIR_LIMITS:
        return None
    except Exception as error:
        return f"onnxruntime: {error}"
    return None


def our_refusal(model):
    """What Tenrec has against a model, or None; what it warns of counts."""
    try:
        warnings = tenrec.build(model.SerializeToString(), tune=False, threads=1).warnings
    except tenrec.Error as error:
        return error
    return warnings[0] if warnings else None


def judge(theirs, ours):
    """None, or what is wrong about this pair."""
    if ours is None:
        return f"accepted, but {theirs}" if theirs else None
    if isinstance(ours, str):
        return None
    wanted = (tenrec.ErrorCode.INVALID_MODEL, tenrec.ErrorCode.UNSUPPORTED)
    if ours.code not in wanted:
        return f"refused as {ours.code.name}: {ours}"
    if "the_node_" not in str(ours):
        return f"no node is named: {ours}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cases", type=pathlib.Path)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("invalid-models"))
    arguments = parser.parse_args()
    faulthandler.enable()
    arguments.keep.mkdir(parents=True, exist_ok=True)
    paths = sorted(p for p in arguments.cases.rglob("model.onnx"))
    paths = [p for p in paths if re.search(arguments.only, p.parent.name)]
    if arguments.count:
        paths = random.Random(arguments.seed).sample(paths, min(arguments.count, len(paths)))
    passed = failed = refused = 0
    for path in paths:
        for way in WAYS:
            name = f"{path.parent.name}.{way.__name__}"
            rng = random.Random(f"{arguments.seed}:{name}")
            model = named(onnx.load(path))
            broken = way(model, rng)
            if broken is None:
                continue
            onnx.save(model, arguments.keep / "current.onnx")
            what, theirs = broken
            ours = our_refusal(model)
            wrong = judge(theirs, ours)
            if wrong is not None and their_refusal(onnx.load(path)):
                continue  # they refuse the case as it was
            refused += ours is not None
            passed += wrong is None
            if wrong is not None:
                failed += 1
                onnx.save(model, arguments.keep / f"{name}.onnx")
                print(f"FAIL {name} ({what}): {' '.join(wrong.split())[:300]}", flush=True)
    print(f"seed {arguments.seed}: {refused} of {passed + failed} broken models refused")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
