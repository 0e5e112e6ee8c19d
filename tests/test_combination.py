"""Combination and compatibility of experiments: Gaussian measurements in closed form."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from asking import combine, figure_of, predict
from closed_form import closed_form
from nurecoil import Study, cli
from nurecoil.errors import NurecoilError
from nurecoil.models import SCALED_STANDARD_MODEL, STANDARD_MODEL
from nurecoil.presentation import figures

ONE_SIGMA = 0.6826894921370859
SCAN = ("signal_strength", 0.0, 3.0)


def named(compiled, name):
    """Return another detector that saw and expects the same, with pulls of its own."""
    statistics = compiled.experiment.statistics
    signal, *backgrounds = (
        replace(c, rates=tuple(replace(pull, name=f"{name}_{pull.name}") for pull in c.rates))
        for c in statistics.components
    )
    statistics = replace(statistics, signal=signal, backgrounds=tuple(backgrounds))
    mass_kg = compiled.experiment.mass_kg + len(name)
    other = replace(compiled.experiment, name=name, mass_kg=mass_kg, statistics=statistics)
    return replace(compiled, experiment=other)


def exact(*experiments):
    """Return prior widths that hold all pulls."""
    return {p.name: 0.0 for each in experiments for p in each.experiment.statistics.pulls}


def measurement(compiled, observed, background, variance):
    """Return best fit and error of the strength without systematics."""
    s = predict(STANDARD_MODEL, compiled, {}).values.total
    return (observed - background) / s, math.sqrt(variance) / s


def half_width(found):
    (interval,) = found.profile.intervals
    return (interval.high - interval.low) / 2


def test_two_identical_experiments_have_the_error_over_root_two(csi):
    pair = [csi, named(csi, "twin")]
    values = combine(SCALED_STANDARD_MODEL, pair, {}, SCAN, cl=ONE_SIGMA, widths=exact(*pair)).values
    best, error = measurement(csi, 134, 6, 950)
    for found in values.alone:
        assert found.profile.best_fit == pytest.approx(best, rel=1e-6)
        assert half_width(found) == pytest.approx(error, rel=1e-6)
    assert values.together.profile.best_fit == pytest.approx(best, rel=1e-6)
    assert half_width(values.together) == pytest.approx(error / math.sqrt(2), rel=1e-6)
    assert values.compatibility.chi2 == pytest.approx(0.0, abs=1e-9)
    assert values.compatibility.p_value == pytest.approx(1.0, abs=1e-4)
    assert (values.without, values.shared) == ((), ())


def test_two_gaussian_measurements_agree_as_their_distance_says(compiled):
    csi, lar = compiled["binh2021-csi"], compiled["binh2021-lar"]
    result = combine(SCALED_STANDARD_MODEL, [csi, lar], {}, SCAN, cl=ONE_SIGMA, widths=exact(csi, lar))
    statistics = lar.experiment.statistics
    closed = closed_form(statistics)
    (x1, e1), (x2, e2) = (
        measurement(csi, 134, 6, 950),
        measurement(lar, closed.observed, closed.background, closed.variance),
    )
    pull = (x1 - x2) ** 2 / (e1**2 + e2**2)
    agree = result.values.compatibility
    assert (agree.chi2, agree.dof) == (pytest.approx(pull, rel=1e-6), 1)
    assert agree.p_value == pytest.approx(math.erfc(math.sqrt(pull / 2)), rel=1e-6)
    assert agree.sigma == pytest.approx(math.sqrt(pull), rel=1e-6)
    mean = (x1 / e1**2 + x2 / e2**2) / (1 / e1**2 + 1 / e2**2)
    assert result.values.together.profile.best_fit == pytest.approx(mean, rel=1e-6)
    assert result.converged


def test_each_of_three_is_left_out_once(compiled):
    csi, lar = compiled["binh2021-csi"], compiled["binh2021-lar"]
    three = [csi, lar, named(csi, "third")]
    values = combine(SCALED_STANDARD_MODEL, three, {}, SCAN).values
    assert [found.experiments for found in values.without] == [
        ("binh2021-lar", "third"),
        ("binh2021-csi", "third"),
        ("binh2021-csi", "binh2021-lar"),
    ]
    assert values.without[1].name == "without binh2021-lar"
    pair = combine(SCALED_STANDARD_MODEL, [csi, lar], {}, SCAN).values
    assert values.without[2].profile.intervals == pair.together.profile.intervals
    assert values.compatibility.dof == 2


def test_a_shared_nuisance_parameter_is_said(csi):
    twin = replace(csi, experiment=replace(csi.experiment, name="twin", mass_kg=14.5))
    result = combine(SCALED_STANDARD_MODEL, [csi, twin], {}, SCAN)
    assert result.values.shared == ("binh2021-csi_signal", "binh2021-csi_background")
    assert any(note.startswith("experiments share binh2021-csi_signal") for note in result.notes)
    held = combine(SCALED_STANDARD_MODEL, [csi, twin], {}, SCAN, widths=exact(csi))
    assert held.values.shared == ()


def test_a_best_fit_at_the_edge_is_said(compiled):
    pair = [compiled["binh2021-csi"], compiled["binh2021-lar"]]
    result = combine(SCALED_STANDARD_MODEL, pair, {}, ("signal_strength", 0.75, 3.0))
    assert any("the best fit of binh2021-csi lies at the edge" in note for note in result.notes)
    # there CsI alone is no perfect fit, by (128 - 0.75 s)²/(952.25 + (0.28·0.75 s)²)
    counts = 0.75 * predict(STANDARD_MODEL, compiled["binh2021-csi"], {}).values.total
    alone = (128 - counts) ** 2 / (952.25 + (0.28 * counts) ** 2)
    together = result.values.together.profile.minimum
    assert result.values.compatibility.chi2 == pytest.approx(together - alone, rel=1e-6)


def test_bad_combinations_are_refused(compiled):
    csi, lar = compiled["binh2021-csi"], compiled["binh2021-lar"]
    with pytest.raises(NurecoilError, match="1 experiment cannot be combined"):
        combine(SCALED_STANDARD_MODEL, [csi], {}, SCAN)
    with pytest.raises(NurecoilError, match="experiment binh2021-csi is given 2 times"):
        combine(SCALED_STANDARD_MODEL, [csi, csi], {}, SCAN)
    with pytest.raises(NurecoilError, match="binh2021-csi_signal is no parameter of binh2021-lar"):
        combine(STANDARD_MODEL, [csi, lar], {}, ("binh2021-csi_signal", -0.5, 0.5))


def test_the_figure_has_a_row_for_each(compiled, tmp_path):
    csi, lar = compiled["binh2021-csi"], compiled["binh2021-lar"]
    figure = figure_of(combine(SCALED_STANDARD_MODEL, [csi, lar, named(csi, "third")], {}, SCAN))
    (chart,) = figure.panels
    assert len(chart.rows) == 7
    assert chart.rows[-1] == "together"
    assert [bars.label for bars in chart.bars] == [
        "one alone",
        "all but one",
        "all",
        "best fit (dashed: of all)",
    ]
    rows = figures.save(figure, tmp_path)["csv"].read_text().splitlines()
    assert sum("one alone: " in row for row in rows) == 3


def test_the_command(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["combine", "--model", "scaled-standard-model", "--experiment", "binh2021-csi"]
    command += ["--experiment", "binh2021-lar", "--scan", "signal_strength=0..3"]
    with pytest.raises(SystemExit) as ending:
        cli.main([*command, "--plot", "x.png"])
    out = capsys.readouterr().out
    assert not ending.value.code
    assert "0.25 for 1 degree of freedom" in out
    assert (tmp_path / "x.png").stat().st_size > 10_000
    with pytest.raises(SystemExit):
        cli.main([*command, "--cl", "68%", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert list(found["results"]) == ["binh2021-csi", "binh2021-lar", "together"]
    best = found["results"]["together"]["best_fit"]["signal_strength"]["value"]
    assert best == pytest.approx(0.8096, abs=1e-3)
    assert found["compatibility"]["dof"] == 1


def test_toys_of_two_gaussian_measurements_follow_chi2(compiled):
    csi, lar = compiled["binh2021-csi"], compiled["binh2021-lar"]
    study = Study(SCALED_STANDARD_MODEL, [csi, lar], fix=list(exact(csi, lar)))
    agree = study.combine("signal_strength", (0, 3), toys=2000, seed=2).values.compatibility
    statistic = agree.toys.statistic
    assert agree.toys.not_converged == 0
    assert statistic.mean() == pytest.approx(1.0, abs=4 * math.sqrt(2 / 2000))  # χ² of 1: mean 1, variance 2
    assert statistic.var() == pytest.approx(2.0, rel=0.25)
    assert agree.toys.p_value == pytest.approx(agree.p_value, abs=4 * agree.toys.error)
    # With the truth at the end of the range, both fit best there in a quarter of the toys: χ²_PG = 0
    at_end = study.combine("signal_strength", (3, 5), toys=400).values.compatibility.toys.statistic
    assert (np.abs(at_end) < 1e-6).mean() == pytest.approx(0.25, abs=0.09)


def test_toys_share_what_experiments_share(csi):
    # The signal's pull moves both alike, and alone it is free with the strength: χ²_PG = (n1 - n2)²/2σ²,
    # which is χ² of one degree of freedom however large the pull
    twin = replace(csi, experiment=replace(csi.experiment, name="twin", mass_kg=14.5))
    result = Study(SCALED_STANDARD_MODEL, [csi, twin], fix="binh2021-csi_background").combine(
        "signal_strength", (0, 4), toys=1000
    )
    statistic = result.values.compatibility.toys.statistic
    assert statistic.mean() == pytest.approx(1.0, abs=4 * math.sqrt(2 / 1000))
    assert not [note for note in result.notes if "approximate" in note]
    record = result.values.record(result)["compatibility"]["toys"]
    assert record["number"] == 1000
    assert 0 <= record["p_value"] <= 1


def test_toys_need_a_parameter_of_the_model(csi):
    twin = replace(csi, experiment=replace(csi.experiment, name="twin", mass_kg=14.5))
    study = Study(SCALED_STANDARD_MODEL, [csi, twin])
    with pytest.raises(NurecoilError, match="binh2021-csi_signal is a pull"):
        study.combine("binh2021-csi_signal", (-1, 1), toys=10)
