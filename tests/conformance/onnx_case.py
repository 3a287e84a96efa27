# SPDX-License-Identifier: Apache-2.0
"""Single-operator ONNX models as test case folders, with what onnxruntime or the reference says."""

import pathlib

import numpy as np
import onnx
import onnx.reference
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ML, MS = "ai.onnx.ml", "com.microsoft"
VERSIONS = {"": 21, ML: 3, MS: 1}
onnxruntime.set_default_logger_severity(4)


def tensor_type(array):
    return helper.np_dtype_to_tensor_dtype(np.asarray(array).dtype)


def map_type(entries):
    """Of a dict from integers or strings to floats, integers or strings."""
    codes = {str: TensorProto.STRING, int: TensorProto.INT64, float: TensorProto.FLOAT}
    key, value = next(iter(entries.items()))
    return helper.make_map_type_proto(
        codes[type(key)], helper.make_tensor_type_proto(codes[type(value)], [])
    )


def value_info(name, array):
    if isinstance(array, dict):
        return helper.make_value_info(name, map_type(array))
    return helper.make_tensor_value_info(name, tensor_type(array), np.asarray(array).shape)


def single_node(
    op, inputs, attributes, outputs, domain="", version=None, constants=(), dynamic=False
):
    """`inputs`: arrays, None where omitted. `constants`: numbers of those that are initialisers.
    `outputs`: how many, or a list of names with "" where not wanted. Output types are left open."""
    names = [f"x{i}" if x is not None else "" for i, x in enumerate(inputs)]
    while names and not names[-1]:
        names.pop()
    if isinstance(outputs, int):
        outputs = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op, names, outputs, domain=domain, **attributes)
    graph = helper.make_graph(
        [node],
        op,
        [
            (
                value_info(n, x)
                if not dynamic
                else helper.make_tensor_value_info(n, tensor_type(x), [None] * np.asarray(x).ndim)
            )
            for i, (n, x) in enumerate(zip(names, inputs))
            if n and i not in constants
        ],
        [onnx.ValueInfoProto(name=o) for o in outputs if o],
        [numpy_helper.from_array(np.asarray(inputs[i]), names[i]) for i in constants],
    )
    opsets = {"": VERSIONS[""], domain: version or VERSIONS[domain]}
    if domain == "" and version:
        opsets[""] = version
    imports = [helper.make_opsetid(d, v) for d, v in opsets.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=10)


def feeds(model, inputs):
    wanted = {i.name for i in model.graph.input}
    return {
        f"x{i}": x if isinstance(x, dict) else np.asarray(x)
        for i, x in enumerate(inputs)
        if f"x{i}" in wanted
    }


def run_onnxruntime(model, inputs):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds(model, inputs))


def run_reference(model, inputs):
    return onnx.reference.ReferenceEvaluator(model).run(None, feeds(model, inputs))


def with_output_types(model, outputs):
    for info, value in zip(model.graph.output, outputs):
        if isinstance(value, list):  # of maps
            kind = helper.make_sequence_type_proto(map_type(value[0]))
            info.CopyFrom(helper.make_value_info(info.name, kind))
            continue
        array = np.asarray(value)
        dtype = TensorProto.STRING if array.dtype.kind in "OUS" else tensor_type(array)
        info.CopyFrom(helper.make_tensor_value_info(info.name, dtype, [None] * array.ndim))
    return model


def map_proto(entries):
    code = {str: TensorProto.STRING, int: TensorProto.INT64, float: TensorProto.FLOAT}
    kinds = {str: object, int: np.int64, float: np.float32}
    keys = sorted(entries)
    proto = onnx.MapProto(key_type=code[type(keys[0])])
    (proto.string_keys if isinstance(keys[0], str) else proto.keys).extend(
        [key.encode() if isinstance(key, str) else key for key in keys]
    )
    for key in keys:
        value = np.array(entries[key], kinds[type(entries[key])])
        proto.values.tensor_values.append(numpy_helper.from_array(value))
    proto.values.elem_type = onnx.SequenceProto.TENSOR
    return proto


def to_proto(value):
    if isinstance(value, dict):
        return map_proto(value)
    if isinstance(value, list):
        maps = [map_proto(each) for each in value]
        return onnx.SequenceProto(elem_type=onnx.SequenceProto.MAP, map_values=maps)
    array = np.asarray(value)
    if array.dtype.kind in "US":
        array = array.astype(object)
    return numpy_helper.from_array(array)


def save(folder, model, inputs, outputs):
    """`outputs` in the order of the model's."""
    folder = pathlib.Path(folder)
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    given = feeds(model, inputs)
    for k, info in enumerate(model.graph.input):
        (data / f"input_{k}.pb").write_bytes(to_proto(given[info.name]).SerializeToString())
    for k, value in enumerate(outputs):
        (data / f"output_{k}.pb").write_bytes(to_proto(value).SerializeToString())
