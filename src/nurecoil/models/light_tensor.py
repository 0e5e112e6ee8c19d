"""A light tensor mediator: of any mass, coupled to quarks and neutrinos, the same to all.

L = -g T_μν [Σ_α Q_α ν̄_α σ^μν P_L ν_α + Σ_q q̄ σ^μν q] + h.c., whose exchange is as `tensor` with
ε_αα^{qT} = g² Q_α/[2√2 G_F (q² + m²)]:

dσ/dT = (M/π) (g Q_α)² g² (δ_u + δ_d)² (Z F_p + N F_n)²/(q² + m²)² [(2 - T/E)² - MT/E²]

What `tensor` says of coherence holds here too. Electrons scatter as in the Standard Model.
"""

import math
from dataclasses import replace

import numpy as np

from nurecoil.models.light_vector import COUPLING, MASS, exchange, neutrino_charges
from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.models.tensor import NOTE, REFERENCE, of_nucleons
from nurecoil.parameters import Values
from nurecoil.physics.constants import FERMI_CONSTANT
from nurecoil.physics.couplings import Couplings


def _couplings(values: Values) -> Couplings:
    product = np.square(values["g_mediator"]) / (2 * math.sqrt(2) * FERMI_CONSTANT)
    light = exchange(values, *of_nucleons(product, product), np.zeros(()), np.zeros(()))
    return replace(STANDARD_MODEL.evaluate(values), light_tensor=light)


LIGHT_TENSOR = Model(
    name="light-tensor",
    title="Light tensor mediator that couples to quarks and neutrinos",
    reference=REFERENCE,
    parameters=(MASS, COUPLING, *neutrino_charges(), *STANDARD_MODEL.parameters),
    evaluate=_couplings,
    channels=(*STANDARD_MODEL.channels, "light-tensor"),
    notes=lambda values: NOTE,
)
