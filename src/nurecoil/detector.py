"""Detectors: from a recoil energy to bins of what is seen, with an efficiency."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ConstantEfficiency:
    """The same efficiency everywhere."""

    value: float

    def __call__(self, x: Array) -> Array:
        """Return the efficiency at the observable `x`."""
        return np.full_like(x, self.value)

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Where the efficiency is not smooth."""
        return ()


@dataclass(frozen=True)
class LogisticEfficiency:
    """ε(x) = a/(1 + e^{-k (x - x0)}) · H(x), H a staircase: `steps` are (from x on, factor), 0 below.

    COHERENT's CsI efficiency (arXiv:1804.09459) is a = 0.6655, k = 0.4942, x0 = 10.8507 PE with the steps
    (5, 1/2), (6, 1).
    """

    a: float
    k: float
    x0: float
    steps: tuple[tuple[float, float], ...] = ()

    def __call__(self, x: Array) -> Array:
        """Return the efficiency at the observable `x`."""
        staircase = np.ones_like(x)
        if self.steps:
            starts, factors = (np.array(column) for column in zip(*self.steps, strict=True))
            staircase = np.concatenate([[0.0], factors])[np.searchsorted(starts, x, side="right")]
        return self.a / (1 + np.exp(-self.k * (x - self.x0))) * staircase

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Where the efficiency is not smooth."""
        return tuple(start for start, _ in self.steps)


@dataclass(frozen=True)
class TabulatedEfficiency:
    """A table, read with straight lines between its points, constant above it and zero below it."""

    x: tuple[float, ...]
    efficiency: tuple[float, ...]

    def __call__(self, x: Array) -> Array:
        """Return the efficiency at the observable `x`."""
        return np.interp(x, self.x, self.efficiency, left=0.0)

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Where the efficiency is not smooth."""
        return self.x


Efficiency = ConstantEfficiency | LogisticEfficiency | TabulatedEfficiency


@dataclass(frozen=True)
class Detector:
    """A detector without smearing: an observable proportional to the recoil energy, in bins.

    Attributes
    ----------
    observable : str
        What is seen and its unit, for instance "PE" or "recoil energy [keV]".
    per_kev : float
        Observable per keV of recoil energy: quenching times light yield for a scintillator, 1 for the
        recoil energy itself.
    edges : tuple of float
        Bin edges in the observable.
    efficiency : Efficiency
        As a function of the observable.
    """

    observable: str
    per_kev: float
    edges: tuple[float, ...]
    efficiency: Efficiency

    def response(self, T: ArrayLike) -> Array:
        """Return R[bin, T], the probability that a recoil of energy T (MeV) is counted in a bin."""
        x = np.asarray(T, dtype=float) * 1e3 * self.per_kev
        edges = np.asarray(self.edges)[:, np.newaxis]
        return ((x >= edges[:-1]) & (x < edges[1:])) * self.efficiency(x)

    def breakpoints(self) -> Array:
        """Return the recoil energies (MeV) where the response is not smooth."""
        return np.array([*self.edges, *self.efficiency.breakpoints]) / (1e3 * self.per_kev)
