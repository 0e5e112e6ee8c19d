"""Arrival times against direct convolutions, the official histogram's projection and the release's files."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from nurecoil.errors import NurecoilError
from nurecoil.sources.timing import (
    MUON_LIFETIME_US,
    PION_LIFETIME_US,
    ConstantTimeEfficiency,
    PlateauThenExponential,
    PulsedSource,
    decay_after_pulse,
)
from releases import release_file

CSI_2021 = PulsedSource(0.47, 0.15)
ARGON = PulsedSource(0.44, 0.15)
FALL = PlateauThenExponential(0.52, 0.0494)
ALWAYS = ConstantTimeEfficiency()
PROFILES = {"prompt": CSI_2021.prompt, "delayed": CSI_2021.delayed}


def survival(arrival, x):
    """Return the probability that the decay, or both, take longer than x."""
    tau, mu = 0.02603, 2.197  # PHYSICS.md, section 3
    if x < 0:
        return 1.0
    if arrival == "prompt":
        return math.exp(-x / tau)
    return (mu * math.exp(-x / mu) - tau * math.exp(-x / tau)) / (mu - tau)


def later(arrival, t, pulse):
    """Return the probability of an arrival after t: an integral over the pulse, by adaptive quadrature."""
    m, s = pulse.mean_us, pulse.sigma_us
    ends = sorted({m - 9 * s, min(max(t, m - 9 * s), m + 9 * s), m + 9 * s})
    return sum(
        quad(lambda p: stats.norm.pdf(p, m, s) * survival(arrival, t - p), *piece, epsabs=1e-13, limit=200)[0]
        for piece in pairwise(ends)
    )


@pytest.mark.parametrize("arrival", ["prompt", "delayed"])
@pytest.mark.parametrize("pulse", [ARGON, PulsedSource(0.3, 0.01), PulsedSource(-2.0, 3.0)])
def test_fractions_are_those_of_the_convolution(arrival, pulse):
    edges = -0.1 + 0.5 * np.arange(11)
    expected = -np.diff([later(arrival, t, pulse) for t in edges])
    np.testing.assert_allclose(pulse.fractions(edges, ALWAYS)[arrival], expected, atol=1e-10)


def test_liquid_argon_of_the_prototype():
    # Bins -0.1 + 0.5 k us of analysis A. The prototype folds on a 2 ns grid and so shifts the pion's decay
    # by 1 ns: 0.0024 at the steepest edge, less elsewhere.
    edges = -0.1 + 0.5 * np.arange(11)
    prompt = [0.3349, 0.6628, 0.0022, 0, 0, 0, 0, 0, 0, 0]
    delayed = [0.0149, 0.1632, 0.1673, 0.1333, 0.1061, 0.0845, 0.0673, 0.0536, 0.0427, 0.0340]
    np.testing.assert_allclose(ARGON.fractions(edges, ALWAYS)["prompt"], prompt, atol=0.0025)
    np.testing.assert_allclose(ARGON.fractions(edges, ALWAYS)["delayed"], delayed, atol=0.0006)


def test_csi_2021_of_the_prototype():
    # windows 0-6 us with the time efficiency, and bins by the prototype (1 ns grid of the closed form)
    edges = [*(np.arange(9) / 8), 2, 4, 6]
    prompt = [6.72515625e-03, 4.54880903e-02, 1.60633323e-01, 2.97658134e-01, 2.90158348e-01, 1.49149897e-01]
    delayed = [1.50955847e-04, 1.33347210e-03, 6.61165496e-03, 1.92442742e-02, 3.52584600e-02, 4.53803552e-02]
    last = [2.78169411e-01, 2.69361295e-01, 9.81916626e-02]
    np.testing.assert_allclose(CSI_2021.fractions(edges, FALL)["prompt"][:6], prompt, rtol=2e-5)
    np.testing.assert_allclose(CSI_2021.fractions(edges, FALL)["delayed"][:6], delayed, rtol=2e-5)
    np.testing.assert_allclose(CSI_2021.fractions(edges, FALL)["delayed"][-3:], last, rtol=2e-6)
    window = [CSI_2021.fractions([0, 6], FALL)[arrival][0] for arrival in ("prompt", "delayed")]
    np.testing.assert_allclose(window, [0.9970281553, 0.8466905242], rtol=1e-6)


def test_the_official_histogram():
    """A projection of snsFlux2D.root by other people; see SOURCES.md. Agreement as PHYSICS.md claims."""
    path = release_file("coherent-csi-2021", "timing_reference_from_snsFlux2D_T372.csv")
    t, prompt, delayed = np.loadtxt(path, delimiter=",", skiprows=5, unpack=True)
    inside = FALL(t) * 1e-3  # events per ns
    for arrival, rate, norm, start, tolerance in (
        ("prompt", prompt, 60.182, 0.25, 0.04),
        ("delayed", delayed, 258.942, 0.35, 0.02),
    ):
        window = CSI_2021.fractions([0, 6], FALL)[arrival][0]
        ours = norm * PROFILES[arrival](t) * inside / window
        late = t > start
        assert late.sum() >= 9
        np.testing.assert_allclose(ours[late], rate[late], rtol=tolerance)


def test_densities_are_normalised_with_the_means_of_pulse_and_decays():
    edges = np.linspace(-2, 80, 200)
    for arrival, decays in (("prompt", 0.02603), ("delayed", 0.02603 + 2.197)):
        assert CSI_2021.fractions(edges, ALWAYS)[arrival].sum() == pytest.approx(1, abs=1e-12)
        mean = quad(lambda t, f=PROFILES[arrival]: t * f(t), -1, 80, points=[0.2, 0.5, 1, 4], limit=200)[0]
        assert mean == pytest.approx(0.47 + decays, rel=1e-8)
    assert (PION_LIFETIME_US, MUON_LIFETIME_US) == (0.02603, 2.197)


@given(st.floats(-1e6, 1e6), st.floats(1e-4, 1e2))
def test_densities_are_finite_and_not_negative_at_all_times(t, sigma):
    source = PulsedSource(0.5, sigma)
    for density in (source.prompt(t), source.delayed(t)):
        assert np.isfinite(density)
        assert density >= 0


def test_late_and_early_tails_keep_their_relative_precision():
    # far behind the pulse: e^{σ²/2τ² - (t - m)/τ}/τ; far before it: the first term of erfcx
    t, ratio = 60.0, 0.15 / 2.197
    late = math.exp(ratio**2 / 2 - (t - 0.47) / 2.197) / 2.197
    assert decay_after_pulse(t, 0.47, 0.15, 2.197) == pytest.approx(late, rel=1e-12)
    u = -20.0
    early = math.exp(-(u**2) / 2) / math.sqrt(2 * math.pi) / (ratio - u) / 2.197
    got = decay_after_pulse(0.47 + 0.15 * u, 0.47, 0.15, 2.197)
    assert got == pytest.approx(early, rel=1 / (ratio - u) ** 2)  # next term of the asymptotic series


def test_the_two_forms_meet():
    t = 0.47 + 0.15**2 / 2.197  # z = 0
    before, after = decay_after_pulse([t - 1e-9, t + 1e-9], 0.47, 0.15, 2.197)
    assert before == pytest.approx(after, rel=1e-6)


@pytest.mark.parametrize("rate", [0.0, 0.0494, 2.0, 30.0])
@pytest.mark.parametrize("arrival", ["prompt", "delayed"])
def test_fractions_with_an_efficiency_are_exact_whatever_the_bins(arrival, rate):
    efficiency = PlateauThenExponential(0.52, rate)
    expected = quad(
        lambda t: float(PROFILES[arrival](t)) * math.exp(-rate * max(t - 0.52, 0)),
        -1, 40, points=[0.2, 0.4, 0.52, 0.6, 0.8, 1, 2, 5], limit=500, epsabs=1e-13,
    )[0]  # fmt: skip
    for edges in ([-1, 40], [-1, 0.5, 0.53, 40], np.linspace(-1, 40, 333)):
        got = CSI_2021.fractions(edges, efficiency)[arrival]
        assert got.shape == (len(edges) - 1,)
        assert got.sum() == pytest.approx(expected, abs=1e-10)


def test_a_constant_efficiency_scales():
    half = CSI_2021.fractions([0, 1, 2], ConstantTimeEfficiency(0.5))["prompt"]
    np.testing.assert_allclose(half, CSI_2021.fractions([0, 1, 2], ALWAYS)["prompt"] / 2, rtol=1e-14)


def test_efficiency_by_hand():
    # one before 0.52 us, e^(-0.0494·5.48) at 6 us
    np.testing.assert_allclose(FALL(np.array([-1.0, 0.52, 6.0])), [1, 1, math.exp(-0.270712)], rtol=1e-14)
    assert FALL.breakpoints == (0.52,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PulsedSource(math.nan, 0.1), "pulse mean_us = nan"),
        (lambda: PulsedSource(0.4, 0.0), "pulse sigma_us = 0.0 .* above 0"),
        (lambda: PulsedSource(0.4, -0.1), "pulse sigma_us = -0.1"),
        (lambda: ConstantTimeEfficiency(-0.5), "time efficiency = -0.5"),
        (lambda: ConstantTimeEfficiency(math.nan), "time efficiency = nan"),
        (lambda: PlateauThenExponential(math.nan, 0.1), "start_us = nan"),
        (lambda: PlateauThenExponential(0.5, -0.1), "rate_per_us = -0.1"),
        (lambda: CSI_2021.fractions([1.0, 0.0], ALWAYS)["prompt"], r"time edges = \[1.0, 0.0\]"),
    ],
)
def test_bad_parameters_are_named(make, message):
    with pytest.raises(NurecoilError, match=message):
        make()
