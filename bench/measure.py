"""What is measured, on which peers, and how one program is run."""
import shlex
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

WORKERS = 2
TIMEOUT = 30        # seconds for one run
STALL = 3           # seconds without CPU time that count as a deadlock
LARGE = 100_000     # --scale applies to an N from here on


@dataclass
class Workload:
    about: str
    n: int
    units: tuple            # of the figures that the program prints
    program: str = ""       # the workload's name in the program, if another
    workers: int = WORKERS
    threads: int = 4        # that submit, where several do
    most: int = 99          # repetitions: some tell no more after a few
    after: str = ""         # a peer that fails there is not asked again here


NS = ("ns/job",)
PERCENTILES = ("p50, ns", "p99, ns")

WORKLOADS = {
    "submit": Workload(
        "1,000,000 empty jobs from one thread, then their results", 1_000_000,
        NS),
    "producers": Workload(
        "the same from 4 threads at once", 1_000_000, NS),
    "roundtrip": Workload(
        "one empty job after the other: there and back", 20_000, ("ns",)),
    "warm": Workload(
        "roundtrip, each trip timed alone", 20_000, PERCENTILES),
    "cold": Workload(
        "roundtrip after 1 ms of rest", 1000, PERCENTILES),
    "help": Workload(
        "roundtrip where the waiter may run the job (SOON_HELP)", 20_000,
        ("ns",)),
    "forkjoin": Workload(
        "every call of fib(25) is a job that waits for its child", 25, NS),
    "forkjoin30": Workload(
        "the same with fib(30)", 30, NS, program="forkjoin", after="forkjoin"),
    "fanout": Workload(
        "1,000,000 empty jobs from inside a job", 1_000_000, NS),
    "blocking": Workload(
        "1000 jobs asleep for 2 ms on 100 threads, no hint: 20 ms at best",
        1000, ("ms",), workers=100),
    "ascompleted": Workload(
        "100,000 empty jobs, taken back in the order of completion", 100_000,
        NS),
    "memory": Workload(
        "what a pending job adds to the resident set", 1_000_000,
        ("bytes/job",)),
    "idle": Workload(
        "the 2 s after the last of 100,000 jobs", 100_000,
        ("CPU ms", "wake-ups")),
    "trickle": Workload(
        "one empty job every 10 ms", 200, ("% of a CPU",), most=2),
    "lifecycle": Workload(
        "open a pool, one round trip, close it", 1000, ("us",)),
    "work": Workload(
        "20,000 jobs of 10 us, each result waited for", 20_000, ("x ideal",)),
    "gather": Workload(
        "the same, waited for at once where the peer can", 20_000,
        ("x ideal",)),
    "map": Workload(
        "an empty function over 1,000,000 arguments, by the peer's own call "
        "where it has one", 1_000_000, NS),
}


def sweep(about, program, points):
    """Workloads that differ in one number; the largest cost most."""
    return {number: Workload(about, n, NS, program, threads=threads,
                             most=2 if n > 1_000_000 else 99)
            for number, n, threads in points}


SWEEPS = {
    "jobs": sweep("submit, by the number of jobs", "submit",
                  [(10 ** e, 10 ** e, 1) for e in range(3, 8)]),
    "threads": sweep("producers, by the number of submitting threads",
                     "producers", [(t, 1_000_000, t)
                                   for t in (1, 2, 4, 8, 16)]),
}

FLOORS = {
    "call": 100_000_000, "compare_and_swap": 100_000_000,
    "mutex_pair": 50_000_000, "malloc_free": 50_000_000,
    "system_call": 5_000_000, "page_fault": 100_000,
    "compute_one_cpu": 100_000_000, "compute_two_cpus": 100_000_000,
    "thread_create_join": 20_000, "nap_in_100_threads": 1_000,
    "spin_two_cpus": 2_000_000,
    "futex_one_cpu": 200_000, "futex_two_cpus": 100_000,
    "futex_anywhere": 100_000,
}


@dataclass
class Peer:
    name: str
    title: str
    caller_runs: bool = False   # jobs also run on the submitting thread
    divide: dict = field(default_factory=dict)  # N of a workload, by this
    most_jobs: int = 10 ** 9    # in a sweep: more would take minutes
    command: list = None

    def jobs(self, name, n, scale):
        n //= self.divide.get(name, 1)
        return int(n * scale) if n >= LARGE else n


PYTHON_DIVIDE = dict.fromkeys(
    ("submit", "producers", "fanout", "memory", "ascompleted", "work",
     "gather", "map", "threads"), 10)

