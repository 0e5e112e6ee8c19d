"""`feldman_cousins`: which values of one parameter are allowed, by toys in place of Wilks' theorem."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from nurecoil.arithmetic import undisturbed
from nurecoil.inference.belt import calibrate_count
from nurecoil.inference.calibration import CURVE_POINTS, Calibration, Coverage, calibrate, check
from nurecoil.inference.calibration import coverage as coverage_of
from nurecoil.inference.intervals import Interval
from nurecoil.inference.line import Axis, Function, Line
from nurecoil.parameters import Parameter, at_border
from nurecoil.presentation.document import Block, Figure, Pairs, Series, Table
from nurecoil.presentation.labels import cl_label
from nurecoil.scans import OneThread
from nurecoil.study.arguments import level, require_toys
from nurecoil.study.curve import Curve
from nurecoil.study.question import Question
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study, Within
from nurecoil.study.toys import ToyStatistic, minima_of
from nurecoil.verbs.intervals import best_fit_text, curve, figure, interval_rows, intervals_record, level_line
from nurecoil.verbs.options import HOLDS, Level, Scanned, Seed, Told, Verb

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
_MOST_FAILED = 0.01  # of the toys at a point
_FLAT = 1e-6  # in χ²
_FEW = 100.0  # counts
_FITS = 30  # of a toy, from all its starts and in all its valleys


@dataclass(frozen=True, repr=False)
class Calibrated(Shown):
    """The allowed intervals of one parameter by toys, beside those by Wilks' theorem (inside units).

    Attributes
    ----------
    calibration
        Intervals of both kinds, and the critical values.
    coverage
        How often both contain the truth, at the values asked for; None if none were.
    starts
        How many starts the search for the best nuisance parameters needs.
    """

    parameter: Parameter
    calibration: Calibration
    coverage: Coverage | None
    starts: int

    def record(self, result: Result["Calibrated"]) -> dict[str, object]:
        parameter, found, checked = self.parameter, self.calibration, self.coverage
        unit = parameter.inside
        return {
            "parameter": parameter.name,
            "unit": parameter.unit,
            "best_fit": at_border([parameter], {parameter.name: found.wilks.best_fit}),
            "chi2": found.wilks.minimum,
            "cl": found.cl,
            "by_toys": {
                **intervals_record(unit, found.intervals),
                "errors": [[error / unit for error in pair] for pair in found.errors],
            },
            "by_wilks": {"level": found.wilks.level, **intervals_record(unit, found.wilks.intervals)},
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
            "starts": self.starts,
        }

    def blocks(self, result: Result["Calibrated"]) -> Iterator[Block]:
        parameter, found = self.parameter, self.calibration
        rows = [
            (name, text + _errors_text(parameter, pair))
            for (name, text), pair in zip(
                interval_rows("by toys", parameter, found.intervals), found.errors or [()], strict=True
            )
        ]
        rows += interval_rows("by Wilks' theorem", parameter, found.wilks.intervals)
        thrown = bool(found.toys.any())  # else the level has steps at the ends
        ends = [x for i in found.intervals for x, at_edge in i.ends if thrown and not at_edge]
        levels = [f"{found.critical_at(np.array([x]))[0]:.2f} at {parameter.format(x, 3)}" for x in ends]
        rows.append(("level of Δχ²", "; ".join([*levels, f"{found.wilks.level:.2f} by Wilks' theorem"])))
        rows.append(("best fit", best_fit_text(parameter, found.wilks)))
        starts = f"{self.starts} start{'s' * (self.starts > 1)} of pulls"
        toys = f"{found.toys.sum()} at {found.toys.size} values, {starts}"
        rows.append(("toys", toys if thrown else "none: the probabilities of all counts are summed"))
        rows.append(result.convergence())
        yield Pairs(result.title(f"{parameter.name} at {100 * found.cl:g} % CL"), tuple(rows))
        if self.coverage:
            yield _coverage_block(parameter, self.coverage)

    def figure(self, result: Result["Calibrated"]) -> Figure:
        found, unit = self.calibration, self.parameter.as_asked.inside
        wilks, what = found.wilks, "critical value, toys (band: error)"
        series = (
            curve(wilks, unit, "data", "black"),
            Series(found.values / unit, found.critical, what, "vermillion", y_error=found.critical_error),
            *_bar(found.intervals, unit, 0.24 * wilks.level, "allowed by toys", "green"),
            *_bar(wilks.intervals, unit, 0.12 * wilks.level, "allowed by Wilks", "blue"),
        )
        title = f"{cl_label(found.cl)}, by toys and by Wilks' theorem"
        top = 3.0 * max(wilks.level, float(found.critical.max()))
        return figure(result, title, wilks, series, [level_line(wilks, "Wilks")], top)


@undisturbed
def feldman_cousins(
    study: Study,
    parameter: Scanned,
    within: Within,
    *,
    cl: Level = "90%",
    toys: Annotated[int, Told("Simulated experiments at each value.", "N")] = 2000,
    points: Annotated[int, Told("Values at which to begin, at least 5.", "N")] = 21,
    rounds: Annotated[int, Told("Rounds with more values and toys.", "N")] = 4,
    seed: Seed = 1,
    coverage: Annotated[
        Sequence[Any], Told("A true value; repeat for more.", many=True, shown="no coverage")
    ] = (),
    executor: Executor | None = None,
) -> Result[Calibrated]:
    r"""Return all intervals of one parameter that a test calibrated with toys allows.

    .. math:: t(\theta) = \chi^2(\theta, \hat{\hat x}) - \min_{\theta', x} \chi^2(\theta', x) \le t_c(\theta)

    (Feldman:1997qc), with the nuisance parameters x, and the parameters `profile`, at their best fit to the
    data at each θ ("profile construction"), and fitted to each toy; the auxiliary measurements of the
    nuisance parameters fluctuate with the counts. Wilks' theorem puts t_c = 2.71 at 90 %, which fails near
    a bound, for few counts, and where two solutions compete, as they do for non-standard interactions. The
    ends of the scan, and of the ranges of `profile`, count as bounds too.

    Of one Poisson count without nuisance parameters the probabilities are summed, and no toys are thrown: the
    paper's tables, with all signals from the smallest in the scan. A nuisance parameter breaks the ties of
    few counts: its intervals cover cl and no more, and may be shorter than those without it.

    Parameters
    ----------
    parameter, within, cl
        As for `limit`.
    toys, points, rounds, seed
        See `nurecoil.inference.calibration.calibrate`.
    coverage
        For both kinds of interval, from toys of their own.
    executor
        Of `concurrent.futures`; toys are drawn in this process by default. The numbers do not depend on it.

    Examples
    --------
    >>> import nurecoil
    >>> study = nurecoil.Study("scaled-standard-model", "binh2021-csi")
    >>> answer = study.feldman_cousins("signal_strength", "0..4", toys=500).values.calibration
    >>> [f"{one.low:.2f} to {one.high:.2f}" for one in (*answer.wilks.intervals, *answer.intervals)]
    ['0.37 to 1.37', '0.36 to 1.35']
    """
    require_toys(toys, seed)
    cl = level(cl)
    (scanned,) = study.ranges({parameter: within})
    truths = [study.value(scanned.parameter, truth) for truth in coverage]
    question, ends = study.question({parameter: scanned.low}), scanned.ends
    check(cl, points, toys, rounds, seed)
    curve_of_data, checked = Curve(question), None
    axis = Axis(*ends, log=scanned.log)
    if count := _one_count(question):
        found, checked = calibrate_count(Line(curve_of_data, axis, CURVE_POINTS), *count, cl, truths)
    else:
        if executor:
            question = replace(question, likelihood=question.likelihood.settled(_FITS * points * toys))
        likely = minima_of(question, *ends)
        draw = OneThread(ToyStatistic(question, *ends, likely))
        noise, at_infinity = question.likelihood.noise, curve_of_data.at_infinity
        found = calibrate(
            Line(curve_of_data, axis, CURVE_POINTS, noise, at_infinity),
            draw,
            cl,
            points=points,
            toys=toys,
            rounds=rounds,
            seed=seed,
            executor=executor,
        )
        if truths:
            checked = coverage_of(found, draw, truths, toys=toys, seed=seed, executor=executor)
    answer = Calibrated(scanned.parameter, found, checked, question.likelihood.starts)
    worst = float((found.failed / np.maximum(found.toys, 1)).max())
    return question.result(
        "feldman_cousins",
        answer,
        converged=curve_of_data.converged and found.wilks.converged and worst <= _MOST_FAILED,
        notes=[*_notes(scanned.parameter, found, worst), *curve_of_data.notes],
        nuisances="profiled; in toys at their best fit to the data for each value of the parameter",
        settings={
            "scan": [parameter, *ends],
            "cl": cl,
            "toys": toys,
            "points": points,
            "rounds": rounds,
            "seed": seed,
            "truths": truths,
        },
    )


def _one_count(question: Question) -> tuple[Function, float, float] | None:
    """Return the signal of the parameter, the count and the background, if one Poisson count is all."""
    likelihood = question.likelihood
    (term, *others), (counts, *_) = likelihood.terms, likelihood.observed.counts
    pulled = question.over or likelihood.width.any() or not question.of_model
    if others or pulled or term.sigma is not None or counts.size > 1:
        return None
    parts = question.components([list(question.start.values())], likelihood.centre)[term.name]
    background = float(sum(part.sum() for name, part in parts.items() if name != "signal"))
    if max(counts[0], background) > _FEW:
        return None
    nothing = question.with_data(replace(likelihood.observed, counts=(np.zeros(1),)))
    return lambda x: 0.5 * nothing.chi2(x[:, np.newaxis]) - background, float(counts[0]), background


def _notes(parameter: Parameter, found: Calibration, worst: float) -> Iterator[str]:
    if not found.toys.any():
        yield (
            "one Poisson count without nuisance parameters: probabilities are summed, no toys are thrown. As"
            " in the tables of Feldman and Cousins, no gaps are left, and no larger background allows more."
        )
    if found.failed.any():
        yield (
            f"{found.failed.sum()} of {found.toys.sum()} fits of toys did not converge, at most"
            f" {100 * worst:.2g} % of those at one value."
        )
    if max(found.wilks.delta_chi2.max(), found.critical.max()) < _FLAT:
        yield f"χ² does not depend on {parameter.name}: every value is allowed."


def _errors_text(parameter: Parameter, errors: tuple[float, ...]) -> str:
    """Return the statistical errors of the ends, in brackets."""
    texts = [f"±{parameter.format(error, 1)}" for error in errors if 0 < error < math.inf]
    return f" ({', '.join(texts)})" if texts else ""


def _coverage_block(parameter: Parameter, checked: Coverage) -> Block:
    columns = (checked.values, checked.toys, checked.toys_error, checked.wilks, checked.wilks_error)
    rows = [
        (parameter.format(float(x), 4), f"{100 * a:.1f} ± {100 * b:.1f}", f"{100 * c:.1f} ± {100 * d:.1f}")
        for x, a, b, c, d in zip(*columns, strict=True)
    ]
    how = f"{checked.number} toys at each true value" if checked.number else "exact"
    heads = ("true value", "by toys", "by Wilks' theorem")
    return Table(f"Coverage [%], {how}", heads, tuple(rows), right=(0, 1, 2))


def _bar(intervals: Sequence[Interval], unit: float, y: float, label: str, colour: str) -> tuple[Series, ...]:
    """Return intervals as one horizontal line with gaps; nothing where nothing is allowed."""
    if not intervals:
        return ()
    x = [end for i in intervals for end in (i.low / unit, i.high / unit, i.high / unit)]
    return (Series(np.array(x), np.array([y, y, np.nan] * len(intervals)), label, colour=colour),)


COMMAND = Verb(feldman_cousins, HELP, holds=(*HOLDS, "profile"), plots=True)
