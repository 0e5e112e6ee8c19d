"""Axial non-standard interactions with u and d quarks, and the axial part of the Standard Model.

L = -2√2 G_F Σ ε_αβ^{qX} [ν̄_α γ^μ P_L ν_β] [q̄ γ_μ P_X q],  ε^A = ε^L - ε^R

As in `nsi`, g_A^q δ_αβ → g_A^q δ_αβ + ε_αβ^{qA} in the normalisation of `nurecoil.physics.couplings`. A
nucleon takes part with its spin, g_A^p = Δu g_A^u + Δd g_A^d (a neutron with u and d swapped), a nucleus with
those of its last nucleons, and one without spin not at all:

dσ/dT = (G_F² M/π) Σ_β ½ Σ_NN' g_A^N g_A^N' F^NN'(q) (1 - T/E + MT/2E²)

with the responses F of spins across q (`nurecoil.physics.spins`): what lies along q would need a neutrino
that loses energy. It adds to the vector part, as their interference goes like T/E. Strange quarks, 7 % of
g_A, and currents of two nucleons are left out. CsI gains 1e-4 of its counts, so limits are far above 1.

Shell models differ: of I, <S_p> is 0.264 here and up to 0.34 in others (*unverified), 1.7 times the rate.
"""

from dataclasses import replace
from typing import Final

from nurecoil.models.model import Model
from nurecoil.models.nsi import Epsilons
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Values
from nurecoil.physics.couplings import Couplings

REFERENCE = "Barranco:2005yy; Hoferichter:2020osn, arXiv:2007.08529"
QUARK_SPINS: Final = (0.842, -0.427)  # HERMES:2006jyl, arXiv:hep-ex/0609039
BOUND: Final = 1e3

AXIAL = Epsilons("axial", "eps_axial_", BOUND, REFERENCE)


def _couplings(values: Values) -> Couplings:
    standard = STANDARD_MODEL.evaluate(values)
    proton, neutron = AXIAL.added_to(values, standard.axial_p, standard.axial_n)
    return replace(standard, axial_p=proton, axial_n=neutron, quark_spins=QUARK_SPINS)


NSI_AXIAL = Model(
    name="nsi-axial",
    title="Non-standard axial interactions with u and d quarks; the Standard Model's axial part",
    reference=REFERENCE,
    parameters=(*AXIAL.parameters, *STANDARD_MODEL.parameters),
    evaluate=_couplings,
    channels=(*STANDARD_MODEL.channels, "axial"),
)
