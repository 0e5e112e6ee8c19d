"""The Standard Model, and the two parameters every model shares with it: s_W² and the electroweak scheme."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.models.model import Model
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.constants import SIN2_THETA_W
from nurecoil.physics.couplings import Couplings, flavour_diagonal, nucleon_couplings

Array = float | NDArray[np.float64]

# Couplings with radiative corrections. Of nucleons at s_W² = 0.23857 (Cadeddu:2020lky): ν_e and ν_μ as
# published; the ν_τ follows from them and the charge radii -0.83, -0.48, -0.30 (10^-32 cm²), to which they
# are linear. Of electrons g_V and g_A of ν_μ at s_W² = 0.23867 (Erler:2013xha, arXiv:1303.5522).
RADIATIVE_PROTON = (0.0382, 0.0300, 0.0258)
RADIATIVE_NEUTRON = -0.5117
RADIATIVE_ELECTRON = (-0.0396, -0.5064)

# Of the proton and of 133Cs, with radiative corrections, whichever `electroweak` is (PDG:2022)
WEAK_CHARGES = (0.0711, -73.23)

SIN2_THETA_W_PARAMETER = Parameter(
    name="sin2_theta_w",
    description="weak mixing angle squared, s_W², at low energy",
    latex=r"\sin^2\theta_W",
    default=SIN2_THETA_W,
    low=0.0,
    high=1.0,
    reference="PDG:2022, MS-bar at q = 0",
)
ELECTROWEAK_PARAMETER = Parameter(
    name="electroweak",
    description="couplings at tree level, or with radiative corrections (different for each flavour)",
    latex=r"\mathrm{scheme}",
    default="tree",
    choices=("tree", "radiative"),
    reference="Cadeddu:2020lky",
)


def z_vector(isospin: float, charge: float, sin2_theta_w: Array) -> Array:
    """Return g_V^Z(f) = T3 - 2 Q s_W² (Binh et al. 2021, Table I, in the normalisation g/2c_W of eq. 20)."""
    return isospin - 2 * charge * sin2_theta_w


def z_axial(isospin: float) -> float:
    """Return g_A^Z(f) = T3 (Binh et al. 2021, Table I)."""
    return isospin


def radiative_shifts() -> tuple[Array, Array, Array, Array]:
    """Return what radiative corrections add to g_V of p, n and e, and to g_A of e: by flavour for p and e.

    Taken at one s_W² and held there, so that all couplings depend on s_W² as at tree level. Flavours differ
    by the neutrino's charge radius, which an electron sees with the opposite sign of a proton's. Photons that
    are radiated are not included.
    """
    proton = np.array(RADIATIVE_PROTON) - (1 / 2 - 2 * SIN2_THETA_W)
    of_nu_mu, axial = RADIATIVE_ELECTRON[0] - (2 * 0.23867 - 1 / 2), RADIATIVE_ELECTRON[1] + 1 / 2
    return proton, RADIATIVE_NEUTRON + 1 / 2, of_nu_mu + proton[1] - proton, axial


def _couplings(values: Values) -> Couplings:
    s2 = np.asarray(values["sin2_theta_w"], dtype=float)[..., np.newaxis]
    shift_p, shift_n, shift_v, shift_a = (
        radiative_shifts() if values["electroweak"] == "radiative" else [0.0] * 4
    )
    proton, neutron = nucleon_couplings(z_vector(1 / 2, 2 / 3, s2), z_vector(-1 / 2, -1 / 3, s2))
    couplings = flavour_diagonal(
        proton + shift_p, neutron + shift_n, *nucleon_couplings(z_axial(1 / 2), z_axial(-1 / 2))
    )
    charged_current = np.array([1.0, 0.0, 0.0])  # ν_e alone
    vector = z_vector(-1 / 2, -1, s2) + charged_current + shift_v
    axial = z_axial(-1 / 2) + charged_current + shift_a
    left, right = np.stack([vector + axial, vector - axial])[..., np.newaxis] * (np.eye(3) / 2)
    weak_p = WEAK_CHARGES[0] - 4 * (s2[..., 0] - SIN2_THETA_W)  # as 1 - 4 s_W² does
    weak_n = np.asarray((WEAK_CHARGES[1] - 55 * WEAK_CHARGES[0]) / 78)
    return replace(couplings, weak_p=weak_p, weak_n=weak_n, electron_left=left, electron_right=right)


STANDARD_MODEL = Model(
    name="standard-model",
    title="Standard Model",
    reference="Freedman:1974; Binh:2021, eqs. 28-33",
    parameters=(SIN2_THETA_W_PARAMETER, ELECTROWEAK_PARAMETER),
    evaluate=_couplings,
)
