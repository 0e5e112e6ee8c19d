"""What minimising χ² gives: over the pulls alone, or over fitted parameters too."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SAME = 1e-6  # in χ²


@dataclass(frozen=True)
class Profiled:
    """χ² minimised over the pulls, at P points.

    Attributes
    ----------
    chi2, converged : ndarray, shape (P,)
    pulls : ndarray, shape (P, J)
        In the order of the likelihood's pulls, in their own units.
    """

    chi2: Array
    pulls: Array
    converged: NDArray[np.bool_]


@dataclass(frozen=True)
class Fitted:
    """χ² minimised over pulls and d parameters, P times.

    Attributes
    ----------
    chi2, converged : ndarray, shape (P,)
    points : ndarray, shape (P, d)
    pulls : ndarray, shape (P, J)
    """

    chi2: Array
    points: Array
    pulls: Array
    converged: NDArray[np.bool_]


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
