"""The command line: what it prints, what it writes, and how it refuses."""

import errno
import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

from command_line import result, run
from nurecoil import cli, papers
from nurecoil.errors import NurecoilError
from nurecoil.presentation import figures, terminal
from nurecoil.study.ledger import ledger
from stand_ins import REPORT, fake_paper

SM = ["predict", "--model", "standard-model", "--experiment", "binh2021-csi"]
PREDICT = ["predict", "--model", "331-beta", "--experiment", "binh2021-csi"]
POINT = [*PREDICT, "--set", "beta=1/sqrt(3)", "--set", "m_zprime=2TeV"]
LIMIT = ["limit", "--model", "331-beta", "--experiment", "binh2021-csi", "--set", "beta=-sqrt(3)"]
SCAN = ["--scan", "m_zprime=0.1TeV..100TeV"]
SEED = ["--set", "sin2_theta_w=0.23867", "--set", "variant=numbers", "--freeze-at", "3TeV"]


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def files(folder="."):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))


# --- predict ------------------------------------------------------------------------------------------


def test_predict_gives_the_seeds_standard_model_count():
    got = result(*SM, "--set", "sin2_theta_w=0.23867")
    assert got["total"] == pytest.approx(186.95, abs=0.01)
    assert got["total"] == got["standard_model_total"] == pytest.approx(sum(got["counts"]), rel=1e-12)
    assert len(got["bin_edges"]) == len(got["counts"]) + 1
    assert (got["observable"], got["notes"]) == ("PE", [])
    assert got["conventions"]["experiments"]["binh2021-csi"]["form_factor"].startswith(
        "Helm as in Binh et al."
    )


def test_predict_says_which_parameters_it_used_in_the_units_of_the_border():
    got = result(*POINT, "--set", "mu_nu=2.9e-11")["parameters"]
    assert got["m_zprime"] == {"value": pytest.approx(2.0), "unit": "TeV"}
    assert got["beta"] == {"value": pytest.approx(3**-0.5), "unit": ""}
    assert got["mu_nu"] == {"value": 2.9e-11, "unit": "mu_B"}
    assert got["s13_tilde"]["value"] == 0.03  # a default
    assert got["variant"] == {"value": "equations", "unit": ""}


def test_units_are_converted():
    assert result(*POINT)["total"] == pytest.approx(
        result(*PREDICT, "--set", "beta=1/sqrt(3)", "--set", "m_zprime=2000 GeV")["total"], rel=1e-12
    )


def test_another_form_factor_changes_the_count_and_is_named():
    point = result(*SM, "--form-factor", "point")
    assert point["total"] > 1.05 * result(*SM)["total"]
    assert "point-like" in point["conventions"]["experiments"]["binh2021-csi"]["form_factor"]


def test_an_experiment_may_be_a_card():
    card = Path(papers.__file__).parents[1] / "experiment" / "cards" / "binh2021-csi.toml"
    Path("mine.toml").write_text(
        card.read_text(encoding="utf-8").replace("14.6 kg", "29.2 kg"), encoding="utf-8"
    )
    mine = result("predict", "--model", "standard-model", "--experiment", "mine.toml")
    assert mine["total"] == pytest.approx(2 * result(*SM)["total"], rel=1e-12)


def test_beta_away_from_n_over_sqrt3_is_allowed_and_noted():
    arguments = [*PREDICT, "--set", "m_zprime=2TeV", "--set", "beta=0.3"]
    note, *_ = result(*arguments)["notes"]
    assert "beta = 0.3 is not" in note
    assert "beta = 0.3 is not" in run(*arguments)[1]
    assert not any("is not ±n/√3" in note for note in result(*POINT)["notes"])


