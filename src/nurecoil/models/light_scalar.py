"""A light scalar mediator: φ of any mass that couples to quarks and neutrinos, the same to all.

L = -g φ [Σ_α Q_α ν̄_α ν_α + Σ_q q̄ q]. It turns the neutrino's helicity, so that nothing interferes:

dσ/dT = (M² T/4πE²) (g Q_α)² (g_p Z F_p + g_n N F_n)²/(q² + m²)²

A nucleon's scalar coupling is a sum over its quarks, g_N = g Σ_q f_q^N m_N/m_q: 15.1 g for protons and 14 g
for neutrons are a choice, common in the literature: with f_q of Hoferichter:2015dsa and the quark masses of
PDG:2022, u and d alone give 17.3 g for both, 1.4 times the counts, and a limit on g that is 9 % lower.
Electrons scatter as in the Standard Model.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from nurecoil.models.light_vector import COUPLING, MASS, REFERENCE, exchange, neutrino_charges
from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Values
from nurecoil.physics.couplings import Couplings

PROTON: Final = 15.1  # Cerdeno:2016sfi
NEUTRON: Final = 14.0


def _couplings(values: Values) -> Couplings:
    product = np.square(values["g_mediator"])
    light = exchange(values, product * PROTON, product * NEUTRON, np.zeros(()), np.zeros(()))
    return replace(STANDARD_MODEL.evaluate(values), light_scalar=light)


LIGHT_SCALAR = Model(
    name="light-scalar",
    title="Light scalar mediator that couples to quarks and neutrinos",
    reference=REFERENCE,
    parameters=(MASS, COUPLING, *neutrino_charges(), *STANDARD_MODEL.parameters),
    evaluate=_couplings,
    channels=(*STANDARD_MODEL.channels, "light-scalar"),
)
