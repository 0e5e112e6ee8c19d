"""Where the search for the best pulls begins and goes on, so that it does not end in a local minimum.

A shape that bends (a template varied to one side, a bin that a variation empties) gives χ² of the pulls
several valleys, and Newton's method finds the one that it starts in. They part where a morphing goes from its
parabola to a straight line, at t = ±1, and a hop of one pull across finds the next.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.likelihood.joint import JointLikelihood
from nurecoil.likelihood.search import Hop, at_least
from nurecoil.likelihood.term import Term

Array = NDArray[np.float64]
Start = tuple[float, ...]

_OFF = 1.5  # widths
_BEYOND = (-1.5, 1.5)  # t where a morphing is straight
_LOWER = 1e-3  # in χ²
_LOW = 1.0  # in χ² above the lowest
_APART = 0.05  # widths, two valleys
_WORK = 40_000  # bins times points
_FEWEST, _MOST = 60, 400  # points
_SIZES = (0.1, 1e4)  # of signals, in units of the Standard Model's
_SEED = 1


def with_useful_starts(likelihood: JointLikelihood, standard_model: Array) -> JointLikelihood:
    """Return a likelihood that hops wherever its data need it, for signals of any size per flavour.

    Tried experiment by experiment on some hundred signals: the Standard Model's strengths (1, 12) with each
    flavour of neutrinos scaled by itself, from a tenth to ten thousandfold. Gaussian counts have one minimum,
    and need no hop.
    """
    hops: list[Hop] = []
    for term in likelihood.terms:
        if term.sigma is None:
            hops += _useful_hops(_alone(likelihood, term), _signals(standard_model, term))
    return replace(likelihood, hops=tuple(dict.fromkeys(hops)))


def _useful_hops(likelihood: JointLikelihood, strengths: Array) -> list[Hop]:
    """Return the hops that lead to another valley for some of the strengths.

    Low valleys count even if none is the lowest: for other strengths it may be.
    """
    found = likelihood.profiled(strengths)
    lowest, pulls, seen, kept = found.chi2, found.pulls, [found.pulls], []
    unit = np.where(likelihood.width > 0, likelihood.width, 1.0)
    names = [pull.name for pull in likelihood.pulls]
    for hop in 2 * _hops(likelihood):  # twice: one valley may open from another
        start = pulls.copy()
        n = names.index(hop.pull)
        start[:, n] = at_least(hop.value, pulls[:, n], likelihood.centre[n])
        found = likelihood.profiled(strengths, pulls=start)
        new = np.all([np.abs((found.pulls - x) / unit).max(axis=1) > _APART for x in seen], axis=0)
        if (new & (found.chi2 < lowest + _LOW)).any():
            kept.append(hop)
            seen.append(found.pulls)
            pulls = np.where((found.chi2 < lowest)[:, np.newaxis], found.pulls, pulls)
            lowest = np.minimum(found.chi2, lowest)
    return kept


def _hops(likelihood: JointLikelihood) -> list[Hop]:
    """Return a hop of each free shape pull to either side of its morphing."""
    free = {pull.name for pull, width in zip(likelihood.pulls, likelihood.width, strict=True) if width > 0}
    return [
        Hop(term.pulls[k].name, float(term.centre[k] + t * term.unit[k]))
        for term in likelihood.terms
        for k in sorted({*term.arrays.signal.shapes, *(k for b in term.arrays.shaped for k in b.shapes)})
        if term.pulls[k].name in free
        for t in _BEYOND
    ]


def _alone(likelihood: JointLikelihood, term: Term) -> JointLikelihood:
    """Return the likelihood of one experiment, which starts where the joint one does."""
    numbers = [likelihood.pulls.index(pull) for pull in term.pulls]
    widths = {pull.name: float(likelihood.width[n]) for pull, n in zip(term.pulls, numbers, strict=True)}
    start = np.asarray(likelihood.starts[0] if likelihood.starts else likelihood.centre)[numbers]
    return JointLikelihood((term,), widths, (tuple(start.tolist()),), engine_name=likelihood.engine_name)


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


def _signals(standard_model: Array, term: Term) -> Array:
    """Return strengths (P, 12) with each flavour scaled by itself."""
    points = int(np.clip(_WORK // term.observed.size, _FEWEST, _MOST))
    low, high = np.log(_SIZES)
    scale = np.exp(np.random.default_rng(_SEED).uniform(low, high, (points, 3)))
    factors: Array = np.concatenate([np.repeat(scale, 3, axis=1), scale], axis=1)
    return standard_model * factors