@pytest.mark.parametrize("columns", ["80", "120"])
def test_predict_for_people(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    status, out, err = run(*POINT, "--conventions")
    assert (status, err) == (0, "")
    assert max(map(cell_len, out.splitlines())) <= int(columns)
    for text in (
        "4 to 6",
        "background",
        "observed",
        "total",
        "Standard Model",
        "ratio",
        "2 TeV",
        "0.57735",
        "electroweak",
        "F_p = 1",
    ):
        assert text in out
    total = re.search(r"^ total +([\d.]+) +([\d.]+) +([\d.]+)", out, re.MULTILINE)
    assert float(total[1]) / float(total[2]) == pytest.approx(float(total[3]), abs=2e-4)


def test_predict_of_several_experiments_has_them_by_name():
    found = result(*SM, "--experiment", "binh2021-ge")["predictions"]
    assert list(found) == ["binh2021-csi", "binh2021-ge"]
    assert found["binh2021-csi"]["total"] == result(*SM)["total"]
    _, out, _ = run(*SM, "--experiment", "binh2021-ge")
    assert out.count("Expected counts: ") == 2


# --- limit --------------------------------------------------------------------------------------------


def test_limit_finds_the_seeds_intervals():
    got = result(*LIMIT, *SEED, *SCAN)
    (low, high), (last, edge) = got["allowed"]
    assert got["open"] == [[False, False], [False, True]]
    assert [low, high, last] == pytest.approx([0.5486, 0.6056, 1.4139], abs=1e-4)
    assert edge == pytest.approx(100)  # of the scan
    assert got["lower_limit"] is None  # what lies below 1.4 TeV is not all excluded
    assert (got["upper_limit"], got["unit"], got["parameter"], got["cl"]) == (None, "TeV", "m_zprime", 0.9)
    assert got["converged"] is True
    assert low < got["best_fit"]["m_zprime"]["value"] < high
    assert "3 TeV" in got["conventions"]["nuisances"]
    assert "m_zprime" not in got["parameters"]


def test_limits_curve_is_in_border_units_and_has_the_points_asked_for():
    got = result(*LIMIT, *SCAN, "--points", "101")
    curve = got["curve"]
    assert len(curve["values"]) == len(curve["delta_chi2"]) == 101
    assert [curve["values"][0], curve["values"][-1]] == pytest.approx([0.1, 100])
    low = got["lower_limit"]
    assert low == pytest.approx(1.4729, abs=1e-4)
    inside = np.array(curve["values"]) > low
    assert (np.array(curve["delta_chi2"])[inside] <= got["level"]).all()
    assert (np.array(curve["delta_chi2"])[~inside] > got["level"]).all()
    assert got["chi2"] == pytest.approx(0.9384, abs=1e-4)  # at infinity


def test_a_higher_confidence_level_allows_more_and_may_be_in_percent():
    limits = [result(*LIMIT, *SCAN, "--cl", cl)["lower_limit"] for cl in ("0.9", "95%", "0.95", "95", "90 %")]
    assert limits[1] == limits[2] == limits[3] < limits[0] == limits[4]


@pytest.mark.parametrize("beta", ["−sqrt(3)", "−√3", "–√3", " - sqrt ( 3 ) ", "-3^0.5", "−3**.5"])
def test_beta_is_read_as_the_readme_prints_it(beta):
    typeset = result(*PREDICT, "--set", f"beta={beta}", "--set", "m_zprime=2\u00a0TeV")
    typed = result(*PREDICT, "--set", "beta=-sqrt(3)", "--set", "m_zprime=2TeV")
    for found in (typeset, typed):
        del found["provenance"]["card"]  # which has it as it was written
    assert typeset == typed


def test_a_narrower_prior_strengthens_the_limit():
    narrow = result(*LIMIT, *SCAN, "--prior", "binh2021-csi_signal=10%")
    assert narrow["lower_limit"] > result(*LIMIT, *SCAN)["lower_limit"]
    assert narrow["conventions"]["experiments"]["binh2021-csi"]["pull_widths"]["binh2021-csi_signal"] == 0.1


def test_experiments_are_combined():
    both = result(*LIMIT, *SCAN, "--experiment", "binh2021-lar")
    assert both["experiments"] == ["binh2021-csi", "binh2021-lar"]
    assert both["lower_limit"] == pytest.approx(2.996, abs=1e-3)


def test_a_parameter_without_unit_is_scanned():
    got = result(
        *("limit", "--model", "331-beta", "--experiment", "binh2021-ge", "--set", "m_zprime=1TeV"),
        *("--scan", "beta=-sqrt(3)..sqrt(3)"),
    )
    assert got["unit"] == ""
    assert -(3**0.5) < got["lower_limit"] < 0
    assert got["allowed"] == [[got["lower_limit"], pytest.approx(3**0.5)]]


def test_limit_for_people():
    status, out, err = run(*LIMIT, *SEED, *SCAN)
    assert (status, err) == (0, "")
    assert max(map(cell_len, out.splitlines())) <= 80
    for text in (
        "0.5486 TeV to 0.6056 TeV",
        "above 1.414 TeV (scanned up to 100 TeV)",
        "90 % CL",
        "binh2021-csi",
    ):
        assert text in out
    assert re.search(r"^  limits +several intervals *$", out, re.MULTILINE)
    assert "lower limit" not in out


TWO_SIDED = ["limit", "--model", "standard-model", "--experiment", "binh2021-csi"]


def test_a_two_sided_interval_is_called_so():
    scan = ["--scan", "sin2_theta_w=0..1"]
    _, out, _ = run(*TWO_SIDED, *scan)
    assert re.search(r"^  limits +two-sided interval *$", out, re.MULTILINE)
    assert "lower limit" not in out
    assert "upper limit" not in out
    got = result(*TWO_SIDED, *scan)
    assert got["open"] == [[False, False]]
    assert (got["lower_limit"], got["upper_limit"]) == (None, None)


def test_limits_says_where_there_is_no_limit():
    scan = ["--scan", "sin2_theta_w=0.15..0.2"]
    _, out, _ = run(*TWO_SIDED, *scan)
    assert re.search(r"^  limit +none in the scanned range *$", out, re.MULTILINE)
    assert result(*TWO_SIDED, *scan)["open"] == [[True, True]]


def test_a_block_without_lines_is_not_printed(capsys):
    terminal.draw(ledger((), {}, {"form_factor": "Helm"}, whole=True))
    out = capsys.readouterr().out
    assert "Parameters" not in out
    assert "Notes" not in out
    assert "Conventions" in out


def test_a_tiny_chi2_is_zero_to_people():
    _, out, _ = run(*TWO_SIDED, "--scan", "sin2_theta_w=0..1")
    assert re.search(r"best fit .*, χ² = 0\.00 *$", out, re.MULTILINE)


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_plot(suffix, start):
    for name in ("a", "b"):
        status, out, err = run(*LIMIT, *SEED, *SCAN, "--plot", name + suffix)
        assert (status, err) == (0, "")
        assert out.endswith(f"Plot: {name}{suffix}\n")
    assert files() == ["a" + suffix, "b" + suffix]
    assert Path("a" + suffix).read_bytes().startswith(start)


def test_plot_and_json_do_not_mix():
    Path("new").mkdir()
    _, out, err = run(*LIMIT, *SCAN, "--json", "--plot", "new/limit.svg")
    assert json.loads(out)["unit"] == "TeV"
    assert err == "Plot: new/limit.svg\n"
    assert files() == ["new", "new/limit.svg"]


def test_the_plot_marks_the_ends_the_level_and_what_is_allowed(monkeypatch):
    drawn = []
    draw = figures.draw
    monkeypatch.setattr(figures, "draw", lambda figure, width: (drawn.append(figure), draw(figure))[1])
    run(*LIMIT, *SEED, *SCAN, "--plot", "limit.png")
    (panel,) = drawn[0].panels
    assert [r.value for r in panel.references if r.axis == "x"] == pytest.approx(
        [0.5486, 0.6056, 1.4139], abs=1e-4
    )
    assert [r.value for r in panel.references if r.axis == "y"] == pytest.approx([2.7055], abs=1e-4)
    allowed = panel.series[1]
    assert np.nanmax(allowed.y) == pytest.approx(2.7055, abs=1e-4)
    assert panel.x_label.endswith("[TeV]")
    assert panel.x_log


# --- refusals -----------------------------------------------------------------------------------------

BAD_CARD = 'name = "x"\n[target]\nmass = "3"\n'
MASS = [*PREDICT, "--set", "beta=1", "--set"]
BETA = [*PREDICT, "--set", "m_zprime=2TeV", "--set"]
REFUSALS = {
    "unknown model": (["predict", "--model", "331beta", "--experiment", "binh2021-csi"], "'331-beta'"),
    "unknown experiment": ([*SM[:3], "--experiment", "binh2021-csl"], "did you mean 'binh2021-csi'"),
    "unknown parameter": ([*BETA, "bta=1"], "'bta': did you mean 'beta'"),
    "unknown scanned parameter": ([*LIMIT, "--scan", "mzprime=1TeV..2TeV"], "did you mean 'm_zprime'"),
    "unknown choice": ([*BETA, "variant=number"], "did you mean 'numbers'"),
    "unknown form factor": ([*SM, "--form-factor", "helmet"], "'helmet': did you mean 'helm'"),
    "unknown list": (["list", "model"], "'model': did you mean 'models'"),
    "parameters of what": (["list", "models", "--model", "nsi"], "--model goes with `list parameters`"),
    "unknown paper": (["reproduce", "binh2020"], "'binh2020': did you mean 'binh2021'"),
    "unknown pull": (
        [*LIMIT, *SCAN, "--prior", "binh2021-csi_sgnal=1"],
        "did you mean 'binh2021-csi_signal'",
    ),
    "parameter of another model": ([*SM, "--set", "beta=1"], "unknown parameter 'beta'"),
    "nothing given": (PREDICT, "beta has no default"),
    "beta too large": (
        [*BETA, "beta=1.8"],
        "beta = 1.8 is not allowed: it must be between -1.73205 and 1.73205",
    ),
    "beta too small": ([*BETA, "beta=-2"], "beta = -2 is not allowed"),
    "no real g_X": ([*BETA, "beta=sqrt(3)", "--set", "sin2_theta_w=0.26"], "sin2_theta_w = 0.26"),
    "no real g_X in a scan": (
        [*LIMIT[:5], "--scan", "beta=0..sqrt(3)", "--set", "m_zprime=2TeV", "--set", "sin2_theta_w=0.4"],
        "must be positive",
    ),
    "negative mass": (
        [*MASS, "m_zprime=-2TeV"],
        "m_zprime = -2 TeV is not allowed: it must be 0.001 TeV or more",
    ),
    "no mass": ([*MASS, "m_zprime=0TeV"], "m_zprime = 0 TeV"),
    "NaN": ([*MASS, "m_zprime=nan"], "m_zprime = nan"),
    "NaN with unit": ([*MASS, "m_zprime=nanTeV"], "m_zprime = nanTeV"),
    "NaN without unit": ([*BETA, "beta=nan"], "beta = nan is not a finite number"),
    "infinity": ([*MASS, "m_zprime=1e400TeV"], "m_zprime = 1e400TeV is not a finite number"),
    "no unit": ([*MASS, "m_zprime=2"], "m_zprime = 2 needs a unit"),
    "wrong unit": ([*MASS, "m_zprime=2kg"], "m_zprime = 2kg has the wrong unit"),
    "not a number": ([*BETA, "beta=one"], "beta = one is not a number"),
    "no equals sign": ([*BETA, "beta"], "--set 'beta' is not of the form NAME=VALUE"),
    "no value": ([*BETA, "beta="], "--set 'beta=' is not of the form NAME=VALUE"),
    "set twice": ([*BETA, "beta=1", "--set", "beta=0"], "--set gives beta twice: 1 and 0"),
    "prior twice": ([*LIMIT, *SCAN, "--prior", "a=1", "--prior", "a=2"], "--prior gives a twice"),
    "bad prior": ([*LIMIT, *SCAN, "--prior", "binh2021-csi_signal=-1"], "must be 0 or more"),
    "set and scanned": ([*LIMIT, "--scan", "beta=0..1"], "beta is both set and scanned"),
    "scanned and fixed": (
        [*LIMIT, "--scan", "binh2021-csi_signal=-1..1", "--fix", "binh2021-csi_signal"],
        "binh2021-csi_signal is both scanned and fixed: do one or the other",
    ),
    "scanned with a prior": (
        [*LIMIT, "--scan", "binh2021-csi_signal=-1..1", "--prior", "binh2021-csi_signal=0.5"],
        "binh2021-csi_signal is both scanned and given a prior: do one or the other",
    ),
    "scanned and profiled": (
        [*LIMIT, *SCAN, "--profile", "m_zprime=1TeV..2TeV"],
        "m_zprime is both scanned and profiled: do one of them",
    ),
    "reversed scan": ([*LIMIT, "--scan", "m_zprime=2TeV..1TeV"], "m_zprime, 2 TeV to 1 TeV, is reversed"),
    "empty scan": ([*LIMIT, "--scan", "m_zprime=2TeV..2TeV"], "reversed or empty"),
    "scan of a choice": ([*LIMIT, "--scan", "variant=0..1"], "variant cannot be scanned"),
    "scan without range": ([*LIMIT, "--scan", "m_zprime=2TeV"], "m_zprime = 2TeV is not a range"),
    "scan without equals": (
        [*LIMIT, "--scan", "m_zprime"],
        "--scan 'm_zprime' is not of the form NAME=LOW..HIGH",
    ),
    "scan without unit": ([*LIMIT, "--scan", "m_zprime=1..2"], "needs a unit"),
    "scan out of bounds": ([*LIMIT, "--scan", "m_zprime=-1TeV..2TeV"], "m_zprime = -1 TeV is not allowed"),
    "cl of 0": ([*LIMIT, *SCAN, "--cl", "0"], "confidence level 0"),
    "cl of 1": ([*LIMIT, *SCAN, "--cl", "1"], "confidence level 1"),
    "cl that may be 1 %": ([*LIMIT, *SCAN, "--cl", "1"], "confidence level 1 is not allowed"),
    "cl that may be 2 σ": ([*LIMIT, *SCAN, "--cl", "2"], "such as 0.9 or 90%"),
    "cl of all": ([*LIMIT, *SCAN, "--cl", "100"], "confidence level 100 is not allowed"),
    "cl of 100 %": ([*LIMIT, *SCAN, "--cl", "100%"], "confidence level 100% is not allowed"),
    "cl below 0": ([*LIMIT, *SCAN, "--cl", "−90%"], "confidence level −90% is not allowed"),
    "same level twice": ([*LIMIT, *SCAN, "--cl", "90", "--cl", "0.9"], "cl is given 2 times as 0.9"),
    "cl NaN": ([*LIMIT, *SCAN, "--cl", "nan"], "cl = nan"),
    "frozen out of bounds": ([*LIMIT, *SCAN, "--freeze-at", "-3TeV"], "m_zprime = -3 TeV is not allowed"),
    "too few points": (
        [*LIMIT, *SCAN, "--points", "100"],
        "points = 100 is not allowed: it must be between 101",
    ),
    "too many points": ([*LIMIT, *SCAN, "--points", "10000000000"], "points = 10000000000 is not allowed"),
    "experiment twice": ([*LIMIT, *SCAN, "--experiment", "binh2021-csi"], "binh2021-csi is given 2 times"),
    "two models": ([*LIMIT, *SCAN, "--model", "standard-model"], "--model is given 2 times: limit takes it"),
    "two scans": ([*LIMIT, *SCAN, "--scan", "beta=0..1"], "--scan is given 2 times"),
    "two levels": ([*LIMIT, *SCAN, "--cl", "0.9", "--cl=0.9", "--cl", "0.9"], "cl is given 3 times"),
    "two outputs": (["reproduce", "binh2021", "-o", "a", "--output", "b"], "--output is given 2 times"),
    "output without a name": (["reproduce", "binh2021", "--output", ""], '--output "" names no directory'),
    "moment too large": ([*BETA, "beta=1", "--set", "mu_nu=1e150"], "mu_nu = 1e+150 μ_B"),
    "moment much too large": ([*BETA, "beta=1", "--set", "mu_nu=1e300", "--json"], "mu_nu = 1e+300 μ_B"),
    "moment too large for a limit": (
        [*LIMIT, *SCAN, "--set", "mu_nu=1e80"],
        "the expected counts of binh2021-csi are too large",
    ),
    "scanned moment too large": (
        [*LIMIT, "--set", "m_zprime=2TeV", "--scan", "mu_nu=0..1e200"],
        "mu_nu = 1e+200 μ_B",
    ),
    "exposure too large": ([*SM[:3], "--experiment", "bright.toml"], "protons_on_target"),
    "efficiency of zero": ([*LIMIT[:3], "--experiment", "blind.toml", *SCAN, "--set", "beta=0"], "no signal"),
    "bins beyond the recoils": (
        [*LIMIT[:3], "--experiment", "beyond.toml", *SCAN, "--set", "beta=0"],
        "no signal at all: its efficiency is zero, or its bins, recoil energy [keV] from 100 to 200, lie",
    ),
    "malformed card": ([*SM[:3], "--experiment", "bad.toml"], "target.mass = 3 needs a unit"),
    "card that is no TOML": ([*SM[:3], "--experiment", "text.toml"], "text.toml is not TOML"),
    "no card": ([*SM[:3], "--experiment", "none.toml"], "there is no experiment card none.toml"),
    "plot of unknown kind": (
        [*LIMIT, *SCAN, "--plot", "a.jpg"],
        "'a.jpg': the file must end in .png, .svg, .pdf",
    ),
    "plot without kind": ([*LIMIT, *SCAN, "--plot", "plot"], "'plot': the file must end in"),
    "plot below a file": ([*LIMIT, *SCAN, "--plot", "file/a.png"], "'file' is not a directory"),
    "plot onto a directory": (
        [*LIMIT, *SCAN, "--plot", "directory.png"],
        "'directory.png': it is a directory",
    ),
    "plot without a name": ([*LIMIT, *SCAN, "--plot", ""], "--plot '' is not allowed: it must be the name"),
    "save without a name": ([*LIMIT, *SCAN, "--save", ""], "--save '' is not allowed: it must be the name"),
    "scan with three dots": ([*LIMIT, "--scan", "m_zprime=1...10TeV"], "m_zprime = 1...10TeV is not a range"),
    "scan with three ends": ([*LIMIT, "--scan", "m_zprime=1..2..3TeV"], "2..3TeV is not a number"),
    "scan with a dash": ([*LIMIT, "--scan", "m_zprime=1–10TeV"], "m_zprime = 1–10TeV is not a range"),
    "scan up to NaN": ([*LIMIT, "--scan", "m_zprime=1TeV..NaN"], "m_zprime = NaN is not a number"),
    "scan in kilograms": ([*LIMIT, "--scan", "m_zprime=1kg..2kg"], "m_zprime = 2kg has the wrong unit"),
    "decimal comma": ([*BETA, "beta=0,5"], "beta = 0,5 is not a number"),
    "thousands": ([*MASS, "m_zprime=2 000TeV"], "m_zprime = 2 000TeV is not a number"),
    "two values": ([*MASS, "m_zprime=2TeV=3"], "m_zprime = 2TeV=3 is not a number"),
    "a choice in capitals": ([*BETA, "electroweak=Tree"], "'Tree': did you mean 'tree'"),
    "no name of a parameter": ([*BETA, "=1"], "--set '=1' is not of the form NAME=VALUE"),
    "no level": ([*LIMIT, *SCAN, "--cl", ""], "cl = is not a number"),
    "fixed twice": (
        [*LIMIT, *SCAN, *2 * ("--fix", "binh2021-csi_signal")],
        "binh2021-csi_signal is fixed twice",
    ),
    "fixed nothing": ([*LIMIT, *SCAN, "--fix", ""], "unknown nuisance parameter ''"),
    "a prior without end": ([*LIMIT, *SCAN, "--prior", "binh2021-csi_signal=inf"], "is not a finite number"),
    "a prior in TeV": ([*LIMIT, *SCAN, "--prior", "binh2021-csi_signal=1TeV"], "has the wrong unit"),
    "frozen at nothing": ([*LIMIT, *SCAN, "--freeze-at", ""], "m_zprime = is not a number"),
    "frozen without unit": ([*LIMIT, *SCAN, "--freeze-at", "3"], "m_zprime = 3 needs a unit"),
    "no engine": ([*LIMIT, *SCAN, "--engine", ""], "unknown engine ''"),
    "no experiment": ([*SM[:3], "--experiment", ""], "unknown experiment ''"),
    "plot into no folder": ([*LIMIT, *SCAN, "--plot", "a/b/c.png"], "'a/b/c.png': there is no folder 'a/b'"),
    "samples into no folder": (
        ["sample", *SM[1:], "--free", "sin2_theta_w=0.1..0.4", "--output", "a/b.csv"],
        "'a/b.csv': there is no folder 'a'",
    ),
    "report onto a file": (["reproduce", "binh2021", "--output", "file"], "'file' is not a directory"),
    "report below a file": (["reproduce", "binh2021", "--output", "file/a/b"], "'file' is not a directory"),
}


def write_card(path, old, new):
    card = Path(papers.__file__).parents[1] / "experiment" / "cards" / "binh2021-ge.toml"
    text = card.read_text(encoding="utf-8")
    assert text.count(old) == 1
    Path(path).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(("arguments", "text"), REFUSALS.values(), ids=REFUSALS)
def test_bad_input_ends_in_one_sentence(arguments, text):
    Path("bad.toml").write_text(BAD_CARD)
    Path("text.toml").write_text("this is prose")
    write_card("bright.toml", "protons_on_target = 2.0850373e23", "protons_on_target = 1e300")
    write_card("blind.toml", "value = 0.5", "value = 0")
    write_card("beyond.toml", "edges = [5, 100]", "edges = [100, 200]")
    Path("file").touch()
    Path("directory.png").mkdir()
    before = files()
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert text in err
    assert files() == before


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("a bug")])
@pytest.mark.parametrize("as_json", [True, False])
def test_an_answer_whose_plot_cannot_be_written_is_printed_first(monkeypatch, error, as_json):
    def half(figure, path, dpi):
        path.write_text("half")
        raise error

    Path("new").mkdir()
    arguments = [*LIMIT, *SCAN, "--engine", "numpy", *(["--json"] if as_json else [])]
    _, quiet, _ = run(*arguments)
    monkeypatch.setattr("nurecoil.presentation.figures.save_canvas", half)
    if isinstance(error, RuntimeError):
        with pytest.raises(RuntimeError), redirect_stdout(io.StringIO()) as out:
            cli.main([*arguments, "--plot", "new/limit.png"])
        assert out.getvalue() == quiet
    else:
        status, out, err = run(*arguments, "--plot", "new/limit.png")
        assert (status, out, err) == (2, quiet, "Error: cannot write to 'new': No space left on device\n")
    assert files() == ["new"]


