"""Strengths as quadratic functions of what is fitted, and fits of parameters in which they are none."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from cases import Case, beside, gaussian_term
from nurecoil.experiment import STANDARD_BASIS
from nurecoil.likelihood import JointLikelihood, expand
from nurecoil.models import NSI, SCALED_STANDARD_MODEL, STANDARD_MODEL, ZPRIME_331
from nurecoil.study.question import Question
from nurecoil.study.strengths import Coordinates, fit_strengths

EPSILONS = ("eps_u_ee", "eps_d_ee", "eps_u_emu", "eps_u_emu_im", "eps_d_mutau_im")


def of(model, names, **fixed):
    """Return the strengths of a model as a function of some of its parameters (P, d)."""

    def at(points, rows=None):
        return STANDARD_BASIS.strengths(model.couplings(**fixed, **dict(zip(names, points.T, strict=True))))

    return at


# --- coordinates --------------------------------------------------------------------------------------


def test_coordinates_go_from_0_to_1_across_the_box_and_back():
    box = Coordinates((True, False), np.array([1e5, -3.0]), np.array([1e8, 1.0]))
    u = np.array([[0, 0], [1, 1], [1 / 3, 0.75], [0.5, 0.5]])
    x = [[1e5, -3], [1e8, 1], [1e6, 0], [10**6.5, -1]]
    np.testing.assert_allclose(box.parameters(u), x, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(box.of(np.array(x)), u, rtol=1e-12, atol=1e-12)
    # rounding never leads out of the box
    assert (box.parameters(u[:2]) >= box.low).all()
    assert (box.parameters(u[:2]) <= box.high).all()


# --- expansions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [EPSILONS[:1], EPSILONS[:2], EPSILONS])
@pytest.mark.parametrize(("centres", "step"), [(1, 0.25), (6, 0.05)])
def test_an_expansion_of_nsi_is_exact_everywhere(names, centres, step):
    low, width = -10.0, 20.0
    model = of(NSI, names)
    random = np.random.default_rng(4)
    d = len(names)
    centre = random.random((centres, d))
    centre[0] = 0.99  # near an edge, over which no node may step
    nodes = []

    def at(u, rows=None):
        nodes.append(u)
        return model(low + width * u)

    expansion = expand(at, centre, step)
    assert nodes[0].min() >= 0
    assert nodes[0].max() <= 1
    u = random.random((6, d))
    exact = at(u)
    found, slope = expansion.strengths(u)
    # differences of the largest strengths, over the square of the step in the curvature
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-12 * np.abs(exact).max() * (0.25 / step) ** 2)
    for i in range(d):
        shift = 0.01 * np.eye(d)[i]
        difference = (model(low + width * (u + shift)) - model(low + width * (u - shift))) / 0.02
        np.testing.assert_allclose(slope[:, i], difference, rtol=0, atol=1e-9 * np.abs(exact).max())


def test_an_expansion_of_the_signal_strength_is_exact():
    at = of(SCALED_STANDARD_MODEL, ("signal_strength",))
    expansion = expand(lambda u, rows=None: at(5 * u), np.array([[0.5]]), 0.25)
    u = np.linspace(0, 1, 11)[:, np.newaxis]
    np.testing.assert_allclose(expansion.strengths(u)[0], at(5 * u), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(expansion.curvature, 0, atol=1e-13)


def test_an_expansion_around_where_the_fit_stands_has_value_and_slope_of_the_model():
    at = of(ZPRIME_331, ("m_zprime",), beta=-math.sqrt(3))
    box = Coordinates((True,), np.array([1e5]), np.array([1e8]))
    u = np.array([[0.3], [0.5], [0.9]])
    expansion = expand(lambda u, rows=None: at(box.parameters(u)), u, 1e-4)
    value, slope = expansion.strengths(u)
    h = 1e-3  # a stencil of fourth order
    ends = [at(box.parameters(u + k * h)) for k in (-2, -1, 1, 2)]
    expected = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * h)
    np.testing.assert_allclose(value, at(box.parameters(u)), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(slope[:, 0], expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


# --- fits ---------------------------------------------------------------------------------------------


def gaussian(q_true, weights):
    """Return a likelihood whose data are those of strengths q_true (S,), each in its own bin."""
    templates = np.diag(weights)
    term = gaussian_term("bins", q_true @ templates, np.ones(len(weights)), templates)
    return JointLikelihood((term,), {})


def test_what_is_no_quadratic_function_is_fitted_by_steps():
    # counts 100 e^(-3x), 50 sin x and 30/(1 + x): data of x = 0.37
    def at(x, rows=None):
        return np.column_stack([np.exp(-3 * x[:, 0]), np.sin(x[:, 0]), 1 / (1 + x[:, 0])])

    likelihood = gaussian(at(np.array([[0.37]]))[0], [100.0, 50.0, 30.0])
    box = Coordinates((False,), np.array([0.0]), np.array([1.0]))
    found = fit_strengths(likelihood, at, box, np.array([[0.0], [0.1], [0.5], [1.0]]))
    assert found.converged.all()
    np.testing.assert_allclose(found.points[:, 0], 0.37, atol=1e-5)
    np.testing.assert_allclose(found.chi2, 0, atol=1e-7)


def test_a_minimum_at_the_end_of_the_box_is_found_there():
    def at(x, rows=None):
        return np.column_stack([np.exp(-3 * x[:, 0]), np.ones(len(x))])

    likelihood = gaussian(np.array([math.exp(-3 * 1.4), 1.0]), [100.0, 50.0])
    box = Coordinates((False,), np.array([0.0]), np.array([1.0]))
    found = fit_strengths(likelihood, at, box, np.array([[0.2]]))
    assert found.converged.all()
    assert found.points[0, 0] == 1.0
    assert found.chi2[0] == pytest.approx((100 * (math.exp(-3) - math.exp(-4.2))) ** 2, rel=1e-9)


def test_a_step_that_does_not_keep_its_promise_is_not_trusted():
    # a steep step, 2 + atan 40 (x - 1/2): expansions promise too much, and 0.3 and 0.7 fit data of 2 equally
    def at(x, rows=None):
        return np.column_stack([2 + np.arctan(40 * (x[:, 0] - 0.5)), np.ones(len(x))])

    likelihood = gaussian(np.array([2.0, 1.0]), [30.0, 20.0])
    box = Coordinates((False,), np.array([0.0]), np.array([1.0]))
    starts = np.linspace(0, 1, 101)[:, np.newaxis]
    found = fit_strengths(likelihood, at, box, starts)
    assert found.converged.all()
    np.testing.assert_allclose(found.chi2, 0, atol=1e-6)
    np.testing.assert_allclose(found.points, 0.5, atol=1e-6)


def test_two_parameters_that_are_no_quadratic_function_have_scipys_minimum():
    def at(x, rows=None):
        a, b = x.T
        return np.column_stack([np.exp(a * b), a / (1 + b), np.cos(a - b)])

    likelihood = gaussian(np.array([1.7, 0.4, 0.9]), [10.0, 20.0, 5.0])
    box = Coordinates((False, False), np.zeros(2), np.full(2, 2.0))
    found = fit_strengths(likelihood, at, box, np.array([[0.5, 0.5], [1.5, 0.5], [1.0, 1.0]]))

    def chi2(a, b):
        return float(likelihood.chi2(at(np.array([[a, b]])), np.empty(0))[0])

    grid = min((chi2(a, b), a, b) for a in np.linspace(0, 2, 41) for b in np.linspace(0, 2, 41))
    for _ in range(60):  # one coordinate after the other
        bounded = {"bounds": (0, 2), "method": "bounded", "options": {"xatol": 1e-10}}
        a = minimize_scalar(lambda a, b=grid[2]: chi2(a, b), **bounded)
        b = minimize_scalar(lambda b, a=a.x: chi2(a, b), **bounded)
        grid = (b.fun, a.x, b.x)
    assert found.converged.all()
    assert found.chi2.min() == pytest.approx(grid[0], abs=1e-6)
    np.testing.assert_allclose(found.points[found.chi2.argmin()], grid[1:], atol=1e-3)


def test_the_pulls_given_decide_in_which_valley_steps_begin():
    # χ² of this case has two valleys in its shape pulls; e^x is no quadratic function
    likelihood = JointLikelihood((Case(141).term,), {})
    nominal = likelihood.centre
    box = Coordinates((False,), np.array([-1.0]), np.array([1.0]))

    def fit(pulls):
        return fit_strengths(likelihood, lambda x, rows=None: np.exp(x), box, np.array([[0.0]]), pulls)

    low, high = fit(beside(likelihood)), fit(nominal)
    assert low.converged.all()
    assert high.converged.all()
    assert low.chi2[0] == pytest.approx(2.737, abs=1e-3)
    assert high.chi2[0] == pytest.approx(4.038, abs=1e-3)
    again = fit(low.pulls)
    assert again.chi2 == pytest.approx(low.chi2, abs=1e-8)


def test_a_small_strength_is_not_lost_beside_large_ones():
    # a magnetic moment squared is 10⁻²⁰ of the rest; its template is larger: 100 e^(-3x), data of 0.37
    def at(x, rows=None):
        return np.column_stack([np.ones(len(x)), 1e-20 * np.exp(-3 * x[:, 0])])

    likelihood = gaussian(at(np.array([[0.37]]))[0], [50.0, 1e22])
    box = Coordinates((False,), np.array([0.0]), np.array([1.0]))
    found = fit_strengths(likelihood, at, box, np.array([[0.9]]))
    assert found.chi2[0] == pytest.approx(0, abs=1e-7)
    assert found.points[0, 0] == pytest.approx(0.37, abs=1e-5)


def test_standard_model_strengths_are_quadratic_in_the_weak_mixing_angle():
    at = of(STANDARD_MODEL, ("sin2_theta_w",))
    expansion = expand(lambda u, rows=None: at(0.1 + 0.3 * u), np.array([[0.5]]), 0.25)
    u = np.linspace(0, 1, 7)[:, np.newaxis]
    np.testing.assert_allclose(expansion.strengths(u)[0], at(0.1 + 0.3 * u), rtol=1e-12, atol=1e-14)


def test_a_minimum_at_the_end_where_no_signal_is_left_is_found(csi):
    # binh2021-csi with 100 background events and fewer observed: the best strength is 0, its bound
    question = Question.of(SCALED_STANDARD_MODEL, [csi], {}, {"signal_strength": 1.0})
    nothing = question.expected([0.0])
    fewer = replace(nothing, counts=(nothing.counts[0] - 3,))
    found = question.with_data(fewer).fitted([[1.0]], [0.0], [3.0])
    assert found.converged.all()
    assert found.points[0, 0] == 0.0
    assert found.chi2[0] == pytest.approx(question.with_data(fewer).chi2([[0.0]])[0], abs=1e-7)
