"""Mixing of three neutrinos, of which those of the sun and of supernovae arrive as mass states."""

import math
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from nurecoil.checks import Fraction, Number, Probability, checked


@dataclass(frozen=True)
@checked("mixing")
class Mixing:
    """Mixing of three neutrinos; left out are those of NuFIT 6.0, arXiv:2410.05380, normal ordering."""

    sin2_theta_12: Fraction = 0.308
    sin2_theta_13: Probability = 0.02215
    sin2_theta_23: Probability = 0.470
    delta_cp_deg: Annotated[float, Number(-360, 360)] = 212.0
    dm2_21_eV2: Annotated[float, Number(1e-6, 1e-3)] = 7.49e-5

    @property
    def matrix(self) -> NDArray[np.complex128]:
        """U_αi (PDG 2022, eq. 14.33)."""
        angles = self.sin2_theta_12, self.sin2_theta_13, self.sin2_theta_23
        (s12, c12), (s13, c13), (s23, c23) = ((math.sqrt(s), math.sqrt(1 - s)) for s in angles)
        phase = np.exp(1j * math.radians(self.delta_cp_deg))
        return np.array(
            [
                [c12 * c13, s12 * c13, s13 / phase],
                [-s12 * c23 - c12 * s23 * s13 * phase, c12 * c23 - s12 * s23 * s13 * phase, s23 * c13],
                [s12 * s23 - c12 * c23 * s13 * phase, -c12 * s23 - s12 * c23 * s13 * phase, c23 * c13],
            ]
        )

    def flavours(self, *states: int) -> tuple[float, float, float]:
        """Return how much of ν_e, ν_μ and ν_τ some mass states are, from 1 to 3: Σ_i |U_αi|²."""
        e, mu, tau = (abs(self.matrix[:, [i - 1 for i in states]]) ** 2).sum(axis=1).tolist()
        return e, mu, tau

    def coherences(self, *states: int) -> tuple[complex, complex, complex]:
        """Return ρ_αβ = Σ_i U_αi U*_βi of eμ, eτ and μτ, of some mass states."""
        e, mu, tau = self.matrix[:, [i - 1 for i in states]]
        return complex(e @ mu.conj()), complex(e @ tau.conj()), complex(mu @ tau.conj())


NUFIT: Final = Mixing()
