#!/usr/bin/env python3
"""The library beside its peers, on the same work in one run.

usage: run.py [options] [WORKLOAD ...]

Runs every workload on every peer that was built, one repetition of all after
the other; prints markdown tables, writes every figure to a CSV file and, with
gnuplot, a picture.  `make bench BENCH_ARGS="..."` passes arguments on.
"""
import argparse
import os
import sys

import measure
import report


def parse(argv):
    known = [*measure.WORKLOADS, *measure.SWEEPS, "floors"]
    parser = argparse.ArgumentParser(
        usage="%(prog)s [options] [WORKLOAD ...]",
        description=__doc__.partition("\n\n")[0],
        epilog="workloads: " + ", ".join(known))
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD",
                        help="only these; all if none is given")
    parser.add_argument("--reps", type=int, default=5, metavar="N",
                        help="repetitions (default %(default)s)")
    parser.add_argument("--peers", metavar="A,B,...",
                        help="only these: "
                        + ", ".join(peer.name for peer in measure.PEERS))
    parser.add_argument("--extra", action="append", default=[],
                        metavar="NAME=COMMAND",
                        help="one more peer, called as COMMAND WORKLOAD N "
                        "WORKERS THREADS")
    parser.add_argument("--scale", type=float, default=1, metavar="X",
                        help="multiplies the large numbers of jobs")
    parser.add_argument("--dir", default=".", help="where the programs are")
    parser.add_argument("--csv", default="results.csv", metavar="FILE",
                        help="where the raw figures go (%(default)s)")
    parser.add_argument("--svg", default="bench.svg", metavar="FILE",
                        help="where the picture goes (%(default)s)")
    parser.add_argument("--gnuplot", default="", metavar="PROGRAM",
                        help="draws the picture; none without it")
    parser.add_argument("--compilers", default="", help=argparse.SUPPRESS)
    parser.add_argument("--from", dest="measured", metavar="FILE",
                        help="measure nothing: draw the figures of this CSV "
                        "file, those of sweeps only if they are named")
    parser.add_argument("--machine", action="store_true",
                        help="only say what machine this is")
    options = parser.parse_args(argv)
    unknown = [name for name in options.workloads if name not in known]
    if unknown:
        parser.error("no such workload: " + ", ".join(unknown))
    if options.reps < 1 or options.scale <= 0:
        parser.error("--reps and --scale are above 0")
    peers = [peer.name for peer in measure.PEERS]
    wanted = options.peers.split(",") if options.peers is not None else peers
    unknown = [name for name in wanted if name and name not in peers]
    if unknown:
        parser.error("no such peer: " + ", ".join(unknown))
    options.names = options.workloads or known
    options.peers = wanted
    return options


def choose_peers(options):
    peers, missing = measure.find_peers(options.dir, sys.executable)
    peers = [peer for peer in peers if peer.name in options.peers]
    missing = [peer.title for peer in missing if peer.name in options.peers]
    if missing:
        print("Left out, not found by configure: " + ", ".join(missing)
              + ".\n", flush=True)
    return peers + [measure.extra_peer(text) for text in options.extra]


def go_first():
    """Ahead of whatever else the machine runs, where that is allowed."""
    try:
        os.nice(-20)
    except OSError:
        pass


def progress(line):
    print(line, file=sys.stderr, flush=True)


def draw(results, peers, names, options):
    if not options.gnuplot:
        print("No picture: gnuplot was not found.")
    elif report.write_svg(results, peers, names, options.gnuplot, options.svg):
        print(f"Picture: {options.svg}")
    else:
        sys.exit("No picture: gnuplot fails.")


def redraw(options):
    results = report.read_csv(options.measured)
    peers, names = report.found_in(results)
    peers = [p for p in peers if p.name in options.peers
             or p.name not in report.TITLES]
    wanted = options.workloads or measure.WORKLOADS
    draw(results, peers, [n for n in names if n in wanted], options)


def main(argv):
    options = parse(argv)
    if options.measured:
        return redraw(options)
    print(report.machine(options.compilers), end="\n\n", flush=True)
    if options.machine:
        return
    peers = choose_peers(options)
    if not os.path.exists(os.path.join(options.dir, "bench-floor")):
        options.names = [n for n in options.names if n != "floors"]
    if options.scale != 1:
        print(f"A look only: an N from {measure.LARGE:,} on is multiplied by "
              f"{options.scale:g}.\n", flush=True)
    go_first()
    results = measure.Results()
    measure.measure_all(results, peers, options.names, options, progress)
    print(report.markdown(results, peers, options.names))
    report.write_csv(results, options.csv)
    print(f"Every figure: {options.csv}", flush=True)
    draw(results, peers, options.names, options)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
