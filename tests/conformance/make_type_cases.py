# SPDX-License-Identifier: Apache-2.0
"""Every element type of every operator: `make_type_cases.py ONNX_CASES FOLDER`.

Takes ONNX's single-operator cases of the newest opsets, gives each group of inputs and outputs that
share a type in the schema every other type that the schema allows, and asks ONNX's reference
evaluator for the result. FOLDER/wide: types whose results are exact or nearly; FOLDER/narrow: those
of 16 bits and fewer, where each step of the evaluator rounds. A line at the end counts what the
evaluator cannot compute.
"""

import collections
import pathlib
import shutil
import sys
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

warnings.simplefilter("ignore")  # casts of infinity

NARROW = ("float16", "bfloat16", "float8", "float4")
# Enough for every operator's type groups; more cases of one operator have the same ones.
CASES_PER_OPERATOR = 3
# Operators, a part of the type's name, and why the evaluator's numbers say nothing about it.
LEFT_OUT = (
    ("Bernoulli", "", "draws random numbers"),
    ("BitCast", "", "other widths give other shapes"),
    ("SequenceInsert", "", "sequence and tensor change together only"),
    ("Cast", "int", "what NaN and infinity become is nobody's word"),
    ("CastLike", "int", "the same"),
    ("Gemm", "int", "with alpha 0.25 there is no integer product"),
    ("GridSample", "int", "the evaluator rounds interpolation weights to the image's type"),
    ("Resize", "int", "whether sums are rounded or cut off is nobody's word"),
    ("QLinearMatMul", "float8e5m2", "the evaluator scales in float16, which makes -70.47 -71"),
)
# Booleans and text have values of their own in ONNX's cases; nobody computes with complex numbers.
OTHER_KINDS = ("bool", "string", "complex64", "complex128")


def is_left_out(operator, kind):
    return any(operator == name and part in kind for name, part, _ in LEFT_OUT)


def read_tensor(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return tensor


def newest_single_nodes(folder):
    """(schema, model, folder) of cases of one node in its newest version."""
    found = collections.defaultdict(list)
    for case in sorted(path.parent for path in folder.rglob("model.onnx")):
        model = onnx.load(case / "model.onnx", load_external_data=False)
        opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), None)
        if len(model.graph.node) != 1 or model.graph.initializer or opset is None:
            continue
        node = model.graph.node[0]
        if node.domain not in ("", "ai.onnx") or not onnx.defs.has(node.op_type):
            continue
        schema = onnx.defs.get_schema(node.op_type)
        has_body = any(a.type == onnx.AttributeProto.GRAPH for a in node.attribute)
        if has_body or opset < schema.since_version:
            continue
        if len(found[node.op_type]) < CASES_PER_OPERATOR:
            found[node.op_type].append((schema, model, case))
    return [case for cases in found.values() for case in cases]


def groups_of(schema, model):
    """{type parameter: names of the model's inputs and outputs that have it}"""
    node = model.graph.node[0]
    groups = collections.defaultdict(set)
    for names, formals, values in (
        (node.input, schema.inputs, model.graph.input),
        (node.output, schema.outputs, model.graph.output),
    ):
        tensors = {v.name for v in values if v.type.HasField("tensor_type")}
        for i, name in enumerate(names):
            if name in tensors:
                groups[formals[min(i, len(formals) - 1)].type_str].add(name)
    return groups


def converted(array, code, name):
    dtype = helper.tensor_dtype_to_np_dtype(code)
    numbers = array.astype(np.float64)
    if TensorProto.DataType.Name(code).startswith("UINT"):
        numbers = np.abs(numbers)
    return numpy_helper.from_array(numbers.astype(np.float32).astype(dtype), name)


def write_case(model, case, names, code, to):
    """False where the evaluator has no result of the right type."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    for value in (*model.graph.input, *model.graph.output):
        if value.name in names:
            value.type.tensor_type.elem_type = code
    tensors = []
    for i, value in enumerate(model.graph.input):
        tensor = read_tensor(case / "test_data_set_0" / f"input_{i}.pb")
        if value.name in names:
            tensor = converted(numpy_helper.to_array(tensor), code, value.name)
        tensors.append(tensor)
    feed = {v.name: numpy_helper.to_array(t) for v, t in zip(model.graph.input, tensors)}
    try:
        results = ReferenceEvaluator(model).run(None, feed)
        outputs = [
            numpy_helper.from_array(np.asarray(r), v.name)
            for v, r in zip(model.graph.output, results)
        ]
    except Exception:  # whatever an operator of the evaluator raises for a type it does not know
        return False
    for value, tensor in zip(model.graph.output, outputs):
        if tensor.data_type != value.type.tensor_type.elem_type:
            return False
    data = to / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, to / "model.onnx")
    for kind, written in (("input", tensors), ("output", outputs)):
        for i, tensor in enumerate(written):
            (data / f"{kind}_{i}.pb").write_bytes(tensor.SerializeToString())
    return True


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, folder = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    seen, unknown = set(), collections.Counter()
    for schema, model, case in newest_single_nodes(source):
        allowed = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}
        inputs = {value.name for value in model.graph.input}
        for parameter, names in groups_of(schema, model).items():
            for text in allowed.get(parameter, ()):
                kind = text.removeprefix("tensor(").removesuffix(")")
                key = (schema.name, parameter, kind)
                if not text.startswith("tensor(") or not names & inputs or key in seen:
                    continue
                seen.add(key)
                if kind in OTHER_KINDS or is_left_out(schema.name, kind):
                    continue
                width = "narrow" if kind.startswith(NARROW) else "wide"
                to = folder / width / "__".join(key)
                code = getattr(TensorProto, kind.upper())
                if not write_case(model, case, names, code, to):
                    unknown[schema.name] += 1
    print("not known to the evaluator:", ", ".join(f"{n} {c}" for n, c in sorted(unknown.items())))


if __name__ == "__main__":
    main()
