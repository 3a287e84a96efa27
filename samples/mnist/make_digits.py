#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the digits/*.pgm of this folder: ten pen strokes in pictures of 28 x 28, white on black.

Needs nothing but Python. The pictures are ours, not MNIST's.
"""

import math
import os

SIZE, PEN, SOFT = 28, 1.25, 0.9

# Polylines in a box of 20 x 20 around the middle, x to the right, y down; arcs are
# (centre x, centre y, radius x, radius y, from degrees, to degrees), 0 to the right, clockwise.
DIGITS = [
    [[(10, 10, 5.5, 8.5, 0, 360)]],
    [[(7, 5), (11, 1.5), (11, 18.5)]],
    [[(9.5, 6, 5, 4.5, 180, 380), (4, 18), (16, 18)]],
    [[(9, 5.5, 5, 4, 200, 450), (9, 14, 6, 4.5, 270, 510)]],
    [[(10, 1.5), (4, 12), (16.5, 12)], [(13, 6), (13, 19)]],
    [[(15, 2), (6, 2), (5.5, 9), (9.5, 13, 5.5, 5.2, 220, 500)]],
    [[(14, 1.5), (9, 5), (6, 10), (5.5, 14), (10.2, 14, 4.7, 4.7, 180, 540)]],
    [[(4, 2.5), (15.5, 2.5), (11, 10), (8.5, 19)]],
    [[(10, 5.7, 4.2, 4.2, 90, 450), (10, 14.3, 5, 4.6, 270, 630)]],
    [[(10, 6.5, 4.8, 4.8, 0, 360), (14.8, 6.5), (14, 13), (11.5, 19)]],
]


def points(stroke):
    for part in stroke:
        if len(part) == 2:
            yield part
            continue
        cx, cy, rx, ry, start, end = part
        for degrees in range(start, end + 1, 6):
            angle = math.radians(degrees)
            yield cx + rx * math.cos(angle), cy + ry * math.sin(angle)


def distance(x, y, a, b):
    """From a point to the line between a and b."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    t = 0 if length == 0 else max(0, min(1, ((x - a[0]) * dx + (y - a[1]) * dy) / length))
    return math.hypot(x - a[0] - t * dx, y - a[1] - t * dy)


def draw(strokes):
    margin = (SIZE - 20) / 2
    lines = []
    for stroke in strokes:
        path = list(points(stroke))
        lines += list(zip(path, path[1:]))
    pixels = bytearray()
    for row in range(SIZE):
        for column in range(SIZE):
            x, y = column + 0.5 - margin, row + 0.5 - margin
            nearest = min(distance(x, y, a, b) for a, b in lines)
            ink = max(0.0, min(1.0, (PEN + SOFT - nearest) / SOFT))
            pixels.append(round(255 * ink))
    return bytes(pixels)


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits")
    os.makedirs(folder, exist_ok=True)
    for digit, strokes in enumerate(DIGITS):
        with open(os.path.join(folder, f"{digit}.pgm"), "wb") as file:
            file.write(b"P5\n%d %d\n255\n" % (SIZE, SIZE) + draw(strokes))


if __name__ == "__main__":
    main()
