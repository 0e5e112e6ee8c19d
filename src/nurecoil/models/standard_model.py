"""The Standard Model at tree level, and the parameter every model shares with it: s_W²."""

import numpy as np
from numpy.typing import NDArray

from nurecoil.constants import SIN2_THETA_W
from nurecoil.couplings import Couplings, flavour_universal, nucleon_couplings
from nurecoil.models.model import Model
from nurecoil.parameters import Parameter, Values

Array = float | NDArray[np.float64]

SIN2_THETA_W_PARAMETER = Parameter(
    name="sin2_theta_w",
    description="weak mixing angle squared, s_W², at low energy",
    latex=r"\sin^2\theta_W",
    default=SIN2_THETA_W,
    low=0.0,
    high=1.0,
    reference="PDG:2022, MS-bar at q = 0",
)


def z_vector(isospin: float, charge: float, sin2_theta_w: Array) -> Array:
    """Return g_V^Z(f) = T3 - 2 Q s_W² (seed, Table I, in the normalisation g/2c_W of eq. 20)."""
    return isospin - 2 * charge * sin2_theta_w


def z_axial(isospin: float) -> float:
    """Return g_A^Z(f) = T3 (seed, Table I)."""
    return isospin


def _couplings(values: Values) -> Couplings:
    s2 = values["sin2_theta_w"]
    vector = nucleon_couplings(z_vector(1 / 2, 2 / 3, s2), z_vector(-1 / 2, -1 / 3, s2))
    axial = nucleon_couplings(z_axial(1 / 2), z_axial(-1 / 2))
    return flavour_universal(*vector, *axial)


STANDARD_MODEL = Model(
    name="standard-model",
    title="Standard Model, tree level",
    reference="Freedman:1974, seed eqs. 28-33",
    parameters=(SIN2_THETA_W_PARAMETER,),
    evaluate=_couplings,
)
