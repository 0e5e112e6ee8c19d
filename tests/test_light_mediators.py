"""Light mediators: heavy ones are NSI, massless ones go like 1/q⁴, and each part has its sign and size."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import asking
import nurecoil
import reference
from nurecoil.experiment.recoil import RecoilTemplates, by_flavour, spectra
from nurecoil.models import LIGHT_SCALAR, LIGHT_VECTOR, NSI, STANDARD_MODEL
from nurecoil.physics.channels import CHANNELS
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.form_factors import form_factor
from nurecoil.physics.nuclei import nuclide
from nurecoil.physics.weights import Nodes
from nurecoil.sources import Component, Flux, Line
from nurecoil.sources.pion_decay_at_rest import pion_decay_at_rest

SM = STANDARD_MODEL.couplings()
NONE = 1e-6  # MeV, a mass that does not matter
ROOT2_G_F = math.sqrt(2) * reference.G_F
CHARGES = {"charge_u": 0.5, "charge_d": -0.3, "charge_nu_e": 0.7, "charge_nu_mu": -1.2, "charge_nu_tau": 2.0}


def recoils(name, flux, T, couplings):
    """Return dσ/dT (cm²/MeV) of a nuclide as a point at recoils T, averaged over a source."""
    target, point = nuclide(name), form_factor("point")
    q = np.sqrt(2 * target.mass * T)
    nodes = Nodes(q.min() / 2, q.max() * 2)
    found, of_nodes = {}, {}
    for channel in ("vector", "light-vector", "light-scalar"):
        (parts,) = spectra(CHANNELS[channel].interaction, target, flux, Conventions(), T, (point,))
        if CHANNELS[channel].weighted:
            parts = parts[..., np.newaxis] * nodes.interpolation(q)[:, np.newaxis]
            of_nodes[channel] = nodes
        found[channel] = by_flavour(parts, flux)
    return RecoilTemplates(found, of_nodes).evaluate(couplings)


def line(E):
    return Flux("line", (Component("nu_mu", "mu", Line(E)),), "test")


# --- vector -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [NONE, 1.0, 40.0])
def test_a_vector_on_one_nucleus_by_hand(m):
    T, E, M, g = np.array([0.002, 0.02]), 45.0, reference.nuclear_mass("Cs133"), 2e-5
    couplings = LIGHT_VECTOR.couplings(m_mediator=m, g_mediator=g, **CHARGES)
    epsilon = g**2 * -1.2 / (ROOT2_G_F * (2 * M * T + m**2))  # of ν_μ, times the quarks' charges
    p = 0.5 - 2 * 0.23857 + epsilon * (2 * 0.5 - 0.3)
    n = -0.5 + epsilon * (0.5 - 2 * 0.3)
    expected = reference.G_F**2 * M / math.pi * (55 * p + 78 * n) ** 2 * (1 - T / E - M * T / (2 * E**2))
    got = recoils("Cs133", line(E), T, couplings)
    np.testing.assert_allclose(got, expected * reference.CM2, rtol=1e-6)


@pytest.mark.parametrize("name", ["coherent-csi-2021", "coherent-lar-2020"])
def test_a_heavy_vector_is_an_nsi(coherent, name):
    m = 1e6  # MeV; corrections are q²/m², 1e-8
    g = math.sqrt(0.1 * ROOT2_G_F) * m
    of_quark = {"u": 0.1 * 0.5, "d": 0.1 * -0.3}
    entries = {"ee": 0.7, "mumu": -1.2, "tautau": 2.0}
    epsilons = {f"eps_{q}_{a}": of_quark[q] * entries[a] for q in of_quark for a in entries}
    got = coherent[name].counts(LIGHT_VECTOR.couplings(m_mediator=m, g_mediator=g, **CHARGES))
    expected = coherent[name].counts(NSI.couplings(**epsilons))
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-12 * expected.max())
    assert abs(got.sum() / coherent[name].counts(SM).sum() - 1) > 0.1


def test_the_pure_part_of_a_massless_vector_falls_like_the_fourth_power_of_q():
    T = np.geomspace(1e-4, 1e-2, 7)
    M = reference.nuclear_mass("Ar40")
    g = 1.0  # where nothing else is left
    pure = recoils("Ar40", line(50.0), T, LIGHT_VECTOR.couplings(m_mediator=NONE, g_mediator=g))
    kernel = 1 - T / 50 - M * T / (2 * 50**2)
    np.testing.assert_allclose(pure / kernel * T**2 / (pure[0] / kernel[0] * T[0] ** 2), 1.0, rtol=1e-6)
    one, two = (LIGHT_VECTOR.couplings(m_mediator=NONE, g_mediator=k * 1e-5) for k in (1, 2))
    standard = recoils("Ar40", line(50.0), T, SM)
    a, b = recoils("Ar40", line(50.0), T, one) - standard, recoils("Ar40", line(50.0), T, two) - standard
    np.testing.assert_allclose((b - 4 * a) / (12 * g**-4 * 1e-20 * pure), 1.0, rtol=2e-4)  # g⁴ of a g² + b g⁴


@pytest.mark.parametrize(("charge", "sign"), [(1.0, -1), (-1.0, 1)])
def test_charges_of_equal_sign_reduce_the_counts_of_the_standard_model(coherent, charge, sign):
    """Q is negative, as of N neutrons, and a charge that is the same for all is positive."""
    csi = coherent["coherent-csi-2021"]
    neutrinos = {f"charge_nu_{flavour}": charge for flavour in ("e", "mu", "tau")}
    new = csi.counts(LIGHT_VECTOR.couplings(m_mediator=10.0, g_mediator=1e-5, **neutrinos)).sum()
    assert np.sign(new - csi.counts(SM).sum()) == sign


def test_at_infinite_mass_or_without_coupling_nothing_is_left(compiled):
    csi = compiled["binh2021-csi"]
    for model in (LIGHT_VECTOR, LIGHT_SCALAR):
        for m, g in ((math.inf, 1.0), (1.0, 1e-10)):
            got = csi.counts(model.couplings(m_mediator=m, g_mediator=g))
            np.testing.assert_allclose(got, csi.counts(SM), rtol=1e-10)


@given(st.lists(st.tuples(st.floats(NONE, 1e4), st.floats(1e-10, 1e-2)), min_size=1, max_size=5))
def test_many_points_are_the_points_one_by_one(points):
    m, g = np.array(points).T
    for model in (LIGHT_VECTOR, LIGHT_SCALAR):
        T = np.array([0.001, 0.01])
        together = recoils("Ar40", SOURCE, T, model.couplings(m_mediator=m, g_mediator=g))
        for number in range(len(points)):
            one = model.couplings(m_mediator=m[number], g_mediator=g[number])
            np.testing.assert_allclose(together[number], recoils("Ar40", SOURCE, T, one), rtol=1e-9)


SOURCE = pion_decay_at_rest()


# --- scalar -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [NONE, 1.0, 40.0, 1e5])
def test_a_scalar_on_one_nucleus_by_hand(m):
    T, E, M, g = np.array([0.002, 0.02]), 45.0, reference.nuclear_mass("Cs133"), 3e-5 * max(1.0, m / 40)
    couplings = LIGHT_SCALAR.couplings(m_mediator=m, g_mediator=g, charge_nu_mu=0.5)
    Q = g**2 * 0.5 * (15.1 * 55 + 14 * 78)
    expected = M**2 * T / (4 * math.pi * E**2) * Q**2 / (2 * M * T + m**2) ** 2 * reference.CM2
    added = recoils("Cs133", line(E), T, couplings) - recoils("Cs133", line(E), T, SM)
    np.testing.assert_allclose(added, expected, rtol=1e-6)


def test_a_heavy_scalar_rises_with_the_recoil_and_a_massless_one_falls_with_it():
    T = np.geomspace(1e-4, 1e-2, 7)
    for m, power in ((1e5, 1.0), (NONE, -1.0)):
        couplings = LIGHT_SCALAR.couplings(m_mediator=m, g_mediator=1.0)
        added = recoils("Ar40", line(50.0), T, couplings) - recoils("Ar40", line(50.0), T, SM)
        np.testing.assert_allclose(added * T**-power, added[0] * T[0] ** -power, rtol=1e-6)


@given(st.floats(NONE, 1e3), st.floats(1e-10, 1e-3), st.sampled_from([-1.0, 0.0, 1.0]))
def test_a_scalar_only_adds(m, g, charge):
    T = np.array([0.001, 0.01])
    more = recoils("Ar40", SOURCE, T, LIGHT_SCALAR.couplings(m_mediator=m, g_mediator=g, charge_nu_e=charge))
    assert (more >= recoils("Ar40", SOURCE, T, SM) * (1 - 1e-12)).all()


# --- limits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [LIGHT_VECTOR, LIGHT_SCALAR], ids=lambda model: model.name)
def test_a_limit_on_the_coupling_of_a_light_mediator_does_not_depend_on_its_mass(coherent, model):
    csi = [coherent["coherent-csi-2021"]]

    def end(m):
        found = asking.limit(model, csi, {"m_mediator": m}, ("g_mediator", 1e-6, 1e-3))
        assert found.converged
        return found.values.profile.intervals[0].high

    massless, light, heavy = end(NONE), end(0.1), end(1e4)
    assert light == pytest.approx(massless, rel=1e-3)
    assert 1e-5 < massless < 1e-4
    assert math.isnan(heavy) or heavy >= 1e-3 or heavy > 10 * massless


def test_a_limit_on_a_light_mediator_can_be_varied(coherent):
    study = nurecoil.Study("light-vector", coherent["coherent-csi-2021"], m_mediator="10 MeV")
    found = study.limit("g_mediator", "1e-6..1e-3", vary=True)
    assert not any("could not be tried" in note for note in found.notes)
    changed = {v.choice: v.shifts for v in found.values.variations}
    assert any("helm" in choice or "klein" in choice for choice in changed)
    assert any("first energy bin dropped" in choice for choice in changed)