def test_a_refusal_after_the_check_of_the_plot_leaves_no_plot():
    assert run(*LIMIT, "--scan", "m_zprime=2TeV..1TeV", "--plot", "limit.png")[0] == 2
    assert files() == []


@pytest.mark.parametrize("look", [("--width", "1"), ("--overlay", "none.csv")])
def test_a_look_that_cannot_be_is_refused_before_anything_is_computed(look):
    status, out, error = run(*LIMIT, "--scan", "m_zprime=1TeV..2TeV", "--plot", "limit.png", *look)
    assert (status, out) == (2, "")
    assert "1.0 is not allowed" in error or "cannot read none.csv" in error
    assert files() == []


WRONG_USAGE = {
    "predict": "predict needs --model NAME: see `nurecoil list models`; or a file of your own, FILE.py"
    " (more: nurecoil predict --help)",
    "new-card": "new-card needs NAME: of the experiment (more: nurecoil new-card --help)",
    "data path a b": "path has no use for 'b': quote what has spaces (more: nurecoil data path --help)",
    "predict --model nsi": "predict needs --experiment NAME: a name or a card, FILE.toml; repeat to combine",
    "predict --set m=2 TeV": "predict needs --model NAME",
    "lst": "unknown command 'lst': did you mean 'list'? (known: reproduce,",
    "data frob": "unknown command 'frob': known are list, fetch, verify, path",
    "data --frob": "unknown option '--frob': known are --help",
    "data list --jso": "unknown option '--jso': did you mean '--json'? (known: --json, --help)",
    "limit --colour red": "unknown option '--colour': known are --model",
    "limit --points x --model a --experiment b --scan c=0..1": "--points x is not allowed: it must be",
    "scan a.toml --output b.nc --workers 2.5": "--workers 2.5 is not allowed: it must be a whole number",
    "goodness --width x --model a --experiment b": "--width x is not allowed: it must be a number",
    "goodness --model": "--model needs a value, NAME: see",
    "goodness --json=yes": "--json takes no value (more: nurecoil goodness --help)",
    "--version=3": "--version takes no value (more: nurecoil --help)",
}


