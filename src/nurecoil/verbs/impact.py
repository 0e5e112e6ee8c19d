"""What does each systematic do to a fitted parameter."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import undisturbed
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.experiment import CompiledExperiment
from nurecoil.likelihood import Fitted
from nurecoil.models import Model
from nurecoil.parameters import Parameter, Values, Widths
from nurecoil.progress import stepwise
from nurecoil.study.minima import fitted_from, held_at
from nurecoil.study.question import Question
from nurecoil.study.result import Result
from nurecoil.verbs.fit import fit_of

Array = NDArray[np.float64]

_MOST_ROUNDS = 12
_EXACT = 1e-3  # of Δχ² = 1, where a nuisance parameter is off by its fitted error


@dataclass(frozen=True)
class Impact:
    """One nuisance parameter. Pairs are of it moved down and moved up; NaN where no fit converged.

    Attributes
    ----------
    pull
        The nuisance parameter.
    value
        Its best fit, in its own unit.
    pulled
        How far that is from the centre of its prior, in units of the prior's width.
    error
        How far below and above its best fit χ², all else fitted, is higher by 1, in the same units.
    pre_fit, post_fit
        The change of the parameter of interest when this one is off its best fit by its prior's width, and
        by `error`, all else fitted (inside units).
    """

    pull: Parameter
    value: float
    pulled: float
    error: tuple[float, float]
    pre_fit: tuple[float, float]
    post_fit: tuple[float, float]

    @property
    def size(self) -> float:
        """The larger change of the parameter of interest, after the fit."""
        known = [abs(change) for change in self.post_fit if math.isfinite(change)]
        return max(known, default=0.0)


@dataclass(frozen=True)
class Impacts:
    """How each nuisance parameter moves the parameter of interest, the largest impact first.

    Attributes
    ----------
    parameter, best_fit, error
        The parameter of interest, its best fit, and its asymmetric errors below and above (inside units).
    minimum
        χ² of the best fit.
    rows
        One for each nuisance parameter with a prior.
    """

    parameter: Parameter
    best_fit: float
    error: tuple[float, float]
    minimum: float
    rows: tuple[Impact, ...]


@undisturbed
def impact(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    start: Mapping[str, float],
    *,
    parameter: str | None = None,
    starts: Sequence[Mapping[str, float]] = (),
    widths: Widths | None = None,
    engine: str = "auto",
) -> Result[Impacts]:
    r"""Return how far each nuisance parameter is pulled, and what it does to the parameter of interest.

    .. math:: \Delta\theta_k^\pm = \hat\theta(x_k = \hat x_k \pm \sigma_k) - \hat\theta

    with everything but x_k fitted anew; σ_k is the width of its prior (before the fit), or where χ² is higher
    by 1 (after it). As the LHC experiments rank their systematics.

    Parameters
    ----------
    model, experiments, fixed, start, starts, widths, engine
        As for `fit`.
    parameter : str, optional
        The parameter of interest, one of `start`; its first by default.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("scaled-standard-model")
    >>> first, _ = impact(model, [csi], {}, {"signal_strength": 1.0}).values.rows
    >>> first.pull.name, [round(change, 3) for change in first.post_fit]
    ('binh2021-csi_signal', [0.266, -0.15])
    """
    interest = next(iter(start), "") if parameter is None else parameter
    question = Question.of(model, experiments, fixed, start, widths, engine)
    found = fit_of(question, starts)
    if interest not in question.names:
        raise unknown_name("free parameter", interest, question.names)
    if interest in found.values.fit.flat:
        raise NurecoilError(f"no systematic can move {interest}: χ² is flat in it, there is no best fit")
    number = question.names.index(interest)
    values = found.values.fit.values
    best = fitted_from(question, np.array([[values[name] for name in question.names]]))
    pulls = _constrained(question)
    if not pulls:
        raise NurecoilError("there is no systematic to study: no nuisance parameter has a prior")
    rows = [_impact(question, best, number, pull) for pull in stepwise(pulls)]
    unsettled = [row.pull.name for row in rows if not np.isfinite([*row.error, *row.pre_fit]).all()]
    notes = [] if found.converged else [f"the fit did not converge: {found.values.fit.message}."]
    notes += [f"no error or impact could be found of {', '.join(unsettled)}."] if unsettled else []
    answer = Impacts(
        parameter=question.free[number],
        best_fit=float(best.points[0, number]),
        error=found.values.fit.minos[interest],
        minimum=float(best.chi2[0]),
        rows=tuple(sorted(rows, key=lambda row: -row.size)),
    )
    return question.result(
        "impact",
        answer,
        converged=found.converged and bool(best.converged[0]) and not unsettled,
        notes=notes,
        settings={
            "start": dict(start),
            "starts": [dict(s) for s in starts],
            "parameter": interest,
        },
    )


def _constrained(question: Question) -> list[int]:
    """Return the numbers of the nuisance parameters that are fitted with a prior."""
    likelihood = question.likelihood
    return [
        number
        for number, (pull, width) in enumerate(zip(likelihood.pulls, likelihood.width, strict=True))
        if 0 < width < math.inf and pull.name not in (*question.names, *question.constrained)
    ]


def _impact(question: Question, best: Fitted, interest: int, number: int) -> Impact:
    """Return the impact of one nuisance parameter."""
    pull, width = question.likelihood.pulls[number], float(question.likelihood.width[number])
    centre, value = float(question.likelihood.observed.centres[number]), float(best.pulls[0, number])
    distance = np.full(2, width)
    before = moved = _moved(question, best, interest, number, distance)
    for _ in range(_MOST_ROUNDS):
        if not (np.abs(moved.rise - 1.0) > _EXACT).any():
            break
        distance = distance / np.sqrt(np.clip(moved.rise, 0.05, 20.0))
        moved = _moved(question, best, interest, number, distance)
    settled = np.abs(moved.rise - 1.0) <= _EXACT
    return Impact(
        pull=pull,
        value=value,
        pulled=(value - centre) / width,
        error=_pair(np.where(settled, distance / width, np.nan)),
        pre_fit=_pair(before.change),
        post_fit=_pair(np.where(settled, moved.change, np.nan)),
    )


@dataclass(frozen=True, eq=False)
class _Moved:
    """Rise of χ² and change of the parameter of interest with a nuisance parameter moved down and up."""

    rise: Array
    change: Array


def _moved(question: Question, best: Fitted, interest: int, number: int, distance: Array) -> _Moved:
    """Fit all else with one nuisance parameter at two distances from its best fit, below and above."""
    likelihood = question.likelihood
    values = best.pulls[0, number] + np.array([-1.0, 1.0]) * distance
    found = fitted_from(held_at(question, {likelihood.pulls[number].name: values}), best.points)
    prior = ((values - likelihood.observed.centres[number]) / likelihood.width[number]) ** 2
    change = found.points[:, interest] - best.points[0, interest]
    return _Moved(found.chi2 + prior - best.chi2[0], np.where(found.converged, change, np.nan))


def _pair(values: Array) -> tuple[float, float]:
    return float(values[0]), float(values[1])
