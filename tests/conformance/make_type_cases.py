# SPDX-License-Identifier: Apache-2.0
"""Every element type of every operator: `make_type_cases.py ONNX_CASES FOLDER`.

Takes ONNX's single-operator cases, gives each group of inputs and outputs that share a type in the
newest schema every other type that the schema allows, and asks ONNX's reference evaluator for the
result. FOLDER/wide: types whose results are exact or nearly; FOLDER/narrow: those of 16 bits and
fewer, where each step of the evaluator rounds. A line at the end counts what the evaluator cannot
compute.
"""

import collections
import pathlib
import re
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
    ("BlackmanWindow", "int", "whether 1 is reached is a matter of the last bit"),
    ("DequantizeLinear", "float4e2m1", "the evaluator leaves the zero point out"),
    ("DequantizeLinear", "float16", "the scale's type is the output's, too"),
    ("QuantizeLinear", "float8", "the evaluator leaves the zero point out"),
    ("BitCast", "", "other widths give other shapes"),
    ("SequenceInsert", "", "sequence and tensor change together only"),
    ("Cast", "int", "what NaN and infinity become is nobody's word"),
    ("CastLike", "int", "the same"),
    ("Gemm", "int", "with alpha 0.25 there is no integer product"),
    ("GridSample", "int", "the evaluator rounds interpolation weights to the image's type"),
    ("Resize", "int", "whether sums are rounded or cut off is nobody's word"),
    ("QLinearMatMul", "float8e5m2", "the evaluator scales in float16, which makes -70.47 -71"),
)
# Nobody computes with complex numbers; the floats of 6 bits that opset 28 brought are refused.
OTHER_KINDS = {"complex64", "complex128", "float6e2m3", "float6e3m2"}
# Attributes that name the type of an output which no input has.
TYPE_ATTRIBUTES = ("dtype", "to", "output_dtype", "output_datatype")


def is_left_out(operator, kind):
    return any(operator == name and part in kind for name, part, _ in LEFT_OUT)


def read_value(path, kind):
    """An array, a list of them, or None for an optional that is empty."""
    if kind.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(path.read_bytes()))
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(path.read_bytes()))
    return numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes()))


def newest_single_nodes(folder):
    """(schema, model, folder) of cases of one node, those made for its newest version first."""
    found = collections.defaultdict(list)
    for case in sorted(path.parent for path in folder.rglob("model.onnx")):
        model = onnx.load(case / "model.onnx", load_external_data=False)
        opset = next((o for o in model.opset_import if o.domain in ("", "ai.onnx")), None)
        if len(model.graph.node) != 1 or model.graph.initializer or opset is None:
            continue
        node = model.graph.node[0]
        if node.domain not in ("", "ai.onnx") or not onnx.defs.has(node.op_type):
            continue
        schema = onnx.defs.get_schema(node.op_type)
        if any(a.type == onnx.AttributeProto.GRAPH for a in node.attribute):
            continue
        is_older = opset.version < schema.since_version
        if is_older:
            opset.version, model.ir_version = schema.since_version, onnx.IR_VERSION
        found[node.op_type].append((is_older, case, schema, model))
    chosen = []
    for cases in found.values():
        cases.sort(key=lambda each: each[0])
        chosen += cases[:CASES_PER_OPERATOR]
    return [(schema, model, case) for _, case, schema, model in chosen if is_valid(model)]


def is_valid(model):
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError:  # of another version
        return False
    return True


def element_kind(text):
    """The element type of a type of tensors, or of sequences of them."""
    match = re.fullmatch(r"(?:seq\()?tensor\((\w+)\)+", text)
    return match and match[1]


def groups_of(schema, model):
    """{type parameter: names of the model's inputs and outputs that have it}"""
    node = model.graph.node[0]
    # Elements and what holds them change together.
    holders = {c.type_param_str for c in schema.type_constraints if may_hold(c)}
    element = next((c.type_param_str for c in schema.type_constraints
                    if c.type_param_str in ("T", "V")), None)  # fmt: skip
    groups = collections.defaultdict(set)
    for names, formals, values in (
        (node.input, schema.inputs, model.graph.input),
        (node.output, schema.outputs, model.graph.output),
    ):
        changeable = {v.name for v in values if element_type(v.type) is not None}
        for i, name in enumerate(names):
            if name in changeable:
                parameter = formals[min(i, len(formals) - 1)].type_str
                groups[element if element and parameter in holders else parameter].add(name)
    return groups


def may_hold(constraint):
    """Sequences, or optionals, which may be what they hold."""
    kinds = constraint.allowed_type_strs
    return all(k.startswith("seq(") for k in kinds) or any(k.startswith("optional(") for k in kinds)


