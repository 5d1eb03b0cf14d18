#!/usr/bin/env python3
"""mutate.py - whether the tests notice when src/ is changed: `make mutate'.

MUTANTS of all that mutants.py finds are drawn with MUTATE_SEED, from each file as
many as it has lines of the whole; MUTATE_FILES="future.c wait.c" draws from those
alone, MUTATE_FILES=future.c:120 takes all of a line.  For each the one object is
compiled anew, and the tests that run its line go on until one fails, crashes or
hangs.  Those of mutants/equivalent, with the reason there, change nothing that
could be noticed and are left out, as are those of which the compiler makes the
same code.  The bugs in mutants/*.sed are planted in each run.

Fails if one of these, or more than 5 in 100 of the others, get by."""

import difflib
import glob
import hashlib
import json
import os
import random
import re
import shutil
import sys
import threading
import time

import mutants
from mutate_build import (TOP, Library, Tree, each, folder, must, names, read,
                          run, with_faults)

WANTED = int(os.environ.get("MUTANTS") or 300)
SEED = int(os.environ.get("MUTATE_SEED") or time.time())
FILES = os.environ.get("MUTATE_FILES", "").split()
SANITIZERS = os.environ.get("MUTATE_SANITIZERS", "").split()
LEAST = 95.0
# Tests that get a build with a sanitizer, which takes its time.
FEW = 30


class Suite:
    """The tests: how long each takes, and which lines it runs."""

    def __init__(self):
        self.plain = Tree("plain", ["-O1", "-fsanitize=undefined",
                                    "-fsanitize-undefined-trap-on-error"])
        self.counted = Tree("counted", [
            "-O0", "--coverage", "-Dalways_inline=unused",
            "-DSOONI_COVERAGE=1"])
        self.programs = folder("programs")
        self.seconds, self.lines = {}, {}
        self.kills = {}

    def prepare(self):
        self.plain.build()
        self.counted.build()
        faults = [os.path.join(self.plain.at, "fault.%s.o" % n[:-2])
                  for n in self.plain.core]
        for n, target in zip(self.plain.core, faults):
            with_faults(os.path.join(self.plain.at, "core.%s.o" % n[:-2]),
                        target)
            with_faults(os.path.join(self.counted.at, "core.%s.o" % n[:-2]),
                        os.path.join(self.counted.at, "fault.%s.o" % n[:-2]))
        self.base = Library(self.plain.at, self.plain, [])
        self.base.make()
        each(self.measure, self.plain.tests)

    def link(self, test, target, tree, library, own=None):
        core, more = [], ["-L" + library.at, "-lmutant"]
        if test.startswith("fault"):
            core, more = library.objects("fault."), []
        tree.link(test, target, core, more, own)

    def measure(self, test):
        program = os.path.join(self.programs, test)
        if self.plain.is_out_of_date(program, test):
            self.link(test, program, self.plain, self.base)
        digest = hashlib.sha1()
        for path in self.plain.parts(test):
            with open(path, "rb") as file:
                digest.update(file.read())
        known = os.path.join(folder("known"), test)
        if os.path.exists(known):
            found = json.loads(read(known))
            if found["digest"] == digest.hexdigest():
                self.seconds[test] = found["seconds"]
                self.lines[test] = {f: set(l) for f, l in
                                    found["lines"].items()}
                return
        start = time.monotonic()
        bad = run(program, self.plain.at, 600)
        if bad:
            sys.exit("mutate: %s fails without mutants: %s" % (test, bad))
        self.seconds[test] = time.monotonic() - start
        self.lines[test] = self.count(test)
        with open(known, "w", encoding="utf-8") as file:
            json.dump({"digest": digest.hexdigest(),
                       "seconds": self.seconds[test],
                       "lines": {f: sorted(l) for f, l in
                                 self.lines[test].items()}}, file)
        print("mutate: %s: %.1f s" % (test, self.seconds[test]), flush=True)

    def count(self, test):
        """{file: lines of it that the test runs}, by gcov."""
        at = folder("counts", test)
        program = os.path.join(at, test)
        core = [os.path.join(self.counted.at, ("fault." if test.startswith(
            "fault") else "core.") + n[:-2] + ".o") for n in self.counted.core]
        self.counted.link(test, program, core, ["--coverage"])
        where = at + self.counted.at
        run(program, at, 1200, {"GCOV_PREFIX": at})
        # Sandboxed children write nothing.
        os.makedirs(where, exist_ok=True)
        found, notes = {}, []
        for path in glob.glob(os.path.join(where, "core.*.gcda")):
            note = os.path.join(self.counted.at, os.path.basename(path)[:-2]
                                + "no")
            os.symlink(note, path[:-2] + "no")
            notes.append(path)
        out = must(["gcov", "--json-format", "-t"] + notes, cwd=where) \
            if notes else ""
        for document in out.splitlines():
            for file in json.loads(document)["files"]:
                if os.path.dirname(os.path.join(where, file["file"])) \
                        != self.counted.src:
                    continue
                lines = found.setdefault(os.path.basename(file["file"]), set())
                lines |= {l["line_number"] for l in file["lines"]
                          if l["count"] > 0}
        shutil.rmtree(at)
        return found

    def order(self, places):
        """The tests that run (file, from line, to line), or near it if none does:
        it may be within an expression, or run by children that left no account.
        Those that are likely to fail soon come first."""
        for near in (0, 3):
            these = [t for t in self.plain.tests if any(
                self.lines[t].get(file, set()).intersection(
                    range(first - near, last + near + 1))
                for file, first, last in places)]
            if these:
                break
        return sorted(these, key=lambda t: self.seconds[t] / (
            1 + self.kills.get((places[0][0], t), 0)))


