"""Shapes: parameters inside the integral over neutrino energies, and the pieces of a flux that know them.

The mass of a neutrino that is made, or the Δm² of an oscillation, decides which energies give which recoils:
no weight in q² says that. But counts of a *piece* of the flux are a sum over nodes of templates, which do not
know the shape s, times numbers that know nothing else: Σ_k templates_k · values_k(s).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.physics import cross_section
from nurecoil.physics.oscillations import DM2_MAX, PHASE, disappeared
from nurecoil.physics.weights import cardinals, chebyshev

_PANELS: Final = 8  # of a piece, in its angle
_MASSES: Final = 12  # nodes of a panel
_NARROW: Final = 1e-4  # in θ: a panel that is dropped
_SPARE: Final = 24  # nodes of a piece beyond those that its oscillations need
_MOST: Final = 3000


@dataclass(frozen=True)
class Masses:
    """Neutrinos that end at, or have, one energy, on one target: nodes in the mass m that they make.

    With m = m_max sin θ recoils end at (E/√2M)² (1 ± cos θ)², and so counts are smooth in θ, up to the end,
    m_max. With bins that have hard edges they bend where an end passes one, and there panels end.
    """

    energy: float
    mass: float
    only: float | None = None  # a mass, in place of nodes
    edges: tuple[float, ...] = ()  # recoils (MeV) at which the response jumps

    @cached_property
    def end(self) -> float:
        """m_max, in MeV."""
        return float(cross_section.heaviest(self.energy, self.mass))

    @cached_property
    def panels(self) -> Array:
        """The ends of the panels in θ, ascending."""
        T = np.asarray(self.edges)
        excess = self.energy / cross_section.neutrino_energy_min(T, self.mass) - 1
        sines = np.sqrt(2 * self.mass * T * np.maximum(excess, 0.0)) / self.end  # where recoils end at T
        even = np.linspace(0, np.pi / 2, _PANELS + 1)
        ends = np.unique(np.concatenate([even, np.arcsin(np.clip(sines, 0.0, 1.0))]))
        return np.append(ends[:-1][np.diff(ends) > _NARROW], ends[-1])

    @cached_property
    def nodes(self) -> Array:
        """The masses m_k in MeV, shape (K,)."""
        if self.only is not None:
            return np.array([self.only])
        low, size = self.panels[:-1, np.newaxis], np.diff(self.panels)[:, np.newaxis]
        return np.asarray(self.end * np.sin(low + size * (1 + chebyshev(_MASSES)) / 2).ravel())

    @property
    def size(self) -> int:
        """The number of nodes, K."""
        return self.nodes.size

    def values(self, m: Array) -> Array:
        """Return the cardinal functions of the nodes at m, shape (..., K): zero above the end."""
        m = np.asarray(m, dtype=float)
        if self.only is not None:
            return np.ones((*m.shape, 1))
        angle, ends = np.arcsin(np.clip(m / self.end, 0.0, 1.0)), self.panels
        panel = np.clip(np.searchsorted(ends, angle, side="right") - 1, 0, len(ends) - 2)
        x = 2 * (angle - ends[panel]) / (ends[panel + 1] - ends[panel]) - 1
        chosen = (m < self.end)[..., np.newaxis] & (panel[..., np.newaxis] == np.arange(len(ends) - 1))
        of_panel = cardinals(x, _MASSES)
        found = np.where(chosen[..., np.newaxis], of_panel[..., np.newaxis, :], 0.0)
        return found.reshape(*m.shape, -1)

    def recoils(self, mass: float) -> Array:
        """Return the recoils of a target (MeV) where the kernel of a node begins or ends."""
        made = self.nodes[(self.nodes < self.end) & (mass == self.mass)]
        return np.concatenate(cross_section.upscattering_recoils(self.energy, mass, made))


@dataclass(frozen=True)
class Energies:
    """Neutrinos of a line (low = high), or of a range of energies: nodes E_k.

    Counts are an integral over energies of φ(E) P(E) times the counts of one energy, by Gauss-Legendre in
    1/E, in which oscillations are even.
    """

    low: float
    high: float
    baseline_m: float
    extent_m: float

    @cached_property
    def rule(self) -> tuple[Array, Array]:
        """The nodes E_k in MeV and the weights of dE, shape (K,)."""
        if self.low == self.high:
            return np.array([self.low]), np.ones(1)
        half = (1 / self.low - 1 / self.high) / 2
        number = _SPARE + math.ceil(PHASE * DM2_MAX * self.baseline_m * half)
        if number > _MOST:
            raise NurecoilError(
                f"its baseline, {self.baseline_m:g} m, is too long for oscillations of {DM2_MAX:g} eV²"
            )
        x, w = np.polynomial.legendre.leggauss(number)
        E = 1 / (1 / self.high + half * (1 + x))
        return E, half * w * E**2

    @property
    def size(self) -> int:
        """The number of nodes, K."""
        return self.rule[0].size

    def values(self, dm2: Array) -> Array:
        """Return sin² of the oscillation's phase at each node, shape (..., K)."""
        return disappeared(np.asarray(dm2)[..., np.newaxis], self.rule[0], self.baseline_m, self.extent_m)

    def recoils(self, mass: float) -> Array:
        """Return the recoils of a target (MeV) where the kernel of a node ends."""
        return cross_section.recoil_energy_max(self.rule[0], mass)


@dataclass(frozen=True)
class Pieces:
    """The nodes of all pieces of a flux, one piece after another."""

    pieces: tuple[Masses | Energies, ...]

    @cached_property
    def size(self) -> int:
        """The number of nodes, K."""
        return sum(piece.size for piece in self.pieces)

    def joined(self, others: Sequence["Pieces"]) -> "Pieces":
        """Return all pieces, each once."""
        return Pieces(tuple(dict.fromkeys(piece for each in (self, *others) for piece in each.pieces)))

    def places(self, own: "Pieces") -> NDArray[np.intp]:
        """Return where the nodes of some of the pieces are."""
        first = dict(zip(self.pieces, np.cumsum([0, *(p.size for p in self.pieces)]), strict=False))
        return np.concatenate([first[p] + np.arange(p.size) for p in own.pieces])

    def moved(self, templates: Array, own: "Pieces") -> Array:
        """Return templates (..., K) of some of the pieces as those of all."""
        found = np.zeros((*templates.shape[:-1], self.size))
        found[..., self.places(own)] = templates
        return found
