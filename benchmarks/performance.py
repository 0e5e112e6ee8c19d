"""Measure all that docs/performance.md says, and write it: `python benchmarks/performance.py [--quick]`."""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the engine's matrix products are small

import numba
from threadpoolctl import threadpool_info, threadpool_limits

import nurecoil
import page
import workloads
from floor import Machine, Work, best, count, evaluations, measure
from latency import latency
from nurecoil.likelihood import Fitted, JointLikelihood
from nurecoil.likelihood.problem import Layout
from nurecoil.scans import executors, run, work
from nurecoil.study.question import Question

ENGINES = ("numpy", "fast")
ROOT = Path(__file__).resolve().parents[1]
MILLION = 1_000_000


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    seconds: float  # at least, on each number
    points: int  # of a bound
    sample: int  # of a slow variant, and of the curves
    toys: int
    largest: int  # scan
    chunk: int  # points per worker in the weak scaling


FULL = Effort(1.0, MILLION, 20_000, 100_000, 10**8, 1_000_000)
QUICK = Effort(0.05, 50_000, 2_000, 1_000, 10**5, 50_000)


def computer() -> dict[str, str]:
    """Return what the numbers depend on; no names, no paths."""
    with open("/proc/cpuinfo") as lines:
        model = next(
            (line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown"
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    blas = next((p for p in threadpool_info() if p["user_api"] == "blas"), {})
    return {
        "processor": f"{model}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{memory:.0f} GiB",
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "BLAS": f"{blas.get('internal_api')} {blas.get('version')} ({blas.get('architecture')} kernels)",
        "Numba": numba.__version__,
        "nurecoil": nurecoil.__version__,
        "load when it began": f"{os.getloadavg()[0]:.1f}",
    }


def used() -> tuple[float, float]:
    """Return for how many seconds all cores have worked so far, and for how many for this run."""
    with open("/proc/stat") as lines:
        user, nice, system, _, _, *interrupts = (int(x) for x in lines.readline().split()[1:9])
    busy = (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return busy, sum(usage.ru_utime + usage.ru_stime for usage in own)


def profile(likelihood: JointLikelihood, strengths: np.ndarray, threads: int) -> Callable[[], object]:
    """Return a call that profiles all points, in threads of their own where the engine has none."""
    if threads == 1 or likelihood.engine_name != "numpy":
        return lambda: likelihood.profiled(strengths)
    halves = np.array_split(strengths, threads)

    def work() -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(likelihood.profiled, halves))

    return work


def timed(likelihood: JointLikelihood, strengths: np.ndarray, threads: int, seconds: float) -> float:
    """Return seconds per point."""
    numba.set_num_threads(threads)
    return best(profile(likelihood, strengths, threads), seconds, 2) / len(strengths)


# --- the bounds of the project -------------------------------------------------------------------------


def bounds(machine: Machine, effort: Effort) -> list[dict[str, object]]:
    """Measure what the project promises: rows with the bound, the time and the floor of 10⁶ points."""
    points = workloads.nsi_points(effort.points)
    cases = [
        ("Gaussian, 60 bins, 2 pulls", workloads.gaussian(), {}, {"numpy": 0.8}),
        ("Poisson, 88 bins, 4 pulls of rates", workloads.poisson(), {}, {"numpy": 15.0, "fast": 2.5}),
        ("Poisson, 88 bins, 2 pulls of rates, 2 of shapes", *workloads.hard(), {}),
    ]
    rows = []
    for name, term, widths, limits in cases:
        work = counted(workloads.likelihood(term, "numpy", widths), points.strengths[:5000])
        floor = work[0].floor(machine, 2) * MILLION
        if term.sigma is not None:
            limits = {**limits, "fast": 5 * floor}
        for engine in ENGINES:
            likelihood = workloads.likelihood(term, engine, widths)
            slow = engine == "numpy" and term.sigma is None and name.endswith("shapes")
            chosen = points.strengths[: 2 * effort.sample if slow else effort.points]
            seconds = MILLION * timed(likelihood, chosen, 2, effort.seconds)
            piece = chosen[: max(2000, len(chosen) // 40)]
            rows.append(
                {"what": name, "engine": engine, "bound": limits.get(engine), "seconds": seconds,
                 "undisturbed": min(seconds, MILLION * timed(likelihood, piece, 2, effort.seconds)),
                 "points": len(chosen), "floor": floor, "work": work}
            )  # fmt: skip
            show(name, engine, seconds)
            if term.sigma is not None:
                seconds, piece = (MILLION * x for x in from_epsilon(likelihood, effort))
                rows.append(
                    {"what": f"{name}, from ε", "engine": engine, "bound": limits.get(engine),
                     "seconds": seconds, "undisturbed": min(seconds, piece),
                     "points": effort.points, "floor": floor, "work": work}
                )  # fmt: skip
                show(name, engine, "from ε", seconds)
    return rows


def counted(likelihood: JointLikelihood, strengths: np.ndarray) -> tuple[Work, float]:
    """Return the counted work per point, and the number of evaluations."""
    passes = evaluations(likelihood, strengths)
    return count(_layout(likelihood), passes), passes


def loops(effort: Effort) -> float:
    """Return what the compiled loops alone need of a Gaussian point, in seconds."""
    from nurecoil.likelihood.fused import parabola

    likelihood, strengths = (
        workloads.likelihood(workloads.gaussian(), "fast"),
        workloads.nsi_points(effort.points).strengths,
    )
    part = slice(0, len(strengths))
    base = likelihood._base(part, {})
    inputs = likelihood._inputs(part, strengths, None, base, likelihood._free(()), ())
    numba.set_num_threads(2)
    layout = _layout(likelihood)
    return best(lambda: parabola.minimise(layout, inputs, part.stop, True), effort.seconds) / part.stop


def _layout(likelihood: JointLikelihood) -> Layout:
    return likelihood._layout(likelihood._free(()), 0, ())


def unturned() -> Work:
    """Return the counted work of the Gaussian case as if its bins were kept as they are."""
    return count(_layout(workloads.likelihood(workloads.gaussian(), "numpy")), 1.0, 60)


def from_epsilon(likelihood: JointLikelihood, effort: Effort) -> list[float]:
    """Return seconds per point from ε through the NSI model, as two workers of a scan compute them.

    Of all points of a grid of four ε, and of an eighth of them.
    """
    grid = workloads.grid(round(effort.points**0.25), 4)
    scan = work.Work.of(workloads.Scanned.of(likelihood, 4), grid)
    edges = np.linspace(0, grid.size // grid.block, 17).astype(int) * grid.block  # whole blocks

    with executors.processes(2) as pool:

        def computed(chunks: int) -> float:
            def once() -> None:
                list(pool.map(work.compute, [scan] * chunks, edges[:chunks], edges[1 : chunks + 1]))

            return best(once, effort.seconds) / float(edges[chunks])

        return [computed(16), computed(2)]


# --- how time grows ------------------------------------------------------------------------------------


def scaling(effort: Effort) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """Measure seconds per point against bins, pulls, points in a batch and threads: {axis: {curve: ...}}."""
    quick = effort is QUICK
    kinds = {
        "Gaussian": lambda bins, pulls: workloads.gaussian(bins, pulls),
        "Poisson": lambda bins, pulls: workloads.poisson(bins, backgrounds=pulls - 1),
    }
    bins = (10, 60, 300) if quick else (10, 30, 60, 100, 300, 1000)
    pulls = (1, 4) if quick else (1, 2, 4, 8, 16)
    batches = (1, 100, 2000) if quick else (1, 10, 100, 1000, 10_000, 100_000)
    strengths = workloads.nsi_points(max(batches)).strengths
    found: dict[str, dict[str, list[tuple[int, float]]]] = {
        k: {} for k in ("bins", "pulls", "points", "threads")
    }
    for kind, term in kinds.items():
        for engine in ENGINES:
            name = f"{kind}, {engine}"
            size = effort.sample * (1 if kind == "Poisson" and engine != "fast" else 5)

            def at(b: int, j: int, n: int, threads: int, engine: str = engine, term: object = term) -> float:
                likelihood = workloads.likelihood(term(b, j), engine)
                return timed(likelihood, strengths[: min(n, len(strengths))], threads, effort.seconds / 3)

            fewer = [max(200, size * 60 // max(b, 60)) for b in bins]
            found["bins"][name] = [(b, at(b, 4, n, 1)) for b, n in zip(bins, fewer, strict=True)]
            found["pulls"][name] = [(j, at(60, j, max(200, 4 * size // (j + 3)), 1)) for j in pulls]
            found["points"][name] = [(n, at(60, 4, n, 1)) for n in batches if n <= 5 * size]
            found["threads"][name] = [(t, at(60, 4, 5 * size, t)) for t in (1, 2)]
            show("scaling", name)
    return found


GROW = """
import json, os, sys, time
os.environ["NUMBA_NUM_THREADS"] = "1"
sys.path.insert(0, sys.argv[1])
import workloads
from pathlib import Path
from nurecoil.scans import run
engine, side = sys.argv[2], int(sys.argv[3])
function = workloads.Scanned.of(workloads.likelihood(workloads.gaussian(), engine))
function(workloads.grid(2).points(0, 4))
start = time.perf_counter()
run(function, workloads.grid(side), Path(sys.argv[4]), identity={}, attributes={})
seconds = time.perf_counter() - start
with open("/proc/self/status") as lines:  # getrusage would also count the process that started this one
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
print(json.dumps([side**2, seconds, peak * 1024 / 1e9]))
"""


def growth(effort: Effort) -> dict[str, list[tuple[int, float, float]]]:
    """Measure streamed scans, each in a process of its own: points, seconds and GB at most, by engine."""
    found: dict[str, list[tuple[int, float, float]]] = {}
    for engine, largest in (("numpy", effort.largest // 100), ("fast", effort.largest)):
        found[engine] = []
        for side in (10, 32, 100, 316, 1000, 3162, 10_000):
            if side**2 <= largest:
                with tempfile.TemporaryDirectory() as folder:
                    command = [sys.executable, "-c", GROW, str(Path(__file__).parent), engine, str(side)]
                    done = subprocess.run([*command, f"{folder}/scan.nc"], capture_output=True, check=True)
                found[engine].append(tuple(json.loads(done.stdout)))
                show("growth", engine, *found[engine][-1])
    return found


# --- real experiments ----------------------------------------------------------------------------------


def experiments(effort: Effort) -> list[dict[str, object]]:
    """Measure real likelihoods: one point alone, points in a batch, fits of toys."""
    rows = []
    numba.set_num_threads(2)
    sets = {"CsI 2021": workloads.REAL[:1], "LAr 2020": workloads.REAL[1:], "both": workloads.REAL}
    for name, cards in sets.items():
        for engine in ("numpy", "fast"):
            try:
                question = workloads.question(
                    cards, {"signal_strength": 1.0}, "scaled-standard-model", engine
                )
            except nurecoil.NurecoilError as error:
                show(name, "left out:", error)
                continue
            grid = np.linspace(0.5, 1.5, 1000)[:, np.newaxis]
            pulls = question.profiled([[1.0]]).pulls[0]
            toys = effort.toys if engine == "fast" and name == "CsI 2021" else effort.toys // 50
            data = question.simulate([1.0], pulls, max(toys, 200), np.random.default_rng(3))
            few = question.with_data(data.at(slice(0, max(100, data.sets // 50))))
            undisturbed = best(lambda q=few: fitted(q), effort.seconds) / few.likelihood.observed.sets
            start = time.perf_counter()
            converged = fitted(question.with_data(data)).converged
            seconds = time.perf_counter() - start
            rows.append(
                {"what": name, "engine": engine, "pulls": len(question.likelihood.pulls),
                 "bins": sum(term.arrays.bins for term in question.likelihood.terms),
                 "one": best(lambda q=question: q.profiled([[1.1]]), effort.seconds),
                 "batch": best(lambda q=question, x=grid: q.profiled(x), effort.seconds) / 1000,
                 "fit": undisturbed, "toys": data.sets, "all": seconds,
                 "converged": float(converged.mean())}
            )  # fmt: skip
            show(name, engine, rows[-1]["batch"], rows[-1]["fit"])
    return rows


def fitted(question: Question) -> Fitted:
    """Fit the signal's strength and all pulls to each set of data."""
    return question.fitted([[1.0]], [0.0], [3.0])


# --- workers -------------------------------------------------------------------------------------------


def weak_scaling(effort: Effort) -> list[dict[str, object]]:
    """Measure scans whose points grow with the workers: twice the points on two should take as long."""
    function = workloads.Scanned.of(workloads.likelihood(workloads.poisson(), "fast"))
    rows = []
    for kind, pool in (("process pool", executors.processes), ("Dask", dask)):
        for workers in (1, 2):
            side = int((workers * effort.chunk) ** 0.5)
            with pool(workers) as executor, tempfile.TemporaryDirectory() as folder:
                for path, points in (("warm", 300), ("scan", side)):
                    start = time.perf_counter()
                    run(function, workloads.grid(points), Path(folder) / f"{path}.nc", identity={},
                        attributes={}, executor=executor)  # fmt: skip
                    seconds = time.perf_counter() - start
            rows.append({"pool": kind, "workers": workers, "points": side**2, "seconds": seconds})
            show(kind, workers, seconds)
    return rows


@contextmanager
def dask(workers: int) -> Iterator[Executor]:
    """Yield a local Dask cluster of worker processes of one thread each."""
    from distributed import LocalCluster

    local = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
    with LocalCluster(**local) as cluster, executors.dask_cluster(cluster.scheduler_address) as (pool, _):
        yield pool


def show(*what: object) -> None:
    """Say how far it is."""
    print(f"[{time.strftime('%H:%M:%S')}]", *what, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then write the page and its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure little: the numbers mean nothing")
    parser.add_argument("--output", type=Path, default=ROOT / "docs", help="where performance.md is written")
    options = parser.parse_args(arguments)
    effort = QUICK if options.quick else FULL
    where, before, begun = computer(), used(), time.perf_counter()
    with threadpool_limits(1, user_api="blas"):
        machine = measure(effort.seconds)
        results = page.Results(
            where, machine, latency(1 if options.quick else 3), bounds(machine, effort),
            experiments(effort), scaling(effort),
            growth(effort), weak_scaling(effort), unturned(), loops(effort), options.quick,
        )  # fmt: skip
    seconds = (time.perf_counter() - begun) * len(os.sched_getaffinity(0))
    others = max(0.0, np.subtract(used(), before) @ (1, -1) / seconds)
    where["taken by other programs while it ran"] = f"{others:.0%} of the two cores"
    page.write(results, options.output)
    show("wrote", options.output / "performance.md")


if __name__ == "__main__":
    main()
