"""What two reviewers found: each fault, and its neighbours."""

import math
from dataclasses import replace

import pytest

import asking
import nurecoil
from asking import combine, fit, limit, significance
from command_line import result, run
from nurecoil.errors import NurecoilError
from nurecoil.experiment import compile_experiment
from nurecoil.models import NSI, SCALED_STANDARD_MODEL, ZPRIME_331
from nurecoil.study.question import Question
from nurecoil.verbs.fit import fit_of

HEAVY = {"beta": 0.0, "m_zprime": 2e6}
ANGLE = {"sin2_theta_w": (0.23857, 0.02)}


@pytest.mark.parametrize("start", [0.0, 1e-12, 1e-10, 1e-8, 1e-3])
@pytest.mark.parametrize("name", ["binh2021-csi", "binh2021-lar"])
def test_a_parameter_of_any_scale_is_fitted_from_any_start(compiled, name, start):
    """μ_ν acts at 1e-10 mu_B: the fit is never worse than no moment, and as low as the limit's curve."""
    found = fit(ZPRIME_331, [compiled[name]], HEAVY, {"mu_nu": start}).values.fit
    curve = limit(ZPRIME_331, [compiled[name]], HEAVY, ("mu_nu", 0.0, 1e-8)).values.profile
    assert found.converged
    assert found.minimum == pytest.approx(curve.minimum, abs=1e-6)
    assert found.values["mu_nu"] < 1e-10
    assert found.minos["mu_nu"][1] < 1e-8


def test_a_moment_fitted_to_real_data_leaves_the_signal_on(coherent):
    found = fit(ZPRIME_331, [coherent["coherent-csi-2021"]], HEAVY, {"mu_nu": 0.0}).values.fit
    assert found.minimum == pytest.approx(81.83, abs=0.02)


def test_constraints_in_combine_and_significance(compiled):
    pair = [compiled["binh2021-csi"], compiled["binh2021-lar"]]
    answer = combine(SCALED_STANDARD_MODEL, pair, {}, ("signal_strength", 0.0, 3.0), widths=ANGLE)
    alone = limit(
        SCALED_STANDARD_MODEL, pair[:1], {}, ("signal_strength", 0.0, 3.0), widths=ANGLE
    ).values.profile
    assert answer.values.alone[0].profile.intervals[0].high == pytest.approx(
        alone.intervals[0].high, rel=1e-9
    )
    free, null = {"signal_strength": 1.0}, {"signal_strength": 0.0}
    found = significance(SCALED_STANDARD_MODEL, pair[:1], {}, free, null, widths=ANGLE).values
    assert found.observed.sigma == pytest.approx(4.15, abs=0.01)  # no signal knows no angle


@pytest.mark.parametrize("end", [1.6e6, 3e6, 1e8])
def test_feldman_cousins_counts_from_where_a_parameter_decouples(csi, end):
    fixed = {"beta": -math.sqrt(3)}
    found = asking.feldman_cousins(
        ZPRIME_331, [csi], fixed, ("m_zprime", 3e5, end), toys=100, points=5, rounds=0
    ).values.calibration
    curve = limit(ZPRIME_331, [csi], fixed, ("m_zprime", 3e5, 1e8)).values.profile
    assert found.wilks.lower_limit == pytest.approx(curve.lower_limit, rel=1e-6)


@pytest.mark.parametrize("start", [1e6, 1e12, 1e36])
def test_what_decouples_is_no_best_fit_wherever_it_begins(csi, start):
    fitted = fit(ZPRIME_331, [csi], {"beta": -math.sqrt(3)}, {"m_zprime": start})
    assert not fitted.converged
    assert list(fitted.values.fit.flat) == ["m_zprime"]


def test_the_standard_model_may_be_the_null_hypothesis(csi):
    fixed = {"beta": -math.sqrt(3), "variant": "numbers"}
    found = significance(ZPRIME_331, [csi], fixed, {"m_zprime": 1e6}, {"m_zprime": math.inf}).values
    assert found.observed.delta_chi2 == pytest.approx(0.938, abs=1e-3)
    with pytest.raises(NurecoilError, match="m_zprime = inf TeV is not allowed"):
        fit(ZPRIME_331, [csi], fixed, {"m_zprime": math.inf})


@pytest.mark.parametrize("value", [-1.0, 0.0, math.nan, math.inf])
def test_an_edit_that_leaves_no_experiment_is_refused(value):
    experiment = nurecoil.load_experiment("binh2021-csi")
    for edited in (
        replace(experiment, mass_kg=value),
        replace(experiment, exposure=replace(experiment.exposure, baseline_m=value)),
        replace(experiment, exposure=replace(experiment.exposure, protons_on_target=value)),
    ):
        with pytest.raises(NurecoilError, match=f"= {value} of binh2021-csi is not allowed"):
            compile_experiment(edited)


@pytest.mark.parametrize(
    ("part", "value", "sentence"),
    [
        ("name", 5, "name of an experiment = 5 is not allowed"),
        ("target", "Xe", "target of an experiment = 'Xe' is not allowed: it must be a Material"),
        ("flux", None, "flux of an experiment = None"),
        ("statistics", None, "statistics of an experiment = None"),
        ("exposure", None, "exposure of an experiment = None is not allowed: it must be a source"),
        ("axes", None, "axes of an experiment = None is not allowed: it must be a tuple, each an Axis"),
        ("axes", ("T",), "axes of an experiment = .* is not allowed"),
        ("axes", (), "number of observed counts of coherent-csi-2021 = 99 is not allowed: it must be 1"),
    ],
)
def test_an_edit_to_another_kind_is_one_sentence(coherent, part, value, sentence):
    edited = replace(coherent["coherent-csi-2021"].experiment, **{part: value})
    with pytest.raises(NurecoilError, match=sentence):
        compile_experiment(edited)


@pytest.mark.parametrize("width", [1e-30, 0.0, -1.0, math.nan])
def test_a_constraint_without_width_is_refused(csi, width):
    with pytest.raises(NurecoilError, match="its width must be positive and finite"):
        asking.study(SCALED_STANDARD_MODEL, [csi], widths={"sin2_theta_w": (0.23857, width)})


def test_the_reason_beside_the_answer_is_the_reason():
    status, out, _ = run("fit", "--model", "331-beta", "--experiment", "binh2021-csi", "--set", "beta=-1",
                         "--free", "m_zprime=1TeV")  # fmt: skip
    assert status == 3
    assert "converged  NO: there is no best fit" in out


def test_a_parameter_that_does_nothing_is_said_to():
    found = result("limit", "--model", "nsi", "--experiment", "binh2021-csi", "--scan", "eps_u_tautau=-1..1")
    assert any("χ² does not depend on eps_u_tautau" in note for note in found["notes"])
    assert not any("edge" in note for note in found["notes"])


def test_one_valley_is_not_listed_as_many_minima(csi):
    free = {"signal_strength": 1.0, "binh2021-csi_signal": 0.0}
    found = fit_of(Question.of(SCALED_STANDARD_MODEL, [csi], {}, free)).values.fit
    assert set(found.flat) == set(free)
    assert found.others == ()


def test_couplings_that_act_on_nothing_are_flat(csi):
    found = fit(NSI, [csi], {}, {"eps_u_tautau": 0.1}).values.fit
    assert list(found.flat) == ["eps_u_tautau"]
