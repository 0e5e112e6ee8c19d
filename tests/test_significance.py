"""Discovery significance: probabilities in closed form, counting experiments, the published 11.5 σ."""

import importlib
import json
import math
from itertools import pairwise

import pytest

from asking import predict, significance
from nurecoil import cli
from nurecoil.errors import NurecoilError
from nurecoil.inference.significance import log_p_value, standard_deviations
from nurecoil.models import SCALED_STANDARD_MODEL
from releases import data_folder

STRENGTH, NOTHING = {"signal_strength": 1.0}, {"signal_strength": 0.0}
BACKGROUND = "binh2021-csi_background"


def expected_counts(compiled):
    return predict(SCALED_STANDARD_MODEL, compiled, {}).values.total


# --- probabilities ------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [0.0, 0.3, 7.0, 600.0, 1400.0, 3e4])
def test_p_values_follow_the_closed_forms_far_into_the_tail(x):
    assert log_p_value(x, 2) == pytest.approx(-x / 2, rel=1e-9, abs=1e-12)
    assert log_p_value(x, 4) == pytest.approx(-x / 2 + math.log1p(x / 2), rel=1e-9, abs=1e-12)
    six = -x / 2 + math.log(1 + x / 2 + x**2 / 8)
    assert log_p_value(x, 6) == pytest.approx(six, rel=1e-9, abs=1e-12)


def test_one_parameter_has_the_probability_of_a_gaussian():
    for z in (0.5, 1.0, 3.0, 5.0, 30.0):
        assert log_p_value(z * z, 1) == pytest.approx(math.log(math.erfc(z / math.sqrt(2))), rel=1e-9)
        half = math.log(0.5 * math.erfc(z / math.sqrt(2)))
        assert log_p_value(z * z, 1, one_sided=True) == pytest.approx(half, rel=1e-9)
        assert standard_deviations(z * z, 1) == pytest.approx(z)


def test_odd_degrees_of_freedom_join_their_asymptotic_series_smoothly():
    logs = [log_p_value(x, 3) for x in (1300.0, 1320.0, 1340.0, 1360.0)]
    steps = [b - a for a, b in pairwise(logs)]
    assert steps == pytest.approx([-10 + 10 / 1310, -10 + 10 / 1330, -10 + 10 / 1350], abs=1e-4)


def test_several_parameters_weaken_a_significance():
    # 2 [1 - Φ(Z)] = exp(-x/2)
    x = -2 * math.log(math.erfc(3 / math.sqrt(2)))
    assert standard_deviations(x, 2) == pytest.approx(3.0, rel=1e-9)
    assert standard_deviations(1e4, 2) == pytest.approx(99.95, abs=0.05)
    assert standard_deviations(1e4, 5) < standard_deviations(1e4, 2)
    assert standard_deviations(-1e-12, 1) == standard_deviations(0.0, 4) == 0.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [((1.0, 0), "degrees of freedom = 0 is not allowed"), ((math.nan, 1), "a Δχ² of nan is not allowed")],
)
def test_what_is_no_test_is_refused(arguments, sentence):
    with pytest.raises(NurecoilError, match=sentence):
        log_p_value(*arguments)
    with pytest.raises(NurecoilError, match="one-sided test is of one parameter"):
        log_p_value(1.0, 2, one_sided=True)


# --- a counting experiment ----------------------------------------------------------------------------


def test_no_signal_is_rejected_as_the_closed_form_says(csi):
    # (134 - 6)²/(950 + (0.25·6)²), and with n = s + 6 for the expected one
    result = significance(SCALED_STANDARD_MODEL, [csi], {}, STRENGTH, NOTHING)
    values = result.values
    assert values.observed.sigma == pytest.approx(128 / math.sqrt(952.25), rel=1e-6)
    assert values.expected.sigma == pytest.approx(expected_counts(csi) / math.sqrt(952.25), rel=1e-6)
    assert 10**values.observed.log10_p_value == pytest.approx(
        0.5 * math.erfc(128 / math.sqrt(2 * 952.25)), rel=1e-5
    )
    assert (values.one_sided, values.dof, result.converged) == (True, 1, True)
    assert values.best_fit["signal_strength"] == pytest.approx(128 / expected_counts(csi), rel=1e-5)
    assert values.truth == STRENGTH


def test_a_null_hypothesis_inside_the_bounds_is_tested_on_both_sides(csi):
    s = expected_counts(csi)
    values = significance(SCALED_STANDARD_MODEL, [csi], {}, STRENGTH, {"signal_strength": 1.0}).values
    sigma = (s - 128) / math.sqrt(952.25 + (0.28 * s) ** 2)
    assert values.observed.sigma == pytest.approx(sigma, rel=1e-6)
    assert 10**values.observed.log10_p_value == pytest.approx(math.erfc(sigma / math.sqrt(2)), rel=1e-6)
    assert (values.one_sided, values.expected, values.truth) == (False, None, None)  # null is the default