PEERS = [
    Peer("soon", "libsoon"),
    Peer("naive", "hand-rolled pthreads"),
    Peer("glib", "GLib"),
    Peer("uv", "libuv"),
    # A push takes longer the longer the queue is.
    Peer("apr", "APR", divide={"memory": 50}),
    Peer("openmp", "OpenMP", caller_runs=True),
    Peer("tbb_group", "oneTBB task_group", caller_runs=True),
    Peer("tbb_enqueue", "oneTBB enqueue"),
    Peer("asio", "Boost.Asio"),
    Peer("python", "Python", divide=PYTHON_DIVIDE, most_jobs=100_000),
]


def find_peers(directory, python):
    """The peers that were built, and those that were not."""
    found, missing = [], []
    for peer in PEERS:
        program = Path(directory) / f"bench-{peer.name}"
        if peer.name == "python":
            here = Path(__file__).resolve().parent
            peer.command = [python, "-B", str(here / "peers/futures.py")]
        elif program.exists():
            peer.command = [str(program.resolve())]
        if peer.command:
            found.append(peer)
        else:
            missing.append(peer)
    return found, missing


def extra_peer(text):
    name, _, command = text.partition("=")
    return Peer(name, name, command=shlex.split(command))


def cpu_ticks(pid):
    """CPU time so far, of all threads; None where nobody counts it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    user, system = stat.rpartition(")")[2].split()[11:13]
    return int(user) + int(system)


def watch(process):
    """Wait for the end; a word if there is no point in waiting longer."""
    started = moved = time.monotonic()
    ticks = None
    while True:
        try:
            process.wait(0.05)
            return None
        except subprocess.TimeoutExpired:
            pass
        now = time.monotonic()
        current = cpu_ticks(process.pid)
        if current is None or current != ticks:
            ticks, moved = current, now
        if now - moved > STALL:
            return "deadlock"
        if now - started > TIMEOUT:
            return "timeout"


def run_once(command):
    """The figures that the program prints, or the word for why not."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    word = watch(process)
    if word:
        process.kill()
    output = process.communicate()[0].strip()
    if word:
        return word
    if process.returncode:
        return output or "fails"
    try:
        return [float(number) for number in output.split()] or "fails"
    except ValueError:
        return output


class Results:
    """Every figure of every run: {(name, point): {peer: [figures] or word}}.

    A point is the number that a sweep varies, and None in a workload.
    """

    def __init__(self):
        self.runs = {}
        self.raw = []

    def of(self, name, point=None):
        return self.runs.setdefault((name, point), {})

    def failed(self, name, peer, point=None):
        return isinstance(self.of(name, point).get(peer.name), str)

    def add(self, name, point, peer, setting, outcome):
        runs = self.of(name, point)
        self.raw.append((name, point, peer.name, setting, outcome))
        if isinstance(outcome, str):
            runs[peer.name] = outcome
        else:
            runs.setdefault(peer.name, []).append(outcome)


def measure(results, peers, name, workload, scale, point=None):
    """One repetition of one workload, on every peer in turn."""
    for peer in peers:
        if results.failed(name, peer, point):
            continue
        n = peer.jobs(name, workload.n, scale)
        program = workload.program or name
        if workload.after and results.failed(workload.after, peer):
            outcome = results.of(workload.after)[peer.name]
        else:
            outcome = run_once(peer.command + [
                program, str(n), str(workload.workers),
                str(workload.threads)])
        results.add(name, point, peer, (n, workload), outcome)


def measure_sweep(results, peers, name, rep, scale):
    for point, workload in SWEEPS[name].items():
        if rep < workload.most:
            asked = [p for p in peers
                     if p.jobs(name, workload.n, 1) <= p.most_jobs]
            measure(results, asked, name, workload, scale, point)
        # Who does not manage this many is not asked for more.
        peers = [p for p in peers if not results.failed(name, p, point)]


def measure_floors(results, directory):
    program = Path(directory) / "bench-floor"
    floor = Peer("floor", "floor", command=[str(program.resolve())])
    for name, rounds in FLOORS.items():
        results.add("floors", name, floor, (rounds, None),
                    run_once(floor.command + [name, str(rounds)]))


def measure_all(results, peers, names, options, progress):
    """Everything once, then everything again: a slow minute hits them all."""
    for rep in range(options.reps):
        for name in names:
            if name in SWEEPS:
                measure_sweep(results, peers, name, rep, options.scale)
            elif name == "floors":
                measure_floors(results, options.dir)
            elif rep < WORKLOADS[name].most:
                measure(results, peers, name, WORKLOADS[name], options.scale)
            progress(f"repetition {rep + 1} of {options.reps}: {name}")
