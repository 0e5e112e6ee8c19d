"""Questions: χ² in plain loops, profiles and fits against MIGRAD, simulated data, and Wilks."""

import math
import pickle
from dataclasses import replace
from functools import cache
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import asking
from cases import BINS, Case, Independent, beside, migrad
from nurecoil.likelihood import JointLikelihood, binned_term
from nurecoil.models import NSI, SCALED_STANDARD_MODEL, STANDARD_MODEL, ZPRIME_331, Model
from nurecoil.physics.couplings import Couplings
from nurecoil.study.question import Question, joint_likelihood

CSI_2021 = "coherent-csi-2021"
EPSILONS = ("eps_u_ee", "eps_d_ee", "eps_u_emu", "eps_u_mumu", "eps_d_mutau", "eps_u_emu_im")
BETA = {"beta": -math.sqrt(3)}
LIKELIHOODS = {}


@pytest.fixture(scope="module")
def csi_2021(coherent):
    return coherent[CSI_2021]


def question_of(model, experiments, fixed, start):
    """Return a question; the likelihood of one experiment, which no model enters, is put together once."""
    (one,) = experiments
    name = one.experiment.name
    if name not in LIKELIHOODS:
        LIKELIHOODS[name] = joint_likelihood(experiments, {})
    return Question.of(model, experiments, fixed, start, likelihood=LIKELIHOODS[name])


def nsi(compiled, names=EPSILONS):
    return question_of(NSI, compiled, {}, dict.fromkeys(names, 0.0))


# --- χ² -----------------------------------------------------------------------------------------------


def test_unprofiled_chi2_is_that_of_plain_loops(csi_2021):
    question, random = nsi([csi_2021]), np.random.default_rng(1)
    points = random.uniform(-3, 3, (20, 6))
    likelihood = question.likelihood
    x = likelihood.centre + likelihood.width * random.uniform(-2.5, 2.5, (20, 9))
    found = question.unprofiled(points, x)
    for number, point in enumerate(points):
        couplings = NSI.couplings(**dict(zip(EPSILONS, point, strict=True)))
        assert found[number] == pytest.approx(Independent(csi_2021, couplings)(x[number]), rel=1e-9)


def test_a_wide_range_of_nsi_is_profiled_as_migrad_does(csi_2021):
    # 1,000 such points: benchmarks/test_exactness.py
    question, random = nsi([csi_2021]), np.random.default_rng(20)
    points = random.uniform(-3, 3, (30, 6)) * random.choice([0.1, 0.3, 1.0], (30, 1))
    found = question.profiled(points)
    assert found.converged.all()
    likelihood = question.likelihood
    for number, point in enumerate(points):
        independent = Independent(csi_2021, NSI.couplings(**dict(zip(EPSILONS, point, strict=True))))
        best = migrad(independent, likelihood.centre, likelihood.width)
        assert best.valid
        assert found.chi2[number] == pytest.approx(best.fval, abs=1e-3)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_no_pulls_are_better_than_the_profiled_ones(csi, seed):
    question = nsi([csi], EPSILONS[:2])
    random = np.random.default_rng(seed)
    point, pulls = random.uniform(-3, 3, (1, 2)), random.normal(size=(40, 2)) * question.likelihood.width
    best = question.profiled(point)
    assert best.chi2[0] == pytest.approx(question.unprofiled(point, best.pulls)[0], rel=1e-9, abs=1e-9)
    for x in (pulls, best.pulls + 0.01 * pulls):
        assert (question.unprofiled(np.tile(point, (40, 1)), x) >= best.chi2[0] * (1 - 1e-12)).all()


def test_points_are_asked_in_any_number(csi_2021):
    question, points = nsi([csi_2021]), np.random.default_rng(3).uniform(-1, 1, (7, 6))
    together = question.profiled(points)
    for number in range(7):
        np.testing.assert_allclose(question.chi2(points[number]), together.chi2[number], atol=1e-8)
    assert pickle.loads(pickle.dumps(question)).chi2(points).tolist() == together.chi2.tolist()


