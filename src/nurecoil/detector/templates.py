"""Responses that a release tabulates: how often a recoil of one energy is counted in each bin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError


@dataclass(frozen=True, eq=False)
class Efficiencies:
    """How often a recoil of each energy is counted in each bin, shape (energies, bins)."""

    kind: ClassVar = "templates"
    table: Array


@dataclass(frozen=True)
class TabulatedResponse:
    """R[bin, T] between energies where it is known: cubic, and monotonic where they are; 0 outside of them.

    Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984): no bin overshoots, so none is negative.
    """

    energies_kev: tuple[float, ...]
    efficiency: Efficiencies
    electron_recoils: ClassVar = False
    recoils: ClassVar = "templates of mono-energetic recoils"

    @property
    def bins(self) -> int:
        """The number of bins."""
        return int(self.efficiency.table.shape[1])

    def responses(self, T: ArrayLike, efficiencies: Sequence[Efficiencies]) -> Array:
        """Return R[bin, efficiency, T] of recoil energies T (n,) in MeV."""
        x, E = 1e3 * np.atleast_1d(T), np.array(self.energies_kev)
        y = np.stack(
            [efficiency.table.T for efficiency in efficiencies], axis=1
        )  # (bins, efficiencies, energies)
        inside = np.flatnonzero((x >= E[0]) & (x <= E[-1]))
        place = np.clip(np.searchsorted(E, x[inside], side="right") - 1, 0, E.size - 2)
        h = np.diff(E)[place]
        u = (x[inside] - E[place]) / h
        of_value, of_slope = np.zeros((2, E.size, x.size))
        of_value[place, inside], of_value[place + 1, inside] = (1 + 2 * u) * (1 - u) ** 2, u**2 * (3 - 2 * u)
        of_slope[place, inside], of_slope[place + 1, inside] = h * u * (1 - u) ** 2, -h * u**2 * (1 - u)
        return np.asarray(y @ of_value + _slopes(E, y) @ of_slope)

    def reaching(self, T: Array, efficiencies: Sequence[Efficiencies]) -> tuple[slice, Array]:
        """Return the bins that recoils reach, which are all, and R of those."""
        return slice(0, self.bins), self.responses(T, efficiencies)

    def breakpoints(self) -> Array:
        """Return the recoil energies (MeV) between which R is a polynomial."""
        return 1e-3 * np.array(self.energies_kev)

    def of_electrons(self) -> "TabulatedResponse":
        """Refuse: the templates are of nuclei."""
        raise NurecoilError(f"{self.recoils} say nothing of those of electrons")

    def but_efficiency(self) -> dict[str, object]:
        """Return all that two share whose responses differ by their efficiencies alone."""
        return {"energies_kev": self.energies_kev}


def _slopes(x: Array, y: Array) -> Array:
    """Return dy/dx at x (the last axis): harmonic means of the lines on both sides, 0 where those turn."""
    h = np.diff(x)
    line = np.diff(y) / h
    before, after = line[..., :-1], line[..., 1:]
    w, v = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    monotonic = before * after > 0
    weighed = w / np.where(monotonic, before, 1.0) + v / np.where(monotonic, after, 1.0)
    mean = np.divide(w + v, weighed, out=np.zeros_like(before), where=monotonic)
    return np.concatenate([line[..., :1], mean, line[..., -1:]], axis=-1)
