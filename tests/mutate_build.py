"""mutate_build.py - what mutate.py compiles, links and runs."""

import concurrent.futures
import glob
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

TOP = os.path.realpath(os.environ.get("top_srcdir", ".."))
BUILD = os.path.realpath(os.environ.get("top_builddir", ".."))
WORK = os.path.join(BUILD, "mutate.build")
CC = shlex.split(os.environ.get("CC", "gcc"))
CHECK_CFLAGS = shlex.split(os.environ.get("CHECK_CFLAGS", "-pthread"))
CHECK_LIBS = shlex.split(os.environ.get("CHECK_LIBS", "-lcheck -lm -lrt"))
OBJCOPY = shlex.split(os.environ.get("OBJCOPY") or "objcopy")
JOBS = int(os.environ.get("MUTATE_JOBS") or 1)
# One that has files of the core in itself cannot be linked with the core's.
SKIPPED = os.environ.get("MUTATE_SKIP", "").split() + ["test_wrap_inside"]

# With assertions, as developers run the tests.
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-w", "-pthread", "-fPIC", "-fexceptions",
         "-fno-semantic-interposition"] + CHECK_CFLAGS
# How long one that goes on, or sleeps all the time, is waited for, beyond some
# times what the test takes.
PATIENCE, TIMES, SLEEP = 20.0, 5, 3.0
# The stress tests need not be as long as for races that are really rare.
SCALE = os.environ.get("SOON_TEST_SCALE", "0.1")


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


def each(work, things):
    """JOBS at a time."""
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(work, things))


def folder(*parts):
    path = os.path.join(WORK, *parts)
    os.makedirs(path, exist_ok=True)
    return path


def copy_sources(at, texts):
    """A folder of the sources in which those are changed: includes go there."""
    src = os.path.join(at, "src")
    os.makedirs(src)
    for path in glob.glob(os.path.join(TOP, "src", "*.[ch]")):
        if os.path.basename(path) not in texts:
            os.symlink(path, os.path.join(src, os.path.basename(path)))
    for name, text in texts.items():
        with open(os.path.join(src, name), "w", encoding="utf-8") as file:
            file.write(text)
    return src


def is_same(a, b):
    with open(a, "rb") as first, open(b, "rb") as second:
        return first.read() == second.read()


# ----------------------------------------------------------------------------
# Objects and programs
# ----------------------------------------------------------------------------

class Tree:
    """The sources, and the objects of all that is compiled in one way."""

    def __init__(self, name, flags):
        self.at, self.flags = folder(name), flags
        if not os.path.exists(self.at + "/flags") or \
                read(self.at + "/flags") != repr(flags):
            shutil.rmtree(self.at)
            with open(folder(name) + "/flags", "w", encoding="utf-8") as file:
                file.write(repr(flags))
        self.src = os.path.join(TOP, "src")
        # What this system does not use was not compiled.
        self.core = [n for n in names("src/*.c") if os.path.exists(
            os.path.join(BUILD, "src", n[:-2] + ".lo"))]
        self.tests = [n[:-2] for n in names("tests/*.c")
                      if re.match("(api|test|stress|fault)_", n)
                      and n[:-2] not in SKIPPED]
        self.support = names("tests/support/*.c")
        self.needs = {}

    def is_fault(self, name):
        return name.startswith(("fault", "scenario", "wall"))

    def build(self, test_names=None):
        """Compile what has changed since it was last compiled."""
        jobs = [(os.path.join(self.src, n), "core." + n[:-2])
                for n in self.core]
        jobs += [(os.path.join(TOP, "tests/support", n), "support." + n[:-2])
                 for n in self.support]
        jobs += [(os.path.join(TOP, "tests", n + ".c"), "test." + n)
                 for n in (self.tests if test_names is None else test_names)]
        each(lambda job: self.compile(*job), jobs)

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

    def compile_changed(self, at, texts, only=None):
        """(objects of the core, tests) that differ with those texts of sources, of
        these tests alone; None if it does not compile."""
        src = copy_sources(at, texts)
        core, tests = [], []
        for who, needs in sorted(self.needs.items()):
            kind, stem = who.split(".", 1)
            if needs.isdisjoint(texts) or kind == "support" or (
                    kind == "test" and only is not None and stem not in only):
                continue
            target = os.path.join(at, who + ".o")
            source = os.path.join(src, stem + ".c") if kind == "core" else \
                os.path.join(TOP, "tests", stem + ".c")
            if compile_c(source, target, src, self.flags).returncode != 0:
                return None
            if not is_same(target, os.path.join(self.at, who + ".o")):
                (core if kind == "core" else tests).append(stem)
        return core, tests

    def parts(self, test):
        return self.objects("core") + self.objects("support") + [
            os.path.join(self.at, "test.%s.o" % test)]

    def is_out_of_date(self, program, test):
        return not os.path.exists(program) or os.path.getmtime(program) < max(
            os.path.getmtime(o) for o in self.parts(test))

    def objects(self, kind, fault=None):
        return [os.path.join(self.at, "%s.%s.o" % (kind, n[:-2]))
                for n in {"core": self.core, "support": self.support}[kind]
                if fault is None or fault == self.is_fault(n)]

    def link(self, test, target, core, more, own=None):
        """A test program with this core: objects, or a library; and its own
        object, if that is changed."""
        support = self.objects("support", False)
        if test.startswith("fault"):
            support = self.objects("support", True) + support
        own = own or os.path.join(self.at, "test.%s.o" % test)
        must(CC + self.flags + ["-pthread", "-o", target, own] + support
             + core + more + CHECK_LIBS)


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