@pytest.mark.parametrize("name", ["nsi", "331", "pull"])
def test_the_curvature_of_the_profile_is_its_second_differences(csi_2021, name):
    model, fixed, start, low, high = {
        "nsi": (NSI, {}, dict.fromkeys(EPSILONS[:3], 0.05), [-10.0] * 3, [10.0] * 3),
        "331": (ZPRIME_331, {**BETA, "m_zprime": 2e6}, {"sin2_theta_w": 0.2}, [0.05], [0.24]),
        "pull": (
            SCALED_STANDARD_MODEL, {}, {"signal_strength": 1.0, "neutron_radius_csi": 5.0}, [0, 0], [9, 9]
        ),
    }[name]  # fmt: skip
    question, x = question_of(model, [csi_2021], fixed, start), np.array([list(start.values())])
    low, high = np.array(low, dtype=float), np.array(high, dtype=float)
    best = replace(question.profiled(x), points=x)
    found, steps = question.curvature(best, low, high), np.diag(1e-2 * np.maximum(np.abs(x[0]), 0.2))
    for a in steps:
        for b in steps:
            corners = np.concatenate([x + a + b, x + a - b, x - a + b, x - a - b])
            plus, left, right, minus = question.chi2(corners)
            expected = (plus - left - right + minus) / (4 * a.sum() * b.sum())
            i, j = a.argmax(), b.argmax()
            scale = np.sqrt(np.abs(found[i, i] * found[j, j]))
            assert found[i, j] == pytest.approx(expected, abs=5e-3 * scale)


def test_a_free_pull_is_held_at_its_points_without_its_prior(csi_2021):
    name = "sns_flux"
    question = question_of(SCALED_STANDARD_MODEL, [csi_2021], {}, {"signal_strength": 1.0, name: 0.0})
    likelihood = question.likelihood
    number = [p.name for p in likelihood.pulls].index(name)
    points = np.array([[1.0, 0.05], [0.8, -0.2]])
    found = question.profiled(points)
    np.testing.assert_array_equal(found.pulls[:, number], points[:, 1])
    whole = likelihood.chi2(question.strengths(points), found.pulls)
    np.testing.assert_allclose(found.chi2, whole - (points[:, 1] / 0.1) ** 2, rtol=1e-10)
    np.testing.assert_allclose(question.unprofiled(points, found.pulls), found.chi2, rtol=1e-10)
    # only their product counts: strength 1, rate 1.1 is strength 1.1, rate 1
    one, other = question.chi2([[1.0, 0.1], [1.1, 0.0]])
    assert one == pytest.approx(other, abs=1e-7)


# --- expected and simulated data ----------------------------------------------------------------------


def test_expected_data_are_fitted_by_their_truth_with_pulls_at_zero(csi_2021):
    question = question_of(SCALED_STANDARD_MODEL, [csi_2021], {}, {"signal_strength": 1.0})
    data = question.expected([0.7])
    asimov = question.with_data(data)
    found = asimov.profiled([[0.7]])
    assert found.chi2[0] == pytest.approx(0, abs=1e-8)
    width = question.likelihood.width
    np.testing.assert_allclose((found.pulls[0] - question.likelihood.centre) / width, 0, atol=1e-4)
    best = asimov.fitted([[1.5]], [0.0], [10.0])
    assert best.points[0, 0] == pytest.approx(0.7, abs=1e-4)
    independent = Independent(csi_2021, SCALED_STANDARD_MODEL.couplings(signal_strength=0.7))
    np.testing.assert_allclose(data.counts[0], independent.mean(question.likelihood.centre), rtol=1e-10)


def test_a_free_pull_has_its_value_of_the_point_in_expected_and_simulated_data(csi_2021):
    name = "coherent-csi-2021_steady_state"
    question = question_of(SCALED_STANDARD_MODEL, [csi_2021], {}, {"signal_strength": 1.0, name: 0.0})
    x = question.likelihood.centre.copy()
    x[[p.name for p in question.likelihood.pulls].index(name)] = 0.2
    mean = Independent(csi_2021, SCALED_STANDARD_MODEL.couplings(signal_strength=0.7)).mean(x)
    data = question.expected([0.7, 0.2])
    np.testing.assert_allclose(data.counts[0], mean, rtol=1e-10)
    assert question.with_data(data).chi2([[0.7, 0.2]])[0] == pytest.approx(0, abs=1e-8)
    toys = question.simulate([0.7, 0.2], question.likelihood.centre, 500, np.random.default_rng(2))
    assert toys.counts[0].sum(axis=1).mean() == pytest.approx(mean.sum(), abs=4 * math.sqrt(mean.sum() / 500))


def test_simulated_data_are_those_of_the_point_and_the_pulls(csi_2021):
    question = question_of(SCALED_STANDARD_MODEL, [csi_2021], {}, {"signal_strength": 1.0})
    x = question.likelihood.centre + 0.5 * question.likelihood.width
    data = question.simulate([1.5], x, 4000, np.random.default_rng(2))
    mean = Independent(csi_2021, SCALED_STANDARD_MODEL.couplings(signal_strength=1.5)).mean(x)
    pull = (data.counts[0].mean(axis=0) - mean) / np.sqrt(mean / 4000)
    assert np.abs(pull).max() < 4.5
    assert (pull**2).sum() == pytest.approx(mean.size, abs=4 * math.sqrt(2 * mean.size))
    np.testing.assert_allclose(data.centres.mean(axis=0), x, atol=4 * question.likelihood.width.max() / 63)


