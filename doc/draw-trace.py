#!/usr/bin/env python3
"""Draw a trace of soon_trace_start() as a picture.

usage: draw-trace.py [options] TRACE >PICTURE.svg
       draw-trace.py [options] --text TRACE

Time runs to the right; each thread has a band, and a job is a bar in it.  A job
that ran while another on the same thread waited for it is a bar below that one.
A failed job has a red edge, in text an x.  In a browser each bar tells its times.
"""
import argparse
import json
import math
import re
import sys
from html import escape

ROW = 22            # of a thread, for each depth of jobs
GAP = 6             # between threads
TOP = 40
LETTER = 7.7        # about the width of one

STYLE = """
text { font: 12px sans-serif; fill: #222 }
.back { fill: #fff }
.band { fill: #f2f2f2 }
.line { stroke: #ccc }
.mark { fill: #666; text-anchor: middle }
.name { text-anchor: end }
.head { font-size: 14px; font-weight: bold }
.job text { fill: #111 }
.job rect { stroke: #fff; stroke-width: 0.6 }
@media (prefers-color-scheme: dark) {
text { fill: #ddd } .back { fill: #16181d } .band { fill: #24272e }
.line { stroke: #484c55 } .mark { fill: #aaa }
.job rect { stroke: #16181d }
}
.failed rect { stroke: #c00; stroke-width: 2 }
"""
COLOURS = ("#7fb7e6", "#f0b95a", "#6cc7a4", "#e3a5c9", "#f08e5c", "#c9c06a",
           "#a8a4e0", "#b5b5b5")


