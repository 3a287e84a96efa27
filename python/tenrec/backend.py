# SPDX-License-Identifier: Apache-2.0
"""Tenrec as an ONNX backend, so that `onnx.backend.test` and its like can run it:

    import tenrec.backend
    outputs = tenrec.backend.run_model(onnx.load("model.onnx"), [image])

Keyword arguments of `prepare`, `run_model` and `run_node` are those of `tenrec.build`; kernels are
not timed unless `tune=True` is one of them, since a backend mostly runs a model once.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnx.backend.base as base
from onnx import TypeProto, helper

import tenrec


class TenrecBackendRep(base.BackendRep):
    """A model that is ready to run."""

    def __init__(self, engine: tenrec.Engine):
        self.engine = engine
        self._context = engine.create_context()
        self._names = [info.name for info in engine.inputs]

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Outputs in the model's order, for inputs by name or in the model's order."""
        if not isinstance(inputs, Mapping):
            given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
            if len(given) != len(self._names):
                what = f"the model has {len(self._names)} inputs, got {len(given)}"
                raise tenrec.Error(tenrec.ErrorCode.INVALID_INPUT, what)
            inputs = dict(zip(self._names, given))
        outputs = self._context.run(inputs)
        names = [info.name for info in self.engine.outputs]
        return base.namedtupledict("Outputs", names)(*(outputs[name] for name in names))


class TenrecBackend(base.Backend):
    """`onnx.backend.base.Backend` on Tenrec."""

    @classmethod
    def is_compatible(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Whether Tenrec builds the model for the device."""
        try:
            cls.prepare(model, device, **kwargs)
        except tenrec.Error:
            return False
        return True

    @classmethod
    def prepare(
        cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any
    ) -> TenrecBackendRep:
        """Builds the model for "CPU", "CUDA" or "CUDA:1". Raises `tenrec.Error`."""
        where = base.Device(device)
        built = tenrec.build(
            model.SerializeToString(),
            **{"target": _target(where), "tune": False, **kwargs},
        )
        return TenrecBackendRep(built.load(device=where.device_id))

    @classmethod
    def run_node(
        cls,
        node: onnx.NodeProto,
        inputs: Any,
        device: str = "CPU",
        outputs_info: Any = None,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Runs one node on the values of its inputs (those it leaves out are left out here too).

        opset_version: of the node's domain; without it the newest that onnx knows.
        """
        names = [name for name in node.input if name]
        values = dict(zip(names, inputs))
        version = kwargs.pop("opset_version", None) or onnx.defs.onnx_opset_version()
        graph = helper.make_graph(
            [node],
            node.op_type,
            [onnx.ValueInfoProto(name=name, type=_type_of(values[name])) for name in values],
            [onnx.ValueInfoProto(name=name) for name in node.output if name],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid(node.domain, version)]
        )
        return cls.prepare(model, device, **kwargs).run(values)

    @classmethod
    @functools.cache
    def supports_device(cls, device: str) -> bool:
        """Whether models can be built for, and run on, the device here."""
        try:
            node = helper.make_node("Identity", ["x"], ["y"])
            cls.run_node(node, [np.zeros(1, np.float32)], device)
        except (tenrec.Error, AttributeError):  # AttributeError: a device that onnx does not know
            return False
        return True


def _target(device: base.Device) -> str:
    return {base.DeviceType.CPU: "cpu", base.DeviceType.CUDA: "cuda"}[device.type]


def _type_of(value: Any) -> TypeProto:
    if isinstance(value, (list, tuple)):
        return helper.make_sequence_type_proto(_type_of(value[0]))
    array = np.asarray(value)
    is_text = array.dtype.kind in "OUS"
    code = onnx.TensorProto.STRING if is_text else helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_type_proto(code, array.shape)


is_compatible = TenrecBackend.is_compatible
prepare = TenrecBackend.prepare
run_model = TenrecBackend.run_model
run_node = TenrecBackend.run_node
supports_device = TenrecBackend.supports_device
