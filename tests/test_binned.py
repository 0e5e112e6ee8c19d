"""The binned likelihood: a plain loop, finite differences, templates at ±1, and data that fit exactly."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import Case, plain_poisson, pull, signal_of
from nurecoil.experiment import Component, Shape, Statistics
from nurecoil.likelihood import JointLikelihood, binned_term
from nurecoil.likelihood.objective import evaluate
from nurecoil.likelihood.response import respond

SEEDS = st.integers(0, 100_000)
ONE = np.ones((1, 1))


def at(term, x, strengths=ONE):
    """Return χ² without priors (P,), its gradient (P, J) and Hessian (P, J, J) in the pulls x (P, J)."""
    t = (np.atleast_2d(x) - term.centre) / term.unit
    signal = respond(term.arrays.signal, strengths)
    value, slopes, curves = evaluate(term.arrays, signal, term.observed[np.newaxis], list(t.T))
    points, pulls = t.shape
    gradient, hessian = np.zeros((points, pulls)), np.zeros((points, pulls, pulls))
    for i, slope in slopes.items():
        gradient[:, i] = slope / term.unit[i]
    for (i, j), curve in curves.items():
        assert i >= j
        hessian[:, i, j] = hessian[:, j, i] = curve / (term.unit[i] * term.unit[j])
    return value, gradient, hessian


def counts(term, x, strengths=ONE):
    """Return the counts of each component at the pulls x (J,)."""
    return JointLikelihood((term,), {}).components(strengths, np.atleast_2d(x))[term.name]


# --- values -------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(SEEDS)
def test_counts_and_likelihood_are_those_of_a_plain_loop(seed):
    case = Case(seed)
    x = case.anywhere(points=3)
    value, _, _ = at(case.term, x)
    for number in range(3):
        expected = case.expected(x[number])
        found = counts(case.term, x[number])
        for name, part in expected.items():
            np.testing.assert_allclose(found[name], part, rtol=1e-11)
        mu = np.sum(list(expected.values()), axis=0)
        assert value[number] == pytest.approx(plain_poisson(case.observed, mu), rel=1e-9, abs=1e-9)


@settings(max_examples=30)
@given(SEEDS)
def test_ups_and_downs_are_reproduced_exactly_at_one_standard_deviation(seed):
    case = Case(seed)

    def at_pulls(component, **pulls):
        x = np.array([pulls.get(p.name, p.default) for p in case.term.pulls], dtype=float)
        return counts(case.term, x)[component]

    signal, light_up, light_down, radius_up, radius_down = case.templates[:, 0]
    np.testing.assert_array_equal(at_pulls("signal"), signal)
    for sign, light, radius in ((1, light_up, radius_up), (-1, light_down, radius_down)):
        np.testing.assert_allclose(at_pulls("signal", light=sign), light, rtol=1e-13)
        np.testing.assert_allclose(at_pulls("signal", radius=5 + 0.25 * sign), radius, rtol=1e-13)
    for ends, sign in ((case.background_ups, 1), (case.background_downs, -1)):
        np.testing.assert_allclose(at_pulls("first", own=sign), ends[0], rtol=1e-13)
        np.testing.assert_allclose(at_pulls("second", shared=sign), ends[2], rtol=1e-13)
    # rates: a factor 1 + w at +1 for the signal, where the pull is in fractions, and fractions for others
    np.testing.assert_allclose(at_pulls("signal", flux=0.1), 1.1 * signal, rtol=1e-13)
    np.testing.assert_allclose(at_pulls("signal", flux=-0.1), signal / 1.1, rtol=1e-13)
    np.testing.assert_allclose(at_pulls("first", a1=-0.4), 0.6 * case.background_counts[0], rtol=1e-13)


def test_shapes_may_be_given_further_out_than_the_width_of_the_prior():
    # a radius of 5.0 ± 0.1 fm, shapes at 5.0 ± 0.25 fm: t = 0.2/0.25 = 0.8, a = ln(2)/2, b = ln(1.125)/2
    shape = Shape(pull("radius", 0.1, 5.0), None, None, step=0.25)
    templates = np.array([[[4.0]], [[6.0]], [[3.0]]])
    term = binned_term("mine", Statistics(np.array([4.0]), signal_of(shapes=[shape])), templates)
    for radius, expected in ((5.25, 6), (4.75, 3), (5.2, 4 * 2**0.4 * 1.125**0.32)):
        assert counts(term, [radius])["signal"] == pytest.approx(expected, rel=1e-12)
    # the prior has its own width: two of them at 5.2, where the data are expected
    asimov = replace(term, observed=counts(term, [5.2])["signal"])
    assert JointLikelihood((asimov,), {}).chi2(ONE, [5.2])[0] == pytest.approx(4)


@settings(max_examples=30)
@given(SEEDS)
def test_counts_are_linear_in_the_strengths_and_shapes_are_of_their_sum(seed):
    case = Case(seed, strengths=3)
    (x,), q = case.anywhere(), case.random.uniform(0, 2, 3)
    found = counts(case.term, x, q[np.newaxis])
    for name, part in case.expected(x, q).items():
        np.testing.assert_allclose(found[name], part, rtol=1e-11)


@given(SEEDS, st.floats(-50, 50), st.floats(-50, 50))
def test_no_shape_or_signal_rate_makes_counts_negative(seed, light, flux):
    case = Case(seed)
    x = np.array([p.default for p in case.term.pulls], dtype=float)
    for name, value in (("light", light), ("flux", flux), ("own", light), ("shared", -light)):
        x[case.names.index(name)] = value
    for part in counts(case.term, x).values():
        assert np.isfinite(part).all()
        assert (part >= 0).all()


# --- derivatives --------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(SEEDS)
def test_gradient_and_hessian_are_finite_differences(seed):
    case = Case(seed)
    x = case.off_the_kinks(case.anywhere())
    _, gradient, hessian = at(case.term, x)
    step = 1e-5
    sizes = 1 + np.abs(gradient).max(), 1 + np.abs(hessian).max()
    for j in range(len(case.names)):
        shift = np.zeros_like(x)
        shift[0, j] = step
        up, down = (at(case.term, x + sign * shift) for sign in (1, -1))
        assert gradient[0, j] == pytest.approx((up[0][0] - down[0][0]) / (2 * step), abs=1e-6 * sizes[0])
        np.testing.assert_allclose(
            hessian[0, j], (up[1][0] - down[1][0]) / (2 * step), rtol=0, atol=1e-6 * sizes[1]
        )


@pytest.mark.parametrize("t", [-1.0, 1.0])
def test_value_and_slope_are_continuous_where_the_parabola_ends(t):
    case = Case(4)
    x = case.anywhere()
    j = case.names.index("light")
    found = []
    for inside in (1 - 1e-9, 1 + 1e-9):
        x[0, j] = t * inside
        found.append(at(case.term, x))
    assert found[0][0][0] == pytest.approx(found[1][0][0], rel=1e-6)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-6)


def test_a_rate_and_a_shape_of_one_component_by_hand():
    # μ = (1 + t0)·2·e^t1 at 0, n = 4: φ' = 2(1 - n/μ) = -2, φ'' = 2 n/μ² = 2; ∂μ = (2, 2), ∂₀∂₁μ = 2 = ∂₁²μ
    up, down = np.array([2 * math.e]), np.array([2 / math.e])
    background = Component("b", np.array([2.0]), (pull("a"),), (Shape(pull("c"), up, down),))
    term = binned_term("mine", Statistics(np.array([4.0]), signal_of(), (background,)), np.zeros((1, 1, 1)))
    assert [p.name for p in term.pulls] == ["a", "c"]
    value, gradient, hessian = at(term, np.zeros((1, 2)))
    assert value[0] == pytest.approx(2 * (2 - 4 + 4 * math.log(2)), rel=1e-14)
    np.testing.assert_allclose(gradient[0], [-4, -4], rtol=1e-14)
    np.testing.assert_allclose(hessian[0], [[8, 4], [4, 4]], rtol=1e-14)


# --- empty bins ---------------------------------------------------------------------------------------


def simple(observed, background, signal):
    """Return a likelihood without signal systematics and one background."""
    rate = Component("b", np.asarray(background, dtype=float), (pull("a", 0.1),))
    statistics = Statistics(np.asarray(observed, dtype=float), signal_of(), (rate,))
    return binned_term("mine", statistics, np.array([[signal]], dtype=float))


def test_a_bin_without_counts_costs_its_expectation():
    # -2 ln L = 2 μ for n = 0; n = 3, μ = 4: 2(4 - 3 + 3 ln(3/4))
    value = at(simple([0, 3], [0.5, 3.0], [0.2, 1.0]), np.zeros((1, 1)))[0][0]
    assert value == pytest.approx(2 * 0.7 + 2 * (1 + 3 * math.log(0.75)), rel=1e-12)


def test_counts_where_none_are_expected_are_impossible_and_nothing_where_nothing_is_expected_is_free():
    assert at(simple([1, 3], [0.0, 3.0], [0.0, 0.0]), np.zeros((1, 1)))[0][0] == np.inf
    value, gradient, hessian = at(simple([0, 3], [0.0, 3.0], [0.0, 0.0]), np.zeros((1, 1)))
    assert value[0] == pytest.approx(0, abs=1e-14)
    assert np.isfinite(gradient).all()
    assert np.isfinite(hessian).all()


def test_a_negative_expectation_is_impossible():
    term = simple([0, 3], [1.0, 3.0], [0.0, 5.0])
    assert at(term, np.array([[-1.2]]))[0][0] == np.inf
    assert np.isfinite(at(term, np.array([[-1.0]]))[0][0])


def test_a_bin_that_a_shape_empties_keeps_a_thousandth():
    # up is 0: e^(ln(1e-3)) of 5; a bin that is empty stays so, whatever up says
    shape = Shape(pull("c"), np.array([0.0, 3.0]), np.array([10.0, 0.0]))
    background = Component("b", np.array([5.0, 0.0]), (pull("a"),), (shape,))
    statistics = Statistics(np.array([5.0, 0.0]), signal_of(), (background,))
    term = binned_term("mine", statistics, np.zeros((1, 1, 2)))
    np.testing.assert_allclose(counts(term, [0.0, 1.0])["b"], [5e-3, 0.0], rtol=1e-12)


# --- data that fit ------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(SEEDS)
def test_data_equal_to_the_expectation_give_zero_with_zero_slope(seed):
    case = Case(seed)
    x = np.array([[p.default for p in case.term.pulls]], dtype=float)
    truth = np.sum(list(counts(case.term, x).values()), axis=0)
    asimov = replace(case.term, observed=truth)
    value, gradient, hessian = at(asimov, x)
    assert value[0] == pytest.approx(0, abs=1e-11)
    np.testing.assert_allclose(gradient, 0, atol=1e-11)
    assert np.linalg.eigvalsh(hessian[0]).min() > -1e-9
    elsewhere = case.off_the_kinks(case.anywhere())
    assert at(asimov, elsewhere)[0][0] > 0
