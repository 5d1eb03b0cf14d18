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

import concurrent.futures
import glob
import hashlib
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

import mutants

TOP = os.path.realpath(os.environ.get("top_srcdir", ".."))
BUILD = os.path.realpath(os.environ.get("top_builddir", ".."))
WORK = os.path.join(BUILD, "mutate.build")
CC = shlex.split(os.environ.get("CC", "gcc"))
CHECK_CFLAGS = shlex.split(os.environ.get("CHECK_CFLAGS", "-pthread"))
CHECK_LIBS = shlex.split(os.environ.get("CHECK_LIBS", "-lcheck -lm -lrt"))
OBJCOPY = shlex.split(os.environ.get("OBJCOPY", "objcopy"))
WANTED = int(os.environ.get("MUTANTS") or 300)
SEED = int(os.environ.get("MUTATE_SEED") or time.time())
FILES = os.environ.get("MUTATE_FILES", "").split()
JOBS = int(os.environ.get("MUTATE_JOBS") or 1)
LEAST = 95.0

# With assertions, as developers run the tests.
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-w", "-pthread", "-fPIC", "-fexceptions",
         "-fno-semantic-interposition"] + CHECK_CFLAGS
# How long a hang is waited for, beyond some times what the test takes.
PATIENCE, TIMES = 6.0, 5
# The stress tests need not be as long as for races that are really rare.
SCALE = os.environ.get("SOON_TEST_SCALE", "0.2")


def sh(args, **more):
    return subprocess.run(args, capture_output=True, text=True, check=False,
                          **more)


def must(args, **more):
    done = sh(args, **more)
    if done.returncode != 0:
        sys.exit("mutate: %s\n%s" % (" ".join(args), done.stdout + done.stderr))
    return done.stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def names(pattern):
    return sorted(os.path.basename(p) for p in glob.glob(
        os.path.join(TOP, pattern)))


def includes(src):
    return ["-I" + os.path.join(BUILD, "include"),
            "-I" + os.path.join(TOP, "include"), "-I" + BUILD, "-I" + src,
            "-I" + os.path.join(TOP, "tests")]


def compile_c(source, target, src, flags):
    return sh(CC + FLAGS + flags + includes(src) + [
        "-fmacro-prefix-map=%s/=" % os.path.dirname(source),
        "-c", source, "-o", target])


def folder(*parts):
    path = os.path.join(WORK, *parts)
    os.makedirs(path, exist_ok=True)
    return path


# ----------------------------------------------------------------------------
# What is built once
# ----------------------------------------------------------------------------

class Tree:
    """The sources, and the objects of all that is compiled in one way."""

    def __init__(self, name, flags):
        self.at, self.flags = folder(name), flags
        self.src = os.path.join(TOP, "src")
        # What this system does not use was not compiled.
        self.core = [n for n in names("src/*.c") if os.path.exists(
            os.path.join(BUILD, "src", n[:-2] + ".lo"))]
        self.tests = [n[:-2] for n in names("tests/*.c")
                      if re.match("(api|test|stress|fault)_", n)]
        self.support = names("tests/support/*.c")
        self.needs = {}
        self.stamp = hashlib.sha1()

    def is_fault(self, name):
        return name.startswith(("fault", "scenario"))

    def build(self, test_names=None):
        """Compile what has changed since it was last compiled."""
        jobs = [(os.path.join(self.src, n), "core." + n[:-2])
                for n in self.core]
        jobs += [(os.path.join(TOP, "tests/support", n), "support." + n[:-2])
                 for n in self.support]
        jobs += [(os.path.join(TOP, "tests", n + ".c"), "test." + n)
                 for n in (self.tests if test_names is None else test_names)]
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(lambda job: self.compile(*job), jobs))

    def compile(self, source, name):
        target = os.path.join(self.at, name + ".o")
        if self.is_older(target):
            done = compile_c(source, target, self.src, self.flags + ["-MMD"])
            if done.returncode != 0:
                sys.exit(done.stderr)
        self.needs[name] = {os.path.basename(p) for p in
                            self.prerequisites(target) if p.startswith(self.src)}

    @staticmethod
    def prerequisites(target):
        text = read(target[:-2] + ".d").replace("\\\n", " ")
        return text.split(":", 1)[1].split()

    def is_older(self, target):
        if not os.path.exists(target):
            return True
        made = os.path.getmtime(target)
        return any(not os.path.exists(p) or os.path.getmtime(p) > made
                   for p in self.prerequisites(target))

    def is_out_of_date(self, program, test):
        objects = self.objects("core") + self.objects("support") + [
            os.path.join(self.at, "test.%s.o" % test)]
        return not os.path.exists(program) or os.path.getmtime(program) < max(
            os.path.getmtime(o) for o in objects)

    def objects(self, kind, fault=None):
        return [os.path.join(self.at, "%s.%s.o" % (kind, n[:-2]))
                for n in {"core": self.core, "support": self.support}[kind]
                if fault is None or fault == self.is_fault(n)]

    def link(self, test, target, core, more, own=None):
        """A test program with this core: objects, or a library; and own object."""
        support = self.objects("support", False)
        if test.startswith("fault"):
            support = self.objects("support", True) + support
        own = own or os.path.join(self.at, "test.%s.o" % test)
        return sh(CC + self.flags + ["-pthread", "-o", target, own] + support + core + more + CHECK_LIBS)


