"""Smearing against scipy.stats and direct integrals of the densities."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import fsolve

from nurecoil.detector.smearing import (
    ElectronSmearing,
    GammaSmearing,
    GaussianSmearing,
    NoSmearing,
    PoissonSmearing,
    numbers_of_electrons,
)
from nurecoil.errors import NurecoilError

ENERGIES = np.array([0.0, 1e-9, 1e-3, 0.3, 1.0, 7.7, 60.0, 400.0])
WIDE = np.arange(-100.0, 9001.0)
KINDS = {
    "none": NoSmearing(),
    "gaussian": GaussianSmearing(0.58),
    "gaussian, constant term": GaussianSmearing(0.3, 0.2),
    "gaussian, constant term only": GaussianSmearing(0.0, 0.2),
    "gaussian, reconstructed": GaussianSmearing(0.58, at="reconstructed"),
    "gaussian, reconstructed, constant term": GaussianSmearing(0.3, 0.2, "reconstructed"),
    "gaussian, reconstructed, constant term only": GaussianSmearing(0.0, 0.2, "reconstructed"),
    "poisson": PoissonSmearing(),
    "gamma": GammaSmearing(0.0749, 9.56),
    "electrons": ElectronSmearing(2.96, 0.11),
    "electrons, noise": ElectronSmearing(0.7, 0.2, 0.5),
}
each_kind = pytest.mark.parametrize("smearing", KINDS.values(), ids=KINDS.keys())


@each_kind
def test_probabilities_add_up_to_one(smearing):
    probabilities = smearing.probabilities(ENERGIES, WIDE)
    assert probabilities.shape == (WIDE.size - 1, ENERGIES.size)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=0), 1.0, rtol=1e-13)


@each_kind
def test_what_has_no_energy_is_at_zero(smearing):
    # a width that vanishes with the energy puts E = 0 into the bin that begins there; only a width taken
    # at the reconstructed energy, or a constant one, lets it fluctuate
    at_zero = smearing.probabilities([0.0], [-10.0, 0.0, 10.0])
    own_width = isinstance(smearing, GaussianSmearing) and smearing.at == "reconstructed"
    if own_width and smearing.b == 0:
        assert at_zero[1, 0] == pytest.approx(1, abs=1e-7)
    elif not getattr(smearing, "b", getattr(smearing, "noise", 0)) or isinstance(smearing, GammaSmearing):
        np.testing.assert_array_equal(at_zero[:, 0], [0.0, 1.0])


def test_without_smearing_each_energy_is_in_its_bin_lower_edge_included():
    got = NoSmearing().probabilities([1.0, 1.999, 2.0, 5.0], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(got, [[1, 1, 0, 0], [0, 0, 1, 0]])


def test_gaussian_of_true_width():
    edges, E = np.linspace(-3, 30, 60), np.array([0.5, 4.0, 20.0])
    for a, b in ((0.58, 0.0), (0.3, 0.4)):
        expected = np.diff(stats.norm.cdf(edges[:, np.newaxis], E, np.sqrt(a**2 * E + b**2)), axis=0)
        np.testing.assert_allclose(GaussianSmearing(a, b).probabilities(E, edges), expected, atol=1e-15)


@pytest.mark.parametrize("b", [0.0, 0.4])
@pytest.mark.parametrize("E", [0.0, 0.05, 2.0, 9.0, 50.0])
def test_gaussian_of_reconstructed_width_against_the_integral_of_its_density(E, b):
    # the prototype's density: norm.pdf(x, E, σ(x)) with σ² = a² x + b²
    a = 0.58
    edges = np.array([0.0, 0.1, 1.0, 3.0, 8.0, 10.0, 30.0, 120.0])
    expected = []
    for low, high in pairwise(edges):
        # x = s²: the density has a factor 1/√x
        def density(s):
            return 2 * s * stats.norm.pdf(s * s, E, math.sqrt(a * a * s * s + b * b))

        middle = [math.sqrt(E)] if low < E < high else None
        ends = math.sqrt(low), math.sqrt(high)
        expected.append(quad(density, *ends, points=middle, epsabs=1e-13, limit=300)[0])
    got = GaussianSmearing(a, b, "reconstructed").probabilities([E], edges)[:, 0]
    np.testing.assert_allclose(got, expected, atol=1e-10)


def test_a_reconstructed_width_raises_the_mean_by_a_squared():
    fine = np.linspace(0, 60, 60001)
    middles = (fine[1:] + fine[:-1]) / 2
    mean = middles @ GaussianSmearing(0.58, at="reconstructed").probabilities([9.0], fine)
    assert mean[0] == pytest.approx(9 + 0.58**2, rel=1e-6)


@pytest.mark.parametrize("at", ["true", "reconstructed"])
def test_a_narrow_gaussian_is_no_smearing(at):
    edges, E = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.5, 1.5, 2.9])
    narrow = GaussianSmearing(1e-4, 1e-3, at).probabilities(E, edges)
    np.testing.assert_allclose(narrow, NoSmearing().probabilities(E, edges), atol=1e-12)


def test_poisson_numbers_are_in_the_bin_that_begins_with_them():
    E = np.array([0.0, 0.7, 12.0, 55.0])
    expected = stats.poisson.pmf(np.arange(100)[:, np.newaxis], E)
    np.testing.assert_allclose(PoissonSmearing().probabilities(E, np.arange(101)), expected, atol=1e-14)
    # [6, 8) holds 6 and 7; nothing is below 0
    got = PoissonSmearing().probabilities(E, [-2, 0, 6, 8])
    np.testing.assert_allclose(got, [0 * E, expected[:6].sum(axis=0), expected[6:8].sum(axis=0)], atol=1e-14)


def test_gamma_of_csi_2021():
    # shape 1 + b, rate (1 + b) a with a = 0.0749/E_ee and b = 9.56 E_ee (PHYSICS.md, section 7)
    E, edges = np.array([0.1, 0.8, 3.0]), np.arange(0, 100.25, 0.25)
    a, b = 0.0749 / E, 9.56 * E
    expected = np.diff(stats.gamma.cdf(edges[:, np.newaxis], 1 + b, scale=1 / (a * (1 + b))), axis=0)
    smearing = GammaSmearing(0.0749, 9.56)
    np.testing.assert_allclose(smearing.probabilities(E, edges), expected, atol=1e-14)
    assert smearing.scale == pytest.approx(13.351, rel=1e-4)  # photoelectrons per keV
    assert KINDS["poisson"].scale == KINDS["gaussian"].scale == KINDS["none"].scale == 1


@given(st.floats(0.01, 10))
def test_gamma_mean_and_variance(E):
    fine = np.arange(0, 60 * E / 0.0749, E / 50)
    middles = (fine[1:] + fine[:-1]) / 2
    p = GammaSmearing(0.0749, 9.56).probabilities([E], fine)[:, 0]
    mean = middles @ p
    assert mean == pytest.approx(E / 0.0749, rel=1e-4)
    assert (middles - mean) ** 2 @ p == pytest.approx((E / 0.0749) ** 2 / (1 + 9.56 * E), rel=1e-3)


@each_kind
def test_extreme_arguments_neither_overflow_nor_lose_the_sum(smearing):
    E = np.array([1e-300, 1e-12, 1e3])
    p = smearing.probabilities(
        E, [-1e4, 0.0, 1e-6 if not isinstance(smearing, PoissonSmearing) else 1.0, 1e5]
    )
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(axis=0), 1.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianSmearing(-0.1), "smearing a = -0.1"),
        (lambda: GaussianSmearing(math.nan), "smearing a = nan"),
        (lambda: GaussianSmearing(0.1, -1.0), "smearing b = -1.0"),
        (lambda: GaussianSmearing(0.1, math.inf), "smearing b = inf"),
        (lambda: GaussianSmearing(0.0, 0.0), r"smearing \(a, b\) = \[0.0, 0.0\]"),
        (lambda: GaussianSmearing(0.1, at="seen"), "smearing at = seen .* 'true' or 'reconstructed'"),
        (lambda: GammaSmearing(0.0, 1.0), "smearing a = 0.0"),
        (lambda: GammaSmearing(math.nan, 1.0), "smearing a = nan"),
        (lambda: GammaSmearing(1.0, -1.0), "smearing b = -1.0"),
        (lambda: GammaSmearing(1.0, math.nan), "smearing b = nan"),
        (lambda: PoissonSmearing().probabilities([1.0], [0, 0.5, 1]), "edge 0.5 .* whole numbers"),
    ],
)
def test_bad_parameters_are_named(make, message):
    with pytest.raises(NurecoilError, match=message):
        make()


@each_kind
def test_bad_energies_are_named(smearing):
    with pytest.raises(NurecoilError, match=r"E = -1\.0"):
        smearing.probabilities([1.0, -1.0], [0.0, 1.0])
    with pytest.raises(NurecoilError, match="E = nan"):
        smearing.probabilities([math.nan], [0.0, 1.0])


# --- whole numbers of electrons -----------------------------------------------------------------------------

MEANS = np.concatenate([[0.0], np.linspace(0.003, 6, 1500), np.geomspace(6, 500, 40)])


@pytest.mark.parametrize("F", [0.01, 0.0876, 0.11, 0.5, 0.99])
def test_numbers_of_electrons_have_the_mean_and_the_variance_that_is_asked_for_or_the_least_there_is(F):
    n, P = numbers_of_electrons(MEANS, F)
    mean = P @ n
    variance = (P * (n - mean[:, np.newaxis]) ** 2).sum(axis=1)
    least = (MEANS % 1) * (1 - MEANS % 1)  # of whole numbers around a mean
    np.testing.assert_allclose(mean, MEANS, rtol=1e-9, atol=2e-6)
    np.testing.assert_allclose(variance, np.maximum(F * MEANS, least), rtol=1e-7, atol=2e-6)
    assert (P >= 0).all()


def test_with_a_fano_factor_of_one_electrons_are_poissons():
    E, edges = np.array([0.0, 1e-3, 0.3, 2.0, 40.0]), np.arange(61.0)
    got = ElectronSmearing(1.0, 1.0).probabilities(E, edges)
    np.testing.assert_allclose(got, PoissonSmearing().probabilities(E, edges), atol=1e-6)


@pytest.mark.parametrize(
    ("mean", "nu"), [(0.4, None), (1.0, 8.0473517), (3.0, 10.2304975), (5.5, None), (20.0, 9.2955767)]
)
def test_electrons_and_noise_against_a_million_draws(mean, nu):
    """ν is that of F = 0.11 by an independent script; draws of n are by their cumulated weights, by hand."""
    eps, noise, draws, rng = 2.96, 1.1, 1_000_000, np.random.default_rng(11)
    n = np.arange(200)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(n[1:]))])

    def moments(nu, eta):
        p = np.exp(eta * n - nu * log_factorial - (eta * n - nu * log_factorial).max())
        p /= p.sum()
        return p, p @ n, p @ n**2 - (p @ n) ** 2

    if mean < 1 - 0.11:
        drawn = rng.random(draws) < mean
    else:
        found = fsolve(
            lambda x: (moments(*x)[1] - mean, moments(*x)[2] - 0.11 * mean), (9.5, 9.5 * np.log(mean + 0.45))
        )
        assert nu is None or found[0] == pytest.approx(nu, rel=1e-6)
        drawn = np.searchsorted(np.cumsum(moments(*found)[0]), rng.random(draws))
    x = eps * drawn + noise * rng.standard_normal(draws)
    edges = np.linspace(0, 100, 41)
    expected = draws * ElectronSmearing(eps, 0.11, noise).probabilities([eps * mean], edges)[:, 0]
    seen = np.histogram(x, edges)[0]
    far = (seen - expected)[expected > 20] / np.sqrt(expected[expected > 20])
    assert np.abs(far).max() < 4.5
    assert far @ far < far.size + 5 * math.sqrt(2 * far.size)


def test_where_electrons_meet_the_least_variance_there_is_a_breakpoint():
    smearing = ElectronSmearing(1.0, 0.11)
    for m in smearing.breakpoints[1:]:
        assert 0.11 * m == pytest.approx((m % 1) * (1 - m % 1), rel=1e-12)
    assert smearing.breakpoints == pytest.approx((0, 0.89, 1.14831, 1.741690), abs=1e-4)
