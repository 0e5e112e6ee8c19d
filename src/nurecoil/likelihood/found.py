"""What minimising χ² gives: over the pulls alone, or over fitted parameters too."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array

_SAME = 1e-6  # in χ²


@dataclass(frozen=True)
class Fitted:
    """χ² minimised over pulls and d parameters (none, where only pulls are profiled), P times.

    Attributes
    ----------
    chi2, converged : ndarray, shape (P,)
    points : ndarray, shape (P, d)
    pulls : ndarray, shape (P, J)
        In the order of the likelihood's pulls, in their own units.
    """

    chi2: Array
    points: Array
    pulls: Array
    converged: NDArray[np.bool_]

    def at(self, which: NDArray[np.intp]) -> "Fitted":
        """Return the fits `which`."""
        return Fitted(*(part[which] for part in self._parts))

    def with_at(self, which: NDArray[np.intp], others: "Fitted") -> "Fitted":
        """Return the fits with others in the places `which`."""
        parts = [part.copy() for part in self._parts]
        for part, other in zip(parts, others._parts, strict=True):
            part[which] = other
        return Fitted(*parts)

    def of(self, numbers: Sequence[int]) -> "Fitted":
        """Return the fits with some of their parameters alone."""
        return replace(self, points=self.points[:, list(numbers)])

    def joined(self, others: "Fitted") -> "Fitted":
        """Return these fits and, after them, others."""
        return Fitted(*(np.concatenate(pair) for pair in zip(self._parts, others._parts, strict=True)))

    def towards(self, others: "Fitted", share: Array) -> "Fitted":
        """Return the fits with pulls and points part of the way to those of others, a share (P,) of it."""
        w = share[:, np.newaxis]
        return replace(
            self,
            points=self.points + w * (others.points - self.points),
            pulls=self.pulls + w * (others.pulls - self.pulls),
        )

    def split(self, number: int) -> list["Fitted"]:
        """Return equal parts of the fits, in order."""
        return [self.at(part) for part in np.split(np.arange(len(self.chi2)), number)]

    @property
    def known(self) -> "Fitted":
        """The fits where an infinite χ² is an answer: nothing is expected, and something was seen."""
        return replace(self, converged=self.converged | np.isposinf(self.chi2))

    @property
    def _parts(self) -> tuple[NDArray[Any], ...]:
        return self.chi2, self.points, self.pulls, self.converged


def lowest(fits: Sequence[Fitted]) -> Fitted:
    """Return the fit of lowest χ² at each of P points; the first of equals.

    It has converged where any that is as low, to 1e-6, has.
    """
    best = fits[0]
    for other in fits[1:]:
        lower = other.chi2 < best.chi2
        best = Fitted(
            np.where(lower, other.chi2, best.chi2),
            np.where(lower[:, np.newaxis], other.points, best.points),
            np.where(lower[:, np.newaxis], other.pulls, best.pulls),
            np.where(lower, other.converged, best.converged),
        )
    settled = [fit.converged & (fit.chi2 <= best.chi2 + _SAME) for fit in fits]
    return replace(best, converged=np.any(settled, axis=0))
