"""A component of the expected counts: a rate and a shape that pulls change, with its derivatives.

μ = (1 + Σ_j t_j) s exp(Σ_k g_k(t_k)),  g(t) = a t + b t² for |t| <= 1, a t + b (2|t| - 1) beyond

with rate pulls j and shape pulls k. a = ln(up/down)/2 and b = ln(up·down/s²)/2 make the shape exactly `up` at
+1 and `down` at -1; it is smooth in between, never negative, and straight in the logarithm outside.

All pulls t have shape (P, J); `shapes` is a `Morphing` for each of P points, or for all of them at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LARGEST = 200.0  # an exponent beyond it would overflow; no fit goes there
_MOST_CHANGE = np.log(1e3)  # of a bin at one standard deviation: a bin that a shape empties is nearly empty


@dataclass(frozen=True)
class Morphing:
    """Counts s, shape (P or 1, bins), and the exponents a and b of each shape pull, (P or 1, K, bins)."""

    counts: Array
    a: Array
    b: Array

    def scaled(self, logarithms: Array) -> "Morphing":
        """Return the same with pulls before the others that multiply all bins by e^{logarithm t}."""
        points, _, bins = self.a.shape
        same = np.broadcast_to(np.asarray(logarithms)[:, np.newaxis], (points, len(logarithms), bins))
        a = np.concatenate([same, self.a], axis=1)
        return Morphing(self.counts, a, np.concatenate([np.zeros_like(same), self.b], axis=1))

    def repeated(self, points: int) -> "Morphing":
        """Return P points where there is one."""
        if len(self.counts) == points:
            return self
        return self.at(np.zeros(points, dtype=np.intp))

    def at(self, which: NDArray[np.intp] | slice) -> "Morphing":
        """Return the points `which`."""
        return Morphing(self.counts[which], self.a[which], self.b[which])


def morphing(counts: Array, ups: Array, downs: Array) -> Morphing:
    """Return the morphing of counts (P, bins) to ups and downs (P, K, bins).

    A bin without counts stays empty; where `up` or `down` empties a bin, a thousandth of it is left.
    """
    s = counts[:, np.newaxis]
    up, down = (_log_ratio(shape, s) for shape in (ups, downs))
    return Morphing(counts, (up - down) / 2, (up + down) / 2)


def _log_ratio(shape: Array, counts: Array) -> Array:
    both = (shape > 0) & (counts > 0)
    ratio = np.log(np.where(both, shape, 1.0) / np.where(both, counts, 1.0))
    empty = (shape <= 0) & (counts > 0)
    return np.where(empty, -_MOST_CHANGE, np.clip(ratio, -_MOST_CHANGE, _MOST_CHANGE))


@dataclass(frozen=True)
class Component:
    """Which pulls, by number, change the component's rate and its shape."""

    rates: tuple[int, ...]
    shapes: tuple[int, ...]

    def at(self, shapes: Morphing, t: Array) -> "Expansion":
        """Return the component and its derivatives at pulls t."""
        factor = np.asarray(1 + t[:, list(self.rates)].sum(axis=1, keepdims=True))
        if not self.shapes:
            return Expansion(self, factor, shapes.counts, None, None)
        pulls = t[:, list(self.shapes)]
        inside = np.abs(pulls) <= 1
        bent = np.where(inside, pulls**2, 2 * np.abs(pulls) - 1)
        exponent = np.matmul(pulls[:, np.newaxis], shapes.a) + np.matmul(bent[:, np.newaxis], shapes.b)
        shape = shapes.counts * np.exp(np.clip(exponent[:, 0], -_LARGEST, _LARGEST))
        slopes = shapes.a + 2 * np.clip(pulls, -1, 1)[:, :, np.newaxis] * shapes.b
        bends = 2 * inside[:, :, np.newaxis] * shapes.b
        return Expansion(self, factor, shape, slopes, bends)


@dataclass(frozen=True)
class Expansion:
    """A component at some pulls: factor (P, 1), shape (P or 1, bins), g' and g'' (P, K, bins)."""

    component: Component
    factor: Array
    shape: Array
    slopes: Array | None
    bends: Array | None

    @property
    def counts(self) -> Array:
        """The expected counts μ, shape (P, bins)."""
        return self.factor * self.shape

    def add_slopes_to(self, slopes: Array) -> None:
        """Add ∂μ/∂t to `slopes` (P, J, bins)."""
        for number in self.component.rates:
            slopes[:, number] += self.shape
        if self.slopes is not None:
            slopes[:, list(self.component.shapes)] += self.counts[:, np.newaxis] * self.slopes

    def add_curvature_to(self, hessian: Array, weights: Array) -> None:
        """Add Σ_b w_b ∂²μ_b/∂t_i∂t_j to `hessian` (P, J, J); the weights have shape (P, bins)."""
        if self.slopes is None or self.bends is None:
            return
        numbers = list(self.component.shapes)
        weighted = (weights * self.shape)[:, :, np.newaxis]
        both = np.matmul(self.slopes * weighted.transpose(0, 2, 1), self.slopes.transpose(0, 2, 1))
        hessian[:, np.array(numbers)[:, np.newaxis], numbers] += self.factor[:, :, np.newaxis] * both
        hessian[:, numbers, numbers] += self.factor * np.matmul(self.bends, weighted)[..., 0]
        if self.component.rates:
            mixed = np.matmul(self.slopes, weighted)[..., 0]
            for rate in self.component.rates:
                hessian[:, rate, numbers] += mixed
                hessian[:, numbers, rate] += mixed
