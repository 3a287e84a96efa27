#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Field numbers are permanent: engines hold them, so a number never gets another meaning.

tests/old_engines/fields.txt is the table of all of them, made from every `fields` in src/. This
script compares; --update adds what is new and refuses what would change or take a number away.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests/old_engines/fields.txt"
STRUCT = re.compile(r"^struct (\w+)[^;{]*\{(.*?)^\};", re.DOTALL | re.MULTILINE)
FIELD = re.compile(r'field\(\s*(\d+),\s*"(\w+)",\s*\w+\.(\w+)\s*\)')


def declared_type(body, member):
    """The member's type as written, which decides its form in the file."""
    kind, others = r"^\s*((?:std::|plan::)?[\w:]+(?:<[^;=]*>)?)\s+", r"(?:\w+(?:\s*=[^,;]*)?,\s*)*"
    found = re.search(kind + others + member + r"\s*(?:[=;,{])", body, re.MULTILINE)
    return found.group(1) if found else "?"


def table():
    rows = []
    for path in sorted((ROOT / "src").rglob("*.h")):
        target = re.search(r"targets/(\w+)/", path.as_posix())
        prefix = target.group(1) + "." if target else ""
        for name, body in STRUCT.findall(path.read_text(encoding="utf-8")):
            if name.endswith("Family"):  # tactics are text, their numbers are stored nowhere
                continue
            for number, key, member in FIELD.findall(body):
                rows.append((prefix + name, int(number), key, declared_type(body, member)))
    return sorted(set(rows))


def text_of(rows):
    return "".join("{} {} {} {}\n".format(*row) for row in rows)


def main():
    rows = table()
    seen = {}
    for name, number, key, _ in rows:
        if seen.setdefault((name, number), key) != key:
            sys.exit(f"{name} uses number {number} twice: {seen[name, number]} and {key}")
    known = TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""
    if text_of(rows) == known:
        print(f"{len(rows)} field numbers are as they were")
        return
    lost = sorted(set(known.splitlines()) - set(text_of(rows).splitlines()))
    if lost:
        sys.exit("these fields changed or are gone; old engines need them, use new numbers:\n  "
                 + "\n  ".join(lost))
    if "--update" not in sys.argv[1:]:
        sys.exit("there are new fields: run scripts/check_fields.py --update")
    TABLE.write_text(text_of(rows), encoding="utf-8")
    print(f"{TABLE.relative_to(ROOT)}: {len(rows)} field numbers")


if __name__ == "__main__":
    main()