# --- fits ---------------------------------------------------------------------------------------------


def lowest_of_migrad(question, starts, low, high):
    """Return (χ², point) of the lowest of MIGRAD's minima in parameters and pulls together."""
    d, likelihood = len(low), question.likelihood
    scale = np.where(np.isfinite(likelihood.width), likelihood.width, 1)

    def chi2(x):
        value = question.unprofiled(x[np.newaxis, :d], likelihood.centre + scale * x[d:])[0]
        return value if np.isfinite(value) else 1e10

    ends = [*zip(low, high, strict=True), *[(None, None)] * scale.size]
    errors = [*(0.01 * (np.array(high) - low)), *np.ones(scale.size)]
    runs = [migrad(chi2, [*start, *np.zeros(scale.size)], errors, ends) for start in starts]
    best = min(runs, key=lambda run: run.fval)
    return best.fval, np.array(best.values)[:d]


@cache
def _cases():
    return {
        "signal_strength": (SCALED_STANDARD_MODEL, {}, ("signal_strength",), [[1.0], [0.2], [3.0]], [0], [5]),
        "sin2_theta_w": (STANDARD_MODEL, {}, ("sin2_theta_w",), [[0.2387], [0.1], [0.4]], [0.01], [0.6]),
        "nsi": (NSI, {}, ("eps_u_ee", "eps_u_mumu"), [[0.0, 0.0], [0.4, 0.4], [0.0, 0.4], [0.4, 0.0]],
                [-1, -1], [1, 1]),
        "nsi, changing flavour": (NSI, {}, ("eps_u_ee", "eps_d_emu_im"), [[0.0, 0.1], [0.4, -0.1]],
                                  [-1, -1], [1, 1]),
        "331": (ZPRIME_331, BETA, ("m_zprime",), [[2e6], [4e5], [1e7]], [2e5], [1e8]),
    }  # fmt: skip


@pytest.mark.parametrize("name", _cases())
@pytest.mark.parametrize("experiment", ["csi", "csi_2021"])
def test_the_lowest_fit_is_migrads(request, experiment, name):
    model, fixed, free, starts, low, high = _cases()[name]
    one = request.getfixturevalue(experiment)
    question = question_of(model, [one], fixed, dict(zip(free, starts[0], strict=True)))
    found = question.fitted(starts, low, high)
    assert found.converged.all()
    best = found.chi2.argmin()
    chi2, _ = lowest_of_migrad(question, starts, low, high)
    assert found.chi2[best] == pytest.approx(chi2, abs=1e-3)
    assert found.chi2[best] < chi2 + 1e-6  # never worse
    again = question.profiled(found.points)
    np.testing.assert_allclose(again.chi2, found.chi2, atol=1e-6)
    unprofiled = question.unprofiled(found.points, found.pulls)
    np.testing.assert_allclose(unprofiled, found.chi2, rtol=1e-9, atol=1e-9)
    assert (found.points >= low).all()
    assert (found.points <= high).all()


@pytest.mark.parametrize("name", ["signal_strength", "nsi", "331"])
def test_each_set_of_data_is_fitted_as_if_it_were_alone(csi_2021, name):
    model, fixed, free, starts, low, high = _cases()[name]
    question = question_of(model, [csi_2021], fixed, dict(zip(free, starts[0], strict=True)))
    toys = question.simulate(starts[0], question.likelihood.centre, 12, np.random.default_rng(6))
    found = question.with_data(toys).fitted(starts[:1], low, high)
    assert found.converged.all()
    for number in range(12):
        alone = question.with_data(toys.at(np.array([number])))
        one = alone.fitted(starts[:1], low, high)
        assert found.chi2[number] == pytest.approx(one.chi2[0], abs=1e-7)
    chi2, _ = lowest_of_migrad(alone, starts[:1], low, high)
    assert found.chi2[-1] == pytest.approx(chi2, abs=1e-3)


def test_a_free_pull_is_fitted_without_its_prior(csi_2021):
    start = {"signal_strength": 1.0, "coherent-csi-2021_steady_state": 0.0}
    question = question_of(SCALED_STANDARD_MODEL, [csi_2021], {}, start)
    found = question.fitted([[1.0, 0.0]], [0.0, -1.0], [5.0, 1.0])
    assert found.converged.all()
    number = [p.name for p in question.likelihood.pulls].index("coherent-csi-2021_steady_state")
    assert found.points[0, 1] == found.pulls[0, number] != 0
    chi2, point = lowest_of_migrad(question, [[1.0, 0.0]], [0.0, -1.0], [5.0, 1.0])
    assert found.chi2[0] == pytest.approx(chi2, abs=1e-3)
    np.testing.assert_allclose(found.points[0], point, atol=2e-3)


