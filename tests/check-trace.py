#!/usr/bin/env python3
#
# check-trace.py FILE - whether a trace is one of Chromium's Trace Event Format, as
# far as it says what an event must have: the JSON array form, whose last bracket
# may be missing.

import json
import sys

REQUIRED = {
    "X": {"name": str, "cat": str, "ts": (int, float), "dur": (int, float),
          "pid": int, "tid": int, "args": dict},
    "M": {"name": str, "pid": int, "tid": int, "args": dict},
    "i": {"name": str, "ts": (int, float), "pid": int, "tid": int, "s": str},
}
METADATA = {"process_labels": "labels", "thread_name": "name"}


def fail(event, text):
    sys.exit("check-trace: %s: %r" % (text, event))


def check_event(event):
    if not isinstance(event, dict) or event.get("ph") not in REQUIRED:
        fail(event, "no event of a known phase")
    for key, kind in REQUIRED[event["ph"]].items():
        if not isinstance(event.get(key), kind):
            fail(event, "lacks " + key)
    if event["ph"] == "M" and not isinstance(
            event["args"].get(METADATA.get(event["name"])), str):
        fail(event, "unknown metadata")
    if event["ph"] == "i" and event["s"] not in ("g", "p", "t"):
        fail(event, "unknown scope")
    if event["ph"] == "X" and (event["ts"] < 0 or event["dur"] < 0):
        fail(event, "negative time")


def check_nesting(events):
    """On one thread events lie side by side or one within the other."""
    open_until = []
    for event in sorted(events, key=lambda e: (e["ts"], -e["dur"])):
        end = event["ts"] + event["dur"]
        while open_until and open_until[-1] <= event["ts"] + 0.0005:
            open_until.pop()
        if open_until and end > open_until[-1] + 0.0005:
            fail(event, "overlaps another of its thread")
        open_until.append(end)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    if not text.rstrip().endswith("]"):
        text += "]"
    events = json.loads(text)
    for event in events:
        check_event(event)
    named = {e["tid"] for e in events if e["name"] == "thread_name"}
    threads = {}
    for event in events:
        if event["ph"] == "X":
            threads.setdefault(event["tid"], []).append(event)
    if set(threads) - named:
        fail(set(threads) - named, "threads without a name")
    for of_thread in threads.values():
        check_nesting(of_thread)
    print("check-trace: %d events on %d threads" % (len(events), len(threads)))


main()
