"""The form factors against closed forms, integrals over densities and hand-computed numbers."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import spherical_jn

from nurecoil.errors import NurecoilError
from nurecoil.physics import form_factors as ff
from nurecoil.physics.constants import HBAR_C_MEV_FM
from nurecoil.physics.nuclei import isotopes, nuclide

HBAR_C = 197.3269804593  # MeV fm, written here on its own
CAESIUM, XENON = nuclide("Cs133"), nuclide("Xe132")
MOMENTA = np.array([0.0, 1e-9, 1e-3, 1.0, 10.0, 50.0, 100.0, 250.0, 1e6])


def rms_radius_from_small_q(F, q=0.1):
    """F = 1 - q² R²/6 + O(q⁴)."""
    return HBAR_C * np.sqrt(6 * (1 - F(q))) / q


@pytest.mark.parametrize("name", ff.FORM_FACTOR_NAMES)
@pytest.mark.parametrize("isotope", [*isotopes("C"), *isotopes("Ar"), CAESIUM], ids=lambda n: n.name)
def test_one_at_zero_bounded_and_stable(name, isotope):
    for F in (ff.form_factor(name).proton, ff.form_factor(name).neutron):
        assert F(0.0, isotope) == 1.0
        values = F(MOMENTA, isotope)
        assert values.shape == MOMENTA.shape
        assert np.all(np.abs(values) <= 1.0)
        assert F(-MOMENTA, isotope) == pytest.approx(values, rel=1e-15)
        assert F(MOMENTA[:, None], isotope).shape == (MOMENTA.size, 1)


@given(st.floats(1e-8, 20.0))
def test_uniform_sphere_is_the_bessel_function_through_the_change_to_the_series(x):
    sphere = ff.helm(x * HBAR_C_MEV_FM, 1.0, 0.0)
    assert sphere == pytest.approx(3 * spherical_jn(1, x) / x, rel=1e-12, abs=1e-15)


def test_first_zero_of_the_sphere():
    # first zero of j1: 4.493409457909064
    at_zero = 4.493409457909064 * HBAR_C / 5.5
    assert ff.helm(at_zero, 5.5, 0.9) == pytest.approx(0.0, abs=1e-9)
    assert ff.klein_nystrand(at_zero, 5.5, 0.7) == pytest.approx(0.0, abs=1e-9)
    assert ff.helm(0.99 * at_zero, 5.5, 0.9) > 1e-4
    assert ff.helm(1.01 * at_zero, 5.5, 0.9) < -1e-4


def test_helm_by_hand():
    # q R0 = pi at q = h c/10 fm = 123.984 MeV for R0 = 5 fm: F = 3/pi² exp(-pi² s²/(2 R0²)), s = 0.9 fm
    assert ff.helm(123.98419843, 5.0, 0.9) == pytest.approx(0.2590497698, rel=1e-8)


def test_klein_nystrand_by_hand():
    # the same q R_A = pi, with 1 + a² q² = 1 + 0.49 pi²/25 for a = 0.7 fm
    assert ff.klein_nystrand(123.98419843, 5.0, 0.7) == pytest.approx(0.3039635509 / 1.1934442464, rel=1e-8)


def test_helm_of_the_seed_for_caesium():
    # R = 1.2 * 133^(1/3) = 6.125362 fm, R0 = 6.022463 fm, s = 0.5 fm
    F = ff.form_factor("helm-binh2021")
    assert F.proton(50.0, CAESIUM) == pytest.approx(0.7794026339, rel=1e-8)
    assert F.neutron(50.0, CAESIUM) == F.proton(50.0, CAESIUM)


def test_klein_nystrand_of_coherent():
    # R_A = 1.2 * 125^(1/3) = 6 fm exactly for A = 125; x = q R_A = pi at q = pi hbar c/6
    isotope = replace(XENON, N=71)
    q = np.pi * HBAR_C / 6
    F = ff.form_factor("klein-nystrand")
    assert F.proton(q, isotope) == pytest.approx(3 / np.pi**2 / (1 + 0.49 * np.pi**2 / 36), rel=1e-8)
    assert F.neutron(q, isotope) == F.proton(q, isotope)


@pytest.mark.parametrize("q", [0.5, 5.0, 11.0, 12.0, 13.0, 40.0, 90.0, 200.0])
@pytest.mark.parametrize(("c", "a"), [(5.67, 0.52), (3.6, 0.6), (2.0, 0.4)])
def test_symmetrised_fermi_is_the_transform_of_its_density(q, c, a):
    # r² rho(r) is even and analytic: the trapezoidal rule converges exponentially
    r = np.linspace(0.0, c + 45 * a, 4001)
    charge = r**2 / (np.cosh(r / a) + np.cosh(c / a))
    missing = charge @ (1 - np.sinc(q * r / HBAR_C / np.pi)) / charge.sum()
    assert 1 - ff.symmetrised_fermi(q, c, a) == pytest.approx(missing, rel=1e-8, abs=0)


def test_symmetrised_fermi_is_smooth_through_the_change_to_the_series():
    # pi q a/(hbar c) = 0.1 at q = 12.0790 MeV for a = 0.52 fm: the step must be that of the slope alone
    q = 0.1 * HBAR_C / (np.pi * 0.52) * np.array([1 - 2e-6, 1 - 1e-6, 1 + 1e-6, 1 + 2e-6])
    steps = np.diff(ff.symmetrised_fermi(q, 5.67, 0.52))
    assert steps[1] == pytest.approx(steps[0] + steps[2], rel=1e-5, abs=0)


def test_symmetrised_fermi_becomes_a_sphere_for_a_sharp_surface():
    q = np.linspace(0.0, 150.0, 16)
    assert ff.symmetrised_fermi(q, 5.0, 1e-5) == pytest.approx(ff.helm(q, 5.0, 0.0), rel=1e-7)


@pytest.mark.parametrize("rms", [2.47, 3.427, 4.804])
@pytest.mark.parametrize(
    "model",
    [
        lambda q, rms: ff.helm(q, ff.sphere_radius_fm(rms, ff.HELM, 0.9), 0.9),
        lambda q, rms: ff.klein_nystrand(q, np.sqrt(5 / 3 * (rms**2 - 6 * 0.7**2)), 0.7),
        lambda q, rms: ff.symmetrised_fermi(q, ff.sphere_radius_fm(rms, ff.FERMI, 0.52), 0.52),
    ],
    ids=["helm", "klein-nystrand", "symmetrised-fermi"],
)
def test_small_q_recovers_the_rms_radius(model, rms):
    assert rms_radius_from_small_q(lambda q: model(q, rms)) == pytest.approx(rms, rel=1e-6)


@pytest.mark.parametrize("name", ["helm", "symmetrised-fermi"])
def test_proton_has_the_charge_radius_and_neutron_its_own(name):
    F = ff.form_factor(name)
    assert rms_radius_from_small_q(lambda q: F.proton(q, CAESIUM)) == pytest.approx(4.804, rel=1e-6)
    assert rms_radius_from_small_q(lambda q: F.neutron(q, CAESIUM)) == pytest.approx(5.01, rel=1e-6)
    floating = replace(CAESIUM, neutron_radius_fm=5.5)
    assert rms_radius_from_small_q(lambda q: F.neutron(q, floating)) == pytest.approx(5.5, rel=1e-6)
    assert rms_radius_from_small_q(lambda q: F.neutron(q, XENON)) == pytest.approx(4.786, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "squared_rms"),
    # 3/5 R² with R = 1.2 * 5 fm for A = 125; the skin leaves it alone in the seed, the Yukawa range adds 6 a²
    [("helm-binh2021", 0.6 * 36.0), ("klein-nystrand", 0.6 * 36.0 + 6 * 0.49)],
)
def test_rms_radius_of_the_liquid_drop_choices(name, squared_rms):
    isotope = replace(XENON, N=71)
    F = ff.form_factor(name)
    rms = rms_radius_from_small_q(lambda q: F.proton(q, isotope))
    assert rms == pytest.approx(np.sqrt(squared_rms), rel=1e-6)


def test_point():
    F = ff.form_factor("point")
    assert np.array_equal(F.proton([[0.0, 50.0], [100.0, 1e3]], CAESIUM), np.ones((2, 2)))
    assert np.array_equal(F.neutron(MOMENTA, CAESIUM), np.ones(MOMENTA.shape))


def test_radii_broadcast_against_momenta():
    radii = ff.sphere_radius_fm([4.0, 4.5, 5.0], ff.HELM, 0.9)
    values = ff.helm(MOMENTA[:, None], radii, 0.9)
    assert values.shape == (MOMENTA.size, 3)
    assert values[:, 1] == pytest.approx(ff.helm(MOMENTA, radii[1], 0.9), rel=1e-15)


def test_names():
    assert ff.FORM_FACTOR_NAMES == ("helm-binh2021", "helm", "klein-nystrand", "symmetrised-fermi", "point")
    for name in ff.FORM_FACTOR_NAMES:
        F = ff.form_factor(name)
        assert F.name == name
        assert F.description
        assert "\n" not in F.description
        assert pickle.loads(pickle.dumps(F)) == F
    with pytest.raises(NurecoilError, match=r"unknown form factor 'Helmm': did you mean 'helm'\?"):
        ff.form_factor("Helmm")


@pytest.mark.parametrize(
    ("radius_from_rms", "least"),
    # sqrt(3)*0.9, sqrt(7/5)*pi*0.52
    [
        (lambda rms: ff.sphere_radius_fm(rms, ff.HELM, 0.9), 1.558846),
        (lambda rms: ff.sphere_radius_fm(rms, ff.FERMI, 0.52), 1.932931),
    ],
)
def test_radius_too_small(radius_from_rms, least):
    assert radius_from_rms(least + 1e-4) > 0
    for bad in (least - 1e-4, 0.0, -5.0, np.nan, np.inf, [4.8, 1.0]):
        with pytest.raises(NurecoilError, match=r"rms radius .* fm does not fit .* above [\d.]+ fm"):
            radius_from_rms(bad)


def test_nucleus_too_small_for_the_surface():
    small = replace(CAESIUM, charge_radius_fm=1.5, neutron_radius_fm=None)
    for F in (ff.form_factor("helm").proton, ff.form_factor("symmetrised-fermi").neutron):
        with pytest.raises(NurecoilError, match=r"rms radius 1\.5 fm"):
            F(10.0, small)
    with pytest.raises(NurecoilError, match=r"Helm skin of 0\.9 fm"):
        ff.helm_binh2021_radius_fm(1, skin_fm=0.9)


# --- hydrogen and helium ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ff.FORM_FACTOR_NAMES)
@pytest.mark.parametrize("light", [*isotopes("H"), *isotopes("He")], ids=lambda n: n.name)
def test_light_nuclei_have_every_form_factor(name, light):
    for F in (ff.form_factor(name).proton, ff.form_factor(name).neutron):
        assert F(0.0, light) == pytest.approx(1.0, rel=1e-14)
        assert np.all(np.diff(F(np.linspace(0, 100, 50), light)) <= 0)


@pytest.mark.parametrize("name", ["helm", "symmetrised-fermi"])
@pytest.mark.parametrize("light", [*isotopes("H"), *isotopes("He")], ids=lambda n: n.name)
def test_light_nuclei_keep_their_rms_radius(name, light):
    def F(q):
        return ff.form_factor(name).proton(q, light)

    assert rms_radius_from_small_q(F, 0.3) == pytest.approx(light.charge_radius_fm, rel=1e-4)


def test_a_nucleus_that_is_all_skin_is_a_gaussian():
    # exp(-q²R²/6), R = 0.878 fm, q = 100 MeV
    expected = np.exp(-((100 * 0.878 / HBAR_C) ** 2) / 6)
    assert ff.form_factor("helm").proton(100.0, nuclide("H1")) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ["helm", "symmetrised-fermi"])
def test_a_light_nucleus_may_grow_into_its_surface(name):
    least = {"helm": np.sqrt(3) * 0.9, "symmetrised-fermi": np.sqrt(1.4) * np.pi * 0.52}[name]
    below, above = (replace(nuclide("He4"), charge_radius_fm=least * x) for x in (1 - 1e-9, 1 + 1e-9))
    F = ff.form_factor(name).proton
    np.testing.assert_allclose(F(MOMENTA[:7], below), F(MOMENTA[:7], above), rtol=1e-6)