def test_a_fit_of_pulls_alone(csi_2021):
    name = "coherent-csi-2021_steady_state"
    question = question_of(STANDARD_MODEL, [csi_2021], {}, {name: 0.0})
    found = question.fitted([[0.0]], [-1.0], [1.0])
    assert found.converged.all()
    a = np.linspace(-0.1, 0.0, 201)
    scan = question.chi2(a[:, np.newaxis])
    assert found.chi2[0] == pytest.approx(scan.min(), abs=2e-3)
    assert found.chi2[0] <= scan.min()
    assert found.points[0, 0] == pytest.approx(a[scan.argmin()], abs=5e-4)


def test_a_fit_of_pulls_alone_begins_where_it_is_told():
    # χ² has two valleys in the shape pulls; the model has no parameters and one strength, 1
    case = Case(141)
    templates = np.zeros((5, 12, BINS))
    templates[:, 9] = case.templates[:, 0]
    likelihood = JointLikelihood((binned_term("mine", case.statistics, templates),), {})
    none, moments = np.zeros((3, 3)), np.eye(3)[0]
    model = Model("one", "", "", (), lambda values: Couplings(none, none, none, none, moments))
    flux = likelihood.pulls[0]
    question = Question(model, likelihood, (flux,), {}, {"flux": 0.0}, {})
    nominal = likelihood.centre
    high, low = (question.fitted([[0.0]], [-1.0], [1.0], pulls) for pulls in (nominal, beside(likelihood)))
    assert low.converged.all()
    assert high.converged.all()
    assert low.chi2[0] < high.chi2[0] - 1
    assert question.fitted([[0.0]], [-1.0], [1.0], low.pulls).chi2 == pytest.approx(low.chi2, abs=1e-8)


def test_a_bound_is_where_a_fit_ends(csi_2021):
    question = question_of(SCALED_STANDARD_MODEL, [csi_2021], {}, {"signal_strength": 1.0})
    free = question.fitted([[1.0]], [0.0], [5.0])
    low, high = free.points[0, 0] + 0.2, 5.0
    found = question.fitted([[2.0]], [low], [high])
    assert found.converged.all()
    assert found.points[0, 0] == low
    assert found.chi2[0] == pytest.approx(question.chi2([[low]])[0], abs=1e-7)


# --- Wilks --------------------------------------------------------------------------------------------

TOYS = 2000


# shapes that bend leave Wilks a little: 24,000 toys of CsI 2021 put 90 % below 2.82, not 2.71
@pytest.mark.parametrize(("experiment", "off"), [("csi", 0.0), ("csi_2021", 0.015)])
def test_delta_chi2_at_the_truth_is_distributed_as_wilks_says(request, experiment, off):
    one = request.getfixturevalue(experiment)
    question = question_of(SCALED_STANDARD_MODEL, [one], {}, {"signal_strength": 1.0})
    toys = question.simulate([1.0], question.likelihood.centre, TOYS, np.random.default_rng(2024))
    with_toys = question.with_data(toys)
    truth = with_toys.profiled([[1.0]])
    # from the pulls of the truth, lest another local minimum of the pulls is found: Δχ² >= 0
    best = with_toys.fitted([[1.0]], [0.0], [20.0], truth.pulls)
    assert best.converged.all()
    assert truth.converged.all()
    delta = truth.chi2 - best.chi2
    assert delta.min() > -1e-7
    for threshold, content in ((1.0, 0.6827), (2.7055, 0.90), (4.0, 0.9545)):
        sigma = math.sqrt(content * (1 - content) / TOYS)
        assert (delta < threshold).mean() == pytest.approx(content, abs=3 * sigma + off)


# --- work ---------------------------------------------------------------------------------------------


def test_no_likelihood_is_put_together_twice(compiled, monkeypatch):
    pair = [compiled["binh2021-csi"], compiled["binh2021-lar"]]
    scan, start = ("signal_strength", 0.0, 3.0), {"signal_strength": 1.0}
    for ask, times in (
        (lambda: asking.combine(SCALED_STANDARD_MODEL, pair, {}, scan, points=101), 1),
        (lambda: asking.sensitivity(SCALED_STANDARD_MODEL, pair, {}, scan, points=101), 1),
        (lambda: asking.impact(SCALED_STANDARD_MODEL, pair, {}, start), 1),
    ):
        build = Mock(wraps=joint_likelihood)
        monkeypatch.setattr("nurecoil.study.question.joint_likelihood", build)
        ask()
        assert build.call_count == times