@pytest.mark.parametrize(("line", "text"), WRONG_USAGE.items(), ids=WRONG_USAGE)
def test_wrong_usage_ends_in_one_sentence(line, text):
    status, out, err = run(*line.split())
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"Error: {text}")


# --- reproduce ----------------------------------------------------------------------------------------


def test_verdicts_are_printed_even_if_the_report_cannot_be_written(monkeypatch):
    def full(*them):
        raise OSError(errno.ENOSPC, "No space left on device")

    fake_paper(monkeypatch)
    monkeypatch.setattr("nurecoil.presentation.report.to_html", full)
    status, out, err = run("reproduce", "mine")
    assert (status, err) == (2, "Error: cannot write to 'mine-report': No space left on device\n")
    assert "1.41 TeV" in out
    assert files() == []


def test_reproduce_writes_the_report(monkeypatch):
    fake_paper(monkeypatch)
    status, out, err = run("reproduce", "mine")
    assert (status, err) == (0, "")
    assert files("mine-report") == REPORT
    assert files() == sorted(["mine-report", *(f"mine-report/{name}" for name in REPORT)])
    assert json.loads(Path("mine-report/results.json").read_text())["limits"][0]["allowed_tev"] == [
        [1.4, None]
    ]
    assert "figures/fig1.png" in Path("mine-report/report.md").read_text(encoding="utf-8")
    assert "<h1>A paper</h1>" in Path("mine-report/report.html").read_text(encoding="utf-8")
    assert out.splitlines()[-4:] == [
        "mine-report/report.html",
        "mine-report/report.md",
        "mine-report/results.json",
        "mine-report/figures (1 figure as PNG, SVG and CSV)",
    ]


