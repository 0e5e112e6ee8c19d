"""`nurecoil feldman-cousins`: limits by toys, beside those by Wilks' theorem."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli import arguments as given
from nurecoil.cli.answering import answer, convergence, plot_of
from nurecoil.cli.arguments import check_toys, parse_level, parse_profiled
from nurecoil.cli.intervals import best_fit_text, interval_rows, intervals_json
from nurecoil.cli.reading import AskedScan, read_scan
from nurecoil.cli.terminal import at_border, print_pairs, print_table
from nurecoil.cli.workers import Dask, Mpi, Workers, executor

if TYPE_CHECKING:
    from nurecoil.inference.intervals import Interval
    from nurecoil.parameters import Parameter
    from nurecoil.study.result import Result
    from nurecoil.verbs.feldman_cousins import Calibrated

SUMMARY = "Find limits by toys (Feldman-Cousins), and their coverage."
HELP = """Find all allowed intervals of one parameter by toys (Feldman and Cousins), beside those by Wilks'
theorem. At each value of the parameter experiments are simulated and fitted as the data were: the level that
Δχ² may reach follows from them. With --coverage, how often both kinds of interval contain a true value.

Toys go on at values where the answer is decided. --profile fits further parameters of the model to the data
and to each toy. The extra nurecoil[fast] and --workers, --dask or --mpi make it quicker; the numbers depend
on --seed alone. One Poisson count without nuisance parameters needs no toys: its probabilities are summed.

\b
Examples:
  nurecoil feldman-cousins --model scaled-standard-model --experiment binh2021-csi \\
    --scan signal_strength=0..4 --toys 200 --coverage 1
  nurecoil feldman-cousins --model nsi --experiment coherent-csi-2021 \\
    --scan eps_u_ee=-0.4..0.8 --toys 100 --points 7 --rounds 0 --plot nsi.png
  nurecoil feldman-cousins --model nsi --experiment coherent-csi-2021 \\
    --scan eps_u_ee=-0.4..0.8 --profile eps_u_mumu=-0.2..0.2 --toys 1000 --rounds 1 --workers 8"""


def feldman_cousins(
    model: given.ModelName,
    experiment: given.Experiments,
    scan: given.Scanned,
    settings: given.Setting = None,
    cl: given.ConfidenceLevel = "90%",
    toys: Annotated[int, typer.Option(metavar="N", help="Simulated experiments at each value.")] = 2000,
    points: Annotated[int, typer.Option(metavar="N", help="Values at which to begin, at least 5.")] = 21,
    rounds: Annotated[int, typer.Option(metavar="N", help="Rounds with more values and toys.")] = 4,
    seed: given.Seed = 1,
    coverage: Annotated[
        list[str] | None,
        typer.Option(metavar="VALUE", help="A true value; repeat for more.", show_default="no coverage"),
    ] = None,
    fix: given.Fixed = None,
    prior: given.PriorWidths = None,
    constrain: given.Constrained = None,
    profile: given.ProfiledOver = None,
    form_factor: given.FormFactorName = None,
    engine: given.EngineName = "auto",
    workers: Workers = None,
    dask: Dask = None,
    mpi: Mpi = False,
    as_json: given.AsJson = False,
    plot: given.Plot = None,
) -> None:
    """Print the intervals by toys and by Wilks' theorem."""
    from nurecoil.exhibits import feldman_cousins_figure
    from nurecoil.verbs import feldman_cousins as verb

    with executor(workers, dask, mpi) as (pool, is_worker):
        if is_worker:
            return
        check_toys(toys, seed)
        asked = read_scan(model, experiment, [scan], settings, fix, prior, constrain, form_factor)
        ((parameter, *_),) = asked.ranges
        over = parse_profiled(asked.model, profile or (), asked.scans)
        level = parse_level(cl)
        truths = [float(parameter.parse(text)) for text in coverage or ()]
        answer(
            asked,
            lambda: verb.feldman_cousins(
                *asked.question,
                asked.scans[0],
                cl=level,
                toys=toys,
                points=points,
                rounds=rounds,
                seed=seed,
                truths=truths,
                widths=asked.widths,
                over=over,
                engine=engine,
                executor=pool,
            ),
            _json,
            _print,
            as_json,
            [plot_of(plot, feldman_cousins_figure)],
        )


def _json(asked: AskedScan, result: "Result[Calibrated]") -> dict[str, object]:
    parameter, found = result.values.parameter, result.values.calibration
    unit, checked = parameter.inside, result.values.coverage
    return {
        "parameter": parameter.name,
        "unit": parameter.unit,
        "best_fit": at_border([parameter], {parameter.name: found.wilks.best_fit}),
        "chi2": found.wilks.minimum,
        "cl": found.cl,
        "by_toys": {
            **intervals_json(unit, found.intervals),
            "errors": [[error / unit for error in pair] for pair in found.errors],
        },
        "by_wilks": {"level": found.wilks.level, **intervals_json(unit, found.wilks.intervals)},
        "critical": {
            "values": found.values / unit,
            "delta_chi2": found.critical,
            "error": found.critical_error,
            "toys": found.toys,
            "not_converged": found.failed,
        },
        "coverage": checked
        and {
            "values": checked.values / unit,
            "by_toys": checked.toys,
            "by_toys_error": checked.toys_error,
            "by_wilks": checked.wilks,
            "by_wilks_error": checked.wilks_error,
        },
        "starts": result.values.starts,
    }


def _print(asked: AskedScan, result: "Result[Calibrated]") -> None:
    import numpy as np

    parameter, found = result.values.parameter, result.values.calibration
    rows = [
        (name, text + _errors_text(parameter, pair))
        for (name, text), pair in zip(
            interval_rows("by toys", parameter, found.intervals), found.errors or [()], strict=True
        )
    ]
    rows += interval_rows("by Wilks' theorem", parameter, found.wilks.intervals)
    thrown = bool(found.toys.any())  # else the level has steps at the ends
    ends = [x for i in found.intervals for x, at_edge in _ends_of(i) if thrown and not at_edge]
    levels = [f"{found.critical_at(np.array([x]))[0]:.2f} at {parameter.format(x, 3)}" for x in ends]
    rows.append(("level of Δχ²", "; ".join([*levels, f"{found.wilks.level:.2f} by Wilks' theorem"])))
    rows.append(("best fit", best_fit_text(parameter, found.wilks)))
    toys = f"{found.toys.sum()} at {found.toys.size} values, {_starts(result.values.starts)} of pulls"
    rows.append(("toys", toys if thrown else "none: the probabilities of all counts are summed"))
    rows.append(convergence(result))
    print_pairs(asked.title(f"{parameter.name} at {100 * found.cl:g} % CL"), rows)
    _print_coverage(result)


def _ends_of(interval: "Interval") -> tuple[tuple[float, bool], tuple[float, bool]]:
    return (interval.low, interval.open_low), (interval.high, interval.open_high)


def _starts(number: int) -> str:
    return f"{number} start{'s' * (number > 1)}"


def _errors_text(parameter: "Parameter", errors: tuple[float, ...]) -> str:
    """Return the statistical errors of the ends, in brackets."""
    texts = [f"±{parameter.format(error, 1)}" for error in errors if 0 < error < math.inf]
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
        f"Coverage [%], {f'{checked.number} toys at each true value' if checked.number else 'exact'}",
        ["true value", "by toys", "by Wilks' theorem"],
        rows,
        right=(0, 1, 2),
    )
