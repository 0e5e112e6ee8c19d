"""χ² of several parameters at many points, each begun where its neighbours ended."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nurecoil.analysis.question import Question
from nurecoil.likelihood import REACH, Fitted, lowest

Array = NDArray[np.float64]

_SEARCHED = 16  # of many points, each sixteenth
_FEWEST = 200  # points: less are not many
_NEAREST = 4
_APART = 0.3  # widths: neighbours that far apart may lie in two valleys


@dataclass
class Neighbours:
    """Fits of the pulls, and of what is profiled over, at points in a range; it remembers them.

    Of many points some are searched for all valleys. Any other begins from the nearest that is known and,
    where others of the nearest four lie in another valley and χ² is not far above the lowest, from those too.

    Attributes
    ----------
    question
    scale : ndarray, shape (d,)
        What is as far in each direction.
    log : ndarray of bool, shape (d,)
        Whether it is so in the logarithm.
    """

    question: Question
    scale: Array
    log: NDArray[np.bool_]
    _places: Array | None = field(default=None, repr=False)
    _known: Fitted | None = field(default=None, repr=False)

    @classmethod
    def across(cls, question: Question, low: Array, high: Array, log: NDArray[np.bool_]) -> "Neighbours":
        """Return those of a range, as far across in each direction."""
        log = log & (low > 0)
        ends = [np.where(log, np.log(np.where(log, edge, 1.0)), edge) for edge in (low, high)]
        return cls(question, ends[1] - ends[0], log)

    def fits(self, x: Array) -> Fitted:
        """Return the fits at points (P, d)."""
        places = np.where(self.log, np.log(np.where(self.log, x, 1.0)), x) / self.scale
        if self._known is None or len(x) > _FEWEST:
            few = slice(None, None, _SEARCHED if len(x) > _FEWEST else 1)
            self._remember(places[few], self.question.profiled(x[few]))
        found = self._beside(x, places)
        self._remember(places, found)
        return found

    def _remember(self, places: Array, found: Fitted) -> None:
        old = self._known
        self._places = places if self._places is None else np.concatenate([self._places, places])
        self._known = found if old is None else old.joined(found)

    def _beside(self, x: Array, places: Array) -> Fitted:
        known, near = self._known, self._nearest(places)
        assert known is not None
        found = self.question.profiled_from(x, known.at(near[:, 0]))
        relevant = found.chi2 <= min(found.chi2.min(), known.chi2.min()) + REACH
        first = known.pulls[near[:, 0]]
        for other in near[:, 1:].T:
            jump = (np.abs(known.pulls[other] - first) / self.question.pull_scale).max(axis=1, initial=0.0)
            again = np.flatnonzero(relevant & (jump > _APART))
            if again.size:
                fits = self.question.profiled_from(x[again], known.at(other[again]))
                found = found.with_at(again, lowest([found.at(again), fits]))
        return found

    def _nearest(self, places: Array) -> NDArray[np.intp]:
        """Return the numbers of the nearest known points (P, 4), the nearest first."""
        from scipy.spatial import cKDTree  # type: ignore[import-untyped]

        known = self._places
        assert known is not None
        found = cKDTree(known).query(places, k=range(1, min(_NEAREST, len(known)) + 1))[1]
        return np.asarray(found, dtype=np.intp)
