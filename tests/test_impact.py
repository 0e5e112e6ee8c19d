"""Impact of systematics: closed forms, brute force, the figure."""

import json

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from asking import figure_of, fit, impact, predict
from closed_form import closed_form
from nurecoil import cli
from nurecoil.errors import NurecoilError
from nurecoil.models import SCALED_STANDARD_MODEL, STANDARD_MODEL, ZPRIME_331
from nurecoil.presentation import figures

STRENGTH = {"signal_strength": 1.0}
RADIATIVE = {"electroweak": "radiative"}


def test_one_number_and_a_free_strength_leave_the_pulls_at_their_priors(csi):
    # 134 = s μ (1 + a) + 6 (1 + b) always has a solution: μ = μ₀/(1 + a), μ = μ₀ - 6 b/s
    s = predict(STANDARD_MODEL, csi, {}).values.total
    best = 128 / s
    values = impact(SCALED_STANDARD_MODEL, [csi], {}, STRENGTH).values
    signal, background = values.rows
    assert signal.pull.name == "binh2021-csi_signal"
    for row in values.rows:
        assert row.pulled == pytest.approx(0.0, abs=1e-5)
        assert row.error == pytest.approx((1.0, 1.0), rel=1e-3)
        assert row.pre_fit == pytest.approx(row.post_fit, rel=2e-3)
    assert signal.pre_fit == pytest.approx((best / 0.72 - best, best / 1.28 - best), rel=1e-5)
    assert background.pre_fit == pytest.approx((1.5 / s, -1.5 / s), rel=1e-4)
    assert values.fit.values["signal_strength"] == pytest.approx(best, rel=1e-5)


def test_two_experiments_as_brute_force_finds(compiled):
    """What CsI's pull of its rate does when argon constrains the strength, all else in closed form."""
    csi, lar = compiled["binh2021-csi"], compiled["binh2021-lar"]
    s1, s2 = (predict(STANDARD_MODEL, each, {}).values.total for each in (csi, lar))
    closed = closed_form(lar.experiment.statistics)
    n2, variance, width = closed.observed - closed.background, closed.variance, closed.signal_width

    def lowest(a):
        def chi2(mu):
            first = (128 - s1 * mu * (1 + a)) ** 2 / 952.25
            return first + (n2 - s2 * mu) ** 2 / (variance + (width * s2 * mu) ** 2) + (a / 0.28) ** 2

        found = minimize_scalar(chi2, bounds=(0.1, 3), method="bounded", options={"xatol": 1e-10})
        return found.fun, found.x

    best = minimize_scalar(lambda a: lowest(a)[0], bounds=(-0.5, 0.5), method="bounded",
                           options={"xatol": 1e-9}).x  # fmt: skip
    minimum, strength = lowest(best)
    ends = [brentq(lambda a: lowest(a)[0] - minimum - 1, *sorted((best, best + d))) for d in (-0.45, 0.45)]
    values = impact(SCALED_STANDARD_MODEL, [csi, lar], {}, STRENGTH).values
    row = {row.pull.name: row for row in values.rows}["binh2021-csi_signal"]
    assert row.value == pytest.approx(best, abs=1e-5)
    assert row.pulled == pytest.approx(best / 0.28, abs=1e-4)
    assert row.error == pytest.approx([abs(end - best) / 0.28 for end in ends], rel=1e-3)
    assert row.post_fit == pytest.approx([lowest(end)[1] - strength for end in ends], rel=2e-3)
    assert row.pre_fit == pytest.approx(
        [lowest(best + side * 0.28)[1] - strength for side in (-1, 1)], rel=1e-3
    )
    assert values.fit.minimum == pytest.approx(minimum, abs=1e-6)


