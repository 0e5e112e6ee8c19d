"""χ² of several parameters at many points, each begun where its neighbours ended."""

from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.likelihood import REACH, Fitted, lowest
from nurecoil.study.question import Question
from nurecoil.study.strengths import Coordinates

_SEARCHED = 16  # of many points, each sixteenth
_FEWEST = 200  # points: less are not many
_NEAREST = 4
_GROWTH = 16  # of what is known, a share that is worth a new tree


@dataclass
class Neighbours:
    """Fits of the pulls, and of what is profiled over, at points in a range; it remembers them.

    Of many points, more than are known, some are searched for all valleys. Any other begins from the nearest
    that is known and, where others of the nearest four lie in another valley and χ² is not far above the
    lowest, from those too.

    Attributes
    ----------
    question, coordinates
        Whose fits, and in what neighbours are near.
    lowest
        χ² of the lowest so far.
    """

    question: Question
    coordinates: Coordinates
    lowest: float = np.inf
    _known: Fitted | None = field(default=None, repr=False)
    _tree: Any = field(default=None, repr=False)
    _waiting: list[tuple[Array, Fitted]] = field(default_factory=list, repr=False)

    def fits(self, x: Array) -> Fitted:
        """Return the fits at points (P, d)."""
        places = self.coordinates.of(x)
        if self._known is None or len(x) > max(_FEWEST, len(self._known.chi2)):
            few = slice(None, None, _SEARCHED if len(x) > _FEWEST else 1)
            self._remember(places[few], self.question.profiled(x[few]))
        found = self._beside(x, places)
        self._remember(places, found)
        return found

    def _remember(self, places: Array, found: Fitted) -> None:
        """Take more fits among the known, when they are so many that a new tree pays."""
        from scipy.spatial import cKDTree  # type: ignore[import-untyped]

        self._waiting.append((places, found))
        old = [] if self._known is None else [(self._tree.data, self._known)]
        if old and _GROWTH * sum(len(new) for new, _ in self._waiting) < len(self._tree.data):
            return
        parts = [*old, *self._waiting]
        self._known = reduce(Fitted.joined, (part for _, part in parts))
        self._tree, self._waiting = cKDTree(np.concatenate([at for at, _ in parts])), []

    def _beside(self, x: Array, places: Array) -> Fitted:
        known, tree = self._known, self._tree
        assert known is not None
        near = np.asarray(tree.query(places, k=range(1, min(_NEAREST, tree.n) + 1))[1], dtype=np.intp)
        found = self.question.profiled_from(x, known.at(near[:, 0]))
        lost = np.flatnonzero(np.isinf(found.chi2))  # where those pulls are out of the question
        if lost.size:
            found = found.with_at(lost, self.question.profiled(x[lost]))
        self.lowest = min(self.lowest, float(found.chi2.min()))
        relevant = found.chi2 <= self.lowest + REACH
        apart = self.question.apart(known.at(near), known.at(near[:, :1]))
        again, which = np.nonzero(relevant[:, np.newaxis] & apart)
        if again.size:
            fits = self.question.profiled_from(x[again], known.at(near[again, which]))
            for rank in range(1, near.shape[1]):
                of = which == rank
                found = found.with_at(again[of], lowest([found.at(again[of]), fits.at(of)]))
        return found
