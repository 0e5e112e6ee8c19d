"""Δχ² of simulated data: each set fitted as the real data are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nurecoil.arithmetic import Array, unwarned
from nurecoil.likelihood import Fitted, lowest
from nurecoil.study.minima import minima
from nurecoil.study.question import Question
from nurecoil.study.strengths import Coordinates

_PLACES = np.linspace(0.0, 1.0, 9)  # of the range, where minima are looked for
_RELEVANT = 30.0  # a minimum that lies higher is the lowest of no toy
_APART = 0.015  # of the range: nearer starts are one


@dataclass(frozen=True, eq=False)
class ToyStatistic:
    """Draws t(x) = χ²(x) - min χ² of data simulated at x: what travels to the workers.

    The pulls, and the parameters that are profiled over, have their best fit to the data at x; the auxiliary
    measurements of the pulls fluctuate with the counts.

    The question has one free parameter; the minimum is looked for from `low` to `high`. Each set is fitted
    from x, from the minima of what x expects, and from `starts` (S, 1 + f): the parameter, and what is
    profiled over.
    """

    question: Question
    low: float
    high: float
    starts: Sequence[Array] = ()

    def __call__(self, x: float, toys: int, seed: np.random.SeedSequence) -> tuple[Array, int]:
        """Return t of the toys at x, shape (toys,), and how many of their fits did not converge."""
        with unwarned():
            best, whole = self.question.profiled([[x]]), self.question.whole
            truth = np.array([x, *best.points[0]])
            expected = self.question.with_data(whole.expected(truth, best.pulls[0]))
            data = whole.simulate(truth, best.pulls[0], toys, np.random.default_rng(seed))
            return self.of(self.question.with_data(data), self._starts(truth, expected))

    def of(self, toys: Question, starts: Sequence[Array]) -> tuple[Array, int]:
        """Return t of sets of data, and how many fits did not converge; the lowest of all fits counts.

        The first start is the truth. The best fit at x is a start too, with its pulls: so that t is not
        negative. From the lowest of all, other valleys of the pulls are searched.
        """
        (x, *over), known = starts[0], self.question.starts_over
        held = toys.profiled([[x]], np.array([over, *known]))
        held = replace(held, points=np.column_stack([np.full(len(held.chi2), x), held.points]))
        begin = toys.likelihood.begin
        fits = [held, self._fitted(toys, held.points, held.pulls)]
        fits += [self._fitted(toys, start[np.newaxis], begin) for start in starts]
        best = lowest(fits)
        best = lowest(
            [best, self._fitted(toys, best.points, best.pulls, np.inf)]
        )  # other valleys of the pulls
        if self.question.free[0].decouples:
            best = lowest([best, replace(toys.profiled([[np.inf]]), points=best.points)])
        return held.chi2 - best.chi2, int((~(best.converged & held.converged)).sum())

    def _fitted(self, toys: Question, starts: Array, pulls: Array, reach: float | None = None) -> Fitted:
        best = toys.whole.fitted(starts, *self._box, pulls, reach)
        if self.question.of_model:
            return best
        x = np.clip(best.points[:, :1], self.low, self.high)  # a nuisance parameter has no box
        inside = toys.profiled(x)
        return replace(inside, points=np.column_stack([x, inside.points]))

    def _starts(self, truth: Array, expected: Question) -> list[Array]:
        if not self.question.of_model:  # of a nuisance parameter there is one minimum
            known = self.question.starts_over
            return self._apart([truth, *np.column_stack([np.full(len(known), truth[0]), known])])
        return self._apart([truth, *self.starts, *minima_of(expected, self.low, self.high)])

    def _apart(self, points: Sequence[Array]) -> list[Array]:
        """Return those of the points that lie apart from all before them."""
        kept: list[Array] = []
        for point in points:
            places = self._places(point)
            if all(np.abs(places - self._places(other)).max() > _APART for other in kept):
                kept.append(point)
        return kept

    def _places(self, point: Array) -> Array:
        """Return how far each coordinate lies between its ends, from 0 to 1."""
        return np.asarray(Coordinates.across(self.question.whole.free, *self._box).of(point[np.newaxis])[0])

    @property
    def _box(self) -> tuple[Array, Array]:
        """The ends of the parameter, and of those that are profiled over."""
        low, high = np.array([(self.low, self.high), *self.question.over.values()], dtype=float).T
        return low, high


def minima_of(question: Question, low: float, high: float) -> list[Array]:
    """Return the minima of χ² of the one free parameter in a range, but those that lie far higher.

    Each with the best values there of what is profiled over, shape (1 + f,).
    """
    whole, over = question.whole, [*question.over.values()]
    edges = np.array([(low, high), *over], dtype=float).T
    usual = np.array([question.values[name] for name in question.over], dtype=float)
    places = Coordinates.across(question.free, *edges[:, :1]).parameters(_PLACES[:, np.newaxis])
    starts = np.column_stack([places, np.tile(usual, (len(places), 1))])
    return list(minima(whole, starts, (edges[0], edges[1]), _RELEVANT).points)
