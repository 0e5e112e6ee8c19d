"""The χ² of eqs. 43-45: numbers by hand, and the closed-form profile against numerical minimisers."""

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from nurecoil.card import load_experiment
from nurecoil.inference.fit import minimise
from nurecoil.likelihood import CountingLikelihood, counting_likelihood

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
    return counting_likelihood(load_experiment(name).statistics, standard_model, widths or {})


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

    migrad = minimise(function, {"a1": 0.0, "a2": 0.0})
    simplex = scipy.optimize.minimize(
        function, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12}
    )
    assert migrad.converged
    assert simplex.success
    closed, (a1, a2) = likelihood.profiled(signal), likelihood.best_pulls(signal)
    assert migrad.minimum == pytest.approx(closed, rel=1e-7, abs=1e-9)
    assert simplex.fun == pytest.approx(closed, rel=1e-7, abs=1e-9)
    assert [migrad.values["a1"], migrad.values["a2"]] == pytest.approx([a1, a2], abs=1e-5)
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
