"""Best fits: all minima, errors from curvature and by profiles, beside MIGRAD; and what is no best fit."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import asking
import nurecoil
from cases import migrad
from nurecoil.inference.errors import crossings
from nurecoil.models import NSI, SCALED_STANDARD_MODEL, STANDARD_MODEL, ZPRIME_331
from nurecoil.study.question import Question
from nurecoil.verbs.fit import fit_of

NUMBERS = {"beta": -math.sqrt(3), "variant": "numbers"}


def of(model, experiments, fixed=None, **start):
    """Return the fit of a question, and the question."""
    question = Question.of(model, experiments, fixed or {}, start)
    return fit_of(question).values.fit, question


# --- crossings ----------------------------------------------------------------------------------------


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(1e-3, 1e3))
def test_a_parabola_crosses_at_its_errors_wherever_the_search_begins(below, above, size):
    found = crossings(lambda d: (d / np.array([below, above])) ** 2, size, (1e9, 1e9))
    assert found == pytest.approx((below, above), rel=1e-5)


def test_an_asymmetric_function_crosses_where_it_has_risen_by_one():
    # e^x - x = 2 at -1.841406 and 1.146193
    def rise(d):
        x = d * np.array([-1, 1])
        return np.exp(x) - x - 1

    assert crossings(rise, 0.3, (10.0, 10.0)) == pytest.approx((1.841406, 1.146193), rel=1e-5)


def test_what_does_not_rise_by_one_has_no_error():
    def rise(d):
        return np.array([0.9, 2.0]) * (1 - np.exp(-d)) ** 2

    below, above = crossings(rise, 1.0, (50.0, 50.0))
    assert math.isnan(below)
    assert above == pytest.approx(-math.log(1 - 1 / math.sqrt(2)), rel=1e-5)


def test_at_a_bound_there_is_no_error_on_that_side():
    below, above = crossings(lambda d: d**2 / 4, 1.0, (0.0, 1.5))
    assert math.isnan(below)
    assert math.isnan(above)


# --- fits of real data --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names", [["coherent-csi-2021"], ["coherent-lar-2020"], ["coherent-csi-2021", "coherent-lar-2020"]]
)
def test_a_fit_and_its_errors_are_those_of_minuit(coherent, names):
    """The same χ², s_W² and all pulls together, handed to MIGRAD, HESSE and MINOS."""
    found, question = of(STANDARD_MODEL, [coherent[name] for name in names], sin2_theta_w=0.24)
    likelihood = question.likelihood
    unit = np.where(likelihood.width > 0, likelihood.width, 1.0)

    def chi2(x):
        return float(question.unprofiled([[x[0]]], likelihood.centre + x[1:] * unit)[0])

    minuit = migrad(chi2, [0.24, *np.zeros(unit.size)], [0.02, *np.full(unit.size, 0.5)])
    minuit.migrad()
    minuit.hesse()
    minuit.minos(0)
    assert found.converged
    assert found.minimum == pytest.approx(minuit.fval, abs=1e-5)
    assert found.minimum <= minuit.fval + 1e-8
    assert found.values["sin2_theta_w"] == pytest.approx(minuit.values[0], abs=0.003 * minuit.errors[0])
    assert found.errors["sin2_theta_w"] == pytest.approx(minuit.errors[0], rel=5e-3)
    below, above = found.minos["sin2_theta_w"]
    assert (-below, above) == pytest.approx((minuit.merrors[0].lower, minuit.merrors[0].upper), rel=5e-3)


def test_both_windows_of_one_coupling_are_reported(coherent):
    found, question = of(NSI, [coherent["coherent-csi-2021"]], eps_u_ee=0.1)
    ((other, chi2),) = found.others
    grid = np.linspace(-0.3, 0.8, 221)
    curve = question.chi2(grid[:, np.newaxis])
    dips = grid[1:-1][(curve[1:-1] < curve[:-2]) & (curve[1:-1] < curve[2:])]
    assert dips == pytest.approx([found.values["eps_u_ee"], other["eps_u_ee"]], abs=0.005)
    assert chi2 - found.minimum == pytest.approx(curve[grid > 0.2].min() - curve.min(), abs=0.01)
    notes = fit_of(question).notes
    assert any("another minimum, 0.2 higher in χ², is at eps_u_ee = 0.37" in note for note in notes)


def test_all_four_windows_of_two_couplings_are_reported_from_any_start(coherent):
    places = []
    for start in (0.1, 0.37, -1.0):
        found, _ = of(NSI, [coherent["coherent-csi-2021"]], eps_u_ee=start, eps_u_mumu=0.1)
        points = [found.values, *(values for values, _ in found.others)]
        places.append(sorted((p["eps_u_ee"] > 0.2, p["eps_u_mumu"] > 0.2) for p in points))
    assert places == 3 * [[(False, False), (False, True), (True, False), (True, True)]]


def test_equal_minima_of_a_mass_are_both_reported(csi):
    # the count is fitted exactly at two masses; by the interference, 1/m² = -2 Q.q/q² - 1/m'²
    for start in (0.3e6, 1e6, 5e6, 1e9):
        found, _ = of(ZPRIME_331, [csi], NUMBERS, m_zprime=start)
        both = sorted([found.values["m_zprime"], *(values["m_zprime"] for values, _ in found.others)])
        assert both == pytest.approx([0.5797e6, 1.8881e6], rel=1e-3)
        assert found.minimum == pytest.approx(0, abs=1e-9)


# --- what the data do not fix -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["coherent-csi-2021", "coherent-lar-2020"])
def test_couplings_that_one_target_cannot_tell_apart_have_no_error(coherent, name):
    question = Question.of(NSI, [coherent[name]], {}, {"eps_u_ee": 0.1, "eps_d_ee": 0.1})
    result = fit_of(question)
    found = result.values.fit
    assert not result.converged
    assert set(found.flat) == {"eps_u_ee", "eps_d_ee"}
    assert np.isnan([*found.errors.values(), *np.ravel(list(found.minos.values()))]).all()
    Z, N = {"coherent-csi-2021": (54, 76), "coherent-lar-2020": (18, 22)}[name]
    ratio = found.flat["eps_d_ee"] / found.flat["eps_u_ee"]
    assert ratio == pytest.approx(-(2 * Z + N) / (Z + 2 * N), rel=0.02)
    assert "the data do not fix eps_u_ee and eps_d_ee, which may go together in the ratio" in result.notes[0]


def test_two_parameters_that_do_the_same_have_no_error(csi):
    question = Question.of(
        SCALED_STANDARD_MODEL, [csi], {}, {"signal_strength": 1.0, "binh2021-csi_signal": 0.0}
    )
    result = fit_of(question)
    assert not result.converged
    assert set(result.values.fit.flat) == {"signal_strength", "binh2021-csi_signal"}


@pytest.mark.parametrize("start", [1e5, 1e6, 1e7, 1e9])
def test_a_plateau_is_no_minimum(csi, start):
    found, question = of(ZPRIME_331, [csi], {"beta": 0.0}, m_zprime=start)
    assert not found.converged
    assert list(found.flat) == ["m_zprime"]
    assert math.isnan(found.errors["m_zprime"])
    assert "there is no best fit: χ² is flat around m_zprime" in fit_of(question).notes[0]


def test_a_bound_is_where_a_fit_ends_and_is_said(coherent):
    question = Question.of(NSI, [coherent["coherent-csi-2021"]], {"eps_d_ee": 0.0}, {"eps_u_etau": 0.05})
    found = fit_of(question).values.fit
    assert found.converged
    signal, _ = of(SCALED_STANDARD_MODEL, [coherent["coherent-lar-2020"]], signal_strength=0.0)
    assert signal.values["signal_strength"] == pytest.approx(1.33, abs=0.02)


def test_minos_may_be_left_out(csi):
    fitted = asking.fit(SCALED_STANDARD_MODEL, [csi], {}, {"signal_strength": 1.0}, minos=False).values.fit
    assert (fitted.minos, fitted.message) == ({}, "converged")


def test_a_fit_needs_a_free_parameter(csi):
    with pytest.raises(nurecoil.NurecoilError, match="at least one free parameter"):
        asking.fit(SCALED_STANDARD_MODEL, [csi], {}, {})
