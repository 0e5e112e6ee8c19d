"""Gaussian constraints on parameters of the model: profiled as pulls are, by every verb."""

import math
import re

import numpy as np
import pytest

import asking
import nurecoil
from closed_form import closed_form
from command_line import result
from nurecoil.errors import NurecoilError
from nurecoil.models import SCALED_STANDARD_MODEL, STANDARD_MODEL, ZPRIME_331
from nurecoil.study.question import Question

BETA = {"beta": -math.sqrt(3)}


def constrained(experiment, centre, width, m_zprime=2e6):
    """Return a question of the mass with s_W² constrained, and χ² with s_W² profiled by hand."""
    question = Question.of(
        ZPRIME_331, [experiment], BETA, {"m_zprime": m_zprime}, {"sin2_theta_w": (centre, width)}
    )
    free = Question.of(ZPRIME_331, [experiment], BETA, {"m_zprime": m_zprime, "sin2_theta_w": centre})
    angles = np.linspace(centre - 4 * width, centre + 4 * width, 161)
    points = np.column_stack([np.full(angles.size, m_zprime), angles])
    return question, angles, free.chi2(points) + ((angles - centre) / width) ** 2


@pytest.mark.parametrize(("centre", "width"), [(0.23, 0.004), (0.238, 0.001), (0.23857, 5e-5)])
def test_a_constraint_is_the_minimum_over_the_parameter_and_its_prior(coherent, centre, width):
    question, angles, by_hand = constrained(coherent["coherent-csi-2021"], centre, width)
    found = question.profiled([[2e6]])
    assert found.converged.all()
    assert found.chi2[0] == pytest.approx(by_hand.min(), abs=2e-3)
    assert found.chi2[0] <= by_hand.min() + 1e-7
    assert found.pulls[0, -1] == pytest.approx(angles[by_hand.argmin()], abs=0.05 * width)
    assert question.likelihood.pulls[-1].name == "sin2_theta_w"


def test_a_narrow_constraint_is_a_value_and_a_wide_one_weakens_the_limit(coherent):
    csi, scan = coherent["coherent-csi-2021"], ("m_zprime", 2e5, 2e7)

    def lower(fixed, widths=None):
        found = asking.limit(ZPRIME_331, [csi], {**BETA, **fixed}, scan, widths=widths)
        assert found.converged
        return found.values.profile.lower_limit

    fixed = lower({"sin2_theta_w": 0.235})
    assert lower({}, {"sin2_theta_w": (0.235, 1e-6)}) == pytest.approx(fixed, rel=1e-4)
    assert lower({}, {"sin2_theta_w": (0.235, 0.003)}) < 0.97 * fixed


def test_a_gaussian_count_with_a_constraint_in_closed_form(csi):
    """χ² of a strength μ = 1 ± w: n against μ s is that of one more pull of the rate, of width w."""
    closed = closed_form(csi.experiment.statistics)
    s = float(csi.counts(STANDARD_MODEL.couplings()).sum())
    held = {"binh2021-csi_signal": 0.0, "binh2021-csi_background": 0.0}
    question = Question.of(SCALED_STANDARD_MODEL, [csi], {}, {}, {**held, "signal_strength": (1.0, 0.2)})
    expected = (closed.observed - closed.background - s) ** 2 / (closed.variance + (0.2 * s) ** 2)
    assert question.profiled(np.empty((1, 0))).chi2[0] == pytest.approx(expected, rel=1e-6)


def test_its_centre_fluctuates_in_toys_as_that_of_a_pull_does(coherent):
    question, *_ = constrained(coherent["coherent-csi-2021"], 0.23, 0.004)
    best = question.profiled([[2e6]])
    toys = question.simulate([2e6], best.pulls[0], 4000, np.random.default_rng(1))
    assert toys.centres[:, -1].mean() == pytest.approx(best.pulls[0, -1], abs=4 * 0.004 / math.sqrt(4000))
    assert toys.centres[:, -1].std() == pytest.approx(0.004, rel=0.05)
    fitted = question.with_data(toys.at(np.arange(20))).profiled([[2e6]])
    alone = question.with_data(toys.at(np.array([7]))).profiled([[2e6]])
    assert fitted.converged.all()
    assert fitted.chi2[7] == pytest.approx(alone.chi2[0], abs=1e-6)
    assert np.corrcoef(fitted.pulls[:, -1], toys.centres[:20, -1])[0, 1] > 0.9


def test_expected_counts_are_those_of_the_fitted_value(coherent):
    question, *_ = constrained(coherent["coherent-csi-2021"], 0.23, 0.004)
    best = question.profiled([[2e6]])
    value = float(best.pulls[0, -1])
    plain = Question.of(
        ZPRIME_331, [coherent["coherent-csi-2021"]], {**BETA, "sin2_theta_w": value}, {"m_zprime": 2e6}
    )
    counts = question.components([2e6], best.pulls)["coherent-csi-2021"]["signal"]
    np.testing.assert_allclose(
        counts, plain.components([2e6], best.pulls[:, :-1])["coherent-csi-2021"]["signal"], rtol=1e-12
    )
    assert question.unprofiled([[2e6]], best.pulls)[0] == pytest.approx(best.chi2[0], abs=1e-8)


