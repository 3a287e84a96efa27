# SPDX-License-Identifier: Apache-2.0
"""Drives NVIDIA's own Python bindings on our libraries: dropin.py FOLDER_WITH_MODELS.

Buffers are numpy arrays: the engine runs on the host.
"""

import json
import pathlib
import sys

import numpy as np
import tensorrt as trt

MODELS = pathlib.Path(sys.argv[1])


class Logger(trt.ILogger):
    def __init__(self):
        trt.ILogger.__init__(self)
        self.errors = []

    def log(self, severity, message):
        if severity <= trt.ILogger.ERROR:
            self.errors.append(message)


class Allocator(trt.IOutputAllocator):
    def __init__(self):
        trt.IOutputAllocator.__init__(self)
        self.memory, self.shape = None, None

    def reallocate_output(self, name, memory, size, alignment):
        self.memory = np.zeros(max(size, 1), np.uint8)
        return self.memory.ctypes.data

    def reallocate_output_async(self, name, memory, size, alignment, stream):
        return self.reallocate_output(name, memory, size, alignment)

    def notify_shape(self, name, shape):
        self.shape = tuple(shape)


class Profiler(trt.IProfiler):
    def __init__(self):
        trt.IProfiler.__init__(self)
        self.layers = []

    def report_layer_time(self, name, milliseconds):
        self.layers.append((name, milliseconds))


def build(logger, name, configure=lambda builder, network, config: None):
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    assert parser.parse_from_file(str(MODELS / name)), parser.get_error(0).desc()
    config = builder.create_builder_config()
    config.builder_optimization_level = 0
    configure(builder, network, config)
    return builder.build_serialized_network(network, config)


def check_parser_errors(logger):
    builder = trt.Builder(logger)
    parser = trt.OnnxParser(builder.create_network(0), logger)
    assert not parser.parse((MODELS / "broken.onnx").read_bytes())
    assert parser.num_errors == 1 and parser.get_error(0).node() == 1
    assert "NoSuchOperator" in parser.get_error(0).desc()
    assert logger.errors
    logger.errors.clear()


def check_profiles_and_context(logger):
    def configure(builder, network, config):
        assert [network.get_input(i).name for i in range(network.num_inputs)] == ["src", "r1i"]
        assert [network.get_layer(i).name for i in range(network.num_layers)]
        profile = builder.create_optimization_profile()
        profile.set_shape("src", (1, 3, 2, 2), (1, 3, 8, 8), (1, 3, 16, 16))
        profile.set_shape("r1i", (1, 1, 2, 2), (1, 1, 8, 8), (1, 1, 16, 16))
        assert profile.get_shape("src")[1] == (1, 3, 8, 8)
        assert config.add_optimization_profile(profile) == 0
        cache = config.create_timing_cache(b"")
        assert config.set_timing_cache(cache, ignore_mismatch=False)
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 1 << 26)
        assert config.get_memory_pool_limit(trt.MemoryPoolType.WORKSPACE) == 1 << 26

    plan = build(logger, "matting_dynamic.onnx", configure)
    engine = trt.Runtime(logger).deserialize_cuda_engine(plan)
    names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    assert names == ["src", "r1i", "r1o", "fgr", "pha"], names
    assert engine.get_tensor_mode("src") == trt.TensorIOMode.INPUT
    assert engine.get_tensor_dtype("pha") == trt.float32
    assert tuple(engine.get_tensor_shape("src")) == (1, 3, -1, -1)
    assert [tuple(s) for s in engine.get_tensor_profile_shape("r1i", 0)][2] == (1, 1, 16, 16)
    context = engine.create_execution_context()
    profiler = Profiler()
    context.profiler = profiler
    for height, width in ((8, 8), (2, 5), (16, 16)):
        run_matting(context, height, width)
    assert profiler.layers
    assert not context.set_input_shape("src", (1, 3, 99, 8))
    logger.errors.clear()
    inspector = engine.create_engine_inspector()
    inspector.execution_context = context
    text = inspector.get_engine_information(trt.LayerInformationFormat.JSON)
    assert json.loads(text)["Bindings"] == names
    assert engine.serialize().nbytes == plan.nbytes


def run_matting(context, height, width):
    src = np.random.default_rng(0).random((1, 3, height, width), np.float32)
    state = np.ones((1, 1, height, width), np.float32)
    outputs = {name: np.zeros((1, c, height, width), np.float32)
               for name, c in (("r1o", 1), ("fgr", 3), ("pha", 1))}
    assert context.set_input_shape("src", src.shape)
    assert context.set_input_shape("r1i", state.shape)
    assert context.infer_shapes() == []
    assert tuple(context.get_tensor_shape("fgr")) == src.shape
    for name, array in {"src": src, "r1i": state, **outputs}.items():
        assert context.set_tensor_address(name, array.ctypes.data)
    assert context.execute_async_v3(0)
    np.testing.assert_allclose(outputs["fgr"], src * 2, rtol=1e-6)
    np.testing.assert_allclose(outputs["r1o"], src.mean(1, keepdims=True) + 1, rtol=1e-5)


def check_output_allocator(logger):
    engine = trt.Runtime(logger).deserialize_cuda_engine(build(logger, "non_zero.onnx"))
    context = engine.create_execution_context()
    values = np.array([0, 1, 2, 0, 3], np.float32)
    allocator = Allocator()
    assert context.set_input_shape("x", values.shape)
    assert context.set_tensor_address("x", values.ctypes.data)
    assert context.set_output_allocator("y", allocator)
    assert context.execute_async_v3(0)
    assert allocator.shape == (1, 3), allocator.shape
    assert allocator.memory.view(np.int64)[:3].tolist() == [1, 2, 4]


def main():
    logger = Logger()
    assert trt.__version__.startswith("10.16")
    assert trt.init_libnvinfer_plugins(logger, "")
    check_parser_errors(logger)
    check_profiles_and_context(logger)
    check_output_allocator(logger)
    assert not logger.errors, logger.errors
    print("passed")


if __name__ == "__main__":
    main()
