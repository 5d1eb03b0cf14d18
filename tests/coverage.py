#!/usr/bin/env python3
"""coverage.py FOLDER SOURCES LINES BRANCHES - what gcov counted in FOLDER, of the
files in SOURCES: a line for each, with what never ran, and one for all.  Fails
if that is less than so many in a hundred.

A line in many objects, as of a header, counts as run if it ran in one; so does
each branch.  That a call may unwind the stack is no branch.  What no test can
reach is left out by LCOV_EXCL_LINE at its end, LCOV_EXCL_BR_LINE (branches
alone), or between LCOV_EXCL_START and LCOV_EXCL_STOP, with the reason above."""

import collections
import glob
import json
import os
import subprocess
import sys


def excluded(path):
    """The lines whose runs and whose branches are not asked for."""
    lines, branches, inside = set(), set(), False
    with open(path, encoding="utf-8") as source:
        for number, text in enumerate(source, 1):
            inside |= "LCOV_EXCL_START" in text
            if inside or "LCOV_EXCL_LINE" in text:
                lines.add(number)
            if "LCOV_EXCL_BR_LINE" in text:
                branches.add(number)
            inside &= "LCOV_EXCL_STOP" not in text
    return lines, branches | lines


def decisions(branches):
    """The counts of those that are not about unwinding."""
    unwinds = {i for i, b in enumerate(branches) if b["throw"]}
    return [b["count"] for i, b in enumerate(branches)
            if i not in unwinds and i + 1 not in unwinds]


def read(folder, sources):
    """{file: ({line: runs}, {(line, function, number): times taken})}"""
    found = collections.defaultdict(lambda: ({}, {}))
    notes = sorted(glob.glob(os.path.join(folder, "*.gcda")))
    out = subprocess.run(["gcov", "--json-format", "-b", "-t"]
                         + [os.path.abspath(n) for n in notes],
                         check=True, capture_output=True, cwd=folder).stdout
    for document in out.decode().splitlines():
        for file in json.loads(document)["files"]:
            path = os.path.join(folder, file["file"])
            if os.path.realpath(os.path.dirname(path)) != sources:
                continue
            runs, taken = found[os.path.basename(path)]
            for line in file["lines"]:
                at = line["line_number"]
                runs[at] = runs.get(at, 0) + line["count"]
                who = line.get("function_name")
                for i, n in enumerate(decisions(line["branches"])):
                    key = (at, who, i)
                    taken[key] = taken.get(key, 0) + n
    return found


def percent(part, total):
    return 100 * part / total if total else 100.0


def main(folder, sources, least_lines, least_branches):
    sources = os.path.realpath(sources)
    sums = [0, 0, 0, 0]
    for name, (runs, taken) in sorted(read(folder, sources).items()):
        no_lines, no_branches = excluded(os.path.join(sources, name))
        missed = sorted(n for n, c in runs.items()
                        if c == 0 and n not in no_lines)
        lines = sum(1 for n in runs if n not in no_lines)
        untaken = [k[0] for k, c in taken.items()
                   if c == 0 and k[0] not in no_branches]
        ways = sum(1 for k in taken if k[0] not in no_branches)
        half = sorted(set(untaken) - set(missed))
        print("%-18s %5.1f %% of lines%s; %5.1f %% of branches%s" % (
            name, percent(lines - len(missed), lines),
            "".join(" %d" % n for n in missed),
            percent(ways - len(untaken), ways),
            "".join(" %d" % n for n in half)))
        for i, n in enumerate((lines - len(missed), lines,
                               ways - len(untaken), ways)):
            sums[i] += n
    of_lines, of_branches = percent(*sums[:2]), percent(*sums[2:])
    print("coverage: %.2f %% of %d lines, %.2f %% of %d branches" % (
        of_lines, sums[1], of_branches, sums[3]))
    if of_lines < least_lines or of_branches < least_branches:
        print("coverage: should be %g %% and %g %%" % (least_lines,
                                                       least_branches))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3]),
                  float(sys.argv[4])))
