#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the folders of src/ form a line: a file includes only what stands earlier.

usage: check_layers.py [ROOT]
"""

import pathlib
import re
import sys

LINE = "base onnx ir ops import passes plan runtime targets build api".split()

# May use less than the whole line before them, so that a runtime without a compiler can be linked.
ONLY = {
    "plan": {"base"},
    "runtime": {"base", "plan", "ir/tensor.h"},  # the tensor has nothing of the IR in it
    "targets/*/run": {"base", "plan", "runtime"},
    # Steps by reference code evaluate operators.
    "targets/common/run": {"base", "plan", "runtime", "ops", "ir"},
    "targets/cpu/run": {"base", "plan", "runtime", "ops", "ir", "targets/common/run"},
    "targets/cuda/run": {"base", "plan", "runtime", "ir", "targets/common/run"},
}
# The one list of targets; nothing else outside a target names it.
TARGET_LIST = "targets/target.cpp"
# What several targets share; it names none of them.
SHARED = "common"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def place(path):
    """Folder of the line that a path relative to src/ belongs to, and its target if it has one."""
    parts = path.split("/")
    if parts[0] == "targets" and len(parts) > 2:
        run = "/run" if parts[2] == "run" else ""
        return f"targets/{parts[1]}{run}", parts[1]
    return parts[0], None


def allowed(source, included):
    """Whether a file of src/ may include another one."""
    here, here_target = place(source)
    there, there_target = place(included)
    if here == there:
        return True
    if here.endswith("/run"):
        return there in ONLY.get(here, ONLY["targets/*/run"])
    if there_target is not None:
        return there_target in (here_target, SHARED) or source == TARGET_LIST
    folder = here.split("/")[0]
    if here_target is not None and there == "targets":
        return True
    if folder in ONLY:
        return bool({there, included} & ONLY[folder])
    return LINE.index(there) < LINE.index(folder)


def violations(root):
    source_root = root / "src"
    for path in sorted(p for p in source_root.rglob("*") if p.suffix in (".h", ".cpp", ".cuh")):
        source = path.relative_to(source_root).as_posix()
        if path.suffix == ".cuh":
            continue  # texts of the GPU's compiler, which knows them by name alone
        if place(source)[0].split("/")[0] not in LINE:
            yield f"src/{source}: no folder of the line ({', '.join(LINE)})"
            continue
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(text)
            if not match or match[1].startswith("tenrec/"):
                continue
            included = match[1]
            where = f"src/{source}:{number}"
            if included.startswith("."):
                yield f'{where}: include "{included}" from src/, not relative to the file'
            elif place(included)[0].split("/")[0] not in LINE:
                if (path.parent / included).exists():
                    yield f'{where}: write the whole path of "{included}" from src/'
            elif not allowed(source, included):
                here, there = place(source)[0], place(included)[0]
                yield f'{where}: {here} must not include {there} ("{included}")'
    for path in sorted((root / "include" / "tenrec").rglob("*.h")):
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(text)
            if match and not match[1].startswith("tenrec/"):
                yield f'{path.relative_to(root)}:{number}: a public header includes "{match[1]}"'


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]
    found = list(violations(root))
    print("\n".join(found) or "the folders form a line")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