@pytest.mark.parametrize("columns", ["80", "100"])
def test_reproduce_prints_the_verdicts_as_text(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    fake_paper(monkeypatch)
    _, out, _ = run("reproduce", "mine")
    assert max(map(cell_len, out.splitlines())) <= int(columns)
    assert out.startswith("Verdicts on m_Z′\n")
    for text in ("m_Z′, β", "1.41 TeV", "μ_ν", "10^−11", "[bold] &"):
        assert text in out
    assert "columns: Why." in out
    assert "long words" not in out
    assert "<sub>" not in out
    assert "*" not in out


def test_a_wide_terminal_shows_the_reasons_too(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    fake_paper(monkeypatch)
    _, out, _ = run("reproduce", "mine")
    assert "long words" in out
    assert " code" in out


def test_reproduce_replaces_an_older_report_and_leaves_other_files(monkeypatch):
    fake_paper(monkeypatch)
    folder = Path("mine")
    folder.mkdir()
    (folder / "report.md").write_text("old")
    (folder / "notes.txt").write_text("my own")
    assert run("reproduce", "binh2021", "--output", "mine")[0] == 0
    assert files("mine") == sorted([*REPORT, "notes.txt"])
    assert (folder / "report.md").read_text(encoding="utf-8") != "old"
    assert (folder / "notes.txt").read_text() == "my own"


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (NurecoilError("no such thing"), 2),
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device"), 2),
    ],
)
def test_a_failure_midway_leaves_nothing_behind(monkeypatch, existing, failure, status):
    fake_paper(monkeypatch, fails=failure)
    if existing:
        Path("mine").mkdir()
    code, out, err = run("reproduce", "mine", "--output", "mine" if existing else "deep/mine")
    assert (code, out) == (status, "")
    assert "Traceback" not in err
    assert files() == (["mine"] if existing else [])


