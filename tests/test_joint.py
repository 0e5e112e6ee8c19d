"""Experiments together: closed forms, shared and held pulls, and refusals."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

from cases import plain_poisson, pull, signal_of
from closed_form import closed_form
from nurecoil.errors import NurecoilError
from nurecoil.experiment import STANDARD_BASIS, Component, Statistics, Variance
from nurecoil.likelihood import Data, JointLikelihood, binned_term, joint
from nurecoil.models import STANDARD_MODEL, ZPRIME_331
from nurecoil.study.question import joint_likelihood

SEED = {"sin2_theta_w": 0.23867}
FLUX = 0.1


ONE = np.ones((1, 1))


def statistics(name, observed, background, width=0.2, flux="sns_flux", flux_width=FLUX):
    """Return a binned experiment with a rate of its own and one of the source."""
    return Statistics(
        np.array(observed, dtype=float),
        signal_of([pull(flux, flux_width)]),
        (Component("b", np.array(background, dtype=float), (pull(f"{name}_b", width),)),),
    )


def binned(name, observed, background, signal, **options):
    """Return its term, whose signal is linear in one number."""
    templates = np.array([[signal]], dtype=float)
    return binned_term(name, statistics(name, observed, background, **options), templates)


S1, S2 = (15.0, 6.0), (4.0, 25.0)
FIRST, SECOND = binned("first", [30, 12], [10, 4], S1), binned("second", [5, 50], [3, 20], S2)
NO_BACKGROUND_PULLS = {"first_b": 0.0, "second_b": 0.0}


# --- counting experiments -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["binh2021-csi", "binh2021-lar", "binh2021-ge", "binh2021-nai-2000"])
def test_a_counting_experiment_is_profiled_as_the_closed_form_says(compiled, name):
    likelihood = joint_likelihood([compiled[name]], SEED)
    points = ZPRIME_331.couplings(**SEED, beta=-math.sqrt(3), m_zprime=np.geomspace(3e5, 1e8, 40))
    found = likelihood.profiled(STANDARD_BASIS.strengths(points))
    expected = compiled[name].counts(STANDARD_MODEL.couplings(**SEED)).sum()
    closed = closed_form(compiled[name].experiment.statistics, expected)
    N = compiled[name].counts(points).sum(axis=1)
    np.testing.assert_allclose(found.chi2, closed.profiled(N), rtol=1e-9, atol=1e-9)
    a = np.stack(np.broadcast_arrays(*closed.best_pulls(N)), axis=-1)[:, : found.pulls.shape[1]]
    np.testing.assert_allclose(found.pulls, a, rtol=1e-7, atol=1e-9)
    assert found.converged.all()


@pytest.mark.parametrize("background", [0.0, 6.0, 60.0])
def test_a_background_without_a_pull_is_there_all_the_same(csi, background):
    # (134 - (1 + a) N - B)² / 950 + (a/0.28)², at the best a: (134 - N - B)² / (950 + (0.28 N)²)
    known = (Component("background", np.array([background])),)
    seen = replace(
        csi.experiment.statistics, backgrounds=known, variance=Variance(950.0, 0.0)
    )  # as in eq. 43
    experiment = replace(csi.experiment, statistics=seen)
    likelihood = joint_likelihood([replace(csi, experiment=experiment)], SEED)
    points = ZPRIME_331.couplings(**SEED, beta=-math.sqrt(3), m_zprime=np.geomspace(3e5, 1e8, 9))
    N = csi.counts(points).sum(axis=1)
    found = likelihood.profiled(STANDARD_BASIS.strengths(points))
    np.testing.assert_allclose(found.chi2, (134 - N - background) ** 2 / (950 + (0.28 * N) ** 2), rtol=1e-9)
    assert [pull.name for pull in likelihood.pulls] == ["binh2021-csi_signal"]


@pytest.mark.parametrize(("rates", "variance"), [(0, None), (2, None), (2, Variance(4.0, 0.0))])
def test_a_background_has_one_pull_of_its_rate_or_none_if_gaussian(rates, variance):
    background = Component("b", np.ones(2), tuple(pull(f"rate{n}") for n in range(rates)))
    with pytest.raises(NurecoilError, match=f"background b has {rates} pulls of its rate: it must have one"):
        Statistics(np.ones(2), signal_of(), (background,), variance)


# --- shared pulls -------------------------------------------------------------------------------------


def test_a_pull_of_one_name_is_one_parameter_as_brute_force_finds():
    together = JointLikelihood((FIRST, SECOND), NO_BACKGROUND_PULLS)
    assert [p.name for p in together.pulls] == ["sns_flux", "first_b", "second_b"]

    def by_hand(a, which):
        total = (a / FLUX) ** 2
        for term, s in which:
            mu = np.array(s) * (1 + FLUX) ** (a / FLUX) + term.arrays.backgrounds[0].counts
            total += plain_poisson(term.observed, mu)
        return total

    def lowest(*which):
        found = minimize_scalar(by_hand, bounds=(-0.5, 0.9), args=(which,), method="bounded",
                                options={"xatol": 1e-10})  # fmt: skip
        return found.fun, found.x

    value, at = lowest((FIRST, S1), (SECOND, S2))
    found = together.profiled(ONE)
    assert found.chi2[0] == pytest.approx(value, abs=1e-7)
    assert found.pulls[0, 0] == pytest.approx(at, abs=1e-5)
    assert found.pulls[0, 1:].tolist() == [0, 0]
    alone = lowest((FIRST, S1))[0] + lowest((SECOND, S2))[0]
    assert abs(value - alone) > 0.05  # two fluxes would each pay a prior and please one


def test_without_shared_names_chi2_is_the_sum():
    other = binned("second", [5, 50], [3, 20], S2, flux="other_flux")
    together = JointLikelihood((FIRST, other), {}).profiled(ONE)
    apart = [JointLikelihood((term,), {}).profiled(ONE) for term in (FIRST, other)]
    assert together.chi2[0] == pytest.approx(sum(part.chi2[0] for part in apart), abs=1e-7)


@pytest.mark.parametrize("other", [{"flux_width": 0.2}, {"flux": "first_b"}], ids=["width", "another rate"])
def test_two_definitions_of_one_name_are_refused(other):
    with pytest.raises(NurecoilError, match=r"nuisance parameter (sns_flux|first_b) of .* defined otherwise"):
        JointLikelihood((FIRST, binned("second", [5, 50], [3, 20], S2, **other)), {})


def test_the_same_experiment_twice_counts_twice_with_one_set_of_pulls():
    twice = JointLikelihood((FIRST, FIRST), {})
    assert len(twice.pulls) == 2
    x = np.array([[0.05, -0.1]])
    prior = (0.05 / 0.1) ** 2 + (0.1 / 0.2) ** 2
    once = JointLikelihood((FIRST,), {}).chi2(ONE, x)
    assert twice.chi2(ONE, x)[0] == pytest.approx(2 * once[0] - prior, rel=1e-12)


# --- widths -------------------------------------------------------------------------------------------


def test_chi2_is_the_likelihood_and_its_priors_by_hand():
    a, b = 0.07, -0.15
    mu = np.array(S1) * 1.1**0.7 + np.array([10, 4]) * 0.85
    expected = plain_poisson([30, 12], mu) + 0.7**2 + 0.75**2
    found = JointLikelihood((FIRST,), {}).chi2(ONE, [a, b])
    assert found[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("sets", [1, 3])
def test_priors_are_centred_where_the_data_say(sets):
    # 25 + 10 and 10 + 4 events at the truth; centres are as a toy draws them, in the pulls' own units
    flux, rate = np.array([0.05, -0.12, 0.2])[:sets], np.array([-0.3, 0.1, 0.25])[:sets]
    counts = np.array([[31.0, 9.0], [26.0, 14.0], [20.0, 11.0]])[:sets]
    likelihood = JointLikelihood((FIRST,), {}).with_data(Data((counts,), np.stack([flux, rate], axis=1)))

    def by_hand(number, a, b):
        mu = np.array(S1) * 1.1 ** (a / FLUX) + np.array([10, 4]) * (1 + b)
        prior = ((a - flux[number]) / FLUX) ** 2 + ((b - rate[number]) / 0.2) ** 2
        return plain_poisson(counts[number], mu) + prior

    at = likelihood.chi2(ONE, np.array([[0.07, -0.15]]))
    np.testing.assert_allclose(at, [by_hand(n, 0.07, -0.15) for n in range(sets)], rtol=1e-12)
    best = likelihood.profiled(ONE)
    for n in range(sets):
        lowest = minimize(lambda x, n=n: by_hand(n, *x), [flux[n], rate[n]], tol=1e-10)
        assert best.chi2[n] == pytest.approx(lowest.fun, rel=1e-6)
        np.testing.assert_allclose(best.pulls[n], lowest.x, atol=1e-4)


def test_width_zero_holds_a_pull():
    held = JointLikelihood((FIRST,), {"sns_flux": 0.0})
    found = held.profiled(ONE)
    assert found.pulls[0, 0] == 0.0
    assert found.pulls[0, 1] != 0.0
    assert held.chi2(ONE, [0.01, 0.0])[0] == np.inf
    assert np.isfinite(held.chi2(ONE, [0.0, 0.1])[0])
    exact = JointLikelihood((FIRST,), {"sns_flux": 0.0, "first_b": 0.0}).profiled(ONE)
    assert exact.chi2[0] == pytest.approx(plain_poisson([30, 12], [25, 10]), rel=1e-12)


def test_an_infinite_width_lets_a_pull_float():
    # bins of one shape: a free rate makes the sum fit, 42 observed, 14 of background held
    term = binned("mine", [30, 12], [10, 4], [10, 4])
    free = JointLikelihood((term,), {"sns_flux": math.inf, "mine_b": 0.0})
    found = free.profiled(ONE)
    strength = (1 + FLUX) ** (found.pulls[0, 0] / FLUX)
    assert strength == pytest.approx(28 / 14, rel=2e-4)  # where χ² is 1e-6 above its minimum, at most
    assert found.chi2[0] == pytest.approx(plain_poisson([30, 12], [30, 12]), abs=1e-7)
    assert found.converged.all()


def test_wider_priors_never_fit_worse():
    values = [
        JointLikelihood((FIRST,), {"sns_flux": width}).profiled(ONE).chi2[0]
        for width in (0.0, 0.01, 0.1, 1.0, math.inf)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1] + 0.1


@given(st.floats(-0.4, 0.6))
def test_a_held_pull_is_scanned_without_its_prior(a):
    likelihood = JointLikelihood((FIRST,), {"first_b": 0.0})
    found = likelihood.profiled(ONE, {"sns_flux": a})
    mu = np.array(S1) * 1.1 ** (a / 0.1) + np.array([10, 4])
    assert found.chi2[0] == pytest.approx(plain_poisson([30, 12], mu), rel=1e-10)
    assert found.pulls[0].tolist() == [a, 0.0]


def test_held_pulls_are_one_for_each_point():
    likelihood = JointLikelihood((FIRST, SECOND), {})
    values = np.array([-0.1, 0.0, 0.2])
    together = likelihood.profiled(ONE, {"sns_flux": values})
    for number, value in enumerate(values):
        one = likelihood.profiled(ONE, {"sns_flux": value})
        assert together.chi2[number] == pytest.approx(one.chi2[0], abs=1e-9)
    np.testing.assert_array_equal(together.pulls[:, 0], values)


@pytest.mark.parametrize(
    ("widths", "sentence"),
    [
        ({"sns_flx": 0.1}, "unknown nuisance parameter 'sns_flx': did you mean 'sns_flux'"),
        ({"sns_flux": -0.1}, "prior width sns_flux = -0.1 is not allowed"),
        ({"sns_flux": math.nan}, "prior width sns_flux = nan is not allowed"),
    ],
)
def test_bad_widths_are_refused(widths, sentence):
    with pytest.raises(NurecoilError, match=sentence):
        JointLikelihood((FIRST,), widths)


# --- many points --------------------------------------------------------------------------------------


def test_chunks_change_nothing(monkeypatch):
    likelihood = JointLikelihood((FIRST, SECOND), {})
    strengths = np.linspace(0, 3, 23)[:, np.newaxis]
    whole = likelihood.profiled(strengths, {"second_b": np.linspace(-0.1, 0.1, 23)})
    monkeypatch.setattr(joint, "_CHUNK_NUMBERS", 2 * 3 * 4)  # four points at a time: 6 chunks, the last of 3
    parts = likelihood.profiled(strengths, {"second_b": np.linspace(-0.1, 0.1, 23)})
    np.testing.assert_allclose(parts.chi2, whole.chi2, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(parts.pulls, whole.pulls, rtol=1e-9, atol=1e-12)
    assert len(parts.converged) == 23


def test_components_are_told_by_experiment():
    likelihood = JointLikelihood((FIRST, SECOND), {})
    found = likelihood.components(ONE, np.array([[0.1, 0.5, -0.5]]))
    np.testing.assert_allclose(found["first"]["signal"], 1.1 * np.array(S1), rtol=1e-12)
    np.testing.assert_allclose(found["first"]["b"], [15, 6], rtol=1e-12)
    np.testing.assert_allclose(found["second"]["b"], [1.5, 10], rtol=1e-12)


def test_a_counting_and_a_binned_experiment_go_together(csi):
    counting = joint_likelihood([csi], SEED)
    q = STANDARD_BASIS.strengths(STANDARD_MODEL.couplings(**SEED))
    templates = q[:, :, np.newaxis] * np.array(S1) / (q**2).sum()  # q·templates is S1
    binned_one = binned_term("first", statistics("first", [30, 12], [10, 4]), templates)
    both = JointLikelihood((*counting.terms, binned_one), {})
    parts = counting.profiled(q).chi2[0] + JointLikelihood((FIRST,), {}).profiled(ONE).chi2[0]
    assert both.profiled(q).chi2[0] == pytest.approx(parts, abs=1e-7)


@pytest.mark.parametrize("engine", ["numpy", "fast"])
def test_strengths_of_another_basis_are_refused(csi, engine):
    """Compiled loops would read what lies beside them in memory."""
    likelihood = replace(joint_likelihood([csi], {}), engine_name=engine)
    with pytest.raises(ValueError, match=r"5 strengths for templates of \d+"):
        likelihood.profiled(np.ones((3, 5)))
