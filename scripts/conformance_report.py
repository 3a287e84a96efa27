#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the failures of `tenrec conformance --json` runs, and `N passed, N failed` for each.

usage: conformance_report.py RESULTS.json...
"""

import json
import pathlib
import sys

for path in sys.argv[1:]:
    result = json.loads(pathlib.Path(path).read_text())
    for case in result["cases"]:
        if case["outcome"] != "passed" and "excuse" not in case:
            print(f"FAIL {case['name']} on {case['target']} ({case['outcome']}): {case['message']}")
            print(f"     {case['reproduce']}")
    print(f"{path}: {result['skipped']} expected failures")
    print(f"{result['passed']} passed, {result['failed']} failed")
