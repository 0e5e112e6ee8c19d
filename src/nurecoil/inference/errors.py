"""Asymmetric errors: how far below and above its minimum a profile has risen by one (MINOS)."""

from collections.abc import Callable

import numpy as np

from nurecoil.arithmetic import Array

_EXACT = 1e-6  # of the rise
_MOST_ROUNDS = 50
_FASTEST = 4.0  # times as far in one round
_FLAT = 1e-12
_HALVING = 4  # every so many rounds


def crossings(rise: Callable[[Array], Array], size: float, room: tuple[float, float]) -> tuple[float, float]:
    """Return how far below and above the minimum a profile has risen by one; NaN where it does not.

    Parameters
    ----------
    rise : callable
        Of distances (2,) below and above, both positive: the rise (2,) of the profile there.
    size : float
        About how large the errors are.
    room : (float, float)
        How far there is to go.

    Examples
    --------
    >>> below, above = crossings(lambda d: (d / np.array([2.0, 3.0])) ** 2, 1.0, (10.0, 2.5))
    >>> round(below, 6), above
    (2.0, nan)
    """
    limit = np.array(room, dtype=float)
    inner, outer = np.zeros(2), np.full(2, np.inf)  # too near, too far
    root_inner, root_outer = np.zeros(2), np.full(2, np.nan)  # √ of the rise, straight for a parabola
    distance = np.minimum(size, limit)
    found, open_ = np.full(2, np.nan), limit > 0
    for number in range(1, _MOST_ROUNDS + 1):
        if not open_.any():
            break
        height = rise(np.where(open_, distance, 0.0))
        root = np.sqrt(np.maximum(height, 0.0))
        done = open_ & (np.abs(height - 1.0) <= _EXACT)
        found = np.where(done, distance, found)
        far = height > 1.0
        outer, root_outer = np.where(far, distance, outer), np.where(far, root, root_outer)
        inner, root_inner = np.where(far, inner, distance), np.where(far, root_inner, root)
        stuck = np.isfinite(outer) & (outer - inner <= 1e-14 * outer)
        open_ = open_ & ~done & ~(~far & (distance >= limit)) & ~stuck
        with np.errstate(all="ignore"):
            growth = np.clip(1.0 / root_inner, 1.1, _FASTEST)
            share = (1.0 - root_inner) / (root_outer - root_inner)
            if number % _HALVING == 0:  # in a logarithm the rise is no parabola, and the straight line creeps
                share = np.full(2, 0.5)
            between = inner + np.clip(share, 0.02, 0.98) * (outer - inner)
        distance = np.where(np.isfinite(outer), between, np.minimum(np.maximum(inner, _FLAT) * growth, limit))
    return float(found[0]), float(found[1])
