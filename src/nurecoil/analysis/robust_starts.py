"""Where the search for the best pulls must begin so that no set of simulated data misses its minimum."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.analysis.question import Question
from nurecoil.likelihood import JointLikelihood

Array = NDArray[np.float64]
Start = tuple[float, ...]

_SETS = 200  # at each point
_OFTEN = 0.003  # of all sets: where a start must pay
_OFF = 1.5  # widths
_LOWER = 1e-3  # in χ²
_SEED = 20_200_626  # the same starts whatever the toys


def with_robust_starts(question: Question, points: ArrayLike, sets: int = _SETS) -> Question:
    """Return a question whose likelihood begins at as many pulls as data simulated at points (P, d) need.

    Where shapes bend, χ² of the pulls has several minima, and one start misses the lowest in some per cent of
    all data. Each shape pull in turn, off by 1.5 widths, is tried as another start; those are kept that lower
    χ² by more than 0.001 in more than 0.3 % of the sets, the most useful first, until there is no such start.

    Gaussian counts have one minimum, and need one start.
    """
    likelihood = question.likelihood
    if all(term.sigma is not None for term in likelihood.terms):
        return question
    simulated = _simulated(question, np.atleast_2d(np.asarray(points, dtype=float)), sets)

    def chi2(start: Start) -> Array:
        return np.concatenate([_from(each, (start,)).chi2(point) for point, each in simulated])

    kept = likelihood.starts or (tuple(likelihood.centre.tolist()),)
    return _from(question, useful(kept, starts_beside(likelihood, kept[0]), chi2, _OFTEN))


def useful(
    kept: Sequence[Start], more: Sequence[Start], chi2: Callable[[Start], Array], often: float = 0.0
) -> list[Start]:
    """Return the starts `kept` with those of `more` that pay, the most useful first.

    Parameters
    ----------
    kept, more : sequences of starts
    chi2 : callable
        The χ² (P,) that the search from one start finds for each of P problems.
    often : float
        A start pays that lowers χ² by more than 0.001 in more than this fraction of the problems.
    """
    found = list(kept)
    lowest = np.min([chi2(start) for start in kept], axis=0)
    tried = {start: chi2(start) for start in more}
    while tried:
        best = max(tried, key=lambda start: int((lowest - tried[start] > _LOWER).sum()))
        if (lowest - tried[best] > _LOWER).mean() <= often:
            break
        found.append(best)
        lowest = np.minimum(lowest, tried.pop(best))
    return found


def starts_beside(likelihood: JointLikelihood, nominal: Start) -> list[Start]:
    """Return the nominal start with one shape pull 1.5 widths off its centre, below or above."""
    bend = {
        term.pulls[number].name
        for term in likelihood.terms
        for number in (*term.arrays.signal.shapes, *(k for b in term.arrays.shaped for k in b.shapes))
    }
    found = []
    for number, pull in enumerate(likelihood.pulls):
        width = float(likelihood.width[number])
        if pull.name in bend and 0.0 < width < np.inf:
            for sign in (-1.0, 1.0):
                start = list(nominal)
                start[number] = float(likelihood.centre[number] + sign * _OFF * width)
                found.append(tuple(start))
    return found


def _simulated(question: Question, points: Array, sets: int) -> list[tuple[Array, Question]]:
    """Return each point with the question to data simulated there."""
    best, rng = question.profiled(points), np.random.default_rng(_SEED)
    return [
        (point[np.newaxis], question.with_data(question.simulate(point, pulls, sets, rng)))
        for point, pulls in zip(points, best.pulls, strict=True)
    ]


def _from(question: Question, starts: Sequence[Start]) -> Question:
    return replace(question, likelihood=replace(question.likelihood, starts=tuple(starts)))
