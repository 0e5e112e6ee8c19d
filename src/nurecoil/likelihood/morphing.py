"""How pulls change the shape of a component of the counts: log-morphing between given shapes.

μ(t) = s exp(Σ_k g_k(t_k)),  g(t) = a t + b t² for |t| <= 1, a t + b (2|t| - 1) beyond

a = ln(up/down)/2 and b = ln(up·down/s²)/2 make the shape exactly `up` at +1 and `down` at -1; it is smooth in
between, never negative, and straight in the logarithm outside.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array

MOST_CHANGE = float(np.log(1e3))  # of a bin at one step: a bin that a shape empties is nearly empty
LARGEST = 200.0  # an exponent beyond it would overflow; no fit goes there


class Morphing(NamedTuple):
    """Counts s, shape (P or 1, bins), and the exponents a and b of each shape pull, (P or 1, K, bins)."""

    counts: Array
    a: Array
    b: Array

    def at(self, which: NDArray[np.intp] | slice) -> "Morphing":
        """Return the points `which`; a single point stands for all."""
        if len(self.counts) == 1:
            return self
        return Morphing(self.counts[which], self.a[which], self.b[which])


def morphing(counts: Array, ups: Array, downs: Array) -> Morphing:
    """Return the morphing of counts (P, bins) to ups and downs (P, K, bins).

    A bin without counts stays empty; where `up` or `down` empties a bin, a thousandth of it is left.
    """
    s = counts[:, None]
    up, down = (log_ratio(shape, s) for shape in (ups, downs))
    return Morphing(counts, (up - down) / 2, (up + down) / 2)


def log_ratio(shape: Array, counts: Array) -> Array:
    """Return ln(shape/counts), at most a thousandfold either way; 0 where there are no counts."""
    ratio = np.where(shape > 0, shape, 1.0) / np.where(counts > 0, counts, 1.0)
    logarithm = np.clip(np.log(ratio), -MOST_CHANGE, MOST_CHANGE)
    return np.where(counts > 0, np.where(shape > 0, logarithm, -MOST_CHANGE), 0.0)


def bent(t: Array) -> Array:
    """Return what multiplies b in g: t² for |t| <= 1, 2|t| - 1 beyond."""
    size = np.abs(t)
    return np.where(size <= 1, t * t, 2 * size - 1)


def bent_slope(t: Array) -> Array:
    """Return its derivative."""
    return 2 * np.clip(t, -1.0, 1.0)


def bent_curvature(t: Array) -> Array:
    """Return its second derivative."""
    return np.where(np.abs(t) <= 1, 2.0, 0.0)
