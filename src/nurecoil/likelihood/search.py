"""The search for the lowest of several minima: from given starts, then by hops."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nurecoil.likelihood.found import Fitted, lowest
from nurecoil.newton import Minimum

Array = NDArray[np.float64]


class Hop(NamedTuple):
    """Another start: one pull put at least as far out as a value, all else where it was found best."""

    pull: str
    value: float


def search(
    minimise: Callable[[Array], Minimum],
    starts: Sequence[Array],
    hops: Sequence[tuple[int, float]],
    free: int,
) -> Fitted:
    """Return the lowest minima that are found, of pulls in units of their widths.

    Parameters
    ----------
    minimise : callable
        From starts (J, P) to minima.
    starts : sequence of ndarrays, shape (J, P)
    hops : sequence
        (variable, value) in turn, each from the lowest minimum so far.
    free : int
        How many of the J variables are pulls; the others are parameters.
    """

    def found(start: Array) -> Fitted:
        minimum = minimise(start)
        return Fitted(minimum.value, minimum.x[free:].T, minimum.x[:free].T, minimum.converged)

    least = lowest([found(start) for start in starts])
    for variable, value in hops:
        start = np.concatenate([least.pulls.T, least.points.T])
        start[variable] = at_least(value, start[variable])
        least = lowest([least, found(start)])
    return least


def at_least(value: float, found: Array, centre: float = 0.0) -> Array:
    """Return what was found, moved out to a value where it is not as far from the centre on that side."""
    return np.asarray((np.minimum if value < centre else np.maximum)(found, value))
