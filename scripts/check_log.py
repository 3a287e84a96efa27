#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks a program's log line by line.

usage: check_log.py TEMPLATE LOG
A template has one regular expression a line, without the log's "[date] [I] " in front. Lines must
come in this order, each exactly once; behind "* " any number of times, none included. "W", "V" and
"X" lines (warnings, details) of the log are left out.
"""

import pathlib
import re
import sys

PREFIX = re.compile(r"^\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\] \[([A-Z])\] ?")


def lines_of(log):
    for number, line in enumerate(log.splitlines(), 1):
        match = PREFIX.match(line)
        if match is None or match[1] not in "WVX":
            yield number, line[match.end() if match else 0 :]


def main():
    template, log = (pathlib.Path(word) for word in sys.argv[1:])
    rules = [rule for rule in template.read_text().splitlines() if not rule.startswith("#")]
    at = 0
    for number, line in lines_of(log.read_text(errors="replace")):
        while at < len(rules) and rules[at].startswith("* ") and not matches(rules[at][2:], line):
            at += 1
        if at == len(rules) or not matches(rules[at].removeprefix("* "), line):
            wanted = rules[at] if at < len(rules) else "nothing more"
            print(f"{log.name}:{number}: {line!r}, expected {wanted!r} ({template.name})")
            return 1
        at += not rules[at].startswith("* ")
    rest = [rule for rule in rules[at:] if not rule.startswith("* ")]
    if rest:
        print(f"{log.name} ends without {rest[0]!r} ({template.name})")
    return 1 if rest else 0


def matches(rule, line):
    return re.fullmatch(rule, line) is not None


if __name__ == "__main__":
    sys.exit(main())
