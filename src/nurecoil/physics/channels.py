"""Channels: interactions, with or without a weight, and the products of couplings they are linear in.

A new channel is one entry of `CHANNELS` and one of `PRODUCTS`; a new interaction one of `INTERACTIONS`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from nurecoil.physics.couplings import Couplings
from nurecoil.physics.interactions import INTERACTIONS, Interaction
from nurecoil.physics.products import PRODUCTS, Products
from nurecoil.physics.radii import NEUTRON_RADII
from nurecoil.physics.shapes import Energies, Masses

STANDARD: Final = ("vector", "magnetic")  # what a model needs as a rule


@dataclass(frozen=True)
class Channel:
    """An interaction, and the products of couplings that its terms multiply, with a weight in q² or without.

    A shape, inside the integral over energies, is a weight too, of nodes of such pieces of the flux. There
    are no products where a model has no such couplings.
    """

    interaction: Interaction
    products: Callable[[Couplings], Products]
    terms: int = 3
    weighted: bool = False
    shape: type[Masses | Energies] | None = None
    radius: str = ""  # the group of elements whose neutron radius is the weight: what it changes
    coherence: Literal["real", "imag"] | None = None  # of pairs of flavours, in place of flavours

    def concerns(self, elements: Iterable[str]) -> bool:
        """Return whether a target of some elements takes part."""
        return not self.radius or any(e in NEUTRON_RADII[self.radius][0] for e in elements)


CHANNELS: Final[Mapping[str, Channel]] = {
    "vector": Channel(INTERACTIONS["vector"], PRODUCTS["vector"]),
    "magnetic": Channel(INTERACTIONS["magnetic"], PRODUCTS["magnetic"], terms=1),
    "vector-interference": Channel(INTERACTIONS["vector"], PRODUCTS["vector-interference"], coherence="real"),
    "vector-interference-phase": Channel(
        INTERACTIONS["vector"], PRODUCTS["vector-interference-phase"], coherence="imag"
    ),
    "axial": Channel(INTERACTIONS["axial"], PRODUCTS["axial"]),
    "light-vector": Channel(INTERACTIONS["vector"], PRODUCTS["light-vector"], weighted=True),
    "light-vector-interference": Channel(
        INTERACTIONS["vector"], PRODUCTS["light-vector-interference"], weighted=True, coherence="real"
    ),
    "light-vector-interference-phase": Channel(
        INTERACTIONS["vector"], PRODUCTS["light-vector-interference-phase"], weighted=True, coherence="imag"
    ),
    "light-scalar": Channel(INTERACTIONS["scalar"], PRODUCTS["light-scalar"], weighted=True),
    "tensor": Channel(INTERACTIONS["tensor"], PRODUCTS["tensor"]),
    "light-tensor": Channel(INTERACTIONS["tensor"], PRODUCTS["light-tensor"], weighted=True),
    "electron": Channel(INTERACTIONS["electron"], PRODUCTS["electron"]),
    "light-vector-electron": Channel(
        INTERACTIONS["electron"], PRODUCTS["light-vector-electron"], weighted=True
    ),
    "weak-charge": Channel(INTERACTIONS["weak-charge"], PRODUCTS["weak-charge"], terms=2),
    **{
        f"neutrons-{name}": Channel(
            INTERACTIONS["vector"], PRODUCTS[f"neutrons-{name}"], weighted=True, radius=name
        )
        for name in NEUTRON_RADII
    },
    "magnetic-electron": Channel(INTERACTIONS["magnetic-electron"], PRODUCTS["magnetic"], terms=1),
    "dipole-portal": Channel(INTERACTIONS["upscattering"], PRODUCTS["dipole-portal"], 1, True, Masses),
    "dipole-portal-electron": Channel(
        INTERACTIONS["upscattering-electron"], PRODUCTS["dipole-portal"], 1, True, Masses
    ),
    "sterile": Channel(INTERACTIONS["vector"], PRODUCTS["sterile"], 3, True, Energies),
    "sterile-electron": Channel(INTERACTIONS["electron"], PRODUCTS["sterile-electron"], 3, True, Energies),
}
