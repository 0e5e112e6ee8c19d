"""Which values of one parameter are allowed, by toys in place of Wilks' theorem."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import undisturbed
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.belt import calibrate_count
from nurecoil.inference.calibration import Calibration, Coverage, calibrate, check, coverage
from nurecoil.inference.intervals import Function
from nurecoil.models import Model
from nurecoil.parameters import Parameter, Values, Widths
from nurecoil.progress import Progress, in_steps
from nurecoil.scans import OneThread
from nurecoil.study.curve import Curve
from nurecoil.study.question import Question
from nurecoil.study.result import Result
from nurecoil.study.toys import ToyStatistic, minima_of
from nurecoil.verbs.limit import check_range

Array = NDArray[np.float64]

_MOST_FAILED = 0.01  # of the toys at a point
_FLAT = 1e-6  # in χ²
_FEW = 100.0  # counts
_FITS = 30  # of a toy, from all its starts and in all its valleys


@dataclass(frozen=True)
class Calibrated:
    """The allowed intervals of one parameter by toys, beside those by Wilks' theorem (inside units).

    Attributes
    ----------
    parameter
        The scanned parameter.
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


@undisturbed
def feldman_cousins(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    scan: tuple[str, float, float],
    *,
    cl: float = 0.9,
    toys: int = 2000,
    points: int = 21,
    rounds: int = 4,
    seed: int = 1,
    truths: Sequence[float] = (),
    widths: Widths | None = None,
    over: Mapping[str, tuple[float, float]] | None = None,
    engine: str = "auto",
    executor: Executor | None = None,
    progress: Progress = in_steps,
) -> Result[Calibrated]:
    r"""Return all intervals of one parameter that a test calibrated with toys allows.

    .. math:: t(\theta) = \chi^2(\theta, \hat{\hat x}) - \min_{\theta', x} \chi^2(\theta', x) \le t_c(\theta)

    (Feldman and Cousins, Phys. Rev. D 57, 3873 (1998)), with the nuisance parameters x, and the parameters
    `over`, at their best fit to the data at each θ ("profile construction"), and fitted to each toy; the
    auxiliary measurements of the nuisance parameters fluctuate with the counts. Wilks' theorem puts
    t_c = 2.71 at 90 %, which fails near a bound, for few counts, and where two solutions compete, as they do
    for non-standard interactions. The ends of the scan, and of the ranges of `over`, count as bounds too.

    Of one Poisson count without nuisance parameters the probabilities are summed, and no toys are thrown: the
    paper's tables, with all signals from the smallest in the scan. A nuisance parameter breaks the ties of
    few counts: its intervals cover cl and no more, and may be shorter than those without it.

    Parameters
    ----------
    model, experiments, fixed, scan, widths, over
        As for `limit`.
    cl : float
        Confidence level.
    toys, points, rounds, seed
        See `nurecoil.inference.calibration.calibrate`.
    truths : sequence of float
        True values at which to find the coverage of both kinds of interval, from toys of their own.
    engine : str
        What minimises, see `joint_likelihood`.
    executor : Executor, optional
        Of `concurrent.futures`; toys are drawn in this process by default. The numbers do not depend on it.
    progress : callable
        Shows how far it is, see `nurecoil.progress`.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("scaled-standard-model")
    >>> answer = feldman_cousins(model, [csi], {}, ("signal_strength", 0.0, 4.0), toys=500).values.calibration
    >>> [f"{one.low:.2f} to {one.high:.2f}" for one in (*answer.wilks.intervals, *answer.intervals)]
    ['0.37 to 1.37', '0.36 to 1.35']
    """
    name, low, high = scan
    question = Question.of(model, experiments, fixed, {name: low}, widths, engine, over)
    parameter = question.free[0]
    check_range(parameter, low, high)
    for truth in truths:
        parameter.check(truth)
    check(cl, points, toys, rounds, seed)
    log, curve, checked = parameter.log_scan and low > 0, Curve(question), None
    if count := _one_count(question):
        found, checked = calibrate_count(curve, *count, low, high, cl, log, truths)
    else:
        if executor:
            question = replace(question, likelihood=question.likelihood.settled(_FITS * points * toys))
        likely = minima_of(question, low, high)
        draw = OneThread(ToyStatistic(question, low, high, likely))
        found = calibrate(
            curve,
            draw,
            low,
            high,
            cl,
            log=log,
            points=points,
            toys=toys,
            rounds=rounds,
            seed=seed,
            noise=question.likelihood.noise,
            at_infinity=curve.at_infinity,
            executor=executor,
            progress=progress,
        )
        if len(truths):
            checked = coverage(
                found, draw, truths, toys=toys, seed=seed, executor=executor, progress=progress
            )
    answer = Calibrated(parameter, found, checked, question.likelihood.starts)
    worst = float((found.failed / np.maximum(found.toys, 1)).max())
    return question.result(
        "feldman_cousins",
        answer,
        converged=curve.converged and found.wilks.converged and worst <= _MOST_FAILED,
        notes=[*_notes(parameter, found, worst), *curve.notes],
        nuisances="profiled; in toys at their best fit to the data for each value of the parameter",
        settings={
            "scan": list(scan),
            "cl": cl,
            "toys": toys,
            "points": points,
            "rounds": rounds,
            "seed": seed,
            "truths": list(truths),
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


def _notes(parameter: Parameter, found: Calibration, worst: float) -> list[str]:
    notes = []
    if not found.toys.any():
        notes.append(
            "one Poisson count without nuisance parameters: probabilities are summed, no toys are thrown. As"
            " in the tables of Feldman and Cousins, no gaps are left, and no larger background allows more."
        )
    if found.failed.any():
        notes.append(
            f"{found.failed.sum()} of {found.toys.sum()} fits of toys did not converge, at most"
            f" {100 * worst:.2g} % of those at one value."
        )
    if max(found.wilks.delta_chi2.max(), found.critical.max()) < _FLAT:
        notes.append(f"χ² does not depend on {parameter.name}: every value is allowed.")
    return notes
