#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Robust Video Matting through NVIDIA's Python bindings on our libraries: the unmodified
six-input model with states fed back against goldens, and the tutorial's five-input 1080p model with
bindings by number against onnxruntime.

usage: dropin_rvm.py rvm_mobilenetv3_fp32.onnx FOLDER_WITH_GOLDENS
       dropin_rvm.py --modify rvm_mobilenetv3_fp32.onnx OUT.onnx HEIGHT WIDTH RATIO
  --modify   only writes the five-input model
"""

import pathlib
import sys

import numpy as np
import onnx
import onnx_graphsurgeon as gs
import onnxruntime
import tensorrt as trt

STATES = ["r1", "r2", "r3", "r4"]
OUTPUTS = ["r4o", "r3o", "r2o", "r1o", "fgr", "pha"]  # in the order of production


def build(model_bytes):
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    assert parser.parse(model_bytes), parser.get_error(0).desc()
    config = builder.create_builder_config()
    config.builder_optimization_level = 0
    engine = trt.Runtime(logger).deserialize_cuda_engine(
        builder.build_serialized_network(network, config)
    )
    names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    assert names[-6:] == OUTPUTS, names
    return engine, names


def compare(outputs, goldens, frame):
    for name in OUTPUTS:
        error = np.abs(outputs[name] - goldens[f"{name}_{frame}"])
        largest = 2e-3 if name in ("fgr", "pha") else 1e-4
        assert error.max() <= largest, (name, frame, error.max())


def run(context, feed):
    for name, array in feed.items():
        assert context.set_input_shape(name, array.shape), name
        assert context.set_tensor_address(name, array.ctypes.data)
    assert context.infer_shapes() == []
    outputs = {name: np.zeros(tuple(context.get_tensor_shape(name)), np.float32)
               for name in OUTPUTS}  # fmt: skip
    for name, array in outputs.items():
        assert context.set_tensor_address(name, array.ctypes.data)
    assert context.execute_async_v3(0)
    return outputs


def two_frames(engine, goldens, extra):
    context = engine.create_execution_context()
    states = {name: np.zeros((1, 1, 1, 1), np.float32) for name in STATES}
    for frame in (0, 1):
        feed = {"src": np.ascontiguousarray(goldens[f"src_{frame}"]), **extra}
        feed.update({f"{name}i": state for name, state in states.items()})
        outputs = run(context, feed)
        compare(outputs, goldens, frame)
        states = {name: outputs[f"{name}o"] for name in STATES}


def five_inputs(path, height, width, ratio):
    """As the tutorial prepares it: the ratio a constant, sizes fixed, states of one element."""
    graph = gs.import_onnx(onnx.load(path))
    for tensor in list(graph.inputs):
        if tensor.name == "downsample_ratio":
            constant = gs.Constant("ratio", np.array([ratio], np.float32))
            for node in list(tensor.outputs):
                node.inputs = [constant if each is tensor else each for each in node.inputs]
            graph.inputs.remove(tensor)
        else:
            tensor.shape = [1, 3, height, width] if tensor.name == "src" else [1, 1, 1, 1]
    return gs.export_onnx(graph.cleanup()).SerializeToString()


def by_number(engine, names, model_bytes, src):
    session = onnxruntime.InferenceSession(model_bytes, providers=["CPUExecutionProvider"])
    context = engine.create_execution_context()
    arrays = [np.zeros(tuple(context.get_tensor_shape(name)), np.float32) for name in names]
    arrays[0][...] = src
    assert context.execute_v2([array.ctypes.data for array in arrays])
    expected = session.run(OUTPUTS, dict(zip(names[:5], arrays)))
    goldens = {f"{name}_0": value for name, value in zip(OUTPUTS, expected)}
    compare(dict(zip(names, arrays)), goldens, 0)


def main():
    if sys.argv[1] == "--modify":
        path, out, height, width, ratio = sys.argv[2:]
        pathlib.Path(out).write_bytes(five_inputs(path, int(height), int(width), float(ratio)))
        return
    path, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    small = dict(np.load(folder / "rvm_288x512_r0.5.npz"))
    engine, _ = build(pathlib.Path(path).read_bytes())
    two_frames(engine, small, {"downsample_ratio": small["downsample_ratio"]})
    print("six inputs: two frames match", flush=True)
    large = np.load(folder / "rvm_1080x1920_r0.25.npz")
    src = large["src_u8_0"].astype(np.float32) / 255
    model = five_inputs(path, *src.shape[2:], float(large["downsample_ratio"][0]))
    engine, names = build(model)
    assert names[:5] == ["src", "r1i", "r2i", "r3i", "r4i"], names
    by_number(engine, names, model, src)
    print("five inputs at 1080 x 1920: bindings by number match")


if __name__ == "__main__":
    main()
