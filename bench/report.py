"""Figures as markdown tables, as CSV, and as the data of a plot."""
import csv
import os
import platform
import statistics
import subprocess
from pathlib import Path

from measure import FLOORS, PEERS, SWEEPS, WORKLOADS, Peer, Results

TITLES = {peer.name: peer.title for peer in PEERS}
ON_CALLER = {peer.name for peer in PEERS if peer.caller_runs}
OURS = "soon"


def short(x):
    return f"{x:.0f}" if x >= 100 else f"{x:.3g}"


def title(name):
    return TITLES.get(name, name) + ("*" if name in ON_CALLER else "")


def sentence(about):
    return about[0].upper() + about[1:] + "."


def row(cells):
    return "| " + " | ".join(cells) + " |"


def heading(cells):
    return [row(cells), "|" + "---|" * len(cells)]


def column(runs, figure):
    """One of the figures: {peer: [number of each repetition]}."""
    return {peer: [run[figure] for run in outcome if len(run) > figure]
            for peer, outcome in runs.items()
            if not isinstance(outcome, str) and len(outcome[0]) > figure}


def medians(numbers):
    return {peer: statistics.median(n) for peer, n in numbers.items()}


def ratio(x, best):
    return f"{x / best:.2f}" if best else "-"


def best_of(middle, peers):
    """The best peer's median: what our own is held against."""
    return min((middle[p] for p in peers if p in middle), default=0)


def workload_table(runs, figure):
    numbers = column(runs, figure)
    middle = medians(numbers)
    others = set(runs) - {OURS}
    best = best_of(middle, others)
    best_handing_over = best_of(middle, others - ON_CALLER)
    lines = heading(["peer", "median", "min", "max", "of the best peer",
                     "of the best that hands over"])
    for peer in sorted(middle, key=middle.get):
        lines.append(row([
            title(peer), short(middle[peer]), short(min(numbers[peer])),
            short(max(numbers[peer])), ratio(middle[peer], best),
            ratio(middle[peer], best_handing_over)]))
    for peer, outcome in runs.items():
        if isinstance(outcome, str):
            lines.append(row([title(peer), outcome, "", "", "", ""]))
    return lines


def workload_report(results, name):
    workload = WORKLOADS[name]
    lines = []
    for figure, unit in enumerate(workload.units):
        lines += [f"### {name} ({unit})", "", sentence(workload.about), ""]
        lines += workload_table(results.of(name), figure) + [""]
    return lines


def sweep_report(results, name):
    points = SWEEPS[name]
    about = next(iter(points.values())).about
    lines = [f"### {name} (ns/job)", "", sentence(about + "; medians"), ""]
    lines += heading(["peer", *map(str, points)])
    cells = {point: cells_of(results.of(name, point), 0) for point in points}
    for peer in dict.fromkeys(p for point in points for p in cells[point]):
        lines.append(row([title(peer), *(cells[point].get(peer, "")
                                         for point in points)]))
    return lines + [""]


def floors_report(results):
    lines = ["### floors (ns)", "", "What the primitives cost.", ""]
    lines += heading(["primitive", "median", "min", "max"])
    for name in FLOORS:
        for numbers in column(results.of("floors", name), 0).values():
            lines.append(row([name, short(statistics.median(numbers)),
                              short(min(numbers)), short(max(numbers))]))
    return lines + [""]


def cells_of(runs, figure):
    """A median or a word for each peer."""
    cells = {peer: short(x)
             for peer, x in medians(column(runs, figure)).items()}
    cells.update((p, o) for p, o in runs.items() if isinstance(o, str))
    return cells


STAR = ("*: the submitting thread is one of the workers and runs jobs itself, "
        "so little or nothing is handed over.")


def overview(results, peers, names):
    lines = ["### medians", ""]
    lines += heading(["workload", *(title(peer.name) for peer in peers)])
    for name in names:
        for figure, unit in enumerate(WORKLOADS[name].units):
            cells = cells_of(results.of(name), figure)
            lines.append(row([f"{name}, {unit}", *(cells.get(peer.name, "")
                                                   for peer in peers)]))
    return lines + [""]


def markdown(results, peers, names):
    chosen = [name for name in names if name in WORKLOADS]
    lines = overview(results, peers, chosen) if chosen else []
    if any(peer.caller_runs for peer in peers):
        lines += [STAR, ""]
    for name in names:
        if name in WORKLOADS:
            lines += workload_report(results, name)
        elif name in SWEEPS:
            lines += sweep_report(results, name)
        else:
            lines += floors_report(results)
    return "\n".join(lines)


def units_of(name):
    return WORKLOADS[name].units if name in WORKLOADS else ("ns",)


def write_csv(results, path):
    """Every single figure, in the order in which they were measured."""
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["workload", "point", "peer", "n", "workers", "threads",
                      "unit", "value"])
        for name, point, peer, (n, workload), outcome in results.raw:
            setting = [n, workload.workers, workload.threads] \
                if workload else [n, "", ""]
            words = isinstance(outcome, str)
            for i, unit in enumerate(units_of(name)):
                if words or i < len(outcome):
                    out.writerow([name, "" if point is None else point, peer,
                                  *setting, unit,
                                  outcome if words else outcome[i]])


