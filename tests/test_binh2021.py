"""The recomputed paper: its printed numbers, the verdicts, and the two files it writes."""

import json
import re

import numpy as np
import pytest

from nurecoil.papers import load_paper
from nurecoil.papers.binh2021.published import PrintedLimit
from nurecoil.papers.binh2021.verdicts import NOT_REPRODUCED, REPRODUCED, _thousands

PRINTED = {  # Table III of the paper
    "+sqrt3": {"500": 222, "1000": 196, "2000": 190, "4000": 189, "5000": 188},
    "-sqrt3": {"500": 411, "1000": 27, "2000": 134, "4000": 181, "5000": 179},
}


@pytest.fixture(scope="module")
def steps():
    return []


@pytest.fixture(scope="module")
def reproduction(steps):
    return load_paper("binh2021").reproduce(steps.append)


@pytest.fixture(scope="module")
def results(reproduction):
    return json.loads(json.dumps(reproduction.results, allow_nan=False))


def limit(results, experiment, beta, variant, nuisances, sigma=None):
    (found,) = [
        row
        for row in results["limits"]
        if (row["experiment"], row["beta"], row["variant"], row["nuisances"], row["sigma_sys"])
        == (experiment, beta, variant, nuisances, sigma)
    ]
    return found


def test_progress_is_told_of_each_step(reproduction, steps):
    assert len(steps) == load_paper("binh2021").steps


def test_table3_is_reproduced_but_for_one_entry(results):
    assert results["table3"]["printed"] == PRINTED
    off = [
        (beta, mass)
        for beta, row in PRINTED.items()
        for mass, printed in row.items()
        if abs(results["table3"]["numbers"][beta][mass] - printed) > 1
    ]
    assert off == [("-sqrt3", "4000")]
    # Q_W = a + b/m² through the printed entries at 2 and 5 TeV gives (√134 + k/16 ...)²: 174
    root2, root5 = np.sqrt(134), np.sqrt(179)
    slope = (root2 - root5) / (1 / 4 - 1 / 25)
    expected = (root5 + slope * (1 / 16 - 1 / 25)) ** 2
    assert results["table3"]["numbers"]["-sqrt3"]["4000"] == pytest.approx(expected, abs=0.5)
    assert expected == pytest.approx(174, abs=0.5)


def test_scaled_and_unscaled_differ_by_188_over_the_standard_model(results):
    factor = 188 / results["standard_model_totals"]["binh2021-csi"]
    table = results["table3"]
    for beta, row in PRINTED.items():
        for mass in row:
            assert table["numbers"][beta][mass] == pytest.approx(
                factor * table["numbers_unscaled"][beta][mass], rel=1e-12
            )
            assert table["equations_scaled"][beta][mass] == pytest.approx(
                factor * table["equations"][beta][mass], rel=1e-12
            )


def test_csi_limits_of_the_paper(results):
    # by hand, shared PHYSICS.md section 5: 413 GeV and 1.41 TeV with frozen pulls and N_SM = 188
    up = limit(results, "binh2021-csi", "+sqrt3", "numbers", "frozen")
    down = limit(results, "binh2021-csi", "-sqrt3", "numbers", "frozen")
    assert up["allowed_tev"] == [[pytest.approx(0.413, abs=5e-4), None]]
    assert down["allowed_tev"][0] == [pytest.approx(0.549, abs=1e-3), pytest.approx(0.606, abs=1e-3)]
    assert down["lower_limit_tev"] == pytest.approx(1.412, abs=1e-3)
    assert (up["printed_tev"], down["printed_tev"]) == (0.4, 1.4)


def test_profiled_limits_of_the_equations(results):
    # grid of an independent script: 0.135 and 1.48 TeV
    for beta, expected in (("+sqrt3", 0.135), ("-sqrt3", 1.479)):
        found = limit(results, "binh2021-csi", beta, "equations", "profiled")
        assert found["lower_limit_tev"] == pytest.approx(expected, rel=3e-3)


