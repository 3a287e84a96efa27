#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns tests/api/abi_10_16.txt into C++ that compares every fact in it with include/trt: types by
compiling, sizes and enum values by static_assert, slots and offsets as a list for abi_test.cpp.

usage: make_abi_check.py abi_10_16.txt OUT.cpp
"""

import pathlib
import sys

HEAD = """// Written by tests/api/make_abi_check.py.
#include "api/abi_check.h"

#include "NvInfer.h"
#include "NvInferPlugin.h"
#include "NvOnnxConfig.h"
#include "NvOnnxParser.h"

namespace nvonnxparser {
using namespace nvinfer1;
}
namespace plugin = nvinfer1::plugin;
"""


def scope_of(name):
    return "nvonnxparser" if name.startswith("nvonnxparser::") else "nvinfer1"


class Class:
    def __init__(self, index, words):
        self.name, self.size, self.align = words[0], words[1], words[2]
        self.base = words[3] if len(words) > 3 else None
        self.index = index
        self.body, self.has_slots = [], False

    def member(self, access, text):
        name, result, arguments, qualifiers = (part.strip() for part in text.split("|"))
        const = " const" if "const" in qualifiers.split() else ""
        noexcept = " noexcept" if "noexcept" in qualifiers.split() else ""
        owner = "nvonnxparser" in self.name and self.name or f"nvinfer1::{self.name}"
        pointer = f"{result} ({owner}::*)({arguments}){const}{noexcept}"
        return name, f"static_cast<{pointer}>(&Self::{name})"

    def fact(self, what, expected, actual):
        self.body.append(f'    facts.push_back({{"{self.name}{what}", {expected}, {actual}}});')

    def write(self):
        scope, peek = scope_of(self.name), f"Peek{self.index}"
        plain = self.name if scope == "nvonnxparser" else f"nvinfer1::{self.name}"
        yield f"namespace {scope} {{\nstruct {peek} : {plain} {{"
        yield f"  using Self = {peek};"
        yield "  static void list([[maybe_unused]] std::vector<trt_abi::Fact>& facts) {"
        yield from self.body
        yield "  }"
        if self.has_slots:
            yield "  virtual void one_more_slot() {}"
        yield "};\n}"
        yield f"static_assert(sizeof({plain}) == {self.size} && alignof({plain}) == {self.align});"
        if self.base:
            base = self.base if "::" in self.base else f"nvinfer1::{self.base}"
            base = base if base.startswith(("nvinfer1", "nvonnx")) else f"nvinfer1::{base}"
            yield f"static_assert(std::is_base_of_v<{base}, {plain}>);"


def read(path):
    classes, enums = [], []
    for line in path.read_text().splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words[0] == "class":
            classes.append(Class(len(classes), words[1:]))
            continue
        if words[0] == "enum":
            enums.append(words[1:])
            continue
        current = classes[-1]
        if words[0] == "field":
            current.fact(f"::{words[2]}", words[1], f"trt_abi::offset_of(&Self::{words[2]})")
        elif words[0] == "slots":
            current.has_slots = True
            current.fact(" slots", words[1], "trt_abi::slot_of(&Self::one_more_slot)")
        elif words[0] == "slot" and words[2] != "private":
            name, pointer = current.member(words[2], line.split(maxsplit=3)[3])
            current.fact(f"::{name}", words[1], f"trt_abi::slot_of({pointer})")
        elif words[0] == "call":
            _, pointer = current.member("public", line.split(maxsplit=1)[1])
            current.body.append(f"    static_cast<void>({pointer});")
    return classes, enums


def main():
    classes, enums = read(pathlib.Path(sys.argv[1]))
    lines = [HEAD]
    for entry in classes:
        lines += entry.write()
    for name, underlying, *values in enums:
        full = name if name.startswith("nvonnxparser") else f"nvinfer1::{name}"
        same = f"std::is_same_v<std::underlying_type_t<{full}>, {underlying}>"
        lines.append(f"static_assert({same});")
        for value in values:
            key, number = value.split("=")
            lines.append(f"static_assert(static_cast<int>({full}::{key}) == {number});")
    lines.append("std::vector<trt_abi::Fact> trt_abi::facts() {\n  std::vector<Fact> all;")
    lines += [f"  {scope_of(c.name)}::Peek{c.index}::list(all);" for c in classes]
    lines.append("  return all;\n}")
    pathlib.Path(sys.argv[2]).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