def test_a_normalisation_moves_the_strength_by_its_own_factor(coherent):
    # an 11 % normalisation, multiplied by 1.1^t, changes nothing but the strength: by 1.1^-t
    result = impact(SCALED_STANDARD_MODEL, [coherent["coherent-csi-2021"]], RADIATIVE, STRENGTH)
    values = result.values
    rows = {row.pull.name: row for row in values.rows}
    flux = rows["sns_flux"]
    factor = 1 + flux.pull.prior_width
    assert flux.post_fit == pytest.approx(
        (
            values.fit.values["signal_strength"] * (factor - 1),
            values.fit.values["signal_strength"] * (1 / factor - 1),
        ),
        rel=2e-3,
    )
    assert (flux.pulled, flux.error) == (pytest.approx(0, abs=1e-4), pytest.approx((1, 1), rel=1e-3))
    assert [row.size for row in values.rows] == sorted((row.size for row in values.rows), reverse=True)
    best = fit(SCALED_STANDARD_MODEL, [coherent["coherent-csi-2021"]], RADIATIVE, STRENGTH).values
    for name, row in rows.items():
        assert row.value == pytest.approx(best.pulls[name], abs=1e-3 * (row.pull.prior_width or 1))
    assert values.fit.minos["signal_strength"] == pytest.approx(best.fit.minos["signal_strength"], rel=1e-6)
    assert result.converged


def test_the_parameter_of_interest_may_be_any_free_one(csi):
    with pytest.raises(NurecoilError, match="unknown free parameter 'beta'"):
        impact(SCALED_STANDARD_MODEL, [csi], {}, STRENGTH, of="beta")
    values = impact(
        SCALED_STANDARD_MODEL, [csi], {"signal_strength": 0.68}, {"binh2021-csi_background": 0.0}
    ).values
    assert [row.pull.name for row in values.rows] == ["binh2021-csi_signal"]
    # 6 (1 + b) = 134 - 0.68 s (1 + a)
    s = predict(STANDARD_MODEL, csi, {}).values.total
    assert values.rows[0].pre_fit == pytest.approx((0.28 * 0.68 * s / 6, -0.28 * 0.68 * s / 6), rel=1e-3)


def test_a_plateau_cannot_be_moved(csi):
    with pytest.raises(NurecoilError, match="no systematic can move m_zprime: χ² is flat in it"):
        impact(ZPRIME_331, [csi], {"beta": 0.0}, {"m_zprime": 1e7})


def test_without_a_prior_there_is_no_systematic(csi):
    widths = {"binh2021-csi_signal": 0.0, "binh2021-csi_background": 0.0}
    with pytest.raises(NurecoilError, match="no nuisance parameter has a prior"):
        impact(SCALED_STANDARD_MODEL, [csi], {}, STRENGTH, widths=widths)


def test_the_figure_ranks_and_pulls(csi, tmp_path, monkeypatch):
    result = impact(SCALED_STANDARD_MODEL, [csi], {}, STRENGTH)
    figure = figure_of(result)
    impacts, pulls = figure.panels
    assert impacts.rows == ("signal", "background")
    assert figure.title == f"Impact of systematics on ${result.values.parameter.latex}$"
    down = impacts.bars[2]
    assert down.high == pytest.approx([row.post_fit[0] for row in result.values.rows])
    np.testing.assert_allclose(pulls.bars[0].points, [0, 0], atol=1e-5)
    assert figures.save(figure, tmp_path)["png"].stat().st_size > 10_000
    monkeypatch.setattr("nurecoil.verbs.impact._MOST_BARS", 1)
    assert len(figure_of(result).panels[0].rows) == 1


def test_the_command(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["impact", "--model", "scaled-standard-model", "--experiment", "binh2021-csi"]
    command += ["--free", "signal_strength=1"]
    with pytest.raises(SystemExit) as ending:
        cli.main([*command, "--plot", "x.png"])
    out = capsys.readouterr().out
    assert not ending.value.code
    assert "signal_strength  0.68509 -0.21 +0.33" in out
    assert "-1.00 +1.00" in out
    assert "Pull and error in prior widths, and the impact on signal_strength" in out
    assert (tmp_path / "x.png").exists()
    with pytest.raises(SystemExit):
        cli.main([*command, "--fix", "binh2021-csi_background", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert list(found["pulls"]) == ["binh2021-csi_signal"]
    assert found["pulls"]["binh2021-csi_signal"]["pre_fit"] == pytest.approx([0.266, -0.150], abs=1e-3)
    with pytest.raises(SystemExit) as ending:
        cli.main([*command, "--of", "beta"])
    assert "unknown free parameter 'beta'" in capsys.readouterr().err