def test_the_limits_are_complete(results):
    # CsI and LAr once, three projections with two σ_sys each; two β, two variants, two treatments of pulls
    assert len(results["limits"]) == (2 + 3 * 2) * 2 * 2 * 2
    assert all(row["converged"] and row["cl"] == 0.9 for row in results["limits"])


def test_table1_in_the_results_is_the_printed_formula(results):
    s2, s13 = 0.23867, 0.03
    for label, beta in (("+sqrt3", 3**0.5), ("0", 0.0), ("-1/sqrt3", -(3**-0.5))):
        norm = 1 / np.sqrt(1 - (1 + beta**2) * s2) / (2 * np.sqrt(3))
        d = norm * (-1 + (1 - beta / np.sqrt(3)) * s2 + 2 * (1 - s2) * s13**2)
        u = norm * (-1 + (1 + 5 * beta / np.sqrt(3)) * s2)
        assert results["table1"][label]["d"]["gV"] == pytest.approx(d, rel=1e-12)
        assert results["table1"][label]["u"]["gV"] == pytest.approx(u, rel=1e-12)
    assert len(results["table1"]) == 7


def test_every_row_has_a_verdict_and_a_reason(results):
    assert len(results["verdicts"]) > 40
    for row in results["verdicts"]:
        assert row["verdict"] in {REPRODUCED, NOT_REPRODUCED, "input", "quoted"}
        assert row["printed"]
        assert row["why"].rstrip().endswith((".", "figure."))


def test_verdicts_on_the_limits(results):
    verdicts = {
        (row["where"], row["quantity"], row["printed"]): row["verdict"] for row in results["verdicts"]
    }
    limits = {
        key[2]: v for key, v in verdicts.items() if key[1].startswith("lower limit of") and v != "quoted"
    }
    assert limits == {
        "400 GeV": REPRODUCED,
        "1.4 TeV": REPRODUCED,
        "1.5 TeV": NOT_REPRODUCED,
        "0.5 TeV": REPRODUCED,
        "1.3 TeV": NOT_REPRODUCED,
        "1.9 TeV": NOT_REPRODUCED,
        "2.2 TeV": REPRODUCED,
        "3.1 TeV": NOT_REPRODUCED,
    }


def test_the_document_has_all_figures_and_tables(reproduction):
    names = {figure.name for figure in reproduction.document.figures}
    assert names == {"summary", *(f"fig{n}" for n in range(1, 9))}
    assert re.search(r"Of \d+ printed results \d+ are reproduced", reproduction.document.lead)


def test_r_w_is_positive_for_every_beta_in_figure_1(reproduction):
    figure = next(f for f in reproduction.document.figures if f.name == "fig1")
    equations, numbers = figure.panels
    assert len(equations.series) == 7
    assert all((series.y > 0).all() for series in equations.series)
    assert [np.sign(series.y[-1]) for series in numbers.series][:3] == [1, 1, 1]
    assert [np.sign(series.y[-1]) for series in numbers.series][4:] == [-1, -1, -1]


def test_figure_4_shows_the_released_data(reproduction):
    figure = next(f for f in reproduction.document.figures if f.name == "fig4")
    data = figure.panels[0].series[0]
    # C - AC of the release, as the issue prints them: 547 - 405 = 142
    assert data.y.sum() == 142
    assert data.y_error[0] == pytest.approx(np.sqrt(35 + 26), rel=1e-12)


@pytest.mark.parametrize(
    ("tev", "agrees"), [(0.351, True), (0.349, False), (0.413, True), (0.449, True), (None, False)]
)
def test_a_limit_agrees_within_half_a_unit_of_its_last_digit(tev, agrees):
    printed = PrintedLimit("IV", ("binh2021-csi",), "+sqrt3", 0.4, 0.1, "400 GeV")
    assert printed.agrees(tev) is agrees


@pytest.mark.parametrize(
    ("count", "text"), [(139.2, "139"), (5296.5, "5\u00a0300"), (21004.0, "21\u00a0000")]
)
def test_counts_are_rounded_to_two_digits_above_a_thousand(count, text):
    assert _thousands(count) == text