def read_csv(path):
    """What write_csv() wrote, for tables and pictures."""
    results = Results()
    with open(path, newline="") as file:
        for line in csv.DictReader(file):
            point = int(line["point"]) if line["point"].isdigit() \
                else line["point"] or None
            runs = results.of(line["workload"], point)
            try:
                figure = float(line["value"])
            except ValueError:
                runs[line["peer"]] = line["value"]
                continue
            if line["unit"] == units_of(line["workload"])[0]:
                runs.setdefault(line["peer"], []).append([])
            runs[line["peer"]][-1].append(figure)
    return results


def found_in(results):
    """The peers and the workloads that have figures."""
    names = list(dict.fromkeys(name for name, _ in results.runs))
    there = {peer for runs in results.runs.values() for peer in runs}
    peers = [peer for peer in PEERS if peer.name in there]
    known = {peer.name for peer in peers} | {"floor"}
    return peers + [Peer(name, name) for name in sorted(there - known)], names


def against_ours(results, names):
    """(row, label, peer, how many times our figure) of every workload."""
    number = 0
    for name in names:
        for figure, unit in enumerate(WORKLOADS[name].units):
            middle = medians(column(results.of(name), figure))
            ours = middle.get(OURS) or min(middle.values(), default=0)
            if ours > 0:
                number += 1
                label = f"{name}: {short(ours)} {unit}" if ", " not in unit \
                    else f"{name}, {unit.replace(',', f': {short(ours)}')}"
                for peer, x in middle.items():
                    if x > 0:
                        yield number, label, peer, x / ours


def block(name, lines):
    return [f"${name} << END", *lines, "END"]


def sweep_lines(results, name, peer):
    for point in SWEEPS[name]:
        numbers = column(results.of(name, point), 0).get(peer)
        if numbers:
            yield (f"{point} {statistics.median(numbers)} {min(numbers)} "
                   f"{max(numbers)}")


def plot_data(results, peers, names):
    """What plot.gp asks for: a few variables, and datablocks."""
    ratios = list(against_ours(results, [n for n in names if n in WORKLOADS]))
    labels = {number: label for number, label, *_ in ratios}
    measured = {peer for _, _, peer, _ in ratios}
    basis = TITLES[OURS] if OURS in measured else "the cheapest"
    places = [*TITLES]
    swept = any(results.of(name, point) for name in names if name in SWEEPS
                for point in SWEEPS[name])
    lines = [f"n = {len(peers)}", f"rows = {len(labels)}",
             f"swept = {int(swept)}",
             f'basis = "{basis}"', f"array titles[{len(peers)}]",
             f"array place[{len(peers)}]"]
    lines += block("labels", (f'{number} "{label}"'
                              for number, label in labels.items()))
    for i, peer in enumerate((peer.name for peer in peers), 1):
        place = places.index(peer) if peer in places else len(places)
        lines += [f'titles[{i}] = "{title(peer)}"',
                  f"place[{i}] = {place + 1}"]
        lines += block(f"ratio{i}", (f"{x} {n}" for n, _, p, x in ratios
                                     if p == peer))
        for name in SWEEPS:
            lines += block(f"{name}{i}", sweep_lines(results, name, peer))
    return "\n".join(lines) + "\n"


def write_svg(results, peers, names, gnuplot, path):
    here = Path(__file__).resolve().parent
    script = plot_data(results, peers, names)
    script += f'set output "{path}"\nload "{here / "plot.gp"}"\n'
    drawn = subprocess.run([gnuplot, "-"], input=script, text=True)
    return drawn.returncode == 0


def first_line(path, start=""):
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(start):
                return line.rpartition(":")[2].strip()
    except OSError:
        pass
    return "unknown"


def version(module):
    try:
        found = subprocess.run(["pkg-config", "--modversion", module],
                               capture_output=True, text=True)
    except OSError:
        return "unknown"
    return found.stdout.strip() or "not found"


def machine(compilers):
    """What a stranger needs to know of where the figures come from."""
    cpuinfo = "/proc/cpuinfo"
    clock = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
    virtual = "hypervisor" in first_line(cpuinfo, "flags").split()
    modules = {"GLib": "glib-2.0", "libuv": "libuv", "APR": "apr-util-1",
               "oneTBB": "tbb"}
    facts = {
        "CPU": first_line(cpuinfo, "model name"),
        "CPUs this process may use": len(os.sched_getaffinity(0)),
        "virtual machine": "yes" if virtual else "no",
        "clock": first_line(clock),
        "kernel": f"{platform.system()} {platform.release()}",
        "C library": " ".join(platform.libc_ver()),
        "compilers": compilers or "unknown",
        "peers": ", ".join(f"{name} {version(module)}"
                           for name, module in modules.items())
                 + f", Python {platform.python_version()}",
        "load when it began": "%.2f" % os.getloadavg()[0],
    }
    return "\n".join(f"- {name}: {fact}" for name, fact in facts.items())
