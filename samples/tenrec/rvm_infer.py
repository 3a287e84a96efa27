#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Robust Video Matting in Python: a frame in, its foreground with transparency out; the recurrent
states stay where the engine keeps them. Compare rvm.cpp, which does the same.

usage: rvm_infer.py rvm.engine|rvm.onnx frame.ppm [frame2.ppm ...]
A frame in PPM gives frame_matting.pam; any other picture is read by Pillow and gives a PNG.
"""

import pathlib
import sys

import numpy as np
import tenrec

STATES = ("r1", "r2", "r3", "r4")


class Matting:
    def __init__(self, engine, downsample_ratio=0.25):
        self.context = engine.create_context()
        self.states = {f"{s}i": np.zeros((1, 1, 1, 1), np.float32) for s in STATES}
        if any(info.name == "downsample_ratio" for info in engine.inputs):
            ratio = np.array([downsample_ratio], np.float32)
            self.context.set_input("downsample_ratio", ratio)

    def __call__(self, rgb):
        """u8[height, width, 4] for u8[height, width, 3]."""
        src = np.float32(rgb.transpose(2, 0, 1)[np.newaxis]) / 255
        kept = [f"{s}o" for s in STATES]
        outputs = self.context.run({"src": src, **self.states}, keep=kept)
        self.states = {f"{s}i": outputs[f"{s}o"] for s in STATES}
        rgba = np.concatenate([outputs["fgr"], outputs["pha"]], axis=1)[0]
        return (rgba * 255 + np.float32(0.5)).astype(np.uint8).transpose(1, 2, 0)


def read(path):
    if path.suffix != ".ppm":
        from PIL import Image

        return np.asarray(Image.open(path).convert("RGB"))
    kind, size, white, pixels = path.read_bytes().split(b"\n", 3)
    if (kind, white) != (b"P6", b"255"):
        raise SystemExit(f"{path} is no binary PPM of 8 bits")
    width, height = map(int, size.split())
    return np.frombuffer(pixels, np.uint8, 3 * width * height).reshape(height, width, 3)


def write(frame, rgba):
    path = frame.with_name(f"{frame.stem}_matting.{'pam' if frame.suffix == '.ppm' else 'png'}")
    height, width, _ = rgba.shape
    if path.suffix == ".png":
        from PIL import Image

        Image.fromarray(rgba, "RGBA").save(path)
    else:
        header = f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\n"
        path.write_bytes(header.encode() + b"ENDHDR\n" + rgba.tobytes())
    print(f"wrote {path}")


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    model, *frames = map(pathlib.Path, sys.argv[1:])
    is_engine = model.suffix != ".onnx"
    engine = tenrec.Engine.load(model) if is_engine else tenrec.build(model, tune=False).load()
    matting = Matting(engine)
    for frame in frames:
        write(frame, matting(read(frame)))


if __name__ == "__main__":
    main()
