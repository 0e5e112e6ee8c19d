"""docs/performance.md and its figures, from what `performance` has measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from floor import BLOCK, DGEMM, FAR, NEAR, Machine, Work
from nurecoil.presentation.document import Figure, Panel, Reference, Series
from nurecoil.presentation.figures import draw, save_canvas
from nurecoil.presentation.staging import staged_file

Rows = list[dict[str, object]]
Curves = dict[str, list[tuple[int, float]]]

NAMES = {"numpy": "NumPy", "fast": "fast"}
COLOURS = {"numpy": "blue", "fast": "vermillion"}
HEAD = "<!-- Written by `python benchmarks/performance.py`: change the code, not this file. -->"


@dataclass(frozen=True)
class Results:
    """All that was measured, in seconds."""

    computer: dict[str, str]
    machine: Machine
    latency: Rows
    bounds: Rows
    experiments: Rows
    scaling: dict[str, Curves]
    growth: dict[str, list[tuple[int, float, float]]]
    workers: Rows
    unturned: Work
    loops: float
    quick: bool


def write(results: Results, docs: Path) -> None:
    """Write the page, then its figures."""
    images = docs / "images"
    images.mkdir(parents=True, exist_ok=True)
    drawn = figures(results)
    for figure in drawn:
        with staged_file(images / f"{figure.name}.png") as stage:
            save_canvas(draw(figure), stage)
    with staged_file(docs / "performance.md") as stage:
        stage.write_text(page(results, {figure.name: figure for figure in drawn}), encoding="utf-8")


def page(r: Results, drawn: dict[str, Figure]) -> str:
    """Return the page."""
    parts = [HEAD, "# Performance", _opening(r), _latency(r), _bounds(r), _floor(r)]
    parts += ["## How time grows", _picture(drawn["performance-time"]), _scaling(r)]
    parts += [_growth(r), _picture(drawn["performance-growth"]), _experiments(r), _workers(r)]
    return "\n\n".join(parts) + "\n"


def _opening(r: Results) -> str:
    warning = "**A quick run: too short to mean anything.**\n\n" if r.quick else ""
    return warning + (
        "How long a profiled point, a fit and a scan take, beside the least that this machine could need."
        " `python benchmarks/performance.py` measures everything in one run and writes this page. Machines"
        " are shared: absolute numbers move, compare ratios. Times are the shortest of several, of calls that"
        " were compiled before.\n\n" + table(("what", "measured on"), r.computer.items())
    )


def _latency(r: Results) -> str:
    rows = [
        (
            row["what"],
            number(row["bound"], "s") if row["bound"] else "",
            number(row["seconds"], "s"),
            ("yes" if row["seconds"] < row["bound"] else "**no**") if row["bound"] else "",
        )
        for row in r.latency
    ]
    return (
        "## One question\n\nFrom the command to the answer, in a process of its own, default engine: the"
        " interpreter, libraries, reading and compiling the experiments included; the shortest of three."
        " *MIGRAD by hand* is `benchmarks/plain_fit.py`: the same s<sub>W</sub>² and pulls in one call of"
        " MIGRAD, χ² in a few lines of NumPy, no errors. The *first use* of the fast engine compiles it.\n\n"
        + table(("question", "bound", "measured", "held"), rows)
    )


def _bounds(r: Results) -> str:
    rows = []
    for row in r.bounds:
        few = "" if row["points"] == 1_000_000 else "¹"
        cells = _held(row["bound"], row["seconds"], row["undisturbed"], few)
        rows.append((row["what"], NAMES[row["engine"]], *cells, f"{row['undisturbed'] / row['floor']:.1f}"))
    for row in r.experiments:
        if row["what"] == "CsI 2021":
            few = "" if row["toys"] == 100_000 else "¹"
            bound = 10.0 if row["engine"] == "fast" else None
            cells = _held(bound, 1e5 * row["all"] / row["toys"], 1e5 * row["fit"], few)
            rows.append((f"10⁵ toy fits of CsI 2021, {row['pulls']} pulls", NAMES[row["engine"]], *cells, ""))
    points, _, gigabytes = r.growth["fast"][-1]
    held = "yes" if gigabytes < 1 else "**no**"
    rows.append((f"{points:,} points streamed, memory", "fast", "1 GB", f"{gigabytes:.2f} GB", "", held, ""))
    head = ("10⁶ profiled points", "engine", "bound", "measured", "undisturbed", "held", "times the floor")
    return (
        "## The bounds\n\nOn two cores. NumPy works on one half of the points in each of two threads, the"
        " fast engine shares the points among two threads of its own. Points are random"
        " ε of the `nsi` model within ±0.3, given as strengths of couplings that are ready. *From ε*, they"
        " are a grid of four ε, as the two workers of a scan compute it, of one thread each: the points,"
        " their couplings and strengths, and χ², block by block. The Gaussian bound of the fast engine is"
        " five times the floor of the next section. *Measured* is all of it in one go; *undisturbed* is the"
        " shortest time of a small part, scaled up: what remains where other programs leave the cores alone"
        " for a moment.\n\n" + table(head, rows) + "\n\n¹ Measured on fewer, and scaled up."
    )


def _held(bound: float | None, seconds: float, undisturbed: float, few: str) -> tuple[str, ...]:
    """Return the cells: bound, measured, undisturbed, and whether the bound is held."""
    times = (number(seconds, "s") + few, number(undisturbed, "s"))
    if bound is None:
        return "", *times, ""
    if seconds < bound:
        return number(bound, "s"), *times, "yes"
    if undisturbed < bound:
        return number(bound, "s"), *times, "undisturbed"
    return number(bound, "s"), *times, f"**no**, {undisturbed / bound:.1f} x"


def _floor(r: Results) -> str:
    m = r.machine
    speeds = [
        (f"matrix product of {DGEMM} x {DGEMM}", *(f"{m.flops[t] / 1e9:.0f} GFlop/s" for t in (1, 2))),
        (f"copy of {8 * NEAR / 1e3:.0f} kB, in cache", *(f"{m.near[t] / 1e9:.0f} GB/s" for t in (1, 2))),
        (f"copy of {8 * FAR / 1e6:.0f} MB, out of cache", *(f"{m.far[t] / 1e9:.0f} GB/s" for t in (1, 2))),
        (f"exp of {BLOCK} doubles", *(f"{m.exp[t] / 1e9:.2f} · 10⁹/s" for t in (1, 2))),
        (f"log of {BLOCK} doubles", *(f"{m.log[t] / 1e9:.2f} · 10⁹/s" for t in (1, 2))),
    ]
    fast = {row["what"]: row for row in r.bounds if row["engine"] == "fast" and "ε" not in row["what"]}
    kernels = []
    for name, row in fast.items():
        work, passes = row["work"]
        passed = "1" if work.calls == 0 else f"{passes:.1f}"
        kernels.append(
            (name, passed, f"{work.flops:.0f}", f"{work.calls:.0f}", f"{work.bytes:.0f}",
             number(row["floor"] / 1e6, "s"), number(row["undisturbed"] / 1e6, "s"),
             f"{row['undisturbed'] / row['floor']:.1f}")
        )  # fmt: skip
        if work.calls == 0:
            work, floor = r.unturned, r.unturned.floor(m, 2)
            kernels.append(
                (f"{name}, bins not turned", "1", f"{work.flops:.0f}", "0", f"{work.bytes:.0f}",
                 number(floor, "s"), number(row["undisturbed"] / 1e6, "s"),
                    f"{row['undisturbed'] / 1e6 / floor:.1f}")
            )  # fmt: skip
    head = ("a profiled point", "passes", "operations", "exp, log", "bytes", "floor", "fast engine", "ratio")
    return (
        "## The floor\n\nWhat the machine can do, measured in the same run (bytes are those read and"
        " written):"
        "\n\n" + table(("speed", "one thread", "two threads"), speeds) + "\n\nWhat a point needs at least,"
        " counted from its bins, strengths, pulls and the mean number of times that χ² is evaluated on"
        " the way"
        " to its minimum (`benchmarks/floor.py` says how): floor = max(operations/peak + calls/rate,"
        " bytes/bandwidth), with two threads. A Gaussian term of any number of bins is turned into as many"
        " numbers as its templates and backgrounds span, here 9, and has its minimum in closed form;"
        " without that, its floor would be that of the second row.\n\n"
        + table(head, kernels)
        + f"\n\nThe loops of the Gaussian case take {number(r.loops, 's')}; the rest is what surrounds them:"
        " arrays for the answers, and pulls turned into units of their own. In the loops, strengths and sums"
        " of a block of points pass through the nearest cache a few times, where a matrix product keeps them"
        " in registers."
    )


def _scaling(r: Results) -> str:
    rows = []
    for axis, curves in r.scaling.items():
        for name, points in curves.items():
            cells = ", ".join(f"{x:,}: {number(seconds, 's')}" for x, seconds in points)
            rows.append((axis, name.replace("numpy", "NumPy"), cells))
    return (
        "60 bins and 4 pulls, a pull of the signal's rate and of each background's, in one thread unless"
        " it says otherwise. Gaussian bins cost nothing beyond the first few.\n\n"
        + table(("against", "engine", "time per point"), rows)
    )


def _growth(r: Results) -> str:
    rows = [
        (
            f"{points:,}",
            NAMES[engine],
            number(seconds, "s"),
            number(seconds / points, "s"),
            f"{gigabytes:.2f} GB",
        )
        for engine, scans in r.growth.items()
        for points, seconds, gigabytes in scans
    ]
    return (
        "## From 10² to 10⁸ points\n\nA scan of ε<sub>ee</sub><sup>u</sup> and ε<sub>ee</sub><sup>d</sup>,"
        " Gaussian, 60 bins, 2 pulls, from the model to the netCDF file, on one worker of one thread;"
        " each in a"
        " process of its own, whose peak memory is that of Python, the libraries and the scan.\n\n"
        + table(("points", "engine", "time", "per point", "peak memory"), rows)
    )


def _experiments(r: Results) -> str:
    rows = [
        (row["what"], row["bins"], row["pulls"], NAMES[row["engine"]], number(row["one"], "s"),
         number(row["batch"], "s"), number(row["fit"], "s"), f"{1 / row['fit']:,.0f}",
         f"{100 * row['converged']:.2f} %")
        for row in r.experiments
    ]  # fmt: skip
    head = ("COHERENT", "bins", "pulls", "engine", "one point alone", "a point in 1000", "a fit",
            "fits per second", "converged")  # fmt: skip
    return (
        "## Toys and fits\n\nReal likelihoods, all pulls profiled; a fit has the signal's strength free"
        " as well, each"
        " to simulated data of its own with fluctuated priors. Two threads in the fast engine, one in"
        " NumPy.\n\n" + table(head, rows)
    )


def _workers(r: Results) -> str:
    rows = []
    for row in r.workers:
        alone = next(w for w in r.workers if w["pool"] == row["pool"] and w["workers"] == 1)
        rate, single = (w["points"] / w["seconds"] / w["workers"] for w in (row, alone))
        rows.append(
            (
                row["pool"],
                row["workers"],
                f"{row['points']:,}",
                number(row["seconds"], "s"),
                f"{rate / single:.0%}",
            )
        )
    return (
        "## Workers\n\nA scan of the Poisson likelihood (88 bins, 4 pulls, fast, one thread a worker)"
        " with as many"
        " points for each worker: twice the workers do twice the work in the same time. *Efficiency* is"
        " the rate"
        " per worker over that of one worker; what the process itself does (checkpoints, the file) is"
        " included.\n\n" + table(("workers", "number", "points", "time", "efficiency"), rows)
    )


# --- figures -------------------------------------------------------------------------------------------


def figures(r: Results) -> list[Figure]:
    """Return the figures."""
    labels = {"bins": "bins", "pulls": "pulls", "points": "points in a batch"}
    panels = tuple(_panel(r.scaling[axis], kind, label)
                   for axis, label in labels.items() for kind in ("Gaussian", "Poisson"))  # fmt: skip
    time = Figure(
        "performance-time",
        "Time per profiled point against bins, pulls and points in a batch",
        "60 bins, 4 pulls, one thread.",
        panels,
        columns=2,
        alt="Six panels: time per point of both engines, Gaussian left and Poisson right.",
    )
    grown = [
        Series(
            *np.array([scan[:2] for scan in scans]).T, f"{NAMES[engine]}, measured", COLOURS[engine], "points"
        )
        for engine, scans in r.growth.items()
    ]
    points, seconds, _ = r.growth["fast"][-1]
    line = np.array([1e2, 1e8])
    grown.append(Series(line, line * seconds / points, "proportional to the points", "grey", "dashed"))
    memory = [
        Series(*np.array([(n, g) for n, _, g in scans]).T, NAMES[engine], COLOURS[engine], "points")
        for engine, scans in r.growth.items()
    ]
    growth = Figure(
        "performance-growth",
        "A streamed scan from 10² to 10⁸ points",
        "Gaussian, 60 bins, 2 pulls, from the model to the file.",
        (
            Panel("points", "time [s]", tuple(grown), x_log=True, y_log=True),
            Panel("points", "peak memory [GB]", tuple(memory), (Reference(1.0, "y", "bound"),), x_log=True,
                  y_range=(0.0, 1.2)),
        ),
        columns=2,
        alt="Left: time against points, a straight line from 10⁶ on. Right: memory, below 1 GB throughout.",
    )  # fmt: skip
    return [time, growth]


def _panel(curves: Curves, kind: str, label: str) -> Panel:
    series = tuple(
        Series(x, 1e6 * np.asarray(seconds), NAMES[engine], COLOURS[engine])
        for engine in NAMES
        for x, seconds in [tuple(zip(*curves[f"{kind}, {engine}"], strict=True))]
    )
    return Panel(label, "time per point [µs]", series, title=kind, x_log=True, y_log=True)


def _picture(figure: Figure) -> str:
    return f"![{figure.alt}](images/{figure.name}.png)\n\n*{figure.title}. {figure.caption}*"


# --- words ---------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [" | ".join(map(str, row)) for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(f"| {line} |" for line in lines)


def number(value: float, unit: str) -> str:
    """Return a value with two or three digits and a prefix.

    >>> number(4.26e-8, "s")
    '43 ns'
    """
    for prefix, size in (("", 1.0), ("m", 1e-3), ("µ", 1e-6), ("n", 1e-9)):
        if value >= size or prefix == "n":
            scaled = value / size
            digits = 0 if scaled >= 10 else 1
            return f"{scaled:.{digits}f} {prefix}{unit}"
    raise AssertionError