def test_what_the_null_hypothesis_does_not_name_is_fitted(csi):
    free = {**STRENGTH, BACKGROUND: 0.0}  # a background that floats explains all events
    values = significance(SCALED_STANDARD_MODEL, [csi], {}, free, NOTHING).values
    assert values.observed.delta_chi2 == pytest.approx(0.0, abs=1e-8)
    both = significance(SCALED_STANDARD_MODEL, [csi], {}, free, {**NOTHING, BACKGROUND: 0.0}).values
    assert both.observed.delta_chi2 == pytest.approx(128**2 / 950, rel=1e-6)
    assert both.dof == 2
    assert both.observed.sigma < math.sqrt(both.observed.delta_chi2)


def test_the_truth_may_be_chosen(csi):
    values = significance(
        SCALED_STANDARD_MODEL, [csi], {}, STRENGTH, NOTHING, truth={"signal_strength": 0.5}
    ).values
    assert values.expected.sigma == pytest.approx(0.5 * expected_counts(csi) / math.sqrt(952.25), rel=1e-6)


@pytest.mark.parametrize(
    ("null", "more", "sentence"),
    [
        ({}, {}, "needs a null hypothesis"),
        ({"sin2_theta_w": 0.2}, {}, "unknown free parameter 'sin2_theta_w'"),
        ({"signal_strength": -1.0}, {}, "signal_strength = -1 is not allowed"),
        (NOTHING, {"truth": {"beta": 1.0}}, "unknown free parameter 'beta'"),
        (NOTHING, {"truth": {"signal_strength": -2.0}}, "signal_strength = -2 is not allowed"),
        (NOTHING, {"starts": 0}, "starts = 0 is not allowed"),
    ],
)
def test_bad_hypotheses_are_refused(csi, null, more, sentence):
    with pytest.raises(NurecoilError, match=sentence):
        significance(SCALED_STANDARD_MODEL, [csi], {}, STRENGTH, null, **more)


# --- COHERENT -----------------------------------------------------------------------------------------


def test_published_exclusions_of_no_signal(coherent, monkeypatch):
    monkeypatch.setenv("NURECOIL_DATA", str(data_folder()))
    validation = importlib.import_module("nurecoil.validation.signal")
    csi, lar = coherent["coherent-csi-2021"], coherent["coherent-lar-2020"]
    widths = validation.free_signal(csi.experiment.statistics)
    found = significance(
        SCALED_STANDARD_MODEL, [csi], validation.RADIATIVE, STRENGTH, NOTHING, widths=widths
    ).values
    assert found.observed.sigma == pytest.approx(11.49, abs=0.01)  # published: 11.6 σ
    assert found.observed.log10_p_value == pytest.approx(-30.1, abs=0.1)
    template = validation.rescaled(lar, validation.release_template("coherent-lar-2020"))
    widths = validation.rates_alone(lar.experiment.statistics)
    found = significance(
        SCALED_STANDARD_MODEL, [template], validation.RADIATIVE, STRENGTH, NOTHING, widths=widths
    ).values
    assert found.observed.delta_chi2 == pytest.approx(15.04, abs=0.01)  # published: 15.0 (3.9 σ)


# --- the command --------------------------------------------------------------------------------------

COMMAND = ["significance", "--model", "scaled-standard-model", "--experiment", "binh2021-csi"]
COMMAND += ["--free", "signal_strength=1"]


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ending:
        cli.main([*COMMAND, *arguments])
    out, err = capsys.readouterr()
    return ending.value.code or 0, out, err


def test_the_command_prints_and_gives_json(capsys):
    status, out, _ = run(capsys, "--null", "signal_strength=0")
    assert status == 0
    for text in ("signal_strength = 0", "4.15 σ (Δχ² = 17.21, p = 1.7e-5)", "6.05 σ", "one-sided"):
        assert text in out
    status, out, _ = run(capsys, "--null", "signal_strength=1", "--json")
    found = json.loads(out)
    assert (status, found["expected"], found["one_sided"]) == (0, None, False)
    assert found["null"] == {"signal_strength": {"value": 1.0, "unit": ""}}


def test_bad_input_ends_in_one_sentence(capsys):
    status, out, err = run(capsys, "--null", "signal_strenght=0")
    assert (status, out) == (2, "")
    assert "did you mean 'signal_strength'" in err