def session(number):
    """(process, its threads' states, CPU time) of all there: Check gives each
    test a group of its own."""
    found = []
    for path in glob.glob("/proc/[0-9]*"):
        try:
            if int(stat_of(path)[3]) == number:
                threads = [stat_of(t) for t in glob.glob(path + "/task/*")]
                found.append((int(os.path.basename(path)),
                              [t[0] for t in threads],
                              sum(int(t[11]) + int(t[12]) for t in threads)))
        except (OSError, ValueError, IndexError):
            pass
    return found


def stat_of(path):
    """The fields from the state on."""
    return read(path + "/stat").rsplit(")", 1)[1].split()


def end_session(number):
    while True:
        left = [p for p, states, _ in session(number) if set(states) != {"Z"}]
        if not left:
            return
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass


class Watch:
    """How long a program has gone on, and how long it has only slept.  What this
    one is stopped itself does not count."""

    def __init__(self, number):
        self.number, self.all, self.asleep = number, 0.0, 0.0
        self.looked, self.used = 0.0, -1

    def tick(self):
        step = 0.005 if self.all < 0.2 else 0.03
        time.sleep(step)
        self.all += step
        if self.all - self.looked < 0.3:
            return
        there = session(self.number)
        used = sum(time for _, _, time in there)
        states = {s for _, states, _ in there for s in states}
        if used == self.used and states <= {"S", "Z"}:
            self.asleep += self.all - self.looked
        else:
            self.asleep = 0.0
        self.used, self.looked = used, self.all

    def is_over(self, seconds):
        """Far beyond what it takes without a mutant."""
        return self.all > PATIENCE + TIMES * seconds or \
            self.asleep > SLEEP + 2 * seconds


def run(program, library, seconds, env=None):
    """None if all is well, or the test is skipped; or what is not.  A test that
    fails ends the program; seconds: how long it takes as a rule."""
    home = os.path.join(library, "run")
    os.makedirs(home, exist_ok=True)
    environment = dict(os.environ, LD_LIBRARY_PATH=library, CK_VERBOSITY="silent",
                       CK_TAP_LOG_FILE_NAME="-", SOON_TEST_SCALE=SCALE,
                       MALLOC_PERTURB_="165", top_srcdir=TOP, TMPDIR=home,
                       **(env or {}))
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
        watch = Watch(p.pid)
        while p.poll() is None and not failed and not watch.is_over(seconds):
            watch.tick()
        status = p.poll()
        end_session(p.pid)
        p.wait()
        ear.join()
    if failed:
        return failed[0]
    if status is None:
        return "hangs"
    return None if status in (0, 77) else "ends with %d" % status
