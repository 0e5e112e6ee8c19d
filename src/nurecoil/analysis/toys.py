"""Δχ² of simulated data: each set fitted as the real data are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.analysis.question import Question

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Found = tuple[Array, Mask]  # χ² and whether it converged

_GRID = 101  # points on which other minima are looked for
_RELEVANT = 30.0  # a minimum that lies higher is the lowest of no toy
_APART = 0.015  # of the range: nearer starts are one
_SAME = 1e-6  # in χ²


@dataclass(frozen=True)
class ToyStatistic:
    """Draws t(x) = χ²(x) - min χ² of data simulated at x: what travels to the workers.

    The pulls have their best fit to the data at x, their auxiliary measurements fluctuate with the counts.

    Attributes
    ----------
    question
        With one free parameter, and the data.
    low, high
        Where the minimum is looked for.
    starts
        Values of the parameter from which each set is fitted, besides x and the minima of what x expects.
    """

    question: Question
    low: float
    high: float
    starts: tuple[float, ...] = ()

    def __call__(self, x: float, toys: int, seed: np.random.SeedSequence) -> tuple[Array, int]:
        """Return t of the toys at x, shape (toys,), and how many of their fits did not converge."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the result is checked
            pulls = self.question.profiled([[x]]).pulls[0]
            data = self.question.simulate([x], pulls, toys, np.random.default_rng(seed))
            return self.of(self.question.with_data(data), x, self._starts(x, pulls))

    def of(self, toys: Question, x: float, starts: Sequence[float]) -> tuple[Array, int]:
        """Return t of sets of data, and how many fits did not converge; the lowest of all fits counts.

        From each start the pulls begin where the likelihood's own search does, and from x also at their best
        fit for x: so that t is not negative.
        """
        at_x = toys.profiled([[x]])
        lowest, converged = at_x.chi2, at_x.converged
        for start, pulls in ((x, at_x.pulls), *((start, None) for start in starts)):
            lowest, converged = _lower((lowest, converged), self._fitted(toys, start, pulls))
        if not converged.all():
            lowest, converged = self._at_the_edges(toys, lowest, converged)
        return at_x.chi2 - lowest, int((~(converged & at_x.converged)).sum())

    def _fitted(self, toys: Question, start: float, pulls: Array | None) -> Found:
        best = toys.fitted([[start]], [self.low], [self.high], pulls=pulls)
        if self.question.of_model:
            return best.chi2, best.converged
        inside = toys.profiled(np.clip(best.points, self.low, self.high))  # a nuisance parameter has no box
        return inside.chi2, inside.converged

    def _at_the_edges(self, toys: Question, lowest: Array, converged: Mask) -> Found:
        """Return the same where χ² is least at an end of the scan, near which a fit may run out of steps."""
        stuck = np.flatnonzero(~converged)
        data = toys.likelihood.observed
        part = toys if data.sets == 1 else toys.with_data(data.at(stuck))
        best = lowest[stuck], converged[stuck]
        for edge in (self.low, self.high):
            at_edge = part.profiled([[edge]])
            reached = np.where(at_edge.chi2 <= best[0] + _SAME, at_edge.chi2, np.inf)
            better = np.isfinite(reached)
            best = np.minimum(reached, best[0]), np.where(better, at_edge.converged, best[1])
        lowest, converged = lowest.copy(), converged.copy()
        lowest[stuck], converged[stuck] = best
        return lowest, converged

    def _starts(self, x: float, pulls: Array) -> list[float]:
        if not self.question.of_model:
            return [x]
        expected = self.question.with_data(self.question.expected([x], pulls))
        kept: list[float] = []
        for start in (x, *self.starts, *minima(expected, self.low, self.high)):
            if all(abs(self._place(start) - self._place(other)) > _APART for other in kept):
                kept.append(start)
        return kept

    def _place(self, x: float) -> float:
        """Return how far x lies between the ends, from 0 to 1."""
        if _in_logarithm(self.question, self.low):
            return math.log(x / self.low) / math.log(self.high / self.low)
        return (x - self.low) / (self.high - self.low)


def _lower(first: Found, second: Found) -> Found:
    lower = second[0] < first[0]
    return np.where(lower, second[0], first[0]), np.where(lower, second[1], first[1])


def minima(question: Question, low: float, high: float) -> list[float]:
    """Return the local minima of χ² of the one free parameter, about, but those that lie far higher."""
    space = np.geomspace if _in_logarithm(question, low) else np.linspace
    grid = np.clip(space(low, high, _GRID), low, high)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        chi2 = question.chi2(grid[:, np.newaxis])
    around = np.pad(chi2, 1, constant_values=np.inf)
    chosen = (chi2 < around[:-2]) & (chi2 <= around[2:]) & (chi2 < chi2.min() + _RELEVANT)
    return [float(x) for x in grid[chosen]]


def _in_logarithm(question: Question, low: float) -> bool:
    return question.free[0].log_scan and low > 0
