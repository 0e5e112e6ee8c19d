"""Which hops the search for the best pulls needs, so that it does not end in a local minimum.

A shape that bends (a template varied to one side, a bin that a variation empties) gives χ² of the pulls
several valleys, and Newton's method finds the one that it starts in. They part where a morphing goes from its
parabola to a straight line, at t = ±1, and a hop of one pull across finds the next.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.likelihood.joint import JointLikelihood
from nurecoil.likelihood.search import Hop, at_least
from nurecoil.likelihood.term import Term

Array = NDArray[np.float64]

_BEYOND = (-1.5, 1.5)  # t where a morphing is straight
_LOW = 1.0  # in χ² above the lowest
_APART = 0.05  # widths, two valleys
_WORK = 40_000  # bins times points
_FEWEST, _MOST = 60, 400  # points
_SIZES = (0.1, 1e4)  # of signals, in units of the Standard Model's
_SEED = 1


def with_useful_hops(likelihood: JointLikelihood, standard_model: Array) -> JointLikelihood:
    """Return a likelihood that hops wherever its data need it, for signals of any size per flavour.

    Tried experiment by experiment on some hundred signals: the Standard Model's strengths (1, 12) with each
    flavour of neutrinos scaled by itself, from a tenth to ten thousandfold. Gaussian counts have one minimum,
    and need no hop.
    """
    hops: list[Hop] = []
    for term in likelihood.terms:
        if term.sigma is None:
            alone = replace(likelihood.part([term.name]), starts=(), hops=())
            best = alone.profiled(standard_model).pulls[0]  # the same hops whatever is combined with it
            start = (tuple(best.tolist()),)
            hops += _useful_hops(replace(alone, starts=start), _signals(standard_model, term))
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


def _signals(standard_model: Array, term: Term) -> Array:
    """Return strengths (P, 12) with each flavour scaled by itself."""
    points = int(np.clip(_WORK // term.observed.size, _FEWEST, _MOST))
    low, high = np.log(_SIZES)
    scale = np.exp(np.random.default_rng(_SEED).uniform(low, high, (points, 3)))
    factors: Array = np.concatenate([np.repeat(scale, 3, axis=1), scale], axis=1)
    return standard_model * factors
