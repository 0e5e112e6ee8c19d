"""`nurecoil feldman-cousins`: limits by toys, beside those by Wilks' theorem."""

import math
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.arguments import (
    AsJson,
    ConfidenceLevel,
    EngineName,
    Experiments,
    Fixed,
    FormFactorName,
    ModelName,
    Plot,
    PriorWidths,
    Scanned,
    Seed,
    Setting,
    check_toys,
    quiet,
)
from nurecoil.cli.limit import FEWEST_POINTS, interval_text
from nurecoil.cli.reading import AskedScan, read_scan
from nurecoil.cli.terminal import at_border, print_basis, print_json, print_pairs, print_table, progress
from nurecoil.errors import NurecoilError
from nurecoil.staging import staged_file

if TYPE_CHECKING:
    from nurecoil.analysis import Calibrated, Result
    from nurecoil.inference.intervals import Interval
    from nurecoil.parameters import Parameter

SUMMARY = "Find limits by toys (Feldman-Cousins), and their coverage."
HELP = """Find all allowed intervals of one parameter by toys (Feldman and Cousins), beside those by Wilks'
theorem. At each value of the parameter experiments are simulated and fitted as the data were: the level that
Δχ² may reach follows from them. With --coverage, how often both kinds of interval contain a true value.

Toys go on at values where the answer is decided. --engine fast and --workers make it quicker; the numbers
depend on --seed alone.

\b
Examples:
  nurecoil feldman-cousins --model scaled-standard-model --experiment binh2021-csi \\
    --scan signal_strength=0..4 --toys 200 --coverage 1
  nurecoil feldman-cousins --model nsi --experiment coherent-csi-2021 \\
    --scan eps_u_ee=-0.4..0.8 --toys 100 --points 7 --rounds 0 --plot nsi.png"""


def feldman_cousins(
    model: ModelName,
    experiment: Experiments,
    scan: Scanned,
    settings: Setting = None,
    cl: ConfidenceLevel = "90%",
    toys: Annotated[int, typer.Option(metavar="N", help="Simulated experiments at each value.")] = 2000,
    points: Annotated[int, typer.Option(metavar="N", help="Values at which to begin, at least 5.")] = 21,
    rounds: Annotated[int, typer.Option(metavar="N", help="Rounds with more values and toys.")] = 4,
    seed: Seed = 1,
    coverage: Annotated[
        list[str] | None,
        typer.Option(metavar="VALUE", help="A true value; repeat for more.", show_default="no coverage"),
    ] = None,
    fix: Fixed = None,
    prior: PriorWidths = None,
    form_factor: FormFactorName = None,
    engine: EngineName = "numpy",
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Worker processes.", show_default="compute in this one"),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address of a Dask scheduler.", show_default=False),
    ] = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Print the intervals by toys and by Wilks' theorem."""
    from nurecoil import analysis, figures
    from nurecoil.exhibits import feldman_cousins_figure
    from nurecoil.parameters import find

    if plot:
        figures.format_of(plot)  # refuses before anything is computed
    check_toys(toys, seed)
    asked = read_scan(model, experiment, scan, settings, cl, fix, prior, form_factor, FEWEST_POINTS)
    parameter = find(asked.parameters, asked.scan[0])
    truths = [float(parameter.parse(text)) for text in coverage or ()]
    with staged_file(plot) if plot else nullcontext() as target:
        with _executor(workers, dask) as executor, quiet():
            result = analysis.feldman_cousins(
                asked.model,
                asked.experiments,
                asked.values,
                asked.scan,
                cl=asked.cl,
                toys=toys,
                points=points,
                rounds=rounds,
                seed=seed,
                truths=truths,
                widths=asked.widths,
                engine=engine,
                executor=executor,
                progress=progress,
            )
        if target:
            figures.save_as(feldman_cousins_figure(result), target)
    if as_json:
        print_json(_json(asked, result))
    else:
        _print(asked, result)
    if plot:
        print(f"Plot: {plot}", file=sys.stderr if as_json else sys.stdout)


@contextmanager
def _executor(workers: int | None, dask: str | None) -> Iterator[Executor | None]:
    from nurecoil.scans import executors

    if workers is not None and dask is not None:
        raise NurecoilError("--workers and --dask exclude one another: give one of them")
    if workers is not None:
        with executors.processes(workers) as pool:
            yield pool
    elif dask is not None:
        with executors.dask_cluster(dask) as (pool, _):
            yield pool
    else:
        yield None


