# SPDX-License-Identifier: Apache-2.0
"""Finds inputs that a model accepts, for models nobody described.

An ONNX file says little about its inputs: names, types, and dims that are numbers or labels. What
fits together (multiples of 32, a mask as long as past plus present, ids below the vocabulary's
size) is found by asking onnxruntime: candidates are tried, best guess first, until a run succeeds.
scripts/model_hints.json holds the few facts that trying cannot find.
"""

import fnmatch
import itertools
import json
import os
import re

import numpy as np
import onnxruntime

HINTS = json.load(open(os.path.join(os.path.dirname(__file__), "model_hints.json")))

NUMPY = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.str_,
}

# Candidates for dims that no pattern of the hints names, by where they stand.
ROLES = {
    "batch": [1, 2, 3],
    "height": [96, 160, 224, 256, 320, 64, 512],
    "width": [128, 224, 160, 256, 320, 64, 512],
    "length": [16, 24, 1, 8, 64, 128, 512, 16000, 24000],
}
# Ids are drawn below the largest of these that the model accepts.
ID_LIMITS = [1000, 200, 100, 50, 10, 2, 1]
MAX_TRIALS = 300
# What the drawn floats look like: uniform noise in [0, 1), pictures in [0, 1] for what looks like a
# picture, a normal distribution, pictures in [0, 255].
MODES = ["uniform", "writing", "normal", "bytes"]


class NoInputs(Exception):
    pass


def session(model, optimise=True, threads=1):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def hint_for(inputs):
    names = sorted(i.name for i in inputs)
    return next((h for h in HINTS["models"] if sorted(h["inputs"]) == names), {})


# Shapes -------------------------------------------------------------------------------------------


def symbol(value, axis):
    """The label of a dynamic dim; an unnamed one gets a label of its own."""
    dim = value.shape[axis]
    if isinstance(dim, int):
        return None
    return dim or f"{value.name}@{axis}"


def role(value, axis):
    shape = value.shape
    if axis == 0 and not isinstance(shape[0], int):
        return "batch"
    channels = [i for i, d in enumerate(shape) if d in (1, 2, 3, 4)]
    if len(shape) >= 3 and "float" in value.type and (channels or len(shape) == 4):
        beside = (axis - 1, axis + 1)
        dynamic = [0 < i < len(shape) and not isinstance(shape[i], int) for i in beside]
        if any(dynamic):
            return "width" if dynamic[0] else "height"
    return "length"


def candidates_of(name, kind):
    for entry in HINTS["sizes"]:
        if re.search(entry["dim"], name, re.IGNORECASE):
            return entry["candidates"]
    return ROLES[kind]


def free_symbols(inputs):
    """Label -> candidate sizes, in order of appearance, without labels that follow from others."""
    found = {}
    for value in inputs:
        for axis in range(len(value.shape)):
            label = symbol(value, axis)
            if label is not None and label not in found:
                found[label] = candidates_of(label, role(value, axis))
    return found


def sum_of(label, labels):
    """The labels that `label` is the sum of: it may say so itself ("past + 1") or the hints do."""
    if "+" in label:
        return [part.strip() for part in label.split("+")]
    for entry in HINTS["sums"]:
        if re.search(entry["dim"], label, re.IGNORECASE):
            parts = [
                next((l for l in labels if l != label and re.search(pattern, l)), None)
                for pattern in entry["of"]
            ]
            if all(parts):
                return parts
    return None


def assignments(inputs):
    """Yields label -> size, the most likely first. Labels that are alike get the same rank of their
    lists first, then every combination is tried."""
    free = free_symbols(inputs)
    sums = {label: sum_of(label, free) for label in free}
    own = [label for label in free if not sums[label]]

    def complete(sizes):
        for label, parts in sums.items():
            if parts:
                sizes[label] = sum(int(p) if p.isdigit() else sizes.get(p, 1) for p in parts)
        return sizes

    lists = [free[label] for label in own]
    seen = set()

    def emit(ranks):
        chosen = tuple(c[min(r, len(c) - 1)] for c, r in zip(lists, ranks))
        if chosen in seen:
            return None
        seen.add(chosen)
        return complete(dict(zip(own, chosen)))

    longest = max((len(c) for c in lists), default=1)
    uniform = [(rank,) * len(own) for rank in range(longest)]
    limits = [range(min(len(c), 4)) for c in lists]
    mixed = itertools.islice(itertools.product(*limits), 5000)
    for ranks in itertools.chain(uniform, sorted(mixed, key=sum)):
        sizes = emit(ranks)
        if sizes is not None:
            yield sizes
    # Three lengths without a telling name: one may be the sum of the other two.
    for total, a, b in itertools.permutations(own, 3):
        sizes = complete({label: free[label][0] for label in own})
        sizes[total] = sizes[a] + sizes[b]
        yield sizes


def shapes_for(inputs, sizes):
    return {
        value.name: [
            sizes[symbol(value, axis)] if symbol(value, axis) else value.shape[axis]
            for axis in range(len(value.shape))
        ]
        for value in inputs
    }


# Values -------------------------------------------------------------------------------------------


def strokes(rng, height, width):
    """Dark strokes in rows on a bright page, as writing is, with some noise."""
    page = 0.7 + 0.2 * rng.random() + 0.1 * rng.random((height, width))
    for y in range(4, height - 16, 22):
        for x in range(4, width - 12, 12):
            if rng.random() < 0.15:
                continue
            for _ in range(4):
                offset = rng.integers(0, 10)
                if rng.random() < 0.5:
                    page[y : y + 14, x + offset : x + offset + 2] = 0.1
                else:
                    page[y + offset : y + offset + 2, x : x + 10] = 0.1
    return page


