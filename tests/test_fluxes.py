"""The stopped-pion source against the two-body decay of the pion and the Michel spectra."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

import reference
from nurecoil.sources import Continuum, Line, flux_integral, inverse_moments
from nurecoil.sources.pion_decay_at_rest import (
    MUON_ENDPOINT,
    nu_e_spectrum,
    nu_mu_bar_spectrum,
    nu_mu_energy,
    pion_decay_at_rest,
)

# Means in MeV: 7/20 and 3/10 of the muon mass
MEANS = {"nu_mu": 29.79, "nu_mu_bar": 36.98, "nu_e": 31.70}
FLAVOURS = {"nu_mu": "mu", "nu_mu_bar": "mu", "nu_e": "e"}


def components():
    return {component.name: component for component in pion_decay_at_rest().components}


def moment(spectrum, power):
    return float(flux_integral(spectrum, lambda E: E**power, np.zeros(1))[0])


def test_three_neutrinos_with_their_flavours():
    assert {name: c.flavour for name, c in components().items()} == FLAVOURS


@pytest.mark.parametrize("name", MEANS)
def test_each_component_is_normalised_and_has_its_mean(name):
    spectrum = components()[name].spectrum
    assert moment(spectrum, 0) == pytest.approx(1.0, rel=1e-12)
    assert moment(spectrum, 1) == pytest.approx(MEANS[name], abs=5e-3)


@pytest.mark.parametrize(("density", "mean"), [(nu_mu_bar_spectrum, 0.35), (nu_e_spectrum, 0.30)])
def test_spectra_are_normalised_and_their_means_are_fractions_of_the_muon_mass(density, mean):
    norm, _ = quad(lambda E: float(density(E)), 0, reference.ENDPOINT)
    first, _ = quad(lambda E: E * float(density(E)), 0, reference.ENDPOINT)
    assert norm == pytest.approx(1.0, rel=1e-9)
    assert first == pytest.approx(mean * reference.MUON, rel=1e-9)


def test_shapes_at_the_endpoint_tell_the_michel_spectra_apart():
    # nu_mu_bar is largest there, 64·(1/4)·(1/4)/m = 4/m; nu_e vanishes
    assert nu_mu_bar_spectrum(reference.ENDPOINT) == pytest.approx(4 / reference.MUON, rel=1e-9)
    assert float(nu_e_spectrum(reference.ENDPOINT)) == pytest.approx(0.0, abs=1e-12)


@given(st.floats(-10, 100))
def test_spectra_are_nowhere_negative_and_zero_outside_their_range(E):
    for density in (nu_mu_bar_spectrum, nu_e_spectrum):
        assert density(E) >= 0
        if not 0 <= E <= MUON_ENDPOINT:
            assert density(E) == 0


def test_line_and_endpoint():
    line = nu_mu_energy()
    assert line == pytest.approx(29.79, abs=5e-3)
    muon_energy = np.hypot(reference.MUON, line)  # pion at rest: energies add up to its mass
    assert line + muon_energy == pytest.approx(reference.PION, rel=1e-9)
    assert pytest.approx(52.83, abs=5e-3) == MUON_ENDPOINT
    ends = {name: c.spectrum.energy_max for name, c in components().items()}
    assert ends == {"nu_mu": line, "nu_mu_bar": MUON_ENDPOINT, "nu_e": MUON_ENDPOINT}


@pytest.mark.parametrize("name", ["nu_mu_bar", "nu_e"])
@given(E_min=st.floats(0.0, 60.0), scale=st.floats(0.0, 0.05))
def test_flux_integral_is_the_integral_above_the_smallest_energy(name, E_min, scale):
    density = {"nu_mu_bar": reference.nu_mu_bar, "nu_e": reference.nu_e}[name]
    got = flux_integral(components()[name].spectrum, lambda E: np.exp(-scale * E), np.array([E_min]))
    start = min(E_min, reference.ENDPOINT)
    direct, _ = quad(lambda E: density(E) * np.exp(-scale * E), start, reference.ENDPOINT, epsabs=1e-13)
    assert got[0] == pytest.approx(direct, rel=1e-8, abs=1e-12)


def test_flux_integral_of_the_cross_section_kernel():
    # ∫ φ (1 - MT/2E²), with 1/E² and φ ~ E² a polynomial
    T, M = 0.01, reference.nuclear_mass("Cs133")
    E_min = (T + np.sqrt(T**2 + 2 * M * T)) / 2
    got = flux_integral(components()["nu_e"].spectrum, lambda E: 1 - M * T / (2 * E**2), np.array([E_min]))
    direct, _ = quad(lambda E: reference.nu_e(E) * (1 - M * T / (2 * E**2)), E_min, reference.ENDPOINT)
    assert got[0] == pytest.approx(direct, rel=1e-9)


def test_a_line_counts_where_it_lies_above_the_smallest_energy():
    got = flux_integral(Line(30.0), lambda E: E**2, np.array([0.0, 29.9, 30.0, 30.1, 52.0]))
    np.testing.assert_array_equal(got, [900.0, 900.0, 900.0, 0.0, 0.0])


def test_the_kernel_varies_along_the_first_axis():
    T = np.array([[1.0], [2.0]])
    for spectrum in (Line(3.0), Continuum(lambda E: np.ones_like(E) / 2, (2.0, 4.0))):
        got = flux_integral(spectrum, lambda E: T * E, np.zeros(2))
        np.testing.assert_allclose(got, [3.0, 6.0], rtol=1e-14)


def test_a_continuum_with_a_kink_is_integrated_piece_by_piece():
    tent = Continuum(lambda E: 1 - np.abs(E - 1), (0.0, 1.0, 2.0))
    got = flux_integral(tent, lambda E: np.ones_like(E), np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0]))
    np.testing.assert_allclose(got, [1.0, 0.875, 0.5, 0.125, 0.0, 0.0], atol=1e-14)


def test_inverse_moments_are_integrals_above_the_smallest_energy():
    tent = Continuum(lambda E: 1 - np.abs(E - 1), (0.2, 1.0, 2.0))
    E_min = np.array([0.01, 0.2, 0.5, 1.0, 1.5, 2.0, 30.0, 52.0, 60.0])
    for spectrum in (tent, components()["nu_e"].spectrum):
        for j, moment in enumerate(inverse_moments(spectrum, E_min)):
            whole = E_min**j * flux_integral(spectrum, lambda E, j=j: E ** -float(j), E_min)
            np.testing.assert_allclose(moment, whole, rtol=1e-13, atol=1e-300)
