"""Best fits: all minima, errors from curvature and by profiles, beside MIGRAD; and what is no best fit."""

import math
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import asking
import nurecoil
from cases import migrad
from nurecoil.inference.errors import crossings
from nurecoil.models import NSI, SCALED_STANDARD_MODEL, STANDARD_MODEL, ZPRIME_331
from nurecoil.parameters import find
from nurecoil.study.question import Question
from nurecoil.verbs.fit import _trouble, fit_of

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


def test_a_rise_that_is_exponential_in_what_is_searched_is_found_in_time():
    # a coupling that counts squared, from a bound that stands for none: (1e-10)² e^{2d} = (1e-5)² at ln 1e5
    below, above = crossings(lambda d: np.exp(2 * d - 2 * math.log(1e5)), 1.0, (0.0, 24.0))
    assert math.isnan(below)
    assert above == pytest.approx(math.log(1e5), rel=1e-6)


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


@pytest.mark.parametrize("start", [0.1, -1.7, 1.5])
@pytest.mark.parametrize("name", ["binh2021-lar", "coherent-csi-2021"])
def test_a_narrow_minimum_far_from_the_best_one_is_reported_from_any_start(coherent, compiled, name, start):
    # β = -1.67 fits argon's count as exactly as -0.69 does; it is 0.02 wide, 0.06 from the end of the range
    known = coherent if name in coherent else compiled
    found, question = of(ZPRIME_331, [known[name]], {"m_zprime": 0.4e6, "variant": "numbers"}, beta=start)
    edge = math.sqrt(3)
    grid = np.concatenate([np.linspace(a, b, 301)[:-1] for a, b in ((-edge, -1.6), (-1.6, 1.6), (1.6, edge))])
    curve = question.chi2(grid[:, np.newaxis])
    low = (curve[1:-1] < curve[:-2]) & (curve[1:-1] <= curve[2:]) & (curve[1:-1] < curve.min() + 4)
    both = sorted([found.values["beta"], *(values["beta"] for values, _ in found.others)])
    assert len(both) == 2
    assert both == pytest.approx(grid[1:-1][low], abs=0.01)


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


def test_parameters_searched_in_logarithms_go_together_in_these(csi):
    # far above the momentum transfers only g²/m² counts: d ln g = d ln m, whatever their units
    result = fit_of(
        Question.of(nurecoil.load_model("light-vector"), [csi], {}, {"m_mediator": 1e5, "g_mediator": 1e-2})
    )
    found = result.values.fit
    assert [*found.flat.values()] == pytest.approx([1.0, 1.0], rel=1e-3)
    told = "which may go together in the ratio d ln m_mediator : d ln g_mediator = 1 : 1"
    assert result.notes[0].endswith(told)
    assert {(each["share"] > 0.999, each["logarithm"]) for each in result.record()["not_fixed"]} == {
        (True, True)
    }


def test_a_negligible_part_of_a_direction_is_not_told():
    def told(*shares):
        flat = dict(zip(("eps_u_ee", "eps_u_mumu", "eps_u_tautau"), shares, strict=True))
        asked = types.SimpleNamespace(free=[find(NSI.parameters, name) for name in flat])
        return _trouble(asked, types.SimpleNamespace(flat=flat))

    assert told(1.0, 3e-6, -0.5).endswith("in the ratio d eps_u_ee : d eps_u_tautau = 1 : -0.5")
    assert told(1.0, -9e-106, 4e-9).endswith("do not fix eps_u_ee and eps_u_mumu and eps_u_tautau")


# --- the same as by `limit` -------------------------------------------------------------------------


def test_errors_along_a_bent_valley_are_those_of_a_grid_and_of_a_limit(coherent):
    """χ² of g and m of a mediator, 2 % wide: from a grid of 1500 values of the other, it rises by one at
    g = 1.87e-4 and 4.58e-4, m = 92.4 and 257 MeV (steps that lose the valley saw no end, or 2.51e-4)."""
    csi = coherent["coherent-csi-2021"]
    study = nurecoil.Study("light-vector", csi)
    found = study.fit({"m_mediator": "100 MeV", "g_mediator": 1e-4}, starts=1).values.fit
    ends = {
        n: (found.values[n] - below, found.values[n] + above) for n, (below, above) in found.minos.items()
    }
    assert ends["g_mediator"] == pytest.approx((1.868e-4, 4.576e-4), rel=1e-3)
    assert ends["m_mediator"] == pytest.approx((92.4, 257.4), rel=1e-3)
    scans = {"g_mediator": "1e-10..1", "m_mediator": "1 eV..1 TeV"}
    for name, other in (("g_mediator", "m_mediator"), ("m_mediator", "g_mediator")):
        study = nurecoil.Study("light-vector", csi, profile={other: scans[other]})
        profile = study.limit(name, scans[name], cl=math.erf(math.sqrt(0.5))).values.profile
        assert [(i.low, i.high) for i in profile.intervals] == [pytest.approx(ends[name], rel=1e-4)]


@pytest.mark.parametrize("name", ["binh2021-csi", "coherent-csi-2021"])
def test_a_coupling_at_the_bound_that_stands_for_none_has_one_verdict(request, name):
    experiments = request.getfixturevalue("coherent" if name.startswith("coherent") else "compiled")
    study = nurecoil.Study("light-vector", experiments[name], m_mediator="1 MeV", charge_u=-1, charge_d=-1)
    result = study.fit({"g_mediator": 1e-6}, starts=1)
    found = result.values.fit
    assert (found.values["g_mediator"], found.message) == (1e-10, "converged; g_mediator is at its bound")
    below, above = found.minos["g_mediator"]
    assert math.isnan(below)
    limit = study.limit("g_mediator", "1e-10..1e-3", cl=math.erf(math.sqrt(0.5))).values.profile
    assert above == pytest.approx(limit.upper_limit, rel=1e-4)
    assert "g_mediator  1e-10 (+" in str(result)
    assert "no error below)" in str(result)


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