class Bench:
    """Where mutants are compiled and tested."""

    def __init__(self, suite):
        self.suite = suite

    def program(self, test, library, tests):
        """Of a test that has in it what was changed, one of its own."""
        if test.startswith("fault"):
            library.add_faults()
        elif test not in tests:
            return os.path.join(self.suite.programs, test)
        program = os.path.join(library.at, test)
        own = os.path.join(library.at, "test.%s.o" % test)
        self.suite.link(test, program, self.suite.plain, library,
                        own if test in tests else None)
        return program

    def run(self, test, program, at):
        """On a machine that has become slow, a hang is waited for longer."""
        seconds = self.suite.seconds[test]
        bad = run(program, at, seconds)
        if bad == "hangs":
            start = time.monotonic()
            plain = os.path.join(self.suite.programs, test)
            run(plain, self.suite.plain.at, 600)
            now = time.monotonic() - start
            if now > 2 * seconds + 1:
                bad = run(program, at, 2 * now)
        return bad

    def try_one(self, name, texts, order):
        """What came of it: (fate, how)."""
        at = folder("mutant." + name)
        shutil.rmtree(at)
        os.makedirs(at)
        try:
            changed = self.suite.plain.compile_changed(at, texts)
            if changed is None:
                return "stillborn", ""
            core, tests = changed
            if not core and not tests:
                return "same", ""
            library = Library(at, self.suite.plain, core)
            if not library.make():
                return "stillborn", ""
            for test in order:
                bad = self.run(test, self.program(test, library, tests), at)
                if bad:
                    return "killed", "%s: %s" % (test, bad)
            return "survived", "%d tests" % len(order)
        finally:
            shutil.rmtree(at, ignore_errors=True)


def equivalents():
    """The keys in mutants/equivalent: lines that are no comment."""
    path = os.path.join(TOP, "tests/mutants/equivalent")
    return {l.strip() for l in read(path).splitlines()
            if l.strip() and not l.startswith("#")}


def candidates(tree):
    """{file: its mutants, in the order of chance}"""
    chance = random.Random(SEED)
    wanted = dict.fromkeys(tree.core + names("src/*.h"))
    chosen = {f.split(":")[0] for f in FILES} or set(wanted)
    found = {}
    for name in sorted(set(wanted) & chosen):
        these = mutants.of_source(name, read(os.path.join(tree.src, name)))
        lines = {int(f.split(":")[1]) for f in FILES
                 if f.startswith(name + ":")}
        if lines:
            these = [m for m in these if lines.intersection(
                range(m.line, m.last + 1))]
        chance.shuffle(these)
        if these:
            found[name] = these
    return found


class Tally:
    """What came of the mutants of each file."""

    def __init__(self):
        self.of, self.survivors, self.lock = {}, [], threading.Lock()

    def add(self, mutant, fate, how):
        with self.lock:
            self.of.setdefault(mutant.file, {}).setdefault(fate, []).append(
                mutant)
            if fate == "survived":
                self.survivors.append(mutant)
            print("%s %d %s [%s]" % (fate, mutant.line, mutant.key, how),
                  flush=True)

    def count(self, fate, name=None):
        return sum(len(fates.get(fate, [])) for f, fates in self.of.items()
                   if name in (None, f))

    def score(self, name=None):
        killed = self.count("killed", name)
        return 100.0 * killed / ((killed + self.count("survived", name)) or 1)

    def report(self):
        for name in sorted(self.of):
            if self.count("killed", name) + self.count("survived", name):
                print("%-18s %3d of %3d killed, %5.1f %%" % (
                    name, self.count("killed", name),
                    self.count("killed", name) + self.count("survived", name),
                    self.score(name)))
        for m in self.survivors:
            print("survivor: src/%s:%d: %s" % (m.file, m.line, m.key))
        print("mutate: %d killed, %d survived, %.1f %%; left out: %d marked "
              "equivalent, %d of the same code, %d that do not compile; seed %d"
              % (self.count("killed"), self.count("survived"), self.score(),
                 self.count("equivalent"), self.count("same"),
                 self.count("stillborn"), SEED))


