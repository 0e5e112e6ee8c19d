"""One experiment's likelihood as plain arrays: what the engine computes with.

Pulls are numbered in the order of the term's and measured in t: 0 at the default, 1 at one step of a shape,
or as a fraction of a rate.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.experiment.formula import Formula


@dataclass(frozen=True)
class SignalArrays:
    """The signal: its templates, and which pulls change it.

    Attributes
    ----------
    templates : ndarray, shape (1 + 2 K + 2 C, strengths, bins)
        Counts per strength of the couplings (see `Basis.strengths`), then up and down of each
        shape pull, and of each pair.
    rates, logarithms
        Pulls of the rate. A pull of logarithm λ multiplies the signal by e^{λt}; without logarithms the rate
        is 1 + Σt.
    shapes
        Pulls of the shape.
    pairs
        Which two of `shapes` change it together, beyond what each does alone.
    """

    templates: Array
    rates: tuple[int, ...]
    logarithms: tuple[float, ...] | None
    shapes: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...] = ()

    @cached_property
    def used(self) -> NDArray[np.intp]:
        """Which strengths have templates that are not zero: others are of other experiments."""
        return np.flatnonzero(self.templates.any(axis=(0, 2)))

    @cached_property
    def columns(self) -> Array:
        """The templates of those as one matrix, shape (used, (1 + 2 K + 2 C) bins)."""
        blocks, _, bins = self.templates.shape
        rows = np.swapaxes(self.templates, 0, 1)[self.used]
        return np.ascontiguousarray(rows.reshape(self.used.size, blocks * bins))


@dataclass(frozen=True)
class Background:
    """A background: its counts (bins,), the pull of its rate 1 + t, and how pulls change its shape."""

    name: str
    counts: Array
    rate: int
    shapes: tuple[int, ...]
    a: Array
    b: Array


@dataclass(frozen=True)
class Curve:
    """A background that is a formula, and the pulls that are its parameters."""

    name: str
    formula: Formula
    pulls: tuple[int, ...]


@dataclass(frozen=True)
class TermArrays:
    """The likelihood of one experiment, Poisson or Gaussian.

    Attributes
    ----------
    gaussian
        Whether χ² = Σ (n - μ)², all counts in units of their σ; otherwise Poisson.
    signal, backgrounds, curves
        The components of the counts.
    """

    gaussian: bool
    signal: SignalArrays
    backgrounds: tuple[Background, ...]
    curves: tuple[Curve, ...] = ()

    @property
    def bins(self) -> int:
        """The number of bins."""
        return int(self.signal.templates.shape[-1])

    @property
    def numbers(self) -> int:
        """The number of bins, and of the energies at which formulas are evaluated."""
        return self.bins + sum(curve.formula.nodes.size for curve in self.curves)

    @property
    def straight(self) -> bool:
        """Whether χ² is a quadratic function of the pulls: Gaussian counts that are linear in them."""
        linear = not self.signal.rates or self.signal.logarithms is None
        return self.gaussian and linear and not (self.signal.shapes or self.shaped or self.curves)

    @cached_property
    def flat(self) -> tuple[Background, ...]:
        """The backgrounds whose shape no pull changes."""
        return tuple(b for b in self.backgrounds if not b.shapes)

    @cached_property
    def shaped(self) -> tuple[Background, ...]:
        """The other backgrounds."""
        return tuple(b for b in self.backgrounds if b.shapes)

    @cached_property
    def flat_counts(self) -> Array:
        """Counts of the flat backgrounds, shape (backgrounds, bins)."""
        return np.array([b.counts for b in self.flat])

    @cached_property
    def flat_pairs(self) -> Array:
        """Products of their counts, a packed triangle (pairs, bins)."""
        counts = self.flat_counts
        return np.array([counts[k] * counts[m] for k in range(len(counts)) for m in range(k + 1)])


@dataclass(frozen=True)
class Rotation:
    """Bins of a Gaussian term turned so that few of them depend on anything.

    With all counts in units of σ, χ² = |n - μ|² and μ lies in the space of the templates and backgrounds, of
    r dimensions. In a basis of that space r numbers replace the bins, exactly; what is left of n is constant.
    """

    basis: Array  # (r, bins), rows orthonormal
    sigma: Array  # (bins,)

    def turned(self, counts: Array) -> Array:
        """Return counts (..., bins) in the basis, shape (..., r)."""
        return np.asarray((counts / self.sigma) @ self.basis.T)

    def rest(self, counts: Array) -> Array:
        """Return the square of what the basis misses, shape (...)."""
        scaled = counts / self.sigma
        return np.asarray(((scaled - (scaled @ self.basis.T) @ self.basis) ** 2).sum(axis=-1))


def rotated(arrays: TermArrays, sigma: Array) -> tuple[TermArrays, Rotation]:
    """Return a Gaussian term with counts in units of σ and as few numbers as possible in place of bins.

    Shapes that pulls change, and formulas, are not linear in the templates: then the bins stay as they are.
    """
    bins = sigma.size
    basis = np.eye(bins)
    if not (arrays.signal.shapes or arrays.shaped or arrays.curves):
        columns = [arrays.signal.templates[0] / sigma, *(b.counts[np.newaxis] / sigma for b in arrays.flat)]
        basis = _basis(np.concatenate(columns), bins)
    rotation = Rotation(basis, sigma)
    signal, turned = arrays.signal, rotation.turned
    return (
        TermArrays(
            True,
            replace(signal, templates=turned(signal.templates)),
            tuple(
                replace(b, counts=turned(b.counts), a=b.a[:, : len(basis)], b=b.b[:, : len(basis)])
                for b in arrays.backgrounds
            ),
            tuple(
                replace(c, formula=replace(c.formula, spread=c.formula.spread / sigma[:, np.newaxis]))
                for c in arrays.curves
            ),
        ),
        rotation,
    )


def _basis(rows: Array, bins: int) -> Array:
    """Return an orthonormal basis of the space of the rows (of any size each), shape (r, bins)."""
    size = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    _, values, vectors = np.linalg.svd(rows / np.where(size > 0, size, 1.0), full_matrices=False)
    kept = values > 1e-13 * values.max(initial=1e-300)
    return np.asarray(vectors[kept][:bins])
