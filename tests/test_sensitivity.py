"""Expected limits: closed forms of a counting experiment, projections, other truths."""

import json
import math

import pytest
from scipy.optimize import brentq

from asking import figure_of, predict, sensitivity
from nurecoil import cli
from nurecoil.errors import NurecoilError
from nurecoil.models import SCALED_STANDARD_MODEL, STANDARD_MODEL, ZPRIME_331

SCAN = ("signal_strength", 0.0, 3.0)
CL90 = 2.705543


def ends(s, true, level=CL90):
    """Return where [s (μ - true)]²/(950 + (0.28 s μ)² + 1.5²) is the level."""

    def excess(mu):
        return (s * (mu - true)) ** 2 / (952.25 + (0.28 * s * mu) ** 2) - level

    return brentq(excess, 0.0, true), brentq(excess, true, 5.0)


def test_the_expected_limit_is_the_closed_form_at_the_standard_model(csi):
    s = predict(STANDARD_MODEL, csi, {}).values.total
    result = sensitivity(SCALED_STANDARD_MODEL, [csi], {}, SCAN)
    (interval,) = result.values.expected.profile.intervals
    assert (interval.low, interval.high) == pytest.approx(ends(s, 1.0), rel=1e-6)
    assert result.values.expected.profile.best_fit == pytest.approx(1.0, abs=1e-6)
    assert result.values.expected.profile.minimum == pytest.approx(0.0, abs=1e-10)
    (observed,) = result.values.observed.profile.intervals
    assert (observed.low, observed.high) == pytest.approx(ends(s, 128 / s), rel=1e-6)
    assert (result.values.truth, result.converged, result.question) == (None, True, "sensitivity")


def test_another_truth(csi):
    s = predict(STANDARD_MODEL, csi, {}).values.total
    result = sensitivity(SCALED_STANDARD_MODEL, [csi], {}, SCAN, truth={"signal_strength": 0.8})
    (interval,) = result.values.expected.profile.intervals
    assert (interval.low, interval.high) == pytest.approx(ends(s, 0.8), rel=1e-6)
    both = {"signal_strength": 0.8, "sin2_theta_w": 0.3}  # the data at 0.3, the fit at the default
    seen = predict(SCALED_STANDARD_MODEL, csi, both).values.total
    for fixed in ({}, {"sin2_theta_w": 0.25}):
        expected = sensitivity(SCALED_STANDARD_MODEL, [csi], fixed, SCAN, truth=both).values.expected
        s = predict(STANDARD_MODEL, csi, fixed).values.total
        assert expected.profile.best_fit == pytest.approx(seen / s, rel=1e-5)


def test_what_the_truth_does_not_name_is_as_in_the_fit(csi):
    fixed = {"sin2_theta_w": 0.25, "electroweak": "radiative"}
    for truth, best in (({"signal_strength": 0.8}, 0.8), (None, 1.0)):
        expected = sensitivity(SCALED_STANDARD_MODEL, [csi], fixed, SCAN, truth=truth).values.expected
        assert expected.profile.best_fit == pytest.approx(best, rel=1e-5)


def test_a_projection_expects_what_it_observes(compiled):
    fixed = {"beta": -math.sqrt(3), "sin2_theta_w": 0.23867}
    values = sensitivity(ZPRIME_331, [compiled["binh2021-ge"]], fixed, ("m_zprime", 1e5, 1e8)).values
    assert values.expected.profile.lower_limit == pytest.approx(values.observed.profile.lower_limit, rel=1e-9)


def test_the_standard_model_is_where_its_own_parameter_is_found(coherent):
    values = sensitivity(
        STANDARD_MODEL, [coherent["coherent-csi-2021"]], {}, ("sin2_theta_w", 0.05, 0.5), points=101
    ).values
    assert values.expected.profile.best_fit == pytest.approx(0.23857, abs=1e-5)
    assert values.expected.profile.minimum == pytest.approx(0.0, abs=1e-7)
    assert values.observed.profile.minimum > 50


@pytest.mark.parametrize(
    ("truth", "sentence"),
    [
        ({"beta": 1.0}, "unknown parameter 'beta'"),
        ({"signal_strength": -1.0}, "signal_strength = -1 is not allowed"),
    ],
)
def test_bad_truths_are_refused(csi, truth, sentence):
    with pytest.raises(NurecoilError, match=sentence):
        sensitivity(SCALED_STANDARD_MODEL, [csi], {}, SCAN, truth=truth)


def test_the_figure_has_both_curves(csi):
    result = sensitivity(SCALED_STANDARD_MODEL, [csi], {}, SCAN, points=101)
    (panel,) = figure_of(result).panels
    assert [series.label for series in panel.series] == ["expected", "observed"]
    assert [reference.value for reference in panel.references] == pytest.approx([CL90], rel=1e-6)


def test_the_command(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["sensitivity", "--model", "scaled-standard-model", "--experiment", "binh2021-csi"]
    command += ["--scan", "signal_strength=0..3", "--points", "101"]
    with pytest.raises(SystemExit) as ending:
        cli.main([*command, "--plot", "x.png"])
    out, _ = capsys.readouterr()
    assert not ending.value.code
    assert "expected          0.6094 to 1.929" in out
    assert "data expected at  the Standard Model" in out
    assert (tmp_path / "x.png").stat().st_size > 10_000
    with pytest.raises(SystemExit):
        cli.main([*command, "--truth", "signal_strength=0.8", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["truth"] == {"signal_strength": {"value": 0.8, "unit": ""}}
    assert found["expected"]["best_fit"]["signal_strength"]["value"] == pytest.approx(0.8, abs=1e-5)
    assert found["observed"]["allowed"][0][1] == pytest.approx(1.3736, abs=1e-3)
