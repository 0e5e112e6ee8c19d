"""Neutron radii that a model sets: nodes in the radius, on which counts are known.

Counts are smooth in the rms radius R_n of the neutrons. Templates at a few radii R_k say all of it,
counts(R) = Σ_k L_k(R) counts(R_k), whatever the form factor of the card.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.physics.weights import cardinals, chebyshev

NEUTRON_RADII: Final = {
    "csi": (("Cs", "I"), 4.975),
    "ar": (("Ar",), 3.5),
    "ge": (("Ge",), 4.063),
    "xe": (("Xe",), 4.783),
}
"""The elements whose R_n is one parameter, and its value in fm where each nuclide has the radius of the card.

That is their mean. All nuclides are shifted alike: what they differ by is as it was.
"""

SHIFTS: Final = -1.4, 3.5  # fm, of all nuclides; the surface alone has more than 1.9
_NODES: Final = 16
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Radius:
    """A neutron radius as the weight of templates: what multiplies those of each node."""

    group: str  # of NEUTRON_RADII
    value: Array  # R_n in fm, shape (...)

    @property
    def shift(self) -> Array:
        """What it adds to the radius of each nuclide, in fm, shape (...); an error beyond the nodes."""
        own, (low, high) = NEUTRON_RADII[self.group][1], SHIFTS
        shift = np.asarray(np.asarray(self.value, dtype=float) - own)
        if not np.all(good := (shift > low - _ROUNDING) & (shift < high + _ROUNDING)):
            raise NurecoilError(
                f"neutron radius {self.group} = {shift[~good].flat[0] + own:.4g} fm is not allowed: it must"
                f" be between {own + low:.4g} and {own + high:.4g} fm"
            )
        return shift

    def at(self, nodes: "Radii") -> Array:
        """Return what multiplies the templates of each node, shape (..., K)."""
        low, high = SHIFTS
        return cardinals((2 * self.shift - low - high) / (high - low), nodes.size)

    def probe(self) -> Array:
        """Return a number that tells one weight from another, shape (..., 1)."""
        return self.shift[..., np.newaxis]


@dataclass(frozen=True)
class Radii:
    """Chebyshev nodes in what is added to the radii of a group of elements."""

    group: str
    size: int = _NODES

    @property
    def shifts(self) -> Array:
        """The nodes in fm, shape (K,)."""
        low, high = SHIFTS
        return (low + high + (high - low) * chebyshev(self.size)) / 2

    def joined(self, others: Sequence["Radii"]) -> "Radii":
        """Return nodes that do for all: these, which all have."""
        return self

    def moved(self, templates: Array, own: "Radii") -> Array:
        """Return templates (..., K) at these nodes: as they are."""
        return templates

    def samples(self) -> Array:
        """Return what spans the weights at the nodes, shape (K, K)."""
        return np.eye(self.size)
