"""Goodness of fit: closed forms of counting experiments, toys against asymptotics, low counts."""

import json
import math

import numpy as np
import pytest

from asking import goodness, predict
from nurecoil import cli
from nurecoil.errors import NurecoilError
from nurecoil.models import SCALED_STANDARD_MODEL, STANDARD_MODEL
from nurecoil.verbs import goodness as fit_quality

STRENGTH = {"signal_strength": 1.0}


def test_a_model_without_free_parameters(csi):
    # (128 - N)²/(952.25 + (0.28 N)²); of it residual²/950 is the count's, the rest the priors'
    N = predict(STANDARD_MODEL, csi, {}).values.total
    total = 952.25 + (0.28 * N) ** 2
    values = goodness(STANDARD_MODEL, [csi], {}, {}).values
    assert values.chi2 == pytest.approx((128 - N) ** 2 / total, rel=1e-9)
    assert values.contributions["binh2021-csi"].chi2 == pytest.approx(950 * (128 - N) ** 2 / total**2)
    assert values.priors == pytest.approx((total - 950) * (128 - N) ** 2 / total**2)
    assert values.p_value == pytest.approx(math.erfc(math.sqrt(values.chi2 / 2)), rel=1e-9)
    assert (values.bins, values.fitted, values.dof, values.toys) == (1, 0, 1, None)


def test_toys_agree_with_asymptotics_where_those_hold(csi):
    values = goodness(STANDARD_MODEL, [csi], {}, {}, toys=4000, seed=3).values
    assert abs(values.toys.p_value - values.p_value) < 4 * values.toys.error
    assert values.toys.error == pytest.approx(
        math.sqrt(values.p_value * (1 - values.p_value) / 4000), rel=0.05
    )
    assert (values.toys.converged, values.toys.seed) == (4000, 3)
    # pulls refitted: each toy's χ² is that of one Gaussian number
    assert values.toys.statistic.mean() == pytest.approx(1.0, abs=4 * math.sqrt(2 / 4000))


def test_free_parameters_are_fitted_to_each_toy(compiled):
    pair = [compiled["binh2021-csi"], compiled["binh2021-lar"]]
    values = goodness(SCALED_STANDARD_MODEL, pair, {}, STRENGTH, toys=2000).values
    assert (values.bins, values.fitted, values.dof) == (2, 1, 1)
    assert values.toys.statistic.mean() == pytest.approx(1.0, abs=0.15)  # 2 if the strength were not refitted
    assert values.chi2 == pytest.approx(0.247285, abs=1e-5)
    assert values.p_value == pytest.approx(0.619, abs=1e-3)


def test_many_toys_come_in_chunks(csi, monkeypatch):
    monkeypatch.setattr(fit_quality, "_CHUNK_NUMBERS", 300)
    values = goodness(STANDARD_MODEL, [csi], {}, {}, toys=1000).values
    assert len(values.toys.statistic) == values.toys.converged == len(set(values.toys.statistic)) == 1000
    assert values.toys.statistic.mean() == pytest.approx(1.0, abs=4 * math.sqrt(2 / 1000))


def test_the_same_seed_gives_the_same_toys(csi):
    first, second, other = (
        goodness(STANDARD_MODEL, [csi], {}, {}, toys=50, seed=seed).values.toys.statistic
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_what_no_toy_reaches_has_an_error_all_the_same(csi):
    values = goodness(SCALED_STANDARD_MODEL, [csi], {"signal_strength": 0.0}, {}, toys=100).values
    assert values.toys.p_value == 0.0
    assert 0 < values.toys.error < 0.02
    assert values.p_value == pytest.approx(math.erfc(128 / math.sqrt(2 * 952.25)), rel=1e-6)


def test_low_counts_need_toys(coherent):
    # 99 bins, many nearly empty: the asymptotic p is wrong, and the note says so
    result = goodness(STANDARD_MODEL, [coherent["coherent-csi-2021"]], {}, {"sin2_theta_w": 0.24}, toys=200)
    values = result.values
    assert (values.bins, values.dof) == (99, 98)
    assert values.chi2 == pytest.approx(values.priors + values.contributions["coherent-csi-2021"].chi2)
    assert values.chi2 == pytest.approx(81.6, abs=0.1)
    assert values.toys.statistic.mean() == pytest.approx(99.7, abs=4)
    assert any("fewer than 5 counts" in note and "trust the toys" in note for note in result.notes)
    assert result.converged


def test_a_floating_nuisance_parameter_is_a_fitted_one(csi):
    with pytest.raises(NurecoilError, match="1 bin cannot test a fit of 1 parameters"):
        goodness(STANDARD_MODEL, [csi], {}, {}, widths={"binh2021-csi_signal": math.inf})


def test_bad_numbers_of_toys_are_refused(csi):
    for toys in (-1, 2.5):
        with pytest.raises(NurecoilError, match=r"toys = .* is not allowed"):
            goodness(STANDARD_MODEL, [csi], {}, {}, toys=toys)


COMMAND = ["goodness", "--model", "standard-model", "--experiment", "binh2021-csi"]


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ending:
        cli.main([*COMMAND, *arguments])
    out, err = capsys.readouterr()
    return ending.value.code or 0, out, err


def test_the_command(capsys):
    status, out, _ = run(capsys, "--toys", "100", "--seed", "4")
    assert status == 0
    assert "(100 toys, seed 4)" in out
    assert "priors of nuisance parameters" in out
    status, out, _ = run(capsys, "--set", "sin2_theta_w=0.23867", "--json")
    found = json.loads(out)
    assert found["chi2"] == pytest.approx(0.941, abs=1e-3)
    assert (found["dof"], found["toys"], found["best_fit"]) == (1, None, {})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("--toys", "-5"), "toys = -5 is not allowed"), (("--seed", "-5"), "seed = -5 is not allowed"),
     (("--free", "sin2_theta_w=0.2"), "1 bin cannot test a fit of 1 parameters")],
)  # fmt: skip
def test_bad_input_ends_in_one_sentence(capsys, arguments, sentence):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert sentence in err