def draw(found):
    """A file's name for each mutant that is wanted, the files in turns."""
    total = sum(len(v) for v in found.values())
    wanted = total if FILES and ":" in FILES[0] else min(WANTED, total)
    todo = []
    for name, these in found.items():
        part = -(-wanted * len(these) // total)
        todo += [(i / part, name) for i in range(part)]
    return [name for _, name in sorted(todo)][:wanted]


def try_mutant(bench, mutant, number):
    source = read(os.path.join(TOP, "src", mutant.file))
    texts = {mutant.file: source[:mutant.start] + mutant.new
             + source[mutant.end:]}
    order = bench.suite.order([(mutant.file, mutant.line, mutant.last)])
    fate, how = bench.try_one(number, texts, order)
    for sanitizer in SANITIZERS:
        if fate == "survived":
            fate, how = plant_sanitized(number, texts, order[:FEW], sanitizer)
    if fate == "killed":
        by = mutant.file, how.split(":")[0]
        bench.suite.kills[by] = bench.suite.kills.get(by, 0) + 1
    return fate, how


def try_drawn(bench, found, tally):
    known = equivalents()
    numbers = iter(range(1, 1 << 30))

    def next_of(name):
        with tally.lock:
            return (found[name].pop(), next(numbers)) if found[name] else None

    def one(name):
        fate = None
        while fate not in ("killed", "survived"):
            drawn = next_of(name)
            if drawn is None:
                return
            mutant, number = drawn
            fate, how = ("equivalent", "marked") if mutant.key in known else \
                try_mutant(bench, mutant, str(number))
            tally.add(mutant, fate, how)

    each(one, draw(found))


def said(change, what):
    """What a comment "# what: ..." in a script for sed says; a list."""
    found = re.search("^# %s: (.*)$" % what, read(change), re.MULTILINE)
    return found.group(1).split() if found else []


def changed_lines(name, was, now):
    matcher = difflib.SequenceMatcher(None, was.splitlines(),
                                      now.splitlines(), False)
    return [(name, i + 1, max(i + 1, j)) for tag, i, j, _, _ in
            matcher.get_opcodes() if tag != "equal"]


def plant(suite, change):
    """What came of the bug in that script: (fate, how)."""
    texts, places = {}, []
    for name in said(change, "file"):
        path = os.path.join(TOP, "src", name)
        texts[name] = must(["sed", "-f", change, path])
        places += changed_lines(name, read(path), texts[name])
    if not places:
        return "survived", "it changes nothing"
    name = os.path.basename(change)[:-4]
    order = suite.order(places)
    sanitizer = said(change, "with")
    if sanitizer:
        return plant_sanitized(name, texts, order, sanitizer[0])
    return Bench(suite).try_one(name, texts, order)


OPTIONS = {"TSAN_OPTIONS": "halt_on_error=1"}


def plant_sanitized(name, texts, order, sanitizer):
    """The same, in a build with a sanitizer, which finds nothing without the
    bug."""
    tree = Tree(sanitizer, ["-O1", "-g", "-fsanitize=" + sanitizer])
    order = [t for t in order if not t.startswith("fault")]
    tree.build(order)
    at = folder("mutant." + name)
    shutil.rmtree(at)
    os.makedirs(at)
    changed = tree.compile_changed(at, texts, order)
    if changed is None:
        return "stillborn", "it does not compile"
    core = Library(at, tree, changed[0]).objects("core.")
    for test in order:
        program = os.path.join(at, test)
        tree.link(test, program, core, [])
        bad = run(program, at, 600, OPTIONS)
        if not bad:
            continue
        tree.link(test, program, tree.objects("core"), [])
        if not run(program, at, 600, OPTIONS):
            return "killed", "%s: with the %s sanitizer" % (test, sanitizer)
    return "survived", "%d tests with the %s sanitizer" % (len(order),
                                                         sanitizer)


def try_named(suite):
    """How many of the bugs in mutants/*.sed get by."""
    alive = 0
    for change in sorted(glob.glob(os.path.join(TOP, "tests/mutants/*.sed"))):
        fate, how = plant(suite, change)
        print("%s %s [%s]" % (fate, os.path.basename(change)[:-4], how),
              flush=True)
        alive += fate != "killed"
    return alive


def main():
    print("mutate: seed %d" % SEED, flush=True)
    suite = Suite()
    suite.prepare()
    alive = 0 if FILES else try_named(suite)
    tally = Tally()
    try_drawn(Bench(suite), candidates(suite.plain), tally)
    tally.report()
    return 0 if tally.score() >= LEAST and not alive else 1


if __name__ == "__main__":
    sys.exit(main())
