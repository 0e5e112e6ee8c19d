"""χ² of one parameter as a curve, each point begun where its neighbours ended."""

from dataclasses import dataclass, field

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.likelihood import REACH, Fitted, lowest
from nurecoil.progress import Step
from nurecoil.study.question import Question

_SEARCHED = 4  # of the first points, each fourth
EXPECTED = 400  # points a limit takes, roughly: from 200 to 550 on real data


@dataclass
class Curve:
    """χ², pulls profiled, of the one free parameter of a question; it remembers its points.

    Some of the first points are searched for all valleys. Any other begins from the best pulls of its
    neighbours, between them where they lie in one valley, and from either side where they lie in two.

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
        if self._known is None:
            few = np.unique(np.append(np.arange(0, x.size, _SEARCHED), x.size - 1))
            self._remember(x[few], self.question.profiled(x[few, np.newaxis]))
        found = self._beside(x)
        self.points += x.size
        self._remember(x, found)
        near = found.chi2 <= self.lowest.chi2[0] + REACH  # far out nothing hangs on it
        self.unsettled += int((near & ~found.converged).sum())
        return found.chi2

    def _remember(self, x: Array, found: Fitted) -> None:
        self._x, index = np.unique(np.concatenate([self._x, x]), return_index=True)
        self._known = (found if self._known is None else self._known.joined(found)).at(index)

    def _beside(self, x: Array) -> Fitted:
        """Return the fits at x, begun from the known ones on either side."""
        known = self._known
        assert known is not None
        right = np.minimum(np.searchsorted(self._x, x), self._x.size - 1)
        left = np.where(self._x[right] > x, np.maximum(right - 1, 0), right)
        gap = self._x[right] - self._x[left]
        share = np.clip((x - self._x[left]) / np.where(gap > 0, gap, 1.0), 0.0, 1.0)
        before, after = known.at(left), known.at(right)
        apart = self.question.apart(before, after)
        begin = before.towards(after, np.where(apart, 0.0, share))
        found = self.question.profiled_from(x[:, np.newaxis], begin)
        two = np.flatnonzero(apart)
        if two.size:
            other = self.question.profiled_from(x[two, np.newaxis], after.at(two))
            found = found.with_at(two, lowest([found.at(two), other]))
        return found

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
