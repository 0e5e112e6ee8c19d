"""Tensor interactions of neutrinos with u and d quarks, of heavy mediators.

L = -2√2 G_F Σ ε_αβ^{qT} [ν̄_α σ^μν P_L ν_β] [q̄ σ_μν q] + h.c.

(Of generalised neutrino interactions, L = -(G_F/√2) C_T^q [ν̄ σ^μν P_L ν] [q̄ σ_μν q], C_T is 4 ε^T.) They turn
the neutrino's helicity, so that nothing interferes:

dσ/dT = (8 G_F² M/π) Σ_β |Z F_p t_p + N F_n t_n|² [(2 - T/E)² - MT/E²]

with t_p = δu ε^u + δd ε^d and t_n = δd ε^u + δu ε^d. This is the coherent form of the literature on CEvNS:
exact for a nucleus of spin 1/2 without structure, with the tensor charges of all its nucleons added up. But a
nucleon's tensor current is its spin, and spins pair off in nuclei: of real ones it overestimates the counts
by orders of magnitude, and limits compare with those of papers alone that do the same. Not all of it is
suppressed by spins (arXiv:2502.10702), and the rest is left out. Each ε is Hermitian here, with the
parameters that `nsi` has.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.models.model import Model
from nurecoil.models.nsi import Epsilons
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Values
from nurecoil.physics.couplings import Couplings

REFERENCE = "AristizabalSierra:2018eqm, arXiv:1806.07424; DeRomeri:2022twg, arXiv:2211.11905"
TENSOR_CHARGES: Final = (0.784, -0.204)  # δu and δd of a proton: Gupta:2018lvp, arXiv:1808.07597
NOTE = (
    "tensor currents are taken as coherent, as papers on CEvNS do: the tensor charges of all nucleons add up"
    f" (of a proton: u {TENSOR_CHARGES[0]}, d {TENSOR_CHARGES[1]}). They are for the most part spins, which"
    " pair off, so that real nuclei give far fewer counts.",
)


def of_nucleons(up: Array, down: Array) -> tuple[Array, Array]:
    """Return δu u + δd d and δd u + δu d: the tensor couplings of proton and neutron."""
    more, less = TENSOR_CHARGES
    return more * up + less * down, less * up + more * down


TENSORS = Epsilons("tensor", "eps_tensor_", 10.0, REFERENCE, of_nucleons)


def _couplings(values: Values) -> Couplings:
    proton, neutron = TENSORS.added_to(values, *np.zeros((2, 3, 3)))
    return replace(STANDARD_MODEL.evaluate(values), tensor_p=proton, tensor_n=neutron)


TENSOR = Model(
    name="tensor",
    title="Tensor interactions with u and d quarks, flavour change included",
    reference=REFERENCE,
    parameters=(*TENSORS.parameters, *STANDARD_MODEL.parameters),
    evaluate=_couplings,
    channels=(*STANDARD_MODEL.channels, "tensor"),
    notes=lambda values: NOTE,
    standard_at=dict.fromkeys((p.name for p in TENSORS.parameters), 0.0),
)
