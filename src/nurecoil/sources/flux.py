"""What a neutrino source is: components, each one flavour with a line or a continuum.

A source of a card is a frozen dataclass: its tag `flux`, its keys, its components, `neutrinos(files)`, and
`fluence`, what multiplies their spectra to give neutrinos per cm² and MeV.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.one_line import one_line
from nurecoil.physics.couplings import FLAVOURS

_PANELS: Final = 20


class Files(Protocol):
    """Where a card finds data files by name: in a release, its own unless given, or beside it."""

    def path(self, name: str, release: str | None = None) -> Path:
        """Return the path of a file."""

    def read(self, name: str, release: str | None = None) -> Array:
        """Return the numbers of a file."""


@dataclass(frozen=True)
class Line:
    """Neutrinos of one energy (MeV); one, unless the unit of the source has more or fewer."""

    energy: float
    neutrinos: float = 1.0

    @property
    def energy_max(self) -> float:
        """The largest neutrino energy, MeV."""
        return self.energy


@dataclass(frozen=True)
class Continuum:
    """A spectrum φ(E) in 1/MeV, smooth between the energies `knots` (MeV, ascending), zero outside.

    `points` of Gauss-Legendre between knots are exact where φ·k is a polynomial of degree up to 2 points - 1.
    """

    density: Callable[[Array], Array]
    knots: tuple[float, ...]
    points: int = 24

    @property
    def energy_max(self) -> float:
        """The largest neutrino energy, MeV."""
        return self.knots[-1]


@dataclass(frozen=True)
class Tabulated:
    """A density with straight lines between energies (MeV, ascending), in its logarithm if `logarithmic`."""

    energies: tuple[float, ...]
    values: tuple[float, ...]
    logarithmic: bool = False

    def __call__(self, E: Array) -> Array:
        """Return φ(E), constant outside of the table."""
        if self.logarithmic:
            return np.asarray(np.exp(np.interp(E, self.energies, np.log(self.values))))
        return np.asarray(np.interp(E, self.energies, self.values))

    @property
    def panels(self) -> tuple[float, ...]:
        """Some 20 of many energies, as knots of a table of a smooth spectrum."""
        return (*self.energies[: -1 : max(len(self.energies) // _PANELS, 1)], self.energies[-1])


@dataclass(frozen=True)
class Component:
    """One kind of neutrino of a source: `name` as in nu_mu_bar, `flavour` e, mu or tau, or their shares.

    Its spectrum is that of one neutrino, of one fission in a reactor, or of a table as it stands. Of a mass
    state, `coherences` are ρ_αβ = <ν_α|ν_i><ν_i|ν_β> of eμ, eτ and μτ.
    """

    name: str
    flavour: str | tuple[float, float, float]
    spectrum: Line | Continuum
    coherences: tuple[complex, ...] = ()

    @property
    def shares(self) -> tuple[float, ...]:
        """How much of it is ν_e, ν_μ and ν_τ."""
        one = self.flavour
        return tuple(float(f == one) for f in FLAVOURS) if isinstance(one, str) else one

    @property
    def antineutrino(self) -> bool:
        """Whether it is an antineutrino, whose name ends with _bar."""
        return self.name.endswith("_bar")


@dataclass(frozen=True)
class Uncertainty:
    """How well the number of neutrinos of some components is known: a pull, and its width as a fraction."""

    pull: str
    width: float
    components: tuple[str, ...]


@dataclass(frozen=True)
class Flux:
    """A neutrino source: its components, and what is uncertain about them.

    Where a source knows when they arrive, `in_time` has the share of each component in each bin of its times.
    """

    name: str
    components: tuple[Component, ...]
    reference: str
    extent_m: float = 0.0  # along the way to the detector
    uncertainties: tuple[Uncertainty, ...] = ()
    in_time: tuple[tuple[float, ...], ...] = ()

    def __repr__(self) -> str:
        """Return what it is in a line."""
        return one_line(self, self.name, *(c.name for c in self.components))


def inverse_moments(spectrum: Continuum, E_min: Array) -> Array:
    """Return ∫ dE φ(E) (E_min/E)^j over E >= E_min for j = 0, 1, 2, shape (3, n); E_min (MeV) is above 0.

    Gauss-Legendre between knots, as `flux_integral`, and exact for the same: what is a polynomial of second
    degree in 1/E needs no more than these.
    """
    nodes, weights = _gauss_legendre(spectrum.points)

    def summed(low: Array, high: Array) -> Array:
        width = (high - low)[:, np.newaxis]
        E = low[:, np.newaxis] + width * nodes
        density, found = width * weights * spectrum.density(E), []
        for _ in range(3):
            found.append(density.sum(axis=1))
            density = density / E
        return np.array(found)

    knots = np.array(spectrum.knots)
    whole = np.cumsum(summed(knots[:-1], knots[1:])[:, ::-1], axis=1)[:, ::-1]  # from each knot on
    beyond = np.searchsorted(knots, E_min, side="right")
    total = np.append(whole, np.zeros((3, 1)), axis=1)[:, np.minimum(beyond, knots.size - 1)]
    inside = np.flatnonzero((beyond > 0) & (beyond < knots.size))
    total[:, inside] += summed(E_min[inside], knots[beyond[inside]])
    return np.asarray(total * E_min ** np.arange(3)[:, np.newaxis])


def flux_integral(spectrum: Line | Continuum, kernel: Callable[[Array], Array], E_min: Array) -> Array:
    """Return K = ∫ dE φ(E) k(E) over E >= E_min.

    Gauss-Legendre between knots. `E_min` (MeV) and K have the shape (n,); k takes E of shape (n, points), and
    whatever else it depends on (the recoil energy) varies along the first axis.
    """
    if isinstance(spectrum, Line):
        at_line = kernel(np.full((E_min.size, 1), spectrum.energy))[:, 0]
        return np.where(spectrum.energy >= E_min, spectrum.neutrinos * at_line, 0.0)
    nodes, weights = _gauss_legendre(spectrum.points)
    total = np.zeros_like(E_min)
    for low, high in pairwise(spectrum.knots):
        if E_min.min(initial=np.inf) >= high:
            continue
        start = np.clip(E_min if E_min.max() > low else E_min[:1], low, high)[:, np.newaxis]
        E = start + (high - start) * nodes
        total += ((high - start) * weights * _density(spectrum, E, low, high) * kernel(E)).sum(axis=1)
    return total


def _density(spectrum: Continuum, E: Array, low: float, high: float) -> Array:
    """Return φ at nodes between knots, E of shape (n, points): the rows that are whole are the same."""
    if len(E) == 1:
        return spectrum.density(E)
    nodes = low + (high - low) * _gauss_legendre(spectrum.points)[0]
    whole, inside = (nodes == E).all(axis=1), E[:, 0] < high
    found = np.zeros(E.shape)
    found[whole] = spectrum.density(nodes)
    found[inside & ~whole] = spectrum.density(E[inside & ~whole])
    return found


@cache
def _gauss_legendre(points: int) -> tuple[Array, Array]:
    """Return nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(points)
    return (x + 1) / 2, w / 2