def read_events(path):
    """All events; a trace without a stop lacks its end."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read().rstrip()
    whole = text[:text.rfind("}") + 1]
    torn = text[:text.rfind(",\n{")]
    for candidate in (text, text + "]", whole + "]", torn + "]"):
        try:
            events = json.loads(candidate)
        except ValueError:
            continue
        if isinstance(events, dict):
            events = events.get("traceEvents")
        if isinstance(events, list):
            return events
    sys.exit(f"draw-trace: {path} is no trace")


class Job:
    def __init__(self, event):
        self.name = event["name"]
        self.start = event["ts"] / 1e6
        self.length = event["dur"] / 1e6
        self.end = self.start + self.length
        self.thread = event["pid"], event["tid"]
        args = event.get("args", {})
        self.failed = args.get("outcome") == "failed"
        self.outcome = args.get("outcome", "")
        if self.failed:
            self.outcome += f": {args.get('message') or args.get('error')}"
        self.depth = 0

    def shift(self, zero):
        self.start -= zero
        self.end -= zero


def set_depths(jobs):
    """Times are rounded to a nanosecond, so an end may seem to be late."""
    open_jobs = []
    for job in sorted(jobs, key=lambda j: (j.start, -j.length)):
        while open_jobs and open_jobs[-1].end <= job.start + 1e-9:
            open_jobs.pop()
        job.depth = len(open_jobs)
        open_jobs.append(job)


def by_thread(jobs, first, last):
    """{thread: jobs} of what ran between the two, in order of appearance."""
    threads = {}
    for job in sorted(jobs, key=lambda j: j.start):
        threads.setdefault(job.thread, []).append(job)
    for of_thread in threads.values():
        set_depths(of_thread)
    shown = {thread: [j for j in of_thread if j.start < last and j.end > first]
             for thread, of_thread in threads.items()}
    return {thread: kept for thread, kept in shown.items() if kept}


def duration(seconds):
    for size, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def step(span, most):
    """1, 2 or 5 of something: so large that at most so many fit."""
    size = 1e-9
    while True:
        for factor in (1, 2, 5):
            if span / (size * factor) <= most:
                return size * factor
        size *= 10


def clean(text):
    """What XML can hold; it has no word for most control characters."""
    text = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]",
                  "\ufffd", text)
    return escape(text)


class Drawing:
    def __init__(self, threads, names, first, last):
        self.threads, self.names = threads, names
        self.first, self.last = first, last
        self.widest = max((len(self.called(t)) for t in threads), default=0)

    def called(self, thread):
        return self.names.get(thread, f"thread {thread[1]}")

    def ticks(self, most):
        """(time, label) of the round times, not more than so many."""
        apart = step(self.last - self.first, most)
        size, unit = next((s, u) for s, u in
                          ((1, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
                          if apart >= s * 0.1 or u == "ns")
        tick = math.ceil(self.first / apart)
        while tick * apart <= self.last * (1 + 1e-9):
            yield tick * apart, f"{tick * apart / size:.10g} {unit}"
            tick += 1


class Text(Drawing):
    """The same for a terminal: a line for a thread, and one below for what ran
    on top of a job that waited."""

    def __init__(self, threads, names, first, last, width):
        super().__init__(threads, names, first, last)
        self.columns = max(width - self.widest - 6, 20)

    def column(self, time):
        time = min(max(time, self.first), self.last)
        return round((time - self.first) / (self.last - self.first)
                     * (self.columns - 1))

    def bar(self, job):
        begin, end = self.column(job.start), self.column(job.end)
        room = end - begin - 1
        if room < 1:
            return begin, "!" if job.failed else "|"
        name = job.name if job.name.isprintable() else ""
        label = next((text for text in
                      (f" {name}: {duration(job.length)} ", f" {name} ")
                      if name and len(text) <= room), "")
        return begin, f"[{label.ljust(room, 'x' if job.failed else '=')}]"

    def rows(self, thread):
        jobs = self.threads[thread]
        rows = [[" "] * self.columns
                for _ in range(1 + max(job.depth for job in jobs))]
        for job in jobs:
            begin, bar = self.bar(job)
            rows[job.depth][begin:begin + len(bar)] = bar
        for number, row in enumerate(rows):
            name = "" if number else self.called(thread)
            yield f"{name.rjust(self.widest)}  {''.join(row)}".rstrip()

    def text(self):
        lines = [row for thread in self.threads for row in self.rows(thread)]
        axis = [" "] * (self.columns + 10)
        for time, label in self.ticks(self.columns // 9):
            axis[self.column(time):self.column(time) + len(label)] = label
        return "\n".join(lines + [" " * (self.widest + 2)
                                  + "".join(axis).rstrip(), ""])


class Picture(Drawing):
    def __init__(self, threads, names, first, last, width):
        super().__init__(threads, names, first, last)
        self.width = width
        self.left = int(20 + LETTER * self.widest)
        self.scale = (width - self.left - 25) / (last - first)
        self.colours = {}
        self.bottom = TOP
        self.lines = []
        self.bars = []

    def x(self, time):
        time = min(max(time, self.first), self.last)
        return self.left + (time - self.first) * self.scale

    def band(self, thread):
        jobs = self.threads[thread]
        rows = 1 + max(job.depth for job in jobs)
        self.lines += [
            f'<rect class="band" x="{self.left}" y="{self.bottom}" '
            f'width="{self.width - self.left - 25}" height="{rows * ROW}"/>',
            f'<text class="name" x="{self.left - 8}" y="{self.bottom + 15}">'
            f'{clean(self.called(thread))}</text>']
        self.bars += [self.bar(job) for job in jobs]
        self.bottom += rows * ROW + GAP

    def bar(self, job):
        x, y = self.x(job.start), self.bottom + job.depth * ROW
        width = max(self.x(job.end) - x, 0.5)
        took = duration(job.length)
        colour = self.colours.setdefault(
            job.name, COLOURS[len(self.colours) % len(COLOURS)])
        kind = "job failed" if job.failed else "job"
        label = next((text for text in (f"{job.name}: {took}", job.name)
                      if len(text) * LETTER + 8 < width), "")
        text = label and (f'<text x="{x + 6:.1f}" y="{y + 15}">'
                          f'{clean(label)}</text>')
        return (f'<g class="{kind}"><title>{clean(job.name)}: {took} from '
                f'{job.start:.6f} s on; {clean(job.outcome)}</title>'
                f'<rect x="{x:.1f}" y="{y + 1}" width="{width:.1f}" '
                f'height="{ROW - 2}" fill="{colour}"/>{text}</g>')

    def axis(self):
        """A line for each round number, below the bars, and its label."""
        for time, label in self.ticks(8):
            x = f"{self.x(time):.1f}"
            yield (f'<path class="line" d="M{x} {TOP - 4}V{self.bottom}"/>'
                   f'<text class="mark" x="{x}" y="{self.bottom + 15}">'
                   f'{label}</text>')

    def svg(self, title, note):
        for thread in self.threads:
            self.band(thread)
        height = self.bottom + 26 + (18 if note else 0)
        head = [
            f'<svg xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="0 0 {self.width} {height}" width="{self.width}" '
            f'height="{height}">', f"<title>{clean(title)}</title>",
            f"<style>{STYLE}</style>",
            '<rect class="back" width="100%" height="100%"/>',
            f'<text class="head" x="{self.left}" y="24">{clean(title)}</text>']
        foot = [f'<text x="{self.left}" y="{height - 9}">{clean(note)}</text>'
                ] if note else []
        return "\n".join(head + self.lines + [*self.axis()] + self.bars
                         + foot + ["</svg>"])


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="draw-trace.py", usage="%(prog)s [options] TRACE >PICTURE.svg",
        description=__doc__.partition("\n\n")[0])
    parser.add_argument("trace", metavar="TRACE")
    parser.add_argument("--title", default="", help="stands above")
    parser.add_argument("--from", type=float, dest="first", metavar="SECONDS",
                        help="begin so long after the first job's start")
    parser.add_argument("--to", type=float, dest="last", metavar="SECONDS",
                        help="end so long after it")
    parser.add_argument("--text", action="store_true",
                        help="draw by letters, for a terminal")
    parser.add_argument("--width", type=int, metavar="N",
                        help="in pixels (800), or letters (72)")
    options = parser.parse_args(argv)
    if options.width is None:
        options.width = 72 if options.text else 800
    if options.width < (40 if options.text else 300):
        parser.error("--width is 300 at least, 40 of text")
    return options


def main(argv):
    options = parse(argv)
    events = [e for e in read_events(options.trace) if isinstance(e, dict)]
    jobs = [Job(e) for e in events if e.get("ph") == "X"]
    if not jobs:
        sys.exit(f"draw-trace: no job in {options.trace}")
    zero = min(job.start for job in jobs)
    for job in jobs:
        job.shift(zero)
    first = options.first or 0
    last = options.last or max(max(job.end for job in jobs), first + 1e-9)
    if last <= first:
        sys.exit("draw-trace: --to is not after --from")
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events
             if e.get("name") == "thread_name"}
    lost = sum(e["args"]["count"] for e in events
               if e.get("name") == "lost events")
    draws = Text if options.text else Picture
    picture = draws(by_thread(jobs, first, last), names, first, last,
                    options.width)
    if options.text:
        sys.stdout.write(picture.text())
        return
    svg = picture.svg(options.title or options.trace,
                      f"{lost} events were lost" if lost else "")
    sys.stdout.buffer.write(svg.encode() + b"\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"draw-trace: {error}")