def test_a_failure_while_the_report_is_written_leaves_nothing_behind(monkeypatch):
    fake_paper(monkeypatch, results={"limit": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        cli.main(["reproduce", "mine"])
    assert files() == []


def test_the_directory_is_checked_before_anything_is_computed(monkeypatch):
    fake_paper(monkeypatch, fails=AssertionError("computed"))
    Path("file").touch()
    assert run("reproduce", "mine", "--output", "file/report")[0] == 2


# --- list, help, version ------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", ["80", "120"])
def test_list_shows_what_there_is(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    status, out, err = run("list")
    assert (status, err) == (0, "")
    assert max(map(cell_len, out.splitlines())) <= int(columns)
    for text in ("331-beta", "binh2021-nai-2000"):
        assert text in out
    status, out, err = run("list", "parameters", "--model", "331-beta")
    assert (status, err) == (0, "")
    assert max(map(cell_len, out.splitlines())) <= int(columns)
    for text in ("m_zprime", "must be set", "equations", "0.23857"):
        assert text in out
    assert "nsi" not in out


@pytest.mark.parametrize(
    ("what", "there", "not_there"),
    [
        ("models", "standard-model", "binh2021-csi"),
        ("experiments", "binh2021-csi", "standard-model"),
        ("parameters", "sin2_theta_w", "binh2021-csi"),
    ],
)
def test_list_shows_what_is_asked_for(what, there, not_there):
    _, out, _ = run("list", what)
    assert there in out
    assert not_there not in out


def test_list_needs_no_data(monkeypatch):
    for name in ("NURECOIL_DATA", "NURECOIL_CACHE"):
        monkeypatch.setenv(name, str(Path("nowhere").absolute()))
    status, out, _ = run("list", "experiments")
    assert status == 0
    assert "coherent-lar-2020" in out


@pytest.mark.parametrize("columns", ["0", "", "many"])
def test_a_terminal_that_does_not_say_its_width_has_80_columns(monkeypatch, columns):
    _, expected, _ = run("list")
    monkeypatch.setenv("COLUMNS", columns)
    assert run("list")[1] == expected


@pytest.mark.parametrize(
    "arguments",
    [["list"], POINT, [*LIMIT, *SCAN], ["reproduce", "mine"]],
    ids=lambda arguments: arguments[0],
)
def test_no_word_is_broken_in_a_narrow_terminal(monkeypatch, arguments):
    fake_paper(monkeypatch)
    monkeypatch.setenv("COLUMNS", "300")
    words = set(run(*arguments)[1].split())
    monkeypatch.setenv("COLUMNS", "40")
    status, out, _ = run(*arguments)
    assert status == 0
    lines = [line for line in out.splitlines() if not line.startswith("mine-report/")]  # paths stay whole
    assert max(map(cell_len, lines)) <= 40
    names = {
        "scaled-standard-model",
        "binh2021-nai-2000",
        "must",
        "arXiv:1708.01294",
        "reproduced",
        "m_zprime",
    }
    assert names & words <= set(out.split())


def test_a_block_names_each_cell(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    terminal.print_table(
        "T", ["name", "what", "state"], [["a" * 20, "b" * 30, ("good", "green")], ["c", "", "d"]]
    )
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["T", "", "a" * 20, f"  what: {'b' * 30}", "  state: good", "", "c", "  state: d", ""]
    terminal.print_table("T", ["PE", "what"], [["4 to 6", "b" * 40]])
    assert capsys.readouterr().out.splitlines()[0] == "T, by PE"


def test_a_long_name_is_broken_behind_an_underscore_before_a_table_becomes_blocks(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    terminal.print_table("T", ["name", "n"], [[("an-experiment_effect_of_the_pull", "red"), "1" * 15]], (1,))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[2] == ["name", "n"]
    assert lines[4:6] == [["an-experiment_", "1" * 15], ["effect_of_the_pull"]]


def test_room_goes_to_making_most_rows_one_line_high(capsys):
    rows = [["x " * 12, "y"] for _ in range(9)] + [["x", "y " * 60]]
    terminal.print_table("T", ["first", "second"], rows)
    assert sum("x x x x x x x x x x x x" in line for line in capsys.readouterr().out.splitlines()) == 9
