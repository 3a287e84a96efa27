#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/tensorrt-methods.md: every class and method of TensorRT 10.16's interface (and what
8.x adds to it) with what Tenrec does about it. What a method does is read from src/api; with
--check says whether the committed page is up to date.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/tensorrt-methods.md"
NOT_HERE = re.compile(
    r"DLA|DeviceType|RemoteAutoTuning|WeightStreaming|Streamable|Communicator|AuxStreams|"
    r"loadRuntime|EngineCapability|RuntimePlatform|HardwareCompatibility|PersistentCache|"
    r"Tiling|TacticSources|getBuilderSafePluginRegistry"
)
KEPT = re.compile(
    r"GpuAllocator|TemporaryStorageAllocator|Tempfile|TemporaryDirectory|DebugSync|NvtxVerbosity|"
    r"PreviewFeature|ProfileStream|MaxNbTactics|AvgTimingIterations|setDeviceMemory(V2)?$|"
    r"ExtraMemoryTarget|PluginsToSerialize|PluginToSerialize|EngineHostCode|MemoryPoolLimit|"
    r"QuantizationFlag|Metadata"
)
WORKS, HARDWARE, LATER, KEEPS = "works", "as without that hardware", "not yet", "kept, no effect"
CALLED, NOT_CALLED = "called", "not called"


# What applications implement and Tenrec calls.
APPLICATION = re.compile(
    r"^(IErrorRecorder|ILogger|ILoggerFinder|IProfiler|IOutputAllocator|IDebugListener|"
    r"IGpu\w+|IStream\w+|IProgressMonitor|IVersionedInterface|IPlugin(?!Registry|V\d?Layer)\w*|"
    r"IAlgorithmSelector|"
    r"IInt8\w+)$"
)


def awaited(call):
    """What a call that does nothing yet waits for, as the logger says it."""
    lines = (ROOT / "src/api/awaited.h").read_text()
    for part, subject in re.findall(r'^    \{"(.+)", "(.+)"\},$', lines, re.MULTILINE):
        if part in call:
            return subject
    return ""


def sources():
    return "\n".join(path.read_text() for path in sorted((ROOT / "src/api").glob("*.*")))


def public_classes():
    """Public name -> methods in order, from the table of functions behind each class."""
    classes, current = {}, None
    for line in (ROOT / "tests/api/abi_10_16.txt").read_text().splitlines():
        words = line.split()
        if line.startswith("class "):
            current = classes.setdefault(words[1], [])
        elif line.startswith((" slot ", " call ")) and current is not None:
            name = line.split("|")[0].split()[-1]
            if name not in current:
                current.append(name)
    return classes


def status(name, method, text, implemented):
    """What Tenrec does about a method; of one that it does not do yet, also what that waits for."""
    short = name.split("::")[-1]
    what = kind(short, method, text, implemented)
    subject = awaited(f"{short}::{method}")
    if what == NOT_CALLED:
        return f"{what} yet: {subject}" if subject in ("plugins", "calibrators") else what
    if what != LATER:
        return what
    if not subject:
        sys.exit(f"{short}::{method}: src/api/awaited.h does not say what it waits for")
    return f"{what}: {subject}"


def kind(short, method, text, implemented):
    if APPLICATION.match(short):
        is_called = re.search(rf"(->|\.){method}\(", text) and not short.startswith("IPlugin")
        return CALLED if is_called else NOT_CALLED
    if short not in implemented:
        return LATER
    if f'not_yet("{short}::{method}")' in text:
        return LATER
    if short.endswith("Layer") and short != "ILayer" and method.startswith(("set", "add")):
        return LATER
    if NOT_HERE.search(method):
        return HARDWARE
    if KEPT.search(method):
        return KEEPS
    return WORKS


def page():
    text = sources()
    implemented = set(re.findall(r"public\s+(?:nv|nvonnxparser)::(I\w+)", text))
    implemented |= {f"I{name}" for name in re.findall(r"TENREC_LAYER\((\w+),", text)}
    implemented.add("ILayer")
    lines = [
        "# TensorRT's interface, method by method",
        "",
        "Written by `scripts/trt_table.py`. *works*; *kept, no effect*: stored and answered,",
        "changes nothing on a CPU; *as without that hardware*; *not yet*: fails, and the logger",
        "hears its name and what it waits for (network definition by hand, plugins, ...).",
        "Methods of interfaces that applications implement (loggers, allocators, plugins, ...)",
        "are *called*, *not called* (there is no need) or *not called yet*.",
        "",
    ]
    counts = {}
    rows = []
    for name, methods in public_classes().items():
        short = name.split("::")[-1]
        is_public = short.startswith("I") and "apiv" not in name
        if not is_public or not methods:
            continue
        groups = {}
        for method in methods:
            groups.setdefault(status(name, method, text, implemented), []).append(method)
        for what, names in groups.items():
            counted = what.split(":")[0]
            counts[counted] = counts.get(counted, 0) + len(names)
            rows.append(f"| {short} | {what} | {', '.join(names)} |")
    for path in sorted((ROOT / "include/trt").glob("Nv*.h")):
        rows += eight(path)
    total = ", ".join(f"{count} {what}" for what, count in counts.items())
    table = ["| class | status | methods |", "|---|---|---|", *rows, ""]
    return "\n".join([*lines, f"{total}.", "", *table])


def eight(path):
    """What 8.x had and 10.x dropped: inline in the headers, so it works as what it calls does."""
    name, inside, methods = "", False, []
    for line in path.read_text().splitlines():
        match = re.match(r"^class (\w+)", line)
        if match:
            name, inside, methods = match[1], False, []
        if re.match(r"^  // 8\.x", line):
            inside = True
        match = re.match(r"^  (?!//)[\w:<>*& ]+?[\s*&](\w+)\(", line)
        if inside and match and match[1] not in methods:
            methods.append(match[1])
        if line.startswith("};") or re.match(r"^ (protected|private):", line):
            if inside and methods:
                yield f"| {name} (8.x) | {WORKS} | {', '.join(methods)} |"
            inside, methods = False, []


def main():
    text = page()
    if "--check" in sys.argv:
        same = PAGE.exists() and PAGE.read_text() == text
        print(f"{PAGE.name} is {'up to date' if same else 'old: run scripts/trt_table.py'}")
        return 0 if same else 1
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
