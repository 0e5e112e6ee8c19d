"""The card coherent-ge-2024 against integrals and a likelihood of a few lines; published: test_validation."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import spherical_jn

import nurecoil
from nurecoil.models import STANDARD_MODEL
from nurecoil.study.question import joint_likelihood
from releases import release_file

NAME = "coherent-ge-2024"
DETECTORS = {21: 1.3845, 23: 1.6401, 25: 1.5762, 26: 0.7668, 28: 1.819}  # kg GWh
KEPT = [0, 1, 2, 5, 6, 7, 8]


@pytest.fixture
def ge(coherent):
    return coherent[NAME]


def counts(sample):
    """Return the counts of the paper's figure, (energies, times)."""
    lines = release_file(NAME, f"{sample}_beam_counts.csv").read_text().splitlines()
    return np.array([line.split(",")[2:] for line in lines if not line.startswith(("#", "t_"))], float).T


def test_counts_and_pulls_are_those_of_the_release(ge):
    statistics, off = ge.experiment.statistics, counts("off").sum(axis=1)
    seen = statistics.observed.reshape(9, 10)
    assert (seen[KEPT] == counts("on")[KEPT]).all()
    assert not seen[3:5].any()
    assert seen.sum() == 161
    for number, background in zip(KEPT, statistics.backgrounds, strict=True):
        each = background.nominal.reshape(9, 10)
        assert each[number] == pytest.approx(np.full(10, off[number] / 10))  # flat in time
        assert background.rates[0].prior_width == math.inf
        assert background.off == (off[number], off[number])
    rates = [pull.prior_width for pull in statistics.signal.rates]
    assert math.hypot(*rates) == pytest.approx(0.103, abs=5e-4)  # of the paper


def test_the_signal_is_a_sum_of_few_lines(ge):
    """Over T and E, at tree level, without the smearing, which moves 0.3 % across the first edge at most."""
    m_mu, fermi, unit = 105.6583755, 1.1663787e-11, 3.8937937e-22
    E = np.linspace(0.02, m_mu / 2, 1500)
    delayed = 64 * E**2 / m_mu**3 * (0.75 - E / m_mu) + 192 * E**2 / m_mu**3 * (0.5 - E / m_mu)
    # MeV and natural fractions; the masses are those of A nucleons of 930.9 MeV
    shares = {70: 0.2052, 72: 0.2745, 73: 0.0776, 74: 0.3652, 76: 0.0775}
    T = np.linspace(2e-3, 0.09, 4000)
    g = lambda e: 3 * e**0.15 + 0.7 * e**0.6 + e  # noqa: E731
    kg = 0.157 * g(11.5 * 32 ** (-7 / 3) * 1e3 * T)
    seen = 1e3 * T * kg / (1 + kg)
    tables = {k: np.loadtxt(release_file(NAME, f"timing_efficiency_Ge{k}.txt")).T for k in DETECTORS}
    weighed = sum(weight * np.interp(seen, *tables[k]) for k, weight in DETECTORS.items())
    efficiency = weighed / sum(DETECTORS.values())
    fluence, total = 0.096 * 1.9606e22 / (4 * math.pi * 1920.0**2), np.zeros(T.size)
    nuclei = 10.66e3 / 72.63 * 6.02214076e23
    for A, share in shares.items():
        M, q = 930.9 * A, np.sqrt(2 * 930.9 * A * T) / 197.327
        radius = 1.2 * A ** (1 / 3)
        F = 3 * spherical_jn(1, q * radius) / (q * radius) / (1 + (0.7 * q) ** 2)
        charge = 32 * (0.5 - 2 * 0.23857) - (A - 32) / 2
        column = T[:, np.newaxis]

        def kinematics(energy, column=column, M=M):
            return np.maximum(1 - column / energy - M * column / (2 * energy**2), 0)

        line = kinematics(np.array([29.792]))[:, 0]
        spectrum = line + np.trapezoid(delayed * kinematics(E), E, axis=1)
        total += share * nuclei * fluence * fermi**2 * M / math.pi * unit * (charge * F) ** 2 * spectrum
    found = ge.counts(STANDARD_MODEL.couplings()).reshape(9, 10).sum(axis=1)
    edges = [1.5 + 2 * n for n in range(10)]
    for number, (low, high) in enumerate(pairwise(edges)):
        inside = (seen >= low) & (seen < high)
        expected = np.trapezoid(np.where(inside, total * efficiency, 0.0), T) if number in KEPT else 0.0
        assert found[number] == pytest.approx(expected, rel=0.01)


def profile(signal, strength):
    """Return χ² at a strength of both samples, the steady state of each energy profiled by itself."""
    on, off, found = counts("on"), counts("off").sum(axis=1), 0.0
    for number in KEPT:
        s, n, N = strength * signal[number], on[number], off[number]

        def chi2(b, s=s, n=n, N=N):
            mu = s + b / 10
            off = 2 * (b - N + N * math.log(N / b))
            return 2 * (mu - n + n * np.log(np.maximum(n, 1e-300) / mu)).sum() + off

        found += minimize_scalar(chi2, (0.8 * N, 1.2 * N), tol=1e-12).fun
    return found


def test_the_fit_is_that_of_a_likelihood_of_few_lines(ge):
    """All else held: Poisson counts with beam and without."""
    signal = ge.counts(STANDARD_MODEL.couplings(electroweak="radiative")).reshape(9, 10)
    held = ["sns_flux", f"{NAME}_exposure", f"{NAME}_quenching", f"{NAME}_onset"]
    study = nurecoil.Study("scaled-standard-model", ge, electroweak="radiative", fix=held)
    best = study.fit({"signal_strength": 1.0}, minos=False).values
    events = best.components[NAME]["signal"].sum()
    expected = minimize_scalar(lambda s: profile(signal, s), (0.3, 0.9), tol=1e-10)
    assert events == pytest.approx(expected.x * signal.sum(), abs=1e-3)
    assert best.fit.minimum == pytest.approx(expected.fun, abs=1e-6)
    found = study.significance({"signal_strength": 1.0}, {"signal_strength": 0}).values
    assert found.observed.delta_chi2 == pytest.approx(profile(signal, 1e-12) - expected.fun, abs=1e-4)


def test_it_is_combined_with_the_others_of_the_source(coherent):
    names = (NAME, "coherent-csi-2021", "coherent-lar-2020")
    together = joint_likelihood([coherent[name] for name in names], {})
    assert [pull.name for pull in together.pulls].count("sns_flux") == 1
    assert len(together.pulls) == sum(len(coherent[n].experiment.statistics.pulls) for n in names) - 2
