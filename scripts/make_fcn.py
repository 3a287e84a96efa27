#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a small stand-in of the tutorial's FCN-ResNet-101, made without torch.

usage: make_fcn.py MODEL.onnx [--width N]
Node for node the graph that torch exports (101 layers, dilated 3x3 convolutions instead of strides
in the last two groups, dynamic height and width, the class map of 21 classes by ArgMax, input
"input", output "output"), with an eighth of the channels and seeded weights. It says nothing about
pictures; it takes every step of the real model at a size that a test can bear.
"""

import argparse

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BLOCKS = (3, 4, 23, 3)
CLASSES = 21
EXPANSION = 4  # channels out of a bottleneck, by those inside


class Graph:
    def __init__(self):
        self.nodes, self.weights = [], []
        self.random = np.random.default_rng(101)

    def node(self, op, inputs, output=None, **attributes):
        output = output or f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], output, **attributes))
        return output

    def constant(self, values):
        tensor = numpy_helper.from_array(np.asarray(values))
        return self.node("Constant", [], value=tensor)

    def conv(self, x, inside, outside, size=1, stride=1, dilation=1, gain=1.0):
        scale = gain * np.sqrt(2 / (inside * size * size))
        name = f"weight_{len(self.weights)}"
        shape = (outside, inside, size, size)
        for suffix, values in (
            ("", self.random.normal(0, scale, shape)),
            ("_bias", self.random.normal(0, 0.1, outside)),
        ):
            self.weights.append(numpy_helper.from_array(values.astype(np.float32), name + suffix))
        return self.node(
            "Conv",
            [x, name, name + "_bias"],
            dilations=[dilation] * 2,
            group=1,
            kernel_shape=[size] * 2,
            pads=[size // 2 * dilation] * 4,
            strides=[stride] * 2,
        )

    def relu(self, x):
        return self.node("Relu", [x])

    def bottleneck(self, x, inside, width, stride, dilation):
        outside = width * EXPANSION
        y = self.relu(self.conv(x, inside, width))
        y = self.relu(self.conv(y, width, width, 3, stride, dilation))
        # Residual branches are small, as training makes them.
        y = self.conv(y, width, outside, gain=0.3)
        if inside != outside:
            x = self.conv(x, inside, outside, stride=stride)
        return self.relu(self.node("Add", [y, x]))

    def backbone(self, x, width):
        x = self.relu(self.conv(x, 3, width, 7, 2))
        x = self.node(
            "MaxPool",
            [x],
            ceil_mode=0,
            dilations=[1, 1],
            kernel_shape=[3, 3],
            pads=[1] * 4,
            strides=[2, 2],
        )
        inside, dilation = width, 1
        for group, count in enumerate(BLOCKS):
            for block in range(count):
                stride = 2 if group == 1 and block == 0 else 1
                if group > 1 and block == 1:
                    dilation *= 2
                x = self.bottleneck(x, inside, width << group, stride, dilation)
                inside = (width << group) * EXPANSION
        return x, inside

    def size_of(self, x):
        """Height and width of a picture, as torch's exporter asks for them."""
        parts = []
        for axis in (2, 3):
            part = self.node("Gather", [self.node("Shape", [x]), self.constant(axis)], axis=0)
            parts.append(self.node("Unsqueeze", [part], axes=[0]))
        return self.node("Concat", parts, axis=0)

    def upsample(self, x, size):
        start, stop, axes = (self.constant([n]) for n in (0, 2, 0))
        kept = self.node("Slice", [self.node("Shape", [x]), start, stop, axes])
        size = self.node("Concat", [kept, self.node("Cast", [size], to=TensorProto.INT64)], axis=0)
        nothing = [self.constant(np.zeros(0, np.float32)) for _ in range(2)]
        return self.node(
            "Resize",
            [x, *nothing, size],
            coordinate_transformation_mode="half_pixel",
            cubic_coeff_a=-0.75,
            mode="linear",
            nearest_mode="floor",
        )


def make(width):
    graph = Graph()
    size = graph.size_of("input")
    x, channels = graph.backbone("input", width)
    x = graph.relu(graph.conv(x, channels, channels // EXPANSION, 3))
    x = graph.upsample(graph.conv(x, channels // EXPANSION, CLASSES), size)
    graph.node("ArgMax", [x], "output", axis=1, keepdims=1, select_last_index=0)

    def picture(name, element, channels):
        return helper.make_tensor_value_info(name, element, ["batch", channels, "height", "width"])

    body = helper.make_graph(
        graph.nodes,
        "fcn",
        [picture("input", TensorProto.FLOAT, 3)],
        [picture("output", TensorProto.INT64, 1)],
        graph.weights,
    )
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 12)], ir_version=7)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--width", type=int, default=8, help="channels of the stem; 64 in torch's")
    arguments = parser.parse_args()
    onnx.save(make(arguments.width), arguments.model)


if __name__ == "__main__":
    main()