def _json(asked: AskedScan, result: "Result[Calibrated]") -> dict[str, object]:
    parameter, found = result.values.parameter, result.values.calibration
    unit, checked = parameter.inside, result.values.coverage
    return {
        "model": asked.model.name,
        "experiments": asked.names,
        "parameter": parameter.name,
        "unit": parameter.unit,
        "cl": found.cl,
        "best_fit": found.wilks.best_fit / unit,
        "minimum": found.wilks.minimum,
        "toys": {
            "allowed": _ends(found.intervals, unit),
            "open": [[i.open_low, i.open_high] for i in found.intervals],
            "errors": [[_finite(error / unit) for error in pair] for pair in found.errors],
        },
        "wilks": {
            "level": found.wilks.level,
            "allowed": _ends(found.wilks.intervals, unit),
            "open": [[i.open_low, i.open_high] for i in found.wilks.intervals],
        },
        "critical": {
            "values": (found.values / unit).tolist(),
            "delta_chi2": found.critical.tolist(),
            "error": found.critical_error.tolist(),
            "toys": found.toys.tolist(),
            "not_converged": found.failed.tolist(),
        },
        "coverage": checked
        and {
            "values": (checked.values / unit).tolist(),
            "toys": checked.toys.tolist(),
            "toys_error": checked.toys_error.tolist(),
            "wilks": checked.wilks.tolist(),
            "wilks_error": checked.wilks_error.tolist(),
        },
        "starts": result.values.starts,
        "converged": result.converged,
        "parameters": at_border(asked.model.parameters, result.fixed),
        "notes": list(result.notes),
        "conventions": dict(result.conventions),
        "provenance": dict(result.provenance),
    }


def _ends(intervals: "tuple[Interval, ...]", unit: float) -> list[list[float]]:
    return [[i.low / unit, i.high / unit] for i in intervals]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _print(asked: AskedScan, result: "Result[Calibrated]") -> None:
    import numpy as np

    parameter, found = result.values.parameter, result.values.calibration
    rows = []
    for name, intervals in (("by toys", found.intervals), ("by Wilks' theorem", found.wilks.intervals)):
        texts = [interval_text(parameter, interval) for interval in intervals] or ["nothing"]
        if name == "by toys" and intervals:
            texts = [
                text + _errors_text(parameter, pair) for text, pair in zip(texts, found.errors, strict=True)
            ]
        rows += [(name if number == 0 else "", text) for number, text in enumerate(texts)]
    ends = [x for i in found.intervals for x, at_edge in _ends_of(i) if not at_edge]
    levels = [f"{found.critical_at(np.array([x]))[0]:.2f} at {parameter.format(x, 3)}" for x in ends]
    rows.append(("level of Δχ²", "; ".join([*levels, f"{found.wilks.level:.2f} by Wilks' theorem"])))
    rows.append(("best fit", f"{parameter.format(found.wilks.best_fit, 4)}, χ² = {found.wilks.minimum:.2f}"))
    rows.append(
        ("toys", f"{found.toys.sum()} at {found.toys.size} values, {_starts(result.values.starts)} of pulls")
    )
    rows.append(("converged", "yes" if result.converged else "NO"))
    print_pairs(
        f"{parameter.name} at {100 * found.cl:g} % CL: {asked.model.name}, {' + '.join(asked.names)}", rows
    )
    _print_coverage(result)
    print_basis(asked.model.parameters, result.fixed, result.notes, result.conventions)


def _ends_of(interval: "Interval") -> tuple[tuple[float, bool], tuple[float, bool]]:
    return (interval.low, interval.open_low), (interval.high, interval.open_high)


def _starts(number: int) -> str:
    return f"{number} start{'s' * (number > 1)}"


def _errors_text(parameter: "Parameter", errors: tuple[float, float]) -> str:
    """Return the statistical errors of the ends, in brackets."""
    texts = [f"±{parameter.format(error, 1)}" for error in errors if math.isfinite(error)]
    return f" ({', '.join(texts)})" if texts else ""


def _print_coverage(result: "Result[Calibrated]") -> None:
    checked, parameter = result.values.coverage, result.values.parameter
    if checked is None:
        return
    rows = [
        [parameter.format(float(x), 4), f"{100 * a:.1f} ± {100 * b:.1f}", f"{100 * c:.1f} ± {100 * d:.1f}"]
        for x, a, b, c, d in zip(
            checked.values, checked.toys, checked.toys_error, checked.wilks, checked.wilks_error, strict=True
        )
    ]
    print()
    print_table(
        f"Coverage [%], {checked.number} toys at each true value",
        ["true value", "by toys", "by Wilks' theorem"],
        rows,
        right=(0, 1, 2),
    )
