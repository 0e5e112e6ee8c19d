"""Electromagnetic properties of neutrinos: each is a special case of known couplings, with its sign."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nurecoil
import reference
from nurecoil.models import CHARGE_RADII, LIGHT_VECTOR, MAGNETIC_MOMENTS, MILLICHARGES, NSI, STANDARD_MODEL
from nurecoil.physics.products import stacked, vector_products
from nurecoil.presentation.labels import axis_label, typeset

SM = STANDARD_MODEL.couplings()
SM_RADII = {"r2_nu_e": -0.83e-32, "r2_nu_mu": -0.48e-32, "r2_nu_tau": -0.30e-32}
PER_AREA = math.sqrt(2) * math.pi / 137.036 / (3 * 1.1663787e-5) / 0.389379372e-27  # GeV⁻² and cm²
MODELS = {"magnetic-moments": "mu_nu", "charge-radii": "r2_nu", "millicharges": "q_nu"}
SIZES = {"mu_nu": 1e-9, "r2_nu": 3e-31, "q_nu": 1e-7}
FLAVOURS = ("e", "mu", "tau")


@pytest.fixture(scope="module")
def csi():
    return nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))


def counts(csi, couplings, channels=("vector", "magnetic")):
    return csi.with_channels(channels).counts(couplings)


@pytest.mark.parametrize("electroweak", ["tree", "radiative"])
@pytest.mark.parametrize("name", MODELS)
def test_the_defaults_are_the_standard_model(csi, name, electroweak):
    model = nurecoil.load_model(name)
    ours, standard = (
        model.couplings(electroweak=electroweak),
        STANDARD_MODEL.couplings(electroweak=electroweak),
    )
    np.testing.assert_allclose(counts(csi, ours, model.channels), counts(csi, standard), rtol=1e-14)
    for side in ("electron_left", "electron_right"):
        np.testing.assert_allclose(getattr(ours, side), getattr(standard, side), rtol=1e-14)


# --- charge radii -------------------------------------------------------------------------------------


def test_the_radii_of_the_standard_model_are_most_of_what_its_flavours_differ_by():
    """g_V^p(ν_e) - g_V^p(ν_μ) = 0.0382 - 0.0300 by Cadeddu et al. 2020, from -0.83 and -0.48."""
    change = PER_AREA * (0.83e-32 - 0.48e-32)
    assert change == pytest.approx(0.0382 - 0.0300, rel=0.02)
    both = CHARGE_RADII.couplings(r2_nu_mu=SM_RADII["r2_nu_e"]).vector_p
    assert both[1, 1] - SM.vector_p[1, 1] == pytest.approx(PER_AREA * 0.35e-32, rel=1e-5)


@given(st.floats(-1e-30, 1e-30), st.sampled_from(FLAVOURS))
def test_a_charge_radius_is_an_nsi_with_protons_alone(radius, flavour):
    change = PER_AREA * (radius - SM_RADII[f"r2_nu_{flavour}"])
    entry = 2 * flavour if flavour != "e" else "ee"
    epsilon = {f"eps_u_{entry}": -2 / 3 * change, f"eps_d_{entry}": change / 3}
    ours = CHARGE_RADII.couplings(**{f"r2_nu_{flavour}": radius})
    np.testing.assert_allclose(ours.vector_p, NSI.couplings(**epsilon).vector_p, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(ours.vector_n, SM.vector_n)
    electron = np.array([ours.electron_left + ours.electron_right, SM.electron_left + SM.electron_right])
    np.testing.assert_allclose(electron[0] - electron[1], SM.vector_p - ours.vector_p, atol=1e-12)


def test_a_transition_radius_adds_for_both_of_its_flavours():
    """|δ|² Z², whatever the sign; ν_τ is left alone."""
    for sign in (1, -1):
        got = stacked(vector_products(CHARGE_RADII.couplings(r2_nu_emu=sign * 3e-31)))
        change = got - stacked(vector_products(SM))
        square = (PER_AREA * 3e-31) ** 2
        np.testing.assert_allclose(change, [[square, 0, 0], [square, 0, 0], [0, 0, 0]], rtol=1e-4, atol=1e-15)


# --- charges ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [3e-8, -3e-8])
def test_a_charge_is_a_light_vector_that_couples_to_charge(csi, q):
    """With g² = 4πα|q|, of quarks 2/3 and -1/3, and no mass to speak of."""
    g = math.sqrt(4 * math.pi / 137.035999 * abs(q))
    charges = {"charge_u": 2 / 3, "charge_d": -1 / 3, "charge_e": -1, "charge_nu_e": 0, "charge_nu_tau": 0}
    vector = LIGHT_VECTOR.couplings(
        m_mediator=1e-6, g_mediator=g, charge_nu_mu=math.copysign(1, q), **charges
    )
    ours = MILLICHARGES.couplings(q_nu_mu=q)
    found, expected = (counts(csi, c, ("vector", "light-vector")) for c in (ours, vector))
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    assert abs(found.sum() / counts(csi, SM).sum() - 1) > 0.05
    for side in ("electron_left", "electron_right"):
        photon, mediator = (getattr(c.light_vector, side) for c in (ours, vector))
        np.testing.assert_allclose(photon, mediator, rtol=1e-7)


def test_the_sign_of_a_charge_is_that_of_a_form_factor(csi):
    """q - q²⟨r²⟩/6: a positive charge and a negative radius both add to Z g_V^p > 0, and so make the negative
    N g_V^n + Z g_V^p smaller."""
    few = [MILLICHARGES.couplings(q_nu_mu=1e-9), CHARGE_RADII.couplings(r2_nu_mu=-1e-32)]
    lower = [counts(csi, c, ("vector", "light-vector")).sum() for c in few]
    assert max(lower) < counts(csi, SM).sum()
    q2 = 2 * reference.nuclear_mass("Cs133") * 0.015  # MeV²
    photon = MILLICHARGES.couplings(q_nu_mu=1e-7).light_vector.proton[1, 1] / q2
    radius = -6 * 1e-7 / q2 * (197.3269804e-13) ** 2  # cm²
    as_radius = CHARGE_RADII.couplings(r2_nu_mu=SM_RADII["r2_nu_mu"] + radius).vector_p[1, 1]
    assert as_radius - SM.vector_p[1, 1] == pytest.approx(photon, rel=1e-9)


# --- moments ------------------------------------------------------------------------------------------


def test_moments_of_all_flavours_add_in_squares():
    found = MAGNETIC_MOMENTS.couplings(mu_nu_e=3e-10, mu_nu_emu=4e-10, mu_nu_mutau=12e-10).magnetic_moment
    np.testing.assert_allclose(found, np.sqrt([25, 16 + 144, 144]) * 1e-10, rtol=1e-14)


def test_equal_moments_are_those_of_the_331_model(csi):
    ours = counts(csi, MAGNETIC_MOMENTS.couplings(mu_nu_e=1e-9, mu_nu_mu=1e-9, mu_nu_tau=1e-9))
    theirs = nurecoil.load_model("331-beta").couplings(beta=0.0, m_zprime=np.inf, mu_nu=1e-9)
    np.testing.assert_allclose(ours, counts(csi, theirs), rtol=1e-12)
    assert ours.sum() > 1.01 * counts(csi, SM).sum()


# --- all of them --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("pair", ["mu", "emu"])
def test_a_flavour_that_has_none_of_it_is_left_alone(name, pair):
    model, prefix = nurecoil.load_model(name), MODELS[name]
    ours = model.couplings(**{f"{prefix}_{pair}": SIZES[prefix]})
    rows = {field: getattr(ours, field)[2] for field in ("vector_p", "vector_n")}
    for field, row in rows.items():
        np.testing.assert_array_equal(row, getattr(SM, field)[2])
    assert ours.magnetic_moment[..., 2] == 0
    assert ours.light_vector is None or not ours.light_vector.proton[2].any()
    alone = (ours.vector_p[0] == SM.vector_p[0]).all() and ours.magnetic_moment[..., 0] == 0
    alone &= ours.light_vector is None or not ours.light_vector.proton[0].any()
    assert alone == (pair == "mu")


@pytest.mark.parametrize("name", MODELS)
def test_an_array_is_its_numbers_one_by_one(csi, name):
    model, prefix = nurecoil.load_model(name), MODELS[name]
    at = np.array([0.2, 1.0]) * SIZES[prefix]
    both = counts(csi, model.couplings(**{f"{prefix}_mu": at}), model.channels)
    each = [counts(csi, model.couplings(**{f"{prefix}_mu": x}), model.channels).ravel() for x in at]
    np.testing.assert_allclose(both, each, rtol=1e-13)


@pytest.mark.parametrize(
    ("text", "value"), [("-3e-32cm2", -3e-32), ("2 × 10⁻³² cm²", 2e-32), ("1e-32 cm^2", 1e-32)]
)
def test_an_area_is_read_as_it_is_written(text, value):
    (parameter,) = (p for p in CHARGE_RADII.parameters if p.name == "r2_nu_mu")
    assert parameter.parse(text) == pytest.approx(value, rel=1e-15)
    with pytest.raises(nurecoil.NurecoilError, match="needs a unit"):
        parameter.parse("1e-32")
    assert parameter.parse(parameter.format(value, 17)) == value


UNITS = {
    "r2_nu_mu": ("cm2", "2e-32 cm²", r"[$\mathrm{cm}^2$]"),
    "mu_nu_mu": ("mu_B", "2e-32 μ_B", r"[$\mu_\mathrm{B}$]"),
    "q_nu_mu": ("e", "2e-32 e", "[e]"),
}


@pytest.mark.parametrize("name", UNITS)
def test_units_are_printed_as_people_write_them_and_kept_for_programs(name):
    unit, printed, on_axis = UNITS[name]
    models = (nurecoil.load_model(model).parameters for model in MODELS)
    (parameter,) = (p for parameters in models for p in parameters if p.name == name)
    assert (parameter.unit, parameter.format(2e-32)) == (unit, printed)
    assert axis_label(parameter) == f"${parameter.latex}$ {on_axis}"
    assert typeset(printed) == f"2 × 10⁻³² {on_axis[1:-1]}"
    assert parameter.parse(f"2e-32 {unit}") == parameter.parse(printed) == 2e-32
