"""Recoil spectra per nuclide against direct integrals over the neutrino energy."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

import reference
from nurecoil.experiment import STANDARD_BASIS
from nurecoil.experiment.recoil import averages, recoil_energy_max, recoil_templates
from nurecoil.physics.couplings import Couplings
from nurecoil.physics.cross_section import Conventions, neutrino_energy_min
from nurecoil.physics.form_factors import FormFactor, form_factor
from nurecoil.physics.interactions import INTERACTIONS, Interaction
from nurecoil.physics.nuclei import nuclide
from nurecoil.sources import Component, Continuum, Flux, Line, flux_integral
from nurecoil.sources.pion_decay_at_rest import pion_decay_at_rest
from universal import flavour_universal

SOURCE = pion_decay_at_rest()
SEED = Conventions(vector_recoil_term=False, magnetic_recoil_term=True, magnetic_form_factor=False)
USUAL = Conventions()
# One proton and one neutron form factor that cannot be mistaken for each other or for their squares
SKEWED = FormFactor("skewed", "", lambda q, n: 0.9 - 0.001 * q, lambda q, n: 0.5 - 0.002 * q)
POINT = form_factor("point")


def one_line(energy, flavour="mu"):
    return Flux("line", (Component("nu", flavour, Line(energy)),), "test")


def spectrum(nuclide_name, flux, factor, conventions, T, couplings):
    return recoil_templates(nuclide(nuclide_name), flux, factor, conventions, T).evaluate(couplings)


def test_one_line_one_nucleus_by_hand():
    # dσ/dT = (G_F² M/π)(Z g_p F_p + N g_n F_n)² (1 - T/E - MT/2E²) + (πα²/m_e²) μ² Z² F_p² (1/T - 1/E)
    T, E, M = 0.01, 40.0, reference.nuclear_mass("Cs133")
    q = math.sqrt(2 * M * T)
    F_p, F_n = 0.9 - 0.001 * q, 0.5 - 0.002 * q
    weak = reference.G_F**2 * M / math.pi * (55 * 0.3 * F_p - 78 * 0.7 * F_n) ** 2
    weak *= 1 - T / E - M * T / (2 * E**2)
    dipole = math.pi * reference.ALPHA**2 / reference.ELECTRON**2 * 1e-18 * (55 * F_p) ** 2 * (1 / T - 1 / E)
    couplings = flavour_universal(0.3, -0.7, 0.0, 0.0, 1e-9)
    got = spectrum("Cs133", one_line(E), SKEWED, USUAL, T, couplings)
    assert got == pytest.approx(reference.CM2 * (weak + dipole), rel=1e-6)
    weak_alone = spectrum("Cs133", one_line(E), SKEWED, USUAL, T, flavour_universal(0.3, -0.7, 0.0, 0.0))
    assert weak_alone == pytest.approx(reference.CM2 * weak, rel=1e-6)


def test_terms_and_form_factor_of_the_magnetic_part_follow_the_conventions():
    T, E = 0.01, 40.0
    dipole = math.pi * reference.ALPHA**2 / reference.ELECTRON**2 * 1e-18 * 55**2 * reference.CM2
    moment_only = flavour_universal(0.0, 0.0, 0.0, 0.0, 1e-9)
    got = spectrum("Cs133", one_line(E), SKEWED, SEED, T, moment_only)
    assert got == pytest.approx(dipole * (1 / T - 1 / E + T / (4 * E**2)), rel=1e-7)  # seed, eq. 35: F = 1


def test_protons_and_neutrons_each_have_their_number_and_form_factor():
    T, M = 0.005, reference.nuclear_mass("Ar40")
    q = math.sqrt(2 * M * T)
    only_p = spectrum("Ar40", SOURCE, SKEWED, USUAL, T, flavour_universal(1.0, 0.0, 0.0, 0.0))
    only_n = spectrum("Ar40", SOURCE, SKEWED, USUAL, T, flavour_universal(0.0, 1.0, 0.0, 0.0))
    expected = (18 * (0.9 - 0.001 * q) / (22 * (0.5 - 0.002 * q))) ** 2
    assert only_p / only_n == pytest.approx(expected, rel=1e-6)


def test_the_form_factor_enters_squared_at_q_squared_2MT():
    T = np.array([0.002, 0.01, 0.03])
    couplings = flavour_universal(0.0, -0.5, 0.0, 0.0)
    ratio = spectrum("Cs133", SOURCE, form_factor("helm-binh2021"), SEED, T, couplings) / spectrum(
        "Cs133", SOURCE, POINT, SEED, T, couplings
    )
    M = reference.nuclear_mass("Cs133")
    F = [reference.helm_of_the_seed(math.sqrt(2 * M * t), "Cs133")[0] for t in T]
    np.testing.assert_allclose(ratio, np.square(F), rtol=1e-5)


@pytest.mark.parametrize("T", [1e-4, 0.005, 0.013, 0.016, 0.04])  # the ν_μ line ends at 14.3 keV
@pytest.mark.parametrize("flavour", ["e", "mu"])
def test_each_flavour_of_the_source_against_direct_integrals(T, flavour):
    M, alone = reference.nuclear_mass("Cs133"), np.diag([flavour == "e", flavour == "mu", 0]).astype(float)
    zero = np.zeros((3, 3))
    got = spectrum("Cs133", SOURCE, POINT, USUAL, T, Couplings(zero, alone, zero, zero, np.zeros(3)))
    E_min = (T + math.sqrt(T**2 + 2 * M * T)) / 2

    def kernel(E):
        return 1 - T / E - M * T / (2 * E**2)

    michel = {"e": reference.nu_e, "mu": reference.nu_mu_bar}[flavour]
    average = quad(lambda E: michel(E) * kernel(E), E_min, reference.ENDPOINT, epsabs=0)[0]
    if flavour == "mu" and E_min < reference.NU_MU_LINE:
        average += kernel(reference.NU_MU_LINE)
    expected = reference.G_F**2 * M / math.pi * 78**2 * average * reference.CM2
    assert got == pytest.approx(expected, rel=1e-6)


def test_three_neutrinos_together_at_zero_recoil():
    # every kernel is 1 at T -> 0, and there are three neutrinos, each with (G_F² M/π) N²/4
    M = reference.nuclear_mass("Ar40")
    got = spectrum("Ar40", SOURCE, POINT, USUAL, 1e-12, flavour_universal(0.0, -0.5, 0.0, 0.0))
    assert got == pytest.approx(3 * reference.G_F**2 * M / math.pi * 121 * reference.CM2, rel=1e-6)


def test_nothing_recoils_above_the_largest_energy():
    ends = recoil_energy_max(nuclide("Cs133").mass, SOURCE)
    E = np.array([reference.NU_MU_LINE, reference.ENDPOINT, reference.ENDPOINT])
    M = reference.nuclear_mass("Cs133")
    np.testing.assert_allclose(ends, 2 * E**2 / (M + 2 * E), rtol=1e-6)
    everything = flavour_universal(0.5, -0.5, 0.0, 0.0, 1e-9)
    above = spectrum("Cs133", SOURCE, POINT, USUAL, np.array([1.0001, 1.5, 10.0]) * max(ends), everything)
    np.testing.assert_array_equal(above, 0.0)


def test_templates_depend_on_no_coupling_and_evaluate_keeps_the_points_of_a_scan():
    templates = recoil_templates(nuclide("Ar40"), SOURCE, POINT, USUAL, [0.01, 0.02])
    scan = flavour_universal(np.array([0.1, 0.2, 0.3]), -0.5, 0.0, 0.0, 1e-10)
    together = templates.evaluate(scan)
    assert together.shape == (3, 2)
    one_by_one = [templates.evaluate(flavour_universal(p, -0.5, 0.0, 0.0, 1e-10)) for p in (0.1, 0.2, 0.3)]
    np.testing.assert_allclose(together, one_by_one, rtol=1e-14)


def test_two_components_of_one_flavour_add_up():
    both = Flux("both", (Component("a", "e", Line(30.0)), Component("b", "e", Line(40.0))), "test")
    couplings = flavour_universal(0.1, -0.5, 0.0, 0.0, 1e-9)
    T = np.array([0.001, 0.02])
    parts = [spectrum("Ar40", one_line(E, "e"), POINT, USUAL, T, couplings) for E in (30.0, 40.0)]
    whole = spectrum("Ar40", both, POINT, USUAL, T, couplings)
    np.testing.assert_allclose(whole, parts[0] + parts[1], rtol=1e-14)


def test_the_matrix_times_the_strengths_is_the_spectrum():
    random = np.random.default_rng(3)
    p, n = random.normal(size=(2, 4, 3, 3))
    zero = np.zeros((3, 3))
    scan = Couplings(p, n, zero, zero, 1e-9 * random.random((4, 3)))
    templates = recoil_templates(nuclide("Ar40"), SOURCE, SKEWED, USUAL, [0.001, 0.01, 0.02])
    assert STANDARD_BASIS.matrix(templates).shape == (12, 3)
    np.testing.assert_allclose(
        STANDARD_BASIS.strengths(scan) @ STANDARD_BASIS.matrix(templates),
        templates.evaluate(scan),
        rtol=1e-13,
    )


CUBIC = Interaction(lambda M: 1.0, (lambda T, E, M, c: (T / E) ** 3,), lambda *_: np.ones((1, 1)))


@pytest.mark.parametrize("conventions", [SEED, USUAL])
@pytest.mark.parametrize("name", [*(n for n in INTERACTIONS if "upscattering" not in n), "of third degree"])
def test_averages_are_the_integrals_of_the_kernels(name, conventions):
    """Those of second degree in 1/E come from three moments of the spectrum."""
    interaction = {**INTERACTIONS, "of third degree": CUBIC}[name]
    M, T = interaction.mass(nuclide("Ar40")), np.geomspace(1e-5, 0.1, 30)
    spectrum = SOURCE.components[2].spectrum
    assert isinstance(spectrum, Continuum)
    flux = Flux("one", (Component("nu_e", "e", spectrum),), "test")
    (found,) = averages(interaction, flux, T, M, conventions)
    for kernel, average in zip(interaction.kernels, found, strict=True):
        direct = flux_integral(
            spectrum,
            lambda E, k=kernel: k(T[:, np.newaxis], E, M, conventions),
            neutrino_energy_min(T, M),
        )
        np.testing.assert_allclose(average, direct, rtol=1e-11, atol=1e-14 * np.abs(direct).max())
