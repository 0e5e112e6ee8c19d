"""Magnetic moments of neutrinos: diagonal ones, and transitions between flavours.

The photon flips the neutrino's helicity, so that nothing interferes with the weak amplitude. Outgoing
flavours are summed over, and per incoming flavour α there is one effective moment:

μ_α² = Σ_β |μ_αβ|²   (a Majorana neutrino has no diagonal ones)

It adds (π α²/m_e²)(μ_α/μ_B)² Z² F_p² (1/T - 1/E) on nuclei, and Z_eff(T) in place of Z² F_p² on electrons.
"""

from dataclasses import replace

import numpy as np

from nurecoil.models.electromagnetic import matrix, of_pairs
from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.couplings import Couplings

REFERENCE = "Vogel:1989iv; Giunti:2014ixa, arXiv:1403.6344"


def _moment(name: str, index: str, diagonal: bool) -> Parameter:
    return Parameter(
        name=f"mu_nu_{name}",
        description=f"magnetic moment of nu_{name}" if diagonal else f"transition magnetic moment, {name}",
        latex=rf"\mu_{{{index}}}",
        default=0.0,
        unit="mu_B",
        low=0.0,
        reference=REFERENCE,
    )


def _couplings(values: Values) -> Couplings:
    squares = np.square(matrix(values, "mu_nu")).sum(axis=-1)
    return replace(STANDARD_MODEL.evaluate(values), magnetic_moment=np.sqrt(squares))


MAGNETIC_MOMENTS = Model(
    name="magnetic-moments",
    title="Magnetic moments of neutrinos, of each flavour and between flavours",
    reference=REFERENCE,
    parameters=(*of_pairs(_moment), *STANDARD_MODEL.parameters),
    evaluate=_couplings,
)
