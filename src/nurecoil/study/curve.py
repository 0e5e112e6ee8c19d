"""χ² of one parameter as a curve, each point begun where its neighbours ended."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.likelihood import REACH, Fitted, lowest
from nurecoil.progress import Step
from nurecoil.study.question import Question

_SEARCHED = 4  # of the first points, each fourth
_MOST_ROUNDS = 20
_LOWER = 1e-6  # in χ²
EXPECTED = 400  # points a limit takes, roughly: from 200 to 550 on real data


@dataclass
class Curve:
    """χ², pulls profiled, of the one free parameter of a question; it remembers its points.

    Some of the first points are searched for all valleys. Any other begins on the line through its two
    neighbours where they lie in one valley; where they lie in two, and beyond the last, on the line through
    the two on either side, too: so a narrow valley in what is profiled over is followed.

    So many `points` were asked for so far, of which `begin` is told; the pulls of `unsettled` did not
    converge.
    """

    question: Question
    points: int = 0
    unsettled: int = 0
    begin: Step | None = None
    _x: Array = field(default_factory=lambda: np.empty(0), repr=False)
    _known: Fitted | None = field(default=None, repr=False)

    @classmethod
    def from_fit(cls, question: Question, best: Fitted, x: float) -> "Curve":
        """Return the curve on which one point is known."""
        return cls(question, _x=np.array([x]), _known=best)

    def __call__(self, x: Array) -> Array:
        """Return χ² at values (P,) of the parameter."""
        if self.begin:
            self.begin("", x.size)
        first = self._known is None
        if first:
            few = np.unique(np.append(np.arange(0, x.size, _SEARCHED), x.size - 1))
            self._remember(x[few], self.question.profiled(x[few, np.newaxis]))
        found = self._beside(x)
        self._remember(x, found)
        if (first and self.question.over) or self._unsettled(found).any():
            found = self._followed().at(np.searchsorted(self._x, x))
        self.points += x.size
        self.unsettled += int(self._unsettled(found).sum())
        return found.chi2

    def _unsettled(self, found: Fitted) -> NDArray[np.bool_]:
        """Return which fits did not converge; far out nothing hangs on it."""
        return np.asarray(~found.converged & (found.chi2 <= self.lowest.chi2[0] + REACH))

    def _remember(self, x: Array, found: Fitted) -> None:
        self._x, index = np.unique(np.concatenate([self._x, x]), return_index=True)
        self._known = (found if self._known is None else self._known.joined(found)).at(index)

    def _beside(self, x: Array) -> Fitted:
        """Return the fits at x, begun from the known ones on either side."""
        known = self._known
        assert known is not None
        i, last = np.searchsorted(self._x, x), self._x.size - 1
        right = np.minimum(i, last)
        left = np.where(self._x[right] > x, np.maximum(i - 1, 0), right)
        outside = (left == right) & (self._x[right] != x)
        two = np.flatnonzero(outside | self.question.apart(known.at(left), known.at(right)))
        found = self.question.profiled_from(x[:, np.newaxis], self._line(left, right, x))
        if two.size:
            x, left, right = x[two], left[two], right[two]
            ways = ((left, np.maximum(left - 1, 0)), (right, np.minimum(right + 1, last)))
            others = [self.question.profiled_from(x[:, np.newaxis], self._line(*way, x)) for way in ways]
            found = found.with_at(two, lowest([found.at(two), *others]))
        return found

    def _followed(self) -> Fitted:
        """Fit the known points again from either side, until none is lower: a search can miss a valley.

        Those that did not converge go on from where they are, too.
        """
        known, last, n = self._known, self._x.size - 1, np.arange(self._x.size)
        assert known is not None
        for _ in range(_MOST_ROUNDS):
            ways = (np.clip([n + step, n + 2 * step], 0, last) for step in (-1, 1))
            starts = [self._line(one, other, self._x) for one, other in ways]
            going = self._unsettled(known)
            starts += [known] if going.any() else []
            before = known.chi2
            known = lowest([known, *(self.question.profiled_from(self._x[:, np.newaxis], s) for s in starts)])
            self._known = known
            if not (known.chi2 < before - np.where(going, 0.0, _LOWER)).any():
                break
        return known

    def _line(self, one: NDArray[np.intp], other: NDArray[np.intp], x: Array) -> Fitted:
        """Return starts at x on lines through two known fits, in what is searched; one's own if apart."""
        known, places = self._known, np.array([self._x[one], self._x[other], x])
        assert known is not None
        if self.question.free[0].log_scan and (places > 0).all():
            places = np.log(places)
        first, second, wanted = places
        pair = known.at(one), known.at(other)
        alone = (first == second) | self.question.apart(*pair)
        share = np.where(alone, 0.0, (wanted - first) / np.where(alone, 1.0, second - first))
        return self.question.towards(*pair, share)

    @property
    def at_infinity(self) -> float | None:
        """χ² where the parameter decouples, if it does."""
        if not self.question.free[0].decouples:
            return None
        return float(self.question.profiled([[np.inf]]).chi2[0])

    @property
    def lowest(self) -> Fitted:
        """The lowest fit so far."""
        assert self._known is not None
        return self._known.at(np.array([self._known.chi2.argmin()]))

    @property
    def lowest_at(self) -> float:
        """The parameter there."""
        assert self._known is not None
        return float(self._x[self._known.chi2.argmin()])

    @property
    def converged(self) -> bool:
        """Whether the pulls settled at every point."""
        return self.unsettled == 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say where they did not."""
        if self.converged:
            return ()
        return (f"the nuisance parameters did not converge at {self.unsettled} of {self.points} points.",)
