"""Gaussian χ²: eqs. 43-45 by hand and against numerical minimisers; bins and pulls as one covariance."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from cases import gaussian_term, migrad, pull
from closed_form import CountingLikelihood, closed_form
from nurecoil.errors import NurecoilError
from nurecoil.experiment import Variance
from nurecoil.experiment.card import load_experiment
from nurecoil.likelihood import Data, JointLikelihood
from nurecoil.models import STANDARD_MODEL
from nurecoil.study.question import joint_likelihood

CSI = CountingLikelihood(observed=134, background=6, variance=950, signal_width=0.28, background_width=0.25)
SIGNALS = st.floats(0, 2000)
LIKELIHOODS = st.builds(
    CountingLikelihood,
    observed=st.floats(0, 1000),
    background=st.floats(0, 500),
    variance=st.floats(1, 1e4),
    signal_width=st.floats(0.01, 1),
    background_width=st.floats(0.01, 1),
)


def of(name, standard_model=1e9, widths=None):
    return closed_form(load_experiment(name).statistics, standard_model, widths)


def test_a_gaussian_of_no_counts_needs_a_variance(csi):
    def sigma(observed, counts, per_count):
        """Return σ of the likelihood, of a projection where nothing is observed."""
        seen, variance = csi.experiment.statistics, Variance(counts, per_count)
        seen = replace(seen, observed=observed and np.array(observed), variance=variance)
        experiment = replace(csi.experiment, statistics=seen)
        (term,) = joint_likelihood([replace(csi, experiment=experiment)], {}).terms
        return term.sigma.tolist()

    for per_count in (1.0, 1.3):
        with pytest.raises(NurecoilError, match=r"observed = 0 without variance_counts .* bins of \[data\]"):
            sigma([0.0], 0.0, per_count)
    assert sigma([0.0], 3.0, 1.0) == [math.sqrt(3.0)]
    expected = csi.counts(STANDARD_MODEL.couplings()).sum()
    assert sigma(None, 0.0, 1.0) == [pytest.approx(math.sqrt(expected + 6.0), rel=1e-14)]  # background too


# --- the seed's three χ² ------------------------------------------------------------------------------


def test_eq_43_is_the_csi_likelihood():
    # σ_stat² = 134 + 2·405 + 6 = 950
    assert of("binh2021-csi") == CSI


def test_eq_43_by_hand():
    # N = 188: (134 - 188 - 6)² = 3600 over 950 + (0.28·188)² + (0.25·6)² = 950 + 2770.97 + 2.25
    assert CSI.profiled(188.0) == pytest.approx(3600 / 3723.2196, rel=1e-9)
    a1, a2 = CSI.best_pulls(188.0)
    assert a1 == pytest.approx(0.28**2 * 188 * -60 / 3723.2196, rel=1e-9)  # -0.2375
    assert a2 == pytest.approx(0.25**2 * 6 * -60 / 3723.2196, rel=1e-9)  # -0.0060
    # pulls 0: 3600/950; pulls (-0.25, 0.5): (134 - 141 - 9)²/950 + (0.25/0.28)² + 2²
    assert CSI.chi2(188.0, (0.0, 0.0)) == pytest.approx(3600 / 950, rel=1e-12)
    by_hand = 16**2 / 950 + (0.25 / 0.28) ** 2 + 4
    assert CSI.chi2(188.0, (-0.25, 0.5)) == pytest.approx(by_hand, rel=1e-12)


def test_eq_44_by_hand():
    # σ_stat² = 159 + 563 = 722; N = 185: 26²/(722 + (0.085·185)²) = 676/969.2756
    lar = of("binh2021-lar")
    assert lar == CountingLikelihood(159, 0, 722, 0.085, 0.0)
    assert lar.profiled(185.0) == pytest.approx(676 / 969.275625, rel=1e-12)


@pytest.mark.parametrize("name", ["binh2021-ge", "binh2021-nai-185", "binh2021-nai-2000"])
def test_eq_45_by_hand(name):
    # N_SM = 100: σ_stat² = 1.2·100; N = 150: 50²/(120 + (0.2·150)²) = 2500/1020
    projection = of(name, standard_model=100.0)
    assert projection.observed == 100.0
    assert projection.variance == pytest.approx(120.0, rel=1e-14)
    assert projection.profiled(150.0) == pytest.approx(2500 / 1020, rel=1e-12)
    wider = of(name, 100.0, {f"{name}_signal": 0.3})
    assert wider.profiled(150.0) == pytest.approx(2500 / (120 + 45**2), rel=1e-12)


def test_widths_replace_priors_by_name_of_the_pull():
    narrow = of("binh2021-csi", widths={"binh2021-csi_signal": 0.1, "binh2021-csi_background": 0.5})
    assert (narrow.signal_width, narrow.background_width) == (0.1, 0.5)
    # 950 + 18.8² + 3² = 1312.44
    assert narrow.profiled(188.0) == pytest.approx(3600 / 1312.44, rel=1e-12)


def test_a_measurement_observes_its_data_whatever_the_standard_model_predicts():
    assert of("binh2021-csi", standard_model=1.0) == of("binh2021-csi", standard_model=1e6)


# --- Asimov truth -------------------------------------------------------------------------------------


@given(LIKELIHOODS)
def test_zero_with_zero_pulls_at_the_truth(likelihood):
    truth = likelihood.observed - likelihood.background
    scale = likelihood.observed + likelihood.background
    pulls = likelihood.best_pulls(truth)
    assert likelihood.profiled(truth) == pytest.approx(0, abs=1e-20 * (1 + scale**2))
    assert likelihood.chi2(truth, (0.0, 0.0)) == pytest.approx(0, abs=1e-20 * (1 + scale**2))
    assert pulls == pytest.approx((0, 0), abs=1e-9)


# --- profiling ----------------------------------------------------------------------------------------


@given(LIKELIHOODS, SIGNALS)
def test_profiled_is_chi2_at_the_best_pulls(likelihood, signal):
    at_best = likelihood.chi2(signal, likelihood.best_pulls(signal))
    assert likelihood.profiled(signal) == pytest.approx(at_best, rel=1e-9, abs=1e-12)


@given(LIKELIHOODS, SIGNALS, st.floats(-2, 2), st.floats(-2, 2))
def test_no_other_pulls_are_better(likelihood, signal, a1, a2):
    assert likelihood.chi2(signal, (a1, a2)) >= likelihood.profiled(signal) * (1 - 1e-12)


@pytest.mark.parametrize("signal", [10.0, 128.0, 188.0, 411.0, 1500.0])
@pytest.mark.parametrize(
    "likelihood", [CSI, CountingLikelihood(300, 200, 700, 0.1, 0.5)], ids=["eq. 43", "large background"]
)
def test_profiled_is_what_two_numerical_minimisers_find(likelihood, signal):
    def function(pulls):
        return float(likelihood.chi2(signal, (pulls[0], pulls[1])))

    found = migrad(function, [0.0, 0.0], [0.1, 0.1])
    simplex = scipy.optimize.minimize(
        function, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12}
    )
    assert found.valid
    assert simplex.success
    closed, (a1, a2) = likelihood.profiled(signal), likelihood.best_pulls(signal)
    assert found.fval == pytest.approx(closed, rel=1e-7, abs=1e-9)
    assert simplex.fun == pytest.approx(closed, rel=1e-7, abs=1e-9)
    assert list(found.values) == pytest.approx([a1, a2], abs=1e-5)
    assert simplex.x == pytest.approx([a1, a2], abs=1e-5)


def test_the_background_pull_counts():
    # B = 200, σ2 = 0.5: 10000 more in the denominator, 100²/(700 + (0.1·400)² + 100²)
    likelihood = CountingLikelihood(500, 200, 700, 0.1, 0.5)
    assert likelihood.profiled(400.0) == pytest.approx(10000 / (700 + 1600 + 10000), rel=1e-12)


@given(LIKELIHOODS, SIGNALS)
def test_without_widths_there_is_only_statistics(likelihood, signal):
    exact = CountingLikelihood(likelihood.observed, likelihood.background, likelihood.variance, 0.0, 0.0)
    bare = (likelihood.observed - signal - likelihood.background) ** 2 / likelihood.variance
    assert exact.profiled(signal) == pytest.approx(bare, rel=1e-12)
    assert exact.best_pulls(signal) == (0.0, 0.0)
    assert exact.chi2(signal, (0.0, 0.0)) == pytest.approx(bare, rel=1e-12)
    assert exact.chi2(signal, (0.1, 0.0)) == np.inf


def test_many_signals_at_once():
    signals = np.array([0.0, 128.0, 188.0])
    np.testing.assert_allclose(CSI.profiled(signals), [CSI.profiled(s) for s in signals], rtol=1e-15)
    a1, a2 = CSI.best_pulls(signals)
    at_best = CSI.chi2(signals, (a1, a2))
    np.testing.assert_allclose(at_best, CSI.profiled(signals), rtol=1e-12, atol=1e-15)


# --- Gaussian bins ------------------------------------------------------------------------------------


class Bins:
    """Counts in bins, a signal of three strengths with a rate, and two backgrounds with rates."""

    def __init__(self, bins, seed=0, signal_width=0.28):
        random = self.random = np.random.default_rng(seed)
        self.templates = random.uniform(1, 20, (3, bins))
        self.backgrounds = random.uniform(1, 30, (2, bins))
        self.sigma = random.uniform(2, 9, bins)
        self.widths = np.array([signal_width, 0.25, 0.4])
        self.observed = random.normal(self.templates.sum(axis=0) + self.backgrounds.sum(axis=0), self.sigma)
        self.term = gaussian_term(
            "bins",
            self.observed,
            self.sigma,
            self.templates,
            pull("signal", signal_width),
            [(f"b{k}", self.backgrounds[k], pull(f"b{k}", self.widths[1 + k])) for k in range(2)],
        )
        self.likelihood = JointLikelihood((self.term,), {})

    def directions(self, q):
        """What one unit of each pull adds to the counts, (3, bins)."""
        return np.vstack([q @ self.templates, self.backgrounds])

    def by_covariance(self, q, observed=None, centres=(0, 0, 0)):
        """χ² = rᵀ (σ² + Σ w² d dᵀ)⁻¹ r with r = n - μ at the centres of the pulls."""
        d = self.directions(q)
        r = (self.observed if observed is None else observed) - (1 + np.asarray(centres)) @ d
        V = np.diag(self.sigma**2) + (d.T * self.widths**2) @ d
        return r @ np.linalg.solve(V, r)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 3.0])
def test_one_pull_is_the_closed_form(strength):
    # (n - μ)²/(σ² + w² μ²), and the pull w² μ (n - μ)/(σ² + w² μ²)
    n, sigma, w, mu = 134.0, 12.0, 0.28, 188.0 * strength
    term = gaussian_term("one", np.array([n]), np.array([sigma]), np.array([[188.0]]), pull("rate", w))
    found = JointLikelihood((term,), {}).profiled(np.array([[strength]]))
    assert found.chi2[0] == pytest.approx((n - mu) ** 2 / (sigma**2 + (w * mu) ** 2), rel=1e-12)
    expected = w**2 * mu * (n - mu) / (sigma**2 + (w * mu) ** 2)
    assert found.pulls[0, 0] == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("bins", [1, 2, 5, 60])
def test_profiled_bins_are_those_of_the_covariance_matrix(bins):
    case = Bins(bins, seed=bins)
    q = case.random.uniform(0, 3, (50, 3))
    found = case.likelihood.profiled(q)
    expected = [case.by_covariance(one) for one in q]
    assert found.converged.all()
    np.testing.assert_allclose(found.chi2, expected, rtol=1e-9)
    # the pulls solve (1/w² + d σ⁻² dᵀ) a = d σ⁻² r
    for number, one in enumerate(q):
        d = case.directions(one) / case.sigma
        r = (case.observed - case.directions(one).sum(axis=0)) / case.sigma
        a = np.linalg.solve(np.diag(case.widths**-2) + d @ d.T, d @ r)
        np.testing.assert_allclose(found.pulls[number], a, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["held", "profiled"])
def test_few_numbers_stand_for_sixty_bins(name):
    # three templates and two backgrounds span five dimensions; data are outside of them
    case = Bins(60, seed=3)
    arrays, rotation = case.term.engine
    assert arrays.bins == 5
    assert rotation.rest(case.observed) > 10
    q, x = case.random.uniform(0, 3, (20, 3)), case.random.normal(scale=0.2, size=(20, 3))
    if name == "profiled":
        at_best = case.likelihood.profiled(q)
        np.testing.assert_allclose(at_best.chi2, case.likelihood.chi2(q, at_best.pulls), rtol=1e-10)
        return
    found = case.likelihood.profiled(q, {f: x[:, j] for j, f in enumerate(("signal", "b0", "b1"))})
    for number in range(20):
        mu = (1 + x[number]) @ case.directions(q[number])
        expected = sum((case.observed - mu) ** 2 / case.sigma**2)
        assert found.chi2[number] == pytest.approx(expected, rel=1e-12)


def test_templates_that_are_parallel_or_empty_span_less():
    shape = np.array([1.0, 2.0, 3.0, 4.0])
    templates = np.array([shape, 2 * shape, 0 * shape])
    term = gaussian_term("few", 3 * shape + [1, -1, 0, 0], np.ones(4), templates, pull("rate", 0.1))
    assert term.engine[0].bins == 1
    # data 3 s + d, of which q = (1, 1, any) leaves d, and q = (0, 1, 0) s + d: |s|² = 30, |d|² = 2, s·d = -1
    found = JointLikelihood((term,), {"rate": 0.0}).profiled(np.array([[1.0, 1.0, 7.0], [0.0, 1.0, 0.0]]))
    np.testing.assert_allclose(found.chi2, [2, 2 + 30 + 2 * (1 - 2)], rtol=1e-12)


def test_each_set_of_data_and_of_centres_is_its_own():
    case = Bins(60, seed=4)
    q, centres = np.array([[1.0, 0.5, 2.0]]), case.random.normal(scale=0.2, size=(30, 3))
    sets = case.random.normal(case.observed, case.sigma, (30, 60))
    found = case.likelihood.with_data(Data((sets,), centres)).profiled(q)
    expected = [case.by_covariance(q[0], n, c) for n, c in zip(sets, centres, strict=True)]
    np.testing.assert_allclose(found.chi2, expected, rtol=1e-9)
