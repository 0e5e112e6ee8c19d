"""Charge radii of neutrinos: the Standard Model's with other values, and transitions between flavours.

A neutrino of charge radius ⟨r²⟩ scatters on a charge as if by a contact interaction, with the Z boson's sign:

g_V^p δ_αβ → g_V^p δ_αβ - (√2 π α/3 G_F)(⟨r²⟩_αβ - ⟨r²⟩^SM_α δ_αβ)

The diagonal ones interfere with the Standard Model, transitions add. An electron sees the same with the other
sign. The values are those of the whole charge radius: at the Standard Model's (-0.83, -0.48 and -0.30 times
10⁻³² cm²) the couplings are the Standard Model's, at tree level too.
"""

import math
from dataclasses import replace
from typing import Final

import numpy as np

from nurecoil.models.electromagnetic import matrix, of_pairs
from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.constants import FERMI_CONSTANT, FINE_STRUCTURE, MEV_M2_TO_CM2
from nurecoil.physics.couplings import Couplings

REFERENCE = "Bernabeu:2000hf; AtzoriCorona:2022qrf, arXiv:2205.09484"
STANDARD: Final = {"e": -0.83e-32, "mu": -0.48e-32, "tau": -0.30e-32}  # cm² (Bernabeu:2000hf)
BOUND: Final = 1e-30  # cm²: beyond the second solution, where the charge of Cs changes its sign, at -6e-31

_OF_PROTON = math.sqrt(2) * math.pi * FINE_STRUCTURE / (3 * FERMI_CONSTANT) / MEV_M2_TO_CM2  # per cm²


def _radius(name: str, index: str, diagonal: bool) -> Parameter:
    return Parameter(
        name=f"r2_nu_{name}",
        description=f"charge radius squared of nu_{name}"
        if diagonal
        else f"transition charge radius, {name}",
        latex=rf"\langle r^2_{{{index}}}\rangle",
        default=STANDARD.get(name, 0.0),
        unit="cm2",
        low=-BOUND,
        high=BOUND,
        reference=REFERENCE,
    )


def _couplings(values: Values) -> Couplings:
    standard = STANDARD_MODEL.evaluate(values)
    change = _OF_PROTON * (matrix(values, "r2_nu") - np.diag([*STANDARD.values()]))
    shifts = {"vector_p": -change, "electron_left": change / 2, "electron_right": change / 2}
    return replace(standard, **{name: getattr(standard, name) + shift for name, shift in shifts.items()})


CHARGE_RADII = Model(
    name="charge-radii",
    title="Charge radii of neutrinos, of each flavour and between flavours",
    reference=REFERENCE,
    parameters=(*of_pairs(_radius), *STANDARD_MODEL.parameters),
    evaluate=_couplings,
)