def boxes(rng, height, width):
    """Plain rectangles with sharp edges, from black to white, with some noise."""
    page = 0.1 + 0.1 * rng.random((height, width))
    for _ in range(10):
        y, x = rng.integers(0, max(1, height - 8)), rng.integers(0, max(1, width - 8))
        tall, wide = rng.integers(4, height // 2 + 5), rng.integers(4, width // 2 + 5)
        page[y : y + tall, x : x + wide] = rng.random()
    return page


def picture(rng, shape, channels_last, draw):
    """Grey pictures that a detector reacts to, which plain noise hardly ever makes it do."""
    height, width = shape[-3:-1] if channels_last else shape[-2:]
    batch = shape[0] if len(shape) == 4 else 1
    pages = np.stack([draw(rng, height, width) for _ in range(batch)])
    pages = pages[..., None] if channels_last else pages[:, None]
    return np.broadcast_to(pages, shape if len(shape) == 4 else [1, *shape]).reshape(shape)


def float_values(rng, shape, mode):
    if mode == "normal":
        return rng.standard_normal(shape)
    if mode != "uniform" and len(shape) >= 3:
        draw, scale = (strokes, 1) if mode == "writing" else (boxes, 255)
        if min(shape[-2:]) > 4:
            return scale * picture(rng, shape, False, draw)
        if shape[-1] in (1, 3, 4):
            return scale * picture(rng, shape, True, draw)
    return rng.random(shape)


def padding_mask(rng, shape, full):
    """Ones for what counts, zeros for padding at the end; the first row never has any."""
    mask = np.ones(shape, np.int64)
    if not full and len(shape) == 2:
        for row in mask[1:]:
            row[rng.integers((len(row) + 1) // 2, len(row) + 1) :] = 0
    return mask


def values_for(inputs, shapes, seed, mode, id_limit, fixed):
    rng = np.random.default_rng(seed)
    longest = max((s[-1] for n, s in shapes.items() if "mask" in n.lower() and s), default=0)
    feeds = {}
    for value in inputs:
        shape, dtype, name = shapes[value.name], NUMPY[value.type], value.name.lower()
        if value.name in fixed:
            data = np.full(shape, fixed[value.name])
        elif dtype is np.str_:
            data = np.asarray(rng.choice(["a", "b", "tenrec"], shape))
        elif np.issubdtype(dtype, np.floating):
            scalar = int(np.prod(shape)) == 1
            data = np.full(shape, 0.5) if scalar else float_values(rng, shape, mode)
        elif dtype is np.bool_:
            data = rng.random(shape) < 0.5
        elif "mask" in name:
            data = padding_mask(rng, shape, full=seed == 0)
        elif "position" in name and shape:
            data = np.broadcast_to(np.arange(shape[-1]) + max(0, longest - shape[-1]), shape)
        elif "type" in name or "segment" in name:
            data = rng.integers(0, 2, shape)
        elif np.iinfo(dtype).bits == 8:
            data = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max + 1, shape)
        else:
            data = rng.integers(0, id_limit, shape)
        feeds[value.name] = np.ascontiguousarray(data.astype(dtype)).reshape(shape)
    return feeds


# Search -------------------------------------------------------------------------------------------


class Inputs:
    """Accepted shapes of one model (one if all dims are fixed, else two where two are accepted) and
    the way to draw values for them."""

    def __init__(self, reference):
        self.reference = reference
        self.inputs = reference.get_inputs()
        self.hint = hint_for(self.inputs)
        self.fixed = self.hint.get("values", {})
        self.id_limit = ID_LIMITS[0]
        self.dynamic = bool(free_symbols(self.inputs))
        self.shapes = self.find_shapes()

    def draw(self, shapes, seed, mode="uniform"):
        return values_for(self.inputs, shapes, seed, mode, self.id_limit, self.fixed)

    def accepted(self, shapes, id_limits=ID_LIMITS):
        """Runs the model once; remembers the range of ids that worked."""
        for limit in id_limits:
            self.id_limit = limit
            try:
                self.reference.run(None, self.draw(shapes, 0))
                return True
            except Exception as error:  # whatever onnxruntime objects to
                self.last_error = str(error).splitlines()[0]
                if "out of data bounds" not in str(error) and "out of bounds" not in str(error):
                    return False
        return False

    def find_shapes(self):
        if not self.dynamic:
            shapes = shapes_for(self.inputs, {})
            if not self.accepted(shapes):
                raise NoInputs(f"onnxruntime refuses the model's own shapes: {self.last_error}")
            return [shapes]
        if "shapes" in self.hint:
            candidates = iter(self.hint["shapes"])
        else:
            candidates = (shapes_for(self.inputs, sizes) for sizes in assignments(self.inputs))
        found = []
        for shapes in itertools.islice(candidates, MAX_TRIALS):
            limits = [self.id_limit] if found else ID_LIMITS
            if shapes not in found and self.accepted(shapes, limits):
                found.append(shapes)
                if len(found) == 2:
                    break
        if not found:
            raise NoInputs(f"no shapes that onnxruntime accepts; last: {self.last_error}")
        return found


def describe(shapes):
    """Shapes in one short word; long lists of caches are cut."""
    words = ["x".join(map(str, shape)) or "scalar" for shape in shapes.values()]
    return ",".join(words[:3]) + ("..." if len(words) > 3 else "")


def tolerance_for(name, table):
    return next((table[p] for p in table if fnmatch.fnmatchcase(name, p)), None)
