"""What a verb does not take is refused, and what it cannot draw is left out."""

import numpy as np
import pytest

import nurecoil
from command_line import run
from nurecoil.errors import NurecoilError
from nurecoil.presentation import look
from nurecoil.presentation.look import read_curve

PAIR = ["binh2021-csi", "binh2021-lar"]
ASKED = {
    "sensitivity": ("eps_u_ee", "-1..1"),
    "combine": ("eps_u_ee", "-1..1"),
    "sample": ({"eps_u_ee": "-1..1"},),
}


@pytest.mark.parametrize("verb", ASKED)
def test_verbs_that_do_not_profile_over_parameters_say_so(verb):
    study = nurecoil.Study("nsi", PAIR, profile={"eps_u_mumu": "0..1"})
    with pytest.raises(NurecoilError, match=f"{verb} does not profile over .*, here eps_u_mumu"):
        getattr(study, verb)(*ASKED[verb])


@pytest.mark.parametrize(
    ("verb", "switch"), [("fit", "minos"), ("limit", "vary"), ("sample", "profile_pulls"), ("scan", "pulls")]
)
def test_a_switch_is_true_or_false(verb, switch):
    given = ({"eps_u_ee": 0.1},) if verb == "fit" else ASKED.get(verb, ("eps_u_ee", "-1..1"))
    with pytest.raises(NurecoilError, match=f"{switch} = 'no' is not allowed: it must be True or False"):
        getattr(nurecoil.Study("nsi", PAIR), verb)(*given, **{switch: "no"})


@pytest.mark.parametrize(
    ("axis", "said"),
    [
        ({"low": -1, "high": 1}, "it needs 'low', 'high' and 'points', or 'values'"),
        (
            {"low": -1, "high": 1, "points": 2.5},
            "points = 2.5 is not allowed: it must be 2 or more, and whole",
        ),
        ({"low": -1, "high": 1, "point": 5}, "unknown key 'point': did you mean 'points'"),
        ("-1..1", "eps_u_ee = -1..1 is not a number"),
        ([], r"values = \[\] is not allowed"),
        (None, "give a name, or several in a list"),
    ],
)
def test_an_axis_of_a_scan_says_its_values_or_its_range(axis, said, tmp_path):
    with pytest.raises(NurecoilError, match=f"scan.eps_u_ee: .*{said}"):
        nurecoil.Study("nsi", PAIR).scan({"eps_u_ee": axis}, tmp_path / "map.nc")
    assert not list(tmp_path.iterdir())


def test_a_best_fit_where_a_parameter_decouples_is_no_point_of_the_figure():
    result = nurecoil.Study("331-beta", PAIR, beta="0").combine("m_zprime", "0.1..10 TeV", points=101)
    assert np.isinf(result.values.together.profile.best_fit)
    (chart,) = result.values.figure(result).panels
    assert [bars.label for bars in chart.bars] == ["one alone", "all"]
    assert chart.lines == ()


@pytest.mark.parametrize("option", [("--no-title",), ("--width", "3.4"), ("--overlay", "curve.csv")])
def test_options_of_a_figure_need_a_figure(option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "curve.csv").write_text("0,1\n1,2\n", encoding="utf-8")
    limit = ("limit", "--model", "nsi", "--experiment", "binh2021-csi", "--scan", "eps_u_ee=-1..1")
    for more in ((), ("--save", "limit.csv")):
        status, out, err = run(*limit, *option, *more)
        assert (status, out) == (2, "")
        assert err == f"Error: {option[0]} is of a figure: give --plot FILE, or --save FILE.png, as well\n"
    assert [path.name for path in tmp_path.iterdir()] == ["curve.csv"]
    assert run(*limit, *option, "--save", "limit.svg")[0] == 0


def test_a_curve_that_is_laid_over_is_read_once(tmp_path, monkeypatch):
    (tmp_path / "curve.csv").write_text("0,1\n1,2\n", encoding="utf-8")
    calls = []

    def counted(path, number):
        calls.append(path)
        return read_curve(path, number)

    monkeypatch.setattr(look, "read_curve", counted)
    result = nurecoil.Study("nsi", "binh2021-csi").limit("eps_u_ee", "-1..1")
    result.save(tmp_path / "limit.svg", overlay=tmp_path / "curve.csv")
    assert calls == [tmp_path / "curve.csv"]


def test_of_projections_alone_nothing_is_called_observed():
    names = ["binh2021-ge", "future-ge-18"]
    study = nurecoil.Study("scaled-standard-model", names)
    found = study.significance({"signal_strength": 1}, null={"signal_strength": 0})
    assert found.record()["observed"] is None
    assert "observed" not in str(found).partition("Notes")[0]
    at_null = study.limit("signal_strength", "0..3").values.profile.delta_chi2[0]
    assert found.values.expected.delta_chi2 == pytest.approx(at_null, rel=1e-6)
    limits = study.sensitivity("signal_strength", "0..3")
    assert limits.record()["observed"] is None
    assert "observed" not in str(limits).partition("Notes")[0]
    (panel,) = limits.values.figure(limits).panels
    assert [series.label for series in panel.series] == ["expected"]
    mixed = nurecoil.Study("scaled-standard-model", [*names, "binh2021-csi"])
    assert mixed.significance({"signal_strength": 1}, null={"signal_strength": 0}).record()["observed"]
