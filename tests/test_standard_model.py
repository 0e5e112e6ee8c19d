"""The Standard Model: tree-level couplings and what follows from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurecoil.errors import NurecoilError
from nurecoil.models import STANDARD_MODEL, load_model, model_names
from nurecoil.physics.couplings import weak_charge


@given(st.floats(0, 1))
def test_vector_couplings_of_the_nucleons(s2):
    couplings = STANDARD_MODEL.couplings(sin2_theta_w=s2)
    np.testing.assert_allclose(couplings.vector_p, (0.5 - 2 * s2) * np.eye(3), atol=1e-15)
    np.testing.assert_allclose(couplings.vector_n, -0.5 * np.eye(3), atol=1e-15)


def test_axial_couplings_count_isospin():
    # g_A = T3: uud gives 2·½ - ½, udd gives ½ - 2·½
    couplings = STANDARD_MODEL.couplings()
    np.testing.assert_allclose(couplings.axial_p, 0.5 * np.eye(3))
    np.testing.assert_allclose(couplings.axial_n, -0.5 * np.eye(3))


def test_no_magnetic_moment():
    np.testing.assert_array_equal(STANDARD_MODEL.couplings().magnetic_moment, np.zeros(3))


def test_default_mixing_angle_is_that_at_low_energy():
    # PDG 2022, MS-bar at q = 0: 0.23857(5); not the on-shell 0.22305
    assert STANDARD_MODEL.resolve({})["sin2_theta_w"] == pytest.approx(0.23857, abs=5e-5)


def test_quarter_mixing_hides_the_protons():
    couplings = STANDARD_MODEL.couplings(sin2_theta_w=0.25)
    assert weak_charge(couplings.vector_p[1, 1], couplings.vector_n[1, 1], Z=55, N=78) == pytest.approx(78.0)


def test_weak_charge_of_caesium():
    # tree level, 78 - (1 - 4·0.23857)·55; atomic parity violation uses the opposite sign, -73.2 with loops
    couplings = STANDARD_MODEL.couplings(sin2_theta_w=0.23857)
    assert weak_charge(couplings.vector_p[0, 0], couplings.vector_n[0, 0], 55, 78) == pytest.approx(75.4854)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_an_impossible_mixing_angle_is_refused(value):
    with pytest.raises(NurecoilError, match=r"sin2_theta_w = .* must be between 0 and 1"):
        STANDARD_MODEL.couplings(sin2_theta_w=value)


def test_models_are_found_by_name_and_the_nearest_is_offered():
    light = ("light-vector", "u1-prime", "light-scalar", "light-tensor")
    of_photons = ("magnetic-moments", "charge-radii", "millicharges")
    known = (
        "standard-model",
        "scaled-standard-model",
        "nsi",
        "nsi-axial",
        "tensor",
        *light,
        *of_photons,
        "dipole-portal",
        "sterile",
        "neutron-radii",
        "331-beta",
    )
    assert model_names() == known
    assert load_model("standard-model") is STANDARD_MODEL
    with pytest.raises(NurecoilError, match="unknown model 'standardmodel': did you mean 'standard-model'"):
        load_model("standardmodel")


def test_an_unknown_parameter_is_refused_with_the_nearest_name():
    with pytest.raises(NurecoilError, match="did you mean 'sin2_theta_w'"):
        STANDARD_MODEL.couplings(sin2_thetaw=0.2)