def element_type(kind):
    """The tensor type of a tensor, of the elements of a sequence or of what an optional holds."""
    while not kind.HasField("tensor_type"):
        which = kind.WhichOneof("value")
        if which not in ("sequence_type", "optional_type"):
            return None
        kind = getattr(kind, which).elem_type
    return kind.tensor_type


def converted(value, code):
    if value is None:
        return None
    if isinstance(value, list):
        return [converted(each, code) for each in value]
    value = np.asarray(value)
    if value.dtype.kind in "OU":  # text
        numbers = np.arange(value.size, dtype=np.float64).reshape(value.shape)
    else:
        numbers = value.astype(np.float64)
    if code == TensorProto.STRING:
        return np.array([f"{x:g}" for x in numbers.ravel()], object).reshape(numbers.shape)
    if code == TensorProto.BOOL:
        return numbers > 0
    if TensorProto.DataType.Name(code).startswith("UINT"):
        numbers = np.abs(numbers)
    return numbers.astype(np.float32).astype(helper.tensor_dtype_to_np_dtype(code))


def with_type(model, names, code):
    """The model with another type of these inputs and outputs; None if nothing decides it."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    for value in (*model.graph.input, *model.graph.output):
        if value.name in names:
            element_type(value.type).elem_type = code
    if names.isdisjoint(value.name for value in model.graph.input):
        node = model.graph.node[0]
        named = [a for a in onnx.defs.get_schema(node.op_type).attributes if a in TYPE_ATTRIBUTES]
        if not named:
            return None
        rest = [a for a in node.attribute if a.name != named[0]]
        del node.attribute[:]
        node.attribute.extend([*rest, helper.make_attribute(named[0], code)])
    return model


def results_of(model, inputs, names, code):
    """What the evaluator gives. Floats that it does not know it computes in float32."""
    try:
        results = ReferenceEvaluator(model).run(None, inputs)
        if has_types(results, model):
            return results
    except Exception:  # whatever an operator of the evaluator raises for a type it does not know
        pass
    if code not in (TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE):
        return None
    wider = with_type(model, names, TensorProto.FLOAT)
    inputs = {n: converted(x, TensorProto.FLOAT) if n in names else x for n, x in inputs.items()}
    try:
        results = ReferenceEvaluator(wider).run(None, inputs)
    except Exception:
        return None
    results = [
        converted(r, code) if v.name in names else r
        for v, r in zip(model.graph.output, results)
    ]
    return results if has_types(results, model) else None


def has_types(results, model):
    for value, result in zip(model.graph.output, results):
        wanted = element_type(value.type).elem_type
        for array in result if isinstance(result, list) else [result]:
            if array is not None and numpy_helper.from_array(np.asarray(array)).data_type != wanted:
                return False
    return True


def to_bytes(value, name, kind):
    if kind.HasField("optional_type"):
        return numpy_helper.from_optional(value, name).SerializeToString()
    if isinstance(value, list):
        return numpy_helper.from_list([np.asarray(x) for x in value], name).SerializeToString()
    return numpy_helper.from_array(np.asarray(value), name).SerializeToString()


def write_case(model, case, names, code, to):
    """False where the evaluator has no result of the right type."""
    model = with_type(model, names, code)
    inputs = {}
    for i, value in enumerate(model.graph.input):
        given = read_value(case / "test_data_set_0" / f"input_{i}.pb", value.type)
        inputs[value.name] = converted(given, code) if value.name in names else given
    results = results_of(model, inputs, names, code)
    if results is None:
        return False
    data = to / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, to / "model.onnx")
    for kind, infos, values in (
        ("input", model.graph.input, inputs.values()),
        ("output", model.graph.output, results),
    ):
        for i, (info, value) in enumerate(zip(infos, values)):
            (data / f"{kind}_{i}.pb").write_bytes(to_bytes(value, info.name, info.type))
    return True


def kinds_of(schema):
    """{type parameter: element types that the schema allows}"""
    kinds = {}
    for constraint in schema.type_constraints:
        found = (element_kind(text) for text in constraint.allowed_type_strs)
        kinds[constraint.type_param_str] = sorted({kind for kind in found if kind} - OTHER_KINDS)
    return kinds


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, folder = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    seen, unknown = set(), collections.Counter()
    for schema, model, case in newest_single_nodes(source):
        allowed = kinds_of(schema)
        for parameter, names in groups_of(schema, model).items():
            for kind in allowed.get(parameter, ()):
                key = (schema.name, parameter, kind)
                code = getattr(TensorProto, kind.upper())
                if key in seen or with_type(model, names, code) is None:
                    continue
                seen.add(key)
                if is_left_out(schema.name, kind):
                    continue
                width = "narrow" if kind.startswith(NARROW) else "wide"
                if not write_case(model, case, names, code, folder / width / "__".join(key)):
                    unknown[schema.name] += 1
    print("not known to the evaluator:", ", ".join(f"{n} {c}" for n, c in sorted(unknown.items())))


if __name__ == "__main__":
    main()