def with_faults(obj, target):
    must(OBJCOPY + ["--redefine-syms=" + os.path.join(
        TOP, "tests/support/fault.syms"), obj, target])


def share(target, objects):
    """The core as a library, so that the tests need not be linked anew."""
    return sh(CC + ["-shared", "-pthread", "-o", target] + objects)


class Library:
    """The core of a mutant: as a library, and as objects whose calls of the
    system may fail.  Those are linked in, so that the tests' preparations come
    before theirs."""

    def __init__(self, at, tree, changed):
        self.at, self.tree, self.changed = at, tree, changed
        self.has_faults = False

    def objects(self, kind):
        return [os.path.join(self.at if n[:-2] in self.changed else
                             self.tree.at, kind + n[:-2] + ".o")
                for n in self.tree.core]

    def make(self):
        return share(os.path.join(self.at, "libmutant.so"),
                     self.objects("core.")).returncode == 0

    def add_faults(self):
        if self.has_faults:
            return
        for name in self.changed:
            with_faults(os.path.join(self.at, "core.%s.o" % name),
                        os.path.join(self.at, "fault.%s.o" % name))
        self.has_faults = True


# ----------------------------------------------------------------------------
# Running tests
# ----------------------------------------------------------------------------

def end_session(number):
    """Check gives each test a group of its own, so there is more than one."""
    found = True
    while found:
        found = False
        for stat in glob.glob("/proc/[0-9]*/stat"):
            try:
                state, _, _, session = read(stat).rsplit(")", 1)[1].split()[:4]
                if int(session) == number and state != "Z":
                    os.kill(int(stat.split("/")[2]), signal.SIGKILL)
                    found = True
            except (OSError, ValueError):
                pass


def run(program, library, limit, env=None):
    """None if all is well, or what is not.  A test that fails ends the program,
    and the time that this one is stopped itself does not count."""
    home = os.path.join(library, "run")
    os.makedirs(home, exist_ok=True)
    environment = dict(os.environ, LD_LIBRARY_PATH=library, CK_VERBOSITY="silent",
                       CK_TAP_LOG_FILE_NAME="-", SOON_TEST_SCALE=SCALE,
                       top_srcdir=TOP, TMPDIR=home, **(env or {}))
    with subprocess.Popen([program], cwd=home, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True, errors="replace") as p:
        failed = []

        def listen():
            for line in p.stdout:
                if line.startswith("not ok") and not failed:
                    failed.append(line.split(":", 1)[1].strip())

        ear = threading.Thread(target=listen, daemon=True)
        ear.start()
        waited = 0.0
        while p.poll() is None and not failed and waited < limit:
            time.sleep(0.005 if waited < 0.2 else 0.03)
            waited += 0.005 if waited < 0.2 else 0.03
        status = p.poll()
        end_session(p.pid)
        p.wait()
        ear.join()
    if failed:
        return failed[0]
    if status is None:
        return "hangs"
    return None if status == 0 else "ends with %d" % status


