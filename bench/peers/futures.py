"""python - CPython's concurrent.futures.ThreadPoolExecutor.

The workloads of ../*.h once more; called as `futures.py WORKLOAD N WORKERS
[THREADS]`.
"""
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from pathlib import Path

WORK_ROUNDS = 100       # about 10 us of bytecode
COLD_PAUSE = 0.001
IDLE = 2
SETTLE = 0.01
TRICKLE = 0.01


def identity(x):
    return x


def compute(seed):
    x = seed + 88172645463325252
    for _ in range(WORK_ROUNDS):
        x ^= (x << 13) & 0xFFFFFFFFFFFFFFFF
        x ^= x >> 7
    return x & 0xFFFF


def expect(got, want):
    if got != want:
        sys.exit("wrong result")


def seconds(action, *args):
    start = time.perf_counter()
    action(*args)
    return time.perf_counter() - start


def submit_and_sum(pool, fn, n):
    futures = [pool.submit(fn, i) for i in range(n)]
    return sum(future.result() for future in futures)


def submit_identities(pool, n):
    expect(submit_and_sum(pool, identity, n), n * (n - 1) // 2)


def round_trips(pool, n):
    for i in range(n):
        expect(pool.submit(identity, i).result(), i)


def warm_pool(workers):
    pool = ThreadPoolExecutor(workers)
    submit_identities(pool, 100)
    return pool


def submit(n, workers, _):
    with warm_pool(workers) as pool:
        return [seconds(submit_identities, pool, n) * 1e9 / n]


def producers(n, workers, threads):
    def run():
        producing = [threading.Thread(target=submit_identities,
                                      args=(pool, n // threads))
                     for _ in range(threads)]
        for thread in producing:
            thread.start()
        for thread in producing:
            thread.join()

    with warm_pool(workers) as pool:
        return [seconds(run) * 1e9 / n]


def roundtrip(n, workers, _):
    with warm_pool(workers) as pool:
        return [seconds(round_trips, pool, n) * 1e9 / n]


def percentiles(trips):
    trips.sort()
    return [trips[len(trips) // 2] * 1e9, trips[len(trips) * 99 // 100] * 1e9]


def warm(n, workers, _):
    with warm_pool(workers) as pool:
        return percentiles([seconds(round_trips, pool, 1) for _ in range(n)])


def cold(n, workers, _):
    trips = []
    with warm_pool(workers) as pool:
        for _ in range(n):
            time.sleep(COLD_PAUSE)
            trips.append(seconds(round_trips, pool, 1))
    return percentiles(trips)


def forkjoin(n, workers, _):
    spawned = 1

    def fib(k):
        nonlocal spawned
        if k < 2:
            return k
        spawned += 1
        child = pool.submit(fib, k - 1)
        return fib(k - 2) + child.result()

    pool = ThreadPoolExecutor(workers)
    return [seconds(lambda: pool.submit(fib, n).result()) * 1e9 / spawned]


def fanout(n, workers, _):
    with ThreadPoolExecutor(workers) as pool:
        elapsed = seconds(
            lambda: pool.submit(submit_identities, pool, n).result())
    return [elapsed * 1e9 / n]


def blocking(n, workers, _):
    start = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        wait([pool.submit(time.sleep, 0.002) for _ in range(n)])
        elapsed = time.perf_counter() - start
    return [elapsed * 1e3]


def ascompleted(n, workers, _):
    def run():
        futures = [pool.submit(identity, i) for i in range(n)]
        expect(sum(future.result() for future in as_completed(futures)),
               n * (n - 1) // 2)

    with ThreadPoolExecutor(workers) as pool:
        return [seconds(run) * 1e9 / n]


def resident_bytes():
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def memory(n, workers, _):
    latch = threading.Event()
    with ThreadPoolExecutor(workers) as pool:
        for _ in range(workers):
            pool.submit(latch.wait)
        before = resident_bytes()
        futures = [pool.submit(identity, i) for i in range(n)]
        growth = resident_bytes() - before
        latch.set()
        wait(futures)
    return [growth / n]


def sleeps():
    """How often each thread has gone to sleep so far."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                found[task.name] = int(line.split()[1])
    return found


def idle(n, workers, _):
    with ThreadPoolExecutor(workers) as pool:
        submit_identities(pool, n)
        process = time.process_time()
        looking = time.thread_time()
        time.sleep(SETTLE)
        before = sleeps()
        looking = time.thread_time() - looking
        time.sleep(IDLE - SETTLE)
        burnt = time.process_time() - process - looking
        after = sleeps()
    wakes = sum(after[task] - before.get(task, 0) for task in after)
    return [burnt * 1e3, wakes - 1]     # less this thread's own


def trickle(n, workers, _):
    with warm_pool(workers) as pool:
        cpu = time.process_time()
        start = time.perf_counter()
        for _ in range(n):
            time.sleep(TRICKLE)
            round_trips(pool, 1)
        cpu = time.process_time() - cpu
        return [cpu / (time.perf_counter() - start) * 100]


def lifecycle(n, workers, _):
    def run():
        for _ in range(n):
            with ThreadPoolExecutor(workers) as pool:
                round_trips(pool, 1)

    return [seconds(run) * 1e6 / n]


def serial_seconds(n):
    return seconds(lambda: [compute(i) for i in range(n)])


def work(n, workers, _):
    serial = serial_seconds(n)
    with ThreadPoolExecutor(workers) as pool:
        elapsed = seconds(submit_and_sum, pool, compute, n)
    return [elapsed / (serial / workers)]


def gather(n, workers, _):
    def run():
        futures = [pool.submit(compute, i) for i in range(n)]
        wait(futures)
        sum(future.result() for future in futures)

    serial = serial_seconds(n)
    with ThreadPoolExecutor(workers) as pool:
        elapsed = seconds(run)
    return [elapsed / (serial / workers)]


def map_(n, workers, _):
    def run():
        expect(sum(pool.map(identity, range(n))), n * (n - 1) // 2)

    with warm_pool(workers) as pool:
        return [seconds(run) * 1e9 / n]


WORKLOADS = {run.__name__.rstrip("_"): run for run in (
    submit, producers, roundtrip, warm, cold, forkjoin, fanout, blocking,
    ascompleted, memory, idle, trickle, lifecycle, work, gather, map_)}


def main():
    name, n, workers, *threads = sys.argv[1:]
    if name not in WORKLOADS:
        print("n/a")
        return
    figures = WORKLOADS[name](int(n), int(workers),
                              int(threads[0]) if threads else 4)
    print(*("%.6g" % figure for figure in figures))


if __name__ == "__main__":
    main()