@pytest.mark.parametrize(
    ("fixed", "start", "widths", "text"),
    [
        (
            {},
            {"sin2_theta_w": 0.24},
            {"sin2_theta_w": (0.24, 0.1)},
            "sin2_theta_w is constrained, and set, free",
        ),
        (
            {"sin2_theta_w": 0.24},
            {},
            {"sin2_theta_w": (0.24, 0.1)},
            "sin2_theta_w is constrained, and set, free",
        ),
        ({}, {}, {"sin2_theta_w": (0.24, 0.0)}, "its width must be positive and finite"),
        ({}, {}, {"sin2_theta_w": (0.24, math.inf)}, "its width must be positive and finite"),
        ({}, {}, {"sin2_theta_w": (1.4, 0.1)}, "sin2_theta_w = 1.4 is not allowed"),
        ({}, {}, {"electroweak": (1.0, 0.1)}, "electroweak cannot be constrained: it is a choice"),
        ({}, {}, {"sin2": (0.24, 0.1)}, "unknown parameter 'sin2'"),
    ],
)
def test_what_cannot_be_is_refused(csi, fixed, start, widths, text):
    with pytest.raises(NurecoilError, match=text):
        asking.study(SCALED_STANDARD_MODEL, [csi], fixed, widths=widths).question(start)


@pytest.mark.parametrize("written", ["4.975fm+-0.095fm", "4.975+/-0.095fm", "4.975 ± 0.095 fm",
    "4975/1000 +- 9.5e-2 fm", "4.975e-15m+-0.095e-15m", ("4.975 fm", "0.095fm")])  # fmt: skip
def test_a_constraint_is_read_as_papers_write_it(written):
    study = nurecoil.Study("neutron-radii", "binh2021-csi", constrain={"rn_csi": written})
    assert study.widths["rn_csi"] == pytest.approx((4.975, 0.095), rel=1e-12)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("4.975fm", "rn_csi = 4.975fm is not of the form VALUE+-WIDTH"),
        ("4.975(95)fm", "is not of the form VALUE"),
        ("4.975+0.1-0.2fm", "is not of the form VALUE"),
        ("4.9+-0.1+-0.2fm", "is not of the form VALUE"),
        ("+-0.1fm", "is not of the form VALUE"),
        ("4.9fm+-", "is not of the form VALUE"),
        ("4.9fm+-2%", "it is not clear what the width is 2% of"),
        ("4.9fm+-0.1", "the width of rn_csi = 0.1 needs a unit"),
        (("4.9fm", 0.1), "the width of rn_csi = 0.1 has no unit"),
        ((4.9, "0.1fm"), "rn_csi = 4.9 has no unit"),
        (("4.9fm", True), "the width of rn_csi = True is not a number"),
        ((4.9,), "(4.9,), is not of the form VALUE"),
    ],
)
def test_a_constraint_that_may_be_another_is_refused(written, sentence):
    with pytest.raises(NurecoilError, match=re.escape(sentence)):
        nurecoil.Study("neutron-radii", "binh2021-csi", constrain={"rn_csi": written})


@pytest.mark.parametrize("asked", [{"prior": {"sin2_theta_w": 0.001}}, {"fix": "sin2_theta_w"}])
def test_a_prior_of_a_parameter_of_the_model_is_told_to_be_a_constraint(asked):
    with pytest.raises(NurecoilError, match="set it, or constrain it, sin2_theta_w=VALUE"):
        nurecoil.Study("standard-model", "binh2021-csi", **asked)


SEED = ("--model", "scaled-standard-model", "--experiment", "binh2021-csi")


def test_a_constraint_beside_the_end_of_a_model_is_followed(csi):
    """At β = −√3 and s_W² = 1/4 couplings are infinite: narrow, bent valleys of s_W² and the rate."""
    values = {"sin2_theta_w": (0.2499, 0.01)}
    study = asking.study(ZPRIME_331, [csi], BETA, widths=values)
    result = study.limit("m_zprime", (2e5, 1e7))
    assert result.converged
    curve = result.values.profile
    free = asking.study(ZPRIME_331, [csi], BETA).question({"m_zprime": 1e6, "sin2_theta_w": 0.24})
    angles = 0.25 - np.geomspace(1e-5, 0.05, 4000)
    for mass in (6e5, 1e6, 2e6):
        points = np.column_stack([np.full(angles.size, mass), angles])
        by_hand = free.chi2(points) + ((angles - 0.2499) / 0.01) ** 2
        found = np.interp(np.log(mass), np.log(curve.values), curve.delta_chi2) + curve.minimum
        assert found == pytest.approx(by_hand.min(), rel=2e-4)


def test_the_command_line_constrains_and_says_so():
    free = (*SEED, "--free", "binh2021-csi_signal=0", "--constrain", "signal_strength=0.9+-0.1")
    found = result("fit", *free)
    assert found["conventions"]["constraints"] == {"signal_strength": [0.9, 0.1]}
    assert found["pulls"]["signal_strength"]["prior_width"] == 0.1
    assert "signal_strength" not in found["parameters"]
    scan = (*SEED, "--scan", "signal_strength=0..3", "--constrain", "sin2_theta_w=0.23857±0.002")
    assert result("limit", *scan)["converged"]
