"""Electric charges of neutrinos, far below the electron's: the photon as a massless vector mediator.

g_V^p δ_αβ → g_V^p δ_αβ + 4π α q_αβ/(√2 G_F q²)   at a momentum transfer q² = 2MT

Neutrons have no charge and electrons that of protons with the other sign, at q² = 2 m_e T. Diagonal charges
interfere with the Standard Model; transitions add, and interfere where mass states arrive. A charge and a
charge radius are the first two terms of one form factor, q - q²⟨r²⟩/6.
"""

import math
from dataclasses import replace
from typing import Final

import numpy as np

from nurecoil.models.electromagnetic import matrix, of_pairs
from nurecoil.models.model import OF_LIGHT_VECTOR, Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.constants import FERMI_CONSTANT, FINE_STRUCTURE
from nurecoil.physics.couplings import Couplings, Exchange

REFERENCE = "Giunti:2014ixa, arXiv:1403.6344; AtzoriCorona:2022qrf, arXiv:2205.09484"
BOUND: Final = 1e-4  # of the charge of a positron; no experiment allows a thousandth of it

_OF_PROTON = 4 * math.pi * FINE_STRUCTURE / (math.sqrt(2) * FERMI_CONSTANT)  # MeV²


def _charge(name: str, index: str, diagonal: bool) -> Parameter:
    return Parameter(
        name=f"q_nu_{name}",
        description=f"electric charge of nu_{name}" if diagonal else f"transition charge, {name}",
        latex=rf"q_{{{index}}}",
        default=0.0,
        unit="e",
        low=-BOUND,
        high=BOUND,
        reference=REFERENCE,
    )


def _couplings(values: Values) -> Couplings:
    proton = _OF_PROTON * matrix(values, "q_nu")
    photon = Exchange(np.zeros(()), proton, np.zeros((3, 3)), -proton / 2, -proton / 2)
    return replace(STANDARD_MODEL.evaluate(values), light_vector=photon)


MILLICHARGES = Model(
    name="millicharges",
    title="Electric charges of neutrinos, of each flavour and between flavours",
    reference=REFERENCE,
    parameters=(*of_pairs(_charge), *STANDARD_MODEL.parameters),
    evaluate=_couplings,
    channels=(*STANDARD_MODEL.channels, *OF_LIGHT_VECTOR),
)
