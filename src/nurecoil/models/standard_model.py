"""The Standard Model, and the two parameters every model shares with it: s_W² and the electroweak scheme."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.models.model import Model
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.constants import SIN2_THETA_W
from nurecoil.physics.couplings import Couplings, ElectronCouplings, flavour_diagonal, nucleon_couplings

Array = float | NDArray[np.float64]

# Couplings with radiative corrections at s_W² = 0.23857 (Cadeddu:2020lky). ν_e and ν_μ as published; the
# ν_τ follows from them and the charge radii -0.83, -0.48, -0.30 (10^-32 cm²), to which they are linear.
RADIATIVE_PROTON = (0.0382, 0.0300, 0.0258)
RADIATIVE_NEUTRON = -0.5117

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


def radiative_shift(electroweak: str) -> tuple[NDArray[np.float64], float]:
    """Return what radiative corrections add to g_V^p, shape (3,) by flavour, and to g_V^n.

    Zero for "tree". Taken at s_W² = 0.23857 and held there, so that g_V^p depends on s_W² as at tree level.
    """
    if electroweak == "tree":
        return np.zeros(3), 0.0
    return np.array(RADIATIVE_PROTON) - (1 / 2 - 2 * SIN2_THETA_W), RADIATIVE_NEUTRON + 1 / 2


def electron_couplings(sin2_theta_w: Array) -> ElectronCouplings:
    """Return g_L = s_W² - 1/2, by the charged current s_W² + 1/2 for ν_e, and g_R = s_W², at tree level."""
    s2 = np.asarray(sin2_theta_w, dtype=float)[..., np.newaxis, np.newaxis]
    return ElectronCouplings((s2 - 1 / 2) * np.eye(3) + np.diag([1.0, 0.0, 0.0]), s2 * np.eye(3))


def _couplings(values: Values) -> Couplings:
    s2 = values["sin2_theta_w"]
    proton, neutron = nucleon_couplings(z_vector(1 / 2, 2 / 3, s2), z_vector(-1 / 2, -1 / 3, s2))
    shift_p, shift_n = radiative_shift(values["electroweak"])
    axial = nucleon_couplings(z_axial(1 / 2), z_axial(-1 / 2))
    couplings = flavour_diagonal(
        proton[..., np.newaxis] + shift_p, (neutron + shift_n)[..., np.newaxis], *axial
    )
    return replace(couplings, electron=electron_couplings(s2))


STANDARD_MODEL = Model(
    name="standard-model",
    title="Standard Model",
    reference="Freedman:1974; Binh:2021, eqs. 28-33",
    parameters=(SIN2_THETA_W_PARAMETER, ELECTROWEAK_PARAMETER),
    evaluate=_couplings,
)
