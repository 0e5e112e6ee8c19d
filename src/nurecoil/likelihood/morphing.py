"""How pulls change the shape of a component of the counts: log-morphing between given shapes.

μ(t) = s exp(Σ_k g_k(t_k) + Σ_kl c_kl t_k t_l),  g(t) = a t + b t² for |t| <= 1, a t + b (2|t| - 1) beyond

a = ln(up/down)/2 and b = ln(up·down/s²)/2 make the shape exactly `up` at +1 and `down` at -1; it is smooth in
between, never negative, and straight in the logarithm outside. Where shapes are given for two pulls together
at +1 and -1, c = ln(up·down/s²)/2 - b_k - b_l: what they bend beyond what each does alone; as the product
t_k t_l is half of (t_k + t_l)² - t_k² - t_l², it goes on beyond as those squares do.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array

MOST_CHANGE = float(np.log(1e3))  # of a bin at one step: a bin that a shape empties is nearly empty
LARGEST = 200.0  # an exponent beyond it would overflow; no fit goes there


class Morphing(NamedTuple):
    """Counts s, (P or 1, bins), exponents a and b of each pull, (P or 1, K, bins), and c of each pair."""

    counts: Array
    a: Array
    b: Array
    c: Array

    def at(self, which: NDArray[np.intp] | slice) -> "Morphing":
        """Return the points `which`; a single point stands for all."""
        if len(self.counts) == 1:
            return self
        return Morphing(*(part[which] for part in self))


def morphing(counts: Array, ups: Array, downs: Array, pairs: Sequence[tuple[int, int]] = ()) -> Morphing:
    """Return the morphing of counts (P, bins) to ups and downs (P, K + C, bins), the last those of pairs.

    A bin without counts stays empty; where `up` or `down` empties a bin, a thousandth of it is left.
    """
    s = counts[:, None]
    up, down = (log_ratio(shape, s) for shape in (ups, downs))
    pulls = up.shape[1] - len(pairs)
    a, b = (up - down) / 2, (up + down) / 2
    return Morphing(counts, a[:, :pulls], b[:, :pulls], beyond(b, pairs))


def beyond(bends: Array, pairs: Sequence[tuple[int, int]]) -> Array:
    """Return what C pairs bend beyond their pulls, (..., C, bins), of bends (..., K + C, bins) of both."""
    both = bends[..., bends.shape[-2] - len(pairs) :, :]
    if not pairs:
        return both
    k, m = zip(*pairs, strict=True)
    return both - bends[..., k, :] - bends[..., m, :]


def log_ratio(shape: Array, counts: Array) -> Array:
    """Return ln(shape/counts), at most a thousandfold either way; 0 where there are no counts."""
    ratio = np.where(shape > 0, shape, 1.0) / np.where(counts > 0, counts, 1.0)
    logarithm = np.clip(np.log(ratio), -MOST_CHANGE, MOST_CHANGE)
    return np.where(counts > 0, np.where(shape > 0, logarithm, -MOST_CHANGE), 0.0)


def bent(t: Array) -> Array:
    """Return what multiplies b in g: t² for |t| <= 1, 2|t| - 1 beyond."""
    size = np.abs(t)
    return np.where(size <= 1, t * t, 2 * size - 1)


def together(t: Array, other: Array) -> Array:
    """Return what multiplies c: t·t' for |t|, |t'| <= 1, straight beyond."""
    return (4 * bent((t + other) / 2) - bent(t) - bent(other)) / 2


def together_slope(t: Array, other: Array) -> Array:
    """Return its derivative in the first, t' for |t|, |t'| <= 1."""
    return bent_slope((t + other) / 2) - bent_slope(t) / 2


def bent_slope(t: Array) -> Array:
    """Return its derivative."""
    return 2 * np.clip(t, -1.0, 1.0)


def bent_curvature(t: Array) -> Array:
    """Return its second derivative."""
    return np.where(np.abs(t) <= 1, 2.0, 0.0)