class Suite:
    """The tests: how long each takes, and which lines it runs."""

    def __init__(self):
        self.plain = Tree("plain", ["-O1"])
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
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(self.measure, self.plain.tests))

    def link(self, test, target, tree, library, own=None):
        core, more = [], ["-L" + library.at, "-lmutant"]
        if test.startswith("fault"):
            core, more = library.objects("fault."), []
        done = tree.link(test, target, core, more, own)
        if done.returncode != 0:
            sys.exit(done.stderr)

    def measure(self, test):
        program = os.path.join(self.programs, test)
        if self.plain.is_out_of_date(program, test):
            self.link(test, program, self.plain, self.base)
        digest = hashlib.sha1()
        objects = [os.path.join(self.plain.at, "test.%s.o" % test)] + \
            self.plain.objects("core") + self.plain.objects("support")
        for path in objects:
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
        done = self.counted.link(test, program, core, ["--coverage"])
        if done.returncode != 0:
            sys.exit(done.stderr)
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
        out = "" if not notes else sh(["gcov", "--json-format", "-t"] + notes, cwd=where).stdout
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

    def order(self, mutant):
        """The tests that run it, those that are likely to kill it soon first."""
        lines = range(mutant.line, mutant.last + 1)
        these = [t for t in self.plain.tests
                 if self.lines[t].get(mutant.file, set()).intersection(lines)]
        if not these:
            # A line within an expression, or run by children that left no
            # account: whoever runs a line near it.
            lines = range(mutant.line - 3, mutant.last + 4)
            these = [t for t in self.plain.tests if self.lines[t].get(
                mutant.file, set()).intersection(lines)]
        return sorted(these, key=lambda t: self.seconds[t] / (
            1 + self.kills.get((mutant.file, t), 0)))


# ----------------------------------------------------------------------------
# Mutants
# ----------------------------------------------------------------------------

def copy_sources(at, name, text):
    """A folder of the sources in which that one is changed: includes go there."""
    src = os.path.join(at, "src")
    os.makedirs(src)
    for path in glob.glob(os.path.join(TOP, "src", "*.[ch]")):
        if os.path.basename(path) != name:
            os.symlink(path, os.path.join(src, os.path.basename(path)))
    with open(os.path.join(src, name), "w", encoding="utf-8") as file:
        file.write(text)
    return src


def is_same(a, b):
    with open(a, "rb") as first, open(b, "rb") as second:
        return first.read() == second.read()


class Bench:
    """Where mutants are compiled and tested."""

    def __init__(self, suite):
        self.suite = suite

    def built(self, at, name, text):
        """(objects of the core that changed, tests that changed); None if it does
        not compile."""
        tree = self.suite.plain
        src = copy_sources(at, name, text)
        core, tests = [], []
        for who, needs in sorted(tree.needs.items()):
            if name not in needs:
                continue
            kind, stem = who.split(".", 1)
            target = os.path.join(at, who + ".o")
            source = os.path.join(src, stem + ".c") if kind == "core" else \
                os.path.join(TOP, "tests", stem + ".c")
            if kind == "support":
                continue
            if compile_c(source, target, src, tree.flags).returncode != 0:
                return None
            if not is_same(target, os.path.join(tree.at, who + ".o")):
                (core if kind == "core" else tests).append(stem)
        return core, tests

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

    def try_one(self, number, name, text, order):
        """What came of it: (fate, how)."""
        at = folder("mutant.%d" % number)
        shutil.rmtree(at)
        os.makedirs(at)
        try:
            changed = self.built(at, name, text)
            if changed is None:
                return "stillborn", ""
            core, tests = changed
            if not core and not tests:
                return "same", ""
            library = Library(at, self.suite.plain, core)
            if not library.make():
                return "stillborn", ""
            for test in order:
                limit = PATIENCE + TIMES * self.suite.seconds[test]
                bad = run(self.program(test, library, tests), at, limit)
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
    """Yield (file, next mutant) until each file has had its part: send() says
    whether that one counts."""
    total = sum(len(v) for v in found.values())
    wanted = total if FILES and ":" in FILES[0] else min(WANTED, total)
    todo = []
    for name, these in found.items():
        part = -(-wanted * len(these) // total)
        todo += [(i / part, name) for i in range(part)]
    return [name for _, name in sorted(todo)][:wanted]


def try_drawn(bench, found, tally):
    known = equivalents()
    numbers = iter(range(1, 1 << 30))

    def next_of(name):
        with tally.lock:
            return (found[name].pop(), next(numbers)) if found[name] else None

    def one(name):
        while True:
            drawn = next_of(name)
            if drawn is None:
                return
            mutant, number = drawn
            source = read(os.path.join(TOP, "src", name))
            if mutant.key in known:
                fate = "equivalent", "marked"
            else:
                fate = bench.try_one(
                    number, name, source[:mutant.start] + mutant.new
                    + source[mutant.end:], bench.suite.order(mutant))
            tally.add(mutant, *fate)
            if fate[0] == "killed":
                by = name, fate[1].split(":")[0]
                bench.suite.kills[by] = bench.suite.kills.get(by, 0) + 1
            if fate[0] in ("killed", "survived"):
                return

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(one, draw(found)))


def main():
    print("mutate: seed %d" % SEED, flush=True)
    suite = Suite()
    suite.prepare()
    bench = Bench(suite)
    tally = Tally()
    try_drawn(bench, candidates(suite.plain), tally)
    tally.report()
    return 0 if tally.score() >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
