#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what no formatter does, over the files that git knows: a licence line in each source file,
lines of at most 100 columns in scripts (clang-format sees to C++), #pragma once in headers, no
absolute paths of somebody's machine, no big binary files. Reports (without failing) files over 600
lines and functions over 60.

usage: check_style.py [--report]     --report prints the sizes too
"""

import pathlib
import re
import subprocess
import sys

CODE = {".cpp", ".h", ".cuh", ".cu", ".py", ".sh", ".cmake"}
HEADERS = {".h", ".cuh"}
MAX_COLUMNS, MAX_FILE, MAX_FUNCTION, MAX_BYTES = 100, 600, 60, 512 * 1024
LICENCE = "SPDX-License-Identifier: Apache-2.0"
# Names of folders that exist on one machine only. Written in pieces, or this file would not pass.
ABSOLUTE = re.compile(r"(?<![\w.$}/-])/(?:ho" + r"me|wo" + r"rk|ro" + r"ot|Us" + r"ers)/\w")
NO_FUNCTION = (
    *("namespace", "class", "struct", "enum", "union", "extern"),
    *("if", "for", "while", "switch", "}", "#", "//"),
)
# Interfaces we must copy as they are, byte by byte, have their own licence lines.
EXEMPT = ("include/trt/",)


def files(root):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return sorted({name for name in listed if (root / name).is_file()})


def is_code(name):
    path = pathlib.PurePath(name)
    return path.suffix in CODE or path.name in ("CMakeLists.txt",) or name == ".ci/run"


def functions(lines):
    """(first line, length) of each function of formatted C++: from the line that opens a block at
    some indent and has a parameter list to the brace at the same indent."""
    index = 0
    while index < len(lines):
        line = lines[index]
        indent = len(line) - len(line.lstrip())
        opens = indent <= 2 and line.rstrip().endswith("{") and ")" in line
        if opens and not line.lstrip().startswith(NO_FUNCTION):
            closing = " " * indent + "}"
            rest = range(index + 1, len(lines))
            end = next((i for i in rest if lines[i].startswith(closing)), None)
            if end is not None:
                yield index + 1, end - index + 1
                index = end
        index += 1


def problems_of(name, path):
    if path.stat().st_size > MAX_BYTES:
        yield f"{name}: {path.stat().st_size // 1024} KiB; keep big files out of git"
        return
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if ABSOLUTE.search(line):
            yield f"{name}:{number}: absolute path of one machine: {line.strip()[:80]}"
    if not is_code(name) or name.startswith(EXEMPT):
        return
    if lines and not any(LICENCE in line for line in lines[:5]):
        yield f"{name}: no line '{LICENCE}' at the top"
    # Highway includes such a header once for each instruction set.
    repeated = "HWY_TARGET" in text
    if path.suffix in HEADERS and lines and "#pragma once" not in lines and not repeated:
        yield f"{name}: no #pragma once"
    for number, line in enumerate(lines, 1):
        if path.suffix in {".py", ".sh"} and len(line) > MAX_COLUMNS and "http" not in line:
            yield f"{name}:{number}: {len(line)} columns, {MAX_COLUMNS} are the limit"


def report(root, names):
    for name in names:
        if pathlib.PurePath(name).suffix not in CODE:
            continue
        lines = (root / name).read_text(encoding="utf-8").splitlines()
        if len(lines) > MAX_FILE:
            yield f"  {name}: {len(lines)} lines"
        if pathlib.PurePath(name).suffix in {".cpp", ".h", ".cuh", ".cu"}:
            for first, length in functions(lines):
                if length > MAX_FUNCTION:
                    yield f"  {name}:{first}: a function of {length} lines"


def main():
    root = pathlib.Path(__file__).resolve().parents[1]
    names = files(root)
    found = [problem for name in names for problem in problems_of(name, root / name)]
    print("\n".join(found) or f"{len(names)} files keep to the style")
    sizes = list(report(root, names))
    if sizes:
        print(f"{len(sizes)} files over {MAX_FILE} lines or functions over {MAX_FUNCTION}", end="")
        print(":\n" + "\n".join(sizes) if "--report" in sys.argv else " (--report lists them)")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
